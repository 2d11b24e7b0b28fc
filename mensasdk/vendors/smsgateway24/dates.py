"""Write SmsGateWay24's times in UTC, and read PHP's date objects in the zone that the server chose.

Sources: the vendor's samples for both. The document does not say that ``timetosend`` is UTC; it follows from answers
that the vendor captured: a message scheduled for 12:00 is listed with 14:00 +02:00.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Final

from mensasdk import schedule
from mensasdk.arguments import not_this
from mensasdk.errors import ScheduleError, ValidationError
from mensasdk.vendors.smsgateway24.rules import VENDOR

__all__ = ["any_time", "newsletter_time", "php_date", "range_end", "schedule_time"]

_DATE: Final = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_OFFSET: Final = re.compile(r"([+-])([0-9]{1,2}):?([0-9]{2})(?::([0-9]{2}))?").fullmatch
# Abbreviations by hours east of UTC. Where several zones share an abbreviation, PHP's choice counts.
_BY_HOURS: Final[Mapping[float, str]] = {
    0: "UTC GMT Z WET",
    1: "CET MET WEST BST",
    2: "CEST MEST EET SAST",
    3: "EEST MSK TRT",
    5: "PKT",
    7: "WIB",
    8: "HKT SGT AWST",
    9: "JST KST",
    9.5: "ACST",
    10: "AEST",
    10.5: "ACDT",
    11: "AEDT",
    12: "NZST",
    13: "NZDT",
    -2.5: "NDT",
    -3: "ADT",
    -3.5: "NST",
    -4: "AST EDT",
    -5: "EST CDT",
    -6: "CST MDT",
    -7: "MST PDT",
    -8: "PST AKDT",
    -9: "AKST",
    -10: "HST",
}
_ABBREVIATIONS: Final = {name: hours for hours, names in _BY_HOURS.items() for name in names.split()}
# Unix time in seconds reaches this in the year 5138; in milliseconds it was reached in 1973.
_MILLISECONDS_FROM: Final = 10**11


# ------------------------------------------------------------------------------------------------- times in requests


def _utc(moment: datetime, field: str) -> datetime:
    return schedule.to_wall_clock(moment, UTC, field=field, precision="seconds")


def schedule_time(moment: datetime, *, field: str = "schedule_at") -> str:
    """Return ``timetosend``: ``YYYY-MM-DD HH:MM:SS`` in UTC; fractions of a second are rounded up.

    Raises:
        ScheduleError: the time is naive, or not in the future.
    """
    return f"{_utc(moment, field):%Y-%m-%d %H:%M:%S}"


def newsletter_time(moment: datetime, *, field: str = "schedule_at") -> str:
    """Return ``time_to_send`` of a newsletter: ``DD.MM.YYYY H:i:s`` (PHP), in UTC, which is an assumption.

    Raises:
        ScheduleError: the time is naive, or not in the future.
    """
    return f"{_utc(moment, field):%d.%m.%Y %H:%M:%S}"


def range_end(moment: datetime, zone: tzinfo, *, field: str, up: bool) -> str:
    """Return ``begindate`` or ``enddate``: ``YYYY-MM-DD HH:MM:SS`` in ``zone``.

    Args:
        moment: an aware datetime, past or future.
        zone: the zone that the same request has as ``timezone``.
        field: the public name of the parameter, for the error.
        up: round fractions of a second up, for the end of a range; False cuts them off, for its beginning.

    Raises:
        ScheduleError: the time is naive, or out of the calendar's range.
    """
    given: object = moment
    if not isinstance(given, datetime):
        raise ScheduleError(not_this(field, "an aware datetime", given), field=field, vendor=VENDOR)
    if moment.utcoffset() is None:
        raise ScheduleError(
            f"{field} is a naive datetime; give it a zone, as in datetime(2030, 1, 31, 9, 0, tzinfo=UTC)",
            field=field,
            vendor=VENDOR,
        )
    try:
        if up and moment.microsecond:
            moment += timedelta(seconds=1)
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except OverflowError:
        pass
    raise ScheduleError(f"{field} is out of the calendar's range; give a nearer time", field=field, vendor=VENDOR)


# -------------------------------------------------------------------------------------------------- times in answers


def _offset(name: str) -> tzinfo | None:
    match = _OFFSET(name)
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return timezone(-size if match[1] == "-" else size) if size < timedelta(days=1) else None


def _abbreviation(name: str) -> tzinfo | None:
    hours = _ABBREVIATIONS.get(name.upper())
    return None if hours is None else timezone(timedelta(hours=hours), name)


def _named(name: str) -> tzinfo | None:
    with suppress(ValidationError):
        return schedule.zone(name)
    return None


def _zone(kind: str, name: str) -> tzinfo | None:
    """Return the zone of a date object, by its ``timezone_type``: 1 an offset, 2 an abbreviation, 3 a name.

    Where ``timezone_type`` is missing or does not fit the text, the text decides. CET is an abbreviation, which is a
    fixed offset, and also a zone, which has summer time. It is read as the zone only if ``timezone_type`` is 3.

    Args:
        kind: ``timezone_type``.
        name: ``timezone``.
    """
    found = _offset(name)
    if found is None and kind != "3":
        found = _abbreviation(name)
    return found or _named(name) or _abbreviation(name)


def php_date(value: Any) -> datetime | None:
    """Read a PHP date object: ``{"date": "2023-11-02 22:44:43.000000", "timezone_type": 3, "timezone": "UTC"}``.

    Returns:
        An aware datetime in the object's zone; None for an empty value, and where the text or the zone cannot be read.
        A date that cannot be read is no reason to refuse a list of messages, and ``raw`` still has it.
    """
    if not isinstance(value, Mapping):
        return any_time(value)
    zone = _zone(str(value.get("timezone_type", "")).strip(), str(value.get("timezone", "")).strip())
    text = value.get("date")
    if zone is None or not isinstance(text, str):
        return None
    with suppress(ValueError, OverflowError):
        return schedule.parse_wall_clock(text, zone, *_DATE)
    return None


def any_time(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """Read a time whose form is not documented: a date object, ISO 8601, or Unix time.

    Unix time may be in seconds, or in milliseconds, as on Android.

    Args:
        value: the time as received.
        zone: the time zone of a text that names none.

    Returns:
        An aware datetime; None for an empty value, and for one that cannot be read.
    """
    if isinstance(value, Mapping):
        return php_date(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    text = str(value).strip()
    with suppress(ValueError, OverflowError, OSError, ArithmeticError):
        if not isinstance(value, str) or (text.isascii() and text.isdigit() and len(text) >= 9):
            return _unix_time(Decimal(text))
        if not text.strip("0-:/. TZ") or text.startswith("-0001-11-30"):
            return None
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else schedule.from_wall_clock(moment, zone)
    return None


def _unix_time(number: Decimal) -> datetime | None:
    if not number:
        return None
    if abs(number) >= _MILLISECONDS_FROM:
        number /= 1000
    return datetime.fromtimestamp(float(number), UTC)
