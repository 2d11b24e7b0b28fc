"""Make a journal of the present version, to be kept when the version changes: ``python make_kept.py FILE``."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal

from mensasdk import Delivery, DeliveryState, Message, Outcome, OutcomeKind, SqliteJournal
from mensasdk.journal import Row


async def main(path: str) -> None:
    """Write a campaign with a row in each state."""
    journal = SqliteJournal(path)
    await journal.open("kept")
    people = [
        Row(seq, seq.to_bytes(8) * 2, Message(f"+3460000000{seq}", f"hola {seq}", place=seq + 2)) for seq in range(5)
    ]
    await journal.load("kept", people)
    kinds = [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN]
    for seq, kind in enumerate(kinds):
        claim = await journal.claim("kept", seq, seq + 1, vendor="test")
        outcome = Outcome(kind, people[seq].message, vendor="test", vendor_id=f"id {seq}")
        charged = {"test": Decimal("0.0450"), "other": Decimal(seq)}
        await journal.settle("kept", claim, [(seq, outcome)], charged=charged)
    await journal.claim("kept", 4, 5, vendor="test")
    await journal.deliver([Delivery("test", "id 0", number="+34600000000", state=DeliveryState.DELIVERED, code="1")])
    await journal.close("kept", complete=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
