"""What became of each cell of the matrix, and the table in ``docs`` that is made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field, frozen

from .calls import Kind

__all__ = ["DOCUMENT", "ELSEWHERE", "FINDINGS", "Cell", "Ending", "Findings"]

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "fault-matrix.md"

_VENDORS: Mapping[str, str] = {
    "mensatek": "Mensatek",
    "envia_sms": "envia-sms",
    "enviatusms": "EnvíaTuSMS",
    "smsgateway24": "smsgateway24",
}
_INTRODUCTION = """\
# The fault matrix

Written by the tests: `MENSASDK_WRITE_DOCS=1 pytest tests/faults` makes this file, and every other run fails if it finds
something else than what stands here. Each row is a fault on a real socket. Each call below meets it, of all four
vendors, with repetitions on (three attempts) and free of waiting. What arrived is counted at the server, and what was
accepted in the sandbox's ledger; the client is not asked.

What holds in every cell, and is checked in every cell: no call makes more than one message. Nothing comes out but an
error of mensasdk, or the cancellation that went in. Its `outcome` is the one in the table, it names the vendor, it has
no `__context__` and no `__cause__`, and no credentials are in its text. No call outlasts its deadline. A send or change
whose bytes have left is on the wire once; requests are repeated only where the vendor cannot have acted, which is
before anything has left (NOT_SENT) and after status 429.

Reads: {reads}.
Sends: {sends}.
Changes, which are treated like sends: {changes}.

A cell tells the error, what it says about the request, and how many attempts were made or requests arrived. Calls that
end in another way than the rest are named after it, with the reason under the table. ✓ means that every call of the
vendor ended as it has to.
"""

# Faults that are no answer of a vendor's, and the tests that hold them.
ELSEWHERE: Sequence[tuple[str, Sequence[str]]] = (
    ("the sender is killed, at any step", ["tests/batch/test_crash.py::test_killed_at_every_step_and_resumed"]),
    (
        "the journal's disk is full",
        ["tests/batch/test_sqlite_journal.py::test_a_full_disk_is_an_error_and_claims_nothing"],
    ),
    (
        "the journal's file is read-only",
        ["tests/batch/test_sqlite_journal.py::test_a_read_only_file_is_an_error_and_claims_nothing"],
    ),
    (
        "the vendor drops recipients, and says only how many",
        [
            "tests/batch/test_sender.py::test_numbers_that_the_vendor_drops_are_told_apart",
            "tests/batch/test_sender.py::test_when_the_report_does_not_tell_which_were_dropped_all_are_unknown",
        ],
    ),
    (
        "the vendor ignores numbers, and spells them in another way",
        [
            "tests/vendors/enviatusms/test_batch.py::test_ignored_numbers_are_rejected_and_the_others_accepted",
            "tests/vendors/enviatusms/test_batch.py::test_a_stranger_among_the_ignored_is_found_out_by_the_campaign",
        ],
    ),
    (
        "a schedule in an hour that a clock change leaves out or repeats",
        [
            "tests/test_schedule.py::test_a_time_that_the_caller_s_zone_leaves_out_is_refused",
            "tests/test_schedule.py::test_an_hour_that_the_vendor_has_twice_is_refused_with_times_that_would_do",
        ],
    ),
    (
        "whoever handles a callback fails",
        ["tests/delivery/test_receiver.py::test_a_failure_is_answered_and_logged_once_without_anything_personal"],
    ),
)


@frozen
class Ending:
    """How a call ended.

    Attributes:
        kind: the name of the error's class, or ``"answer"``.
        outcome: what the error says of the request; empty for an answer.
        attempts: attempts that the client made.
        requests: whole requests that arrived at the server.
    """

    kind: str
    outcome: str
    attempts: int
    requests: int

    def __str__(self) -> str:
        count = f"{self.requests} request{'' if self.requests == 1 else 's'}"
        if self.requests == 0:
            count = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}, 0 requests"
        if self.kind == "answer":
            return f"the answer, {count}"
        return f"`{self.kind}`, {self.outcome.upper()}, {count}"


@frozen
class Cell:
    """One call that met one fault."""

    vendor: str
    kind: Kind
    function: str
    ending: Ending
    right: bool


@define
class Findings:
    """The cells of a run, by section and row, in the order of the table.

    Attributes:
        sections: title to the titles of its rows; all of them, also those that did not run.
        cells: row to what was found; a call may have met a fault in several ways.
        notes: row to what its reader should know.
        campaigns: row of the second table to what was found, by vendor.
    """

    sections: dict[str, list[str]] = field(factory=dict)
    cells: dict[str, list[Cell]] = field(factory=dict)
    notes: dict[str, str] = field(factory=dict)
    campaigns: dict[str, dict[str, tuple[str, bool]]] = field(factory=dict)
    campaign_rows: list[str] = field(factory=list)

    def add(self, row: str, cell: Cell) -> None:
        self.cells.setdefault(row, []).append(cell)

    def add_campaign(self, row: str, vendor: str, text: str, right: bool) -> None:
        self.campaigns.setdefault(row, {})[vendor] = (text, right)

    @property
    def complete(self) -> bool:
        """Every row of both tables has run."""
        rows = [row for rows in self.sections.values() for row in rows]
        return set(rows) == set(self.cells) and set(self.campaign_rows) == set(self.campaigns)

    def lines(self) -> list[str]:
        """The lines of the rows that have run."""
        found = [self._line(row) for rows in self.sections.values() for row in rows if row in self.cells]
        return found + [self._campaign_line(row) for row in self.campaign_rows if row in self.campaigns]

    def document(self, introduction: Mapping[str, str]) -> str:
        """The whole file."""
        head = "| fault | a read | a send or change | " + " | ".join(_VENDORS.values()) + " |"
        parts = [_INTRODUCTION.format(**introduction)]
        for title, rows in self.sections.items():
            parts.append(f"## {title}\n")
            parts.append("\n".join([head, "|---|---|---|" + ":-:|" * len(_VENDORS), *map(self._line, rows)]) + "\n")
            notes = [f"* *{row}*: {self.notes[row]}" for row in rows if row in self.notes]
            if notes:
                parts.append("\n".join(notes) + "\n")
        parts.append(
            "## Campaigns\n\nThe same through `BatchSender`, one message in a request and one request at a time, with "
            "three messages.\nEach vendor's cell counts the outcomes, the requests that arrived, and the messages that "
            "the vendor accepted.\n"
        )
        head = "| fault | " + " | ".join(_VENDORS.values()) + " |"
        rows = [self._campaign_line(row) for row in self.campaign_rows]
        parts.append("\n".join([head, "|---|" + "---|" * len(_VENDORS), *rows]) + "\n")
        parts.append("## Tested elsewhere\n\n| fault | tests |\n|---|---|")
        parts.append(
            "\n".join(f"| {what} | {'<br>'.join(f'`{test}`' for test in tests)} |" for what, tests in ELSEWHERE)
        )
        return "\n".join(parts) + "\n"

    def _line(self, row: str) -> str:
        cells = self.cells[row]
        ticks = [_tick([cell for cell in cells if cell.vendor == vendor]) for vendor in _VENDORS]
        reads = _column([cell for cell in cells if cell.kind == "read"])
        others = _column([cell for cell in cells if cell.kind != "read"])
        return f"| {row} | {reads} | {others} | {' | '.join(ticks)} |"

    def _campaign_line(self, row: str) -> str:
        found = self.campaigns[row]
        texts = [
            f"{found[vendor][0]} {'✓' if found[vendor][1] else '✗'}" if vendor in found else "–" for vendor in _VENDORS
        ]
        return f"| {row} | {' | '.join(texts)} |"


def _tick(cells: Sequence[Cell]) -> str:
    if not cells:
        return "–"
    return "✓" if all(cell.right for cell in cells) else "✗"


def _column(cells: Sequence[Cell]) -> str:
    """What most calls come to, and then those that come to something else."""
    if not cells:
        return "–"
    usual = Counter(cell.ending for cell in cells).most_common(1)[0][0]
    others: dict[str, list[str]] = {}
    for cell in cells:
        name = f"{_VENDORS[cell.vendor]} `{cell.function}`"
        if cell.ending != usual and name not in others.setdefault(str(cell.ending), []):
            others[str(cell.ending)].append(name)
    exceptions = [f"{', '.join(names)}: {ending}" for ending, names in others.items()]
    return "<br>".join([str(usual), *exceptions])


FINDINGS = Findings()
