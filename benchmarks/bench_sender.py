"""What a bulk campaign costs: memory above that of a small one, and time beside a bare aiohttp loop.

The sandbox runs in a process of its own. Memory is the peak resident size of this process. Ratios are to hand-written
aiohttp that posts the same bodies in the same run; absolute figures depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import resource
import sys
import time
from collections.abc import Iterator

import aiohttp
import orjson

from mensasdk import BatchSender, MensatekClient, Message
from mensasdk.sandbox import Sandbox


def messages(count: int, start: int = 0) -> Iterator[Message]:
    for index in range(start, start + count):
        yield Message(f"+346{index:08d}", "Hola {n}, su cita es el martes", variables={"n": f"Ana {index}"})


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def serve() -> None:
    async with Sandbox(keep_messages=False) as box:
        box.mensatek.account.credits *= 1000
        print(json.dumps({"url": box.base_url("mensatek"), **box.credentials("mensatek")}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def bare(url: str, user: str, token: str, count: int) -> None:
    """The same requests, as one would write them by hand, without outcomes, checks or limits."""
    credentials = base64.b64encode(f"{user}:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    async def post(session: aiohttp.ClientSession, lo: int) -> None:
        people = [{"Movil": f"346{index:08d}", "Variable_1": f"Ana {index}"} for index in range(lo, lo + 1000)]
        body = {"Destinatarios": people, "Mensaje": "Hola (Variable_1), su cita", "Remitente": "", "Resp": "JSON"}
        async with session.post(f"{url}/EnviarSMS", data=orjson.dumps(body), headers=headers) as answer:
            assert orjson.loads(await answer.read())[0]["Res"] == 1000

    async with aiohttp.ClientSession() as session:
        los = iter(range(0, count, 1000))

        async def worker() -> None:
            for lo in los:
                await post(session, lo)

        await asyncio.gather(*(worker() for _ in range(4)))


async def run(count: int) -> dict[str, float]:
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        box = json.loads(await server.stdout.readline())
        async with MensatekClient(box["api_user"], box["api_token"], base_url=box["url"]) as client:
            sender = BatchSender(client, max_in_flight=4)
            await sender.send(messages(2_000))
            small = peak_mb()
            begun, cpu_begun = time.perf_counter(), cpu()
            report = await sender.send(messages(count))
            elapsed, used = time.perf_counter() - begun, cpu() - cpu_begun
            assert report.accepted == count
            large = peak_mb()
        begun, cpu_begun = time.perf_counter(), cpu()
        await bare(box["url"], box["api_user"], box["api_token"], count)
        bare_elapsed, bare_used = time.perf_counter() - begun, cpu() - cpu_begun
    finally:
        server.stdin.close()
        await server.wait()
    return {
        "recipients": count,
        "memory above 2,000 recipients, MB": round(large - small, 1),
        "recipients a second": round(count / elapsed),
        "CPU microseconds a recipient": round(used / count * 1e6, 1),
        "bare aiohttp, recipients a second": round(count / bare_elapsed),
        "bare aiohttp, CPU microseconds a recipient": round(bare_used / count * 1e6, 1),
        "CPU ratio to bare aiohttp": round(used / bare_used, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=200_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    for name, value in asyncio.run(run(options.recipients)).items():
        print(f"{name:<45} {value:>12,}")


if __name__ == "__main__":
    main()
