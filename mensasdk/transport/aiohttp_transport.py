"""Default transport: one aiohttp pool of connections, which is made at the first request."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from mensasdk.arguments import check_count, check_kind
from mensasdk.errors import (
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    MensaError,
    OutcomeKind,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    TLSError,
    TransportError,
)
from mensasdk.transport.base import HttpRequest, HttpResponse, Timeouts, is_loopback, mark_cancelled, split_url
from mensasdk.transport.exchange import Destination, Phase, check_aiohttp, exchange, split_target
from mensasdk.transport.redact import Secret

__all__ = ["AiohttpTransport"]

DEFAULT_MAX_BODY: Final = 8 * 1024 * 1024


@lru_cache(maxsize=64)
def _check_plain(origin: str, proxy: str | None) -> None:
    """Refuse plain http to another machine. The URL is read with yarl, as aiohttp will read it."""
    parts = URL(origin, encoded=True)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not is_loopback(parts.host):
        raise ConfigurationError("plain http is allowed to this machine only; use https")
    if proxy is not None:
        raise ConfigurationError("plain http is allowed to this machine only, and not through a proxy; use https")


class AiohttpTransport:
    """Transport that sends requests over one pool of keep-alive connections.

    The pool is made at the first request and belongs to the event loop of that request. Certificates are always
    verified, redirects are never followed, cookies and environment variables are ignored, and nothing is repeated.
    Every exception that leaves the transport is a `mensasdk` error without a ``__context__``, or
    `asyncio.CancelledError`.

    Args:
        pool_size: the most connections that are open at once; further requests wait for one.
        max_body: bytes; a larger answer (decompressed) raises `ResponseTooLarge`.
        ca_file: a PEM file with authorities to trust besides the system's.
        proxy: URL of an HTTP proxy. ``proxy_headers`` may hold a ``Proxy-Authorization``.
        proxy_headers: secret headers for the proxy.
        session: an aiohttp session whose connection pool is borrowed. Only the pool is used, not the session's headers,
            cookies and credentials. Certificates are verified whatever the session's settings, and the session is not
            closed.

    Raises:
        ConfigurationError: an argument is not as described, or the URL of the proxy holds a password.
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
        check_count("pool_size", pool_size)
        check_count("max_body", max_body)
        check_kind("ca_file", ca_file, (str, Path, NoneType), "the path of a PEM file")
        check_kind("session", session, (aiohttp.ClientSession, NoneType), "an aiohttp.ClientSession")
        check_kind("proxy_headers", proxy_headers, (Mapping, NoneType), "a mapping of names to Secret values")
        for name, value in (proxy_headers or {}).items():
            check_kind(f"proxy_headers[{name!r}]", value, Secret, 'a Secret, as in Secret("Basic ...")')
        if proxy is not None:
            check_kind("proxy", proxy, str, "a URL, such as http://proxy.example.com:3128")
            parts = split_url(proxy)
            if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ConfigurationError(
                    "proxy must be an http:// or https:// URL, such as http://proxy.example.com:3128"
                )
            if parts.username is not None:
                raise ConfigurationError("proxy must not hold a user or password; give them in proxy_headers")
        self._pool_size = pool_size
        self._max_body = max_body
        self._ca_file = ca_file
        self._proxy = proxy
        self._proxy_headers = proxy_headers
        self._borrowed = session
        self._pool: aiohttp.BaseConnector | None = None
        self._destinations: dict[str, Destination] = {}
        self._ssl: ssl.SSLContext | bool = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._pool else "not yet opened"
        return f"<AiohttpTransport pool_size={self._pool_size} {state}>"

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse:
        """Send one request and read its whole answer.

        Args:
            request: the request to send.
            timeouts: ``total`` limits the whole call of this method, ``connect`` the making of a connection.

        Returns:
            The answer, whatever its status.

        Raises:
            ConnectError: (or a subclass) no connection could be made; NOT_SENT.
            PoolTimeout: no connection became free in time; NOT_SENT.
            DeadlineExceeded: the time ran out; UNKNOWN if the request may have left, else NOT_SENT.
            ConnectionLost: the connection was lost before the whole answer had arrived; UNKNOWN.
            ProtocolError: the answer is not valid HTTP; UNKNOWN if the request may have left, else NOT_SENT.
            ResponseTooLarge: the answer is larger than ``max_body``; UNKNOWN.
            ConfigurationError: the transport is closed, belongs to another loop, or the URL is plain http to
                another machine.
        """
        result = await self._attempt(request, timeouts)
        if isinstance(result, HttpResponse):
            return result
        # Raised here, outside of any except block and in a frame without aiohttp objects: so neither ``__context__``
        # nor the locals of the traceback lead to a URL or header with a secret in it. A cancellation is raised again as
        # the same object, so that `asyncio.timeout` and task groups around us recognise it.
        result.__cause__ = result.__context__ = None
        raise result.with_traceback(None)

    async def aclose(self) -> None:
        """Close the pool. A second call does nothing. A borrowed session stays open."""
        self._closed = True
        pool, self._pool = self._pool, None
        self._destinations.clear()
        if pool is not None and self._borrowed is None:
            await pool.close()

    def __del__(self) -> None:
        if getattr(self, "_pool", None) is not None:
            warnings.warn(
                f"unclosed {self!r}; use `async with` or aclose()", ResourceWarning, stacklevel=2, source=self
            )

    async def _open(self) -> aiohttp.BaseConnector:
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise ConfigurationError("this client belongs to another event loop; make one client for each loop")
        self._loop = loop
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:  # many first requests may come at once, and only one of them makes the pool
            lax = self._borrowed is not None and not _verifies(self._borrowed.connector)
            if self._ssl is True and (self._ca_file is not None or lax):
                # In a thread: to make a context, some 150 certificates are read, and the loop must not wait for that.
                self._ssl = await asyncio.to_thread(_ssl_context, self._ca_file)
            if self._closed:  # in the meantime
                raise ConfigurationError("this client is closed; make a new one")
            if self._pool is None:
                self._pool = self._make_pool()
            if self._pool.closed:
                raise ConfigurationError("the borrowed session is closed")
            return self._pool

    def _make_pool(self) -> aiohttp.BaseConnector:
        check_aiohttp()
        if self._borrowed is None:
            return aiohttp.TCPConnector(limit=self._pool_size)
        connector = self._borrowed.connector
        if connector is None or connector.closed:
            raise ConfigurationError("the borrowed session is closed")
        if getattr(connector, "_loop", self._loop) is not self._loop:
            raise ConfigurationError("the borrowed session belongs to another event loop")
        return connector

    async def _attempt(
        self, request: HttpRequest, timeouts: Timeouts
    ) -> HttpResponse | MensaError | asyncio.CancelledError:
        phase = Phase()
        try:
            origin, target = split_target(request)
            async with asyncio.timeout(timeouts.total):
                pool = self._pool
                if pool is None or pool.closed or self._loop is not asyncio.get_running_loop():
                    pool = await self._open()
                destination = self._destinations.get(origin) or self._add_destination(origin)
                return await exchange(
                    pool,
                    destination,
                    target,
                    request,
                    phase=phase,
                    connect_timeout=timeouts.connect,
                    max_body=self._max_body,
                )
        except asyncio.CancelledError as cancelled:
            mark_cancelled(cancelled, OutcomeKind.UNKNOWN if phase.sent else OutcomeKind.NOT_SENT)
            return cancelled  # `send` raises it again
        except MensaError as error:
            return error
        except Exception as error:  # noqa: BLE001 - only our own errors may leave: see `_translate`
            return _translate(error, phase, timeouts)

    def _add_destination(self, origin: str) -> Destination:
        _check_plain(origin, self._proxy)
        self._destinations[origin] = destination = Destination(
            origin, proxy=self._proxy, proxy_headers=self._proxy_headers, ssl=self._ssl
        )
        return destination


def _verifies(connector: aiohttp.BaseConnector | None) -> bool:
    """Return whether a borrowed pool checks certificates by itself; False if that cannot be told."""
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


def _translate(error: Exception, phase: Phase, timeouts: Timeouts) -> MensaError:
    """Turn an exception into one of our errors, by its type alone: the texts of aiohttp's errors hold URLs."""
    outcome = OutcomeKind.UNKNOWN if phase.sent else OutcomeKind.NOT_SENT
    kind = type(error).__name__
    match error:
        case aiohttp.ClientProxyConnectionError():
            return ProxyError("no connection to the proxy could be made")
        case aiohttp.ClientHttpProxyError():
            # Only 5xx is worth a repetition: a proxy that asks for credentials, or forbids, would do so again.
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
        case TimeoutError() if phase.queued:
            return PoolTimeout(f"no connection of the pool became free within {timeouts.total:g} s")
        case TimeoutError():
            when = "waiting for the answer" if phase.sent else "connecting"
            return DeadlineExceeded(f"the time allowed ran out while {when}", outcome=outcome)
        case aiohttp.ServerDisconnectedError() | OSError() if phase.sent:
            return ConnectionLost("the connection was lost before the whole answer had arrived")
        case aiohttp.ServerDisconnectedError() | OSError():
            return ConnectError("the connection was lost before anything was sent")
        case aiohttp.ClientPayloadError():
            return ProtocolError("the body of the answer is shorter than announced or malformed")
        case aiohttp.ClientError() | HttpProcessingError():
            return ProtocolError(f"the answer is not valid HTTP ({kind})", outcome=outcome)
        case _:
            # A defect of ours or of a library. It is not repeated, and its text is left out: it may hold a secret.
            return TransportError(f"the request failed with {kind}", outcome=outcome, retryable=False)
