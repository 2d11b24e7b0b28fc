"""Create, open, read and change the SQLite file of a journal."""

from __future__ import annotations

import ctypes
import os
import re
import sqlite3
import stat
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Final

from mensasdk.errors import JournalError, MensaError
from mensasdk.journal.sqlite.lock import FileLock
from mensasdk.journal.sqlite.schema import APPLICATION, MARK, OLDEST, VERSION, Seal, create, migrate
from mensasdk.journal.sqlite.tables import Statement
from mensasdk.journal.sqlite.wal import lost_frames, read_index

__all__ = ["JournalFile"]

_PASSING: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_AGAIN: Final = 0.01  # seconds between two looks at what another process is about to change


class _Used:
    """Files that connections of this process have open."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.files: Counter[tuple[int, int]] = Counter()

    def leave(self, identity: tuple[int, int]) -> None:
        """Note that a connection was closed."""
        with self.lock:
            self.files[identity] -= 1
            self.files += Counter()  # which drops those without a connection


_USED: Final = _Used()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_USED.__init__)  # type: ignore[misc]


class JournalFile:
    """SQLite file of a journal, opened when it is needed.

    The file is found by its true path, so that all its names lead to one journal. It is looked at before SQLite opens
    it, through a connection that takes no lock and makes no file beside it: what is not ours stays as it is.

    While rows are being written that are not in the file itself yet but in its WAL, a mark stands in the file. A copy
    without the WAL is known by it.

    Args:
        path: the file, absolute.
        busy_timeout: seconds to wait while another process writes.

    Attributes:
        deadline: by the monotonic clock, when to wait no longer for other processes; None to wait each time anew.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.deadline: float | None = None
        self._path = path
        self._busy_timeout = busy_timeout
        self._connection: sqlite3.Connection | None = None
        self._seal = Seal(b"")
        self._real = path
        self._identity = (0, 0)
        self._synchronous = ""
        self._patience = -1

    def disconnect(self) -> None:
        """Close the file, if it is open."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                self._unmark(connection)
            except (sqlite3.Error, OSError):
                # The mark stays. Were this the last connection, or the last but one of somebody who does not know the
                # mark, SQLite would delete the WAL, and the file would pass for one that has lost it.
                _leave_open(connection)
                return
            with suppress(sqlite3.Error):
                connection.close()
            _USED.leave(self._identity)

    def forget(self) -> None:
        """Give up the connection of the parent process, in a forked child, without closing it: it is the parent's."""
        if self._connection is not None:
            # To close it would change memory that it shares with the parent.
            _leave_open(self._connection)
            self._connection = None

    def exists(self) -> bool:
        """Return whether there is a journal.

        Raises:
            JournalError: there was one, and its file was removed while it was in use.
        """
        if self._connection is not None or os.path.lexists(os.path.realpath(self._path)):
            return True
        self._check_remains(Path(os.path.realpath(self._path)))
        return False

    def check_place(self) -> None:
        """Check that the path still leads to the file that is open.

        Raises:
            JournalError: the file was removed, renamed or replaced.
        """
        if not self._is_in_place():
            raise JournalError(
                f"the journal {self._path.name} was removed, renamed or replaced while it was in use; nothing more is "
                "sent. Put the file back before the campaign is resumed"
            )

    def _is_in_place(self) -> bool:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - takes half of the time, with each claim
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    # -------------------------------------------------------------------------------------------------- transactions

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
    def _transaction(self, synchronous: str = "FULL", *, marked: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the connection in a transaction.

        Args:
            synchronous: how SQLite waits for the disk.
            marked: put the mark into the file first.
        """
        with self.reading() as database:
            self._set_synchronous(database, synchronous)
            database.execute("BEGIN IMMEDIATE")
            while marked and not _version(database) & MARK:
                database.execute(f"PRAGMA user_version = {_version(database) | MARK}")
                self._commit(database, "COMMIT")
                self._checkpoint(database)
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

    def _set_patience(self, database: sqlite3.Connection) -> None:
        seconds = self._busy_timeout
        if self.deadline is not None:
            seconds = min(seconds, max(0.0, self.deadline - time.monotonic()))
        if (patience := int(seconds * 1000)) != self._patience:
            database.execute(f"PRAGMA busy_timeout = {patience}")
            self._patience = patience

    def _commit(self, database: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> None:
        """Run the statement that commits a change."""
        database.execute(sql, values)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, and turn whatever goes wrong with it or with what it reads into `JournalError`."""
        code = 0
        try:
            database = self._connect()
            self._set_patience(database)
            yield database
            return
        except MensaError:
            raise
        except sqlite3.IntegrityError:
            problem = "the campaign was taken over by another process or sender; this one sends nothing more"
        except sqlite3.Error as error:
            problem, code = str(error), getattr(error, "sqlite_errorcode", 0)
        except OSError as error:
            problem = error.strerror or type(error).__name__
        except Exception as error:  # noqa: BLE001 - what cannot be decoded raises whatever it likes
            problem = f"it holds what cannot be read ({type(error).__name__}); the file is damaged"
        raise JournalError(
            f"the journal {self._path.name} cannot be used: {problem}", retryable=code & 0xFF in _PASSING
        )

    # ------------------------------------------------------------------------------------------------------- opening

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            real = Path(os.path.realpath(self._path))
            if not os.path.lexists(real):
                self._create(real)
            self._connection = self._open_file(real)
        return self._connection

    def _open_file(self, real: Path) -> sqlite3.Connection:
        before = self._look(real)
        if os.name == "posix" and before.st_mode & 0o077:
            real.chmod(0o600)
        identity = (before.st_dev, before.st_ino)
        # Only the first connection of this process may look: to close the index's file ends the locks of the others.
        with _USED.lock:
            if identity not in _USED.files:
                self._check_wal(real)
            connection = sqlite3.connect(f"{real.as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
            _USED.files[identity] += 1
        try:
            found = real.stat()
            if (found.st_dev, found.st_ino) != identity:
                raise JournalError(f"the journal {self._path.name} was replaced as it was opened; try again")
            self._real, self._identity = real, identity
            self._synchronous, self._patience = "", -1
            self._set_patience(connection)
            self._prepare(connection)
        except BaseException:
            connection.close()
            _USED.leave(identity)
            raise
        return connection

    def _check_wal(self, real: Path) -> None:
        """Check that SQLite can read all of the WAL that was written, while the file needs it."""
        wal = real.with_name(f"{real.name}-wal")
        index = read_index(real.with_name(f"{real.name}-shm"))
        if not self._head(real)[1] & MARK:
            return
        with suppress(FileNotFoundError):
            if lost_frames(wal, index) and self._head(real)[1] & MARK:
                raise JournalError(
                    f"the journal {self._path.name}: its file {wal.name} is damaged, and with it the last messages "
                    "sent; nothing may be sent from it"
                )

    def _look(self, real: Path) -> os.stat_result:
        """Return what the system says of the file, or raise `JournalError` if it is not a journal that can be used."""
        name = self._path.name
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "a device, a pipe or a socket"
            raise JournalError(f"{name} is {what}, and no journal; give another file")
        if found.st_nlink > 1:
            raise JournalError(
                f"{name} has several names (hard links), so that it could be opened twice at once; remove the others"
            )
        if not found.st_size:
            raise JournalError(f"{name} is empty, and no journal; give another file, or delete it")
        application, version = self._head(real)
        if application != APPLICATION:
            raise JournalError(f"{name} is a SQLite database, but no journal of mensasdk; give another file")
        if not OLDEST <= version & ~MARK <= VERSION:
            raise JournalError(f"{name} was written by another version of mensasdk; use that version")
        if version & MARK:
            self._check_whole(real)
        return found

    def _head(self, real: Path) -> tuple[int, int]:
        """Read the application and the version, with the mark, from the file itself and not from its WAL.

        It is read through SQLite: to open and close the file otherwise would end the locks that this process has on it.
        """
        with closing(
            sqlite3.connect(f"{real.as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
        ) as database:
            [application] = database.execute("PRAGMA application_id").fetchone()
            return application, _version(database)

    def _check_whole(self, real: Path) -> None:
        """Check that the WAL is there that the mark speaks of."""
        for _ in range(20):
            # Whoever closes the file takes the mark away before the WAL.
            with suppress(FileNotFoundError):
                if real.with_name(f"{real.name}-wal").stat().st_size:
                    return
            if not self._head(real)[1] & MARK:
                return
            time.sleep(_AGAIN)
        raise JournalError(
            f"the journal {self._path.name} is not whole: it was copied or moved without its file "
            f"{self._path.name}-wal, which holds the last messages sent; put that file back beside it"
        )

    def _create(self, real: Path) -> None:
        """Create the file, which comes to its name as a whole."""
        until = time.monotonic() + self._busy_timeout
        while (lock := FileLock.take(real.with_name(f"{real.name}-new.lock"))) is None:
            if time.monotonic() > until:
                raise JournalError(f"the journal {self._path.name} is being created by another process", retryable=True)
        draft = real.with_name(f"{real.name}-new")
        try:
            if os.path.lexists(real):
                return
            self._check_remains(real)
            for left in ("", "-journal", "-wal", "-shm"):  # of a process that died here
                draft.with_name(draft.name + left).unlink(missing_ok=True)
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(draft, isolation_level=None)) as database:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("BEGIN IMMEDIATE")
                create(database)
                database.execute("COMMIT")
                database.execute("PRAGMA journal_mode = WAL").fetchone()
            draft.rename(real)
            _sync(real.parent)
        finally:
            draft.unlink(missing_ok=True)
            lock.release()

    def _check_remains(self, real: Path) -> None:
        """Check that no journal was removed while it was in use: what stood beside it would still be there."""
        remains = re.compile(re.escape(real.name) + r"-(wal|[0-9a-f]{16}\.lock)")
        with suppress(FileNotFoundError, NotADirectoryError):
            for one in sorted(os.listdir(real.parent)):  # noqa: PTH208 - names only
                if remains.fullmatch(one):
                    raise JournalError(
                        f"the journal {self._path.name} was removed or renamed while it was in use: {one} is still "
                        "there. Put the file back; only if nobody it holds may be written to again, delete what is left"
                    )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._write_ahead(connection)
        connection.execute("PRAGMA fullfsync = ON")  # macOS: write to the disk, and not only to its cache
        # Overwrite deleted rows: a purge could not find pages that still hold their numbers.
        connection.execute("PRAGMA secure_delete = ON")
        if _version(connection) & ~MARK != VERSION:
            connection.execute("BEGIN IMMEDIATE")  # another process may be doing the same now
            if not migrate(connection, _version(connection) & ~MARK):
                raise JournalError(f"{self._path.name} was written by another version of mensasdk; use that version")
            connection.execute("COMMIT")
        [store] = connection.execute("SELECT store FROM meta").fetchone()
        self._seal = Seal(store)
        connection.create_function("seal", -1, self._seal.of, deterministic=True)

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        until = time.monotonic() + self._busy_timeout
        while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself when two processes do this at the same moment.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN)

    # ------------------------------------------------------------------------------------------------------ the mark

    def _checkpoint(self, database: sqlite3.Connection) -> None:
        """Bring all of the WAL into the file."""
        until = time.monotonic() + self._busy_timeout
        while database.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0]:
            if time.monotonic() > until:
                raise JournalError(f"the journal {self._path.name}: it is busy", retryable=True)
            time.sleep(_AGAIN)

    def _unmark(self, database: sqlite3.Connection) -> None:
        """Take the mark away, unless a campaign is open somewhere, whose owner will do it.

        SQLite deletes the WAL when the last connection is closed, whoever has made it.
        """
        if not _version(database) & MARK or self._is_used(database):
            return
        self._set_patience(database)
        database.execute("BEGIN IMMEDIATE")
        try:
            if self._is_used(database):
                return
            database.execute(f"PRAGMA user_version = {_version(database) & ~MARK}")
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.rollback()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _is_used(self, database: sqlite3.Connection) -> bool:
        """Return whether a campaign has a living owner."""
        names = database.execute("SELECT name FROM campaign WHERE owner IS NOT NULL AND name IS NOT NULL")
        return any(FileLock.is_held(self._lock_path(name)) for (name,) in names.fetchall())

    def _lock_path(self, campaign: str) -> Path:
        # Named after the journal and the campaign, so that two journals in one folder do not share a lock.
        mark = blake2b(campaign.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return self._real.with_name(f"{self._real.name}-{mark}.lock")


def _leave_open(connection: sqlite3.Connection) -> None:
    """Keep a connection from being freed, and so closed, for as long as the process lives."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _version(database: sqlite3.Connection) -> int:
    [version] = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
