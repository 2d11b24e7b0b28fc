"""Read the ``Key:Value;`` text format (TXT) into a plain tree of dicts, lists and strings.

A TXT body has no mark at its end, so ``Res:1000;`` that is cut could be read as ``Res:100``. Therefore every value has
to be closed by ``;``, also the last one, and every bracket has to be closed.
"""

from __future__ import annotations

import re
from typing import Any

from mensasdk.codec.table import LEAST, MARK, put_back, take_out
from mensasdk.codec.unreadable import Unreadable
from mensasdk.errors import AmbiguousResponse

__all__ = ["parse_txt"]

_MAX_DEPTH = 32

# A key may contain blanks (a template's name), and a value anything but ``;`` and line ends. A value that begins with
# a bracket is a block. All repeats are possessive, so that the time stays linear on every input.
_KEY = r"[^:;\[\]\s][^:;\[\]\n]*+"
_PAIR = rf"{_KEY}:(?![^\S\n]*+\[)[^;\n]*+;\s*+"
# The vendor's own layout: one pair on each line, and no blanks around keys and values. `str.split` is enough for it.
_TIDY_PAIR = r"[^:;\[\]\s]++:(?![\s\[])[^;\n]*+(?<!\s);\n"
_TOKEN = re.compile(
    rf"""
      (?P<tidy> (?P<tidy_key> {_KEY}):\s*+\[\n (?P<tidy_run> (?:{_TIDY_PAIR})++) \]\s*+;?\s*+ )
    | (?P<leaf> (?P<leaf_key> {_KEY}):\s*+\[\s*+ (?P<leaf_run> (?:{_PAIR})++) \]\s*+;?\s*+ )
    | (?P<pairs> (?:{_PAIR})++ )
    | (?P<open> (?P<open_key> {_KEY}):\s*+\[\s*+ )
    | (?P<close> \]\s*+;?\s*+ )
    | (?P<bad> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST_LINE = re.compile(
    r"^0:(?P<blanks>[^\S\r\n]*+)\[(?P<end>\r?\n)(?P<pairs>(?:[^:;\[\]\s]++:(?![\s\[])[^;\n]*+;(?P=end))++)\](?P=end)",
    re.MULTILINE,
)
_FIRST_KEY = re.compile(r"^([^:]++):", re.MULTILINE)
_SPLIT = re.compile(r"([^:]++):([^;\n]*+);\s*+")


def _tidy_pairs(run: str) -> dict[str, str]:
    return _unique([entry.split(":", 1) for entry in run[:-2].split(";\n")])


def _pairs(run: str) -> dict[str, str]:
    return _unique([[key.strip(), value.strip()] for key, value in _SPLIT.findall(run)])


def _unique(pairs: list[list[str]]) -> dict[str, str]:
    result: dict[str, str] = dict(pairs)
    if len(result) != len(pairs):
        for key, value in pairs:
            if result[key] != value:
                raise Unreadable("one key appears twice with different values", AmbiguousResponse)
    return result


def _put(block: dict[str, Any], key: str, value: Any) -> None:
    key = key.strip()
    if key not in block:
        block[key] = value
    elif block[key] != value:
        raise Unreadable("one key appears twice with different values", AmbiguousResponse)


def _close(block: dict[str, Any]) -> dict[str, Any] | list[Any]:
    """Return a block as a list if all its keys are positions (or it has no keys), and as it is otherwise."""
    for key in block:
        if not key.isdecimal():
            return block
    return list(block.values())


def parse_txt(text: str) -> dict[str, Any]:
    """Read a TXT body. Values stay strings.

    Raises:
        Unreadable: a value or a block is not closed, something is neither a value nor a block, blocks are nested too
            deeply, or one key has two values.
    """
    if len(text) >= LEAST:
        tree = _with_table(text)
        if tree is not None:
            return tree
    return _parse(text)


def _with_table(text: str) -> dict[str, Any] | None:
    """Read a document whose lines are all in the vendor's own layout and have the same keys; None for any other."""
    first = _FIRST_LINE.search(text)
    if first is None:
        return None
    keys = tuple(_FIRST_KEY.findall(first["pairs"]))
    if keys[0].isdecimal():
        return None  # a line with positions as keys may be a list itself
    end = first["end"]
    fields = "".join(rf"{re.escape(key)}:(?![\s\[])([^;]*+)(?<!\s);{end}" for key in keys)
    found = take_out(text, first.start(), rf"([0-9]++):{first['blanks']}\[{end}{fields}\]{end}", keys)
    if found is None:
        return None
    rows, rest = found
    stop = len(text) - len(rest)
    # There must be exactly the line ends of the layout: then no value contains a line end.
    ends = len(rows) * (len(keys) + 2)
    if any(text.count(sign, first.start(), stop) != (ends if sign in end else 0) for sign in "\r\n"):
        return None
    try:
        tree = _parse(f"{text[: first.start()]}0:{MARK};{end}{rest}")
    except Unreadable:
        return None
    return tree if put_back(tree, rows) else None


def _parse(text: str) -> dict[str, Any]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if text.endswith(";"):
        text += "\n"
    block: dict[str, Any] = {}
    outer: list[tuple[dict[str, Any], str]] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "tidy":
            _put(block, match["tidy_key"], _close(_tidy_pairs(match["tidy_run"])))
        elif kind == "leaf":
            _put(block, match["leaf_key"], _close(_pairs(match["leaf_run"])))
        elif kind == "pairs":
            for key, value in _pairs(match[0]).items():
                _put(block, key, value)
        elif kind == "open":
            if len(outer) == _MAX_DEPTH:
                raise Unreadable("TXT nested too deeply")
            outer.append((block, match["open_key"]))
            block = {}
        elif kind == "close" and outer:
            closed = _close(block)
            block, key = outer.pop()
            _put(block, key, closed)
        else:
            raise Unreadable(f"not TXT at character {match.start()} of {len(text)}")
    if outer:
        raise Unreadable("TXT with a block that is not closed")
    return block
