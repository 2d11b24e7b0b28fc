"""One exchange of the default transport: what it puts on the wire, and what it leaves of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import aclosing

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from hypothesis import given
from hypothesis import strategies as st
from servers import MEBIBYTE, Exchange, ok, serve

from mensasdk import AiohttpTransport, HttpRequest, Timeouts
from mensasdk.errors import ConfigurationError, ProtocolError
from mensasdk.transport import Secret
from mensasdk.transport.exchange import split_target

pytestmark = [pytest.mark.timeout(15), pytest.mark.all_loops]

AMPLE = Timeouts(total=5.0, connect=5.0)


def lines_of(head: bytes) -> list[str]:
    return head.decode().split("\r\n")


async def test_a_request_is_on_the_wire_as_it_was_given_and_each_header_once() -> None:
    async with serve(ok) as server, aclosing(AiohttpTransport()) as sender:
        request = HttpRequest(
            "POST",
            f"{server.url}/v7/EnviarSMS?a=1",
            {"Content-Type": "application/json"},
            b"{}",
            secret_headers={"Authorization": Secret("Basic eA==")},
            secret_query={"token": Secret("a b&c")},
        )
        await sender.send(request, timeouts=AMPLE)
        first, *headers = lines_of(server.requests[0].head)
    assert first == "POST /v7/EnviarSMS?a=1&token=a%20b%26c HTTP/1.1"
    assert sorted(header.partition(":")[0] for header in headers) == [
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Host",
        "User-Agent",
    ]
    assert f"Host: 127.0.0.1:{server.port}" in headers
    assert server.requests[0].body == b"{}"


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "ACCEPT"])
async def test_a_header_of_the_request_takes_the_place_of_ours(name: str) -> None:
    async with serve(ok) as server, aclosing(AiohttpTransport()) as sender:
        await sender.send(HttpRequest("GET", server.url, {name: "mine"}), timeouts=AMPLE)
        head = server.requests[0].head
    assert re.findall(rb"(?im)^" + name.encode() + rb": *(.*?)\r?$", head) == [b"mine"]


@pytest.mark.parametrize("missing", ["read", "set_response_params", "should_close"])
async def test_with_an_aiohttp_that_lacks_what_is_used_of_it_nothing_leaves(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(ok) as server, aclosing(AiohttpTransport()) as sender:
        with monkeypatch.context() as patch:
            owner = next(one for one in ResponseHandler.__mro__ if missing in vars(one))
            patch.delattr(owner, missing)
            with pytest.raises(ConfigurationError, match="install aiohttp"):
                await sender.send(HttpRequest("POST", server.url, body=b"x"), timeouts=AMPLE)
        assert server.connections == 0


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0"), ("PUT", "0")])
async def test_only_a_method_that_has_a_body_says_that_it_is_empty(method: str, length: str | None) -> None:
    async with serve(ok) as server, aclosing(AiohttpTransport()) as sender:
        await sender.send(HttpRequest(method, server.url), timeouts=AMPLE)
        assert server.requests[0].header("content-length") == length


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nX: y", "a\rX: y", "a\0"])
@pytest.mark.parametrize("kind", ["headers", "secret_headers"])
async def test_a_header_that_breaks_its_line_is_refused_before_a_connection_is_made(kind: str, value: str) -> None:
    async with serve(ok) as server, aclosing(AiohttpTransport()) as sender:
        request = HttpRequest("GET", server.url, {"X-A": value})
        if kind == "secret_headers":
            secret = Secret("harmless")
            object.__setattr__(secret, "_value", value)  # which a `Secret` would not take
            request = HttpRequest("GET", server.url, secret_headers={"X-A": secret})
        with pytest.raises(ConfigurationError) as caught:
            await sender.send(request, timeouts=AMPLE)
        assert server.connections == 0
    assert "X: y" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://a.example", "https://a.example", "/"),
        ("https://a.example/", "https://a.example", "/"),
        ("https://a.example?x=1", "https://a.example", "/?x=1"),
        ("https://a.example:8443/b/c?x=/?&y#z", "https://a.example:8443", "/b/c?x=/?&y"),
        ("HTTPS://a.example/b", "HTTPS://a.example", "/b"),
        ("https://[::1]:1/b", "https://[::1]:1", "/b"),
    ],
)
def test_a_url_is_parted_where_its_path_begins(url: str, origin: str, target: str) -> None:
    assert split_target(HttpRequest("GET", url)) == (origin, target)


@given(st.text(max_size=20).filter(lambda text: not re.fullmatch("[!-~]*", text)))
def test_what_ought_to_be_percent_encoded_is_refused(text: str) -> None:
    for url in (f"https://a.example/{text}", f"https://a.example{text}/", f"https://a.example/?q={text}"):
        with pytest.raises(ConfigurationError):
            split_target(HttpRequest("GET", url))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
def test_a_secret_of_a_query_cannot_leave_its_place(text: str) -> None:
    request = HttpRequest("GET", "https://a.example/b?c=d", secret_query={"token": Secret(text)})
    _, target = split_target(request)
    assert re.fullmatch(r"/b\?c=d&token=[A-Za-z0-9._~%-]*", target)


async def test_an_answer_on_the_way_to_the_answer_is_passed_over() -> None:
    async def hesitate(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await exchange.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await exchange.answer(b"final")

    async with serve(hesitate) as server, aclosing(AiohttpTransport()) as sender:
        for _ in range(2):
            answer = await sender.send(HttpRequest("POST", server.url, body=b"x"), timeouts=AMPLE)
            assert (answer.status, answer.body) == (200, b"final")
        assert server.connections == 1


async def test_a_connection_that_changes_its_protocol_answers_once() -> None:
    async def switch(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")

    async with serve(switch) as server, aclosing(AiohttpTransport()) as sender:
        for _ in range(2):
            answer = await sender.send(HttpRequest("POST", server.url, body=b"x"), timeouts=AMPLE)
            assert answer.status == 101
        assert server.connections == 2


async def test_the_rest_of_a_body_that_was_answered_early_does_not_precede_another_request() -> None:
    heads: list[bytes] = []
    over = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                if b"Content-Length: 2\r\n" in heads[-1]:
                    await reader.readexactly(2)
                writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
                await writer.drain()
                if b"Content-Length: 2\r\n" not in heads[-1]:
                    break  # it reads nothing of the body
        await over.wait()
        writer.close()

    listener = await asyncio.start_server(converse, "127.0.0.1", 0, limit=64 * 1024)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    async with listener, aclosing(AiohttpTransport()) as sender:
        big = await sender.send(HttpRequest("POST", url, body=b"\r\n\r\n" + b"x" * (16 * MEBIBYTE)), timeouts=AMPLE)
        small = await sender.send(HttpRequest("POST", url, body=b"ab"), timeouts=AMPLE)
        over.set()
    assert (big.status, small.status) == (413, 413)
    assert [head.partition(b" ")[0] for head in heads] == [b"POST", b"POST"]


@pytest.mark.slow
async def test_a_borrowed_pool_does_not_lend_a_connection_on_which_something_was_said_unasked() -> None:
    async def twice(exchange: Exchange) -> None:
        await exchange.answer(str(len(exchange.server.requests)).encode())
        await asyncio.sleep(0.02)
        with contextlib.suppress(ConnectionError):
            await exchange.answer(b"stale")

    async with (
        serve(twice) as server,
        aiohttp.ClientSession() as theirs,
        aclosing(AiohttpTransport(session=theirs)) as sender,
    ):
        for number in (b"1", b"2", b"3"):
            assert (await sender.send(HttpRequest("POST", server.url, body=b"x"), timeouts=AMPLE)).body == number
            await asyncio.sleep(0.1)
        assert len(server.requests) == 3


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "nonsense"])
async def test_a_compression_that_was_not_asked_for_cannot_be_read(coding: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(b"\x00\x01", headers={"Content-Encoding": coding})

    async with serve(answer) as server, aclosing(AiohttpTransport()) as sender:
        with pytest.raises(ProtocolError):
            await sender.send(HttpRequest("GET", server.url), timeouts=AMPLE)
