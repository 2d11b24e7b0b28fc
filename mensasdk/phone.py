"""Read phone numbers in any common spelling into one canonical form, or refuse them with the reason.

Numbers are read with the `phonenumbers` library, which has the numbering plan of every country. It is imported on the
first call, not with this module. Numbers in E.164 form and plain national numbers are checked with a small table from
the same library, which gives the same result in a fraction of the time.

A number identifies a person: no message and no ``repr`` of this module shows more than its last three digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from attrs import field as attribute
from attrs import frozen

from mensasdk.errors import ValidationError
from mensasdk.phone_quick import Home, home_of, library, library_number, quick, start_of, untouched

__all__ = ["PhoneNumber", "check_country", "digits", "e164", "load", "mask", "parse", "same_number"]

_plain = re.compile(r"\+?[1-9][0-9]{6,14}").fullmatch
# Far above the longest spelling of a number; keeps long texts away from the library's regular expressions.
_MAX_LENGTH = 100
_FORM = 'write it in international form: "+", country code, number'
_ONE = "give one number only"
# The problem of a number, and the remedy.
_Trouble = tuple[str, str]


@frozen(repr=False)
class PhoneNumber:
    """Phone number. Two are equal if they have the same E.164 number, in whatever way they were spelled.

    Attributes:
        e164: ``"+"``, country calling code and national number, with digits only.
        country_code: the country calling code, such as 34.
        national: the national number as dialled from abroad, with digits only.
        given: the caller's spelling.
    """

    e164: str
    country_code: int = attribute(eq=False)
    national: str = attribute(eq=False)
    given: str = attribute(eq=False)

    @property
    def country(self) -> str | None:
        """ISO 3166 alpha-2 code of the country.

        None if it cannot be told: some calling codes have no country, and some numbers have not been given out by any
        of the countries that share a calling code (such as +1). It is worked out on each access, which takes up to ten
        microseconds.
        """
        tables = library()
        region = tables.region_code_for_number(library_number(self.country_code, self.national))
        return None if region in (None, tables.REGION_CODE_FOR_NON_GEO_ENTITY) else str(region)

    def __repr__(self) -> str:
        # The repr of a value can get into logs and tracebacks.
        return f"PhoneNumber({mask(self.e164)})"


def mask(number: str) -> str:
    """Return only the last three digits of a number, for messages and logs: ``"***123"``.

    Any string may be given, and nothing is raised. Only digits are shown, and the length is hidden.
    """
    found = "".join(str(unicodedata.decimal(character)) for character in number if character.isdecimal())
    return f"***{found[-3:]}" if len(found) > 3 else "***"


def parse(number: str, *, default_country: str | None = None, strict: bool = False, field: str = "to") -> PhoneNumber:
    """Read one phone number in any common spelling.

    A number may have digits of any script, spaces, hyphens, dots and parentheses, and a leading ``tel:``. Invisible
    direction marks, which contact lists add, are ignored. The digits are read as follows:

    * with ``+`` or ``00`` in front: as an international number. (If the international prefix of the default country
      is another one, such as 011 or 0011, and the number begins with it, that prefix is tried first.)
    * otherwise, with a default country: as a number of that country; if that is impossible, as an international number
      without its ``+``.
    * otherwise: as an international number without its ``+``.

    The length must be possible for the country, and the number must be complete: without its area code it cannot be
    reached from outside. To read an international number without its ``+`` is a guess (a Spanish mobile number without
    its 34 has the length of an Australian number). Such a number must therefore be in use, as with ``strict``. The same
    holds for a national number with zeros only, which may stand for an empty cell of a table.

    Until 2019, mobile numbers of Mexico had a 1 after the country code. This 1 is dropped: ``+52 1 55 1234 5678``,
    still common in contact lists, is read as +525512345678. It is dropped only after 52 and before a complete number
    of ten digits.

    Args:
        number: the number in the caller's spelling.
        default_country: ISO 3166 alpha-2 code of the country of national numbers, such as ``"ES"``.
        strict: accept only numbers in ranges that the country has given out, by the tables of `phonenumbers`. New
            ranges are missing from old tables. This takes about 15 microseconds more.
        field: the public name of the parameter, for the error.

    Raises:
        ValidationError: the number is empty, holds several numbers, letters or control characters, has no country, or
            is too short, too long or not in use; or ``default_country`` is not a country. The message names the field
            and the remedy, and masks the number.
    """
    home = None if default_country is None else home_of(default_country)
    _require_text(number, field)
    cleaned = number if _plain(number) else _clean(number, field)
    found = quick(cleaned, home, strict=strict) if _plain(cleaned) else None
    if found is not None:
        return PhoneNumber(*found, number)
    return _slow(cleaned, number, home, strict, field)


def check_country(country: str) -> None:
    """Refuse a code that is not the code of a country with phone numbers.

    Raises:
        ValidationError: ``country`` is not the ISO 3166 alpha-2 code of such a country.
    """
    home_of(country)


def e164(number: str, *, default_country: str | None = None, field: str = "to") -> str:
    """Return a phone number in E.164, as `parse` does; quick if the number is in that form already.

    Args:
        number: as for `parse`.
        default_country: as for `parse`.
        field: as for `parse`.

    Raises:
        ValidationError: as for `parse`.
    """
    # The default country matters only to numbers without a plus, but a wrong one is refused in any case.
    if default_country is not None:
        home_of(default_country)
    if number.__class__ is str and number[:1] == "+" and number.isascii() and number[1:].isdigit():
        start = start_of(number[:4])
        if (
            start is not None
            and len(number) in start.lengths
            and number[start.end] != "0"
            and (start.plan.trunk_prefix is None or untouched(start.plan.trunk_prefix, number[start.end :]))
        ):
            return number
    return parse(number, default_country=default_country, field=field).e164


def digits(number: PhoneNumber | str, *, default_country: str | None = None, field: str = "to") -> str:
    """Return the E.164 number without its ``+``, the form that many vendors need.

    Args:
        number: as for `parse`; a `PhoneNumber` is not read again.
        default_country: as for `parse`.
        field: as for `parse`.

    Raises:
        ValidationError: as for `parse`.
    """
    if isinstance(number, PhoneNumber):
        return number.e164[1:]
    return e164(number, default_country=default_country, field=field)[1:]


def same_number(first: PhoneNumber | str, second: PhoneNumber | str, *, default_country: str | None = None) -> bool:
    """Return whether two spellings have the same E.164 number.

    A string that is not a phone number is equal to nothing, not even to itself. It is no error here, because one of the
    two numbers usually comes from a vendor's answer.

    Raises:
        ValidationError: ``default_country`` is not a country.
    """
    if default_country is not None:
        home_of(default_country)
    try:
        return digits(first, default_country=default_country) == digits(second, default_country=default_country)
    except ValidationError:
        return False


@cache
def load() -> None:
    """Read the tables of `phonenumbers` now and not with the first number; this takes a tenth of a second."""
    library()


def _slow(cleaned: str, given: str, home: Home | None, strict: bool, field: str) -> PhoneNumber:
    reason: _Trouble | None = None
    missing = None
    for candidate, region, guessed in _readings(cleaned, home):
        found, trouble = _read(candidate, region, strict=strict or guessed)
        if found is not None:
            tables = library()
            e164 = str(tables.format_number(found, tables.PhoneNumberFormat.E164))
            national = str(tables.national_significant_number(found))
            return PhoneNumber(e164, found.country_code, national, given)
        if guessed and home is None and trouble is not None:
            trouble = trouble[0], f'{trouble[1]}; if it is a national number, give default_country, such as "ES"'
            missing = "default_country"
        reason = reason or trouble  # the first reading is the likeliest, so its error is reported
    if reason is None:
        reason, missing = ("has no country", f'{_FORM}, or give default_country, such as "ES"'), "default_country"
    raise _refusal(field, given, *reason, missing)


def _readings(cleaned: str, home: Home | None) -> Sequence[tuple[str, str | None, bool]]:
    """Return the ways to read cleaned digits, likeliest first: number, region for the library, and whether a guess."""
    if cleaned[0] == "+":
        return [(cleaned, None, False)]
    international = [(f"+{cleaned[2:]}", None, False)] if cleaned.startswith("00") else []
    if home is None:
        if cleaned[0] == "0":
            return international
        return [(f"+{cleaned}", None, True)]
    national = (cleaned, home.region, False)
    if cleaned[0] != "0":
        return [national, (f"+{cleaned}", None, True)]
    if home.international_prefix.match(cleaned):
        return [national, *international]
    return [*international, national]


def _read(candidate: str, region: str | None, *, strict: bool) -> tuple[Any, _Trouble | None]:
    """Parse with the library: return its number, or None with the problem and the remedy."""
    tables = library()
    failure = tables.NumberParseException
    kind: int | None = None
    try:
        found = tables.parse(candidate, region, keep_raw_input=True)
    except failure as error:
        kind = error.error_type
    if kind == failure.INVALID_COUNTRY_CODE:
        return None, ("begins with no country's calling code", _FORM)
    if kind == failure.TOO_LONG:
        return None, ("is too long for a phone number", _FORM)
    if kind is not None:
        return None, ("is too short for a phone number", _FORM)
    _drop_old_mexican_1(found)
    country = f"calling code +{found.country_code}"
    result = tables.ValidationResult
    verdict = tables.is_possible_number_with_reason(found)
    if verdict == result.IS_POSSIBLE_LOCAL_ONLY:
        return None, (f"lacks its area code ({country})", _FORM)
    if verdict == result.TOO_SHORT:
        return None, (f"is too short for {country}", "check for a missing digit")
    if verdict == result.TOO_LONG:
        return None, (f"is too long for {country}", "check for a digit too many")
    if verdict != result.IS_POSSIBLE:
        return None, (f"has a length that {country} does not use", "check its digits")
    # Other numbers may be in a range newer than the tables; no plan opens one whose numbers are zeros throughout.
    if (strict or not found.national_number) and not tables.is_valid_number(found):
        return None, (f"is not a valid number for {country}", "check its digits")
    return found, None


def _drop_old_mexican_1(found: Any) -> None:
    """Drop the 1 of 52 1 and ten digits; since 2019 both reach the same phone.

    Only if 52 was written out: 1 and ten digits alone are more likely a number of the United States, even in Mexico.
    """
    if (
        found.country_code == 52
        and 12 * 10**9 <= found.national_number < 20 * 10**9  # a Mexican number begins with 2 to 9
        and not found.italian_leading_zero
        and found.country_code_source != library().CountryCodeSource.FROM_DEFAULT_COUNTRY
    ):
        found.national_number -= 10**10


# Punctuation that is dropped, also in its full-width form.
_IGNORED = dict.fromkeys(map(ord, ".()-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff08\uff09\uff0d\uff0e"))
_PLUS_SIGNS = {ord("\uff0b"): "+", ord("\ufe62"): "+"}
_TO_PLAIN: dict[int, str | None] = {**_IGNORED, **_PLUS_SIGNS}


def _clean(number: str, field: str) -> str:
    """Return the digits of a number, with its leading plus if it has one; refuse other characters."""
    if len(number) > _MAX_LENGTH:
        raise _refusal(field, number, "is longer than any phone number", _FORM)
    # Checked before anything is stripped: a line end after a number could begin a header or a second parameter.
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in number):
        raise _refusal(
            field, number, "holds a line end or another control character", "strip it, and give one number only"
        )
    rest = number.strip()
    if rest[:4].lower() == "tel:":
        rest = rest[4:]
    if any(character in ",;/|、，；／" for character in rest):
        raise _refusal(field, number, "looks like several numbers or a number with parameters", _ONE)
    kept: list[str] = []
    for character in rest.translate(_TO_PLAIN):
        if character.isdecimal():
            kept.append(str(unicodedata.decimal(character)))
        elif character == "+":
            if kept:
                raise _refusal(field, number, 'has a "+" in the middle', _ONE)
            kept.append("+")
        elif unicodedata.category(character) not in ("Cf", "Zs"):  # direction marks and joiners; spaces
            what = "a letter" if character.isalpha() else f"the character {character!r}"
            raise _refusal(field, number, f"holds {what}", f"{_FORM}, without extension")
    cleaned = "".join(kept)
    if cleaned in ("", "+"):
        raise ValidationError("is empty", subject=field, remedy=_FORM, field=field)
    return cleaned


def _require_text(number: object, field: str) -> None:
    # A number from a spreadsheet may be an int or a float, which has lost its plus and perhaps some digits.
    if not isinstance(number, str):
        problem = f"must be a string, not {type(number).__name__}"
        raise ValidationError(problem, subject=field, remedy=_FORM, field=field)


def _refusal(field: str, number: str, problem: str, remedy: str, missing: str | None = None) -> ValidationError:
    return ValidationError(problem, subject=f"{field} ({mask(number)})", remedy=remedy, missing=missing, field=field)
