"""A server that answers every request with the same bytes, and small helpers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Self, TypeVar

import pytest
from attrs import define, field
from shared import EAGER

from mensasdk import MensaError, MensatekClient, Message, Timeouts
from mensasdk.sandbox import Mensatek, Sandbox
from mensasdk.sandbox.mensatek import service

T = TypeVar("T")
Format = Literal["json", "xml", "txt"]
Body = Literal["json", "form"]

FORMATS: tuple[Format, ...] = ("json", "xml", "txt")
BODIES: tuple[Body, ...] = ("json", "form")
NUMBER = "34600000000"
TYPES: dict[Format, str] = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}


@asynccontextmanager
async def connect(
    box: Sandbox,
    *,
    answer_format: Format = "json",
    body_format: Body = "json",
    default_country: str | None = None,
    timeouts: Timeouts | None = None,
    group_sends: bool = False,
) -> AsyncIterator[MensatekClient]:
    async with MensatekClient(
        **box.credentials("mensatek"),
        base_url=box.base_url("mensatek"),
        answer_format=answer_format,
        body_format=body_format,
        default_country=default_country,
        timeouts=timeouts,
        retry=EAGER,
        group_sends=group_sends,
    ) as client:
        yield client


@define
class Literally:
    """Answers each request with ``status`` and ``body``, and closes the connection.

    Plain asyncio: a web framework would mend headers and bodies on their way out.
    """

    body: bytes
    content_type: str | None = "application/json"
    status: int = 200
    requests: list[bytes] = field(factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v7"

    @asynccontextmanager
    async def client(self, answer_format: Format = "json") -> AsyncIterator[MensatekClient]:
        async with MensatekClient(
            "user", "token", base_url=self.url, answer_format=answer_format, retry=EAGER
        ) as client:
            yield client

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        self.requests.append(head + await reader.readexactly(length))
        kind = "" if self.content_type is None else f"Content-Type: {self.content_type}\r\n"
        body = b"" if self.status == 204 else self.body
        size = "" if self.status == 204 else f"Content-Length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {self.status} Answer\r\n{kind}{size}Connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def number(index: int) -> str:
    return f"+346000001{index:02d}"


def messages(*indexes: int, **more: Any) -> list[Message]:
    return [Message(number(index), "Hola", **more) for index in indexes]


def lagging_reports(monkeypatch: pytest.MonkeyPatch, *, looks: int, shows: int = 1) -> None:
    """The emulated vendor's report is late: the first ``looks`` times it lists no more than ``shows`` recipients."""
    honest = service._FUNCTIONS["GetReportSMS"]
    asked = 0

    def report(vendor: Mensatek, params: Any) -> Mapping[str, Any]:
        nonlocal asked
        asked += 1
        answer = honest(vendor, params)
        return {**answer, "Informe": answer["Informe"][:shows]} if asked <= looks else answer

    monkeypatch.setattr(service, "_FUNCTIONS", {**service._FUNCTIONS, "GetReportSMS": report})


async def caught(call: Awaitable[T]) -> T | MensaError:
    """What a call brings, be it an answer or an error of ours."""
    try:
        return await call
    except MensaError as error:
        return error
