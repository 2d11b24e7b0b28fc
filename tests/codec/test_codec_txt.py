"""TXT: every value closed by ``;`` and every bracket closed, or the body is refused."""

from __future__ import annotations

from typing import Any

import pytest
from codec_support import SENT, SendAnswer, refused, report_tree, write_txt
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.codec import Format, decode, make_converter, structure
from mensasdk.errors import AmbiguousResponse, DecodeError, MensaError, UnexpectedResponse

CONVERTER = make_converter()


def send_answer(tree: Any) -> SendAnswer:
    return structure(CONVERTER, tree, SendAnswer, vendor=None)


def read(body: bytes | str) -> Any:
    raw = body.encode() if isinstance(body, str) else body
    decoded = decode(raw, expect=Format.TXT)
    assert decoded.format is Format.TXT
    return decoded.tree


KEYS = st.from_regex(r"[A-Za-zñ_][A-Za-z0-9_ñ]{0,8}", fullmatch=True)
VALUES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=";"), max_size=20)
    .map(str.strip)
    .filter(lambda value: not value.startswith("["))
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, min_size=1, max_size=4),
    max_leaves=15,
)
ROOTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=5).filter(
    lambda tree: len({key.casefold() for key in tree}) == len(tree)
)


@pytest.mark.slow
@given(ROOTS, st.sampled_from(["\r\n", "\n", "\r", " \n\n ", "\r\n\t"]))
def test_any_tree_comes_back_as_it_was_written(tree: dict[str, Any], end: str) -> None:
    assert read(write_txt(tree, end)) == tree


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("Res:1;\r\nMsgid:123456789;\r\n", {"Res": "1", "Msgid": "123456789"}),
        ("Saldo:14970,00;Res:1;", {"Saldo": "14970,00", "Res": "1"}),
        ("Cred: 12.345,67;", {"Cred": "12.345,67"}),
        ("Cred:1;\rRes:1;\r", {"Cred": "1", "Res": "1"}),
        ("Error:;Res:-3;", {"Error": "", "Res": "-3"}),
        ("Error:Falta: algo ] (ver http://x/y);", {"Error": "Falta: algo ] (ver http://x/y)"}),
        ("Res:1;\nInforme:\n[\n]\n", {"Res": "1", "Informe": []}),
        ("Ficheros:\n[\n0:a.pdf;\n1:b.pdf;\n];", {"Ficheros": ["a.pdf", "b.pdf"]}),
        ("Plantillas: [\nMi plantilla:hola;\n]", {"Plantillas": {"Mi plantilla": "hola"}}),
        ("I:[0:[F:2015-03-15 14:58:00;T:2;]1:[T:3;]]", {"I": [{"F": "2015-03-15 14:58:00", "T": "2"}, {"T": "3"}]}),
        ("Res:1;Res:1;", {"Res": "1"}),
    ],
)  # fmt: skip
def test_documents_of_every_layout(body: str, tree: Any) -> None:
    assert read(body) == tree


def test_a_bare_number_is_a_string() -> None:
    assert read("-1\r\n") == "-1"


@pytest.mark.parametrize(
    "body",
    [
        "Res:100",
        "Res:1;\nMsgid:12",
        "Res:1\nMsgid:12;",
        "Res:1;Msgid",
        "Res",
        ":1;",
        "Res:1;;Msgid:2;",
        "Res:1;\nInforme:\n[\n0: [\nTiempo:2;\n]\n",
        "Res:1;\nInforme:\n[\n0: [\nTiempo:2;\n",
        "Res:1;\n]\n",
        "Informe:\n",
        "Mensaje:[promo] hola;",
        "Estado:uno; dos;",
        "0:[" * 40 + "]" * 40,
    ],
)
def test_what_is_not_closed_or_not_txt_is_refused(body: str) -> None:
    refused(DecodeError, lambda: read(body))


@pytest.mark.parametrize(
    "body", ["Res:1;Res:2;", "Res:1;RES:2;", "I:[\n0: [\na:1;\na:2;\n]\n]", "I:[0:[a:1;]0:[a:2;]]"]
)
def test_one_key_with_two_values_is_ambiguous(body: str) -> None:
    refused(AmbiguousResponse, lambda: read(body))


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", ""])
def test_a_cut_answer_never_shows_a_wrong_value(end: str) -> None:
    """TXT has no sign of its end: a cut between two values leaves fewer values, and all of them as they were."""
    whole = {**SENT, "Error": "é: x"}
    body = write_txt(whole, end).encode()
    for cut in range(len(body)):
        try:
            tree = read(body[:cut])
        except (DecodeError, UnexpectedResponse):
            continue
        assert tree.items() <= whole.items()
        if len(tree) < len(SENT):
            refused(DecodeError, send_answer, tree)
        else:
            assert structure(CONVERTER, tree, SendAnswer, vendor=None).result == 120


def test_a_cut_report_never_shows_fewer_lines() -> None:
    whole = report_tree(3)
    body = write_txt(whole).encode()
    for cut in range(len(body)):
        try:
            tree = read(body[:cut])
        except (DecodeError, UnexpectedResponse):
            continue
        assert tree.get("Informe", whole["Informe"]) == whole["Informe"]


@pytest.mark.parametrize(
    "body",
    ["a" * 10**6, "a:" * 500_000, "a:b" + " " * 10**6, "a:[" * 300_000, "a:1;" * 200_000 + "b", ";" * 10**6],
    ids=["key", "colons", "blanks", "open", "pairs", "ends"],
)  # fmt: skip
def test_hostile_bodies_are_refused_in_linear_time(body: str) -> None:
    refused(MensaError, lambda: read(body))
