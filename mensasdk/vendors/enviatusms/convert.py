"""The converter that reads EnvíaTuSMS's answers, and readers for values of its own kinds."""

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
    """A list; PHP writes one with gaps as an object, and an empty or absent one as null, false or an empty text."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [value] if value else []


def per_operator(value: Any) -> dict[str, int]:
    """``sms``: an object, which the document calls an array; so a list of such objects is read as well."""
    if not isinstance(value, Mapping):
        value = {name: count for item in _items(value) for name, count in item.items()}
    return CONVERTER.structure(value, dict[str, int])


def ignored(value: Any) -> tuple[str, ...]:
    """``ignored``: numbers in a list, or in one text with commas or semicolons between them."""
    if isinstance(value, str):
        value = [one.strip() for one in re.split("[,;]", value)] if value.strip() else []
    # An entry that names nobody is kept: it stands for somebody.
    return tuple("" if one is None else to_str(one) for one in _items(value))


@reads_plain_times(lambda: zone(ZONE))
def local_time(value: Any) -> datetime | None:
    """``YYYY-MM-DD H:m:s`` on Venezuela's clock; an assumption, the document names no zone."""
    return parse_wall_clock(str(value), zone(ZONE))


def texts(value: Any) -> tuple[str, ...]:
    """``message_text``: one text or several."""
    return tuple(to_str(one) for one in _items(value))


def e164(value: Any) -> str:
    """A number in E.164 where it is one that the vendor serves, else as the vendor wrote it."""
    text = to_str(value)
    return canonical(text) or text


def locations(value: Any) -> Any:
    """``location_unique_clicks`` as received; an empty mapping for whatever stands for nothing."""
    return value or {}
