"""Find the moments at which sending hours open and close.

All moments here are in UTC. The hours themselves are on the wall clocks of the recipient's zones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from attrs import frozen

from mensasdk import phone
from mensasdk.arguments import not_this
from mensasdk.codes import Code
from mensasdk.errors import ScheduleError, ValidationError
from mensasdk.preflight.zones import Place

__all__ = ["DAYS", "MINUTE", "Day", "Timeline", "Week", "in_utc", "whole_minute"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
"""The days of the week, from Monday on; ``DAYS[:5]`` are Monday to Friday."""

MINUTE = timedelta(minutes=1)
_MIDNIGHT = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Hours that do not open within this time count as never open.
_HORIZON = timedelta(days=366)


@frozen(eq=False)
class Week:
    """Parts of a day, each open or closed, and the days of the week on which they hold.

    Attributes:
        ends: end of each part, as the time since midnight, in order.
        is_open: for each part, whether it is open.
        weekdays: days of the week that have open parts, from 0 for Monday; the others are closed.
    """

    ends: Sequence[timedelta]
    is_open: Sequence[bool]
    weekdays: frozenset[int]

    @classmethod
    def of(cls, windows: Sequence[tuple[time, time]], days: Iterable[Day]) -> Week:
        """Build a week from windows, or with whole days if there are none.

        Raises:
            ValidationError: a time has seconds or a zone, a start equals its end, or a day is unknown.
        """
        return cls(*_day_parts(windows), _weekdays(days))


class Timeline:
    """Sending hours, as moments in UTC, for all numbers with the same country and zones."""

    __slots__ = ("_country", "_holidays", "_known", "_place", "_week", "zones")

    def __init__(
        self,
        week: Week,
        holidays: Callable[[date, str | None], bool] | None,
        place: Place | None,
        zones: tuple[ZoneInfo, ...],
    ) -> None:
        self.zones = zones
        self._week = week
        self._holidays = holidays
        self._place = place
        self._country = None if place is None else place.country
        # The last answer: (asked, opens, closes). For each moment from `asked` to before `closes`, the next opening is
        # `opens` (None: never), and it ends at `closes`.
        self._known: tuple[datetime, datetime | None, datetime] = (_EPOCH, None, _EPOCH)

    def is_open(self, at: datetime) -> bool:
        """Return whether the hours are open at a moment."""
        opens = self._ask(at)[1]
        return opens is not None and opens <= at

    def opening(self, at: datetime, number: str) -> datetime:
        """Return the first open moment from ``at`` on; the number is used in errors only."""
        return self.stretch(at, number)[0]

    def stretch(self, at: datetime, number: str) -> tuple[datetime, datetime]:
        """Return begin and end of the first open time from ``at`` on; another one may follow at once."""
        _, opens, closes = self._ask(at)
        if opens is not None:
            return max(opens, at), closes
        if len(self.zones) == 1:
            raise ValidationError(
                f"the sending hours do not open within a year after {at:%Y-%m-%d} in {self.zones[0]}",
                remedy="look at days and holidays",
                field="days",
                code=Code.CLOSED,
            )
        assert self._place is not None  # without a place there is one zone
        country = self._country or self._place.calling_code
        names = [str(zone) for zone in self.zones]
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        raise ValidationError(
            f"may be in {shown}, and the sending hours are never open in all of them at once",
            subject=f"to ({phone.mask(number)})",
            remedy=f'say which to go by, as in choices={{"{country}": "{names[0]}"}}, or widen the hours',
            field="choices",
            code=Code.ZONE,
        )

    def _ask(self, at: datetime) -> tuple[datetime, datetime | None, datetime]:
        known = self._known
        if known[0] <= at < known[2]:
            return known
        found = None
        with suppress(OverflowError):
            found = self._find(at)
        if found is None:
            raise ScheduleError(
                "is outside the years that can be scheduled", subject="schedule_at", field="schedule_at"
            )
        self._known = (at, *found)
        return self._known

    def _find(self, at: datetime) -> tuple[datetime | None, datetime]:
        limit = at + _HORIZON
        while at < limit:
            open_until, closed_until = limit, at
            for zone in self.zones:
                is_open, until = self._part(zone, at)
                if is_open:
                    open_until = min(open_until, until)
                else:
                    closed_until = max(closed_until, until)
            if closed_until == at:
                return at, open_until
            at = closed_until
        return None, limit

    def _part(self, zone: ZoneInfo, at: datetime) -> tuple[bool, datetime]:
        """Return whether the hours are open in a zone, and until when that holds at least, up to midnight."""
        local = at.astimezone(zone)
        wall = local.replace(tzinfo=None)
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        is_open, end = False, _MIDNIGHT
        if midnight.weekday() in self._week.weekdays and not (
            self._holidays is not None and self._holidays(midnight.date(), self._country)
        ):
            index = bisect_right(self._week.ends, wall - midnight)
            is_open, end = self._week.is_open[index], self._week.ends[index]
        until = at + (midnight + end - wall)
        offset = local.utcoffset()
        # The wall clock cannot be trusted beyond a clock change, so the answer holds only up to it.
        if until.astimezone(zone).utcoffset() != offset:
            until = _clock_change(zone, at, until, offset)
        return is_open, until


def _clock_change(zone: ZoneInfo, after: datetime, until: datetime, offset: timedelta | None) -> datetime:
    """Return the first moment after ``after`` at which the zone has another UTC offset than ``offset``."""
    low, high = int(after.timestamp()), int(until.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _day_parts(windows: Sequence[tuple[time, time]]) -> tuple[list[timedelta], list[bool]]:
    if not windows:
        return [_MIDNIGHT], [True]
    pieces: list[tuple[timedelta, timedelta]] = []
    for start, end in windows:
        begins, ends = _of_day(start, "start"), _of_day(end, "end")
        if begins == ends:
            raise ValidationError(
                f"the hours begin and end at {start:%H:%M}",
                remedy="for the whole day leave start and end out",
                field="end",
            )
        pieces += [(begins, ends)] if begins < ends else [(begins, _MIDNIGHT), (timedelta(0), ends)]
    ends_of_parts = sorted({moment for piece in pieces for moment in piece} - {timedelta(0)} | {_MIDNIGHT})
    begins_of_parts = [timedelta(0), *ends_of_parts[:-1]]
    return ends_of_parts, [any(begins <= part < ends for begins, ends in pieces) for part in begins_of_parts]


def _of_day(moment: time, field: str) -> timedelta:
    given: object = moment
    if not isinstance(given, time):
        raise ValidationError(not_this(field, "a time of day, such as time(9, 30)", given), field=field)
    if moment.tzinfo is not None or moment.second or moment.microsecond:
        raise ValidationError(
            f"{field} must be a time of day in whole minutes and without a zone, such as time(9, 30)", field=field
        )
    return timedelta(hours=moment.hour, minutes=moment.minute)


def _weekdays(days: Iterable[Day]) -> frozenset[int]:
    given: object = days
    names = list(days) if isinstance(given, Iterable) else []
    if not names or not set(names) <= set(DAYS):
        problem = f"must be some of {', '.join(DAYS)}, such as DAYS[:5]"
        raise ValidationError(problem, subject="days", field="days")
    return frozenset(DAYS.index(name) for name in names)


def in_utc(at: datetime, field: str = "at") -> datetime:
    """Convert an aware moment to UTC, or raise `ScheduleError`."""
    given: object = at
    if not isinstance(given, datetime):
        raise ScheduleError(not_this(field, "an aware datetime, such as datetime.now(UTC)", given), field=field)
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ScheduleError(f"{field} is a naive datetime; give it a zone, as in datetime.now(UTC)", field=field)
    return at.astimezone(UTC)


def whole_minute(at: datetime) -> datetime:
    """Round a moment in UTC up to a whole minute."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + MINUTE
