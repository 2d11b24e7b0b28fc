"""Read the envelope of every answer: an error flag, a code, a message and the data.

Source: envia-sms.com, "API SMS" (5 August 2022). The document's samples differ: the code is named ``code_error``,
``codigo_error`` or ``error_code``, and is a number, a text with or without a leading zero, or empty. One answer with
``"error": true`` is a success (``paises``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from mensasdk.codec import Decoded, Format, decode, folded_fields, to_bool, to_int
from mensasdk.codec.decode import charset, read_text
from mensasdk.errors import AmbiguousResponse, DecodeError, MensaError, UnexpectedResponse
from mensasdk.transport import HttpResponse
from mensasdk.vendors.base import words_of
from mensasdk.vendors.envia_sms.repair import repair

__all__ = ["Envelope", "open_envelope"]

_CODES: Final = ("code_error", "codigo_error", "error_code")
_WORDS: Final = ("error_message", "mensaje_error")
_plain_code = re.compile(r"[\w.-]{1,20}").fullmatch


@frozen
class Envelope:
    """Envelope of one answer.

    Attributes:
        failed: ``error``; None where it is absent or empty.
        code: the code as a number, or as text where it is no number; 0 for success; None where the answer has no code.
        words: ``error_message`` or ``mensaje_error``, as received. It may quote secrets and phone numbers.
        content: ``response``, the data.
        whole: False where the answer lacks its end; see `mensasdk.vendors.envia_sms.repair`.
        notes: faults of the answer that could be repaired; see `mensasdk.codec.Decoded`.
    """

    failed: bool | None
    code: int | str | None
    words: str = field(repr=False)
    content: Any = field(repr=False)
    whole: bool = True
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether the answer has no data."""
        return self.content is None or self.content == "" or self.content == [] or self.content == {}


def open_envelope(response: HttpResponse, *, vendor: str, exact: bool = False) -> Envelope:
    """Read an answer's envelope, whatever the HTTP status is.

    Args:
        response: the HTTP answer.
        vendor: the vendor's short name.
        exact: as in `mensasdk.codec.decode`.

    Raises:
        UnexpectedResponse: the body is empty, a web page, or JSON that is not the vendor's.
        AmbiguousResponse: the answer has two different codes, or one key with two values.
        DecodeError: the answer cannot be read, for example because it is cut.
    """
    decoded, whole = _decode(response, vendor, exact)
    tree = decoded.tree
    if isinstance(tree, list) and len(tree) == 1:
        tree = tree[0]
    fields = folded_fields(tree)
    if fields.keys().isdisjoint({"error", *_CODES}):
        raise UnexpectedResponse("the answer is not the vendor's", status=response.status, vendor=vendor)
    problem: MensaError | None = None
    try:
        return Envelope(
            _flag(fields.get("error")),
            _code(fields),
            words_of(fields, *_WORDS),
            fields.get("response"),
            whole,
            decoded.notes,
        )
    except _Contradiction:
        problem = AmbiguousResponse("the answer has two different codes", status=response.status, vendor=vendor)
    except ValueError:
        problem = DecodeError(
            "unusable answer: its error flag or its code cannot be read", status=response.status, vendor=vendor
        )
    raise problem


class _Contradiction(Exception):
    pass


def _decode(response: HttpResponse, vendor: str, exact: bool) -> tuple[Decoded, bool]:
    content_type = response.headers.get("content-type", "")
    problem: DecodeError | None = None
    try:
        decoded = decode(response.body, expect=Format.JSON, content_type=content_type, exact=exact, vendor=vendor)
        return decoded, True
    except AmbiguousResponse:
        raise
    except DecodeError as error:
        problem = error
    repaired = repair(read_text(response.body, charset(content_type, []), []))
    if repaired is None:
        raise problem
    tried: Decoded | None = None
    try:
        tried = decode(repaired.text.encode(), expect=Format.JSON, exact=exact, vendor=vendor)
    except AmbiguousResponse:
        raise
    except DecodeError:
        pass  # the error of the unrepaired body says more
    if tried is None:
        raise problem
    return evolve(tried, notes=("invalid JSON, repaired", *tried.notes)), repaired.whole


def _flag(value: Any) -> bool | None:
    if value is None or value == "":
        return None
    return to_bool(value)


def _code(fields: Mapping[str, Any]) -> int | str | None:
    found: set[int | str] = set()
    for name in _CODES:
        value = fields.get(name)
        if value is None or value is False or (isinstance(value, str) and not value.strip()):
            continue
        if value is True:
            raise ValueError("a flag is no code")
        try:
            found.add(to_int(value))
        except ValueError:
            if not isinstance(value, str) or not _plain_code(value.strip()):
                raise
            found.add(value.strip())
    if len(found) > 1:
        raise _Contradiction
    return found.pop() if found else None
