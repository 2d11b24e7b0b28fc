"""Read and hold prices: what one SMS part costs, by destination."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import ROUND_CEILING, Context, Decimal, InvalidOperation
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Final, Literal, Self

from attrs import field, frozen

from mensasdk import phone
from mensasdk.arguments import check_kind
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.messages import Message
from mensasdk.preflight.countries import country_of

__all__ = ["SUMS", "Prices", "amount_of"]

SUMS: Final = Context(prec=60, rounding=ROUND_CEILING)
"""Decimal context for sums of money, independent of the caller's own.

The amounts of a table have at most 24 digits, so sums over any list are exact. Only amounts that a vendor reports may
have more digits.
"""

_DIGITS: Final = 12
_FINEST: Final = Decimal(1).scaleb(-_DIGITS)
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}").fullmatch
_PREFIX: Final = re.compile(r"\+?[1-9][0-9]{0,14}").fullmatch
# Countries of ISO 3166 without a calling code: a table may have them, but no number belongs to them.
_WITHOUT_NUMBERS: Final = frozenset({"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})


def _table(prices: Mapping[str, Decimal | str | int]) -> Mapping[str, Decimal]:
    if not isinstance(prices, Mapping):
        raise _wrong(
            f'must map countries to prices, as in {{"ES": "0.9"}}, and is a {type(prices).__name__}', subject="prices"
        )
    table: dict[str, Decimal] = {}
    for name, price in prices.items():
        key = _key(name)
        if key in table:
            raise _wrong(f"has {key} twice", subject="prices", remedy="keep one")
        table[key] = amount_of(price, f"the price of {key}", "prices")
    return table


def _default(price: Decimal | str | int | None) -> Decimal | None:
    return None if price is None else amount_of(price, "the default price", "default")


@frozen(repr=False)
class Prices:
    """Prices of one SMS part by destination, in one vendor's own credits or currency.

    A key of the table has one of three forms. If keys of several forms match a number, the form listed first counts:

    * ``"+58414"``: all numbers that begin with these digits, a part of a country, such as one operator. The longest
      match counts.
    * ``"ES"``: a country, by ISO 3166 alpha-2.
    * ``"+1"``: a calling code, with all countries that share it.

    Args:
        table: prices by key, as in ``Prices({"ES": "0.9", "MX": Decimal("0.35")})``. A price is a `Decimal`, an int
            or a string, 0 or more. A float is refused, because it is not exactly the amount that was written.
        default: the price for all other destinations; None for no price.

    Raises:
        ValidationError: a key or a price is invalid, or a key is in the table twice.
    """

    table: Mapping[str, Decimal] = field(converter=_table, hash=False)
    default: Decimal | None = field(default=None, converter=_default, kw_only=True)
    _calling_codes: Mapping[str, Decimal] = field(init=False, eq=False)
    _countries: Mapping[str, Decimal] = field(init=False, eq=False)
    _ranges: Mapping[str, Decimal] = field(init=False, eq=False)
    _lengths: Sequence[int] = field(init=False, eq=False)
    # Prices by the first three digits of a number, or by country; False if the digits do not decide the price.
    _by_head: dict[str, Decimal | Literal[False] | None] = field(init=False, eq=False, factory=dict)

    @_calling_codes.default
    def _by_calling_code(self) -> Mapping[str, Decimal]:
        return {key: price for key, price in self.table.items() if key in _regions()}

    @_countries.default
    def _by_country(self) -> Mapping[str, Decimal]:
        shared = {country: price for code, price in self._calling_codes.items() for country in _regions()[code]}
        return shared | {key: price for key, price in self.table.items() if key[0] != "+"}

    @_ranges.default
    def _by_range(self) -> Mapping[str, Decimal]:
        return {key: price for key, price in self.table.items() if key[0] == "+" and key not in _regions()}

    @_lengths.default
    def _longest_first(self) -> Sequence[int]:
        return tuple(sorted({len(key) for key in self._ranges}, reverse=True))

    def __repr__(self) -> str:
        return f"<Prices: {len(self.table)}, default {self.default}>"

    @classmethod
    def from_csv(cls, path: str | Path, *, default: Decimal | str | int | None = None) -> Self:
        """Read a table from a CSV file in UTF-8 with the columns ``country`` and ``price``.

        Other columns are ignored. ``country`` holds a key as in `Prices`, or ``*`` for the default. The ``+`` of a key
        may be missing, because spreadsheets drop it. Columns are separated by commas, semicolons or tabs, as in the
        first line. If they are not separated by commas, a price may have a decimal comma.

        Args:
            path: the file.
            default: as in `Prices`; a row ``*`` takes its place.

        Raises:
            ConfigurationError: the file cannot be read.
            ValidationError: a column is missing, or a row breaks a rule of `Prices`; the error names the line.
        """
        check_kind("path", path, (str, Path), "the path of a CSV file")
        table: dict[str, Decimal] = {}
        for line, name, price in _rows(_read(path)):
            where = f"line {line} of the file of prices"
            key = name if name == "*" else _key(name, where)
            if key in table:
                raise _wrong(f"{where} has {key} a second time", remedy="keep one")
            table[key] = amount_of(price, f"the price in {where}", "prices")
        star = table.pop("*", None)
        return cls(table, default=default if star is None else star)

    @classmethod
    def from_list(
        cls, entries: Iterable[tuple[str, str, Decimal | None]], *, default: Decimal | str | int | None = None
    ) -> Self:
        """Build a table from a vendor's own price list.

        A price holds for its country. A country that is not in the list has the highest price of those that share its
        calling code. Entries that cannot be used (an empty code, no price) are skipped.

        Args:
            entries: country by ISO 3166 alpha-2, calling code in digits, and price.
            default: as in `Prices`.
        """
        table: dict[str, Decimal] = {}
        for country, calling_code, price in entries:
            if price is None or not price.is_finite() or price < 0:
                continue
            for key in (country.strip().upper(), f"+{calling_code.strip().lstrip('+')}"):
                if _is_key(key):
                    table[key] = max(price, table.get(key, price))
        return cls(table, default=default)

    def of(self, where: str | None) -> Decimal | None:
        """Return the price of one SMS part.

        Args:
            where: the recipient in E.164, such as ``"+34600000000"``; or a country by ISO 3166 alpha-2, which ignores
                prices for a part of the country; or None for an unknown country.

        Returns:
            The price, or else the default; None if there is neither.
        """
        if where is None:
            return self.default
        head = where[:4]
        try:
            price = self._by_head[head]
        except KeyError:
            price = self._by_head[head] = self._decided(head)
        return self._in_full(where) if price is False else price

    def _decided(self, head: str) -> Decimal | Literal[False] | None:
        """Return the price of all numbers that begin with ``head``, or of a country; False if these numbers differ."""
        if head[:1] != "+":
            return self._countries.get(head, self.default)
        if any(key.startswith(head) or head.startswith(key) for key in self._ranges):
            return False
        code = _calling_code(head)
        countries = _regions().get(code, ())
        found = {self._countries.get(country, self.default) for country in countries}
        if len(countries) != 1:
            found.add(self._calling_codes.get(code, self.default))
        return found.pop() if len(found) == 1 else False

    def _in_full(self, number: str) -> Decimal | None:
        for length in self._lengths:
            price = self._ranges.get(number[:length])
            if price is not None:
                return price
        country = country_of(number)
        if country is not None:
            return self._countries.get(country, self.default)
        # A number of a calling code without a country, or one that no country of a shared calling code has given out.
        return self._calling_codes.get(_calling_code(number), self.default)

    def cost(self, where: str | None, parts: int) -> Decimal:
        """Return the cost of one message.

        Args:
            where: as in `of`.
            parts: SMS parts of the message; at least one is counted.

        Raises:
            ValidationError: there is neither a price nor a default; ``code`` is ``"no_price"``.
        """
        price = self.of(where)
        if price is None:
            raise _no_price(where)
        return price if parts <= 1 else SUMS.multiply(price, parts)

    def screen(self, message: Message, number: str) -> Message:
        """Refuse a message that has no price; a screen for `BatchSender`.

        Without a price no cap on the cost could hold.

        Args:
            message: the message; returned as it is.
            number: the recipient in E.164.

        Raises:
            ValidationError: there is neither a price nor a default; ``code`` is ``"no_price"``.
        """
        if self.of(number) is None:
            raise _no_price(number)
        return message


# ------------------------------------------------------------------------------------------------- keys and amounts


@cache
def _regions() -> Mapping[str, Sequence[str]]:
    """Return the countries of each calling code; an empty tuple for a calling code without a country."""
    import phonenumbers  # slow to import, and not needed to import mensasdk

    nowhere = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    return {
        f"+{code}": tuple([region for region in regions if region != nowhere])
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    }


@cache
def _known_countries() -> frozenset[str]:
    return _WITHOUT_NUMBERS.union(*_regions().values())


def _calling_code(number: str) -> str:
    """Return the ``+`` and the calling code of a number, or an empty text if it begins with none."""
    return next((number[:end] for end in (2, 3, 4) if number[:end] in _regions()), "")


def _is_key(key: str) -> bool:
    """Return whether a text is a key in its canonical form."""
    if _COUNTRY(key):
        return key in _known_countries()
    return bool(_PREFIX(key)) and _calling_code(key) != ""


def _key(name: object, where: str | None = None) -> str:
    key = name.strip().upper() if isinstance(name, str) else ""
    if _PREFIX(key):
        key = f"+{key.lstrip('+')}"
    if not _is_key(key):
        hint = "the United Kingdom is GB; " if key == "UK" else ""
        problem = f"has {str(name)[:20]!r}, which is neither a country nor a calling code"
        raise _wrong(
            problem if where is None else f"{where} {problem}",
            subject="prices" if where is None else None,
            remedy=f'{hint}give two letters by ISO 3166, such as "ES", or a calling code, such as "+34"',
        )
    return key


def amount_of(value: object, what: str, field: str) -> Decimal:
    """Return an amount of money as a `Decimal`.

    Args:
        value: a `Decimal`, an int or a string, from 0 up.
        what: what the error calls it.
        field: the public name of the parameter, for the error.

    Raises:
        ValidationError: it is no such amount.
    """

    def wrong(problem: str, remedy: str | None = None) -> ValidationError:
        # In a table, the price is named and not the parameter.
        if what == field:
            return ValidationError(problem, subject=what, remedy=remedy, field=field)
        return ValidationError(f"{what} {problem}", remedy=remedy, field=field)

    if isinstance(value, float):
        raise wrong("is a float, which is not the number that was written", 'give "0.9" or Decimal("0.9")')
    amount: Decimal | None = None
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        with suppress(InvalidOperation):  # raised below, where the error has no context
            amount = Decimal(value)
    if amount is None or not amount.is_finite():
        raise wrong(f"({str(value)[:20]!r}) is no amount", "write digits, with a point before the decimals")
    if amount < 0:
        raise wrong(f"is negative ({amount})", "give 0 or more")
    if amount >= 10**_DIGITS or amount != amount.quantize(_FINEST, context=SUMS):
        raise wrong(f"has more than {_DIGITS} digits before or after the point")
    return amount


def _wrong(problem: str, *, subject: str | None = None, remedy: str | None = None) -> ValidationError:
    return ValidationError(problem, subject=subject, remedy=remedy, field="prices")


def _no_price(where: str | None) -> ValidationError:
    number = where is not None and where[:1] == "+"
    country = country_of(where) if number and where is not None else where
    if country is not None:
        what, key = country, country
    else:
        what, key = f"a number of no country ({phone.mask(where or '')})", "+1"
    return ValidationError(
        f"there is no price for {what}",
        remedy=f'add one to the prices, as in {{"{key}": "0.9"}}, or a default for all other countries, as in '
        'default="2"',
        field="to",
        code=Code.NO_PRICE,
    )


# -------------------------------------------------------------------------------------------------------------- CSV


def _read(path: str | Path) -> str:
    reason = ""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        reason = "it is not in UTF-8"
    raise ConfigurationError(f"the file of prices ({path}) cannot be read: {reason}", field="path")


def _rows(text: str) -> Iterable[tuple[int, str, str]]:
    """Yield line (from 1), key and price of each row that is not empty."""
    header = text.partition("\n")[0]
    delimiter = next((mark for mark in "\t;" if mark in header), ",")
    reader = csv.DictReader(StringIO(text), delimiter=delimiter, restval="")
    columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
    if not {"country", "price"} <= columns.keys():
        raise _wrong('the file of prices needs a first line that names the columns "country" and "price"')
    try:
        for row in reader:
            name, price = row[columns["country"]].strip(), row[columns["price"]].strip()
            if None in row:
                raise _wrong(
                    f"line {reader.line_num} of the file of prices has more cells than the first line",
                    remedy="if that is a decimal comma, write a point",
                )
            if name or price:
                yield reader.line_num, name, price if delimiter == "," else price.replace(",", ".")
    except csv.Error as error:
        reason = str(error)
    else:
        return
    raise _wrong(f"the file of prices is no CSV: {reason}")
