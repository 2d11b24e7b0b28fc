"""Collect the delivery of the demo's messages, from callbacks and by asking."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field

from mensasdk.cli.demo.checks import Line
from mensasdk.messages import Delivery, DeliveryState, OutcomeKind

__all__ = ["STATES", "Reports"]

STATES = ("delivered", "failed", "expired", "still trying")
_AT_ONCE = 8


class _Report(Protocol):
    def to_delivery(self) -> Delivery: ...


@define
class Reports:
    """Delivery reports of the demo.

    Attributes:
        states: last delivery of each number in E.164.
        calls: count of the callbacks.
        questions: count of the questions to vendors that do not call back.
    """

    states: dict[str, Delivery] = field(factory=dict)
    calls: int = 0
    questions: int = 0

    async def handle(self, report: _Report | object) -> None:
        """Store a callback."""
        if hasattr(report, "to_delivery"):  # a received SMS is no report
            self.calls += 1
            self.keep(report.to_delivery())

    def keep(self, delivery: Delivery) -> None:
        """Store a delivery. Reports may come twice and out of order, so a final state stays."""
        before = self.states.get(delivery.number)
        if before is None or not before.state.is_final:
            self.states[delivery.number] = delivery

    async def ask(self, clients: Mapping[str, Any], lines: Sequence[Line]) -> None:
        """Ask the two vendors that do not call back: envia_sms for each message, enviatusms for each campaign."""
        mexico, venezuela = clients["envia_sms"], clients["enviatusms"]
        accepted = [line for line in lines if line.kind is OutcomeKind.ACCEPTED]
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(line: Line) -> None:
            async with places:
                self.keep((await mexico.get_status(line.vendor_id, f"+{line.number}")).to_delivery())

        async def many(campaign: str) -> None:
            async with places:
                for delivery in (await venezuela.get_campaign(campaign)).to_deliveries():
                    self.keep(delivery)

        campaigns = dict.fromkeys(line.vendor_id for line in accepted if line.vendor == "enviatusms")
        questions = [one(line) for line in accepted if line.vendor == "envia_sms"]
        questions += [many(campaign) for campaign in campaigns]
        self.questions += len(questions)
        await asyncio.gather(*questions)

    def count(self, lines: Sequence[Line], vendors: Iterable[str]) -> dict[str, Counter[str]]:
        """Count the accepted messages of each vendor in each of `STATES`."""
        counts: dict[str, Counter[str]] = {vendor: Counter() for vendor in vendors}
        for line in lines:
            if line.kind is OutcomeKind.ACCEPTED:
                counts[line.vendor][_bucket(self.states.get(f"+{line.number}"))] += 1
        return counts


def _bucket(delivery: Delivery | None) -> str:
    match None if delivery is None else delivery.state:
        case DeliveryState.DELIVERED:
            return "delivered"
        case DeliveryState.EXPIRED:
            return "expired"
        case DeliveryState.FAILED | DeliveryState.CANCELLED:
            return "failed"
        case _:
            return "still trying"
