"""A journal in a file: it survives the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mensasdk.errors import JournalError
from mensasdk.journal.protocol import ALL_STATES, CampaignInfo, Claim, Entry, Record, State
from mensasdk.messages import Delivery, Outcome

if TYPE_CHECKING:  # sqlite3 is loaded when a journal is made, not when mensasdk is imported
    from mensasdk.journal.sqlite.store import Owed

__all__ = ["SqliteJournal"]

logger = logging.getLogger("mensasdk")

_WAITS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)
_IDS: Final = count(1)  # of claims; no two of this process have the same, whatever journals it has


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

    keeps_outcomes = True
    is_immediate = False

    def __init__(self, path: str | PathLike[str], *, busy_timeout: float = 5.0) -> None:
        from mensasdk.journal.sqlite.store import Store
        from mensasdk.journal.sqlite.thread import StoreThread

        self.path = Path(path).absolute()
        self._store = Store(self.path, busy_timeout)
        self._thread = StoreThread(self._store)
        self._owed: dict[str, list[Owed]] = {}

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self.path)!r})"

    async def open(self, campaign: str, *, create: bool = True) -> int:
        return await self._thread.do(lambda store: store.open(campaign, create=create))

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        owed = self._owed.pop(campaign, [])
        await self._thread.do(lambda store: store.close(campaign, complete=complete and not owed, owed=owed))

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        return await self._thread.submit(lambda store, look: store.load(campaign, rows, look))

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
        claim = next(_IDS)
        claimed = self._thread.submit(
            lambda store, look: store.opened(campaign).claim(claim, lo, hi, seqs, most, vendor, group, look)
        )
        try:
            return await claimed
        except asyncio.CancelledError:
            # The thread takes one thing after the other, so this comes after the claim.
            released = self._thread.submit(lambda store, look: store.opened(campaign).release(claim, look))
            released.add_done_callback(_log_failure)
            raise

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        return await self._thread.submit(lambda store, look: store.left(campaign, lo, hi, look))

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        await self._thread.submit(
            lambda store, look: store.opened(campaign).reroute(campaign, claim, seqs, vendor, look)
        )

    async def settle(self, campaign: str, claim: Claim, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """See `Journal.settle`. It is tried again for some seconds while the file cannot be written.

        Raises:
            JournalError: it still cannot be. The outcomes are held, and tried once more when the campaign is closed.
        """
        for wait in (*_WAITS, None):
            try:
                return await self._thread.submit(
                    lambda store, look: store.opened(campaign).settle(claim, outcomes, look)
                )
            except JournalError as error:
                if wait is None or not error.retryable:
                    self._owed.setdefault(campaign, []).append((claim, outcomes))
                    raise
            await asyncio.sleep(wait)
        return None

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        return await self._thread.submit(lambda store, look: store.opened(campaign).sweep(older_than, look))

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        return await self._thread.do(lambda store: store.read(campaign, after, limit, states))

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        await self._thread.submit(lambda store, look: store.opened(campaign).resolve(outcomes, look))

    async def progress(self, campaign: str) -> Mapping[State, int]:
        return await self._thread.do(lambda store: store.progress(campaign))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        return await self._thread.do(lambda store: store.deliver(deliveries))

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        return await self._thread.do(lambda store: store.deliveries(vendor, numbers))

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """What the journal holds, in the order in which it was begun."""
        return await self._thread.do(lambda store: store.campaigns())

    async def purge(self, campaign: str) -> None:
        """Remove a campaign for good, and overwrite its rows in the file.

        Raises:
            ConfigurationError: it is open somewhere, or there is none.
        """
        await self._thread.do(lambda store: store.purge(campaign))
