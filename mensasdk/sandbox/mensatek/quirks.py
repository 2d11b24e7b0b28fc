"""Ways in which answers differ from the document, each seen in the field or left open by the document."""

from __future__ import annotations

from typing import Literal, Self

from attrs import frozen

__all__ = ["Quirks"]


@frozen(kw_only=True)
class Quirks:
    """Deviations of the emulated Mensatek; all are off by default.

    Attributes:
        bare_object: JSON answers are an object, not a list that holds one.
        keys_case: spelling of the field names.
        numbers_as_strings: ``"1"`` for ``1`` in JSON.
        spanish_decimals: credits as ``"12.345,67"``.
        res_as_resp: the result code is called ``Resp``.
        saldo_for_cred: the balance is called ``Saldo``.
        junk_around_json: text before and after the JSON.
        trailing_comma: ``{"Res":1,}``.
        wrong_content_type: everything comes as ``text/html``.
        latin1: JSON and TXT in Latin-1 with no charset declared.
        bom: a UTF-8 byte order mark first (not together with ``latin1``).
        txt_newline: the end of a line in TXT answers.
        msgid_only: no ``idMensaje``, only ``Msgid``.
        destinatarios_as_list: a send answers with a list of the recipients, as the document types the field.
        query_breaks_auth: a request with a query string is refused with -1.
        bare_auth_error: refused credentials answer ``-1`` as bare text in XML too.
        auth_status: HTTP status of refused credentials; 200 as the vendor does, or 401 or 403.
        zero_when_all_dropped: a send whose recipients are all dropped answers ``Res`` 0 with the counts. The
            document names no code for it; without this quirk it is -3 with an ``Error``.
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
        """Everything at once; what a client has to survive."""
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
