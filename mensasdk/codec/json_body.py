"""Read JSON into a plain tree: strict about the meaning of values, lenient about text around the JSON.

orjson is ten times as fast as the standard library. But it hides duplicate keys, and turns decimals and integers beyond
64 bits into floats. Therefore orjson reads only two kinds of bodies: those that certainly have no duplicate key and no
such number, and large ones (reports, lists). With the large ones the readers of ids and counts refuse a float that is
too large. The standard library reads all others, and large answers to requests that send or change something
(``exact``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from json.scanner import make_scanner
from typing import Any

import orjson

from mensasdk.codec.unreadable import Unreadable
from mensasdk.errors import AmbiguousResponse

__all__ = ["LARGE", "parse_json"]

LARGE = 16 * 1024
"""Length above which orjson alone reads a body, unless it has to be read exactly; in bytes, or characters of a text."""

# More than any vendor needs, and far from the end of the C stack, even if the recursion limit has been raised.
_MAX_DEPTH = 100
# Above this size, a body may have at most half a million lists and objects. A body of empty lists only would take a
# hundred times its own size in memory.
_HUGE = 1024 * 1024
_MAX_CONTAINERS = 500_000

# Both expressions read a string as one token, even if it is not closed. So brackets and commas inside strings are left
# alone, and the time stays linear.
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
# A comma without a value in front of it is not a trailing comma, and stays.
_TRAILING_COMMAS = re.compile(r'("(?:[^"\\]++|\\.)*+"?|[\[{,]\s*+,)|,(?=\s*+[\]}])', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _DuplicateKey(Exception):
    pass


class _Constant(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        for key, value in pairs:
            if result[key] != value:
                raise _DuplicateKey
    return result


def _refuse_constant(_: str) -> None:
    raise _Constant


def _scanner(constant: Callable[[str], None]) -> Callable[[str, int], tuple[Any, int]]:
    decoder: Any = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=constant)
    return make_scanner(decoder)


_SCAN = _scanner(_refuse_constant)
_SCAN_LENIENTLY = _scanner(lambda _: None)


def _whole(scan: Callable[[str, int], tuple[Any, int]], text: str) -> Any:
    """Read a text that has to be one JSON value from its first to its last character."""
    try:
        tree, end = scan(text, 0)
    except StopIteration as stop:
        raise json.JSONDecodeError("Expecting value", text, stop.value) from None
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return tree


def _strict(text: str, notes: list[str]) -> Any:
    """Read standard JSON; raise `json.JSONDecodeError` for other text, and `Unreadable` for JSON that is refused."""
    if text.count("[") + text.count("{") > _MAX_DEPTH:
        _check_depth(text)
    try:
        try:
            tree = _whole(_SCAN, text)
        except _Constant:
            tree = _whole(_SCAN_LENIENTLY, text)
            notes.append("NaN or Infinity ignored")
    except json.JSONDecodeError:
        raise
    except _DuplicateKey:
        raise Unreadable("one JSON key appears twice with different values", AmbiguousResponse) from None
    except RecursionError:
        raise Unreadable("JSON nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise Unreadable("a JSON number is far too long") from None
    if "\\u" in text and _SURROGATE_ESCAPE.search(text):
        return _without_lone_surrogates(tree, notes)
    return tree


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[1]:
            depth += 1
            if depth > _MAX_DEPTH:
                raise Unreadable("JSON nested too deeply")
        elif match[0][0] != '"':
            depth -= 1


def _without_lone_surrogates(tree: Any, notes: list[str]) -> Any:
    """Replace halves of surrogate pairs: they cannot be encoded, and would fail later, in a log or a journal."""
    if isinstance(tree, str):
        clean = tree.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if clean != tree:
            notes.append("half a surrogate pair replaced")
        return clean
    if isinstance(tree, list):
        return [_without_lone_surrogates(item, notes) for item in tree]
    if isinstance(tree, dict):
        return {
            _without_lone_surrogates(key, notes): _without_lone_surrogates(value, notes) for key, value in tree.items()
        }
    return tree


def _core(text: str) -> str | None:
    """Return the text from the first opening to the last closing bracket; None if brackets outside it show a cut."""
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    end = max(text.rfind("}"), text.rfind("]")) + 1
    if not starts or end <= min(starts):
        return None
    start = min(starts)
    # An opening bracket after the end belongs to a second document that was cut. A closing bracket before the start
    # belongs to a first document that has lost its beginning. Neither may be ignored.
    if "{" in text[end:] or "[" in text[end:] or "}" in text[:start] or "]" in text[:start]:
        return None
    return text[start:end]


def _attempts(text: str) -> list[tuple[str, str | None]]:
    """Return repaired texts to try when standard JSON has failed, each with the note about the repair."""
    core = _core(text)
    if core is None:
        return []
    tries: list[tuple[str, str | None]] = []
    note = None
    if core != text:
        note = "text around the JSON ignored"
        tries.append((core, note))
    repaired = _TRAILING_COMMAS.sub(r"\1", core)
    if repaired != core:
        tries.append((repaired, "trailing comma ignored" if note is None else f"{note}; trailing comma ignored"))
    return tries


def _exactly(body: bytes | str) -> Any:
    """Read a body with orjson; return None unless the standard library would certainly give the same tree.

    It gives the same if the tree has no float, and as many keys as the body has colons: a duplicate key would leave a
    colon over. A colon in a text also leads to None, which costs only time.
    """
    colons = body.count(b":") if isinstance(body, bytes) else body.count(":")
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(tree, dict | list):
        return None
    depth = 0
    todo: list[Any] = [tree]
    while todo:
        container = todo.pop()
        if type(container) is dict:
            colons -= len(container)
            container = container.values()
        for value in container:
            kind = type(value)
            if kind is str or kind is int:
                continue
            if kind is dict or kind is list:
                depth += 1  # an upper bound of the depth
                todo.append(value)
            elif kind is float:
                return None
    return tree if not colons and depth < _MAX_DEPTH else None


def parse_json(body: bytes | str, notes: list[str], *, exact: bool = False) -> Any:
    """Read a JSON body that has no byte order mark.

    Args:
        body: the whole body.
        notes: list to which notes on faults that were repaired are added.
        exact: read a large body as strictly as a small one.

    Raises:
        Unreadable: the body is not JSON, is cut, nested too deeply or too large, or one key has two values.
        UnicodeDecodeError: ``body`` is given as bytes and is not UTF-8.
    """
    if len(body) > _HUGE:
        _check_containers(body if isinstance(body, bytes) else body.encode())
    if len(body) > LARGE and not exact:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # NaN, text around the JSON, or broken JSON: the standard library finds out which
    tree = _exactly(body)
    if tree is not None:
        return tree
    text = (body if isinstance(body, str) else body.decode()).strip()
    found: list[str] = []
    try:
        tree = _strict(text, found)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg.lower()} at character {error.pos} of {len(text)}"
    else:
        notes.extend(dict.fromkeys(found))
        return tree
    for candidate, note in _attempts(text):
        found = [note] if note else []
        try:
            tree = _strict(candidate, found)
        except json.JSONDecodeError:
            continue
        notes.extend(dict.fromkeys(found))
        return tree
    raise Unreadable(reason)


def _check_containers(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
        raise Unreadable("JSON with too many lists and objects")
