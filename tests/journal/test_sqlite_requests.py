"""Requests in the journal's file: nobody can tell them from a row for each recipient."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk import MemoryJournal, Message, Outcome, OutcomeKind, VendorOptions
from mensasdk.errors import JournalError
from mensasdk.journal import Record, Row, SqliteJournal, State
from mensasdk.journal.packing import decode_rows
from mensasdk.journal.protocol import STATE_OF, Claim
from mensasdk.journal.sqlite import requests as module
from mensasdk.journal.sqlite.store import Store

AnyJournal = MemoryJournal | SqliteJournal


@frozen
class Kept(VendorOptions):
    """Options that a journal keeps."""

    value: int = 0


async def nonce_of(journal: AnyJournal) -> str:
    [campaign] = await journal.campaigns()
    return campaign.nonce


def key_of(number: int) -> bytes:
    """Return a key as long as a hash, and as different from the others in its first half."""
    return number.to_bytes(8) * 2


def row(seq: int, key: int) -> Row:
    text, options = ("hola {n}", None) if key % 3 else ("adiós", Kept(key))
    message = Message(f"600 000 0{key:02d}", text, variables={"n": f"Ana {seq}"} if key % 2 else {}, options=options)
    return Row(seq, key_of(key) if key % 4 else bytes([key]), message, f"+346000000{key:02d}", seq - key % 2)


def outcome(seq: int, kind: OutcomeKind, more: int = 0) -> tuple[int, Outcome]:
    price = Decimal(more) / 10 if more else None
    return seq, Outcome(
        kind, Message("1"), vendor="test", vendor_id=str(more) if more else None, detail="x" * more, credits=price
    )


def plain(record: Record) -> Record:
    """Without what may differ between two journals: the moment, the nonce, and the message of the outcome."""
    known = record.outcome
    return evolve(
        record,
        claimed_at=None if record.claimed_at is None else record.claimed_at.min,
        request=record.request and record.request.partition(".")[2],
        outcome=None if known is None else evolve(known, message=record.message),
    )


async def all_of(journal: AnyJournal) -> Sequence[Record]:
    return [plain(record) for record in await journal.read("c")]


# ----------------------------------------------------------------------------------------------------- any sequence

SEQS = st.integers(0, 40)
OUTCOMES = st.lists(
    st.builds(outcome, SEQS, st.sampled_from(list(OutcomeKind)), st.integers(0, 3)), min_size=1, max_size=6
)
SOME = st.lists(st.none() | st.sampled_from(list(OutcomeKind)), min_size=1, max_size=4)  # in turn, for each row
WHICH = st.integers(0, 5)  # of the claims that were made, the newest first
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), st.lists(st.integers(1, 6), min_size=1, max_size=6)),
        st.tuples(
            st.just("claim"),
            st.tuples(
                SEQS,
                st.integers(0, 9),
                st.none() | st.lists(SEQS, max_size=9),
                st.none() | st.integers(0, 4),
                st.sampled_from([None, "a", "b"]),
            ),
        ),
        st.tuples(st.sampled_from(["end", "end"]), st.tuples(WHICH, SOME)),
        st.tuples(st.just("find out"), SOME),
        st.tuples(st.sampled_from(["settle", "settle"]), st.tuples(WHICH, OUTCOMES)),
        st.tuples(st.just("resolve"), OUTCOMES),
        st.tuples(st.just("reroute"), st.tuples(WHICH, st.lists(SEQS, max_size=4), st.sampled_from(["a", "b"]))),
        st.tuples(st.just("left"), st.tuples(SEQS, SEQS)),
        st.tuples(st.just("read"), st.tuples(st.integers(-1, 40), st.sets(st.sampled_from(list(State))))),
        st.tuples(st.just("sweep"), st.sampled_from([0.0, 0.0, 3600.0])),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=40,
)


async def play(journal: AnyJournal, claims: list[Claim], name: str, value: Any, seq: int) -> object:
    claim = Claim(10**9, [])
    if name in {"end", "settle", "reroute"} and claims:
        claim = claims[-1 - value[0] % len(claims)]
    match name:
        case "load":
            return await journal.load("c", [row(at, key) for at, key in enumerate(value, seq)])
        case "claim":
            lo, count, seqs, most, vendor = value
            hi = lo + (count if seqs is None else 40)
            group = vendor and f"group {lo}"
            claims.append(await journal.claim("c", lo, hi, seqs=seqs, most=most, vendor=vendor, group=group))
            return list(claims[-1].rows)
        case "end":
            kinds = zip(claim.rows, cycle(value[1]))
            told = [outcome(one.seq, kind, 1) for one, kind in kinds if kind is not None]
            await journal.settle("c", claim, told, charged={"v": Decimal(seq)})
        case "find out":
            known = zip(await journal.read("c", states={State.UNKNOWN}), cycle(value))
            await journal.resolve("c", [outcome(record.seq, kind, 1) for record, kind in known if kind is not None])
        case "settle":
            await journal.settle("c", claim, value[1], charged={"v": Decimal(1)})
        case "resolve":
            await journal.resolve("c", value)
        case "reroute":
            try:
                await journal.reroute("c", claim, *value[1:])
            except JournalError as error:
                return str(error)
        case "left":
            return await journal.left("c", *value)
        case "read":
            found = await journal.read("c", after=value[0], limit=3, states=value[1])
            return [plain(record) for record in found]
        case "sweep":
            return await journal.sweep("c", value)
        case _:
            await journal.close("c")
            return (await journal.open("c")).next_seq
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("longest", "waiting"), [(1000, 5000), (2, 5000), (1000, 3)])
@given(STEPS)
@settings(max_examples=examples(120), deadline=None)
def test_file_and_memory_agree_on_everything_after_each_step(
    longest: int, waiting: int, steps: list[tuple[str, Any]]
) -> None:
    """Every kind of step is tried.

    Rows are scattered, settled in part, by a claim that is over, not sent after all, loaded again, swept, handed over
    to another vendor, found out, opened again.
    """

    async def run() -> None:
        with TemporaryDirectory() as folder:
            memory, file = MemoryJournal(), SqliteJournal(Path(folder) / "journal")
            assert [(await one.open("c")).next_seq for one in (memory, file)] == [0, 0]
            both: list[tuple[AnyJournal, list[Claim]]] = [(memory, []), (file, [])]
            seq = 0
            for name, value in steps:
                one, other = [await play(journal, made, name, value, seq) for journal, made in both]
                assert one == other, name
                seq += len(value) if name == "load" else 0
                if name not in {
                    "load",
                    "claim",
                    "end",
                    "settle",
                    "reroute",
                    "left",
                }:  # to look would put what waits into the file
                    assert await all_of(memory) == await all_of(file), name
                    assert await memory.progress("c") == await file.progress("c"), name
                    assert await memory.charged("c") == await file.charged("c"), name
            assert await all_of(memory) == await all_of(file)
            await file.close("c")
            again = SqliteJournal(Path(folder) / "journal")
            assert await again.progress("c") == await memory.progress("c")
            assert await all_of(again) == await all_of(memory)

    with (
        mock.patch.object(module, "LONGEST", longest),
        mock.patch("mensasdk.journal.sqlite.store._MOST_WAITING", waiting),
    ):
        asyncio.run(run())


# ---------------------------------------------------------------------------------------------- together, and failing


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4), st.sampled_from(list(OutcomeKind))), max_size=8),
    st.sets(st.integers(2, 30)),
)
@settings(max_examples=examples(80), deadline=None)
def test_whatever_cannot_be_written_the_file_has_what_was_told_and_nothing_else(
    chunks: list[tuple[int, int, OutcomeKind]], failing: set[int]
) -> None:
    """Many at once share transactions, and some of these fail. Each of them is told the truth about its own part."""
    commit = Store._commit
    commits = 0

    def unsure(store: Store, database: sqlite3.Connection, *statement: Any) -> None:
        nonlocal commits
        commits += 1
        if commits in failing:
            raise sqlite3.OperationalError("no")
        commit(store, database, *statement)

    expected: dict[int, State] = {}

    async def chunk(journal: SqliteJournal, lo: int, count: int, early: int, kind: OutcomeKind) -> None:
        seqs = range(lo, lo + count)
        made = [row(seq, seq) for seq in seqs]
        assert await journal.load("c", made) == made
        expected.update(dict.fromkeys(seqs, State.PENDING))
        try:
            claim = await journal.claim("c", lo, lo + count)
        except JournalError:
            return
        assert claim.rows == made
        expected.update(dict.fromkeys(seqs, State.IN_FLIGHT))
        parts = (seqs[:early], OutcomeKind.ACCEPTED), (seqs[early:], kind)
        told = await asyncio.gather(
            *(journal.settle("c", claim, [outcome(seq, one) for seq in part]) for part, one in parts),
            return_exceptions=True,
        )
        for (part, one), error in zip(parts, told, strict=True):
            if error is None:
                expected.update(dict.fromkeys(part, STATE_OF[one]))
            else:
                assert isinstance(error, JournalError)

    async def run() -> None:
        with TemporaryDirectory() as folder:
            journal = SqliteJournal(Path(folder) / "journal")
            await journal.open("c")
            starts = [sum(count for count, _, _ in chunks[:at]) for at in range(len(chunks))]
            with mock.patch.object(Store, "_commit", unsure):
                await asyncio.gather(*(chunk(journal, lo, *one) for lo, one in zip(starts, chunks, strict=True)))
            found = {record.seq: record.state for record in await journal.read("c")}
            assert found == expected
            pending = [seq for seq, state in expected.items() if state is State.PENDING]
            assert [one.seq for one in (await journal.claim("c", 0, 100)).rows] == sorted(pending)
            assert not await journal.claim("c", 0, 100)
            await journal.close("c")

    asyncio.run(run())


async def test_what_comes_together_shares_a_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = Store._commit
    commits = 0

    def counted(store: Store, *statement: Any) -> None:
        nonlocal commits
        commits += 1
        commit(store, *statement)

    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    monkeypatch.setattr(Store, "_commit", counted)
    await journal.load("c", [row(seq, seq) for seq in range(200)])
    claimed = await asyncio.gather(*(journal.claim("c", lo, lo + 10) for lo in range(0, 200, 10)))
    assert [one.seq for claim in claimed for one in claim.rows] == list(range(200))
    assert commits < 10
    await journal.close("c")


class Disk:
    """A disk that holds up a change until it is told whether to take it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fails: list[bool] = []
        self._go = threading.Event()
        self.reached = threading.Event()

        def change(store: Store, *statement: Any) -> None:
            self.reached.set()
            assert self._go.wait(10)
            if self._fails and self._fails.pop(0):
                raise sqlite3.OperationalError("no")
            commit(store, *statement)

        commit = Store._commit
        monkeypatch.setattr(Store, "_commit", change)

    async def busy(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin something that comes to the disk, and wait there."""
        self._go.clear()
        self.reached.clear()
        task = asyncio.create_task(work)
        assert await asyncio.to_thread(self.reached.wait, 10)
        return task

    def goes_on(self, *fails: bool) -> None:
        """Take the changes that come, or not; all that come after these are taken."""
        self._fails = list(fails)
        self._go.set()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    """Return a journal with campaign c open, and four rows that wait."""
    made = SqliteJournal(tmp_path / "journal")
    await made.open("c")
    await made.load("c", [row(seq, seq) for seq in range(4)])
    yield made
    await made.close("c")


async def states(journal: SqliteJournal) -> str:
    """Return the initials of the states that the file has, by ``seq``."""
    return "".join(record.state.value[0] for record in await SqliteJournal(journal.path).read("c"))


def accepted(*seqs: int) -> list[tuple[int, Outcome]]:
    return [outcome(seq, OutcomeKind.ACCEPTED) for seq in seqs]


async def test_what_came_after_a_change_that_failed_does_not_bring_it_to_the_disk(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4)
    disk = Disk(monkeypatch)
    first = await disk.busy(journal.settle("c", claim, accepted(0, 1)))
    second = asyncio.create_task(journal.settle("c", claim, accepted(2)))
    await asyncio.sleep(0)
    disk.goes_on(True, False)
    with pytest.raises(JournalError):
        await first
    await second
    assert await states(journal) == "iiai"
    await journal.settle("c", claim, accepted(0, 1))
    assert await states(journal) == "aaai"


async def test_changes_that_fail_together_are_tried_one_by_one_and_each_is_told_its_own(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [await journal.claim("c", seq, seq + 1) for seq in range(3)]
    disk = Disk(monkeypatch)
    head = await disk.busy(journal.claim("c", 3, 4))
    some = [asyncio.create_task(journal.settle("c", claim, accepted(seq))) for seq, claim in enumerate(claims)]
    await asyncio.sleep(0)
    disk.goes_on(False, True, False, True, False)  # the claim, all three, and then each of them
    told = await asyncio.gather(head, *some, return_exceptions=True)
    assert [isinstance(one, JournalError) for one in told] == [False, False, True, False]
    assert await states(journal) == "aiai"
    await journal.settle("c", claims[1], accepted(1))
    assert await states(journal) == "aaai"


async def test_changes_of_one_claim_are_written_one_after_the_other_and_each_is_told_its_own(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4, vendor="a")
    disk = Disk(monkeypatch)
    head = await disk.busy(journal.settle("c", claim, accepted(0)))
    some = [
        asyncio.create_task(work)
        for work in (
            journal.settle("c", claim, accepted(1)),
            journal.reroute("c", claim, [0, 1, 2], "b"),
            journal.settle("c", claim, accepted(2)),
            journal.settle("c", claim, accepted(3)),
        )
    ]
    await asyncio.sleep(0)
    disk.goes_on(False, True, False, False, True)
    told = await asyncio.gather(head, *some, return_exceptions=True)
    assert [isinstance(one, JournalError) for one in told] == [False, True, False, False, True]
    assert await states(journal) == "aiai"
    assert [record.vendor for record in await SqliteJournal(journal.path).read("c")] == ["a", "b", "b", "a"]
    await journal.settle("c", claim, accepted(0, 1, 2, 3))
    assert await states(journal) == "aaaa"


async def test_what_is_handed_over_while_its_claim_is_being_settled_keeps_what_was_settled(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4, vendor="a")
    disk = Disk(monkeypatch)
    settled = await disk.busy(journal.settle("c", claim, accepted(0)))
    handed = asyncio.create_task(journal.reroute("c", claim, [0, 1], "b"))
    await asyncio.sleep(0)
    disk.goes_on()
    await asyncio.gather(settled, handed)
    assert await states(journal) == "aiii"
    assert [record.vendor for record in await SqliteJournal(journal.path).read("c")] == ["a", "b", "a", "a"]
    await journal.settle("c", claim, accepted(1, 2, 3))
    opened = journal._store._open["c"]
    assert not opened.changing
    assert not opened.under_way, "nothing is held of what has ended"


async def test_nothing_is_decided_in_memory_while_something_before_it_is_not_decided(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4)
    disk = Disk(monkeypatch)
    freed = await disk.busy(journal.settle("c", claim, [outcome(1, OutcomeKind.NOT_SENT)]))
    loaded = asyncio.create_task(journal.load("c", [row(9, 1)]))
    left = asyncio.create_task(journal.left("c", 0, 9))
    claimed = asyncio.create_task(journal.claim("c", 1, 10))
    await asyncio.sleep(0)
    disk.goes_on()
    await freed
    there = evolve(row(9, 1), seq=1)
    assert await loaded == [there], "it waits again, and is no duplicate"
    assert await left
    assert (await claimed).rows == [there]
    assert await states(journal) == "iiii"


async def test_a_claim_that_failed_leaves_everything_as_it_was(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were in memory, in the file, or in both, since they were loaded again."""
    await journal.progress("c")  # which puts all of them into the file
    await journal.load("c", [row(5, 0), row(6, 1), row(7, 7)])
    disk = Disk(monkeypatch)
    ranges: list[tuple[int, int, list[int] | None]] = [(0, 5, None), (0, 9, [1, 3, 7]), (7, 8, None)]
    for lo, hi, seqs in ranges:
        failing = await disk.busy(journal.claim("c", lo, hi, seqs=seqs))
        disk.goes_on(True)
        with pytest.raises(JournalError):
            await failing
        assert await journal.left("c", lo, hi)
    expected = [evolve(row(5, 0), seq=0), evolve(row(6, 1), seq=1), row(2, 2), row(3, 3), row(7, 7)]
    claim = await journal.claim("c", 0, 9)
    assert claim.rows == expected
    assert [one.message for one in await SqliteJournal(journal.path).read("c")] == [one.message for one in expected]
    assert await states(journal) == "iiiii"


async def test_what_is_being_claimed_is_nobody_elses_and_waits_for_nobody(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    first = await disk.busy(journal.claim("c", 0, 3))
    assert await journal.load("c", [row(9, 1)]) == [], "it is not pending"
    assert not await journal.left("c", 0, 3)
    second = asyncio.create_task(journal.claim("c", 0, 4))
    await asyncio.sleep(0)
    disk.goes_on()
    assert (await first).rows == [row(seq, seq) for seq in range(3)]
    assert (await second).rows == [row(3, 3)]


async def test_a_cancelled_claim_that_failed_frees_nothing_of_who_claims_next(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    cancelled = await disk.busy(journal.claim("c", 0, 2))
    next_one = asyncio.create_task(journal.claim("c", 0, 4))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait({cancelled})
    disk.goes_on(True)
    assert [one.seq for one in (await next_one).rows] in ([0, 1, 2, 3], [2, 3])
    claimed = len((await next_one).rows)
    await journal.progress("c")  # after the release
    assert (await states(journal)).count("i") == claimed


async def test_a_row_of_which_it_could_not_be_written_that_it_was_not_sent_does_not_wait(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4)
    disk = Disk(monkeypatch)
    failing = await disk.busy(journal.settle("c", claim, [outcome(1, OutcomeKind.NOT_SENT)]))
    disk.goes_on(True)
    with pytest.raises(JournalError):
        await failing
    assert await journal.load("c", [row(9, 1)]) == []
    assert not await journal.claim("c", 0, 10)
    assert await states(journal) == "iiii"


async def test_what_could_not_be_handed_over_goes_out_through_nobody_else(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4, vendor="a", group="g")
    disk = Disk(monkeypatch)
    failing = await disk.busy(journal.reroute("c", claim, [1, 2], "b"))
    disk.goes_on(True)
    with pytest.raises(JournalError):
        await failing
    await journal.settle("c", claim, accepted(0, 1))
    found = [(record.vendor, record.group) for record in await SqliteJournal(journal.path).read("c")]
    assert found == [("a", "g")] * 4


async def test_a_sweep_that_failed_leaves_the_claim_to_its_owner(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await journal.claim("c", 0, 4)
    disk = Disk(monkeypatch)
    failing = await disk.busy(journal.sweep("c"))
    disk.goes_on(True)
    with pytest.raises(JournalError):
        await failing
    await journal.settle("c", claim, [outcome(1, OutcomeKind.NOT_SENT), *accepted(0)])
    assert await states(journal) == "apii"


async def test_what_has_ended_stays_as_it_was_when_all_of_its_request_is_settled(journal: SqliteJournal) -> None:
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [outcome(1, OutcomeKind.REJECTED)])
    await journal.settle("c", claim, accepted(0, 1, 2, 3))
    assert await states(journal) == "araa"


async def test_only_what_is_under_way_is_handed_over_to_another_vendor(journal: SqliteJournal) -> None:
    claim = await journal.claim("c", 0, 3, vendor="a", group="g")
    await journal.settle("c", claim, accepted(1))
    await journal.reroute("c", claim, [1, 2, 3], "b")
    found = [(record.vendor, record.group) for record in await SqliteJournal(journal.path).read("c")]
    assert found[:3] == [("a", "g"), ("a", "g"), ("b", None)]


async def test_what_is_found_out_is_found_out_about_one_row(journal: SqliteJournal) -> None:
    for seq in range(4):
        await journal.claim("c", seq, seq + 1)
    await journal.sweep("c")
    await journal.resolve("c", accepted(2))
    assert await states(journal) == "uuau"


async def test_what_was_found_out_while_others_of_its_claim_are_under_way_stays_found_out(
    journal: SqliteJournal,
) -> None:
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [outcome(seq, OutcomeKind.UNKNOWN) for seq in (0, 2)])
    await journal.resolve("c", [outcome(0, OutcomeKind.REJECTED), outcome(2, OutcomeKind.NOT_SENT)])
    assert await states(journal) == "ripi"
    again = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, accepted(0, 1, 2, 3))
    assert await states(journal) == "raia"
    await journal.settle("c", again, accepted(2))
    assert await states(journal) == "raaa"


async def test_a_row_that_is_loaded_again_is_in_the_file_once_as_it_is_now(journal: SqliteJournal) -> None:
    await journal.progress("c")
    for seq in (5, 7):
        assert await journal.load("c", [row(seq, 2)]) == [evolve(row(seq, 2), seq=2)]
        found = await SqliteJournal(journal.path).read("c")
        assert [record.seq for record in found] == [0, 1, 2, 3]
    await journal.progress("c")
    found = await SqliteJournal(journal.path).read("c")
    assert [record.message for record in found] == [
        row(seq, key).message for seq, key in ((0, 0), (1, 1), (7, 2), (3, 3))
    ]
    assert (await journal.claim("c", 2, 3)).rows == [evolve(row(7, 2), seq=2)]
    assert await states(journal) == "ppip"


async def test_scattered_rows_are_one_request_to_the_vendor_also_when_the_file_is_opened_again(
    journal: SqliteJournal,
) -> None:
    await journal.load("c", [row(seq, seq) for seq in range(4, 12)])
    claim = await journal.claim("c", 0, 12, seqs=[10, 1, 2, 5, 7, 6], vendor="a", group="g")
    assert [one.seq for one in claim.rows] == [1, 2, 5, 6, 7, 10]
    assert await execute(journal, "SELECT first, count, head, place FROM request") == [
        (1, 2, 1, 0),
        (5, 3, 1, 2),
        (10, 1, 1, 5),
    ]
    told = [outcome(6, OutcomeKind.NOT_SENT), outcome(2, OutcomeKind.UNKNOWN), *accepted(10)]
    await journal.settle("c", claim, told)
    assert await execute(journal, "SELECT first, count, head, place FROM request") == [
        (1, 2, 1, 0),
        (5, 1, 1, 2),
        (7, 1, 1, 4),
        (10, 1, 1, 5),
    ]
    await journal.close("c")
    await journal.open("c")
    sent = [one for one in await journal.read("c") if one.state is not State.PENDING]
    assert [(one.seq, one.state.value[0], one.position) for one in sent] == [
        (1, "u", 0),
        (2, "u", 1),
        (5, "u", 2),
        (7, "u", 4),
        (10, "a", 5),
    ]
    assert {(one.request, one.first, one.vendor, one.group) for one in sent} == {
        (f"{await nonce_of(journal)}.1", 1, "a", "g")
    }


async def test_a_claim_of_some_rows_decodes_no_others(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    await journal.load("c", [row(seq, seq) for seq in range(4, 40)])
    await journal.progress("c")
    decoded = 0

    def counted(data: bytes, count: int) -> tuple[list[Message], Sequence[int]]:
        nonlocal decoded
        decoded += count
        return decode_rows(data, count)

    monkeypatch.setattr("mensasdk.journal.sqlite.tables.decode_rows", counted)
    assert len((await journal.claim("c", 0, 40, seqs=[3, 30])).rows) == 2
    assert decoded == 2
    assert len((await journal.claim("c", 0, 40, most=3)).rows) == 3
    assert decoded == 5


# ------------------------------------------------------------------------------------------------------------ reading


@pytest.mark.slow
async def test_a_portion_decodes_no_more_than_its_own_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    for lo in range(0, 5000, 50):
        await journal.load("c", [Row(seq, key_of(seq), Message(f"+346{seq:08d}")) for seq in range(lo, lo + 50)])
        claim = await journal.claim("c", lo, lo + 50)
        kind = OutcomeKind.UNKNOWN if lo == 4000 else OutcomeKind.ACCEPTED
        await journal.settle("c", claim, [outcome(seq, kind) for seq in range(lo, lo + 50)])
    decoded = 0

    def counted(data: bytes, count: int) -> tuple[list[Message], Sequence[int]]:
        nonlocal decoded
        decoded += count
        return decode_rows(data, count)

    monkeypatch.setattr(module, "decode_rows", counted)
    after, most = -1, 0
    seqs: list[int] = []
    while records := await journal.read("c", after=after, limit=120):
        seqs += [record.seq for record in records]
        after = seqs[-1]
        most, decoded = max(most, decoded), 0
    assert seqs == list(range(5000))
    assert most <= 120 + 2 * 50
    decoded = 0
    assert len(await journal.read("c", states={State.UNKNOWN})) == 50
    assert decoded == 50, "requests with nobody in that state are passed over"
    await journal.close("c")


async def test_a_claim_that_is_larger_than_a_request_in_the_file_is_one_request_to_the_vendor(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    await journal.load("c", [Row(seq, key_of(seq), Message(f"+346{seq:08d}")) for seq in range(2500)])
    claim = await journal.claim("c", 0, 2500)
    assert len(claim.rows) == 2500
    assert await execute(journal, "SELECT count, place FROM request") == [(1000, 0), (1000, 1000), (500, 2000)]
    await journal.settle("c", claim, [outcome(seq, OutcomeKind.ACCEPTED) for seq in range(2500)])
    records = await journal.read("c", limit=3000, states={State.ACCEPTED})
    assert [record.seq for record in records] == list(range(2500))
    assert {record.request for record in records} == {f"{await nonce_of(journal)}.0"}
    assert [record.position for record in records] == list(range(2500))
    await journal.close("c")


# ---------------------------------------------------------------------------------------------------------- the file


async def execute(journal: SqliteJournal, sql: str) -> list[Any]:
    """Run a statement on the journal's own connection."""
    return await journal._thread.do(lambda store: store._connect().execute(sql).fetchall())


async def test_an_outcome_does_not_write_the_messages_again(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    await journal.load("c", [row(seq, seq) for seq in range(90)])
    claim = await journal.claim("c", 0, 90, vendor="test")
    before = await execute(journal, "SELECT * FROM request")
    await journal.settle("c", claim, [outcome(seq, OutcomeKind.ACCEPTED, 1) for seq in range(90)])
    assert await execute(journal, "SELECT * FROM request") == before
    [[outcomes]] = await execute(journal, "SELECT outcomes FROM result")
    assert len(outcomes) < 150, "what all share stands there once"
    await journal.close("c")


async def test_purging_overwrites_also_what_was_loaded_again_claimed_and_freed_before(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    people = [Row(seq, key_of(seq), Message(f"+34611{seq:06d}", f"hola {seq}")) for seq in range(1200)]
    await journal.load("c", people)
    await journal.progress("c")  # which puts them into the file
    other = [evolve(one, seq=one.seq + 2000, message=Message(one.number, f"adiós {one.number}")) for one in people]
    await journal.load("c", other[:600])
    await journal.progress("c")  # which writes the new texts over the first ones
    await journal.load("c", other[300:900])
    for lo in range(0, 1200, 100):
        claim = await journal.claim("c", lo, lo + 100)
        kinds = [OutcomeKind.NOT_SENT if one.seq % 5 == 0 else OutcomeKind.ACCEPTED for one in claim.rows]
        await journal.settle("c", claim, [outcome(one.seq, kind) for one, kind in zip(claim.rows, kinds, strict=True)])
    assert (await journal.progress("c"))[State.PENDING] == 240
    await journal.close("c")
    assert b"34611" in content(tmp_path)
    await journal.purge("c")
    assert b"34611" not in content(tmp_path)


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_campaign_with_options_that_nobody_knows_can_be_purged(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    await journal.open("c")
    await journal.load("c", [row(0, 3), row(1, 6)])
    await journal.claim("c", 0, 1)
    await journal.close("c")
    with mock.patch("mensasdk.journal.packing._options_class", return_value=None):
        await journal.purge("c")
    assert await journal.campaigns() == []


def test_an_outcome_in_the_file_says_all_that_it_said() -> None:
    known: Mapping[str, Any] = {
        "vendor_id": "id \ud83d",
        "code": "-4",
        "detail": "número",
        "parts": 2,
        "credits": Decimal("0.10"),
    }
    rows = [row(seq, seq) for seq in range(1, 4)]
    way = module.Way(1, "a", "g", 7.5)
    full = Outcome(OutcomeKind.REJECTED, rows[0].message, vendor="test", **known)
    bare = Outcome(OutcomeKind.UNKNOWN, rows[2].message, vendor="test")
    request = module.Request(rows, way, 4, [full, None, bare], [None, "b", None], swept=True)
    columns = (*request.columns(), *request.result()[-2:])
    again = module.Request.stored(*columns)
    assert list(again.records("c")) == list(request.records("c"))
    assert [record.position for record in again.records("c")] == [4, 5, 6]
    assert [record.state for record in again.records("c")] == [State.REJECTED, State.UNKNOWN, State.UNKNOWN]
