"""Dates: Spanish wall clock, ``YYYY-MM-DD HH:mm`` as they come in, with seconds as they go out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

__all__ = ["local", "moment_of"]

_MADRID = ZoneInfo("Europe/Madrid")
_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """The moment (aware), or None when the text is not a date or names an hour that the clock change skips."""
    if not _FORM.fullmatch(text):
        return None
    try:
        # An hour that comes twice means its first time.
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=_MADRID)
    except ValueError:
        return None
    there_and_back = moment.astimezone(UTC).astimezone(_MADRID)
    return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None


def local(moment: datetime) -> str:
    """A moment as Mensatek writes it: Spanish wall clock, seconds, no zone."""
    return moment.astimezone(_MADRID).strftime("%Y-%m-%d %H:%M:%S")
