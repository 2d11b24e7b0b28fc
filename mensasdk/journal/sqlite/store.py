"""Keep the journal in a SQLite file, with plain blocking calls that one thread makes.

A change is one transaction: it is in the file as a whole, or not at all. Three things keep it cheap:

* The keys of an open campaign are held in memory by its owner. An index of keys on the disk would be rewritten all over
  for each request, and cost more than all the rest.
* Loaded rows are written together with their claim, which mostly follows at once. They are written earlier only when
  the journal is read, or when many have gathered.
* A claim is one row of a table (up to `LONGEST` messages), and so are its outcomes.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

from mensasdk.errors import JournalError
from mensasdk.journal.facts import CampaignFacts, check_content, read_content
from mensasdk.journal.keys import new_nonce
from mensasdk.journal.protocol import (
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
from mensasdk.journal.sqlite import deliveries as sqlite_deliveries
from mensasdk.journal.sqlite import tables
from mensasdk.journal.sqlite.file import JournalFile
from mensasdk.journal.sqlite.lock import FileLock
from mensasdk.journal.sqlite.open_campaign import Look, OpenCampaign, Step
from mensasdk.journal.sqlite.schema import Seal, check_sum
from mensasdk.journal.sqlite.tables import Owner, Statement
from mensasdk.messages import Delivery, Outcome

__all__ = ["Owed", "Store"]

Owed = tuple[Claim, Sequence[tuple[int, Outcome]], Mapping[str, Decimal]]
"""Claim, outcomes and charges that could not be settled yet."""

_KEPT = "id, name, created, nonce, content, print"  # columns of a campaign that never change
_Found = tuple[int, str, bool, CampaignFacts | None]
_MOST_WAITING = 5_000
_PURGED_AT_ONCE = 5_000


class Store(JournalFile):
    """Journal in a SQLite file, which is open while a campaign is open, and otherwise only during a call.

    Args:
        path: the file, absolute.
        busy_timeout: seconds to wait while another process writes.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        super().__init__(path, busy_timeout)
        self._open: dict[str, OpenCampaign] = {}

    def opened(self, campaign: str) -> OpenCampaign:
        """Return an open campaign, or raise `ConfigurationError` if it is not open here."""
        opened = self._open.get(campaign)
        if opened is None:
            raise not_open(campaign)
        return opened

    # ------------------------------------------------------------------------------------------------- campaigns

    def open(self, campaign: str, content: CampaignFacts | None, *, create: bool) -> Opened:
        """Open a campaign and lock it; see `Journal.open`.

        The lock makes the refusal early. What keeps two owners apart is the word that is written into the campaign:
        whoever opened it last has the right to write.
        """
        if not create and not self.exists():
            raise missing(campaign)
        check_name(campaign)
        with self.reading():  # a file that is not ours is refused before a lock stands beside it
            pass
        self.check_place()
        lock = self._lock(campaign)
        try:
            with self.reading() as database:
                tables.check_structure(database)
            with self._transaction(marked=True) as database:
                found = _campaign(database, self._seal, campaign)
                if found is None:
                    if not create:
                        raise missing(campaign)
                    found = _begin(database, self._seal, campaign, content)
                number, nonce, complete, recorded = found
                check_content(campaign, recorded, content)
                owner = Owner(number, secrets.token_hex(8), self._seal)
                mine = "UPDATE campaign SET owner = ?, epoch = epoch + 1, complete = ? * complete WHERE id = ?"
                database.execute(mine, (owner.word, not create, number))
                opened = OpenCampaign(owner, lock)
                last = opened.recall(database)  # which checks all rows, before the sweep writes some of them anew
                _run(database, tables.sweep(owner, inf))
        except BaseException:
            lock.release()
            raise
        self._open[campaign] = opened
        return Opened(last + 1, nonce, complete)

    def close(self, campaign: str, *, complete: bool, owed: Sequence[Owed]) -> None:
        """Settle the claims in ``owed``, then close the campaign, also if settling fails; see `Journal.close`."""
        if campaign not in self._open:
            return
        opened = self._open[campaign]
        keep_lock = False
        try:
            with self._transaction() as database:
                _run(database, opened.flush())
                for claim, outcomes, charged in owed:
                    step = opened.settle(claim, outcomes, charged, self.reading)
                    assert step is not None
                    _run(database, step.statements)
                    step.end(True)  # the next claim may have the same rows
                done = "UPDATE campaign SET complete = max(complete, ?), owner = NULL WHERE id = ?"
                database.execute(done, (complete, opened.owner.campaign))
            keep_lock = True  # what is left of a journal that was removed says that it was there
            self.check_place()
            keep_lock = False
        finally:
            del self._open[campaign]
            opened.lock.release(keep_file=keep_lock)

    def forget(self) -> None:
        """Give up, in a forked child, what its parent has open: it stays the parent's."""
        super().forget()
        self._open.clear()

    def campaigns(self) -> Sequence[CampaignInfo]:
        """Return a summary of each campaign, in the order in which they were begun."""
        if not self.exists():
            return []
        self._flush(*self._open)
        with self._snapshot() as database:
            rows = database.execute(
                "SELECT id, name, created, complete, nonce, content FROM campaign WHERE name IS NOT NULL ORDER BY id"
            ).fetchall()
            return [
                CampaignInfo(
                    name,
                    datetime.fromisoformat(created),
                    bool(complete),
                    tables.counts(database, number),
                    nonce,
                    read_content(content),
                )
                for number, name, created, complete, nonce, content in rows
            ]

    def purge(self, campaign: str) -> None:
        """Remove a campaign, and overwrite its rows in the file; see `Journal.purge`.

        The name is removed first: a campaign that is half removed must not be resumed, since it would no longer know
        whom it has written to. The rows follow in portions, so that other campaigns need not wait long.
        """
        if not self.exists():
            raise missing(campaign)
        with self.reading():
            pass
        lock = self._lock(campaign)
        try:
            with self._transaction() as database:
                gone = database.execute("UPDATE campaign SET name = NULL, owner = NULL WHERE name = ?", (campaign,))
                if gone.rowcount == 0:
                    raise missing(campaign)
            while self._delete_some():
                pass
            with self.reading() as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            lock.release()

    def _delete_some(self) -> bool:
        """Delete some rows of a purged campaign; return False if none is left.

        Campaigns whose purge was interrupted are continued too.
        """
        with self._transaction() as database:
            gone = database.execute("SELECT id, nonce FROM campaign WHERE name IS NULL LIMIT 1").fetchone()
            if gone is None:
                return False
            number, nonce = gone
            if not tables.delete_some(database, number, nonce, _PURGED_AT_ONCE):
                database.execute("DELETE FROM campaign WHERE id = ?", (number,))
            return True

    # ---------------------------------------------------------------------------------------------------- rows

    def load(self, campaign: str, rows: Sequence[Entry], look: Look | None) -> Step[Sequence[Entry]] | None:
        """Record recipients as PENDING; see `Journal.load`.

        Return None if so many have gathered that they have to be written, and ``look`` is None.
        """
        opened = self.opened(campaign)
        much = len(opened.waiting) + len(rows) > _MOST_WAITING
        if much and look is None:
            return None
        loaded = opened.load(rows)
        if much:
            self._flush(campaign)
        return Step(loaded)

    def left(self, campaign: str, lo: int, hi: int, look: Look | None) -> Step[bool] | None:
        """Return whether any row of a range is PENDING; see `Journal.left`.

        Return None if the file has to be read, and ``look`` is None.
        """
        if campaign in self._open:
            return self._open[campaign].left(lo, hi, look)
        if look is None:
            return None
        if not self.exists():
            return Step(False)
        with look() as database:
            return Step(tables.anybody_waits(database, _number(database, self._seal, campaign), lo, hi))

    def read(self, campaign: str, after: int, limit: int, states: Collection[State]) -> Sequence[Record]:
        """Return recipients by ``seq``; see `Journal.read`."""
        if not self.exists():
            return []
        self._flush(campaign)
        with self._snapshot() as database:
            found_campaign = _campaign(database, self._seal, campaign)
            if found_campaign is None:
                return []
            number, nonce = found_campaign[:2]
            sent = (
                record
                for request in tables.requests(database, self._seal, number, after + 1, states=states)
                for record in request.records(nonce)
                if record.seq > after and record.state in states
            )
            waiting = (
                Record(row.seq, row.key, State.PENDING, row.message, row.number, place=row.place)
                for row in tables.waiting(database, self._seal, number, after + 1)
            )
            found = merge(sent, waiting if State.PENDING in states else (), key=lambda record: record.seq)
            return list(islice(found, limit))

    def progress(self, campaign: str) -> Mapping[State, int]:
        """Return the count of recipients in each state."""
        if not self.exists():
            return dict.fromkeys(State, 0)
        self._flush(campaign)
        with self._snapshot() as database:
            return tables.counts(database, _number(database, self._seal, campaign))

    def charged(self, campaign: str) -> Mapping[str, Decimal]:
        """Return what each vendor says that it charged for a campaign; see `Journal.charged`."""
        if not self.exists():
            return NOTHING
        with self._snapshot() as database:
            return tables.charges(database, self._seal, _number(database, self._seal, campaign))

    def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Keep delivery reports; see `Journal.deliver`."""
        with self._transaction() as database:
            return sqlite_deliveries.keep(database, self._seal, deliveries)

    def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """Return the delivery reports of a vendor for some numbers; see `Journal.deliveries`."""
        if not self.exists():
            return []
        with self.reading() as database:
            return sqlite_deliveries.find(database, self._seal, vendor, numbers)

    def disconnect(self) -> None:
        """Close the file if no campaign is open."""
        if not self._open:
            super().disconnect()

    def write(self, steps: Sequence[Step[Any]]) -> None:
        """Write changes into the file, in one transaction."""
        if any(step.sends for step in steps):
            self.check_place()
        self._write(*tables.together(statement for step in steps for statement in step.statements))

    def _flush(self, *campaigns: str) -> None:
        """Write loaded rows into the file, without waiting for the disk: the next claim brings them there."""
        for opened in [self._open[name] for name in campaigns if name in self._open]:
            if opened.waiting:
                self._write(*opened.flush(), synchronous="NORMAL")
                opened.flushed()

    def _lock(self, campaign: str) -> FileLock:
        try:
            lock = FileLock.take(self._lock_path(campaign))
        except OSError as error:
            problem = error.strerror
        else:
            if lock is None:
                owner = "this process" if campaign in self._open else "another process or sender"
                raise taken(campaign, owner)
            return lock
        raise JournalError(f"the journal {self._path.name} cannot be opened: {problem}")


def _run(database: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    for statement in statements:
        database.execute(*statement)


def _number(database: sqlite3.Connection, seal: Seal, campaign: str) -> int | None:
    found = _campaign(database, seal, campaign)
    return None if found is None else found[0]


def _campaign(database: sqlite3.Connection, seal: Seal, campaign: str) -> _Found | None:
    """Return the id, the nonce, whether it is complete, and the content of a campaign; None if there is none.

    All campaigns are looked at, and not the index of their names: a campaign that is not found would be sent anew.
    """
    found: _Found | None = None
    sql = f"SELECT {_KEPT}, sum, complete FROM campaign WHERE name IS NOT NULL"  # noqa: S608 - a constant
    for *columns, written, complete in database.execute(sql):
        check_sum(written, seal.of(*columns))
        if columns[1] == campaign:
            found = int(columns[0]), columns[3], bool(complete), read_content(columns[4])
    return found


def _begin(database: sqlite3.Connection, seal: Seal, campaign: str, content: CampaignFacts | None) -> _Found:
    """Begin a campaign; return what `_campaign` does."""
    [number] = database.execute("SELECT coalesce(max(id), 0) + 1 FROM campaign").fetchone()
    nonce = new_nonce()
    kept = (None, None) if content is None else (content.to_json(), content.print)
    columns = (number, campaign, datetime.now(UTC).isoformat(), nonce, *kept)
    database.execute(
        f"INSERT INTO campaign ({_KEPT}, complete, epoch, sum) VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?)",  # noqa: S608 - a constant
        (*columns, seal.of(*columns)),
    )
    return int(number), nonce, False, content
