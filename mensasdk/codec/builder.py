"""Generated functions that build an attrs object from a dict of a known shape.

They are generated as source, as attrs itself generates ``__init__``: a loop over the fields takes twice the time, and
reports come with a hundred thousand lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
from attrs import NOTHING

from mensasdk.codec.scalars import Misfit
from mensasdk.errors import AmbiguousResponse, MensaError

__all__ = ["FACTORY", "MISFITS", "Builder", "Hook", "WireField", "located", "make_builder"]

Hook = Callable[[Any], Any]
Builder = Callable[[dict[str, Any]], Any]

FACTORY: Any = attrs.Factory  # a class, which its stub shows as a function

_LARGE = 10**15

MISFITS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MensaError)
"""What a hook of ours, of a vendor or of cattrs may raise when a value does not fit."""


@attrs.frozen
class WireField:
    """One field of a class, as the builder needs to know it.

    Attributes:
        argument: its name in ``__init__``.
        names: what the vendor calls it, best name first.
        hook: reads the received value.
        exact: values of this very class need no reading; of `~decimal.Decimal`, whole numbers do not.
        default: NOTHING when the field is required.
        null: what null stands for: None or the default; NOTHING where the hook decides.
        implied: the default is ours (a missing list is an empty one), attrs does not know of it.
        by_position: its place in ``__init__`` follows from the wire fields before it.
    """

    argument: str
    names: tuple[str, ...]
    hook: Hook
    exact: type | None
    default: Any
    null: Any
    implied: bool
    by_position: bool


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


def make_builder(cls: type[Any], fields: tuple[WireField, ...], raw: str | None, keys: tuple[str, ...]) -> Builder:
    """A function that builds ``cls`` from dicts that have just these keys.

    For a class of two fields its source reads::

        def build(data):
            at = 0
            try:
                v = data['Telefono']
                v0 = v if v.__class__ is e0 else h0(v)
                at = 1
                v = data['Resultado']
                v1 = v if v.__class__ is e1 else h1(v)
            except MISFITS as error:
                raise located(error, names[at]) from None
            return cls(v0, v1, raw=data)

    Args:
        raw: the argument that takes the dict as it was received, if the class has one.
        keys: all keys of the dicts; they get into the source through ``repr`` only.

    Raises:
        Misfit: a required field is not among the keys.
    """
    spelled: dict[str, list[str]] = {}
    for key in keys:
        spelled.setdefault(key.casefold(), []).append(key)
    names = [field.names[0] for field in fields]
    space: dict[str, Any] = {
        "cls": cls,
        "names": names,
        "MISFITS": MISFITS,
        "located": located,
        "agreed": _agreed,
        "Decimal": Decimal,
    }
    code: list[str] = []
    arguments: list[str] = []
    by_name = False
    for index, field in enumerate(fields):
        present = [spelled[name.casefold()] for name in field.names if name.casefold() in spelled]
        by_name = by_name or not present or not field.by_position
        if present:
            code.append(f"at = {index}")
            # The first name that is there and not null wins.
            for rank, spellings in enumerate(present):
                value = f"data[{spellings[0]!r}]" if len(spellings) == 1 else f"agreed(data, {tuple(spellings)!r})"
                code.append(f"if v is None: v = {value}" if rank else f"v = {value}")
            read = f"v if v.__class__ is e{index} else h{index}(v)"
            if field.exact is Decimal:  # whole numbers of ordinary size need no reader either
                read = f"Decimal(v) if v.__class__ is int and -{_LARGE} < v < {_LARGE} else h{index}(v)"
            if field.null is not NOTHING:
                made = f"n{index}.factory()" if isinstance(field.null, FACTORY) else f"n{index}"
                read = f"{made} if v is None else {read}"
            code.append(f"v{index} = {read}")
            space[f"e{index}"], space[f"h{index}"], space[f"n{index}"] = field.exact, field.hook, field.null
            arguments.append(f"{field.argument}=v{index}" if by_name else f"v{index}")
        elif field.default is NOTHING:
            raise Misfit("is missing", (field.names[0],))
        elif field.implied:
            arguments.append(f"{field.argument}=()")
    if raw is not None:
        arguments.append(f"{raw}=data")
    body = "".join(f"        {line}\n" for line in code or ["pass"])
    source = (
        f"def build(data):\n    at = 0\n    try:\n{body}"
        "    except MISFITS as error:\n        raise located(error, names[at]) from None\n"
        f"    return cls({', '.join(arguments)})\n"
    )
    exec(compile(source, f"<codec of {cls.__qualname__}>", "exec"), space)  # noqa: S102 - no text of a body but by repr
    return space["build"]  # type: ignore[no-any-return]
