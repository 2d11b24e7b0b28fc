"""A small web server for the callbacks of vendors: delivery reports and received messages.

The server knows no vendor. A vendor's ``parse`` turns a body into a value, the application's ``handle`` stores it, and
only then is the vendor answered 200. Vendors do not sign their callbacks, so none can be proved genuine. The server
therefore lets in as little as possible: the secret is compared before a byte of the body is read, bodies are small and
must arrive in time, and nothing secret or personal is written to a log.

Callbacks may come twice, late, out of order, and before the answer to the send that they belong to. Sorting that out is
the task of ``handle``, which has the database: store values by a key, and never move a message back from a final state.

When the vendor calls from outside, put the server behind a proxy that speaks TLS: otherwise Basic credentials can be
read on the way. The proxy should also limit the number of connections, which this server does not.
"""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mensasdk.delivery.guard import TOO_LARGE, Guard, Refusal, is_loopback
from mensasdk.errors import ConfigurationError, MensaError

__all__ = ["DeliveryReceiver"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Seconds for which the body of a refused request is still read, so that the caller can read the refusal.
_LINGER = 1.0


class DeliveryReceiver(Generic[T]):
    """Receiver of vendors' callbacks over HTTP.

    ====== ==============================================================================================
    answer when
    ====== ==============================================================================================
    200    ``handle`` has returned, so the value is stored
    400    ``parse`` raised a `MensaError`, or the body broke off
    401    Basic credentials are missing, wrong or malformed; the body was not read
    403    the caller's address is not allowed
    404    the secret in the path is missing or wrong; the body was not read
    405    the method is not POST
    408    the body was not complete after ``read_timeout``
    413    the body is larger than ``max_body``
    415    the body is compressed, or neither JSON nor a form
    417    the header ``Expect`` asks for anything but ``100-continue``
    500    ``parse`` or ``handle`` failed in another way; the vendor should call again
    ====== ==============================================================================================

    Args:
        parse: ``parse(body, content_type)`` returns the value, or raises a `MensaError` if the body is not as the
            vendor documents. ``content_type`` is the header as sent, with charset and boundary, or ``""`` without one.
        handle: awaited with the value before the vendor is answered. It may be called twice with the same value, and
            for several values at a time.
        user: Basic user name, without ``:``; None for an empty one.
        password: Basic password as set in the vendor's panel. Compared in UTF-8 and in Latin-1, because callers
            encode characters outside ASCII in either.
        path_secret: a long random word, such as ``secrets.token_urlsafe(32)``, that must be the last part of the called
            path, for vendors that send no credentials. Letters, digits and ``-._~``.
        insecure: allow that there is neither a password nor a path secret. Then only callers on the loopback interface
            are let in.
        max_body: largest body in bytes.
        read_timeout: seconds within which the headers of a request, and then its body, must be complete. The deadline
            for headers holds for `serve` only.
        allow_from: networks such as ``"203.0.113.0/24"`` from which callbacks are accepted; None for all.
        trusted_proxies: networks of your own proxies. ``X-Forwarded-For`` is believed only from these.

    Raises:
        ConfigurationError: there is neither a password nor a path secret, and not ``insecure``; or a value is invalid.
    """

    def __init__(
        self,
        parse: Callable[[bytes, str], T],
        handle: Callable[[T], Awaitable[None]],
        *,
        user: str | None = None,
        password: str | None = None,
        path_secret: str | None = None,
        insecure: bool = False,
        max_body: int = 65536,
        read_timeout: float = 10.0,
        allow_from: Sequence[str] | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self._guard = Guard(
            user=user,
            password=password,
            path_secret=path_secret,
            insecure=insecure,
            max_body=max_body,
            allow_from=allow_from,
            trusted_proxies=trusted_proxies,
        )
        if not 0 < read_timeout < math.inf:
            raise ConfigurationError("read_timeout must be a finite number of seconds above 0, such as 10.0")
        self._parse = parse
        self._handler = handle
        self._read_timeout = read_timeout

    def __repr__(self) -> str:
        return f"<DeliveryReceiver guarded by {self._guard}>"

    def app(self) -> web.Application:
        """Build a new application that answers on every path below its mount point.

        Mount it with ``your_app.add_subapp("/callbacks", receiver.app())``. Then your server's settings apply. Switch
        off its access log if there is a secret in the path. Its ``keepalive_timeout`` is the only deadline for a
        half-sent header.
        """
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer, expect_handler=self._expect)
        return app

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve callbacks while the context is open, and yield the URL.

        ``async with receiver.serve() as url``: the URL ends in ``/`` and does not contain the path secret; the vendor
        has to call ``url + path_secret``. At the end, callbacks that are being handled get ten seconds to finish.

        Args:
            host: address to bind.
            port: port to bind; with 0 the system chooses one.

        Raises:
            ConfigurationError: the receiver is insecure and ``host`` is not on the loopback interface.
            OSError: the address cannot be bound.
        """
        if self._guard.loopback_only and not is_loopback(host):
            raise ConfigurationError('host must be a loopback address, such as "127.0.0.1", for an insecure receiver')
        runner = web.AppRunner(
            self.app(),
            access_log=None,  # it would log the path with the secret
            logger=_http_log,
            auto_decompress=False,  # compressed bodies are refused, so they must not be decompressed
            # The only deadline for an incomplete header, at the start of a connection and between two requests.
            keepalive_timeout=self._read_timeout,
            lingering_time=_LINGER,
            shutdown_timeout=10.0,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound = runner.addresses[0]
            name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
            yield f"http://{name}:{bound[1]}/"
        finally:
            await runner.cleanup()

    async def _expect(self, request: web.Request) -> web.StreamResponse | None:
        """Answer ``Expect: 100-continue``, or send a refusal before the body is asked for."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            return _refuse(Refusal(417, "unknown expectation"))
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = await self._read(request)
        if isinstance(body, Refusal):
            return _refuse(body)
        try:
            value = self._parse(body, request.headers.get(hdrs.CONTENT_TYPE, ""))
        except MensaError as error:
            _log.warning("refused a callback that cannot be read (%s)", type(error).__name__)
            return _refuse(Refusal(400, "unreadable body"))
        except Exception as error:  # noqa: BLE001 - whatever failed, the vendor should call again
            _log_failure("parse", error)
            return web.Response(status=500, text="error")
        try:
            await self._handler(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # the server is shutting down
            _log_failure("handle", error)  # a task that handle awaited was cancelled
            return web.Response(status=500, text="error")
        except Exception as error:  # noqa: BLE001
            _log_failure("handle", error)
            return web.Response(status=500, text="error")
        return web.Response(text="OK")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return the refusal of a request, judged by its headers alone; None lets it in."""
        refusal = self._guard.refusal(
            method=request.method,
            path=request.match_info["path"],
            headers=request.headers.items(),
            peer=_peer(request),
            length=request.content_length,
        )
        return None if refusal is None else _refuse(refusal)

    async def _read(self, request: web.Request) -> bytes | Refusal:
        body = bytearray()
        try:
            async with asyncio.timeout(self._read_timeout):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > self._guard.max_body:
                        return TOO_LARGE
        except TimeoutError:
            return Refusal(408, "body not complete in time")
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            return Refusal(400, "broken body")
        return bytes(body)


def _refuse(refusal: Refusal) -> web.Response:
    response = web.Response(status=refusal.status, text=refusal.text)
    response.headers.update(refusal.headers)
    response.force_close()  # a body that is never read may be on its way
    return response


def _peer(request: web.Request) -> str | None:
    """Return the address at the other end of the connection; None on a Unix socket or a closed connection."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(name[0]) if isinstance(name, tuple) else None


def _log_failure(step: str, error: BaseException) -> None:
    """Log what failed and where, without the text of the error: databases put whole rows into it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without the frame of this file
    where = " <- ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames[-5:]))
    _log.error("%s failed on a callback, answered 500: %s at %s", step, type(error).__name__, where or "the call")


class _WithoutRequest(logging.Filter):
    """Filter that takes the request out of aiohttp's log records, which quote malformed headers with credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the text of a record by the type of the error, and let the record through."""
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        record.msg, record.args = "trouble on a callback connection (%s)", (kind.__name__ if kind else "no error",)
        record.exc_info = record.exc_text = record.stack_info = None
        return True


_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(_WithoutRequest())
