"""Aware datetimes to a vendor's wall clock, and back, over clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk.errors import OutcomeKind, ScheduleError, ValidationError
from mensasdk.schedule import Precision, from_wall_clock, parse_wall_clock, reads_plain_times, to_wall_clock, zone

MADRID = ZoneInfo("Europe/Madrid")
NEW_YORK = ZoneInfo("America/New_York")
CARACAS = ZoneInfo("America/Caracas")
HAVANA = ZoneInfo("America/Havana")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(utc(2026, 1, 31, 9, 0), datetime(2026, 1, 31, 10, 0), id="winter is UTC+1"),
        pytest.param(utc(2026, 7, 31, 9, 0), datetime(2026, 7, 31, 11, 0), id="summer is UTC+2"),
        pytest.param(datetime(2026, 7, 31, 9, 0, tzinfo=MADRID), datetime(2026, 7, 31, 9, 0), id="the same zone"),
        pytest.param(datetime(2026, 7, 31, 20, 0, tzinfo=CARACAS), datetime(2026, 8, 1, 2, 0), id="the next day"),
        pytest.param(
            datetime(2026, 7, 31, 9, 0, tzinfo=timezone(timedelta(hours=5, minutes=45))),
            datetime(2026, 7, 31, 5, 15),
            id="an offset of quarter hours",
        ),
        pytest.param(utc(2028, 2, 28, 23, 30), datetime(2028, 2, 29, 0, 30), id="into a leap day"),
        pytest.param(utc(2028, 2, 29, 23, 30), datetime(2028, 3, 1, 0, 30), id="out of a leap day"),
        pytest.param(utc(2026, 12, 31, 23, 0), datetime(2027, 1, 1, 0, 0), id="into a new year"),
        # Clocks go forward on 29 March 2026 and 28 March 2027 at 01:00 UTC.
        pytest.param(utc(2026, 3, 29, 0, 59), datetime(2026, 3, 29, 1, 59), id="2026 spring, the minute before"),
        pytest.param(utc(2026, 3, 29, 1, 0), datetime(2026, 3, 29, 3, 0), id="2026 spring, the change"),
        pytest.param(utc(2027, 3, 28, 0, 59), datetime(2027, 3, 28, 1, 59), id="2027 spring, the minute before"),
        pytest.param(utc(2027, 3, 28, 1, 0), datetime(2027, 3, 28, 3, 0), id="2027 spring, the change"),
        # Clocks go back on 25 October 2026 and 31 October 2027 at 01:00 UTC; 02:00 to 02:59 comes twice.
        pytest.param(utc(2026, 10, 24, 23, 59), datetime(2026, 10, 25, 1, 59), id="2026 autumn, before both hours"),
        pytest.param(utc(2026, 10, 25, 2, 0), datetime(2026, 10, 25, 3, 0), id="2026 autumn, after both hours"),
        pytest.param(utc(2027, 10, 30, 23, 59), datetime(2027, 10, 31, 1, 59), id="2027 autumn, before both hours"),
        pytest.param(utc(2027, 10, 31, 2, 0), datetime(2027, 10, 31, 3, 0), id="2027 autumn, after both hours"),
        # The hour that New York has twice is an ordinary one in Madrid, and fold tells which one is meant.
        pytest.param(
            datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK), datetime(2026, 11, 1, 6, 30), id="the caller's first hour"
        ),
        pytest.param(
            datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK, fold=1),
            datetime(2026, 11, 1, 7, 30),
            id="the caller's second hour",
        ),
    ],
)
def test_madrid_wall_clock(moment: datetime, expected: datetime) -> None:
    found = to_wall_clock(moment, MADRID, now=NOW)
    assert found == expected
    assert found.tzinfo is None
    assert found.fold == 0


@pytest.mark.parametrize(
    ("moment", "shown", "earlier", "later"),
    [
        (utc(2026, 10, 25, 0, 0), "02:00 on 2026-10-25", "2026-10-25 01:00", "2026-10-25 03:00"),
        (utc(2026, 10, 25, 0, 59), "02:59 on 2026-10-25", "2026-10-25 01:59", "2026-10-25 03:59"),
        (utc(2026, 10, 25, 1, 0), "02:00 on 2026-10-25", "2026-10-25 01:00", "2026-10-25 03:00"),
        (utc(2026, 10, 25, 1, 59), "02:59 on 2026-10-25", "2026-10-25 01:59", "2026-10-25 03:59"),
        (utc(2027, 10, 31, 0, 30), "02:30 on 2027-10-31", "2027-10-31 01:30", "2027-10-31 03:30"),
        (utc(2027, 10, 31, 1, 30), "02:30 on 2027-10-31", "2027-10-31 01:30", "2027-10-31 03:30"),
        (
            datetime(2027, 10, 31, 2, 30, tzinfo=MADRID, fold=1),
            "02:30 on 2027-10-31",
            "2027-10-31 01:30",
            "2027-10-31 03:30",
        ),
    ],
)
def test_an_hour_that_the_vendor_has_twice_is_refused_with_times_that_would_do(
    moment: datetime, shown: str, earlier: str, later: str
) -> None:
    with pytest.raises(ScheduleError) as caught:
        to_wall_clock(moment, MADRID, now=NOW, field="Fecha")
    assert f"Fecha is {shown} in Europe/Madrid" in str(caught.value)
    assert f"such as {earlier} or {later}" in str(caught.value)
    assert caught.value.field == "Fecha"
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    for text in (earlier, later):
        proposed = datetime.fromisoformat(text)
        assert to_wall_clock(proposed.replace(tzinfo=MADRID), MADRID, now=NOW) == proposed


def test_the_proposal_of_another_time_names_its_day_where_the_hour_touches_midnight() -> None:
    with pytest.raises(ScheduleError, match="such as 2026-10-31 23:30 or 2026-11-01 01:30"):
        to_wall_clock(utc(2026, 11, 1, 4, 30), HAVANA, now=NOW)


@pytest.mark.parametrize(
    ("moment", "meant"),
    [
        (datetime(2026, 3, 29, 2, 0, tzinfo=MADRID), "03:00"),
        (datetime(2026, 3, 29, 2, 59, tzinfo=MADRID), "03:59"),
        (datetime(2027, 3, 28, 2, 30, tzinfo=MADRID), "03:30"),
        (datetime(2026, 3, 8, 2, 30, tzinfo=NEW_YORK), "03:30"),
    ],
)
@pytest.mark.parametrize("vendor_zone", [MADRID, UTC, CARACAS])
def test_a_time_that_the_caller_s_zone_leaves_out_is_refused(
    moment: datetime, meant: str, vendor_zone: ZoneInfo
) -> None:
    with pytest.raises(ScheduleError, match=f"leaves out .* did you mean {meant}") as caught:
        to_wall_clock(moment, vendor_zone, now=NOW)
    assert str(moment.tzinfo) in str(caught.value)


def test_a_naive_moment_is_refused_with_the_remedy() -> None:
    with pytest.raises(ScheduleError, match=r"naive datetime; give it a zone, as in datetime\("):
        to_wall_clock(datetime(2026, 7, 1), MADRID, now=NOW)


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ScheduleError, match="now is a naive datetime") as caught:
        to_wall_clock(utc(2026, 7, 1), MADRID, now=datetime(2026, 1, 1))
    assert caught.value.field == "now"


@pytest.mark.parametrize("delta", [timedelta(0), timedelta(microseconds=-1), timedelta(days=-400)])
def test_the_present_and_the_past_are_refused(delta: timedelta) -> None:
    with pytest.raises(ScheduleError, match="not in the future"):
        to_wall_clock(NOW + delta, MADRID, now=NOW)


def test_the_next_instant_is_the_future() -> None:
    found = to_wall_clock(NOW + timedelta(microseconds=1), MADRID, now=NOW)
    assert found == datetime(2026, 1, 1, 1, 1)


def test_without_now_the_system_clock_decides() -> None:
    with pytest.raises(ScheduleError, match="not in the future"):
        to_wall_clock(datetime.now(UTC) - timedelta(seconds=1), MADRID)
    later = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=5)
    assert to_wall_clock(later, UTC) == later.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("moment", "precision", "expected"),
    [
        (utc(2026, 7, 1, 9, 0, 0), "minutes", datetime(2026, 7, 1, 11, 0)),
        (utc(2026, 7, 1, 9, 0, 1), "minutes", datetime(2026, 7, 1, 11, 1)),
        (utc(2026, 7, 1, 9, 0, 0, 1), "minutes", datetime(2026, 7, 1, 11, 1)),
        (utc(2026, 7, 1, 9, 0, 1), "seconds", datetime(2026, 7, 1, 11, 0, 1)),
        (utc(2026, 7, 1, 9, 0, 1, 1), "seconds", datetime(2026, 7, 1, 11, 0, 2)),
        (utc(2026, 12, 31, 22, 59, 30), "minutes", datetime(2027, 1, 1, 0, 0)),
        # Rounded on the wall clock these two would name a time that does not exist, or that comes twice.
        (utc(2026, 3, 29, 0, 59, 30), "minutes", datetime(2026, 3, 29, 3, 0)),
        (utc(2026, 10, 25, 1, 59, 59, 1), "seconds", datetime(2026, 10, 25, 3, 0)),
    ],
)
def test_what_the_vendor_cannot_express_is_rounded_up(
    moment: datetime, precision: Precision, expected: datetime
) -> None:
    assert to_wall_clock(moment, MADRID, now=NOW, precision=precision) == expected


def test_rounding_up_into_the_hour_that_comes_twice_is_refused() -> None:
    with pytest.raises(ScheduleError, match="comes twice"):
        to_wall_clock(utc(2026, 10, 24, 23, 59, 30), MADRID, now=NOW)


@pytest.mark.parametrize(
    "moment",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=CARACAS),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=3))),
    ],
)
def test_the_ends_of_the_calendar_are_refused_and_do_not_overflow(moment: datetime) -> None:
    with pytest.raises(ScheduleError, match="outside the years") as caught:
        to_wall_clock(moment, MADRID, now=NOW)
    assert caught.value.__context__ is None


moments = st.datetimes(datetime(2026, 1, 2), datetime(2037, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))


@given(moments, st.sampled_from([MADRID, NEW_YORK, CARACAS, HAVANA, UTC]), st.sampled_from(["minutes", "seconds"]))
@example(utc(2026, 10, 25, 0, 59, 59), MADRID, "seconds")
@example(utc(2026, 3, 29, 0, 59, 59), MADRID, "minutes")
def test_what_is_accepted_comes_back_as_the_same_moment_never_earlier(
    moment: datetime, vendor_zone: ZoneInfo, precision: Precision
) -> None:
    try:
        wall = to_wall_clock(moment, vendor_zone, now=NOW, precision=precision)
    except ScheduleError as error:
        assert "comes twice" in str(error)  # noqa: PT017 - what is refused is a claim of its own
        # Refused at most in the repeated hour itself, and a minute before it by rounding.
        near = [moment + timedelta(minutes=m) for m in (-60, 0, 61)]
        assert len({when.astimezone(vendor_zone).utcoffset() for when in near}) == 2
        return
    late = from_wall_clock(wall, vendor_zone) - moment
    assert timedelta(0) <= late < (timedelta(minutes=1) if precision == "minutes" else timedelta(seconds=1))
    assert wall.microsecond == 0
    assert precision == "seconds" or wall.second == 0


@pytest.mark.parametrize(
    ("naive", "expected", "offset"),
    [
        pytest.param(datetime(2026, 1, 31, 10, 0), utc(2026, 1, 31, 9, 0), 1, id="winter"),
        pytest.param(datetime(2026, 7, 31, 10, 0), utc(2026, 7, 31, 8, 0), 2, id="summer"),
        pytest.param(datetime(2026, 10, 25, 2, 30), utc(2026, 10, 25, 0, 30), 2, id="repeated hour: the first"),
        pytest.param(datetime(2027, 10, 31, 2, 0), utc(2027, 10, 31, 0, 0), 2, id="repeated hour of 2027"),
        pytest.param(datetime(2026, 10, 25, 2, 30, fold=1), utc(2026, 10, 25, 0, 30), 2, id="a fold is ignored"),
        pytest.param(datetime(2026, 10, 25, 3, 0), utc(2026, 10, 25, 2, 0), 1, id="after the repeated hour"),
        pytest.param(datetime(2026, 3, 29, 2, 30), utc(2026, 3, 29, 1, 30), 2, id="left-out hour: an hour later"),
        pytest.param(datetime(2026, 3, 29, 2, 30, fold=1), utc(2026, 3, 29, 1, 30), 2, id="the same with a fold"),
        pytest.param(datetime(2027, 3, 28, 2, 0), utc(2027, 3, 28, 1, 0), 2, id="left-out hour of 2027"),
        pytest.param(datetime(2026, 3, 29, 1, 59), utc(2026, 3, 29, 0, 59), 1, id="before the left-out hour"),
    ],
)
def test_from_wall_clock(naive: datetime, expected: datetime, offset: int) -> None:
    found = from_wall_clock(naive, MADRID)
    assert found.astimezone(UTC) == expected
    assert found.tzinfo is MADRID
    assert found.utcoffset() == timedelta(hours=offset)


def test_a_left_out_time_comes_back_in_the_form_that_exists() -> None:
    assert from_wall_clock(datetime(2026, 3, 29, 2, 30), MADRID).replace(tzinfo=None) == datetime(2026, 3, 29, 3, 30)


def test_from_wall_clock_refuses_an_aware_datetime() -> None:
    with pytest.raises(ScheduleError, match="astimezone"):
        from_wall_clock(utc(2026, 1, 1), MADRID)


@pytest.mark.parametrize("naive", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)])
def test_from_wall_clock_survives_the_ends_of_the_calendar(naive: datetime) -> None:
    assert from_wall_clock(naive, CARACAS).replace(tzinfo=None) == naive


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2026-07-31 10:00:05", (), utc(2026, 7, 31, 8, 0, 5)),
        ("2026-07-31 10:00", (), utc(2026, 7, 31, 8, 0)),
        (" 2026-01-31 10:00 \n", (), utc(2026, 1, 31, 9, 0)),
        ("2028-02-29 00:00:00", (), utc(2028, 2, 28, 23, 0)),
        ("20260731100005", ("%Y%m%d%H%M%S",), utc(2026, 7, 31, 8, 0, 5)),
        (
            "2026-07-31 10:00:05.250000",
            ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"),
            utc(2026, 7, 31, 8, 0, 5, 250000),
        ),
        ("2026-10-25 02:30:00", (), utc(2026, 10, 25, 0, 30)),
        ("2026-03-29 02:30:00", (), utc(2026, 3, 29, 1, 30)),
        (None, (), None),
        ("", (), None),
        ("  ", (), None),
        ("0", (), None),
        ("0000-00-00", (), None),
        ("0000-00-00 00:00", (), None),
        ("0000-00-00 00:00:00", (), None),
        ("0000-00-00 00:00:00.000000", (), None),
        ("-0001-11-30 00:00:00.000000", (), None),
    ],
)
def test_parse_wall_clock(text: str | None, formats: tuple[str, ...], expected: datetime | None) -> None:
    found = parse_wall_clock(text, MADRID, *formats)
    # Compared in UTC, because Python holds no time in a repeated hour equal to one in another zone.
    assert (found and found.astimezone(UTC)) == expected
    assert found is None or found.tzinfo is MADRID


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2026-02-29 00:00:00", "2026-13-01 00:00", "2026-07-31T10:00", "31/07/2026", "2026-07-31 24:00"],
)
def test_what_is_no_time_is_a_plain_value_error_that_says_nothing_about_money(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time in any of the formats") as caught:
        parse_wall_clock(text, MADRID)
    assert not isinstance(caught.value, ValidationError)


def test_a_long_text_is_cut_in_the_error() -> None:
    with pytest.raises(ValueError, match="not a time") as caught:
        parse_wall_clock("x" * 10_000, MADRID)
    assert len(str(caught.value)) < 200


def test_zones_are_made_once() -> None:
    assert zone("Europe/Madrid") is zone("Europe/Madrid")
    assert str(zone("Europe/Madrid")) == "Europe/Madrid"


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/passwd", "Europe", "a\x00b", "ñ"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="IANA name") as caught:
        zone(name)
    assert caught.value.field == "time_zone"
    assert caught.value.__context__ is None


@given(
    moment=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2040, 1, 1)).map(
        lambda one: one.replace(microsecond=0)
    ),
    name=st.sampled_from(["Europe/Madrid", "America/Caracas", "Australia/Lord_Howe", "America/Mexico_City", "UTC"]),
)
@example(moment=datetime(2026, 3, 29, 2, 30), name="Europe/Madrid")
@example(moment=datetime(2026, 10, 25, 2, 30), name="Europe/Madrid")
@example(moment=datetime(2026, 10, 4, 2, 15), name="Australia/Lord_Howe")
@example(moment=datetime(2026, 4, 5, 1, 45), name="Australia/Lord_Howe")
def test_the_short_way_to_a_time_comes_to_the_same(moment: datetime, name: str) -> None:
    expected = from_wall_clock(moment, zone(name))
    asked: list[Any] = []

    def slowly(value: Any) -> datetime | None:
        asked.append(value)
        return parse_wall_clock(value, zone(name))

    quickly = reads_plain_times(lambda: zone(name))(slowly)
    for text in [f"{moment:%Y-%m-%d %H:%M:%S}"] * 2:
        found = quickly(text)
        assert found is not None
        assert (found.replace(tzinfo=None), found.fold, found.utcoffset(), found.tzinfo) == (
            expected.replace(tzinfo=None),
            expected.fold,
            expected.utcoffset(),
            expected.tzinfo,
        )
    if name == "UTC":  # nothing is special about any of its hours
        assert len(asked) == 1


@given(
    st.text("0123456789:-+ .TZW", max_size=22)
    | st.text("0123456789:+-Z.,T", max_size=7).map(lambda rest: f"2026-07-31 10{rest}")
    | st.from_regex(r"(?a)[0-2]\d{3}-[01]\d-[0-3]\d[ T][0-2]\d:[0-6]\d(:[0-6]\d)?\s?", fullmatch=True)
    | st.sampled_from([None, 20260731100000, 1.5, True, [], {}, b"2026-07-31 10:00:00", "٢٠٢٦-07-31 10:00", ""])
)
@example("2026-07-31 10:00+02")
@example("2026-07-31 100000.5")
@example("2026-07-31 24:00")
@example("2026-07-31 10:60")
@example("2026-02-30 10:00")
@example("0000-00-00 00:00:00")
def test_the_short_way_takes_nothing_that_the_long_one_would_not(text: Any) -> None:
    def slowly(value: Any) -> datetime | None:
        try:
            return parse_wall_clock(value, MADRID) if isinstance(value, str) else None
        except ValueError:
            return None

    quickly = reads_plain_times(lambda: MADRID)(slowly)
    expected = slowly(text)
    for _ in range(2):
        found = quickly(text)
        assert found == expected
        assert found is None or found.tzinfo is MADRID


def test_a_zone_is_looked_for_once_a_plain_time_comes_and_hours_are_forgotten() -> None:
    clocks: list[ZoneInfo] = []

    def clock() -> ZoneInfo:
        clocks.append(MADRID)
        return MADRID

    quickly = reads_plain_times(clock)(lambda _: None)
    assert quickly("nothing") is None
    assert clocks == []
    begin = datetime(2026, 5, 1)
    for hours in range(3_000):  # May to September, when no clock changes
        quickly(f"{begin + timedelta(hours=hours):%Y-%m-%d %H:%M}")
    assert len(clocks) == 3_000
    quickly("2026-05-01 00:00")
    assert len(clocks) == 3_001
    assert quickly("2026-05-01 00:00") == utc(2026, 4, 30, 22, 0)
    assert len(clocks) == 3_001
