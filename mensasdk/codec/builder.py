"""Build attrs objects with generated code: JSON to objects at 3 instead of 4.6 times ``orjson.loads``.

Measured with a report of 1,000 recipients, beside a loop over the fields: ``python -m benchmarks --only decoding``. The
goal for JSON is 4.5. TXT takes 5 instead of 6.3 times ``orjson.loads`` of the same data as JSON, and its goal is 6.

The code is generated as source text, as attrs generates ``__init__``. One function is made for each combination of
keys, and nothing of a body gets into its source. The ``__init__`` of a frozen class is slow, because it has to get
around the class's own ``__setattr__`` for each attribute. The objects are therefore made as objects of a subclass that
is not frozen (see `_open_twin`); with ``__init__`` JSON takes 4.8 times ``orjson.loads``, and TXT 6.2 times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import attrs
from attrs import NOTHING

from mensasdk.codec.scalars import Misfit
from mensasdk.errors import AmbiguousResponse, MensaError

__all__ = [
    "END",
    "FACTORY",
    "MISFITS",
    "Builder",
    "Hook",
    "Target",
    "WireField",
    "located",
    "make_builder",
    "make_rows",
]

Hook = Callable[[Any], Any]
Builder = Callable[[Iterable[Any], Callable[[Any], None]], Any]

FACTORY: Any = attrs.Factory  # it is a class, but its stub says that it is a function

END: Any = object()
"""Answer of a builder that has built an object of every item."""

_LARGE = 10**15
_MOST_REMEMBERED = 1_000
_LONGEST = 32

MISFITS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MensaError)
"""Exceptions that a hook (of this package, of a vendor's or of cattrs) may raise when a value does not fit."""


def _remembering(hook: Hook, known: dict[str, Any]) -> Hook:
    """Return a hook that remembers the values of texts: codes, counts and prices repeat from line to line."""

    def read(text: Any) -> Any:
        value = hook(text)
        if type(text) is str and len(text) <= _LONGEST and len(known) < _MOST_REMEMBERED:
            known[text] = value
        return value

    return read


class WireField:
    """Field of a class, as the builder needs to know it.

    Attributes:
        attribute: name of the attribute.
        argument: name of the argument of ``__init__``.
        names: the vendor's names for the field, the best one first.
        hook: reads the received value.
        exact: class whose values need no call of the hook. If it is `~decimal.Decimal`, ints need none.
        known: values of the texts that were read before; None for a field with many different texts. A text that was
            read as None is read again each time, because that may leave a note.
        default: value of a field that is missing; NOTHING when the field is required.
        null: value of a field that is null: None or the default; NOTHING where the hook decides.
    """

    def __init__(
        self,
        attribute: attrs.Attribute[Any],
        names: tuple[str, ...],
        hook: Hook,
        *,
        exact: type | None,
        few: bool,
        default: Any,
        null: Any,
    ) -> None:
        self.attribute = attribute.name
        self.argument = attribute.alias or attribute.name
        self.names = names
        self.known: dict[str, Any] | None = {} if few else None
        self.hook = hook if self.known is None else _remembering(hook, self.known)
        self.exact = exact
        self.default = default
        self.null = null


def located(error: Exception, place: str | int) -> Misfit:
    """Return the error as a `Misfit`, with one more place at the front of its path."""
    if isinstance(error, Misfit):
        return Misfit(error.reason, (place, *error.path), ambiguous=error.ambiguous)
    # The text of a foreign error may quote the value, which may be the text of a message.
    return Misfit(f"does not fit ({type(error).__name__})", (place,), ambiguous=isinstance(error, AmbiguousResponse))


def _agreed(data: Mapping[str, Any], spellings: tuple[str, ...]) -> Any:
    """Return the value of keys that differ in case only; refuse two different values."""
    value = data[spellings[0]]
    if any(data[key] != value for key in spellings[1:]):
        raise Misfit("two different values, under keys that differ in case only", ambiguous=True)
    return value


def _open_twin(cls: type[Any], settable: frozenset[str]) -> type[Any] | None:
    """Make a subclass of a frozen class that is not frozen, and whose objects can be turned into objects of ``cls``.

    To make an object in this way takes a quarter of the time of calling ``cls``.

    Returns:
        The subclass; None if the ``__init__`` of ``cls`` does more than set the attributes in ``settable``.
    """
    fields = attrs.fields(cls)
    plain = all(one.init and one.validator is None and one.converter is None for one in fields)
    hooked = any(hasattr(cls, name) for name in ("__attrs_pre_init__", "__attrs_post_init__", "__attrs_init__"))
    slots = {*cls.__dict__.get("__slots__", ())} - {"__weakref__"}
    if not plain or hooked or slots != settable or slots != {one.name for one in fields}:
        return None
    # CPython sets attributes the fast way only if `__setattr__` and `__delattr__` are both those of `object`.
    bare = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(cls.__name__, (cls,), {"__slots__": (), **bare})


class Target:
    """Class whose objects are to be built.

    Args:
        cls: the class.
        fields: those fields of the class that stand in the vendor's data.
        raw: the field that takes the dict as it was received; None if the class has none.
    """

    def __init__(self, cls: type[Any], fields: tuple[WireField, ...], raw: attrs.Attribute[Any] | None) -> None:
        self.cls = cls
        self.fields = fields
        self.raw = raw
        self.twin = _open_twin(cls, frozenset([field.attribute for field in fields] + ([raw.name] if raw else [])))


def _made(expression: str, value: Any) -> str:
    return f"{expression}.factory()" if isinstance(value, FACTORY) else expression


def make_builder(target: Target, keys: tuple[str, ...]) -> Builder:
    """Make a function that builds objects from dicts with exactly these keys.

    The function is called with the dicts and with ``add``, to which it passes the objects one by one. It stops at the
    first item that is no dict or has other keys, and returns that item, or `END` after the last one. For a class of two
    fields its source reads::

        def build(items, add, s0_0=s0_0, e0=e0, h0=h0, k1=k1, ...):
            at = 0
            try:
                for data in items:
                    if type(data) is not dict or tuple(data) != keys: return data
                    at = 0
                    v = data[s0_0]
                    v0 = v if type(v) is e0 else h0(v)
                    at = 1
                    v = data[s1_0]
                    v1 = known if type(v) is str and (known := k1(v)) is not None else h1(v)
                    made = twin()
                    made.number = v0
                    made.status = v1
                    made.raw = data
                    made.__class__ = cls
                    add(made)
                return END
            except MISFITS as error:
                raise located(error, names[at]) from None

    Args:
        target: the class to build.
        keys: all keys of the dicts, in their order. No key gets into the source.

    Raises:
        Misfit: a required field is not among the keys.
    """
    spelled: dict[str, list[str]] = {}
    for key in keys:
        spelled.setdefault(key.casefold(), []).append(key)
    names = [field.names[0] for field in target.fields]
    space: dict[str, Any] = {
        "END": END,
        "keys": keys,
        "cls": target.cls,
        "twin": target.twin,
        "names": names,
        "MISFITS": MISFITS,
        "located": located,
        "agreed": _agreed,
        "Decimal": Decimal,
    }
    code: list[str] = []
    read_always: set[str] = set()
    for index, field in enumerate(target.fields):
        present = [spelled[name.casefold()] for name in field.names if name.casefold() in spelled]
        if present:
            code.append(f"at = {index}")
            # The first name that is present and not null wins.
            for rank, spellings in enumerate(present):
                # The key objects themselves: mostly the next line has the same ones, which are found fast.
                name = f"s{index}_{rank}"
                space[name] = spellings[0] if len(spellings) == 1 else tuple(spellings)
                value = f"data[{name}]" if len(spellings) == 1 else f"agreed(data, {name})"
                code.append(f"if v is None: v = {value}" if rank else f"v = {value}")
            read_always.update(present[0] if len(present[0]) == 1 else ())
            read = f"h{index}(v)"
            if field.known is not None:
                read = f"known if type(v) is str and (known := k{index}(v)) is not None else {read}"
            if field.exact is Decimal:  # ints of ordinary size need no hook either
                read = f"Decimal(v) if type(v) is int and -{_LARGE} < v < {_LARGE} else {read}"
            elif field.exact is not None:
                read = f"v if type(v) is e{index} else {read}"
            if field.null is not NOTHING:
                read = f"{_made(f'n{index}', field.null)} if v is None else {read}"
            code.append(f"v{index} = {read}")
        elif field.default is NOTHING:
            raise Misfit("is missing", (field.names[0],))
        else:
            code.append(f"v{index} = {_made(f'd{index}', field.default)}")
        space |= {
            f"e{index}": field.exact,
            f"h{index}": field.hook,
            f"k{index}": None if field.known is None else field.known.get,
            f"n{index}": field.null,
            f"d{index}": field.default,
        }
    if target.twin is not None:
        code += ["made = twin()", *[f"made.{field.attribute} = v{i}" for i, field in enumerate(target.fields)]]
        code += [f"made.{target.raw.name} = data"] if target.raw is not None else []
        code += ["made.__class__ = cls", "add(made)"]
    else:
        arguments = [f"{field.argument}=v{i}" for i, field in enumerate(target.fields)]
        arguments += [f"{target.raw.alias}=data"] if target.raw is not None else []
        # An error of a validator belongs to the object as a whole, not to the field that was read last.
        code += ["at = None", f"add(cls({', '.join(arguments)}))"]
    # If every key is read in any case, counting the keys is enough: a dict with other keys fails at a lookup.
    differs = f"len(data) != {len(keys)}" if len(read_always) == len(keys) else "tuple(data) != keys"
    # Names are bound as arguments, because locals are read faster than globals.
    bound = "".join(f", {name}={name}" for name in [*space, "type", "dict", "len", "int", "str"])
    source = (
        f"def build(items, add{bound}):\n    at = None\n    try:\n        for data in items:\n"
        f"            if type(data) is not dict or {differs}: return data\n"
        + "".join(f"            {line}\n" for line in code)
        + "        return END\n    except MISFITS as error:\n"
        "        if tuple(data) != keys: return data\n"
        "        raise error if at is None else located(error, names[at]) from None\n"
    )
    exec(compile(source, f"<codec of {target.cls.__qualname__}>", "exec"), space)  # noqa: S102 - nothing of a body is in it
    return space["build"]  # type: ignore[no-any-return]


@lru_cache(maxsize=128)
def make_rows(count: int) -> Callable[..., list[dict[str, str]]]:
    """Make a function that makes dicts of ``count`` keys, three times as fast as ``dict(zip(keys, values))``.

    With ``dict(zip(...))`` TXT takes 5.2 instead of 4.8 times ``orjson.loads`` (see the top of this file). The function
    is called with the matches of `mensasdk.codec.table` (tuples of a position, the values and a rest), and with the
    keys. For two keys its source reads::

        def rows(found, k0, k1):
            return [{k0: v0, k1: v1} for _, v0, v1, _ in found]
    """
    keys = [f"k{index}" for index in range(count)]
    values = [f"v{index}" for index in range(count)]
    items = ", ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True))
    source = f"def rows(found, {', '.join(keys)}):\n    return [{{{items}}} for _, {', '.join(values)}, _ in found]\n"
    space: dict[str, Any] = {}
    exec(compile(source, "<codec of rows>", "exec"), space)  # noqa: S102 - nothing of a body is in it
    return space["rows"]  # type: ignore[no-any-return]
