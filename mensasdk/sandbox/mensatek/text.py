"""Read numbers, fill in placeholders and count SMS parts as Mensatek does."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from mensasdk.text import segments, to_gsm

__all__ = ["count_parts", "has_placeholders", "number_of", "personalise"]

_PLACEHOLDER = re.compile(r"\((Variable_(?:10|[1-9])|Movil)\)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")


def number_of(movil: str) -> str | None:
    """Return the digits of a number with its country prefix, or None if it is not a valid number."""
    match = _NUMBER.fullmatch(movil.strip())
    return match[1] if match else None


def has_placeholders(text: str) -> bool:
    """Return whether a text has placeholders, such as ``(Variable_1)`` or ``(Movil)``."""
    return _PLACEHOLDER.search(text) is not None


def personalise(text: str, number: str, variables: Mapping[str, str]) -> str:
    """Fill in ``(Variable_1)`` to ``(Variable_10)`` and ``(Movil)``; a variable that is not given is empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1].lower()
        return number if name == "movil" else variables.get(name, "")

    return _PLACEHOLDER.sub(value, text)


@functools.lru_cache(maxsize=1024)
def count_parts(text: str, unicode: bool) -> int:
    """Return the count of SMS parts charged.

    Without ``unicode``, letters outside the GSM alphabet are first replaced by the most similar letters in it.
    """
    return segments(text, unicode=True).parts if unicode else segments(to_gsm(text).text).parts
