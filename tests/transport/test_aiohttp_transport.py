"""The transport against real sockets: what each fault comes to, and how often the request really arrived."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import ssl
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from chosen import OF_AIOHTTP, make_transport
from servers import (
    ALL_FAULTS,
    ANSWERS,
    BEFORE_SENDING,
    MEBIBYTE,
    SOON,
    Exchange,
    Handler,
    broken,
    ca_file,
    certificate,
    gzip_bomb,
    ok,
    serve,
    tunnel,
)
from shared import until

from mensasdk.errors import (
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DeadlineExceeded,
    MensaError,
    OutcomeKind,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    ResponseTooLarge,
    TLSError,
)
from mensasdk.transport import HttpRequest, Secret, Timeouts, Transport, cancelled_outcome

pytestmark = pytest.mark.timeout(15)

AMPLE = Timeouts(total=5.0, connect=5.0)
METHODS = ("GET", "POST", "PUT")

# fault: the error, whether it is retryable, its code
EXPECTED: dict[str, tuple[type[MensaError], bool, str | None]] = {
    "unknown name": (ConnectError, True, None),
    "refused": (ConnectError, True, None),
    "connect timeout": (ConnectTimeout, True, None),
    "TLS silence": (ConnectTimeout, True, None),
    "TLS silence past the deadline": (DeadlineExceeded, True, None),
    "TLS to a plain server": (TLSError, False, None),
    "TLS unknown authority": (TLSError, False, None),
    "TLS wrong host": (TLSError, False, None),
    "TLS expired": (TLSError, False, None),
    "proxy 407": (ProxyError, False, "407"),
    "proxy 502": (ProxyError, True, "502"),
    "proxy refused": (ProxyError, True, None),
    "proxy hangs up": (ConnectError, True, None),
    "proxy silence": (DeadlineExceeded, True, None),
    "proxy, then TLS unknown authority": (TLSError, False, None),
    "plain http to elsewhere": (ConfigurationError, False, None),
    "plain http through a proxy": (ConfigurationError, False, None),
    "rst after accept": (ConnectionLost, True, None),
    "fin after accept": (ConnectionLost, True, None),
    "rst instead of an answer": (ConnectionLost, True, None),
    "fin instead of an answer": (ConnectionLost, True, None),
    "silence": (DeadlineExceeded, True, None),
    "drip of the head": (DeadlineExceeded, True, None),
    "drip of the body": (DeadlineExceeded, True, None),
    "endless 100 Continue": (DeadlineExceeded, True, None),
    "half a head, fin": (ConnectionLost, True, None),
    "half a head, rst": (ConnectionLost, True, None),
    "short body": (ProtocolError, True, None),
    "short body, rst": (ProtocolError, True, None),
    "cut chunked body": (ProtocolError, True, None),
    "malformed chunk": (ProtocolError, True, None),
    "garbage status line": (ProtocolError, True, None),
    "duplicate Content-Length": (ProtocolError, True, None),
    "20 kB header": (ProtocolError, True, None),
    "corrupt gzip": (ProtocolError, True, None),
    "corrupt gzip checksum": (ProtocolError, True, None),
    "truncated gzip": (ProtocolError, True, None),
    "gzip and then more": (ProtocolError, True, None),
    "gzip and then no end": (ProtocolError, True, None),
    "not gzip at all": (ProtocolError, True, None),
    "unknown coding": (ProtocolError, True, None),
    "gzip bomb": (ResponseTooLarge, False, None),
    "too large": (ResponseTooLarge, False, None),
    "too large without a length": (ResponseTooLarge, False, None),
}


@contextlib.asynccontextmanager
async def transport(**options: Any) -> AsyncIterator[Transport]:
    made = make_transport(**options)
    try:
        yield made
    finally:
        await made.aclose()


def request(url: str, method: str = "GET", **more: Any) -> HttpRequest:
    return HttpRequest(method, url, body=b"" if method.upper() == "GET" else b"to=1", **more)


async def failure(
    sender: Transport, what: HttpRequest, timeouts: Timeouts = AMPLE, kind: type[MensaError] = MensaError
) -> MensaError:
    with pytest.raises(kind) as caught:
        await sender.send(what, timeouts=timeouts)
    return caught.value


# --- the fault matrix -----------------------------------------------------------------------------------------------


def test_every_fault_has_an_expected_error() -> None:
    assert set(EXPECTED) == set(ALL_FAULTS)


@pytest.mark.all_loops
@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", ALL_FAULTS)
async def test_a_fault_is_told_by_type_and_outcome_and_sends_at_most_once(fault: str, method: str) -> None:
    kind, retryable, code = EXPECTED[fault]
    async with broken(fault) as place, transport(**place.options) as sender:
        error = await failure(sender, request(place.url, method), place.timeouts)
        assert type(error) is kind
        assert (error.retryable, error.code) == (retryable, code)
        assert error.outcome is (OutcomeKind.NOT_SENT if fault in BEFORE_SENDING else OutcomeKind.UNKNOWN)
        assert error.__context__ is None
        assert error.__cause__ is None
        if fault in BEFORE_SENDING:
            assert place.server is None or (place.server.bytes_in, place.server.requests) == (0, [])
        else:
            assert place.server is not None
            assert place.server.connections == 1
            assert len(place.server.requests) == (1 if fault in ANSWERS else 0)


@pytest.mark.parametrize("method", [*METHODS, "DELETE", "get"])
@pytest.mark.parametrize("how", ["rst instead of an answer", "fin instead of an answer"])
async def test_a_drop_on_a_kept_connection_leaves_exactly_one_request_on_the_wire(how: str, method: str) -> None:
    async def once_then_drop(exchange: Exchange) -> None:
        if len(exchange.server.requests) == 1:
            await exchange.answer()
        else:
            await ANSWERS[how](exchange)

    async with serve(once_then_drop) as server, transport() as sender:
        assert (await sender.send(request(server.url), timeouts=AMPLE)).body == b"ok"
        error = await failure(sender, request(server.url, method), kind=ConnectionLost)
        assert error.outcome is OutcomeKind.UNKNOWN
        assert (server.connections, len(server.requests)) == (1, 2)  # the connection was kept, and used once more


async def test_a_connection_that_the_server_closed_while_idle_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def answer_and_close_later(exchange: Exchange) -> None:
        await exchange.answer()
        if len(exchange.server.requests) == 1:
            exchange.fin()
            closed.set()

    async with serve(answer_and_close_later) as server, transport() as sender:
        await sender.send(request(server.url), timeouts=AMPLE)
        await closed.wait()
        await asyncio.sleep(0.05)
        await sender.send(request(server.url, "POST"), timeouts=AMPLE)
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("method", METHODS)
async def test_what_a_server_says_unasked_never_answers_the_next_request(method: str) -> None:
    said = asyncio.Event()

    async def answer_twice(exchange: Exchange) -> None:
        await exchange.answer(str(len(exchange.server.requests)).encode())
        await asyncio.sleep(0.02)
        with contextlib.suppress(ConnectionError):
            await exchange.answer(b"Res:1 accepted by nobody")
        said.set()

    async with serve(answer_twice) as server, transport() as sender:
        for number in (b"1", b"2"):
            assert (await sender.send(request(server.url, method), timeouts=AMPLE)).body == number
            await said.wait()
            await asyncio.sleep(0.05)
        assert len(server.requests) == 2


async def test_two_answers_in_one_segment_are_not_mixed_up() -> None:
    async def both(exchange: Exchange) -> None:
        number = len(exchange.server.requests)
        one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        await exchange.write(one + str(number).encode() + one + b"X")

    async with serve(both) as server, transport() as sender:
        answers = [(await sender.send(request(server.url), timeouts=AMPLE)).body for _ in range(3)]
        assert answers == [b"1", b"2", b"3"]


async def test_waiting_for_the_pool_past_the_deadline_is_not_sent() -> None:
    async with serve(ANSWERS["silence"]) as server, transport(pool_size=1) as sender:
        first = asyncio.ensure_future(sender.send(request(server.url), timeouts=AMPLE))
        await until(lambda: server.requests)
        error = await failure(sender, request(server.url, "POST"), Timeouts(total=0.2), PoolTimeout)
        assert error.outcome is OutcomeKind.NOT_SENT
        assert len(server.requests) == 1
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_request_that_waited_for_the_pool_and_then_fails_is_told_by_its_own_failure() -> None:
    async def slow_then_silent(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        if len(exchange.server.requests) == 1:
            await exchange.answer()
        else:
            await exchange.until_client_leaves()

    async with serve(slow_then_silent) as server, transport(pool_size=1) as sender:
        first = asyncio.ensure_future(sender.send(request(server.url), timeouts=AMPLE))
        await asyncio.sleep(0)
        error = await failure(sender, request(server.url, "POST"), Timeouts(total=0.4), DeadlineExceeded)
        assert type(error) is DeadlineExceeded
        assert error.outcome is OutcomeKind.UNKNOWN
        assert (await first).body == b"ok"


# --- cancellation ---------------------------------------------------------------------------------------------------


async def _cancelled(sender: Transport, url: str, when: Callable[[], object]) -> asyncio.CancelledError:
    task = asyncio.ensure_future(sender.send(request(url, "POST"), timeouts=AMPLE))
    await until(when)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert task.cancelled()
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("fault", ["TLS silence past the deadline", "connect timeout"])
async def test_cancelled_while_connecting_is_not_sent(fault: str) -> None:
    async with broken(fault) as place, transport() as sender:
        begun = asyncio.get_running_loop().time()
        error = await _cancelled(sender, place.url, lambda: asyncio.get_running_loop().time() > begun + 0.05)
        assert cancelled_outcome(error) is OutcomeKind.NOT_SENT


def held_opening(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Hold every transport up while it opens; return the events that it has begun, and may go on."""
    begun, go_on = threading.Event(), threading.Event()

    def slow_context(_path: Any) -> ssl.SSLContext:
        begun.set()
        go_on.wait(5)
        return ssl.create_default_context()

    monkeypatch.setattr("mensasdk.transport.aiohttp_transport._ssl_context", slow_context)
    return begun, go_on


@OF_AIOHTTP
async def test_cancelled_while_the_transport_opens_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = held_opening(monkeypatch)
    async with transport(ca_file=ca_file()) as sender:
        error = await _cancelled(sender, "https://127.0.0.1:9/", begun.is_set)
        go_on.set()
        assert cancelled_outcome(error) is OutcomeKind.NOT_SENT


@pytest.mark.parametrize("fault", ["silence", "drip of the head", "drip of the body"])
async def test_cancelled_after_the_request_left_is_unknown(fault: str) -> None:
    async with broken(fault) as place, transport() as sender:
        server = place.server
        assert server is not None
        error = await _cancelled(sender, place.url, lambda: server.requests)
        assert cancelled_outcome(error) is OutcomeKind.UNKNOWN
        assert len(server.requests) == 1


def test_a_cancellation_of_which_nobody_said_anything_is_unknown() -> None:
    assert cancelled_outcome(asyncio.CancelledError()) is OutcomeKind.UNKNOWN


async def test_a_timeout_of_the_caller_works_around_the_transport() -> None:
    async with serve(ANSWERS["silence"]) as server, transport() as sender:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.2):
                await sender.send(request(server.url), timeouts=AMPLE)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        assert cancelled_outcome(caught.value.__cause__) is OutcomeKind.UNKNOWN


@pytest.mark.slow
async def test_a_failed_request_frees_its_place_in_the_pool() -> None:
    async def by_target(exchange: Exchange) -> None:
        await (ok if exchange.request.target == "/ok" else ANSWERS["drip of the body"])(exchange)

    async with serve(by_target) as server, transport(pool_size=1) as sender:
        for _ in range(3):
            await failure(sender, request(f"{server.url}/drip"), Timeouts(total=0.4), DeadlineExceeded)
        assert (await sender.send(request(f"{server.url}/ok"), timeouts=AMPLE)).body == b"ok"


# --- what goes out, and what comes back -----------------------------------------------------------------------------


async def test_secrets_are_added_on_the_wire_and_nowhere_else() -> None:
    async with serve(ok) as server, transport() as sender:
        what = HttpRequest(
            "POST",
            f"{server.url}/send?to=%2B34600",
            headers={"Content-Type": "application/json"},
            body=b'{"a":1}',
            secret_headers={"Authorization": Secret("Basic abc")},
            secret_query={"token": Secret("a&b=c d%/ñ")},
        )
        answer = await sender.send(what, timeouts=AMPLE)
        assert (answer.status, answer.body) == (200, b"ok")
        (received,) = server.requests
        assert received.target == "/send?to=%2B34600&token=a%26b%3Dc%20d%25%2F%C3%B1"
        assert received.header("authorization") == "Basic abc"
        assert received.header("content-type") == "application/json"
        assert (received.header("user-agent") or "").startswith("mensasdk/")
        assert received.header("accept-encoding") == "gzip"
        assert received.body == b'{"a":1}'


async def test_a_secret_alone_begins_the_query() -> None:
    async with serve(ok) as server, transport() as sender:
        await sender.send(HttpRequest("GET", f"{server.url}/a", secret_query={"t": Secret("x")}), timeouts=AMPLE)
        assert server.requests[0].target == "/a?t=x"


async def test_percent_encoding_is_left_as_the_codec_made_it() -> None:
    async with serve(ok) as server, transport() as sender:
        await sender.send(request(f"{server.url}/a%2Fb?x=%7E%41%20+&y=%C3%B1"), timeouts=AMPLE)
        assert server.requests[0].target == "/a%2Fb?x=%7E%41%20+&y=%C3%B1"


async def test_a_body_of_several_megabytes_arrives_whole() -> None:
    body = bytes(range(256)) * (3 * MEBIBYTE // 256)
    async with serve(ok) as server, transport() as sender:
        await sender.send(HttpRequest("POST", server.url, body=body), timeouts=AMPLE)
        assert server.requests[0].body == body
        assert server.requests[0].header("content-length") == str(len(body))


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "400 Bad", "404 No", "429 Slow", "500 Broken", "599 Odd"])
async def test_every_status_comes_back_as_an_answer(status: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(b"body", status=status, headers={"Retry-After": "7", "X-Mixed-Case": "V"})

    async with serve(answer) as server, transport() as sender:
        got = await sender.send(request(server.url), timeouts=AMPLE)
        assert (got.status, got.body) == (int(status[:3]), b"body")
        assert (got.headers["retry-after"], got.headers["x-mixed-case"]) == ("7", "V")


_TEXT = "contraseña ".encode() * 5000


@pytest.mark.parametrize(
    ("coding", "body", "plain"),
    [
        ("gzip", gzip.compress(_TEXT), _TEXT),
        ("GZIP", gzip.compress(_TEXT), _TEXT),
        ("x-gzip", gzip.compress(_TEXT), _TEXT),
        ("deflate", zlib.compress(_TEXT), _TEXT),
        ("identity", _TEXT, _TEXT),
        ("gzip", b"", b""),
        ("identity", b"", b""),
    ],
)
async def test_a_body_is_decompressed(coding: str, body: bytes, plain: bytes) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, headers={"Content-Encoding": coding})

    async with serve(answer) as server, transport() as sender:
        assert (await sender.send(request(server.url), timeouts=AMPLE)).body == plain


async def test_a_compressed_body_may_come_in_any_pieces() -> None:
    data = gzip.compress(b"in pieces " * 20)

    async def answer(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in data:
            await exchange.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            await asyncio.sleep(0)
        await exchange.write(b"0\r\n\r\n")

    async with serve(answer) as server, transport() as sender:
        assert (await sender.send(request(server.url), timeouts=AMPLE)).body == b"in pieces " * 20


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False), (5000, False)])
async def test_the_cap_counts_decompressed_bytes_to_the_letter(coding: str, size: int, fits: bool) -> None:
    body = bytes(size)

    async def answer(exchange: Exchange) -> None:
        data = gzip.compress(body) if coding == "gzip" else body
        await exchange.answer(data, headers={"Content-Encoding": coding})

    async with serve(answer) as server, transport(max_body=1000) as sender:
        if fits:
            assert (await sender.send(request(server.url), timeouts=AMPLE)).body == body
        else:
            await failure(sender, request(server.url), kind=ResponseTooLarge)


async def _peak(handler: Handler) -> int:
    """Measure the bytes that Python objects took at most while an answer was refused, over what they took before."""
    async with serve(handler) as server, transport() as sender:
        tracemalloc.start()
        try:
            await failure(sender, request(server.url))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


async def test_a_bomb_of_a_gigabyte_takes_little_memory() -> None:
    bomb = gzip_bomb(1024)
    assert len(bomb) < 2 * MEBIBYTE

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(bomb, headers={"Content-Encoding": "gzip"})

    assert await _peak(answer) < 60 * MEBIBYTE


@pytest.mark.parametrize("fault", ["too large without a length", "gzip and then no end"])
async def test_a_body_without_an_end_takes_little_memory(fault: str) -> None:
    assert await _peak(ANSWERS[fault]) < 60 * MEBIBYTE


# --- redirects, cookies, the environment ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_the_other_server_hears_nothing(status: int, method: str) -> None:
    async with serve(ok) as elsewhere:

        async def redirect(exchange: Exchange) -> None:
            await exchange.answer(status=f"{status} Moved", headers={"Location": f"{elsewhere.url}/stolen"})

        async with serve(redirect) as server, transport() as sender:
            answer = await sender.send(request(server.url, method), timeouts=AMPLE)
            assert answer.status == status
            assert (len(server.requests), elsewhere.connections) == (1, 0)


async def test_cookies_are_not_kept() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(headers={"Set-Cookie": "session=1; Path=/"})

    async with serve(answer) as server, transport() as sender:
        for _ in range(2):
            await sender.send(request(server.url), timeouts=AMPLE)
        assert [received.header("cookie") for received in server.requests] == [None, None]


async def test_proxies_and_passwords_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password kanari\ndefault login someone password kanari\n")
    netrc.chmod(0o600)
    async with serve(ok) as proxy, serve(ok) as server, transport() as sender:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        await sender.send(request(server.url), timeouts=AMPLE)
        assert (proxy.connections, len(server.requests)) == (0, 1)
        assert server.requests[0].header("authorization") is None


# --- TLS and proxies that work --------------------------------------------------------------------------------------


async def test_a_server_of_an_authority_that_was_added_is_trusted() -> None:
    async with serve(ok, tls=certificate("good")) as server, transport(ca_file=ca_file()) as sender:
        for method in METHODS:
            assert (await sender.send(request(server.url, method), timeouts=AMPLE)).body == b"ok"
        assert (server.connections, len(server.requests)) == (1, len(METHODS))


async def test_a_proxy_is_used_and_alone_sees_its_password() -> None:
    async with serve(ok, tls=certificate("good")) as server, serve(tunnel) as proxy:
        secret = {"Proxy-Authorization": Secret("Basic abc")}
        async with transport(ca_file=ca_file(), proxy=proxy.url, proxy_headers=secret) as sender:
            for _ in range(2):
                await sender.send(request(f"{server.url}/a?to=1"), timeouts=AMPLE)
        (connect,) = proxy.requests
        assert (connect.method, connect.target) == ("CONNECT", f"127.0.0.1:{server.port}")
        assert connect.header("proxy-authorization") == "Basic abc"
        assert len(server.requests) == 2
        assert b"roxy-" not in server.requests[0].head


@pytest.mark.parametrize("content", [None, "no certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n"])
async def test_a_ca_file_that_cannot_be_read_is_told_at_the_first_request(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with serve(ok) as server, transport(ca_file=path) as sender:
        error = await failure(sender, request(server.url), kind=ConfigurationError)
        assert error.__context__ is None
        assert server.connections == 0


# --- ownership ------------------------------------------------------------------------------------------------------


@OF_AIOHTTP
async def test_a_borrowed_session_lends_its_pool_and_nothing_else() -> None:
    async with serve(ok) as server:
        connector = aiohttp.TCPConnector(limit=1)
        jar = aiohttp.CookieJar(unsafe=True)
        jar.update_cookies({"session": "kanari"})
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=jar,
            headers={"X-Theirs": "kanari", "Authorization": "Basic kanari"},
        ) as theirs:
            async with theirs.get(f"{server.url}/theirs") as first:
                await first.read()
            async with transport(session=theirs) as sender:
                await sender.send(request(f"{server.url}/ours"), timeouts=AMPLE)
            assert not theirs.closed
            async with theirs.get(f"{server.url}/theirs") as again:
                assert again.status == 200
        ours = server.requests[1]
        assert ours.target == "/ours"
        assert [ours.header(name) for name in ("x-theirs", "authorization", "cookie")] == [None, None, None]
        assert server.connections == 1  # all three went over one connection of their pool


@OF_AIOHTTP
async def test_a_borrowed_pool_that_does_not_verify_is_made_to() -> None:
    async with serve(ok, tls=certificate("good")) as server:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as theirs:
            async with theirs.get(server.url) as lax:
                assert lax.status == 200
            async with transport(session=theirs) as sender:
                await failure(sender, request(server.url), kind=TLSError)
            async with transport(session=theirs, ca_file=ca_file()) as sender:
                assert (await sender.send(request(server.url), timeouts=AMPLE)).body == b"ok"
        assert len(server.requests) == 2


@OF_AIOHTTP
async def test_a_borrowed_pool_that_verifies_by_its_own_authorities_is_trusted() -> None:
    strict = ssl.create_default_context(cafile=ca_file())
    async with (
        serve(ok, tls=certificate("good")) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=strict)) as theirs,
        transport(session=theirs) as sender,
    ):
        assert (await sender.send(request(server.url), timeouts=AMPLE)).body == b"ok"


@OF_AIOHTTP
async def test_a_borrowed_get_is_not_repeated_either() -> None:
    async with serve(ANSWERS["fin instead of an answer"]) as server, aiohttp.ClientSession() as theirs:
        async with transport(session=theirs) as sender:
            await failure(sender, request(server.url), kind=ConnectionLost)
        assert len(server.requests) == 1


@OF_AIOHTTP
@pytest.mark.parametrize("when", ["before", "between"])
async def test_a_borrowed_session_that_is_closed_is_told(when: str) -> None:
    async with serve(ok) as server:
        theirs = aiohttp.ClientSession()
        async with transport(session=theirs) as sender:
            if when == "between":
                await sender.send(request(server.url), timeouts=AMPLE)
            await theirs.close()
            with pytest.raises(ConfigurationError, match="borrowed session is closed"):
                await sender.send(request(server.url), timeouts=AMPLE)


@OF_AIOHTTP
def test_a_borrowed_session_of_another_loop_is_told() -> None:
    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def use(theirs: aiohttp.ClientSession) -> None:
        async with transport(session=theirs) as sender:
            error = await failure(sender, request("http://127.0.0.1:9/"), kind=ConfigurationError)
            assert "another event loop" in error.message
            assert error.__context__ is None

    with asyncio.Runner() as runner:
        theirs = runner.run(make())
        with asyncio.Runner() as other:
            other.run(use(theirs))
        runner.run(theirs.close())


async def test_an_own_session_is_closed_once_and_refuses_further_use() -> None:
    async with serve(ok) as server:
        sender = make_transport()
        assert "not yet opened" in repr(sender)
        await sender.send(request(server.url), timeouts=AMPLE)
        assert "open" in repr(sender)
        await sender.aclose()
        await sender.aclose()
        assert "closed" in repr(sender)
        error = await failure(sender, request(server.url), kind=ConfigurationError)
        assert "closed" in error.message
        assert error.outcome is OutcomeKind.NOT_SENT
        assert len(server.requests) == 1


async def test_one_that_was_closed_before_its_first_use_opens_nothing() -> None:
    async with serve(ok) as server:
        sender = make_transport()
        await sender.aclose()
        await failure(sender, request(server.url), kind=ConfigurationError)
        assert server.connections == 0


@OF_AIOHTTP
async def test_one_that_is_closed_while_it_opens_leaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = held_opening(monkeypatch)
    sender = make_transport(ca_file=ca_file())
    task = asyncio.ensure_future(sender.send(request("https://127.0.0.1:9/"), timeouts=AMPLE))
    await until(begun.is_set)
    await sender.aclose()
    go_on.set()
    with pytest.raises(ConfigurationError, match="closed"):
        await task
    del sender, task
    gc.collect()  # a session left open would warn here, and a warning fails the test


async def test_requests_in_flight_end_as_unknown_when_the_transport_is_closed() -> None:
    async with serve(ANSWERS["silence"]) as server:
        sender = make_transport()
        task = asyncio.ensure_future(sender.send(request(server.url, "POST"), timeouts=AMPLE))
        await until(lambda: server.requests)
        await sender.aclose()
        with pytest.raises(MensaError) as caught:
            await task
        assert caught.value.outcome is OutcomeKind.UNKNOWN


@pytest.mark.slow
def test_one_that_is_never_closed_warns() -> None:
    async def leak() -> None:
        async with serve(ok) as server:
            await make_transport().send(request(server.url), timeouts=AMPLE)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(leak())
        gc.collect()
        told = []
        while caught:  # each record keeps what it warns of alive, and that warns in turn of what it holds
            told += [str(warning.message) for warning in caught if warning.category is ResourceWarning]
            caught.clear()
            gc.collect()
    assert sum(text.startswith("unclosed <") and "Transport " in text and "aclose()" in text for text in told) == 1


def test_one_that_was_closed_or_never_used_does_not_warn() -> None:
    async def tidy() -> None:
        make_transport()
        async with serve(ok) as server, transport() as sender:
            await sender.send(request(server.url), timeouts=AMPLE)

    asyncio.run(tidy())
    gc.collect()


def test_a_second_event_loop_is_refused() -> None:
    async def use(sender: Transport) -> bytes:
        async with serve(ok) as server:
            return (await sender.send(request(server.url), timeouts=AMPLE)).body

    async def misuse(sender: Transport) -> None:
        async with serve(ok) as server:
            error = await failure(sender, request(server.url), kind=ConfigurationError)
            assert "another event loop" in error.message
            assert server.connections == 0

    sender = make_transport()
    with asyncio.Runner() as first:
        assert first.run(use(sender)) == b"ok"
        with asyncio.Runner() as second:
            second.run(misuse(sender))
        first.run(sender.aclose())


async def test_first_requests_that_come_together_share_one_pool() -> None:
    async with serve(ok) as server, transport(pool_size=2) as sender:
        answers = await asyncio.gather(*(sender.send(request(server.url), timeouts=AMPLE) for _ in range(20)))
        assert all(answer.body == b"ok" for answer in answers)
        assert len(server.requests) == 20
        assert server.connections == 2


@pytest.mark.parametrize(
    "options",
    [
        {"pool_size": 0},
        {"max_body": 0},
        {"proxy": "http://user:kanari@127.0.0.1"},
        {"proxy": "127.0.0.1:3128"},
        {"proxy": "socks5://127.0.0.1"},
        {"proxy": "http://["},
    ],
    ids=repr,
)
def test_options_that_make_no_sense_are_refused(options: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_transport(**options)
    assert "kanari" not in str(caught.value)


@pytest.mark.parametrize("total", [0.0, -1.0, float("nan"), float("inf")])
def test_timeouts_that_make_no_sense_are_refused(total: float) -> None:
    with pytest.raises(ConfigurationError):
        Timeouts(total=total)
    with pytest.raises(ConfigurationError):
        Timeouts(connect=total)


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "HTTP://192.0.2.1/", "ws://127.0.0.1/", "ftp://127.0.0.1/", "/a"])
async def test_nothing_but_https_and_loopback_is_sent(url: str) -> None:
    async with transport() as sender:
        error = await failure(sender, request(url), Timeouts(total=SOON), ConfigurationError)
        assert error.outcome is OutcomeKind.NOT_SENT


async def test_a_header_that_would_break_out_of_its_line_is_not_sent() -> None:
    async with serve(ok) as server, transport() as sender:
        error = await failure(sender, request(server.url, headers={"X": "a\r\nInjected: 1"}))
        assert not error.retryable
        assert server.requests == []


@pytest.mark.parametrize(
    "what",
    [
        HttpRequest("GET", "https://127.0.0.1:kanari/"),
        HttpRequest("GET", "https://127.0.0.1/", secret_query={"t": Secret("kanari\udcf1")}),
    ],
    ids=["port", "surrogate"],
)
async def test_a_defect_is_told_by_its_kind_alone(what: HttpRequest) -> None:
    async with transport() as sender:
        error = await failure(sender, what)
        assert (error.outcome, error.retryable) == (OutcomeKind.NOT_SENT, False)
        assert error.__context__ is None
        assert "kanari" not in str(error)


@OF_AIOHTTP
async def test_the_text_of_a_librarys_error_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("https://127.0.0.1/?token=kanari")

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", fail)
    async with transport() as sender:
        error = await failure(sender, request("https://127.0.0.1/"))
        assert str(error) == "the request failed with RuntimeError"
        assert (error.outcome, error.retryable) == (OutcomeKind.NOT_SENT, False)
