"""Apply the quirks to the data of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mensasdk.sandbox.smsgateway24.quirks import Quirks

__all__ = ["changed", "variant"]

_IDS = frozenset({
    "id", "sms_id", "deviceid", "device_id", "customerid", "paketid", "tag_id", "contact_id", "paket_id"
})  # fmt: skip
_VARIANTS = ("Ok", "ok", "", "Sms has been saved successfully", "OK")


def variant(number: int) -> str:
    """Return the ``message`` of a success for the quirk ``message_variants``, in turn.

    Args:
        number: count of successful answers before this one.
    """
    return _VARIANTS[number % len(_VARIANTS)]


def changed(fields: Mapping[str, Any], quirks: Quirks, message: str | None) -> Mapping[str, Any]:
    """Return the data of an answer, changed by the quirks that concern all functions.

    Args:
        fields: the data.
        quirks: the deviations from the documents.
        message: the new ``message`` of a success; None leaves the old one.
    """
    named = dict(fields)
    if not named.get("error"):
        if message is not None:
            named["message"] = message
        if quirks.missing_error:
            named.pop("error", None)
    if quirks.error_as_string and "error" in named:
        named["error"] = str(named["error"])
    for name in ("smss", "device"):
        if name in named:
            _container(named, name, quirks)
    return _strings(named) if quirks.ids_as_strings else named


def _container(named: dict[str, Any], name: str, quirks: Quirks) -> None:
    rows = named[name]
    if not rows:
        match quirks.empty:
            case "list":
                named[name] = []
            case "null":
                named[name] = None
            case "missing":
                del named[name]
    elif quirks.lists:
        named[name] = list(rows.values())


def _strings(value: Any, *, is_id: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _strings(cell, is_id=name in _IDS) for name, cell in value.items()}
    if isinstance(value, list):
        return [_strings(cell) for cell in value]
    return str(value) if is_id and isinstance(value, int) else value
