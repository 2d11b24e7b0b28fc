"""Small raw servers that break in every way of the fault matrix, and count what really arrived.

They speak in bytes, not through an HTTP library: a library would mend what has to stay broken, and would hide a
request that the client sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import gzip
import socket
import ssl
import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import trustme
from attrs import field, frozen
from received import Received
from shared import closed_port

from mensasdk.transport import Secret, Timeouts

Handler = Callable[["Exchange"], Awaitable[None]]

SOON = 0.2  # seconds; the deadline of faults that only a deadline ends
AMPLE = 5.0  # seconds; the deadline of faults that must end by themselves
MEBIBYTE = 1024 * 1024


class Exchange:
    """One connection, standing at one request (or, before the first, at none)."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.request = Received(b"", b"")
        self._pending = b""

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(
        self, body: bytes = b"ok", *, status: str = "200 OK", headers: Mapping[str, str] | None = None
    ) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        await self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def fin(self) -> None:
        self.writer.close()

    def rst(self) -> None:
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_client_leaves(self) -> None:
        while await self.reader.read(65536):
            pass

    async def drip(self, data: bytes) -> None:
        """Write byte by byte, and go on with blanks for as long as the client listens."""
        for byte in data:
            await self.write(bytes([byte]))
            await asyncio.sleep(0.02)
        while True:
            await self.write(b" ")
            await asyncio.sleep(0.02)

    async def read_request(self) -> bool:
        """Read one whole request; False when the client has left before it was whole."""
        while b"\r\n\r\n" not in self._pending:
            if not await self._more():
                return False
        head, _, rest = self._pending.partition(b"\r\n\r\n")
        self.request = Received(head, b"")
        size = int(self.request.header("content-length") or "0")
        while len(rest) < size:
            self._pending = b""
            if not await self._more():
                return False
            rest += self._pending
        self.request = Received(head, rest[:size])
        self._pending = rest[size:]
        self.server.requests.append(self.request)
        return True

    async def _more(self) -> bool:
        chunk = await self.reader.read(65536)
        self._pending += chunk
        self.server.bytes_in += len(chunk)
        return bool(chunk)


class Server:
    """Keeps count of what arrived at one server.

    Attributes:
        connections: connections made (for TLS: handshakes that both sides completed).
        bytes_in: bytes of requests, decrypted.
        requests: whole requests, in order.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.bytes_in = 0
        self.requests: list[Received] = []
        self.url = ""
        self.port = 0


@contextlib.asynccontextmanager
async def serve(
    handler: Handler, *, at_connect: Handler | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server; ``handler`` is called for each request, ``at_connect`` before anything is read."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        exchange = Exchange(server, reader, writer)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                if at_connect is not None:
                    await at_connect(exchange)
                while not writer.is_closing() and await exchange.read_request():
                    await handler(exchange)
        finally:
            await hang_up(writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(converse(reader, writer))
        tasks.add(task)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        broken = [result for result in results if isinstance(result, Exception)]
        assert not broken, broken


async def ok(exchange: Exchange) -> None:
    await exchange.answer()


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """Give a port whose queue is full: the kernel drops further connection requests and the client waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


# --- certificates ---------------------------------------------------------------------------------------------------


@functools.cache
def authority() -> trustme.CA:
    return trustme.CA()


@functools.cache
def ca_file() -> Path:
    path = Path(tempfile.mkdtemp()) / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return path


@functools.cache
def certificate(kind: str) -> ssl.SSLContext:
    """Return a server's TLS context; ``kind`` is ``"good"``, ``"wrong host"`` or ``"expired"``."""
    now = datetime.datetime.now(datetime.UTC)
    name = "elsewhere.example" if kind == "wrong host" else "127.0.0.1"
    ends = now - datetime.timedelta(days=1) if kind == "expired" else now + datetime.timedelta(days=30)
    leaf = authority().issue_cert(name, not_before=now - datetime.timedelta(days=9), not_after=ends)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context


# --- compression ----------------------------------------------------------------------------------------------------


@functools.cache
def gzip_bomb(mebibytes: int) -> bytes:
    """Return that many MiB of zeros as gzip. Blocks after a full flush can stand in a row, so one is repeated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(MEBIBYTE)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + block * mebibytes + b"\x03\x00" + bytes(8)


# --- answers that fail ----------------------------------------------------------------------------------------------


async def rst(exchange: Exchange) -> None:
    exchange.rst()


async def fin(exchange: Exchange) -> None:
    """Hang up in place of an answer."""
    exchange.fin()


async def silence(exchange: Exchange) -> None:
    await exchange.until_client_leaves()


async def _drip_head(exchange: Exchange) -> None:
    await exchange.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")


async def _drip_body(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    await exchange.drip(b"")


async def _endless_continue(exchange: Exchange) -> None:
    while True:
        await exchange.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)
        await asyncio.sleep(0.01)


def raw(data: bytes, *, reset: bool = False) -> Handler:
    """Return a handler that writes just these bytes, and hangs up."""

    async def handler(exchange: Exchange) -> None:
        await exchange.write(data)
        if reset:
            await asyncio.sleep(0.02)  # else the reset would overtake the data
            exchange.rst()
        else:
            exchange.fin()

    return handler


def _encoded(body: bytes, coding: str = "gzip") -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(body, headers={"Content-Encoding": coding})

    return handler


async def _endless_body(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await exchange.write(bytes(MEBIBYTE))


async def _endless_after_gzip(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"ok"))
    while True:
        await exchange.write(bytes(MEBIBYTE))


async def _too_large(exchange: Exchange) -> None:
    await exchange.answer(bytes(9 * MEBIBYTE))


_GZIP = gzip.compress(b"an answer that is long enough to be cut in the middle" * 9)

ANSWERS: dict[str, Handler] = {
    "rst instead of an answer": rst,
    "fin instead of an answer": fin,
    "silence": silence,
    "drip of the head": _drip_head,
    "drip of the body": _drip_body,
    "endless 100 Continue": _endless_continue,
    "half a head, fin": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a head, rst": raw(b"HTTP/1.1 200 OK\r\nContent-Le", reset=True),
    "short body": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nRes:1"),
    "short body, rst": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nRes:1", reset=True),
    "cut chunked body": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nRes:1\r\n"),
    "malformed chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nRes:1\r\n0\r\n\r\n"),
    "garbage status line": raw(b"SMTP ready\r\n\r\n"),
    "duplicate Content-Length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    "20 kB header": raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nok"),
    "corrupt gzip": _encoded(_GZIP[:20] + b"\xff\xff\xff\xff" + _GZIP[24:]),
    "corrupt gzip checksum": _encoded(_GZIP[:-8] + bytes(8)),
    "truncated gzip": _encoded(_GZIP[:-12]),
    "gzip and then more": _encoded(_GZIP + b"more"),
    "gzip and then no end": _endless_after_gzip,
    "not gzip at all": _encoded(b"Res:1"),
    "unknown coding": _encoded(b"Res:1", "br"),
    "gzip bomb": _encoded(gzip_bomb(64)),
    "too large": _too_large,
    "too large without a length": _endless_body,
}

# --- every fault as a place to send to ------------------------------------------------------------------------------


@frozen
class Broken:
    """A place to send a request to so that it fails, and with which transport.

    Attributes:
        url: goes to the fault.
        server: what counts the requests; None where nothing can arrive.
        options: for the transport.
        timeouts: short where only a deadline ends the fault.
    """

    url: str
    server: Server | None = None
    options: Mapping[str, Any] = field(factory=dict)
    timeouts: Timeouts = field(factory=lambda: Timeouts(total=AMPLE, connect=AMPLE))


_DEADLINE_ONLY = {"silence", "drip of the head", "drip of the body", "endless 100 Continue"}

BEFORE_SENDING = (
    "unknown name",
    "refused",
    "connect timeout",
    "TLS silence",
    "TLS silence past the deadline",
    "TLS to a plain server",
    "TLS unknown authority",
    "TLS wrong host",
    "TLS expired",
    "proxy 407",
    "proxy 502",
    "proxy refused",
    "proxy hangs up",
    "proxy silence",
    "proxy, then TLS unknown authority",
    "plain http to elsewhere",
    "plain http through a proxy",
)

ALL_FAULTS = (*BEFORE_SENDING, "rst after accept", "fin after accept", *ANSWERS)


def _proxy_options(proxy: str, secret: str) -> dict[str, Any]:
    return {"proxy": proxy, "proxy_headers": {"Proxy-Authorization": Secret(secret)}}


@contextlib.asynccontextmanager
async def broken(name: str, *, proxy_secret: str = "") -> AsyncIterator[Broken]:
    """Set a fault up. ``server`` counts what arrives where the request should have gone."""
    if name in ANSWERS:
        quick = name in _DEADLINE_ONLY
        async with serve(ANSWERS[name]) as server:
            yield Broken(f"{server.url}/a", server, timeouts=Timeouts(total=SOON if quick else AMPLE, connect=AMPLE))
    elif name in {"rst after accept", "fin after accept"}:
        async with serve(ok, at_connect=rst if name.startswith("rst") else fin) as server:
            yield Broken(f"{server.url}/a", server)
    elif name == "unknown name":
        yield Broken("https://no-such-host.invalid/a")
    elif name == "refused":
        yield Broken(f"https://127.0.0.1:{closed_port()}/a")
    elif name == "connect timeout":
        with full_backlog() as port:
            yield Broken(f"https://127.0.0.1:{port}/a", timeouts=Timeouts(total=AMPLE, connect=0.15))
    elif name.startswith("TLS silence"):
        past = name.endswith("deadline")
        async with serve(ok, at_connect=silence) as server:
            yield Broken(
                f"https://127.0.0.1:{server.port}/a",
                timeouts=Timeouts(total=SOON if past else AMPLE, connect=AMPLE if past else SOON),
            )
    elif name == "TLS to a plain server":
        async with serve(ok, at_connect=raw(b"220 smtp ready\r\n")) as server:
            yield Broken(f"https://127.0.0.1:{server.port}/a")
    elif name.startswith("TLS"):
        kind = {"TLS unknown authority": "good", "TLS wrong host": "wrong host", "TLS expired": "expired"}[name]
        async with serve(ok, tls=certificate(kind)) as server:
            trusted = {} if kind == "good" else {"ca_file": ca_file()}
            yield Broken(f"{server.url}/a", server, trusted)
    elif name == "proxy refused":
        yield Broken("https://127.0.0.1:9/a", None, _proxy_options(f"http://127.0.0.1:{closed_port()}", proxy_secret))
    elif name == "proxy, then TLS unknown authority":
        async with serve(ok, tls=certificate("good")) as server, serve(tunnel) as proxy:
            yield Broken(f"{server.url}/a", server, _proxy_options(proxy.url, proxy_secret))
    elif name.startswith("proxy"):
        answer: dict[str, Handler] = {
            "proxy 407": raw(b"HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n\r\n"),
            "proxy 502": raw(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
            "proxy hangs up": fin,
            "proxy silence": silence,
        }
        limit = Timeouts(total=SOON if name == "proxy silence" else AMPLE)
        async with serve(ok, tls=certificate("good")) as server, serve(answer[name]) as proxy:
            yield Broken(f"{server.url}/a", server, _proxy_options(proxy.url, proxy_secret), limit)
    elif name == "plain http to elsewhere":
        yield Broken("HTTP://192.0.2.1/a")
    elif name == "plain http through a proxy":
        async with serve(ok) as proxy:
            yield Broken("http://127.0.0.1/a", proxy, _proxy_options(proxy.url, proxy_secret))
    else:
        raise AssertionError(name)


async def tunnel(exchange: Exchange) -> None:
    """Do what a proxy does at CONNECT."""
    host, _, port = exchange.request.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await exchange.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(65536):
                target.write(chunk)
                await target.drain()
        target.close()

    try:
        await asyncio.gather(pump(exchange.reader, writer), pump(reader, exchange.writer))
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
    writer.transport.abort()  # where the other side does not take the rest
