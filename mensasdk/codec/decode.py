"""From the bytes of an answer to a plain tree, whatever the answer claims to be.

What a vendor declares (``Content-Type``) and what was asked for are hints; the body itself decides. Everything that
cannot be read without doubt is refused: for a call that costs money a refusal means UNKNOWN, and a wrong reading
means a wrong bill.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

from attrs import define, field

from mensasdk.codec.json_body import parse_json
from mensasdk.codec.keys import folded
from mensasdk.codec.txt_body import parse_txt
from mensasdk.codec.unreadable import Unreadable
from mensasdk.codec.xml_body import parse_xml
from mensasdk.errors import AmbiguousResponse, UnexpectedResponse

__all__ = ["Decoded", "Format", "charset", "decode", "read_text"]


class Format(StrEnum):
    """The formats that vendors answer in. The value is the word of `decode` and of the clients' ``answer_format``."""

    JSON = "json"
    XML = "xml"
    TXT = "txt"


@define  # one for each answer, and a frozen object takes five times as long to make
class Decoded:
    """A body that has been read.

    Attributes:
        tree: dicts, lists and scalars. JSON keeps its own types, with decimals as `~decimal.Decimal` (or float in
            bodies above 16 KiB); XML and TXT have strings only.
        format: what the body turned out to be.
        notes: what was out of order and could be set right without doubt, as clauses of ours without anything of the
            body. There is a handful of them, and whoever knows the vendor and the function logs them.
    """

    tree: Any = field(repr=False)
    format: Format
    notes: tuple[str, ...] = ()


_UTF8 = "utf-8-sig"
# Only these: a server must not be able to choose one of Python's stranger codecs (UTF-7, punycode, …).
_CHARSETS = {
    "utf-8": _UTF8,
    "utf8": _UTF8,
    "us-ascii": _UTF8,
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"

# Comments are skipped atomically: a row of them must not be tried in every combination.
_HTML = re.compile(
    r"(?:<\?xml[^>]*+>\s*+)?(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s++html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_PHP_NOTICE = re.compile(r"<(?:br|b)\b", re.IGNORECASE)
_TXT_START = re.compile(r"[^\W\d]\w*[^\S\r\n]*:")
_BARE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def charset(content_type: str, notes: list[str]) -> str:
    """The Python codec for the declared charset; UTF-8 when none, or none that we take, is declared."""
    codec, _ = _declared(content_type)
    if codec is None:
        notes.append("unknown charset declared")
    return codec or _UTF8


def read_text(body: bytes, codec: str, notes: list[str]) -> str:
    """Bytes to text: the declared charset, else UTF-8, else Latin-1, which fits every byte; the last two are noted."""
    for candidate in dict.fromkeys((codec, _UTF8)):
        try:
            text = body.decode(candidate)
        except UnicodeDecodeError:
            continue
        if candidate != codec:
            notes.append("not valid in its charset; read as UTF-8")
        return text
    notes.append("not valid in its charset; read as Latin-1")
    return body.decode("latin-1")


@lru_cache(maxsize=64)
def _declared(content_type: str) -> tuple[str | None, Format | None]:
    """What a header says: the Python codec (None for one that we do not take), and the format."""
    found = _CHARSET.search(content_type)
    codec = _UTF8 if found is None else _CHARSETS.get(found[1].lower())
    media_type = content_type.partition(";")[0].lower()
    if "json" in media_type:
        return codec, Format.JSON
    if "xml" in media_type and "html" not in media_type:
        return codec, Format.XML
    return codec, Format.TXT if media_type.strip() == "text/plain" else None


def _decode(body: bytes, expect: Format, content_type: str, exact: bool, notes: list[str]) -> tuple[Any, Format]:
    if b"\0" in body:
        raise Unreadable("not text: it holds NUL bytes")  # so neither UTF-16 nor UTF-32 gets any further
    start = body.lstrip()
    if start.startswith(_BOM):
        notes.append("a byte order mark ignored")
        start = start.removeprefix(_BOM).lstrip()
    if not start:
        raise Unreadable("an empty body", UnexpectedResponse)
    codec = charset(content_type, notes)
    if start[0] in b"{[" and codec == _UTF8:
        # JSON in UTF-8, the usual case, needs no copy of the text.
        try:
            return parse_json(start, notes, exact=exact), Format.JSON
        except UnicodeDecodeError:
            pass
    text = read_text(start, codec, notes).strip()
    if not text:
        raise Unreadable("an empty body", UnexpectedResponse)
    if text[0] in "{[":
        return parse_json(text, notes, exact=exact), Format.JSON
    if text[0] == "<":
        if _HTML.match(text):
            raise Unreadable("a web page", UnexpectedResponse)
        if expect is Format.JSON and _PHP_NOTICE.match(text):
            return parse_json(text, notes, exact=exact), Format.JSON
        return parse_xml(text), Format.XML
    if _TXT_START.match(text) and text[-1] in ";]":
        try:
            return parse_txt(text), Format.TXT
        except Unreadable as error:
            # A PHP warning ahead of the JSON ("Notice: … [{…}]") starts like TXT, and is not it.
            if expect is not Format.JSON or error.error is AmbiguousResponse:
                raise
    if expect is Format.JSON:
        return parse_json(text, notes, exact=exact), Format.JSON
    if _BARE_NUMBER.fullmatch(text):
        return text, expect
    if expect is Format.TXT:
        return parse_txt(text), Format.TXT
    raise Unreadable(f"not {expect.value.upper()}, nor any other known format")


def _check_case(tree: Any) -> None:
    """One vendor varies the case of its keys, so ``Res`` and ``RES`` are one key, and must not disagree.

    Only the outermost object is checked here, because deeper ones may be keyed by names that users chose
    (templates). The converter checks every key that it looks up, at any depth.
    """
    if isinstance(tree, list) and len(tree) == 1:
        tree = tree[0]
    if not isinstance(tree, dict):
        return
    keys = folded(tuple(tree))
    if len({*keys}) == len(keys):
        return
    seen: dict[str, Any] = {}
    for key, value in zip(keys, tree.values(), strict=True):
        if seen.setdefault(key, value) != value:
            raise Unreadable("one key stands there twice, in different case, with different values", AmbiguousResponse)


def decode(
    body: bytes, *, expect: Format, content_type: str = "", exact: bool = False, vendor: str | None = None
) -> Decoded:
    """Read the body of an answer.

    Args:
        body: the whole body, decompressed.
        expect: the format that was asked for. It decides only where the body itself does not, as with a bare ``-1``.
        content_type: the header as received, or empty. Its charset is used when it is a usual one.
        exact: read JSON above 16 KiB as slowly and as strictly as what is shorter, because money depends on it.
        vendor: the vendor's short name, for errors.

    Returns:
        The tree, the format that it was in, and notes. A bare JSON scalar is itself; a bare number where XML or TXT
        was asked for is a string.

    Raises:
        UnexpectedResponse: a web page, or nothing at all.
        AmbiguousResponse: one key with two values.
        DecodeError: everything else that cannot be read, and every JSON or XML body that is cut. No other exception
            leaves this function, and none has a ``__context__`` or text of the body.
    """
    notes: list[str] = []
    problem: Unreadable | None = None
    try:
        tree, found = _decode(body, expect, content_type, exact, notes)
        _check_case(tree)
    except Unreadable as error:
        problem = error
    except (RecursionError, MemoryError, ValueError) as error:
        problem = Unreadable(f"cannot be read ({type(error).__name__})")
    if problem is not None:
        reason, kind = problem.reason, problem.error
        problem = None  # else its traceback would keep the whole body alive in the frame of the public error
        raise kind(f"unreadable answer: {reason}", vendor=vendor)
    if found is not expect:
        notes.append(f"{expect.value.upper()} was asked for, {found.value.upper()} came")
    if content_type.strip() and _declared(content_type)[1] is not found:
        notes.append(f"the declared content type is not that of {found.value.upper()}, which came")
    return Decoded(tree, found, tuple(dict.fromkeys(notes)) if notes else ())
