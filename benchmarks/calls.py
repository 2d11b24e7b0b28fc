"""Measure (a), one message per call with several counts in flight: the client's CPU time, and messages per second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from benchmarks.contenders import CONTENDERS, Drive
from benchmarks.measure import LeftOut, measured, ratio, spread
from benchmarks.server import Server
from benchmarks.worker import Worker

__all__ = ["ALWAYS", "AWAKE", "FEW", "OURS", "USUAL", "Caller", "contest"]

OURS, USUAL = "mensasdk", "aiohttp, as usual"
ALWAYS = (OURS, USUAL, "aiohttp, bare")
"""Contenders that need only what mensasdk itself needs."""
AWAKE = (*ALWAYS, "slack-sdk", "twilio")
"""Contenders that are fast enough for a server that never sleeps."""
FEW = (*ALWAYS, "slack-sdk", "twilio", "httpx", "requests, threads")
"""Contenders of a short run at other counts in flight than 64, where slow ones take long and show nothing new."""


class Caller:
    """Contender in a worker's process, with its loop and its connections."""

    def __init__(self, contender: str, url: str, in_flight: int) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._in_flight = in_flight

        async def begin() -> Drive:
            return await self._stack.enter_async_context(CONTENDERS[contender].open(url, in_flight))

        self._drive = self._runner.run(begin())

    def round(self, *, seconds: float = 0.0, count: int = 0) -> dict[str, Any]:
        """Send ``count`` messages; without a count, return how many messages take ``seconds`` of CPU time."""
        if not count:
            self._runner.run(self._send(max(64, 4 * self._in_flight)))  # imports, caches, connections
            trial = self._runner.run(self._send(probe := max(128, self._in_flight)))
            count = max(2 * self._in_flight, 100, round(seconds * probe / trial["cpu"]))
            return {"count": count}
        self._runner.run(self._send(2 * self._in_flight))  # opens closed connections again, warms up code
        return self._runner.run(self._send(count))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    async def _send(self, count: int) -> dict[str, Any]:
        with measured() as span:
            await self._drive(count)
        return {"count": count, "wall": span.wall, "cpu": span.cpu}


def contest(
    server: Server,
    core: int | None,
    *,
    in_flight: int,
    rounds: int,
    seconds: float,
    note: Callable[[str], None],
    names: tuple[str, ...] = tuple(CONTENDERS),
) -> dict[str, Any]:
    """Let all contenders take turns, A B C A B C, and compare ours with each of them, round by round."""
    cpu: dict[str, list[float]] = {}
    speed: dict[str, list[float]] = {}
    peaks: dict[str, float] = {}
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        counts: dict[str, int] = {}
        for name in names:
            url = server.urls[CONTENDERS[name].answer]
            arguments: Mapping[str, Any] = {"contender": name, "url": url, "in_flight": in_flight}
            try:
                worker = stack.enter_context(Worker("benchmarks.calls:Caller", core=core, **arguments))
                counts[name] = worker.round(seconds=seconds)["count"]
            except LeftOut as reason:
                left_out[name] = str(reason)
            except RuntimeError as failure:  # of that library; the others can still be compared
                left_out[name] = str(failure).strip().splitlines()[-1]
            else:
                workers[name] = worker
        for turn in range(rounds):
            note(f"calls, {in_flight} in flight: round {turn + 1} of {rounds}")
            for name, worker in workers.items():
                found = worker.round(count=counts[name])
                cpu.setdefault(name, []).append(found["cpu"] / found["count"] * 1e6)
                speed.setdefault(name, []).append(found["count"] / found["wall"])
                peaks[name] = found["peak_mb"]
    return {
        "in_flight": in_flight,
        "left_out": left_out,
        "contenders": {
            name: {
                "cpu_us": spread(cpu[name]),
                "per_second": spread(speed[name]),
                "peak_mb": peaks[name],
                "messages_a_round": counts[name],
                "ours_to_it": ratio(cpu[OURS], cpu[name]),
                "to_usual_aiohttp": ratio(cpu[name], cpu[USUAL]),
            }
            for name in cpu
        },
    }
