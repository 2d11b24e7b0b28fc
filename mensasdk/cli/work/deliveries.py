"""How many messages of a campaign are in which state of delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC
from typing import Any, Final

from attrs import frozen

from mensasdk.cli.show.output import Output
from mensasdk.cli.work.doubt import vendor_of
from mensasdk.cli.work.journal import recorded_campaign
from mensasdk.delivery import delivered
from mensasdk.journal import Record, SqliteJournal, State
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["DELIVERY_COLUMNS", "Deliveries", "count_deliveries"]

DELIVERY_COLUMNS: Final = (
    "campaign", "number", "reference", "vendor", "vendor_id", "outcome", "state", "code", "at",
)  # fmt: skip


@frozen
class Deliveries:
    """What is known of the delivery of a campaign.

    Attributes:
        campaign: its id.
        vendors: by vendor, how many messages are in which state; None for those of which nobody has reported.
    """

    campaign: str
    vendors: Mapping[str, Counter[DeliveryState | None]]

    def as_json(self) -> dict[str, Any]:
        """The counts as one object."""
        return {
            "campaign": self.campaign,
            "total": sum(counts.total() for counts in self.vendors.values()),
            "vendors": {
                vendor: {
                    **{f"{state}": counts[state] for state in DeliveryState},
                    "no_report": counts[None],
                    "total": counts.total(),
                }
                for vendor, counts in self.vendors.items()
            },
        }


async def count_deliveries(journal: SqliteJournal, campaign: str, output: Output | None = None) -> Deliveries:
    """Count what was reported of the messages that went out, or may have.

    Args:
        journal: where the campaign and the reports stand; the campaign may be under way.
        campaign: its id.
        output: gets a row for each message.

    Raises:
        ConfigurationError: there is no such campaign.
        JournalError: the journal cannot be read.
        OSError: the output cannot be written.
    """
    await recorded_campaign(journal, campaign)
    vendors: dict[str, Counter[DeliveryState | None]] = {}
    async with aclosing(delivered(journal, campaign)) as found:
        async for record, report in found:
            if record.state is State.REJECTED and report is None:
                continue  # as it should be
            state = None if report is None else report.state
            vendors.setdefault(vendor_of(record), Counter())[state] += 1
            if output is not None:
                output.write(*_row(campaign, record, report))
    return Deliveries(campaign, vendors)


def _row(campaign: str, record: Record, report: Delivery | None) -> tuple[str | None, ...]:
    known = None if record.outcome is None else record.outcome.vendor_id
    at = None if report is None or report.at is None else report.at.astimezone(UTC).isoformat(timespec="seconds")
    return (
        campaign,
        record.number,
        record.message.reference,
        vendor_of(record),
        known or (None if report is None else report.vendor_id),
        record.state.value,
        None if report is None else report.state.value,
        None if report is None else report.code,
        at,
    )
