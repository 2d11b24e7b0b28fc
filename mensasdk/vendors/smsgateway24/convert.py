"""Convert the values in SmsGateWay24's answers and callbacks to Python values."""

from __future__ import annotations

from typing import Any, Final

from mensasdk import phone
from mensasdk.codec import make_converter, to_bool, to_id, to_str
from mensasdk.codec.scalars import Blank
from mensasdk.errors import ValidationError

__all__ = ["CONVERTER", "e164", "flag", "identifier", "known_text", "optional_identifier"]

CONVERTER: Final = make_converter()

# PHP and Android write these words for an empty value: an IMEI of "null", a serial number of "unknown".
_NOTHING: Final = frozenset({"", "null", "unknown"})


def flag(value: Any) -> bool:
    """Read a flag that is null when it is not set: ``urgent`` is sent as 1, and comes back as null or true."""
    try:
        return to_bool(value)
    except Blank:
        return False


def optional_identifier(value: Any) -> str | None:
    """Read an id as text; None for null, an empty value, and 0, which means none."""
    try:
        text = to_id(value)
    except Blank:
        return None
    return None if text in {"0", "null"} or not text else text


def identifier(value: Any) -> str:
    """Read an id that must not be missing.

    Raises:
        ValueError: the id is missing.
    """
    text = optional_identifier(value)
    if text is None or isinstance(value, bool):
        raise ValueError("no id")
    return text


def known_text(value: Any) -> str | None:
    """Read a text; None where it is empty, ``null`` or ``unknown``."""
    text = to_str(value).strip()
    return None if text.lower() in _NOTHING else text


def e164(number: str) -> str:
    """Return an answer's number in E.164 if it is an international one, else as the vendor wrote it."""
    text = number.strip()
    if text.startswith(("+", "00")):
        try:
            return phone.parse(text).e164
        except ValidationError:
            pass
    return number
