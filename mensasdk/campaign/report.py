"""Report on a campaign: counts that add up, and every recipient's outcome as CSV or JSON lines."""

from __future__ import annotations

import csv
import os
import tempfile
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import exp, log
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
from attrs import frozen

from mensasdk.files import open_private
from mensasdk.journal.charges import add_charges
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.registry import vendors

__all__ = ["Amount", "BatchReport", "Latency", "Progress", "guard_cell", "unguard_cell"]

COLUMNS = ("place", "to", "number", "reference", "outcome", "vendor", "vendor_id", "code", "detail", "parts", "credits")
# Characters that begin a formula in a spreadsheet, their full-width forms included.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")
_IN_MEMORY = 1024 * 1024
_STEPS = 20  # steps for each factor of e, so that a latency is known to a twentieth of its value


def guard_cell(value: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula, or that begins with an apostrophe.

    `unguard_cell` undoes exactly this.
    """
    return f"'{value}" if value.startswith((*_FORMULA, "'")) else value


def unguard_cell(value: str) -> str:
    """Undo `guard_cell`."""
    return value.removeprefix("'")


class Amount(NamedTuple):
    """An amount in a vendor's own unit. It equals its number, whatever the unit.

    Attributes:
        amount: the amount.
        unit: ``"credits"``, or a currency such as ``"USD"``.
    """

    amount: Decimal
    unit: str

    def __eq__(self, other: object) -> bool:
        return self.amount == other if isinstance(other, Decimal | int) else tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:  # a tuple has its own
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)


@frozen
class Latency:
    """Times of requests in seconds, from when a request is handed to the client until its answer.

    Attributes:
        requests: count of answered requests.
        mean: the average; 0.0 without requests.
        p50, p95, p99: percentiles: 50, 95 and 99 % of the requests took no longer. Exact to a twentieth of the value.
        longest: the longest time.
    """

    requests: int
    mean: float
    p50: float
    p95: float
    p99: float
    longest: float


@frozen
class Progress:
    """Progress of a campaign at one moment.

    Attributes:
        done: count of messages that have an outcome.
        accepted, rejected, not_sent, unknown: count of messages with this outcome.
        parts: SMS parts of the accepted messages, where known.
        credits: as in `BatchReport`.
        elapsed: as in `BatchReport`.
        total: count of all messages of the campaign; None if it is not known.
    """

    done: int
    accepted: int
    rejected: int
    not_sent: int
    unknown: int
    parts: int
    credits: Mapping[str, Amount]
    elapsed: float
    total: int | None = None


class BatchReport:
    """Report of a campaign, with the outcome of each message.

    ``accepted + rejected + not_sent + unknown == total``, always. Once the rows pass a megabyte, they are kept in an
    unnamed temporary file that goes away with the report. The report of a stream keeps no rows.

    Attributes:
        campaign: the campaign's id.
        vendor: the vendor's short name; ``"router"`` if there are several routes.
        by_code: count of messages for each code of an outcome: vendors' codes, HTTP statuses, and those of `Code`.
        parts: SMS parts of the accepted messages, where known.
        credits: charge of each vendor for the whole campaign, as far as the vendor tells it, in the vendor's own unit.
            A vendor that tells nothing is not in it.
        balance: balance of each vendor's account, from the last answer that told it, in the vendor's own unit.
        elapsed: seconds from the beginning of the campaign until its last outcome.
        complete: all messages were read, so that none is missing from the report. False while the campaign runs.
        stopped: why a stop rule, the budget, a failed journal or `BatchSender.stop` ended the campaign early. None if
            it ran to its end, while it runs, and if an exception alone ended it.
    """

    def __init__(self, campaign: str, vendor: str, *, keep_rows: bool = True) -> None:
        self.campaign = campaign
        self.vendor = vendor
        self._counts: dict[tuple[str, OutcomeKind], int] = {}  # by vendor and outcome
        self.by_code: Counter[str] = Counter()
        self.parts = 0
        self.credits: dict[str, Amount] = {}
        self.balance: dict[str, Amount] = {}
        self.complete = False
        self.elapsed = 0.0
        self._begun: float | None = None
        self.stopped: str | None = None
        self._took: dict[int, int] = {}  # requests, by the logarithm of how long they took
        self._waited = 0.0
        self._longest = 0.0
        self._rows: IO[bytes] | None = None
        if keep_rows:
            self._rows = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the report
            weakref.finalize(self, self._rows.close)

    def __repr__(self) -> str:
        return (
            f"<BatchReport {self.campaign!r} total={self.total} accepted={self.accepted} rejected={self.rejected} "
            f"not_sent={self.not_sent} unknown={self.unknown}>"
        )

    @property
    def by_vendor(self) -> dict[str, Counter[OutcomeKind]]:
        """Count of messages with each outcome, for each vendor."""
        found: dict[str, Counter[OutcomeKind]] = {}
        for (vendor, kind), count in self._counts.items():
            found.setdefault(vendor, Counter())[kind] = count
        return found

    @property
    def total(self) -> int:
        """Count of messages that have an outcome."""
        return sum(self._counts.values())

    @property
    def accepted(self) -> int:
        """Count of messages that a vendor has accepted."""
        return self._ended(OutcomeKind.ACCEPTED)

    @property
    def rejected(self) -> int:
        """Count of messages that a vendor has refused."""
        return self._ended(OutcomeKind.REJECTED)

    @property
    def not_sent(self) -> int:
        """Count of messages that certainly were not sent."""
        return self._ended(OutcomeKind.NOT_SENT)

    @property
    def unknown(self) -> int:
        """Count of messages of which nobody can say whether a vendor has them."""
        return self._ended(OutcomeKind.UNKNOWN)

    def _ended(self, kind: OutcomeKind) -> int:
        return sum(count for (_, one), count in self._counts.items() if one is kind)

    @property
    def throughput(self) -> float:
        """Messages a second, over the whole campaign; 0.0 before the first outcome."""
        return self.total / self.elapsed if self.elapsed > 0 else 0.0

    def progress(self, total: int | None = None) -> Progress:
        """Return the counts of this moment as a frozen value.

        Args:
            total: count of all messages of the campaign; None if it is not known.
        """
        return Progress(
            self.total,
            self.accepted,
            self.rejected,
            self.not_sent,
            self.unknown,
            self.parts,
            dict(self.credits),
            self.elapsed,
            total,
        )

    def add(self, outcomes: Sequence[Outcome], numbers: Sequence[str] = ()) -> None:
        """Count outcomes and keep their rows.

        Args:
            outcomes: the outcomes.
            numbers: the number of each recipient in E.164; none where they are not known.
        """
        if not outcomes:
            return
        counts = self._counts
        for one in outcomes:
            what = (one.vendor, one.kind)
            counts[what] = counts.get(what, 0) + 1
            if one.code is not None:
                self.by_code[one.code] += 1
            if one.parts is not None and one.kind is OutcomeKind.ACCEPTED:
                self.parts += one.parts
        if self._rows is not None:
            # One line for all of them, since rows are written all the time and mostly never read.
            known: Sequence[str | None] = numbers or [None] * len(outcomes)
            rows = [_cells(one, number) for one, number in zip(outcomes, known, strict=True)]
            self._rows.write(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))

    def begin(self) -> None:
        """Start the clock of the campaign, from which ``elapsed`` is counted."""
        self._begun = time.monotonic()

    def note(self, outcomes: Sequence[Outcome], numbers: Sequence[str] = ()) -> None:
        """Count outcomes that came just now, and update ``elapsed``; the arguments are those of `add`."""
        if self._begun is not None:
            self.elapsed = time.monotonic() - self._begun
        self.add(outcomes, numbers)

    def spend(self, vendor: str, credits: Decimal | None, balance: Decimal | None) -> None:  # noqa: A002 - its name
        """Add what a request cost, and keep the balance of the account, as far as the vendor tells them."""
        if credits is not None:
            before = {vendor: self.credits[vendor].amount} if vendor in self.credits else {}
            self.credits[vendor] = _amount(vendor, add_charges(before, {vendor: credits})[vendor])
        if balance is not None:
            self.balance[vendor] = _amount(vendor, balance)

    def took(self, seconds: float) -> None:
        """Count a request that was answered after ``seconds``."""
        if seconds > self._longest:
            self._longest = seconds
        self._waited += seconds
        step = int(log(seconds) * _STEPS) if seconds > 0 else -1000
        self._took[step] = self._took.get(step, 0) + 1

    @property
    def latency(self) -> Latency:
        """Times of the requests that were answered."""
        count = sum(self._took.values())
        shares = dict.fromkeys((50, 95, 99), 0.0)
        for share in shares:
            passed = 0
            for step, some in sorted(self._took.items()):
                passed += some
                if passed * 100 >= count * share:
                    shares[share] = min(exp((step + 1) / _STEPS), self._longest)
                    break
        mean = self._waited / count if count else 0.0
        return Latency(count, mean, shares[50], shares[95], shares[99], self._longest)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of each message, in the order in which the outcomes came.

        The message of an outcome has the number, the place and the caller's reference only; its text is not kept.

        Raises:
            RuntimeError: as in `rows`.
        """
        for row in self.rows():
            yield Outcome(
                OutcomeKind(row["outcome"]),
                Message(row["to"], "", reference=row["reference"], place=row["place"]),
                vendor=row["vendor"],
                vendor_id=row["vendor_id"],
                code=row["code"],
                detail=row["detail"],
                parts=row["parts"],
                credits=None if row["credits"] is None else Decimal(row["credits"]),
            )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each message, in the order in which the outcomes came: a dict with the keys of `COLUMNS`.

        Raises:
            RuntimeError: the report keeps no rows, because it belongs to a stream.
        """
        if self._rows is None:
            raise RuntimeError("the report of a stream keeps no rows; keep the outcomes as the stream yields them")
        self._rows.seek(0)
        try:
            for line in self._rows:
                for cells in orjson.loads(line):
                    yield dict(zip(COLUMNS, cells, strict=True))
        finally:
            self._rows.seek(0, os.SEEK_END)

    def write_csv(self, path: str | Path, *, raw: bool = False) -> None:
        """Write all rows as CSV (UTF-8), to a file that only its owner may read.

        Args:
            path: the file; it is emptied if it exists.
            raw: write cells as they are. By default a cell that a spreadsheet would run as a formula gets an
                apostrophe in front, and so does every number in E.164; `unguard_cell` removes it again.

        Raises:
            OSError: the file cannot be written.
            RuntimeError: as in `rows`.
        """
        with open_private(path, newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for row in self.rows():
                cells = ["" if row[name] is None else str(row[name]) for name in COLUMNS]
                writer.writerow(cells if raw else [guard_cell(cell) for cell in cells])

    def write_jsonl(self, path: str | Path) -> None:
        """Write all rows as JSON lines, to a file that only its owner may read. Credits are strings, to stay exact.

        Args:
            path: the file; it is emptied if it exists.

        Raises:
            OSError: the file cannot be written.
            RuntimeError: as in `rows`.
        """
        with open_private(path) as file:
            for row in self.rows():
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode())


def _cells(outcome: Outcome, number: str | None) -> tuple[str | int | None, ...]:
    """Return the row of an outcome, in the order of `COLUMNS`."""
    message = outcome.message
    return (
        message.place,
        message.to,
        number,
        message.reference,
        outcome.kind.value,
        outcome.vendor,
        outcome.vendor_id,
        outcome.code,
        outcome.detail,
        outcome.parts,
        None if outcome.credits is None else str(outcome.credits),
    )


def _amount(vendor: str, amount: Decimal) -> Amount:
    info = vendors().get(vendor)
    return Amount(amount, (info.unit if info is not None else "") or "credits")
