"""XML text to a plain tree of dicts, lists and strings, without entities, DTDs or recursion."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any
from xml.parsers import expat

from mensasdk.codec.table import LEAST, MARK, put_back, take_out
from mensasdk.codec.unreadable import Unreadable

__all__ = ["parse_xml"]

_MAX_DEPTH = 64
# Tags, opening and closing. A report of 80,000 lines has fewer; a million empty elements would take 150 MB.
_MAX_TAGS = 1_000_000

_FIRST = "<item0>"
# Names without a prefix, and texts that need no second look.
_FIELD = re.compile(r"<([^\W\d][\w.-]*+)>[^<]*+</\1>\s*+")
_FIRST_LINE = re.compile(rf"{_FIRST}\s*+((?:{_FIELD.pattern})++)</item0>".replace(r"\1", r"\2"))


def parse_xml(text: str) -> Any:
    """Read an XML document.

    The root becomes a dict of its children; children that repeat a name become a list under that name; an element
    whose children are all called ``item0``, ``item1``, … becomes a list; an empty element becomes ``""``; texts are
    stripped; attributes, comments and text beside elements are ignored. A root with text alone becomes that text.

    Raises:
        Unreadable: not well-formed (so also: cut), too deep, too large, or with a DOCTYPE.
    """
    # Entity bombs and external entities need a DOCTYPE, and no vendor sends one. The text is decoded already and is
    # given to expat as such, so an encoding named in the document cannot hide one either.
    if "<!DOCTYPE" in text:
        raise Unreadable("XML with a DOCTYPE")
    if text.count("<") > _MAX_TAGS:
        raise Unreadable("XML with too many elements")
    text = text.strip()
    if len(text) >= LEAST:
        tree = _with_table(text)
        if tree is not None:
            return tree
    return _parse(text)


def _with_table(text: str) -> Any:
    """A document with a long list of lines, all alike and without anything that XML has a special sign for."""
    start = text.find(_FIRST)
    first = _FIRST_LINE.match(text, start) if start >= 0 else None
    if first is None or "&" in text or "\r" in text:
        return None
    keys = tuple(_FIELD.findall(first[1]))
    if keys[0][:4] == "item":
        return None  # it may be a list in itself
    fields = "".join(rf"<{re.escape(key)}>(?!\s)([^<]*+)(?<!\s)</{re.escape(key)}>\s*+" for key in keys)
    found = take_out(text, start, rf"<item([0-9]++)>\s*+{fields}</item\1>\s*+", keys)
    if found is None:
        return None
    rows, rest = found
    try:
        tree = _parse(f"{text[:start]}{_FIRST}{MARK}</item0>{rest}")
        expat.ParserCreate().Parse(text, True)  # what it finds well-formed is so
    except (Unreadable, ValueError, expat.ExpatError):
        return None
    return tree if put_back(tree, rows) else None


def _parse(text: str) -> Any:
    try:
        root = ET.fromstring(text)  # noqa: S314
    except ET.ParseError as error:
        line, column = error.position
        raise Unreadable(f"not well-formed XML at line {line}, column {column}") from None
    except ValueError:  # an encoding that expat does not know, a stray surrogate
        raise Unreadable("not well-formed XML") from None
    if not len(root):
        return (root.text or "").strip() or {}
    return _tree(root)


def _container(element: ET.Element) -> dict[str, Any] | list[Any]:
    # The first child decides in nearly every case; asking all of them is for real lists only.
    if element[0].tag[:4] == "item" and all(child.tag[:4] == "item" and child.tag[4:].isdecimal() for child in element):
        return []
    return {}


def _tree(root: ET.Element) -> dict[str, Any] | list[Any]:
    top = _container(root)
    todo = [(root, top, 1)]
    while todo:
        element, container, depth = todo.pop()
        if depth > _MAX_DEPTH:
            raise Unreadable("XML nested too deeply")
        value: Any
        repeated: set[str] | None = None
        for child in element:
            if len(child):
                value = _container(child)
                todo.append((child, value, depth + 1))
            else:
                text = child.text
                value = text.strip() if text else ""
            if container.__class__ is list:
                container.append(value)
                continue
            tag = child.tag
            if tag not in container:
                container[tag] = value  # type: ignore[call-overload]
            elif repeated is not None and tag in repeated:
                container[tag].append(value)  # type: ignore[call-overload]
            else:
                container[tag] = [container[tag], value]  # type: ignore[call-overload]
                repeated = (repeated or set()) | {tag}
    return top
