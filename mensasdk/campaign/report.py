"""What a campaign came to: counts that add up, and every recipient's outcome as CSV or JSON lines."""

from __future__ import annotations

import csv
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import orjson
from attrs import frozen

from mensasdk.files import open_private
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["BatchReport", "Progress", "guard_cell", "unguard_cell"]

COLUMNS = ("to", "reference", "outcome", "vendor", "vendor_id", "code", "detail", "parts", "credits")
# What a spreadsheet takes for the start of a formula, in its full-width forms as well.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")
_IN_MEMORY = 1024 * 1024


def guard_cell(value: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula, and before one that has one already.

    `unguard_cell` undoes exactly this.
    """
    return f"'{value}" if value.startswith((*_FORMULA, "'")) else value


def unguard_cell(value: str) -> str:
    """Undo `guard_cell`."""
    return value.removeprefix("'")


@frozen
class Progress:
    """Where a campaign stands.

    Attributes:
        done: messages that have an outcome.
        accepted, rejected, not_sent, unknown: how many have which.
        parts: SMS parts of the accepted messages, where known.
        credits: as in `BatchReport`.
        elapsed: as in `BatchReport`.
        total: how many messages there are, where that is known; else None.
    """

    done: int
    accepted: int
    rejected: int
    not_sent: int
    unknown: int
    parts: int
    credits: Decimal
    elapsed: float
    total: int | None = None


class BatchReport:
    """What became of each message of a campaign.

    ``accepted + rejected + not_sent + unknown == total``, always. The rows are kept outside of memory once they pass
    a megabyte, in a file without a name that goes away with the report; the report of a stream keeps none.

    Attributes:
        campaign: the campaign's id.
        vendor: the vendor's short name; ``"router"`` over several.
        accepted, rejected, not_sent, unknown: how many messages ended in which way.
        by_code: how many messages ended with which code: the vendors' codes, HTTP statuses, and our own words.
        by_vendor: for each vendor, how many messages ended in which way.
        parts: SMS parts of the accepted messages, where known.
        credits: what the vendor charged, as far as it says. Over several vendors it adds up their different units.
        credits_by_vendor: the same for each vendor that says it, in the vendor's own unit.
        balance: credits left in the account after the last answer that told it, whichever vendor's that was; None if
            none did.
        balance_by_vendor: the same for each vendor that tells it.
        elapsed: seconds from when the campaign began until the last outcome.
        stopped: why a stop rule, the budget, a journal that failed or `BatchSender.stop` ended the campaign early; None
            when it ran to its end, while it runs, and where an exception alone ended it.
    """

    def __init__(self, campaign: str, vendor: str, *, keep_rows: bool = True) -> None:
        self.campaign = campaign
        self.vendor = vendor
        self._counts: Counter[OutcomeKind] = Counter()
        self.by_code: Counter[str] = Counter()
        self.by_vendor: dict[str, Counter[OutcomeKind]] = {}
        self.parts = 0
        self.credits = Decimal(0)
        self.credits_by_vendor: dict[str, Decimal] = {}
        self.balance: Decimal | None = None
        self.balance_by_vendor: dict[str, Decimal] = {}
        self.elapsed = 0.0
        self.stopped: str | None = None
        self._rows: IO[bytes] | None = None
        if keep_rows:
            self._rows = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it lives as long as we
            weakref.finalize(self, self._rows.close)

    def __repr__(self) -> str:
        return (
            f"<BatchReport {self.campaign!r} total={self.total} accepted={self.accepted} rejected={self.rejected} "
            f"not_sent={self.not_sent} unknown={self.unknown}>"
        )

    @property
    def total(self) -> int:
        return self._counts.total()

    @property
    def accepted(self) -> int:
        return self._counts[OutcomeKind.ACCEPTED]

    @property
    def rejected(self) -> int:
        return self._counts[OutcomeKind.REJECTED]

    @property
    def not_sent(self) -> int:
        return self._counts[OutcomeKind.NOT_SENT]

    @property
    def unknown(self) -> int:
        return self._counts[OutcomeKind.UNKNOWN]

    @property
    def throughput(self) -> float:
        """Messages a second, over the whole campaign."""
        return self.total / self.elapsed if self.elapsed > 0 else 0.0

    def progress(self, total: int | None = None) -> Progress:
        """The counts of this moment as a frozen value."""
        return Progress(
            self.total,
            self.accepted,
            self.rejected,
            self.not_sent,
            self.unknown,
            self.parts,
            self.credits,
            self.elapsed,
            total,
        )

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes and keep their rows."""
        if not outcomes:
            return
        counts: dict[tuple[str, OutcomeKind], int] = {}
        for one in outcomes:
            what = (one.vendor, one.kind)
            counts[what] = counts.get(what, 0) + 1
            if one.code is not None:
                self.by_code[one.code] += 1
            if one.kind is OutcomeKind.ACCEPTED and one.parts is not None:
                self.parts += one.parts
        for (vendor, kind), count in counts.items():
            self._counts[kind] += count
            by_kind = self.by_vendor.get(vendor)
            if by_kind is None:
                by_kind = self.by_vendor[vendor] = Counter()
            by_kind[kind] += count
        if self._rows is not None:
            # One line for all: what is written is read once at the most, and mostly never.
            self._rows.write(orjson.dumps([_cells(one) for one in outcomes], option=orjson.OPT_APPEND_NEWLINE))

    def spend(self, credits: Mapping[str, Decimal], balances: Mapping[str, Decimal]) -> None:  # noqa: A002 - its name
        """Count what a request cost, and note what is left, by vendor."""
        for vendor, cost in credits.items():
            self.credits += cost
            self.credits_by_vendor[vendor] = self.credits_by_vendor.get(vendor, Decimal(0)) + cost
        for vendor, left in balances.items():
            self.balance = self.balance_by_vendor[vendor] = left

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give each message's row as a dict with the keys of `COLUMNS`, in the order in which they ended.

        Raises:
            RuntimeError: the report keeps no rows, because it belongs to a stream.
        """
        if self._rows is None:
            raise RuntimeError("this report keeps no rows: the outcomes of a stream are yours as they come")
        self._rows.seek(0)
        try:
            for line in self._rows:
                for cells in orjson.loads(line):
                    yield dict(zip(COLUMNS, cells, strict=True))
        finally:
            self._rows.seek(0, os.SEEK_END)

    def write_csv(self, path: str | Path, *, raw: bool = False) -> None:
        """Write all rows as CSV (UTF-8), readable by the file's owner only.

        Args:
            path: the file; it is emptied if it exists.
            raw: write cells as they are. By default a cell that a spreadsheet would run as a formula gets an
                apostrophe in front, every number in E.164 among them; `unguard_cell` takes it off again.

        Raises:
            OSError: it cannot be written.
            RuntimeError: as in `rows`.
        """
        with open_private(path, newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for row in self.rows():
                cells = ["" if row[name] is None else str(row[name]) for name in COLUMNS]
                writer.writerow(cells if raw else [guard_cell(cell) for cell in cells])

    def write_jsonl(self, path: str | Path) -> None:
        """Write all rows as JSON lines, readable by the file's owner only. Credits are strings, to stay exact.

        Args:
            path: the file; it is emptied if it exists.

        Raises:
            OSError: it cannot be written.
            RuntimeError: as in `rows`.
        """
        with open_private(path) as file:
            for row in self.rows():
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode())


def _cells(outcome: Outcome) -> tuple[str | int | None, ...]:
    """A row, in the order of `COLUMNS`."""
    message = outcome.message
    return (
        message.to,
        message.reference,
        outcome.kind.value,
        outcome.vendor,
        outcome.vendor_id,
        outcome.code,
        outcome.detail,
        outcome.parts,
        None if outcome.credits is None else str(outcome.credits),
    )
