"""A server on loopback that serves literal answers, function by function, and keeps the requests as they arrived.

Forms are read by the standard library, so that what the client writes is not judged by its own codec.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email import message_from_bytes
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web
from attrs import define, field, frozen
from shared import EAGER

from mensasdk.vendors.smsgateway24 import SmsGateway24Client

NUMBER = "+4915752982212"
TOKEN = "df427bfcf113c9a21c67718035076b5b"
EMAIL = "someone@example.com"
PASSWORD = "s3cret & pläin +%"
DEVICE = 260
LOGIN = {"email": EMAIL, "password": PASSWORD}


@frozen
class Answer:
    """One answer.

    ``body`` may be bytes as they stand, data to be written as JSON, or a function that makes either from the request;
    None breaks the connection. With ``after``, it waits for that event.
    """

    body: bytes | Mapping[str, Any] | list[Any] | Callable[[Seen], Any] | None
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    after: asyncio.Event | None = None


Given = Answer | bytes | Mapping[str, Any] | list[Any] | None


@frozen
class File:
    """One file part as it arrived."""

    filename: str | None
    content_type: str
    content: bytes


@frozen
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def function(self) -> str:
        return self.target.rpartition("/")[2]

    @property
    def form(self) -> dict[str, str]:
        """The fields of the form, each of which must be there once."""
        kind = self.headers["content-type"]
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        else:
            pairs = [(name, part.decode()) for name, part in self._parts() if isinstance(part, bytes)]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    @property
    def files(self) -> dict[str, File]:
        return {name: part for name, part in self._parts() if isinstance(part, File)}

    @property
    def datajson(self) -> Any:
        """The content of ``datajson``, which must be the only field."""
        form = self.form
        assert list(form) == ["datajson"]
        return json.loads(form["datajson"])

    def _parts(self) -> list[tuple[str, bytes | File]]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = message_from_bytes(head + self.body)
        assert message.is_multipart()
        parts: list[tuple[str, bytes | File]] = []
        for part in message.walk():
            if part is message:
                continue
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part.get_param("name", header="content-disposition")
            assert isinstance(name, str)
            if part.get_filename() is None:
                parts.append((name, content))
            else:
                parts.append((name, File(part.get_filename(), part.get_content_type(), content)))
        return parts


@define
class Served:
    """Gives the answers of each function in turn, and the last one from then on."""

    answers: dict[str, list[Answer]]
    requests: list[Seen] = field(factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None
    _news: asyncio.Event = field(factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**25)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/getdata"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def last(self) -> Seen:
        return self.requests[-1]

    @property
    def functions(self) -> list[str]:
        """The functions in the order in which they were called."""
        return [request.function for request in self.requests]

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many requests have come."""
        while len(self.requests) < count:
            self._news.clear()
            await self._news.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.method, request.raw_path, headers, await request.read())
        self.requests.append(seen)
        self._news.set()
        answers = self.answers[seen.function]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.after is not None:
            await answer.after.wait()
        if answer.body is None:
            assert request.transport is not None
            request.transport.abort()
        given = answer.body(seen) if callable(answer.body) else answer.body
        body = given if isinstance(given, bytes) else json.dumps(given).encode()
        return web.Response(
            status=answer.status, body=body, headers={"Content-Type": answer.content_type, **answer.headers}
        )


def _listed(given: Given | tuple[Given, ...]) -> list[Answer]:
    several = given if isinstance(given, tuple) else (given,)
    return [one if isinstance(one, Answer) else Answer(one) for one in several]


def serving(**answers: Given | tuple[Given, ...]) -> Served:
    """Return a server; for each function one answer, or a tuple of several."""
    return Served({function: _listed(given) for function, given in answers.items()})


def client_of(server: Served, **options: Any) -> SmsGateway24Client:
    settings: dict[str, Any] = {"device_id": DEVICE, "base_url": server.url, "retry": EAGER, **options}
    if not {"token", "email"} & set(settings):
        settings["token"] = TOKEN
    return SmsGateway24Client(**settings)


@asynccontextmanager
async def talking(
    options: Mapping[str, Any] | None = None, /, **answers: Given | tuple[Given, ...]
) -> AsyncIterator[tuple[SmsGateway24Client, Served]]:
    """Start a server, and give a client with a token that talks to it, and the server."""
    async with serving(**answers) as server, client_of(server, **(options or {})) as client:
        yield client, server
