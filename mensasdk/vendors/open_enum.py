"""Enums of vendors' numbers that take numbers which nobody has seen yet."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

__all__ = ["OpenIntEnum"]


class OpenIntEnum(IntEnum):
    """An IntEnum whose members are those of a document, and which makes a value of every other whole number too.

    Numbers may come as text, since XML, TXT and forms have only that. A value that the document does not name is called
    ``CODE_`` and its number.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
            return cls(int(value))
        if not isinstance(value, int):
            return None
        stranger = int.__new__(cls, value)
        stranger._name_ = f"CODE_{value}"
        stranger._value_ = value
        return stranger

    @property
    def is_known(self) -> bool:
        """The document names it."""
        return self._name_ in type(self).__members__
