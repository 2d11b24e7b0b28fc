"""Show the delivery of a campaign as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from mensasdk.cli.show.tables import figures_table
from mensasdk.cli.work.deliveries import Deliveries
from mensasdk.messages import DeliveryState

__all__ = ["deliveries_table"]

# Columns of the table, in their order; all states that are not final share one column.
_COLUMNS: Final[Mapping[str, tuple[frozenset[DeliveryState], str]]] = {
    "delivered": (frozenset({DeliveryState.DELIVERED}), "green"),
    "failed": (frozenset({DeliveryState.FAILED}), "red"),
    "expired": (frozenset({DeliveryState.EXPIRED}), "yellow"),
    "cancelled": (frozenset({DeliveryState.CANCELLED}), "yellow"),
    "on its way": (
        frozenset({DeliveryState.SCHEDULED, DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.UNKNOWN}),
        "cyan",
    ),
}


_ALWAYS: Final = frozenset({"delivered", "failed"})


def deliveries_table(found: Deliveries) -> Table:
    """Make a table of the messages of each vendor in each state, and of those without a report."""
    total = sum(found.vendors.values(), Counter[DeliveryState | None]())
    columns = {
        name: (states, style)
        for name, (states, style) in _COLUMNS.items()
        if name in _ALWAYS or any(total[state] for state in states)
    }
    table = figures_table("delivery", *columns, "no report", "messages")
    for vendor, counts in sorted(found.vendors.items()):
        cells = []
        for states, style in columns.values():
            count = sum(counts[state] for state in states)
            cells.append(Text(f"{count:,}", style=style if count else "dim"))
        cells.append(Text(f"{counts[None]:,}", style="" if counts[None] else "dim"))
        table.add_row(Text(vendor or "?"), *cells, f"{counts.total():,}")
    return table
