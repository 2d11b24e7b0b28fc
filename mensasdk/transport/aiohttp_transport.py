"""The default transport: one pooled aiohttp session, made lazily in the running loop."""

from __future__ import annotations

import asyncio
import io
import ssl
import warnings
import zlib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout, TraceConfig, hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from mensasdk._version import __version__
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
    TransportError,
)
from mensasdk.transport.base import HttpRequest, HttpResponse, Timeouts, is_loopback, mark_cancelled, split_url
from mensasdk.transport.redact import Secret

__all__ = ["AiohttpTransport"]

DEFAULT_MAX_BODY: Final = 8 * 1024 * 1024
_MEBIBYTE: Final = 1024 * 1024
_USER_AGENT: Final = f"mensasdk/{__version__}"


class _Phase:
    """How far one attempt came: the line between NOT_SENT and UNKNOWN."""

    __slots__ = ("queued", "sent")

    def __init__(self) -> None:
        self.queued = False
        self.sent = False


_PHASE: ContextVar[_Phase] = ContextVar("mensasdk.transport.phase")
"""Of the attempt that this task makes; it makes one at a time."""


class _DroppedError(Exception):
    """Stands in for aiohttp's own errors, which would make it repeat a GET by itself."""


class _TooLargeError(Exception):
    pass


class _EncodingError(Exception):
    pass


async def _never_repeat(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    # aiohttp repeats an idempotent method once when the connection drops, and offers no switch. One vendor sends
    # paid SMS by GET, so one call could become two SMS. aiohttp decides by the type of the exception: we change it.
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise  # never repeated by aiohttp; `send` tells them apart
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        failure = _DroppedError()
    raise failure


class _Connector(aiohttp.TCPConnector):
    """A pool that says how far an attempt came, and gives out no connection on which something came in unasked.

    aiohttp 3.14 looks for that when a connection comes back, but not when it goes out again: what a server said on
    an idle connection would count as the answer to the next request, perhaps as its acceptance.
    """

    async def connect(self, req: ClientRequest, traces: list[Any], timeout: ClientTimeout) -> Connection:
        phase = _PHASE.get()
        phase.queued = True
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close:
                # The request is written to it now, with nothing to wait for in between.
                phase.queued, phase.sent = False, True
                return connection
            connection.close()

    async def _create_connection(
        self, req: ClientRequest, traces: list[Any], timeout: ClientTimeout
    ) -> ResponseHandler:
        _PHASE.get().queued = False
        return await super()._create_connection(req, traces, timeout)


async def _on_queued_start(_session: Any, context: Any, _params: Any) -> None:
    context.trace_request_ctx.queued = True


async def _on_queued_end(_session: Any, context: Any, _params: Any) -> None:
    context.trace_request_ctx.queued = False


async def _on_headers_sent(_session: Any, context: Any, _params: Any) -> None:
    context.trace_request_ctx.sent = True


def _trace_config() -> TraceConfig:
    # For a borrowed pool, which does not tell us itself; it takes a tenth of a request. The headers signal fires as
    # the request is handed to an open connection, and not for DNS, connect, TLS, proxy or pool failures: whatever
    # fails before it left no byte of ours anywhere.
    trace: TraceConfig = TraceConfig()
    trace.on_connection_queued_start.append(_on_queued_start)
    trace.on_connection_queued_end.append(_on_queued_end)
    trace.on_request_headers_sent.append(_on_headers_sent)
    return trace


def _with_secrets(plain: Mapping[str, str], secret: Mapping[str, Secret]) -> dict[str, str]:
    headers = dict(plain)
    for name, value in secret.items():
        headers[name] = value.reveal()
    return headers


@lru_cache(maxsize=64)
def _connect_timeout(seconds: float) -> ClientTimeout:
    return ClientTimeout(total=None, sock_connect=seconds)


@lru_cache(maxsize=64)
def _check_plain(origin: str, proxy: str | None) -> None:
    """Refuse what would show the request to the network. The URL is read as the client below will read it."""
    parts = URL(origin, encoded=True)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not is_loopback(parts.host):
        raise ConfigurationError("plain http goes to this machine only; use https")
    if proxy is not None:
        raise ConfigurationError("plain http goes to this machine only, and through no proxy; use https")


def _target(request: HttpRequest) -> URL:
    if not request.secret_query:
        return URL(request.url, encoded=True)
    joint = "&" if "?" in request.url else "?"
    pairs = [f"{quote(name, safe='')}={quote(value.reveal(), safe='')}" for name, value in request.secret_query.items()]
    return URL(f"{request.url}{joint}{'&'.join(pairs)}", encoded=True)


class AiohttpTransport:
    """Sends requests over one pool of keep-alive connections.

    The session is made at the first request, in the loop that runs then, and belongs to that loop. Certificates are
    always verified, redirects never followed, cookies and environment variables ignored, and aiohttp's own repeating
    of dropped GETs is off.

    Args:
        pool_size: connections open at once; further requests wait for one.
        max_body: bytes; a decompressed answer that is larger raises `ResponseTooLarge`.
        ca_file: a PEM file with authorities to trust besides the system's.
        proxy: URL of an HTTP proxy. ``proxy_headers`` may hold a ``Proxy-Authorization``.
        proxy_headers: secret headers for the proxy.
        session: an aiohttp session whose connection pool is borrowed. Only the pool is: the session's headers,
            cookies and credentials are not used, certificates are verified whatever it says, and it is left open.
            Unlike an own pool, it does not notice what a server says unasked on an idle connection.

    Errors: every exception that leaves is a `mensasdk` error without a ``__context__``, or `asyncio.CancelledError`.
    """

    def __init__(
        self,
        *,
        pool_size: int = 100,
        max_body: int = DEFAULT_MAX_BODY,
        ca_file: str | Path | None = None,
        proxy: str | None = None,
        proxy_headers: Mapping[str, Secret] | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        if pool_size < 1:
            raise ConfigurationError("pool_size must be 1 or more")
        if max_body < 1:
            raise ConfigurationError("max_body must be 1 byte or more")
        if proxy is not None:
            parts = split_url(proxy)
            if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ConfigurationError(
                    "proxy must be an http:// or https:// URL, such as http://proxy.example.com:3128"
                )
            if parts.username is not None:
                raise ConfigurationError("proxy must hold no password; give it in proxy_headers")
        self._pool_size = pool_size
        self._max_body = max_body
        self._ca_file = ca_file
        self._proxy = proxy
        self._proxy_headers = proxy_headers
        self._borrowed = session
        self._session: aiohttp.ClientSession | None = None
        self._ssl: ssl.SSLContext | bool = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._session else "not yet opened"
        return f"<AiohttpTransport pool_size={self._pool_size} {state}>"

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse:
        """Make one request and read its whole answer.

        Args:
            request: what to send.
            timeouts: ``total`` bounds everything in here, ``connect`` the making of a connection.

        Returns:
            The answer, whatever its status.

        Raises:
            ConnectError: (or a kind of it) nothing was sent.
            PoolTimeout: no connection became free in time; nothing was sent.
            DeadlineExceeded: NOT_SENT or UNKNOWN by whether the request had left.
            ConnectionLost: UNKNOWN.
            ProtocolError: UNKNOWN.
            ResponseTooLarge: UNKNOWN.
            ConfigurationError: the transport is closed, belongs to another loop, or the URL is plain http to
                another machine.
        """
        result = await self._attempt(request, timeouts)
        if isinstance(result, HttpResponse):
            return result
        # Raised here, outside of any except block and in a frame without aiohttp objects: neither ``__context__``
        # nor the locals of the traceback lead to a URL or header with a secret in it. A cancellation is the one that
        # came, so that `asyncio.timeout` and task groups around us know it for theirs.
        result.__cause__ = result.__context__ = None
        raise result.with_traceback(None)

    async def aclose(self) -> None:
        """Close the pool. Calling it again does nothing. A borrowed session stays open."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def __del__(self) -> None:
        if getattr(self, "_session", None) is not None:
            warnings.warn(
                f"unclosed {self!r}; use `async with` or aclose()", ResourceWarning, stacklevel=2, source=self
            )

    async def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise ConfigurationError("this client belongs to another event loop; make one client for each loop")
        self._loop = loop
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:  # the first requests of a batch come together; one of them opens
            lax = self._borrowed is not None and not _verifies(self._borrowed.connector)
            if self._ssl is True and (self._ca_file is not None or lax):
                # Building a context reads and parses some 150 certificates; a busy loop must not wait for that.
                self._ssl = await asyncio.to_thread(_ssl_context, self._ca_file)
            if self._closed:  # meanwhile
                raise ConfigurationError("this client is closed; make a new one")
            if self._session is None:
                self._session = self._make_session()
            if self._session.closed:
                raise ConfigurationError("the borrowed session is closed")
            return self._session

    def _make_session(self) -> aiohttp.ClientSession:
        connector: aiohttp.BaseConnector | None
        if self._borrowed is None:
            connector = _Connector(limit=self._pool_size)
        else:
            connector = self._borrowed.connector
            if connector is None or connector.closed:
                raise ConfigurationError("the borrowed session is closed")
            if getattr(connector, "_loop", self._loop) is not self._loop:
                raise ConfigurationError("the borrowed session belongs to another event loop")
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=self._borrowed is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # aiohttp would decompress without a bound; `_read` has one
            trust_env=False,
            trace_configs=None if self._borrowed is None else [_trace_config()],
            headers={hdrs.USER_AGENT: _USER_AGENT, hdrs.ACCEPT_ENCODING: "gzip"},
        )

    async def _attempt(
        self, request: HttpRequest, timeouts: Timeouts
    ) -> HttpResponse | MensaError | asyncio.CancelledError:
        phase = _Phase()
        _PHASE.set(phase)
        try:
            if not request.url.startswith("https://"):
                # Scheme and host stand before the first slash, whatever comes after it.
                _check_plain(request.url[: request.url.find("/", 8)], self._proxy)
            async with asyncio.timeout(timeouts.total):
                session = self._session
                if session is None or session.closed or self._loop is not asyncio.get_running_loop():
                    session = await self._open()
                async with session.request(
                    request.method,
                    _target(request),
                    # aiohttp warns of large bytes, which it would hand to the socket in one piece
                    data=io.BytesIO(request.body) if len(request.body) > _MEBIBYTE else request.body or None,
                    headers=_with_secrets(request.headers, request.secret_headers),
                    allow_redirects=False,
                    timeout=_connect_timeout(timeouts.connect),
                    ssl=self._ssl,
                    proxy=self._proxy,
                    proxy_headers=_with_secrets({}, self._proxy_headers) if self._proxy_headers else None,
                    middlewares=None if request.method == "POST" else (_never_repeat,),
                    trace_request_ctx=phase,
                ) as response:
                    body = await self._read(response)
                    return HttpResponse(
                        response.status, {name.lower(): value for name, value in response.headers.items()}, body
                    )
        except asyncio.CancelledError as cancelled:
            mark_cancelled(cancelled, OutcomeKind.UNKNOWN if phase.sent else OutcomeKind.NOT_SENT)
            return cancelled  # `send` raises it again
        except MensaError as error:
            return error
        except Exception as error:  # noqa: BLE001 - nothing but our own errors may leave: see `_translate`
            return _translate(error, phase, timeouts)

    async def _read(self, response: ClientResponse) -> bytes:
        limit = self._max_body
        encoding = response.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
        if encoding in {"", "identity"}:
            if (response.content_length or limit + 1) <= limit:
                return await response.content.read()  # the parser takes no more than was announced
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > limit:
                    raise _TooLargeError
                chunks.append(chunk)
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if encoding not in {"gzip", "x-gzip", "deflate"}:
            raise _EncodingError
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by the header
        out = bytearray()
        empty = True
        async for chunk in response.content.iter_any():
            out += inflater.decompress(chunk, limit + 1 - len(out))
            if len(out) > limit:
                raise _TooLargeError
            if inflater.unused_data:
                raise _EncodingError  # something stands behind the end, and zlib would keep all of it
            empty = False
        if not inflater.eof and not empty:
            raise _EncodingError  # cut short
        return bytes(out)


def _verifies(connector: aiohttp.BaseConnector | None) -> bool:
    """Whether a borrowed pool checks certificates by itself; where that cannot be told, it counts as a no."""
    setting = getattr(connector, "_ssl", None)
    if isinstance(setting, ssl.SSLContext):
        return setting.verify_mode is ssl.CERT_REQUIRED and setting.check_hostname
    return setting is True


def _ssl_context(ca_file: str | Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"ca_file cannot be read as PEM certificates: {error}") from None
    return context


def _translate(error: Exception, phase: _Phase, timeouts: Timeouts) -> MensaError:
    """Turn whatever went wrong into one of our errors, by type alone: the texts of aiohttp's errors hold URLs."""
    outcome = OutcomeKind.UNKNOWN if phase.sent else OutcomeKind.NOT_SENT
    kind = type(error).__name__
    match error:
        case _TooLargeError():
            return ResponseTooLarge("the answer is larger than max_body allows")
        case _EncodingError() | zlib.error():
            return ProtocolError("the answer is compressed in a way that cannot be read")
        case aiohttp.ClientProxyConnectionError():
            return ProxyError("no connection to the proxy could be made")
        case aiohttp.ClientHttpProxyError():
            # A proxy that asks for credentials, or forbids, will do so again.
            return ProxyError(
                f"the proxy refused with status {error.status}",
                code=str(error.status),
                retryable=error.status >= 500,
            )
        case aiohttp.ClientSSLError() | ssl.SSLError() if not phase.sent:
            return TLSError("no trusted TLS connection could be made: the certificate or protocol was refused")
        case aiohttp.ClientConnectorDNSError():
            return ConnectError("the host name could not be resolved")
        case aiohttp.ClientConnectorError():
            return ConnectError("no connection could be made")
        case aiohttp.ConnectionTimeoutError():
            return ConnectTimeout(f"no connection could be made within {timeouts.connect:g} s")
        case TimeoutError() if phase.queued:
            return PoolTimeout(f"no connection of the pool became free within {timeouts.total:g} s")
        case TimeoutError():
            when = "waiting for the answer" if phase.sent else "connecting"
            return DeadlineExceeded(f"the time allowed ran out while {when}", outcome=outcome)
        case _DroppedError() | aiohttp.ServerDisconnectedError() | OSError() if phase.sent:
            return ConnectionLost("the connection was lost before a whole answer was in")
        case _DroppedError() | aiohttp.ServerDisconnectedError() | OSError():
            return ConnectError("the connection was lost before anything was sent")
        case aiohttp.ClientPayloadError():
            return ProtocolError("the body of the answer is shorter than announced or malformed")
        case aiohttp.ClientError():
            return ProtocolError(f"the answer is not valid HTTP ({kind})", outcome=outcome)
        case _:
            # A defect, of ours or of a library. It is not repeated, and its text may hold anything.
            return TransportError(f"the request failed with {kind}", outcome=outcome, retryable=False)
