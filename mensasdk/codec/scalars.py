"""Read single values leniently: vendors send numbers as strings, flags as words and ids as numbers.

Each function takes any value that a decoder may put into a tree, and returns exactly one type or raises `Misfit`. A
value that can be read in two ways is refused, with one exception: see `to_decimal`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = ["Blank", "Misfit", "NotFinite", "to_bool", "to_decimal", "to_id", "to_int", "to_known_id", "to_str"]


class Misfit(ValueError):
    """Error of a value that does not fit its field.

    Attributes:
        reason: what is wrong, as a clause, without the value.
        path: field names and list positions that lead to the value, outermost first.
        ambiguous: the answer gives two different values.
    """

    def __init__(self, reason: str, path: tuple[str | int, ...] = (), *, ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.ambiguous = ambiguous


class Blank(Misfit):
    """Error of a value that is missing (null, empty) where a number or flag is needed. Optional fields read None."""


class NotFinite(Blank):
    """Error of NaN or Infinity in place of a number. Optional fields read None, and a note is left."""


_NOTHING = frozenset({"", "null", "none"})
_NOT_FINITE = frozenset({"nan", "inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"})
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")
# No amount, id or count is longer. The limit also keeps 1e999999999 from being written out digit by digit.
_MAX_DIGITS = 64
_TOO_LARGE = 10**_MAX_DIGITS
# Above this, neighbouring floats differ by more than 1, so an id or a count that is read from one may be wrong.
_EXACT_FLOATS = 2**53


def _misfit(what: str, value: Any) -> Misfit:
    if value is None:
        return Blank(f"null is not a {what}")
    return Misfit(f"this {type(value).__name__} is not a {what}")


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise NotFinite("not a finite number")
    if value and abs(value.adjusted()) > _MAX_DIGITS:
        raise Misfit("a number far too large or too small")
    return value


def _from_text(text: str) -> Decimal:
    text = text.strip()
    word = text.lower()
    if word in _NOTHING:
        raise Blank("no number")
    if word in _NOT_FINITE:
        raise NotFinite("not a finite number")
    if len(text) > _MAX_DIGITS:
        raise Misfit("a number far too long")
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    whole, point, fraction = text, "", ""
    last = max(text.rfind("."), text.rfind(","))
    mark = text[last] if last >= 0 else ""
    # The last mark is the decimal mark, unless it occurs several times: 1.234.567 can only be grouped.
    if mark and text.count(mark) == 1:
        whole, point, fraction = text[:last], ".", text[last + 1 :]
    grouped = _GROUPED.fullmatch(whole)
    if grouped and (not point or grouped[1] != mark):
        whole = whole.replace(grouped[1], "")
    number = whole + point + fraction
    if not _PLAIN.fullmatch(number):
        raise Misfit("this text is not a number")
    return Decimal(number)


def to_decimal(value: Any, _: Any = Decimal) -> Decimal:
    """Read an amount: ``12345.67``, ``12.345,67``, ``1,234.56``, ``67,17``, ``1.234.567``, ``" 12 "``, numbers.

    A single mark is always the decimal mark. So ``1.234`` and ``1,234`` are a little more than one, although a person
    might mean a thousand. Vendors print balances with decimals, and a balance read too small stops a campaign, which is
    safer than one read too large. Floats are read by their shortest spelling (19808.45, not 19808.450000000000728…).

    Raises:
        Blank: the value is null, empty, NaN or infinite.
        Misfit: the value is anything else that is not a number; a flag is not one.
    """
    kind = value.__class__
    if kind is str:
        return _bounded(_from_text(value))
    if kind is Decimal:
        return _bounded(value)
    if kind is int:
        return _bounded(Decimal(value))
    if kind is float:
        return _bounded(Decimal(repr(value)))
    raise _misfit("number", value)


def to_int(value: Any, cls: Any = int) -> int:
    """Read a whole number: ``1``, ``"1"``, ``"1.0"``, ``1.0``, ``true``.

    Args:
        value: the value.
        cls: int, or a subclass of int whose object is to be returned.

    Raises:
        Blank: the value is null, empty, NaN or infinite.
        Misfit: the value is not a whole number, or a float too large to be exact.
    """
    kind = value.__class__
    if kind is int:
        return value if cls is int else cls(value)  # type: ignore[no-any-return]
    if kind is str and value.isdigit() and value.isascii() and len(value) <= _MAX_DIGITS:
        return cls(int(value))  # type: ignore[no-any-return]  # an IntEnum does not take a string
    if kind is bool:
        return cls(int(value))  # type: ignore[no-any-return]
    if kind is float and isfinite(value) and abs(value) >= _EXACT_FLOATS:
        raise Misfit("a float too large to be exact")
    number = to_decimal(value)
    whole = int(number)
    if whole != number:
        raise Misfit("not a whole number")
    return cls(whole)  # type: ignore[no-any-return]


_WORDS = {
    "1": True,
    "true": True,
    "si": True,
    "sí": True,
    "yes": True,
    "0": False,
    "false": False,
    "no": False,
}


def to_bool(value: Any, _: Any = bool) -> bool:
    """Read a flag: ``true``, ``1``, ``"1"``, ``"true"``, ``"Si"``, ``"sí"``, ``"yes"``, and their opposites.

    Raises:
        Blank: the value is null, empty, NaN or infinite.
        Misfit: the value is anything else; an unknown word does not count as true.
    """
    if value.__class__ is bool:
        return value
    if value.__class__ is str:
        word = value.strip().lower()
        if word in _NOTHING:
            raise Blank("no flag")
        if word in _NOT_FINITE:
            raise NotFinite("no flag")
        if word in _WORDS:
            return _WORDS[word]
    elif value.__class__ in (int, float, Decimal) and to_decimal(value) in (0, 1):
        return bool(value)
    raise _misfit("flag", value)


def to_str(value: Any, cls: Any = str) -> str:
    """Read a text or an opaque id: ``27184020.0`` becomes ``"27184020"``, and ``true`` becomes ``"true"``.

    Args:
        value: the value. An empty text is a text.
        cls: str, or a subclass of str whose object is to be returned.

    Raises:
        Blank: the value is null, NaN or infinite.
        Misfit: the value is a list, an object, a number that is too long, or a float too large to be exact.
    """
    kind = value.__class__
    if kind is str:
        text = value
    elif kind is int:
        if abs(value) >= _TOO_LARGE:
            raise Misfit("a number far too long")
        text = str(value)
    elif kind is bool:
        text = "true" if value else "false"
    elif kind is float or kind is Decimal:
        if kind is float and abs(value) >= _EXACT_FLOATS and isfinite(value):
            raise Misfit("a float too large to be exact")
        number = to_decimal(value)
        whole = int(number)
        text = str(whole) if whole == number else format(number, "f")
    else:
        raise _misfit("text", value)
    return text if cls is str else cls(text)  # type: ignore[no-any-return]


def to_id(value: Any, _: Any = str) -> str:
    """Read an opaque id as `to_str` does, and strip the blanks around it. An empty text stays empty.

    Raises:
        Blank: the value is null, NaN or infinite.
        Misfit: as `to_str`, or a text with a character that no id has. A letter outside ASCII means that the answer was
            damaged, or read in a wrong charset, and the vendor would not know such an id.
    """
    text = to_str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise Misfit("this text is not an id")
    return text


def to_known_id(value: Any) -> str | None:
    """Read an opaque id as `to_id` does; return None for null, a flag, an empty text, and 0 (which means no id).

    Raises:
        Misfit: as `to_id`.
    """
    text = "" if value is None or isinstance(value, bool) else to_id(value)
    return None if text in {"", "0"} else text
