"""The journal in a SQLite file: plain blocking calls, for the one thread that makes them all.

A change is one transaction: it is in the file as a whole, or not at all. Two things keep it cheap. Which keys a
campaign has, its owner holds in memory while it is open: an index of them on the disk would be written all over for
each request, and cost more than all the rest. And what is loaded goes into the file with the claim, which mostly
follows at once, or when somebody looks, or when much has come together.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from attrs import define, field

from mensasdk.batch import sqlite_deliveries
from mensasdk.batch import sqlite_tables as tables
from mensasdk.batch.file_lock import FileLock
from mensasdk.batch.journal import CampaignInfo, JournalError, Record, Row, State, fingerprint, missing, taken
from mensasdk.batch.keyset import KeySet
from mensasdk.batch.sqlite_tables import Statement, Waiting, Way
from mensasdk.batch.stored import decode_message
from mensasdk.messages import Delivery, Outcome, OutcomeKind

__all__ = ["Store"]

_APPLICATION = 0x4D534A31  # "MSJ1"
_VERSION = 2
_PASSING = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_MOST_WAITING = 5_000
_PURGED_AT_ONCE = 5_000


@define(eq=False)
class _Open:
    """A campaign that is open here.

    Attributes:
        number: its id in the tables.
        lock: what keeps others off it.
        seen: the keys of all its rows.
        pending: hash of the key to ``seq``, of the rows that are pending.
        waiting: those of them that are not in the file yet, by ``seq``.
    """

    number: int
    lock: FileLock
    seen: KeySet = field(factory=KeySet)
    pending: dict[int, int] = field(factory=dict)
    waiting: dict[int, Waiting] = field(factory=dict)


class Store:
    """The file. It is open while a campaign is, and for the time of a call otherwise.

    Args:
        path: the file, absolute.
        busy_timeout: seconds to wait while another process writes.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._connection: sqlite3.Connection | None = None
        self._synchronous = ""
        self._open: dict[str, _Open] = {}

    def is_open(self, campaign: str) -> bool:
        return campaign in self._open

    # ------------------------------------------------------------------------------------------------- campaigns

    def open(self, campaign: str, *, create: bool) -> int:
        """See `Journal.open`."""
        lock = self._lock(campaign)
        try:
            with self._transaction() as database:
                number = _number(database, campaign)
                if number is None:
                    if not create:
                        raise missing(campaign)
                    number = database.execute(
                        "INSERT INTO campaign (name, created, complete) VALUES (?, ?, 0)",
                        (campaign, datetime.now(UTC).isoformat()),
                    ).lastrowid
                    assert number is not None
                elif create:
                    database.execute("UPDATE campaign SET complete = 0 WHERE id = ?", (number,))
                database.execute(
                    "UPDATE recipient SET state = 'unknown' WHERE campaign = ? AND state = 'in_flight'", (number,)
                )
                last = -1
                opened = _Open(number, lock)
                rows = database.execute("SELECT seq, key, state FROM recipient WHERE campaign = ?", (number,))
                for seq, key, state in rows:
                    last = max(last, seq)
                    opened.seen.add(fingerprint(key))
                    if state == State.PENDING:
                        opened.pending[hash(key)] = seq
        except BaseException:
            lock.release()
            raise
        self._open[campaign] = opened
        return last + 1

    def close(self, campaign: str, *, complete: bool, owed: Sequence[tuple[int, Outcome]]) -> None:
        """See `Journal.close`; settles what is owed first. The campaign is let go also when that fails."""
        if campaign not in self._open:
            return
        opened = self._open[campaign]
        try:
            if complete or owed or opened.waiting:
                self._write(
                    *tables.inserts(opened.number, opened.waiting.values(), State.PENDING),
                    *tables.settlements(opened.number, owed),
                    ("UPDATE campaign SET complete = max(complete, ?) WHERE id = ?", (complete, opened.number)),
                )
        finally:
            del self._open[campaign]
            opened.lock.release()

    def campaigns(self) -> Sequence[CampaignInfo]:
        """What the file holds, in the order in which it was begun."""
        self._flush(*self._open)
        with self._reading() as database:
            rows = database.execute(
                "SELECT id, name, created, complete FROM campaign WHERE name IS NOT NULL ORDER BY id"
            ).fetchall()
            return [
                CampaignInfo(name, datetime.fromisoformat(created), bool(complete), _counts(database, number))
                for number, name, created, complete in rows
            ]

    def purge(self, campaign: str) -> None:
        """Remove a campaign and overwrite what was there.

        Its name goes first: a campaign that was half removed must not be taken up again, since it would no longer know
        whom it has written to. The rows follow in portions, so that other campaigns are not kept waiting.
        """
        lock = self._lock(campaign)
        try:
            with self._transaction() as database:
                gone = database.execute("UPDATE campaign SET name = NULL, purged = name WHERE name = ?", (campaign,))
                if gone.rowcount == 0:
                    raise missing(campaign)
            with self._reading() as database:
                database.execute("PRAGMA secure_delete = ON")
            while self._delete_some():
                pass
            with self._reading() as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            lock.release()

    def _delete_some(self) -> bool:
        """Delete rows of purged campaigns, also of those whose purge was cut short; False when there are none."""
        with self._transaction() as database:
            gone = database.execute("SELECT id, purged FROM campaign WHERE name IS NULL LIMIT 1").fetchone()
            if gone is None:
                return False
            number, name = gone
            sqlite_deliveries.forget(database, number, name, _PURGED_AT_ONCE)
            deleted = database.execute(
                "DELETE FROM recipient WHERE campaign = ? AND seq IN "
                "(SELECT seq FROM recipient WHERE campaign = ? ORDER BY seq LIMIT ?)",
                (number, number, _PURGED_AT_ONCE),
            )
            if deleted.rowcount == 0:
                database.execute("DELETE FROM campaign WHERE id = ?", (number,))
            return True

    # ---------------------------------------------------------------------------------------------------- rows

    def load(self, campaign: str, rows: Sequence[Row]) -> int:
        """See `Journal.load`."""
        opened = self._open[campaign]
        pending, waiting, seen = opened.pending, opened.waiting, opened.seen
        moved: dict[int, tuple[int, Row]] = {}
        fresh: dict[int, Waiting] = {}
        for row in rows:
            mark = hash(row.key)
            seq = pending.get(mark)
            if seq is None:
                if fingerprint(row.key) not in seen:
                    fresh[mark] = tables.waiting(row)
            elif seq in waiting:
                fresh[mark] = tables.waiting(row)
            else:
                moved[mark] = (seq, row)
        self._write(*(tables.move(opened.number, *places) for places in moved.values()), synchronous="NORMAL")
        pending.update({mark: row.seq for mark, (_, row) in moved.items()})
        for mark in fresh:
            waiting.pop(pending.get(mark, -1), None)
        waiting.update({one[0].seq: one for one in fresh.values()})
        pending.update({mark: row.seq for mark, (row, _) in fresh.items()})
        seen.update(fingerprint(row.key) for row, _ in fresh.values())
        if len(waiting) > _MOST_WAITING:
            self._flush(campaign)
        return len(moved) + len(fresh)

    def claim(self, campaign: str, lo: int, hi: int, vendor: str | None, group: str | None) -> Sequence[Row]:
        """See `Journal.claim`."""
        opened = self._open[campaign]
        way = Way(lo, vendor, group, time.time())
        waiting = [opened.waiting[seq] for seq in _between(opened.waiting, lo, hi)]
        rows = [row for row, _ in waiting]
        statements = tables.inserts(opened.number, waiting, State.IN_FLIGHT, way)
        if len(opened.pending) > len(opened.waiting):
            # Nobody else can change them between this look and the change: the campaign is ours.
            look, change = tables.claim(opened.number, lo, hi, way)
            with self._reading() as database:
                stored = database.execute(*look).fetchall()
            if stored:
                rows += [Row(seq, key, decode_message(text), to) for seq, key, text, to in stored]
                rows.sort(key=lambda row: row.seq)
                statements.insert(0, change)
        self._write(*statements)
        for row in rows:
            opened.waiting.pop(row.seq, None)
            del opened.pending[hash(row.key)]
        return rows

    def reroute(self, campaign: str, seqs: Sequence[int], vendor: str) -> None:
        """See `Journal.reroute`."""
        self._write(*tables.reroutes(self._open[campaign].number, seqs, vendor))

    def release(self, campaign: str, rows: Sequence[Row]) -> None:
        """Undo a claim whose rows nobody got to see."""
        unsent = [(row.seq, Outcome(OutcomeKind.NOT_SENT, row.message, "")) for row in rows]
        self.settle(campaign, unsent)

    def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """See `Journal.settle`."""
        self._write(*tables.settlements(self._open[campaign].number, outcomes))
        self._wait_again(campaign, outcomes)

    def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """See `Journal.resolve`."""
        self._write(*tables.findings(self._open[campaign].number, outcomes))
        self._wait_again(campaign, outcomes)

    def _wait_again(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Note which of the rows that were not sent are pending now."""
        opened = self._open[campaign]
        again = [seq for seq, outcome in outcomes if outcome.kind is OutcomeKind.NOT_SENT]
        for statement in tables.pending(opened.number, again):
            with self._reading() as database:
                found = database.execute(*statement).fetchall()
            opened.pending.update({hash(key): seq for key, seq in found})

    def sweep(self, campaign: str, older_than: float) -> int:
        """See `Journal.sweep`."""
        with self._transaction() as database:
            return database.execute(*tables.sweep(self._open[campaign].number, time.time() - older_than)).rowcount

    def read(self, campaign: str, after: int, limit: int, states: Collection[State]) -> Sequence[Record]:
        """See `Journal.read`."""
        self._flush(campaign)
        with self._reading() as database:
            number = _number(database, campaign)
            rows = database.execute(*tables.read(number, after, limit, states)).fetchall()
        return [tables.record(campaign, *row) for row in rows]

    def progress(self, campaign: str) -> Mapping[State, int]:
        """See `Journal.progress`."""
        self._flush(campaign)
        with self._reading() as database:
            return _counts(database, _number(database, campaign))

    def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """See `Journal.deliver`."""
        with self._transaction() as database:
            return sqlite_deliveries.keep(database, deliveries)

    def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """See `Journal.deliveries`."""
        with self._reading() as database:
            return sqlite_deliveries.find(database, vendor, numbers)

    # ---------------------------------------------------------------------------------------------------- changes

    def _write(self, *statements: Statement, synchronous: str = "FULL") -> None:
        """Make a change of any number of statements, as a whole.

        A single one is a transaction by itself. That matters: the thread gives the interpreter away in each call to
        SQLite, and may have to wait for it for as long as Python lets another thread run.
        """
        if len(statements) == 1:
            with self._reading() as database:
                self._set_synchronous(database, synchronous)
                self._commit(database, *statements[0])
        elif statements:
            with self._transaction(synchronous) as database:
                for statement in statements:
                    database.execute(*statement)

    @contextmanager
    def _transaction(self, synchronous: str = "FULL") -> Iterator[sqlite3.Connection]:
        with self._reading() as database:
            self._set_synchronous(database, synchronous)
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                self._commit(database, "COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    database.rollback()
                raise

    def _set_synchronous(self, database: sqlite3.Connection, synchronous: str) -> None:
        # With NORMAL a power cut may lose what was committed last: a claim that is lost is a second SMS.
        if synchronous != self._synchronous:
            database.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous

    def _commit(self, database: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> None:
        """Run the statement that puts a change into the file."""
        database.execute(sql, values)

    def _flush(self, *campaigns: str) -> None:
        """Put what waits into the file. The disk need not have it yet: the next claim puts it there, with itself."""
        for opened in [self._open[name] for name in campaigns if name in self._open]:
            self._write(*tables.inserts(opened.number, opened.waiting.values(), State.PENDING), synchronous="NORMAL")
            opened.waiting.clear()

    # ------------------------------------------------------------------------------------------------------- file

    def disconnect(self) -> None:
        """Close the file if no campaign needs it."""
        if self._connection is not None and not self._open:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def _lock(self, campaign: str) -> FileLock:
        # A name of its own for each campaign; two journals in one folder do not get in each other's way.
        mark = blake2b(campaign.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        try:
            lock = FileLock.take(self._path.with_name(f"{self._path.name}-{mark}.lock"))
        except OSError as error:
            problem = error.strerror
        else:
            if lock is None:
                owner = "this process" if campaign in self._open else "another process or sender"
                raise taken(campaign, owner)
            return lock
        raise JournalError(f"the journal {self._path.name} cannot be opened: {problem}")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection; errors of SQLite become ours."""
        try:
            yield self._connect()
            return
        except sqlite3.Error as error:
            problem, code = str(error), getattr(error, "sqlite_errorcode", 0)
        except OSError as error:
            problem, code = error.strerror or type(error).__name__, 0
        raise JournalError(
            f"the journal {self._path.name} cannot be used: {problem}", retryable=code & 0xFF in _PASSING
        )

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            # The file exists with its mode before SQLite sees it, and SQLite makes its companions with the same mode.
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.name == "posix" and os.fstat(descriptor).st_mode & 0o077:
                    os.fchmod(descriptor, 0o600)
            finally:
                os.close(descriptor)
            connection = sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._synchronous = ""
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._write_ahead(connection)
        connection.execute("PRAGMA fullfsync = ON")  # macOS: to the disk, and not to its cache
        if _head(connection) == (_APPLICATION, _VERSION):
            return
        connection.execute("BEGIN IMMEDIATE")  # another process may be making the tables at this moment
        [count] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if count == 0:
            tables.create(connection, _APPLICATION, _VERSION)
        elif _head(connection)[0] != _APPLICATION:
            raise JournalError(f"{self._path.name} is a database, and no journal of mensasdk")
        elif _head(connection)[1] != _VERSION:
            raise JournalError(f"{self._path.name} was written by another version of mensasdk; use that one")
        connection.execute("COMMIT")

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        until = time.monotonic() + self._busy_timeout
        while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                # SQLite does not wait here by itself, when two processes make a new file at the same moment.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)


def _head(connection: sqlite3.Connection) -> tuple[int, int]:
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def _number(database: sqlite3.Connection, campaign: str) -> int | None:
    found = database.execute("SELECT id FROM campaign WHERE name = ?", (campaign,)).fetchone()
    return None if found is None else int(found[0])


def _counts(database: sqlite3.Connection, number: int | None) -> Mapping[State, int]:
    found = dict(database.execute("SELECT state, count(*) FROM recipient WHERE campaign = ? GROUP BY state", (number,)))
    return {state: found.get(state.value, 0) for state in State}


def _between(seqs: Collection[int], lo: int, hi: int) -> list[int]:
    """Those of ``seqs`` that lie in the range, in order, by the shorter way."""
    if hi - lo < len(seqs):
        return [seq for seq in range(lo, hi) if seq in seqs]
    return sorted(seq for seq in seqs if lo <= seq < hi)
