"""Taking up a campaign, over real sockets: what was sent is counted in the sandbox's ledger."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shared import greetings, number, until

from mensasdk import (
    BatchReport,
    BatchSender,
    ConfigurationError,
    EnviaTuSmsClient,
    MemoryJournal,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    Progress,
    Route,
    Router,
)
from mensasdk.errors import JournalError
from mensasdk.journal import Row, SqliteJournal, State
from mensasdk.journal.protocol import Claim
from mensasdk.journal.sqlite.store import Store
from mensasdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.all_loops

SEND = "EnviarSMS"
AnyJournal = MemoryJournal | SqliteJournal


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AnyJournal:
    return MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.sqlite")


def small(client: MensatekClient, journal: AnyJournal) -> BatchSender:
    return BatchSender(client, journal=journal, max_recipients=10, max_in_flight=1)


def everybody_once(report: BatchReport, box: Sandbox, count: int) -> None:
    assert Counter(row["to"] for row in report.rows()) == Counter(number(index) for index in range(count))
    assert set(box.ledger.numbers().values()) <= {1}
    accepted = {row["to"] for row in report.rows() if row["outcome"] == "accepted"}
    assert accepted <= {f"+{one}" for one in box.ledger.numbers()}


# ------------------------------------------------------------------------------------------------------- taking up


async def test_a_campaign_without_credits_goes_on_after_a_top_up(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    """By itself: what the stopped campaign left unsent is in the journal, that of the refused request too."""
    box.mensatek.account.credits = Decimal(30)
    first = await small(mensatek, journal).send(greetings(100), campaign="c")
    assert (first.accepted, first.rejected, first.not_sent) == (30, 10, 60)
    assert (await journal.progress("c"))[State.PENDING] == 70
    box.mensatek.account.credits = Decimal(1000)
    report = await small(mensatek, journal).resume("c")
    everybody_once(report, box, 100)
    assert report.accepted == 100 == len(box.ledger)
    assert report.credits == {"mensatek": (box.ledger.charged, "credits")}
    assert (await journal.progress("c"))[State.ACCEPTED] == 100


async def test_refused_credentials_do_not_use_up_a_message(box: Sandbox, journal: AnyJournal) -> None:
    async with MensatekClient("user", "wrong", base_url=box.base_url("mensatek")) as stranger:
        first = await small(stranger, journal).send(greetings(20), campaign="c")
    assert (first.rejected, first.not_sent) == (10, 10)
    async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
        report = await small(client, journal).resume("c")
    everybody_once(report, box, 20)
    assert report.accepted == 20


async def test_a_refusal_of_the_message_stands(box: Sandbox, mensatek: MensatekClient, journal: AnyJournal) -> None:
    box.mensatek.account.blacklist = {number(3)[1:]}
    first = await small(mensatek, journal).send(greetings(10), campaign="c")
    assert (first.accepted, first.rejected) == (9, 1)
    box.mensatek.account.blacklist = set()
    report = await small(mensatek, journal).resume("c")
    everybody_once(report, box, 10)
    assert (report.accepted, report.rejected) == (9, 1)
    assert report.by_code == first.by_code
    assert sorted(map(str, report.rows())) == sorted(map(str, first.rows()))
    assert box.ledger.request_count(SEND) == 1


async def test_what_is_unknown_is_not_sent_again(box: Sandbox, mensatek: MensatekClient, journal: AnyJournal) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RESET, when="after", nth=2)
    await small(mensatek, journal).send(greetings(30), campaign="c")
    report = await small(mensatek, journal).resume("c", greetings(30))
    everybody_once(report, box, 30)
    assert (report.accepted, report.unknown) == (20, 10)
    assert report.by_code == {"connection_lost": 10}


async def test_what_a_dead_process_had_begun_is_unknown_and_says_so(
    mensatek: MensatekClient, journal: AnyJournal
) -> None:
    await journal.open("c")
    await journal.load("c", [Row(0, b"k", greetings(1)[0])])
    await journal.claim("c", 0, 1)
    await journal.close("c")
    report = await small(mensatek, journal).resume("c")
    assert report.unknown == 1
    assert report.by_code == {"crashed": 1}
    [row] = report.rows()
    assert "process ended" in row["detail"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_same_input_again_adds_who_is_new_and_passes_over_the_others(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal, asynchronous: bool
) -> None:
    await small(mensatek, journal).send(greetings(25), campaign="c")
    again = [*greetings(40), Message("no number", "hola"), *greetings(40), Message(" 0034 600 000 003 ", "Hola Ana 3")]
    again[3] = Message(f"00{again[3].to[1:]}", again[3].text, variables=again[3].variables)  # another spelling

    async def source() -> AsyncIterator[Message]:
        for message in again:
            yield message

    totals: list[int | None] = []

    def progress(state: Progress) -> None:
        totals.append(state.total)

    report = await small(mensatek, journal).resume("c", source() if asynchronous else again, on_progress=progress)
    assert (report.total, report.accepted, report.not_sent) == (42, 41, 1)
    assert report.by_code == {"invalid_to": 1}
    assert len(box.ledger) == 41
    assert box.ledger.numbers()[number(3)[1:]] == 2  # the other text is another message
    assert totals
    assert report.total - 1 >= max(total or 0 for total in totals) > 0


async def test_resuming_what_is_over_sends_nothing(box: Sandbox, mensatek: MensatekClient, journal: AnyJournal) -> None:
    first = await small(mensatek, journal).send(greetings(20), campaign="c")
    report = await small(mensatek, journal).resume("c", greetings(20))
    everybody_once(report, box, 20)
    assert box.ledger.request_count(SEND) == 2
    assert (report.accepted, report.credits, report.parts) == (20, first.credits, first.parts)
    assert report.stopped is None


def long_and_short(first: int, count: int) -> list[Message]:
    """Make messages to people whose names take one or two parts."""
    names = ["Ana", "A" * 180]
    return [
        Message(number(first + at), "Hola {name}", variables={"name": names[at % 2]}, place=first + at)
        for at in range(count)
    ]


async def test_what_was_charged_for_a_request_is_told_again_where_nobody_has_a_share(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    """Three people have one, two and one part: what the vendor says of all of them is no third for each."""
    first = await small(mensatek, journal).send(long_and_short(0, 3), campaign="c")
    assert first.credits == {"mensatek": (Decimal(4), "credits")} == {"mensatek": (box.ledger.charged, "credits")}
    assert {row["credits"] for row in first.rows()} == {None}
    again = await small(mensatek, journal).resume("c")
    assert again.credits == first.credits
    more = await small(mensatek, journal).resume("c", [*long_and_short(0, 3), *long_and_short(10, 5)])
    assert more.accepted == len(box.ledger) == 8
    assert more.credits == {"mensatek": (box.ledger.charged, "credits")} == {"mensatek": (Decimal(11), "credits")}
    assert {row["place"]: row["number"] for row in more.rows()} == {
        at: number(at) for at in (*range(3), *range(10, 15))
    }


async def test_equal_parts_share_what_was_charged(box: Sandbox, mensatek: MensatekClient, journal: AnyJournal) -> None:
    report = await small(mensatek, journal).send(greetings(3), campaign="c")
    assert {row["credits"] for row in report.rows()} == {"1"}
    assert report.credits == {"mensatek": (box.ledger.charged, "credits")}


async def test_a_vendor_that_tells_no_charge_is_in_no_report(box: Sandbox, journal: AnyJournal) -> None:
    async with EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as client:
        people = [Message(f"+5842412345{at:02d}", "Hola") for at in range(4)]
        report = await BatchSender(client, journal=journal).send(people, campaign="c")
        again = await BatchSender(client, journal=journal).resume("c")
    assert box.ledger.charged > 0
    assert (report.accepted, report.credits, again.credits) == (4, {}, {})
    assert await journal.charged("c") == {}


async def test_all_of_a_message_survives(box: Sandbox, mensatek: MensatekClient, tmp_path: Path) -> None:
    message = Message(
        number(1), "hola", sender="CLINICA", reference="r 1", options=MensatekOptions(unicode=True, report=True)
    )
    box.mensatek.account.credits = Decimal(0)
    await BatchSender(mensatek, journal=SqliteJournal(tmp_path / "j")).send([message], campaign="c")
    box.mensatek.account.credits = Decimal(10)
    report = await BatchSender(mensatek, journal=SqliteJournal(tmp_path / "j")).resume("c")
    assert report.accepted == 1
    params = box.ledger.requests[-1].params
    assert (params["Remitente"], params["Unicode"], params["Report"]) == ("CLINICA", 1, 1)
    [row] = report.rows()
    assert row["reference"] == "r 1"
    record = (await SqliteJournal(tmp_path / "j").read("c"))[0]
    assert record.message == message
    assert record.request == params["Referenciausuario"]


async def test_a_cancelled_campaign_is_taken_up(box: Sandbox, mensatek: MensatekClient, journal: AnyJournal) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG, nth=3)
    task = asyncio.create_task(small(mensatek, journal).send(greetings(50), campaign="c"))
    await until(lambda: box.ledger.request_count(SEND) >= 3)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    report = await small(mensatek, journal).resume("c", greetings(50))
    everybody_once(report, box, 50)
    assert (report.accepted, report.unknown) == (40, 10)


async def test_a_stop_while_resuming_leaves_the_rest_for_the_next_time(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    box.mensatek.account.credits = Decimal(0)
    await small(mensatek, journal).send(greetings(50), campaign="c")
    box.mensatek.account.credits = Decimal(1000)
    sender = small(mensatek, journal)

    def progress(state: Progress) -> None:
        if state.accepted >= 20:
            sender.stop("enough")

    report = await sender.resume("c", on_progress=progress)
    everybody_once(report, box, 50)
    assert (report.accepted, report.not_sent, report.stopped) == (20, 30, "enough")
    report = await small(mensatek, journal).resume("c")
    everybody_once(report, box, 50)
    assert report.accepted == 50


async def test_what_another_route_took_is_not_sent_again(box: Sandbox, mensatek: MensatekClient) -> None:
    """The account of the first route was refused; the second took the messages, and that is what counts."""
    journal = MemoryJournal()
    async with MensatekClient("user", "wrong", base_url=box.base_url("mensatek")) as stranger:
        router = Router([Route(stranger, max_in_flight=1), Route(mensatek, max_in_flight=1)])
        report = await BatchSender(router, journal=journal, max_recipients=10).send(greetings(30), campaign="c")
    assert report.accepted == 30
    assert (await journal.progress("c"))[State.ACCEPTED] == 30


# ---------------------------------------------------------------------------------------------- opening and closing


async def test_two_senders_of_one_journal_number_their_rows_apart(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    await small(mensatek, journal).send(greetings(20), campaign="c")
    await small(mensatek, journal).send(greetings(20, start=20), campaign="c")
    records = await journal.read("c")
    assert [record.seq for record in records] == list(range(40))
    assert len({record.request for record in records}) == 4
    assert len(box.ledger) == 40


@pytest.mark.slow
async def test_a_campaign_that_is_under_way_is_refused_and_goes_on(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.DELAY, delay=0.3)
    first = small(mensatek, journal)
    task = asyncio.create_task(first.send(greetings(20), campaign="c"))
    await until(lambda: box.ledger.request_count(SEND))
    second = small(mensatek, journal)
    read: list[Message] = []

    def source() -> Iterator[Message]:
        for message in greetings(20):
            read.append(message)
            yield message

    with pytest.raises(ConfigurationError, match="'c' is being sent"):
        await second.send(source(), campaign="c")
    with pytest.raises(ConfigurationError, match="'c' is being sent"):
        await second.resume("c", source())
    assert not read
    assert (await second.send(greetings(5, start=50), campaign="d")).accepted == 5  # the refused sender is free
    assert (await task).accepted == 20
    assert len(box.ledger) == 25


async def test_only_a_campaign_that_the_journal_has_can_be_resumed(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    """Beginning one by a slip of the pen would send everybody a second SMS."""
    await small(mensatek, journal).send(greetings(5), campaign="julio")
    with pytest.raises(ConfigurationError, match="no campaign 'jluio'"):
        await small(mensatek, journal).resume("jluio", greetings(5))
    assert len(box.ledger) == 5
    assert [info.name for info in await journal.campaigns()] == ["julio"]


async def test_the_senders_own_journal_cannot_resume_and_says_what_to_do(mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek)
    await sender.send(greetings(5), campaign="c")
    with pytest.raises(ConfigurationError, match="SqliteJournal"):
        await sender.resume("c")


async def test_the_journal_knows_whether_the_input_was_read_to_its_end(
    mensatek: MensatekClient, journal: AnyJournal
) -> None:
    def broken() -> Iterator[Message]:
        yield from greetings(5)
        raise LookupError

    async def complete() -> bool:
        [info] = await journal.campaigns()
        return info.complete

    with pytest.raises(LookupError):
        await small(mensatek, journal).send(broken(), campaign="c")
    assert not await complete()
    await small(mensatek, journal).resume("c")
    assert not await complete()
    await small(mensatek, journal).resume("c", greetings(5))
    assert await complete()


# ------------------------------------------------------------------------------------------------ cancelled or broken


class SlowJournal(MemoryJournal):
    """Takes its time over a claim, after it is recorded."""

    is_immediate = False

    def __init__(self) -> None:
        super().__init__()
        self.claimed = asyncio.Event()
        self.go_on = asyncio.Event()

    async def claim(self, campaign: str, lo: int, hi: int, **how: Any) -> Claim:
        claim = await super().claim(campaign, lo, hi, **how)
        self.claimed.set()
        await self.go_on.wait()
        return claim


@pytest.mark.parametrize("times", [1, 3])
async def test_cancelled_while_it_claims_nothing_stays_in_flight(
    box: Sandbox, mensatek: MensatekClient, times: int
) -> None:
    journal = SlowJournal()
    sender = small(mensatek, journal)
    task = asyncio.create_task(sender.send(greetings(10), campaign="c"))
    await journal.claimed.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    journal.go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert (await journal.progress("c"))[State.PENDING] == 10
    assert box.ledger.request_count() == 0
    assert sender.report is not None
    assert sender.report.by_code == {"cancelled": 10}
    assert (await sender.resume("c")).accepted == 10


@pytest.mark.slow
async def test_cancelled_at_any_moment_the_file_tells_the_truth(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation at each commit in turn: nothing in flight stays behind, and nobody is sent to twice."""
    at = 0
    commits = 0
    task: asyncio.Task[Any]
    loop = asyncio.get_running_loop()
    commit = Store._commit

    def watched(store: Store, *statement: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == at:
            loop.call_soon_threadsafe(task.cancel)
            loop.call_soon_threadsafe((cancelled := threading.Event()).set)
            assert cancelled.wait(10)
        commit(store, *statement)

    monkeypatch.setattr(Store, "_commit", watched)
    for at in range(1, 9):
        commits = 0
        journal = SqliteJournal(tmp_path / f"{at}")
        task = asyncio.create_task(small(mensatek, journal).send(greetings(30, start=100 * at), campaign="c"))
        await asyncio.wait({task})
        assert task.cancelled(), at
        found = await journal.progress("c")
        assert found[State.IN_FLIGHT] == 0
        assert found[State.UNKNOWN] in {0, 10}
        commits = 100
        report = await small(mensatek, journal).resume("c", greetings(30, start=100 * at))
        assert report.total == 30
        assert report.accepted + report.unknown == 30
    assert set(box.ledger.numbers().values()) == {1}


async def test_a_journal_that_cannot_be_opened_is_an_error_before_anything_is_read(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no database" * 100)
    sender = small(mensatek, SqliteJournal(tmp_path / "text"))
    with pytest.raises(JournalError) as caught:
        await sender.send(greetings(5), campaign="c")
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    with pytest.raises(JournalError):
        _: list[Outcome] = [outcome async for outcome in sender.stream(greetings(5), campaign="c")]
    assert box.ledger.request_count() == 0


async def test_a_disk_that_is_full_in_the_middle_stops_the_campaign_in_words(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = 0
    commit = Store._commit

    def full(store: Store, database: sqlite3.Connection, sql: str, *values: Any) -> None:
        nonlocal claims
        claims += sql.startswith("INSERT INTO request")
        if claims == 3:
            raise sqlite3.OperationalError("database or disk is full")
        commit(store, database, sql, *values)

    monkeypatch.setattr(Store, "_commit", full)
    report = await small(mensatek, SqliteJournal(tmp_path / "j")).send(greetings(50), campaign="c")
    assert (report.accepted, report.not_sent) == (20, 30)
    assert report.by_code == {"journal": 10, "stopped": 20}
    assert report.stopped is not None
    assert "disk is full" in report.stopped
    assert len(box.ledger) == 20
    monkeypatch.setattr(Store, "_commit", commit)
    report = await small(mensatek, SqliteJournal(tmp_path / "j")).resume("c", greetings(50))
    everybody_once(report, box, 50)
    assert report.accepted == 50
