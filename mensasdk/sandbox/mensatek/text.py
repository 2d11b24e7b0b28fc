"""The text of a message: placeholders, alphabet and parts."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from mensasdk.text import segments, to_gsm

__all__ = ["count_parts", "has_placeholders", "number_of", "personalise"]

_PLACEHOLDER = re.compile(r"\((Variable_(?:10|[1-9])|Movil)\)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")


def number_of(movil: str) -> str | None:
    """The digits of a number with its country prefix, or None when it cannot be one."""
    match = _NUMBER.fullmatch(movil.strip())
    return match[1] if match else None


def has_placeholders(text: str) -> bool:
    return _PLACEHOLDER.search(text) is not None


def personalise(text: str, number: str, variables: Mapping[str, str]) -> str:
    """Fill in ``(Variable_1)`` to ``(Variable_10)`` and ``(Movil)``; a variable that was not given is empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1].lower()
        return number if name == "movil" else variables.get(name, "")

    return _PLACEHOLDER.sub(value, text)


@functools.lru_cache(maxsize=1024)
def count_parts(text: str, unicode: bool) -> int:
    """SMS parts that are charged; in GSM, letters outside the alphabet first become the most similar ones."""
    return segments(text, unicode=True).parts if unicode else segments(to_gsm(text).text).parts
