"""Read the parameters of a request: JSON, urlencoded or multipart, with names in any case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import orjson

from mensasdk.sandbox.mensatek.refusals import Refused
from mensasdk.sandbox.multipart import form_data
from mensasdk.sandbox.vendor import Incoming

__all__ = ["Params", "decode"]


def decode(request: Incoming) -> None:
    """Fill in ``params`` and ``malformed`` of a request; the body wins over the query string."""
    params: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape"))
    try:
        params.update(_body(request))
    except ValueError as error:
        request.malformed = str(error) or "petición ilegible"
    # In forms, and in the vendor's own JSON samples too, an array is JSON text.
    for name, value in params.items():
        if name.lower() == "destinatarios" and isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            try:
                params[name] = orjson.loads(value.encode("utf-8", "surrogateescape"))
            except ValueError:
                request.malformed = "Destinatarios no es JSON válido"
    request.params = params


def _body(request: Incoming) -> Mapping[str, Any]:
    body = request.body
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    kind = header.get_content_type() if request.headers.get("content-type") else ""
    if kind == "multipart/form-data":
        return form_data(body, str(header.get_boundary() or ""))
    if kind == "application/json" or (kind != "application/x-www-form-urlencoded" and body.lstrip()[:1] == b"{"):
        if not body.strip():
            return {}
        data = orjson.loads(body)
        if not isinstance(data, dict):
            raise ValueError("el cuerpo JSON no es un objeto")
        return data
    # Bytes that are not UTF-8 become surrogates, which `Params.text` replaces or repairs.
    text = body.decode("utf-8", "surrogateescape")
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))


class Params:
    """Parameters of a request by name, in any case; the methods refuse an unusable value with -3."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def raw(self, name: str) -> Any:
        """Return a parameter as it came, or None."""
        return self._values.get(name.lower())

    def text(self, name: str, *, required: bool = False, fix: bool = False) -> str:
        """Return a parameter as a string; a JSON integer gives its digits, a missing parameter an empty string.

        Args:
            name: the parameter.
            required: whether to refuse a missing parameter.
            fix: whether to repair text in a wrong encoding.

        Raises:
            Refused: -3.
        """
        value = self.raw(name)
        if value is None:
            if required:
                raise Refused(-3, Error=f"Falta parámetro obligatorio: {name}")
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise Refused(-3, Error=f"Valor incorrecto en {name}")
        return _fixed(str(value)) if fix else _shown(str(value))

    def integer(self, name: str, *, required: bool = False) -> int | None:
        """Return a parameter that is an integer or its digits; None if it is blank or missing.

        Raises:
            Refused: -3.
        """
        value = self.raw(name)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\s*", value):
            value = int(value)
        if value is None or value == "":
            if required:
                raise Refused(-3, Error=f"Falta parámetro obligatorio: {name}")
            return None
        if isinstance(value, int) and value >= 0:
            return int(value)
        raise Refused(-3, Error=f"Valor incorrecto en {name}")

    def flag(self, name: str) -> bool:
        """Return a parameter that is 0 or 1 as a boolean; a missing one is False.

        Raises:
            Refused: -3.
        """
        value = self.integer(name)
        if value not in (None, 0, 1):
            raise Refused(-3, Error=f"Valor incorrecto en {name}: debe ser 0 o 1")
        return value == 1


def _shown(text: str) -> str:
    """Replace bytes that were not UTF-8 by the replacement character, as a handset shows them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _fixed(text: str) -> str:
    """Repair a wrong encoding: Latin-1 bytes declared as UTF-8, or UTF-8 read as Latin-1 and encoded again."""
    if text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text
