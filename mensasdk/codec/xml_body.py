"""Read XML text into a plain tree of dicts, lists and strings, without entities, DTDs or recursion."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any
from xml.parsers import expat

from mensasdk.codec.table import LEAST, MARK, put_back, take_out
from mensasdk.codec.unreadable import Unreadable

__all__ = ["parse_xml"]

_MAX_DEPTH = 64
# Opening and closing tags together. A report of 80,000 lines has fewer. A million empty elements would take 150 MB.
_MAX_TAGS = 1_000_000

_FIRST = "<item0>"
# A field of a line: its name has no prefix, and its text no child elements.
_FIELD = re.compile(r"<([^\W\d][\w.-]*+)>[^<]*+</\1>\s*+")
_FIRST_LINE = re.compile(rf"{_FIRST}\s*+((?:{_FIELD.pattern})++)</item0>".replace(r"\1", r"\2"))


def parse_xml(text: str) -> Any:
    """Read an XML document.

    The root becomes a dict of its children. Children that repeat a name become a list under that name. An element
    whose children are all called ``item0``, ``item1``, … becomes a list. An empty element becomes ``""``. Texts are
    stripped. Attributes, comments and text beside elements are ignored. A root with text alone becomes that text.

    Raises:
        Unreadable: the document is not well-formed (a cut one never is), is too deep or too large, or has a DOCTYPE.
    """
    # Entity bombs and external entities need a DOCTYPE, and no vendor sends one. The text is already decoded, and the
    # parser gets this text. So an encoding that the document names cannot hide a DOCTYPE either.
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
    """Read a document whose lines have the same keys and no special characters of XML; None for any other."""
    start = text.find(_FIRST)
    first = _FIRST_LINE.match(text, start) if start >= 0 else None
    if first is None or "&" in text or "\r" in text:
        return None
    keys = tuple(_FIELD.findall(first[1]))
    if keys[0][:4] == "item":
        return None  # a line whose fields are called item0, item1, … may be a list itself
    fields = "".join(rf"<{re.escape(key)}>(?!\s)([^<]*+)(?<!\s)</{re.escape(key)}>\s*+" for key in keys)
    found = take_out(text, start, rf"<item([0-9]++)>\s*+{fields}</item\1>\s*+", keys)
    if found is None:
        return None
    rows, rest = found
    try:
        tree = _parse(f"{text[:start]}{_FIRST}{MARK}</item0>{rest}")
        expat.ParserCreate().Parse(text, True)  # the lines have to be well-formed as well
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
    # Nearly always the first child is enough to tell; only for lists all children are looked at.
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
