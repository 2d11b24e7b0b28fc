"""Text as a terminal may show it."""

from __future__ import annotations

import re

from mensasdk.phone import mask

__all__ = ["masked"]

_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().\-/]?\d){6,}")


def masked(text: str) -> str:
    """Mask phone numbers in a text, and take out what a terminal would take for a command."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return _LONG_NUMBER.sub(lambda match: mask(match[0]), text)
