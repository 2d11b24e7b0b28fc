"""Reading phone numbers, and refusing what is not exactly one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shared import pickled
from tiers import examples

from mensasdk.errors import OutcomeKind, ValidationError
from mensasdk.phone import PhoneNumber, digits, e164, mask, parse, same_number


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+34600000000", None),
        ("+34 600 00 00 00", None),
        ("0034600000000", None),
        ("00 34 600 000 000", None),
        ("(+34) 600-000-000", None),
        ("(0034) 600.000.000", None),
        ("34600000000", None),
        ("34 600 000 000", None),
        ("tel:+34-600-000-000", None),
        ("TEL:+34600000000", None),
        ("  +34600000000  ", None),
        ("+34\u00a0600\u2009000\u202f000", None),
        ("\u202a+34\u2011600\u2013000\u2212000\u202c", None),
        ("＋３４６００００００００", None),
        ("＋３４（６００）０００－０００", None),
        ("+٣٤٦٠٠٠٠٠٠٠٠", None),
        ("600000000", "ES"),
        ("600 000 000", "es"),
        ("34600000000", "ES"),
        ("+34600000000", "ES"),
        ("+34600000000", "MX"),
        ("34600000000", "MX"),
        ("0034600000000", "ES"),
        ("0034600000000", "AU"),
        ("0011 34 600 000 000", "AU"),
        ("011 34 600 000 000", "US"),
    ],
)
def test_spellings_of_one_spanish_mobile_number(number: str, country: str | None) -> None:
    found = parse(number, default_country=country)
    assert (found.e164, found.country_code, found.national, found.country, found.given) == (
        "+34600000000",
        34,
        "600000000",
        "ES",
        number,
    )


@pytest.mark.parametrize(
    ("number", "country", "e164", "region"),
    [
        ("+44 (0) 7400 123456", None, "+447400123456", "GB"),
        ("07400 123456", "GB", "+447400123456", "GB"),
        ("+39 06 1234 5678", None, "+390612345678", "IT"),
        ("+390612345678", None, "+390612345678", "IT"),
        ("(202) 555-0123", "US", "+12025550123", "US"),
        ("1 202 555 0123", "US", "+12025550123", "US"),
        ("+1 416 555 0123", "ES", "+14165550123", "CA"),
        ("0412-1234567", "VE", "+584121234567", "VE"),
        ("55 1234 5678", "MX", "+525512345678", "MX"),
        ("011 15-2345-6789", "AR", "+5491123456789", "AR"),
        ("+800 1234 5678", None, "+80012345678", None),
        # Singapore's own international prefix wins over reading 00 as a plus, which would give a Jamaican number.
        ("001 65 8123 4567", "SG", "+6581234567", "SG"),
    ],
)
def test_trunk_prefixes_leading_zeros_and_shared_codes(
    number: str, country: str | None, e164: str, region: str | None
) -> None:
    found = parse(number, default_country=country)
    assert (found.e164, found.country) == (e164, region)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+52 1 55 1234 5678", None),
        ("+5215512345678", None),
        ("+52 (1) 55-1234-5678", None),
        ("+521 55 1234 5678", "MX"),
        ("+5215512345678", "ES"),
        ("0052 1 55 1234 5678", None),
        ("0052 1 55 1234 5678", "MX"),
        ("0052 1 55 1234 5678", "ES"),
        ("011 52 1 55 1234 5678", "US"),
        ("5215512345678", None),
        ("52 1 55 1234 5678", "MX"),
        ("5215512345678", "ES"),
        ("tel:+52-1-55-1234-5678", None),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_the_old_spelling_of_a_mexican_mobile_number_is_read_without_its_1(
    number: str, country: str | None, strict: bool
) -> None:
    found = parse(number, default_country=country, strict=strict)
    assert (found.e164, found.country_code, found.national, found.country, found.given) == (
        "+525512345678",
        52,
        "5512345678",
        "MX",
        number,
    )
    assert digits(number, default_country=country) == "525512345678"
    assert same_number(number, "+525512345678", default_country=country)


@given(st.integers(2 * 10**9, 10**10 - 1))
def test_with_and_without_the_old_1_every_mexican_number_has_one_verdict(national: int) -> None:
    assert ours(f"+521{national}") == ours(f"+52{national}") == f"+52{national}"
    assert ours(f"521{national}") == ours(f"52{national}")


@pytest.mark.parametrize(
    ("number", "country", "reason"),
    [
        ("+52 1 155 123 4567", None, "is too long for calling code"),  # no Mexican number begins with 1
        ("+52 1 055 123 4567", None, "is too long for calling code"),
        ("+52 01 55 1234 5678", None, "is too long for calling code"),  # the old trunk prefix, never dialled after 52
        ("+52 1 55 1234 56789", None, "is too long for calling code"),
        ("+52 1 1 55 1234 5678", None, "is too long for calling code"),
        ("+53 1 55 1234 5678", None, "calling code"),
        ("5210000000000", None, "calling code"),
    ],
)
def test_a_1_in_front_of_no_complete_mexican_number_is_no_old_spelling(
    number: str, country: str | None, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        parse(number, default_country=country)


def test_a_1_that_belongs_to_the_number_or_to_another_country_stays() -> None:
    # Ten digits in all: possible by its length, and so left alone.
    assert parse("+52 155 123 4567").e164 == "+521551234567"
    # The calling code of the United States, which numbers without 52 in front are far likelier to have.
    assert parse("1 55 1234 5678", default_country="MX").e164 == "+15512345678"


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("000000000", "ES"),
        ("000 000 000", "ES"),
        ("+34000000000", None),
        ("+34 000 000 000", None),
        ("0034000000000", None),
        ("0000000000", "MX"),
        ("0000000000", "US"),
        ("+44 0000000000", None),
        ("+3900000000", None),
        ("00000", "AT"),
        ("000000000000000", "DE"),
    ],
)
def test_a_national_number_of_zeros_is_nobodys(number: str, country: str | None) -> None:
    with pytest.raises(ValidationError, match=r"is not a valid number|begins with no country's calling code"):
        parse(number, default_country=country)


def test_zeros_are_taken_only_where_the_tables_know_them() -> None:
    numbers = {f"+{code}{'0' * length}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for length in range(1, 16)}
    # Toll-free numbers of no country, satellites, relief work, and Tajikistan, whose ranges the tables draw wide.
    known = {"+80000000000", "+881000000000", "+88800000000000", "+992000000000"}
    assert {number for number in numbers if ours(number) == number} == known
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number, None)) for number in known)


def test_a_number_that_only_begins_with_zeros_is_judged_like_any_other() -> None:
    assert parse("+34000000001").e164 == "+34000000001"
    assert parse("+2250102030405").e164 == "+2250102030405"


def test_the_country_is_none_where_no_sharer_of_the_code_has_given_the_number_out() -> None:
    assert parse("+1 555 555 0123").country is None


@pytest.mark.parametrize(
    ("number", "country", "reason"),
    [
        ("", None, "is empty"),
        ("   ", None, "is empty"),
        ("+", None, "is empty"),
        ("tel:", None, "is empty"),
        ("()-", None, "is empty"),
        ("+34600000000,+34600000001", None, "several numbers"),
        ("+34600000000;+34600000001", None, "several numbers"),
        ("600000000/600000001", "ES", "several numbers"),
        ("+34600000000 | +34600000001", None, "several numbers"),
        ("+34600000000 +34600000001", None, '"+" in the middle'),
        ("34+600000000", None, '"+" in the middle'),
        ("++34600000000", None, '"+" in the middle'),
        ("+34600000000\n", None, "control character"),
        ("\n+34600000000", None, "control character"),
        ("+34600000000\r\nX: y", None, "control character"),
        ("+34600\x00000000", None, "control character"),
        ("+34600\t000000", None, "control character"),
        ("+34600000000\u2028", None, "control character"),
        ("+34600000000\x85", None, "control character"),
        ("Ana 600000000", "ES", "holds a letter"),
        ("+34 600 FLOWER", None, "holds a letter"),
        ("3.46E+10", None, "holds a letter"),
        ("+34600000000 ext 5", None, "holds a letter"),
        ("+34600000000&x=1", None, "holds the character '&'"),
        ("+34600000000#5", None, "holds the character '#'"),
        ("../34600000000", None, "several numbers"),
        ("=34600000000", None, "holds the character '='"),
        ("+34²600000000", None, "holds the character '²'"),
        ("+34" + "6" * 200, None, "longer than any phone number"),
        ("+34 60000", None, "is too short for calling code +34"),
        ("+3460000000", None, "is too short for calling code +34"),
        ("+346000000001", None, "is too long for calling code +34"),
        ("60000000", "ES", "is too short for calling code +34"),
        ("0600000001", "ES", "is too long for calling code +34"),
        ("+", "ES", "is empty"),
        ("+1 555 0123", None, "lacks its area code"),
        ("555 0123", "US", "lacks its area code"),
        ("+999600000000", None, "no country's calling code"),
        ("+034600000000", None, "no country's calling code"),
        ("0600000000", None, "has no country"),
        ("600000000", None, "default_country"),
        ("9", None, "is too short"),
        ("00", None, "is too short"),
        # The length of an Australian number; a Spanish one whose caller forgot the country.
        ("612345678", None, "default_country"),
    ],
)
def test_refusals_name_field_reason_and_remedy_and_mask_the_number(
    number: str, country: str | None, reason: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(number, default_country=country, field="recipients[3]")
    error = caught.value
    assert reason in str(error)
    assert str(error).startswith("recipients[3] ")
    assert error.field == "recipients[3]"
    assert error.outcome is OutcomeKind.NOT_SENT
    assert error.__context__ is None
    shown = "".join(c for c in str(error).removeprefix("recipients[3]").split(")")[0] if c.isdigit())
    assert len(shown) <= 3


@pytest.mark.parametrize("value", [34600000000, 3.46e10, None, b"+34600000000"])
def test_what_is_no_string_is_refused_as_a_validation_error(value: object) -> None:
    with pytest.raises(ValidationError, match="to must be a string, not") as caught:
        parse(value)  # type: ignore[arg-type]
    assert caught.value.__context__ is None
    assert "346" not in str(caught.value)


@pytest.mark.parametrize("country", ["XX", "", "Spain", "34", "UK"])
@pytest.mark.parametrize("number", ["+34600000000", "600 00 00 00"])
def test_an_unknown_default_country_is_refused_whatever_the_number(country: str, number: str) -> None:
    with pytest.raises(ValidationError, match="ISO 3166") as caught:
        parse(number, default_country=country)
    assert caught.value.field == "default_country"


def test_strict_refuses_ranges_that_are_not_in_use_and_the_default_does_not() -> None:
    for number, country in [("+34100000000", None), ("+34 100 000 000", None), ("100000000", "ES")]:
        assert parse(number, default_country=country).e164 == "+34100000000"
        with pytest.raises(ValidationError, match="not a valid number for calling code") as caught:
            parse(number, default_country=country, strict=True)
        assert "100000000" not in str(caught.value)
    assert parse("+34600000000", strict=True).e164 == "+34600000000"


def test_an_international_number_without_plus_is_a_guess_and_must_be_in_use() -> None:
    assert parse("447400123456").e164 == "+447400123456"
    assert parse("+6123456789").e164 == "+6123456789"
    with pytest.raises(ValidationError, match="not a valid number"):
        parse("6123456789")
    # A Spanish number with a digit too many must not become an Australian one.
    with pytest.raises(ValidationError, match=r"too long for calling code \+34"):
        parse("6123456789", default_country="ES")


def reference(number: str, region: str | None) -> str | None:
    """Return what the library itself says, the long way, apart from Mexico's old mobile prefix and from zeros."""
    number = re.sub(r"^\+521(?=[2-9][0-9]{9}$)", "+52", number)
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    verdict = phonenumbers.is_possible_number_with_reason(found)
    if verdict != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    if not found.national_number and not phonenumbers.is_valid_number(found):
        return None
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def in_use(number: str) -> bool:
    """Tell whether the library knows the number as one in use, as it reads it at first (its E.164 may differ)."""
    number = re.sub(r"^\+521(?=[2-9][0-9]{9}$)", "+52", number)
    return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, None)))


def ours(number: str, country: str | None = None) -> str | None:
    try:
        return parse(number, default_country=country).e164
    except ValidationError:
        return None


calling_codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
regions = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))


@pytest.mark.slow
@settings(max_examples=examples(500))
@given(calling_codes, st.text("0123456789", min_size=1, max_size=14))
@example(39, "00")
@example(39, "0612345678")
@example(44, "07400123456")
@example(54, "111523456789")
@example(52, "15512345678")
@example(52, "115512345678")
@example(34, "000000000")
@example(1, "12025550123")
@example(49, "01701234567")
@example(7, "89161234567")
@example(225, "0123456789")
def test_the_quick_way_gives_the_verdict_of_the_library_for_international_numbers(code: int, rest: str) -> None:
    number = f"+{code}{rest}"
    assert ours(number) == reference(number, None)


def verdict(read: Callable[[], str]) -> str:
    try:
        return read()
    except ValidationError as error:
        return f"{error.field}: {error.message}"


@settings(max_examples=examples(500))
@given(
    st.one_of(
        st.builds("+{}{}".format, calling_codes, st.text("0123456789", max_size=14)),
        st.text("+0034 ()-.,;/\n\x00x６²", max_size=20),
    ),
    st.sampled_from([None, "ES", "IT", "XX"]),
)
@example("+34600000000", None)
@example("+34600000000", "XX")
@example("+52 15512345678", None)
@example("+5215512345678", None)
@example("+390612345678", None)
@example("+390000000000", "IT")
@example("+12025550123", None)
@example("+3460000000²", None)
@example("+3460000000６", None)
@example("+2904123", None)
@example("+", None)
@example("", None)
def test_the_short_way_to_e164_says_what_parse_says(number: str, country: str | None) -> None:
    short = verdict(lambda: e164(number, default_country=country, field="number"))
    assert short == verdict(lambda: parse(number, default_country=country, field="number").e164)


def test_the_short_way_to_e164_takes_strings_only() -> None:
    with pytest.raises(ValidationError, match="must be a string, not int"):
        e164(34600000000)  # type: ignore[arg-type]


@settings(max_examples=examples(500))
@given(regions, st.text("0123456789", min_size=1, max_size=14))
@example("US", "12025550123")
@example("JE", "797712")
@example("AR", "1123456789")
@example("BR", "11961234567")
@example("SG", "001658123456")
@example("AC", "91002801000000")
def test_the_quick_way_gives_the_verdict_of_the_library_for_national_numbers(region: str, number: str) -> None:
    assume(not number.startswith("00"))
    expected = reference(number, region)
    # Where the library knows no such national number, ours may still read an international one.
    if expected is None and number[0] != "0":
        guess = reference(f"+{number}", None)
        if guess is not None and in_use(f"+{number}"):
            expected = guess
    assert ours(number, region) == expected


@given(st.one_of(st.text(max_size=40), st.text("+0034 ()-.,;/\n\x00x６", max_size=20)), st.sampled_from([None, "ES"]))
def test_any_text_gives_a_number_of_digits_or_a_validation_error(text: str, country: str | None) -> None:
    try:
        found = parse(text, default_country=country)
    except ValidationError:
        return
    assert found.e164 == f"+{found.country_code}{found.national}"
    assert found.e164[1:].isascii()
    assert found.e164[1:].isdigit()
    assert parse(found.e164) == found


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_s_example_mobile_number_is_taken_in_each_of_its_usual_formats(region: str) -> None:
    model = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if model is None:
        model = phonenumbers.example_number(region)
    assert model is not None
    formats = phonenumbers.PhoneNumberFormat
    e164 = phonenumbers.format_number(model, formats.E164)
    assert parse(e164, strict=True).e164 == e164
    assert parse(e164[1:]).e164 == e164
    for spelling in (formats.INTERNATIONAL, formats.RFC3966):
        assert parse(phonenumbers.format_number(model, spelling)).e164 == e164
    assert parse(phonenumbers.format_number(model, formats.NATIONAL), default_country=region).e164 == e164


def test_numbers_are_equal_by_e164_and_usable_as_keys() -> None:
    first, second = parse("+34 600 000 000"), parse("600000000", default_country="ES")
    assert first == second
    assert len({first, second}) == 1
    assert first != parse("+34600000001")


def test_a_number_pickles_and_cannot_be_changed() -> None:
    number = parse("+34600000000")
    assert pickled(number) == number
    with pytest.raises(AttributeError):
        number.e164 = "+34600000001"  # type: ignore[misc]


def test_repr_and_str_show_the_last_three_digits_only() -> None:
    number = parse("+34600000123")
    assert repr(number) == str(number) == f"{number}" == "PhoneNumber(***123)"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+34600000123", "***123"),
        ("600 000 1 2 3", "***123"),
        ("６００１２３", "***123"),
        ("Ana 600123", "***123"),
        ("1234", "***234"),
        ("123", "***"),
        ("", "***"),
        ("+", "***"),
    ],
)
def test_mask(number: str, expected: str) -> None:
    assert mask(number) == expected


def test_digits_is_e164_without_its_plus() -> None:
    assert digits("+34 600 000 000") == "34600000000"
    assert digits("600000000", default_country="ES") == "34600000000"
    assert digits(PhoneNumber("+34600000000", 34, "600000000", "x")) == "34600000000"
    with pytest.raises(ValidationError, match=r"^Movil "):
        digits("x", field="Movil")


def test_same_number() -> None:
    assert same_number("34600000000", "+34 600 000 000")
    assert same_number("600000000", parse("+34600000000"), default_country="ES")
    assert not same_number("+34600000000", "+34600000001")
    assert not same_number("unknown", "unknown")
    with pytest.raises(ValidationError, match="default_country"):
        same_number("+34600000000", "+34600000000", default_country="XX")


def test_importing_the_module_does_not_import_the_phonenumbers_library() -> None:
    code = "import sys, mensasdk.phone; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
