"""Serve fixed answers over HTTP/1.1 as cheaply as Python can: ``python -m benchmarks.raw_server``.

`server` starts it. It reads only the length of each request, to take no part in the measurement. With a core of its own
it never sleeps. It reads one line of JSON from standard input, ``{"core": 1, "answers": {"name": "..."}}``, and writes
one line to standard output, with the port of each answer. It ends when its input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import re
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.machine import pin

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)


class Fixed(asyncio.Protocol):
    """Connection that answers each request with the same bytes, also if several come at once, or one in pieces."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._waiting = b""
        self._body_left = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._body_left >= len(data):  # the middle of a large body
            self._body_left -= len(data)
            if not self._body_left:
                self._transport.write(self._answer)
            return
        answers = 0
        if self._body_left:
            data = data[self._body_left :]
            self._body_left = 0
            answers = 1
        data = self._waiting + data
        begin = 0
        while (end := data.find(b"\r\n\r\n", begin)) >= 0:
            length = _LENGTH.search(data, begin, end)
            head_end = end + 4
            begin = head_end + (int(length[1]) if length else 0)
            if begin > len(data):
                self._body_left = begin - len(data)
                begin = len(data)
                break
            answers += 1
        self._waiting = data[begin:]
        if answers:
            self._transport.write(self._answer * answers)


def response(body: str) -> bytes:
    """Return a complete answer with status 200 and this JSON."""
    content = body.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def serve(answers: dict[str, str], *, awake: bool) -> None:
    loop = asyncio.get_running_loop()
    ports = {}
    for name, body in answers.items():

        def make(answer: bytes = response(body)) -> Fixed:
            return Fixed(answer)

        server = await loop.create_server(make, "127.0.0.1", 0, backlog=1024)
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    while awake and not ended.done():  # noqa: ASYNC110 - it must not wait
        # On loopback, a client that sends to a sleeping process pays for waking it: a tenth of a request or more. It
        # pays nothing if the server is on another machine.
        await asyncio.sleep(0)
    await ended


def main() -> None:
    order = json.loads(sys.stdin.readline())
    pin(order["core"])
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        factory = importlib.import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(order["answers"], awake=order["core"] is not None))


if __name__ == "__main__":
    main()
