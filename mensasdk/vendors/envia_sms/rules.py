"""Check values by envia-sms.com's rules before anything is sent.

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
"""Time zone that the document gives: GMT-5."""

MAX_GSM: Final = 160
MAX_UCS2: Final = 500
UCS2_PART: Final = 70

_UCS2: Final = TextMode(unicode=True, limit=MAX_UCS2, charged=UCS2_PART)
# The document does not say what happens to characters outside GSM 03.38 without `ucs2` (perhaps code 119), so they are
# neither changed nor refused here.
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
    """Return the error for a value of ``field`` that breaks a rule."""
    return ValidationError(message, field=field, vendor=VENDOR)


def check_string(field: str, value: object, what: str | None = None) -> str:
    """Check a text, and return it unchanged.

    Args:
        field: the field that the error belongs to.
        value: the text.
        what: the name of the value in the error; ``field`` by default.

    Raises:
        ValidationError: the value is no string, or has a NUL character or half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise invalid(field, f"{what or field} must be a string, not {type(value).__name__}")
    if "\0" in value:
        raise invalid(field, f"{what or field} holds a NUL character; remove it")
    if not value.isascii() and _SURROGATE(value):
        raise invalid(field, f"{what or field} holds half of a surrogate pair, such as half an emoji; remove it")
    return value


def numero(number: PhoneNumber) -> str:
    """Return ``numero``: the country calling code, one comma, and the national number."""
    return f"{number.country_code},{number.national}"


def template_id(template: object) -> str:
    """Check ``plantilla``, the id of a template, in which leading zeros count."""
    text = check_string("template", template)
    if not text.strip():
        remedy = "give the id of a template, as the vendor's panel shows it"
        raise ValidationError("is empty", subject="template", remedy=remedy, field="template", vendor=VENDOR)
    if text != text.strip() or not text.isprintable():
        problem = 'must be the id alone, such as "01", without blanks around it'
        raise ValidationError(problem, subject="template", field="template", vendor=VENDOR)
    return text


def variable_name(name: object, *, field: str = "variables") -> str:
    """Check the name of a template's variable, and return it without ``var_`` in front.

    The vendor's server runs PHP. PHP turns blanks and dots in the name of a parameter into underscores, and brackets
    into lists, so one variable could take the place of another.
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
    """Check the values of a template's variables, and return them by name, without ``var_``."""
    if not isinstance(variables, Mapping):
        raise invalid(
            "variables",
            f'variables must map names to values, as in {{"codigo": "1234"}}, not {type(variables).__name__}',
        )
    result: dict[str, str] = {}
    for name, value in variables.items():
        plain = variable_name(name)
        if plain in result:
            raise invalid("variables", f"variables has {plain!r} twice, with and without var_ in front; give one")
        result[plain] = check_string("variables", value, f"variable {plain!r}")
    return result


def message_id(identifier: object, *, field: str = "message_id") -> str:
    """Check ``identificador``, as ``send`` returned it; refuse ``*``, which stands for all scheduled messages."""
    text = identifier.strip() if isinstance(identifier, str) else ""
    if text == "*":
        raise invalid(
            field,
            f'{field} is "*", which would act on all scheduled messages; cancel_all_scheduled() and '
            "send_all_scheduled_now() do that",
        )
    if not _IDENTIFIER(text):
        raise invalid(field, f"{field} must be the identifier that send_sms() returned: letters and digits")
    return text


def wall_clock(moment: datetime, zone: tzinfo) -> str:
    """Return ``fecha_programar``: ``YYYY-MM-DD HH:MM:SS`` in ``zone``, with fractions of a second rounded up."""
    return f"{schedule.to_wall_clock(moment, zone, precision='seconds'):%Y-%m-%d %H:%M:%S}"


def needs_ucs2(*texts: str) -> bool:
    """Return whether one of the texts has a character that 7 bits cannot carry."""
    return any(segments(text).encoding is Encoding.UCS2 for text in texts)


def parts(text: str, *, unicode: bool) -> int:
    """Return the parts that the vendor counts: one, or with ``unicode`` one for every 70 characters."""
    return _UCS2.count(text).parts if unicode else 1
