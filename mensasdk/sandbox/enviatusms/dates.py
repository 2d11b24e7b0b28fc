"""Dates: ``YYYY-MM-DD HH:mm:ss``, wall clock of Caracas, as they go out; none comes in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["CARACAS", "local"]

CARACAS = timezone(timedelta(hours=-4))


def local(moment: datetime) -> str:
    """A moment as the vendor writes it: wall clock of Caracas, seconds, no zone."""
    return moment.astimezone(CARACAS).strftime("%Y-%m-%d %H:%M:%S")
