"""XML text to a plain tree of dicts, lists and strings, without entities, DTDs or recursion."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from mensasdk.codec.unreadable import Unreadable

__all__ = ["parse_xml"]

_MAX_DEPTH = 64
# Tags, opening and closing. A report of 80,000 lines has fewer; a million empty elements would take 150 MB.
_MAX_TAGS = 1_000_000


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
    try:
        root = ET.fromstring(text.strip())  # noqa: S314
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
