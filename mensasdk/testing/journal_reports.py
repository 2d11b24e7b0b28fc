"""Check how a journal keeps delivery reports."""

from __future__ import annotations

from datetime import UTC, datetime

from mensasdk.journal.protocol import Journal, Row
from mensasdk.messages import Delivery, DeliveryState, Message, Outcome, OutcomeKind
from mensasdk.testing.case import case, nonce_of

__all__: list[str] = []


def report(state: DeliveryState, vendor_id: str | None = "7", reference: str | None = None) -> Delivery:
    at = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    return Delivery(
        "vendor a",
        vendor_id,
        number="+34600000000",
        state=state,
        code=state.value,
        at=at,
        reference=reference,
        raw={"x": "y"},
    )


async def told(journal: Journal) -> list[tuple[str | None, str | None, str]]:
    found = await journal.deliveries("vendor a", {"+34600000000"})
    return [(one.vendor_id, one.reference, one.state.value) for one in found]


@case()
async def _a_delivery_report_is_kept_before_anybody_knows_its_message(journal: Journal) -> None:
    await journal.close("c")
    assert await journal.deliver([report(DeliveryState.SENT, reference="c.0")]) == 1
    assert await journal.deliveries("vendor a", ["+34600000000"]) == [report(DeliveryState.SENT, reference="c.0")]
    assert await journal.deliveries("vendor a", ["+34600000001"]) == []
    assert await journal.deliveries("vendor b", ["+34600000000"]) == []


@case()
async def _a_report_that_comes_twice_tells_nothing_new(journal: Journal) -> None:
    assert await journal.deliver([report(DeliveryState.SENT), report(DeliveryState.SENT)]) == 1
    assert await journal.deliver([report(DeliveryState.SENT)]) == 0
    assert await told(journal) == [("7", None, "sent")]


@case(DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED)
async def _a_final_state_stays_whatever_comes_after_it(journal: Journal, final: DeliveryState) -> None:
    assert await journal.deliver([report(final)]) == 1
    for late in DeliveryState:
        assert await journal.deliver([report(late)]) == 0
    assert await told(journal) == [("7", None, final.value)]


@case()
async def _reports_out_of_order_do_not_move_a_message_back(journal: Journal) -> None:
    order = [DeliveryState.PENDING, DeliveryState.SCHEDULED, DeliveryState.SENT, DeliveryState.PENDING]
    assert [await journal.deliver([report(state, reference=None)]) for state in order] == [1, 0, 1, 0]
    assert await told(journal) == [("7", None, "sent")]


@case()
async def _messages_to_one_number_are_told_apart_and_a_reference_is_not_forgotten(journal: Journal) -> None:
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


@case()
async def _what_was_reported_goes_with_its_campaign_and_only_that(journal: Journal) -> None:
    message = Message("+34600000000", "hola")
    await journal.load("c", [Row(0, b"a", message), Row(1, b"b", message)])
    claim = await journal.claim("c", 0, 1, vendor="vendor a")
    await journal.claim("c", 1, 2, vendor="vendor a")
    await journal.settle("c", claim, [(0, Outcome(OutcomeKind.ACCEPTED, message, vendor="vendor a", vendor_id="7"))])
    mine = await nonce_of(journal)
    await journal.deliver(
        [
            report(DeliveryState.SENT, "7"),
            report(DeliveryState.SENT, "8", f"{mine}.1"),
            report(DeliveryState.SENT, "9", f"{mine}.11"),
            report(DeliveryState.SENT, "10"),
        ]
    )
    await journal.close("c")
    await journal.purge("c")
    assert [vendor_id for vendor_id, _, _ in await told(journal)] == ["10", "9"]
