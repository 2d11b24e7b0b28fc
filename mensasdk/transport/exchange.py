"""One request and its answer on a connection of aiohttp's pool.

aiohttp makes, secures, keeps and hands out the connections, and parses what comes back. Its client session stays
aside: it would repeat a GET by itself when a connection drops, follow what it is told to, keep cookies, decompress
without a bound, and say only by signals whether anything had left. What is here is shorter than switching all of that
off, takes half of the instructions, and knows the moment at which the first byte may leave.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from inspect import signature
from typing import Final
from urllib.parse import quote

import aiohttp
from aiohttp import BaseConnector, ClientRequest, ClientTimeout, StreamReader, TraceConfig
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDictProxy
from yarl import URL

from mensasdk._version import __version__
from mensasdk.errors import ConfigurationError, ConnectTimeout, ProtocolError, ResponseTooLarge
from mensasdk.transport.base import HttpRequest, HttpResponse
from mensasdk.transport.redact import Secret

__all__ = ["Destination", "Phase", "check_aiohttp", "exchange", "split_target", "with_secrets"]

_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": f"mensasdk/{__version__}"}
_URL: Final = re.compile(r"([A-Za-z]+://[^/?#]+)([^#]*)")
_UNSAFE: Final = re.compile(r"[^!-~]")
_NO_SIGNALS: Final = TraceConfig()
_NO_SIGNALS.freeze()
_SWITCHING_PROTOCOLS: Final = 101
_PARAMETERS: Final = {"read_until_eof", "auto_decompress"}


def check_aiohttp() -> None:
    """Make sure that aiohttp has what `exchange` uses of it, some of which its documents do not promise.

    Raises:
        ConfigurationError: it has not. Found out in the middle of a request, that would make the request UNKNOWN.
    """
    has_all = all(
        hasattr(owner, name)
        for owner, names in (
            (ResponseHandler, ("read", "set_response_params", "should_close")),
            (Connection, ("close", "protocol", "release", "transport")),
            (StreamReader, ("is_eof", "iter_any", "read", "read_nowait")),
        )
        for name in names
    )
    if not has_all or not signature(ResponseHandler.set_response_params).parameters.keys() >= _PARAMETERS:
        raise ConfigurationError(f"aiohttp {aiohttp.__version__} is not as mensasdk knows it; install aiohttp 3.14")


class Phase(Trace):
    """How far one attempt came: the line between NOT_SENT and UNKNOWN.

    Attributes:
        queued: it waits for a connection of the pool to become free. The pool says so to whoever traces it.
        sent: its first byte may have left.
    """

    def __init__(self) -> None:
        super().__init__(None, _NO_SIGNALS, None)  # type: ignore[arg-type]  # only its signals use them
        self.queued = False
        self.sent = False

    async def send_connection_queued_start(self) -> None:
        self.queued = True

    async def send_connection_queued_end(self) -> None:
        self.queued = False

    async def send_connection_reuseconn(self) -> None:
        pass  # what nearly every request comes to, and nobody hears of


class Destination(ClientRequest):
    """Where requests go, as the pool wants to be told; one for all requests to an origin.

    Args:
        origin: scheme, host and port.
        proxy: of all requests.
        proxy_headers: for it.
        ssl: how certificates are checked.
    """

    def __init__(
        self, origin: str, *, proxy: str | None, proxy_headers: Mapping[str, Secret] | None, ssl: object
    ) -> None:
        super().__init__(
            "GET",
            URL(origin, encoded=True),
            loop=asyncio.get_running_loop(),
            ssl=ssl,  # type: ignore[arg-type]
            proxy=None if proxy is None else URL(proxy),
            proxy_headers=with_secrets({}, proxy_headers) if proxy_headers else None,
        )
        # Once: the pool adds headers for the proxy to its own, which must not look like another destination.
        self._key = super().connection_key
        headers = {"Host": self.headers["Host"], **_HEADERS}
        self.lines = {name.lower(): f"{name}: {value}\r\n" for name, value in headers.items()}
        self.all_lines = "".join(self.lines.values())

    @property
    def connection_key(self) -> ConnectionKey:
        return self._key


def with_secrets(plain: Mapping[str, str], secret: Mapping[str, Secret]) -> dict[str, str]:
    """Headers with their secrets shown."""
    headers = dict(plain)
    for name, value in secret.items():
        headers[name] = value.reveal()
    return headers


def split_target(request: HttpRequest) -> tuple[str, str]:
    """The origin of a URL, and what follows it, with the secrets of the query.

    Raises:
        ConfigurationError: the URL is not absolute, or holds what ought to be percent-encoded.
    """
    match = _URL.match(request.url)
    if match is None or _UNSAFE.search(request.url):
        raise ConfigurationError("the URL of a request must be absolute and percent-encoded")
    origin, target = match.groups()
    if not target.startswith("/"):
        target = f"/{target}"
    if request.secret_query:
        joint = "&" if "?" in target else "?"
        pairs = [f"{quote(name, '')}={quote(value.reveal(), '')}" for name, value in request.secret_query.items()]
        target = f"{target}{joint}{'&'.join(pairs)}"
    return origin, target


async def exchange(
    pool: BaseConnector,
    destination: Destination,
    target: str,
    request: HttpRequest,
    *,
    phase: Phase,
    connect_timeout: float,
    max_body: int,
) -> HttpResponse:
    """Send a request once, and read its whole answer.

    Args:
        pool: where connections come from.
        destination: of the request.
        target: path and query, with secrets.
        request: everything else of it.
        phase: is told how far it came.
        connect_timeout: seconds for making a connection.
        max_body: bytes of a decompressed answer.

    Raises:
        ConnectTimeout: as it says.
        ResponseTooLarge: the answer has more than ``max_body``.
        ProtocolError: it is compressed in a way that cannot be read.
        Exception: aiohttp's own, with URLs in their texts.
    """
    head = _head(destination, target, request)
    connection = await _connection(pool, destination, phase, connect_timeout)
    try:
        protocol, wire = connection.protocol, connection.transport
        assert protocol is not None
        assert wire is not None
        protocol.set_response_params(read_until_eof=True, auto_decompress=False)
        phase.sent = True
        wire.write(head + request.body)
        while True:
            message, content = await protocol.read()
            if not 100 <= message.code < 200 or message.code == _SWITCHING_PROTOCOLS:
                break  # the others only say that there is more to come
        body = await _read(content, message.headers, max_body)
    except BaseException:
        _drop(connection)
        raise
    if wire.get_write_buffer_size():
        _drop(connection)  # answered before it had all: what is left of it must not precede another request
    connection.release()
    return HttpResponse(message.code, {name.lower(): value for name, value in message.headers.items()}, body)


def _drop(connection: Connection) -> None:
    """Close a connection without sending what it still holds of a request: nobody waits for its answer any more."""
    if connection.transport is not None and connection.transport.get_write_buffer_size():
        connection.transport.abort()
    connection.close()


async def _connection(pool: BaseConnector, destination: Destination, phase: Phase, timeout: float) -> Connection:
    while True:
        try:
            connection = await pool.connect(destination, [phase], _connect_timeout(timeout))
        except TimeoutError:
            raise ConnectTimeout(f"no connection could be made within {timeout:g} s") from None
        # aiohttp 3.14 looks for bytes that came in unasked when a connection comes back, and not when it goes out
        # again: what a server said meanwhile would count as the answer to our request, perhaps as its acceptance.
        protocol, wire = connection.protocol, connection.transport
        if protocol is not None and wire is not None and not protocol.should_close:
            return connection
        connection.close()


@lru_cache(maxsize=64)
def _connect_timeout(seconds: float) -> ClientTimeout:
    return ClientTimeout(total=None, sock_connect=seconds)


def _head(destination: Destination, target: str, request: HttpRequest) -> bytes:
    own = with_secrets(request.headers, request.secret_headers)
    names = {name.lower() for name in own}
    fixed = destination.all_lines
    if not names.isdisjoint(destination.lines):  # a header of the request takes the place of ours
        fixed = "".join([line for name, line in destination.lines.items() if name not in names])
    if request.body or request.method != "GET":
        own["Content-Length"] = str(len(request.body))
    lines = "".join([f"{name}: {value}\r\n" for name, value in own.items()])
    if lines.count("\n") != len(own) or lines.count("\r") != len(own) or "\0" in lines:
        raise ConfigurationError("a header of the request holds a line break or a zero byte")
    return f"{request.method} {target} HTTP/1.1\r\n{fixed}{lines}\r\n".encode()


async def _read(content: StreamReader, headers: CIMultiDictProxy[str], limit: int) -> bytes:
    """The body, decompressed, of at most ``limit`` bytes."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        if int(headers.get("Content-Length", limit + 1)) <= limit:
            # The parser takes no more than was announced; mostly all of it came with the head.
            return content.read_nowait() if content.is_eof() else await content.read()
        chunks: list[bytes] = []
        size = 0
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > limit:
                raise ResponseTooLarge("the answer is larger than max_body allows")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise _unreadable()
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by the header
    out = bytearray()
    empty = True
    async for chunk in content.iter_any():
        try:
            out += inflater.decompress(chunk, limit + 1 - len(out))
        except zlib.error:
            raise _unreadable() from None
        if len(out) > limit:
            raise ResponseTooLarge("the answer is larger than max_body allows")
        if inflater.unused_data:
            raise _unreadable()  # something stands behind the end, and zlib would keep all of it
        empty = False
    if not inflater.eof and not empty:
        raise _unreadable()  # cut short
    return bytes(out)


def _unreadable() -> ProtocolError:
    return ProtocolError("the answer is compressed in a way that cannot be read")
