"""A server that answers with the bytes that it is given, breaks in the ways that it is told, and counts requests.

Plain asyncio: a web framework would mend heads and bodies on their way out, and a client library on the other side of
it might hide that a request was sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from attrs import field, frozen
from shared import EAGER

from mensasdk import OutcomeKind, Timeouts
from mensasdk.vendors.envia_sms import EnviaSmsClient

TOKEN = "canario+de/token=%26"
NUMBER = "+52 55 8952 0028"
WIRE_NUMBER = "52,5589520028"
IDENTIFIER = "60si864mv8o3b"
T = TypeVar("T")


REJECTED, UNKNOWN, NOT_SENT = OutcomeKind.REJECTED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT


@frozen
class Received:
    """The head of one request."""

    head: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("ascii")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query as a server reads it, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True, strict_parsing=True, errors="strict")

    @property
    def params(self) -> dict[str, str]:
        """The query without the token."""
        pairs = [pair for pair in self.pairs if pair[0] != "token"]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)


@frozen
class Answer:
    """What is written for one request."""

    body: bytes
    status: int = 200
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    keep: bool = False  # the connection, for another request

    def __bytes__(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Answer", f"Content-Length: {len(self.body)}"]
        if not self.keep:
            lines.append("Connection: close")
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


Breakage = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Served:
    """Gives its answers in turn, the last one again and again."""

    def __init__(self, *answers: bytes | Answer | Breakage) -> None:
        self.answers = [Answer(answer) if isinstance(answer, bytes) else answer for answer in answers]
        self.requests: list[Received] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        broken = [result for result in results if isinstance(result, Exception)]
        assert not broken, broken

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/api/sms"

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the last request, without the token."""
        return self.requests[-1].params

    @asynccontextmanager
    async def client(self, *, token: str = TOKEN, **options: Any) -> AsyncIterator[EnviaSmsClient]:
        options = {"base_url": self.url, "retry": EAGER, **options}
        async with EnviaSmsClient(token, **options) as client:
            yield client

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.ensure_future(self._converse(reader, writer)))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(Received(head))
        if not isinstance(answer, Answer):
            await answer(reader, writer)
            return False
        writer.write(bytes(answer))
        await writer.drain()
        return answer.keep


# ------------------------------------------------------------------------------------------------ ways to break


async def fin(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Hang up in place of an answer."""


async def rst(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


def write(data: bytes) -> Breakage:
    """Write just these bytes and hang up."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


# ------------------------------------------------------------------------------------------------------ answers

# The document's three sets of names: of the flag, the code and the message.
SPELLINGS: Mapping[str, tuple[str, str]] = {
    "general": ("code_error", "error_message"),
    "send": ("codigo_error", "mensaje_error"),
    "cancel": ("error_code", "error_message"),
}


def envelope(response: Any, *, error: Any = False, code: Any = "", words: Any = "", spelling: str = "send") -> bytes:
    names = SPELLINGS[spelling]
    return json.dumps({"error": error, names[0]: code, names[1]: words, "response": response}).encode()


def sent(**changes: Any) -> bytes:
    """A success of ``send`` in standard JSON."""
    response = {
        "mensaje": "Mensaje enviado correctamente",
        "mensaje_enviado": "Hola",
        "numero": "525589520028",
        "fecha_programada": None,
        "identificador": {"0": IDENTIFIER},
        **changes,
    }
    return envelope({name: value for name, value in response.items() if value is not ...})


DONE = envelope({"message": "Acción realizada"}, code="0", spelling="cancel")
STATUS = envelope(
    {
        "number": "525589520028",
        "status": "Entregado",
        "description": [],
        "identificador": IDENTIFIER,
        "date": "2030-06-03 09:30:00",
    },
    code="0",
    spelling="cancel",
)
COUNTRIES = envelope([{"codigo_pais": "MX", "nombre_pais": "México", "prefijo": "52", "precio_gratis": "0.5"}])
CREDITS = envelope({"creditos_disponibles": "9999"}, code=0, words=None, spelling="general")

Caller = Callable[[EnviaSmsClient], Awaitable[object]]
CALLS: Mapping[str, tuple[Caller, bytes]] = {
    "send": (lambda client: client.send_sms(NUMBER, "01"), sent()),
    "cancel": (lambda client: client.cancel_scheduled(IDENTIFIER), DONE),
    "cancel all": (lambda client: client.cancel_all_scheduled(), DONE),
    "send now": (lambda client: client.send_scheduled_now(IDENTIFIER), DONE),
    "send all now": (lambda client: client.send_all_scheduled_now(), DONE),
    "status": (lambda client: client.get_status(IDENTIFIER, NUMBER), STATUS),
    "countries": (lambda client: client.list_countries(), COUNTRIES),
    "credits": (lambda client: client.get_credits(), CREDITS),
}
"""Every function of the client, and an answer with which it succeeds."""
CHANGING: Sequence[str] = ("send", "cancel", "cancel all", "send now", "send all now")
SAFE: Sequence[str] = ("status", "credits")
NOT_REPEATED: Sequence[str] = (*CHANGING, "countries")

QUICK = Timeouts(total=0.3, connect=5.0)
