"""Read and write dates in Spanish local time: ``YYYY-MM-DD HH:mm`` in requests, with seconds in answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

__all__ = ["local", "moment_of"]

_MADRID = ZoneInfo("Europe/Madrid")
_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """Return the time (aware) that a text names; None for no date, or for an hour that the clock change skips."""
    if not _FORM.fullmatch(text):
        return None
    try:
        # In autumn one hour comes twice; the first of the two is meant.
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=_MADRID)
    except ValueError:
        return None
    there_and_back = moment.astimezone(UTC).astimezone(_MADRID)
    return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None


def local(moment: datetime) -> str:
    """Return a time as Mensatek writes it: Spanish local time with seconds, without a zone."""
    return moment.astimezone(_MADRID).strftime("%Y-%m-%d %H:%M:%S")
