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
from mensasdk.batch.stored import decode_message, encode_message


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
)


def instant(moment: datetime | None) -> datetime | None:
    # Moments of two zones are never equal in a clock change, so they are compared as instants.
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        return None


@given(messages)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    text = encode_message(message)
    text.encode()  # SQLite takes nothing that UTF-8 cannot say
    found = decode_message(text)
    assert instant(found.schedule_at) == instant(message.schedule_at)
    assert instant(found.not_after) == instant(message.not_after)
    assert type(found.options) is type(message.options)
    without: Mapping[str, Any] = {"schedule_at": None, "not_after": None}
    assert evolve(found, **without) == evolve(message, **without)


def test_a_moment_in_a_zone_keeps_its_instant_in_the_hour_that_comes_twice() -> None:
    for fold in (0, 1):
        moment = datetime(2030, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Madrid"), fold=fold)
        found = decode_message(encode_message(Message("1", schedule_at=moment))).schedule_at
        assert instant(found) == instant(moment)


def test_what_is_at_its_default_takes_no_room() -> None:
    assert encode_message(Message("1", "hola")) == '{"to":"1","text":"hola"}'


def test_large_integers_and_exact_decimals_survive() -> None:
    options = Everything({"n": 2**70, "price": Decimal("0.10"), 5: (1, [2])})
    found = decode_message(encode_message(Message("1", options=options))).options
    assert found == options


def test_options_of_a_class_that_is_not_there_are_an_error_that_names_it() -> None:
    text = encode_message(Message("1", options=Everything(1))).replace("Everything", "Nothing")
    with pytest.raises(ConfigurationError, match="Nothing"):
        decode_message(text)


@pytest.mark.parametrize("options", [Plain(), Everything(object()), Everything(b"x".__class__)])
def test_options_that_cannot_be_kept_are_refused_by_name(options: VendorOptions) -> None:
    with pytest.raises(ConfigurationError, match=type(options).__name__):
        encode_message(Message("1", options=options))


def test_options_are_read_by_a_program_that_has_not_loaded_their_vendor() -> None:
    """`mensasdk receive` and the like look into a journal and send nothing."""
    text = encode_message(Message("+34600000001", "hola", options=MensatekOptions(report=True)))
    code = f"from mensasdk.batch.stored import decode_message; print(decode_message({text!r}).options.report)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"
