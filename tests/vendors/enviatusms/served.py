"""A server on loopback that serves literal answers in turn, and keeps the requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import web
from attrs import define, field, frozen
from shared import EAGER

from mensasdk.vendors.enviatusms import EnviaTuSmsClient

KEY = "0123456789abcdef"

# The document's own sample answers, byte for byte.
BALANCE = b'{ "status": "ok", "sms": { "movistar": 100, "digitel": 200, "movilnet": 50 }, "balance": 4.50 }'
SENT = (
    b'{ "status":"ok", "id": 1234, "msg":"Mensaje enviado con exito. Numeros invalidos ignorados.", '
    b'"ignored": ["581234567896", "58123456789"] }'
)
QUOTE = b'{ "precio_usd":20.655, "numeros_validos": 200, "numeros_invalidos":0, "cantidad_mensajes": 200 }'
CAMPAIGN = (
    '{ "status": "ok", "message_text": "Mi campaña de mensajeria", "created_at": "2023-04-28 12:05:17", '
    '"send_at": "2023-04-28 12:05:17", "approved": 1, "cancelled": 0, "from_api": 0, "stats": { "total_numbers": 2, '
    '"total_sms": 2, "pending": 2, "delivered": 0, "failed": 0 }, "numbers_stats": [ { "mobile_number": 584244623824, '
    '"status": 0, "processed": 0 }, { "mobile_number": 584123658866, "status": 0, "processed": 0 } ], '
    '"shortlink_stats": { "short_url": "https://etsms.me/001", "orig_url": "https://www.enviatusms.com", '
    '"total_clicks": 0, "unique_clicks": 0, "total_views": 0 } }'
).encode()
SHORT_LINK = (
    b'{ "success": true, "orig_link": "https://www.mi-url-a-acortar.com", "link": "https://etsms.me/XYZ", '
    b'"link_no_protocol": "etsms.me/XYZ", "id": "XYZ", }'
)


@frozen
class Answer:
    """One answer. ``body`` may be bytes as they stand, or data to be written as JSON; None breaks the connection."""

    body: bytes | Mapping[str, Any] | None
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class Served:
    """The answers are given in turn, and the last one from then on."""

    answers: list[Answer]
    requests: list[Seen] = field(factory=list)
    _runner: web.AppRunner | None = None
    url: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            Seen(
                request.method,
                request.path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
            )
        )
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if answer.body is None:
            assert request.transport is not None
            request.transport.abort()
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {"Content-Type": answer.content_type, **answer.headers}
        return web.Response(status=answer.status, body=body, headers=headers)


Given = Answer | bytes | Mapping[str, Any] | None


def serving(*answers: Given) -> Served:
    return Served([one if isinstance(one, Answer) else Answer(one) for one in answers])


@asynccontextmanager
async def talking(*answers: Given, **options: Any) -> AsyncIterator[tuple[EnviaTuSmsClient, Served]]:
    """Start a server, and give a client that talks to it, and the server."""
    async with serving(*answers) as server:
        settings = {"base_url": server.url, "retry": EAGER, **options}
        async with EnviaTuSmsClient(KEY, **settings) as client:
            yield client, server
