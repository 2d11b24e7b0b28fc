"""CSV files as people have them, and what becomes of each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.campaign import guard_cell
from mensasdk.cli.input.rows import BadRow, GoodRow, open_table, plan, read
from mensasdk.cli.masking import masked
from mensasdk.errors import ConfigurationError
from mensasdk.messages import Message


def make(to: str, text: str, variables: dict[str, str], reference: str | None, line: int) -> Message:
    return Message(to, text, variables=variables, reference=reference, place=line)


def rows_of(
    path: Path, *, text: str | None = "Hola", delimiter: str | None = None, number_column: str | None = None
) -> list[GoodRow | BadRow]:
    table = open_table(path, delimiter=delimiter)
    found = list(read(table, plan(table, text=text, number_column=number_column), make))
    assert len(found) == table.total
    return found


def messages(rows: list[GoodRow | BadRow]) -> Iterator[Message]:
    for row in rows:
        assert isinstance(row, GoodRow), row
        yield row.message


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


@pytest.mark.parametrize(
    "content",
    [
        "móvil,nombre\n34600000001,Íñigo\n".encode(),
        b"\xef\xbb\xbf" + "Móvil;Nombre\r\n34600000001;Íñigo\r\n".encode(),
        "MÓVIL\tNombre\n34600000001\tÍñigo\n".encode("cp1252"),
        "movil|nombre\r34600000001|Íñigo\r".encode("latin-1"),
        "nombre,Movil \n\n,\nÍñigo, 34600000001 \n".encode(),
        '"móvil","nombre"\n"34600000001","Íñigo"'.encode(),
    ],
    ids=["utf8-comma", "bom-semicolon", "cp1252-tab", "latin1-bar-cr", "blank-rows-and-spaces", "quoted"],
)
def test_every_common_kind_of_file_gives_the_same_message(people: Path, content: bytes) -> None:
    people.write_bytes(content)
    assert list(messages(rows_of(people, text="Hola {nombre}"))) == [
        Message("34600000001", "Hola {nombre}", variables={"nombre": "Íñigo"})
    ]


@pytest.mark.parametrize(
    "header", ["to", "NUMBER", "Phone", "mobile", "móvil", "Telefono", "TELÉFONO", "número", "Numero", "celular"]
)
def test_the_column_of_the_number_is_known_by_its_usual_names(people: Path, header: str) -> None:
    people.write_text(f"nombre,{header}\nAna,34600000001\n", encoding="utf-8")
    assert [message.to for message in messages(rows_of(people))] == ["34600000001"]


def test_the_number_may_be_in_a_column_of_any_name(people: Path) -> None:
    people.write_text("Teléfono fijo,Línea 2\n910000000,600000001\n", encoding="utf-8")
    assert [message.to for message in messages(rows_of(people, number_column="linea 2"))] == ["600000001"]


def test_a_windows_file_is_told_apart_and_keeps_its_euro_sign(people: Path) -> None:
    people.write_bytes("to,precio\n34600000001,5 €\n".encode("cp1252"))
    assert not open_table(people).is_utf8
    assert next(messages(rows_of(people, text="{precio}"))).variables == {"precio": "5 €"}


def test_only_the_variables_that_the_text_uses_are_passed_on(people: Path) -> None:
    """Messages with equal texts then share a request."""
    people.write_text("to,Nombre,notas\n34600000001,Ana,x\n", encoding="utf-8")
    assert next(messages(rows_of(people, text="{nombre}"))).variables == {"nombre": "Ana"}
    assert next(messages(rows_of(people, text="Hola"))).variables == {}


def test_each_row_may_bring_its_own_text_and_reference(people: Path) -> None:
    people.write_text("id,to,mensaje,n\nA1,34600000001,Hola {n},Ana\n,34600000002,Adiós,\n", encoding="utf-8")
    assert list(messages(rows_of(people, text=None))) == [
        Message("34600000001", "Hola {n}", variables={"n": "Ana"}, reference="A1"),
        Message("34600000002", "Adiós"),
    ]


def test_doubled_braces_are_braces_with_and_without_placeholders(people: Path) -> None:
    people.write_text("to,n\n34600000001,Ana\n", encoding="utf-8")
    assert next(messages(rows_of(people, text="{{x}}"))) == Message("34600000001", "{x}")
    assert next(messages(rows_of(people, text="{{{n}}}"))).text == "{{{n}}}"  # the client fills it in


def test_a_bad_row_tells_its_line_and_reason_and_does_not_stop_the_others(people: Path) -> None:
    people.write_text(
        "to,nombre\n"  # line 1
        "34600000001,Ana\n"
        ",Bea\n"
        "34600000003\n"
        "34600000004,\n"
        '34600000005,"two\nlines"\n'  # lines 6 and 7
        "34600000006,Pérez, Juan\n"
        "34600000007,Eva,\n",  # a trailing delimiter is no third column
        encoding="utf-8",
    )
    found = rows_of(people, text="Hola {nombre}")
    assert [(row.line, row.code) for row in found if isinstance(row, BadRow)] == [
        (3, "missing_number"),
        (4, "columns"),
        (5, "missing_variable"),
        (8, "columns"),
    ]
    assert [row.line for row in found if isinstance(row, GoodRow)] == [2, 6, 9]


def test_bad_texts_of_single_rows_are_bad_rows(people: Path) -> None:
    people.write_text("to,text\n34600000001,a { b\n34600000002,\n34600000003,{quien}\n", encoding="utf-8")
    found = rows_of(people, text=None)
    assert [row.code for row in found if isinstance(row, BadRow)] == ["bad_text", "missing_text", "missing_variable"]


@pytest.mark.parametrize(
    ("content", "text", "part"),
    [
        (b"", "Hola", "empty"),
        (b"\n\n", "Hola", "empty"),
        (b"nombre,edad\nAna,3\n", "Hola", "--column-number"),
        (b"movil,telefono\n1,2\n", "Hola", "2 columns could hold the number"),
        (b"to\n34600000001\n", None, "give --text"),
        (b"to\n34600000001\n", "Hola {nombre}", "no column has that name"),
        (b"to,n,N\n34600000001,a,b\n", "Hola {n}", "two columns have that name"),
        (b"to\n34600000001\n", "Hola {", "lone"),
        (b"to\n34600000001\n", "  ", "blank"),
        ("to\n34600000001\n".encode("utf-16"), "Hola", "UTF-16"),
        (b"PK\x03\x04\x00\x00", "Hola", "not a text file"),
        (b'to,n\n34600000001,Ana\n34600000002,"Bea\n34600000003,Eva\n', "Hola", "after line 2"),
        (b'to,n\n34600000001,"Ana" Sanz\n', "Hola", "after line 1"),
        (b'to,n\n34600000001,"' + b"x" * 200_000 + b'"\n', "Hola", "after line 1"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_as_a_whole(
    people: Path, content: bytes, text: str | None, part: str
) -> None:
    """Before anything is sent: a stray quotation mark may swallow any number of rows."""
    people.write_bytes(content)
    with pytest.raises(ConfigurationError, match=part):
        rows_of(people, text=text)


def test_a_header_of_numbers_shows_none_of_them(people: Path) -> None:
    """A file without a header has somebody's number in its first line."""
    people.write_text("+34 600 123 456,Ana\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        rows_of(people)
    assert "600" not in refused.value.message
    assert "***456" in refused.value.message


def test_a_file_that_changes_while_it_is_read_is_reported(people: Path) -> None:
    people.write_text("to,n\n34600000001,a\n34600000002,b\n", encoding="utf-8")
    table = open_table(people)
    people.write_bytes(b'to,n\n34600000001,a\n34600000002,"b\n')
    reader = read(table, plan(table, text="Hola"), make)
    next(reader)
    with pytest.raises(ConfigurationError, match="changed"):
        next(reader)


def test_a_pipe_is_refused_because_it_can_be_read_only_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="regular file"):
        open_table(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_table(tmp_path / "nothing.csv")


def test_only_the_guard_of_a_spreadsheet_is_taken_off(people: Path) -> None:
    people.write_text("to,ciudad\n'+34600000001,'s-Hertogenbosch\n'+34600000002,'=1+1\n", encoding="utf-8")
    assert [(one.to, one.variables["ciudad"]) for one in messages(rows_of(people, text="{ciudad}"))] == [
        ("+34600000001", "'s-Hertogenbosch"),
        ("+34600000002", "=1+1"),
    ]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=examples(60), deadline=None)
@given(
    names=st.lists(cells.map(str.strip), min_size=1, max_size=20),
    delimiter=st.sampled_from(",;\t|"),
    guarded=st.booleans(),
    bom=st.booleans(),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], delimiter: str, guarded: bool, bom: bool
) -> None:
    path = tmp_path_factory.mktemp("csv") / "people.csv"
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["nombre", "to"])
        writer.writerows([[guard_cell(name) if guarded else name, "34600000001"] for name in names])
    found = [message.variables["nombre"] for message in messages(rows_of(path, text="{nombre}"))]
    if guarded:
        assert found == names
    else:  # what was not guarded may still look as if it were
        assert [name.removeprefix("'") for name in found] == [name.removeprefix("'") for name in names]


@given(st.text(max_size=40), st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True))
def test_masked_text_holds_no_full_number_and_no_control_character(text: str, number: str) -> None:
    shown = masked(f"{text} {number} {text}")
    assert number not in shown
    assert shown.isprintable()
