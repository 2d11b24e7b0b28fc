"""Generated functions that build attrs objects from dicts of a known shape, and dicts from columns.

They are generated as source, as attrs itself generates ``__init__``: a loop over the fields takes twice the time, and
reports come with a hundred thousand lines. For the same reason the attributes of a frozen class are not set by its
``__init__``, which has to go around its own ``__setattr__`` for each: see `_open_twin`.
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

FACTORY: Any = attrs.Factory  # a class, which its stub shows as a function

END: Any = object()
"""What a builder gives back when it has built everything."""

_LARGE = 10**15
_MOST_REMEMBERED = 1_000
_LONGEST = 32

MISFITS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MensaError)
"""What a hook of ours, of a vendor or of cattrs may raise when a value does not fit."""


def _remembering(hook: Hook, known: dict[str, Any]) -> Hook:
    """A hook that keeps what it made of texts: codes, counts and prices are few different ones, in every line."""

    def read(text: Any) -> Any:
        value = hook(text)
        if type(text) is str and len(text) <= _LONGEST and len(known) < _MOST_REMEMBERED:
            known[text] = value
        return value

    return read


class WireField:
    """One field of a class, as the builder needs to know it.

    Attributes:
        attribute: its name as an attribute.
        argument: its name in ``__init__``.
        names: what the vendor calls it, best name first.
        hook: reads the received value.
        exact: values of this very class need no reading; of `~decimal.Decimal`, whole numbers do not.
        known: what texts were read as before, apart from None, which may have left a note; None where there are too
            many different ones.
        default: NOTHING when the field is required.
        null: what null stands for: None or the default; NOTHING where the hook decides.
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
    """The error with the place at which it happened put in front of its path."""
    if isinstance(error, Misfit):
        return Misfit(error.reason, (place, *error.path), ambiguous=error.ambiguous)
    # The text of a foreign error may quote the value, which may be somebody's message.
    return Misfit(f"does not fit ({type(error).__name__})", (place,), ambiguous=isinstance(error, AmbiguousResponse))


def _agreed(data: Mapping[str, Any], spellings: tuple[str, ...]) -> Any:
    """The value under keys that differ in case only, if there is one."""
    value = data[spellings[0]]
    if any(data[key] != value for key in spellings[1:]):
        raise Misfit("two different values, under keys that differ in case only", ambiguous=True)
    return value


def _open_twin(cls: type[Any], settable: frozenset[str]) -> type[Any] | None:
    """A subclass of a frozen class that is not frozen, and whose objects can be turned into objects of ``cls``.

    That takes a quarter of the time of calling ``cls``. None where ``__init__`` does more than to set attributes.
    """
    fields = attrs.fields(cls)
    plain = all(one.init and one.validator is None and one.converter is None for one in fields)
    hooked = any(hasattr(cls, name) for name in ("__attrs_pre_init__", "__attrs_post_init__", "__attrs_init__"))
    slots = {*cls.__dict__.get("__slots__", ())} - {"__weakref__"}
    if not plain or hooked or slots != settable or slots != {one.name for one in fields}:
        return None
    # CPython takes its fast ways only where both, setting and deleting, are those of `object`.
    bare = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(cls.__name__, (cls,), {"__slots__": (), **bare})


class Target:
    """A class to build.

    Args:
        cls: the class.
        fields: those of its fields that stand in the vendor's data.
        raw: the field that takes the dict as it was received, if there is one.
    """

    def __init__(self, cls: type[Any], fields: tuple[WireField, ...], raw: attrs.Attribute[Any] | None) -> None:
        self.cls = cls
        self.fields = fields
        self.raw = raw
        self.twin = _open_twin(cls, frozenset([field.attribute for field in fields] + ([raw.name] if raw else [])))


def _made(expression: str, value: Any) -> str:
    return f"{expression}.factory()" if isinstance(value, FACTORY) else expression


def make_builder(target: Target, keys: tuple[str, ...]) -> Builder:
    """A function that builds objects from dicts that have just these keys.

    It hands them to ``add`` one by one, up to the first item that is none or has other keys, and gives that back.
    For a class of two fields its source reads::

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
        target: what to build.
        keys: all keys of the dicts, in their order. None of them gets into the source.

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
            # The first name that is there and not null wins.
            for rank, spellings in enumerate(present):
                # The very keys: those of the next line are mostly the same objects, and found at once.
                name = f"s{index}_{rank}"
                space[name] = spellings[0] if len(spellings) == 1 else tuple(spellings)
                value = f"data[{name}]" if len(spellings) == 1 else f"agreed(data, {name})"
                code.append(f"if v is None: v = {value}" if rank else f"v = {value}")
            read_always.update(present[0] if len(present[0]) == 1 else ())
            read = f"h{index}(v)"
            if field.known is not None:
                read = f"known if type(v) is str and (known := k{index}(v)) is not None else {read}"
            if field.exact is Decimal:  # whole numbers of ordinary size need no reader either
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
        # What a validator has against the object as a whole is no fault of the last field.
        code += ["at = None", f"add(cls({', '.join(arguments)}))"]
    # A dict of as many keys, of which each is read in any case, has these keys or fails.
    differs = f"len(data) != {len(keys)}" if len(read_always) == len(keys) else "tuple(data) != keys"
    # Locals are read faster than globals.
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
    """A function that makes dicts of so many keys, thrice as fast as ``dict(zip(keys, values))``.

    It is called with tuples of a number, the values and a rest, and with the keys. For two keys its source reads::

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
