"""Instructions for one call and for one report, counted by valgrind: a figure that does not depend on noise.

``python -m benchmarks.instructions`` prints them, ``--check`` compares them to ``baseline.json`` and fails on a loss of
more than 10 %, ``--save`` writes this run into it. Where valgrind is missing, or where the file has nothing for this
minor version of Python and this architecture, it says so and passes.

What is compared is a **ratio within the same run**: a call to one of bare aiohttp, a report to ``orjson.loads`` of its
JSON. Absolute counts change with each release of aiohttp or orjson, and none of that is our gain or loss; most of it
cancels out in the ratio. The versions are kept beside the baseline, and a difference is named.

What does not cancel out is on what the same code runs. ``orjson`` is compiled, and reading a report is mostly Python,
which takes a seventh fewer instructions on Debian's 3.11 than on one that was built without optimisations. And compiled
code asks the processor what it can do: valgrind answers in its place, always as the same one with AVX2 (and never with
AVX-512) where the real one has AVX2, but as an older one where it has not. So a few lines of plain Python are counted
as well. Where these, or what a case is a multiple of, differ from the baseline by more than 5 %, a loss may be none of
ours: it is reported, and fails nothing.

How it is counted: one process under ``cachegrind --cache-sim=no`` (the cheapest of valgrind's tools that count) with
``PYTHONHASHSEED=0`` imports all and warms up. It then forks for each case, once for N and once for 2 N repetitions:
the difference of the two counts, divided by N, is one repetition, and the start cancels out. Calls are made one at a
time, since with more in flight the timing would decide how many answers one turn of the loop reads. The garbage
collector is off, because when it runs depends on everything before. What it would cost is in the times of the bench.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks.bytecode import caching
from benchmarks.contenders import CONTENDERS
from benchmarks.decoding import Reader
from benchmarks.machine import versions
from benchmarks.server import serving
from benchmarks.worker import ROOT
from mensasdk.codec import Format

__all__ = ["REFERENCES", "compare", "count", "figures", "main"]

BASELINE = Path(__file__).with_name("baseline.json")
ALLOWED_LOSS = 1.10
_SAME = 0.05
_PYTHON = "plain Python"
# A case, and what it is a multiple of.
REFERENCES = {"call": "aiohttp call", "json": "orjson", "xml": "orjson", "txt": "orjson"}
_REPEATS = {"call": 150, "aiohttp call": 150, "json": 3, "xml": 3, "txt": 3, "orjson": 20, _PYTHON: 20}
_CALLERS = {"call": "mensasdk", "aiohttp call": "aiohttp, bare"}
_ENDED = re.compile(r"==(\d+)== I\s+refs:\s+([\d,]+)")
_VERSIONS_THAT_MATTER = ("python", "aiohttp", "orjson", "attrs", "cattrs", "yarl", "multidict")


# -------------------------------------------------------------------------------------------- under valgrind


def _call(name: str, url: str) -> Callable[[int], None]:
    async def calls(times: int) -> None:
        async with CONTENDERS[_CALLERS[name]].open(url, 1) as drive:
            await drive(times)

    return lambda times: asyncio.run(calls(times))


def _plain(times: int) -> None:
    """What Python code does all day, the same for ever."""
    for _ in range(times):
        names: dict[str, int] = {}
        for number in range(1000):
            names[f"a{number}"] = len([one for one in (number, 2, 3) if one > 1])
        sorted(names.items(), key=lambda item: item[1])


def _decode(name: str) -> Callable[[int], None]:
    if name == "orjson":
        body = Reader(Format.JSON).body

        def parse(times: int) -> None:
            for _ in range(times):
                orjson.loads(body)

        return parse
    reader = Reader(Format(name))

    async def read(times: int) -> None:
        await reader.read(times)

    return lambda times: asyncio.run(read(times))


def _child(url: str) -> None:
    """Do every case in processes of its own, and print which process did what."""
    cases = {
        name: _plain if name == _PYTHON else _call(name, url) if name in _CALLERS else _decode(name)
        for name in _REPEATS
    }
    for name, case in cases.items():
        case(max(2, _REPEATS[name] // 5))
    gc.collect()
    gc.freeze()
    gc.disable()
    for name, case in cases.items():
        for times in (_REPEATS[name], 2 * _REPEATS[name]):
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


# ------------------------------------------------------------------------------------------------- around it


def count() -> dict[str, float] | None:
    """Instructions for one repetition of each case; None where valgrind is missing."""
    valgrind = shutil.which("valgrind")
    if valgrind is None or not hasattr(os, "fork"):
        return None
    with serving(None) as server, caching() as environment, tempfile.TemporaryDirectory() as folder:
        environment["PYTHONHASHSEED"] = "0"
        warm_up = [sys.executable, "-c", "import benchmarks.instructions"]  # writes the bytecode
        subprocess.run(warm_up, cwd=ROOT, env=environment, check=True)
        command = [
            *(valgrind, "--tool=cachegrind", "--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null"),
            *(f"--log-file={folder}/%p", sys.executable, "-m", "benchmarks.instructions", "--child"),
            server.urls["mensatek_1"],
        ]
        found = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        totals = {
            int(match[1]): int(match[2].replace(",", ""))
            for log in Path(folder).iterdir()
            for match in _ENDED.finditer(log.read_text(encoding="utf-8", errors="replace"))
        }
    runs = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    by_case: dict[str, dict[int, int]] = {}
    for run in runs:
        by_case.setdefault(run["case"], {})[run["times"]] = totals[run["process"]]
    return {name: (by_case[name][2 * times] - by_case[name][times]) / times for name, times in _REPEATS.items()}


def figures(counted: Mapping[str, float]) -> dict[str, Any]:
    """What is stored and compared."""
    return {
        "ratios": {name: round(counted[name] / counted[base], 3) for name, base in REFERENCES.items()},
        "instructions": {name: round(value) for name, value in counted.items()},
        "versions": {name: value for name, value in versions().items() if name in _VERSIONS_THAT_MATTER},
    }


def key() -> str:
    """Which baseline is ours: ``3.11-x86_64``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}-{platform.machine()}"


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Print each ratio beside its baseline, and give those that lost more than is allowed."""
    lost = []
    for name, value in now["ratios"].items():
        base = before["ratios"].get(name)
        if base is None:
            print(f"{name:6} {value:8.3f} x {REFERENCES[name]}; the baseline has none")
            continue
        change = value / base - 1
        verdict = "gained; keep it with --save" if change < -0.1 else "ok"
        if value > base * ALLOWED_LOSS:
            others = [one for one in (REFERENCES[name], _PYTHON) if _moved(one, now, before)]
            verdict = f"REPORTED, not failed: {' and '.join(others)} changed as well" if others else "LOST"
        print(f"{name:6} {value:8.3f} x {REFERENCES[name]}, baseline {base:.3f}: {change:+.1%} {verdict}")
        if verdict == "LOST":
            lost.append(name)
    for name in (*dict.fromkeys(REFERENCES.values()), _PYTHON):
        if _moved(name, now, before):
            old = before["instructions"].get(name)
            then = "not counted" if old is None else f"{old:,}"
            print(f"note: {name} took {now['instructions'][name]:,} instructions, in the baseline {then}")
    for name, version in now["versions"].items():
        old = before["versions"].get(name)
        if version != old:
            print(f"note: {name} is {version}, the baseline was taken with {old}")
    return lost


def _moved(name: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """What is none of ours takes other instructions than in the baseline: other code, or the same on other ground."""
    old = before["instructions"].get(name)
    return old is None or abs(now["instructions"][name] / old - 1) > _SAME


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail on a loss of more than 10 %% against the baseline")
    parser.add_argument("--save", action="store_true", help="make this run the baseline of this Python and machine")
    parser.add_argument("--child", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _child(options.child)
        return 0
    stored: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    if options.check and key() not in stored:
        print(f"SKIPPED: no baseline for {key()} in {BASELINE.name} (it has: {', '.join(stored) or 'nothing'})")
        return 0
    counted = count()
    if counted is None:
        print("SKIPPED: valgrind is not installed, so no instructions were counted")
        return 0
    now = figures(counted)
    for name, value in now["instructions"].items():
        print(f"{name:14} {value:>14,} instructions")
    if options.save:
        stored[key()] = now
        BASELINE.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    lost = compare(now, stored.get(key(), now))
    if options.check and lost:
        print(f"FAILED: more than {ALLOWED_LOSS - 1:.0%} lost: {', '.join(lost)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
