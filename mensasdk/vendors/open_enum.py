"""Enums of numeric codes that accept undocumented codes too."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

__all__ = ["OpenIntEnum"]


class OpenIntEnum(IntEnum):
    """IntEnum with the documented codes as members, which accepts every other whole number too.

    A code may come as text, since XML, TXT and forms have only text. A code that the document does not name is called
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
        """True for a code that the document names."""
        return self._name_ in type(self).__members__
