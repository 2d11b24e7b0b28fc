"""A small web server for what vendors call back: delivery reports and received messages.

It knows no vendor. A vendor's ``parse`` turns a body into a value, the application's ``handle`` stores it, and only
then does the vendor hear 200. What vendors do not sign cannot be proved genuine, so everything here is about letting in
as little as possible: the secret is compared before a byte of the body is read, bodies are small and must come in
time, and nothing that is secret or personal is written to a log.

Callbacks come twice, late and out of order, and before the answer to the send that they belong to. Sorting that out
is the task of ``handle``, which has the database: key what is stored, and never move a message back from a final state.

Put it behind a proxy that speaks TLS when the vendor calls from outside: Basic credentials are readable on the way
otherwise. The proxy should also limit the number of connections, which this server does not.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import math
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Generic, TypeVar

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mensasdk.errors import ConfigurationError, MensaError

__all__ = ["DeliveryReceiver"]

T = TypeVar("T")
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_log = logging.getLogger(__name__)

_MEDIA_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})
# What needs no escaping in a path, so that the secret is compared with exactly what the vendor was given.
_PATH_SECRET = re.compile(r"[A-Za-z0-9._~-]+")
# Seconds for which a refused body is still drained, so that the caller gets to read the refusal.
_LINGER = 1.0


class DeliveryReceiver(Generic[T]):
    """Receives vendors' callbacks over HTTP.

    ====== ==============================================================================================
    answer when
    ====== ==============================================================================================
    200    ``handle`` has returned: what it stored is stored
    400    ``parse`` raised a `MensaError`, or the body broke off
    401    Basic credentials are missing, wrong or malformed; the body was not read
    403    the caller's address is not allowed
    404    the secret in the path is missing or wrong; the body was not read
    405    the method is not POST
    408    the body was not complete after ``read_timeout``
    413    the body is larger than ``max_body``
    415    the body is compressed, or neither JSON nor a form
    500    ``parse`` or ``handle`` failed in another way, so that the vendor calls again
    ====== ==============================================================================================

    Args:
        parse: ``parse(body, content_type)`` gives the value, or raises a `MensaError` if the body is not what the
            vendor documents. ``content_type`` is the header as sent, with charset and boundary, or ``""`` without one.
        handle: awaited with the value before the vendor is answered. It may be called twice with the same value, and
            for several values at a time.
        user: Basic user name; none means an empty one. Without ``:``.
        password: Basic password as set in the vendor's panel. Compared in UTF-8 and in Latin-1, because callers
            differ in how they encode what is not ASCII.
        path_secret: a long random word that must be the last part of the called path, for vendors that send no
            credentials: ``secrets.token_urlsafe(32)``. Letters, digits and ``-._~``.
        insecure: allow neither password nor path secret. Then only callers on the loopback interface are served.
        max_body: largest body in bytes.
        read_timeout: seconds within which a request's headers, and then its body, must be complete. (The headers'
            deadline holds for `serve` only.)
        allow_from: networks such as ``"203.0.113.0/24"`` from which calls are accepted; None for all.
        trusted_proxies: networks of your own proxies. Only what comes from there is believed in
            ``X-Forwarded-For``.

    Raises:
        ConfigurationError: neither password nor path secret, and not ``insecure``; or a value that cannot work.
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
        if password is not None and not password.strip():
            raise ConfigurationError("password is empty; give the one that is set in the vendor's panel, or None")
        if user is not None and password is None:
            raise ConfigurationError("user is given without a password")
        if user is not None and ":" in user:
            raise ConfigurationError("user contains a colon, which Basic authentication cannot carry")
        if path_secret is not None and not _PATH_SECRET.fullmatch(path_secret):
            raise ConfigurationError("path_secret must be a word of letters, digits and -._~ that is not empty")
        if password is None and path_secret is None and not insecure:
            raise ConfigurationError(
                "a receiver needs a password or a path_secret; insecure=True allows neither, on loopback only"
            )
        if max_body < 1:
            raise ConfigurationError("max_body must be at least 1 byte")
        if not 0 < read_timeout < math.inf:
            raise ConfigurationError("read_timeout must be a finite number of seconds above 0")
        self._parse = parse
        self._handler = handle
        self._credentials = _encodings(user or "", password) if password is not None else ()
        self._path_secret = path_secret.encode() if path_secret is not None else None
        self._loopback_only = password is None and path_secret is None
        self._max_body = max_body
        self._read_timeout = read_timeout
        self._allow_from = _networks("allow_from", allow_from) if allow_from is not None else None
        self._trusted_proxies = _networks("trusted_proxies", trusted_proxies)

    def __repr__(self) -> str:
        guards = [
            name for name, present in (("password", self._credentials), ("path_secret", self._path_secret)) if present
        ]
        return f"<DeliveryReceiver guarded by {' and '.join(guards) or 'loopback only'}>"

    def app(self) -> web.Application:
        """A new application that answers on every path below where it is mounted.

        Mount it with ``your_app.add_subapp("/callbacks", receiver.app())``. Then your server's settings apply: switch
        off its access log if there is a secret in the path, and mind that its ``keepalive_timeout`` is the only
        deadline for a half-sent header.
        """
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer, expect_handler=self._expect)
        return app

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve while the context is open.

        ``async with receiver.serve() as url``: the URL ends in ``/`` and does not contain the path secret; what the
        vendor calls is ``url + path_secret``. On leaving, calls that are being handled get ten seconds to finish.

        Args:
            host: address to bind.
            port: 0 lets the system choose.

        Raises:
            ConfigurationError: the receiver is insecure and ``host`` is not on the loopback interface.
            OSError: the address cannot be bound.
        """
        if self._loopback_only and not _is_loopback_name(host):
            raise ConfigurationError("an insecure receiver binds to a loopback address only")
        runner = web.AppRunner(
            self.app(),
            access_log=None,  # it would write the path, and with it the secret
            logger=_http_log,
            auto_decompress=False,  # compressed bodies are refused, so nothing should inflate them
            # This is what ends a connection without a complete header, at its start and between two requests.
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
        """Answer ``Expect: 100-continue``: whoever is refused is told so before the body is asked for."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            return _refuse(417, "unknown expectation")
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = await self._read(request)
        if isinstance(body, web.Response):
            return body
        try:
            value = self._parse(body, request.headers.get(hdrs.CONTENT_TYPE, ""))
        except MensaError as error:
            _log.warning("refused a callback that cannot be read (%s)", type(error).__name__)
            return _refuse(400, "unreadable body")
        except Exception as error:  # noqa: BLE001 - whatever it is, the vendor shall call again
            _log_failure("parse", error)
            return web.Response(status=500, text="error")
        try:
            await self._handler(value)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # the server is going down
            _log_failure("handle", error)  # something that it awaited was cancelled
            return web.Response(status=500, text="error")
        except Exception as error:  # noqa: BLE001
            _log_failure("handle", error)
            return web.Response(status=500, text="error")
        return web.Response(text="OK")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """The answer to whoever must not come in, from the headers alone."""
        if not self._address_allowed(request):
            return _refuse(403, "address not allowed")
        if self._credentials and not self._authorised(request):
            refusal = _refuse(401, "credentials required")
            refusal.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="callbacks", charset="UTF-8"'
            return refusal
        if self._path_secret is not None:
            last = request.match_info["path"].rstrip("/").rpartition("/")[2]
            if not hmac.compare_digest(last.encode(errors="surrogatepass"), self._path_secret):
                return _refuse(404, "not found")
        if request.method != hdrs.METH_POST:
            refusal = _refuse(405, "only POST")
            refusal.headers[hdrs.ALLOW] = hdrs.METH_POST
            return refusal
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() not in ("identity", ""):
            return _refuse(415, "compressed bodies are not accepted")
        declared = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        if declared and declared not in _MEDIA_TYPES:
            return _refuse(415, "only JSON and forms")
        if request.content_length is not None and request.content_length > self._max_body:
            return _refuse(413, "body too large")
        return None

    def _authorised(self, request: web.Request) -> bool:
        headers = request.headers.getall(hdrs.AUTHORIZATION, [])
        if len(headers) != 1:
            return False
        scheme, _, encoded = headers[0].partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            pair = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
        except ValueError:  # not ASCII, or not Base64
            return False
        user, _, password = pair.partition(b":")
        # Bytes, because compare_digest refuses text beyond ASCII. Every comparison is made, whatever the others
        # say, so that the time taken does not tell a wrong user from a wrong password.
        granted = False
        for right_user, right_password in self._credentials:
            same_user = hmac.compare_digest(user, right_user)
            same_password = hmac.compare_digest(password, right_password)
            granted |= same_user & same_password
        return granted

    def _address_allowed(self, request: web.Request) -> bool:
        if self._allow_from is None and not self._loopback_only:
            return True
        peer = _peer(request)
        if self._loopback_only and not (peer is not None and peer.is_loopback):
            return False
        if self._allow_from is None:
            return True
        caller = self._caller(peer, request.headers.getall(hdrs.X_FORWARDED_FOR, []))
        return caller is not None and _within(caller, self._allow_from)

    def _caller(self, peer: _Address | None, forwarded: Iterable[str]) -> _Address | None:
        """Who really calls: the nearest address in the chain of proxies that is not ours."""
        caller = peer
        hops = [hop for header in forwarded for hop in header.split(",")]
        while caller is not None and hops and _within(caller, self._trusted_proxies):
            caller = _parse_address(hops.pop())
        return caller

    async def _read(self, request: web.Request) -> bytes | web.Response:
        body = bytearray()
        try:
            async with asyncio.timeout(self._read_timeout):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > self._max_body:
                        return _refuse(413, "body too large")
        except TimeoutError:
            return _refuse(408, "body not complete in time")
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            return _refuse(400, "broken body")
        return bytes(body)


def _refuse(status: int, text: str) -> web.Response:
    response = web.Response(status=status, text=text)
    response.force_close()  # there may be a body on its way that nobody will read
    return response


def _encodings(user: str, password: str) -> tuple[tuple[bytes, bytes], ...]:
    """The credentials as bytes in each encoding that callers use."""
    pairs = [(user.encode(), password.encode())]
    with suppress(UnicodeEncodeError):  # then nobody can send them in Latin-1
        pairs.append((user.encode("latin-1"), password.encode("latin-1")))
    return tuple(dict.fromkeys(pairs))


def _networks(name: str, texts: Sequence[str]) -> tuple[_Network, ...]:
    if isinstance(texts, str):
        raise ConfigurationError(f"{name} must be a sequence of networks, not one string")
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None


def _within(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address in network for network in networks)


def _parse_address(text: str) -> _Address | None:
    """An address as proxies write it: bare, in brackets, or with a port. None if it is something else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _peer(request: web.Request) -> _Address | None:
    """The other end of the connection; None on a Unix socket, or when it has gone."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return _parse_address(str(name[0])) if isinstance(name, tuple) else None


def _is_loopback_name(host: str) -> bool:
    address = _parse_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _log_failure(step: str, error: BaseException) -> None:
    """Say what failed and where, without the exception's text: databases put whole rows into it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without our own
    where = " <- ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames[-5:]))
    _log.error("%s failed on a callback, answered 500: %s at %s", step, type(error).__name__, where or "the call")


class _WithoutRequest(logging.Filter):
    """Takes the request out of what aiohttp logs: a malformed header is quoted there, credentials and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        record.msg, record.args = "trouble on a callback connection (%s)", (kind.__name__ if kind else "no error",)
        record.exc_info = record.exc_text = record.stack_info = None
        return True


_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(_WithoutRequest())
