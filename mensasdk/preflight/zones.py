"""Find the time zones that a phone number may be in.

The tables of the `phonenumbers` library are used, and imported with the first call. An area code tells the zone of a
landline, and in some countries (the United States, Canada, Mexico, Brazil, Indonesia) of a mobile too. Elsewhere a
mobile number may be in any zone of its country: +34 600 00 00 00 may be in Madrid or in the Canaries, an hour apart. A
number tells where it was given out, never where its owner is travelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from attrs import frozen

from mensasdk import phone, schedule
from mensasdk.arguments import not_this
from mensasdk.codes import Code
from mensasdk.errors import ValidationError
from mensasdk.preflight.countries import country_of

__all__ = ["Place", "checked_choices", "place_of", "time_zones", "zones_at"]

_block = re.compile(r"\+[1-9][0-9]{2,12}").fullmatch
_UNKNOWN = "Etc/Unknown"
# Used in place of the last digits of a number, see `place_of`. Of the digits that were tried, these gave the fewest
# results that differ from those of neighbouring numbers.
_DIGITS = "8642"


# Compared by identity, because it is looked up once for each message; equal places are one object.
@frozen(eq=False)
class Place:
    """Place for which a number was given out.

    Attributes:
        country: ISO 3166 alpha-2 code; None if it is unknown, as for satellite phones.
        calling_code: the calling code with its plus, such as ``"+34"``.
        zones: every zone that the number may be in; several if the number does not tell, none if none is known.
    """

    country: str | None
    calling_code: str
    zones: tuple[ZoneInfo, ...]


def time_zones(number: str, *, choices: Mapping[str, str] | None = None) -> tuple[ZoneInfo, ...]:
    """Return every time zone that a number may be in, by the country and the area code of the number.

    Args:
        number: the number in E.164: plus, calling code, digits.
        choices: the zone to take for a country, if it has several and the number does not tell: ISO 3166 alpha-2 code
            (``"ES"``) to IANA name (``"Europe/Madrid"``). The calling code with its plus (``"+1"``) holds for its
            numbers whose country is unknown or has no choice of its own. A number that tells its zone keeps it.

    Returns:
        At least one zone, in the order of their names.

    Raises:
        ValidationError: the number is not in E.164; or a choice has an unknown country or zone; or no zone is known
            and none is chosen, as for +800 and satellite numbers (code ``"zone"``).
    """
    given = checked_choices(choices)
    place = place_of(number)
    return zones_at(place, given, number)


def zones_at(place: Place, choices: Mapping[str, str], number: str) -> tuple[ZoneInfo, ...]:
    """Return the zones of a place, or the caller's choice (checked already) if the number does not tell its zone."""
    if len(place.zones) == 1:
        return place.zones
    choice = choices.get(place.country or "") or choices.get(place.calling_code)
    zones = (schedule.zone(choice),) if choice else place.zones
    if zones:
        return zones
    raise ValidationError(
        f"is in no time zone that is known for {place.calling_code}",
        subject=f"to ({phone.mask(number)})",
        remedy=f'choose one, as in choices={{"{place.calling_code}": "Europe/Madrid"}}',
        field="to",
        code=Code.ZONE,
    )


def checked_choices(choices: Mapping[str, str] | None) -> dict[str, str]:
    """Check that each choice is of a country or calling code and a zone, and return a copy of the choices."""
    given: object = choices
    if given is not None and not isinstance(given, Mapping):
        what = 'a mapping of countries to zones, such as {"MX": "America/Mexico_City"}'
        raise ValidationError(not_this("choices", what, given), field="choices")
    if not choices:
        return {}
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

    known = {*SUPPORTED_REGIONS, *(f"+{code}" for code in COUNTRY_CODE_TO_REGION_CODE)}
    for country, name in choices.items():
        if country not in known:
            raise ValidationError(
                f"has {str(country)[:20]!r}, which is no country",
                subject="choices",
                remedy='give its two letters by ISO 3166, such as "ES"',
                field="choices",
            )
        schedule.zone(name)
    return dict(choices)


def place_of(number: str) -> Place:
    """Return the place for which a number in E.164 was given out, cached by the block of the number.

    Countries give numbers out in blocks, so the last digits (four of a long number, two of a short one) decide
    nothing, and are ignored.

    Raises:
        ValidationError: the number is not in E.164.
    """
    hidden = 4 if len(number) >= 12 else 2
    place = _place_of(number[:-hidden], hidden)
    if place is None:
        raise ValidationError(
            "is not in E.164",
            subject=f"to ({phone.mask(number)})",
            remedy='write it as "+", country code, number',
            field="to",
        )
    return place


# The numbers in use in a country fill a few ten thousand blocks; a full cache takes about 10 MB.
@lru_cache(maxsize=65536)
def _place_of(block: str, hidden: int) -> Place | None:
    from phonenumbers import NumberParseException, number_type, parse, region_code_for_country_code
    from phonenumbers.phonenumberutil import is_number_type_geographical
    from phonenumbers.timezone import time_zones_for_geographical_number
    from phonenumbers.tzdata import TIMEZONE_DATA

    if not _block(block):
        return None
    number = block + _DIGITS[:hidden]
    try:
        found = parse(number, None)
    except NumberParseException:
        return None
    code = found.country_code
    assert code is not None
    country = country_of(number)
    # A country that shares another's calling code (Kazakhstan has a part of +7) is known by its area codes alone.
    has_a_part = country not in (None, region_code_for_country_code(code))
    if has_a_part or is_number_type_geographical(number_type(found), code):
        names = time_zones_for_geographical_number(found)
    else:
        names = TIMEZONE_DATA.get(str(code), ())
    return _place(country, f"+{code}", tuple(sorted(name for name in names if name != _UNKNOWN)))


# Without a limit, because the tables allow only some hundred combinations.
@cache
def _place(country: str | None, calling_code: str, names: tuple[str, ...]) -> Place:
    return Place(country, calling_code, tuple(schedule.zone(name) for name in names))
