"""Check values by EnvíaTuSMS's rules before anything is sent, and convert them to the vendor's terms.

Source: EnvíaTuSMS, "Documentación de la API".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from mensasdk import phone
from mensasdk.arguments import not_this
from mensasdk.errors import ValidationError
from mensasdk.text import Change, ChangedText, TextMode, TextRule

__all__ = [
    "TEXT_RULE",
    "campaign_id",
    "canonical",
    "check_link",
    "check_text",
    "check_texts",
    "composed",
    "invalid",
    "number",
    "without_accents",
]

VENDOR: Final = "enviatusms"
COUNTRY: Final = "VE"
ZONE: Final = "America/Caracas"
MAX_TEXT: Final = 160

_VENEZUELA: Final = 58
_accented = re.compile("[^\x00-\x7féÉ]")
_WITH_COUNTRY_CODE = re.compile(r"58[0-9]{10}").fullmatch
_CAMPAIGN_ID = re.compile(r"[1-9][0-9]{0,17}").fullmatch


def invalid(field: str, message: str) -> ValidationError:
    """Build the error for a value that breaks a rule."""
    return ValidationError(message, field=field, vendor=VENDOR)


def number(value: str, default_country: str | None, *, field: str) -> phone.PhoneNumber:
    """Read a number of ``numeros``: a Venezuelan number in any common spelling.

    The document knows only the formats ``584241234567`` and ``4241234567``. The vendor takes ten digits for a local
    number, so a foreign number without its plus could reach a stranger in Venezuela: foreign numbers are refused here.
    The vendor itself decides which numbers are mobile numbers.
    """
    found = phone.parse(value, default_country=default_country, field=field)
    if found.country_code != _VENEZUELA:
        raise invalid(
            field,
            f"{field} ({phone.mask(found.e164)}) has calling code +{found.country_code}; EnvíaTuSMS sends to Venezuela "
            "(+58) only; correct it, or use another vendor",
        )
    if found.national.startswith("0"):  # a trunk prefix that had to stay, because a digit is missing after it
        raise invalid(field, f"{field} ({phone.mask(found.e164)}) is too short; give all ten digits that follow the 0")
    return found


def canonical(value: str) -> str | None:
    """Return a number from an answer in E.164, however the vendor writes it; None where it is no phone number."""
    text = value.strip()
    if _WITH_COUNTRY_CODE(text):
        text = f"+{text}"  # the usual form, which is read a hundred times as fast with a plus
    try:
        return phone.parse(text, default_country=COUNTRY).e164
    except ValidationError:
        return None


def without_accents(text: str) -> str:
    """Return the text as the vendor sends it: without accents, except those of ``é`` and ``É``."""
    return text if text.isascii() else _accented.sub(lambda match: _plain(match[0]), composed(text))


def composed(text: str) -> str:
    """Return the text with composed accents (NFC), so that the vendor counts the characters that a person sees."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _changed(text: str) -> ChangedText:
    """Return what `without_accents` makes of a text, with each change and its position."""
    if text.isascii():
        return ChangedText(text)
    changes: list[Change] = []
    if unicodedata.is_normalized("NFC", text):
        for match in _accented.finditer(text):
            before = match[0]
            after = _plain(before)
            if after != before:
                changes.append(Change(match.start(), before, after))
    else:
        for position, before in _clusters(text):
            after = without_accents(before)
            if after != before:
                changes.append(Change(position, before, after))
    return ChangedText(without_accents(text), tuple(changes))


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield the pieces of a text that are composed alone, such as a letter with its accents, and their positions."""
    start = 0
    for end in range(1, len(text)):
        piece, following = text[start:end], text[end]
        if not unicodedata.combining(following) and composed(piece + following) == composed(piece) + following:
            yield start, piece
            start = end
    if text:
        yield start, text[start:]


@lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    pieces = unicodedata.normalize("NFD", character)
    if not any(map(unicodedata.combining, pieces)):
        return character  # no letter with an accent; a Korean syllable, too, has pieces
    return "".join(piece for piece in pieces if not unicodedata.combining(piece))


@lru_cache(maxsize=8)
def _text_rule(limit: int | None) -> TextRule:
    return TextRule(
        vendor=VENDOR,
        name="EnvíaTuSMS",
        plain=TextMode(
            replace=_changed, limit=limit, limit_of="characters", remedy="shorten it, or send it as several messages"
        ),
    )


TEXT_RULE: Final = _text_rule(MAX_TEXT)


def check_text(text: object, *, limit: int | None, name: str = "text") -> str:
    """Check a text of ``texto``, and return it with composed accents (see `composed`).

    Args:
        text: the text as given.
        limit: maximum count of characters, after the vendor has dropped the accents; None for no limit.
        name: name of the text in errors; their field is ``"text"``.
    """
    text = TEXT_RULE.check(text, what=name)
    if limit is not None:
        _text_rule(limit).apply(text, what=name)
    return composed(text)


def check_texts(text: str | Iterable[str], count: int, *, limit: int | None) -> str | list[str]:
    """Check ``texto``: one text for all, or one for each of ``count`` numbers."""
    if isinstance(text, str):
        return check_text(text, limit=limit)
    given: object = text
    if not isinstance(given, Iterable):
        raise invalid("text", not_this("text", "a text for all, or a list of one for each number", given))
    texts = [check_text(one, limit=limit, name=f"text[{index}]") for index, one in enumerate(text)]
    if len(texts) != count:
        raise invalid(
            "text",
            f"text has {len(texts)} texts for {count} numbers; give one string for all, or exactly one text for each "
            "number, in the same order",
        )
    return texts


def campaign_id(value: str | int) -> str:
    """Check the ``id`` of a campaign, digits that the vendor gave, and return it as text."""
    text = str(value).strip()
    if not _CAMPAIGN_ID(text):
        raise invalid("campaign_id", "campaign_id must be the number that sending returned, digits only and not zero")
    return text


def check_link(link: object) -> str:
    """Check ``link``: a whole http or https URL, without a user name or password."""
    if not isinstance(link, str):
        raise invalid("link", f"link must be a string, not {type(link).__name__}")
    # urlsplit drops tabs and line ends silently, so this comes first.
    if not link.isprintable() or " " in link:
        raise invalid("link", "link holds a blank or control character; percent-encode or remove it")
    user = host = None
    scheme = ""
    try:
        parts = urlsplit(link)
        scheme, user, host, _ = parts.scheme, parts.username, parts.hostname, parts.port
    except ValueError:
        pass  # the port or the IPv6 address is invalid
    if scheme not in {"http", "https"} or not host:
        raise invalid("link", 'link must be a whole http or https URL, such as "https://www.example.com/offer"')
    # Some programs take a backslash for a slash, and then see another host.
    if user is not None or "\\" in link:
        raise invalid("link", "link holds a user name, password or backslash; the link is public, so remove it")
    return link
