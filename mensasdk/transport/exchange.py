"""Send one request and read its answer, on a connection of aiohttp's pool.

aiohttp makes, secures, keeps and hands out the connections, and parses the answers. Its client session is not used: it
would repeat a GET by itself when a connection drops, follow redirects, keep cookies, decompress without a limit, and
tell only by signals whether anything had been sent. This module is shorter than code that switches all of that off,
takes half of the instructions, and knows the moment at which the first byte may leave.
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
    """Check that aiohttp has the classes and methods that `exchange` uses; some of them are not documented.

    They are checked before the first request, because a missing one in the middle of a request would make it UNKNOWN.

    Raises:
        ConfigurationError: one of them is missing.
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
        raise ConfigurationError(f"mensasdk does not work with aiohttp {aiohttp.__version__}; install aiohttp 3.14")


class Phase(Trace):
    """Progress of one attempt, which separates NOT_SENT from UNKNOWN.

    Attributes:
        queued: the attempt is waiting for a connection of the pool to become free. The pool reports this to a trace.
        sent: the first byte of the request may have left.
    """

    def __init__(self) -> None:
        super().__init__(None, _NO_SIGNALS, None)  # type: ignore[arg-type]  # only its signals use them
        self.queued = False
        self.sent = False

    async def send_connection_queued_start(self) -> None:
        """Note that the attempt waits for a connection."""
        self.queued = True

    async def send_connection_queued_end(self) -> None:
        """Note that the attempt has got a connection."""
        self.queued = False

    async def send_connection_reuseconn(self) -> None:
        """Do nothing: nearly every request uses a connection again, and this is quicker than the base method."""


class Destination(ClientRequest):
    """Destination of requests, in the form that the pool needs; one object serves all requests to an origin.

    Args:
        origin: scheme, host and port.
        proxy: URL of the proxy for all requests; None for no proxy.
        proxy_headers: secret headers for the proxy.
        ssl: aiohttp's setting for the check of certificates.
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
        # Computed once: the pool adds its own headers for the proxy later, and the key must stay the same.
        self._key = super().connection_key
        headers = {"Host": self.headers["Host"], **_HEADERS}
        self.lines = {name.lower(): f"{name}: {value}\r\n" for name, value in headers.items()}
        self.all_lines = "".join(self.lines.values())

    @property
    def connection_key(self) -> ConnectionKey:
        """Key by which the pool finds connections to this destination."""
        return self._key


def with_secrets(plain: Mapping[str, str], secret: Mapping[str, Secret]) -> dict[str, str]:
    """Return the headers together with the secret headers, in plain text."""
    headers = dict(plain)
    for name, value in secret.items():
        headers[name] = value.reveal()
    return headers


def split_target(request: HttpRequest) -> tuple[str, str]:
    """Split the URL of a request into its origin and the rest, and add the secrets of the query to the rest.

    Raises:
        ConfigurationError: the URL is not absolute, or holds characters that have to be percent-encoded.
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
        pool: the pool of connections.
        destination: the destination of the request.
        target: path and query of the request, with secrets.
        request: the request, of which method, headers and body are used.
        phase: keeps the progress of the attempt.
        connect_timeout: seconds for making a connection.
        max_body: the most bytes of a decompressed answer.

    Raises:
        ConnectTimeout: no connection could be made in time.
        ResponseTooLarge: the answer has more than ``max_body`` bytes.
        ProtocolError: the answer is compressed in a way that cannot be read.
        ConfigurationError: a header holds a line break or a zero byte.
        Exception: any exception of aiohttp, possibly with a URL in its text.
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
                break  # an answer with another 1xx status is followed by the final one
        body = await _read(content, message.headers, max_body)
    except BaseException:
        _drop(connection)
        raise
    if wire.get_write_buffer_size():
        _drop(connection)  # answered early: the unsent rest must not be sent in front of the next request
    connection.release()
    return HttpResponse(message.code, {name.lower(): value for name, value in message.headers.items()}, body)


def _drop(connection: Connection) -> None:
    """Close a connection without sending the rest of its request, because nobody waits for the answer any more."""
    if connection.transport is not None and connection.transport.get_write_buffer_size():
        connection.transport.abort()
    connection.close()


async def _connection(pool: BaseConnector, destination: Destination, phase: Phase, timeout: float) -> Connection:
    while True:
        try:
            connection = await pool.connect(destination, [phase], _connect_timeout(timeout))
        except TimeoutError:
            raise ConnectTimeout(f"no connection could be made within {timeout:g} s") from None
        # aiohttp 3.14 checks a connection for unexpected bytes when it returns to the pool, but not when it is taken
        # out again. Bytes that the server sent in between would be read as the answer to our request, perhaps as its
        # acceptance. So it is checked here.
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
    if not names.isdisjoint(destination.lines):  # a header of the request replaces the default one
        fixed = "".join([line for name, line in destination.lines.items() if name not in names])
    if request.body or request.method != "GET":
        own["Content-Length"] = str(len(request.body))
    lines = "".join([f"{name}: {value}\r\n" for name, value in own.items()])
    if lines.count("\n") != len(own) or lines.count("\r") != len(own) or "\0" in lines:
        raise ConfigurationError("a header of the request holds a line break or a zero byte")
    return f"{request.method} {target} HTTP/1.1\r\n{fixed}{lines}\r\n".encode()


async def _read(content: StreamReader, headers: CIMultiDictProxy[str], limit: int) -> bytes:
    """Read the body and decompress it; raise `ResponseTooLarge` above ``limit`` bytes."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        if int(headers.get("Content-Length", limit + 1)) <= limit:
            # The parser takes no more bytes than announced. Mostly all of them came together with the headers.
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
            raise _unreadable()  # there are bytes behind the end, and zlib would keep all of them in memory
        empty = False
    if not inflater.eof and not empty:
        raise _unreadable()  # cut short
    return bytes(out)


def _unreadable() -> ProtocolError:
    return ProtocolError("the answer is compressed in a way that cannot be read")
