"""Dates as the API takes them: ``YYYY-MM-DD HH:mm``, Spanish wall clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mensasdk.sandbox.mensatek.message import MADRID

__all__ = ["moment_of"]

_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """The moment (aware), or None when the text is not a date or names an hour that the clock change skips."""
    if not _FORM.fullmatch(text):
        return None
    try:
        # An hour that comes twice means its first time.
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=MADRID)
    except ValueError:
        return None
    there_and_back = moment.astimezone(UTC).astimezone(MADRID)
    return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None
