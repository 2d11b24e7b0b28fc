"""A journal in a SQLite file, which survives the process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import count
from math import inf
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mensasdk.errors import JournalError
from mensasdk.journal.facts import CampaignFacts
from mensasdk.journal.protocol import ALL_STATES, NOTHING, CampaignInfo, Claim, Entry, Opened, Record, State
from mensasdk.messages import Delivery, Outcome

if TYPE_CHECKING:  # sqlite3 is loaded when a journal is made, not when mensasdk is imported
    from mensasdk.journal.sqlite.store import Owed

__all__ = ["SqliteJournal"]

logger = logging.getLogger("mensasdk")

_WAITS: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)
_OWED: Final = 10.0  # seconds for all that the journal is owed when a campaign ends
_IDS: Final = count(1)  # ids of claims, unique in the process over all its journals


def _log_failure(released: asyncio.Future[None]) -> None:
    if not released.cancelled() and released.exception() is not None:
        logger.warning("rows of a cancelled claim could not be released; they will count as UNKNOWN")


class SqliteJournal:
    """Journal in a SQLite file, for campaigns that must survive a crash of the process or the machine.

    When `claim` or `settle` returns, its change is on the disk (WAL, ``synchronous=FULL``). Only its owner can read the
    file. It holds numbers and texts until a campaign is purged, and no credentials. It may hold many campaigns, and
    several processes may use it at once. Each campaign belongs to one process at a time, by a lock that the operating
    system releases when that process dies. The file must be on a local disk.

    The journal itself need not be closed: its file is open only while a campaign is open, or during a call.

    Args:
        path: the file; created if it does not exist.
        busy_timeout: seconds to wait while another process writes to the file.

    Every method may raise `JournalError`. All of SQLite runs in one thread of its own, never in the event loop. A
    cancelled call still runs to its end in that thread, and all of its change is in the file; a cancelled claim is
    then undone.
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

    async def open(self, campaign: str, content: CampaignFacts | None = None, *, create: bool = True) -> Opened:
        """Open a campaign and lock it for this process; see `Journal.open`."""
        return await self._thread.do(lambda store: store.open(campaign, content, create=create))

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        """Close a campaign, and try once more to record outcomes that `settle` could not; see `Journal.close`."""
        owed = self._owed.pop(campaign, [])
        self._store.deadline = self._store.deadline or time.monotonic() + _OWED
        try:
            await self._thread.do(lambda store: store.close(campaign, complete=complete and not owed, owed=owed))
        except JournalError:
            if owed:
                count = sum(len(outcomes) for _, outcomes, _ in owed)
                logger.warning(
                    "%d outcomes of campaign %s could not be recorded; they will be UNKNOWN", count, campaign
                )
            raise
        finally:
            self._store.deadline = None

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING, in memory until they are claimed or many; see `Journal.load`."""
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
        """Turn PENDING rows into IN_FLIGHT and return them, or undo that if cancelled; see `Journal.claim`."""
        claim = next(_IDS)
        claimed = self._thread.submit(
            lambda store, look: store.opened(campaign).claim(claim, lo, hi, seqs, most, vendor, group, look)
        )
        try:
            return await claimed
        except asyncio.CancelledError:
            # The thread does its work in order, so this runs after the claim.
            released = self._thread.submit(lambda store, look: store.opened(campaign).release(claim, look))
            released.add_done_callback(_log_failure)
            raise

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        """Return whether any row of a range is PENDING; see `Journal.left`."""
        return await self._thread.submit(lambda store, look: store.left(campaign, lo, hi, look))

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        """Record that rows are sent through another vendor; see `Journal.reroute`."""
        await self._thread.submit(
            lambda store, look: store.opened(campaign).reroute(campaign, claim, seqs, vendor, look)
        )

    async def settle(
        self,
        campaign: str,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        charged: Mapping[str, Decimal] = NOTHING,
    ) -> None:
        """Record the outcomes of a claim, with retries for some seconds; see `Journal.settle`.

        Raises:
            JournalError: the file still cannot be written. The outcomes are kept in memory, and tried once more when
                the campaign is closed.
        """
        store = self._store
        store.deadline = store.deadline or time.monotonic() + _OWED
        failed: JournalError | None = None
        try:
            for wait in (*_WAITS, None):
                try:
                    await self._thread.submit(
                        lambda store, look: store.opened(campaign).settle(claim, outcomes, charged, look)
                    )
                except JournalError as error:
                    failed = error
                else:
                    failed = None
                    return
                if wait is None or not failed.retryable or time.monotonic() + wait >= (store.deadline or inf):
                    self._owed.setdefault(campaign, []).append((claim, outcomes, charged))
                    raise failed
                await asyncio.sleep(wait)
        finally:
            if failed is None:
                store.deadline = None  # what comes later has its own ten seconds

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        """Turn old IN_FLIGHT rows into UNKNOWN; see `Journal.sweep`."""
        return await self._thread.submit(lambda store, look: store.opened(campaign).sweep(older_than, look))

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return recipients by ``seq``; see `Journal.read`."""
        return await self._thread.do(lambda store: store.read(campaign, after, limit, states))

    async def resolve(
        self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], *, charged: Mapping[str, Decimal] = NOTHING
    ) -> None:
        """Record outcomes that were found out for UNKNOWN rows; see `Journal.resolve`."""
        await self._thread.submit(lambda store, look: store.opened(campaign).resolve(outcomes, charged, look))

    async def charged(self, campaign: str) -> Mapping[str, Decimal]:
        """Return what each vendor says that it charged for a campaign; see `Journal.charged`."""
        return await self._thread.do(lambda store: store.charged(campaign))

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return the count of recipients in each state."""
        return await self._thread.do(lambda store: store.progress(campaign))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Keep delivery reports; see `Journal.deliver`."""
        return await self._thread.do(lambda store: store.deliver(deliveries))

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """Return the delivery reports of a vendor for some numbers; see `Journal.deliveries`."""
        return await self._thread.do(lambda store: store.deliveries(vendor, numbers))

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """Return a summary of each campaign, in the order in which they were begun."""
        return await self._thread.do(lambda store: store.campaigns())

    async def purge(self, campaign: str) -> None:
        """Remove a campaign for good, and overwrite its rows in the file.

        Raises:
            ConfigurationError: the campaign is open somewhere, or does not exist.
        """
        await self._thread.do(lambda store: store.purge(campaign))
