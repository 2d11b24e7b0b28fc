"""How many SMS a text becomes: the GSM 03.38 alphabet, Unicode, and the cut into parts.

A text whose characters are all in the GSM 03.38 default alphabet or its extension table travels in septets of 7
bits: 160 in one SMS, or 153 in each part of a longer one, because every part then carries a header. Any other
character makes the whole text travel as UCS-2, in units of 16 bits: 70 in one SMS, 67 in each part. The ten
characters of the extension table (``€ ^ { } [ ] ~ \\ |`` and form feed) take two septets, and a character beyond
the basic multilingual plane (most emoji) two 16-bit units; neither is ever divided between two parts, so a part may
stay one unit short.

Sources: 3GPP TS 23.038 (the alphabets) and TS 23.040 (the header of a part); Mensatek, 'SMS Sending API / BULK SMS
(7.0)', for what happens to characters outside GSM 03.38.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from attrs import frozen

from mensasdk.errors import ValidationError

__all__ = ["Change", "Encoding", "GsmText", "Segments", "segments", "split", "to_gsm"]

_ESCAPE = "\x1b"
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"  # the escape, 0x1B, stands between Ξ and Æ and is not a character of its own
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_GSM = frozenset(_BASIC + _EXTENSION)

_is_basic = re.compile(f"[{re.escape(_BASIC)}]*").fullmatch
_is_gsm = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*").fullmatch
_outside_gsm = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]").finditer


class Encoding(StrEnum):
    """The alphabet that a text needs."""

    GSM = "GSM-7"
    UCS2 = "UCS-2"


# How many units fit in an SMS that stands alone, and in each part of a longer one.
_ALONE = {Encoding.GSM: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM: 153, Encoding.UCS2: 67}


@frozen
class Segments:
    """What a text costs on the air.

    Attributes:
        encoding: GSM-7 or UCS-2.
        parts: number of SMS, at least 1: an empty text is one empty SMS.
        units: what the text takes: septets for GSM-7, 16-bit units for UCS-2.
        remaining: units still free in the last part. (Filling a lone SMS past its end shrinks every part, since parts
            carry a header.)
        forced_by: each character outside GSM 03.38 with its position in code points, in order; empty for GSM-7.
    """

    encoding: Encoding
    parts: int
    units: int
    remaining: int
    forced_by: tuple[tuple[int, str], ...] = ()


def segments(text: str, *, unicode: bool = False) -> Segments:
    """Count the SMS parts of a text.

    Args:
        text: the text as the handset shall show it, after any variables are filled in.
        unicode: count it as UCS-2 even where GSM 03.38 would do, as when the vendor is told to send Unicode.

    Raises:
        ValidationError: the text holds half of a surrogate pair, which no encoding can carry.
    """
    if not unicode:
        if _is_basic(text):
            return _count(Encoding.GSM, len(text))
        if _is_gsm(text):
            septets = _to_septets(text)
            units = len(septets)
            if units <= _ALONE[Encoding.GSM]:
                return _count(Encoding.GSM, units)
            return _packed(Encoding.GSM, units, _cut_septets(septets))
    encoded = _encode(text)
    units = len(encoded) // 2
    forced_by = tuple((match.start(), match[0]) for match in _outside_gsm(text))
    if units <= _ALONE[Encoding.UCS2] or units == len(text):
        return _count(Encoding.UCS2, units, forced_by)
    return _packed(Encoding.UCS2, units, _cut_utf16(encoded), forced_by)


def split(text: str, *, unicode: bool = False) -> tuple[str, ...]:
    """The texts of the parts that `segments` counts; joined, they give the text again.

    Args:
        text: the text as the handset shall show it.
        unicode: as in `segments`.

    Raises:
        ValidationError: the text holds half of a surrogate pair.
    """
    if not unicode and _is_gsm(text):
        septets = _to_septets(text)
        if len(septets) <= _ALONE[Encoding.GSM]:
            return (text,)
        bounds = [0, *_cut_septets(septets), len(septets)]
        return tuple(septets[start:end].replace(_ESCAPE, "") for start, end in pairwise(bounds))
    encoded = _encode(text)
    if len(encoded) // 2 <= _ALONE[Encoding.UCS2]:
        return (text,)
    bounds = [0, *_cut_utf16(encoded), len(encoded) // 2]
    return tuple(encoded[2 * start : 2 * end].decode("utf-16-be") for start, end in pairwise(bounds))


def _count(encoding: Encoding, units: int, forced_by: tuple[tuple[int, str], ...] = ()) -> Segments:
    """Segments of a text whose units can all be parted from each other, or that fits in one SMS anyway."""
    alone = _ALONE[encoding]
    if units <= alone:
        return Segments(encoding, 1, units, alone - units, forced_by)
    size = _JOINED[encoding]
    parts = -(-units // size)
    return Segments(encoding, parts, units, parts * size - units, forced_by)


def _packed(encoding: Encoding, units: int, cuts: list[int], forced_by: tuple[tuple[int, str], ...] = ()) -> Segments:
    return Segments(encoding, len(cuts) + 1, units, _JOINED[encoding] - (units - cuts[-1]), forced_by)


def _to_septets(text: str) -> str:
    """The text with one character per septet; which letter follows an escape does not matter for counting."""
    # Ten scans in C; str.translate takes ten times as long on a text that is not ASCII.
    for character in _EXTENSION:
        if character in text:
            text = text.replace(character, _ESCAPE + character)
    return text


def _cut_septets(septets: str) -> list[int]:
    """Where parts after the first begin. A part never ends with an escape: the next one begins with it."""
    size = _JOINED[Encoding.GSM]
    cuts: list[int] = []
    end = size
    while end < len(septets):
        if septets[end - 1] == _ESCAPE:
            end -= 1
        cuts.append(end)
        end += size
    return cuts


def _cut_utf16(encoded: bytes) -> list[int]:
    """Where parts after the first begin, in 16-bit units. A part never ends with the first half of a pair."""
    size = _JOINED[Encoding.UCS2]
    units = len(encoded) // 2
    cuts: list[int] = []
    end = size
    while end < units:
        if 0xD8 <= encoded[2 * end - 2] <= 0xDB:
            end -= 1
        cuts.append(end)
        end += size
    return cuts


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        position = error.start
    # Outside the handler: the exception above carries the whole text, and ours must not.
    raise ValidationError(
        f"text holds half of a surrogate pair at position {position}; decode it properly or remove that character",
        field="text",
    )


class Change(NamedTuple):
    """One replacement made by `to_gsm`.

    Attributes:
        position: where ``before`` begins in the text as it was given, in code points.
        before: the character, or the letter with its combining marks, that GSM 03.38 does not have.
        after: what stands in its place; empty for characters that cannot be seen.
    """

    position: int
    before: str
    after: str


@frozen
class GsmText:
    """A text within GSM 03.38, and what was changed to bring it there, in order."""

    text: str
    changes: tuple[Change, ...] = ()


def to_gsm(text: str) -> GsmText:
    """Replace each character outside GSM 03.38 by the nearest one that it has.

    Mensatek, 'SMS Sending API / BULK SMS (7.0)', says that without ``Unicode=1`` a character outside the alphabet is
    changed to the most similar one, and names accents as the case: ``á í ó ú`` lose theirs, while ``é è ù ì ò à ñ ü
    ö ä å Ç`` stay (``ç`` becomes ``c``: only the capital is in the alphabet). For the characters that the document
    does not name, this function uses the usual plain spellings: quotation marks, dashes, ellipsis and special
    spaces in their ASCII form, ligatures and compatibility characters spelled out, invisible characters removed,
    and ``?`` for the rest. A letter with combining marks counts as one character.

    Args:
        text: any text.

    Returns:
        The new text, for which ``segments`` gives GSM-7, and the list of changes.
    """
    if _is_gsm(text):
        return GsmText(text)
    changes: list[Change] = []

    def replace(match: re.Match[str]) -> str:
        after = _nearest(match[0])
        changes.append(Change(match.start(), match[0], after))
        return after

    return GsmText(_replaceable.sub(replace, text), tuple(changes))


# A base character is taken along with its combining marks, so that e + U+0301 becomes é and not e.
_COMBINING = "\u0300-\u036f"
_replaceable = re.compile(f"[^{_COMBINING}][{_COMBINING}]+|[^{re.escape(_BASIC + _EXTENSION)}]")

# What Unicode's own decompositions do not give.
_PLAIN: dict[str, str] = {
    **dict.fromkeys("‘’‚‛‹›`´′", "'"),
    **dict.fromkeys("“”„‟«»¨″", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212¬¯•⁃", "-"),  # hyphens, dashes, minus
    "·": ".",
    "\t": " ",
    "\v": "\n",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "⁄": "/",
    "÷": "/",
    "×": "x",
    "±": "+-",
    "¦": "|",
    "©": "(c)",
    "®": "(r)",
    "°": "o",
    "¢": "c",
    "µ": "u",
    "μ": "u",
    "œ": "oe",
    "Œ": "OE",
    "ẞ": "SS",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "ħ": "h",
    "Ħ": "H",
    "ŧ": "t",
    "Ŧ": "T",
    "ŋ": "n",
    "Ŋ": "N",
    "ı": "i",
    "ĸ": "k",
}


@lru_cache(maxsize=1024)
def _nearest(cluster: str) -> str:
    """The nearest GSM text for one character, or for a letter and its combining marks."""
    composed = unicodedata.normalize("NFC", cluster)
    return "".join(_nearest_of_one(character) for character in composed)


def _nearest_of_one(character: str) -> str:
    if character in _GSM:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""  # an accent without its letter, a joiner, a direction mark, a byte order mark
    spelled = "".join(
        _PLAIN.get(piece, piece)
        for piece in unicodedata.normalize("NFKD", character)
        if not unicodedata.combining(piece)
    )
    if spelled and all(piece in _GSM for piece in spelled):
        return spelled
    return " " if category == "Zs" else "?"
