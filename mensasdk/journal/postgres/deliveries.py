"""Keep and find delivery reports in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import count

from mensasdk.journal.postgres import statements as sql
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.requests import plain
from mensasdk.journal.reports import FINAL, delivery_key, progress_of
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["keep", "look_up"]


async def keep(connection: Connection, deliveries: Sequence[Delivery]) -> int:
    """Keep the reports that tell something new, and return their count."""
    # A statement may change a row only once: the second report on a message is in the second statement, and so on.
    seen: defaultdict[tuple[str, str, str], count[int]] = defaultdict(count)
    rounds: defaultdict[int, list[Delivery]] = defaultdict(list)
    for one in deliveries:
        rounds[next(seen[plain(one.vendor), plain(one.number), plain(delivery_key(one))])].append(one)
    async with connection.transaction():
        return sum([await _keep(connection, some) for some in rounds.values()])


async def _keep(connection: Connection, deliveries: Sequence[Delivery]) -> int:
    rows = [
        (
            plain(one.vendor),
            plain(one.number),
            plain(delivery_key(one)),
            None if one.vendor_id is None else plain(one.vendor_id),
            None if one.reference is None else plain(one.reference),
            progress_of(one.state),
            one.state.value,
            plain(one.code),
            one.at,
        )
        for one in deliveries
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return len(await connection.fetch(sql.DELIVER, *columns, FINAL))


async def look_up(connection: Connection, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
    """Return the delivery reports of a vendor for some numbers, in the order of the numbers."""
    found = await connection.fetch(sql.DELIVERIES, plain(vendor), [plain(number) for number in numbers])
    return [
        Delivery(
            vendor,
            vendor_id,
            number=number,
            state=DeliveryState(state),
            code=code,
            at=at,
            reference=reference,
        )
        for vendor_id, number, state, code, at, reference in found
    ]
