"""Repair answers that should be JSON and are not, as the vendor's document prints them.

Nobody knows whether the live service sends them too. Three shapes are known, all from the document's samples:

* ``[ "error": false, ... ]``: an object in the brackets of a list;
* ``"fecha_programada": 2022-06-03 00:00:00``: a date without quotes;
* the general envelope, which ends in ``"response": { }`` and lacks its last brace.

An answer of the first two shapes is repaired only if it is complete: each bracket is closed by one of its own kind, and
no string is left open. So an answer that was cut on its way is never taken for a whole one. The third shape looks like
a cut answer. It is repaired with ``whole`` False, and must not be read as a success.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

__all__ = ["Repaired", "repair"]

MAX_LENGTH: Final = 256 * 1024
MAX_DEPTH: Final = 100

_STRING = r'"(?:[^"\\]++|\\.)*+"'
# The quote of a string that is not closed matches as a token of its own.
_tokens = re.compile(
    rf'{_STRING}|["\[\]{{}}]|(?<=[\s:,\[])\d{{4}}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?(?=\s*+[,\]}}])', re.DOTALL
).finditer
_pair_follows = re.compile(rf"\s*+{_STRING}\s*+:", re.DOTALL).match
_empty_response = re.compile(r'"response"\s*+:\s*+\{\s*+\}\Z').search


@frozen
class Repaired:
    """Body that was repaired.

    Attributes:
        text: the body, which should be JSON now.
        whole: whether the body was complete, so that nothing was added at its end.
    """

    text: str = field(repr=False)
    whole: bool


def repair(text: str) -> Repaired | None:
    """Turn a body of the known shapes, alone or together, into JSON; return None for any other body."""
    text = text.strip()
    if not text.startswith(("{", "[")) or len(text) > MAX_LENGTH:
        return None
    written: list[str] = []
    open_brackets: list[tuple[str, str]] = []  # the closing bracket in the body, and in JSON
    changed = False
    end = 0
    for match in _tokens(text):
        piece = match[0]
        written.append(text[end : match.start()])
        end = match.end()
        if piece == '"' or len(open_brackets) > MAX_DEPTH:
            return None
        if piece == "{":
            open_brackets.append(("}", "}"))
        elif piece == "[" and _pair_follows(text, end):
            open_brackets.append(("]", "}"))
            piece = "{"
            changed = True
        elif piece == "[":
            open_brackets.append(("]", "]"))
        elif piece in {"}", "]"}:
            if not open_brackets or open_brackets[-1][0] != piece:
                return None
            piece = open_brackets.pop()[1]
        elif piece[0] != '"':
            piece = f'"{piece}"'
            changed = True
        written.append(piece)
    written.append(text[end:])
    if not open_brackets:
        return Repaired("".join(written), whole=True) if changed else None
    if open_brackets == [("}", "}")] and _empty_response(text):
        return Repaired("".join(written) + "}", whole=False)
    return None
