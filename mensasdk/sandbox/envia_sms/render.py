"""Write an answer as JSON, with the envelope of its function and the quirks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from attrs import frozen

from mensasdk.sandbox.envia_sms.quirks import DOCUMENTED, Quirks
from mensasdk.sandbox.envia_sms.refusals import printed

__all__ = ["ENVELOPES", "Envelope", "number_text", "render"]


@frozen
class Envelope:
    """Envelope of an answer: how its code and message are written.

    Attributes:
        code: name of the field with the code.
        message: name of the field with the message.
        no_code: value of the code on success.
        no_message: value of the message on success.
    """

    code: str
    message: str
    no_code: int | str
    no_message: str | None


_GENERAL = Envelope("code_error", "error_message", 0, None)
_SENDING = Envelope("codigo_error", "mensaje_error", "", "")
_SCHEDULED = Envelope("error_code", "error_message", "0", "")
ENVELOPES: Mapping[str, Envelope] = {
    "send": _SENDING,
    "send_cancel": _SCHEDULED,
    "status_message": _SCHEDULED,
    "paises": _SENDING,
    "creditos_disponibles": _GENERAL,
}
_SPELLINGS = (_GENERAL, _SENDING, _SCHEDULED)
_BY_NAME = {envelope.code: envelope for envelope in _SPELLINGS}
_DATE = re.compile(rb'("fecha_programada":)"([^"]+)"')


def render(function: str, code: int, fields: Mapping[str, Any], quirks: Quirks, turn: int) -> tuple[bytes, str]:
    """Return the bytes and the content type of an answer.

    Args:
        function: the vendor's function.
        code: the result code.
        fields: the data without quirks, in the function's own envelope.
        quirks: the deviations from the document.
        turn: count of answers before this one, which chooses the envelope if it rotates.
    """
    # Checked by identity, because comparing all quirks takes longer than the rest of this function.
    if quirks is not DOCUMENTED:
        fields = _changed(function, code, fields, quirks, turn)
    # PHP writes \/ for a slash. In this JSON, slashes are inside strings only.
    body = orjson.dumps(fields)
    if not quirks.plain_slashes:
        body = body.replace(b"/", b"\\/")
    if quirks.unicode_escapes:
        body = _escaped(body.decode()).encode()
    if quirks.bare_date:
        body = _DATE.sub(rb"\1\2", body)
    if quirks.brackets and function == "send":
        body = b"[" + body[1:-1] + b"]"
    if quirks.missing_brace:
        body = body[:-1]
    if quirks.bom:
        body = b"\xef\xbb\xbf" + body
    return body, "text/html; charset=utf-8" if quirks.wrong_content_type else "application/json"


def number_text(value: Decimal) -> str:
    """Return credits as the vendor writes them: without trailing zeros or an exponent."""
    return f"{value.normalize():f}"


def _changed(function: str, code: int, fields: Mapping[str, Any], quirks: Quirks, turn: int) -> Mapping[str, Any]:
    own = ENVELOPES[function]
    other = _SPELLINGS[turn % 3] if quirks.envelope == "rotating" else _BY_NAME.get(quirks.envelope, own)
    always = quirks.error_true == "always" or (quirks.error_true == "paises" and function == "paises")
    message = fields[own.message] if code else other.no_message
    if not code and quirks.codes in ("empty", "null"):
        message = "" if quirks.codes == "empty" else None
    changed: dict[str, Any] = {
        "error": always or fields["error"],
        other.code: _code(code, other, quirks),
        other.message: message,
    }
    # Fields that a fault has added stay.
    changed |= {key: value for key, value in fields.items() if key not in ("error", own.code, own.message)}
    if code:
        if quirks.error_response == "missing":
            changed.pop("response", None)
        else:
            changed["response"] = {"null": None, "list": [], "object": {}}[quirks.error_response]
    else:
        changed["response"] = _response(function, fields["response"], quirks)
    return changed


def _code(code: int, envelope: Envelope, quirks: Quirks) -> Any:
    match quirks.codes:
        case "int":
            return code
        case "string":
            return str(code)
        case "padded":
            return f"{code:02}"
    if code:
        return code if envelope is _GENERAL else printed(code)
    return {"empty": "", "null": None}.get(quirks.codes, envelope.no_code)


def _response(function: str, response: Any, quirks: Quirks) -> Any:
    match function:
        case "send" if response is not None:
            ids = response["identificador"]
            if ids and quirks.identificador != "object":
                ids = [*ids.values()] if quirks.identificador == "list" else ids["0"]
            date = response["fecha_programada"]
            if date is None and quirks.no_date == "empty":
                date = ""
            return {**response, "fecha_programada": date, "identificador": ids}
        case "status_message" if quirks.description_as_string:
            return {**response, "description": "".join(response["description"])}
        case "creditos_disponibles" if quirks.credits_as_number:
            return {name: _number(value) for name, value in response.items()}
        case "paises" if quirks.credits_as_number:
            return [
                {name: _number(value) if name.startswith("precio_") else value for name, value in row.items()}
                for row in response
            ]
    return response


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _escaped(text: str) -> str:
    if text.isascii():
        return text
    return re.sub(r"[^\x00-\x7f]", lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
