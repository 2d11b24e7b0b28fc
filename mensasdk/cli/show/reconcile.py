"""Print the answers about unknown messages, and what is left to do."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Final

from rich.console import Console
from rich.text import Text

from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace
from mensasdk.cli.show.steps import again, print_steps, to_decide
from mensasdk.cli.show.tables import LABEL, STYLE, figures_table, print_note, text_table
from mensasdk.cli.work.reconcile import Reconciled
from mensasdk.codes import Code
from mensasdk.messages import OutcomeKind
from mensasdk.registry import vendors

__all__ = ["MEANS", "print_reconciled", "show_reconciled"]

MEANS: Final[Mapping[str, str]] = {
    Code.CALLBACK: "a delivery report came for it",
    Code.CAMPAIGN: "the vendor's campaign lists it",
    Code.CUSTOMER_ID: "the vendor lists it under the customer id that it was sent with",
    Code.DROPPED: "sent again, and not taken either time",
    Code.REPEATED: "sent again, where the vendor prevents a second SMS",
    Code.REPORT: "the vendor's report lists it",
    Code.STATUS: "the vendor knows the id that it gave to it",
}


_NOT_ASKED: Final = "The options do not name this vendor, so it was not asked."


def print_reconciled(console: Console, done: Reconciled, *, show_left: bool = True) -> None:
    """Print the means of the answers, the counts of each vendor, and why messages are still unknown.

    Args:
        console: where to print.
        done: the answers.
        show_left: print why messages are still unknown.
    """
    console.print()
    if done.means:
        table = text_table("found out by", "outcome", "messages", "meaning", space=1)
        table.columns[2].justify = "right"
        for (kind, code), count in sorted(done.means.items(), key=lambda pair: (-pair[1], pair[0])):
            label = Text(LABEL[kind], style=STYLE[kind])
            table.add_row(
                Text(code[:30]),
                label,
                f"{count:,}",
                Text(MEANS.get(code) or shorten(done.words[code], 120, placeholder=" …")),
            )
        console.print(table)
        console.print()
    kinds = {kind: "still unknown" if kind is OutcomeKind.UNKNOWN else label for kind, label in LABEL.items()}
    table = figures_table("vendor", "was unknown", *kinds.values())
    for vendor, counts in sorted(done.vendors.items()):
        cells = [Text(f"{counts[kind]:,}", style=STYLE[kind] if counts[kind] else "dim") for kind in kinds]
        table.add_row(Text(vendor or "?"), f"{counts.total():,}", *cells)
    console.print(table)
    if show_left and done.reasons:
        console.print()
        for vendor, reasons in sorted(done.reasons.items()):
            _print_left(console, done, vendor, reasons)


def _undecided(vendor: str) -> str:
    return vendors()[vendor].undecided if vendor in vendors() else ""


def _print_left(console: Console, done: Reconciled, vendor: str, reasons: Counter[str]) -> None:
    said = "; ".join(f"{words} ({count:,})" for words, count in reasons.most_common(3) if words)[:300]
    why = _NOT_ASKED if vendor in done.not_asked else _undecided(vendor)
    left = Text(f"{vendor or '?'}: {reasons.total():,} still unknown", style=STYLE[OutcomeKind.UNKNOWN])
    print_note(console, left.append(f": {said}." if said else ".", style="dim").append(f" {why}", style="dim"))


def show_reconciled(
    console: Console, done: Reconciled, journal: JournalPlace, output: Path | None, *, repeat: bool
) -> None:
    """Print the answers about unknown messages, and the next commands.

    Args:
        console: where to print.
        done: the answers.
        journal: place of the journal.
        output: file of results, whose name is printed; None for none.
        repeat: ``--repeat`` was given.
    """
    if not done.counts.total():
        console.print(Text(f"Nothing is unknown in {masked(done.campaign)}."), soft_wrap=True)
        return
    print_reconciled(console, done)
    console.print()
    if done.interrupted:
        print_note(console, Text("Interrupted. What was found out is in the journal.", style="yellow"))
    elif done.stopped is not None:
        print_note(console, Text(f"Stopped early: {masked(done.stopped)}", style="bold red"))
    if output is not None:
        console.print(Text(f"  results: {output}", style="dim"), soft_wrap=True)
    steps: list[tuple[str, str]] = []
    if done.counts[OutcomeKind.NOT_SENT]:
        steps.append(("Send what was not sent with this, and the options of the campaign:", _resume(done, journal)))
    if not done.unknown:
        console.print(Text("  Nothing is unknown any more.", style="bold green"))
    elif not repeat and any(vendor in vendors() and vendors()[vendor].repeats for vendor in done.reasons):
        words = "Send again, where the vendor prevents a second SMS:"
        steps.append((words, again("--repeat")))
    if done.unknown:
        steps += to_decide(done.campaign, journal, None)
    print_steps(console, steps)


def _resume(done: Reconciled, journal: JournalPlace) -> str:
    return shlex.join(["mensasdk", "resume", done.campaign, "--journal", str(journal)])
