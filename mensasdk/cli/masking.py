"""Mask phone numbers and control characters before a terminal shows a text."""

from __future__ import annotations

import re

from mensasdk.phone import mask

__all__ = ["masked"]

# In a time such as 2030-01-31T09:00, the date looks like a phone number.
_TIME = r"20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d"
_LONG_NUMBER = re.compile(rf"(?<![\d+]){_TIME}|\+?\d(?:[ ().\-/]?\d){{6,}}")
_is_time = re.compile(_TIME).fullmatch


def masked(text: str) -> str:
    """Return a text with its phone numbers masked, and a blank for each character that a terminal may obey."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return _LONG_NUMBER.sub(lambda match: match[0] if _is_time(match[0]) else mask(match[0]), text)
