"""Measure (b), (c) and (d): `BatchSender` with one recipient per request, with full requests, and with a journal."""

from __future__ import annotations

import asyncio
import gc
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks.contenders import REFERENCE, SENDER, TEXT, TOKEN, USER, bare_headers, number, pool, pump
from benchmarks.measure import measured, ratio, spread
from benchmarks.server import Server
from benchmarks.worker import Worker
from mensasdk import AiohttpTransport, BatchSender, MensatekClient, Message, SqliteJournal

__all__ = ["Bare", "Input", "Sender", "Tracked", "full_requests", "journal", "memory", "one_each"]

BOTH_IN_FLIGHT = 64
_SMALL = 10_000


def messages(count: int) -> Iterator[Message]:
    """Yield the messages of a campaign, each with a name in its text, as from a table."""
    for index in range(count):
        yield Message(number(index), "Hola {nombre}, su cita es el martes", variables={"nombre": f"Ana {index}"})


class _Looped:
    """Contestant that keeps an event loop of its own between rounds."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = ExitStack()

    def close(self) -> None:
        self._runner.run(self._end())
        self._runner.close()
        self._stack.close()

    async def _end(self) -> None:
        raise NotImplementedError


class Sender(_Looped):
    """`BatchSender` with a Mensatek server that accepts every message.

    Args:
        url: the address of the server.
        recipients: recipients per request.
        in_flight: requests in flight; None for the sender's own default.
        texts: send one text to all, as in `contenders`, instead of a text with a name for each.
        journal: the folder of the journal's file; empty for the system's temporary folder, None for no journal.
    """

    vendor: type[MensatekClient] = MensatekClient

    def __init__(
        self, url: str, recipients: int, in_flight: int | None = None, texts: bool = False, journal: str | None = None
    ) -> None:
        super().__init__()
        self._transport = AiohttpTransport(pool_size=pool(in_flight or 1))
        self._client = self.vendor(USER, TOKEN, base_url=url, transport=self._transport)
        self._recipients = recipients
        self._in_flight = in_flight
        self._same_text = texts
        self._folder = journal
        self._numbers = itertools.count()

    def round(self, *, count: int, warm_up: int = 0) -> dict[str, Any]:
        """Send a campaign of ``count`` messages, after one of ``warm_up`` messages."""
        return self._runner.run(self._round(count, warm_up))

    async def _round(self, count: int, warm_up: int) -> dict[str, Any]:
        if warm_up:
            await self._campaign(warm_up)
        return await self._campaign(count)

    async def _campaign(self, count: int) -> dict[str, Any]:
        place = nullcontext(None) if self._folder is None else tempfile.TemporaryDirectory(dir=self._folder or None)
        with place as folder:
            store = None if folder is None else SqliteJournal(Path(folder) / "campaigns.sqlite")
            sender = BatchSender(
                self._client, max_recipients=self._recipients, max_in_flight=self._in_flight, journal=store
            )
            source = same_text(count) if self._same_text else messages(count)
            with measured() as span:
                report = await sender.send(source, campaign=f"bench-{next(self._numbers)}")
        if report.accepted != count:
            raise AssertionError(f"{report.accepted} of {count} were accepted")
        return {"wall": span.wall, "cpu": span.cpu}

    async def _end(self) -> None:
        await self._client.aclose()
        await self._transport.aclose()


def same_text(count: int) -> Iterator[Message]:
    for index in range(count):
        yield Message(number(index), TEXT, sender=SENDER, reference=REFERENCE)


class _Answered(MensatekClient):
    """Client that counts the objects that the garbage collector tracks when a request has its answer."""

    tracked: int

    async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
        result = await super().send_batch(*args, **kwargs)
        self.tracked = len(gc.get_objects())
        return result


class Tracked(Sender):
    """Count of objects that the garbage collector tracks for each recipient of a request.

    Args:
        url: the address of the server.
    """

    vendor = _Answered

    def __init__(self, url: str) -> None:
        super().__init__(url, recipients=1000, in_flight=1)

    def round(self, *, count: int, warm_up: int = 1000) -> dict[str, Any]:
        """Send a campaign of ``count`` messages, at most one full request, and return its ``objects``."""
        super().round(count=warm_up)
        gc.collect()
        gc.disable()  # a collection at a random moment would change the count
        before = len(gc.get_objects())
        super().round(count=count)
        gc.enable()
        assert isinstance(self._client, _Answered)
        return {"objects": (self._client.tracked - before) / count}


class Bare(_Looped):
    """Pool of workers on bare aiohttp that sends the same requests, without outcomes, checks or limits."""

    def __init__(self, url: str, recipients: int, in_flight: int) -> None:
        super().__init__()
        self._target = f"{url}/EnviarSMS"
        self._recipients = recipients
        self._in_flight = in_flight
        self._headers = bare_headers()
        self._session: aiohttp.ClientSession | None = None

    def round(self, *, count: int, warm_up: int = 0) -> dict[str, Any]:
        """Do a round like `Sender.round`."""
        return self._runner.run(self._round(count, warm_up))

    async def _round(self, count: int, warm_up: int) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=pool(self._in_flight)))
        drive = pump(self._one if self._recipients == 1 else self._many, self._in_flight)
        if warm_up:
            await drive(max(1, warm_up // self._recipients))
        with measured() as span:
            await drive(max(1, count // self._recipients))
        return {"wall": span.wall, "cpu": span.cpu}

    async def _one(self, index: int) -> str:
        return await self._post(
            {
                "Remitente": SENDER,
                "Destinatarios": [{"Movil": number(index)[1:]}],
                "Mensaje": TEXT,
                "Referenciausuario": REFERENCE,
                "Resp": "JSON",
            }
        )

    async def _many(self, index: int) -> str:
        begin = index * self._recipients
        people = [
            {"Movil": number(one)[1:], "Variable_1": f"Ana {one}"} for one in range(begin, begin + self._recipients)
        ]
        text = "Hola (Variable_1), su cita es el martes"
        return await self._post(
            {
                "Remitente": "",
                "Destinatarios": people,
                "Mensaje": text,
                "Referenciausuario": REFERENCE,
                "Resp": "JSON",
            }
        )

    async def _post(self, content: dict[str, Any]) -> str:
        assert self._session is not None
        async with self._session.post(self._target, data=orjson.dumps(content), headers=self._headers) as answer:
            found = orjson.loads(await answer.read())
        return str(found[0]["idMensaje"])

    async def _end(self) -> None:
        if self._session is not None:
            await self._session.close()


class Input:
    """Making of the messages alone, which is the caller's share of a campaign's cost."""

    def round(self, *, count: int, warm_up: int = 0) -> dict[str, Any]:
        """Do a round like `Sender.round`."""
        for _ in messages(warm_up):
            pass
        with measured() as span:
            for _ in messages(count):
                pass
        return {"wall": span.wall, "cpu": span.cpu}

    def close(self) -> None:
        """Do nothing, as nothing is open."""


def _contest(
    workers: dict[str, Worker], *, count: int, rounds: int, warm_up: int, note: Callable[[str], None], what: str
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, Any]]:
    """Let all workers take turns, and return CPU µs per recipient, recipients per second, and a summary of each."""
    cpu: dict[str, list[float]] = {name: [] for name in workers}
    speed: dict[str, list[float]] = {name: [] for name in workers}
    peaks: dict[str, float] = {}
    for turn in range(rounds):
        note(f"{what}: round {turn + 1} of {rounds}")
        for name, worker in workers.items():
            found = worker.round(count=count, warm_up=warm_up)
            cpu[name].append(found["cpu"] / count * 1e6)
            speed[name].append(count / found["wall"])
            peaks[name] = found["peak_mb"]
    figures = {
        name: {"cpu_us": spread(cpu[name]), "per_second": spread(speed[name]), "peak_mb": peaks[name]}
        for name in workers
    }
    return cpu, speed, figures


def one_each(
    server: Server, core: int | None, *, count: int, rounds: int, note: Callable[[str], None]
) -> dict[str, Any]:
    """Measure (b), one recipient per request with 64 requests in flight, beside the bare pool of workers."""
    url = server.urls["mensatek_1"]
    with ExitStack() as stack:

        def start(factory: str, **arguments: Any) -> Worker:
            return stack.enter_context(
                Worker(f"benchmarks.campaigns:{factory}", core=core, url=url, in_flight=BOTH_IN_FLIGHT, **arguments)
            )

        workers = {"BatchSender": start("Sender", recipients=1, texts=True), "bare pool": start("Bare", recipients=1)}
        cpu, _, figures = _contest(
            workers, count=count, rounds=rounds, warm_up=500, note=note, what="one recipient each"
        )
    return {
        "recipients": count,
        "in_flight": BOTH_IN_FLIGHT,
        "ways": figures,
        "cpu_ratio": ratio(cpu["BatchSender"], cpu["bare pool"]),
    }


def full_requests(
    server: Server, core: int | None, *, count: int, rounds: int, note: Callable[[str], None]
) -> dict[str, Any]:
    """Measure (c), 1,000 recipients per request, beside the same requests by hand and the making of messages alone."""
    url = server.urls["mensatek_1000"]
    with ExitStack() as stack:

        def start(factory: str, **arguments: Any) -> Worker:
            return stack.enter_context(Worker(f"benchmarks.campaigns:{factory}", core=core, **arguments))

        workers = {
            "BatchSender": start("Sender", url=url, recipients=1000),
            "aiohttp by hand": start("Bare", url=url, recipients=1000, in_flight=16),
            "making the messages": start("Input"),
        }
        _, _, figures = _contest(workers, count=count, rounds=rounds, warm_up=5_000, note=note, what="full requests")
    return {"recipients": count, "ways": figures}


def memory(server: Server, core: int | None, *, count: int, rounds: int, note: Callable[[str], None]) -> dict[str, Any]:
    """Measure (c), peak memory of fresh processes that send one campaign of 10,000 or of ``count`` recipients."""
    url = server.urls["mensatek_1000"]
    peaks: dict[int, list[float]] = {_SMALL: [], count: []}
    for turn in range(rounds):
        note(f"memory of full requests: round {turn + 1} of {rounds}")
        for size, found in peaks.items():
            with Worker("benchmarks.campaigns:Sender", core=core, url=url, recipients=1000) as worker:
                found.append(worker.round(count=size)["peak_mb"])
    above = [large - small for small, large in zip(peaks[_SMALL], peaks[count], strict=True)]
    return {
        "recipients": count,
        "small": _SMALL,
        "peak_mb": {str(size): spread(found) for size, found in peaks.items()},
        "above_small_mb": spread(above),
    }


def journal(
    server: Server, core: int | None, *, count: int, rounds: int, folder: str, note: Callable[[str], None]
) -> dict[str, Any]:
    """Measure (d), 100 recipients per request, with a journal in SQLite and without."""
    url = server.urls["mensatek_100"]
    with ExitStack() as stack:

        def start(**arguments: Any) -> Worker:
            return stack.enter_context(
                Worker("benchmarks.campaigns:Sender", core=core, url=url, recipients=100, **arguments)
            )

        workers = {"without": start(), "SqliteJournal": start(journal=folder)}
        cpu, speed, figures = _contest(workers, count=count, rounds=rounds, warm_up=2_000, note=note, what="journal")
    return {
        "recipients": count,
        "recipients_a_request": 100,
        "ways": figures,
        "cpu_ratio": ratio(cpu["SqliteJournal"], cpu["without"]),
        "throughput_ratio": ratio(speed["SqliteJournal"], speed["without"]),
    }
