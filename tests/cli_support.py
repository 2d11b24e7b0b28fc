"""Helpers of the command's tests: lists of people, and the command as a process of its own."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from mensasdk.cli.app import cli
from mensasdk.journal import Row, SqliteJournal
from mensasdk.journal.keys import message_key
from mensasdk.messages import Message
from mensasdk.sandbox import Sandbox

TOKEN_NAME = "MENSASDK_MENSATEK_API_TOKEN"
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""Variables of a process whose coverage is not measured, because measuring loads modules and writes a file."""


@frozen
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str


def fill_the_disk(patch: pytest.MonkeyPatch) -> None:
    """Let every file of results that begins from now on lie on a disk that is full."""
    real = os.open

    def opened(path: str | Path, flags: int, *how: int) -> int:
        if str(path).endswith(".partial"):
            os.close(real(path, flags, *how))
            return real("/dev/full", os.O_WRONLY)
        return real(path, flags, *how)

    patch.setattr(os, "open", opened)


async def run_on_a_full_disk(*arguments: str | Path, box: Sandbox) -> Ended:
    """Run the command in a process of its own, whose files of results lie on a disk that is full."""
    code = (
        "import pytest; from cli_support import cli, fill_the_disk; "
        "fill_the_disk(pytest.MonkeyPatch()); cli(prog_name='mensasdk')"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, *map(str, arguments)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment(box) | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )
    return await finish(process)


def write_people(path: Path, count: int, *, extra: Sequence[str] = ()) -> Path:
    """Write a list of ``count`` good rows, and further lines as they are."""
    return write_rows(path, [f"{34600000000 + index},Persona {index}" for index in range(count)], extra=extra)


def write_rows(path: Path, rows: Sequence[str], *, extra: Sequence[str] = ()) -> Path:
    """Write a list of these rows of a number and a name."""
    path.write_text("\n".join(["telefono,nombre", *rows, *extra]) + "\n", encoding="utf-8")
    return path


def environment(box: Sandbox | None) -> dict[str, str]:
    """Return an environment in which the command finds the sandbox, and nothing else of ours."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MENSASDK_")}
    environ |= {"COLUMNS": "100", "PYTHONWARNINGS": "error"}
    if box is not None:
        for vendor in box.vendors:
            for name, value in {**box.credentials(vendor), "base_url": box.base_url(vendor)}.items():
                environ[f"MENSASDK_{vendor}_{name}".upper()] = value
    return environ


async def start(*arguments: str | Path, box: Sandbox | None = None, **variables: str) -> Process:
    """Start ``python -m mensasdk``."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mensasdk"),
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment(box) | variables,
    )


async def finish(process: Process) -> Ended:
    """Wait for a process to end, and return what it said."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def interrupted(process: Process) -> Ended:
    """Press Ctrl-C, and wait for the process to end."""
    process.send_signal(signal.SIGINT)
    return await finish(process)


async def run(*arguments: str | Path, box: Sandbox | None = None, **variables: str) -> Ended:
    """Run the command to its end, one call at a time, in a process that was forked from one with it loaded."""
    environ = environment(box) | variables
    # Which packages there are is found out when Python starts.
    server = _server(environ.get("PYTHONPATH", ""))
    return await asyncio.to_thread(server.run, [str(argument) for argument in arguments], environ)


async def run_process(*arguments: str | Path, box: Sandbox | None = None, **variables: str) -> Ended:
    """Run the command to its end in a process that starts from nothing, where the start is the point."""
    return await finish(await start(*arguments, box=box, **variables))


class _CommandServer:
    """A process that forks for each call of the command (``command_server.py``)."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("command_server.py"))],
            env=environment(None) | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.close)

    def run(self, arguments: Sequence[str], environ: Mapping[str, str]) -> Ended:
        """Run the command."""
        job = {"arguments": arguments, "environment": environ, "folder": str(Path.cwd())}
        with self._lock, tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(job | {"out": out.name, "err": err.name}) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return Ended(code, out.read().decode(), err.read().decode())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@cache
def _server(path: str) -> _CommandServer:
    return _CommandServer(path)


class Receiving:
    """The command `receive` as a process, with what it has said so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.said = ""

    async def ready(self) -> dict[str, str]:
        """Wait until it listens, and return what the vendor is to be given."""
        assert self.process.stderr is not None
        told: dict[str, str] = {}
        async with asyncio.timeout(20):
            while "Ctrl-C ends it" not in self.said:
                line = (await self.process.stderr.readline()).decode()
                assert line, f"it ended: {self.said}"
                self.said += line
                name, _, value = line.strip().partition(" ")
                told[name] = value.strip()
        return told

    async def stop(self) -> Ended:
        """Press Ctrl-C; return all that it has said, from the beginning."""
        ended = await interrupted(self.process)
        return Ended(ended.code, ended.out, self.said + ended.err)


@asynccontextmanager
async def receiving(vendor: str, journal: Path, *more: str | Path, **variables: str) -> AsyncIterator[Receiving]:
    """Start the command `receive`, and see to it that it ends."""
    process = await start(
        "receive", "--vendor", vendor, "--journal", journal, "--port", "0", *more, box=None, **variables
    )
    try:
        yield Receiving(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def one_line(text: str) -> str:
    """Return a text as one line, wherever a terminal broke it."""
    return " ".join(text.split())


def invoke(*arguments: str | Path, keyboard: str | None = None, **variables: str) -> Result:
    """Run the command in this process, with none of our variables but those given."""
    environ: dict[str, str | None] = {name: None for name in os.environ if name.startswith("MENSASDK_")}
    return CliRunner().invoke(
        cli, [str(argument) for argument in arguments], env={**environ, **variables}, input=keyboard
    )


async def unknown_campaign(journal: Path, numbers: Sequence[str], *, name: str = "julio", swept: bool = True) -> None:
    """Record a campaign that died with everybody under way; ``swept``, and was found so."""
    held = SqliteJournal(journal)
    await held.open(name)
    messages = [Message(number, f"Hola {index}") for index, number in enumerate(numbers)]
    rows = [
        Row(index, message_key(message, f"+{message.to}"), message, f"+{message.to}")
        for index, message in enumerate(messages)
    ]
    await held.load(name, rows)
    await held.claim(name, 0, len(rows), vendor="mensatek")
    await held.close(name)
    if swept:
        await held.open(name, create=False)
        await held.close(name)


async def states(journal: Path, name: str = "julio") -> dict[str, list[str]]:
    """Return the numbers in each state, in order."""
    found: dict[str, list[str]] = {}
    for record in await SqliteJournal(journal).read(name):
        found.setdefault(record.state.value, []).append(record.number)
    return found
