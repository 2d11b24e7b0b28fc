"""A journal in a file: it survives the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import evolve

from mensasdk.errors import JournalError
from mensasdk.journal.protocol import ALL_STATES, CampaignInfo, Record, Row, State, not_open
from mensasdk.messages import Delivery, Outcome

if TYPE_CHECKING:  # sqlite3 is loaded when a journal is made, not when mensasdk is imported
    from mensasdk.journal.sqlite.open_campaign import Step
    from mensasdk.journal.sqlite.store import Store

__all__ = ["SqliteJournal"]

logger = logging.getLogger("mensasdk")

T = TypeVar("T")
_WAITS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)


def _log_failure(released: asyncio.Future[None]) -> None:
    if not released.cancelled() and released.exception() is not None:
        logger.warning("rows of a cancelled claim could not be released; they will count as UNKNOWN")


class SqliteJournal:
    """A journal in a SQLite file, for campaigns that must survive a crash of the process or the machine.

    What `claim` and `settle` have recorded is on the disk when they return (WAL, ``synchronous=FULL``). The file is
    readable by its owner only; it holds numbers and texts until a campaign is purged, and no credentials. It may hold
    many campaigns, and several processes may use it at once; one campaign belongs to one process at a time, by a lock
    that the operating system takes back when that process dies. It must lie on a local disk.

    There is nothing to close: the file is open while a campaign is.

    Args:
        path: the file; it is made if it does not exist.
        busy_timeout: seconds to wait while another process writes to it.

    Every method may raise `JournalError`. All of SQLite runs in one thread of its own, and never in the event loop. A
    call that is cancelled is brought to its end there, and is in the file as a whole; a claim is then undone.
    """

    def __init__(self, path: str | PathLike[str], *, busy_timeout: float = 5.0) -> None:
        from mensasdk.journal.sqlite.store import Store
        from mensasdk.journal.sqlite.thread import StoreThread

        self.path = Path(path).absolute()
        self._store = Store(self.path, busy_timeout)
        self._thread = StoreThread(self._store)
        self._owed: dict[str, list[tuple[int, Outcome]]] = {}

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self.path)!r})"

    async def open(self, campaign: str, *, create: bool = True) -> int:
        return await self._do(lambda store: store.open(campaign, create=create))

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        owed = self._owed.pop(campaign, [])
        await self._do(lambda store: store.close(campaign, complete=complete and not owed, owed=owed))

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        self._check_open(campaign)
        return await self._thread.submit(
            lambda store: store.load(campaign, rows), lambda store: store.loading(campaign, rows)
        )

    async def claim(
        self, campaign: str, lo: int, hi: int, *, vendor: str | None = None, group: str | None = None
    ) -> Sequence[Row]:
        self._check_open(campaign)
        claimed: Sequence[Row] = ()

        def claim(store: Store) -> Sequence[Row]:
            nonlocal claimed
            claimed = store.claim(campaign, lo, hi, vendor, group)
            return claimed

        def claiming(store: Store) -> Step[Sequence[Row]] | None:
            nonlocal claimed
            step = store.claiming(campaign, lo, hi, vendor, group)
            if step is None:
                return None
            claimed = step.result
            return evolve(step, undo=partial(unclaim, step))

        def unclaim(step: Step[Sequence[Row]]) -> None:
            nonlocal claimed
            claimed = ()
            step.undo()

        try:
            return await self._thread.submit(claim, claiming)
        except asyncio.CancelledError:
            # The thread takes one thing after the other, so this comes after the claim.
            released = self._thread.submit(lambda store: store.release(campaign, claimed))
            released.add_done_callback(_log_failure)
            raise

    async def reroute(self, campaign: str, seqs: Sequence[int], vendor: str) -> None:
        self._check_open(campaign)
        await self._do(lambda store: store.reroute(campaign, seqs, vendor))

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        self._check_open(campaign)
        return await self._do(lambda store: store.sweep(campaign, older_than))

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """See `Journal.settle`. It is tried again for some seconds while the file cannot be written.

        Raises:
            JournalError: it still cannot be. The outcomes are held, and tried once more when the campaign is closed.
        """
        self._check_open(campaign)
        for wait in (*_WAITS, None):
            try:
                return await self._thread.submit(
                    lambda store: store.settle(campaign, outcomes), lambda store: store.settling(campaign, outcomes)
                )
            except JournalError as error:
                if wait is None or not error.retryable:
                    self._owed.setdefault(campaign, []).extend(outcomes)
                    raise
            await asyncio.sleep(wait)
        return None

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        return await self._do(lambda store: store.read(campaign, after, limit, states))

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        self._check_open(campaign)
        await self._do(lambda store: store.resolve(campaign, outcomes))

    async def progress(self, campaign: str) -> Mapping[State, int]:
        return await self._do(lambda store: store.progress(campaign))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        return await self._do(lambda store: store.deliver(deliveries))

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        return await self._do(lambda store: store.deliveries(vendor, numbers))

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """What the journal holds, in the order in which it was begun."""
        return await self._do(lambda store: store.campaigns())

    async def purge(self, campaign: str) -> None:
        """Remove a campaign for good, and overwrite its rows in the file.

        Raises:
            ConfigurationError: it is open somewhere, or there is none.
        """
        await self._do(lambda store: store.purge(campaign))

    def _check_open(self, campaign: str) -> None:
        if not self._store.is_open(campaign):
            raise not_open(campaign)

    async def _do(self, work: Callable[[Store], T]) -> T:
        return await self._thread.submit(work)
