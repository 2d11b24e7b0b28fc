"""Convert the values in envia-sms.com's answers to Python values."""

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
    """Return the converter for answers whose times are in ``zone``."""

    def read_time(value: Any, _: Any = None) -> datetime | None:
        # A date that cannot be read must not turn an accepted message into UNKNOWN, and ``raw`` still holds it.
        try:
            return parse_wall_clock(str(value), zone)
        except ValueError:
            return None

    converter = make_converter()
    converter.register_structure_hook(datetime, read_time)
    return converter


def identifiers(value: Any) -> tuple[str, ...]:
    """Read the identifiers of ``identificador``.

    It is an object in the document's samples, and an array in its prose; a plain text is read as well.
    """
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    return tuple([name for item in value if (name := optional_identifier(item)) is not None])


def optional_identifier(value: Any) -> str | None:
    """Read one identifier as text: the first of several; None for an empty value, and for 0, which means none."""
    if isinstance(value, list | Mapping):
        return next(iter(identifiers(value)), None)
    return to_known_id(value)
