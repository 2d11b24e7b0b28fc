"""A tap on the wire between a client and the sandbox: it lets every byte through, and keeps what the client said."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

from attrs import field, frozen
from received import Received


@frozen(eq=False)
class Tap:
    """A tap before the sandbox.

    Attributes:
        port: the sandbox's; what is said here arrives there.
    """

    port: int
    said: list[bytearray] = field(factory=list)
    _pipes: set[asyncio.Task[None]] = field(factory=set)

    def requests(self) -> list[Received]:
        """Return every request so far, whole ones only, connection by connection."""
        return [one for stream in self.said for one in _split(bytes(stream))]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pipes.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = bytearray()
        self.said.append(stream)
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.gather(_pump(there, writer, None), _pump(reader, back, stream))
        finally:
            back.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray | None) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            if copy is not None:
                copy += piece
            writer.write(piece)
            await writer.drain()
    writer.close()


def _split(stream: bytes) -> list[Received]:
    found: list[Received] = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length:[ \t]*(\d+)\r?$", head)
        size = int(length[1]) if length else 0
        assert b"transfer-encoding" not in head.lower()
        found.append(Received(head, rest[:size]))
        stream = rest[size:]
    return found


@contextlib.asynccontextmanager
async def tapped(port: int) -> AsyncIterator[tuple[Tap, int]]:
    """Start a tap before ``port``; give it, and the port of its own."""
    tap = Tap(port)
    server = await asyncio.start_server(tap.accept, "127.0.0.1", 0)
    try:
        yield tap, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tap._pipes):
            task.cancel()
        await asyncio.gather(*tap._pipes, return_exceptions=True)
