"""Read forms that vendors post to us: urlencoded or multipart, with plain fields only (no files)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from mensasdk.codec.decode import charset, read_text
from mensasdk.codec.unreadable import Unreadable
from mensasdk.errors import AmbiguousResponse

__all__ = ["decode_form"]

_MAX_BODY = 64 * 1024
_MAX_FIELDS = 100
_MAX_HEADER = 1024
_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;,"]{1,70}))""", re.IGNORECASE)
_TRANSPARENT = frozenset({b"", b"7bit", b"8bit", b"binary"})
_PARAMETER = re.compile(rb';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s;"]++))\s*')
_DISPOSITION = re.compile(rb"form-data\s*((?:" + _PARAMETER.pattern + rb")*+);?", re.IGNORECASE)
_ESCAPED = re.compile(rb'\\(["\\])')


def _urlencoded(body: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [item.partition(b"=") for item in body.strip().split(b"&", _MAX_FIELDS + 1) if item]
    return [
        (unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" ")))
        for name, _, value in pairs
    ]


def _multipart(body: bytes, content_type: str) -> list[tuple[bytes, bytes]]:
    found = _BOUNDARY.search(content_type)
    if not found:
        raise Unreadable("a multipart form without a boundary")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
    # The first piece is the text before the first boundary, the last piece the text after the closing boundary.
    pieces = (b"\r\n" + body).split(delimiter, _MAX_FIELDS + 2)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Unreadable("a multipart form that is cut, or has too many fields")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> tuple[bytes, bytes]:
    padding, line_end, rest = piece.partition(b"\r\n")
    head, blank, value = rest.partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not line_end or not blank or len(head) > _MAX_HEADER:
        raise Unreadable("a malformed part of a multipart form")
    # Not the standard library's mail parser: it cannot read names in UTF-8, which browsers write.
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    headers = {name.strip().lower(): text.strip() for name, _, text in lines}
    disposition = _DISPOSITION.fullmatch(headers.get(b"content-disposition", b""))
    if not disposition or headers.get(b"content-transfer-encoding", b"").lower() not in _TRANSPARENT:
        raise Unreadable("a malformed part of a multipart form")
    parameters = {name.lower(): quoted or token for name, quoted, token in _PARAMETER.findall(disposition[1])}
    if b"filename" in parameters or b"filename*" in parameters:
        raise Unreadable("a form with a file")
    if b"name" not in parameters:
        raise Unreadable("a malformed part of a multipart form")
    return _ESCAPED.sub(rb"\1", parameters[b"name"]), value


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    if len(body) > _MAX_BODY:
        raise Unreadable("a form that is too large")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in ("", "application/x-www-form-urlencoded"):
        pairs = _urlencoded(body)
    elif media_type == "multipart/form-data":
        pairs = _multipart(body, content_type)
    else:
        raise Unreadable("not a form")
    if len(pairs) > _MAX_FIELDS:
        raise Unreadable("a form with too many fields")
    codec = charset(content_type, [])
    result: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = read_text(raw_name, codec, []), read_text(raw_value, codec, [])
        if result.setdefault(name, value) != value:
            raise Unreadable("one form field appears twice with different values", AmbiguousResponse)
    return result


def decode_form(body: bytes, content_type: str, *, vendor: str | None = None) -> dict[str, str]:
    """Read a form that was posted to us.

    Args:
        body: the whole body, at most 64 KiB and 100 fields.
        content_type: the header as received: urlencoded or ``multipart/form-data``. An empty one means urlencoded.
        vendor: the vendor's short name, for errors.

    Returns:
        The values by their field names, which keep the vendor's case. An empty body gives an empty dict.

    Raises:
        AmbiguousResponse: one field has two values.
        DecodeError: the body is not a form, is cut or too large, or has a file in it. No other exception leaves this
            function, and no exception has a ``__context__`` or text of the body.
    """
    problem: Unreadable | None = None
    try:
        return _fields(body, content_type)
    except Unreadable as error:
        problem = error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        problem = Unreadable(f"cannot be read ({type(error).__name__})")
    reason, kind = problem.reason, problem.error
    problem = None  # its traceback would keep the whole body alive
    raise kind(f"unreadable form: {reason}", vendor=vendor)
