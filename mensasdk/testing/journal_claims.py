"""Check that a journal gives each recipient to one request only."""

from __future__ import annotations

from attrs import define, evolve, field

from mensasdk.journal.protocol import Claim, Journal, Row, State
from mensasdk.messages import Message, OutcomeKind
from mensasdk.testing.case import case, claimed, counts, ended, nonce_of, reopened, row

__all__: list[str] = []


@case()
async def _a_row_is_claimed_once(journal: Journal) -> None:
    assert await journal.load("c", [row(0), row(1), row(2)]) == [row(0), row(1), row(2)]
    assert (await journal.claim("c", 0, 2)).rows == [row(0), row(1)]
    assert (await journal.claim("c", 0, 3)).rows == [row(2)]
    empty = await journal.claim("c", 0, 3)
    assert not empty
    assert list(empty.rows) == []
    assert await counts(journal) == {State.IN_FLIGHT: 3}


@case()
async def _a_key_is_loaded_once_whatever_became_of_it(journal: Journal) -> None:
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


@case()
async def _what_was_not_sent_is_pending_again(journal: Journal) -> None:
    await journal.load("c", [row(0, "a")])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.PENDING: 1}
    assert await journal.load("c", [row(5, "a")]) == [Row(0, b"a", row(5).message)]
    assert await claimed(journal, 0, 1) == [0]


@case("where it was put", "in the file")
async def _a_pending_key_stays_in_its_place_and_takes_the_new_message(journal: Journal, lie: str) -> None:
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


@case()
async def _a_key_that_comes_twice_at_once_is_one_row_and_the_first_one(journal: Journal) -> None:
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
    place: int = -1
    more: list[int] = field(factory=list)


@case()
async def _whatever_has_what_a_row_has_is_loaded_and_never_changed(journal: Journal) -> None:
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


@case("where it was put", "in the file")
async def _a_claim_takes_some_of_a_range_and_the_first_so_many(journal: Journal, lie: str) -> None:
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


@case()
async def _somebody_is_left_while_a_row_of_the_range_is_pending(journal: Journal) -> None:
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


@case()
async def _a_claim_of_scattered_rows_is_one_request_and_each_knows_its_place_in_it(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(10)])
    scattered = await journal.claim("c", 0, 10, seqs=[8, 2, 3, 6, 5], vendor="test")
    rest = await journal.claim("c", 0, 10, most=3)

    async def places() -> dict[int, tuple[str | None, int | None, int]]:
        return {one.seq: (one.request, one.first, one.position) for one in await journal.read("c")}

    mine = await nonce_of(journal)
    expected: dict[int, tuple[str | None, int | None, int]] = {
        **{seq: (f"{mine}.2", 2, place) for place, seq in enumerate([2, 3, 5, 6, 8])},
        **{seq: (f"{mine}.0", 0, place) for place, seq in enumerate([0, 1, 4])},
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


@case()
async def _settling_twice_changes_nothing(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    claim = await journal.claim("c", 0, 1)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.settle("c", claim, [ended(OutcomeKind.REJECTED, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


@case()
async def _what_is_settled_in_part_leaves_the_rest_in_flight(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(4)])
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 2)])
    assert await counts(journal) == {State.ACCEPTED: 1, State.IN_FLIGHT: 3}
    await journal.settle("c", claim, [ended(OutcomeKind.REJECTED, seq) for seq in (0, 2)])
    assert await counts(journal) == {State.ACCEPTED: 1, State.REJECTED: 1, State.IN_FLIGHT: 2}
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in range(4)])
    assert await counts(journal) == {State.ACCEPTED: 3, State.REJECTED: 1}


@case()
async def _only_rows_of_the_claim_can_be_settled_with_it(journal: Journal) -> None:
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


@case()
async def _a_claim_says_nothing_of_rows_that_are_claimed_again(journal: Journal) -> None:
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


@case()
async def _a_claim_of_an_earlier_opening_tells_late_what_its_owner_knows(journal: Journal) -> None:
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
