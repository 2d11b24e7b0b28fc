"""Write an answer as JSON, XML, TXT or in the deprecated format (ANT), with the quirks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from mensasdk.sandbox.mensatek.quirks import Quirks

__all__ = ["render", "wanted_format"]

_TYPES = {"JSON": "application/json", "XML": "text/xml", "TXT": "text/plain", "ANT": "text/plain"}
# Fields that are missing from a send's answer in the deprecated format.
_NEW_FIELDS = frozenset({"idMensaje", "Destinatarios", "Mensajes", "NoEnviados", "CreditosUsados"})
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def wanted_format(resp: Any) -> str:
    """Return the format that ``Resp`` asks for: JSON, XML or TXT; else ANT, the format of older versions."""
    name = resp.upper() if isinstance(resp, str) else ""
    return name if name in _TYPES else "ANT"


def render(fields: Mapping[str, Any], form: str, quirks: Quirks, *, sending: bool) -> tuple[bytes, str]:
    """Return the bytes and the content type of an answer.

    Args:
        fields: the data; credits are Decimals, all other values int, str, list or dict.
        form: the format, as `wanted_format` returns it.
        quirks: the deviations from the document.
        sending: whether the answer is that of EnviarSMS, which lacks some fields in the deprecated format.
    """
    bare = fields.get("Res") == -1 and (form == "ANT" or (form == "XML" and quirks.bare_auth_error))
    if form == "ANT" and sending:
        fields = {name: value for name, value in fields.items() if name not in _NEW_FIELDS}
    named = {_key(name, quirks): _value(value, quirks, form) for name, value in fields.items()}
    if bare:
        text = "-1"
    elif form == "JSON":
        text = _json(named, quirks)
    elif form == "XML":
        text = f'<?xml version="1.0"?>\n<result>\n{_xml(named)}</result>\n'
    else:
        text = _txt(named, quirks.txt_newline)
    charset = "; charset=utf-8"
    if quirks.latin1:
        body, charset = text.encode("latin-1", "replace"), ""
    else:
        body = text.encode("utf-8-sig" if quirks.bom else "utf-8")
    return body, ("text/html" if quirks.wrong_content_type else _TYPES[form]) + charset


def _key(name: str, quirks: Quirks) -> str:
    if quirks.res_as_resp and name == "Res":
        name = "Resp"
    if quirks.saldo_for_cred and name == "Cred":
        name = "Saldo"
    if quirks.keys_case == "upper":
        return name.upper()
    return name.lower() if quirks.keys_case == "lower" else name


def _value(value: Any, quirks: Quirks, form: str) -> Any:
    if isinstance(value, Decimal):
        if quirks.spanish_decimals:
            return f"{value:,.2f}".translate({ord(","): ".", ord("."): ","})
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, int | float):
        return str(value) if quirks.numbers_as_strings else value
    if isinstance(value, Mapping):
        # Only the templates are a mapping, and not every template's name is valid as the name of an XML element.
        if form == "JSON":
            return value
        value = [{"Nombre": name, "Contenido": text} for name, text in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [{_key(name, quirks): _value(cell, quirks, form) for name, cell in row.items()} for row in value]
    return value


def _json(named: Mapping[str, Any], quirks: Quirks) -> str:
    text = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    if quirks.trailing_comma and named:
        text = text[:-1] + ",}"
    if not quirks.bare_object:
        text = f"[{text}]"
    if quirks.junk_around_json:
        text = f"<br />\n<b>Notice</b>: función obsoleta on line 12<br />\n{text}\n<!-- 0.03 s -->\n"
    return text


def _xml(named: Mapping[str, Any]) -> str:
    lines = []
    for name, value in named.items():
        if isinstance(value, list):
            items = "".join(f"<item{n}>\n{_xml(row)}</item{n}>\n" for n, row in enumerate(value))
            lines.append(f"<{name}>\n{items}</{name}>\n")
        else:
            lines.append(f"<{name}>{_xml_text(str(value))}</{name}>\n")
    return "".join(lines)


def _xml_text(text: str) -> str:
    safe = escape(_NOT_XML.sub("?", text), quote=False)
    return safe if safe.isascii() else re.sub(r"[^\x00-\x7f]", lambda match: f"&#x{ord(match[0]):X};", safe)


def _txt(named: Mapping[str, Any], newline: str) -> str:
    lines: list[str] = []
    for name, value in named.items():
        if isinstance(value, list):
            lines += [f"{name}:", "["]
            for number, row in enumerate(value):
                lines += [f"{number}: [", *(f"{key}:{cell};" for key, cell in row.items()), "]"]
            lines.append("]")
        else:
            lines.append(f"{name}:{value};")
    return "".join(line + newline for line in lines)
