"""The converter that reads envia-sms.com's answers, and readers for values of its own kinds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from cattrs import Converter

from mensasdk.codec import make_converter, to_known_id
from mensasdk.schedule import parse_wall_clock

__all__ = ["converter_for", "identifiers", "optional_identifier"]


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


def identifiers(value: Any) -> tuple[str, ...]:
    """``identificador``: an object in the samples, an array in the prose; a list and a plain text are read as well."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    return tuple([name for item in value if (name := optional_identifier(item)) is not None])


def optional_identifier(value: Any) -> str | None:
    """One identifier as text, the first where there are several; None for nothing and the 0 that stands for it."""
    if isinstance(value, list | Mapping):
        return next(iter(identifiers(value)), None)
    return to_known_id(value)
