"""Ways to change a right answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .calls import FaultCall

__all__ = [
    "as_texts",
    "contradicted",
    "dumped",
    "other_nesting",
    "repeated",
    "with_nan",
    "with_spoiled_id",
    "without_id",
]


def dumped(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def as_texts(tree: Any) -> Any:
    """Make every number a text; flags stay."""
    if isinstance(tree, dict):
        return {key: as_texts(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [as_texts(value) for value in tree]
    return tree if isinstance(tree, bool) or not isinstance(tree, int | float) else str(tree)


def other_nesting(_: FaultCall, tree: Any) -> bytes:
    """Put an object where a list of one was, or the other way round."""
    return dumped(tree[0] if isinstance(tree, list) else [tree])


def _only(tree: Any) -> dict[str, Any]:
    found = tree[0] if isinstance(tree, list) else tree
    assert isinstance(found, dict)
    return found


_ID_FIELDS = {"idmensaje", "msgid", "identificador", "id", "sms_id"}


def without_id(_: FaultCall, tree: Any) -> bytes:
    fields = {key: value for key, value in _only(tree).items() if key.lower() not in _ID_FIELDS}
    if isinstance(fields.get("response"), dict):
        fields["response"] = {key: value for key, value in fields["response"].items() if key not in _ID_FIELDS}
    return dumped(fields)


def contradicted(call: FaultCall, tree: Any) -> bytes:
    """Say success and failure in one answer."""
    said: Mapping[str, Mapping[str, object]] = {
        "mensatek": {"Resp": -2},
        "envia_sms": {"error": True},
        "enviatusms": {"status": "error"},
        "smsgateway24": {"error": 1},
    }
    return dumped({**_only(tree), **said[call.vendor]})


def with_nan(_: FaultCall, tree: Any) -> bytes:
    """NaN and Infinity where nothing is decided by them."""
    return dumped({**_only(tree), "Factor": float("nan"), "Otro": [float("-inf")]})


def repeated(*, value: object = None, size: int = 0) -> Callable[[FaultCall, Any], bytes]:
    """Return an edit that says success twice: with ``value`` the first time, or with the same where it is None."""

    def edit(_: FaultCall, tree: Any) -> bytes:
        fields = _only(tree)
        name = next((key for key in fields if key.lower() in _VERDICTS), next(iter(fields)))
        first = fields[name] if value is None else value
        filler = f',"Relleno":"{"x" * size}"' if size else ""
        return (
            f"{{{dumped(name).decode()}:{dumped(first).decode()},".encode()
            + dumped(fields)[1:-1]
            + f"{filler}}}".encode()
        )

    return edit


_VERDICTS = {"res", "resp", "error", "status", "success", "precio_usd"}


def with_spoiled_id(_: FaultCall, tree: Any) -> bytes:
    """Put a byte that is not UTF-8 into the middle of each id."""

    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: mark(one) if key.lower() in _ID_FIELDS else spoilt(one) for key, one in value.items()}
        return [spoilt(one) for one in value] if isinstance(value, list) else value

    def mark(value: Any) -> Any:
        if isinstance(value, list):
            return [mark(one) for one in value]
        text = str(value)
        return f"{text[:1]}\N{LATIN SMALL LETTER O WITH ACUTE}{text[1:]}"

    return json.dumps(spoilt(tree), ensure_ascii=False).encode("latin-1")
