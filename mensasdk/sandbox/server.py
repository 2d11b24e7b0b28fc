"""Sandbox: one loopback server for all emulated vendors, with the ledger, the faults and the callbacks.

The registry names the vendors and their emulators, both those of this package and those of other packages. The vendors
of this package are named here for type checkers only.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from mensasdk import registry
from mensasdk.sandbox.callbacks import CallbackFormat, CallbackPool, CallbackSettings
from mensasdk.sandbox.faults import Fault, FaultBook, FaultRule, When
from mensasdk.sandbox.ledger import Ledger, LedgerRequest
from mensasdk.sandbox.misbehave import MARK, misbehave, respond
from mensasdk.sandbox.vendor import Incoming, Reply, Services, Vendor

if TYPE_CHECKING:
    from mensasdk.sandbox.envia_sms import EnviaSms
    from mensasdk.sandbox.enviatusms import EnviaTuSms
    from mensasdk.sandbox.mensatek import Mensatek
    from mensasdk.sandbox.smsgateway24 import SmsGateway24

__all__ = ["Sandbox"]

_CLOSING = Reply(fields={}, body=b"", content_type="text/plain", status=503)
_HOST = re.compile(r"(?:localhost|127\.0\.0\.1)(?::\d{1,5})?", re.IGNORECASE)


def _hide_request(record: logging.LogRecord) -> bool:
    # aiohttp logs a request line that it cannot parse. For some vendors this line holds credentials.
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True


_LOGGER = logging.getLogger("mensasdk.sandbox")
_LOGGER.addFilter(_hide_request)


class _Server(web.Server):
    """HTTP server that counts connections and tells waiting handlers when their client has gone."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__(box._handle, access_log=None, logger=_LOGGER)
        self._ledger = box.ledger
        self._open: dict[RequestHandler, tuple[asyncio.Transport, asyncio.Event]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._ledger.connections += 1
        self._open[handler] = (transport, asyncio.Event())
        self._empty.clear()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        _, gone = self._open.pop(handler)
        gone.set()
        if not self._open:
            self._empty.set()

    def gone(self, handler: RequestHandler) -> asyncio.Event:
        """Return an event that is set when the client of this connection has gone or the server stops."""
        if handler in self._open:
            return self._open[handler][1]
        event = asyncio.Event()
        event.set()
        return event

    async def stop(self) -> None:
        for _, gone in self._open.values():
            gone.set()
        self.pre_shutdown()
        await self.shutdown(timeout=0.5)
        # A client that does not read would keep its connection open for ever.
        for transport, _ in list(self._open.values()):
            transport.abort()
        await self._empty.wait()
        # aiohttp cancels its connection tasks and does not wait until they have ended.
        for _ in range(3):
            await asyncio.sleep(0)


class Sandbox:
    """Server on 127.0.0.1 that emulates the SMS vendors, for tests, demonstrations and benchmarks.

    Example::

        async with Sandbox() as box:
            async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
                await client.send_sms(["34600000000"], "Hola")
            assert len(box.ledger) == 1

    Nothing leaves the machine: the server listens on 127.0.0.1 only, answers only requests whose Host header
    names localhost or 127.0.0.1 (else HTTP 421), and posts callbacks to loopback addresses only. Each answer carries
    ``X-Mensasdk-Sandbox: 1``, except where a fault breaks HTTP itself. The emulation is written from the
    vendors' documents and shares no code with the clients. A vendor that is not given is emulated with its defaults,
    if the registry has an emulator for it.

    Args:
        port: TCP port; 0 lets the system choose one.
        keep_messages: whether to keep every message and request; False keeps totals only, for large campaigns.
        mensatek: the emulated Mensatek; see `Mensatek` for its account and quirks.
        smsgateway24: the emulated smsgateway24; see `SmsGateway24`.
        envia_sms: the emulated envia-sms.com; see `EnviaSms`.
        enviatusms: the emulated EnvíaTuSMS; see `EnviaTuSms`.
        delivery_delay: simulated seconds from sending to the final delivery state.
        time_scale: real seconds per simulated second, for deliveries and schedules. With 0.001, a message
            scheduled in an hour goes out after 3.6 seconds; with 0, at once.
        max_body: largest size of a request body in bytes; a larger one is answered with HTTP 413.
        others: emulated vendors of other packages, by name.

    Raises:
        TypeError: an argument is not an emulated vendor.
        ValueError: a vendor is given under a name that is not its own, or belongs to another sandbox; two vendors use
            the same path; ``delivery_delay`` or ``time_scale`` is negative.

    Attributes:
        ledger: the record of what was accepted and charged.
        vendors: the emulated vendors by name. Each is an attribute of that name, too: ``box.mensatek``.
    """

    mensatek: Mensatek
    smsgateway24: SmsGateway24
    envia_sms: EnviaSms
    enviatusms: EnviaTuSms

    def __init__(
        self,
        *,
        port: int = 0,
        keep_messages: bool = True,
        mensatek: Mensatek | None = None,
        smsgateway24: SmsGateway24 | None = None,
        envia_sms: EnviaSms | None = None,
        enviatusms: EnviaTuSms | None = None,
        delivery_delay: float = 0.0,
        time_scale: float = 1.0,
        max_body: int = 64 << 20,
        **others: Vendor,
    ) -> None:
        if delivery_delay < 0 or time_scale < 0:
            raise ValueError("delivery_delay and time_scale must not be negative")
        self.ledger = Ledger(keep_messages=keep_messages)
        ours = {"mensatek": mensatek, "smsgateway24": smsgateway24, "envia_sms": envia_sms, "enviatusms": enviatusms}
        self.vendors: Mapping[str, Vendor] = _emulated({**ours, **others})
        self._callbacks = CallbackPool(self.ledger)
        self._services = Services(self.ledger, self._callbacks, time_scale, delivery_delay)
        for vendor in self.vendors.values():
            vendor.attach(self._services)
        self._faults = FaultBook()
        self._wanted_port = port
        self._max_body = max_body
        self._port: int | None = None
        self._closing = asyncio.Event()
        self._server: _Server | None = None
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Sandbox port={self._port} vendors={list(self.vendors)} {self.ledger!r}>"

    def __getattr__(self, name: str) -> Vendor:
        # `copy` makes an object without `__init__`, which has no ``vendors``: looking them up here would never end.
        if name != "vendors" and name in self.vendors:
            return self.vendors[name]
        raise AttributeError(f"a sandbox has no {name!r}, and emulates no vendor of that name")

    async def start(self) -> None:
        """Start the server, and listen on the port.

        Raises:
            OSError: the port is taken.
            RuntimeError: the sandbox was started before; it can be started only once.
        """
        if self._server is not None:
            raise RuntimeError("a sandbox can be started only once; make a new one")
        self._server = _Server(self)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, "127.0.0.1", self._wanted_port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stop the server: end hanging requests, drop waiting callbacks and leave no task behind. May be repeated."""
        self._closing.set()
        await self._callbacks.aclose()
        server, listener = self._server, self._listener
        if server is None or listener is None or self._port is None:
            return
        self._port = None
        listener.close()
        await server.stop()
        await listener.wait_closed()

    @property
    def port(self) -> int:
        """TCP port on which the sandbox listens.

        Raises:
            RuntimeError: the sandbox is not running.
        """
        if self._port is None:
            raise RuntimeError("the sandbox is not running; use it as `async with Sandbox() as box:`")
        return self._port

    def vendor(self, name: str) -> Vendor:
        """Return the emulated vendor of a name.

        Raises:
            ValueError: the sandbox has no such vendor.
        """
        try:
            return self.vendors[name]
        except KeyError:
            raise ValueError(f"this sandbox has no vendor {name!r}; there are {', '.join(self.vendors)}") from None

    def base_url(self, vendor: str) -> str:
        """Return the client's ``base_url`` for a vendor, such as ``"http://127.0.0.1:8080/mensatek/v7"``.

        Raises:
            RuntimeError: the sandbox is not running.
            ValueError: the sandbox has no such vendor.
        """
        return f"http://127.0.0.1:{self.port}{self.vendor(vendor).base_path}"

    def credentials(self, vendor: str) -> Mapping[str, Any]:
        """Return a vendor's credentials, random by default, for its client: ``Client(**box.credentials(vendor), ...)``.

        Raises:
            ValueError: the sandbox has no such vendor.
        """
        return self.vendor(vendor).credentials()

    # ------------------------------------------------------------------ faults

    def fail(
        self,
        vendor: str,
        *,
        function: str | None = None,
        fault: Fault,
        when: When = "after",
        nth: int = 1,
        times: int | None = 1,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        retry_after: str | int | None = None,
        location: str | None = None,
        delay: float | None = None,
        interval: float | None = None,
        res: int | str | None = None,
        cut_at: int | None = None,
        field: str | None = None,
    ) -> FaultRule:
        """Spoil requests to a vendor with a fault.

        Args:
            vendor: the vendor's short name.
            function: the vendor's function, such as ``"EnviarSMS"``; None for every function.
            fault: the fault; `Fault` describes each one and its options.
            when: ``"before"``: the vendor does not act on the request (with `Fault.DELAY`, it acts after the delay).
                ``"after"``: the vendor acts, the ledger records what was accepted, and then the answer is spoiled.
            nth: position of the first request to spoil, from 1, among the matching requests from now on.
            times: count of requests to spoil; None for no limit.
            status: HTTP status of `Fault.STATUS` and `Fault.REDIRECT`.
            headers: headers of `Fault.STATUS` and `Fault.RATE_LIMIT`.
            body: body of `Fault.STATUS`, `Fault.RATE_LIMIT` and `Fault.HTML_PAGE`.
            retry_after: Retry-After header of `Fault.RATE_LIMIT`.
            location: target of `Fault.REDIRECT`.
            delay: seconds of `Fault.DELAY`.
            interval: seconds between the bytes of `Fault.DRIP`.
            res: result code (or text) of `Fault.RES`.
            cut_at: count of body bytes before the cut of the three cut faults.
            field: field that `Fault.NAN`, `Fault.DUPLICATE_KEYS` and `Fault.HUGE_INT` spoil.

        Returns:
            The rule; its ``seen`` and ``fired`` count requests.

        Raises:
            ValueError: the vendor, the function or the fault is unknown, ``when``, ``nth`` or ``times`` is wrong, or an
                option is missing or not one of the fault's.
        """
        emulated = self.vendor(vendor)
        if function is not None and function not in emulated.functions:
            raise ValueError(f"{vendor} has no function {function!r}; there are {', '.join(emulated.functions)}")
        options = {
            "status": status,
            "headers": headers,
            "body": body,
            "retry_after": retry_after,
            "location": location,
            "delay": delay,
            "interval": interval,
            "res": res,
            "cut_at": cut_at,
            "field": field,
        }
        return self._faults.add(FaultRule(vendor, function, Fault(fault), when, nth, times, options))

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self._faults.clear()

    # ------------------------------------------------------------------ callbacks

    def callbacks(
        self,
        url: str | None,
        *,
        vendor: str | None = None,
        auth: tuple[str, str] | None = None,
        format: CallbackFormat = "json",  # noqa: A002
    ) -> None:
        """Set the address to which a vendor posts its callbacks from now on, as in the vendor's web panel.

        Args:
            vendor: the vendor's short name; None for every vendor that calls back.
            url: a loopback address, ``http`` or ``https``; None switches the callbacks off.
            auth: user and password for Basic authentication.
            format: ``"json"``, ``"form"`` (urlencoded) or ``"multipart"``.

        Raises:
            ValueError: the vendor or the format is unknown, or the address is not on the loopback.
        """
        settings = None if url is None else CallbackSettings(url, auth, format)
        names = [name for name, info in registry.vendors().items() if info.callbacks and name in self.vendors]
        for name in names if vendor is None else [self.vendor(vendor).name]:
            self._callbacks.configure(name, settings)

    async def drain(self) -> None:
        """Wait until every due callback is delivered or given up.

        This includes callbacks that wait for ``delivery_delay``, but not those of messages scheduled for later.
        """
        await self._callbacks.drain()

    async def incoming(
        self,
        vendor: str,
        number: str,
        text: str,
        *,
        to: str = "34600000000",
        reply_to: str | None = None,
        certified: bool = False,
        at: datetime | None = None,
    ) -> bool:
        """Simulate an SMS from a handset to one of the account's own numbers, and post its callback.

        Args:
            vendor: the vendor's short name.
            number: the handset's number.
            text: the text of the SMS.
            to: the account's number that receives the SMS.
            reply_to: the id of the message that the SMS replies to, or None.
            certified: whether that message was a certified one.
            at: time of reception (aware); None for now.

        Returns:
            Whether the receiver answered with 2xx.

        Raises:
            NotImplementedError: the vendor has no callback for received messages.
            RuntimeError: no callback address is set.
            ValueError: the sandbox has no such vendor.
        """
        moment = at or datetime.now(UTC)
        fields = self.vendor(vendor).inbound(number, text, to=to, reply_to=reply_to, certified=certified, at=moment)
        return await self._callbacks.post(vendor, fields)

    async def post_callback(self, vendor: str, fields: Mapping[str, Any]) -> bool:
        """Post a callback with any fields, such as a duplicate, a late one or one for an unknown message.

        Returns:
            Whether the receiver answered with 2xx.

        Raises:
            RuntimeError: no callback address is set.
            ValueError: the sandbox has no such vendor.
        """
        return await self._callbacks.post(self.vendor(vendor).name, fields)

    # ------------------------------------------------------------------ serving

    def _route(self, path: str) -> tuple[Vendor, str] | None:
        for vendor in self.vendors.values():
            if path.startswith(vendor.base_path + "/"):
                function = vendor.resolve(path[len(vendor.base_path) + 1 :])
                if function is not None:
                    return vendor, function
        return None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await self._read(request)
        if body is None:
            return _plain(413, "The request is too large.")
        if not _HOST.fullmatch(request.headers.get("Host", "")):
            return _plain(421, "This sandbox answers to localhost and 127.0.0.1 only.")
        route = self._route(request.path)
        if route is None:
            self.ledger.arrived("", "", request.method, request.path, {})
            return _plain(404, "No vendor has this path.")
        vendor, function = route
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = Incoming(request.method, request.path, request.rel_url.raw_query_string, headers, body)
        vendor.decode(function, incoming)
        entry = self.ledger.arrived(vendor.name, function, request.method, request.path, incoming.params)
        if request.method not in vendor.functions[function]:
            return _plain(405, "Method not allowed.", Allow=", ".join(sorted(vendor.functions[function])))
        rule = self._faults.take(vendor.name, function)
        if rule is None:
            return respond(self._act(vendor, function, incoming, entry, None))
        return await self._spoil(rule, vendor, function, incoming, entry, request)

    def _act(
        self, vendor: Vendor, function: str, incoming: Incoming, entry: LedgerRequest, fault: Fault | None
    ) -> Reply:
        reply = vendor.handle(function, incoming)
        self.ledger.settled(entry, reply.outcome, reply.accepted, fault)
        return reply

    async def _spoil(
        self,
        rule: FaultRule,
        vendor: Vendor,
        function: str,
        incoming: Incoming,
        entry: LedgerRequest,
        request: web.BaseRequest,
    ) -> web.StreamResponse:
        assert self._server is not None
        reply: Reply | None = None
        if rule.when == "after":
            reply = self._act(vendor, function, incoming, entry, rule.fault)
        elif rule.fault is not Fault.DELAY:
            self.ledger.settled(entry, None, 0, rule.fault)
        if rule.fault is Fault.DELAY:
            # The delay goes on when the client has gone: a real server does not notice that either.
            try:
                async with asyncio.timeout(rule.options["delay"]):
                    await self._closing.wait()
            except TimeoutError:
                pass
            else:
                return respond(_CLOSING) if reply is None else respond(reply)
            reply = reply or self._act(vendor, function, incoming, entry, rule.fault)
        give_up = self._server.gone(request.protocol)
        return await misbehave(rule, vendor, function, incoming, reply, request, give_up)

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        pieces: list[bytes] = []
        size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
            if size <= self._max_body:
                pieces.append(piece)
        return b"".join(pieces) if size <= self._max_body else None


def _emulated(given: Mapping[str, Vendor | None]) -> Mapping[str, Vendor]:
    """Return the vendors sorted by name: the given ones, and new ones for the rest of the registry."""
    found = {name: vendor for name, vendor in given.items() if vendor is not None}
    for name, info in registry.vendors().items():
        if name not in found and info.emulator is not None:
            found[name] = registry.load(info.emulator)()
    homes: dict[str, str] = {}
    for name, vendor in found.items():
        if not isinstance(vendor, Vendor):
            raise TypeError(f"{name} must be an emulated vendor, not {type(vendor).__name__}")
        if vendor.name != name:
            raise ValueError(f"{name} must be an emulated vendor of that name, not {vendor.name}")
        if homes.setdefault(vendor.base_path, name) != name:
            raise ValueError(f"{homes[vendor.base_path]} and {name} both use the path {vendor.base_path}")
    return dict(sorted(found.items()))


def _plain(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers={**MARK, **headers})
