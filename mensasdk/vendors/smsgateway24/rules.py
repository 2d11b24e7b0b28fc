"""Check values by SmsGateWay24's rules before anything is sent.

Source: SmsGateWay24, "API documentation v1.0".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mensasdk import phone
from mensasdk.arguments import not_this
from mensasdk.errors import ValidationError
from mensasdk.text import TextMode, TextRule
from mensasdk.vendors.smsgateway24.codes import SimSlot

__all__ = [
    "MAX_CUSTOMER_ID",
    "MAX_IMAGE",
    "TEXT_RULE",
    "check_image",
    "check_text",
    "customer_id",
    "device",
    "image_type",
    "invalid",
    "line",
    "number",
    "record_id",
    "search_number",
    "slot",
    "status",
    "tags",
]

VENDOR: Final = "smsgateway24"
MAX_CUSTOMER_ID: Final = 2**63 - 1
# The document names no limit; WhatsApp takes images of at most 16 MiB, and most servers less.
MAX_IMAGE: Final = 10 * 1024 * 1024

# The phone sends the text as it is, in the alphabet that the text needs. The document names no limit.
TEXT_RULE: Final = TextRule(vendor=VENDOR, name="SmsGateWay24", plain=TextMode())

_ID = re.compile(r"[1-9][0-9]{0,18}").fullmatch
_SEVERAL = re.compile(r"[,;，；、]").search


def invalid(field: str, message: str) -> ValidationError:
    """Return the error for a value of ``field`` that breaks a rule."""
    return ValidationError(message, field=field, vendor=VENDOR)


def check_text(text: object, *, field: str = "text") -> str:
    """Check ``body``: any text that is not blank."""
    return TEXT_RULE.check(text, field=field)


def line(field: str, value: object) -> str:
    """Check one line of text (``title``, ``fullname``), and return it without blanks around it."""
    if not isinstance(value, str):
        raise invalid(field, f"{field} must be a string, not {type(value).__name__}")
    text = value.strip()
    if not text:
        raise invalid(field, f"{field} is empty; give one line of text")
    if not text.isprintable():
        raise invalid(field, f"{field} holds line ends, control characters or half an emoji; give one plain line")
    return text


def number(value: str, default_country: str | None, *, field: str = "number") -> str:
    """Return ``sendto``: the number in E.164 with its plus.

    The vendor splits ``sendto`` at commas, so two numbers in one text would be two paid messages. A text with a comma,
    a semicolon or a line end is refused.
    """
    return phone.e164(value, default_country=default_country, field=field)


def search_number(value: object, default_country: str | None) -> str:
    """Return ``phone`` for a search: in E.164 if it is a number in use, else unchanged, like names and short codes."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or _SEVERAL(value):
        raise invalid("number", "number must be one phone number, or one sender's name, as a string")
    try:
        return phone.parse(value, default_country=default_country, strict=True).e164
    except ValidationError:
        return value.strip()


def device(value: object) -> str:
    """Check ``device_id``: the id of a phone, or the name of a Sender ID."""
    if value is None:
        raise invalid(
            "device_id",
            "device_id is missing; give the id of one of your phones, from list_devices(), here or to the client",
        )
    if isinstance(value, bool) or not isinstance(value, str | int):
        problem = f"must be a string or a number, not {type(value).__name__}"
        raise ValidationError(problem, subject="device_id", field="device_id", vendor=VENDOR)
    text = str(value).strip()
    if not text or len(text) > 100 or not text.isprintable() or _SEVERAL(text) or text.startswith("-") or text == "0":
        raise ValidationError(
            "must be one id, or the name of a Sender ID",
            subject="device_id",
            remedy="list_devices() tells the ids",
            field="device_id",
            vendor=VENDOR,
        )
    return text


def slot(value: object) -> SimSlot:
    """Check ``sim``: 0 and 1 are SIM cards, 2 and 3 WhatsApp, 4 and 5 RCS."""
    if isinstance(value, bool) or not isinstance(value, int) or not SimSlot(value).is_known:
        raise invalid("sim", "sim must be 0 or 1 (SIM cards), 2 or 3 (WhatsApp Business, WhatsApp), or 4 or 5 (RCS)")
    return SimSlot(value)


def status(value: object) -> int:
    """Check ``status`` for a search, which may be any whole number, as the documents do not name all codes."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise invalid("status", "status must be a StatusCode, or another whole number that the vendor uses as a status")
    return int(value)


def record_id(field: str, value: str | int) -> str:
    """Check an id that the vendor gave: ``sms_id``, ``tag_id``."""
    text = value.strip() if isinstance(value, str) else str(value) if _is_small(value) else ""
    if not _ID(text):
        raise invalid(field, f"{field} must be the id that the vendor gave: digits only, and not zero")
    return text


def customer_id(value: str | int | None) -> str | None:
    """Check ``customerid``: a whole number from 1 on, as the vendor lists 0 for messages without one."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else str(value) if _is_small(value) else ""
    if not _ID(text) or int(text) > MAX_CUSTOMER_ID:
        raise invalid("customer_id", "customer_id must be a whole number from 1 to 2**63 - 1")
    return text


def _is_small(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64


def tags(values: str | int | Iterable[str | int]) -> str:
    """Return ``tags``: ids joined by commas, each once."""
    given: object = values
    if isinstance(given, str | int):
        given = [given]
    if not isinstance(given, Iterable):
        raise invalid("tag_ids", not_this("tag_ids", "an id or a list of ids, as create_tag() returns them", given))
    ids = dict.fromkeys(record_id("tag_ids", value) for value in given)
    if not ids:
        raise invalid("tag_ids", "tag_ids is empty; give at least one id from create_tag()")
    return ",".join(ids)


def image_type(content: bytes) -> tuple[str, str]:
    """Return the extension and media type of an image, by its first bytes, as the name of a file proves nothing."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg", "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif", "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp", "image/webp"
    raise invalid("image", "image must be a jpeg, png, webp or gif")


def check_image(content: bytes, text: str, sim: SimSlot) -> None:
    """Check ``file``: an image in place of the text, through WhatsApp."""
    if not isinstance(content, bytes):
        raise invalid("image", f"image must be bytes, not {type(content).__name__}")
    if text:
        raise invalid(
            "text",
            "text must be empty with an image, because the vendor would replace it with the image's address; send the "
            "text as a message of its own",
        )
    if not sim.takes_images:
        raise invalid("sim", "images go through WhatsApp only; give sim=2 (WhatsApp Business) or sim=3 (WhatsApp)")
    if not content:
        raise invalid("image", "image is empty; give the content of a jpeg, png, webp or gif")
    if len(content) > MAX_IMAGE:
        raise invalid("image", f"image has more than {MAX_IMAGE // 2**20} MiB; give a smaller image")
    image_type(content)
