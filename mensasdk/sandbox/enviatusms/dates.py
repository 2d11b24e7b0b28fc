"""Write dates in Caracas local time (UTC-4), ``YYYY-MM-DD HH:mm:ss``; requests have no dates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["CARACAS", "local"]

CARACAS = timezone(timedelta(hours=-4))


def local(moment: datetime) -> str:
    """Return a time as the vendor writes it: Caracas local time with seconds, without a zone."""
    return moment.astimezone(CARACAS).strftime("%Y-%m-%d %H:%M:%S")
