"""The file of a journal in SQLite: how it is made, opened, read and changed."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mensasdk.errors import JournalError
from mensasdk.journal.sqlite import tables
from mensasdk.journal.sqlite.tables import Statement

__all__ = ["JournalFile"]

_APPLICATION = 0x4D534A31  # "MSJ1"
_VERSION = 4
_PASSING = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)


class JournalFile:
    """The file, which is opened when it is needed.

    Args:
        path: the file, absolute.
        busy_timeout: seconds to wait while another process writes.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._connection: sqlite3.Connection | None = None
        self._synchronous = ""

    def disconnect(self) -> None:
        """Close the file, if it is open."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def _write(self, *statements: Statement, synchronous: str = "FULL") -> None:
        """Make a change of any number of statements, as a whole.

        A single one is a transaction by itself. That matters: the thread gives the interpreter away in each call to
        SQLite, and may have to wait for it for as long as Python lets another thread run.
        """
        if len(statements) == 1:
            with self.reading() as database:
                self._set_synchronous(database, synchronous)
                self._commit(database, *statements[0])
        elif statements:
            with self._transaction(synchronous) as database:
                for statement in statements:
                    database.execute(*statement)

    @contextmanager
    def _transaction(self, synchronous: str = "FULL") -> Iterator[sqlite3.Connection]:
        with self.reading() as database:
            self._set_synchronous(database, synchronous)
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                self._commit(database, "COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    database.rollback()
                raise

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection, on which all that is read is of one moment."""
        with self.reading() as database:
            database.execute("BEGIN")
            try:
                yield database
            finally:
                database.rollback()

    def _set_synchronous(self, database: sqlite3.Connection, synchronous: str) -> None:
        # With NORMAL a power cut may lose what was committed last: a claim that is lost is a second SMS.
        if synchronous != self._synchronous:
            database.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous

    def _commit(self, database: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> None:
        """Run the statement that puts a change into the file."""
        database.execute(sql, values)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
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
        # What is deleted is overwritten: pages that were left with numbers on them could not be found by a purge.
        connection.execute("PRAGMA secure_delete = ON")
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
