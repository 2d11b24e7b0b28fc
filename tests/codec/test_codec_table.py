"""Long lists of equal lines in XML and TXT: read in one go, and always as the parser alone would read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from codec_support import report_tree, write_txt, write_xml
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk.codec import table, txt_body, xml_body
from mensasdk.codec.unreadable import Unreadable

LINES = 80


def tree() -> dict[str, Any]:
    """Return a report whose texts have nothing that XML escapes or that needs a second look."""
    report = report_tree(LINES)
    for line in report["Informe"]:
        line["Estado"] = line["Estado"].translate({ord(sign): None for sign in '<>&":'})
    return report


XML = write_xml(tree())
TXT = write_txt(tree())
TXT_LF = write_txt(tree(), "\n")


def numbered(text: str, name: str) -> str:
    """Return the document with lines that are lists themselves."""
    for index, key in enumerate(tree()["Informe"][0]):
        text = text.replace(key, f"{name}{index}")
    return text


def outcome(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except Unreadable as error:
        return error.reason, error.error


def test_the_vendors_own_layouts_take_the_short_way() -> None:
    assert xml_body._with_table(XML) == tree()
    assert txt_body._with_table(TXT) == tree()
    assert txt_body._with_table(TXT_LF) == tree()
    assert min(len(XML), len(TXT_LF)) > table.LEAST


PIECES = st.sampled_from(
    [
        *("", "\n", "\r", "\r\n", " ", "\t", "\xa0", "\u2028", "\x00", "\x0b", "\ufffe", "x", "é", "0", "1", "²", "٣"),
        *(";", ":", "[", "]", "];", "0:", "1: [", "Res:2;", "Informe:", ";\n", table.MARK),
        *("<", ">", "&", "&amp;", "&#10;", "]]>", "<!-- x -->", "<![CDATA[x]]>", "<?x?>", "<a/>", "<a>1</a>", "</a>"),
        *("<item0>", "</item0>", "<item1>", "</item1>", "<item0>1</item0>", "<x:y>1</x:y>", ' xmlns="u"', "item"),
        *("<!DOCTYPE r>", "</Informe>", "<Informe>", "<Tiempo>1</Tiempo>", "Tiempo:1;\r\n", "Fecha", "Estado"),
    ]
)


@st.composite
def changed(draw: st.DrawFn, text: str) -> str:
    """Draw the document with pieces put in, taken out or overwritten, mostly in its first lines or its last."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, 700) | st.integers(max(0, len(text) - 300), len(text)) | st.integers(0, len(text)))
        text = text[:at] + draw(PIECES) + text[at + draw(st.sampled_from([0, 0, 1, 2, 5])) :]
    return text


@given(changed(XML))
@example(XML.replace("<result>", '<result xmlns="u">'))
@example(XML.replace("</Informe>", "</Informe><Informe>x</Informe>"))
@example(XML.replace("Entregado", "&amp;", 1))
@example(XML.replace("Entregado", "]]>"))
@example(XML.replace("Entregado", "\x01"))
@example(XML.replace("\n", "\r\n"))
@example(XML.replace("item", "line"))
@example(XML.replace("Entregado", "Entre\rgado"))
@example(XML[:1000] + XML[1000:].replace("Entregado", " Entregado", 1))
@example(XML[:1000] + XML[1000:].replace("Esperando", "Esperando ", 1).replace("más", "\xa0", 1))
@example(numbered(XML, "item"))
@example(XML.replace("<Informe>", f"<L><item1>{table.MARK}</item1></L><Informe>"))
@example(XML.replace("item7>", "item8>"))
@example(f"<r>{XML[21:]}</r>")
def test_changed_xml_is_read_as_the_parser_alone_would(text: str) -> None:
    def alone(text: str) -> Any:
        return xml_body._parse(text.strip())

    if "<!DOCTYPE" not in text:
        assert outcome(xml_body.parse_xml, text) == outcome(alone, text)


@given(changed(TXT) | changed(TXT_LF))
@example(TXT.replace("Informe:", "Informe:\r\n[\r\n0: [\r\na:1;\r\n]\r\n]\r\nInforme:"))
@example(TXT.replace("\r\n]\r\n1: [", "\r\n];\r\n1: ["))
@example(TXT.replace("7: [", "8: [").replace("17: [", "18: ["))
@example(TXT.replace("Entregado", "Entregado\r"))
@example(TXT.replace("Entregado", "[x]"))
@example(TXT.replace("Entregado", " x "))
@example(TXT[:1000] + TXT[1000:].replace("Entregado", " Entregado", 1))
@example(TXT[:1000] + TXT[1000:].replace("Entregado", "[Entregado", 1))
@example(TXT[:1000] + TXT[1000:].replace("teléfono;", "teléfono\xa0;", 1))
@example(numbered(TXT, ""))
@example(TXT.replace("Informe:", f"L: [\r\n1:{table.MARK};\r\n]\r\nInforme:"))
@example(TXT.replace("Fecha:", "Tiempo:"))
@example(TXT.replace("\r\n", "\r"))
@example(TXT + ";")
@example(TXT + TXT)
@example(TXT_LF[: len(TXT_LF) // 2])
def test_changed_txt_is_read_as_the_parser_alone_would(text: str) -> None:
    assert outcome(txt_body.parse_txt, text) == outcome(txt_body._parse, text)


@pytest.mark.slow
@pytest.mark.parametrize("text", [XML, TXT, TXT_LF], ids=["xml", "txt", "lf"])
def test_what_is_cut_anywhere_is_read_as_the_parser_alone_would(text: str) -> None:
    short, alone = (xml_body.parse_xml, xml_body._parse) if text is XML else (txt_body.parse_txt, txt_body._parse)
    for cut in range(table.LEAST, len(text), 3):
        assert outcome(short, text[:cut].strip()) == outcome(alone, text[:cut].strip())


def test_shapes_without_end_are_not_remembered() -> None:
    keys = [f"K{index}" for index in range(200)]
    line = "".join(f"<{key}>1</{key}>" for key in keys)
    text = f"<r><L>{''.join(f'<item{i}>{line}</item{i}>' for i in range(3))}</L></r>"
    assert xml_body._with_table(text) is None
    assert xml_body.parse_xml(text) == {"L": [dict.fromkeys(keys, "1")] * 3}


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "<item0>" * 500_000,
        "<item0>" + "<a>1" * 500_000,
        "<item0><a>1</a></item0>" * 300_000,
        "<item0><a>" + "1" * 10**6,
    ],
)
def test_hostile_xml_is_refused_in_linear_time(body: str) -> None:
    with pytest.raises(Unreadable):
        xml_body.parse_xml(f"<r>{body}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "0: [\n" * 300_000,
        "0: [\na:1;\n" + "a:1;\n" * 300_000,
        "0: [\na:1;\n]\n" * 200_000 + "x",
        "0: [\n" + "a:" * 10**6,
    ],
)
def test_hostile_txt_is_refused_in_linear_time(body: str) -> None:
    with pytest.raises(Unreadable):
        txt_body.parse_txt(body)
