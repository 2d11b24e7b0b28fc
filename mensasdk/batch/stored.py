"""A message as one line of JSON, and back: how a journal on disk holds it.

What is at its default is left out. A datetime keeps its instant, and comes back with an offset for its zone. The
vendor's options stand with the name of their class, which is looked up among the subclasses of `VendorOptions` and is
never imported on a file's word.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any

import attrs
import orjson

from mensasdk.errors import ConfigurationError
from mensasdk.messages import Message, VendorOptions

__all__ = ["decode_message", "encode_message"]

# JSON has no way to say what kind of thing a text is: such values stand as {"kind": "text"}.
_TAGGED: tuple[tuple[type, str, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (bytes, "bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    (datetime, "datetime", datetime.isoformat, datetime.fromisoformat),
    (Decimal, "decimal", str, Decimal),
    (int, "int", str, int),
)
_READ = {tag: read for _, tag, _, read in _TAGGED}
_SMALL = 2**53
_VENDORS = ("envia_sms", "enviatusms", "mensatek", "smsgateway24")


def encode_message(message: Message) -> str:
    """The message as JSON.

    Raises:
        ConfigurationError: its options hold a value of a kind that a journal cannot keep.
    """
    plain: dict[str, Any] = {"to": message.to, "text": message.text}
    if message.sender is not None:
        plain["sender"] = message.sender
    if message.template is not None:
        plain["template"] = message.template
    if message.reference is not None:
        plain["reference"] = message.reference
    if message.variables:
        plain["variables"] = dict(message.variables)
    if message.schedule_at is not None:
        plain["schedule_at"] = message.schedule_at.isoformat()
    if message.not_after is not None:
        plain["not_after"] = message.not_after.isoformat()
    if message.options is not None:
        plain["options"] = _plain_options(message.options)
    try:
        return orjson.dumps(plain).decode()
    except TypeError:  # half of a surrogate pair, which the standard library writes as an escape
        return json.dumps(plain)


def decode_message(text: str) -> Message:
    """Undo `encode_message`.

    Raises:
        ConfigurationError: it has options of a class that this program does not have.
    """
    try:
        plain = orjson.loads(text)
    except orjson.JSONDecodeError:
        plain = json.loads(text)
    return Message(
        plain["to"],
        plain["text"],
        sender=plain.get("sender"),
        template=plain.get("template"),
        variables=plain.get("variables", {}),
        schedule_at=_moment(plain.get("schedule_at")),
        not_after=_moment(plain.get("not_after")),
        reference=plain.get("reference"),
        options=_options(plain["options"]) if "options" in plain else None,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _plain_options(options: VendorOptions) -> list[Any]:
    cls = type(options)
    if not attrs.has(cls):
        raise ConfigurationError(f"{cls.__name__} must be an attrs class, so that a journal can keep it")
    values = {
        one.alias: _plain(getattr(options, one.name), cls)
        for one in attrs.fields(cls)
        if one.init and getattr(options, one.name) is not one.default
    }
    return [cls.__name__, values]


def _plain(value: Any, cls: type) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | str | float) or (isinstance(value, int) and abs(value) < _SMALL):
        return value
    for kind, tag, write, _ in _TAGGED:
        if isinstance(value, kind):
            return {tag: write(value)}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_plain(item, cls) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[_plain(key, cls), _plain(item, cls)] for key, item in value.items()]}
    raise ConfigurationError(f"a journal cannot keep the {type(value).__name__} in {cls.__name__}")


def _options(plain: list[Any]) -> VendorOptions:
    name, values = plain
    cls = _options_class(name)
    if cls is None:
        # Whoever looks into a journal need not have loaded the vendors that wrote it. Ours are few, and none of them
        # is loaded because its name stands in a file.
        for vendor in _VENDORS:
            import_module(f"mensasdk.vendors.{vendor}")
        cls = _options_class(name)
    if cls is not None:
        return cls(**{field: _value(value) for field, value in values.items()})
    raise ConfigurationError(f"the journal has messages with {name}, a class that this program has not imported")


def _options_class(name: str) -> type[VendorOptions] | None:
    # A class with slots is a second class; the one that attrs made it from may still be around.
    return next(
        (cls for cls in _subclasses(VendorOptions) if cls.__name__ == name and hasattr(cls, "__attrs_attrs__")), None
    )


def _subclasses(cls: type[VendorOptions]) -> Iterator[type[VendorOptions]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _value(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    [(tag, content)] = plain.items()
    if tag in _READ:
        return _READ[tag](content)
    if tag == "dict":
        return {_value(key): _value(item) for key, item in content}
    items = [_value(item) for item in content]
    return items if tag == "list" else tuple(items)
