"""Reading a request: the key from the query, parameters from the query or, whatever its header says, a JSON body."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson

from mensasdk.sandbox.enviatusms.refusals import BAD_BODY, BAD_FLAG, Refused
from mensasdk.sandbox.vendor import Incoming

__all__ = ["decode", "flag"]

_KEY = "api_key"
_HIDDEN = "***"


def decode(request: Incoming, key: str, *, has_body: bool) -> None:
    """Fill in ``params`` and ``secrets``.

    Args:
        key: the true key; wherever else it stands, it is made illegible.
        has_body: the function takes its parameters from a JSON body.
    """
    query = request.query
    if not query.isascii():
        # Bytes that nobody escaped come as lone surrogates.
        query = query.encode(errors="surrogatepass").decode(errors="replace")
    given = dict(parse_qsl(query, keep_blank_values=True, errors="replace"))
    # A key in the body does not count; the document wants it in the address of POSTs, too.
    if _KEY in given:
        request.secrets = {_KEY: given[_KEY]}
    params: dict[str, Any] = _clean(given, key)
    if has_body:
        try:
            params.update(_object(request.body, key))
        except (ValueError, RecursionError):
            request.malformed = BAD_BODY
    request.params = params


def flag(value: Any) -> bool:
    """A boolean; also as PHP takes it."""
    if value in (True, 1, "1", "true"):
        return True
    if value in (None, False, 0, "", "0", "false"):
        return False
    raise Refused(BAD_FLAG)


def _object(body: bytes, key: str) -> dict[str, Any]:
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return _clean(value, key) if _may_hold(body, key) else value


def _may_hold(body: bytes, key: str) -> bool:
    """Whether it is worth looking for secrets in all of a body; an escape may hide any letter of them."""
    return key.encode() in body or b"\\u" in body or b"api_key" in body.lower()


def _clean(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {_hide(name, key): _hide(cell, key) for name, cell in value.items() if name.lower() != _KEY}


def _hide(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return value.replace(key, _HIDDEN) if key in value else value
    if isinstance(value, list):
        return [_hide(cell, key) for cell in value]
    if isinstance(value, dict):
        return _clean(value, key)
    return value
