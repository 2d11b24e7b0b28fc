"""Duties of every journal: one suite, run over each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk import MemoryJournal, Message, OutcomeKind
from mensasdk.errors import JournalError
from mensasdk.journal import Row, SqliteJournal, State
from mensasdk.journal.keys import message_key
from mensasdk.journal.postgres import PostgresJournal
from mensasdk.journal.protocol import Claim
from mensasdk.testing import Case, journal_conformance
from mensasdk.testing.case import counts, ended, reopened, row

pytestmark = pytest.mark.all_loops

AnyJournal = MemoryJournal | SqliteJournal | PostgresJournal


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyJournal]:
    """Return an empty journal."""
    made: AnyJournal
    dsn: str | None = None
    match request.param:
        case "memory":
            made = MemoryJournal()
        case "sqlite":
            made = SqliteJournal(tmp_path / "journal.sqlite")
        case _:
            server = request.getfixturevalue("postgres_server")
            made = PostgresJournal(dsn := await server.new_database())
    yield made
    if dsn is not None:
        await server.give_back(dsn)


@pytest.mark.parametrize("case", journal_conformance(), ids=str)
async def test_the_journal_does_its_duty(journal: AnyJournal, case: Case) -> None:
    await case.run(journal)


class Forgetful(MemoryJournal):
    """A journal that gives every row to whoever claims it, as one without a fence would."""

    async def claim(self, campaign: str, lo: int, hi: int, **how: Any) -> Claim:
        claim = await super().claim(campaign, lo, hi, **how)
        await self.settle(campaign, claim, [ended(OutcomeKind.NOT_SENT, one.seq) for one in claim.rows])
        return claim


async def test_the_suite_finds_out_a_journal_that_gives_a_row_twice() -> None:
    [once] = [case for case in journal_conformance() if case.name == "a row is claimed once"]
    await once.run(MemoryJournal())
    with pytest.raises(AssertionError):
        await once.run(Forgetful())


def price(seq: int) -> dict[str, Decimal]:
    """Charge nothing, or something that one of two vendors tells."""
    return {} if seq % 3 == 0 else {f"vendor {seq % 3}": Decimal(f"{seq}.01")}


@pytest.mark.parametrize("keep", [True, False])
async def test_memory_counts_each_row_once_whatever_it_is_told(keep: bool) -> None:
    """Also where it keeps no outcomes, and takes the usual ones by their number."""
    journal = MemoryJournal(keep_outcomes=keep)
    await journal.open("c")
    await journal.load("c", [row(seq) for seq in range(6)])
    claim = await journal.claim("c", 0, 2)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)] * 2)
    assert await counts(journal) == {State.ACCEPTED: 1, State.IN_FLIGHT: 1, State.PENDING: 4}
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (0, 1)])
    claim = await journal.claim("c", 2, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (3, 5)])
    assert await counts(journal) == {State.ACCEPTED: 3, State.IN_FLIGHT: 1, State.PENDING: 2}
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (2, 3)])
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (2, 3)])
    assert await counts(journal) == {State.ACCEPTED: 4, State.PENDING: 2}


# ----------------------------------------------------------------------------------------------------- any sequence

KINDS = st.sampled_from(list(OutcomeKind))
SEQS = st.integers(0, 30)
WHICH = st.integers(0, 5)  # of the claims that were made, the newest first
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), st.lists(st.integers(0, 5), min_size=1, max_size=3)),
        st.tuples(st.just("claim"), st.tuples(SEQS, SEQS, st.none() | st.lists(SEQS, max_size=6), st.none() | WHICH)),
        st.tuples(st.just("settle"), st.tuples(WHICH, st.lists(st.tuples(SEQS, KINDS), max_size=4))),
        st.tuples(st.just("settle whole"), st.tuples(WHICH, KINDS)),
        st.tuples(st.just("reroute"), st.tuples(WHICH, st.lists(SEQS, max_size=4))),
        st.tuples(st.just("left"), st.tuples(SEQS, SEQS)),
        st.tuples(st.just("resolve"), st.lists(st.tuples(SEQS, KINDS), max_size=4)),
        st.tuples(st.just("read"), st.tuples(st.integers(-1, 30), st.sets(st.sampled_from(list(State))))),
        st.tuples(st.just("sweep"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=30,
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(STEPS)
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_file_and_database_agree_in_every_step(
    request: pytest.FixtureRequest, steps: list[tuple[str, Any]]
) -> None:
    """Where there is no PostgreSQL, the other two are compared."""
    try:
        server = request.getfixturevalue("postgres_server")
    except pytest.skip.Exception:
        server = None

    async def run() -> None:
        with TemporaryDirectory() as folder:
            journals: list[AnyJournal] = [MemoryJournal(), SqliteJournal(Path(folder) / "journal")]
            if server is not None:
                dsn = await server.new_database()
                journals.append(PostgresJournal(dsn))
            seqs = [(await journal.open("c")).next_seq for journal in journals]
            assert set(seqs) == {0}
            claims: list[list[Claim]] = [[] for _ in journals]
            seq = 0
            for name, value in steps:
                model, *results = [await step(*one, name, value, seq) for one in zip(journals, claims, strict=True)]
                assert results == [model] * len(results)
                seq += len(value) if name == "load" else 0
                model, *counts = [await journal.progress("c") for journal in journals]
                assert counts == [model] * len(counts)
                charged, *others = [await journal.charged("c") for journal in journals]
                assert others == [charged] * len(others)
            for journal in journals:
                await journal.close("c")
            if server is not None:
                await server.give_back(dsn)

    async def step(journal: AnyJournal, claims: list[Claim], name: str, value: Any, seq: int) -> object:
        claim = Claim(10**9, [])
        if name in {"settle", "settle whole", "reroute"} and claims:
            claim = claims[-1 - value[0] % len(claims)]
        match name:
            case "load":
                return await journal.load("c", [row(at, f"key {key}") for at, key in enumerate(value, seq)])
            case "claim":
                lo, hi, some, most = value
                claims.append(await journal.claim("c", lo, hi, seqs=some, most=most))
                return list(claims[-1].rows)
            case "settle":
                await journal.settle("c", claim, [ended(kind, at) for at, kind in value[1]], charged=price(seq))
                return None
            case "settle whole":
                await journal.settle("c", claim, [ended(value[1], one.seq) for one in claim.rows], charged=price(seq))
                return None
            case "reroute":
                try:
                    await journal.reroute("c", claim, value[1], "b")
                except JournalError as error:
                    return str(error)
                return None
            case "left":
                return await journal.left("c", *value)
            case "resolve":
                await journal.resolve("c", [ended(kind, at) for at, kind in value], charged=price(seq))
                return None
            case "read":
                after, states = value
                found = await journal.read("c", after=after, limit=3, states=states)
                return [evolve(one, claimed_at=None) for one in found]
            case "sweep":
                return await journal.sweep("c")
            case _:
                return await reopened(journal)

    asyncio.run(run())


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(OutcomeKind))), max_size=40))
@settings(max_examples=examples(100), deadline=None)
def test_no_key_is_ever_claimed_again_after_it_may_have_been_sent(steps: list[tuple[int, OutcomeKind]]) -> None:
    async def run() -> None:
        journal = MemoryJournal()
        await journal.open("c")
        done: set[bytes] = set()
        for seq, (number, kind) in enumerate(steps):
            key = f"key {number}".encode()
            await journal.load("c", [Row(seq, key, row(seq).message)])
            claim = await journal.claim("c", 0, seq + 1)
            for one in claim.rows:
                assert one.key not in done
                if kind is not OutcomeKind.NOT_SENT:
                    done.add(one.key)
                await journal.settle("c", claim, [ended(kind, one.seq)])

    asyncio.run(run())


def test_two_spellings_of_one_number_are_one_message() -> None:
    first, second = Message("+34 600 00 00 00", "hola"), Message("0034600000000", "hola")
    assert message_key(first, "+34600000000") == message_key(second, "+34600000000")


def test_a_reference_decides_before_the_text() -> None:
    first, second = Message("1", "at nine", reference="r1"), Message("1", "at ten", reference="r1")
    other = Message("1", "at nine", reference="r2")
    assert message_key(first, "+1") == message_key(second, "+1")
    assert message_key(first, "+1") != message_key(other, "+1")


def test_whatever_the_person_would_read_otherwise_is_another_message() -> None:
    keys = {
        message_key(Message("1", "hola"), "+1"),
        message_key(Message("1", "hola "), "+1"),
        message_key(Message("1", "hola", variables={"a": "1"}), "+1"),
        message_key(Message("1", "hola", variables={"a": "2"}), "+1"),
        message_key(Message("1", "hola", template="t"), "+1"),
        message_key(Message("1", "hola"), "+2"),
    }
    assert len(keys) == 6


def test_equal_messages_have_one_key_whatever_holds_their_variables() -> None:
    first = Message("1", "hola", variables={"a": "1", "b": "2"})
    second = Message("1", "hola", variables=MappingProxyType({"b": "2", "a": "1"}))
    assert first == second
    assert message_key(first, "+1") == message_key(second, "+1")


def test_half_a_surrogate_pair_has_a_key_as_well() -> None:
    """It is refused elsewhere in a text; a reference and a variable that no text asks for may hold it."""
    half = "\ud83d"
    keys = {
        message_key(Message("1", half), "+1"),
        message_key(Message("1", "\ud83e"), "+1"),
        message_key(Message("1", "\\ud83d"), "+1"),
        message_key(Message("1", "hola", variables={"a": half}), "+1"),
        message_key(Message("1", "hola", variables={"a": "1", "b": half}), "+1"),
        message_key(Message("1", "hola", reference=half), "+1"),
    }
    assert len(keys) == 6
    one = message_key(Message("1", "hola", variables={"b": half, "a": "1"}), "+1")
    assert one == message_key(Message("1", "hola", variables={"a": "1", "b": half}), "+1")
    decided = message_key(Message("1", "hola", variables={"a": "1"}, reference=half), "+1")
    assert decided == message_key(Message("1", "adiós", reference=half), "+1")


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=2, max_size=2, unique=True))
@example([("hola", "a", '1","b":"2'), ("hola", "a", "1")])
def test_no_two_messages_have_one_key(pair: list[tuple[str, str, str]]) -> None:
    """Not even where one's variable begins where the other's text ends."""
    first, second = (message_key(Message("1", text, variables={name: value}), "+1") for text, name, value in pair)
    assert first != second
    assert len(first) == 16
