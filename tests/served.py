"""A server that gives literal answers in turn, or breaks as it is told, and keeps what arrived."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import ClassVar, Self

from attrs import field, frozen
from servers import Exchange, Handler, Received, Server, serve


@frozen
class Answer:
    """One answer as it is written."""

    body: bytes
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    keep: bool = False  # the connection, for another request

    def __bytes__(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Answer"]
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        if not self.keep:
            lines.append("Connection: close")
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


class Served:
    """Gives its answers in turn, the last one again and again.

    Attributes:
        path: what follows the port in its address.
        answers: bytes are the body of an answer that is in order; a handler may break off in any way.
    """

    path: ClassVar[str] = ""
    _server: Server

    def __init__(self, *answers: bytes | Answer | Handler) -> None:
        self.answers = [Answer(answer) if isinstance(answer, bytes) else answer for answer in answers]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._server = await self._stack.enter_async_context(serve(self._answer))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return self._server.url + self.path

    @property
    def requests(self) -> list[Received]:
        return self._server.requests

    @property
    def connections(self) -> int:
        return self._server.connections

    async def _answer(self, exchange: Exchange) -> None:
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if not isinstance(answer, Answer):
            await answer(exchange)
        else:
            await exchange.write(bytes(answer))
            if answer.keep:
                return
        exchange.fin()
