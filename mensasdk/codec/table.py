"""The lines of a report in XML or TXT: hundreds of one shape, one behind the other.

One regular expression, made from the first line, takes them all apart in a tenth of the time that a parser needs. It
stops at the first line that is not exactly so. The caller's parser then reads the document without them, and if their
list turns out to be in the outermost object and to hold nothing else, they are put back into it. In all other cases
the parser reads everything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import Any

from mensasdk.codec.builder import make_rows
from mensasdk.codec.keys import is_ordinary

__all__ = ["LEAST", "MARK", "put_back", "take_out"]

LEAST = 4096
"""Documents shorter than this many characters are not worth it."""

MARK = "(lines)"
"""What stands in place of the lines, meanwhile."""

_NUMBER = itemgetter(0)


@lru_cache(maxsize=64)
def _pattern(line: str) -> re.Pattern[str]:
    # All that follows the last such line is one more match, so that no sign is skipped.
    return re.compile(rf"{line}|(.++)", re.DOTALL)


def take_out(text: str, start: int, line: str, keys: tuple[str, ...]) -> tuple[list[dict[str, str]], str] | None:
    """Read lines of one shape.

    Args:
        text: the document.
        start: where the first line stands.
        line: the regular expression of a line, without alternatives at its top: a group for its number, and one for
            the value of each key.
        keys: the keys of a line.

    Returns:
        The lines, and the text behind them. None where they cannot be read so.
    """
    if not is_ordinary(keys) or len({*keys}) != len(keys):
        return None
    found = _pattern(line).findall(text, start)
    rest: str = found[-1][-1]
    if rest:
        found.pop()
    if not found or len({*map(_NUMBER, found)}) != len(found) or MARK in text[:start]:
        return None
    return make_rows(len(keys))(found, *keys), rest


def put_back(tree: Any, rows: list[dict[str, str]]) -> bool:
    """Put the lines where the mark stands; False where it is not alone in a list of the outermost object."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if value == [MARK]:
                tree[key] = rows
                return True
    return False
