"""Requests out and forms in: whatever characters a parameter holds, the receiver gets exactly that parameter."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
from codec_support import refused
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.codec import FilePart, decode_form, encode_form, encode_json, encode_multipart, encode_query
from mensasdk.errors import AmbiguousResponse, DecodeError, OutcomeKind, ValidationError

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    "&=#?+%;,/\\\r\n\0\"' ñ€😀-", max_size=20
)
PARAMS = st.dictionaries(ANY_TEXT.filter(bool), ANY_TEXT, max_size=6)
# Without "/": aiohttp's reader strips it from the front of every quoted parameter.
NAME_SIGNS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters='"\\/')
NAMES = st.text(NAME_SIGNS, min_size=1, max_size=20)


class Word(StrEnum):
    A = "a&b"


class Number(IntEnum):
    ONE = 1


VALUES = {
    "none": None, "yes": True, "no": False, "int": -3, "big": 2**70, "float": 0.1, "decimal": Decimal("1E+3"),
    "list": [{"Movil": "34600000000", "n": Decimal("1.50")}, None, True],
    "map": MappingProxyType({"ñ": 1}), "tuple": (1,),
    "word": Word.A, "number": Number.ONE, "empty": "",
}  # fmt: skip
TEXTS = {
    "yes": "1", "no": "0", "int": "-3", "big": str(2**70), "float": "0.1", "decimal": "1000",
    "list": '[{"Movil":"34600000000","n":"1.50"},null,true]', "map": '{"ñ":1}', "tuple": "[1]",
    "word": "a&b", "number": "1", "empty": "",
}  # fmt: skip


@given(PARAMS)
def test_form_and_query_decode_to_the_very_parameters(params: dict[str, str]) -> None:
    body = encode_form(params)
    assert dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(params))) == params
    query = encode_query(params)
    assert dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(params))) == params
    assert not set(query) & set(" +#?\r\n")


def test_each_kind_of_value_has_one_textual_form() -> None:
    assert dict(parse_qsl(encode_form(VALUES).decode(), keep_blank_values=True)) == TEXTS
    assert dict(parse_qsl(encode_query(VALUES), keep_blank_values=True)) == TEXTS
    body, content_type = encode_multipart(VALUES)
    assert decode_form(body, content_type) == TEXTS


@given(st.dictionaries(ANY_TEXT, ANY_TEXT | st.integers(-(2**53), 2**53) | st.lists(ANY_TEXT | st.none()), max_size=6))
def test_json_decodes_to_the_very_parameters(params: dict[str, Any]) -> None:
    assert json.loads(encode_json(params)) == params


def test_decimals_in_json_are_strings_with_all_their_digits() -> None:
    assert encode_json({"a": [Decimal("19808.10")], "b": Decimal("1E+2")}) == b'{"a":["19808.10"],"b":"100"}'


BAD = [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), "\ud800", object(), b"b",
       datetime(2030, 1, 1), {"x": float("nan")}, [[float("-inf")]], ["\ud800"], {1: 2}, {"x": {1, 2}}]  # fmt: skip


@pytest.mark.parametrize(
    "value", BAD, ids=lambda value: repr(value).partition(" at 0x")[0]
)  # the same in every process
@pytest.mark.parametrize("encode", [encode_json, encode_form, encode_query, encode_multipart])
def test_what_has_no_form_is_refused_by_name(encode: Any, value: Any) -> None:
    error = refused(ValidationError, lambda: encode({"ok": 1, "Cred": value}))
    assert isinstance(error, ValidationError)
    assert error.field == "Cred"
    assert error.outcome is OutcomeKind.NOT_SENT


def test_integers_beyond_64_bits_have_no_form_in_json() -> None:
    refused(ValidationError, lambda: encode_json({"a": 2**64}))


def test_a_list_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    refused(ValidationError, lambda: encode_json({"a": loop}))


def contents_by_email(body: bytes, content_type: str) -> list[Any]:
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    assert not message.defects
    return [part.get_payload(decode=True) for part in message.iter_parts()]


async def parts_by_aiohttp(body: bytes, content_type: str) -> list[tuple[str | None, str | None, bytes]]:
    stream = aiohttp.StreamReader(_NoProtocol(), 2**20, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
    stream.feed_data(body)
    stream.feed_eof()
    result = []
    async for part in aiohttp.MultipartReader({"Content-Type": content_type}, stream):
        assert isinstance(part, aiohttp.BodyPartReader)
        result.append((part.name, part.filename, bytes(await part.read())))
    return result


class _NoProtocol:
    _reading_paused = False

    def pause_reading(self) -> None: ...
    def resume_reading(self, resume_parser: bool = True) -> None: ...


FILES = st.lists(st.tuples(NAMES, NAMES, st.binary(max_size=60)), max_size=3)


@given(st.dictionaries(NAMES, ANY_TEXT, max_size=4), FILES)
def test_multipart_decodes_to_the_very_parts(params: dict[str, str], files: list[tuple[str, str, bytes]]) -> None:
    parts = [FilePart(name, filename, content, "application/pdf") for name, filename, content in files]
    body, content_type = encode_multipart(params, parts)
    if not params and not files:
        return
    expected = [(name, None, text.encode()) for name, text in params.items()] + list(files)
    assert asyncio.run(parts_by_aiohttp(body, content_type)) == expected


def test_multipart_reads_the_same_in_the_mail_parser() -> None:
    content = bytes(range(256)) + b"\r\n--x\r\n\r\n--"
    body, content_type = encode_multipart({"Tipo": "FILES", "x": "a\r\nb"}, [FilePart("Fichero", "ñ (1).pdf", content)])
    assert contents_by_email(body, content_type) == [b"FILES", b"a\r\nb", content]


def test_a_boundary_never_occurs_in_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = iter(["taken", "also-taken", "free"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(tokens))
    body, content_type = encode_multipart({"a": "so taken"}, [FilePart("f", "n", b"\r\n--also-taken--")])
    assert content_type == "multipart/form-data; boundary=free"
    assert body.count(b"--free") == 3


@pytest.mark.parametrize(
    "bad", ['a"b', "a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\\b", "", "\ud800", "a\u2028b", "a\x85b"]
)
def test_names_that_could_leave_their_header_are_refused(bad: str) -> None:
    refused(ValidationError, lambda: encode_multipart({bad: "x"}))
    refused(ValidationError, lambda: encode_multipart({}, [FilePart(bad, "a.pdf", b"")]))
    refused(ValidationError, lambda: encode_multipart({}, [FilePart("f", bad, b"")]))


@pytest.mark.parametrize("bad", ["/etc/passwd", "../a.pdf", "a/"])
def test_file_names_with_a_path_are_refused(bad: str) -> None:
    refused(ValidationError, encode_multipart, {}, [FilePart("f", bad, b"")])


@pytest.mark.parametrize("bad", ["", "text", "a/b\r\nX: y", "a/b; c=d", 'a/"b"'])
def test_content_types_that_are_none_are_refused(bad: str) -> None:
    refused(ValidationError, lambda: encode_multipart({}, [FilePart("f", "a.pdf", b"", bad)]))


def test_the_content_of_a_file_is_not_in_its_repr() -> None:
    assert "SECRET" not in repr(FilePart("f", "a.pdf", b"SECRET"))


URLENCODED = "application/x-www-form-urlencoded"


@given(PARAMS)
def test_incoming_forms_decode_to_what_was_posted(params: dict[str, str]) -> None:
    assert decode_form(urlencode(params).encode(), URLENCODED) == params


@given(st.dictionaries(NAMES, ANY_TEXT, max_size=5))
def test_incoming_multipart_forms_decode_to_what_was_posted(params: dict[str, str]) -> None:
    """Written by aiohttp's own writer."""
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, value in params.items():
        form.add_field(name, value)

    async def written() -> tuple[bytes, str]:
        payload = form()
        sink = _Sink()
        await payload.write(sink)  # type: ignore[arg-type]
        return bytes(sink.data), payload.headers["Content-Type"]

    body, content_type = asyncio.run(written())
    assert decode_form(body, content_type) == params


class _Sink:
    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"Resultado=11&Movil=34600000000\r\n", {"Resultado": "11", "Movil": "34600000000"}),
        (b"a=1&&b=&c", {"a": "1", "b": "", "c": ""}),
        (b"a=x=y&a=x%3Dy", {"a": "x=y"}),
        ("a=caña".encode(), {"a": "caña"}),
        (b"a=ca%F1a", {"a": "caña"}),
        (b"a=50% off", {"a": "50% off"}),  # a sender that forgot to encode: better than losing a report
        (b"", {}),
    ],
)
def test_urlencoded_forms_of_every_layout(body: bytes, fields: Mapping[str, str]) -> None:
    assert decode_form(body, URLENCODED + "; charset=UTF-8") == fields
    assert decode_form(body, "") == fields


def test_one_field_with_two_values_is_ambiguous() -> None:
    refused(AmbiguousResponse, lambda: decode_form(b"Resultado=11&Resultado=51", URLENCODED))


def multipart(*heads_and_values: tuple[str, str], end: str = "--b--\r\n") -> bytes:
    return ("".join(f"--b\r\n{head}\r\n\r\n{value}\r\n" for head, value in heads_and_values) + end).encode()


FIELD = 'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    "body",
    [
        multipart((FIELD + '; filename="x.pdf"', "data")),
        multipart((FIELD + "; filename*=UTF-8''x.pdf", "data")),
        multipart((FIELD, "data"), end=""),
        multipart((FIELD, "data"), end="--b"),
        multipart(("Content-Type: text/plain", "data")),
        multipart((FIELD + "\r\nContent-Transfer-Encoding: base64", "ZGF0YQ==")),
        multipart((FIELD + "\r\nX: " + "y" * 2_000, "data")),
        multipart(*[(FIELD.replace('"a"', f'"a{i}"'), "x") for i in range(101)]),
        b"--b\r\n" + FIELD.encode() + b"\r\n--b--\r\n",
        b"--bad--\r\n",
        b"",
    ],
    ids=["file", "file*", "cut", "cut-end", "unnamed", "base64", "header", "many", "no-body", "other", "empty"],
)
def test_multipart_forms_with_files_or_faults_are_refused(body: bytes) -> None:
    refused(DecodeError, lambda: decode_form(body, "multipart/form-data; boundary=b"))


def test_no_cut_multipart_form_reads_as_a_whole_one() -> None:
    body = multipart((FIELD, "100"), (FIELD.replace('"a"', '"b"'), "2"))
    content_type = "multipart/form-data; boundary=b"
    for cut in range(len(body) - len(b"\r\n")):
        refused(DecodeError, decode_form, body[:cut], content_type)
    assert decode_form(body, content_type) == {"a": "100", "b": "2"}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("content-disposition:form-data;name=a", "a"),
        ('Content-Type: text/plain\r\nCONTENT-DISPOSITION: Form-Data ; NAME = "a b" ;', "a b"),
        ('Content-Disposition: form-data; name="a\\"b\\\\"', 'a"b\\'),
        ('Content-Disposition: form-data; x="filename=y"; name="ñ"', "ñ"),
    ],
)
def test_part_headers_of_every_layout(head: str, name: str) -> None:
    assert decode_form(multipart((head, "v")), "multipart/form-data; boundary=b") == {name: "v"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", "application/json"),
        (b"a=1", "multipart/form-data"),
        (b"&".join(b"a%d=1" % i for i in range(101)), URLENCODED),
        (b"a=" + b"x" * 65_536, URLENCODED),
    ],
)
def test_forms_that_are_none_or_too_large_are_refused(body: bytes, content_type: str) -> None:
    error = refused(DecodeError, lambda: decode_form(body, content_type, vendor="mensatek"))
    assert error.vendor == "mensatek"
