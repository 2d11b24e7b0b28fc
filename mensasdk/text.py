r"""Count the SMS parts of a text: the GSM 03.38 alphabet, Unicode, and the cut into parts.

A text is sent in septets of 7 bits if all its characters are in the GSM 03.38 default alphabet or its extension table:
160 in one SMS, or 153 in each part of a longer text, because every part then has a header. With any other character the
whole text is sent as UCS-2, in units of 16 bits: 70 in one SMS, or 67 in each part. The ten characters of the extension
table (``€ ^ { } [ ] ~ \ |`` and form feed) take two septets, and a character beyond the basic multilingual plane (most
emoji) takes two 16-bit units. Neither pair is ever divided between two parts, so a part may have one unit unused.

A vendor may change a text before it is counted. This is described by its `TextRule`, which each client has as
``text_rule``.

Sources: 3GPP TS 23.038 (the alphabets) and TS 23.040 (the header of a part). The ``rules`` module in each vendor's
folder tells what the vendor does to characters outside GSM 03.38, with the source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from attrs import field, frozen

from mensasdk.errors import ValidationError

__all__ = [
    "Change",
    "ChangedText",
    "Encoding",
    "GsmText",
    "Segments",
    "SentText",
    "TextMode",
    "TextRule",
    "segments",
    "split",
    "to_gsm",
]

_ESCAPE = "\x1b"
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"  # the escape, 0x1B, is between Ξ and Æ, and is not a character of its own
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_GSM = frozenset(_BASIC + _EXTENSION)

_is_basic = re.compile(f"[{re.escape(_BASIC)}]*").fullmatch
_is_gsm = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*").fullmatch
# A text that fits in one SMS, with characters that no vendor changes. Nearly all texts are like this.
_is_plain_sms = re.compile(f"[{re.escape(''.join(filter(str.isascii, _BASIC)))}]{{1,160}}").fullmatch
_has_surrogate = re.compile("[\ud800-\udfff]").search
_runs_outside_gsm = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]+").finditer


class Encoding(StrEnum):
    """Alphabet that a text needs."""

    GSM = "GSM-7"
    UCS2 = "UCS-2"


# Units that fit in a single SMS, and in each part of a longer text.
_ALONE = {Encoding.GSM: 160, Encoding.UCS2: 70}
_JOINED = {Encoding.GSM: 153, Encoding.UCS2: 67}


@frozen
class Segments:
    """Size of a text as SMS.

    Attributes:
        encoding: GSM-7 or UCS-2.
        parts: count of SMS parts, at least 1: an empty text is one empty SMS.
        units: length of the text, in septets for GSM-7 and in 16-bit units for UCS-2.
        remaining: units that are free in the last part. (A longer text than fits in a single SMS has less room in every
            part, because parts have a header.)
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
        text: the text as the handset is to show it, with its variables filled in.
        unicode: count the text as UCS-2 even if GSM 03.38 has all its characters, as when the vendor is told to send
            Unicode.

    Raises:
        ValidationError: the text holds half of a surrogate pair, which cannot be encoded.
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
    forced_by = _outside_gsm(text)
    if units <= _ALONE[Encoding.UCS2] or units == len(text):
        return _count(Encoding.UCS2, units, forced_by)
    return _packed(Encoding.UCS2, units, _cut_utf16(encoded), forced_by)


def split(text: str, *, unicode: bool = False) -> tuple[str, ...]:
    """Cut a text into the parts that `segments` counts; joined, they give the text again.

    Args:
        text: the text as the handset is to show it.
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


def _outside_gsm(text: str) -> tuple[tuple[int, str], ...]:
    """Return each character outside GSM 03.38 with its position."""
    found: list[tuple[int, str]] = []
    for run in _runs_outside_gsm(text):
        start, end = run.span()
        if end - start == 1:  # the usual case, a single accent, is done faster
            found.append((start, text[start]))
        else:
            found += enumerate(text[start:end], start)
    return tuple(found)


def _count(encoding: Encoding, units: int, forced_by: tuple[tuple[int, str], ...] = ()) -> Segments:
    """Count a text that can be cut between any two units, or that fits in one SMS."""
    alone = _ALONE[encoding]
    if units <= alone:
        return Segments(encoding, 1, units, alone - units, forced_by)
    size = _JOINED[encoding]
    parts = -(-units // size)
    return Segments(encoding, parts, units, parts * size - units, forced_by)


def _packed(encoding: Encoding, units: int, cuts: list[int], forced_by: tuple[tuple[int, str], ...] = ()) -> Segments:
    return Segments(encoding, len(cuts) + 1, units, _JOINED[encoding] - (units - cuts[-1]), forced_by)


def _to_septets(text: str) -> str:
    """Return a text with one character for each septet; the character after an escape does not matter for counting."""
    # Ten searches, which are fast; str.translate takes ten times as long on a text that is not ASCII.
    for character in _EXTENSION:
        if character in text:
            text = text.replace(character, _ESCAPE + character)
    return text


def _cut_septets(septets: str) -> list[int]:
    """Return where the parts after the first begin, in septets. An escape stays together with its character."""
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
    """Return where the parts after the first begin, in 16-bit units. The halves of a surrogate pair stay together."""
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
    # Raised outside the handler: the exception above holds the whole text, which must not become our context.
    raise ValidationError(
        f"text holds half of a surrogate pair at position {position}; decode it properly or remove that character",
        field="text",
    )


class Change(NamedTuple):
    """Replacement in a text.

    Attributes:
        position: position of ``before`` in the text as it was given, in code points.
        before: the character that was replaced, or the letter with its combining marks.
        after: the replacement; empty for characters that cannot be seen.
    """

    position: int
    before: str
    after: str


@frozen
class ChangedText:
    """Text after changes, with the list of the changes in order."""

    text: str
    changes: tuple[Change, ...] = ()


@frozen
class GsmText(ChangedText):
    """Text in GSM 03.38, with the list of the changes in order."""


def to_gsm(text: str) -> GsmText:
    """Replace each character outside GSM 03.38 by the nearest character of GSM 03.38.

    Vendors' documents name the accents: ``á í ó ú`` lose their accent, while ``é è ù ì ò à ñ ü ö ä å Ç`` stay (``ç``
    becomes ``c``, because only the capital is in the alphabet). All other characters get their usual plain spelling:
    quotation marks, dashes, ellipsis and special spaces in their ASCII form, ligatures and compatibility characters
    spelled out. Invisible characters are removed, and ``?`` stands for the rest. A letter with combining marks counts
    as one character.

    Args:
        text: any text.

    Returns:
        The new text, which `segments` counts as GSM-7, and the list of changes.
    """
    if _is_gsm(text):
        return GsmText(text)
    changes: list[Change] = []

    def replace(match: re.Match[str]) -> str:
        before = match[0]
        after = _nearest(before)
        changes.append(Change(match.start(), before, after))
        return after

    # To look for marks after every letter takes four times as long, and few texts have marks.
    replaced = (_sub_clusters if _has_combining(text) else _sub_characters)(replace, text)
    return GsmText(replaced, tuple(changes))


_COMBINING = "\u0300-\u036f"
_has_combining = re.compile(f"[{_COMBINING}]").search
_sub_characters = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]").sub
# A base character is replaced together with its combining marks, so that e + U+0301 becomes é and not e.
_sub_clusters = re.compile(f"[^{_COMBINING}][{_COMBINING}]+|[^{re.escape(_BASIC + _EXTENSION)}]").sub

# Plain spellings that the decompositions of Unicode do not give.
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
    """Return the nearest GSM text for a character, or for a letter and its combining marks."""
    composed = unicodedata.normalize("NFC", cluster)
    return "".join(_nearest_of_one(character) for character in composed)


def _nearest_of_one(character: str) -> str:
    if character in _GSM:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""  # an accent without a letter, a joiner, a direction mark, a byte order mark
    spelled = "".join(
        _PLAIN.get(piece, piece)
        for piece in unicodedata.normalize("NFKD", character)
        if not unicodedata.combining(piece)
    )
    if spelled and all(piece in _GSM for piece in spelled):
        return spelled
    return " " if category == "Zs" else "?"


@frozen
class SentText(ChangedText):
    """Text as a vendor sends it.

    Attributes:
        text: the text that the handset shows.
        changes: the vendor's changes of the given text, in order.
        segments: the vendor's count; it charges for ``segments.parts``.
    """

    segments: Segments = field(kw_only=True)


@frozen(kw_only=True)
class TextMode:
    """Rules of a vendor for texts that it is told to send plain, or as Unicode.

    Attributes:
        unicode: whether every text is sent as UCS-2, even if GSM 03.38 has all its characters.
        replace: function that makes the vendor's changes; None if the vendor sends every text as it is.
        limit: the greatest length that the vendor accepts, after the changes; None for any length.
        limit_of: the unit of ``limit``: characters (code points), or `Segments.units`.
        charged: units that are charged as one SMS; None for the usual sizes (160 or 153, and 70 or 67).
        remedy: the remedy for a text above the limit, for the error.
    """

    unicode: bool = False
    replace: Callable[[str], ChangedText] | None = None
    limit: int | None = None
    limit_of: Literal["characters", "units"] = "units"
    charged: int | None = None
    remedy: str = "shorten it"

    def count(self, text: str) -> Segments:
        """Count the parts of a text, after the changes of ``replace``, as this vendor does."""
        found = segments(text, unicode=self.unicode)
        if self.charged is None:
            return found
        parts = max(1, -(-found.units // self.charged))
        room = parts * self.charged if self.limit is None else min(parts * self.charged, self.limit)
        return Segments(found.encoding, parts, found.units, max(0, room - found.units), found.forced_by)


@frozen(kw_only=True)
class TextRule:
    """Rules of a vendor for texts: the changes before it counts a text, and the texts that it refuses.

    Each client has the rule of its vendor as ``text_rule``; docs/text.md compares the rules.

    Attributes:
        vendor: the vendor's short name.
        name: the vendor's name as in errors.
        plain: the rules when the vendor is not told to send Unicode.
        unicode: the rules when the vendor is told to send Unicode; None if it cannot be told.
    """

    vendor: str
    name: str
    plain: TextMode
    unicode: TextMode | None = None
    # Whether a text of plain characters that fits in one SMS is charged as one SMS.
    _is_usual: bool = field(init=False, eq=False, repr=False)

    @_is_usual.default
    def _look_at_plain(self) -> bool:
        mode = self.plain
        return not mode.unicode and mode.charged is None and mode.limit in (None, _ALONE[Encoding.GSM])

    def apply(self, text: str, *, unicode: bool = False, what: str = "text") -> SentText:
        """Return a text as the handset will show it, with the changes and the count of SMS that are charged.

        Args:
            text: the text with its variables filled in.
            unicode: whether the vendor is told to send Unicode.
            what: name of the text in errors.

        Raises:
            ValidationError: the text is blank, is too long for this vendor, or holds a NUL character or half of a
                surrogate pair (``field`` is ``"text"``); or the vendor cannot be told to send Unicode (``field`` is
                ``"unicode"``).
        """
        self.check(text, what=what)
        mode = self.unicode if unicode else self.plain
        if mode is None:
            raise self._invalid("unicode", f"{self.name} cannot be told to send Unicode; leave unicode out")
        if mode.replace is None:
            sent = SentText(text, segments=mode.count(text))
        else:
            changed = mode.replace(text)
            sent = SentText(changed.text, changed.changes, segments=mode.count(changed.text))
        if mode.limit is not None:
            length = len(sent.text) if mode.limit_of == "characters" else sent.segments.units
            if length > mode.limit:
                of = "characters" if mode.limit_of == "characters" else f"{sent.segments.encoding} units"
                raise self._invalid(
                    "text", f"{what} has {length} {of}, and {self.name} takes {mode.limit}; {mode.remedy}"
                )
        return sent

    def parts(self, text: str, *, unicode: bool = False) -> int:
        """Return the count of SMS that a text is charged as, like `apply`, but faster for ordinary texts.

        Raises:
            ValidationError: as in `apply`.
        """
        if self._is_usual and not unicode and _is_plain_sms(text) and not text.isspace():
            return 1
        return self.apply(text, unicode=unicode).segments.parts

    def check(self, text: object, *, field: str = "text", what: str | None = None) -> str:
        """Refuse texts that no vendor sends: a blank text, and one with NUL or half of a surrogate pair.

        Args:
            text: any object.
            field: the public name of the parameter, for the error.
            what: name of the text in the error; None for ``field``.

        Returns:
            The text as it is.

        Raises:
            ValidationError: the text is refused, or not a string; the message does not quote it.
        """
        what = what or field
        if not isinstance(text, str):
            raise self._invalid(field, f"{what} must be a string, not {type(text).__name__}")
        if not text or text.isspace():
            raise self._invalid(field, f"{what} is empty; give the message")
        if "\0" in text:
            raise self._invalid(field, f"{what} holds a NUL character; remove it")
        if not text.isascii() and _has_surrogate(text):
            raise self._invalid(field, f"{what} holds half of a surrogate pair, such as half an emoji; remove it")
        return text

    def _invalid(self, field: str, message: str) -> ValidationError:
        return ValidationError(message, field=field, vendor=self.vendor)
