"""Each row of the matrix: every kind of call of every vendor meets the fault, and the servers count."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Literal, NoReturn

import pytest
from attrs import evolve
from chosen import make_transport
from servers import ALL_FAULTS, AMPLE, SOON, broken, ok, serve
from shared import EAGER

from mensasdk import Timeouts
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.transport import Transport

from .calls import CALLS, FaultCall, connect, secrets_of
from .cells import Attempts, edited, ended, judge, listening
from .findings import FINDINGS, Ending
from .rows import BOX_ROWS, EDITED_ROWS, SHORT, WIRE_ROWS, BoxRow, EditedRow, WireRow

PATIENCE = Timeouts(total=20.0)
PROXY_SECRET = "Basic proxy-canary"
Given = Mapping[str, object]


async def prepared(calls: Sequence[FaultCall], box: Sandbox, transport: Transport) -> Given:
    """Make what calls need, such as a message to cancel; the ledger forgets that it was made."""
    given: dict[str, object] = {}
    for call in calls:
        client = connect(call.vendor, box=box, transport=transport)
        given[call.function] = None if call.before is None else await call.before(client)
    box.ledger.clear()
    return given


def test_every_fault_of_the_raw_servers_and_of_the_sandbox_is_in_the_matrix() -> None:
    assert {row.fault for row in WIRE_ROWS} == set(ALL_FAULTS)
    # What only repeats a fault of the raw servers is left to them.
    same = {Fault.RESET, Fault.CLOSE, Fault.HANG, Fault.DRIP, Fault.CUT_BODY, Fault.CUT_CHUNKED, Fault.GARBAGE}
    same |= {Fault.DUPLICATE_LENGTH, Fault.HUGE_HEADER, Fault.GZIP_CORRUPT}
    assert {row.fault for row in BOX_ROWS} | same == set(Fault)


def test_no_two_rows_have_the_same_title() -> None:
    titles = [title for rows in FINDINGS.sections.values() for title in rows]
    assert len(titles) == len(set(titles))


def no_such_name(*_: object, **__: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.slow
@pytest.mark.parametrize("row", WIRE_ROWS, ids=lambda row: row.title)
async def test_a_fault_of_the_network_ends_each_call_as_it_has_to(
    row: WireRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    if row.fault == "unknown name":  # the resolver of the machine may be slow to say no, and is not what is tested
        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)

    async def cell(call: FaultCall) -> tuple[FaultCall, Ending]:
        attempts = Attempts()
        async with AsyncExitStack() as stack:
            place = await stack.enter_async_context(broken(row.fault, proxy_secret=PROXY_SECRET))
            transport = make_transport(**place.options)
            stack.push_async_callback(transport.aclose)
            limits = place.timeouts
            if limits.total == SOON:  # many calls at once want more time, to get as far as the fault
                limits = Timeouts(total=SHORT, connect=AMPLE)

            async def work() -> None:
                client = connect(
                    call.vendor,
                    base_url=place.url,
                    transport=transport,
                    timeouts=limits,
                    retry=EAGER,
                    hooks=[attempts],
                )
                await call.make(client, None)

            secrets = (PROXY_SECRET, *secrets_of(call.vendor))
            kind, outcome = await ended(work(), call, total=limits.total, secrets=secrets)
            assert set(attempts.waits) <= {0.0}
            # For "plain http through a proxy" the server is the proxy, and nothing may reach that either.
            requests = len(place.server.requests) if place.server is not None else 0
            if outcome == "not_sent" and place.server is not None:
                assert place.server.bytes_in == 0
        return call, Ending(kind, outcome, attempts.count, requests)

    found = await asyncio.gather(*(cell(call) for call in CALLS if row.meets(call)))
    wrong = [error for call, ending in found if (error := judge(row.title, call, ending, row.expected(call)))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("row", BOX_ROWS, ids=lambda row: row.title)
async def test_an_answer_that_says_no_or_nothing_ends_each_call_as_it_has_to(row: BoxRow) -> None:
    """Before and after the vendor acted: the client cannot see the difference, and says the same."""
    wrong = [error for when in row.whens for error in await struck(row, when)]
    assert not wrong, "\n".join(wrong)


async def struck(row: BoxRow, when: Literal["before", "after"]) -> list[str]:
    """Let every call meet a fault of the sandbox; tell what is wrong with the endings, or with the ledger."""
    calls = [call for call in CALLS if row.meets(call)]
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox())
        transport = make_transport()
        stack.push_async_callback(transport.aclose)
        given = await prepared(calls, box, transport)
        # A redirect leads to another server, which must never hear of it.
        elsewhere = await stack.enter_async_context(serve(ok))
        warnings = stack.enter_context(listening())
        for call in calls:
            keywords = row.keywords(call)
            if row.fault is Fault.REDIRECT:
                keywords = {**keywords, "location": f"{elsewhere.url}/a"}
            box.fail(call.vendor, function=call.function, fault=row.fault, when=when, times=row.times, **keywords)

        async def cell(call: FaultCall) -> Ending:
            attempts = Attempts()
            limits = Timeouts(total=row.total)
            client = connect(call.vendor, box=box, transport=transport, timeouts=limits, retry=EAGER, hooks=[attempts])
            secrets = (box.smsgateway24.token, *map(str, box.credentials(call.vendor).values()))
            work = call.make(client, given[call.function])
            kind, outcome = await ended(work, call, total=min(row.total, PATIENCE.total), secrets=secrets)
            requests = box.ledger.request_count(call.function)
            assert attempts.count >= requests  # nothing under the client repeats by itself
            assert set(attempts.waits) <= {row.wait}, call.name
            return Ending(kind, outcome, requests, requests)

        endings = [
            evolve(ending, warned=warnings.of(call))
            for call, ending in zip(calls, await asyncio.gather(*(cell(call) for call in calls)), strict=True)
        ]
        assert elsewhere.connections == 0
        wrong: list[str] = []
        for call, ending in zip(calls, endings, strict=True):
            if error := judge(row.title, call, ending, row.expected(call)):
                wrong.append(f"{when}: {error}")
            made = box.ledger.numbers()[call.number] if call.number else 0
            due = 0 if call.kind != "send" else int(when == "after") if row.accepted is None else row.accepted
            # What is only late may be acted upon after we have looked.
            if made != due and not (made == 0 and row.fault is Fault.DELAY):
                wrong.append(f"{when}: {call.name} made {made} messages, and not {due}")
        return wrong


@pytest.mark.parametrize("row", EDITED_ROWS, ids=lambda row: row.title)
async def test_an_answer_that_is_changed_on_its_way_ends_each_call_as_it_has_to(row: EditedRow) -> None:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox())
        transport = make_transport()
        stack.push_async_callback(transport.aclose)

        calls = [call for call in CALLS if row.meets(call)]
        given = await prepared(calls, box, transport)
        warnings = stack.enter_context(listening())

        async def cell(call: FaultCall) -> Ending:
            attempts = Attempts()
            async with serve(edited(row.edit, call, box)) as server:
                base = box.base_url(call.vendor).replace(f":{box.port}", f":{server.port}")
                client = connect(
                    call.vendor,
                    box=box,
                    base_url=base,
                    transport=transport,
                    timeouts=PATIENCE,
                    retry=EAGER,
                    hooks=[attempts],
                )
                kind, outcome = await ended(call.make(client, given[call.function]), call, total=PATIENCE.total)
                return Ending(kind, outcome, attempts.count, len(server.requests), warnings.of(call))

        endings = await asyncio.gather(*(cell(call) for call in calls))
        pairs = zip(calls, endings, strict=True)
        wrong = [error for call, ending in pairs if (error := judge(row.title, call, ending, row.expected(call)))]
        assert not wrong, "\n".join(wrong)
        for call in calls:
            assert box.ledger.numbers()[call.number] == (call.kind == "send")
