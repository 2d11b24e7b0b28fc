"""Text as a terminal may show it."""

from __future__ import annotations

import re

from mensasdk.phone import mask

__all__ = ["masked"]

# A time is no number: of those that our own texts have, such as 2030-01-31T09:00, the date would look like one.
_TIME = r"20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d"
_LONG_NUMBER = re.compile(rf"(?<![\d+]){_TIME}|\+?\d(?:[ ().\-/]?\d){{6,}}")
_is_time = re.compile(_TIME).fullmatch


def masked(text: str) -> str:
    """Mask phone numbers in a text, and take out what a terminal would take for a command."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return _LONG_NUMBER.sub(lambda match: match[0] if _is_time(match[0]) else mask(match[0]), text)
