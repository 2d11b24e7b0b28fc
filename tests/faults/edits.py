"""Ways to change a right answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .calls import FaultCall

__all__ = ["as_texts", "contradicted", "dumped", "other_nesting", "without_id"]


def dumped(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def as_texts(tree: Any) -> Any:
    """Every number as a text; flags stay."""
    if isinstance(tree, dict):
        return {key: as_texts(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [as_texts(value) for value in tree]
    return tree if isinstance(tree, bool) or not isinstance(tree, int | float) else str(tree)


def other_nesting(_: FaultCall, tree: Any) -> bytes:
    """An object where a list of one was, or the other way round."""
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
    """Success and failure in one answer."""
    said: Mapping[str, Mapping[str, object]] = {
        "mensatek": {"Resp": -2},
        "envia_sms": {"error": True},
        "enviatusms": {"status": "error"},
        "smsgateway24": {"error": 1},
    }
    return dumped({**_only(tree), **said[call.vendor]})
