"""Outcomes of the cells of the fault matrix, and the table in ``docs`` that is made of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import cattrs
from attrs import define, field, frozen

from .calls import CALLS, Kind

__all__ = ["DOCUMENT", "ELSEWHERE", "FINDINGS", "Cell", "Ending", "Findings", "Table"]

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "fault-matrix.md"

_VENDORS: Mapping[str, str] = {
    "mensatek": "Mensatek",
    "envia_sms": "envia-sms",
    "enviatusms": "EnvíaTuSMS",
    "smsgateway24": "smsgateway24",
}
_INTRODUCTION = """\
# The fault matrix

Written by the tests: `MENSASDK_WRITE_DOCS=1 make test ROOM=faults` makes this file, and every other run fails if it
finds something else than what stands here. Each row is a fault on a real socket. Each call below meets it, of all four
vendors, with repetitions on (three attempts) and free of waiting. What arrived is counted at the server, and what was
accepted in the sandbox's ledger; the client is not asked.

What holds in every cell, and is checked in every cell: no call makes more than one message. Nothing comes out but an
error of mensasdk, or the cancellation that went in. Its `outcome` is the one in the table, it names the vendor, it has
no `__context__` and no `__cause__`, and no credentials are in its text. No call outlasts its deadline, and no wait
between attempts is another one than the server asked for. A send or change whose bytes have left is on the wire once;
requests are repeated only where the vendor cannot have acted, which is before anything has left (NOT_SENT) and after
status 429. An answer that is taken although something about it is not in order leaves one warning in the log, of the
logger `mensasdk.answers`, and no other answer leaves any.

Reads: {reads}.
Sends: {sends}.
Changes, which are treated like sends: {changes}.

A cell tells the error, what it says about the request, and how many attempts were made or requests arrived. Calls that
end in another way than the rest are named after it, with the reason under the table. ✓ means that every call of the
vendor ended as it has to.
"""

_ANEW = (
    "docs/fault-matrix.md is not what the tests found; look at the difference, and write it anew with "
    "MENSASDK_WRITE_DOCS=1 make test ROOM=faults"
)
_HALVING = "tests/vendors/enviatusms/test_enviatusms_halving.py"

# Faults that are no answer of a vendor's, and the tests that hold them: what, and ``file::test`` for each. The table is
# made of these, and a test that is not there is an error.
ELSEWHERE: Sequence[tuple[str, Sequence[str]]] = (
    ("the sender is killed, at any step", ["tests/campaign/test_crash.py::test_killed_at_every_step_and_resumed"]),
    (
        "the journal's disk is full",
        ["tests/journal/test_sqlite_journal.py::test_a_full_disk_is_an_error_and_claims_nothing"],
    ),
    (
        "the journal's file is read-only",
        ["tests/journal/test_sqlite_journal.py::test_a_read_only_file_is_an_error_and_claims_nothing"],
    ),
    (
        "the disk is full in the middle of a campaign, and the campaign is taken up again",
        ["tests/campaign/test_resume.py::test_a_disk_that_is_full_in_the_middle_stops_the_campaign_in_words"],
    ),
    (
        "the credit runs out, and the campaign is taken up after a top-up",
        ["tests/campaign/test_resume.py::test_a_campaign_without_credits_goes_on_after_a_top_up"],
    ),
    (
        "the vendor refuses a whole request for one text in it",
        [
            f"{_HALVING}::test_only_the_text_at_fault_is_rejected_and_everybody_else_is_sent_to_once",
            f"{_HALVING}::test_nobody_is_sent_to_twice_or_lost_and_requests_are_bounded",
        ],
    ),
    (
        "a delivery report comes twice, late, out of order, about nobody we know, or before the answer to the send",
        [
            "mensasdk/testing/journal_reports.py::_a_report_that_comes_twice_tells_nothing_new",
            "mensasdk/testing/journal_reports.py::_a_final_state_stays_whatever_comes_after_it",
            "mensasdk/testing/journal_reports.py::_reports_out_of_order_do_not_move_a_message_back",
            "tests/campaign/test_reconcile.py::test_reports_are_matched_to_messages_also_when_they_came_first",
        ],
    ),
    (
        "a delivery report has the reference of a request that ended UNKNOWN",
        ["tests/campaign/test_reconcile.py::test_a_callback_under_our_reference_settles_its_whole_request"],
    ),
    (
        "storing a delivery report fails, or takes long",
        ["tests/delivery/test_receiver.py::test_a_failure_is_answered_and_logged_once_without_anything_personal"],
    ),
    (
        "the machine stands still between the claim and the first byte",
        ["tests/campaign/test_request.py::test_nothing_is_sent_on_a_claim_that_is_older_than_its_lease"],
    ),
    (
        "the vendor drops recipients, and says only how many",
        [
            "tests/campaign/test_sender.py::test_numbers_that_the_vendor_drops_are_told_apart",
            "tests/campaign/test_sender.py::test_when_the_report_does_not_tell_which_were_dropped_all_are_unknown",
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
        "every time around a clock change",
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
    """The end of a call.

    Attributes:
        kind: the name of the error's class, or ``"answer"``.
        outcome: what the error says of the request; empty for an answer.
        attempts: attempts that the client made.
        requests: whole requests that arrived at the server.
        warned: one warning was logged about the answer; otherwise none.
    """

    kind: str
    outcome: str
    attempts: int
    requests: int
    warned: bool = False

    def __str__(self) -> str:
        count = f"{self.requests} request{'' if self.requests == 1 else 's'}"
        if self.requests == 0:
            count = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}, 0 requests"
        if self.kind == "answer":
            return f"the answer, {count}{', a warning' if self.warned else ''}"
        return f"`{self.kind}`, {self.outcome.upper()}, {count}"


@frozen
class Cell:
    """One call that met one fault."""

    vendor: str
    kind: Kind
    function: str
    ending: Ending
    right: bool


@frozen
class Table:
    """A table with a text for each vendor in its cells.

    Attributes:
        introduction: what its reader should know.
        rows: titles.
    """

    introduction: str
    rows: Sequence[str]


@define
class Findings:
    """The cells of a run, by section and row, in the order of the table.

    Attributes:
        sections: title to the titles of its rows; all of them, also those that did not run.
        cells: row to what was found; a call may have met a fault in several ways.
        notes: row to what its reader should know.
        tables: the further tables, by title, which have a text for each vendor.
        texts: row of a further table to what was found, by vendor.
    """

    sections: dict[str, list[str]] = field(factory=dict)
    cells: dict[str, list[Cell]] = field(factory=dict)
    notes: dict[str, str] = field(factory=dict)
    tables: dict[str, Table] = field(factory=dict)
    texts: dict[str, dict[str, tuple[str, bool]]] = field(factory=dict)

    def add(self, row: str, cell: Cell) -> None:
        self.cells.setdefault(row, []).append(cell)

    def add_text(self, row: str, vendor: str, text: str, right: bool) -> None:
        self.texts.setdefault(row, {})[vendor] = (text, right)

    def packed(self) -> str:
        """Return what this process has found, as JSON, for the process that puts the table together."""
        return json.dumps(cattrs.unstructure([self.cells, self.texts]))

    def merge(self, packed: str) -> None:
        """Add what another process has found."""
        cells, texts = json.loads(packed)
        for row, found in cells.items():
            self.cells.setdefault(row, []).extend(cattrs.structure(found, list[Cell]))
        for row, by_vendor in texts.items():
            self.texts.setdefault(row, {}).update(
                {vendor: (text, right) for vendor, (text, right) in by_vendor.items()}
            )

    @property
    def complete(self) -> bool:
        """Every row of every table has run."""
        rows = [row for rows in self.sections.values() for row in rows]
        return set(rows) == set(self.cells) and set(self._text_rows) == set(self.texts)

    @property
    def _text_rows(self) -> list[str]:
        return [row for table in self.tables.values() for row in table.rows]

    def difference(self, *, whole: bool) -> str:
        """Return how the document differs from what the tests found, or an empty string.

        What a test has already failed for is not told once more.

        Args:
            whole: all tests ran and passed, so that the whole document is compared; otherwise only what was found.
        """
        committed = DOCUMENT.read_text(encoding="utf-8")
        if whole and self.complete:
            made = self.document()
            other = [line for line in made.splitlines() if line not in committed.splitlines()]
            return "" if made == committed else "\n".join([_ANEW, *other])
        # A row of the calls has two columns more than one of the further tables, which may have the same name.
        lines: dict[tuple[str, int], list[str]] = {}
        for line in committed.splitlines():
            row, *texts = line.removeprefix("| ").removesuffix(" |").split(" | ")
            lines[row, len(texts)] = texts
        other = []
        for row, cells in self.cells.items():
            line = self._line(row)
            texts = line.removesuffix(" |").split(" | ")[1:]
            if all(cell.right for cell in cells) and texts != lines.get((row, len(texts))):
                other.append(line)
        for row, found in self.texts.items():
            for vendor, text in zip(_VENDORS, lines.get((row, len(_VENDORS)), ["?"] * len(_VENDORS)), strict=True):
                if vendor in found and found[vendor][1] and _text(found[vendor]) != text:
                    other.append(f"{row}, {vendor}: {_text(found[vendor])}, and not: {text}")
        return "\n".join([_ANEW, *other]) if other else ""

    def write(self) -> None:
        """Write the document anew."""
        DOCUMENT.write_text(self.document(), encoding="utf-8")

    def document(self) -> str:
        """Return the whole file."""
        introduction = {f"{kind}s": _listed(kind) for kind in ("read", "send", "change")}
        head = "| fault | a read | a send or change | " + " | ".join(_VENDORS.values()) + " |"
        parts = [_INTRODUCTION.format(**introduction)]
        for title, rows in self.sections.items():
            parts.append(f"## {title}\n")
            parts.append("\n".join([head, "|---|---|---|" + ":-:|" * len(_VENDORS), *map(self._line, rows)]) + "\n")
            notes = [f"* *{row}*: {self.notes[row]}" for row in rows if row in self.notes]
            if notes:
                parts.append("\n".join(notes) + "\n")
        head = "| fault | " + " | ".join(_VENDORS.values()) + " |"
        for title, table in self.tables.items():
            parts.append(f"## {title}\n\n{table.introduction}\n")
            parts.append("\n".join([head, "|---|" + "---|" * len(_VENDORS), *map(self._text_line, table.rows)]) + "\n")
        parts.append("## Tested elsewhere\n\n| fault | tests |\n|---|---|")
        parts.append(
            "\n".join(f"| {what} | {'<br>'.join(f'`{test}`' for test in tests)} |" for what, tests in ELSEWHERE)
        )
        return "\n".join(parts) + "\n"

    def _line(self, row: str) -> str:
        # In the order of the calls, whichever process found them.
        order = {(call.vendor, call.function): position for position, call in enumerate(CALLS)}
        cells = sorted(self.cells[row], key=lambda cell: order[cell.vendor, cell.function])
        ticks = [_tick([cell for cell in cells if cell.vendor == vendor]) for vendor in _VENDORS]
        reads = _column([cell for cell in cells if cell.kind == "read"])
        others = _column([cell for cell in cells if cell.kind != "read"])
        return f"| {row} | {reads} | {others} | {' | '.join(ticks)} |"

    def _text_line(self, row: str) -> str:
        found = self.texts[row]
        texts = [_text(found[vendor]) if vendor in found else "–" for vendor in _VENDORS]
        return f"| {row} | {' | '.join(texts)} |"


def _listed(kind: Kind) -> str:
    """Return the calls of a kind, by vendor, as the introduction names them."""
    by_vendor: dict[str, list[str]] = {}
    for call in CALLS:
        if call.kind == kind:
            by_vendor.setdefault(call.vendor, []).append(f"`{call.function}`")
    return ", ".join(name for names in by_vendor.values() for name in names)


def _text(found: tuple[str, bool]) -> str:
    return f"{found[0]} {'✓' if found[1] else '✗'}"


def _tick(cells: Sequence[Cell]) -> str:
    if not cells:
        return "–"
    return "✓" if all(cell.right for cell in cells) else "✗"


def _column(cells: Sequence[Cell]) -> str:
    """Say what most calls come to, and then what the others come to."""
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
