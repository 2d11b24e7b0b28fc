"""Create, open, read and change the SQLite file of a journal."""

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
    """SQLite file of a journal, opened when it is needed.

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
        """Run statements as one transaction.

        A single statement needs no BEGIN and COMMIT. That saves time: each call to SQLite releases the interpreter, and
        the thread may have to wait for it as long as Python lets another thread run.
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
        """Yield the connection, on which all reads see the file at one moment."""
        with self.reading() as database:
            database.execute("BEGIN")
            try:
                yield database
            finally:
                database.rollback()

    def _set_synchronous(self, database: sqlite3.Connection, synchronous: str) -> None:
        # With NORMAL a power cut may lose the last commits, and a lost claim may mean a second SMS.
        if synchronous != self._synchronous:
            database.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous

    def _commit(self, database: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> None:
        """Run the statement that commits a change."""
        database.execute(sql, values)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, and turn errors of SQLite into `JournalError`."""
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
            # Create the file with its mode before SQLite does; SQLite gives the files beside it the same mode.
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
        connection.execute("PRAGMA fullfsync = ON")  # macOS: write to the disk, and not only to its cache
        # Overwrite deleted rows: a purge could not find pages that still hold their numbers.
        connection.execute("PRAGMA secure_delete = ON")
        if _head(connection) == (_APPLICATION, _VERSION):
            return
        connection.execute("BEGIN IMMEDIATE")  # another process may be creating the tables now
        [count] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if count == 0:
            tables.create(connection, _APPLICATION, _VERSION)
        elif _head(connection)[0] != _APPLICATION:
            raise JournalError(f"{self._path.name} is a SQLite database, but no journal of mensasdk; give another file")
        elif _head(connection)[1] != _VERSION:
            raise JournalError(f"{self._path.name} was written by another version of mensasdk; use that version")
        connection.execute("COMMIT")

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        until = time.monotonic() + self._busy_timeout
        while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself when two processes create the file at the same moment.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)


def _head(connection: sqlite3.Connection) -> tuple[int, int]:
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return application, version
