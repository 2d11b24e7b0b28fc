"""The time zones that a number may be in."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from mensasdk.errors import ValidationError
from mensasdk.preflight.zones import place_of, time_zones


@pytest.mark.parametrize(
    ("number", "country", "zones"),
    [
        ("+34910000000", "ES", ["Europe/Madrid"]),
        ("+34922000000", "ES", ["Atlantic/Canary"]),
        ("+34928000000", "ES", ["Atlantic/Canary"]),
        pytest.param("+34600000000", "ES", ["Atlantic/Canary", "Europe/Madrid"], id="a Spanish mobile may be in both"),
        pytest.param("+351912345678", "PT", ["Atlantic/Azores", "Europe/Lisbon"], id="a Portuguese one too"),
        ("+525512345678", "MX", ["America/Mexico_City"]),
        ("+526641234567", "MX", ["America/Tijuana"]),
        ("+526561234567", "MX", ["America/Ciudad_Juarez"]),
        ("+526621234567", "MX", ["America/Mazatlan"]),
        ("+529981234567", "MX", ["America/Cancun"]),
        ("+584121234567", "VE", ["America/Caracas"]),
        ("+573001234567", "CO", ["America/Bogota"]),
        ("+5511912345678", "BR", ["America/Sao_Paulo"]),
        ("+5592912345678", "BR", ["America/Manaus"]),
        ("+12125550123", "US", ["America/New_York"]),
        ("+13105550123", "US", ["America/Los_Angeles"]),
        pytest.param("+16045550123", "CA", ["America/Vancouver"], id="Canada is told from the United States"),
        pytest.param("+18095550123", "DO", ["America/Santo_Domingo"], id="and the Dominican Republic"),
        pytest.param("+77011234567", "KZ", ["Asia/Almaty", "Asia/Aqtobe"], id="Kazakhstan is told from Russia"),
        ("+33612345678", "FR", ["Europe/Paris"]),
    ],
)
def test_the_country_and_the_zones_of_a_number(number: str, country: str, zones: list[str]) -> None:
    assert place_of(number).country == country
    assert [zone.key for zone in time_zones(number)] == zones


def test_a_range_that_the_tables_do_not_know_may_be_in_any_zone_of_its_country() -> None:
    assert [zone.key for zone in time_zones("+34100000000")] == ["Atlantic/Canary", "Europe/Madrid"]
    unknown = place_of("+19990000000")
    assert unknown.country is None
    assert len(unknown.zones) > 20


def test_a_choice_is_for_numbers_that_do_not_tell() -> None:
    choices = {"ES": "Europe/Madrid", "+1": "America/New_York", "MX": "America/Mexico_City"}
    chosen = {
        number: [zone.key for zone in time_zones(number, choices=choices)]
        for number in ("+34600000000", "+34928000000", "+19990000000", "+13105550123", "+526641234567")
    }
    assert chosen == {
        "+34600000000": ["Europe/Madrid"],
        "+34928000000": ["Atlantic/Canary"],
        "+19990000000": ["America/New_York"],
        "+13105550123": ["America/Los_Angeles"],
        "+526641234567": ["America/Tijuana"],
    }


@pytest.mark.parametrize("number", ["+80012345678", "+881612345678", "+8835100123456"])
def test_a_number_without_a_country_needs_a_choice(number: str) -> None:
    with pytest.raises(ValidationError, match="choices=") as refused:
        time_zones(number)
    assert refused.value.code == "zone"
    assert number[5:] not in refused.value.message
    code = place_of(number).calling_code
    assert [zone.key for zone in time_zones(number, choices={code: "Etc/UTC"})] == ["Etc/UTC"]


@pytest.mark.parametrize(
    "number", ["", "+", "600000000", "0034600000000", "+34 600 00 00 00", "+0123456789", "+999123456789"]
)
def test_what_is_not_in_e164_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match=r"E\.164") as refused:
        time_zones(number)
    assert refused.value.field == "to"


@pytest.mark.parametrize("choices", [{"XX": "Europe/Madrid"}, {"Spain": "Europe/Madrid"}, {"34": "Europe/Madrid"}])
def test_a_choice_for_what_is_no_country_is_refused(choices: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="no country"):
        time_zones("+584121234567", choices=choices)


@pytest.mark.parametrize(
    "country", ["ES", "MX", "US", "CA", "BR", "AR", "RU", "KZ", "PT", "AU", "NZ", "ID", "KI", "GL", "FM"]
)
def test_the_last_digits_decide_nothing(country: str) -> None:
    """The memory is by blocks of numbers; it has to agree with the library about each number in them."""
    import phonenumbers
    from phonenumbers.timezone import time_zones_for_number

    dice = random.Random(country)
    compared = 0
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        sample = phonenumbers.example_number_for_type(country, kind)
        assert sample is not None
        start = phonenumbers.format_number(sample, phonenumbers.PhoneNumberFormat.E164)
        for _ in range(60):
            varied = 6 if len(start) > 10 else 3
            number = start[:-varied] + f"{dice.randrange(10**varied):0{varied}}"
            parsed = phonenumbers.parse(number, None)
            shared = len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[parsed.country_code or 0]) > 1
            if not phonenumbers.is_valid_number(parsed) or (shared and country == "KZ"):
                continue
            compared += 1
            assert sorted(time_zones_for_number(parsed)) == [zone.key for zone in place_of(number).zones]
            assert phonenumbers.region_code_for_number(parsed) == place_of(number).country
    assert compared or country == "KZ"


def test_equal_places_are_one_object() -> None:
    assert place_of("+34600000000") is place_of("+34712345678")


def test_the_tables_are_not_read_before_the_first_question() -> None:
    code = (
        "import sys, mensasdk.preflight.hours; "
        "assert not [m for m in sys.modules if m.startswith('phonenumbers')], 'too early'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
