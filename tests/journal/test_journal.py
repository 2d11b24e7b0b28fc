"""Duties of every journal: one suite, run over each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk import ConfigurationError, Delivery, DeliveryState, Journal, MemoryJournal, Message, Outcome, OutcomeKind
from mensasdk.errors import JournalError
from mensasdk.journal import Record, Row, SqliteJournal, State
from mensasdk.journal.keys import message_key
from mensasdk.journal.postgres import PostgresJournal
from mensasdk.journal.protocol import Claim

pytestmark = pytest.mark.all_loops

AnyJournal = MemoryJournal | SqliteJournal | PostgresJournal


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyJournal]:
    """Return a journal with campaign c open."""
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
    await made.open("c")
    yield made
    await made.close("c")
    if dsn is not None:
        await server.give_back(dsn)


def row(seq: int, key: str | None = None) -> Row:
    return Row(seq, (key or f"key {seq}").encode(), Message(f"+3460000{seq:04d}", "hola"))


def ended(kind: OutcomeKind, seq: int) -> tuple[int, Outcome]:
    return seq, Outcome(kind, row(seq).message, vendor="test")


async def counts(journal: Journal) -> dict[State, int]:
    return {state: count for state, count in (await journal.progress("c")).items() if count}


async def claimed(journal: Journal, lo: int, hi: int, **how: Any) -> list[int]:
    """Claim, and give the ``seq`` of what was claimed."""
    return [one.seq for one in (await journal.claim("c", lo, hi, **how)).rows]


async def reopened(journal: Journal) -> int:
    await journal.close("c")
    return await journal.open("c")


async def test_a_row_is_claimed_once(journal: Journal) -> None:
    assert await journal.load("c", [row(0), row(1), row(2)]) == [row(0), row(1), row(2)]
    assert (await journal.claim("c", 0, 2)).rows == [row(0), row(1)]
    assert (await journal.claim("c", 0, 3)).rows == [row(2)]
    empty = await journal.claim("c", 0, 3)
    assert not empty
    assert list(empty.rows) == []
    assert await counts(journal) == {State.IN_FLIGHT: 3}


async def test_a_key_is_loaded_once_whatever_became_of_it(journal: Journal) -> None:
    await journal.load("c", [row(0, "a"), row(1, "b"), row(2, "c")])
    claim = await journal.claim("c", 0, 3)
    assert claim
    assert await journal.load("c", [row(3, "a"), row(4, "b"), row(5, "c")]) == []
    await journal.settle(
        "c", claim, [ended(OutcomeKind.ACCEPTED, 0), ended(OutcomeKind.REJECTED, 1), ended(OutcomeKind.UNKNOWN, 2)]
    )
    assert await journal.load("c", [row(3, "a"), row(4, "b"), row(5, "c")]) == []
    assert not await journal.claim("c", 0, 10)
    assert await counts(journal) == {State.ACCEPTED: 1, State.REJECTED: 1, State.UNKNOWN: 1}


async def test_what_was_not_sent_is_pending_again(journal: Journal) -> None:
    await journal.load("c", [row(0, "a")])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.PENDING: 1}
    assert await journal.load("c", [row(5, "a")]) == [Row(0, b"a", row(5).message)]
    assert await claimed(journal, 0, 1) == [0]


@pytest.mark.parametrize("lie", ["where it was put", "in the file"])
async def test_a_pending_key_stays_in_its_place_and_takes_the_new_message(journal: Journal, lie: str) -> None:
    await journal.load("c", [row(0, "a"), row(1, "b")])
    if lie == "in the file":
        await journal.progress("c")
    here = Row(0, b"a", row(7).message, row(7).number)
    assert await journal.load("c", [row(6, "c"), row(7, "a")]) == [row(6, "c"), here]
    assert [(one.seq, one.message, one.number) for one in await journal.read("c", limit=1)] == [
        (0, row(7).message, row(7).number)
    ]
    assert not await journal.claim("c", 7, 9)
    assert (await journal.claim("c", 0, 9)).rows == [here, row(1, "b"), row(6, "c")]


async def test_a_key_that_comes_twice_at_once_is_one_row_and_the_first_one(journal: Journal) -> None:
    assert await journal.load("c", [row(0, "a"), row(1, "b"), row(2, "a")]) == [row(0, "a"), row(1, "b")]
    again = [row(3, "b"), row(4, "a"), row(5, "b")]
    there = [Row(1, b"b", row(3).message), Row(0, b"a", row(4).message)]
    assert await journal.load("c", again) == there, "in the order in which they were given"
    assert (await journal.claim("c", 0, 9)).rows == there[::-1]


@define
class Kept:
    """A thing that a caller has instead of a row, and goes on using."""

    seq: int
    key: bytes
    message: Message
    number: str
    more: list[int] = field(factory=list)


async def test_whatever_has_what_a_row_has_is_loaded_and_never_changed(journal: Journal) -> None:
    made = [Kept(seq, bytes([seq]), row(seq).message, row(seq).number) for seq in range(3)]
    before = [evolve(one) for one in made]
    assert await journal.load("c", made) == made
    other = Kept(9, b"\1", row(9).message, row(9).number)
    [here] = await journal.load("c", [other])
    assert (here.seq, here.message) == (1, row(9).message)
    claim = await journal.claim("c", 0, 9)
    assert [(one.seq, one.key, one.number) for one in claim.rows] == [
        (0, b"\0", row(0).number),
        (1, b"\1", row(9).number),
        (2, b"\2", row(2).number),
    ]
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 1), ended(OutcomeKind.ACCEPTED, 0)])
    await journal.sweep("c")
    assert made == before
    assert other == Kept(9, b"\1", row(9).message, row(9).number)


@pytest.mark.parametrize("lie", ["where it was put", "in the file"])
async def test_a_claim_takes_some_of_a_range_and_the_first_so_many(journal: Journal, lie: str) -> None:
    await journal.load("c", [row(seq) for seq in range(12)])
    if lie == "in the file":
        await journal.progress("c")
    assert await claimed(journal, 2, 9, seqs=[8, 3, 1, 9, 5, 3, 77]) == [3, 5, 8]
    assert await claimed(journal, 2, 9, seqs={3, 5, 8}) == []
    assert await claimed(journal, 2, 9, seqs=[]) == []
    assert await claimed(journal, 0, 12, most=0) == []
    assert await claimed(journal, 2, 9, most=3) == [2, 4, 6]
    assert await claimed(journal, 0, 12, seqs=[11, 10, 1, 0], most=3) == [0, 1, 10]
    assert await claimed(journal, 0, 10**12, most=100) == [7, 9, 11]


async def test_somebody_is_left_while_a_row_of_the_range_is_pending(journal: Journal) -> None:
    async def left(lo: int, hi: int) -> bool:
        return await journal.left("c", lo, hi)

    assert not await left(0, 100)
    await journal.load("c", [row(3), row(4)])
    assert [await left(0, 3), await left(0, 4), await left(4, 5), await left(5, 100)] == [False, True, True, False]
    await journal.progress("c")  # which puts them into the file, where there is one
    assert [await left(0, 3), await left(0, 4), await left(4, 5), await left(5, 100)] == [False, True, True, False]
    claim = await journal.claim("c", 0, 4)
    assert [await left(0, 4), await left(0, 5)] == [False, True]
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 3)])
    assert await left(0, 4)
    await journal.close("c")
    assert [await left(0, 4), await left(5, 9), await journal.left("no such campaign", 0, 9)] == [True, False, False]


async def test_a_claim_of_scattered_rows_is_one_request_and_each_knows_its_place_in_it(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(10)])
    scattered = await journal.claim("c", 0, 10, seqs=[8, 2, 3, 6, 5], vendor="test")
    rest = await journal.claim("c", 0, 10, most=3)

    async def places() -> dict[int, tuple[str | None, int | None, int]]:
        return {one.seq: (one.request, one.first, one.position) for one in await journal.read("c")}

    expected: dict[int, tuple[str | None, int | None, int]] = {
        **{seq: ("c.2", 2, place) for place, seq in enumerate([2, 3, 5, 6, 8])},
        **{seq: ("c.0", 0, place) for place, seq in enumerate([0, 1, 4])},
        7: (None, None, 0),
        9: (None, None, 0),
    }
    assert await places() == expected
    told = [OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT, OutcomeKind.REJECTED]
    await journal.settle("c", scattered, [ended(kind, seq) for kind, seq in zip(told, [2, 3, 5, 6], strict=True)])
    await journal.settle("c", rest, [ended(OutcomeKind.NOT_SENT, 0)])
    expected |= {5: (None, None, 0), 0: (None, None, 0)}
    assert await places() == expected, "who stood before it goes on counting when it waits again"
    await reopened(journal)
    assert await places() == expected
    await journal.resolve("c", [ended(OutcomeKind.NOT_SENT, 2), ended(OutcomeKind.ACCEPTED, 8)])
    assert await places() == {**expected, 2: (None, None, 0)}


async def test_settling_twice_changes_nothing(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.settle("c", claim, [ended(OutcomeKind.REJECTED, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


async def test_what_is_settled_in_part_leaves_the_rest_in_flight(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(4)])
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 2)])
    assert await counts(journal) == {State.ACCEPTED: 1, State.IN_FLIGHT: 3}
    await journal.settle("c", claim, [ended(OutcomeKind.REJECTED, seq) for seq in (0, 2)])
    assert await counts(journal) == {State.ACCEPTED: 1, State.REJECTED: 1, State.IN_FLIGHT: 2}
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in range(4)])
    assert await counts(journal) == {State.ACCEPTED: 3, State.REJECTED: 1}


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


async def test_only_rows_of_the_claim_can_be_settled_with_it(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(5)])
    claim, other = await journal.claim("c", 0, 2), await journal.claim("c", 2, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (2, 4, 99)])
    assert await counts(journal) == {State.IN_FLIGHT: 4, State.PENDING: 1}
    for foreign in (Claim(10**9, [row(4)]), Claim(10**9 + 1, other.rows), Claim(10**9 + 2, [])):
        await journal.settle("c", foreign, [ended(OutcomeKind.ACCEPTED, seq) for seq in range(5)])
    assert await counts(journal) == {State.IN_FLIGHT: 4, State.PENDING: 1}
    await journal.sweep("c")
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 2)])
    assert await counts(journal) == {State.UNKNOWN: 4, State.PENDING: 1}
    await journal.settle("c", other, [ended(OutcomeKind.ACCEPTED, 2)])
    assert await counts(journal) == {State.UNKNOWN: 3, State.PENDING: 1, State.ACCEPTED: 1}


async def test_a_claim_says_nothing_of_rows_that_are_claimed_again(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    first = await journal.claim("c", 0, 2)
    await journal.settle("c", first, [ended(OutcomeKind.NOT_SENT, 0)])
    second = await journal.claim("c", 0, 2)
    await journal.settle("c", first, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.IN_FLIGHT: 2}
    await journal.settle("c", first, [ended(OutcomeKind.NOT_SENT, 1)])
    await journal.settle("c", first, [ended(OutcomeKind.REJECTED, 0)])
    assert await counts(journal) == {State.IN_FLIGHT: 1, State.PENDING: 1}
    await journal.settle("c", second, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1, State.PENDING: 1}


async def test_a_claim_of_an_earlier_opening_tells_late_what_its_owner_knows(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(5)])
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 3)])
    await reopened(journal)
    await journal.claim("c", 4, 5)
    kinds = [OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
    told = [ended(kind, seq) for seq, kind in enumerate([*kinds, OutcomeKind.ACCEPTED])]
    await journal.settle("c", claim, told)
    states = [(one.state, one.outcome and one.outcome.kind) for one in await journal.read("c")]
    assert states == [
        (State.ACCEPTED, OutcomeKind.ACCEPTED),
        (State.UNKNOWN, None),
        (State.UNKNOWN, OutcomeKind.UNKNOWN),
        (State.UNKNOWN, OutcomeKind.UNKNOWN),
        (State.IN_FLIGHT, None),
    ]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.ACCEPTED, State.ACCEPTED),
        (OutcomeKind.REJECTED, State.REJECTED),
        (OutcomeKind.NOT_SENT, State.PENDING),
        (OutcomeKind.UNKNOWN, State.UNKNOWN),
    ],
)
async def test_what_is_unknown_can_be_resolved(journal: Journal, kind: OutcomeKind, state: State) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 0)])
    assert [one.key for one in await journal.read("c", states={State.UNKNOWN})] == [b"key 0"]
    assert not await journal.claim("c", 0, 1)
    await journal.resolve("c", [ended(kind, 0)])
    assert await counts(journal) == {state: 1}


async def test_only_what_is_unknown_can_be_resolved(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.resolve("c", [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


async def test_rows_are_read_in_portions_by_seq_and_state(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(6)])
    claim = await journal.claim("c", 0, 5)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, seq) for seq in (4, 2, 0)])
    unknown = {State.UNKNOWN}
    assert [one.seq for one in await journal.read("c", limit=2, states=unknown)] == [0, 2]
    assert [one.seq for one in await journal.read("c", after=2, limit=2, states=unknown)] == [4]
    assert [one.seq for one in await journal.read("c", after=4, states=unknown)] == []
    assert [(one.seq, one.state) for one in await journal.read("c", after=2)] == [
        (3, State.IN_FLIGHT),
        (4, State.UNKNOWN),
        (5, State.PENDING),
    ]
    assert await journal.read("no such campaign") == []


async def test_a_record_says_what_became_of_it_and_in_which_request(journal: Journal) -> None:
    message = Message("+34600000000", "hola {n}", variables={"n": "Ana"}, reference="r 7")
    before = datetime.now(UTC)
    await journal.load("c", [Row(seq, bytes([seq]), message, "+34600000000") for seq in range(3, 7)])
    claim = await journal.claim("c", 2, 5, vendor="mensatek", group="g 1")
    await journal.claim("c", 5, 6)
    outcome = Outcome(
        OutcomeKind.REJECTED,
        message,
        vendor="mensatek",
        vendor_id="id 9",
        code="-4",
        detail="número \ud83d roto",
        parts=2,
        credits=Decimal("0.10"),
    )
    await journal.settle("c", claim, [(3, outcome)])
    first, *rest = await journal.read("c")
    assert first.outcome is not None
    assert "número" in first.outcome.detail  # what UTF-8 cannot say may be replaced
    assert (first.outcome.vendor, first.outcome.vendor_id, first.outcome.code) == ("mensatek", "id 9", "-4")
    assert (first.outcome.parts, str(first.outcome.credits)) == (2, "0.10")
    assert first.outcome.message == message
    assert (first.state, first.outcome.kind, first.request) == (State.REJECTED, OutcomeKind.REJECTED, "c.3")
    assert (first.first, first.position) == (3, 0)
    number = "+34600000000"
    assert [evolve(one, claimed_at=None) for one in rest] == [
        Record(
            4,
            b"\4",
            State.IN_FLIGHT,
            message,
            number,
            request="c.3",
            vendor="mensatek",
            group="g 1",
            first=3,
            position=1,
        ),
        Record(5, b"\5", State.IN_FLIGHT, message, number, request="c.5", first=5),
        Record(6, b"\6", State.PENDING, message, number),
    ]
    for claimed in (first, *rest[:2]):
        assert claimed.claimed_at is not None
        assert before <= claimed.claimed_at <= datetime.now(UTC)
    assert rest[2].claimed_at is None


async def test_a_claimed_row_can_go_out_through_another_vendor(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(3)])
    claim = await journal.claim("c", 0, 2, vendor="mensatek", group="g")
    await journal.reroute("c", claim, [1, 2, 9], "envia_sms")
    ways = [(one.vendor, one.group, one.state) for one in await journal.read("c")]
    assert ways == [
        ("mensatek", "g", State.IN_FLIGHT),
        ("envia_sms", None, State.IN_FLIGHT),
        (None, None, State.PENDING),
    ]


async def test_only_what_is_in_flight_of_a_claim_goes_out_through_another_vendor(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(6)])
    claim = await journal.claim("c", 0, 6, seqs=[0, 1, 3, 4], vendor="a", group="g")
    other = await journal.claim("c", 0, 6, vendor="a", group="g")
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 1)])
    await journal.reroute("c", claim, [1, 2, 4], "b")
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in (0, 4)])
    await journal.reroute("c", claim, [3, 4], "c")
    await journal.settle("c", other, [ended(OutcomeKind.ACCEPTED, seq) for seq in (2, 5)])
    ways = [(one.vendor, one.group) for one in await journal.read("c")]
    assert ways == [("a", "g"), ("a", "g"), ("a", "g"), ("c", None), ("b", None), ("a", "g")]


@pytest.mark.parametrize("how", ["swept", "settled", "of an earlier opening", "empty", "not ours"])
async def test_a_claim_that_is_not_under_way_is_not_handed_over_to_another_vendor(journal: Journal, how: str) -> None:
    await journal.load("c", [row(0), row(1)])
    claim = await journal.claim("c", 0, 2, vendor="a")
    match how:
        case "swept":
            await journal.sweep("c")
        case "settled":
            await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 0), ended(OutcomeKind.UNKNOWN, 1)])
        case "of an earlier opening":
            await reopened(journal)
        case "empty":
            claim = await journal.claim("c", 0, 2)
        case _:
            claim = Claim(10**9, claim.rows)
    for seqs in ([0], []):
        with pytest.raises(JournalError, match="not under way any more"):
            await journal.reroute("c", claim, seqs, "b")
    assert {one.vendor for one in await journal.read("c")} == {"a"}


async def test_two_who_claim_the_same_at_once_get_each_row_once(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(20)])
    ranges = [(0, 12), (5, 20), (0, 20), (3, 4)]
    for lie in ("where they were put", "in the file"):
        found = await asyncio.gather(*(journal.claim("c", lo, hi, most=7) for lo, hi in ranges))
        seqs = [one.seq for claim in found for one in claim.rows]
        assert sorted(seqs) == list(range(20)), lie
        assert all(lo <= one.seq < hi for claim, (lo, hi) in zip(found, ranges, strict=True) for one in claim.rows)
        assert await counts(journal) == {State.IN_FLIGHT: 20}
        for claim in found:
            await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, one.seq) for one in claim.rows])
        assert await counts(journal) == {State.PENDING: 20}


async def test_sweeping_makes_unknown_what_was_claimed_long_ago(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    assert await journal.sweep("c", 3600) == 0
    assert await journal.sweep("c") == 1
    assert await journal.sweep("c") == 0
    assert await counts(journal) == {State.UNKNOWN: 1, State.PENDING: 1}


@pytest.mark.parametrize(
    ("late", "state"),
    [
        (OutcomeKind.ACCEPTED, State.ACCEPTED),
        (OutcomeKind.REJECTED, State.REJECTED),
        (OutcomeKind.UNKNOWN, State.UNKNOWN),
        (OutcomeKind.NOT_SENT, State.UNKNOWN),
    ],
)
async def test_what_its_owner_knows_counts_after_a_sweep_but_never_makes_it_pending(
    journal: Journal, late: OutcomeKind, state: State
) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.sweep("c")
    await journal.settle("c", claim, [ended(late, 0)])
    assert await counts(journal) == {state: 1}
    assert not await journal.claim("c", 0, 1)


async def test_an_unknown_outcome_that_was_told_is_not_changed_by_settling_again(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 0)])
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.UNKNOWN: 1}


# --------------------------------------------------------------------------------------------------- delivery reports


def report(state: DeliveryState, vendor_id: str | None = "7", reference: str | None = None) -> Delivery:
    at = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    return Delivery(
        "mensatek",
        vendor_id,
        number="+34600000000",
        state=state,
        code=state.value,
        at=at,
        reference=reference,
        raw={"x": "y"},
    )


async def told(journal: Journal) -> list[tuple[str | None, str | None, str]]:
    found = await journal.deliveries("mensatek", {"+34600000000"})
    return [(one.vendor_id, one.reference, one.state.value) for one in found]


async def test_a_delivery_report_is_kept_before_anybody_knows_its_message(journal: Journal) -> None:
    await journal.close("c")
    assert await journal.deliver([report(DeliveryState.SENT, reference="c.0")]) == 1
    assert await journal.deliveries("mensatek", ["+34600000000"]) == [report(DeliveryState.SENT, reference="c.0")]
    assert await journal.deliveries("mensatek", ["+34600000001"]) == []
    assert await journal.deliveries("envia_sms", ["+34600000000"]) == []


async def test_a_report_that_comes_twice_tells_nothing_new(journal: Journal) -> None:
    assert await journal.deliver([report(DeliveryState.SENT), report(DeliveryState.SENT)]) == 1
    assert await journal.deliver([report(DeliveryState.SENT)]) == 0
    assert await told(journal) == [("7", None, "sent")]


@pytest.mark.parametrize("final", [DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED])
async def test_a_final_state_stays_whatever_comes_after_it(journal: Journal, final: DeliveryState) -> None:
    assert await journal.deliver([report(final)]) == 1
    for late in DeliveryState:
        assert await journal.deliver([report(late)]) == 0
    assert await told(journal) == [("7", None, final.value)]


async def test_reports_out_of_order_do_not_move_a_message_back(journal: Journal) -> None:
    order = [DeliveryState.PENDING, DeliveryState.SCHEDULED, DeliveryState.SENT, DeliveryState.PENDING]
    assert [await journal.deliver([report(state, reference=None)]) for state in order] == [1, 0, 1, 0]
    assert await told(journal) == [("7", None, "sent")]


async def test_messages_to_one_number_are_told_apart_and_a_reference_is_not_forgotten(journal: Journal) -> None:
    await journal.deliver(
        [
            report(DeliveryState.SENT, "7", "c.0"),
            report(DeliveryState.FAILED, "8"),
            report(DeliveryState.SENT, None, "c.9"),
            report(DeliveryState.DELIVERED, "7"),
        ]
    )
    assert await told(journal) == [
        ("7", "c.0", "delivered"),
        ("8", None, "failed"),
        (None, "c.9", "sent"),
    ]


async def test_what_was_reported_goes_with_its_campaign_and_only_that(journal: AnyJournal) -> None:
    message = Message("+34600000000", "hola")
    await journal.load("c", [Row(0, b"a", message), Row(1, b"b", message)])
    claim = await journal.claim("c", 0, 1, vendor="mensatek")
    await journal.claim("c", 1, 2, vendor="mensatek")
    await journal.settle("c", claim, [(0, Outcome(OutcomeKind.ACCEPTED, message, vendor="mensatek", vendor_id="7"))])
    await journal.deliver(
        [
            report(DeliveryState.SENT, "7"),
            report(DeliveryState.SENT, "8", "c.1"),
            report(DeliveryState.SENT, "9", "c.11"),
            report(DeliveryState.SENT, "10"),
        ]
    )
    await journal.close("c")
    await journal.purge("c")
    assert [vendor_id for vendor_id, _, _ in await told(journal)] == ["10", "9"]


async def test_what_is_pending_again_has_no_outcome_and_no_request(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 0)])
    assert await journal.read("c") == [Record(0, b"key 0", State.PENDING, row(0).message)]


async def test_campaigns_do_not_touch_each_other(journal: Journal) -> None:
    await journal.open("d")
    await journal.load("c", [row(0, "a")])
    assert await journal.load("d", [row(0, "a")]) == [row(0, "a")]
    claim = await journal.claim("d", 0, 1)
    assert await counts(journal) == {State.PENDING: 1}
    await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.IN_FLIGHT: 1}, "a claim is of one campaign"
    await journal.close("d")


# ------------------------------------------------------------------------------------------------ opening and closing


async def test_opening_tells_the_first_free_seq(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1), row(7)])
    assert await reopened(journal) == 8
    await journal.load("c", [row(8, "key 1"), row(9, "key 7")])
    assert await reopened(journal) == 8, "they stayed in their places"
    await journal.claim("c", 0, 8)
    await journal.load("c", [row(10), row(8, "key 0"), row(9, "key 7")])
    assert await reopened(journal) == 11
    assert await journal.open("d") == 0
    await journal.close("d")


async def test_what_a_dead_owner_left_in_flight_is_unknown(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1), row(2)])
    claim = await journal.claim("c", 0, 2)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await reopened(journal)
    assert await counts(journal) == {State.ACCEPTED: 1, State.UNKNOWN: 1, State.PENDING: 1}
    [unknown] = await journal.read("c", states={State.UNKNOWN})
    assert (unknown.seq, unknown.outcome, unknown.request) == (1, None, "c.0")


async def test_an_open_campaign_is_refused_and_stays_with_its_owner(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    with pytest.raises(ConfigurationError, match="'c' is being sent"):
        await journal.open("c")
    assert await claimed(journal, 0, 1) == [0]
    await journal.close("c")
    await journal.close("c")
    await journal.open("c")


async def test_a_campaign_that_does_not_exist_is_begun_only_if_asked(journal: Journal) -> None:
    with pytest.raises(ConfigurationError, match="no campaign 'd'"):
        await journal.open("d", create=False)
    await journal.open("d")
    await journal.close("d")
    assert await journal.open("d", create=False) == 0
    await journal.close("d")


@pytest.mark.parametrize(
    "change",
    [
        lambda journal: journal.load("c", [row(5)]),
        lambda journal: journal.claim("c", 0, 1),
        lambda journal: journal.settle("c", Claim(1, [row(0)]), [ended(OutcomeKind.ACCEPTED, 0)]),
        lambda journal: journal.resolve("c", [ended(OutcomeKind.ACCEPTED, 0)]),
        lambda journal: journal.reroute("c", Claim(1, [row(0)]), [0], "mensatek"),
        lambda journal: journal.sweep("c"),
    ],
)
async def test_only_an_open_campaign_can_be_changed(
    journal: Journal, change: Callable[[Journal], Awaitable[object]]
) -> None:
    await journal.load("c", [row(0)])
    await journal.close("c")
    with pytest.raises(ConfigurationError, match="not open"):
        await change(journal)
    assert await counts(journal) == {State.PENDING: 1}
    assert len(await journal.read("c")) == 1


async def test_the_journal_lists_what_it_holds(journal: AnyJournal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    await journal.open("b")
    await journal.close("b", complete=True)
    first, second = await journal.campaigns()
    assert (first.name, first.complete, second.name, second.complete) == ("c", False, "b", True)
    assert first.created.utcoffset() is not None
    assert first.created <= second.created
    assert first.counts == {**dict.fromkeys(State, 0), State.PENDING: 1, State.IN_FLIGHT: 1}
    assert second.counts == dict.fromkeys(State, 0)


async def test_complete_lasts_until_the_campaign_is_begun_again(journal: AnyJournal) -> None:
    async def complete() -> bool:
        [info] = await journal.campaigns()
        return info.complete

    await journal.close("c", complete=True)
    assert await complete()
    await journal.open("c", create=False)
    assert await complete()
    await journal.close("c")
    assert await complete()
    await journal.open("c")
    assert not await complete()


async def test_what_is_purged_is_gone_and_an_open_campaign_is_not_purged(journal: AnyJournal) -> None:
    await journal.load("c", [row(0)])
    with pytest.raises(ConfigurationError, match="is being sent"):
        await journal.purge("c")
    await journal.open("d")
    await journal.load("d", [row(0)])
    await journal.close("d")
    await journal.purge("d")
    with pytest.raises(ConfigurationError, match="no campaign 'd'"):
        await journal.purge("d")
    assert [info.name for info in await journal.campaigns()] == ["c"]
    assert await counts(journal) == {State.PENDING: 1}
    assert await journal.open("d") == 0
    assert await journal.load("d", [row(0)]) == [row(0)]
    await journal.close("d")


async def test_a_cancelled_claim_claims_nothing(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    for delay in (0, 0, 0.0001, 0.001, 0.01):
        task = asyncio.create_task(journal.claim("c", 0, 2))
        await asyncio.sleep(delay)
        done = task.done()
        task.cancel()
        await asyncio.wait({task})
        if done:
            break
        assert await counts(journal) == {State.IN_FLIGHT: 1, State.PENDING: 1}


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
            seqs = [await journal.open("c") for journal in journals]
            assert set(seqs) == {0}
            claims: list[list[Claim]] = [[] for _ in journals]
            seq = 0
            for name, value in steps:
                model, *results = [await step(*one, name, value, seq) for one in zip(journals, claims, strict=True)]
                assert results == [model] * len(results)
                seq += len(value) if name == "load" else 0
                model, *counts = [await journal.progress("c") for journal in journals]
                assert counts == [model] * len(counts)
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
                await journal.settle("c", claim, [ended(kind, at) for at, kind in value[1]])
                return None
            case "settle whole":
                await journal.settle("c", claim, [ended(value[1], one.seq) for one in claim.rows])
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
                await journal.resolve("c", [ended(kind, at) for at, kind in value])
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
