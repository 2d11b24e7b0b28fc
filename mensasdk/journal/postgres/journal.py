"""A journal in PostgreSQL, which survives the machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Self, TypeVar

from mensasdk.errors import ConfigurationError, JournalError, MensaError
from mensasdk.journal.facts import CampaignFacts
from mensasdk.journal.packing import check_options
from mensasdk.journal.postgres import campaigns, changes, deliveries, reading, statements
from mensasdk.journal.postgres.campaigns import Worker
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.open_campaign import OpenCampaign
from mensasdk.journal.protocol import (
    ALL_STATES,
    NOTHING,
    CampaignInfo,
    Claim,
    Entry,
    Opened,
    Record,
    State,
    check_name,
    missing,
    not_open,
    taken,
)
from mensasdk.messages import Delivery, Outcome

__all__ = ["PostgresJournal"]

logger = logging.getLogger("mensasdk")

T = TypeVar("T")
_IDS_AT_ONCE: Final = 1000  # as the sequence in the database grows
_LAST_TRY: Final = 10.0  # seconds that closing may take for what could not be written before
_FIRST_WAIT: Final = 0.05


class PostgresJournal:
    """Journal in a PostgreSQL database, for campaigns that must survive their machine, and be seen from others.

    When `claim` or `settle` returns, its change is committed. A campaign belongs to one process at a time: it renews a
    lease while it has the campaign open, by the server's clock alone, and every change names its owner in its own
    transaction. If the process dies, another one may open the campaign once the lease has ended. The tables are in the
    schema ``mensasdk``, and are made with the first change. They hold numbers and texts until a campaign is purged, and
    no credentials.

    The journal itself need not be closed: it is connected only while a campaign is open, or during a call.

    Args:
        dsn: the database, as ``postgresql://user@host:5432/database``. A password is better given in a file of
            passwords or in ``PGPASSWORD``; it is never shown.
        lease: seconds for which a campaign stays with a process that has stopped renewing its lease.
        retry_for: seconds for which a call is repeated while the database cannot be reached, where that is safe; not
            before it was reached once.
        max_connections: connections at most.

    Every method may raise `JournalError`, with ``retryable`` if the database could not be reached.
    """

    keeps_outcomes = True
    is_immediate = False

    def __init__(self, dsn: str, *, lease: float = 30.0, retry_for: float = 30.0, max_connections: int = 10) -> None:
        try:
            from mensasdk.journal.postgres.database import Database
        except ModuleNotFoundError:
            Database = None  # type: ignore[assignment,misc]  # noqa: N806
        if Database is None:
            raise ConfigurationError(
                "a journal in PostgreSQL needs asyncpg", remedy="install it with: pip install 'mensasdk[postgres]'"
            )
        for name, value in (("lease", lease), ("max_connections", max_connections)):
            if not value > 0:
                raise ConfigurationError("has to be greater than 0", subject=name, field=name)
        self._database = Database(dsn, max_connections, retry_for)
        self._lease = float(lease)
        self._retry_for = retry_for
        self._start()

    def _start(self) -> None:
        """Begin as a process that has no campaign open."""
        self._pid = os.getpid()
        self._worker = Worker(uuid.uuid4(), f"process {self._pid} on {socket.gethostname()}", self._lease)
        self._open: dict[str, OpenCampaign] = {}
        self._ids: Iterator[int] = iter(())
        self._renewal: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"PostgresJournal({self._database.shown!r})"

    async def __aenter__(self) -> Self:
        """Keep connected until the end of the block, which makes many single calls cheaper."""
        self._check_process()
        self._database.hold()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._database.let_go()

    # ------------------------------------------------------------------------------------------------- campaigns

    async def open(self, campaign: str, content: CampaignFacts | None = None, *, create: bool = True) -> Opened:
        """Open a campaign for this process, if nobody who lives has it; see `Journal.open`."""
        self._check_process()
        check_name(campaign)
        if campaign in self._open:
            raise taken(campaign, "this process")

        async def take(connection: Connection) -> OpenCampaign:
            return await campaigns.take(connection, campaign, content, self._worker, create=create)

        async def find(connection: Connection) -> bool:
            return await campaigns.find(connection, campaign) is not None

        if not create and not await self._database.read(find, False):
            raise missing(campaign)
        self._database.hold()
        try:
            opened = await self._database.do(take)
        except BaseException:
            await self._database.let_go()
            raise
        self._open[campaign] = opened
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
        return Opened(opened.free, opened.nonce, opened.complete)

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        """Close a campaign, and try once more to record what could not be recorded before; see `Journal.close`."""
        self._check_process()
        opened = self._open.get(campaign)
        if opened is None:
            return
        end = time.monotonic() + _LAST_TRY
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_LAST_TRY)
            whole = not opened.owed

            async def leave(connection: Connection) -> None:
                for number in opened.lost:
                    await changes.release(connection, opened, self._worker.id, number)
                for claim, outcomes, charged in opened.owed:
                    await changes.settle(connection, opened, self._worker.id, claim, outcomes, charged)
                last = set(self._open) == {campaign}
                await campaigns.leave(connection, opened, self._worker, complete=complete and whole, retire=last)

            await self._database.do(leave, most=max(0.0, end - time.monotonic()))
        finally:
            del self._open[campaign]
            if not self._open and self._renewal is not None:
                self._renewal.cancel()
                self._renewal = None
            await self._database.let_go()

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """Return a summary of each campaign, in the order in which they were begun."""
        return await self._read(campaigns.infos, ())

    async def purge(self, campaign: str) -> None:
        """Remove a campaign for good.

        PostgreSQL does not overwrite what is deleted: it stays in the files of the database until their space is used
        again, and in its logs and backups.

        Raises:
            ConfigurationError: the campaign is open somewhere, or does not exist.
        """
        self._check_process()
        check_name(campaign)
        if campaign in self._open:
            raise taken(campaign, "this process")
        begun = False

        async def begin(connection: Connection) -> None:
            nonlocal begun
            if begun and await campaigns.find(connection, campaign) is None:
                return  # the answer of the first attempt was lost
            begun = True
            await campaigns.begin_purge(connection, campaign, self._worker)

        async with self._database.used():
            await self._database.do(begin)
            while await self._database.do(campaigns.purge_some):
                pass

    # ------------------------------------------------------------------------------------------------------ rows

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING; see `Journal.load`."""
        opened = self._opened(campaign)
        for row in rows:
            if row.message.options is not None:
                check_options(row.message)
        # Alone, because it may replace the message of a recipient that is being claimed.
        async with opened.alone():
            return await self._database.do(lambda connection: changes.load(connection, opened, self._worker.id, rows))

    async def claim(
        self,
        campaign: str,
        lo: int,
        hi: int,
        *,
        seqs: Collection[int] | None = None,
        most: int | None = None,
        vendor: str | None = None,
        group: str | None = None,
    ) -> Claim:
        """Turn PENDING rows into IN_FLIGHT and return them, or undo that if cancelled; see `Journal.claim`."""
        opened = self._opened(campaign)
        # Alone with `most`: others that claim at the same moment would leave it fewer rows than there are.
        async with opened.shared() if most is None else opened.alone():
            end = time.monotonic() + self._retry_for
            wait = _FIRST_WAIT
            while True:
                claim = await self._next_id()

                async def take(connection: Connection, claim: int = claim) -> Claim | None:
                    rows = await changes.claim(
                        connection,
                        opened,
                        self._worker.id,
                        claim,
                        lo,
                        hi,
                        seqs=seqs,
                        most=most,
                        vendor=vendor,
                        group=group,
                    )
                    if not rows and not await changes.check(connection, opened, self._worker.id):
                        await campaigns.renew(connection, self._worker)
                        return None
                    return Claim(claim, rows)

                failure: JournalError | None = None
                try:
                    taken = await self._database.do(take, repeat=False)
                except JournalError as error:
                    failure = error
                except BaseException:
                    await self._finish(self._release(opened, claim))
                    raise
                else:
                    if taken is not None:
                        return taken
                    continue  # nobody has taken the campaign over meanwhile, so the lease goes on
                # The claim may be there all the same, or still be on its way: take it back before another attempt.
                await self._finish(self._release(opened, claim))
                if not failure.retryable or time.monotonic() >= end:
                    raise failure
                await asyncio.sleep(wait)
                wait *= 2

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        """Return whether any row of a range is PENDING; see `Journal.left`."""
        return await self._read(lambda connection: reading.left(connection, campaign, lo, hi), False)

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        """Record that rows are sent through another vendor; see `Journal.reroute`."""
        opened = self._opened(campaign)
        await self._database.do(
            lambda connection: changes.reroute(connection, opened, self._worker.id, claim, seqs, vendor)
        )

    async def settle(
        self,
        campaign: str,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        charged: Mapping[str, Decimal] = NOTHING,
    ) -> None:
        """Record the outcomes of a claim, also if this task is cancelled meanwhile; see `Journal.settle`.

        Raises:
            JournalError: the database could not be reached for as long as the journal retries. The outcomes are kept in
                memory, and tried once more when the campaign is closed.
        """
        opened = self._opened(campaign)
        await self._finish(self._settle(opened, claim, outcomes, charged))

    async def _settle(
        self,
        opened: OpenCampaign,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        charged: Mapping[str, Decimal],
    ) -> None:
        try:
            await self._database.do(
                lambda connection: changes.settle(connection, opened, self._worker.id, claim, outcomes, charged)
            )
        except JournalError:
            opened.owed.append((claim, outcomes, charged))
            raise

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        """Turn old IN_FLIGHT rows into UNKNOWN; see `Journal.sweep`."""
        opened = self._opened(campaign)
        return await self._database.do(
            lambda connection: changes.sweep(connection, opened, self._worker.id, older_than)
        )

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return recipients by ``seq``; see `Journal.read`."""
        return await self._read(lambda connection: reading.records(connection, campaign, after, limit, states), [])

    async def resolve(
        self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], *, charged: Mapping[str, Decimal] = NOTHING
    ) -> None:
        """Record outcomes that were found out for UNKNOWN rows; see `Journal.resolve`."""
        opened = self._opened(campaign)
        await self._database.do(
            lambda connection: changes.resolve(connection, opened, self._worker.id, outcomes, charged)
        )

    async def charged(self, campaign: str) -> Mapping[str, Decimal]:
        """Return what each vendor says that it charged for a campaign; see `Journal.charged`."""
        return await self._read(lambda connection: campaigns.charged(connection, campaign), NOTHING)

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return the count of recipients in each state."""
        return await self._read(lambda connection: campaigns.progress(connection, campaign), dict.fromkeys(State, 0))

    # ------------------------------------------------------------------------------------------- delivery reports

    async def deliver(self, reports: Sequence[Delivery]) -> int:
        """Keep delivery reports; see `Journal.deliver`."""
        self._check_process()
        return await self._database.do(lambda connection: deliveries.keep(connection, reports))

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """Return the delivery reports of a vendor for some numbers; see `Journal.deliveries`."""
        return await self._read(lambda connection: deliveries.look_up(connection, vendor, numbers), ())

    # ------------------------------------------------------------------------------------------------------ inner

    def _opened(self, campaign: str) -> OpenCampaign:
        self._check_process()
        opened = self._open.get(campaign)
        if opened is None:
            raise not_open(campaign)
        return opened

    def _check_process(self) -> None:
        """Begin anew in a child process: what its parent has open stays the parent's."""
        if os.getpid() != self._pid:
            self._database.forget()
            self._start()

    async def _read(self, work: Callable[[Connection], Awaitable[T]], empty: T) -> T:
        self._check_process()
        return await self._database.read(work, empty)

    async def _next_id(self) -> int:
        """Return an id for a claim, drawn before the claim so that it can be taken back if its answer is lost."""
        while (claim := next(self._ids, None)) is None:
            first = await self._database.do(lambda connection: connection.fetchval(statements.NUMBERED))
            self._ids = iter(range(first, first + _IDS_AT_ONCE))
        return claim

    async def _release(self, opened: OpenCampaign, claim: int) -> None:
        try:
            await self._database.do(lambda connection: changes.release(connection, opened, self._worker.id, claim))
        except JournalError:
            opened.lost.add(claim)  # closing tries it once more; else its rows count as UNKNOWN
            raise

    async def _renew(self) -> None:
        """Keep the lease running while a campaign is open."""
        while True:
            await asyncio.sleep(self._lease / 4)
            try:
                await self._database.do(
                    lambda connection: campaigns.go_on(connection, self._worker), most=self._lease / 4
                )
            except MensaError as error:  # a claim will say so, if it lasts
                logger.debug("the lease of the journal could not be renewed: %s", error)

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, also if this task is cancelled meanwhile; closing waits for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.warning("what ended after its task was cancelled is not in the journal: %s", task.exception())
