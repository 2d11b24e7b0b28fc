"""Show what a journal has about a campaign."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mensasdk.cli.masking import masked
from mensasdk.cli.show.tables import cost_text, figures_table, text_table
from mensasdk.cli.work.results import Results
from mensasdk.journal import State

__all__ = ["print_results"]


def print_results(console: Console, found: Results) -> None:
    """Print the count of the messages in each state, and what the vendors say that they charged."""
    table = figures_table("campaign", *(state.value.replace("_", " ") for state in State))
    table.add_row(Text(masked(found.campaign)), *(Text(f"{found.counts[state]:,}") for state in State))
    console.print()
    console.print(table)
    if found.credits:
        costs = text_table("vendor", "charged", space=1)
        for vendor, told in found.credits.items():
            costs.add_row(Text(vendor), cost_text(vendor, told))
        console.print()
        console.print(costs)
    if not found.complete:
        console.print()
        words = "  The list may not have been read to its end: what is missing is not in the journal."
        console.print(Text(words, style="yellow"), soft_wrap=True)
