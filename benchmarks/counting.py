"""How instructions and tracked objects are counted; what they are compared with is in `instructions`.

**Cases** repeat something within one process, under ``cachegrind --cache-sim=no`` (the cheapest of valgrind's tools
that count) with ``PYTHONHASHSEED=0``. It imports all and warms up. It then forks for each case, once for N and once for
2 N repetitions: the difference of the two counts, divided by N, is one repetition, and the start cancels out. Calls and
requests are made one at a time, since with more in flight the timing would decide how many answers one turn of the loop
reads. The garbage collector is off, because when it runs depends on everything before.

What the collector would cost is decided by how many **objects** it has to look at: those that are tracked when a full
request has its answer, less those of before, for each recipient. That is an exact number, and needs no valgrind.

**Starts** are whole interpreters from their first to their last instruction, which find their bytecode.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import orjson
from attrs import frozen

from benchmarks.bytecode import caching
from benchmarks.campaigns import Bare, Input, Sender
from benchmarks.contenders import CONTENDERS
from benchmarks.decoding import Reader
from benchmarks.imports import BASE, USED
from benchmarks.server import serving
from benchmarks.worker import ROOT, Worker
from mensasdk.codec import Format

__all__ = ["PLAIN", "REPEATS", "STARTS", "Counts", "Valgrind", "count", "starts"]

PLAIN = "plain Python"
FULL = 1000
# Repetitions of each case. A full request is one of 1,000 recipients, and so many messages are made.
REPEATS = {
    "call": 150,
    "aiohttp call": 150,
    "one a request": 100,
    "bare pool": 100,
    "full request": 4,
    "messages made": 10,
    **dict.fromkeys(("json", "xml", "txt"), 3),
    "orjson": 20,
    PLAIN: 20,
}
# What a fresh interpreter is told to do.
STARTS = {
    "bare start": ("-c", "pass"),
    "import aiohttp": ("-c", BASE),
    "import": ("-c", USED),
    "import click": ("-c", "import click"),
    "help": ("-m", "mensasdk", "--help"),
}
_ENDED = re.compile(r"==(\d+)== I\s+refs:\s+([\d,]+)")

Case = Callable[[int], None]


@frozen
class Counts:
    """What was counted.

    Attributes:
        instructions: of one repetition of each case, and of each start.
        objects: tracked by the collector for each recipient of a full request.
    """

    instructions: Mapping[str, float]
    objects: Mapping[str, float]


# ----------------------------------------------------------------------------------------------------- the cases


def _cases(urls: Mapping[str, str]) -> dict[str, Case]:
    one, full = urls["mensatek_1"], urls["mensatek_1000"]
    return {
        "call": _calls("mensasdk", one),
        "aiohttp call": _calls("aiohttp, bare", one),
        "one a request": _rounds(lambda: Sender(one, recipients=1, in_flight=1, texts=True)),
        "bare pool": _rounds(lambda: Bare(one, recipients=1, in_flight=1)),
        "full request": _rounds(lambda: Sender(full, recipients=FULL, in_flight=1), FULL),
        "messages made": _rounds(Input, FULL),
        **{form: _reads(Reader(Format(form))) for form in ("json", "xml", "txt")},
        "orjson": _parses(Reader(Format.JSON).body),
        PLAIN: _plain,
    }


def _calls(contender: str, url: str) -> Case:
    async def calls(times: int) -> None:
        async with CONTENDERS[contender].open(url, 1) as drive:
            await drive(times)

    return lambda times: asyncio.run(calls(times))


def _rounds(start: Callable[[], Sender | Bare | Input], each: int = 1) -> Case:
    def rounds(times: int) -> None:
        contestant = start()
        contestant.round(count=times * each)
        contestant.close()

    return rounds


def _reads(reader: Reader) -> Case:
    return lambda times: asyncio.run(_read(reader, times))


async def _read(reader: Reader, times: int) -> None:
    await reader.read(times)


def _parses(body: bytes) -> Case:
    def parse(times: int) -> None:
        for _ in range(times):
            orjson.loads(body)

    return parse


def _plain(times: int) -> None:
    """What Python code does all day, the same for ever."""
    for _ in range(times):
        names: dict[str, int] = {}
        for number in range(1000):
            names[f"a{number}"] = len([one for one in (number, 2, 3) if one > 1])
        sorted(names.items(), key=lambda item: item[1])


def _child(urls: Mapping[str, str]) -> None:
    """Do every case in processes of its own, and print which process did what."""
    cases = _cases(urls)
    for name, case in cases.items():
        case(max(2, REPEATS[name] // 5))
    gc.collect()
    gc.freeze()
    gc.disable()
    for name, case in cases.items():
        for times in (REPEATS[name], 2 * REPEATS[name]):
            process = os.fork()
            if process == 0:
                status = 1
                try:
                    case(times)
                    status = 0
                finally:
                    os._exit(status)
            if os.waitpid(process, 0)[1] != 0:
                raise RuntimeError(f"{name} failed")
            print(json.dumps({"process": process, "case": name, "times": times}), flush=True)


# ------------------------------------------------------------------------------------------------- around them


def count() -> Counts | None:
    """Count everything; None where valgrind is missing."""
    program = shutil.which("valgrind")
    if program is None or not hasattr(os, "fork"):
        return None
    with serving(None) as server, caching() as environment:
        # An order of sets and a width of the terminal that are always the same.
        valgrind = Valgrind(program, {**environment, "PYTHONHASHSEED": "0", "COLUMNS": "80"})
        instructions = {**_repetitions(valgrind, server.urls), **starts(valgrind)}
        with Worker("benchmarks.campaigns:Tracked", core=None, url=server.urls["mensatek_1000"]) as worker:
            objects = {"full request": worker.round(count=FULL)["objects"]}
    return Counts(instructions, objects)


@frozen
class Valgrind:
    """Interpreters under valgrind.

    Attributes:
        program: valgrind itself.
        environment: of the interpreters.
    """

    program: str
    environment: Mapping[str, str]

    def run(self, arguments: Sequence[str], output: int | IO[str] = subprocess.DEVNULL) -> dict[int, int]:
        """Run an interpreter that must succeed, and give the instructions of its process and of each that it forked."""
        with tempfile.TemporaryDirectory() as folder:
            quiet = ("--tool=cachegrind", "--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null")
            command = [self.program, *quiet, f"--log-file={folder}/%p", sys.executable, *arguments]
            subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=output)
            return {
                int(match[1]): int(match[2].replace(",", ""))
                for log in Path(folder).iterdir()
                for match in _ENDED.finditer(log.read_text(encoding="utf-8", errors="replace"))
            }

    def warm_up(self, arguments: Sequence[str]) -> None:
        """Have the bytecode written, without valgrind."""
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)


def _repetitions(valgrind: Valgrind, urls: Mapping[str, str]) -> dict[str, float]:
    """Instructions for one repetition of each case."""
    valgrind.warm_up(["-c", "import benchmarks.counting"])
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        totals = valgrind.run(["-m", "benchmarks.counting", json.dumps(dict(urls))], output)
        output.seek(0)
        runs = [json.loads(line) for line in output if line.startswith("{")]
    by_case: dict[str, dict[int, int]] = {}
    for run in runs:
        by_case.setdefault(run["case"], {})[run["times"]] = totals[run["process"]]
    return {name: (by_case[name][2 * times] - by_case[name][times]) / times for name, times in REPEATS.items()}


def starts(valgrind: Valgrind) -> dict[str, float]:
    """Instructions of each start. They do not depend on what else is running, so two run at a time."""

    def once(arguments: Sequence[str]) -> float:
        valgrind.warm_up(arguments)
        return sum(valgrind.run(arguments).values())

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(STARTS, threads.map(once, STARTS.values()), strict=True))


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))
