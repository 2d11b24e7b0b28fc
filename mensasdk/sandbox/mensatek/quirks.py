"""Quirks of the emulated Mensatek: deviations from the document, seen in practice or left open by the document."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["Quirks"]


@frozen(kw_only=True)
class Quirks:
    """Deviations of the emulated Mensatek; all are off by default.

    Attributes:
        bare_object: a JSON answer is an object, not a list that holds the object.
        keys_case: case of the field names.
        numbers_as_strings: numeric values are strings in JSON, such as ``"1"`` for ``1``.
        spanish_decimals: credits are written as ``"12.345,67"``.
        res_as_resp: the result code is in the field ``Resp``, not ``Res``.
        saldo_for_cred: the balance is in the field ``Saldo``, not ``Cred``.
        junk_around_json: there is text before and after the JSON.
        trailing_comma: a JSON answer has a comma before its closing brace: ``{"Res":1,}``.
        wrong_content_type: every answer has the content type ``text/html``.
        latin1: answers are in Latin-1, with no charset declared.
        bom: answers begin with a UTF-8 byte order mark (not together with ``latin1``).
        txt_newline: end of a line in TXT answers.
        msgid_only: the message id is in ``Msgid`` only; ``idMensaje`` is missing.
        destinatarios_as_list: ``Destinatarios`` in the answer to a send is a list of the recipients, which is the type
            that the document gives it.
        query_breaks_auth: a request with a query string is refused with -1.
        bare_auth_error: wrong credentials are answered with the bare text ``-1`` in XML, too.
        auth_status: HTTP status of wrong credentials: 200 as with the vendor, or 401 or 403.
        zero_when_all_dropped: a send whose recipients are all dropped is answered with ``Res`` 0 and the counts. The
            document names no code for this; without the quirk, it is -3 with an ``Error``.
    """

    bare_object: bool = False
    keys_case: Literal["documented", "upper", "lower"] = "documented"
    numbers_as_strings: bool = False
    spanish_decimals: bool = False
    res_as_resp: bool = False
    saldo_for_cred: bool = False
    junk_around_json: bool = False
    trailing_comma: bool = False
    wrong_content_type: bool = False
    latin1: bool = False
    bom: bool = False
    txt_newline: Literal["\r\n", "\r", "\n"] = "\r\n"
    msgid_only: bool = False
    destinatarios_as_list: bool = False
    query_breaks_auth: bool = False
    bare_auth_error: bool = False
    auth_status: int = 200
    zero_when_all_dropped: bool = False

    @classmethod
    def all(cls) -> Self:
        """Return all quirks switched on at once, which a client has to survive."""
        return cls(
            bare_object=True,
            keys_case="upper",
            numbers_as_strings=True,
            spanish_decimals=True,
            res_as_resp=True,
            saldo_for_cred=True,
            junk_around_json=True,
            trailing_comma=True,
            wrong_content_type=True,
            latin1=True,
            bom=True,
            txt_newline="\r",
            msgid_only=True,
            destinatarios_as_list=True,
            query_breaks_auth=True,
            bare_auth_error=True,
            auth_status=200,
            zero_when_all_dropped=True,
        )
