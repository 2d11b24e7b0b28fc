"""Change the recipients and requests of an open campaign in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

import orjson

from mensasdk.errors import JournalError
from mensasdk.journal.postgres import statements as sql
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.open_campaign import OpenCampaign
from mensasdk.journal.postgres.requests import (
    Known,
    Request,
    counts_of,
    encoded,
    finds_out,
    packed,
    plain,
    read_row,
    settles,
    sum_of,
)
from mensasdk.journal.protocol import Claim, Entry, Row, lost
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["check", "claim", "load", "release", "reroute", "resolve", "settle", "sweep"]

_ROWS_AT_ONCE: Final = 5_000
_MOST: Final = 2**63 - 1


async def check(connection: Connection, opened: OpenCampaign, worker: UUID) -> bool:
    """Check that a worker still has a campaign, and keep it so until the end of the transaction.

    Returns:
        Whether its lease runs.

    Raises:
        JournalError: another worker has taken the campaign over, or it is paused or cancelled.
    """
    found = await connection.fetchrow(sql.CHECK, opened.number, worker, opened.epoch)
    if found is None:
        raise JournalError(
            f"campaign {opened.name!r} was taken over by another process, since this one did not renew its lease"
        )
    if found["status"] != "running":
        raise JournalError(f"campaign {opened.name!r} is {found['status']}")
    return bool(found["fresh"])


# ------------------------------------------------------------------------------------------------------ recipients


async def load(connection: Connection, opened: OpenCampaign, worker: UUID, rows: Sequence[Entry]) -> Sequence[Entry]:
    """Record recipients as PENDING, each key once; see `Journal.load`."""
    given: dict[bytes, Entry] = {}
    for row in rows:
        given.setdefault(row.key, row)
    loaded: list[Entry] = []
    entries = list(given.values())
    async with connection.transaction():
        await check(connection, opened, worker)
        for start in range(0, len(entries), _ROWS_AT_ONCE):
            loaded += await _load(connection, opened, entries[start : start + _ROWS_AT_ONCE])
    return loaded


async def _load(connection: Connection, opened: OpenCampaign, rows: Sequence[Entry]) -> list[Entry]:
    number, nonce = opened.number, opened.nonce
    keys = [row.key for row in rows]
    messages = [encoded(row.message, row.place) for row in rows]
    sums = [sum_of(nonce, row.seq, row.number, row.key, message) for row, message in zip(rows, messages, strict=True)]
    await connection.execute(
        sql.INSERT, number, [row.seq for row in rows], keys, [row.number for row in rows], messages, sums
    )
    loaded: list[Entry] = []
    changed: list[tuple[int, str, str, int]] = []
    for place, seq, checksum in await connection.fetch(sql.LOADED, number, keys):
        row, message, own = rows[place - 1], messages[place - 1], sums[place - 1]
        if seq != row.seq:
            row = Row(seq, row.key, row.message, row.number, row.place)
            own = sum_of(nonce, seq, row.number, row.key, message)
        if own != checksum:
            changed.append((seq, row.number, message, own))
        loaded.append(row)
    if changed:
        await connection.execute(sql.REPLACE, number, *(list(column) for column in zip(*changed, strict=True)))
    return loaded


# -------------------------------------------------------------------------------------------------- claim and settle


async def claim(
    connection: Connection,
    opened: OpenCampaign,
    worker: UUID,
    claim: int,
    lo: int,
    hi: int,
    *,
    seqs: Collection[int] | None,
    most: int | None,
    vendor: str | None,
    group: str | None,
) -> Sequence[Row]:
    """Turn PENDING rows into IN_FLIGHT under an id that was drawn before, and return them; see `Journal.claim`.

    Raises:
        JournalError: a row is not what was written. All rows of the claim have to be released.
    """
    found = await connection.fetch(
        sql.CLAIM,
        opened.number,
        worker,
        opened.epoch,
        claim,
        max(lo, -_MOST),
        min(hi, _MOST),
        None if seqs is None else sorted(seqs),
        most,
        None if vendor is None else plain(vendor),
        None if group is None else plain(group),
    )
    return [read_row(opened.nonce, *columns) for columns in found]


async def release(connection: Connection, opened: OpenCampaign, worker: UUID, claim: int) -> None:
    """Undo a claim whose answer was lost, or see to it that it fails if it is still on its way."""
    if await connection.fetchval(sql.RELEASE, opened.number, claim, worker, opened.epoch) is None:
        await _change(connection, opened.number, [claim], _released)


def _released(request: Request) -> Request | None:
    known = [Known.freed() if one is None else one for one in request.known]
    return None if request.swept or None not in request.known else request.told(known)


async def settle(
    connection: Connection,
    opened: OpenCampaign,
    worker: UUID,
    claim: Claim,
    outcomes: Sequence[tuple[int, Outcome]],
    charged: Mapping[str, Decimal],
) -> None:
    """Record the outcomes of a claim of this worker; see `Journal.settle`."""
    if not claim:
        return
    seqs = [seq for seq, _ in outcomes]
    if seqs == [row.seq for row in claim.rows]:
        known = [Known.of(outcome) for _, outcome in outcomes]
        freed = [seq for seq, outcome in outcomes if outcome.kind is OutcomeKind.NOT_SENT]
        counts = counts_of(known, swept=False)
        told = packed(known)
        vendors, amounts = _amounts(charged)
        if await connection.fetchval(
            sql.SETTLE, opened.number, claim.id, worker, told, *counts, seqs, freed, vendors, amounts
        ):
            return
    own = {row.seq for row in claim.rows}
    some = [pair for pair in outcomes if pair[0] in own]
    async with connection.transaction():
        if await _change(connection, opened.number, [claim.id], lambda one: one.after(some, settles), worker):
            await connection.execute(sql.CHARGE, opened.number, claim.id, *_amounts(charged))


def _amounts(charged: Mapping[str, Decimal]) -> tuple[list[str], list[str]]:
    return [plain(vendor) for vendor in charged], [str(amount) for amount in charged.values()]


async def reroute(
    connection: Connection, opened: OpenCampaign, worker: UUID, claim: Claim, seqs: Collection[int], vendor: str
) -> None:
    """Record that rows of a claim are sent through another vendor; see `Journal.reroute`."""
    some = set(seqs)
    under_way = False

    def change(request: Request) -> Request | None:
        nonlocal under_way
        under_way = request.is_under_way
        return request.rerouted(some, vendor) if under_way else None

    await _change(connection, opened.number, [claim.id], change, worker)
    if not under_way:
        raise lost(opened.name)


async def resolve(
    connection: Connection,
    opened: OpenCampaign,
    worker: UUID,
    outcomes: Sequence[tuple[int, Outcome]],
    charged: Mapping[str, Decimal],
) -> None:
    """Record outcomes that were found out for UNKNOWN rows; see `Journal.resolve`."""
    async with connection.transaction():
        await check(connection, opened, worker)
        ids = await connection.fetch(sql.TAKEN, opened.number, [seq for seq, _ in outcomes])
        found_out = await _change(
            connection, opened.number, [one["request"] for one in ids], lambda one: one.after(outcomes, finds_out)
        )
        if found_out and charged:
            own = await connection.fetchval(sql.NUMBERED)  # a charge beside those of the claims
            await connection.execute(sql.CHARGE, opened.number, own, *_amounts(charged))


async def sweep(connection: Connection, opened: OpenCampaign, worker: UUID, older_than: float) -> int:
    """Turn old IN_FLIGHT rows into UNKNOWN, and return their count; see `Journal.sweep`."""
    async with connection.transaction():
        await check(connection, opened, worker)
        return int(await connection.fetchval(sql.SWEEP, opened.number, older_than))


async def _change(
    connection: Connection,
    number: int,
    ids: Sequence[int],
    change: Callable[[Request], Request | None],
    owner: UUID | None = None,
) -> bool:
    """Replace requests by what a function makes of them, in one transaction; None leaves one as it is.

    Args:
        connection: connection to the database.
        number: the campaign's id in the tables.
        ids: ids of the requests.
        change: makes the request that replaces another one.
        owner: only requests of this worker; None for all.

    Returns:
        Whether any was replaced.
    """
    replaced = False
    async with connection.transaction():
        for columns in await connection.fetch(sql.REQUESTS, number, ids):
            before = Request.stored(columns)
            after = change(before) if owner is None or before.owner == owner else None
            if after is None:
                continue
            replaced = True
            counts = counts_of(after.known, swept=after.swept)
            moved = orjson.dumps({str(place): vendor for place, vendor in after.moved.items()}).decode()
            await connection.execute(
                sql.UPDATE, number, after.id, packed(after.known), moved, *counts, None not in after.known
            )
            freed = after.freed - before.freed
            if freed:
                await connection.execute(sql.FREE, number, sorted(freed), after.id)
            was = (columns["accepted"], columns["rejected"], columns["unknown"])
            more = [now - old for now, old in zip(counts[1:], was, strict=True)]
            if any(more):
                await connection.execute(sql.TALLY, number, after.id, *more)
    return replaced
