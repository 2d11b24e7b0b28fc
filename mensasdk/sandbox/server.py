"""The box: one loopback server for all emulated vendors, with the ledger, the faults and the callbacks.

Which vendors there are, the registry says, and where their emulators are: ours and those of other packages alike. Ours
are named here for type checkers only.
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

_GOING = Reply(fields={}, body=b"", content_type="text/plain", status=503)
_HOST = re.compile(r"(?:localhost|127\.0\.0\.1)(?::\d{1,5})?", re.IGNORECASE)


def _hide_request(record: logging.LogRecord) -> bool:
    # aiohttp quotes a request line that it cannot read, and some vendors take credentials there.
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True


_LOGGER = logging.getLogger("mensasdk.sandbox")
_LOGGER.addFilter(_hide_request)


class _Server(web.Server):
    """Counts connections, and tells hanging handlers when their client has gone."""

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
        """Is set once the client of this connection has gone, or the server stops."""
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
        # A client that does not read would hold its connection open for ever.
        for transport, _ in list(self._open.values()):
            transport.abort()
        await self._empty.wait()
        # aiohttp cancels its connection tasks without waiting for them.
        for _ in range(3):
            await asyncio.sleep(0)


class Sandbox:
    """SMS vendors on 127.0.0.1, for tests, demonstrations and benchmarks::

        async with Sandbox() as box:
            async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
                await client.send_sms(["34600000000"], "Hola")
            assert len(box.ledger) == 1

    Nothing leaves the machine: the server listens on 127.0.0.1 only, answers only requests whose Host header
    names the loopback (else 421), and posts callbacks to loopback addresses only. Each answer carries
    ``X-Mensasdk-Sandbox: 1``, except where a fault breaks HTTP itself. The emulation is written from the
    vendors' documents and shares no code with the clients.

    Args:
        port: TCP port; 0 lets the system choose.
        keep_messages: False keeps totals instead of every message and request, for large campaigns.
        mensatek: the Mensatek to emulate; see `Mensatek` for the account and the quirks.
        smsgateway24: the smsgateway24 to emulate; see `SmsGateway24`.
        envia_sms: the envia-sms.com to emulate; see `EnviaSms`.
        enviatusms: the EnvíaTuSMS to emulate; see `EnviaTuSms`.
        delivery_delay: seconds from sending to the final delivery state.
        time_scale: real seconds per simulated second, for deliveries and schedules: with 0.001 a message
            scheduled in an hour goes out after 3.6 seconds, with 0 at once.
        max_body: bytes; larger requests are answered with 413.
        others: vendors of other packages to emulate, by name. Of each vendor of the registry that has an emulator and
            is not given, a fresh one is made.

    Raises:
        TypeError: what is given is no emulated vendor.
        ValueError: a vendor is given under another name than its own, or lives in another box already; two vendors
            live at one path; a negative number of seconds.

    Attributes:
        ledger: the ground truth.
        vendors: the emulated vendors by name. Each is an attribute of its name, too: ``box.mensatek``.
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
            raise ValueError("delivery_delay and time_scale are not negative")
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
        # An object that has not been through __init__, as `copy` makes one, would look for its vendors for ever.
        if name != "vendors" and name in self.vendors:
            return self.vendors[name]
        raise AttributeError(f"a sandbox has no {name!r}, and emulates no vendor of that name")

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
            RuntimeError: the box was started before; a box lives once.
        """
        if self._server is not None:
            raise RuntimeError("a sandbox is started once; make a new one")
        self._server = _Server(self)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, "127.0.0.1", self._wanted_port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stop: hanging answers are released, callbacks that wait are dropped, no task is left. May be repeated."""
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
        """The port that it listens on.

        Raises:
            RuntimeError: the box is not running.
        """
        if self._port is None:
            raise RuntimeError("the sandbox is not running; use it as `async with Sandbox() as box:`")
        return self._port

    def vendor(self, name: str) -> Vendor:
        """The emulated vendor of that name.

        Raises:
            ValueError: there is none.
        """
        try:
            return self.vendors[name]
        except KeyError:
            raise ValueError(f"no vendor {name!r} here; there are {', '.join(self.vendors)}") from None

    def base_url(self, vendor: str) -> str:
        """The value for the client's ``base_url``, such as ``"http://127.0.0.1:8080/mensatek/v7"``."""
        return f"http://127.0.0.1:{self.port}{self.vendor(vendor).base_path}"

    def credentials(self, vendor: str) -> Mapping[str, Any]:
        """The client's constructor arguments, random for each box: ``Client(**box.credentials(vendor), ...)``."""
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
        """Make calls go wrong.

        Args:
            vendor: the vendor's short name.
            function: the vendor's function, such as ``"EnviarSMS"``; None for every function.
            fault: what goes wrong; `Fault` says which of the further keywords each one takes.
            when: ``"before"``: the vendor never acts on the request; ``"after"``: it acts, the ledger holds what
                it accepted, and then the answer goes wrong.
            nth: the first call to spoil, counted from 1 and from now on.
            times: how many calls to spoil from there; None for all.
            status, headers, body, retry_after, location, delay, interval, res, cut_at, field: see `Fault`.

        Returns:
            The rule; its ``seen`` and ``fired`` count calls.

        Raises:
            ValueError: unknown vendor or function, a keyword that the fault does not take, or a needed one missing.
        """
        emulated = self.vendor(vendor)
        if function is not None and function not in emulated.functions:
            raise ValueError(f"{vendor} has no function {function!r}")
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
        """Let everything work again."""
        self._faults.clear()

    # ------------------------------------------------------------------ callbacks

    def callbacks(
        self,
        vendor: str,
        url: str | None,
        *,
        auth: tuple[str, str] | None = None,
        format: CallbackFormat = "json",  # noqa: A002
    ) -> None:
        """Say where a vendor posts its callbacks from now on, as its panel would; None switches them off.

        Args:
            vendor: the vendor's short name.
            url: a loopback address, ``http`` or ``https``.
            auth: user and password for Basic auth.
            format: ``"json"``, ``"form"`` (urlencoded) or ``"multipart"``.

        Raises:
            ValueError: unknown vendor, or the address is not on the loopback.
        """
        name = self.vendor(vendor).name
        self._callbacks.configure(name, None if url is None else CallbackSettings(url, auth, format))

    async def drain(self) -> None:
        """Wait until every due callback is delivered or given up.

        Waits for ``delivery_delay``, but not for messages whose schedule lies ahead.
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
        """Let a handset send an SMS to one of the account's own numbers.

        Args:
            vendor: the vendor's short name.
            number: who sends.
            text: what it says.
            to: the own number that receives it.
            reply_to: the message id that it answers, if any.
            certified: the message that it answers was a certified one.
            at: aware datetime of reception; None for now.

        Returns:
            True when the receiver answered with 2xx.

        Raises:
            RuntimeError: no callback address is set.
        """
        moment = at or datetime.now(UTC)
        fields = self.vendor(vendor).inbound(number, text, to=to, reply_to=reply_to, certified=certified, at=moment)
        return await self._callbacks.post(vendor, fields)

    async def post_callback(self, vendor: str, fields: Mapping[str, Any]) -> bool:
        """Post any callback at all: a duplicate, one out of order, one for an unknown message.

        Returns:
            True when the receiver answered with 2xx.

        Raises:
            RuntimeError: no callback address is set.
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
            # Not cut short when the client goes: a real server does not notice that either.
            try:
                async with asyncio.timeout(rule.options["delay"]):
                    await self._closing.wait()
            except TimeoutError:
                pass
            else:
                return respond(_GOING) if reply is None else respond(reply)
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
    """One of each vendor by name, in the names' order: those that are given, and fresh ones of the others."""
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
            raise ValueError(f"{homes[vendor.base_path]} and {name} both live at {vendor.base_path}")
    return dict(sorted(found.items()))


def _plain(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers={**MARK, **headers})
