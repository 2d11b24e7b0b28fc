"""Write messages as JSON, as a journal on disk holds them, and read them back.

The messages of a request are written together, column by column: a value that all messages share is written once, and a
default is left out. A datetime keeps its instant, and comes back with a fixed UTC offset in place of its zone. The
vendor's options are written with the name of their class. A reader looks that name up in the registry and among the
subclasses of `VendorOptions`; it never imports a module because a file names it.
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

__all__ = [
    "Columns",
    "check_options",
    "decode_messages",
    "decode_rows",
    "encode_messages",
    "pack",
    "plain_options",
    "unpack",
]

T = TypeVar("T")

# JSON does not have these types: their values are written as {"type": "text"}.
_TAGGED: tuple[tuple[type, str, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (bytes, "bytes", lambda value: base64.b64encode(value).decode(), base64.b64decode),
    (datetime, "datetime", datetime.isoformat, datetime.fromisoformat),
    (Decimal, "decimal", str, Decimal),
    (int, "int", str, int),
)
_READ = {tag: read for _, tag, _, read in _TAGGED}
_SMALL = 2**53
_EACH = "each"  # the entry for columns whose values differ; no column has this name


class Columns:
    """Columns that `pack` wrote, by name."""

    def __init__(self, shared: dict[str, Any], count: int) -> None:
        self._each: dict[str, list[Any]] = shared.pop(_EACH, {})
        self._shared = shared
        self._count = count

    def run(self, name: str) -> Sequence[int]:
        """Return a column of whole numbers that was written as `_run` gives it; -1 where there is no value."""
        if name in self._each:
            return self._each[name]
        first = self._shared.get(name)
        return [-1] * self._count if first is None else range(first, first + self._count)

    def column(self, name: str, read: Callable[[Any], Any] | None = None) -> Sequence[Any]:
        """Return the values of a column, with None for each missing one.

        Args:
            name: the column.
            read: converts a written value; called once for a value that all rows share. None to take it as written.
        """
        if name in self._each:
            values = self._each[name]
            return values if read is None else [None if value is None else read(value) for value in values]
        value = self._shared.get(name)
        return [value if value is None or read is None else read(value)] * self._count


def pack(columns: Iterable[tuple[str, Sequence[Any]]]) -> bytes:
    """Write columns of equal length, with at least one value each, as JSON.

    A column of equal texts, or of one and the same object, is written as a single value. A column of None only is left
    out.
    """
    shared: dict[str, Any] = {}
    each: dict[str, Sequence[Any]] = {}
    for name, values in columns:
        first = values[0]
        if first is None or isinstance(first, str):
            alike = values.count(first) == len(values)
        else:  # the same object, not an equal one: 1 equals True
            alike = len(values) == 1 or all(value is first for value in values)
        if not alike:
            each[name] = values
        elif first is not None:
            shared[name] = first
    if each:
        shared[_EACH] = each
    try:
        return orjson.dumps(shared)
    except TypeError:  # half of a surrogate pair; the standard library writes an escape
        return json.dumps(shared).encode()


def unpack(data: bytes, count: int) -> Columns:
    """Read the columns that `pack` wrote, with ``count`` values each."""
    try:
        return Columns(orjson.loads(data), count)
    except orjson.JSONDecodeError:
        return Columns(json.loads(data), count)


def encode_messages(messages: Sequence[Message], places: Sequence[int] = ()) -> bytes:
    """Write one or more messages as JSON.

    Args:
        messages: the messages.
        places: position of each message in the campaign's list, or -1; none where they are not known.

    Raises:
        ConfigurationError: the options of a message hold a value of a type that a journal cannot keep.
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
            ("options", _written([message.options for message in messages], plain_options)),
            _lines([message.place for message in messages]),
            ("place", _run(places)),
        )
    )


def _lines(lines: Sequence[int | None]) -> tuple[str, Sequence[int | None]]:
    """Return the column of the lines: only the first one where each message stands right behind the one before."""
    first = lines[0]
    if first is not None and lines == list(range(first, first + len(lines))):
        return "from", [first] * len(lines)
    return "line", lines


def _run(numbers: Sequence[int]) -> Sequence[int | None]:
    """Return whole numbers as `pack` is to write them: only the first one, if each is one more than that before."""
    if not numbers or numbers.count(-1) == len(numbers):
        return (None,)
    first = numbers[0]
    return (first,) if numbers == list(range(first, first + len(numbers))) else numbers


def decode_messages(data: bytes, count: int) -> list[Message]:
    """Read the ``count`` messages that `encode_messages` wrote; see `decode_rows`."""
    return decode_rows(data, count)[0]


def decode_rows(data: bytes, count: int) -> tuple[list[Message], Sequence[int]]:
    """Read the ``count`` messages that `encode_messages` wrote, and their positions in the campaign's list.

    Raises:
        ConfigurationError: a message has options of a class that this program does not have.
    """
    columns = unpack(data, count)
    column = columns.column
    first = column("from")[0]
    lines = column("line") if first is None else range(first, first + count)
    messages = [
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
            place=line,
        )
        for to, text, sender, template, reference, variables, schedule_at, not_after, options, line in zip(
            column("to"),
            column("text"),
            column("sender"),
            column("template"),
            column("reference"),
            column("variables"),
            column("schedule_at", datetime.fromisoformat),
            column("not_after", datetime.fromisoformat),
            column("options", _options),
            lines,
            strict=True,
        )
    ]
    return messages, columns.run("place")


def check_options(message: Message) -> None:
    """Check that a journal can keep the options of a message.

    Raises:
        ConfigurationError: they hold a value of a type that a journal cannot keep.
    """
    if message.options is not None:
        plain_options(message.options)


def _written(values: Sequence[T | None], write: Callable[[T], Any]) -> Sequence[Any]:
    """Convert each value, and each object only once, so that `pack` still finds the same object in all rows."""
    if values.count(None) == len(values):
        return values
    known: dict[int, Any] = {id(None): None}
    for value in values:
        if value is not None and id(value) not in known:
            known[id(value)] = write(value)
    return [known[id(value)] for value in values]


def plain_options(options: VendorOptions) -> list[Any]:
    """Return options as JSON has them, with the name of their class.

    Raises:
        ConfigurationError: they hold a value of a type that a journal cannot keep.
    """
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
    raise ConfigurationError(f"a journal cannot keep the value of type {type(value).__name__} in {cls.__name__}")


def _options(plain: list[Any]) -> VendorOptions:
    name, values = plain
    cls = _options_class(name)
    if cls is not None:
        return cls(**{field: _value(value) for field, value in values.items()})
    raise ConfigurationError(
        f"the journal has messages with {name}, a class that neither a vendor nor this program has; install or import "
        "the package that defines it"
    )


def _options_class(name: str) -> type[VendorOptions] | None:
    # The vendor of the message may not be imported yet. Only a class that the registry names is imported: a name in a
    # file must not decide that.
    for info in vendors().values():
        if info.options_class is not None and info.options_class.endswith(f":{name}"):
            cls: type[VendorOptions] = load(info.options_class)
            return cls
    # For a class with slots attrs makes a second class; the first one may still be among the subclasses.
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
