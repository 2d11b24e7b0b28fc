"""Check what a journal says of its recipients."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from attrs import evolve

from mensasdk.errors import JournalError
from mensasdk.journal.protocol import Claim, Journal, Record, Row, State
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.testing.case import case, counts, ended, nonce_of, raises, reopened, row

__all__: list[str] = []


@case(
    (OutcomeKind.ACCEPTED, State.ACCEPTED),
    (OutcomeKind.REJECTED, State.REJECTED),
    (OutcomeKind.NOT_SENT, State.PENDING),
    (OutcomeKind.UNKNOWN, State.UNKNOWN),
)
async def _what_is_unknown_can_be_resolved(journal: Journal, kind: OutcomeKind, state: State) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 0)])
    assert [one.key for one in await journal.read("c", states={State.UNKNOWN})] == [b"key 0"]
    assert not await journal.claim("c", 0, 1)
    await journal.resolve("c", [ended(kind, 0)])
    assert await counts(journal) == {state: 1}


@case()
async def _only_what_is_unknown_can_be_resolved(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.resolve("c", [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


@case()
async def _rows_are_read_in_portions_by_seq_and_state(journal: Journal) -> None:
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


@case()
async def _a_record_says_what_became_of_it_and_in_which_request(journal: Journal) -> None:
    message = Message("+34600000000", "hola {n}", variables={"n": "Ana"}, reference="r 7")
    before = datetime.now(UTC)
    await journal.load("c", [Row(seq, bytes([seq]), message, "+34600000000") for seq in range(3, 7)])
    claim = await journal.claim("c", 2, 5, vendor="vendor a", group="g 1")
    await journal.claim("c", 5, 6)
    outcome = Outcome(
        OutcomeKind.REJECTED,
        message,
        vendor="vendor a",
        vendor_id="id 9",
        code=str(-4),
        detail="número \ud83d roto",
        parts=2,
        credits=Decimal("0.10"),
    )
    await journal.settle("c", claim, [(3, outcome)])
    mine = await nonce_of(journal)
    first, *rest = await journal.read("c")
    assert first.outcome is not None
    assert "número" in first.outcome.detail  # what UTF-8 cannot say may be replaced
    assert (first.outcome.vendor, first.outcome.vendor_id, first.outcome.code) == ("vendor a", "id 9", "-4")
    assert (first.outcome.parts, str(first.outcome.credits)) == (2, "0.10")
    assert first.outcome.message == message
    assert (first.state, first.outcome.kind, first.request) == (State.REJECTED, OutcomeKind.REJECTED, f"{mine}.3")
    assert (first.first, first.position) == (3, 0)
    number = "+34600000000"
    assert [evolve(one, claimed_at=None) for one in rest] == [
        Record(
            4,
            b"\4",
            State.IN_FLIGHT,
            message,
            number,
            request=f"{mine}.3",
            vendor="vendor a",
            group="g 1",
            first=3,
            position=1,
        ),
        Record(5, b"\5", State.IN_FLIGHT, message, number, request=f"{mine}.5", first=5),
        Record(6, b"\6", State.PENDING, message, number),
    ]
    for claimed in (first, *rest[:2]):
        assert claimed.claimed_at is not None
        assert before <= claimed.claimed_at <= datetime.now(UTC)
    assert rest[2].claimed_at is None


@case()
async def _a_claimed_row_can_go_out_through_another_vendor(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(3)])
    claim = await journal.claim("c", 0, 2, vendor="vendor a", group="g")
    await journal.reroute("c", claim, [1, 2, 9], "vendor b")
    ways = [(one.vendor, one.group, one.state) for one in await journal.read("c")]
    assert ways == [
        ("vendor a", "g", State.IN_FLIGHT),
        ("vendor b", None, State.IN_FLIGHT),
        (None, None, State.PENDING),
    ]


@case()
async def _only_what_is_in_flight_of_a_claim_goes_out_through_another_vendor(journal: Journal) -> None:
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


@case("swept", "settled", "of an earlier opening", "empty", "not ours")
async def _a_claim_that_is_not_under_way_is_not_handed_over_to_another_vendor(journal: Journal, how: str) -> None:
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
        with raises(JournalError, match="not under way any more"):
            await journal.reroute("c", claim, seqs, "b")
    assert {one.vendor for one in await journal.read("c")} == {"a"}


@case()
async def _two_who_claim_the_same_at_once_get_each_row_once(journal: Journal) -> None:
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


@case()
async def _sweeping_makes_unknown_what_was_claimed_long_ago(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    assert await journal.sweep("c", 3600) == 0
    assert await journal.sweep("c") == 1
    assert await journal.sweep("c") == 0
    assert await counts(journal) == {State.UNKNOWN: 1, State.PENDING: 1}


@case(
    (OutcomeKind.ACCEPTED, State.ACCEPTED),
    (OutcomeKind.REJECTED, State.REJECTED),
    (OutcomeKind.UNKNOWN, State.UNKNOWN),
    (OutcomeKind.NOT_SENT, State.UNKNOWN),
)
async def _what_its_owner_knows_counts_after_a_sweep_but_never_makes_it_pending(
    journal: Journal, late: OutcomeKind, state: State
) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.sweep("c")
    await journal.settle("c", claim, [ended(late, 0)])
    assert await counts(journal) == {state: 1}
    assert not await journal.claim("c", 0, 1)


@case()
async def _an_unknown_outcome_that_was_told_is_not_changed_by_settling_again(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, 0)])
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.UNKNOWN: 1}


@case()
async def _what_is_pending_again_has_no_outcome_and_no_request(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 0)])
    assert await journal.read("c") == [Record(0, b"key 0", State.PENDING, row(0).message)]


@case()
async def _campaigns_do_not_touch_each_other(journal: Journal) -> None:
    await journal.open("d")
    await journal.load("c", [row(0, "a")])
    assert await journal.load("d", [row(0, "a")]) == [row(0, "a")]
    claim = await journal.claim("d", 0, 1)
    assert await counts(journal) == {State.PENDING: 1}
    await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    assert await counts(journal) == {State.IN_FLIGHT: 1}, "a claim is of one campaign"
    await journal.close("d")
