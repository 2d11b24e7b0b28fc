"""What a durable journal costs: the same campaign with `SqliteJournal` and in memory, at 100 recipients a request.

The sandbox runs in a process of its own. The two ways take turns in one run and are compared round by round; the ratio
is what can be compared between machines. The file lies in ``--folder``, whose disk decides what a commit costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mensasdk import BatchSender, MensatekClient, Message
from mensasdk.batch import Journal, MemoryJournal, SqliteJournal
from mensasdk.sandbox import Sandbox


def messages(count: int) -> Iterator[Message]:
    for index in range(count):
        yield Message(f"+346{index:08d}", "Hola {n}, su cita es el martes", variables={"n": f"Ana {index}"})


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def serve() -> None:
    async with Sandbox(keep_messages=False) as box:
        box.mensatek.account.credits *= 1000
        print(json.dumps({"url": box.base_url("mensatek"), **box.credentials("mensatek")}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def campaign(client: MensatekClient, journal: Journal, count: int, at_once: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU."""
    sender = BatchSender(client, journal=journal, max_recipients=at_once)
    begun, cpu_begun = time.perf_counter(), cpu()
    report = await sender.send(messages(count), campaign="bench")
    assert report.accepted == count
    return time.perf_counter() - begun, cpu() - cpu_begun


async def run(count: int, at_once: int, rounds: int, folder: str | None) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdin is not None
    ways: dict[str, list[tuple[float, float]]] = {"memory": [], "sqlite": []}
    try:
        box = json.loads(await server.stdout.readline())
        async with MensatekClient(box["api_user"], box["api_token"], base_url=box["url"]) as client:
            await campaign(client, MemoryJournal(), 1000, at_once)
            for _ in range(rounds):
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    ways["memory"].append(await campaign(client, MemoryJournal(keep_outcomes=False), count, at_once))
                    ways["sqlite"].append(await campaign(client, SqliteJournal(Path(place) / "j"), count, at_once))
    finally:
        server.stdin.close()
        await server.wait()
    for name, found in ways.items():
        elapsed, used = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:<8} {count / elapsed:>10,.0f} recipients a second {used / count * 1e6:>8.1f} us of CPU each")
    pairs = list(zip(ways["memory"], ways["sqlite"], strict=True))
    time_cost = statistics.median(sqlite[0] / memory[0] for memory, sqlite in pairs)
    cpu_cost = statistics.median(sqlite[1] / memory[1] for memory, sqlite in pairs)
    print(f"sqlite / memory: throughput {1 / time_cost:.2f}, time {time_cost:.2f}, CPU {cpu_cost:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=100, help="recipients of a request")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", help="where the file lies; the system's folder for such things by default")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    else:
        asyncio.run(run(options.recipients, options.at_once, options.rounds, options.folder))


if __name__ == "__main__":
    main()
