"""JSON text to a plain tree: strict about what a value means, lenient about what stands around it.

orjson is ten times as fast as the standard library, but it hides keys that stand there twice, and makes floats of
decimals and of integers beyond 64 bits. Small bodies, and answers to what sends or changes something, are therefore
taken from it only where it can be seen that there is none of these; else they go through the standard library. Large
ones (reports, lists) are taken as they are: the readers of ids and counts refuse a float that is too large.
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
"""Bodies longer than this many characters take the fast path, unless they are to be read exactly."""

# Deeper than any vendor nests, and far from the C stack's end even where the recursion limit has been raised.
_MAX_DEPTH = 100
# Half a million lines; a bomb of empty lists takes a hundred bytes of memory for each of its own bytes.
_HUGE = 1024 * 1024
_MAX_CONTAINERS = 500_000

# Both read a string as one token, closed or not, so that brackets and commas inside strings are left alone and
# the time stays linear.
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
# A comma that follows no value is not a trailing one and stays where it is.
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
    """All of a text without blanks around it."""
    try:
        tree, end = scan(text, 0)
    except StopIteration as stop:
        raise json.JSONDecodeError("Expecting value", text, stop.value) from None
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return tree


def _strict(text: str, notes: list[str]) -> Any:
    """Standard JSON, or a `json.JSONDecodeError`; anything worse is `Unreadable`."""
    if text.count("[") + text.count("{") > _MAX_DEPTH:
        _check_depth(text)
    try:
        try:
            tree = _whole(_SCAN, text)
        except _Constant:
            tree = _whole(_SCAN_LENIENTLY, text)
            notes.append("NaN or Infinity taken for nothing")
    except json.JSONDecodeError:
        raise
    except _DuplicateKey:
        raise Unreadable("one JSON key stands there twice with different values", AmbiguousResponse) from None
    except RecursionError:
        raise Unreadable("JSON nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise Unreadable("a JSON number of absurd length") from None
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
    """Half an emoji cannot be encoded, so it would fail later, in a log or a journal, far from its cause."""
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
    """From the first opening to the last closing bracket; None when brackets outside it say that data is missing."""
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    end = max(text.rfind("}"), text.rfind("]")) + 1
    if not starts or end <= min(starts):
        return None
    start = min(starts)
    # An opening bracket after the end begins a second document that was cut, a closing one before the start ends
    # a first one whose beginning is lost. Neither is junk.
    if "{" in text[end:] or "[" in text[end:] or "}" in text[:start] or "]" in text[:start]:
        return None
    return text[start:end]


def _attempts(text: str) -> list[tuple[str, str | None]]:
    """What to try after standard JSON has failed, each with the note that it leaves."""
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
    """What orjson reads, if it is certain that the patient reader would come to the same; else None.

    There is no float in it, and each colon of the body belongs to a key of its own: so no key stands there twice, for
    then there would be more colons than keys.
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
                depth += 1  # at most
                todo.append(value)
            elif kind is float:
                return None
    return tree if not colons and depth < _MAX_DEPTH else None


def parse_json(body: bytes | str, notes: list[str], *, exact: bool = False) -> Any:
    """Read a JSON body that has no byte order mark.

    Args:
        body: all of it.
        notes: takes what was out of order.
        exact: never take the fast path.

    Raises:
        Unreadable: it is no JSON, it is cut, or it says two things at once.
        UnicodeDecodeError: ``body`` is given as bytes and is not UTF-8.
    """
    if len(body) > _HUGE:
        _check_containers(body if isinstance(body, bytes) else body.encode())
    if len(body) > LARGE and not exact:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # NaN, junk around it, or really broken: the patient reader finds out which
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
