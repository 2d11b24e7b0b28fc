"""The faults that decide about a whole campaign: when it goes on, and when it stops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen
from chosen import make_transport
from servers import ANSWERS, broken, serve
from shared import EAGER, until

from mensasdk import (
    BatchReport,
    BatchSender,
    EnviaSmsOptions,
    Message,
    OutcomeKind,
    Timeouts,
)
from mensasdk.errors import JournalError
from mensasdk.journal import CampaignFacts, MemoryJournal, Opened, SqliteJournal, State
from mensasdk.journal.protocol import Claim
from mensasdk.journal.sqlite import journal as sqlite_journal
from mensasdk.sandbox import Fault, Sandbox

from .calls import VENDORS, connect
from .cells import GRACE
from .findings import FINDINGS
from .rows import SHORT
from .tables import CAMPAIGNS

FUNCTIONS = {"mensatek": "EnviarSMS", "envia_sms": "send", "enviatusms": "sms-multi", "smsgateway24": "addsms"}
NUMBERS: Mapping[str, Sequence[str]] = {
    "mensatek": ["+34600000001", "+34600000002", "+34600000003"],
    "envia_sms": ["+525589520001", "+525589520002", "+525589520003"],
    "enviatusms": ["+584241234501", "+584241234502", "+584241234503"],
    "smsgateway24": ["+393331000001", "+393331000002", "+393331000003"],
}
KINDS = (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT)


@frozen
class Result:
    """The result of a campaign of three, at both ends."""

    outcomes: tuple[int, int, int, int]
    requests: int
    messages: int | None

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {kind.name}" for n, kind in zip(self.outcomes, KINDS, strict=True) if n)
        requests = f"{self.requests} request{'' if self.requests == 1 else 's'}"
        messages = "" if self.messages is None else f", {self.messages} message{'' if self.messages == 1 else 's'}"
        return f"{counts}; {requests}{messages}"


@frozen
class Case:
    """A row of the second table: a fault of the sandbox, and what it comes to.

    Attributes:
        rules: the keywords of `Sandbox.fail`, for each vendor that can be had that way.
        result: what comes of it.
        exceptions: what comes of it at some vendors.
    """

    rules: Mapping[str, Mapping[str, Any]]
    result: Result
    exceptions: Mapping[str, Result] = field(factory=dict)


def everywhere(fault: Fault, **more: Any) -> Mapping[str, Mapping[str, Any]]:
    return {vendor: {"fault": fault, **more} for vendor in VENDORS}


def refusals(codes: Mapping[str, int | str], **more: Any) -> Mapping[str, Mapping[str, Any]]:
    return {
        vendor: {"fault": Fault.RES, "res": code, "when": "before", "times": None, **more}
        for vendor, code in codes.items()
    }


_NO_MONEY = '{"status": "error", "msg": "Balance insuficiente."}'
_STOPPED = Result((0, 1, 0, 2), 1, 0)
CASES: Mapping[str, Case] = {
    CAMPAIGNS[0]: Case(everywhere(Fault.RESET, when="after"), Result((2, 0, 1, 0), 3, 3)),
    CAMPAIGNS[1]: Case(everywhere(Fault.HANG, when="before"), Result((2, 0, 1, 0), 3, 2)),
    CAMPAIGNS[2]: Case(
        {
            **refusals({"mensatek": -1, "envia_sms": 3, "smsgateway24": 1}),
            "enviatusms": {"fault": Fault.STATUS, "status": 401, "when": "before", "times": None},
        },
        _STOPPED,
        # A token is renewed once; the one that the login gave is refused too.
        {"smsgateway24": evolve(_STOPPED, requests=2)},
    ),
    CAMPAIGNS[3]: Case(refusals({"envia_sms": 1}), _STOPPED),
    CAMPAIGNS[4]: Case(
        {
            **refusals({"mensatek": -2, "envia_sms": 5}, nth=2),
            "enviatusms": {
                "fault": Fault.STATUS,
                "status": 402,
                "body": _NO_MONEY,
                "when": "before",
                "times": None,
                "nth": 2,
            },
        },
        Result((1, 1, 0, 1), 2, 1),
    ),
    CAMPAIGNS[5]: Case(everywhere(Fault.REDIRECT, when="after", times=None), Result((0, 0, 1, 2), 1, 1)),
}


def messages(vendor: str) -> list[Message]:
    options = EnviaSmsOptions(template="02", text_variable="mensaje") if vendor == "envia_sms" else None
    return [Message(number, "Hola", options=options) for number in NUMBERS[vendor]]


async def campaign(
    client: Any, vendor: str, *, journal: MemoryJournal | SqliteJournal | None = None, together: bool = False
) -> BatchReport:
    async with client:
        sender = BatchSender(client, max_in_flight=1, max_recipients=None if together else 1, journal=journal)
        async with asyncio.timeout(3 * SHORT + GRACE):
            return await sender.send(messages(vendor))


def counts(report: BatchReport) -> tuple[int, int, int, int]:
    assert report.total == 3
    return report.accepted, report.rejected, report.unknown, report.not_sent


def judge(row: str, vendor: str, result: Result, expected: Result) -> None:
    FINDINGS.add_text(row, vendor, str(result), result == expected)
    assert result == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "vendor"), [(row, vendor) for row, case in CASES.items() for vendor in VENDORS if vendor in case.rules]
)
async def test_a_fault_at_the_vendor_stops_a_campaign_or_does_not(row: str, vendor: str, box: Sandbox) -> None:
    case = CASES[row]
    box.fail(vendor, function=FUNCTIONS[vendor], **case.rules[vendor])
    client = connect(vendor, box=box, timeouts=Timeouts(total=SHORT if row == CAMPAIGNS[1] else 20.0), retry=EAGER)
    report = await campaign(client, vendor)
    assert set(box.ledger.numbers().values()) <= {1}
    result = Result(counts(report), box.ledger.request_count(FUNCTIONS[vendor]), len(box.ledger))
    judge(row, vendor, result, case.exceptions.get(vendor, case.result))


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_foreign_certificate_stops_a_campaign_that_has_not_said_a_word(vendor: str) -> None:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(broken("TLS unknown authority"))
        transport = make_transport()
        stack.push_async_callback(transport.aclose)
        report = await campaign(connect(vendor, base_url=place.url, transport=transport, retry=EAGER), vendor)
        assert place.server is not None
        assert place.server.bytes_in == 0
        judge(
            CAMPAIGNS[6],
            vendor,
            Result(counts(report), len(place.server.requests), None),
            Result((0, 0, 0, 3), 0, None),
        )


class FullDisk(MemoryJournal):
    """A journal that cannot record that a message is about to be sent."""

    async def claim(self, campaign: str, lo: int, hi: int, **how: Any) -> Claim:
        raise JournalError("the journal cannot be written: no space left on the device")


@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_cannot_be_recorded_is_not_sent(vendor: str) -> None:
    async with serve(ANSWERS["silence"]) as server:
        client = connect(vendor, base_url=server.url, timeouts=Timeouts(total=SHORT))
        report = await campaign(client, vendor, journal=FullDisk())
        judge(CAMPAIGNS[7], vendor, Result(counts(report), len(server.requests), None), Result((0, 0, 0, 3), 0, None))


class SpoiledFile(SqliteJournal):
    """A journal whose file can be opened, and then not written any more."""

    def __init__(self, path: Path, *, locked: bool) -> None:
        super().__init__(path, busy_timeout=0.01)
        self._locked = locked
        self.other: sqlite3.Connection | None = None

    async def open(self, campaign: str, content: CampaignFacts | None = None, *, create: bool = True) -> Opened:
        start = await super().open(campaign, content, create=create)
        if self._locked:
            self.other = sqlite3.connect(self.path, isolation_level=None)
            self.other.execute("BEGIN IMMEDIATE")
        else:
            await self._thread.do(lambda store: store._connect().execute("PRAGMA query_only = ON"))
        return start


@pytest.mark.parametrize("row", CAMPAIGNS[8:10])
@pytest.mark.parametrize("vendor", VENDORS)
async def test_what_cannot_be_written_to_the_file_is_not_sent(
    vendor: str, row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "_WAITS", (0.01, 0.01))
    journal = SpoiledFile(tmp_path / "journal", locked=row == CAMPAIGNS[9])
    async with serve(ANSWERS["silence"]) as server:
        client = connect(vendor, base_url=server.url, timeouts=Timeouts(total=SHORT))
        try:
            report = await campaign(client, vendor, journal=journal)
        finally:
            if journal.other is not None:
                journal.other.close()
        judge(row, vendor, Result(counts(report), len(server.requests), None), Result((0, 0, 0, 3), 0, None))


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_cancelled_campaign_leaves_the_truth_in_its_journal(vendor: str, box: Sandbox) -> None:
    box.fail(vendor, function=FUNCTIONS[vendor], fault=Fault.HANG, when="after", nth=2)
    journal = MemoryJournal()
    async with connect(vendor, box=box, retry=EAGER) as client:
        sender = BatchSender(client, max_in_flight=1, max_recipients=1, journal=journal)
        task = asyncio.create_task(sender.send(messages(vendor), campaign="c"))
        await until(lambda: len(box.ledger) == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    found = await journal.progress("c")
    states = (State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.PENDING)
    accepted, rejected, unknown, pending = (found.get(state, 0) for state in states)
    assert sum(found.values()) == accepted + unknown + pending
    result = Result(
        (accepted, rejected, unknown, pending), box.ledger.request_count(FUNCTIONS[vendor]), len(box.ledger)
    )
    # The third had not been read when the campaign ended; whoever resumes it gives the same input again.
    judge(CAMPAIGNS[10], vendor, result, Result((1, 0, 1, 0), 2, 2))


async def test_who_was_dropped_is_found_out_by_the_report(box: Sandbox) -> None:
    box.mensatek.account.blacklist = {NUMBERS["mensatek"][1][1:]}
    report = await campaign(connect("mensatek", box=box), "mensatek", together=True)
    assert [row["to"] for row in report.rows() if row["outcome"] == "rejected"] == [NUMBERS["mensatek"][1]]
    result = Result(counts(report), box.ledger.request_count("EnviarSMS"), len(box.ledger))
    judge(CAMPAIGNS[11], "mensatek", result, Result((2, 1, 0, 0), 1, 2))


@pytest.mark.parametrize("form", ["international", "local", "national", "plus", "given"])
async def test_who_was_ignored_is_found_whichever_way_the_vendor_writes_it(box: Sandbox, form: Any) -> None:
    stranger = NUMBERS["enviatusms"][1]
    del box.enviatusms.account.operators["424"]
    box.enviatusms.quirks = evolve(box.enviatusms.quirks, ignored_form=form)
    given = [Message(number, "Hola") for number in ("+584121234501", stranger, "+584121234503")]
    async with connect("enviatusms", box=box) as client:
        report = await BatchSender(client, max_in_flight=1).send(given)
    assert [row["to"] for row in report.rows() if row["outcome"] == "rejected"] == [stranger]
    result = Result(counts(report), box.ledger.request_count("sms-multi"), len(box.ledger))
    judge(CAMPAIGNS[12], "enviatusms", result, Result((2, 1, 0, 0), 1, 2))
