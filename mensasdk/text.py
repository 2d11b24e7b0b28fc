"""How many SMS a text becomes: the GSM 03.38 alphabet, Unicode, and the cut into parts.

A text whose characters are all in the GSM 03.38 default alphabet or its extension table travels in septets of 7
bits: 160 in one SMS, or 153 in each part of a longer one, because every part then carries a header. Any other
character makes the whole text travel as UCS-2, in units of 16 bits: 70 in one SMS, 67 in each part. The ten
characters of the extension table (``€ ^ { } [ ] ~ \\ |`` and form feed) take two septets, and a character beyond
the basic multilingual plane (most emoji) two 16-bit units; neither is ever divided between two parts, so a part may
stay one unit short.

What a vendor does to a text before any of this is its `TextRule`, which each client has as ``text_rule``.

Sources: 3GPP TS 23.038 (the alphabets) and TS 23.040 (the header of a part). What a vendor does to characters outside
GSM 03.38 is told, with its source, by the ``rules`` of its folder.
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
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"  # the escape, 0x1B, stands between Ξ and Æ and is not a character of its own
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_GSM = frozenset(_BASIC + _EXTENSION)

_is_basic = re.compile(f"[{re.escape(_BASIC)}]*").fullmatch
_is_gsm = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*").fullmatch
# No more than fits in one SMS. Nearly all texts are so, and no vendor changes any of these characters.
_is_plain_sms = re.compile(f"[{re.escape(''.join(filter(str.isascii, _BASIC)))}]{{1,160}}").fullmatch
_has_surrogate = re.compile("[\ud800-\udfff]").search
_runs_outside_gsm = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]+").finditer


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
    forced_by = _outside_gsm(text)
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


def _outside_gsm(text: str) -> tuple[tuple[int, str], ...]:
    """Each character outside GSM 03.38 with its position."""
    found: list[tuple[int, str]] = []
    for run in _runs_outside_gsm(text):
        start, end = run.span()
        if end - start == 1:  # the common case, a lone accent, is worth its line
            found.append((start, text[start]))
        else:
            found += enumerate(text[start:end], start)
    return tuple(found)


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
    """One replacement in a text.

    Attributes:
        position: where ``before`` begins in the text as it was given, in code points.
        before: the character that was replaced, or the letter with its combining marks.
        after: what stands in its place; empty for characters that cannot be seen.
    """

    position: int
    before: str
    after: str


@frozen
class ChangedText:
    """A text, and what was changed to make it of the one that was given, in order."""

    text: str
    changes: tuple[Change, ...] = ()


@frozen
class GsmText(ChangedText):
    """A text within GSM 03.38, and what was changed to bring it there, in order."""


def to_gsm(text: str) -> GsmText:
    """Replace each character outside GSM 03.38 by the nearest one that it has.

    Accents are the case that vendors' documents name: ``á í ó ú`` lose theirs, while ``é è ù ì ò à ñ ü ö ä å Ç`` stay
    (``ç`` becomes ``c``: only the capital is in the alphabet). All else gets its usual plain spelling: quotation
    marks, dashes, ellipsis and special spaces in their ASCII form, ligatures and compatibility characters spelled
    out, invisible characters removed, and ``?`` for the rest. A letter with combining marks counts as one character.

    Args:
        text: any text.

    Returns:
        The new text, for which ``segments`` gives GSM-7, and the list of changes.
    """
    if _is_gsm(text):
        return GsmText(text)
    changes: list[Change] = []

    def replace(match: re.Match[str]) -> str:
        before = match[0]
        after = _nearest(before)
        changes.append(Change(match.start(), before, after))
        return after

    # Looking for marks behind every letter takes four times as long, and few texts have any.
    replaced = (_sub_clusters if _has_combining(text) else _sub_characters)(replace, text)
    return GsmText(replaced, tuple(changes))


_COMBINING = "\u0300-\u036f"
_has_combining = re.compile(f"[{_COMBINING}]").search
_sub_characters = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]").sub
# A base character is taken along with its combining marks, so that e + U+0301 becomes é and not e.
_sub_clusters = re.compile(f"[^{_COMBINING}][{_COMBINING}]+|[^{re.escape(_BASIC + _EXTENSION)}]").sub

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


@frozen
class SentText(ChangedText):
    """What becomes of a text at a vendor.

    Attributes:
        text: what the handset shows.
        changes: what the vendor changes in the text that it is given, in order.
        segments: what it counts; ``segments.parts`` is what it charges for.
    """

    segments: Segments = field(kw_only=True)


@frozen(kw_only=True)
class TextMode:
    """What a vendor does with a text in one of its ways of sending.

    Attributes:
        unicode: it is sent as UCS-2, whether it needs that or not.
        replace: what the vendor changes in it; None where it sends every text as it is.
        limit: the most that it takes, after the changes; None for any length.
        limit_of: whether that counts characters (code points) or `Segments.units`.
        charged: the units that one SMS is charged for; None for what the air takes, 160 or 153 and 70 or 67.
        remedy: what to do about a text beyond the limit, for the error.
    """

    unicode: bool = False
    replace: Callable[[str], ChangedText] | None = None
    limit: int | None = None
    limit_of: Literal["characters", "units"] = "units"
    charged: int | None = None
    remedy: str = "shorten it"

    def count(self, text: str) -> Segments:
        """Segments of a text that has been through `replace`, as this vendor counts them."""
        found = segments(text, unicode=self.unicode)
        if self.charged is None:
            return found
        parts = max(1, -(-found.units // self.charged))
        room = parts * self.charged if self.limit is None else min(parts * self.charged, self.limit)
        return Segments(found.encoding, parts, found.units, max(0, room - found.units), found.forced_by)


@frozen(kw_only=True)
class TextRule:
    """What a vendor does to a text before it counts it, and which texts it refuses.

    Each client has its vendor's as ``text_rule``; docs/text.md has them side by side.

    Attributes:
        vendor: the vendor's short name.
        name: the vendor's name as errors write it.
        plain: what it does when it is not told to send Unicode.
        unicode: what it does when it is; None where it cannot be told.
    """

    vendor: str
    name: str
    plain: TextMode
    unicode: TextMode | None = None
    # Whether a text that is plain throughout and fits in one SMS is charged as one.
    _is_usual: bool = field(init=False, eq=False, repr=False)

    @_is_usual.default
    def _look_at_plain(self) -> bool:
        mode = self.plain
        return not mode.unicode and mode.charged is None and mode.limit in (None, _ALONE[Encoding.GSM])

    def apply(self, text: str, *, unicode: bool = False, what: str = "text") -> SentText:
        """What the handset will show of a text, what was changed in it, and how many SMS it is charged as.

        Args:
            text: the text after any variables are filled in.
            unicode: the vendor is told to send Unicode, where it can be told.
            what: what errors call the text.

        Raises:
            ValidationError: the text is blank, is too long for this vendor, or holds a NUL character or half of a
                surrogate pair (``field`` is ``"text"``); or the vendor cannot be told to send Unicode (``"unicode"``).
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
        """How many SMS a text is charged as: `apply` in short, and quick for ordinary texts.

        Raises:
            ValidationError: as in `apply`.
        """
        if self._is_usual and not unicode and _is_plain_sms(text) and not text.isspace():
            return 1
        return self.apply(text, unicode=unicode).segments.parts

    def check(self, text: object, *, field: str = "text", what: str | None = None) -> str:
        """Refuse what no vendor sends: a blank text, NUL, and half of a surrogate pair.

        Args:
            text: any object.
            field: the public name of the parameter at fault.
            what: what the error calls it, where that is not the field.

        Returns:
            The text as it is.

        Raises:
            ValidationError: it is no such text; the message does not quote it.
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
