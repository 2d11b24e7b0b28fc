"""Check values by Mensatek's rules before anything is sent, and convert them to the vendor's terms.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from mensasdk import phone, schedule
from mensasdk.arguments import not_this
from mensasdk.errors import ValidationError
from mensasdk.messages import Recipient
from mensasdk.placeholders import Template, template
from mensasdk.text import TextMode, TextRule, to_gsm

__all__ = [
    "TEXT_RULE",
    "check_sender",
    "check_string",
    "check_text",
    "check_voice",
    "file_name",
    "invalid",
    "message_id",
    "people",
    "personalise",
    "recipient_object",
    "voice_number",
    "wall_clock",
]

VENDOR: Final = "mensatek"
ZONE: Final = "Europe/Madrid"
MAX_VARIABLES: Final = 10

# By the document, without Unicode=1 a character outside the alphabet is changed to the most similar one. Longer texts
# go out as several SMS, and no maximum is named.
TEXT_RULE: Final = TextRule(
    vendor=VENDOR, name="Mensatek", plain=TextMode(replace=to_gsm), unicode=TextMode(unicode=True)
)

_SENDER = re.compile(r"[A-Za-z0-9&_]{1,11}|\+?[0-9]{1,15}").fullmatch
_VARIABLE = re.compile(r"(?:variable_)?(10|[1-9])", re.IGNORECASE).fullmatch
_FILE = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9]+").fullmatch
_VOICE = re.compile(r"[a-z]{2}-[A-Z]{2}(?::[12])?").fullmatch
_SURROGATE = re.compile("[\ud800-\udfff]").search
_MESSAGE_ID = re.compile(r"[1-9][0-9]{0,17}").fullmatch  # within 64 bits, which is what JSON's readers hold


def invalid(field: str, message: str) -> ValidationError:
    """Build the error for a value that breaks a rule."""
    return ValidationError(message, field=field, vendor=VENDOR)


def check_sender(sender: str) -> str:
    """Check ``Remitente``: at most 15 digits, or at most 11 letters, digits, ``&`` and ``_``; empty for the default."""
    if sender == "" or _SENDER(check_string("sender", sender)):
        return sender
    raise ValidationError(
        "must be a number of at most 15 digits, or at most 11 of the letters A-Z, digits, & and _ (no spaces, no "
        "accents)",
        subject="sender",
        remedy="shorten it, or leave it empty for the account's default",
        field="sender",
        vendor=VENDOR,
    )


def check_string(field: str, value: object, what: str | None = None) -> str:
    """Check that a value is a string that UTF-8 can encode. The error names it ``what``, or else by its field."""
    if not isinstance(value, str):
        raise invalid(field, f"{what or field} must be a string, not {type(value).__name__}")
    if not value.isascii() and _SURROGATE(value):
        raise invalid(field, f"{what or field} holds half of a surrogate pair, such as half an emoji; remove it")
    return value


def check_text(text: object) -> str:
    """Check ``Mensaje``: any text that is not blank."""
    return TEXT_RULE.check(text)


def check_voice(fail_to_voice: bool, language: str | None, sender: str | None) -> None:
    """Check ``Lenguajevoz``, and that it and ``Remitentevoz`` are given only with ``fail_to_voice``.

    ``Lenguajevoz`` is a language such as ``es-ES``, or ``es-ES:1`` with API 5.8's choice of voice.
    """
    if not fail_to_voice and (language is not None or sender is not None):
        name = "voice_sender" if language is None else "voice_language"
        raise invalid(name, f"{name} is only used with fail_to_voice=True; set that, or leave it out")
    if language is not None and not _VOICE(check_string("voice_language", language)):
        raise invalid("voice_language", 'voice_language must look like "es-ES", or "es-ES:1" for a certain voice')


def voice_number(sender: str | None) -> str | None:
    """Return ``Remitentevoz``: an international number without its plus; None for None."""
    return None if sender is None else phone.digits(sender, field="voice_sender")


def wall_clock(moment: datetime) -> str:
    """Return ``Fecha``: the moment in minutes on Spain's clock."""
    return f"{schedule.to_wall_clock(moment, schedule.zone(ZONE)):%Y-%m-%d %H:%M}"


def message_id(value: str | int) -> str:
    """Check ``Idmensaje``, the digits of an id that the vendor gave, and return it as text."""
    # Zero is refused too: it reads as no id, and the message would go out in a group of its own.
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64:
        text = str(value)
    if not _MESSAGE_ID(text):
        raise invalid("message_id", "message_id must be the number that sending returned, digits only and not zero")
    return text


def file_name(name: str, *, field: str = "name") -> str:
    """Check ``Nombre``: letters and digits with an extension, at most 15 characters.

    The document counts the extension among the 15; an older client of the vendor's does not. The stricter rule holds.
    """
    if len(check_string(field, name)) > 15 or not _FILE(name):
        raise invalid(
            field,
            f"{field} must be letters and digits with an extension, at most 15 characters in all, such as "
            '"contract1.pdf"; give a shorter name',
        )
    return name


def people(recipients: str | Recipient | Iterable[str | Recipient]) -> list[Recipient]:
    """Return the recipients as `Recipient` values. Their numbers are not checked yet."""
    given: object = recipients
    if isinstance(given, str):
        return [Recipient(given)]
    if isinstance(given, Recipient):
        return [given]
    if not isinstance(given, Iterable):
        what = 'a number, a Recipient or a list of these, such as ["+34600000000"]'
        raise invalid("recipients", not_this("recipients", what, given))
    found = []
    for index, one in enumerate(given):
        if isinstance(one, str):
            found.append(Recipient(one))
        elif isinstance(one, Recipient):
            found.append(one)
        else:
            raise invalid("recipients", not_this(f"recipients[{index}]", "a number or a Recipient", one))
    return found


def recipient_object(recipient: Recipient, default_country: str | None) -> dict[str, str]:
    """Build one object of ``Destinatarios``: ``Movil`` and ``Variable_1`` to ``Variable_10``."""
    result = {"Movil": phone.e164(recipient.number, default_country=default_country, field="recipients")[1:]}
    variables = recipient.variables
    if variables == ():  # most recipients have none
        return result
    if isinstance(variables, Mapping):
        for name, value in variables.items():
            match = _VARIABLE(name)
            if match is None:
                raise invalid(
                    "recipients",
                    f"a recipient has a variable {name!r}; Mensatek has Variable_1 to Variable_{MAX_VARIABLES}",
                )
            key = f"Variable_{match[1]}"
            if key in result:
                raise invalid("recipients", f"a recipient has {key} twice, under different spellings")
            result[key] = check_string("recipients", value, "a variable")
    else:
        if len(variables) > MAX_VARIABLES:
            raise invalid("recipients", f"a recipient has {len(variables)} variables; Mensatek takes {MAX_VARIABLES}")
        for index, value in enumerate(variables, 1):
            result[f"Variable_{index}"] = check_string("recipients", value, "a variable")
    return result


@lru_cache(maxsize=256)
def _vendor_text(text: str) -> tuple[Template, str]:
    """Parse a text, and return also the text with ``(Variable_n)`` in place of its placeholders."""
    parsed = template(text)
    return parsed, parsed.fill(tuple(f"(Variable_{index})" for index in range(1, len(parsed.names) + 1)))


def personalise(text: str, variables: Mapping[str, str]) -> tuple[str, tuple[str, ...], str]:
    """Convert a message's text with ``{name}`` placeholders to the vendor's terms.

    A text with more than ten different placeholders is filled in here, and returned without variables.

    Returns:
        The text with ``(Variable_n)`` in place of the placeholders, equal for all messages of one template; the
        values of ``Variable_1`` and so on; and the text that the recipient will read.

    Raises:
        ValidationError: a placeholder has no variable, or a brace stands alone.
    """
    if not variables:
        return text, (), text
    parsed, vendor_text = _vendor_text(text)
    values = parsed.values(variables)
    rendered = parsed.fill(values)
    if len(values) > MAX_VARIABLES:
        return rendered, (), rendered
    return vendor_text, values, rendered
