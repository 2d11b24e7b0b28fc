"""Measure CPU time, wall time and peak memory of this process, and summarise rounds."""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["LeftOut", "Span", "cpu_seconds", "measured", "peak_mb", "ratio", "spread"]


class LeftOut(Exception):
    """Contender that cannot take part, with the reason as text."""


def cpu_seconds() -> float:
    """Return the CPU time of this process with all its threads, user and kernel, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    """Return the peak memory of this process in MB (10^6 bytes).

    On Linux a process inherits ``ru_maxrss`` from its parent, so a small child of a large parent would look large.
    ``VmHWM`` belongs to this process alone.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Span:
    """Time between two moments: ``wall`` and ``cpu``, in seconds."""

    wall = 0.0
    cpu = 0.0


@contextmanager
def measured() -> Iterator[Span]:
    """Measure the time of the block. Old garbage is collected first; in the block, collection goes on as usual."""
    gc.collect()
    span = Span()
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield span
    span.wall, span.cpu = time.perf_counter() - wall, cpu_seconds() - cpu


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the median, the median distance from it (MAD), the extremes, and the count of the values."""
    middle = statistics.median(values)
    return {
        "median": middle,
        "mad": statistics.median(abs(value - middle) for value in values),
        "min": min(values),
        "max": max(values),
        "rounds": len(values),
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return the spread of ours divided by theirs, round by round, as a busy machine slows both of a round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
