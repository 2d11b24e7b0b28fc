"""Quirks of the emulated EnvíaTuSMS: deviations seen in one of the document's samples or left open by the document."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["Quirks"]


@frozen(kw_only=True)
class Quirks:
    r"""Deviations of the emulated EnvíaTuSMS; all are off by default.

    Attributes:
        id_field: field of the campaign's id in the answer of sms-multi: ``id`` as in the sample, ``campaign_id`` as in
            the table, or both.
        balance_fields: field of balance with the count of SMS that the balance buys: ``sms`` with a count for each
            operator, ``creditos`` with one count (the code samples read it), or both.
        empty_sms: value of ``sms`` when the balance buys no message: zeros, ``{}``, or ``[]`` as PHP writes an array
            without entries.
        money_as_string: ``balance`` and ``precio_usd`` are strings.
        no_ignored: value of ``ignored`` when all numbers are valid: ``[]``, null, or the field is missing.
        ignored_hidden: ``ignored`` has this value even when numbers were ignored.
        ignored_form: format of an ignored number: 58 before it as in the sample, or ``local`` with a 0 before it,
            ``national`` with no prefix, ``plus`` with ``+58``, or ``given`` as the request had it.
        all_ignored: answer to a campaign without any valid number: accepted, accepted without an id, or refused.
        long_texts: sms-multi takes texts of more than 160 characters, and charges their parts as sms-costo counts them.
        quote_status: the answer of sms-costo has a ``status``.
        message_text: ``message_text`` of a campaign with a text for each number: the first text, null, or a list.
        numbers_stats: ``numbers_stats`` is a list as in the sample, or an object (as in the table) keyed by position
            or by number.
        mobile_number_as_string: ``mobile_number`` is a string.
        flags_as_bool: ``approved``, ``cancelled``, ``from_api`` and ``processed`` are true or false.
        ints_as_strings: every integer is a string.
        locations: ``location_unique_clicks`` without clicks is ``{}``, ``[]`` or missing; no sample shows it.
        accepts_url: acortar-url takes ``url`` in place of ``link``, as in the Python sample.
        success: ``success`` of acortar-url is a boolean, 1 or 0, or a string.
        error_keys: a refusal has ``success`` and ``error`` in acortar-url, and ``status`` and ``msg`` in the other
            functions; or one of these pairs in all functions.
        http_status: HTTP status of refusals. ``"mixed"``: 401 (key), 404 (campaign), 422 (parameters), and 200 for a
            lack of money or links. ``"always_200"``: 200 for all. ``"never_200"``: as mixed, with 422 in place of 200.
        trailing_comma: there is a comma before the last brace, which is not JSON: in short links as in the sample, or
            always.
        php_escapes: slashes are written ``\/``, and letters outside ASCII like ``\u00f1``.
        wrong_content_type: every answer has the content type ``text/html``.
        bom: answers begin with a UTF-8 byte order mark.
    """

    id_field: Literal["id", "campaign_id", "both"] = "id"
    balance_fields: Literal["sms", "creditos", "both"] = "sms"
    empty_sms: Literal["zeros", "object", "list"] = "zeros"
    money_as_string: bool = False
    no_ignored: Literal["list", "missing", "null"] = "list"
    ignored_hidden: bool = False
    ignored_form: Literal["international", "local", "national", "plus", "given"] = "international"
    all_ignored: Literal["ok", "no_id", "error"] = "ok"
    long_texts: bool = False
    quote_status: bool = False
    message_text: Literal["first", "null", "list"] = "first"
    numbers_stats: Literal["list", "by_position", "by_number"] = "list"
    mobile_number_as_string: bool = False
    flags_as_bool: bool = False
    ints_as_strings: bool = False
    locations: Literal["object", "list", "missing"] = "object"
    accepts_url: bool = False
    success: Literal["bool", "int", "string"] = "bool"
    error_keys: Literal["documented", "general", "short_link"] = "documented"
    http_status: Literal["mixed", "always_200", "never_200"] = "mixed"
    trailing_comma: Literal["never", "short_link", "always"] = "never"
    php_escapes: bool = False
    wrong_content_type: bool = False
    bom: bool = False

    @classmethod
    def all(cls) -> Self:
        """Return all quirks that a client can survive, switched on at once.

        ``ignored_hidden`` stays off, because it leaves no way to know who got the message.
        """
        return cls(
            id_field="campaign_id",
            balance_fields="creditos",
            empty_sms="list",
            money_as_string=True,
            no_ignored="null",
            ignored_form="local",
            all_ignored="no_id",
            long_texts=True,
            quote_status=True,
            message_text="null",
            numbers_stats="by_number",
            mobile_number_as_string=True,
            ints_as_strings=True,
            locations="list",
            accepts_url=True,
            success="string",
            error_keys="general",
            http_status="always_200",
            trailing_comma="always",
            php_escapes=True,
            wrong_content_type=True,
            bom=True,
        )
