"""Read numbers in E.164 form, and plain national numbers, quickly: with a small table.

The table is taken from the `phonenumbers` library, which gives the same result but takes many times as long. Whenever
the table alone cannot prove what the library would answer, the library is asked.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from attrs import frozen

from mensasdk.errors import ValidationError

__all__ = ["Home", "home_of", "in_use", "library", "library_number", "quick", "start_of", "untouched"]


def library() -> ModuleType:
    """Return the `phonenumbers` library, which is imported on the first call."""
    import phonenumbers  # slow to import, so not imported together with mensasdk

    return phonenumbers


@frozen
class Plan:
    """Rules for the digits after a calling code, taken from the library's metadata.

    Attributes:
        code: the calling code.
        lengths: possible lengths of a national number.
        trunk_prefix: expression of the prefix that is dropped or rewritten; None if there is none.
    """

    code: int
    lengths: frozenset[int]
    trunk_prefix: re.Pattern[str] | None

    def keeps(self, national: str) -> bool:
        """Return whether a national number is possible as it is, without a trunk prefix to be dropped or rewritten."""
        return len(national) in self.lengths and untouched(self.trunk_prefix, national)


@frozen
class Start:
    """Rules that are known from the plus and the first three digits of a number.

    Attributes:
        plan: the plan of the calling code.
        end: position in the number at which the calling code ends.
        lengths: possible lengths of the whole number with its plus, as far as `mensasdk.phone` reads them quickly.
    """

    plan: Plan
    end: int
    lengths: frozenset[int]


@frozen
class Home:
    """Default country, with the prefixes that are dialled there in front of numbers."""

    region: str
    plan: Plan
    calling_code: str
    international_prefix: re.Pattern[str]
    trunk_prefix: re.Pattern[str] | None


def untouched(trunk_prefix: re.Pattern[str] | None, national: str) -> bool:
    """Return whether a national number has no trunk prefix that would be dropped or rewritten."""
    if trunk_prefix is None:
        return True
    match = trunk_prefix.match(national)
    # Some countries' expressions may match the empty text, which changes nothing.
    return match is None or (match.end() == 0 and match.lastindex is None)


def _pattern(source: str | None) -> re.Pattern[str] | None:
    return re.compile(source) if source else None


# Called with the first one to three digits of numbers, so the cache cannot grow without limit.
@cache
def plan_of(calling_code: str) -> Plan | None:
    """Return the plan of a calling code; None if there is no such code."""
    tables = library()
    code = int(calling_code)
    if code not in tables.COUNTRY_CODE_TO_REGION_CODE:
        return None
    # Countries that share a calling code have the rules of the main country, as in the library itself.
    region = tables.region_code_for_country_code(code)
    metadata = tables.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    return Plan(code, frozenset(metadata.general_desc.possible_length), _pattern(metadata.national_prefix_for_parsing))


# Called with a plus and at most three digits, so this cache cannot grow without limit either.
@cache
def start_of(start: str) -> Start | None:
    """Return the rules for numbers that begin with a plus and these digits; None if no calling code does."""
    for end in range(2, len(start) + 1):
        plan = plan_of(start[1:end])
        if plan is not None:
            return Start(plan, end, frozenset(end + length for length in plan.lengths if 8 <= end + length <= 16))
    return None


@lru_cache(maxsize=512)
def home_of(country: str) -> Home:
    """Return the default country of an ISO 3166 alpha-2 code.

    Raises:
        ValidationError: ``country`` is not the code of a country with phone numbers.
    """
    tables = library()
    region = str(country).strip().upper()
    if region not in tables.SUPPORTED_REGIONS:
        raise ValidationError(
            f"{str(country)[:20]!r} is not a country",
            subject="default_country",
            remedy='give its two letters by ISO 3166, such as "ES"',
            field="default_country",
        )
    metadata = tables.PhoneMetadata.metadata_for_region(region)
    calling_code = str(metadata.country_code)
    plan = plan_of(calling_code)
    assert plan is not None
    return Home(
        region,
        plan,
        calling_code,
        re.compile(metadata.international_prefix or "(?!)"),
        _pattern(metadata.national_prefix_for_parsing),
    )


def quick(number: str, home: Home | None, *, strict: bool) -> tuple[str, int, str] | None:
    """Read a number, if the table alone proves what the library would answer.

    Args:
        number: 7 to 15 digits that do not begin with 0, with or without a plus.
        home: the country of national numbers; None if there is none.
        strict: accept only numbers that are in use.

    Returns:
        The number in E.164, its country calling code, and its national number; None if the library has to be asked.
    """
    if home is None or number[0] == "+":
        guessed = number[0] != "+"
        international = number if not guessed else f"+{number}"
        start = start_of(international[:4])
        if start is None:
            return None
        plan, national = start.plan, international[start.end :]
        if not plan.keeps(national):
            return None
        if (strict or guessed or (national[0] == "0" and not national.strip("0"))) and not in_use(plan.code, national):
            return None
        return international, plan.code, national
    if (
        not home.plan.keeps(number)
        or number.startswith(home.calling_code)
        or home.international_prefix.match(number)
        or not untouched(home.trunk_prefix, number)
        or (strict and not in_use(home.plan.code, number))
    ):
        return None
    return f"+{home.calling_code}{number}", home.plan.code, number


def library_number(country_code: int, national: str) -> Any:
    """Make the library's object of a number."""
    tables = library()
    # The library keeps the count of leading zeros (Italy has them) apart; the last digit never counts as one.
    zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
    return tables.PhoneNumber(
        country_code=country_code,
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def in_use(country_code: int, national: str) -> bool:
    """Return whether a number is in a range that its country has given out."""
    return bool(library().is_valid_number(library_number(country_code, national)))
