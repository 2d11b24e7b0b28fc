"""Count instructions and tracked objects; `instructions` compares the counts.

**Cases** run in one process under ``cachegrind --cache-sim=no`` (the cheapest of valgrind's tools that count) with
``PYTHONHASHSEED=0``. The process imports everything and warms up. It then forks twice for each case, for N and for 2 N
repetitions. The difference of the two counts, divided by N, is the count of one repetition, and the cost of the start
cancels out. Calls and requests are made one at a time: with more in flight, the timing would decide how many answers
the loop reads in one turn. The garbage collector is off, as the moment at which it runs depends on all that ran before.

The cost of the collector depends on how many **objects** it has to look at: those that are tracked when a full request
has its answer, less those that were there before, for each recipient. This is an exact count, and needs no valgrind.

**Starts** are whole interpreters from their first to their last instruction. Their bytecode is cached.
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
# Repetitions of each case. A full request has 1,000 recipients, and 1,000 messages are made in each repetition.
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
# Arguments of a fresh interpreter.
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
    """Results of the counting.

    Attributes:
        instructions: instructions of one repetition of each case, and of each start.
        objects: objects that the collector tracks for each recipient of a full request.
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
    """Run some usual Python code, which never changes."""
    for _ in range(times):
        names: dict[str, int] = {}
        for number in range(1000):
            names[f"a{number}"] = len([one for one in (number, 2, 3) if one > 1])
        sorted(names.items(), key=lambda item: item[1])


def _child(urls: Mapping[str, str]) -> None:
    """Run each case in processes of its own, and print the process, case and repetitions of each."""
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


# --------------------------------------------------------------------------------------------------- counting


def count() -> Counts | None:
    """Count the instructions and objects of everything; return None where valgrind is missing."""
    program = shutil.which("valgrind")
    if program is None or not hasattr(os, "fork"):
        return None
    with serving(None) as server, caching() as environment:
        # These keep the order of sets and the width of the terminal always the same.
        valgrind = Valgrind(program, {**environment, "PYTHONHASHSEED": "0", "COLUMNS": "80"})
        instructions = {**_repetitions(valgrind, server.urls), **starts(valgrind)}
        with Worker("benchmarks.campaigns:Tracked", core=None, url=server.urls["mensatek_1000"]) as worker:
            objects = {"full request": worker.round(count=FULL)["objects"]}
    return Counts(instructions, objects)


@frozen
class Valgrind:
    """Valgrind, to run interpreters with.

    Attributes:
        program: the path of valgrind.
        environment: the environment of the interpreters.
    """

    program: str
    environment: Mapping[str, str]

    def run(self, arguments: Sequence[str], output: int | IO[str] = subprocess.DEVNULL) -> dict[int, int]:
        """Run an interpreter, which must succeed, and return the instructions of its process and of each fork."""
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
        """Run an interpreter without valgrind, so that it writes the bytecode."""
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)


def _repetitions(valgrind: Valgrind, urls: Mapping[str, str]) -> dict[str, float]:
    """Return the instructions of one repetition of each case."""
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
    """Return the instructions of each start. Two run at a time, as the load of the machine changes no count."""

    def once(arguments: Sequence[str]) -> float:
        valgrind.warm_up(arguments)
        return sum(valgrind.run(arguments).values())

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(STARTS, threads.map(once, STARTS.values()), strict=True))


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))
