"""A message on disk: what is written comes back, whatever it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from mensasdk import ConfigurationError, MensatekOptions, Message, VendorOptions
from mensasdk.journal.packing import check_options, decode_messages, encode_messages


@frozen
class Everything(VendorOptions):
    """Options with a value of any kind that one may think of."""

    value: Any = None
    _private: int = 0


class Plain(VendorOptions):
    """Options that are no attrs class."""


words = st.text(st.characters(), max_size=20)  # with half surrogate pairs, which only the vendors refuse
numbers = words.filter(str.strip)
# Whole seconds: Python itself does not read an offset of a microsecond back.
offsets = st.integers(-86000, 86000).map(lambda seconds: timezone(timedelta(seconds=seconds)))
moments = st.datetimes(timezones=st.one_of(st.timezones(), offsets))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    words,
    st.binary(max_size=20),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=offsets),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(words, st.integers()), inner, max_size=3),
    ),
    max_leaves=6,
)
options = st.one_of(
    st.none(),
    st.builds(Everything, values, st.integers()),
    st.builds(MensatekOptions, report=st.booleans(), message_id=st.none() | words, unicode=st.booleans()),
)
messages = st.builds(
    Message,
    numbers,
    words,
    sender=st.none() | words,
    template=st.none() | words,
    variables=st.dictionaries(words, words, max_size=3),
    schedule_at=st.none() | moments,
    not_after=st.none() | moments,
    reference=st.none() | words,
    options=options,
    place=st.none() | st.integers(0, 2**63 - 1),
)


def instant(moment: datetime | None) -> datetime | None:
    # Moments of two zones are never equal in a clock change, so they are compared as instants.
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def decoded(message: Message) -> Message:
    [found] = decode_messages(encode_messages([message]), 1)
    return found


@pytest.mark.slow
@given(st.lists(messages, min_size=1, max_size=4), st.data())
def test_messages_come_back_as_they_were_alone_and_together(some: list[Message], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=6))  # the same ones over and over, too
    for message, found in zip(some, decode_messages(encode_messages(some), len(some)), strict=True):
        assert instant(found.schedule_at) == instant(message.schedule_at)
        assert instant(found.not_after) == instant(message.not_after)
        assert type(found.options) is type(message.options)
        assert found.place == message.place
        without: Mapping[str, Any] = {"schedule_at": None, "not_after": None}
        assert evolve(found, **without) == evolve(message, **without)


@pytest.mark.parametrize("places", [[*range(2, 1002)], [2, 4, 5], [None, 7], [7, None], [3, 2], [5, 5], [0]])
def test_places_come_back_in_any_order(places: list[int | None]) -> None:
    some = [Message("+34600000000", "Hola", place=place) for place in places]
    assert [one.place for one in decode_messages(encode_messages(some), len(some))] == places


def test_places_that_follow_each_other_cost_next_to_nothing() -> None:
    without = encode_messages([Message(str(number)) for number in range(1000)])
    assert len(encode_messages([Message(str(number), place=number) for number in range(1000)])) < len(without) + 20


def test_what_is_equal_and_not_the_same_is_not_taken_for_it() -> None:
    """1 is True, and a moment in one zone is that in another."""
    values = [1, True, 1.0, Decimal(1), Decimal("1.0")]
    some = [Message("1", options=Everything(value)) for value in values]
    found = [message.options for message in decode_messages(encode_messages(some), 5)]
    assert [repr(one.value) for one in found if isinstance(one, Everything)] == [repr(value) for value in values]
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    moments = [noon, noon.astimezone(ZoneInfo("Europe/Madrid"))]
    some = [Message("1", not_after=moment) for moment in moments]
    found_moments = [message.not_after for message in decode_messages(encode_messages(some), 2)]
    assert [str(moment) for moment in found_moments] == [str(moment) for moment in moments]


def test_what_all_share_stands_there_once() -> None:
    options = MensatekOptions(report=True)
    some = [Message(f"{n}", "hola {n}", variables={"n": f"Ana {n}"}, options=options) for n in range(50)]
    data = encode_messages(some)
    assert data.count(b"hola {n}") == data.count(b"MensatekOptions") == 1
    assert data.count(b"Ana") == 50
    assert decode_messages(data, 50) == some


def test_a_moment_in_a_zone_keeps_its_instant_in_the_hour_that_comes_twice() -> None:
    for fold in (0, 1):
        moment = datetime(2030, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Madrid"), fold=fold)
        found = decoded(Message("1", schedule_at=moment)).schedule_at
        assert instant(found) == instant(moment)


def test_what_is_at_its_default_takes_no_room() -> None:
    assert encode_messages([Message("1", "hola")]) == b'{"to":"1","text":"hola"}'
    assert encode_messages([Message("1", "hola"), Message("2", "hola")]) == b'{"text":"hola","each":{"to":["1","2"]}}'


def test_large_integers_and_exact_decimals_survive() -> None:
    options = Everything({"n": 2**70, "price": Decimal("0.10"), 5: (1, [2])})
    found = decoded(Message("1", options=options)).options
    assert found == options


def test_options_of_a_class_that_is_not_there_are_an_error_that_names_it() -> None:
    data = encode_messages([Message("1", options=Everything(1))]).replace(b"Everything", b"Nothing")
    with pytest.raises(ConfigurationError, match="Nothing"):
        decode_messages(data, 1)


@pytest.mark.parametrize("options", [Plain(), Everything(object()), Everything(b"x".__class__)])
def test_options_that_cannot_be_kept_are_refused_by_name(options: VendorOptions) -> None:
    for keep in (check_options, lambda message: encode_messages([message])):
        with pytest.raises(ConfigurationError, match=type(options).__name__):
            keep(Message("1", options=options))


def test_options_are_read_by_a_program_that_has_not_loaded_their_vendor() -> None:
    """`mensasdk receive` and the like look into a journal and send nothing."""
    data = encode_messages([Message("+34600000001", "hola", options=MensatekOptions(report=True))])
    code = f"from mensasdk.journal.packing import decode_messages as read; print(read({data!r}, 1)[0].options.report)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"
