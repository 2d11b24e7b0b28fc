"""Trees to classes: keys in any case, values in any spelling, and one error that names the place."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from attrs import frozen
from attrs.exceptions import FrozenInstanceError
from codec_support import Line, Report, StatusCode, refused, report_tree
from hypothesis import example, given
from hypothesis import strategies as st
from shared import pickled

from mensasdk.codec import make_converter, parameters, raw_field, structure, wire
from mensasdk.codec.scalars import Misfit
from mensasdk.errors import AmbiguousResponse, DecodeError, ValidationError

CONVERTER = make_converter()


def build(cls: type[Any], tree: Any) -> Any:
    return structure(CONVERTER, tree, cls, vendor="mensatek")


@frozen
class Item:
    id: str = wire("id")
    title: str = wire("title", default="")


@frozen
class Everything:
    result: int = wire("Res", "Resp")
    items: tuple[Item, ...] = wire("smss")
    words: tuple[str, ...] = wire("description")
    amount: Decimal | None = wire("Cred", default=None)
    flag: bool | None = wire("EsCert", default=None)
    text: str = wire("Error", default="")
    code: StatusCode | None = wire("Resultado", default=None)
    one: Item | None = wire("device", default=None)
    counts: Mapping[str, int] = wire("sms", factory=dict)
    plain: int = attrs.field(default=7)
    shout: str = wire("loud", default="", convert=lambda value: value.upper())
    raw: Mapping[str, Any] = raw_field()


@frozen
class Lines:
    lines: tuple[Everything, ...] = wire("lines")


@pytest.mark.parametrize("key", ["Res", "RES", "res", "rEs", "Resp", "RESP"])
def test_keys_are_found_in_any_case_and_under_any_of_their_names(key: str) -> None:
    assert build(Everything, {key: "2"}).result == 2


def test_the_first_name_that_is_present_and_not_null_wins() -> None:
    assert build(Everything, {"Resp": 2, "RES": 1}).result == 1
    assert build(Everything, {"Res": None, "resp": 2}).result == 2


def test_all_defaults_and_unknown_keys() -> None:
    answer = build(Everything, {"Res": 1, "surprise": [1]})
    assert answer == Everything(result=1, items=(), words=())
    assert answer.raw == {"Res": 1, "surprise": [1]}


def test_raw_is_the_object_as_received_and_takes_no_part_in_equality_or_repr() -> None:
    tree = {"id": 1, "more": "SECRET"}

    @frozen
    class Held:
        id: str = wire("id")
        raw: Mapping[str, Any] = raw_field()

    held = build(Held, tree)
    assert held.raw is tree
    assert held == Held(id="1")
    assert hash(held) == hash(Held(id="1"))
    assert "SECRET" not in repr(held)


def test_keys_that_differ_in_case_only_must_agree() -> None:
    tree = {"Res": 1, "smss": [{"id": 1, "ID": 2}]}
    error = refused(AmbiguousResponse, lambda: build(Everything, tree))
    assert str(error) == "unusable answer: smss[0].id: two different values, under keys that differ in case only"
    assert build(Everything, {"Res": 1, "smss": [{"id": 1, "ID": 1}]}).items == (Item(id="1"),)


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({}, "Res: is missing"),
        ({"Res": None}, "Res: null is not a number"),
        ({"Res": "SECRET"}, "Res: this text is not a number"),
        ({"Res": ""}, "Res: no number"),
        ({"Res": [1]}, "Res: this list is not a number"),
        ({"Res": 1, "smss": [{"id": 1}, {"id": []}]}, "smss[1].id: this list is not a text"),
        ({"Res": 1, "smss": [{"id": 1}, {"title": "SECRET"}]}, "smss[1].id: is missing"),
        ({"Res": 1, "smss": {"SECRET": {"id": None}}}, "smss[0].id: null is not a text"),
        ({"Res": 1, "smss": "SECRET"}, "smss[0]: this str is not an object"),
        ({"Res": 1, "device": {"title": "x"}}, "device.id: is missing"),
        ({"Res": 1, "sms": {"a": 1, "SECRET": "x"}}, "sms[1]: this text is not a number"),
        ({"Res": 1, "sms": ["SECRET"]}, "sms: this list is not an object"),
        ({"Res": 1, "EsCert": "SECRET"}, "EsCert: this str is not a flag"),
        ({"Res": 1, "loud": 1}, "loud: does not fit (AttributeError)"),
        ([], "expected one object, not a list of 0"),
        ([{"Res": 1}, {"Res": 1}], "expected one object, not a list of 2"),
        ("SECRET", "this str is not an object"),
        (-1, "this int is not an object"),
        (None, "this NoneType is not an object"),
        ([["SECRET"]], "this list is not an object"),
    ],
)
def test_what_does_not_fit_names_the_place_and_quotes_nothing(tree: Any, place: str) -> None:
    error = refused(DecodeError, lambda: build(Everything, tree))
    assert str(error) == f"unusable answer: {place}"
    assert error.vendor == "mensatek"
    assert "SECRET" not in repr(error.__dict__)


def test_a_list_of_one_object_is_that_object() -> None:
    assert build(Everything, [{"Res": 1}]) == build(Everything, {"Res": 1})


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_no_list_is_an_empty_list(nothing: Any) -> None:
    answer = build(Everything, {"Res": 1, "smss": nothing, "description": nothing, "sms": nothing})
    assert (answer.items, answer.words, answer.counts) == ((), (), {})


@pytest.mark.parametrize(
    "value",
    [
        [{"id": 1}, {"id": 2}],
        {"17": {"id": 1}, "18": {"ID": "2"}},
        {"17": {"id": 1, "title": ""}, "18": {"id": 2.0}},
    ],
)
def test_a_list_may_come_as_objects_keyed_by_ids(value: Any) -> None:
    assert build(Everything, {"Res": 1, "smss": value}).items == (Item(id="1"), Item(id="2"))


@pytest.mark.parametrize("value", [{"id": 1, "title": "x"}, [{"id": "1", "title": "x"}]])
def test_a_single_object_is_a_list_of_one(value: Any) -> None:
    assert build(Everything, {"Res": 1, "smss": value}).items == (Item(id="1", title="x"),)


@pytest.mark.parametrize("value", ["60si", ["60si"], {"0": "60si"}])
def test_a_single_text_is_a_list_of_one(value: Any) -> None:
    assert build(Everything, {"Res": 1, "description": value}).words == ("60si",)


@pytest.mark.parametrize("nothing", [None, "", "NaN", float("nan"), float("inf")])
def test_no_number_in_an_optional_field_is_none(nothing: Any) -> None:
    answer = build(Everything, {"Res": 1, "Cred": nothing, "Resultado": nothing, "EsCert": None})
    assert (answer.amount, answer.code, answer.flag) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "noted"),
    [
        (None, []),
        ("", []),
        (" null ", []),
        ("12.5", []),
        ("NaN", ["NaN or Infinity ignored"]),
        (float("inf"), ["NaN or Infinity ignored"]),
        ("12 credits", ["an amount that cannot be read ignored"]),
        (["SECRET"], ["an amount that cannot be read ignored"]),
    ],
)
def test_an_amount_that_is_dropped_is_noted_once_and_one_that_is_missing_is_not(value: Any, noted: list[str]) -> None:
    notes: list[str] = []
    tree = {"Res": 1, "Cred": value}
    structure(CONVERTER, {"lines": [tree, tree]}, Lines, vendor=None, notes=notes)
    assert notes == noted
    build(Everything, tree)  # nobody wants to know


@pytest.mark.parametrize("nothing", [None, "", []])
def test_no_object_in_an_optional_field_is_none(nothing: Any) -> None:
    assert build(Everything, {"Res": 1, "device": nothing}).one is None


def test_null_counts_as_absent_where_there_is_a_default() -> None:
    answer = build(Everything, {"Res": 1, "Error": None, "loud": None, "sms": None})
    assert (answer.text, answer.shout, answer.counts) == ("", "", {})


def test_open_enums_take_codes_that_nobody_has_seen() -> None:
    for value in ("4711", 4711, 4711.0):
        code = build(Everything, {"Res": 1, "Resultado": value}).code
        assert code == 4711
        assert type(code) is StatusCode


def test_a_converter_of_the_field_comes_before_the_type() -> None:
    assert build(Everything, {"Res": 1, "loud": "hey"}).shout == "HEY"


def test_fields_that_are_not_on_the_wire_keep_their_defaults_wherever_they_stand() -> None:
    @frozen
    class Mixed:
        first: int = wire("a")
        local: int = attrs.field(default=5)
        second: int = wire("b", default=0)
        last: int = wire("c", default=0, kw_only=True)

    assert build(Mixed, {"c": 3, "b": 2, "a": 1}) == Mixed(1, 5, 2, last=3)
    assert build(Mixed, {"a": 1, "c": 3}) == Mixed(1, 5, 0, last=3)


@frozen
class Point:
    x: int
    y: int


@frozen
class Shape:
    points: tuple[Point, ...] = wire("points")


def test_classes_may_hold_classes_and_hooks_of_a_vendor() -> None:
    def from_text(value: Any, _: Any) -> Point:
        if not isinstance(value, str):
            raise ValueError(f"SECRET {value}")
        return Point(*map(int, value.split(",")))

    converter = make_converter()
    converter.register_structure_hook(Point, from_text)
    assert structure(converter, {"points": ["1,2"]}, Shape, vendor=None) == Shape(points=(Point(1, 2),))
    error = refused(DecodeError, lambda: structure(converter, {"points": ["1,2", 3]}, Shape, vendor=None))
    assert str(error) == "unusable answer: points[1]: does not fit (ValueError)"


def test_validators_of_a_class_are_run() -> None:
    def positive(_: Any, attribute: Any, value: int) -> None:
        if value < 0:
            raise ValidationError("SECRET", field=attribute.name)

    @frozen
    class Checked:
        count: int = wire("n")
        __attrs_post_init__ = lambda self: positive(self, attrs.fields(type(self)).count, self.count)  # noqa: E731

    assert build(Checked, {"n": 1}).count == 1
    error = refused(DecodeError, lambda: build(Checked, {"n": -1}))
    assert "SECRET" not in str(error)


def test_what_is_built_is_as_if_the_class_had_been_called() -> None:
    """Frozen classes are filled in another way than by calling them, which must not show."""
    tree = {"Fecha": "f", "Tiempo": "2", "Movil": "34600000001", "Resultado": "11", "Estado": "e", "more": 1}
    found, called = build(Line, tree), Line("f", 2, "34600000001", StatusCode(11), "e", raw=tree)
    assert type(found) is Line
    assert (found, hash(found), repr(found)) == (called, hash(called), repr(called))
    assert found.raw is tree
    assert weakref.ref(found)() is found
    with pytest.raises(FrozenInstanceError):
        found.seconds = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del found.seconds


def _negative(value: int) -> int:
    return -value


def test_what_a_class_does_when_it_is_made_is_done() -> None:
    @frozen
    class Doubled:
        number: int = wire("n")
        double: int = attrs.field(init=False)

        def __attrs_post_init__(self) -> None:
            object.__setattr__(self, "double", 2 * self.number)

    @frozen
    class Converted:
        number: int = attrs.field(converter=_negative, metadata=attrs.fields(Item).id.metadata)

    @frozen
    class Own:
        number: int = wire("n")

        def __init__(self, number: int) -> None:
            object.__setattr__(self, "number", number + 1)

    @frozen
    class Longer(Item):
        more: str = wire("more", default="")

    assert build(Doubled, {"n": "21"}).double == 42
    assert build(Converted, {"id": 5}).number == -5
    assert build(Own, {"n": 1}).number == 2
    assert build(Longer, {"id": 1, "more": "x"}) == Longer("1", more="x")


LINES: st.SearchStrategy[list[Any]] = st.lists(
    st.lists(st.sampled_from(["id", "ID", "title", "TITLE", "note", "other"]), unique=True).map(
        lambda keys: {key: "x" if key.casefold() == "id" else key.casefold() for key in keys}
    )
    | st.sampled_from([None, "id", 5, {"id": []}, {"note": 1, "other": 2}])
)


@pytest.mark.slow
@given(LINES)
@example([{"id": "x", "note": "note"}, {"id": "x", "title": "title"}])
@example([{"id": "x", "title": "title"}, {"id": "x", "note": "note"}, {"ID": "x", "TITLE": "title"}])
@example([{"id": "x", "title": "title"}, {"id": None, "note": "note"}, {"title": "title"}])
def test_lines_of_different_shapes_are_read_as_each_of_them_alone(lines: list[Any]) -> None:
    """Also where they have equally many keys, and up to the first that cannot be read."""

    @frozen
    class Items:
        items: tuple[Item, ...] = wire("items")

    alone: list[Item] = []
    problem = ""
    for index, line in enumerate(lines):
        try:
            alone.append(build(Item, line))
        except DecodeError as error:
            problem = str(error).replace("unusable answer: ", "")
            place = f"items[{index}]"
            problem = f"{place}: {problem}" if problem.startswith("this ") else f"{place}.{problem}"
            break
    if problem:
        assert str(refused(DecodeError, build, Items, {"items": lines})) == f"unusable answer: {problem}"
    else:
        assert build(Items, {"items": lines}) == Items(tuple(alone))


def test_a_line_of_other_keys_is_read_by_its_own_names_though_it_has_as_many() -> None:
    lines = [
        {"Fecha": "f", "Tiempo": 1, "Telefono": "1", "Resultado": 1, "Estado": "e"},
        {"fecha": "g", "tiempo": 2, "movil": "2", "resultado": 2, "estado": "h"},
        {"Estado": "i", "Resultado": 3, "Telefono": "3", "Tiempo": 3, "Fecha": "j"},
    ]
    report = build(Report, {"Res": 1, "Cred": 1, "Destinatarios": 3, "Informe": lines})
    assert [(line.at, line.seconds, line.number, line.status, line.text) for line in report.lines] == [
        ("f", 1, "1", 1, "e"),
        ("g", 2, "2", 2, "h"),
        ("j", 3, "3", 3, "i"),
    ]


def test_what_is_remembered_of_texts_has_a_bound_and_no_notes() -> None:
    codes = [f"{code}" for code in range(3_000)] * 2
    lines = [{"Fecha": "", "Tiempo": 1, "Telefono": "", "Resultado": code, "Estado": ""} for code in codes]
    report = build(Report, {"Res": 1, "Cred": 1, "Destinatarios": 3, "Informe": lines})
    assert [line.status for line in report.lines] == list(range(3_000)) * 2
    hook: Any = CONVERTER.get_structure_hook(Line)
    known = [field.known for field in hook._target.fields if field.names == ("Resultado",)]
    assert len(known[0]) == 1_000
    for _ in range(2):
        notes: list[str] = []
        structure(CONVERTER, {"Res": 1, "Cred": "NaN"}, Everything, vendor=None, notes=notes)
        assert notes == ["NaN or Infinity ignored"]


def test_thousands_of_key_combinations_do_not_fill_the_memory() -> None:
    for number in range(500):
        assert build(Item, {f"k{number}": 0, "id": number}).id == str(number)
    hook: Any = CONVERTER.get_structure_hook(Item)
    assert len(hook._builders) <= 64


def test_hostile_keys_stay_keys() -> None:
    """Builders are generated source: no key may get out of its quotes."""
    hostile = ["'] + exit() #", 'id"', "id\n", "\\", "id\x00", "\ud800", "ID", "{x}"]
    tree = {**dict.fromkeys(hostile, "x"), "id": "x"}
    assert build(Item, tree).id == "x"


def test_results_pickle() -> None:
    report = build(Report, report_tree(2))
    assert pickled(report) == report


@given(
    st.lists(st.sampled_from(["Fecha", "Tiempo", "Telefono", "Movil", "Resultado", "Estado", "x"]), unique=True),
    st.data(),
)
def test_any_set_and_order_of_keys_gives_the_same_line(keys: list[str], data: st.DataObject) -> None:
    """The generated builder against a plain reading of the same rules."""
    upper = data.draw(st.booleans())
    values = {"Fecha": "f", "Tiempo": 1, "Telefono": "t", "Movil": "m", "Resultado": 11, "Estado": "e", "x": 0}
    tree = {key.upper() if upper else key: values[key] for key in keys}
    needed = {"Fecha", "Tiempo", "Resultado", "Estado"}
    if needed <= set(keys) and {"Telefono", "Movil"} & set(keys):
        number = "t" if "Telefono" in keys else "m"
        line = build(Line, tree)
        assert line == Line(at="f", seconds=1, number=number, status=StatusCode(11), text="e")
        assert line.raw is tree
    else:
        refused(DecodeError, lambda: build(Line, tree))


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Res", "RES", "smss", "id", "Cred", "device", "sms", "EsCert", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSONISH)
def test_whatever_the_tree_only_a_decode_error_comes_out(tree: Any) -> None:
    try:
        answer = build(Everything, tree)
    except DecodeError:
        return
    assert type(answer) is Everything
    assert type(answer.result) is int


def test_a_misfit_is_a_value_error_that_vendors_may_raise_with_a_reason() -> None:
    def refuse(_: Any) -> Any:
        raise Misfit("not on Sundays")

    @frozen
    class Closed:
        day: str = wire("day", convert=refuse)

    assert str(refused(DecodeError, lambda: build(Closed, {"day": "x"}))) == "unusable answer: day: not on Sundays"


def test_a_wire_field_needs_a_name() -> None:
    with pytest.raises(TypeError, match="name"):
        wire()


def test_a_type_that_nobody_can_read_is_a_decode_error_too() -> None:
    @frozen
    class Odd:
        thing: object = wire("thing", default=None)
        other: complex = wire("other", default=0j)

    refused(DecodeError, lambda: build(Odd, {"thing": 1, "other": {"x": 1}}))


@frozen
class Person:
    mobile: str = wire("Movil")
    name: str | None = wire("Variable_1", default=None)


@frozen
class SendRequest:
    people: tuple[Person, ...] = wire("Destinatarios")
    text: str = wire("Mensaje", "Texto")
    when: int | None = wire("Fecha", default=None, encode=lambda minutes: f"{minutes} min")
    report: bool = wire("Report", default=False)
    extra: Mapping[str, object] | None = wire("Extra", default=None)
    local: str = attrs.field(default="not sent")


def test_parameters_have_the_first_names_in_order_and_no_nones() -> None:
    request = SendRequest(
        people=(Person("34600000000", "Ana"), Person("34600000001")), text="", when=0, extra={"a": Person("1")}
    )
    assert parameters(request) == {
        "Destinatarios": [{"Movil": "34600000000", "Variable_1": "Ana"}, {"Movil": "34600000001"}],
        "Mensaje": "",
        "Fecha": "0 min",
        "Report": False,
        "Extra": {"a": {"Movil": "1"}},
    }
    assert list(parameters(request)) == ["Destinatarios", "Mensaje", "Fecha", "Report", "Extra"]
    assert parameters(SendRequest(people=(), text="x")) == {"Destinatarios": [], "Mensaje": "x", "Report": False}
