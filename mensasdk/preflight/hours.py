"""Keep messages within sending hours in the recipient's own zone, and spread a campaign over a time.

Both are screens: callables ``(message, number) -> message`` that a sender calls for each message, and that you can call
too. The hours are those on the wall clock of the recipient, never on ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from attrs import define, evolve

from mensasdk import phone, schedule
from mensasdk.arguments import not_this
from mensasdk.codes import Code
from mensasdk.errors import ValidationError
from mensasdk.messages import Message
from mensasdk.preflight.timeline import DAYS, MINUTE, Day, Timeline, Week, in_utc, whole_minute
from mensasdk.preflight.zones import Place, checked_choices, place_of, zones_at

__all__ = ["DAYS", "Day", "SendingHours", "Spread"]

# A time that we choose is at least this far ahead, so that it has not passed when the vendor reads it.
_LEAD = timedelta(minutes=1)


def _now() -> datetime:
    return datetime.now(UTC)


def _wrong(field: str, what: str, value: object) -> ValidationError:
    return ValidationError(not_this(field, what, value), field=field)


def _check_called(field: str, function: object) -> None:
    if function is not None and not callable(function):
        raise _wrong(field, "a function", function)


def _pairs(windows: Iterable[tuple[time, time]]) -> list[tuple[time, time]]:
    what = "pairs of start and end, as in [(time(9), time(14)), (time(17), time(20))]"
    given: object = windows
    if not isinstance(given, Iterable):
        raise _wrong("windows", what, given)
    pairs = list(windows)
    every: Sequence[object] = pairs
    for index, pair in enumerate(every):
        if not isinstance(pair, Sequence) or len(pair) != 2:
            what = "a pair of start and end, as in (time(9), time(14))"
            raise ValidationError(not_this(f"windows[{index}]", what, pair), field="windows")
    return pairs


class SendingHours:
    """Hours in which messages may go out, on the recipient's clock; a screen.

    The hours are times of day; the end is the first minute that is closed again. A window may pass midnight
    (``time(22), time(6)``), and a day may have several (``windows=[(time(9), time(14)), (time(17), time(20))]``).
    Without any window, the whole of an open day is open. A day that is closed, by ``days`` or ``holidays``, is closed
    from midnight to midnight, also for a window that began on the evening before.

    The recipient's zone comes from the number (see `time_zones`). If several zones are possible, a moment is open only
    if it is within the hours in **all** of them, unless ``choices`` says which one to take. The wall clock counts: if
    the hours begin within the hour that is skipped in spring, they begin right after it; in the hour that is repeated
    in autumn, open hours are open twice.

    As a screen it judges the moment of the call, or the message's own ``schedule_at``:

    * A message within the hours is left as it is. So is a message whose ``schedule_at`` has passed, because every
      vendor's own check refuses that.
    * Any other message gets the next opening as its ``schedule_at`` (a whole minute, at least one minute ahead). With
      ``when_closed="refuse"`` it is refused with code ``"closed"``.
    * A message that could only go out at or after its ``not_after`` is refused with code ``"expired"``.

    Neither the time that vendors take to deliver is considered, nor the time that a message waits in a sender after the
    screen: let the hours end early enough. All messages of a night are scheduled for the same minute of the morning;
    `Spread` distributes them within the hours.

    With a vendor that cannot schedule, a message that has to wait is refused before anything is sent; ``"refuse"``
    gives a clearer reason. A vendor that reads times on a clock of its own refuses those in the hour that its clock
    repeats (on Spain's clock: 00:00 to 02:00 UTC on the day when it goes back).

    Args:
        start: the time of day at which the hours begin, without a zone, in whole minutes.
        end: the time of day at which the hours end. At or before ``start``, it is on the next day.
        windows: several pairs of start and end, in place of ``start`` and ``end``.
        days: the days of the week on which sending is allowed, such as ``DAYS[:5]``.
        choices: country (``"MX"``) to zone (``"America/Mexico_City"``), for numbers that do not tell their zone.
        zone: one IANA zone for all numbers, in place of ``choices``.
        holidays: called with the local date and the ISO 3166 alpha-2 code of the number's country (None if unknown);
            true means that the day is closed. Called when a day is first needed, and not for each message. With the
            `holidays` package::

                @functools.cache
                def calendar(country: str):
                    return holidays.country_holidays(country)

                def closed(day: date, country: str | None) -> bool:
                    return country in ("ES", "MX") and day in calendar(country)

        when_closed: ``"schedule"`` or ``"refuse"``.
        clock: returns the present as an aware datetime. Each call judges the moment that the clock returns, even if the
            clock has jumped.

    Raises:
        ValidationError: a time has seconds or a zone, the start equals the end, a day, country or zone is unknown, or
            two arguments exclude each other.
    """

    __slots__ = ("_choices", "_clock", "_fixed", "_holidays", "_refuse", "_shown", "_timelines", "_week")

    def __init__(
        self,
        start: time | None = None,
        end: time | None = None,
        *,
        windows: Iterable[tuple[time, time]] = (),
        days: Iterable[Day] = DAYS,
        choices: Mapping[str, str] | None = None,
        zone: str | None = None,
        holidays: Callable[[date, str | None], bool] | None = None,
        when_closed: Literal["schedule", "refuse"] = "schedule",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        pairs = _pairs(windows)
        _check_called("holidays", holidays)
        _check_called("clock", clock)
        if (start is None) != (end is None):
            raise ValidationError("start and end belong together; give both or neither", field="end")
        if start is not None and end is not None:
            if pairs:
                raise ValidationError("windows replaces start and end; give one or the other", field="windows")
            pairs = [(start, end)]
        if zone is not None and choices:
            raise ValidationError(
                "zone holds for all numbers, so choices has no effect; give one of them", field="zone"
            )
        if when_closed not in ("schedule", "refuse"):
            raise ValidationError('when_closed must be "schedule" or "refuse"', field="when_closed")
        self._week = Week.of(pairs, days)
        self._choices = checked_choices(choices)
        self._fixed = None if zone is None else schedule.zone(zone)
        self._holidays = holidays
        self._refuse = when_closed == "refuse"
        self._clock = clock
        self._timelines: dict[Place | None, Timeline] = {}
        self._shown = ", ".join(f"{begin:%H:%M}-{until:%H:%M}" for begin, until in pairs) or "the whole day"

    @classmethod
    def quiet(
        cls,
        start: time,
        end: time,
        *,
        days: Iterable[Day] = DAYS,
        choices: Mapping[str, str] | None = None,
        zone: str | None = None,
        holidays: Callable[[date, str | None], bool] | None = None,
        when_closed: Literal["schedule", "refuse"] = "schedule",
        clock: Callable[[], datetime] = _now,
    ) -> SendingHours:
        """Build hours from the time when nothing may go out: ``quiet(time(21), time(9))`` is open from 09:00 to 21:00.

        The other arguments are those of the class; ``days`` are the days on which sending is allowed outside the quiet
        hours.
        """
        return cls(
            end,
            start,
            days=days,
            choices=choices,
            zone=zone,
            holidays=holidays,
            when_closed=when_closed,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"SendingHours({self._shown})"

    def is_open(self, number: str, at: datetime) -> bool:
        """Return whether a message to a number in E.164 may go out at a moment (an aware datetime).

        Raises:
            ValidationError: no zone is known for the number and none is chosen (code ``"zone"``).
            ScheduleError: ``at`` is naive.
        """
        return self._timeline(number).is_open(in_utc(at))

    def next_open(self, number: str, at: datetime) -> datetime:
        """Return the first open moment from ``at`` on; ``at`` itself if it is open.

        Returns:
            An aware datetime in the recipient's zone; of several zones, in the first by name.

        Raises:
            ValidationError: no zone is known for the number and none is chosen, or the hours are never open in all of
                its zones at once (code ``"zone"``); or the hours do not open within a year (code ``"closed"``).
            ScheduleError: ``at`` is naive, or too far in the future to be scheduled.
        """
        timeline = self._timeline(number)
        return timeline.opening(in_utc(at), number).astimezone(timeline.zones[0])

    def __call__(self, message: Message, number: str) -> Message:
        """Return the message as it may go out to a number in E.164; see the class.

        Raises:
            ValidationError: as for `next_open`, or with code ``"closed"`` or ``"expired"``. NOT_SENT.
        """
        timeline = self._timeline(number)
        now = in_utc(self._clock())
        at = now
        if message.schedule_at is None:
            if timeline.is_open(now):
                return message
        else:
            at = in_utc(message.schedule_at)
            # Vendors that keep minutes round up, so the next whole minute has to be open as well.
            if at <= now or (timeline.is_open(at) and timeline.is_open(whole_minute(at))):
                return message
        opening = timeline.opening(whole_minute(max(at, now + _LEAD)), number).astimezone(timeline.zones[0])
        if self._refuse:
            raise ValidationError(
                f"is outside the sending hours ({self._shown}) at "
                f"{at.astimezone(timeline.zones[0]):%Y-%m-%d %H:%M} in {timeline.zones[0]}; they open next at "
                f"{opening:%Y-%m-%d %H:%M}",
                subject=f"to ({phone.mask(number)})",
                field="schedule_at",
                code=Code.CLOSED,
            )
        _check_expiry(message, opening, number)
        return evolve(message, schedule_at=opening)

    def _timeline(self, number: str) -> Timeline:
        # With one zone and no holidays the number does not matter, so it need not be in E.164.
        place = None if self._fixed is not None and self._holidays is None else place_of(number)
        timeline = self._timelines.get(place)
        if timeline is None:
            if self._fixed is not None:
                timeline = Timeline(self._week, self._holidays, place, (self._fixed,))
            else:
                assert place is not None
                timeline = Timeline(self._week, self._holidays, place, zones_at(place, self._choices, number))
            self._timelines[place] = timeline
        return timeline


class Spread:
    """Plan that distributes a campaign evenly over a time, in the order of the stream; a screen.

    The message at position ``i`` (from 0) of ``total`` is scheduled for ``start + over * i / total``, rounded down to a
    whole ``step``. If more than ``total`` messages come, the rest is scheduled with the last one. A message with its
    own ``schedule_at`` is left as it is, and counts as a position. With ``hours``, the time runs only while they are
    open for the recipient: a spread of four hours that starts two hours before the end takes the last two hours of
    this day and the first two of the next open one. No message is scheduled outside the hours.

    If the stream is slower than the plan, a message whose time has come, or is less than a minute away, goes out at
    once, or with ``hours`` at the next opening. A message whose time is not before its ``not_after`` is refused with
    code ``"expired"``.

    If a vendor takes one time for a whole request, each request has messages of the same step only. Choose a step long
    enough to fill a request: 100,000 messages over 10 hours are 166 in a minute; 1,000 messages are fewer than two in a
    minute, which would cost a request each, but 25 in 15 minutes.

    A `Spread` counts the messages that it is given: make a new one for each campaign, or call `restart` between a check
    and the real send.

    Args:
        over: how long the campaign takes; with ``hours``, only open time counts.
        total: count of messages in the stream.
        start: aware datetime for the first messages, rounded up to a whole minute; None for two minutes after the first
            message is given.
        step: the time between two scheduled moments, in whole minutes.
        hours: the hours to stay within; they also decide on late messages that come outside the hours.
        clock: returns the present as an aware datetime.

    Raises:
        ValidationError: ``over`` is not positive, ``total`` is less than 1, or ``step`` is not in whole minutes.
        ScheduleError: ``start`` is naive.
    """

    __slots__ = ("_begin", "_clock", "_cursors", "_given", "_hours", "_over", "_position", "_step", "_total")

    def __init__(
        self,
        over: timedelta,
        total: int,
        *,
        start: datetime | None = None,
        step: timedelta = MINUTE,
        hours: SendingHours | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        for name, value in (("over", over), ("step", step)):
            if not isinstance(value, timedelta):
                raise _wrong(name, "a timedelta, such as timedelta(hours=4)", value)
        count: object = total
        if not isinstance(count, int) or isinstance(count, bool):
            raise _wrong("total", "a whole number", count)
        if hours is not None and not isinstance(hours, SendingHours):
            raise _wrong("hours", "SendingHours", hours)
        _check_called("clock", clock)
        if over <= timedelta(0):
            raise ValidationError("over must be longer than zero, such as timedelta(hours=4)", field="over")
        if total < 1:
            raise ValidationError("total must be at least 1: the count of messages in the stream", field="total")
        if step < MINUTE or step % MINUTE:
            raise ValidationError("step must be in whole minutes, because vendors' schedules are", field="step")
        self._over = over
        self._total = total
        self._given = start if start is None else whole_minute(in_utc(start, "start")).astimezone(start.tzinfo)
        self._step = step
        self._hours = hours
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Begin again at the first position; without ``start``, also at the present time."""
        self._position = 0
        self._begin = self._given
        self._cursors: dict[Timeline, _Cursor] = {}

    def __call__(self, message: Message, number: str) -> Message:
        """Return the next message of the stream with its time; see the class.

        Raises:
            ValidationError: with code ``"expired"``, or as for `SendingHours`. NOT_SENT.
        """
        position = min(self._position, self._total - 1)
        self._position += 1
        if message.schedule_at is not None:
            return message
        now = in_utc(self._clock())
        if self._begin is None:
            self._begin = whole_minute(now + 2 * _LEAD)
        turn = self._turn(position, self._begin, number)
        if turn < now + _LEAD:
            return message if self._hours is None else self._hours(message, number)
        _check_expiry(message, turn, number)
        return evolve(message, schedule_at=turn)

    def _turn(self, position: int, begin: datetime, number: str) -> datetime:
        offset = self._over * position // self._total
        offset -= offset % self._step
        if self._hours is None:
            return (begin.astimezone(UTC) + offset).astimezone(begin.tzinfo)
        timeline = self._hours._timeline(number)
        cursor = self._cursors.get(timeline)
        if cursor is None:
            cursor = self._cursors[timeline] = _Cursor(*timeline.stretch(begin.astimezone(UTC), number), timedelta(0))
        # Positions only grow, so a cursor only moves forward.
        while offset >= cursor.before + (cursor.closes - cursor.opens):
            cursor.before += cursor.closes - cursor.opens
            cursor.opens, cursor.closes = timeline.stretch(cursor.closes, number)
        return (cursor.opens + offset - cursor.before).astimezone(timeline.zones[0])


@define
class _Cursor:
    """Open stretch of time, with the sum of open time before it."""

    opens: datetime
    closes: datetime
    before: timedelta


def _check_expiry(message: Message, at: datetime, number: str) -> None:
    if message.not_after is not None and at >= message.not_after:
        raise ValidationError(
            f"could go out at {at:%Y-%m-%d %H:%M} {at.tzname()} at the earliest, which is too late for it",
            subject=f"to ({phone.mask(number)})",
            remedy="give the message a later not_after",
            field="not_after",
            code=Code.EXPIRED,
        )
