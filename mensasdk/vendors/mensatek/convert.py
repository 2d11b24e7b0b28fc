"""The converter that reads Mensatek's answers and callbacks, and readers for values of its own kinds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from mensasdk.codec import make_converter
from mensasdk.schedule import parse_wall_clock, reads_plain_times, zone
from mensasdk.vendors.mensatek.rules import ZONE

__all__ = ["CONVERTER", "count", "local_time"]

CONVERTER: Final = make_converter()


@reads_plain_times(lambda: zone(ZONE))
def local_time(value: Any) -> datetime | None:
    """Read a date of an answer: Spain's wall clock (an assumption, the document names no zone), or v5's 14 digits.

    What is in none of these forms is None and stays in ``raw``: some forms are assumptions too, and a whole report, or
    a callback that comes once, is worth more than its date.
    """
    try:
        return parse_wall_clock(str(value), zone(ZONE), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")
    except ValueError:
        return None


def count(value: Any) -> int | None:
    """``Destinatarios`` of an answer: the document calls it an array in one place and a number in another."""
    if value.__class__ is int:
        return value
    if isinstance(value, list | dict):
        return len(value)
    return None if value is None or str(value).strip() == "" else int(str(value))
