"""A set of keys in a tenth of the memory answers as a plain set of their first eight bytes does."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from hashlib import blake2b

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk.journal.keyset import KeySet

# A key of these bytes leaves seven of three kinds in one of six buckets: most finds are between two keys.
ALIKE = st.lists(st.sampled_from(b"\0\1\xff"), min_size=8, max_size=10).map(bytes)
FEW = [0, 1, 7, 10_000]


def hashes(count: int, start: int = 0) -> Iterator[bytes]:
    for number in range(start, start + count):
        yield blake2b(number.to_bytes(8, "little"), digest_size=16).digest()


def in_bucket(*rests: bytes) -> list[bytes]:
    """Return keys of one bucket that leave just these bytes in it, where the two highest bits of each are the same."""
    assert len({rest[0] >> 2 for rest in rests}) == 1
    return [b"\0" + rest for rest in rests]


@given(steps=st.lists(st.tuples(st.booleans(), ALIKE | st.binary(min_size=8, max_size=10))), few=st.sampled_from(FEW))
@example(steps=[(True, key) for key in in_bucket(b"\1\0\0\0\0\0\0", b"\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\1")], few=0)
def test_it_answers_as_a_plain_set_of_prefixes(steps: list[tuple[bool, bytes]], few: int) -> None:
    """Before, at and after the change-over, and where keys can be found across the border of two others."""
    keys, plain = KeySet(few=few), set[bytes]()
    for adds, key in steps:
        if adds:
            assert keys.add(key) is (key[:8] not in plain)
            plain.add(key[:8])
        assert (key in keys) is (key[:8] in plain)
        assert len(keys) == len(plain)
    assert all(key in keys for key in plain)


@pytest.mark.slow
@pytest.mark.parametrize("few", [0, 100, 4096])
def test_thousands_of_keys_that_are_alike_answer_as_a_plain_set_of_prefixes(few: int) -> None:
    """With 3**8 keys in six buckets nearly every find is between two keys first."""
    chance = random.Random(few)
    keys, plain = KeySet(few=few), set[bytes]()
    for _ in range(8_000):
        key = bytes(chance.choices(b"\0\1\xff", k=9))
        assert (key in keys) is (key[:8] in plain)
        assert keys.add(key) is (key[:8] not in plain)
        plain.add(key[:8])
    assert len(keys) == len(plain) > 4_096


def test_bytes_between_two_keys_are_no_key() -> None:
    first, second, between = in_bucket(b"abcdefg", b"bbijklm", b"bcdefgb")
    keys = KeySet([first, second], few=0)
    assert between not in keys
    assert keys.add(between)
    assert between in keys
    assert not keys.add(between)
    assert len(keys) == 3


def test_a_key_is_found_behind_a_find_that_overlaps_it() -> None:
    first, second = in_bucket(b"\1\0\0\0\0\0\0", b"\0\0\0\0\0\0\0")
    keys = KeySet([first, second], few=0)
    assert second in keys
    assert not keys.add(second)


@pytest.mark.parametrize("few", FEW)
def test_each_bit_of_the_first_eight_bytes_counts_and_no_later_one(few: int) -> None:
    key = bytes.fromhex("0123456789abcdef")
    keys = KeySet([key], few=few)
    for bit in range(64):
        other = (int.from_bytes(key, "big") ^ 1 << bit).to_bytes(8, "big")
        assert other not in keys
        assert keys.add(other)
    assert key + b"more" in keys
    assert not keys.add(key + b"other")
    assert len(keys) == 65


@pytest.mark.parametrize("count", [4_095, 4_096, 4_097, 20_000])
def test_nothing_is_lost_in_the_change_over(count: int) -> None:
    keys = KeySet()
    assert [keys.add(key) for key in hashes(count)] == [True] * count
    assert [keys.add(key) for key in hashes(count)] == [False] * count
    assert all(key in keys for key in hashes(count))
    assert not any(key in keys for key in hashes(1_000, start=count))
    assert len(keys) == count


def test_what_it_is_given_and_updated_with_is_in_it() -> None:
    keys = KeySet(hashes(3))
    keys.update(hashes(5))
    assert len(keys) == 5
    assert all(key in keys for key in hashes(5))


@pytest.mark.parametrize("few", [0, 10])
@pytest.mark.parametrize("key", [b"", b"a", b"abcdefg"])
def test_a_short_key_is_refused_and_not_taken_for_the_beginning_of_another(key: bytes, few: int) -> None:
    keys = KeySet([b"abcdefgh"], few=few)
    with pytest.raises(ValueError, match="at least 8 bytes"):
        keys.add(key)
    with pytest.raises(ValueError, match="at least 8 bytes"):
        _ = key in keys
    assert len(keys) == 1


def memory(count: int) -> int:
    tracemalloc.start()
    try:
        keys = KeySet(hashes(count))
        return tracemalloc.get_traced_memory()[0] if len(keys) == count else 0
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_set_of_many_takes_a_dozen_bytes_for_each() -> None:
    """A set of integers takes seventy."""
    assert 7 < memory(150_000) / 150_000 < 14


def test_a_set_of_ten_takes_no_room_for_millions() -> None:
    assert 0 < memory(10) < 5_000


def test_the_change_over_does_not_take_more_room_than_the_plain_set_had() -> None:
    assert memory(4_097) < 1.2 * memory(4_096)
