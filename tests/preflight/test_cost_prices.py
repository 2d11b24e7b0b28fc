"""The table of prices: what it takes, what it refuses, and which price is a number's."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import pickled

from mensasdk import ConfigurationError, Message, ValidationError
from mensasdk.preflight.countries import country_of
from mensasdk.preflight.prices import Prices

SPAIN, MEXICO, CANADA, NEW_YORK = "+34600000000", "+525589520028", "+14165550123", "+12125550123"
NOBODY = "+11115550123"  # shares +1, and belongs to no country
MOVISTAR, DIGITEL = "+584141234567", "+584121234567"


# ----------------------------------------------------------------------------------------------- which price it is


def test_a_price_is_found_by_number_and_by_country() -> None:
    prices = Prices({"ES": "0.9", "mx": Decimal("0.35")})
    assert prices.of(SPAIN) == prices.of("ES") == Decimal("0.9")
    assert prices.of(MEXICO) == prices.of("MX") == Decimal("0.35")


def test_without_a_price_it_is_the_default_and_without_a_default_none() -> None:
    assert Prices({"ES": 1}).of(MEXICO) is None
    assert Prices({"ES": 1}, default="2").of(MEXICO) == 2
    assert Prices({"ES": 1}, default="2").of(None) == 2
    assert Prices({}, default=0).of(SPAIN) == 0


def test_the_price_of_a_calling_code_is_that_of_all_its_countries_and_of_numbers_of_none() -> None:
    prices = Prices({"+1": "0.5"})
    assert country_of(NOBODY) is None
    assert {prices.of(where) for where in (CANADA, NEW_YORK, NOBODY, "US", "CA", "DO")} == {Decimal("0.5")}
    assert prices.of(SPAIN) is None


def test_a_country_goes_before_its_calling_code() -> None:
    prices = Prices({"+1": "0.5", "CA": "0.7"})
    assert [prices.of(where) for where in (CANADA, NEW_YORK, NOBODY)] == [Decimal(p) for p in ("0.7", "0.5", "0.5")]


def test_a_part_of_a_country_goes_before_the_country_and_the_longest_before_all() -> None:
    prices = Prices({"VE": 4, "+58414": 3, "+584141": 2}, default=9)
    assert [prices.of(where) for where in (DIGITEL, "+584149999999", MOVISTAR, "VE", SPAIN)] == [4, 3, 2, 4, 9]


def test_a_part_shorter_than_the_digits_that_are_looked_up_first_is_found() -> None:
    assert Prices({"+79": 2, "RU": 1}).of("+79161234567") == 2
    assert Prices({"+1809": 2, "DO": 1}).of("+18095550123") == 2


def test_numbers_of_no_country_have_no_countrys_price() -> None:
    """All countries of +7 cost the same here; a number that none of them has given out still is none of theirs."""
    nobody = "+70005550123"
    assert country_of(nobody) is None
    prices = Prices({"RU": 1, "KZ": 1, "+800": 3}, default=2)
    assert [prices.of(where) for where in ("+79161234567", nobody, "+80012345678", "+883510012345")] == [1, 2, 3, 2]


@given(
    st.dictionaries(
        st.sampled_from(
            ["ES", "US", "CA", "KZ", "GB", "GG", "+1", "+7", "+44", "+34", "+1416", "+77", "+346", "+4477"]
        ),
        st.integers(0, 5),
    ),
    st.none() | st.integers(6, 7),
    st.lists(st.sampled_from(["+1416", "+1212", "+1800", "+7701", "+7916", "+44778", "+44791", "+346", "+349", "+52"])),
    st.text("0123456789", min_size=9, max_size=9),
)
def test_the_order_of_lookups_never_changes_a_price(
    table: dict[str, Any], default: int | None, heads: list[str], rest: str
) -> None:
    """Prices are remembered by a number's first digits; that must not spoil the price of another number."""
    shared = Prices(table, default=default)
    for head in [*heads, *heads]:
        number = (head + rest)[: 13 if head[:2] != "+1" else 12]
        country = country_of(number)
        code = next(number[:end] for end in (2, 3, 4) if int(number[1:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
        ranges = [key for key in table if key.startswith(code) and key != code and number.startswith(key)]
        expected = default
        if ranges:
            expected = table[max(ranges, key=len)]
        elif country in table:
            expected = table[country]
        elif code in table:
            expected = table[code]
        assert shared.of(number) == expected


# ------------------------------------------------------------------------------------------------------------ cost


@pytest.mark.parametrize(("parts", "cost"), [(0, "0.9"), (1, "0.9"), (2, "1.8"), (7, "6.3")])
def test_the_cost_is_the_price_of_each_part_and_one_part_at_least(parts: int, cost: str) -> None:
    assert Prices({"ES": "0.9"}).cost(SPAIN, parts) == Decimal(cost)


def test_the_callers_decimal_context_rounds_no_cost() -> None:
    with localcontext() as context:
        context.prec = 2
        assert Prices({"ES": "1.23456789"}).cost("ES", 3) == Decimal("3.70370367")


@pytest.mark.parametrize(
    ("where", "names"), [("FR", "price for FR"), ("+33612345678", "price for FR"), (NOBODY, "***123"), (None, "***")]
)
def test_what_has_no_price_is_refused_with_country_and_remedy(where: str | None, names: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Prices({"ES": 1}).cost(where, 1)
    assert (caught.value.code, caught.value.field) == ("no_price", "to")
    assert names in str(caught.value)
    assert "default" in str(caught.value)
    assert "612345" not in str(caught.value)
    assert "111555" not in str(caught.value)


def test_as_a_screen_it_passes_messages_that_have_a_price_and_refuses_the_rest() -> None:
    message = Message(SPAIN, "Hola")
    assert Prices({"ES": 1}).screen(message, SPAIN) is message
    assert Prices({}, default=1).screen(message, SPAIN) is message
    with pytest.raises(ValidationError) as caught:
        Prices({"MX": 1}).screen(message, SPAIN)
    assert caught.value.code == "no_price"


# -------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "price", [0.9, 1.0, True, None, "", "abc", "0,9", "-1", -1, Decimal("NaN"), "Infinity", "1e13", "0.0000000000001"]
)
def test_what_is_no_amount_is_refused(price: Any) -> None:
    with pytest.raises(ValidationError):
        Prices({"ES": price})


def test_a_float_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValidationError, match=r'price of ES is a float.*give "0\.9" or Decimal'):
        Prices({"ES": 0.9})  # type: ignore[dict-item]
    with pytest.raises(ValidationError, match="float"):
        Prices({}, default=0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key", ["", "E", "ESP", "XX", "UK", "+", "+0", "+999", "España", "3 4", "+34 600", "*", 34, None]
)
def test_a_key_that_is_no_country_and_no_calling_code_is_refused(key: Any) -> None:
    with pytest.raises(ValidationError, match="neither a country nor a calling code"):
        Prices({key: 1})


def test_the_refusal_of_uk_says_what_it_should_be() -> None:
    with pytest.raises(ValidationError, match="the United Kingdom is GB"):
        Prices({"UK": 1})


def test_a_country_that_no_number_leads_to_may_stand_in_a_table() -> None:
    assert Prices({"AQ": 1}).of("AQ") == 1


@pytest.mark.parametrize("keys", [("ES", "es"), ("+34", "34")])
def test_a_key_may_not_stand_there_twice(keys: tuple[str, str]) -> None:
    with pytest.raises(ValidationError, match="twice"):
        Prices(dict.fromkeys(keys, 1))


def test_a_table_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValidationError, match="list"):
        Prices([("ES", 1)])  # type: ignore[arg-type]


def test_it_is_a_value_that_can_be_compared_pickled_and_hashed() -> None:
    prices = Prices({"ES": "0.9", "+1": 1}, default=3)
    assert prices.of(NOBODY) == 1
    copy = pickled(prices)
    assert copy == prices
    assert hash(copy) == hash(prices)
    assert copy.of(NOBODY) == 1
    assert prices != Prices({"ES": "0.8", "+1": 1}, default=3)


def test_it_does_not_change_with_the_mapping_that_it_was_made_of() -> None:
    table: dict[str, Decimal | str | int] = {"ES": 1}
    prices = Prices(table)
    table["MX"] = 2
    assert prices.of("MX") is None


# -------------------------------------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    "text",
    [
        "country,price\nES,0.9\n+1,1.25\n*,2\n",
        "country;price\nES;0,9\n1;1,25\n*;2\n",
        "\ufeffName;Country;Price\r\nSpain;es;0.9\r\n;+1;1,25\r\n;;\r\nrest;*;2\r\n",
        "price\tcountry\n0,9\tES\n1.25\t1\n2\t*",
        'country,price\n"ES"," 0.9 "\n\n +1 ,1.25\n*,2',
    ],
)
def test_a_table_is_read_from_a_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_bytes(text.encode())
    expected = Prices({"ES": "0.9", "+1": "1.25"}, default=2)
    assert Prices.from_csv(tmp_path / "prices.csv", default=7) == expected


def test_the_default_of_a_file_without_one_is_the_given_one(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("country,price\nES,1\n")
    assert Prices.from_csv(str(tmp_path / "prices.csv")).default is None
    assert Prices.from_csv(tmp_path / "prices.csv", default="3").default == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns"),
        ("land,price\nES,1\n", "columns"),
        ("country,price\nES,0,9\n", "line 2.*more cells"),
        ("country,price\nES,1\nXX,1\n", "line 3.*'XX'"),
        ("country,price\nES,\n", "line 2.*no amount"),
        ("country,price\nES\n", "line 2.*no amount"),
        ("country,price\n,1\n", "line 2.*neither"),
        ("country;price\nES;1.234,5\n", "line 2.*no amount"),
        ("country,price\nES,-1\n", "line 2.*negative"),
        ("country,price\nES,1\nes,1\n", "line 3.*ES a second time"),
        ("country,price\n*,1\n*,1\n", "line 3.*second time"),
        ("country,price\nES,1" + "0" * 200_000, "no CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(text)
    with pytest.raises(ValidationError, match=words):
        Prices.from_csv(tmp_path / "prices.csv")


def test_a_file_that_cannot_be_read_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Prices.from_csv(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("country,price\nES,1\n#España,\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="UTF-8"):
        Prices.from_csv(tmp_path / "latin.csv")


# ------------------------------------------------------------------------------------------------ a vendor's list


def test_a_vendors_list_is_taken_by_country_and_by_calling_code() -> None:
    prices = Prices.from_list([("US", "1", Decimal("0.5")), ("MX", "52", Decimal("0.4"))])
    assert prices == Prices({"US": "0.5", "+1": "0.5", "MX": "0.4", "+52": "0.4"})
    assert prices.of(CANADA) == Decimal("0.5")


@pytest.mark.parametrize("step", [1, -1])
def test_a_country_that_the_list_does_not_have_costs_the_most_that_its_calling_code_does(step: int) -> None:
    listed = [("US", "1", Decimal(5)), ("CA", "1", Decimal(7)), ("DO", "1809", Decimal(9))]
    prices = Prices.from_list(listed[::step])
    assert [prices.of(where) for where in (NEW_YORK, CANADA, "+18765550123", "+18095550123")] == [5, 7, 7, 9]


@pytest.mark.parametrize(
    "entry",
    [
        ("", "", Decimal(1)),
        ("ES", "34", None),
        ("ES", "34", Decimal("NaN")),
        ("ES", "34", Decimal(-1)),
        ("Ñ", "x", Decimal(1)),
    ],
)
def test_what_cannot_be_used_of_a_vendors_list_is_passed_over(entry: tuple[str, str, Decimal | None]) -> None:
    assert Prices.from_list([entry, ("MX", "+52", Decimal(1))], default=3) == Prices({"MX": 1, "+52": 1}, default=3)


def test_an_entry_with_a_code_of_its_own_making_is_taken_by_its_calling_code() -> None:
    assert Prices.from_list([("UK", "44", Decimal(2))]).of("GB") == 2
