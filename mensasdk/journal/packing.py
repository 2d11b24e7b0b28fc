"""Messages as JSON, and back: how a journal on disk holds them.

The messages of a request stand together, column by column: what all of them share stands there once, and what is at its
default is left out. A datetime keeps its instant, and comes back with an offset for its zone. The vendor's options
stand with the name of their class, which is looked up in the registry and among the subclasses of `VendorOptions`, and
is never imported on a file's word.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

import attrs
import orjson

from mensasdk.errors import ConfigurationError
from mensasdk.messages import Message, VendorOptions
from mensasdk.registry import load, vendors

__all__ = ["Columns", "check_options", "decode_messages", "encode_messages", "pack", "unpack"]

T = TypeVar("T")

# JSON has no way to say what kind of thing a text is: such values stand as {"kind": "text"}.
_TAGGED: tuple[tuple[type, str, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (bytes, "bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    (datetime, "datetime", datetime.isoformat, datetime.fromisoformat),
    (Decimal, "decimal", str, Decimal),
    (int, "int", str, int),
)
_READ = {tag: read for _, tag, _, read in _TAGGED}
_SMALL = 2**53
_EACH = "each"  # the name under which stand the columns whose values differ; no column has it


class Columns:
    """What `pack` wrote, by name."""

    def __init__(self, shared: dict[str, Any], count: int) -> None:
        self._each: dict[str, list[Any]] = shared.pop(_EACH, {})
        self._shared = shared
        self._count = count

    def column(self, name: str, read: Callable[[Any], Any] | None = None) -> Sequence[Any]:
        """The values of a column, None for those that have none.

        Args:
            name: the column.
            read: makes of a value what it stood for. What all share is read once.
        """
        if name in self._each:
            values = self._each[name]
            return values if read is None else [None if value is None else read(value) for value in values]
        value = self._shared.get(name)
        return [value if value is None or read is None else read(value)] * self._count


def pack(columns: Iterable[tuple[str, Sequence[Any]]]) -> bytes:
    """Columns of equal length, at least one, as JSON: texts that are all equal, and other values that are all the same
    object, are written once. None is not written where it is all that a column has."""
    shared: dict[str, Any] = {}
    each: dict[str, Sequence[Any]] = {}
    for name, values in columns:
        first = values[0]
        if first is None or isinstance(first, str):
            alike = values.count(first) == len(values)
        else:  # and not what is equal: 1 is True
            alike = len(values) == 1 or all(value is first for value in values)
        if not alike:
            each[name] = values
        elif first is not None:
            shared[name] = first
    if each:
        shared[_EACH] = each
    try:
        return orjson.dumps(shared)
    except TypeError:  # half of a surrogate pair, which the standard library writes as an escape
        return json.dumps(shared).encode()


def unpack(data: bytes, count: int) -> Columns:
    """Undo `pack`, for columns of ``count`` values."""
    try:
        return Columns(orjson.loads(data), count)
    except orjson.JSONDecodeError:
        return Columns(json.loads(data), count)


def encode_messages(messages: Sequence[Message]) -> bytes:
    """Messages, one or more, as JSON.

    Raises:
        ConfigurationError: the options of one hold a value of a kind that a journal cannot keep.
    """
    variables = [message.variables for message in messages]
    return pack(
        (
            ("to", [message.to for message in messages]),
            ("text", [message.text for message in messages]),
            ("sender", [message.sender for message in messages]),
            ("template", [message.template for message in messages]),
            ("reference", [message.reference for message in messages]),
            (
                "variables",
                [one if type(one) is dict else dict(one) for one in variables] if any(variables) else (None,),
            ),
            ("schedule_at", _written([message.schedule_at for message in messages], datetime.isoformat)),
            ("not_after", _written([message.not_after for message in messages], datetime.isoformat)),
            ("options", _written([message.options for message in messages], _plain_options)),
        )
    )


def decode_messages(data: bytes, count: int) -> list[Message]:
    """Undo `encode_messages`.

    Raises:
        ConfigurationError: one has options of a class that this program does not have.
    """
    column = unpack(data, count).column
    return [
        Message(
            to,
            text,
            sender=sender,
            template=template,
            variables=dict(variables or ()),
            schedule_at=schedule_at,
            not_after=not_after,
            reference=reference,
            options=options,
        )
        for to, text, sender, template, reference, variables, schedule_at, not_after, options in zip(
            column("to"),
            column("text"),
            column("sender"),
            column("template"),
            column("reference"),
            column("variables"),
            column("schedule_at", datetime.fromisoformat),
            column("not_after", datetime.fromisoformat),
            column("options", _options),
            strict=True,
        )
    ]


def check_options(message: Message) -> None:
    """See to it that a message can be kept.

    Raises:
        ConfigurationError: as `encode_messages` would.
    """
    if message.options is not None:
        _plain_options(message.options)


def _written(values: Sequence[T | None], write: Callable[[T], Any]) -> Sequence[Any]:
    """Each value as it is written, the same object for the same object."""
    if values.count(None) == len(values):
        return values
    known: dict[int, Any] = {id(None): None}
    for value in values:
        if value is not None and id(value) not in known:
            known[id(value)] = write(value)
    return [known[id(value)] for value in values]


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
    if cls is not None:
        return cls(**{field: _value(value) for field, value in values.items()})
    raise ConfigurationError(
        f"the journal has messages with {name}, a class that neither a vendor nor this program has"
    )


def _options_class(name: str) -> type[VendorOptions] | None:
    # Whoever looks into a journal need not have loaded the vendors that wrote it. What the registry knows is loaded;
    # nothing else is, because its name stands in a file.
    for info in vendors().values():
        if info.options_class is not None and info.options_class.endswith(f":{name}"):
            cls: type[VendorOptions] = load(info.options_class)
            return cls
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
