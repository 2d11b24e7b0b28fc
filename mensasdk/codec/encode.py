"""Write parameters into the bytes of a request: JSON, form, query string, multipart.

The receiver gets exactly these parameters and no others, whatever characters they contain. Property tests check this
with decoders that share no code with this module.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import attrs
import orjson

from mensasdk.errors import ValidationError

__all__ = ["FilePart", "encode_form", "encode_json", "encode_multipart", "encode_query"]


class _Unsendable(TypeError):
    pass


def _json_default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise _Unsendable


def _decimal(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > 64:
        raise _Unsendable
    return format(value, "f")


def _has_nan(value: Any) -> bool:
    # orjson would write null, which the vendor would read as no value.
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(_has_nan(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(_has_nan(item) for item in value)


def _json(value: Any) -> bytes | None:
    """Return a value as compact JSON; None if it cannot be written as JSON.

    Datetimes are refused on purpose, because each vendor has its own way to write them.
    """
    try:
        encoded = orjson.dumps(value, default=_json_default, option=orjson.OPT_PASSTHROUGH_DATETIME)
        # To search a thousand recipients for NaN takes longer than to write them, so only if there is a null at all.
        return None if b"null" in encoded and _has_nan(value) else encoded
    except (TypeError, ValueError, RecursionError):
        return None


def _refusal(name: object) -> ValidationError:
    # The value is not quoted: it may be a secret, or the text of a message.
    return ValidationError(
        f"parameter {str(name)[:40]!r} cannot be sent: give text, numbers that are finite, flags, or lists and "
        "mappings of these",
        field=str(name),
    )


def encode_json(params: Mapping[str, object]) -> bytes:
    """Write parameters as a compact JSON object in UTF-8. Decimals become strings, so that no digit is lost.

    Raises:
        ValidationError: a value cannot be written as JSON (NaN, infinity, an integer beyond 64 bits, half a surrogate
            pair, a datetime, any other object); ``field`` is the parameter's name.
    """
    body = _json(dict(params))
    if body is None:
        raise _refusal(next((name for name, value in params.items() if _json({name: value}) is None), "?"))
    return body


def _text(name: str, value: object) -> str | None:
    """Return the text of a value for forms and queries; None for None, which is left out."""
    text: str | None = None
    if value is None:
        return None
    if isinstance(value, str):
        text = str(value)
    elif isinstance(value, bool):
        text = "1" if value else "0"
    elif isinstance(value, int):
        text = str(int(value))
    elif isinstance(value, float):
        text = repr(float(value)) if math.isfinite(value) else None
    elif isinstance(value, Decimal):
        text = format(value, "f") if value.is_finite() and abs(value.adjusted()) <= 64 else None
    elif isinstance(value, (list, tuple, Mapping)):
        body = _json(value)
        text = None if body is None else body.decode()
    if text is None or not _encodable(text) or not _encodable(name):
        raise _refusal(name)
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def _texts(params: Mapping[str, object]) -> list[tuple[str, str]]:
    texts = ((name, _text(name, value)) for name, value in params.items())
    return [(name, text) for name, text in texts if text is not None]


def encode_form(params: Mapping[str, object]) -> bytes:
    """Write parameters as ``application/x-www-form-urlencoded`` in UTF-8.

    Flags become 1 and 0, and lists and mappings compact JSON. Parameters that are None are left out.

    Raises:
        ValidationError: a value cannot be written as text; ``field`` is the parameter's name.
    """
    return urlencode(_texts(params), quote_via=quote_plus).encode("ascii")


def encode_query(params: Mapping[str, object]) -> str:
    """Write parameters as the query of a URL, without ``?``: like `encode_form`, but with ``%20`` for blanks.

    Every server reads ``%20``, while ``+`` is not always read as a blank in a query.

    Raises:
        ValidationError: a value cannot be written as text; ``field`` is the parameter's name.
    """
    return urlencode(_texts(params), quote_via=quote, safe="")


@attrs.frozen
class FilePart:
    """File of a multipart request.

    Args:
        field: name of the form field, such as ``"Fichero"``.
        filename: the file name that the receiver sees, without a path, control characters, quotes or backslashes.
        content: the bytes of the file.
        content_type: media type, such as ``"application/pdf"``.
    """

    field: str
    filename: str
    content: bytes = attrs.field(repr=False)
    content_type: str = "application/octet-stream"


_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
# A line end would start another header, a quote would end the name, and some parsers take a backslash as an escape.
_UNSAFE_IN_HEADER = re.compile(r'[\x00-\x1f\x7f"\\\x80-\x9f\u2028\u2029]')


def _header_text(name: str, value: str) -> bytes:
    if not value or _UNSAFE_IN_HEADER.search(value) or not _encodable(value):
        raise ValidationError(
            f"{name} is empty, or holds quotes, backslashes, line ends or other control characters", field=name
        )
    return value.encode()


def encode_multipart(params: Mapping[str, object], files: Iterable[FilePart] = ()) -> tuple[bytes, str]:
    """Write parameters (in the form of `encode_form`) and then files as ``multipart/form-data`` in UTF-8.

    Args:
        params: the parameters. Those that are None are left out.
        files: the files.

    Returns:
        The body, and the content type with the boundary.

    Raises:
        ValidationError: a name or file name has characters that are not safe in a header, a value cannot be written as
            text, or ``content_type`` is not a media type.
    """
    parts: list[tuple[bytes, bytes]] = []
    for name, text in _texts(params):
        head = b'Content-Disposition: form-data; name="' + _header_text("parameter name", name) + b'"\r\n\r\n'
        parts.append((head, text.encode()))
    for file in files:
        if "/" in file.filename:  # receivers cut the path off, or worse, follow it
            raise ValidationError("filename holds a path; give the name without it", field="filename")
        if not _MEDIA_TYPE.fullmatch(file.content_type):
            raise ValidationError("content_type is not a media type, such as application/pdf", field="content_type")
        head = (
            b'Content-Disposition: form-data; name="' + _header_text("field", file.field)
            + b'"; filename="' + _header_text("filename", file.filename)
            + b'"\r\nContent-Type: ' + file.content_type.encode("ascii") + b"\r\n\r\n"
        )  # fmt: skip
        parts.append((head, file.content))
    boundary = _boundary(parts)
    body = b"".join(b"--%b\r\n%b%b\r\n" % (boundary, head, content) for head, content in parts)
    return body + b"--%b--\r\n" % boundary, f"multipart/form-data; boundary={boundary.decode()}"


def _boundary(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    while True:
        boundary = secrets.token_hex(16).encode()
        if not any(boundary in head or boundary in content for head, content in parts):
            return boundary
