"""Read numbers, remove accents from texts, and count SMS parts as EnvíaTuSMS does."""

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
    """Return the ten digits of a number without 58 or 0, or None if the number is not a Venezuelan one."""
    match = _NUMBER(number)
    return None if match is None else match[1]


def ignored(number: str, form: Literal["international", "local", "national", "plus", "given"]) -> str:
    """Return an ignored number in the format of the answer; the document's sample has 58 before it."""
    if form == "given":
        return number
    rest = number.removeprefix("+")
    # Only a number of more than ten digits can have the 58 already.
    rest = rest[2:] if rest.startswith("58") and len(rest) > 10 else rest.removeprefix("0")
    return {"international": "58", "local": "0", "national": "", "plus": "+58"}[form] + rest


def plain(text: str) -> str:
    """Return the text as the vendor sends it: without accents, except those of é and É.

    Ñ stays as well, as in the document's sample of a campaign.
    """
    if text.isascii():
        return text
    return "".join(map(_plain_letter, unicodedata.normalize("NFC", text)))


def parts_of(sent: str) -> int:
    """Return the count of SMS that a text costs; its accents must be removed before."""
    # The document says that up to 160 characters are one SMS, in any alphabet.
    return 1 if len(sent) <= _LIMIT else segments(sent).parts


@lru_cache(maxsize=1024)
def _plain_letter(character: str) -> str:
    if character in _KEPT:
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character
