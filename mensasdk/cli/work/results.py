"""Read what became of each message of a campaign from its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from attrs import frozen

from mensasdk.cli.show.output import Output
from mensasdk.cli.work.journal import recorded_campaign
from mensasdk.cli.work.unknown import vendor_of
from mensasdk.delivery import delivered
from mensasdk.journal import Journal, State
from mensasdk.journal.protocol import ALL_STATES

__all__ = ["Results", "write_results"]


@frozen
class Results:
    """Counts of a campaign, from its journal.

    Attributes:
        campaign: name of the campaign.
        complete: whether the journal has the whole list.
        counts: count of the messages in each state.
        credits: what each vendor that was asked says that it charged; None where it does not tell.
    """

    campaign: str
    complete: bool
    counts: Mapping[State, int]
    credits: Mapping[str, Decimal | None]

    def as_json(self) -> dict[str, Any]:
        """Return the counts as one JSON object. Money is text, to stay exact."""
        return {
            "campaign": self.campaign,
            "complete": self.complete,
            "total": sum(self.counts.values()),
            **{state.value: self.counts[state] for state in State},
            "credits": {vendor: None if told is None else str(told) for vendor, told in self.credits.items()},
        }


async def write_results(journal: Journal, campaign: str, output: Output | None) -> Results:
    """Write a row for each message of a campaign, which may be under way.

    Args:
        journal: journal with the campaign and its delivery reports.
        campaign: name of the campaign.
        output: where the rows go; None only counts.

    Raises:
        ConfigurationError: there is no such campaign.
        JournalError: the journal cannot be read.
    """
    info = await recorded_campaign(journal, campaign)
    if output is not None:
        output.campaign = campaign
    counts: Counter[State] = Counter()
    asked: set[str] = set()
    async with aclosing(delivered(journal, campaign, states=ALL_STATES)) as found:
        async for record, report in found:
            counts[record.state] += 1
            if record.state is not State.PENDING:
                asked.add(vendor_of(record))
            if output is not None:
                output.record(record, report)
    charged = await journal.charged(campaign)
    vendors = sorted({*asked - {""}, *charged})
    return Results(campaign, info.complete, counts, {vendor: charged.get(vendor) for vendor in vendors})
