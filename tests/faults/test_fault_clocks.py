"""Wall clocks that are set while we wait, and times for which a clock has no name, or the same one twice."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensasdk import EnviaSmsOptions, MensaError, Message, ScheduleError
from mensasdk.campaign import BatchSender
from mensasdk.sandbox import Fault, Sandbox

from .calls import VENDORS, connect
from .findings import FINDINGS
from .tables import CLOCKS
from .test_fault_campaigns import FUNCTIONS, NUMBERS

TESTS = Path(__file__).parent.parent
PACKAGE = TESTS.parent / "mensasdk"
CHILD = Path(__file__).with_name("clock_child.py")
READS = {
    "mensatek": "GetCreditos",
    "envia_sms": "creditos_disponibles",
    "enviatusms": "balance",
    "smsgateway24": "getalldevices",
}


def judge(row: str, vendor: str, text: str, expected: str) -> None:
    FINDINGS.add_text(row, vendor, text, text == expected)
    assert text == expected


# ------------------------------------------------------------------------------------------- nobody asks the wall clock

# Where the time of day is asked for, and why that measures no wait and no deadline.
_AGE = (
    "a claim's age, for whoever resumes after a crash or on another machine, where no other clock goes on; set wrong, "
    "it makes a claim UNKNOWN too soon or too late, and never sends"
)
_MADE = "when a campaign was made, for people"
_USER = "whether a message is past the time of day that its sender gave"
ALLOWED: Mapping[str, str] = {
    "campaign/request.py::Carrier._in_time": _USER,
    "campaign/request.py::_clocks": "beside the monotonic clock, which stands still while a machine sleeps; what looks "
    "late by either is not sent",
    "journal/memory.py::MemoryJournal.claim": _AGE,
    "journal/memory.py::MemoryJournal.sweep": _AGE,
    "journal/memory.py::_Campaign": _MADE,
    "journal/sqlite/open_campaign.py::OpenCampaign.resolve": "when more was charged, to tell charges apart",
    "journal/sqlite/open_campaign.py::OpenCampaign.claim": _AGE,
    "journal/sqlite/open_campaign.py::OpenCampaign.sweep": _AGE,
    "journal/sqlite/schema.py::create": _MADE,
    "journal/sqlite/store.py::_begin": _MADE,
    "journal/sqlite/tables.py::settled": "when an outcome came to be known, for people",
    "transport/retry.py::parse_retry_after": "a server names a date to come back at and not its own time; the wait "
    "that follows is bounded and on the loop's clock",
    "vendors/base.py::VendorClient.send": _USER,
    "vendors/envia_sms/reconcile.py::now": "the vendor's hour in which it drops repetitions, with a margin",
    "vendors/mensatek/reconcile.py::MensatekReconcile._by_repeating": _USER,
}
_WALL = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "clock_gettime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
ROOMS = ("campaign", "codec", "delivery", "journal", "limits", "transport", "vendors")


def asked(tree: ast.AST, scope: str = "") -> Iterator[tuple[str, int]]:
    """Find where a module mentions the wall clock: the function or class, and the line."""
    for node in ast.iter_child_nodes(tree):
        inner = scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{scope}.{node.name}" if scope else node.name
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if node.attr in _WALL.get(owner, ()):
                yield scope, node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield scope, node.lineno  # under a name of its own it could not be found again
        yield from asked(node, inner)


def test_the_search_finds_every_way_to_the_wall_clock() -> None:
    source = """
import time, datetime as dt
from time import time as now
class A:
    def f(self, clock=time.time): return dt.datetime.now()
def g(): return time.monotonic(), datetime.utcnow(), date.today()
"""
    assert list(asked(ast.parse(source))) == [("", 3), ("A.f", 5), ("A.f", 5), ("g", 6), ("g", 6)]


@pytest.mark.slow
def test_no_wait_and_no_deadline_is_measured_on_the_wall_clock() -> None:
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            name = file.relative_to(PACKAGE).as_posix()
            for scope, line in asked(ast.parse(file.read_text(encoding="utf-8"))):
                found.setdefault(f"{name}::{scope}", []).append(f"{name}:{line}")
    new = {place: lines for place, lines in found.items() if place not in ALLOWED}
    assert not new, "say in ALLOWED why this measures no wait, or use the loop's clock or time.monotonic()"
    assert not set(ALLOWED) - set(found), "no longer there"


# ---------------------------------------------------------------------------------------- the clock is set meanwhile


def counted(requests: Sequence[Any]) -> str:
    messages = sum(one.n_accepted for one in requests)
    return (
        f"{len(requests)} request{'' if len(requests) == 1 else 's'}, {messages} message{'' if messages == 1 else 's'}"
    )


async def lived_through(vendor: str, tmp_path: Path, *, jumps: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a process found whose clock is set or is not, and what arrived meanwhile."""
    read, send = READS[vendor], FUNCTIONS[vendor]
    async with Sandbox() as box:
        box.fail(vendor, function=read, fault=Fault.STATUS, status=503, times=2)
        box.fail(vendor, function=send, fault=Fault.RATE_LIMIT, retry_after=1, when="before")
        box.fail(vendor, function=send, fault=Fault.HANG, nth=3, when="before")
        options: dict[str, Any] = {"base_url": box.base_url(vendor), **box.credentials(vendor)}
        if vendor == "smsgateway24":
            options |= {"token": box.smsgateway24.token, "device_id": 260}
        job = {
            "vendor": vendor,
            "jumps": jumps,
            "read": read,
            "send": send,
            "options": options,
            "numbers": NUMBERS[vendor],
            "journal": str(tmp_path / f"journal-{jumps}"),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHILD),
            str(TESTS),
            str(TESTS.parent),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            said, _ = await process.communicate(json.dumps(job).encode() + b"\n")
        result: dict[str, Any] = json.loads(said)
        sends = [one for one in box.ledger.requests if one.function == send]
        arrived = {
            "repeated": f"{box.ledger.request_count(read)} requests",
            "limited": counted(sends[:2]),
            "deadline": counted(sends[2:3]),
            "campaign": counted(sends[3:]),
        }
    return result, arrived


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
async def test_nothing_changes_when_the_clock_is_set_an_hour_on_and_back(vendor: str, tmp_path: Path) -> None:
    (calm, arrived), (jumping, arrived_too) = await asyncio.gather(
        lived_through(vendor, tmp_path, jumps=False), lived_through(vendor, tmp_path, jumps=True)
    )
    assert (calm["offsets"], calm["reads"]) == ([0.0], 0)
    assert jumping["offsets"] == [-3600.0, 0.0, 3600.0]
    assert jumping["reads"], "the clock has to be read while it is wrong for this to prove anything"
    assert jumping["found"] == calm["found"]
    assert arrived_too == arrived
    expected = {
        "repeated": "the answer; 3 requests",
        "limited": "the answer; 2 requests, 1 message",
        "deadline": "`DeadlineExceeded`, UNKNOWN; 1 request, 0 messages",
        "campaign": "3 ACCEPTED; 3 requests, 3 messages",
    }
    for row, key in zip(CLOCKS, expected, strict=False):
        judge(row, vendor, f"{jumping['found'][key]}; {arrived_too[key]}", expected[key])


# ------------------------------------------------------------------------------------ times that a clock does not have


def changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta]]:
    """Yield the clock changes of the next two years: the moment in UTC, and by how much the clock is set on."""
    moment = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    for _ in range(2 * 366 * 24):
        step = (moment + timedelta(hours=1)).astimezone(zone).utcoffset() or timedelta()
        step -= moment.astimezone(zone).utcoffset() or timedelta()
        moment += timedelta(hours=1)
        if step:
            yield moment, step


def in_the_gap(zone: ZoneInfo) -> datetime:
    """Return a time that the zone's clock leaves out."""
    moment, step = next(one for one in changes(zone) if one[1] > timedelta())
    return (moment.astimezone(zone).replace(tzinfo=None) - step / 2).replace(tzinfo=zone)


def in_the_fold(zone: ZoneInfo, fold: int) -> datetime:
    """Return a time that the zone's clock has twice: the first or the second."""
    moment, step = next(one for one in changes(zone) if one[1] < timedelta())
    return (moment + (step / 2 if fold == 0 else -step / 2)).astimezone(zone)


# A zone other than any vendor's, and each vendor's own: as the client is made, or for envia-sms as its user may set it,
# because the documented one has no clock changes. That of smsgateway24 is UTC.
BERLIN, NEW_YORK, MADRID = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Madrid")
HAVANA = ZoneInfo("America/Havana")
NO_SCHEDULES = "refused, as every schedule; 0 requests"


async def scheduled(vendor: str, moment: datetime, **options: Any) -> str:
    """Send one message at a moment; tell what became of it."""
    number = NUMBERS[vendor][0]
    async with Sandbox() as box, connect(vendor, box=box, **options) as client:
        text = EnviaSmsOptions(template="02", text_variable="mensaje") if vendor == "envia_sms" else None
        if vendor == "enviatusms":  # its client has no parameter for it
            report = await BatchSender(client).send([Message(number, "Hola", schedule_at=moment)])
            assert report.not_sent == 1
            assert not box.ledger.requests
            return NO_SCHEDULES
        item = None
        with contextlib.suppress(ScheduleError):
            item = client.prepare(Message(number, "Hola", schedule_at=moment, options=text))
        try:
            if vendor == "envia_sms":
                await client.send_sms(number, "02", variables={"mensaje": "Hola"}, schedule_at=moment)
            elif vendor == "mensatek":
                await client.send_sms([number], "Hola", schedule_at=moment)
            else:
                await client.send_sms(number, "Hola", schedule_at=moment)
        except MensaError as error:
            refusal = f"`{type(error).__name__}`, {error.outcome.name}"
        else:
            refusal = ""
        assert (item is None) == (refusal != ""), "one by one and in a batch it is the same"
        if refusal:
            return f"{refusal}; {len(box.ledger.requests)} requests"
        (sent,) = box.ledger.messages
        assert sent.scheduled_at is not None
        # In UTC: two times of one zone are compared by what the clock shows, and in the hour that comes twice that
        # is the same for both.
        late = sent.scheduled_at.astimezone(UTC) - moment.astimezone(UTC)
        return "scheduled for that moment" if timedelta(0) <= late < timedelta(minutes=1) else f"off by {late}"


_REFUSED = "`ScheduleError`, NOT_SENT; 0 requests"
_TAKEN = "scheduled for that moment"


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_time_that_the_callers_clock_leaves_out_is_refused(vendor: str) -> None:
    expected = NO_SCHEDULES if vendor == "enviatusms" else _REFUSED
    for zone in (BERLIN, NEW_YORK):
        judge(CLOCKS[4], vendor, await scheduled(vendor, in_the_gap(zone)), expected)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_of_an_hour_that_the_callers_clock_has_twice_the_one_that_is_meant_is_taken(vendor: str) -> None:
    first, second = (in_the_fold(NEW_YORK, fold) for fold in (0, 1))
    assert (first.fold, second.fold) == (0, 1)
    assert first.replace(fold=1) == second
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    expected = NO_SCHEDULES if vendor == "enviatusms" else _TAKEN
    for moment in (first, second):
        judge(CLOCKS[5], vendor, await scheduled(vendor, moment), expected)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_hour_that_the_vendors_own_clock_has_twice_is_refused(vendor: str) -> None:
    zone = HAVANA if vendor == "envia_sms" else MADRID
    options = {"time_zone": HAVANA} if vendor == "envia_sms" else {}
    expected = {"enviatusms": NO_SCHEDULES, "smsgateway24": _TAKEN}.get(vendor, _REFUSED)
    for fold in (0, 1):
        # Given in UTC, where there is no doubt about the moment; only the vendor could not be told.
        moment = in_the_fold(zone, fold).astimezone(UTC)
        judge(CLOCKS[6], vendor, await scheduled(vendor, moment, **options), expected)
    neighbour = in_the_fold(zone, 0).astimezone(UTC) - timedelta(hours=1)
    taken = NO_SCHEDULES if vendor == "enviatusms" else _TAKEN
    if not options:  # the sandbox reads schedules on the documented clock
        assert await scheduled(vendor, neighbour) == taken
