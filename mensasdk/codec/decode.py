"""Read the bytes of an answer into a plain tree, in whatever format the answer is.

The ``Content-Type`` and the format that was asked for are only hints; the body itself decides. A body that can be read
in two ways is refused. For a call that costs money, a refusal means UNKNOWN, while a wrong reading means a wrong bill.
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
    """Format of a vendor's answer. The values are those of the clients' ``answer_format``."""

    JSON = "json"
    XML = "xml"
    TXT = "txt"


@define  # not frozen: one is made for each answer, and a frozen object takes five times as long to make
class Decoded:
    """Body that has been read.

    Attributes:
        tree: dicts, lists and scalars. JSON keeps its own types, with decimals as `~decimal.Decimal` (or float in
            bodies above 16 KiB); XML and TXT have strings only.
        format: the format that the body is in.
        notes: faults that could be put right with certainty, as clauses without any text of the body. There are only a
            few different ones. The caller logs them, since it knows the vendor and the function.
    """

    tree: Any = field(repr=False)
    format: Format
    notes: tuple[str, ...] = ()


_UTF8 = "utf-8-sig"
# No other charsets: a server must not be able to choose one of Python's unusual codecs (UTF-7, punycode, …).
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

# Comments are skipped atomically: otherwise a row of comments would be tried in every combination.
_HTML = re.compile(
    r"(?:<\?xml[^>]*+>\s*+)?(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s++html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_PHP_NOTICE = re.compile(r"<(?:br|b)\b", re.IGNORECASE)
_TXT_START = re.compile(r"[^\W\d]\w*[^\S\r\n]*:")
_BARE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def charset(content_type: str, notes: list[str]) -> str:
    """Return the Python codec of the declared charset; UTF-8 if the header names none, or none of those allowed."""
    codec, _ = _declared(content_type)
    if codec is None:
        notes.append("unknown charset declared")
    return codec or _UTF8


def read_text(body: bytes, codec: str, notes: list[str]) -> str:
    """Decode bytes in the declared charset, else as UTF-8, else as Latin-1, which fits every byte.

    A note is added when the declared charset did not fit.
    """
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
    """Return what a ``Content-Type`` declares: the Python codec (None if it is not allowed), and the format."""
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
        raise Unreadable("not text: it holds NUL bytes")  # this refuses UTF-16 and UTF-32 as well
    start = body.lstrip()
    if start.startswith(_BOM):
        notes.append("a byte order mark ignored")
        start = start.removeprefix(_BOM).lstrip()
    if not start:
        raise Unreadable("an empty body", UnexpectedResponse)
    codec = charset(content_type, notes)
    if start[0] in b"{[" and codec == _UTF8:
        # JSON in UTF-8, the usual case, is read from the bytes, without a copy as text.
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
            # A PHP warning in front of the JSON ("Notice: … [{…}]") starts like TXT, but is not TXT.
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
    """Refuse two values under keys that differ in case only: ``Res`` and ``RES`` are one key (a vendor mixes them).

    Only the outermost object is checked here, because the keys of deeper objects may be names that users chose
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
            raise Unreadable("one key appears twice, in different case, with different values", AmbiguousResponse)


def decode(
    body: bytes, *, expect: Format, content_type: str = "", exact: bool = False, vendor: str | None = None
) -> Decoded:
    """Read the body of an answer.

    Args:
        body: the whole body, decompressed.
        expect: the format that was asked for. It decides only if the body itself does not, as with a bare ``-1``.
        content_type: the header as received, or empty. Its charset is used when it is a usual one.
        exact: read JSON above 16 KiB as strictly (and slowly) as shorter JSON, because money depends on it.
        vendor: the vendor's short name, for errors.

    Returns:
        The tree, its format, and notes. A bare JSON scalar is the tree itself. A bare number is a string if XML or
        TXT was asked for.

    Raises:
        UnexpectedResponse: the body is a web page, or empty.
        AmbiguousResponse: one key has two values.
        DecodeError: the body cannot be read for another reason; every JSON or XML body that is cut is refused. No other
            exception leaves this function, and no exception has a ``__context__`` or text of the body.
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
        problem = None  # its traceback would keep the whole body alive in the frame of the public error
        raise kind(f"unreadable answer: {reason}", vendor=vendor)
    if found is not expect:
        notes.append(f"{expect.value.upper()} was asked for, {found.value.upper()} came")
    if content_type.strip() and _declared(content_type)[1] is not found:
        notes.append(f"the declared content type is not that of {found.value.upper()}, which came")
    return Decoded(tree, found, tuple(dict.fromkeys(notes)) if notes else ())
