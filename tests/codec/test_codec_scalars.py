"""Single values: every spelling that vendors use, and nothing that could be read in two ways."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mensasdk.codec import to_bool, to_decimal, to_int, to_str
from mensasdk.codec.scalars import Blank, Misfit


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12345.67", "12345.67"),
        ("12.345,67", "12345.67"),
        ("67,17", "67.17"),
        ("14970,00", "14970.00"),
        ("14.970,00", "14970.00"),
        ("1,234.56", "1234.56"),
        ("1.234.567,89", "1234567.89"),
        ("1,234,567.89", "1234567.89"),
        (" 12 ", "12"),
        ("-1", "-1"),
        ("+1.5", "1.5"),
        ("1.234", "1.234"),  # a single mark is the decimal one
        ("1,234", "1.234"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1e3", "1000"),
        (3, "3"),
        (19808.45, "19808.45"),
        (0.1, "0.1"),
        (Decimal("9.50"), "9.50"),
    ],
)
def test_amounts_in_every_spelling(value: Any, amount: str) -> None:
    assert to_decimal(value) == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    ["abc", "1.2.3", "1,2.3", "12.34.567", "1.234,567,8", "1 000", "1_000", "٣", ".", "-", "0x10", "1e9999",
     "9" * 65, 10**70, Decimal("1e999999999"), [], {}, True],
)  # fmt: skip
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        to_decimal(value)


@pytest.mark.parametrize("read", [to_decimal, to_int])
@pytest.mark.parametrize(
    "value",
    [None, "", "  ", "nan", "NaN", "null", "inf", float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")],
)
def test_nothing_is_blank_and_not_zero(read: Any, value: Any) -> None:
    with pytest.raises(Blank):
        read(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_every_amount_is_read_in_all_four_styles(amount: Decimal) -> None:
    swap = str.maketrans(",.", ".,")
    for text in (f"{amount}", f"{amount:,}", f"{amount}".translate(swap), f"{amount:,}".translate(swap)):
        assert to_decimal(text) == amount


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_floats_are_taken_at_their_shortest_spelling(value: float) -> None:
    assume(value == 0 or abs(value) > 1e-60)
    assert to_decimal(value) == Decimal(repr(value))


@pytest.mark.parametrize(
    ("value", "number"),
    [("1", 1), ("-3", -3), ("1.0", 1), ("12,00", 12), (1.0, 1), (Decimal("7.00"), 7), (True, 1), (False, 0), (" 5 ", 5),
     ("0011", 11), (2**80, 2**80), (str(2**80), 2**80)],
)  # fmt: skip
def test_whole_numbers_in_every_spelling(value: Any, number: int) -> None:
    read = to_int(value)
    assert read == number
    assert type(read) is int


@pytest.mark.parametrize(
    "value", ["1.5", 1.5, Decimal("0.1"), 1e300, float(2**53), "abc", "9" * 5_000, [], {}, "1,234"]
)
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        to_int(value)


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", " Si ", "sí", "SÍ", "yes", 1.0, Decimal(1)])
def test_words_for_yes(value: Any) -> None:
    assert to_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "No", 0.0])
def test_words_for_no(value: Any) -> None:
    assert to_bool(value) is False


@pytest.mark.parametrize("value", ["maybe", 2, -1, "2", [], {}, None, ""])
def test_a_word_that_nobody_knows_is_not_a_flag(value: Any) -> None:
    with pytest.raises(Misfit):
        to_bool(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("", ""), (" x ", " x "), (27184020, "27184020"), (27184020.0, "27184020"), (Decimal("27184020.0"), "27184020"),
     (2**80, str(2**80)), (1.5, "1.5"), (True, "true"), (Decimal("1.50"), "1.50"), (-0.0, "0"), (1e-7, "0.0000001")],
)  # fmt: skip
def test_ids_and_texts(value: Any, text: str) -> None:
    assert to_str(value) == text


@pytest.mark.parametrize("value", [None, [], {}, ["x"], 1e20, float("nan"), Decimal("1e999999"), 10**64])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        to_str(value)


def test_an_integer_of_thousands_of_digits_is_refused_before_it_is_written_out() -> None:
    with pytest.raises(Misfit):
        to_str(10**5_000)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=12) | st.just([]))
def test_a_reader_gives_its_type_or_refuses(value: Any) -> None:
    for read, kind in ((to_int, int), (to_decimal, Decimal), (to_bool, bool), (to_str, str)):
        try:
            result = read(value)
        except Misfit:
            continue
        assert type(result) is kind
