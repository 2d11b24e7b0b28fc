"""The converter that reads envia-sms.com's answers."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from cattrs import Converter

from mensasdk.codec import make_converter
from mensasdk.schedule import parse_wall_clock

__all__ = ["converter_for"]


@lru_cache(maxsize=16)
def converter_for(zone: tzinfo) -> Converter:
    """The converter for answers whose times are on the clock of ``zone``."""

    def read_time(value: Any, _: Any = None) -> datetime | None:
        # No time decides about anything here: an accepted message must not become UNKNOWN for a strange date, which
        # ``raw`` still holds.
        try:
            return parse_wall_clock(str(value), zone)
        except ValueError:
            return None

    converter = make_converter()
    converter.register_structure_hook(datetime, read_time)
    return converter
