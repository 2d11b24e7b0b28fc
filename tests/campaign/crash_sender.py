"""A sender that can be killed at any step. It is started by the crash tests as a process of its own.

It imports everything once and then forks a process for each job, a line of JSON on its standard input; a killed process
leaves nothing behind but what it wrote to the disk and to the network, whether it was forked or not. For each job it
answers with a line: how the process ended, and what it said.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

from mensasdk import AiohttpTransport, BatchSender, ConfigurationError, JournalError, MensatekClient, Message, Timeouts
from mensasdk.journal import Journal, PostgresJournal, SqliteJournal
from mensasdk.journal.postgres.database import Database
from mensasdk.journal.sqlite import journal as sqlite_journal
from mensasdk.journal.sqlite.store import Store
from mensasdk.transport import HttpRequest, HttpResponse

LEASE = 0.3  # seconds
steps = 0
die_at = 0


def step() -> None:
    """Pass one of the points at which the process may die."""
    global steps
    steps += 1
    if steps == die_at:
        os.kill(os.getpid(), signal.SIGKILL)


def commit(_store: Store, database: sqlite3.Connection, *statement: Any) -> None:
    step()
    database.execute(*statement)
    step()


async def tried(database: Database, work: Any, create: bool) -> Any:
    """Run a call to PostgreSQL with a step before it, while the server has it, and after its answer."""
    step()
    task = asyncio.ensure_future(TRY(database, work, create))
    await asyncio.wait({task}, timeout=0.0005)
    step()
    result = await task
    step()
    return result


TRY = Database._try


def opened(path: str) -> tuple[Journal, str]:
    """Return the journal in a file, or in a database whose address ends in a campaign's name, and the campaign."""
    dsn, is_dsn, campaign = path.partition("#")
    return (PostgresJournal(dsn, lease=LEASE), campaign) if is_dsn else (SqliteJournal(path), "c")


class Stepping:
    """A transport with a step before a request, while it is under way, and after its answer."""

    def __init__(self) -> None:
        self.inner = AiohttpTransport()

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse:
        step()
        task = asyncio.ensure_future(self.inner.send(request, timeouts=timeouts))
        await asyncio.wait({task}, timeout=0.01)
        step()
        response = await task
        step()
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def messages(start: int, count: int) -> Iterator[Message]:
    for index in range(start, start + count):
        yield Message(f"+346{index:08d}", "Hola {n}", variables={"n": f"Ana {index}"})


async def work(job: dict[str, Any]) -> dict[str, Any]:
    async with (
        AsyncClosing(Stepping()) as transport,
        MensatekClient(
            job["api_user"],
            job["api_token"],
            base_url=job["base_url"],
            transport=transport,
            group_sends=job["grouped"],
        ) as client,
    ):
        journal, campaign = opened(job["path"])
        sender = BatchSender(client, journal=journal, max_recipients=10, max_in_flight=job["in_flight"])
        people = messages(job["start"], job["count"])
        try:
            if job["reconcile"]:
                report = await sender.reconcile(campaign, repeat=True)
            elif job["resume"] is None:
                report = await sender.send(people, campaign=campaign)
            else:
                report = await sender.resume(campaign, people if job["resume"] else None)
        except (ConfigurationError, JournalError) as error:
            return {"error": error.message}
    return {
        "steps": steps,
        "stopped": report.stopped,
        "by_code": dict(report.by_code),
        "rows": [(row["to"], row["outcome"]) for row in report.rows()],
    }


class AsyncClosing:
    def __init__(self, transport: Stepping) -> None:
        self.transport = transport

    async def __aenter__(self) -> Stepping:
        return self.transport

    async def __aexit__(self, *_: object) -> None:
        await self.transport.aclose()


def run(job: dict[str, Any]) -> tuple[int, str]:
    """Do a job in a process of its own; give the signal that ended it, or 0, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        global die_at
        os.close(reading)
        code = 1
        try:
            die_at = job["die_at"]
            if job.get("file_size"):
                resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"], job["file_size"]))
            result = json.dumps(asyncio.run(work(job))).encode()
            with os.fdopen(writing, "wb") as file:
                file.write(result)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode()
    _, status = os.waitpid(child, 0)
    return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0), said


def main() -> None:
    setattr(Database, "_try", tried)  # noqa: B010
    setattr(Store, "_commit", commit)  # noqa: B010 - as a test does with monkeypatch
    setattr(sqlite_journal, "_WAITS", (0.05,))  # noqa: B010 - a full disk stays full
    for line in sys.stdin:
        ended_by, said = run(json.loads(line))
        print(json.dumps({"signal": ended_by, "said": json.loads(said) if said else None}), flush=True)


if __name__ == "__main__":
    main()
