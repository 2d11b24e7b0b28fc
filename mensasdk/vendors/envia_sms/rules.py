"""envia-sms.com's rules for values, checked before anything is sent.

Source: envia-sms.com, "API SMS" (5 August 2022).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from mensasdk import schedule
from mensasdk.errors import ValidationError
from mensasdk.phone import PhoneNumber
from mensasdk.text import Encoding, TextMode, TextRule, segments

__all__ = [
    "DOCUMENTED_ZONE",
    "TEXT_RULE",
    "check_string",
    "invalid",
    "message_id",
    "needs_ucs2",
    "numero",
    "parts",
    "template_id",
    "template_variables",
    "variable_name",
    "wall_clock",
]

VENDOR: Final = "envia_sms"
DOCUMENTED_ZONE: Final = timezone(timedelta(hours=-5))
"""GMT-5, which is what the document says."""

MAX_GSM: Final = 160
MAX_UCS2: Final = 500
UCS2_PART: Final = 70

_UCS2: Final = TextMode(unicode=True, limit=MAX_UCS2, charged=UCS2_PART)
# What becomes of characters outside GSM 03.38 without `ucs2`, the document does not say (code 119 may be meant for
# them), so that they are neither changed nor refused here.
TEXT_RULE: Final = TextRule(
    vendor=VENDOR,
    name="envia-sms.com",
    plain=TextMode(
        limit=MAX_GSM,
        charged=MAX_GSM,
        remedy=f"shorten it, or send it with unicode=True, which takes {MAX_UCS2} and charges a message for every "
        f"{UCS2_PART}",
    ),
    unicode=_UCS2,
)

_NAME = re.compile(r"[\w-]+").fullmatch
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}").fullmatch
_SURROGATE = re.compile("[\ud800-\udfff]").search
_PREFIX: Final = "var_"


def invalid(field: str, message: str) -> ValidationError:
    return ValidationError(message, field=field, vendor=VENDOR)


def check_string(field: str, value: object, what: str | None = None) -> str:
    if not isinstance(value, str):
        raise invalid(field, f"{what or field} must be a string, not {type(value).__name__}")
    if "\0" in value:
        raise invalid(field, f"{what or field} holds a NUL character; remove it")
    if not value.isascii() and _SURROGATE(value):
        raise invalid(field, f"{what or field} holds half of a surrogate pair, such as half an emoji; remove it")
    return value


def numero(number: PhoneNumber) -> str:
    """``numero``: the country calling code, one comma, and the national number."""
    return f"{number.country_code},{number.national}"


def template_id(template: object) -> str:
    """``plantilla``: the id of a template, in which leading zeros count."""
    text = check_string("template", template)
    if not text.strip():
        raise invalid("template", "template is empty; give the id of a template, as the vendor's panel shows it")
    if text != text.strip() or not text.isprintable():
        raise invalid("template", 'template must be the id alone, such as "01", without blanks around it')
    return text


def variable_name(name: object, *, field: str = "variables") -> str:
    """The name of a template's variable, without ``var_`` in front.

    The vendor's server runs PHP, which writes blanks, dots and brackets in names of parameters as underscores or makes
    lists of them, so that one variable could take another one's place.
    """
    text = check_string(field, name, "the name of a variable").removeprefix(_PREFIX)
    if not _NAME(text):
        raise invalid(
            field,
            f"a variable is named {text[:40]!r}; a name has letters, digits, underscores and hyphens: "
            "give it as it stands in the template",
        )
    return text


def template_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """``var_{name}``: by name, without ``var_``."""
    if not isinstance(variables, Mapping):
        raise invalid("variables", f"variables must map names to values, and is of type {type(variables).__name__}")
    result: dict[str, str] = {}
    for name, value in variables.items():
        plain = variable_name(name)
        if plain in result:
            raise invalid("variables", f"variables has {plain!r} twice, with and without var_ in front; give one")
        result[plain] = check_string("variables", value, f"variable {plain!r}")
    return result


def message_id(identifier: object, *, field: str = "message_id") -> str:
    """``identificador``, as sending returned it; never ``*``, which stands for all scheduled messages."""
    text = identifier.strip() if isinstance(identifier, str) else ""
    if text == "*":
        raise invalid(
            field,
            f'{field} is "*", which would act on all scheduled messages; cancel_all_scheduled() and '
            "send_all_scheduled_now() do that",
        )
    if not _IDENTIFIER(text):
        raise invalid(field, f"{field} must be the identifier that sending returned: letters and digits")
    return text


def wall_clock(moment: datetime, zone: tzinfo) -> str:
    """``fecha_programar``: seconds on the vendor's clock."""
    return f"{schedule.to_wall_clock(moment, zone, precision='seconds'):%Y-%m-%d %H:%M:%S}"


def needs_ucs2(*texts: str) -> bool:
    """Whether a text holds a character that 7 bits cannot carry."""
    return any(segments(text).encoding is Encoding.UCS2 for text in texts)


def parts(text: str, *, unicode: bool) -> int:
    """Messages that the vendor counts: one, or with ``unicode`` one for every 70 characters."""
    return _UCS2.count(text).parts if unicode else 1
