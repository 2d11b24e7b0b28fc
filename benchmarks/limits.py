"""Measure (f), the rate limiter: the share of the rate that it uses, its strictness, and the cost of a permit."""

from __future__ import annotations

import asyncio
import importlib
from bisect import bisect_left
from collections.abc import Sequence
from time import monotonic, process_time
from typing import Any

from benchmarks.measure import cpu_seconds, spread
from mensasdk import RateLimit
from mensasdk.limits.window import WindowLimiter

__all__ = ["Limits", "busiest"]

_BUCKET = 0.1


def busiest(times: Sequence[float], length: float) -> int:
    """Return the most events in any half-open window of ``length`` seconds. The times are in order."""
    return max((bisect_left(times, start + length) - i for i, start in enumerate(times)), default=0)


class Limits:
    """Contestant in a worker's process."""

    def __init__(self, uvloop: bool = False) -> None:
        self._factory = importlib.import_module("uvloop").new_event_loop if uvloop else None

    def round(self, *, rate: int, tasks: int, seconds: float) -> dict[str, Any]:
        """Keep tasks waiting for permits for some seconds, then take permits that are free, and return the figures."""
        with asyncio.Runner(loop_factory=self._factory) as runner:
            times, begun, cpu = runner.run(contended(rate, tasks, seconds))
            free = runner.run(uncontended(50_000))
        buckets = [0] * round(seconds / _BUCKET)
        for moment in times:
            buckets[min(int((moment - begun) / _BUCKET), len(buckets) - 1)] += 1
        return {
            "rate": rate,
            "tasks": tasks,
            "seconds": seconds,
            "granted": len(times),
            "share": len(times) / (rate * seconds),
            "worst_second": busiest(times, 1.0),
            "worst_100_ms": busiest(times, _BUCKET),
            "buckets": buckets,
            "cpu_seconds": cpu,
            "permit_us": spread(free),
        }

    def close(self) -> None:
        """Do nothing, as nothing is open."""


async def contended(rate: int, tasks: int, seconds: float) -> tuple[list[float], float, float]:
    """Return the times at which tasks got permits, the time of the start, and the CPU seconds."""
    limiter = WindowLimiter(RateLimit(rate))
    times: list[float] = []
    cpu, begun = cpu_seconds(), monotonic()

    async def work() -> None:
        while True:
            await limiter.acquire()
            times.append(monotonic())

    workers = [asyncio.create_task(work()) for _ in range(tasks)]
    await asyncio.sleep(begun + seconds - monotonic())
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    used = cpu_seconds() - cpu
    return [moment for moment in times if moment < begun + seconds], begun, used


async def uncontended(permits: int) -> list[float]:
    """Return the CPU time of a permit that is free at once, in microseconds, for each of several rounds."""
    limiter = WindowLimiter(RateLimit(1_000_000_000))
    found = []
    for _ in range(5):
        start = process_time()
        for _ in range(permits):
            await limiter.acquire()
        found.append((process_time() - start) / permits * 1e6)
    return found
