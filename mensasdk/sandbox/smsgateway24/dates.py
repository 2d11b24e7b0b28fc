"""Read dates in UTC, and write dates in the vendor's output zone, as text or as PHP date objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mensasdk.sandbox.smsgateway24.refusals import Refused

__all__ = ["human", "newsletter_moment", "php_date", "plain", "utc_moment", "zone_of"]

_FORMS = (
    (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), "%Y-%m-%d"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII), "%Y-%m-%d %H:%M"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII), "%Y-%m-%d %H:%M:%S"),
)
_NEWSLETTER = ((re.compile(r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", re.ASCII), "%d.%m.%Y %H:%M:%S"),)
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
# Dates outside these years could leave the range of `datetime` when their zone is changed.
_YEARS = range(1970, 2200)


def utc_moment(text: str, name: str) -> datetime:
    """Read ``YYYY-MM-DD``, ``YYYY-MM-DD HH:MM`` or ``YYYY-MM-DD HH:MM:SS`` as UTC; ``name`` is the parameter.

    Raises:
        Refused: the text has another format or is not a date.
    """
    return _moment(text, name, _FORMS)


def newsletter_moment(text: str, name: str) -> datetime:
    """Read ``DD.MM.YYYY HH:MM:SS`` as UTC; ``name`` is the parameter.

    Raises:
        Refused: the text has another format or is not a date.
    """
    return _moment(text, name, _NEWSLETTER)


def _moment(text: str, name: str, forms: tuple[tuple[re.Pattern[str], str], ...]) -> datetime:
    text = text.strip()
    for pattern, form in forms:
        if pattern.fullmatch(text):
            try:
                moment = datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                break
            if moment.year in _YEARS:
                return moment
    raise Refused(f"{name} is incorrect")


def zone_of(name: str) -> ZoneInfo:
    """Return the IANA time zone of a name.

    Raises:
        Refused: there is no such zone.
    """
    if _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            pass
    raise Refused("timezone is incorrect")


def php_date(moment: datetime, zone: ZoneInfo, kind: int) -> Mapping[str, Any]:
    """Return a time as a PHP DateTime object in JSON; ``kind`` is 1 (offset), 2 (abbreviation) or 3 (name of zone)."""
    there = moment.astimezone(zone)
    names = {1: there.isoformat()[-6:], 2: there.tzname(), 3: zone.key}
    return {"date": there.strftime("%Y-%m-%d %H:%M:%S.%f"), "timezone_type": kind, "timezone": names[kind]}


def plain(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time as ``YYYY-MM-DD HH:MM:SS`` in a zone, without naming the zone."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def human(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time as ``DD.MM.YYYY HH:MM:SS`` in a zone, without naming the zone."""
    return moment.astimezone(zone).strftime("%d.%m.%Y %H:%M:%S")
