"""Convert aware datetimes into a vendor's wall-clock time, and back.

The vendors read and write times as wall-clock text without a zone, and each has its own zone. Twice a year this is not
enough: in autumn one hour comes twice, and in spring one hour is left out. A time that the vendor could read in two
ways is refused here, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache, wraps
from typing import Any, Literal
from zoneinfo import ZoneInfo

from mensasdk.arguments import not_this
from mensasdk.errors import ScheduleError, ValidationError

__all__ = ["Precision", "from_wall_clock", "parse_wall_clock", "reads_plain_times", "to_wall_clock", "zone"]

Precision = Literal["minutes", "seconds"]

_STEP: dict[Precision, timedelta] = {"minutes": timedelta(minutes=1), "seconds": timedelta(seconds=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_is_hour = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3])").fullmatch
_within_hour = re.compile(r":([0-5][0-9])(?::([0-5][0-9]))?").fullmatch
_MOST_HOURS = 1024


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name, such as ``"Europe/Madrid"``. A zone is read only once.

    Raises:
        ValidationError: there is no zone of that name.
    """
    given: object = name
    if not isinstance(given, str):
        raise ValidationError(not_this("time_zone", 'an IANA name, such as "Europe/Madrid"', given), field="time_zone")
    found: ZoneInfo | None = None
    with suppress(KeyError, ValueError, OSError):  # an unknown name; not a plain name; the name of a folder of zones
        found = ZoneInfo(name)
    if found is None:
        raise ValidationError(
            f"there is no time zone {name[:40]!r}",
            remedy='give an IANA name, such as "Europe/Madrid"',
            field="time_zone",
        )
    return found


def to_wall_clock(
    moment: datetime,
    zone: tzinfo,
    *,
    field: str = "schedule_at",
    now: datetime | None = None,
    precision: Precision = "minutes",
) -> datetime:
    """Return the vendor's wall-clock time at a moment, as a naive datetime in the vendor's zone.

    The moment is rounded up to the vendor's precision, so that nothing is sent too early: 09:00:01 becomes 09:01 with a
    precision of minutes. It is rounded in UTC, so the result is right at clock changes as well.

    Args:
        moment: an aware datetime in any zone.
        zone: the zone that the vendor reads times in.
        field: the public name of the parameter, for the error.
        now: the present as an aware datetime; None for the system's clock.
        precision: ``"minutes"`` or ``"seconds"``, as in the vendor's format.

    Raises:
        ScheduleError: the moment is naive, is not in the future, is a wall-clock time that its own zone leaves out, or
            is in the hour that comes twice in the vendor's zone. The message gives the remedy.
    """
    given: object = moment
    if not isinstance(given, datetime):
        raise ScheduleError(not_this(field, "an aware datetime", given), field=field)
    if moment.utcoffset() is None:
        raise ScheduleError(
            f"{field} is a naive datetime; give it a zone, as in "
            'datetime(2030, 1, 31, 9, 0, tzinfo=ZoneInfo("Europe/Madrid"))',
            field=field,
        )
    if now is None:
        now = datetime.now(UTC)
    elif now.utcoffset() is None:
        raise ScheduleError("now is a naive datetime; use datetime.now(UTC)", field="now")
    local = None
    try:
        # A wall-clock time that the caller's zone leaves out becomes another one by way of UTC.
        instant = moment.astimezone(UTC)
        returned = instant.astimezone(moment.tzinfo)
        rounded = _round_up(instant, _STEP[precision])
        local = rounded.astimezone(zone)
    except OverflowError:
        pass
    if local is None:
        raise ScheduleError(
            "is outside the years that can be scheduled", subject=field, remedy="give a nearer time", field=field
        )
    if returned.replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise ScheduleError(
            f"is {moment:%Y-%m-%d %H:%M}, which {_name(moment.tzinfo)} leaves out when the clocks go forward",
            subject=field,
            remedy=f"did you mean {returned:%H:%M}?",
            field=field,
        )
    if instant <= now:
        raise ScheduleError(
            f"is {instant:%Y-%m-%d %H:%M:%S} UTC, which is not in the future",
            subject=field,
            remedy="give a later time, or leave it out to send now",
            field=field,
        )
    wall = local.replace(tzinfo=None)
    repeated = _offset(wall, zone, 0) - _offset(wall, zone, 1)
    # The time exists, because it was converted from UTC. So two offsets can only mean that it comes twice.
    if repeated:
        raise ScheduleError(
            f"is {wall:%H:%M} on {wall:%Y-%m-%d} in {_name(zone)}, where that hour comes twice because the clocks go "
            "back, and the vendor cannot be told which of the two is meant",
            subject=field,
            remedy=f"choose a time outside that hour, such as {wall - repeated:%Y-%m-%d %H:%M} or "
            f"{wall + repeated:%Y-%m-%d %H:%M}",
            field=field,
        )
    return wall


def from_wall_clock(naive: datetime, zone: tzinfo) -> datetime:
    """Return the moment of a vendor's wall-clock time, as an aware datetime in the vendor's zone.

    A time in the hour that comes twice is read as the first of the two (``fold=0``), because it cannot be known which
    one the vendor meant. (For Python such a time is never equal to a time in another zone; compare in UTC.) A time that
    the zone leaves out in spring is read as if the clocks had not yet gone forward, and returned as the time that
    exists: 02:30 becomes 03:30. So an answer is never refused for its time.

    Args:
        naive: a datetime without a zone.
        zone: the zone that the vendor writes times in.

    Raises:
        ScheduleError: ``naive`` has a zone already.
    """
    if naive.tzinfo is not None:
        raise ScheduleError("naive has a zone already; use astimezone() to convert it", field="naive")
    skipped = _offset(naive, zone, 1) - _offset(naive, zone, 0)
    if skipped > timedelta(0):
        naive += skipped
    return naive.replace(tzinfo=zone, fold=0)


def parse_wall_clock(text: str | None, zone: tzinfo, *formats: str) -> datetime | None:
    """Read a time that a vendor wrote.

    Args:
        text: the vendor's text; surrounding spaces are ignored.
        zone: the zone that the vendor writes times in.
        formats: formats of `datetime.strptime`, which are tried in turn; by default ``YYYY-MM-DD HH:MM:SS`` and
            ``YYYY-MM-DD HH:MM``.

    Returns:
        An aware datetime in ``zone``, by the rules of `from_wall_clock`. None for None, for a text that has only zeros
        and punctuation (databases write "none" as ``0000-00-00 00:00:00``), and for ``-0001-11-30 00:00:00``, into
        which PHP converts that text.

    Raises:
        ValueError: the text has none of the formats. It is not a `MensaError`, because only the caller, which decodes
            the answer, knows the outcome.
    """
    if text is None:
        return None
    text = text.strip()
    if not text.strip("0-:/. T") or text.startswith("-0001-11-30"):
        return None
    for pattern in formats or _FORMATS:
        try:
            naive = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone follows in the next step
        except ValueError:
            continue
        return from_wall_clock(naive, zone)
    raise ValueError(f"{text[:40]!r} is not a time in any of the formats {', '.join(formats or _FORMATS)}")


# Time since the begin of the hour, by `:MM` or `:MM:SS`. It has at most 3,660 entries.
_SINCE_HOUR: dict[str, timedelta] = {}


def reads_plain_times(
    clock: Callable[[], tzinfo],
) -> Callable[[Callable[[Any], datetime | None]], Callable[[Any], datetime | None]]:
    """Make a decorator that speeds up a reader of times by remembering hours.

    A report has thousands of times in few hours. A text like ``YYYY-MM-DD HH:MM:SS`` or ``YYYY-MM-DD HH:MM`` is read by
    looking up its hour and adding the rest, which takes a tenth of the time. All other values go to the decorated
    function, and so do times in an hour in which the clocks change, or that comes twice. The decorated function has to
    read such texts by the rules of `from_wall_clock`.

    Args:
        clock: returns the zone that the vendor writes times in; called only when the zone is needed.
    """

    def decorate(read: Callable[[Any], datetime | None]) -> Callable[[Any], datetime | None]:
        hours: dict[str, datetime] = {}

        @wraps(read)
        def quickly(value: Any) -> datetime | None:
            try:
                return hours[value[:13]] + _SINCE_HOUR[value[13:]]
            except (KeyError, TypeError):  # not remembered yet, or not a text
                pass
            if isinstance(value, str) and _within_hour(value[13:]):
                _remember(value, hours, clock)
            return read(value)

        return quickly

    return decorate


def _remember(text: str, hours: dict[str, datetime], clock: Callable[[], tzinfo]) -> None:
    hour, rest = text[:13], text[13:]
    if hour not in hours and _is_hour(hour):
        try:
            first = datetime.fromisoformat(f"{hour}:00")
        except ValueError:
            return
        last = first + timedelta(minutes=59, seconds=59)
        zone = clock()
        if len({_offset(wall, zone, fold) for wall in (first, last) for fold in (0, 1)}) == 1:
            if len(hours) >= _MOST_HOURS:
                hours.clear()
            hours[hour] = first.replace(tzinfo=zone)
    if rest not in _SINCE_HOUR:
        _SINCE_HOUR[rest] = timedelta(minutes=int(rest[1:3]), seconds=int(rest[4:] or 0))


def _round_up(instant: datetime, step: timedelta) -> datetime:
    over = (instant - _EPOCH) % step
    return instant + (step - over) if over else instant


def _offset(wall: datetime, zone: tzinfo, fold: Literal[0, 1]) -> timedelta:
    return wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)


def _name(zone: tzinfo | None) -> str:
    return str(zone)
