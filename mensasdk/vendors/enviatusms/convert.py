"""Converter for EnvíaTuSMS's answers, and readers for the kinds of values that only EnvíaTuSMS has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from mensasdk.codec import make_converter, to_str
from mensasdk.schedule import parse_wall_clock, reads_plain_times, zone
from mensasdk.vendors.enviatusms.rules import ZONE, canonical

__all__ = ["CONVERTER", "e164", "ignored", "local_time", "locations", "per_operator", "texts"]

CONVERTER: Final = make_converter()


def _items(value: Any) -> list[Any]:
    """Read a list. PHP writes a list with gaps as an object, and an empty one as null, false or an empty text."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [value] if value else []


def per_operator(value: Any) -> dict[str, int]:
    """Read ``sms``: an object, or a list of objects, because the document calls it an array."""
    if not isinstance(value, Mapping):
        value = {name: count for item in _items(value) for name, count in item.items()}
    return CONVERTER.structure(value, dict[str, int])


def ignored(value: Any) -> tuple[str, ...]:
    """Read ``ignored``: numbers in a list, or in one text with commas or semicolons between them."""
    if isinstance(value, str):
        value = [one.strip() for one in re.split("[,;]", value)] if value.strip() else []
    # An empty entry is kept: it stands for a number that was ignored.
    return tuple("" if one is None else to_str(one) for one in _items(value))


@reads_plain_times(lambda: zone(ZONE))
def local_time(value: Any) -> datetime | None:
    """Read ``YYYY-MM-DD H:m:s`` on Venezuela's clock; an assumption, the document names no zone."""
    return parse_wall_clock(str(value), zone(ZONE))


def texts(value: Any) -> tuple[str, ...]:
    """Read ``message_text``: one text or several."""
    return tuple(to_str(one) for one in _items(value))


def e164(value: Any) -> str:
    """Return a number in E.164; as the vendor wrote it where it is no phone number."""
    text = to_str(value)
    return canonical(text) or text


def locations(value: Any) -> Any:
    """Return ``location_unique_clicks`` as received; an empty mapping for every empty value, such as null or ``[]``."""
    return value or {}
