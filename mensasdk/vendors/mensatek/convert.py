"""Converter for Mensatek's answers and callbacks, and readers for the kinds of values that only Mensatek has."""

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
    """Read a date on Spain's clock: date and time, or the 14 digits of API 5.8; None for a date in any other form.

    The zone is an assumption, because the document names none. So are some of the forms: a date that cannot be read
    stays in ``raw``, since a whole report, or a callback that comes only once, is worth more than its date.
    """
    try:
        return parse_wall_clock(str(value), zone(ZONE), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")
    except ValueError:
        return None


def count(value: Any) -> int | None:
    """Read ``Destinatarios`` as a count: the document calls it an array in one place and a number in another."""
    if value.__class__ is int:
        return value
    if isinstance(value, list | dict):
        return len(value)
    return None if value is None or str(value).strip() == "" else int(str(value))
