"""JSON: what it means is read strictly, what stands around it leniently, and a cut body never reads as a whole one."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import pytest
from codec_support import SENT, SendAnswer, refused, write_json
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.codec import Decoded, Format, decode, json_body, make_converter, structure
from mensasdk.codec.json_body import LARGE
from mensasdk.errors import AmbiguousResponse, DecodeError, MensaError, UnexpectedResponse

CONVERTER = make_converter()


def read(body: bytes | str, content_type: str = "") -> Decoded:
    raw = body.encode() if isinstance(body, str) else body
    return decode(raw, expect=Format.JSON, content_type=content_type, vendor="mensatek")


class _Literal(str):
    """Stands in the JSON as it is."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object, perhaps with keys that stand there twice."""


def _written(tree: Any, blank: str, ascii_only: bool) -> str:
    if isinstance(tree, _Literal):
        return str(tree)
    if isinstance(tree, _Pairs):
        items = [f"{json.dumps(key)}{blank}:{blank}{_written(value, blank, ascii_only)}{blank}" for key, value in tree]
        return f"{{{blank}{','.join(items)}}}"
    if isinstance(tree, list):
        return f"[{blank}{','.join(_written(value, blank, ascii_only) + blank for value in tree)}]"
    return json.dumps(tree, ensure_ascii=ascii_only)


def padded(body: str) -> str:
    """Return the same document, large enough for the fast path."""
    return body + " " * LARGE


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("abcXYZ_é", max_size=8), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.lists(TREES, min_size=2, max_size=4), st.booleans())
def test_any_tree_comes_back_as_it_was_written(tree: list[Any], large: bool) -> None:
    body = json.dumps(tree)
    decoded = read(padded(body) if large else body)
    assert decoded.tree == tree
    assert decoded.format is Format.JSON
    assert decoded.notes == ()


def test_decimals_are_exact_in_small_bodies() -> None:
    assert read('{"Cred":19808.10}').tree == {"Cred": Decimal("19808.10")}
    assert isinstance(read('{"Cred":19808.10}').tree["Cred"], Decimal)


def test_large_bodies_keep_the_values_with_floats() -> None:
    assert read(padded('{"Cred":19808.45,"Res":1}')).tree == {"Cred": 19808.45, "Res": 1}


def test_large_bodies_are_read_as_strictly_as_small_ones_where_money_depends_on_it() -> None:
    def exactly(body: str) -> Any:
        return decode(padded(body).encode(), expect=Format.JSON, exact=True).tree

    assert exactly('{"Cred":19808.10}') == {"Cred": Decimal("19808.10")}
    assert read(padded('{"Res":1,"Res":-1}')).tree == {"Res": -1}  # what the fast path makes of it
    refused(AmbiguousResponse, lambda: exactly('{"Res":1,"Res":-1}'))


def test_an_integer_beyond_64_bits_survives_in_small_bodies() -> None:
    assert read('{"id":123456789012345678901234567890}').tree == {"id": 123456789012345678901234567890}


@pytest.mark.parametrize("text", ["-1", " -1 ", "true", '"-1"', "null"])
def test_a_bare_scalar_is_that_scalar(text: str) -> None:
    assert read(text).tree == json.loads(text)


@pytest.mark.parametrize(
    "body", ['{"Res":1,"Res":-1}', '[{"Res":1,"a":{"id":1,"id":2}}]', '{"Res":1,"RES":2}', '[{"Res":1,"res":"1"}]']
)
def test_one_key_with_two_values_is_ambiguous(body: str) -> None:
    refused(AmbiguousResponse, lambda: read(body))


@pytest.mark.parametrize("body", ['{"Res":1,"Res":1}', '{"Res":1,"RES":1}'])
def test_one_key_twice_with_one_value_is_fine(body: str) -> None:
    assert read(body).tree["Res"] == 1


def test_names_that_users_chose_may_differ_in_case_only() -> None:
    body = '[{"Res":1,"Plantillas":{"Promo":"a","promo":"b"}}]'
    assert read(body).tree[0]["Plantillas"] == {"Promo": "a", "promo": "b"}


@pytest.mark.parametrize("make", [str, padded])
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_read_as_null_with_a_note(word: str, make: Any) -> None:
    decoded = read(make(f'{{"Cred":{word},"x":{word}}}'))
    assert decoded.tree == {"Cred": None, "x": None}
    assert decoded.notes == ("NaN or Infinity ignored",)


@pytest.mark.parametrize("make", [str, padded])
@pytest.mark.parametrize(
    "body",
    [
        'Notice: Undefined index in /srv/a.php on line 3\n[{"Res":1}]',
        '[{"Res":1}]\n<!-- 0.02 s -->',
        'x[{"Res":1}]y',
        '<br />\n<b>Warning</b>: something in <b>/srv/a.php</b><br />\n[{"Res":1}]',
    ],
)
def test_text_around_the_json_is_ignored_with_a_note(body: str, make: Any) -> None:
    decoded = read(make(body))
    assert decoded.tree == [{"Res": 1}]
    assert decoded.notes == ("text around the JSON ignored",)


@pytest.mark.parametrize(
    "body",
    [
        '[{"Res":1}] [{"Res"',  # a second document that was cut
        '"x":1}] [{"Res":1}]',  # a first one whose beginning is lost
        'PHP [8]: [{"Res":1}]',
        '[{"Res":1}',
        'Notice: x\n[{"Res":1}',
        "{'Res':1}",
        "Res=1",
    ],
)
def test_what_may_be_incomplete_is_not_taken_for_junk(body: str) -> None:
    refused(DecodeError, lambda: read(body))


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ('{"Resp":"1","Cred":"12345.67",}', {"Resp": "1", "Cred": "12345.67"}),
        ("[1,2 , ]", [1, 2]),
        ('{"a":",]",\n}', {"a": ",]"}),
        ('{"a":"\\",}",}', {"a": '",}'}),
    ],
)
def test_a_trailing_comma_is_ignored_with_a_note(body: str, tree: Any) -> None:
    decoded = read(body)
    assert decoded.tree == tree
    assert decoded.notes == ("trailing comma ignored",)


@pytest.mark.parametrize("body", ['{"a":1,,}', '[,]x"', '{"a":1,"b":', '{"a":1,'])
def test_other_comma_faults_are_refused(body: str) -> None:
    refused(DecodeError, lambda: read(body))


@pytest.mark.parametrize("noise", ["", "Notice: x\n"])
@pytest.mark.parametrize("large", [False, True])
def test_no_cut_answer_reads_as_a_whole_one(noise: str, large: bool) -> None:
    """At every byte; with text ahead of it too, and through both readers."""
    whole = write_json({**SENT, "Error": 'é [x] {y} \\"', **({"Info": "á" * 10} if large else {})})
    body = ((noise + " " * LARGE if large else noise) + whole).encode()
    start = len(body) - len(whole.encode())
    for cut in range(0 if not large else start, len(body)):
        error = refused(MensaError, read, body[:cut])
        assert isinstance(error, (DecodeError, UnexpectedResponse))
    assert structure(CONVERTER, read(body).tree, SendAnswer, vendor=None).result == 120


@pytest.mark.parametrize("make", [str, padded])
@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 200_000,
        "[" * 200_000 + "]" * 200_000,
        '{"a":' * 200_000 + "1" + "}" * 200_000,
        "[" * 150 + "]" * 150 + ",",
        '{"Res":' + "9" * 5_000 + "}",
        '{"Res":1e99999999999999999999}',
        "[" + "[],[{}]," * 400_000 + "]",
        '"' + '\\"' * 100_000,
    ],
    ids=["open", "nested", "objects", "above-limit", "digits", "exponent", "containers", "quotes"],
)
def test_bombs_are_refused(bomb: str, make: Any) -> None:
    refused(DecodeError, lambda: read(make(bomb)))


@pytest.mark.parametrize("exact", [False, True])
def test_a_bomb_of_empty_lists_is_refused_before_it_is_read_whichever_way(exact: bool) -> None:
    """NaN takes it off the fast path, where the bound must hold as well."""
    bomb = ("[NaN," + "[],[{}]," * 400_000 + "0]").encode()
    refused(DecodeError, lambda: decode(bomb, expect=Format.JSON, exact=exact))
    with pytest.raises(DecodeError, match="too many lists and objects"):
        decode(bomb, expect=Format.JSON, exact=exact)


def test_a_deep_body_is_refused_even_where_the_recursion_limit_was_raised() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        refused(DecodeError, lambda: read("[" * 200_000 + "]" * 200_000))
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    text = "[{" * 500
    assert read(json.dumps({"Mensaje": text})).tree == {"Mensaje": text}


def test_half_a_surrogate_pair_becomes_a_replacement_character_that_can_be_encoded() -> None:
    decoded = read(r'{"a":"x\ud83d","\udc00":["\ud83d\ude00"]}')
    assert decoded.tree == {"a": "x\ufffd", "\ufffd": ["😀"]}
    assert decoded.notes == ("half a surrogate pair replaced",)


NUMBERS = (
    st.integers()
    | st.integers(-(2**66), 2**66)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("1.10"), Decimal("12345.67"), -0.0, 2**63, 2**64 - 1, 2**64])
)
SCALARS = st.none() | st.booleans() | NUMBERS.map(str).map(_Literal) | st.text(max_size=8) | st.just("a:b,{[")
DUPLICATES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(st.tuples(st.sampled_from(["a", "A", "b", "", ":"]), inner)).map(_Pairs)
    ),
    max_leaves=12,
)


@given(DUPLICATES, st.sampled_from(["", " ", "\n", "\t"]), st.booleans())
def test_the_short_way_comes_to_the_same_as_the_patient_reader_or_gives_up(
    tree: Any, blank: str, ascii_only: bool
) -> None:
    """Also the types are the same, so that no decimal becomes a float and no key that stands twice is lost."""
    text = blank + _written(tree, blank, ascii_only) + blank
    for body in (text, text.encode()):
        found = json_body._exactly(body)
        if found is not None:
            assert repr(found) == repr(json_body._strict(text.strip(), []))


@pytest.mark.parametrize(
    ("body", "short"),
    [
        ('[{"Res":1,"idMensaje":"480032817","Cred":1000000}]', True),
        (' {"a" : [{"b" : null}, true, "x"]} ', True),
        ('{"Cred":1.5}', False),
        ('{"Cred":[1e2]}', False),
        ('{"id":18446744073709551616}', False),
        ('{"a":1,"a":2}', False),
        ('{"a":1,"a":1}', False),
        ('[{"a":{"b":1,"b":1}}]', False),
        ('{"at":"10:00"}', False),
        ('{"a":"\\ud83d"}', False),
        ('{"a":NaN}', False),
        ('{"a":1,}', False),
        ("[" * 101 + "]" * 101, False),
        ("1.5", False),
    ],
)
def test_what_goes_the_short_way(body: str, short: bool) -> None:
    assert (json_body._exactly(body) is not None) is short
