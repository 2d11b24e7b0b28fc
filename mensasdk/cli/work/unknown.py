"""Read the unknown messages of a campaign from its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC
from typing import Any, Final

from attrs import field, frozen

from mensasdk.cli.masking import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.work.journal import recorded_campaign
from mensasdk.journal import Journal, Record, State
from mensasdk.journal.protocol import recorded_outcome
from mensasdk.phone import mask

__all__ = [
    "Listed",
    "list_doubts",
    "unknown_records",
    "vendor_of",
]

_COLUMNS: Final = ("campaign", "number", "reference", "vendor", "request", "sent_at", "code", "detail")
_SHOWN: Final = 50
_AT_ONCE: Final = 1000
_DOUBTFUL: Final = frozenset({State.UNKNOWN})


async def unknown_records(journal: Journal, campaign: str) -> AsyncGenerator[Record, None]:
    """Yield the unknown messages of a campaign, with those that a dead process left under way.

    Raises:
        ConfigurationError: there is no such campaign, or somebody is sending it.
        JournalError: the journal cannot be read.
    """
    await recorded_campaign(journal, campaign)
    # Opening the campaign fails while another process sends it, and makes unknown what a dead process left under way.
    await journal.open(campaign, create=False)
    await journal.close(campaign)
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=_DOUBTFUL):
        after = records[-1].seq
        for record in records:
            yield record


def vendor_of(record: Record) -> str:
    """Return the vendor of a message's request; empty where none is recorded."""
    return recorded_outcome(record, "").vendor


@frozen
class Listed:
    """Unknown messages of a campaign, as a terminal may show them.

    Attributes:
        campaign: name of the campaign.
        total: count of the unknown messages.
        vendors: count of the messages of each vendor.
        codes: count of the messages with each code.
        words: meaning of each code.
        shown: the rows to show, with the names of their cells; numbers are masked unless asked for in full.
    """

    campaign: str
    total: int
    vendors: Counter[str]
    codes: Counter[str]
    words: dict[str, str]
    shown: Sequence[dict[str, Any]] = field(repr=False)

    @property
    def exit_code(self) -> int:
        """3 while something is unknown, else 0."""
        return 3 if self.total else 0

    def as_json(self) -> dict[str, Any]:
        """Return the list as one JSON object."""
        return {
            "campaign": self.campaign,
            "unknown": self.total,
            "vendors": dict(self.vendors),
            "by_code": dict(self.codes),
            "messages": list(self.shown),
            "exit_code": self.exit_code,
        }


async def list_doubts(
    journal: Journal, campaign: str, output: Output | None, *, whole: bool, show_numbers: bool
) -> Listed:
    """Read the unknown messages of a campaign, and write them to a file.

    Args:
        journal: journal with the campaign.
        campaign: name of the campaign.
        output: file that gets all of them, with the numbers in full; None for none.
        whole: keep every row in ``shown``, and not the first ones only.
        show_numbers: do not mask the numbers in ``shown``.

    Raises:
        ConfigurationError: as `unknown_records`.
        JournalError: as `unknown_records`.
    """
    if output is not None:
        output.campaign = campaign
    vendors: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    words: dict[str, str] = {}
    shown: list[dict[str, Any]] = []
    async with aclosing(unknown_records(journal, campaign)) as records:
        async for record in records:
            row = _row(campaign, record)
            if output is not None:
                output.record(record)
            vendors[row["vendor"]] += 1
            codes[row["code"]] += 1
            words.setdefault(row["code"], masked(row["detail"]))
            if whole or len(shown) < _SHOWN:
                if not show_numbers:
                    row |= {"number": mask(row["number"]), "detail": masked(row["detail"])}
                shown.append(row)
    return Listed(campaign, vendors.total(), vendors, codes, words, shown)


def _row(campaign: str, record: Record) -> dict[str, Any]:
    outcome = recorded_outcome(record, "")
    moment = None if record.claimed_at is None else record.claimed_at.astimezone(UTC).isoformat(timespec="seconds")
    cells = (
        campaign,
        record.number,
        record.message.reference,
        outcome.vendor,
        record.request,
        moment,
        outcome.code or "",
        outcome.detail,
    )
    return dict(zip(_COLUMNS, cells, strict=True))
