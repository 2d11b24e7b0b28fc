"""Times: PHP's three kinds of date objects, and what callbacks may have in their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk.vendors.smsgateway24.dates import any_time, php_date

TEXT = "2023-07-02 22:44:43.000000"


def php(zone: Any, kind: Any, text: Any = TEXT) -> dict[str, Any]:
    return {"date": text, "timezone_type": kind, "timezone": zone}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("kind", "zone", "offset"),
    [
        (1, "+02:00", hours(2)),
        (1, "-05:30", hours(-5.5)),
        (1, "+0000", hours(0)),
        (1, "+05:45", hours(5.75)),
        ("1", "+02:00", hours(2)),
        (2, "CEST", hours(2)),
        (2, "cest", hours(2)),
        (2, "UTC", hours(0)),
        (2, "Z", hours(0)),
        (2, "EDT", hours(-4)),
        (2, "NDT", hours(-2.5)),
        (3, "Europe/Paris", hours(2)),
        (3, "UTC", hours(0)),
        (3, "America/New_York", hours(-4)),
        # An abbreviation is a fixed offset; the zone of the same name has a summer.
        (2, "CET", hours(1)),
        (3, "CET", hours(2)),
        # The text decides where the kind is missing or wrong.
        (None, "+02:00", hours(2)),
        (None, "Europe/Paris", hours(2)),
        (None, "CEST", hours(2)),
        (3, "CEST", hours(2)),
        (3, "+02:00", hours(2)),
        (1, "Europe/Paris", hours(2)),
        (99, "Europe/Paris", hours(2)),
    ],
)
def test_a_date_object_of_each_kind(kind: Any, zone: str, offset: timedelta) -> None:
    moment = php_date(php(zone, kind))
    assert moment is not None
    assert moment.utcoffset() == offset
    assert moment.replace(tzinfo=None) == datetime(2023, 7, 2, 22, 44, 43)


@pytest.mark.parametrize("text", ["2023-07-02 22:44:43.250000", "2023-07-02 22:44:43", "2023-07-02 22:44"])
def test_the_text_of_a_date_object_may_be_shorter(text: str) -> None:
    moment = php_date(php("UTC", 3, text))
    assert moment is not None
    assert moment.isoformat(" ").startswith(text)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        [],
        {},
        False,
        0,
        "0000-00-00 00:00:00",
        php("UTC", 3, None),
        php("UTC", 3, 5),
        php("UTC", 3, ""),
        php("UTC", 3, "-0001-11-30 00:00:00.000000"),
        php("UTC", 3, "0000-00-00 00:00:00"),
        php("UTC", 3, "tomorrow"),
        php("UTC", 3, "2023-13-45 00:00:00"),
        php("Nowhere/At_All", 3),
        php("XYZT", 2),
        php("+99:00", 1),
        php("../../etc/passwd", 3),
        php(None, 3),
        php("", 3),
        {"date": TEXT},
        {"timezone": "UTC"},
        object(),
        float("nan"),
        Decimal("Infinity"),
        "9" * 40,
        10**40,
    ],
)
def test_what_is_no_time_or_none_that_can_be_read_is_none(value: Any) -> None:
    assert php_date(value) is None
    assert any_time(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2023-07-02T20:44:43Z",
        "2023-07-02T22:44:43+02:00",
        "2023-07-02 20:44:43",
        "2023-07-02 20:44:43.000",
        1688330683,
        "1688330683",
        1688330683000,
        "1688330683000",
        1688330683.0,
        Decimal(1688330683),
        php("Europe/Paris", 3),
        php("+02:00", 1),
    ],
)
def test_a_time_of_a_callback_in_any_form(value: Any) -> None:
    moment = any_time(value)
    assert moment == datetime(2023, 7, 2, 20, 44, 43, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is not None


@settings(deadline=None)  # the first example may load tables
@given(
    moment=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9998, 1, 1)),
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_any_moment_with_an_offset_comes_back_as_it_is(moment: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    sign = "-" if minutes < 0 else "+"
    text = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert php_date(php(text, 1, f"{moment:%Y-%m-%d %H:%M:%S.%f}".rjust(26, "0"))) == moment.replace(tzinfo=zone)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@settings(deadline=None)  # the first example may load tables
@given(value=JSON | st.fixed_dictionaries({"date": JSON, "timezone_type": JSON, "timezone": JSON}))
def test_nothing_at_all_raises_and_what_comes_is_aware(value: Any) -> None:
    for read in (php_date, any_time):
        moment = read(value)
        assert moment is None or moment.utcoffset() is not None
