"""Vendors that send far too much, in a process of their own, so that what they hold is not counted as the client's.

The test of memory starts it. It prints where each fault is to be had, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servers import Exchange

VENDORS = ("mensatek", "envia_sms", "enviatusms", "smsgateway24")
CHUNK = 64 * 1024


async def steady_body(exchange: Exchange) -> None:
    """Send a body without end, in good time but for the deadline."""
    await exchange.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while True:
        await exchange.write(b" " * CHUNK)
        await asyncio.sleep(0.05)


async def main() -> None:
    from servers import ANSWERS, serve

    from mensasdk.sandbox import Fault, Sandbox

    raw = {
        "gzip of 64 MiB": ANSWERS["gzip bomb"],
        "no end, and no Content-Length": ANSWERS["too large without a length"],
        "header of 20 kB": ANSWERS["20 kB header"],
        "a body without end, byte by byte": ANSWERS["drip of the body"],
        "a body without end, in pieces of 64 kB": steady_body,
    }
    boxes = {
        "gzip of 256 MiB of valid JSON": Fault.GZIP_BOMB,
        "16 MiB of valid JSON": Fault.TOO_LARGE,
        "200,000 nested lists": Fault.DEEP_JSON,
        "XML with a DOCTYPE and entities that multiply": Fault.DOCTYPE_XML,
        "number of 5,000 digits": Fault.HUGE_INT,
    }
    places: dict[str, dict[str, dict[str, Any]]] = {}
    async with AsyncExitStack() as stack:
        for name, handler in raw.items():
            server = await stack.enter_async_context(serve(handler))
            places[name] = {vendor: {"base_url": server.url} for vendor in VENDORS}
        for name, fault in boxes.items():
            box = await stack.enter_async_context(Sandbox())
            for vendor in VENDORS:
                box.fail(vendor, fault=fault, times=None)
            places[name] = {vendor: {"base_url": box.base_url(vendor)} for vendor in VENDORS}
        print(json.dumps(places), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    asyncio.run(main())
