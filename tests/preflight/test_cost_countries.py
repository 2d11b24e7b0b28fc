"""The country of a number: the same as the library's, whatever the number."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk import phone
from mensasdk.preflight.countries import country_of

CALLING_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
SHARED = [code for code in CALLING_CODES if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) > 1]


def number(calling_code: int, national: str) -> phone.PhoneNumber:
    return phone.PhoneNumber(f"+{calling_code}{national}", calling_code, national, national)


def examples(region: str) -> list[phone.PhoneNumber]:
    """Return a number of each type that the region has."""
    found = [phonenumbers.example_number_for_type(region, kind) for kind in range(11)]
    return [
        number(one.country_code or 0, phonenumbers.national_significant_number(one)) for one in found if one is not None
    ]


def variants() -> st.SearchStrategy[phone.PhoneNumber]:
    """Return numbers like those of a country of a shared calling code, with their last digits changed."""
    regions = [region for code in SHARED for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]]
    known = [one for region in regions for one in examples(region)]
    return st.builds(
        lambda one, kept, digits: number(
            one.country_code, (one.national[:kept] + digits)[: len(one.national)].ljust(len(one.national), "0")
        ),
        st.sampled_from(known),
        st.integers(0, 12),
        st.text("0123456789", min_size=12, max_size=12),
    )


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_each_country_is_told_by_numbers_of_every_type_that_it_has(region: str) -> None:
    known = examples(region)
    assert known
    for one in known:
        assert country_of(one.e164) == one.country


@given(variants())
def test_countries_that_share_a_calling_code_are_told_apart_as_the_library_does(one: phone.PhoneNumber) -> None:
    assert country_of(one.e164) == one.country


@given(st.sampled_from(CALLING_CODES), st.from_regex(r"[0-9]{3,12}", fullmatch=True))
@example(39, "0669812345")  # the Vatican's range
@example(1, "8002345678")  # free numbers
@example(883, "510012345")  # a calling code of no country
def test_any_digits_behind_any_calling_code_are_judged_as_the_library_does(code: int, national: str) -> None:
    one = number(code, national)
    assert country_of(one.e164) == one.country


@pytest.mark.parametrize(
    ("e164", "country"),
    [
        ("+34600000000", "ES"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+18095550123", "DO"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        ("+447400123456", "GB"),
        ("+447781123456", "GG"),
        ("+390669812345", "VA"),
        ("+80012345678", None),
    ],
)
def test_well_known_numbers_belong_to_their_country(e164: str, country: str | None) -> None:
    assert country_of(e164) == country


@pytest.mark.parametrize("text", ["", "+", "34600000000", "600", "+0034600", "+999123456", "+²34", "ES", "+ 34"])
def test_what_begins_with_no_plus_and_calling_code_has_no_country(text: str) -> None:
    assert country_of(text) is None
