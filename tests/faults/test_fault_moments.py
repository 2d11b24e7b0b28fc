"""The rows of the matrix that are about moments: waits, cancellations, and connections that were kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from chosen import make_transport
from servers import ANSWERS, Exchange, Server, ok, serve
from shared import EAGER, until

from mensasdk import Timeouts
from mensasdk.transport import HttpRequest, Transport

from .calls import CALLS, FaultCall, connect
from .cells import Attempts, ended, judge
from .findings import Ending
from .rows import SHORT, SPECIAL

LONG = Timeouts(total=20.0)
Cell = Callable[[FaultCall], Awaitable[Ending]]


class Barrier:
    """A rate limiter that lets nobody pass."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def enter(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()

    def penalise(self, seconds: float) -> None:
        raise AssertionError(f"nothing was asked of the vendor, and it said to wait {seconds} s")


async def check(title: str, cell: Cell, calls: Sequence[FaultCall] = CALLS) -> None:
    row = SPECIAL[title]
    endings = await asyncio.gather(*(cell(call) for call in calls))
    pairs = zip(calls, endings, strict=True)
    wrong = [error for call, ending in pairs if (error := judge(title, call, ending, row.expected(call)))]
    assert not wrong, "\n".join(wrong)


@asynccontextmanager
async def one_connection() -> AsyncIterator[Transport]:
    transport = make_transport(pool_size=1)
    try:
        yield transport
    finally:
        await transport.aclose()


def count(server: Server) -> int:
    """Count the requests, without those by which a test makes its scene."""
    return sum(request.target != "/scene" for request in server.requests)


def gated(call: FaultCall, gate: Barrier, **options: Any) -> Any:
    client = connect(call.vendor, retry=EAGER, **options)
    client.execute = partial(client.execute, gate=gate)
    return client


# A login has no limiter: it comes before the permit that is paid for the call.
LIMITED = [call for call in CALLS if call.function != "gettoken"]


@pytest.mark.slow
async def test_a_call_without_a_connection_leaves_nothing_and_keeps_its_deadline() -> None:
    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(ANSWERS["silence"]) as server, one_connection() as transport:
            taken = asyncio.create_task(transport.send(HttpRequest("GET", f"{server.url}/scene"), timeouts=LONG))
            await until(lambda: server.requests)
            client = connect(
                call.vendor,
                base_url=server.url,
                transport=transport,
                timeouts=Timeouts(total=SHORT),
                retry=EAGER,
                hooks=[attempts],
            )
            kind, outcome = await ended(call.make(client, None), call, total=SHORT)
            taken.cancel()
            await asyncio.gather(taken, return_exceptions=True)
            return Ending(kind, outcome, attempts.count, count(server))

    await check("no free connection to the deadline", cell)


@pytest.mark.slow
async def test_a_call_that_the_limiter_holds_leaves_nothing_and_keeps_its_deadline() -> None:
    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(ANSWERS["silence"]) as server, one_connection() as transport:
            client = gated(
                call,
                Barrier(),
                base_url=server.url,
                transport=transport,
                timeouts=Timeouts(total=SHORT),
                hooks=[attempts],
            )
            kind, outcome = await ended(call.make(client, None), call, total=SHORT)
            return Ending(kind, outcome, attempts.count, count(server))

    await check("the rate limiter holds on, past the deadline", cell, LIMITED)


async def cancelled_when(moment: Callable[[], object], work: Awaitable[object], call: FaultCall) -> tuple[str, str]:
    task = asyncio.ensure_future(work)
    await until(moment)
    task.cancel()
    return await ended(task, call, total=LONG.total)


async def test_a_call_cancelled_while_connecting_has_left_nothing() -> None:
    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(ok, at_connect=ANSWERS["silence"]) as server, one_connection() as transport:
            address = f"https://127.0.0.1:{server.port}"
            client = connect(
                call.vendor, base_url=address, transport=transport, timeouts=LONG, retry=EAGER, hooks=[attempts]
            )
            work = call.make(client, None)
            kind, outcome = await cancelled_when(lambda: server.connections, work, call)
            return Ending(kind, outcome, attempts.count, count(server))

    await check("cancelled while connecting", cell)


async def test_a_call_cancelled_in_the_limiter_has_left_nothing() -> None:
    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(ANSWERS["silence"]) as server, one_connection() as transport:
            gate = Barrier()
            client = gated(call, gate, base_url=server.url, transport=transport, timeouts=LONG, hooks=[attempts])
            kind, outcome = await cancelled_when(gate.reached.is_set, call.make(client, None), call)
            return Ending(kind, outcome, attempts.count, count(server))

    await check("cancelled in the rate limiter", cell, LIMITED)


async def test_a_call_cancelled_under_way_may_have_been_acted_upon() -> None:
    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(ANSWERS["silence"]) as server, one_connection() as transport:
            client = connect(
                call.vendor, base_url=server.url, transport=transport, timeouts=LONG, retry=EAGER, hooks=[attempts]
            )
            kind, outcome = await cancelled_when(lambda: server.requests, call.make(client, None), call)
            return Ending(kind, outcome, attempts.count, count(server))

    await check("cancelled with the request under way", cell)


async def test_a_drop_on_a_kept_connection_is_repeated_for_reads_only() -> None:
    """HTTP libraries repeat here by themselves, and hide it."""

    async def only_the_scene(exchange: Exchange) -> None:
        if exchange.request.target == "/scene":
            await exchange.answer()
        else:
            exchange.fin()

    async def cell(call: FaultCall) -> Ending:
        attempts = Attempts()
        async with serve(only_the_scene) as server, one_connection() as transport:
            await transport.send(HttpRequest("GET", f"{server.url}/scene"), timeouts=LONG)
            client = connect(
                call.vendor, base_url=server.url, transport=transport, timeouts=LONG, retry=EAGER, hooks=[attempts]
            )
            kind, outcome = await ended(call.make(client, None), call, total=LONG.total)
            assert server.connections == attempts.count  # the first attempt went over the connection that was there
            return Ending(kind, outcome, attempts.count, count(server))

    await check("FIN on a connection that was kept open", cell)
