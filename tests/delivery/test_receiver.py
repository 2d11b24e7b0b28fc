"""The callback receiver, over real sockets on loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.delivery import DeliveryReceiver
from mensasdk.errors import ConfigurationError, DecodeError

pytestmark = pytest.mark.all_loops

USER, PASSWORD = "vendor", "canary-password"
PATH_SECRET = "canary-path-secret"
NUMBER = "34600111222"
JSON = {"Content-Type": "application/json"}


class Shop:
    """An application that receives callbacks: what `parse` and `handle` were given."""

    def __init__(self) -> None:
        self.parsed: list[tuple[bytes, str]] = []
        self.handled: list[bytes] = []

    def parse(self, body: bytes, content_type: str) -> bytes:
        self.parsed.append((body, content_type))
        if body == b"unreadable":
            raise DecodeError("no vendor sends this")
        if body == b"bug":
            raise KeyError(NUMBER)
        return body

    async def handle(self, value: bytes) -> None:
        await asyncio.sleep(0)
        if value == b"database away":
            raise RuntimeError(f"row ({NUMBER}, {PASSWORD}) was not stored")
        if value == b"cancelled within":
            raise asyncio.CancelledError
        self.handled.append(value)

    def receiver(self, **options: Any) -> DeliveryReceiver[bytes]:
        if not options.keys() & {"password", "path_secret", "insecure"}:
            options |= {"user": USER, "password": PASSWORD}
        return DeliveryReceiver(self.parse, self.handle, **options)


def basic(user: str = USER, password: str = PASSWORD, encoding: str = "utf-8") -> dict[str, str]:
    pair = f"{user}:{password}".encode(encoding)
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def head(headers: dict[str, str], *, method: str = "POST", path: str = "/") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: receiver", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read the next answer on the connection, and not a byte more."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split()[1]), headers, body


async def call(
    url: str,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/",
) -> tuple[int, dict[str, str]]:
    """Make one request on a connection of its own."""
    every = {"Content-Length": str(len(body)), **(basic() | JSON if headers is None else headers)}
    async with connection(url) as (reader, writer):
        writer.write(head(every, method=method, path=path) + body)
        if method == "HEAD":  # announces a body and has none
            line = await reader.readline()
            return int(line.split()[1]), {}
        status, answered, _ = await answer(reader)
        return status, answered


# --- the way in --------------------------------------------------------------------------------------------------


async def test_a_callback_is_answered_200_only_after_it_is_handled() -> None:
    order: list[str] = []

    async def store(value: bytes) -> None:
        order.append("begun")
        for _ in range(20):
            await asyncio.sleep(0.001)
        order.append("stored")

    receiver = DeliveryReceiver(lambda body, _: body, store, user=USER, password=PASSWORD)
    async with receiver.serve() as url:
        status, _ = await call(url)
        order.append("answered")
    assert status == 200
    assert order == ["begun", "stored", "answered"]


async def test_parse_is_given_the_body_and_the_content_type_as_sent() -> None:
    shop = Shop()
    body = "Movil=34600&Mensaje=ñandú".encode("latin-1")
    kind = 'application/x-www-form-urlencoded; charset="ISO-8859-1"'
    async with shop.receiver().serve() as url:
        assert (await call(url, body, basic() | {"Content-Type": kind}))[0] == 200
    assert shop.parsed == [(body, kind)]
    assert shop.handled == [body]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200),
        ("multipart/form-data; boundary=x", 200),
        (None, 200),
        ("", 200),
        ("text/plain", 415),
        ("text/html", 415),
        ("application/xml", 415),
        ("application/octet-stream", 415),
        ("multipart/mixed; boundary=x", 415),
        ("application/json-seq", 415),
    ],
)
async def test_json_and_forms_are_taken_and_nothing_else(kind: str | None, status: int) -> None:
    shop = Shop()
    headers = basic() | ({} if kind is None else {"Content-Type": kind})
    async with shop.receiver().serve() as url:
        assert (await call(url, b"{}", headers))[0] == status
    assert [given for _, given in shop.parsed] == ([kind or ""] if status == 200 else [])


async def test_an_ordinary_client_gets_through_with_each_kind_of_body() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url, aiohttp.ClientSession() as session:
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("Movil", NUMBER)
        for options in ({"json": {"Movil": NUMBER}}, {"data": {"Movil": NUMBER}}, {"data": form}):
            async with session.post(url, headers=basic(), **options) as response:
                assert response.status == 200
    assert json.loads(shop.handled[0]) == {"Movil": NUMBER}
    assert shop.handled[1] == f"Movil={NUMBER}".encode()
    assert NUMBER.encode() in shop.handled[2]
    assert shop.parsed[2][1].startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_only_post_is_allowed(method: str) -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        status, headers = await call(url, method=method)
    assert status == 405
    assert method == "HEAD" or headers["allow"] == "POST"
    assert not shop.parsed


async def test_one_connection_carries_many_callbacks_and_many_connections_go_at_once() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        async with connection(url) as (reader, writer):
            for number in range(3):
                body = b"%d" % number
                writer.write(head(basic() | JSON | {"Content-Length": str(len(body))}) + body)
                assert (await answer(reader))[0] == 200
        assert shop.handled == [b"0", b"1", b"2"]
        statuses = await asyncio.gather(*(call(url, b"%d" % number) for number in range(10, 40)))
    assert {status for status, _ in statuses} == {200}
    assert sorted(shop.handled[3:]) == [b"%d" % number for number in range(10, 40)]


async def test_closing_lets_a_callback_that_is_being_handled_finish() -> None:
    begun, release = asyncio.Event(), asyncio.Event()
    stored = []

    async def store(value: bytes) -> None:
        begun.set()
        await release.wait()
        stored.append(value)

    receiver = DeliveryReceiver(lambda body, _: body, store, user=USER, password=PASSWORD)
    async with receiver.serve() as url:
        pending = asyncio.create_task(call(url))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.05, release.set)
    assert (await pending)[0] == 200
    assert stored == [b"{}"]


# --- credentials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_credentials_beyond_ascii_are_understood_in_either_encoding(encoding: str) -> None:
    shop = Shop()
    async with shop.receiver(user="Íñigo", password="contraseña:").serve() as url:
        headers = basic("Íñigo", "contraseña:", encoding) | JSON
        assert (await call(url, headers=headers))[0] == 200
        headers = basic("Íñigo", "contrasena:", encoding) | JSON
        assert (await call(url, headers=headers))[0] == 401


async def test_a_password_that_latin_1_cannot_write_works_in_utf_8() -> None:
    shop = Shop()
    async with shop.receiver(user="ж", password="пароль€").serve() as url:
        assert (await call(url, headers=basic("ж", "пароль€") | JSON))[0] == 200


async def test_without_a_user_the_user_name_is_empty() -> None:
    shop = Shop()
    async with shop.receiver(password=PASSWORD).serve() as url:
        assert (await call(url, headers=basic("") | JSON))[0] == 200
        assert (await call(url, headers=basic("anybody") | JSON))[0] == 401


def encoded(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YQ",  # padding is missing
        "Basic ñññ=",
        "Bearer " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
        base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
        "Basic !" + encoded(f"{USER}:{PASSWORD}".encode()).removeprefix("Basic "),
        encoded(b""),
        encoded(b":"),
        encoded(USER.encode() + PASSWORD.encode()),
        encoded(USER.encode()),
        encoded(f"{USER}:".encode()),
        encoded(f":{PASSWORD}".encode()),
        encoded(f"{USER}:{PASSWORD}\n".encode()),
        encoded(f"{USER.upper()}:{PASSWORD}".encode()),
        encoded(f"{USER}:{PASSWORD[:-1]}".encode()),
        encoded(f"wrong:{PASSWORD}".encode()),
        encoded(f"{USER}:wrong".encode()),
        encoded(b"\xff\xfe:\x80"),
        encoded(f"{USER}:contraseña".encode("latin-1")),
    ],
)
async def test_missing_wrong_and_malformed_credentials_are_401(header: str | None) -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        headers = JSON | ({} if header is None else {"Authorization": header})
        status, answered = await call(url, headers=headers)
    assert status == 401
    assert answered["www-authenticate"].startswith("Basic ")
    assert not shop.parsed


async def test_two_authorization_headers_are_401_even_if_one_is_right() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        right, wrong = basic()["Authorization"], basic(password="wrong")["Authorization"]
        headers = JSON | {"Authorization": right, "authorization": wrong}
        assert (await call(url, headers=headers))[0] == 401


@settings(deadline=None, max_examples=examples(40))
@given(
    header=st.one_of(
        st.binary(max_size=60).map(lambda raw: b"Basic " + base64.b64encode(raw)),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60).map(
            lambda text: b"Basic " + text.encode("latin-1")
        ),
        st.binary(max_size=60).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127)),
    )
)
def test_no_authorization_header_whatever_is_a_server_error(header: bytes) -> None:
    shop = Shop()

    async def main() -> int:
        async with shop.receiver().serve() as url:
            return (await call(url, headers=JSON | {"Authorization": header.decode("latin-1")}))[0]

    assert asyncio.run(main()) == 401
    assert not shop.parsed


async def test_every_comparison_is_made_whatever_the_others_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the time taken would tell a wrong user from a wrong password."""
    compared: list[tuple[bytes, bytes]] = []
    genuine = hmac.compare_digest

    def watch(left: bytes, right: bytes) -> bool:
        assert isinstance(left, bytes)
        assert isinstance(right, bytes)
        compared.append((left, right))
        return genuine(left, right)

    monkeypatch.setattr("mensasdk.delivery.guard.hmac.compare_digest", watch)
    shop = Shop()
    counts = []
    async with shop.receiver(user="Íñigo", password="contraseña").serve() as url:
        for user, password in [("Íñigo", "contraseña"), ("x", "contraseña"), ("Íñigo", "x"), ("x", "y")]:
            compared.clear()
            await call(url, headers=basic(user, password) | JSON)
            counts.append(len(compared))
    assert counts == [4, 4, 4, 4], "user and password, in two encodings"


async def test_401_is_answered_before_the_body_is_sent() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic(password="wrong") | JSON | {"Content-Length": "1000"}))
        assert (await answer(reader))[0] == 401
    assert not shop.parsed


async def test_expect_100_continue_is_refused_without_asking_for_the_body() -> None:
    shop = Shop()
    expecting = JSON | {"Content-Length": "2", "Expect": "100-continue"}
    async with shop.receiver().serve() as url:
        async with connection(url) as (reader, writer):
            writer.write(head(basic(password="wrong") | expecting))
            assert (await answer(reader))[0] == 401
        async with connection(url) as (reader, writer):
            writer.write(head(basic() | expecting))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            assert (await answer(reader))[0] == 200
        async with connection(url) as (reader, writer):
            writer.write(head(basic() | expecting | {"Expect": "a miracle"}))
            assert (await answer(reader))[0] == 417
    assert shop.handled == [b"{}"]


# --- the path ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/{PATH_SECRET}", 200),
        (f"//{PATH_SECRET}", 200),  # the vendor's own sample has two slashes
        (f"/{PATH_SECRET}/", 200),
        (f"/sms/{PATH_SECRET}?x=1", 200),
        ("/", 404),
        ("/wrong", 404),
        (f"/{PATH_SECRET}x", 404),
        (f"/{PATH_SECRET[:-1]}", 404),
        (f"/{PATH_SECRET}/x", 404),
        (f"/?{PATH_SECRET}", 404),
        ("/%C3%B1%FF", 404),
    ],
)
async def test_the_secret_must_be_the_last_part_of_the_path(path: str, status: int) -> None:
    shop = Shop()
    async with shop.receiver(path_secret=PATH_SECRET).serve() as url:
        assert PATH_SECRET not in url
        assert (await call(url, headers=JSON, path=path))[0] == status
    assert len(shop.parsed) == (status == 200)


async def test_password_and_path_secret_are_both_demanded_if_both_are_set() -> None:
    shop = Shop()
    async with shop.receiver(user=USER, password=PASSWORD, path_secret=PATH_SECRET).serve() as url:
        assert (await call(url, path=f"/{PATH_SECRET}"))[0] == 200
        assert (await call(url, path="/"))[0] == 404
        assert (await call(url, headers=JSON, path=f"/{PATH_SECRET}"))[0] == 401


async def test_the_application_can_be_mounted_in_another_more_than_once() -> None:
    shop = Shop()
    receiver = shop.receiver(path_secret=PATH_SECRET)
    outer = web.Application()
    outer.add_subapp("/mensatek", receiver.app())
    outer.add_subapp("/again", receiver.app())
    runner = web.AppRunner(outer, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert (await call(url, headers=JSON, path=f"/mensatek/{PATH_SECRET}"))[0] == 200
        assert (await call(url, headers=JSON, path=f"/again/{PATH_SECRET}"))[0] == 200
        assert (await call(url, headers=JSON, path="/mensatek/"))[0] == 404
    finally:
        await runner.cleanup()


# --- bodies ------------------------------------------------------------------------------------------------------


async def test_a_body_of_exactly_the_cap_is_taken_and_one_byte_more_is_413() -> None:
    shop = Shop()
    async with shop.receiver(max_body=1000).serve() as url:
        assert (await call(url, b"x" * 1000))[0] == 200
        assert (await call(url, b"x" * 1001))[0] == 413
    assert shop.handled == [b"x" * 1000]


async def test_a_body_announced_too_large_is_413_before_it_is_sent() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Content-Length": "65537"}))
        status, headers, _ = await answer(reader)
    assert status == 413
    assert headers["connection"] == "close", "the body that is not wanted would be in the way of the next request"


async def test_a_body_of_unknown_length_is_413_as_soon_as_it_passes_the_cap() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Transfer-Encoding": "chunked"}))
        for _ in range(9):
            writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        assert (await answer(reader))[0] == 413  # and the last chunk never comes
    assert not shop.parsed


async def test_a_chunked_body_is_put_together() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Transfer-Encoding": "chunked"}))
        writer.write(b'6\r\n{"a": \r\n2\r\n1}\r\n0\r\n\r\n')
        assert (await answer(reader))[0] == 200
    assert shop.handled == [b'{"a": 1}']


async def test_a_body_with_a_broken_chunk_is_refused() -> None:
    """With 400, or with 408 where the HTTP parser tells nobody that it gave up."""
    shop = Shop()
    async with shop.receiver(read_timeout=0.1).serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Transfer-Encoding": "chunked"}) + b"2\r\n{}\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b"what?\r\n")
        assert (await answer(reader))[0] in (400, 408)
    assert not shop.parsed


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("deflate", 415), ("br", 415), ("identity", 200)])
async def test_compressed_bodies_are_refused(encoding: str, status: int) -> None:
    shop = Shop()
    body = gzip.compress(b"{}") if encoding == "gzip" else b"{}"
    async with shop.receiver().serve() as url:
        assert (await call(url, body, basic() | JSON | {"Content-Encoding": encoding}))[0] == status
    assert len(shop.parsed) == (status == 200)


async def test_a_half_sent_body_is_408() -> None:
    shop = Shop()
    async with shop.receiver(read_timeout=0.1).serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Content-Length": "10"}) + b"12345")
        assert (await answer(reader))[0] == 408
    assert not shop.parsed


async def test_a_body_that_drips_in_is_408_all_the_same() -> None:
    shop = Shop()
    async with shop.receiver(read_timeout=0.15).serve() as url, connection(url) as (reader, writer):
        writer.write(head(basic() | JSON | {"Content-Length": "60000"}))
        answered = asyncio.create_task(answer(reader))
        while not answered.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        assert (await answered)[0] == 408
    assert not shop.parsed


@pytest.mark.parametrize("before", [0, 1])
async def test_a_half_sent_header_is_cut_off(before: int) -> None:
    """On a new connection, and on one that has carried a callback."""
    shop = Shop()
    async with shop.receiver(read_timeout=0.2).serve() as url, connection(url) as (reader, writer):
        for _ in range(before):
            writer.write(head(basic() | JSON | {"Content-Length": "2"}) + b"{}")
            assert (await answer(reader))[0] == 200
        writer.write(head(basic() | JSON)[:-10])
        assert await reader.read() == b""
    assert len(shop.handled) == before


async def test_a_caller_that_hangs_up_within_the_body_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        async with connection(url) as (_, writer):
            writer.write(head(basic() | JSON | {"Content-Length": "10"}) + b"12345")
            await writer.drain()
            await asyncio.sleep(0.02)
        assert (await call(url))[0] == 200
    assert shop.handled == [b"{}"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# --- failures and logs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "level"),
    [
        (b"unreadable", 400, logging.WARNING),
        (b"bug", 500, logging.ERROR),
        (b"database away", 500, logging.ERROR),
        (b"cancelled within", 500, logging.ERROR),
    ],
)
async def test_a_failure_is_answered_and_logged_once_without_anything_personal(
    body: bytes, status: int, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = Shop()
    async with shop.receiver().serve() as url:
        assert (await call(url, body))[0] == status
        assert (await call(url))[0] == 200, "and the next one is served"
    assert shop.handled == [b"{}"]
    records = [record for record in caplog.records if record.name.startswith("mensasdk")]
    assert [record.levelno for record in records] == [level]
    assert NUMBER not in caplog.text
    assert "canary" not in caplog.text


async def test_a_logged_failure_says_what_and_where(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        await call(url, b"database away")
    [record] = caplog.records
    assert "handle failed" in record.getMessage()
    assert "RuntimeError" in record.getMessage()
    assert "test_receiver.py:" in record.getMessage()


async def test_nothing_secret_is_logged_whatever_comes_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = basic()["Authorization"].split()[1]
    requests = [
        head(basic() | JSON | {"Content-Length": "2"}, path=f"/{PATH_SECRET}?token=canary") + b"{}",
        head(basic(password="wrong canary") | JSON, path=f"/{PATH_SECRET}"),
        head(basic() | JSON, path="/canary-guess"),
        f"POST /{PATH_SECRET} HTTP/1.1\r\nHost: x\r\nAuthorization Basic {secret}\r\n\r\n".encode(),
        f"POST /{PATH_SECRET} HTTP/1.1\r\nHost: x\r\nAuthorization : Basic {secret}\r\n\r\n".encode(),
        f"POST /{PATH_SECRET} HTTP/9.9 canary\r\nAuthorization: Basic {secret}\r\n\r\n".encode(),
        head(basic() | {"X": "canary" * 3000}, path=f"/{PATH_SECRET}"),
        b"canary\x00\x01\x02\r\n\r\n",
    ]
    shop = Shop()
    asyncio.get_running_loop().set_debug(True)
    async with shop.receiver(user=USER, password=PASSWORD, path_secret=PATH_SECRET).serve() as url:
        statuses = []
        for request in requests:
            async with connection(url) as (reader, writer):
                writer.write(request)
                statuses.append((await answer(reader))[0])
    assert statuses == [200, 401, 404, 400, 400, 400, 400, 400]
    assert "canary" not in caplog.text
    assert secret not in caplog.text
    assert not [record for record in caplog.records if record.name == "aiohttp.access"]


def test_repr_shows_no_secret() -> None:
    shop = Shop()
    shown = repr(shop.receiver(user=USER, password=PASSWORD, path_secret=PATH_SECRET))
    assert "canary" not in shown
    assert shown == "<DeliveryReceiver guarded by password and path_secret>"
    assert repr(shop.receiver(insecure=True)) == "<DeliveryReceiver guarded by loopback only>"


# --- where callers may come from ---------------------------------------------------------------------------------

OUTSIDE = "203.0.113.7"


@pytest.mark.parametrize(
    ("allowed", "proxies", "forwarded", "status"),
    [
        ("127.0.0.0/8", (), None, 200),
        ("127.0.0.1", (), None, 200),
        ("203.0.113.0/24", (), None, 403),
        ("203.0.113.0/24", (), OUTSIDE, 403),  # anybody can write this header
        ("203.0.113.0/24", ("10.0.0.0/8",), OUTSIDE, 403),
        ("203.0.113.0/24", ("127.0.0.0/8",), OUTSIDE, 200),
        ("203.0.113.0/24", ("127.0.0.0/8",), f"{OUTSIDE}:4711", 200),
        ("203.0.113.0/24", ("127.0.0.0/8",), f"::ffff:{OUTSIDE}", 200),
        ("203.0.113.0/24", ("127.0.0.0/8",), f"198.51.100.1, {OUTSIDE}", 200),
        ("203.0.113.0/24", ("127.0.0.0/8",), f"{OUTSIDE}, 198.51.100.1", 403),  # the nearest one counts
        ("203.0.113.0/24", ("127.0.0.0/8", "10.0.0.0/8"), f"{OUTSIDE}, 10.1.2.3", 200),
        ("203.0.113.0/24", ("127.0.0.0/8",), None, 403),
        ("203.0.113.0/24", ("127.0.0.0/8",), "unknown", 403),
        ("203.0.113.0/24", ("127.0.0.0/8",), "", 403),
        ("203.0.113.0/24", ("127.0.0.0/8",), f"{OUTSIDE},", 403),
        ("127.0.0.0/8", ("127.0.0.0/8",), OUTSIDE, 403),
        ("2001:db8::/32", ("127.0.0.0/8",), "[2001:db8::1]:443", 200),
        ("2001:db8::/32", ("127.0.0.0/8",), "2001:db8::1", 200),
        ("2001:db8::/32", ("127.0.0.0/8",), "2001:db9::1", 403),
    ],
)
async def test_only_allowed_addresses_get_in_and_only_own_proxies_are_believed(
    allowed: str, proxies: tuple[str, ...], forwarded: str | None, status: int
) -> None:
    shop = Shop()
    headers = basic() | JSON | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    async with shop.receiver(allow_from=[allowed], trusted_proxies=proxies).serve() as url:
        assert (await call(url, headers=headers))[0] == status
    assert len(shop.parsed) == (status == 200)


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        (("127.0.0.1", 5), None),
        (("::1", 5, 0, 0), None),
        (("::ffff:127.0.0.1", 5, 0, 0), None),
        (("192.168.1.4", 5), 403),
        (("fe80::1%eth0", 5, 0, 0), 403),
        ("", 403),
        (None, 403),
    ],
)
def test_an_insecure_receiver_that_is_mounted_elsewhere_serves_loopback_only(
    peer: tuple[Any, ...] | str | None, status: int | None
) -> None:
    """No socket here: a peer off the loopback interface cannot be had on every machine."""
    receiver = Shop().receiver(insecure=True)
    transport = Mock(**{"get_extra_info.side_effect": lambda key, default=None: peer if key == "peername" else None})
    request = make_mocked_request("POST", "/", headers=JSON, match_info={"path": ""}, transport=transport)
    refusal = receiver._refusal(request)
    assert (refusal.status if refusal is not None else None) == status


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"password": ""},
        {"password": "   "},
        {"password": "", "insecure": True},
        {"user": "u", "insecure": True},
        {"user": "u"},
        {"user": "a:b", "password": "p"},
        {"path_secret": ""},
        {"path_secret": "a/b"},
        {"path_secret": "a b"},
        {"path_secret": "contraseña"},
        {"path_secret": "secret\n"},
        {"password": "p", "max_body": 0},
        {"password": "p", "read_timeout": 0},
        {"password": "p", "read_timeout": float("inf")},
        {"password": "p", "read_timeout": float("nan")},
        {"password": "p", "allow_from": ["everywhere"]},
        {"password": "p", "allow_from": ["10.0.0.1/8"]},
        {"password": "p", "allow_from": "10.0.0.0/8"},
        {"password": "p", "trusted_proxies": ["300.1.1.1"]},
    ],
)
def test_settings_that_cannot_protect_or_cannot_work_are_refused(options: dict[str, Any]) -> None:
    shop = Shop()
    with pytest.raises(ConfigurationError) as caught:
        DeliveryReceiver(shop.parse, shop.handle, **options)
    assert caught.value.__cause__ is None


async def test_an_insecure_receiver_binds_to_loopback_only() -> None:
    shop = Shop()
    for host in ("0.0.0.0", "::", "192.168.1.1", "example.com"):
        with pytest.raises(ConfigurationError):
            async with shop.receiver(insecure=True).serve(host=host):
                pytest.fail("it must not start")
    for host in ("127.0.0.1", "localhost"):
        async with shop.receiver(insecure=True).serve(host=host) as url:
            assert (await call(url, headers=JSON))[0] == 200
    async with shop.receiver(user=USER, password=PASSWORD).serve(host="0.0.0.0") as url:
        assert (await call(url.replace("0.0.0.0", "127.0.0.1")))[0] == 200


async def test_a_port_in_use_is_an_error_and_leaves_nothing_running() -> None:
    shop = Shop()
    async with shop.receiver().serve() as url:
        port = urlsplit(url).port
        assert port is not None
        with pytest.raises(OSError, match="address already in use"):
            async with shop.receiver().serve(port=port):
                pytest.fail("it must not start")
        assert (await call(url))[0] == 200
