"""Open, close, count and purge the campaigns of a journal in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from mensasdk.journal.charges import add_charges
from mensasdk.journal.facts import CampaignFacts, check_content, read_content
from mensasdk.journal.keys import new_nonce, request_reference
from mensasdk.journal.postgres import statements as sql
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.open_campaign import OpenCampaign
from mensasdk.journal.postgres.requests import Request
from mensasdk.journal.protocol import NOTHING, CampaignInfo, State, missing, taken

__all__ = [
    "Worker",
    "begin_purge",
    "charged",
    "find",
    "go_on",
    "infos",
    "leave",
    "progress",
    "purge_some",
    "renew",
    "take",
]

_REQUESTS_AT_ONCE: Final = 200
_ROWS_AT_ONCE: Final = 10_000


@frozen
class Worker:
    """Process that may own campaigns.

    Attributes:
        id: drawn by the process.
        name: for people.
        lease: seconds for which it lives after it was last seen.
    """

    id: UUID
    name: str
    lease: float


async def renew(connection: Connection, worker: Worker) -> None:
    """Let a worker's lease begin again, by the server's clock."""
    await connection.execute(sql.RENEW, worker.id, worker.name, worker.lease)


async def go_on(connection: Connection, worker: Worker) -> None:
    """Let the lease of a worker that has not retired begin again."""
    await connection.execute(sql.GO_ON, worker.id)


async def find(connection: Connection, campaign: str) -> tuple[int, str] | None:
    """Return the id and the nonce of a campaign; None if there is none of that name."""
    found = await connection.fetchrow(sql.FIND, campaign)
    return None if found is None else (found["id"], found["nonce"])


async def take(
    connection: Connection, campaign: str, content: CampaignFacts | None, worker: Worker, *, create: bool
) -> OpenCampaign:
    """Open a campaign for a worker, and turn what is IN_FLIGHT into UNKNOWN; see `Journal.open`.

    Raises:
        ConfigurationError: another worker has it, and lives; it has other content; or it does not exist, and
            ``create`` is False.
    """
    async with connection.transaction():
        await renew(connection, worker)
        if create:
            kept = (None, None) if content is None else (content.to_json(), content.print)
            await connection.execute(sql.CREATE, campaign, new_nonce(), *kept)
        found = await connection.fetchrow(sql.LOCK, campaign)
        if found is None:
            raise missing(campaign)
        number = found["id"]
        check_content(campaign, read_content(found["what"]), content)
        while (epoch := await connection.fetchval(sql.TAKE_OVER, number, worker.id, create)) is None:
            await _check_owner(connection, campaign, number, worker)
        await connection.execute(sql.SWEEP, number, 0.0)
        last = await connection.fetchval(sql.LAST, number)
    free = 0 if last is None else last + 1
    return OpenCampaign(campaign, number, found["nonce"], epoch, found["complete"], free)


async def leave(connection: Connection, opened: OpenCampaign, worker: Worker, *, complete: bool, retire: bool) -> None:
    """Give a campaign back, and take the worker out of the list if this was its last one."""
    async with connection.transaction():
        await connection.execute(sql.CLOSE, opened.number, worker.id, opened.epoch, complete)
        if retire:
            await connection.execute(sql.RETIRE, worker.id)


async def infos(connection: Connection) -> Sequence[CampaignInfo]:
    """Return a summary of each campaign, in the order in which they were begun."""
    return [
        CampaignInfo(
            one["name"], one["created"], one["complete"], _counts(one), one["nonce"], read_content(one["what"])
        )
        for one in await connection.fetch(sql.CAMPAIGNS)
    ]


async def progress(connection: Connection, campaign: str) -> Mapping[State, int]:
    """Return the count of recipients in each state."""
    found = await connection.fetchrow(sql.PROGRESS, campaign)
    return dict.fromkeys(State, 0) if found is None else _counts(found)


async def charged(connection: Connection, campaign: str) -> Mapping[str, Decimal]:
    """Return what each vendor says that it charged for a campaign; see `Journal.charged`."""
    found = await find(connection, campaign)
    sums: Mapping[str, Decimal] = NOTHING
    for vendor, amount in () if found is None else await connection.fetch(sql.CHARGES, found[0]):
        sums = add_charges(sums, {vendor: Decimal(amount)})
    return sums


def _counts(found: Mapping[str, Any]) -> Mapping[State, int]:
    accepted, rejected, unknown = found["accepted"], found["rejected"], found["unknown"]
    under_way = found["under_way"]
    return {
        State.PENDING: found["total"] - under_way - accepted - rejected - unknown,
        State.IN_FLIGHT: under_way,
        State.ACCEPTED: accepted,
        State.REJECTED: rejected,
        State.UNKNOWN: unknown,
    }


async def begin_purge(connection: Connection, campaign: str, worker: Worker) -> None:
    """Take a campaign's name from it, so that nobody opens it any more.

    Raises:
        ConfigurationError: the campaign is open somewhere, or does not exist.
    """
    async with connection.transaction():
        found = await connection.fetchrow(sql.LOCK, campaign)
        if found is None:
            raise missing(campaign)
        while await connection.fetchval(sql.PURGE, found["id"], worker.id) is None:
            await _check_owner(connection, campaign, found["id"], worker)


async def purge_some(connection: Connection) -> bool:
    """Delete some rows of a purged campaign, and the delivery reports of its messages; return False if none is left.

    Campaigns whose purge was interrupted are continued too.
    """
    async with connection.transaction():
        gone = await connection.fetchrow(sql.PURGING)
        if gone is None:
            return False
        number = gone["id"]
        ids = await connection.fetchval(sql.SOME_REQUESTS, number, _REQUESTS_AT_ONCE)
        if ids is not None:
            reports = await _reports(connection, number, gone["nonce"], ids)
            await connection.execute(sql.FORGET, *([one[at] for one in reports] for at in range(4)))
            await connection.execute(sql.DROP_REQUESTS, number, ids)
        elif not await connection.fetchval(sql.DROP_SOME, number, _ROWS_AT_ONCE):
            for statement in sql.DROP_REST:
                await connection.execute(statement, number)
        return True


async def _reports(
    connection: Connection, number: int, nonce: str, ids: Sequence[int]
) -> list[tuple[str | None, str, str | None, str]]:
    """Return the vendor, number, vendor's id and our reference of each message of some requests."""
    found: list[tuple[str | None, str, str | None, str]] = []
    for columns in await connection.fetch(sql.READ, number, ids):
        request = Request.stored(columns)
        numbers = dict(await connection.fetch(sql.NUMBERS, number, request.seqs))
        for place, (seq, known) in enumerate(zip(request.seqs, request.known, strict=True)):
            if seq not in request.freed:
                vendor_id = None if known is None else known.fields[1]
                reference = request_reference(nonce, request.seqs[0])
                found.append((request.way(place)[0], numbers[seq], vendor_id, reference))
    return found


async def _check_owner(connection: Connection, campaign: str, number: int, worker: Worker) -> None:
    """Raise the error that names the other owner of a campaign, unless its lease has ended since."""
    owner = await connection.fetchrow(sql.OWNER, number, worker.id)
    if owner is not None:
        raise taken(campaign, f"{owner['name']}, whose lease runs for {max(1, round(owner['left']))} s more")
