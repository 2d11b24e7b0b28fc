"""Reading a request as PHP does: query and form fields, names in their exact case, JSON where the function says so."""

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
    """Fill in ``params`` and ``secrets`` from the query and the form; a field of the form wins."""
    values: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True, errors="replace"))
    if request.body:
        try:
            values.update(_form(request))
        except ValueError:
            request.malformed = "The form is incomplete"
    _keep(request, values)


def read_json(request: Incoming, text: str | bytes, name: str = "") -> None:
    """Take a JSON object into ``params``, under a name or as the parameters themselves, without its credentials."""
    try:
        data = orjson.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        request.malformed = f"{name or 'The body'} is not a JSON object"
        # It may hold a token that cannot be found.
        request.params = {key: value for key, value in request.params.items() if key != name}
        return
    secrets = _take_secrets(data)
    request.params = {**request.params, name: data} if name else {**request.params, **data}
    # The token stands inside the JSON; one beside it does not count.
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
        # PHP fills in no form fields from anything else.
        return {}
    fields = form_data(request.body, str(header.get_boundary() or ""))
    return {name: value if isinstance(value, FilePart) else _utf8(value) for name, value in fields.items()}


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Params:
    """Parameters by name; the accessors refuse what they cannot use. Null and blank mean not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def raw(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        """A string; a whole number is taken as its digits."""
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
        """A whole number, or its digits."""
        text = self.text(name, required=required)
        if not text:
            return None
        if not _WHOLE.fullmatch(text):
            raise Refused(f"{name} is incorrect")
        return int(text)

    def flag(self, name: str) -> bool:
        """0 or 1; not given means 0."""
        value = self._values.get(name)
        if isinstance(value, bool):
            return value
        number = self.integer(name)
        if number not in (None, 0, 1):
            raise Refused(f"{name} is incorrect: 0 or 1")
        return number == 1
