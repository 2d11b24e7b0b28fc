"""Read the recipients of a campaign from PostgreSQL, in bounded ranges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from mensasdk.journal.postgres import statements as sql
from mensasdk.journal.postgres.campaigns import find
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.requests import Request, read_row
from mensasdk.journal.protocol import Record, State

__all__ = ["left", "records"]

_FIRST_WIDTH: Final = 1_000
_WIDEST: Final = 20_000
_MOST: Final = 2**63 - 1


async def left(connection: Connection, campaign: str, lo: int, hi: int) -> bool:
    """Return whether any row of a range is PENDING; see `Journal.left`."""
    found = await find(connection, campaign)
    if found is None:
        return False
    return bool(await connection.fetchval(sql.LEFT, found[0], max(lo, -_MOST), min(hi, _MOST)))


async def records(
    connection: Connection, campaign: str, after: int, limit: int, states: Collection[State]
) -> Sequence[Record]:
    """Return recipients by ``seq``; see `Journal.read`.

    All of them are as they were at one moment.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await find(connection, campaign)
        if found is None or not states:
            return []
        number, nonce = found
        unknown, under_way = State.UNKNOWN in states, State.IN_FLIGHT in states
        records: list[Record] = []
        width = max(_FIRST_WIDTH, limit)
        while len(records) < limit:
            if not set(states) <= {State.UNKNOWN, State.IN_FLIGHT}:
                end = await connection.fetchval(sql.WINDOW, number, after, width)
                if end is None:
                    break
                pending = set(states) == {State.PENDING}
                rows = await connection.fetch(sql.RANGE, number, after, end, pending, width)
            else:
                rows = await connection.fetch(sql.UNSETTLED, number, after, unknown, under_way, width)
                if not rows:
                    break
                end = rows[-1]["seq"]
            records += await _records(connection, number, nonce, rows, states)
            after, width = end, min(2 * width, _WIDEST)
        return records[:limit]


async def _records(
    connection: Connection, number: int, nonce: str, rows: Sequence[Any], states: Collection[State]
) -> list[Record]:
    ids = {row["request"] for row in rows} - {None}
    requests: dict[int, tuple[Request, dict[int, int]]] = {}
    for columns in await connection.fetch(sql.READ, number, list(ids)) if ids else ():
        request = Request.stored(columns)
        requests[request.id] = (request, {seq: place for place, seq in enumerate(request.seqs)})
    found: list[Record] = []
    for seq, key, to, message, checksum, taken in rows:
        if taken is None:
            if State.PENDING in states:
                row = read_row(nonce, seq, key, to, message, checksum)
                found.append(Record(seq, key, State.PENDING, row.message, to, place=row.place))
            continue
        request, places = requests[taken]
        if request.state(places[seq]) in states:
            row = read_row(nonce, seq, key, to, message, checksum)
            found.append(request.record(nonce, places[seq], row))
    return found
