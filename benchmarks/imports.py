"""Measure (h), the time of an import and the memory after it, in fresh interpreters that take turns.

The bytecode is cached, as in all runs of a program but the first; see `bytecode`. ``import mensasdk`` is cheap, as it
loads its parts only when they are used. So the import of the parts that a program uses is measured as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.bytecode import caching
from benchmarks.measure import ratio, spread
from benchmarks.worker import ROOT

__all__ = ["OURS", "STATEMENTS", "USED", "contest"]

BASE, OURS, USED = "import aiohttp", "import mensasdk", "from mensasdk import MensatekClient, BatchSender, Message"
STATEMENTS = {
    "nothing": "pass",
    BASE: BASE,
    OURS: OURS,
    USED: USED,
}

_PROBE = """
import resource, sys, time
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu, wall = usage.ru_utime + usage.ru_stime, time.perf_counter()
exec(sys.argv[1])
wall = time.perf_counter() - wall
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = usage.ru_utime + usage.ru_stime - cpu
modules = len(sys.modules)
from benchmarks.measure import peak_mb
import json
print(json.dumps({"cpu_ms": cpu * 1e3, "wall_ms": wall * 1e3, "modules": modules, "peak_mb": peak_mb()}))
"""


def contest(*, rounds: int, core: int | None, note: Callable[[str], None]) -> dict[str, Any]:
    """Return the CPU and wall time, in ms, and the memory, in MB, of each statement in fresh interpreters."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in STATEMENTS}
    pinned = f"from benchmarks.machine import pin\npin({core})\n"  # before the clock starts; imports little
    with caching() as environment:
        for turn in range(rounds + 1):
            note(f"imports: round {turn} of {rounds}")
            for name, statement in STATEMENTS.items():
                command = [sys.executable, "-c", pinned + _PROBE, statement]
                output = subprocess.run(
                    command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
                ).stdout
                if turn:  # the first one writes the bytecode
                    found[name].append(json.loads(output))

    def column(name: str, field: str) -> list[float]:
        return [one[field] for one in found[name]]

    return {
        "statements": {
            name: {
                "cpu_ms": spread(column(name, "cpu_ms")),
                "wall_ms": spread(column(name, "wall_ms")),
                "peak_mb": spread(column(name, "peak_mb")),
                "modules": found[name][0]["modules"],
            }
            for name in STATEMENTS
        },
        # The minimum of many rounds is the cost of the code; the rest is the load of the machine.
        "min_ratio": {name: min(column(name, "cpu_ms")) / min(column(BASE, "cpu_ms")) for name in (OURS, USED)},
        "median_ratio": {name: ratio(column(name, "cpu_ms"), column(BASE, "cpu_ms")) for name in (OURS, USED)},
    }
