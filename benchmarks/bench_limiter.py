"""The rate limiter: how much of the rate it uses, how strict and how even it is, and what a permit costs.

Run: ``python -m benchmarks.bench_limiter [--rate 1000] [--tasks 200] [--seconds 5] [--uvloop]``
"""

from __future__ import annotations

import argparse
import asyncio
import time
from bisect import bisect_left

from mensasdk.batch.limiter import RateLimit, WindowLimiter


def busiest(times: list[float], length: float) -> int:
    """Most events in any half-open window of this many seconds."""
    return max((bisect_left(times, start + length) - i for i, start in enumerate(times)), default=0)


async def contended(rate: int, tasks: int, seconds: float) -> tuple[list[float], float]:
    """Times at which permits reached the callers in the given time, and CPU seconds."""
    limiter = WindowLimiter(RateLimit(rate))
    times: list[float] = []
    cpu, start = time.process_time(), time.monotonic()

    async def work() -> None:
        while True:
            await limiter.acquire()
            times.append(time.monotonic())

    workers = [asyncio.create_task(work()) for _ in range(tasks)]
    await asyncio.sleep(start + seconds - time.monotonic())
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    used = time.process_time() - cpu
    return [moment for moment in times if moment < start + seconds], used


async def uncontended(permits: int) -> float:
    """Microseconds per permit that is free at once."""
    limiter = WindowLimiter(RateLimit(1_000_000_000))
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(permits):
            await limiter.acquire()
        best = min(best, (time.perf_counter() - start) / permits)
    return best * 1e6


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="permits a second")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    factory = None
    if options.uvloop:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        times, cpu = runner.run(contended(options.rate, options.tasks, options.seconds))
        each = runner.run(uncontended(100_000))
    allowed = options.rate * options.seconds
    print(f"granted of allowed        {len(times)} of {allowed:.0f} ({len(times) / allowed:.1%})")
    print(f"largest sliding second    {busiest(times, 1.0)} (limit {options.rate})")
    print(f"worst 100 ms              {busiest(times, 0.1)} (even: {options.rate / 10:.0f})")
    print(f"CPU seconds               {cpu:.2f}")
    print(f"us per uncontended permit {each:.2f}")


if __name__ == "__main__":
    main()
