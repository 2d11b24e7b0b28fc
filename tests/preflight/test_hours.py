"""Sending hours: what is open when, on the recipient's wall clock, and what becomes of a message that is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk.errors import OutcomeKind, ScheduleError, ValidationError
from mensasdk.messages import Message
from mensasdk.preflight.hours import DAYS, Day, SendingHours
from mensasdk.preflight.zones import time_zones
from mensasdk.schedule import to_wall_clock

MADRID = ZoneInfo("Europe/Madrid")
CANARY = ZoneInfo("Atlantic/Canary")
CARACAS = "+584121234567"
MEXICO_CITY = "+525512345678"
TIJUANA = "+526641234567"
NEW_YORK = "+12125550123"
SPANISH_MOBILE = "+34600000000"
MINUTE = timedelta(minutes=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def madrid(start: time, end: time, **more: Any) -> SendingHours:
    return SendingHours(start, end, zone="Europe/Madrid", **more)


# Openings


@pytest.mark.parametrize(
    ("number", "now", "opening"),
    [
        # In Madrid summer begins on 29 March 2026 and ends on 25 October 2026, each at 01:00 UTC.
        pytest.param(
            "+34910000000", utc(2026, 3, 28, 7, 59), utc(2026, 3, 28, 8, 0), id="Madrid, winter: 09:00 is 08:00"
        ),
        pytest.param(
            "+34910000000", utc(2026, 3, 28, 21, 0), utc(2026, 3, 29, 7, 0), id="Madrid, into the spring change"
        ),
        pytest.param("+34910000000", utc(2026, 10, 24, 20, 0), utc(2026, 10, 25, 8, 0), id="Madrid, into autumn's"),
        pytest.param("+34910000000", utc(2026, 10, 25, 7, 30), utc(2026, 10, 25, 8, 0), id="Madrid, on autumn's day"),
        pytest.param("+34928000000", utc(2026, 6, 1, 7, 0), utc(2026, 6, 1, 8, 0), id="the Canaries are an hour later"),
        # A Spanish mobile may be in either: open is what is open in both.
        pytest.param(SPANISH_MOBILE, utc(2026, 6, 1, 7, 0), utc(2026, 6, 1, 8, 0), id="mobile: opens by the Canaries"),
        pytest.param(SPANISH_MOBILE, utc(2026, 6, 1, 18, 0), utc(2026, 6, 2, 8, 0), id="mobile: closes by Madrid"),
        pytest.param(CARACAS, utc(2026, 6, 1, 12, 59), utc(2026, 6, 1, 13, 0), id="Venezuela is UTC-4, in summer too"),
        pytest.param(CARACAS, utc(2026, 6, 2, 0, 0), utc(2026, 6, 2, 13, 0), id="Venezuela closes at midnight UTC"),
        # Mexico has had no summer time since 2022, but for the border: Tijuana changes with California.
        pytest.param(MEXICO_CITY, utc(2026, 7, 1, 14, 0), utc(2026, 7, 1, 15, 0), id="Mexico City is UTC-6 in July"),
        pytest.param(TIJUANA, utc(2026, 7, 1, 15, 0), utc(2026, 7, 1, 16, 0), id="Tijuana is UTC-7 in July"),
        pytest.param(TIJUANA, utc(2026, 12, 1, 15, 0), utc(2026, 12, 1, 17, 0), id="Tijuana is UTC-8 in December"),
        pytest.param("+529981234567", utc(2026, 7, 1, 13, 0), utc(2026, 7, 1, 14, 0), id="Cancun is UTC-5"),
        pytest.param(NEW_YORK, utc(2026, 7, 1, 12, 0), utc(2026, 7, 1, 13, 0), id="New York is UTC-4 in July"),
        pytest.param("+13105550123", utc(2026, 7, 1, 13, 0), utc(2026, 7, 1, 16, 0), id="Los Angeles is UTC-7 in July"),
        pytest.param("+18085550123", utc(2026, 7, 1, 13, 0), utc(2026, 7, 1, 19, 0), id="Honolulu is UTC-10"),
    ],
)
def test_the_hours_from_9_to_20_open_on_the_clock_of_the_number(number: str, now: datetime, opening: datetime) -> None:
    hours = SendingHours(time(9), time(20))
    assert not hours.is_open(number, now)
    found = hours.next_open(number, now)
    assert found.astimezone(UTC) == opening
    assert not hours.is_open(number, opening - timedelta(microseconds=1))
    assert hours.is_open(number, opening)


@pytest.mark.parametrize(
    ("start", "end", "now", "opening"),
    [
        # Spring: the wall clock goes from 01:59 to 03:00 (01:00 UTC).
        pytest.param((2, 30), (9, 0), utc(2026, 3, 29, 0, 0), utc(2026, 3, 29, 1, 0), id="an opening that is left out"),
        pytest.param(
            (2, 0), (3, 0), utc(2026, 3, 29, 0, 0), utc(2026, 3, 30, 0, 0), id="hours that are left out whole"
        ),
        pytest.param((3, 0), (4, 0), utc(2026, 3, 29, 0, 0), utc(2026, 3, 29, 1, 0), id="an opening at the change"),
        # Autumn: 02:00 to 02:59 comes at 00:00 UTC and at 01:00 UTC.
        pytest.param((2, 0), (3, 0), utc(2026, 10, 24, 12, 0), utc(2026, 10, 25, 0, 0), id="the first of the two"),
        pytest.param((2, 0), (2, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 0), id="open a second time"),
        pytest.param((2, 0), (2, 30), utc(2026, 10, 25, 1, 30), utc(2026, 10, 26, 1, 0), id="and not a third time"),
        pytest.param((3, 0), (4, 0), utc(2026, 10, 24, 12, 0), utc(2026, 10, 25, 2, 0), id="after both"),
    ],
)
def test_the_clock_changes_of_madrid(
    start: tuple[int, int], end: tuple[int, int], now: datetime, opening: datetime
) -> None:
    hours = madrid(time(*start), time(*end))
    found = hours.next_open("+34910000000", now)
    assert found.astimezone(UTC) == opening
    assert not hours.is_open("+34910000000", opening - timedelta(seconds=1))


def test_the_next_opening_is_told_on_the_clock_of_the_recipient() -> None:
    found = SendingHours(time(9), time(20)).next_open(TIJUANA, utc(2026, 7, 1, 15, 0))
    assert found.tzinfo == ZoneInfo("America/Tijuana")
    assert found.replace(tzinfo=None) == datetime(2026, 7, 1, 9, 0)


def test_while_it_is_open_the_next_opening_is_now() -> None:
    now = utc(2026, 6, 1, 10, 20, 30, 5)
    assert madrid(time(9), time(20)).next_open(CARACAS, now) == now


@pytest.mark.parametrize(
    ("hour", "minute", "is_open"),
    [(8, 59, False), (9, 0, True), (13, 59, True), (14, 0, False), (16, 59, False), (17, 0, True), (20, 0, False)],
)
def test_a_day_may_have_several_windows_and_an_end_is_closed(hour: int, minute: int, is_open: bool) -> None:
    hours = SendingHours(windows=[(time(17), time(20)), (time(9), time(14))], zone="Europe/Madrid")
    assert hours.is_open(CARACAS, datetime(2026, 6, 1, hour, minute, tzinfo=MADRID)) is is_open


def test_windows_that_meet_or_overlap_are_one() -> None:
    windows = [(time(9), time(12)), (time(12), time(15)), (time(14), time(18))]
    hours = SendingHours(windows=windows, zone="Europe/Madrid")
    day = datetime(2026, 6, 1, tzinfo=MADRID)
    open_minutes = [minute for minute in range(24 * 60) if hours.is_open(CARACAS, day + minute * MINUTE)]
    assert open_minutes == list(range(9 * 60, 18 * 60))


@pytest.mark.parametrize(("hour", "is_open"), [(21, False), (22, True), (0, True), (5, True), (6, False), (12, False)])
def test_a_window_may_pass_midnight(hour: int, is_open: bool) -> None:
    moment = datetime(2026, 6, 1, hour, tzinfo=MADRID)
    assert madrid(time(22), time(6)).is_open(CARACAS, moment) is is_open


@pytest.mark.parametrize(("hour", "is_open"), [(21, False), (22, False), (0, False), (5, False), (6, True), (20, True)])
def test_quiet_hours_are_the_complement(hour: int, is_open: bool) -> None:
    hours = SendingHours.quiet(time(21), time(6), zone="Europe/Madrid")
    assert hours.is_open(CARACAS, datetime(2026, 6, 1, hour, tzinfo=MADRID)) is is_open


def test_quiet_hours_take_every_argument_of_the_class() -> None:
    now = datetime(2026, 6, 6, 12, 0, tzinfo=MADRID)  # a Saturday
    quiet = SendingHours.quiet(
        time(21), time(9), days=DAYS[:5], choices={"ES": "Europe/Madrid"}, when_closed="refuse", clock=at(now)
    )
    with pytest.raises(ValidationError) as refused:
        quiet(Message(SPANISH_MOBILE, "x"), SPANISH_MOBILE)
    assert refused.value.code == "closed"
    assert "2026-06-08 09:00" in refused.value.message
    holiday = SendingHours.quiet(time(21), time(9), zone="Europe/Madrid", holidays=lambda _day, _country: True)
    assert not holiday.is_open(SPANISH_MOBILE, now)


def test_days_are_those_of_the_recipient() -> None:
    hours = SendingHours(time(0), time(23, 59), days=DAYS[:5])
    saturday_in_madrid = datetime(2026, 6, 6, 0, 30, tzinfo=MADRID)
    assert not hours.is_open("+34910000000", saturday_in_madrid)
    assert hours.is_open(CARACAS, saturday_in_madrid)  # Friday 18:30 there
    assert hours.next_open("+34910000000", saturday_in_madrid) == datetime(2026, 6, 8, 0, 0, tzinfo=MADRID)


def test_a_closed_day_is_closed_from_midnight_also_to_a_window_of_the_evening_before() -> None:
    hours = madrid(time(22), time(6), days=DAYS[:5])
    assert hours.is_open(CARACAS, datetime(2026, 6, 5, 23, 59, tzinfo=MADRID))  # Friday
    assert not hours.is_open(CARACAS, datetime(2026, 6, 6, 0, 0, tzinfo=MADRID))
    assert hours.next_open(CARACAS, datetime(2026, 6, 6, tzinfo=MADRID)) == datetime(2026, 6, 8, tzinfo=MADRID)


def test_without_windows_the_whole_day_is_open() -> None:
    hours = SendingHours(zone="Europe/Madrid", days=["mon"])
    monday = datetime(2026, 6, 1, tzinfo=MADRID)
    assert [hours.is_open(CARACAS, monday + timedelta(hours=hour)) for hour in (-1, 0, 23, 24)] == [
        *(False, True, True, False)
    ]
    assert repr(hours) == "SendingHours(the whole day)"


# Holidays


def test_holidays_are_asked_with_the_local_date_and_the_country_of_the_number() -> None:
    asked: list[tuple[date, str | None]] = []

    def closed(day: date, country: str | None) -> bool:
        asked.append((day, country))
        return (day, country) == (date(2026, 9, 16), "MX")

    hours = SendingHours(time(9), time(20), holidays=closed)
    moment = utc(2026, 9, 17, 1, 0)  # 19:00 on the 16th in Mexico City, 21:00 on the 16th in New York
    assert not hours.is_open(MEXICO_CITY, moment)
    assert not hours.is_open(NEW_YORK, moment)
    assert (date(2026, 9, 16), "MX") in asked
    assert (date(2026, 9, 16), "US") in asked
    assert hours.is_open(NEW_YORK, utc(2026, 9, 16, 20, 0))
    assert hours.next_open(MEXICO_CITY, moment).astimezone(UTC) == utc(2026, 9, 17, 15, 0)


def test_holidays_are_of_the_country_of_the_number_even_with_one_zone_for_all() -> None:
    hours = SendingHours(zone="Europe/Madrid", holidays=lambda _day, country: country == "VE")
    assert not hours.is_open(CARACAS, utc(2026, 6, 1, 10))
    assert hours.is_open(MEXICO_CITY, utc(2026, 6, 1, 10))


def test_a_country_that_cannot_be_told_is_none() -> None:
    asked: list[str | None] = []

    def closed(_day: date, country: str | None) -> bool:
        asked.append(country)
        return False

    SendingHours(zone="Europe/Madrid", holidays=closed).is_open("+881612345678", utc(2026, 6, 1, 10))
    assert set(asked) == {None}


def test_a_holiday_is_not_asked_about_again_for_each_message() -> None:
    asked: list[date] = []

    def closed(day: date, _country: str | None) -> bool:
        asked.append(day)
        return False

    hours = SendingHours(time(9), time(20), holidays=closed, clock=at(utc(2026, 6, 1, 15, 0)))
    for last in range(100):
        hours(Message(CARACAS, "x"), f"+5841212345{last:02}")
    assert asked == [date(2026, 6, 1)]


def test_hours_that_never_open_are_told_so() -> None:
    hours = SendingHours(time(9), time(20), zone="Europe/Madrid", holidays=lambda _day, _country: True)
    assert not hours.is_open(CARACAS, utc(2026, 6, 1))
    for _ in range(2):
        with pytest.raises(ValidationError, match="do not open within a year") as refused:
            hours.next_open(CARACAS, utc(2026, 6, 1))
        assert refused.value.code == "closed"


# Several zones


def test_a_choice_decides_where_the_number_does_not_tell() -> None:
    hours = SendingHours(time(9), time(20), choices={"ES": "Europe/Madrid"})
    nine = datetime(2026, 6, 1, 9, 0, tzinfo=MADRID)
    assert hours.is_open(SPANISH_MOBILE, nine)
    assert not hours.is_open("+34928000000", nine)  # a landline of the Canaries tells its zone


def test_zones_that_never_overlap_are_refused_with_the_remedy() -> None:
    hours = SendingHours(time(9), time(10), clock=at(utc(2026, 6, 1)))
    for _ in range(2):
        with pytest.raises(ValidationError) as refused:
            hours(Message("+79161234567", "x"), "+79161234567")
        assert refused.value.code == "zone"
        assert refused.value.outcome is OutcomeKind.NOT_SENT
        assert 'choices={"RU": "' in refused.value.message
        assert "9161234567" not in refused.value.message
    chosen = SendingHours(time(9), time(10), choices={"RU": "Europe/Moscow"})
    assert chosen.next_open("+79161234567", utc(2026, 6, 1)).astimezone(UTC) == utc(2026, 6, 1, 6, 0)


def test_a_number_that_is_in_no_known_zone_is_refused_unless_one_is_chosen() -> None:
    satellite = "+881612345678"
    with pytest.raises(ValidationError, match=r"\+881") as refused:
        SendingHours(time(9), time(20)).is_open(satellite, utc(2026, 6, 1))
    assert (refused.value.code, refused.value.field) == ("zone", "to")
    for hours in (SendingHours(time(9), time(20), choices={"+881": "Europe/Madrid"}), madrid(time(9), time(20))):
        assert hours.is_open(satellite, utc(2026, 6, 1, 7))


def test_with_one_zone_for_all_the_number_is_not_looked_at() -> None:
    assert madrid(time(9), time(20)).is_open("anything", utc(2026, 6, 1, 7))


# As a screen


def test_a_message_within_the_hours_is_the_same_object() -> None:
    hours = madrid(time(9), time(20), clock=at(datetime(2026, 6, 1, 9, 0, tzinfo=MADRID)))
    message = Message(CARACAS, "x")
    assert hours(message, CARACAS) is message


def test_a_message_outside_the_hours_is_scheduled_for_the_next_opening() -> None:
    hours = SendingHours(time(9), time(20), clock=at(utc(2026, 6, 1, 3, 0)))
    message = Message(CARACAS, "x", reference="a", variables={"n": "1"})
    placed = hours(message, CARACAS)
    assert placed == evolve(message, schedule_at=datetime(2026, 6, 1, 9, 0, tzinfo=ZoneInfo("America/Caracas")))


def test_an_opening_in_a_moment_is_put_off_by_a_minute_so_that_it_has_not_passed_when_it_arrives() -> None:
    now = datetime(2026, 6, 1, 8, 59, 59, 999_000, tzinfo=MADRID)
    placed = madrid(time(9), time(20), clock=at(now))(Message(CARACAS, "x"), CARACAS)
    assert placed.schedule_at == datetime(2026, 6, 1, 9, 1, tzinfo=MADRID)


def test_a_window_too_short_for_the_lead_is_left_for_the_next_one() -> None:
    now = datetime(2026, 6, 1, 8, 59, 30, tzinfo=MADRID)
    placed = madrid(time(9), time(9, 1), clock=at(now))(Message(CARACAS, "x"), CARACAS)
    assert placed.schedule_at == datetime(2026, 6, 2, 9, 0, tzinfo=MADRID)


def test_refusing_names_the_local_time_and_the_next_opening() -> None:
    hours = SendingHours(time(9), time(20), when_closed="refuse", clock=at(utc(2026, 6, 1, 3, 0)))
    with pytest.raises(ValidationError) as refused:
        hours(Message(CARACAS, "x"), CARACAS)
    error = refused.value
    assert (error.code, error.field, error.outcome) == ("closed", "schedule_at", OutcomeKind.NOT_SENT)
    assert "2026-05-31 23:00 in America/Caracas" in error.message
    assert "2026-06-01 09:00" in error.message
    assert "4121234567" not in error.message


@pytest.mark.parametrize(
    ("own", "result"),
    [
        pytest.param(datetime(2026, 6, 1, 12, 0, 30, tzinfo=MADRID), None, id="within the hours"),
        pytest.param(
            datetime(2026, 6, 1, 21, 0, tzinfo=MADRID), datetime(2026, 6, 2, 9, 0, tzinfo=MADRID), id="outside"
        ),
        # A vendor that keeps minutes would make 20:00 of it.
        pytest.param(
            datetime(2026, 6, 1, 19, 59, 1, tzinfo=MADRID),
            datetime(2026, 6, 2, 9, 0, tzinfo=MADRID),
            id="the last second",
        ),
        # A vendor that keeps seconds would send it before the opening.
        pytest.param(
            datetime(2026, 6, 2, 8, 59, 1, tzinfo=MADRID),
            datetime(2026, 6, 2, 9, 0, tzinfo=MADRID),
            id="a second early",
        ),
        pytest.param(datetime(2026, 6, 1, 5, 0, tzinfo=MADRID), None, id="in the past, which the vendor's check tells"),
    ],
)
def test_a_schedule_of_its_own_is_judged_at_its_own_moment(own: datetime, result: datetime | None) -> None:
    hours = madrid(time(9), time(20), clock=at(datetime(2026, 6, 1, 10, 0, tzinfo=MADRID)))
    message = Message(CARACAS, "x", schedule_at=own)
    placed = hours(message, CARACAS)
    if result is None:
        assert placed is message
    else:
        assert placed.schedule_at == result


@pytest.mark.parametrize(("minutes", "expired"), [(-1, True), (0, True), (1, False)])
def test_a_message_that_could_only_go_at_or_after_its_not_after_has_expired(minutes: int, expired: bool) -> None:
    opening = datetime(2026, 6, 1, 9, 0, tzinfo=MADRID)
    hours = madrid(time(9), time(20), clock=at(opening - timedelta(hours=4)))
    message = Message(CARACAS, "x", not_after=opening + minutes * MINUTE)
    if not expired:
        assert hours(message, CARACAS).schedule_at == opening
        return
    with pytest.raises(ValidationError) as refused:
        hours(message, CARACAS)
    assert (refused.value.code, refused.value.field) == ("expired", "not_after")


def test_each_call_judges_the_moment_that_the_clock_tells_also_when_it_jumps_back() -> None:
    now = datetime(2026, 6, 1, 21, 0, tzinfo=MADRID)
    hours = madrid(time(9), time(20), clock=lambda: now)
    message = Message(CARACAS, "x")
    assert hours(message, CARACAS).schedule_at == datetime(2026, 6, 2, 9, 0, tzinfo=MADRID)
    now = datetime(2026, 6, 1, 19, 0, tzinfo=MADRID)
    assert hours(message, CARACAS) is message
    now = datetime(2026, 6, 1, 8, 0, tzinfo=MADRID)
    assert hours(message, CARACAS).schedule_at == datetime(2026, 6, 1, 9, 0, tzinfo=MADRID)


def test_without_a_clock_it_judges_the_present() -> None:
    message = Message(CARACAS, "x")
    today: Day = DAYS[datetime.now(UTC).weekday()]
    yesterday_and_tomorrow: list[Day] = [DAYS[(DAYS.index(today) + step) % 7] for step in (-1, 0, 1)]
    assert SendingHours(days=yesterday_and_tomorrow, zone="UTC")(message, CARACAS) is message


# What is refused from the start


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"start": time(9)}, "end"),
        ({"end": time(9)}, "end"),
        ({"start": time(9), "end": time(9)}, "end"),
        ({"start": time(9, 0, 1), "end": time(10)}, "start"),
        ({"start": time(9), "end": time(10, 0, 0, 1)}, "end"),
        ({"start": time(9, tzinfo=UTC), "end": time(10)}, "start"),
        ({"start": time(9), "end": time(10), "windows": [(time(11), time(12))]}, "windows"),
        ({"days": []}, "days"),
        ({"days": "mon"}, "days"),
        ({"days": ["monday"]}, "days"),
        ({"zone": "Europe/Atlantis"}, "time_zone"),
        ({"choices": {"ES": "Europe/Atlantis"}}, "time_zone"),
        ({"choices": {"UK": "Europe/London"}}, "choices"),
        ({"choices": {"es": "Europe/Madrid"}}, "choices"),
        ({"choices": {"ES": "Europe/Madrid"}, "zone": "Europe/Madrid"}, "zone"),
        ({"when_closed": "wait"}, "when_closed"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_by_name(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SendingHours(**arguments)
    assert refused.value.field == field


def test_naive_and_unreachable_moments_are_refused() -> None:
    hours = madrid(time(9), time(20))
    with pytest.raises(ScheduleError, match="naive"):
        hours.is_open(CARACAS, datetime(2026, 6, 1))
    with pytest.raises(ScheduleError, match="naive"):
        madrid(time(9), time(20), clock=at(datetime(2026, 6, 1)))(Message(CARACAS, "x"), CARACAS)
    with pytest.raises(ScheduleError, match="years"):
        hours.next_open(CARACAS, datetime(9999, 12, 31, 22, 0, tzinfo=UTC))


# For any hours, number and moment

NUMBERS = [
    *(SPANISH_MOBILE, "+34928000000", CARACAS, MEXICO_CITY, TIJUANA, NEW_YORK, "+447911123456", "+61412345678"),
    *("+6498881234", "+64211234567", "+212612345678", "+9779812345678", "+351912345678", "+989121234567"),
]
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
windows = st.lists(st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=3)
days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)
# Around clock changes: Madrid's, the United States', Australia's and New Zealand's, Morocco's for Ramadan; or anywhere.
changes = st.sampled_from(
    [
        *(utc(2026, 3, 29, 1), utc(2026, 10, 25, 1), utc(2026, 3, 8, 7), utc(2026, 11, 1, 6), utc(2026, 11, 1, 10)),
        *(utc(2026, 4, 4, 14), utc(2026, 10, 3, 14), utc(2026, 2, 15, 2), utc(2026, 3, 22, 2)),
    ]
)
moments = st.one_of(
    st.builds(lambda change, seconds: change + timedelta(seconds=seconds), changes, st.integers(-100_000, 50_000)),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
)


def holiday(day: date, country: str | None) -> bool:
    return day.day % 5 == 0 and country != "VE"


def open_by_definition(
    number: str, moment: datetime, pairs: list[tuple[time, time]], on: list[Day], zones: tuple[ZoneInfo, ...]
) -> bool:
    """Tell the rule a second time, without any of the code under test."""
    for zone in zones:
        wall = moment.astimezone(zone)
        if DAYS[wall.weekday()] not in on or holiday(wall.date(), "VE" if number == CARACAS else "other"):
            return False
        clock = wall.time()
        if not any(start <= clock < end if start < end else (clock >= start or clock < end) for start, end in pairs):
            return False
    return True


@pytest.mark.slow
@given(st.sampled_from(NUMBERS), moments, windows, days)
@example(SPANISH_MOBILE, utc(2026, 10, 24, 23, 45), [(time(2), time(2, 30))], list(DAYS))
@example("+34928000000", utc(2026, 3, 29, 0, 59), [(time(1, 15), time(1, 45))], list(DAYS))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    number: str, moment: datetime, pairs: list[tuple[time, time]], on: list[Day]
) -> None:
    zones = time_zones(number)
    hours = SendingHours(windows=pairs, days=on, holidays=holiday)

    def expected(point: datetime) -> bool:
        return open_by_definition(number, point, pairs, on, zones)

    assert hours.is_open(number, moment) is expected(moment)
    try:
        opening = hours.next_open(number, moment).astimezone(UTC)
    except ValidationError as error:
        # Never: then no minute of a week is open.
        assert error.code in ("zone", "closed")  # noqa: PT017 - whether it is raised is open
        points = [moment + minute * MINUTE for minute in range(7 * 24 * 60)]
        assert not any(map(expected, points))
        return
    assert opening >= moment
    assert expected(opening)
    assert hours.is_open(number, opening)
    if opening > moment:
        assert not expected(opening - timedelta(microseconds=1))
        assert opening.second == opening.microsecond == 0
    step = max(MINUTE, (opening - moment) / 3000)
    point = moment
    while point < opening:
        assert not expected(point)
        assert not hours.is_open(number, point)
        point += step


@given(st.sampled_from(NUMBERS), moments, moments, windows, days, st.booleans())
def test_screening_a_second_time_changes_nothing_and_the_result_is_open(
    number: str,
    now: datetime,
    own: datetime,
    pairs: list[tuple[time, time]],
    on: list[Day],
    scheduled: bool,
) -> None:
    hours = SendingHours(windows=pairs, days=on, clock=at(now))
    message = Message(number, "x", schedule_at=own if scheduled else None)
    try:
        placed = hours(message, number)
    except ValidationError as error:
        assert error.code == "zone"  # noqa: PT017 - whether it is raised is open
        return
    assert hours(placed, number) is placed
    if placed is message:
        assert (scheduled and own <= now) or hours.is_open(number, own if scheduled else now)
        return
    assert placed.schedule_at is not None
    assert hours.is_open(number, placed.schedule_at)
    assert placed.schedule_at.astimezone(UTC) >= now + MINUTE
    # As a vendor that keeps minutes reads it, it is still the same moment, and the rounding takes it nowhere else.
    zone = placed.schedule_at.tzinfo
    assert zone is not None
    try:
        wall = to_wall_clock(placed.schedule_at, zone, now=now)
    except ScheduleError as error:
        assert "comes twice" in error.message  # noqa: PT017 - the one refusal that is due
    else:
        assert wall == placed.schedule_at.replace(tzinfo=None)


@given(st.sampled_from(NUMBERS), moments, st.lists(st.integers(0, 3000), min_size=2, max_size=30), windows, days)
@example("+61412345678", utc(2026, 6, 1, 3), [0, 450], [(time(9), time(20))], list(DAYS))
def test_what_was_asked_before_changes_no_answer(
    number: str, start: datetime, order: list[int], pairs: list[tuple[time, time]], on: list[Day]
) -> None:
    def answers(hours: SendingHours, moment: datetime) -> tuple[bool, datetime | str | None]:
        is_open = hours.is_open(number, moment)
        try:
            return is_open, hours.next_open(number, moment)
        except ValidationError as error:
            return is_open, error.code

    used = SendingHours(windows=pairs, days=on)
    for minutes in order:
        moment = start + minutes * MINUTE
        assert answers(used, moment) == answers(SendingHours(windows=pairs, days=on), moment)
