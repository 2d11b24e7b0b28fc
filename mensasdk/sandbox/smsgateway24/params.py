"""Read the parameters of a request as PHP does: query, form fields and JSON, with case-sensitive names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import orjson

from mensasdk.sandbox.multipart import form_data
from mensasdk.sandbox.smsgateway24.refusals import Refused
from mensasdk.sandbox.vendor import FilePart, Incoming

__all__ = ["Params", "decode", "read_json"]

_SECRETS = frozenset({"token", "pass", "password"})
_WHOLE = re.compile(r"\s*\d{1,18}\s*", re.ASCII)


def decode(request: Incoming) -> None:
    """Fill in ``params``, ``secrets`` and ``malformed`` from the query and the form; a field of the form wins."""
    values: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True, errors="replace"))
    if request.body:
        try:
            values.update(_form(request))
        except ValueError:
            request.malformed = "The form is incomplete"
    _keep(request, values)


def read_json(request: Incoming, text: str | bytes, name: str = "") -> None:
    """Read a JSON object into ``params``, and the credentials in it into ``secrets``.

    Args:
        request: the request to fill in.
        text: the JSON.
        name: the parameter that gets the object; if empty, the members of the object become parameters themselves.
    """
    try:
        data = orjson.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        request.malformed = f"{name or 'The body'} is not a JSON object"
        # The unreadable text may hold a token, so the ledger must not see it.
        request.params = {key: value for key, value in request.params.items() if key != name}
        return
    secrets = _take_secrets(data)
    request.params = {**request.params, name: data} if name else {**request.params, **data}
    # Only the token inside the JSON counts.
    request.secrets = secrets


def _keep(request: Incoming, values: dict[str, Any]) -> None:
    request.secrets = _take_secrets(values)
    request.params = values


def _take_secrets(values: dict[str, Any]) -> dict[str, str]:
    found = {name: values.pop(name) for name in list(values) if name.lower() in _SECRETS}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _form(request: Incoming) -> Mapping[str, Any]:
    given = request.headers.get("content-type", "")
    if given.lower().startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"))
    header = Message()
    header["content-type"] = given
    if header.get_content_type() != "multipart/form-data":
        # PHP reads form fields from no other content type.
        return {}
    fields = form_data(request.body, str(header.get_boundary() or ""))
    return {name: value if isinstance(value, FilePart) else _utf8(value) for name, value in fields.items()}


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Params:
    """Parameters of a request by name; null and an empty string count as missing, and unusable values are refused."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def raw(self, name: str) -> Any:
        """Return a parameter as it came, or None."""
        return self._values.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a parameter as a string; an integer gives its digits, a missing parameter an empty string.

        Raises:
            Refused: the value is of another type, or is required and missing.
        """
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            if required:
                raise Refused(f"{name} is required")
            return ""
        if not isinstance(value, str):
            raise Refused(f"{name} is incorrect")
        return value

    def integer(self, name: str, *, required: bool = False) -> int | None:
        """Return a parameter that is an integer or its digits, or None if it is missing.

        Raises:
            Refused: the value is not an integer, or is required and missing.
        """
        text = self.text(name, required=required)
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise Refused(f"{name} is incorrect")
        return int(text)

    def flag(self, name: str) -> bool:
        """Return a parameter that is a boolean, 0 or 1 as a boolean; a missing one is False.

        Raises:
            Refused: the value is something else.
        """
        value = self._values.get(name)
        if isinstance(value, bool):
            return value
        number = self.integer(name)
        if number not in (None, 0, 1):
            raise Refused(f"{name} is incorrect: 0 or 1")
        return number == 1
