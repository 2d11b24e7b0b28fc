"""Build attrs objects from plain trees, and parameters from request objects.

Each field of a class states the vendor's names for it::

    @frozen
    class CreditsAnswer:
        result: int = wire("Res", "Resp")
        credits: Decimal = wire("Cred", "Saldo")
        raw: Mapping[str, Any] = raw_field()

Keys are found in any case, and values are read leniently (see `mensasdk.codec.scalars`). A value that does not fit
raises a `DecodeError` that names its place. All lines of a report have the same keys. So it is worked out only once per
combination of keys which key belongs to which field. After that a line costs one lookup and one pass over its values.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
from attrs import NOTHING
from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from mensasdk.codec.builder import END, FACTORY, MISFITS, Builder, Hook, Target, WireField, located, make_builder
from mensasdk.codec.keys import is_ordinary
from mensasdk.codec.scalars import Blank, Misfit, NotFinite, to_bool, to_decimal, to_int, to_str
from mensasdk.errors import AmbiguousResponse, DecodeError

__all__ = ["make_converter", "parameters", "raw_field", "structure", "wire"]

T = TypeVar("T")

_WIRE = "mensasdk.wire"
_CONVERT = "mensasdk.convert"
_ENCODE = "mensasdk.encode"
_RAW = "mensasdk.raw"


def wire(
    *names: str,
    default: Any = NOTHING,
    factory: Callable[[], Any] | None = None,
    convert: Hook | None = None,
    encode: Hook | None = None,
    kw_only: bool = False,
) -> Any:
    """Declare an attrs field that stands in the vendor's data under one of several names.

    Args:
        names: the vendor's names. In an answer they are looked up in any case, and the first name that is present and
            not null wins. In a request the first name is used, as it is spelled here.
        default: value of the field if no name is present, or if the value is null and the type does not allow None.
        factory: makes the default, as in attrs.
        convert: reads the received value, in place of the reader for the field's type. It may raise ValueError.
        encode: makes the value that `parameters` sends; not called for None.
        kw_only: as in attrs.

    Raises:
        TypeError: no name is given.
    """
    if not names:
        raise TypeError("wire() needs the name that the vendor uses")
    if factory is not None:
        default = attrs.Factory(factory)
    # An explicit False would override the class's own kw_only=True in recent versions of attrs.
    placed: dict[str, Any] = {"kw_only": True} if kw_only else {}
    return attrs.field(default=default, metadata={_WIRE: names, _CONVERT: convert, _ENCODE: encode}, **placed)


def raw_field() -> Any:
    """Declare an attrs field for the object as it was received, also with the keys that no other field has."""
    return attrs.field(factory=dict, eq=False, repr=False, kw_only=True, metadata={_RAW: True})


# ---------------------------------------------------------------------------------------------- single fields


# The ``notes`` of `structure`. A context variable, because generated code and cattrs pass only values to the hooks.
_NOTES: ContextVar[list[str] | None] = ContextVar("mensasdk.codec.notes", default=None)

_SCALARS: dict[Any, Any] = {str: to_str, int: to_int, Decimal: to_decimal, bool: to_bool}


def _bound(converter: Converter, kind: Any) -> Hook:
    """Return the converter's hook for a type as a function of the value alone, with as few calls as possible."""
    hook: Any = converter.get_structure_hook(kind)
    # Hooks of this module ignore their second argument, and the default of the hooks for scalars is right.
    if _SCALARS.get(kind) is hook or getattr(hook, "__module__", None) == __name__:
        return hook  # type: ignore[no-any-return]
    return lambda value: hook(value, kind)


def _optional_of(kind: Any) -> Any:
    """Return T for ``T | None``, and None for any other type."""
    if get_origin(kind) in (Union, types.UnionType):
        others = [arg for arg in get_args(kind) if arg is not types.NoneType]
        if len(others) == 1 and len(get_args(kind)) == 2:
            return others[0]
    return None


def _is_open_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and len(get_args(kind)) == 2 and get_args(kind)[1] is Ellipsis


def _optional_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    inner = _optional_of(kind)
    hook = _bound(converter, inner)
    # PHP prints an empty object as [], and XML as an empty element.
    empties: tuple[Any, ...] = ("", []) if attrs.has(inner) else ()
    # An optional amount is for information only. If it cannot be read (it stays in `raw`), the answer must not be lost,
    # nor the knowledge that a send was accepted. Counts and ids matter, and are read strictly.
    unreadable = Misfit if inner is Decimal else Blank

    def optional(value: Any, _: Any = None) -> Any:
        if value is None or value in empties:
            return None
        try:
            return hook(value)
        except unreadable as problem:
            _note_unreadable(problem)
            return None

    return optional


def _note_unreadable(problem: Misfit) -> None:
    notes = _NOTES.get()
    if notes is None or problem.__class__ is Blank:  # a blank is in order: vendors write "no value" in many ways
        return
    what = "NaN or Infinity" if isinstance(problem, NotFinite) else "an amount that cannot be read"
    note = f"{what} ignored"
    if note not in notes:  # once only: a report may have a hundred thousand lines
        notes.append(note)


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    inner = get_args(kind)[0]
    hook = _bound(converter, inner)
    known = _known_names(inner) if attrs.has(inner) else frozenset()

    def elements(value: Any) -> list[Any]:
        if value.__class__ is list:
            return value
        if value is None or value == "":
            return []
        if not isinstance(value, Mapping):
            return [value]
        # Either an object that holds the items by their ids, or a single item in place of a list of one.
        if known and not (
            all(isinstance(item, Mapping) for item in value.values())
            and known.isdisjoint(key.casefold() for key in value)
        ):
            return [value]
        return list(value.values())

    def many(value: Any, _: Any = None) -> tuple[Any, ...]:
        result: list[Any] = []
        items = elements(value)
        try:
            if isinstance(hook, _ClassHook):
                hook.build(items, result.append)
            else:
                for item in items:
                    result.append(hook(item))  # noqa: PERF401 - the length says which item failed
        except MISFITS as error:
            raise located(error, len(result)) from None
        return tuple(result)

    return many


def _mapping_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], dict[str, Any]]:
    hook = _bound(converter, get_args(kind)[1])

    def mapping(value: Any, _: Any = None) -> dict[str, Any]:
        if value is None or value == "" or value == []:
            return {}
        if not isinstance(value, Mapping):
            raise Misfit(f"this {type(value).__name__} is not an object")
        result: dict[str, Any] = {}
        try:
            for key, item in value.items():
                result[key] = hook(item)
        except MISFITS as error:
            raise located(error, len(result)) from None
        return result

    return mapping


# ------------------------------------------------------------------------------------------------- whole classes


def _wire_names(attribute: attrs.Attribute[Any]) -> tuple[str, ...]:
    return attribute.metadata.get(_WIRE, ())  # type: ignore[no-any-return]


def _known_names(cls: type) -> frozenset[str]:
    return frozenset(name.casefold() for attribute in attrs.fields(cls) for name in _wire_names(attribute))


def _is_wired(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and bool(_known_names(kind))


def _wire_field(attribute: attrs.Attribute[Any], converter: Converter) -> WireField:
    kind: Any = attribute.type
    default: Any = attribute.default
    if isinstance(default, FACTORY) and default.takes_self:
        raise TypeError(f"{attribute.name}: a wire field cannot have a default that takes self")
    inner = _optional_of(kind)
    hook: Hook | None = attribute.metadata[_CONVERT]
    exact = None
    few = False
    if hook is None:
        hook = _bound(converter, kind)
        base = inner or kind
        reader = converter.get_structure_hook(base)
        # cattrs uses the reader of int for codes as well, which are subclasses of int.
        few = reader in (to_int, to_decimal, to_bool)
        if base in (str, int, Decimal) and reader is _SCALARS[base]:
            exact = base
    if default is NOTHING and _is_open_tuple(kind):
        default = ()  # a missing list counts as an empty one
    null = None if inner is not None else default
    return WireField(attribute, _wire_names(attribute), hook, exact=exact, few=few, default=default, null=null)


# A vendor has a few combinations of keys per class. A server that sends thousands must not fill our memory.
_MAX_BUILDERS = 64


class _ClassHook:
    """Structure hook of one class, with one builder for each combination of keys that it has met."""

    def __init__(self, cls: type[Any], converter: Converter) -> None:
        attrs.resolve_types(cls)
        fields = [_wire_field(attribute, converter) for attribute in attrs.fields(cls) if _wire_names(attribute)]
        raw = [attribute for attribute in attrs.fields(cls) if attribute.metadata.get(_RAW)]
        self._target = Target(cls, tuple(fields), raw[0] if raw else None)
        self._builders: dict[tuple[str, ...], Builder] = {}

    def build(self, items: Iterable[Any], add: Callable[[Any], None]) -> None:
        """Build an object of each item and pass it to ``add``. One builder does for all items with the same keys."""
        rest = iter(items)
        item = next(rest, END)
        while item is not END:
            item = self._builder(item)(chain((item,), rest), add)

    def _builder(self, data: Any) -> Builder:
        if data.__class__ is not dict:
            raise Misfit(f"this {type(data).__name__} is not an object")
        keys = tuple(data)
        builder = self._builders.get(keys)
        if builder is None:
            builder = make_builder(self._target, keys)
            if is_ordinary(keys):
                if len(self._builders) >= _MAX_BUILDERS:
                    self._builders.clear()
                self._builders[keys] = builder
        return builder

    def __call__(self, data: Any, _: Any = None) -> Any:
        made: list[Any] = []
        self.build((data,), made.append)
        return made[0]


def make_converter(**options: Any) -> Converter:
    """Make a cattrs converter that reads vendors' trees.

    It reads classes with `wire` fields, ``int``, ``str``, ``Decimal``, ``bool``, ``T | None``, ``tuple[T, ...]`` and
    ``Mapping[str, T]`` as this module describes. Subclasses of int and str (open enums) are called with the value. All
    other types are read as in cattrs. Vendors may register further hooks.

    Args:
        options: passed on to `cattrs.Converter`.
    """
    converter = Converter(**{"detailed_validation": False, **options})
    converter.register_structure_hook(str, to_str)
    converter.register_structure_hook(int, to_int)
    converter.register_structure_hook(bool, to_bool)
    converter.register_structure_hook(Decimal, to_decimal)
    converter.register_structure_hook_factory(lambda kind: _optional_of(kind) is not None, _optional_hook)
    converter.register_structure_hook_factory(_is_open_tuple, _tuple_hook)
    converter.register_structure_hook_factory(_is_str_mapping, _mapping_hook)
    converter.register_structure_hook_factory(_is_wired, _ClassHook)
    return converter


def _is_str_mapping(kind: Any) -> bool:
    return get_origin(kind) in (dict, Mapping) and get_args(kind)[0] is str


@cache
def _hook_of(converter: Converter, cls: type[Any]) -> Callable[[Any, Any], Any]:
    return converter.get_structure_hook(cls)


def structure(
    converter: Converter, tree: Any, cls: type[T], *, vendor: str | None, notes: list[str] | None = None
) -> T:
    """Build the object of an answer from a decoded tree, which is the object itself or a list of only this object.

    Args:
        converter: made by `make_converter`.
        tree: the tree, as `decode` gives it.
        cls: the class of the answer.
        vendor: the vendor's short name, for errors.
        notes: list to which notes on faults without consequences are added, as clauses without any text of the tree.

    Raises:
        AmbiguousResponse: one field has two different values.
        DecodeError: the tree is not such an object, or a field is missing or does not fit. The message names the
            field, as in ``Informe[3].Resultado``, and quotes no value. No other exception leaves this function.
    """
    problem: Misfit | None = None
    token = _NOTES.set(notes)
    try:
        if isinstance(tree, list):
            if len(tree) != 1:
                raise Misfit(f"expected one object, not a list of {len(tree)}")
            tree = tree[0]
        return _hook_of(converter, cls)(tree, cls)  # type: ignore[arg-type, no-any-return]
    except Misfit as error:
        problem = error
    except (*MISFITS, StructureHandlerNotFoundError) as error:
        problem = Misfit(f"does not fit ({type(error).__name__})")
    finally:
        _NOTES.reset(token)
    kind = AmbiguousResponse if problem.ambiguous else DecodeError
    message = f"unusable answer: {_dotted(problem.path)}{problem.reason}"
    problem = None  # its traceback would keep the whole tree alive in the frame of the public error
    raise kind(message, vendor=vendor)


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for place in path:
        if isinstance(place, int):
            text += f"[{place}]"
        else:
            text += f".{place}" if text else place
    return f"{text}: " if text else ""


# ------------------------------------------------------------------------------------------------------ parameters


@cache
def _outgoing(cls: type[Any]) -> tuple[tuple[str, str, Hook | None], ...]:
    return tuple(
        (attribute.name, _wire_names(attribute)[0], attribute.metadata[_ENCODE])
        for attribute in attrs.fields(cls)
        if _wire_names(attribute)
    )


def parameters(request: Any) -> dict[str, object]:
    """Return the parameters of a request object by the vendor's names, in the order of its fields, without Nones.

    The result of a field's ``encode`` is used as it is. In a field without ``encode``, objects with `wire` fields are
    turned into parameters, also inside lists and mappings. Other values stay as they are.
    """
    result: dict[str, object] = {}
    for attribute, name, encode in _outgoing(type(request)):  # type: ignore[arg-type]
        value = getattr(request, attribute)
        if value is None:
            continue
        if encode is not None:
            value = encode(value)
            if value is None:
                continue
        elif value.__class__ not in _PLAIN:
            value = _plain(value)
        result[name] = value
    return result


_PLAIN = frozenset({str, int, bool, float, bytes})


def _plain(value: Any) -> Any:
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return parameters(value) if _is_wired(type(value)) else value
