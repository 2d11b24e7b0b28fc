"""Spreading a campaign over a time, evenly, in whole steps and within the hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.errors import OutcomeKind, ScheduleError, ValidationError
from mensasdk.messages import Message
from mensasdk.preflight.hours import DAYS, SendingHours, Spread

MADRID = ZoneInfo("Europe/Madrid")
CARACAS = "+584121234567"
BARCELONA = "+34930000000"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def placed(spread: Spread, count: int, number: str = BARCELONA) -> list[datetime]:
    found = []
    for _ in range(count):
        moment = spread(Message(number, "x"), number).schedule_at
        assert moment is not None
        found.append(moment)
    return found


def minutes_after(start: datetime, moments: Sequence[datetime]) -> list[float]:
    return [(moment - start) / MINUTE for moment in moments]


START = NOW + HOUR


def test_messages_are_spread_evenly_in_the_order_of_the_stream() -> None:
    spread = Spread(HOUR, 6, start=START, clock=at(NOW))
    assert minutes_after(START, placed(spread, 6)) == [0, 10, 20, 30, 40, 50]


def test_a_time_that_does_not_divide_is_rounded_down_to_the_step() -> None:
    assert minutes_after(START, placed(Spread(HOUR, 7, start=START, clock=at(NOW)), 7)) == [0, 8, 17, 25, 34, 42, 51]


def test_each_step_gets_an_equal_share_so_that_requests_are_full() -> None:
    spread = Spread(HOUR, 1200, start=START, step=15 * MINUTE, clock=at(NOW))
    shares = Counter(placed(spread, 1200))
    assert {(moment - START) / MINUTE: share for moment, share in shares.items()} == {0: 300, 15: 300, 30: 300, 45: 300}


def test_more_messages_than_the_total_go_with_the_last() -> None:
    assert minutes_after(START, placed(Spread(HOUR, 3, start=START, clock=at(NOW)), 6)) == [0, 20, 40, 40, 40, 40]


def test_without_a_start_the_first_message_goes_within_three_minutes() -> None:
    spread = Spread(HOUR, 2, clock=at(NOW + timedelta(seconds=20)))
    assert minutes_after(NOW, placed(spread, 2)) == [3, 33]


def test_a_start_is_rounded_up_to_a_minute_and_keeps_its_zone() -> None:
    start = datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=MADRID)
    first = placed(Spread(HOUR, 2, start=start, clock=at(NOW)), 1)[0]
    assert first == datetime(2026, 6, 1, 12, 1, tzinfo=MADRID)
    assert first.tzinfo is MADRID


def test_time_runs_evenly_over_a_clock_change() -> None:
    start = datetime(2026, 10, 25, 1, 0, tzinfo=MADRID)
    found = placed(Spread(4 * HOUR, 4, start=start, clock=at(NOW)), 4)
    assert [moment.astimezone(UTC).hour for moment in found] == [23, 0, 1, 2]
    assert [(moment.hour, moment.fold) for moment in found] == [(1, 0), (2, 0), (2, 1), (3, 0)]


def test_a_message_with_its_own_schedule_is_left_alone_and_keeps_its_position() -> None:
    spread = Spread(HOUR, 3, start=START, clock=at(NOW))
    own = Message(BARCELONA, "x", schedule_at=NOW + timedelta(days=1))
    assert minutes_after(START, placed(spread, 1)) == [0]
    assert spread(own, BARCELONA) is own
    assert minutes_after(START, placed(spread, 1)) == [40]


def test_a_message_whose_turn_has_come_or_is_too_near_goes_at_once() -> None:
    now = START - MINUTE
    spread = Spread(HOUR, 60, start=START, clock=lambda: now)
    message = Message(BARCELONA, "x")
    assert spread(message, BARCELONA).schedule_at == START  # a whole minute ahead is enough
    spread.restart()
    now = START
    assert spread(message, BARCELONA) is message  # its turn is now
    now = START + timedelta(seconds=30)
    assert spread(message, BARCELONA) is message  # half a minute away
    assert spread(message, BARCELONA).schedule_at == START + 2 * MINUTE


@pytest.mark.parametrize(("minutes", "expired"), [(29, True), (30, True), (31, False)])
def test_a_message_whose_turn_is_not_before_its_not_after_has_expired(minutes: int, expired: bool) -> None:
    spread = Spread(HOUR, 2, start=START, clock=at(NOW))
    placed(spread, 1)
    message = Message(BARCELONA, "x", not_after=START + minutes * MINUTE)
    if not expired:
        assert spread(message, BARCELONA).schedule_at == START + 30 * MINUTE
        return
    with pytest.raises(ValidationError) as refused:
        spread(message, BARCELONA)
    assert (refused.value.code, refused.value.field) == ("expired", "not_after")
    assert refused.value.outcome is OutcomeKind.NOT_SENT


def test_restart_begins_again_also_after_days() -> None:
    spread = Spread(30 * HOUR, 4, clock=at(NOW), hours=SendingHours(time(9), time(20), clock=at(NOW)))
    first = placed(spread, 4)
    assert len({moment.date() for moment in first}) > 1
    spread.restart()
    assert placed(spread, 4) == first


def test_equal_input_gives_equal_output() -> None:
    def run() -> list[datetime]:
        hours = SendingHours(time(9), time(14), clock=at(NOW))
        return placed(Spread(9 * HOUR, 100, hours=hours, clock=at(NOW)), 100)

    assert run() == run()


# Within hours


def test_time_runs_only_while_the_hours_are_open() -> None:
    """Four hours from 18:00 on, with hours from 9 to 20: two hours today, two tomorrow."""
    hours = SendingHours(time(9), time(20), clock=at(NOW))
    start = datetime(2026, 6, 1, 18, 0, tzinfo=MADRID)
    found = placed(Spread(4 * HOUR, 8, start=start, hours=hours, clock=at(NOW)), 8)
    assert [(moment.day, moment.hour, moment.minute) for moment in found] == [
        *((1, 18, 0), (1, 18, 30), (1, 19, 0), (1, 19, 30)),
        *((2, 9, 0), (2, 9, 30), (2, 10, 0), (2, 10, 30)),
    ]


def test_a_start_in_closed_time_begins_at_the_opening() -> None:
    hours = SendingHours(time(9), time(20), days=DAYS[:5], clock=at(NOW))
    saturday = datetime(2026, 6, 6, 12, 0, tzinfo=MADRID)
    found = placed(Spread(HOUR, 2, start=saturday, hours=hours, clock=at(NOW)), 2)
    assert found == [datetime(2026, 6, 8, 9, 0, tzinfo=MADRID), datetime(2026, 6, 8, 9, 30, tzinfo=MADRID)]


def test_time_runs_over_the_break_of_a_day() -> None:
    hours = SendingHours(windows=[(time(9), time(14)), (time(17), time(20))], clock=at(NOW))
    start = datetime(2026, 6, 1, 13, 0, tzinfo=MADRID)
    found = placed(Spread(2 * HOUR, 4, start=start, hours=hours, clock=at(NOW)), 4)
    assert [(moment.hour, moment.minute) for moment in found] == [(13, 0), (13, 30), (17, 0), (17, 30)]


def test_each_recipient_is_placed_on_its_own_clock() -> None:
    hours = SendingHours(time(9), time(20), clock=at(NOW))
    spread = Spread(2 * HOUR, 4, start=datetime(2026, 6, 1, 12, 0, tzinfo=MADRID), hours=hours, clock=at(NOW))
    found = [spread(Message(number, "x"), number).schedule_at for number in (BARCELONA, CARACAS, BARCELONA, CARACAS)]
    caracas = ZoneInfo("America/Caracas")
    assert found == [
        datetime(2026, 6, 1, 12, 0, tzinfo=MADRID),
        datetime(2026, 6, 1, 9, 30, tzinfo=caracas),
        datetime(2026, 6, 1, 13, 0, tzinfo=MADRID),
        datetime(2026, 6, 1, 10, 30, tzinfo=caracas),
    ]


def test_a_late_message_that_finds_the_hours_closed_waits_or_is_refused_as_the_hours_say() -> None:
    start = datetime(2026, 6, 1, 18, 0, tzinfo=MADRID)
    late = start + 4 * HOUR
    message = Message(BARCELONA, "x")
    waiting = Spread(HOUR, 2, start=start, hours=SendingHours(time(9), time(20), clock=at(late)), clock=at(late))
    assert waiting(message, BARCELONA).schedule_at == datetime(2026, 6, 2, 9, 0, tzinfo=MADRID)
    refusing = SendingHours(time(9), time(20), when_closed="refuse", clock=at(late))
    with pytest.raises(ValidationError) as refused:
        Spread(HOUR, 2, start=start, hours=refusing, clock=at(late))(message, BARCELONA)
    assert refused.value.code == "closed"


# What is refused from the start


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"over": timedelta(0)}, "over"),
        ({"over": -HOUR}, "over"),
        ({"total": 0}, "total"),
        ({"step": timedelta(0)}, "step"),
        ({"step": timedelta(seconds=90)}, "step"),
        ({"step": -MINUTE}, "step"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_by_name(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Spread(**{"over": HOUR, "total": 10, **arguments})
    assert refused.value.field == field


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ScheduleError, match="start is a naive datetime") as refused:
        Spread(HOUR, 10, start=datetime(2026, 6, 1))
    assert refused.value.field == "start"


# For any spread


@given(
    st.integers(1, 2000),
    st.integers(1, 200),
    st.integers(1, 30),
    st.integers(0, 225 * 24 * 60).map(lambda minutes: datetime(2026, 3, 20, tzinfo=UTC) + minutes * MINUTE),
    st.sampled_from([None, SendingHours(time(9), time(20), days=DAYS[:5]), SendingHours.quiet(time(14), time(17))]),
    st.sampled_from([BARCELONA, CARACAS, "+34600000000", "+12125550123"]),
)
def test_each_message_goes_in_the_open_minute_that_its_position_says(
    over: int, total: int, step: int, start: datetime, hours: SendingHours | None, number: str
) -> None:
    """The plan is told a second time by counting open minutes one by one."""
    spread = Spread(over * MINUTE, total, start=start, step=step * MINUTE, hours=hours, clock=at(start - HOUR))
    moments = placed(spread, total + 3, number)
    offsets = [over * min(i, total - 1) // total // step * step for i in range(total + 3)]
    expected: list[datetime] = []
    minute, passed = start, 0
    while len(expected) < len(offsets):
        if hours is None or hours.is_open(number, minute):
            expected += [minute] * offsets.count(passed)
            passed += 1
        minute += MINUTE
    assert [moment.astimezone(UTC) for moment in moments] == expected
    assert moments == sorted(moments)
