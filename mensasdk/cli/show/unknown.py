"""Print the unknown messages of a campaign, for a person to decide about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace
from mensasdk.cli.show.steps import print_steps, to_decide
from mensasdk.cli.show.tables import MEANING, text_table
from mensasdk.cli.work.unknown import Listed

__all__ = ["print_list", "show_unknown"]


def print_list(console: Console, listed: Listed) -> None:
    """Print the first unknown messages, and the meaning of their codes."""
    console.print()
    console.print(_table(listed.shown))
    if listed.total > len(listed.shown):
        rest = listed.total - len(listed.shown)
        console.print(Text(f"  … and {rest:,} more; --output lists them all", style="dim"))
    legend = text_table("code", "messages", "meaning", space=1)
    legend.columns[1].justify = "right"
    for code, count in sorted(listed.codes.items(), key=lambda pair: (-pair[1], pair[0])):
        legend.add_row(Text(code[:30]), f"{count:,}", Text(MEANING.get(code, listed.words[code])[:200]))
    console.print()
    console.print(legend)


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    with_reference = any(row["reference"] for row in rows)
    names = ("number", *(("reference",) if with_reference else ()), "vendor", "request", "went out (UTC)", "code")
    table = text_table(*names, space=1)
    for row in rows:
        moment = (row["sent_at"] or "").replace("T", " ").removesuffix("+00:00")
        middle = (masked(row["reference"] or "")[:20],) if with_reference else ()
        table.add_row(
            *(Text(cell) for cell in (row["number"], *middle, row["vendor"], masked(row["request"] or "")[:30])),
            Text(moment, style="dim"),
            Text(row["code"][:30], style="magenta"),
        )
    return table


def show_unknown(console: Console, listed: Listed, journal: JournalPlace, output: Path | None) -> None:
    """Print the unknown messages, and the commands to decide about them.

    Args:
        console: where to print.
        listed: the unknown messages.
        journal: place of the journal.
        output: file that has the list; None for none.
    """
    if not listed.total:
        console.print(Text(f"Nothing is unknown in {masked(listed.campaign)}."), soft_wrap=True)
        return
    print_list(console, listed)
    console.print()
    vendors = " · ".join(f"{vendor or '?'} {count:,}" for vendor, count in listed.vendors.most_common())
    console.print(Text(f"  {listed.total:,} unknown: {vendors}", style="bold magenta"), soft_wrap=True)
    if output is not None:
        console.print(Text(f"  the list: {output}", style="dim"), soft_wrap=True)
    console.print()
    print_steps(console, to_decide(listed.campaign, journal, output))
