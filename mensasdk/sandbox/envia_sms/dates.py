"""Dates: ``YYYY-MM-DD HH:mm:ss``, UTC-5 wall clock, as they come in and as they go out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

__all__ = ["local", "moment_of"]

# The document's "GMT - 5h". It calls that central Mexico, which has been UTC-6 all year since October 2022.
_ZONE = timezone(timedelta(hours=-5))
_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """The moment (aware), or None when the text is not a date."""
    if not _FORM.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_ZONE)
    except ValueError:
        return None


def local(moment: datetime) -> str:
    """A moment as the vendor writes it: UTC-5 wall clock, seconds, no zone."""
    return moment.astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")
