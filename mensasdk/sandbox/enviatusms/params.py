"""Read a request: the key from the query, and parameters from the query or a JSON body with any content type."""

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
    """Fill in ``params``, ``secrets`` and ``malformed`` of a request.

    Args:
        request: the request to fill in.
        key: the account's true key; it is masked wherever it occurs in ``params``.
        has_body: whether the function takes its parameters from a JSON body.
    """
    query = request.query
    if not query.isascii():
        # Bytes beyond ASCII that the client did not escape come as lone surrogates.
        query = query.encode(errors="surrogatepass").decode(errors="replace")
    given = dict(parse_qsl(query, keep_blank_values=True, errors="replace"))
    # A key in the body does not count: the document wants the key in the URL of POST requests, too.
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
    """Read a boolean, also in the spellings that PHP accepts.

    Raises:
        Refused: the value is something else.
    """
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
    """Return whether a body may contain the key: in clear, behind JSON escapes, or in a field ``api_key``."""
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
