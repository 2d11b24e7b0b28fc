"""What is unknown in a campaign: read from the journal, shown, written to a file, and what a person can do about it."""

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
from mensasdk.journal import Record, SqliteJournal, State
from mensasdk.journal.protocol import recorded_outcome
from mensasdk.phone import mask

__all__ = [
    "LIST_COLUMNS",
    "Listed",
    "in_doubt",
    "list_doubts",
    "vendor_of",
]

LIST_COLUMNS: Final = ("campaign", "number", "reference", "vendor", "request", "sent_at", "code", "detail")
_SHOWN: Final = 50
_AT_ONCE: Final = 1000
_DOUBTFUL: Final = frozenset({State.UNKNOWN})


async def in_doubt(journal: SqliteJournal, campaign: str) -> AsyncGenerator[Record, None]:
    """Give what is UNKNOWN in a campaign, and with it what a dead process left under way.

    Raises:
        ConfigurationError: there is no such campaign, or somebody is sending it.
        JournalError: the journal cannot be read.
    """
    await recorded_campaign(journal, campaign)
    # Only the owner of a campaign can tell that nobody is at it any more.
    await journal.open(campaign, create=False)
    await journal.close(campaign)
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=_DOUBTFUL):
        after = records[-1].seq
        for record in records:
            yield record


def vendor_of(record: Record) -> str:
    """Whom its request was for; empty where nobody said."""
    return recorded_outcome(record, "").vendor


@frozen
class Listed:
    """What is unknown in a campaign, as a terminal may show it.

    Attributes:
        campaign: its id.
        total: how many messages.
        vendors: how many of which vendor.
        codes: how many under which code.
        words: what the codes mean.
        shown: one row each, by `LIST_COLUMNS`; numbers masked unless wanted otherwise.
    """

    campaign: str
    total: int
    vendors: Counter[str]
    codes: Counter[str]
    words: dict[str, str]
    shown: Sequence[dict[str, Any]] = field(repr=False)

    @property
    def exit_code(self) -> int:
        return 3 if self.total else 0

    def as_json(self) -> dict[str, Any]:
        """The list as one object."""
        return {
            "campaign": self.campaign,
            "unknown": self.total,
            "vendors": dict(self.vendors),
            "by_code": dict(self.codes),
            "messages": list(self.shown),
            "exit_code": self.exit_code,
        }


async def list_doubts(
    journal: SqliteJournal, campaign: str, output: Output | None, *, whole: bool, show_numbers: bool
) -> Listed:
    """Read what is unknown, and write it to a file.

    Args:
        journal: where it stands.
        campaign: its id.
        output: a file with `LIST_COLUMNS`, which gets the numbers in full; None for none.
        whole: keep every row for the terminal, and not the first ones only.
        show_numbers: do not mask the numbers that are kept.

    Raises:
        ConfigurationError: as `in_doubt`.
        JournalError: as `in_doubt`.
        OSError: the file cannot be written.
    """
    vendors: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    words: dict[str, str] = {}
    shown: list[dict[str, Any]] = []
    async with aclosing(in_doubt(journal, campaign)) as records:
        async for record in records:
            row = _row(campaign, record)
            if output is not None:
                output.write(*row.values())
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
    return dict(zip(LIST_COLUMNS, cells, strict=True))


# ------------------------------------------------------------------------------------------------------ what to do
