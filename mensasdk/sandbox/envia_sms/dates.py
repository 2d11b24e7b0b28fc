"""Read and write dates as ``YYYY-MM-DD HH:mm:ss`` in UTC-5."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

__all__ = ["local", "moment_of"]

# The document says "GMT - 5h", and calls it central Mexico, which has been UTC-6 all year since October 2022.
_ZONE = timezone(timedelta(hours=-5))
_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """Return the time (aware) that a text names, or None if the text is not a date."""
    if not _FORM.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_ZONE)
    except ValueError:
        return None


def local(moment: datetime) -> str:
    """Return a time as the vendor writes it: in UTC-5 with seconds, without a zone."""
    return moment.astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")
