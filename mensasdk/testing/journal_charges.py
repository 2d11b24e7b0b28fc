"""Check that a journal keeps what vendors charged, and where in their list messages stood."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, localcontext

from mensasdk.errors import ConfigurationError
from mensasdk.journal.protocol import ALL_STATES, Journal, Row, State
from mensasdk.messages import Message, OutcomeKind
from mensasdk.testing.case import case, ended, raises, reopened, row

__all__: list[str] = []


@case()
async def _what_was_charged_is_kept_once_for_a_claim_and_told_by_vendor(journal: Journal) -> None:
    assert await journal.charged("c") == {}
    await journal.load("c", [row(seq) for seq in range(6)])
    told = {"a": Decimal("10.00"), "b": Decimal("0.1")}
    claim = await journal.claim("c", 0, 3)
    for _ in range(2):  # a settle that was tried again
        await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq) for seq in range(3)], charged=told)
    assert await journal.charged("c") == told
    claim = await journal.claim("c", 3, 5)
    await journal.settle("c", claim, [ended(OutcomeKind.UNKNOWN, seq) for seq in (3, 4)])
    assert await journal.charged("c") == told  # nothing was told, which changes nothing
    await journal.resolve("c", [ended(OutcomeKind.ACCEPTED, 3)], charged={"b": Decimal("0.2")})
    await journal.resolve("c", [ended(OutcomeKind.ACCEPTED, 3)], charged={"b": Decimal(7)})  # it is known already
    claim = await journal.claim("c", 5, 6)  # the vendor charged for what it then refused
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 5)], charged={"a": Decimal(1)})
    claim = await journal.claim("c", 5, 6)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 5)], charged={"a": Decimal(1)})
    expected = {"a": Decimal(12), "b": Decimal("0.3")}
    assert await journal.charged("c") == expected
    await journal.close("c")
    assert await journal.charged("c") == expected
    await journal.open("another")
    assert await journal.charged("another") == await journal.charged("none") == {}
    await journal.close("another")
    await journal.purge("c")
    await journal.open("c")
    assert await journal.charged("c") == {}


@case()
async def _what_was_charged_is_exact_in_any_context_of_decimals(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(3)])
    with localcontext(prec=2):
        for seq in range(3):
            claim = await journal.claim("c", seq, seq + 1)
            await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, seq)], charged={"a": Decimal("1234.5678")})
        assert await journal.charged("c") == {"a": Decimal("3703.7034")}


@case()
async def _a_claim_that_is_settled_in_parts_is_charged_once_by_each_vendor(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(4)])
    claim = await journal.claim("c", 0, 4)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)], charged={"a": Decimal(1)})
    await journal.settle("c", claim, [ended(OutcomeKind.REJECTED, 1)], charged={"a": Decimal(5), "b": Decimal(2)})
    assert await journal.charged("c") == {"a": Decimal(1), "b": Decimal(2)}
    await journal.sweep("c")
    late = [ended(OutcomeKind.ACCEPTED, seq) for seq in (2, 3)]
    await journal.settle("c", claim, late, charged={"b": Decimal(7), "c": Decimal(3)})
    expected = {"a": Decimal(1), "b": Decimal(2), "c": Decimal(3)}
    assert await journal.charged("c") == expected
    await reopened(journal)
    assert await journal.charged("c") == expected


@case()
async def _what_changes_no_row_is_not_charged(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    claim = await journal.claim("c", 0, 1)
    price = {"a": Decimal(1)}
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 1)], charged=price)  # a row of no claim
    await journal.resolve("c", [ended(OutcomeKind.ACCEPTED, 0)], charged=price)  # it is IN_FLIGHT
    await journal.sweep("c")
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 0)], charged=price)  # too late
    assert await journal.charged("c") == {}
    await journal.close("c")
    with raises(ConfigurationError, match="not open"):
        await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)], charged=price)
    assert await journal.charged("c") == {}


@case()
async def _a_message_keeps_its_place_in_every_state(journal: Journal) -> None:
    def standing(seq: int, place: int | None) -> Row:
        return Row(seq, f"key {seq}".encode(), Message(f"+3460000{seq:04d}", "hola", place=place))

    async def places(states: Collection[State] = ALL_STATES) -> list[int | None]:
        return [one.message.place for one in await journal.read("c", states=states)]

    given = [7, None, 0, 2**63 - 1, 3]
    await journal.load("c", [standing(seq, place) for seq, place in enumerate(given)])
    assert await places() == given
    claim = await journal.claim("c", 0, 4)
    assert [one.message.place for one in claim.rows] == given[:4]
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0), ended(OutcomeKind.REJECTED, 1)])
    await journal.settle("c", claim, [ended(OutcomeKind.NOT_SENT, 2)])
    assert await places() == given
    await reopened(journal)
    assert await places() == given
    assert await places({State.UNKNOWN}) == [2**63 - 1]
    again = await journal.load("c", [standing(4, 9), standing(2, 8)])
    assert [one.message.place for one in again] == [9, 8], "who waits takes the place in the newer list"
    assert await places() == [7, None, 8, 2**63 - 1, 9]
