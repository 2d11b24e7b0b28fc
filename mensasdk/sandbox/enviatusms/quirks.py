"""Ways in which answers differ, each seen in one of the document's own samples or left open by it."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["Quirks"]


@frozen(kw_only=True)
class Quirks:
    """Deviations of the emulated EnvíaTuSMS; all are off by default.

    Attributes:
        id_field: how sms-multi names the campaign: ``id`` as the sample has it, ``campaign_id`` as the table, or both.
        balance_fields: balance tells the number of SMS for each operator (``sms``), as one number (``creditos``, as
            the code samples read it), or both.
        empty_sms: what ``sms`` is when the balance buys no message: zeros, ``{}``, or ``[]`` as PHP writes an array
            without entries.
        money_as_string: ``balance`` and ``precio_usd`` are strings.
        no_ignored: what ``ignored`` is when every number was valid: ``[]``, not there, or null.
        ignored_hidden: ``ignored`` is that even when numbers were ignored.
        ignored_form: an ignored number has 58 in front, as in the sample; or ``local`` has a 0, ``national`` nothing,
            ``plus`` a ``+58``, and ``given`` is what was sent.
        all_ignored: what becomes of a campaign without any valid number: accepted, accepted without an id, or refused.
        long_texts: sms-multi takes texts beyond 160 characters and charges their parts, as sms-costo counts them.
        quote_status: the answer of sms-costo has a ``status``.
        message_text: ``message_text`` of a campaign with a text for each number: the first one, null, or a list.
        numbers_stats: a list as in the sample, or an object (as the table says) keyed by position or by number.
        mobile_number_as_string: ``mobile_number`` is a string.
        flags_as_bool: ``approved``, ``cancelled``, ``from_api`` and ``processed`` are true or false.
        ints_as_strings: every integer is a string.
        locations: ``location_unique_clicks`` without clicks: ``{}``, ``[]``, or not there; the sample has none.
        accepts_url: acortar-url takes ``url`` for ``link``, as the Python sample has it.
        success: ``success`` of acortar-url is a boolean, 1 or 0, or a string.
        error_keys: a refusal has ``status`` and ``msg``, but ``success`` and ``error`` from acortar-url; or one of
            the two pairs from every function.
        http_status: refusals are HTTP 401 (key), 404 (campaign) or 422 (parameters), but 200 for a lack of money or
            of links; or all are 200; or none is, and those two are 422.
        trailing_comma: a comma before the last brace, which is not JSON: in short links, as in the sample, or always.
        php_escapes: ``\\/`` for slashes and ``\\u00f1`` for letters outside ASCII.
        wrong_content_type: everything comes as ``text/html``.
        bom: a UTF-8 byte order mark first.
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
        """Everything at once that a client can survive. Not in it: ``ignored_hidden``, which leaves no way to know
        who got the message."""
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
