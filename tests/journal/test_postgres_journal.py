"""The journal in PostgreSQL: its owners and their leases, answers that are lost, and what is never shown."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from postgres_server import PostgresServer

from mensasdk import ConfigurationError, Delivery, DeliveryState, JournalError, OutcomeKind, PostgresJournal
from mensasdk.journal import Claim, Opened, State
from mensasdk.journal.postgres import changes, schema
from mensasdk.testing.case import counts, ended, row

LEASE = 0.3
SECRET = "hunter2secret"


@pytest.fixture
async def query(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Return a connection to the database of the journal."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def opened(dsn: str, people: int = 4, **how: Any) -> PostgresJournal:
    journal = PostgresJournal(dsn, **{"lease": LEASE, **how})
    await journal.open("c")
    await journal.load("c", [row(seq) for seq in range(people)])
    return journal


def freeze(journal: PostgresJournal) -> None:
    """Stop renewing the lease, as a process does that is stopped or cut off."""
    assert journal._renewal is not None
    journal._renewal.cancel()


async def taken_over(dsn: str) -> PostgresJournal:
    """Open the campaign as soon as the lease of its owner has ended."""
    other = PostgresJournal(dsn, lease=LEASE)
    while True:
        try:
            await other.open("c")
        except ConfigurationError:  # no other error of opening ends by itself
            await asyncio.sleep(0.05)
        else:
            return other


# ---------------------------------------------------------------------------------------------------------- owners


@pytest.mark.slow
async def test_a_living_owner_keeps_its_campaign_however_long_that_lasts(dsn: str) -> None:
    journal, other = await opened(dsn), PostgresJournal(dsn, lease=LEASE)
    for _ in range(4):
        with pytest.raises(ConfigurationError, match=rf"sent by process {os.getpid()} on .*, whose lease runs for 1 s"):
            await other.open("c")
        with pytest.raises(ConfigurationError, match="is being sent by process"):
            await other.purge("c")
        await asyncio.sleep(LEASE / 2)
    assert (await journal.claim("c", 0, 9)).rows
    await journal.close("c")
    await other.open("c")
    await other.close("c")


@pytest.mark.slow
async def test_whoever_was_taken_over_changes_nothing_but_tells_what_it_knows(dsn: str) -> None:
    journal = await opened(dsn)
    claim = await journal.claim("c", 0, 3, vendor="a")
    freeze(journal)
    other = await taken_over(dsn)
    assert await counts(other) == {State.UNKNOWN: 3, State.PENDING: 1}
    refused: list[Callable[[], Awaitable[object]]] = [
        lambda: journal.load("c", [row(9)]),
        lambda: journal.claim("c", 0, 9),
        lambda: journal.sweep("c"),
        lambda: journal.resolve("c", [ended(OutcomeKind.NOT_SENT, 0)]),
        lambda: journal.reroute("c", claim, [0], "b"),
    ]
    for change in refused:
        with pytest.raises(JournalError, match=r"was taken over|not under way any more") as caught:
            await change()
        assert not caught.value.retryable
    assert await counts(other) == {State.UNKNOWN: 3, State.PENDING: 1}
    kinds = [OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN]
    told = [ended(kind, seq) for seq, kind in enumerate(kinds)]
    await journal.settle("c", claim, told, charged={"a": Decimal("1.50")})
    assert await counts(other) == {State.ACCEPTED: 1, State.UNKNOWN: 2, State.PENDING: 1}
    assert await other.charged("c") == {"a": Decimal("1.50")}
    mine = await other.claim("c", 0, 9)
    await journal.settle("c", Claim(mine.id, mine.rows), [ended(OutcomeKind.NOT_SENT, 3)])
    assert await counts(other) == {State.ACCEPTED: 1, State.UNKNOWN: 2, State.IN_FLIGHT: 1}, "the other's claim"
    await journal.close("c", complete=True)
    with pytest.raises(ConfigurationError, match="is being sent"):
        await PostgresJournal(dsn).open("c")
    [info] = await other.campaigns()
    assert not info.complete
    await other.close("c")


async def test_a_lease_that_ended_goes_on_if_nobody_has_taken_over(dsn: str, query: asyncpg.Connection) -> None:
    journal = await opened(dsn)
    freeze(journal)
    await query.execute("UPDATE mensasdk.worker SET seen = seen - interval '1 hour'")
    assert len((await journal.claim("c", 0, 9)).rows) == 4
    assert await query.fetchval("SELECT seen > clock_timestamp() - interval '1 minute' FROM mensasdk.worker")
    await journal.close("c")
    assert await query.fetchval("SELECT count(*) FROM mensasdk.worker") == 0


async def test_of_many_that_open_at_once_one_has_it(dsn: str) -> None:
    journals = [PostgresJournal(dsn) for _ in range(6)]
    ends = await asyncio.gather(*(one.open("c") for one in journals), return_exceptions=True)
    assert Counter(type(end) for end in ends) == {Opened: 1, ConfigurationError: 5}
    for one in journals:
        await one.close("c")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
async def test_a_forked_process_has_nothing_open(dsn: str) -> None:
    journal = await opened(dsn, lease=30.0)

    def child() -> int:
        async def work() -> int:
            try:
                await journal.claim("c", 0, 9)
            except ConfigurationError as error:
                if "not open" not in str(error):
                    return 2
            try:
                await journal.open("c")
            except ConfigurationError as error:
                return 0 if "is being sent by process" in str(error) else 3
            return 4

        asyncio.set_event_loop(None)
        asyncio._set_running_loop(None)
        return asyncio.run(work())

    code = 1
    if (process := os.fork()) == 0:
        try:
            code = child()
        finally:
            os._exit(code)
    _, status = await asyncio.to_thread(os.waitpid, process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len((await journal.claim("c", 0, 9)).rows) == 4, "the connections are still the parent's"
    await journal.close("c")


# ---------------------------------------------------------------------------------------------------- lost answers


@pytest.mark.slow
async def test_a_claim_cancelled_at_whatever_step_claims_nothing(dsn: str) -> None:
    journal = await opened(dsn, 20)
    cancelled = 0
    for steps, pause in [*((steps, 0) for steps in range(30)), *((steps, 0.0001) for steps in range(40))]:
        task = asyncio.create_task(journal.claim("c", 0, 20))
        for _ in range(steps):
            await asyncio.sleep(pause)
        task.cancel()
        await asyncio.wait({task})
        if task.cancelled():
            cancelled += 1
        else:
            claim = task.result()
            await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, one.seq) for one in claim.rows])
        assert await counts(journal) == {State.PENDING: 20}
    assert cancelled >= 10
    await journal.close("c")


async def test_a_claim_that_is_cancelled_while_the_server_has_it_fails_there(
    dsn: str, query: asyncpg.Connection
) -> None:
    journal = await opened(dsn)
    async with query.transaction():
        await query.execute("LOCK TABLE mensasdk.taken_0 IN ACCESS EXCLUSIVE MODE")
        task = asyncio.create_task(journal.claim("c", 0, 9))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not await query.fetchval(waiting):  # noqa: ASYNC110 - it happens in the server
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    assert await counts(journal) == {State.PENDING: 4}
    assert len((await journal.claim("c", 0, 9)).rows) == 4
    await journal.close("c")


@pytest.mark.slow
async def test_connections_that_break_at_any_moment_lose_nobody_and_claim_nobody_twice(
    dsn: str, query: asyncpg.Connection
) -> None:
    journal = await opened(dsn, 300, lease=30.0)
    given: Counter[int] = Counter()
    seeded = random.Random(3)

    async def work(lo: int) -> None:
        while claim := await journal.claim("c", lo, lo + 100, most=7):
            given.update(one.seq for one in claim.rows)
            await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, one.seq) for one in claim.rows])

    async def cut() -> None:
        while True:
            await query.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(seeded.uniform(0.02, 0.4))

    cutting = asyncio.create_task(cut())
    await asyncio.gather(*map(work, (0, 100, 200)))
    cutting.cancel()
    await asyncio.wait({cutting})
    assert given == Counter(range(300)), "nobody was given out twice, nor left out"
    assert await counts(journal) == {State.ACCEPTED: 300}
    await journal.close("c")


async def test_a_claim_that_was_taken_back_fails_when_it_arrives_late(dsn: str, query: asyncpg.Connection) -> None:
    journal = await opened(dsn)
    mine, worker = journal._open["c"], journal._worker.id
    how: dict[str, Any] = {"seqs": None, "most": None, "vendor": None, "group": None}
    await changes.release(query, mine, worker, 7_000_001)
    with pytest.raises(asyncpg.UniqueViolationError):
        await changes.claim(query, mine, worker, 7_000_001, 0, 9, **how)
    assert await counts(journal) == {State.PENDING: 4}
    assert await changes.claim(query, mine, worker, 7_000_002, 0, 9, **how)
    for _ in range(2):
        await changes.release(query, mine, worker, 7_000_002)
        assert await counts(journal) == {State.PENDING: 4}
    await journal.close("c")


async def test_what_could_not_be_recorded_is_recorded_when_the_campaign_is_closed(
    dsn: str, postgres_server: PostgresServer
) -> None:
    journal = await opened(dsn, retry_for=0.0)
    claim = await journal.claim("c", 0, 9)
    await asyncio.to_thread(postgres_server.stop)
    try:
        with pytest.raises(JournalError) as caught:
            await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, one.seq) for one in claim.rows])
        assert caught.value.retryable
        with pytest.raises(JournalError):
            await journal.claim("c", 0, 9)
    finally:
        await asyncio.to_thread(postgres_server.start)
    await journal.close("c", complete=True)
    assert await counts(journal) == {State.ACCEPTED: 4}
    [info] = await journal.campaigns()
    assert not info.complete, "who was not recorded in time may have been left out"


# ------------------------------------------------------------------------------------------------------ the database


@pytest.mark.parametrize("column", ["number = '+34999999999'", 'message = \'{"to": "+34999999999"}\'', "seq = 7"])
async def test_a_recipient_that_was_changed_in_the_database_is_not_given_out(
    dsn: str, query: asyncpg.Connection, column: str
) -> None:
    journal = await opened(dsn)
    await query.execute(f"UPDATE mensasdk.recipient_0 SET {column} WHERE seq = 2")
    for _ in range(2):
        with pytest.raises(JournalError, match="is not what was written"):
            await journal.claim("c", 0, 9)
        assert await counts(journal) == {State.PENDING: 4}
    with pytest.raises(JournalError, match="is not what was written"):
        await journal.read("c")
    assert len((await journal.claim("c", 0, 2)).rows) == 2
    await journal.close("c")


async def test_reading_makes_nothing_and_of_several_that_write_first_one_makes_the_tables(
    postgres_server: PostgresServer,
) -> None:
    await postgres_server.admin("CREATE DATABASE bare")
    dsn = postgres_server.dsn("bare")
    journal = PostgresJournal(dsn)
    assert await journal.campaigns() == ()
    assert await journal.read("c") == []
    assert await journal.progress("c") == dict.fromkeys(State, 0)
    with pytest.raises(ConfigurationError, match="no campaign 'c'"):
        await journal.open("c", create=False)
    query = await asyncpg.connect(dsn)
    assert await query.fetchval("SELECT to_regnamespace('mensasdk')") is None
    journals = [PostgresJournal(dsn) for _ in range(5)]
    await asyncio.gather(*(one.deliver([]) for one in journals))
    assert await query.fetchval("SELECT version FROM mensasdk.meta") == schema.VERSION
    await query.execute("UPDATE mensasdk.meta SET version = version + 1")
    with pytest.raises(ConfigurationError, match="install a newer mensasdk"):
        await PostgresJournal(dsn).campaigns()
    await query.execute("ALTER DATABASE bare SET synchronous_commit = off")
    await query.close()
    with pytest.raises(ConfigurationError, match="synchronous_commit"):
        await PostgresJournal(dsn).campaigns()
    await postgres_server.admin("DROP DATABASE bare")


async def test_whatever_a_vendor_writes_into_a_report_can_be_kept(dsn: str) -> None:
    journal = PostgresJournal(dsn)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    odd = Delivery("v", "a\0b", number="\ud83d\0", state=DeliveryState.SENT, code="\0", at=at, reference="\udc00")
    fine = Delivery("v", "7", number="+34600000000", state=DeliveryState.SENT, code="", at=at)
    async with journal:
        assert await journal.deliver([odd, fine]) == 2
        assert await journal.deliver([odd, fine]) == 0
        assert await journal.deliveries("v", ["+34600000000"]) == [fine]
        assert len(await journal.deliveries("v", [odd.number])) == 1


# ----------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://postgres:{SECRET}@127.0.0.1:1/x",
        f"postgresql://postgres@127.0.0.1:1/x?password={SECRET}",
        f"postgresql://postgres:{SECRET}@no-such-host.invalid/x",
        f"postgresql://postgres:{SECRET}@127.0.0.1:PORT/no_such_database",
        f"postgresql://no_such_user:{SECRET}@127.0.0.1:PORT/postgres",
        f"postgresql://postgres:{SECRET}@127.0.0.1:PORT/postgres?sslmode=require",
        f"postgresql://postgres:{SECRET}@127.0.0.1:PORT/postgres?sslmode={SECRET}",
    ],
)
async def test_a_password_is_shown_nowhere(
    postgres_server: PostgresServer, address: str, log: pytest.LogCaptureFixture
) -> None:
    journal = PostgresJournal(address.replace("PORT", str(postgres_server.port)), retry_for=0.05)
    with pytest.raises((JournalError, ConfigurationError)) as caught:
        await journal.open("c")
    error: BaseException | None = caught.value
    assert "database" in str(error) or "DSN" in str(error)
    shown = [repr(journal), log.text]
    while error is not None:
        shown += [str(error), repr(error), repr(error.__dict__)]
        error = error.__cause__ or error.__context__
    assert caught.value.__context__ is None
    assert not [text for text in shown if SECRET in text and "sslmode" not in text]


@pytest.mark.parametrize(
    "dsn", [f"postgresql://u:{SECRET}@[::1/x", f"mysql://u:{SECRET}@h/x", f"postgres://u:{SECRET}@h:x/"]
)
def test_an_address_that_cannot_be_read_is_refused_without_being_shown(dsn: str) -> None:
    with pytest.raises(ConfigurationError, match="the DSN") as caught:
        PostgresJournal(dsn)
    assert SECRET not in repr(caught.value)
    assert caught.value.__context__ is None


def test_without_asyncpg_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "mensasdk.journal.postgres.database")
    with pytest.raises(ConfigurationError, match=r"pip install 'mensasdk\[postgres\]'"):
        PostgresJournal("postgresql://h/x")


@pytest.mark.slow
async def test_an_outage_is_waited_for(dsn: str, postgres_server: PostgresServer) -> None:
    journal = await opened(dsn)
    claim = await journal.claim("c", 0, 2)
    await asyncio.to_thread(postgres_server.stop)
    told = [ended(OutcomeKind.ACCEPTED, seq) for seq in (0, 1)]
    settling = asyncio.create_task(journal.settle("c", claim, told, charged={"a": Decimal("0.1")}))
    claiming = asyncio.create_task(journal.claim("c", 2, 9))
    await asyncio.sleep(0.5)
    assert not settling.done()
    assert not claiming.done()
    await asyncio.to_thread(postgres_server.start)
    await settling
    assert [one.seq for one in (await claiming).rows] == [2, 3]
    assert await counts(journal) == {State.ACCEPTED: 2, State.IN_FLIGHT: 2}
    assert await journal.charged("c") == {"a": Decimal("0.1")}
    await journal.close("c")


async def test_ten_thousand_are_read_in_bounded_ranges(dsn: str) -> None:
    journal = PostgresJournal(dsn)
    await journal.open("c")
    people = [row(seq) for seq in range(0, 20_000, 2)]
    assert await journal.load("c", people) == people
    claim = await journal.claim("c", 0, 10**9, seqs=range(15_000, 15_100))
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, one.seq) for one in claim.rows])
    await journal.claim("c", 18_000, 18_010)
    for states, expected in (
        ({State.UNKNOWN}, range(15_000, 15_100, 2)),
        ({State.UNKNOWN, State.IN_FLIGHT}, [*range(15_000, 15_100, 2), *range(18_000, 18_010, 2)]),
        ({State.ACCEPTED}, []),
        ({State.PENDING}, [*range(0, 15_000, 2), *range(15_100, 18_000, 2), *range(18_010, 20_000, 2)]),
    ):
        found, after = [], -1
        while records := await journal.read("c", after=after, limit=2_345, states=states):
            after = records[-1].seq
            found += [record.seq for record in records]
        assert found == list(expected), states
    await journal.close("c")
