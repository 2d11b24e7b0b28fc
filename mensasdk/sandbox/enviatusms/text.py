"""Numbers and texts: who can get a message, what the vendor does to its letters, and how many SMS it is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from mensasdk.text import segments

__all__ = ["ignored", "national", "parts_of", "plain"]

_LIMIT = 160

_NUMBER = re.compile(r"\+?(?:58|0)?(\d{10})", re.ASCII).fullmatch
_KEPT = frozenset("éÉñÑ")


def national(number: str) -> str | None:
    """The ten digits without 58 or 0, or None when it is no Venezuelan number."""
    match = _NUMBER(number)
    return None if match is None else match[1]


def ignored(number: str, form: Literal["international", "local", "national", "plus", "given"]) -> str:
    """A number that is not one, as the answer shows it: the document's sample has 58 in front."""
    if form == "given":
        return number
    rest = number.removeprefix("+")
    # Only what is longer than a local number can have the 58 already.
    rest = rest[2:] if rest.startswith("58") and len(rest) > 10 else rest.removeprefix("0")
    return {"international": "58", "local": "0", "national": "", "plus": "+58"}[form] + rest


def plain(text: str) -> str:
    """The text as it is sent: without accents, except é and É. Ñ is a letter, not an accent: the document's sample of
    a campaign keeps it."""
    if text.isascii():
        return text
    return "".join(map(_plain_letter, unicodedata.normalize("NFC", text)))


def parts_of(sent: str) -> int:
    """How many SMS a text costs, once its accents are gone."""
    # One up to 160 characters, says the document, whatever their alphabet.
    return 1 if len(sent) <= _LIMIT else segments(sent).parts


@lru_cache(maxsize=1024)
def _plain_letter(character: str) -> str:
    if character in _KEPT:
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character
