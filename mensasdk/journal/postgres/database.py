"""Connect to the PostgreSQL database of a journal, and repeat what failed because the connection was lost."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import asyncpg

from mensasdk.errors import ConfigurationError, JournalError, MensaError
from mensasdk.journal.postgres import schema
from mensasdk.journal.postgres.connection import Connection
from mensasdk.journal.postgres.dsn import shown

__all__ = ["Database"]

logger = logging.getLogger("mensasdk")

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]

_CONNECT: Final = 5.0
_COMMAND: Final = 10.0
_FIRST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 2.0
# Classes of SQLSTATE, or whole codes, that pass by themselves: a connection that broke, a server that starts or stops,
# too many connections, a full disk, two transactions that wait for each other.
_PASSING: Final = ("08", "53", "57P", "57014", "40", "55P03", "58")
# The account, its password, the database or a right of the account is wrong.
_SET_UP: Final = ("28", "3D", "42501")


class Database:
    """Database of a journal, with a few connections that are open while somebody uses it.

    Args:
        dsn: the address, as ``postgresql://user@host:5432/database``.
        max_connections: connections at most.
        retry_for: seconds for which a call that may be repeated is, while the database cannot be reached.
    """

    def __init__(self, dsn: str, max_connections: int, retry_for: float) -> None:
        self.shown = shown(dsn)
        self._dsn = dsn
        self._retry_for = retry_for
        self._idle: list[Connection] = []
        self._permits = asyncio.Semaphore(max_connections)
        self._most = max_connections
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._was_reached = False
        self._has_schema = False

    # ------------------------------------------------------------------------------------------------- connections

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Keep connections open until the end of the block, for the calls within it."""
        self.hold()
        try:
            yield
        finally:
            await self.let_go()

    def hold(self) -> None:
        """Keep connections open until `let_go` is called."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections and semaphores belong to a loop
            self.forget()
            self._loop = loop
            self._permits = asyncio.Semaphore(self._most)
        self._users += 1

    async def let_go(self) -> None:
        """Close all connections, if nobody else uses them."""
        self._users -= 1
        if self._users > 0:
            return
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await connection.close(timeout=_CONNECT)
            except Exception:  # noqa: BLE001 - it is not used any more, in whichever way it ends
                connection.terminate()

    def forget(self) -> None:
        """Take over no connection of another loop, or of a parent process, which goes on using it."""
        _ABANDONED.extend(self._idle)
        self._idle = []
        self._users = 0
        self._loop = None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._permits:
            connection = await self._connect()
            try:
                yield connection
            except BaseException:
                # What it was doing may go on at the server, so nobody else can use this connection.
                connection.terminate()
                raise
            self._idle.append(connection)

    async def _connect(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        connection = await asyncpg.connect(self._dsn, timeout=_CONNECT, command_timeout=_COMMAND)
        try:
            if await connection.fetchval("SELECT current_setting('synchronous_commit')") == "off":
                raise ConfigurationError(
                    "the journal's database may lose what it has confirmed, since synchronous_commit is off",
                    remedy="set it to on for this database or this user",
                )
        except BaseException:
            connection.terminate()
            raise
        self._was_reached = True
        return connection

    # ------------------------------------------------------------------------------------------------------- calls

    async def read(self, work: Work[T], empty: T) -> T:
        """Call a function that only reads, as `do` does; return ``empty`` if the database has no journal."""

        async def reading(connection: Connection) -> T:
            return await work(connection) if self._has_schema else empty

        return await self.do(reading, create=False)

    async def do(self, work: Work[T], *, create: bool = True, repeat: bool = True, most: float | None = None) -> T:
        """Call a function with a connection, and again while the connection is lost.

        Args:
            work: makes one change, or reads; what it does twice must be the same as what it does once.
            create: make the tables if they are missing.
            repeat: call it again after a loss. If False, a loss is an error.
            most: seconds for which it is repeated; those of the database by default.

        Raises:
            JournalError: the database cannot be reached, or failed.
            ConfigurationError: the database refuses this user, or its tables are of a newer version.
        """
        end = time.monotonic() + (self._retry_for if most is None else most)
        wait = _FIRST_WAIT
        async with self.used():
            while True:
                failed = await self._try(work, create)
                if not isinstance(failed, _Failed):
                    return failed
                error = failed.error
                left = end - time.monotonic()
                # A database that was never reached is more likely mistyped than down: that is told at once.
                if not repeat or not error.retryable or left <= 0 or not self._was_reached:
                    # Raised here, and not where it was caught: what asyncpg said may hold the address or a number.
                    raise error
                logger.debug("the journal's database is tried again: %s", error)
                await asyncio.sleep(min(left, wait * random.uniform(0.7, 1.3)))
                wait = min(2 * wait, _LONGEST_WAIT)

    async def _try(self, work: Work[T], create: bool) -> T | _Failed:
        try:
            async with self._connection() as connection:
                if not self._has_schema:
                    self._has_schema = await schema.prepare(connection, create=create)
                return await work(connection)
        except MensaError:
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            self._was_reached |= isinstance(error, asyncpg.PostgresError)
            return _Failed(_error_of(error))
        except TimeoutError:
            return _Failed(JournalError("the journal's database does not answer", retryable=True))
        except (OSError, EOFError) as error:
            return _Failed(_error_of_system(error))
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            # What asyncpg cannot write, or what was read and is not what a journal writes.
            return _Failed(JournalError(f"a value cannot be written to the journal or read ({type(error).__name__})"))


class _Failed:
    """An attempt that failed, so that its error can be raised where no other exception is being handled."""

    def __init__(self, error: MensaError) -> None:
        self.error = error


_ABANDONED: list[Connection] = []  # to end a connection of a parent process here would end it there


def _error_of(error: Exception) -> MensaError:
    # The text of the server's error may have a number or a text of a message in it, so it is not repeated.
    name = type(error).__name__
    if isinstance(error, asyncpg.ClientConfigurationError):
        return ConfigurationError(
            "cannot be read",
            subject="the DSN",
            field="dsn",
            remedy="write it as postgresql://user@host:5432/database, and check its options and the PG... variables",
        )
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(_SET_UP):
        return ConfigurationError(
            f"the journal's database refuses this user ({name})",
            remedy="check user, password, database name and rights",
        )
    if state == "25006":
        return ConfigurationError(
            "the journal's database is read-only; it may be a standby", remedy="give the address of the primary server"
        )
    # Without a code it is asyncpg itself that speaks: of a lost connection, or of a value that it cannot write.
    passing = state.startswith(_PASSING) if state else not isinstance(error, ValueError)
    where = f"{name}, {state}" if state else name
    return JournalError(f"the journal's database failed ({where})", retryable=passing)


def _error_of_system(error: OSError | EOFError) -> JournalError:
    name = error.strerror if isinstance(error, OSError) and (error.errno or 0) > 0 else None
    passing = not isinstance(error, ValueError)  # a certificate that is not trusted is both
    return JournalError(f"the journal's database cannot be reached ({name or type(error).__name__})", retryable=passing)
