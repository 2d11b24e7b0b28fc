"""The converter that reads SmsGateWay24's answers and callbacks, and readers for values of its own kinds."""

from __future__ import annotations

from typing import Any, Final

from mensasdk import phone
from mensasdk.codec import make_converter, to_bool, to_id, to_str
from mensasdk.codec.scalars import Blank
from mensasdk.errors import ValidationError

__all__ = ["CONVERTER", "e164", "flag", "identifier", "known_text", "optional_identifier"]

CONVERTER: Final = make_converter()

# PHP and Android write "nothing" in these words, too: an IMEI of "null", a serial number of "unknown".
_NOTHING: Final = frozenset({"", "null", "unknown"})


def flag(value: Any) -> bool:
    """A flag that is null when it is not set: ``urgent`` goes in as 1 and comes back as null or true."""
    try:
        return to_bool(value)
    except Blank:
        return False


def optional_identifier(value: Any) -> str | None:
    """An id as text; None for null, nothing, and the 0 that stands for it."""
    try:
        text = to_id(value)
    except Blank:
        return None
    return None if text in {"0", "null"} or not text else text


def identifier(value: Any) -> str:
    """An id that has to be there.

    Raises:
        ValueError: it is not.
    """
    text = optional_identifier(value)
    if text is None or isinstance(value, bool):
        raise ValueError("no id")
    return text


def known_text(value: Any) -> str | None:
    """A text; None where a word stands for nothing."""
    text = to_str(value).strip()
    return None if text.lower() in _NOTHING else text


def e164(number: str) -> str:
    """A number of an answer in E.164 where it is an international one, else as the vendor wrote it."""
    text = number.strip()
    if text.startswith(("+", "00")):
        try:
            return phone.parse(text).e164
        except ValidationError:
            pass
    return number
