"""Count the delivery reports of a campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from attrs import frozen

from mensasdk.cli.show.output import Output
from mensasdk.cli.work.journal import recorded_campaign
from mensasdk.cli.work.unknown import vendor_of
from mensasdk.delivery import delivered
from mensasdk.journal import Journal, State
from mensasdk.messages import DeliveryState

__all__ = ["Deliveries", "count_deliveries"]


@frozen
class Deliveries:
    """Delivery of a campaign.

    Attributes:
        campaign: name of the campaign.
        vendors: count of the messages in each state, by vendor; None is the state of messages without a report.
    """

    campaign: str
    vendors: Mapping[str, Counter[DeliveryState | None]]

    def as_json(self) -> dict[str, Any]:
        """Return the counts as one JSON object."""
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


async def count_deliveries(journal: Journal, campaign: str, output: Output | None = None) -> Deliveries:
    """Count the delivery reports of the messages that went out, or may have gone out.

    Args:
        journal: journal with the campaign and the reports; the campaign may be under way.
        campaign: name of the campaign.
        output: file that gets a row for each message; None for none.

    Raises:
        ConfigurationError: there is no such campaign.
        JournalError: the journal cannot be read.
    """
    if output is not None:
        output.campaign = campaign
    await recorded_campaign(journal, campaign)
    vendors: dict[str, Counter[DeliveryState | None]] = {}
    async with aclosing(delivered(journal, campaign)) as found:
        async for record, report in found:
            if record.state is State.REJECTED and report is None:
                continue  # a rejected message has no report
            state = None if report is None else report.state
            vendors.setdefault(vendor_of(record), Counter())[state] += 1
            if output is not None:
                output.record(record, report)
    return Deliveries(campaign, vendors)
