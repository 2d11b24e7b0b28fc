"""XML: children to dicts, numbered children to lists, and no DTD, entity or depth gets through."""

from __future__ import annotations

from typing import Any

import pytest
from codec_support import SENT, SendAnswer, refused, report_tree, write_xml
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.codec import Format, decode, make_converter, structure
from mensasdk.errors import AmbiguousResponse, DecodeError, MensaError, UnexpectedResponse

CONVERTER = make_converter()


def read(body: bytes | str, content_type: str = "") -> Any:
    raw = body.encode() if isinstance(body, str) else body
    decoded = decode(raw, expect=Format.XML, content_type=content_type)
    assert decoded.format is Format.XML
    return decoded.tree


NAMES = st.from_regex(r"(?!item|(?i:xml))[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20).map(
    str.strip
)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4),
    max_leaves=15,
)


@pytest.mark.slow
@given(
    st.dictionaries(NAMES, TREES, min_size=1, max_size=5).filter(
        lambda tree: len({key.casefold() for key in tree}) == len(tree)
    )
)
def test_any_tree_comes_back_as_it_was_written(tree: dict[str, Any]) -> None:
    assert read(write_xml(tree)) == tree


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("<result><Res> 1 </Res><Error/></result>", {"Res": "1", "Error": ""}),
        ('<result a="b"><Res c="1">1</Res><!-- x --></result>', {"Res": "1"}),
        ("<result><a>1</a><a>2</a><b>3</b><a>4</a></result>", {"a": ["1", "2", "4"], "b": "3"}),
        ("<result><a><b>1</b></a><a><b>2</b></a></result>", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("<result><L><item0><x>1</x></item0></L></result>", {"L": [{"x": "1"}]}),
        ("<result><L><item0>a</item0><item1>b</item1></L></result>", {"L": ["a", "b"]}),
        ("<result><L><item0>a</item0><other>b</other></L></result>", {"L": {"item0": "a", "other": "b"}}),
        ("<result><E>Falta par&#xE1;metro &amp; m&#225;s</E></result>", {"E": "Falta parámetro & más"}),
        ("<result><E><![CDATA[a <b> c]]></E></result>", {"E": "a <b> c"}),
        ("\r\n <?xml version='1.0'?><result><Res>1</Res></result>\n", {"Res": "1"}),
        ("<result/>", {}),
        ("<Res>-1</Res>", "-1"),
    ],
)
def test_documents_of_every_layout(body: str, tree: Any) -> None:
    assert read(body) == tree


@pytest.mark.parametrize("text", ["-1", " -1\n"])
def test_a_bare_number_in_place_of_a_document_is_a_string(text: str) -> None:
    assert read(text) == "-1"


def test_two_values_under_keys_that_differ_in_case_are_ambiguous() -> None:
    refused(AmbiguousResponse, lambda: read("<result><Res>1</Res><RES>2</RES></result>"))


def test_the_encoding_in_the_prolog_does_not_mislead() -> None:
    """The text is decoded before expat sees it, so a wrong or hostile encoding there has no effect."""
    for name in ("UTF-16", "utf-7", "iso-8859-1", "nonsense"):
        assert read(f'<?xml version="1.0" encoding="{name}"?><r><E>á</E></r>') == {"E": "á"}


def test_no_cut_answer_reads_as_a_whole_one() -> None:
    """At every byte."""
    body = write_xml({**SENT, "Error": "é", "Informe": [{"a": "1"}, {"a": "2"}]}).encode()
    for cut in range(len(body)):
        error = refused(MensaError, read, body[:cut])
        assert isinstance(error, (DecodeError, UnexpectedResponse))
    assert structure(CONVERTER, read(body), SendAnswer, vendor=None).result == 120


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]><result><Res>&j;</Res></result>"
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r><Res>&x;</Res></r>'


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS.encode(),
        EXTERNAL.encode(),
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r><Res>1</Res></r>',
        b"<!DOCTYPE r><r><Res>1</Res></r>",
        EXTERNAL.replace("<?xml version", '<?xml encoding="UTF-16" version').encode("utf-16"),
        EXTERNAL.encode("utf-16-le"),
        EXTERNAL.encode("utf-16-be"),
        EXTERNAL.encode("utf-32"),
        EXTERNAL.encode("utf-7"),
        b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE r [+ADwAIQ-ENTITY x "1">]><r><Res>&x;</Res></r>',
        b"<r><Res>&x;</Res></r>",
        b"<r>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</r>",
        b"<r>" + b"<a>" * 70 + b"</a>" * 70 + b"</r>",
        b"<r>" + b"<a/>" * 1_000_000 + b"</r>",
        b"<r><a>1</a></r><r><a>2</a></r>",
        b"<r><a>1</b></r>",
    ],
    ids=range(16),
)
def test_bombs_doctypes_and_broken_documents_are_refused(body: bytes) -> None:
    for declared in ("", "text/xml; charset=utf-16", "text/xml; charset=utf-7"):
        refused(DecodeError, read, body, declared)


def test_the_largest_nesting_that_is_read() -> None:
    body = "<r>" + "<a>" * 60 + "x" + "</a>" * 60 + "</r>"
    tree = read(body)
    for _ in range(60):
        tree = tree["a"]
    assert tree == "x"


def test_a_report_is_read_with_signs_that_xml_escapes() -> None:
    tree = report_tree(7)
    assert read(write_xml(tree)) == tree
