"""(f) The rate limiter: how much of the rate it uses, how strict and how even it is, and what a permit costs."""

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
    """Most events in any half-open window of this many seconds; the times are in order."""
    return max((bisect_left(times, start + length) - i for i, start in enumerate(times)), default=0)


class Limits:
    """The child's side."""

    def __init__(self, uvloop: bool = False) -> None:
        self._factory = importlib.import_module("uvloop").new_event_loop if uvloop else None

    def round(self, *, rate: int, tasks: int, seconds: float) -> dict[str, Any]:
        """Keep so many tasks waiting for permits for so long; then take permits that are free."""
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
        """Nothing to let go of."""


async def contended(rate: int, tasks: int, seconds: float) -> tuple[list[float], float, float]:
    """Times at which permits reached the callers, when it began, and CPU seconds."""
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
    """Microseconds of CPU time for each permit that is free at once; several rounds."""
    limiter = WindowLimiter(RateLimit(1_000_000_000))
    found = []
    for _ in range(5):
        start = process_time()
        for _ in range(permits):
            await limiter.acquire()
        found.append((process_time() - start) / permits * 1e6)
    return found
