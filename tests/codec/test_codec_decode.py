"""The body decides its format; and nothing but our own errors comes out."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from codec_support import Report, refused, report_tree, write_json, write_txt, write_xml
from hypothesis import example, given
from hypothesis import strategies as st
from shared import pickled

from mensasdk.codec import Format, decode, decode_form, make_converter, structure
from mensasdk.errors import DecodeError, MensaError, OutcomeKind, UnexpectedResponse

CONVERTER = make_converter()
BODIES = {
    Format.JSON: '[{"Res":1,"Error":"sí"}]',
    Format.XML: "<result><Res>1</Res><Error>sí</Error></result>",
    Format.TXT: "Res:1;\nError:sí;\n",
}
TYPES = {Format.JSON: "application/json", Format.XML: "text/xml", Format.TXT: "text/plain"}


@pytest.mark.parametrize("asked", Format)
@pytest.mark.parametrize("found", Format)
def test_the_body_decides_what_it_is_and_the_difference_is_noted(asked: Format, found: Format) -> None:
    decoded = decode(BODIES[found].encode(), expect=asked, content_type=TYPES[found])
    assert decoded.format is found
    assert (decoded.tree[0] if found is Format.JSON else decoded.tree)["Error"] == "sí"
    assert decoded.notes == (() if asked is found else (f"{asked.upper()} was asked for, {found.upper()} came",))


@pytest.mark.parametrize("found", Format)
@pytest.mark.parametrize("declared", ["text/html; charset=utf-8", "application/octet-stream", "x/y"])
def test_a_wrong_content_type_is_noted_and_not_believed(found: Format, declared: str) -> None:
    decoded = decode(BODIES[found].encode(), expect=found, content_type=declared)
    assert decoded.format is found
    assert decoded.notes == (f"the declared content type is not that of {found.upper()}, which came",)


@pytest.mark.parametrize("found", Format)
@pytest.mark.parametrize(
    ("codec", "charset", "notes"),
    [
        ("utf-8", "", 0),
        ("utf-8-sig", "", 1),
        ("utf-8-sig", "; charset=UTF-8", 1),
        ("latin-1", "; charset=ISO-8859-1", 0),
        ("cp1252", '; charset="windows-1252"', 0),
        ("latin-1", "", 1),
        ("latin-1", "; charset=utf-8", 1),
        ("utf-8", "; charset=klingon", 1),
        ("utf-8", "; charset=unicode_escape", 1),
    ],
)
def test_the_text_survives_every_usual_charset(found: Format, codec: str, charset: str, notes: int) -> None:
    decoded = decode(BODIES[found].encode(codec), expect=found, content_type=TYPES[found] + charset)
    assert (decoded.tree[0] if found is Format.JSON else decoded.tree)["Error"] == "sí"
    assert len(decoded.notes) == notes


@pytest.mark.parametrize(
    ("body", "charset", "note"),
    [
        ("\ufeffSí:1;\n".encode(), "utf-8", "a byte order mark ignored"),
        ("Sí:1;\n".encode("latin-1"), "utf-8", "not valid in its charset; read as Latin-1"),
        # 0x81 stands for nothing in Windows-1252.
        ("Sí:Á;\n".encode(), "windows-1252", "not valid in its charset; read as UTF-8"),
    ],
)
def test_a_charset_that_is_not_the_declared_one_is_noted(body: bytes, charset: str, note: str) -> None:
    decoded = decode(body, expect=Format.TXT, content_type=f"text/plain; charset={charset}")
    assert "Sí" in decoded.tree
    assert decoded.notes == (note,)


@pytest.mark.parametrize("asked", Format)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n\t",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf \n",
        b"<!DOCTYPE html><html><body>Login</body></html>",
        b"  <!doctype HTML public 'x'>",
        b"<html lang=es>",
        b"<!-- a --><!-- b -->\n<HTML><head>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">',
        b"<head><title>503</title>",
    ],
)
def test_web_pages_and_empty_bodies_are_unexpected(body: bytes, asked: Format) -> None:
    error = refused(UnexpectedResponse, lambda: decode(body, expect=asked, content_type="text/html", vendor="mensatek"))
    assert error.outcome is OutcomeKind.UNKNOWN
    assert error.vendor == "mensatek"


def test_a_row_of_comments_does_not_blow_up_the_search_for_html() -> None:
    refused(DecodeError, lambda: decode(b"<!--a-->" * 50_000 + b"<x", expect=Format.XML))


@pytest.mark.parametrize("asked", Format)
@pytest.mark.parametrize("body", [b"Service Unavailable", b"\xff\xfe{\0}\0", b'[{"Res":1}]\0', b"OK", b"\x1f\x8b\x08"])
def test_anything_else_is_a_decode_error(body: bytes, asked: Format) -> None:
    refused(DecodeError, lambda: decode(body, expect=asked))


PIECES = rb"""\" { } [ ] : , ; Res 1 - < > </ /> item0 &# \u \ud83d NaN 1e9 <!DOCTYPE <?xml <html <br = % --b"""
FRAGMENTS = st.lists(
    st.sampled_from([*PIECES.split(b" "), b" ", b"\n", b"\r", b"\xef\xbb\xbf", b"\xff", b"\0", b"\xc3\xa9"]),
    max_size=30,
).map(b"".join)
CONTENT_TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "text/xml; charset=utf-16",
        "text/plain; charset=latin1",
        "charset=",
        "text/html;charset=x",
    ]
)


def assert_it_succeeds_or_raises_cleanly(call: Callable[[], object]) -> None:
    """Read a body; any exception that is not ours fails the test by itself."""
    caught: MensaError | None = None
    try:
        call()
    except MensaError as error:
        caught = error
    if caught is not None:
        assert isinstance(caught, (DecodeError, UnexpectedResponse))
        assert caught.__context__ is None
        assert caught.__cause__ is None


@given(st.binary(max_size=200) | FRAGMENTS, st.sampled_from(list(Format)), CONTENT_TYPES)
@example(b'{"Res":1e999999999}', Format.JSON, "")
def test_whatever_the_bytes_only_our_errors_come_out(body: bytes, asked: Format, content_type: str) -> None:
    def read() -> None:
        structure(CONVERTER, decode(body, expect=asked, content_type=content_type).tree, Report, vendor=None)

    assert_it_succeeds_or_raises_cleanly(read)


@given(st.binary(max_size=200) | FRAGMENTS, st.booleans())
def test_whatever_the_form_only_our_errors_come_out(body: bytes, multipart: bool) -> None:
    content_type = "multipart/form-data; boundary=b" if multipart else "application/x-www-form-urlencoded"
    assert_it_succeeds_or_raises_cleanly(lambda: decode_form(body, content_type))


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ('{"token":"CANARY",', Format.JSON),
        ("<r><token>CANARY</token>", Format.XML),
        ("token:CANARY", Format.TXT),
        ("CANARY", Format.XML),
        ('{"CANARY":1,"CANARY":2}', Format.JSON),
        ("<CANARY><a></CANARY>", Format.XML),
    ],
)
def test_no_error_tells_anything_of_the_body(body: str, asked: Format) -> None:
    error = refused(DecodeError, lambda: decode(body.encode(), expect=asked, content_type="x/CANARY; charset=CANARY"))
    assert "CANARY" not in f"{error!r} {error.__dict__}"
    assert str(pickled(error)) == str(error)


def test_an_error_does_not_keep_the_internal_one_alive() -> None:
    """Its traceback would hold every line of the body for as long as somebody keeps the error."""

    class Spy(bytes):
        pass

    body = Spy(b"<r><a>")
    error = refused(DecodeError, lambda: decode(body, expect=Format.XML)).with_traceback(None)
    alive = weakref.ref(error)
    del error
    gc.collect()
    assert alive() is None


def test_the_three_formats_of_one_report_structure_into_equal_values() -> None:
    tree = report_tree(1_000)
    bodies = {Format.JSON: write_json(tree), Format.XML: write_xml(tree), Format.TXT: write_txt(tree)}
    reports: list[Any] = [
        structure(CONVERTER, decode(body.encode(), expect=form).tree, Report, vendor=None)
        for form, body in bodies.items()
    ]
    assert reports[0] == reports[1] == reports[2]
    assert len(reports[0].lines) == 1_000
    assert reports[0].lines[999].number == str(34600000000 + 999 * 37)
    assert reports[2].lines[1].raw == tree["Informe"][1]
