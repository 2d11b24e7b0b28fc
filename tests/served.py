"""A server that gives literal answers in turn, or breaks as it is told, and keeps what arrived."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Self

from attrs import field, frozen
from received import Received
from servers import Exchange, Handler, Server, serve
from shared import until

Body = bytes | Mapping[str, Any] | list[Any] | None


@frozen
class Answer:
    """One answer as it is written.

    Attributes:
        body: bytes as they stand, or data to be written as JSON, or a function that makes either from the request; with
            None, the connection breaks.
        keep: keeps the connection for another request.
        after: what the answer waits for.
    """

    body: Body | Callable[[Received], Body]
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    keep: bool = False
    after: asyncio.Event | None = None

    async def give(self, exchange: Exchange) -> None:
        """Answer the request of an exchange."""
        if self.after is not None:
            await self.after.wait()
        body = self.body(exchange.request) if callable(self.body) else self.body
        if body is None:
            exchange.rst()
            return
        await exchange.write(self._written(body if isinstance(body, bytes) else json.dumps(body).encode()))
        if not self.keep:
            exchange.fin()

    def _written(self, body: bytes) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Answer"]
        if self.status != 204:
            lines.append(f"Content-Length: {len(body)}")
        if not self.keep:
            lines.append("Connection: close")
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Given = Answer | Handler | Body


def _listed(*given: Given) -> list[Answer | Handler]:
    return [one if isinstance(one, Answer) or callable(one) else Answer(one) for one in given]


class Served:
    """Gives its answers in turn, the last one again and again.

    Attributes:
        path: what follows the port in its address.
        answers: those of each function; the others have those under "".
    """

    path: ClassVar[str] = ""
    _server: Server

    def __init__(self, *answers: Given, **by_function: Given | tuple[Given, ...]) -> None:
        self.answers = {"": _listed(*answers)}
        for function, given in by_function.items():
            self.answers[function] = _listed(*given) if isinstance(given, tuple) else _listed(given)
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
    def last(self) -> Received:
        return self.requests[-1]

    @property
    def functions(self) -> list[str]:
        """The functions in the order in which they were called."""
        return [request.function for request in self.requests]

    @property
    def connections(self) -> int:
        return self._server.connections

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many requests have come."""
        await until(lambda: len(self.requests) >= count)

    async def _answer(self, exchange: Exchange) -> None:
        answers = self.answers.get(exchange.request.function, self.answers[""])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Answer):
            await answer.give(exchange)
        else:
            await answer(exchange)
            exchange.fin()
