"""A bare client of the emulated EnvíaTuSMS, on aiohttp and on plain sockets."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from attrs import frozen
from yarl import URL

from mensasdk.sandbox import EnviaTuSms, Sandbox
from sandbox.caller import Answer, RawAnswer, exchanged

SEND: dict[str, Any] = {"numeros": ["04265461179", "04244623824"], "texto": "Mensaje de prueba"}
POSTS = frozenset({"sms-multi", "sms-costo", "acortar-url"})


@frozen
class Gateway:
    box: Sandbox
    session: aiohttp.ClientSession

    @property
    def vendor(self) -> EnviaTuSms:
        return self.box.enviatusms

    @property
    def key(self) -> str:
        return str(self.box.credentials("enviatusms")["api_key"])

    async def request(self, method: str, path: str, query: str, **body: Any) -> Answer:
        """Make a request whose query is already encoded, with ``json=`` or ``data=``."""
        url = URL(f"{self.box.base_url('enviatusms')}/{path}?{query}", encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **body) as response:
            return await Answer.of(response)

    async def ask(self, path: str, *, key: str | None = None, **params: Any) -> Answer:
        """Make a request with the true key, another one, or none (an empty string)."""
        given = self.key if key is None else key
        query = urlencode({"api_key": given}) if given else ""
        if path in POSTS:
            return await self.request("POST", path, query, json=params)
        return await self.request("GET", path, query)

    async def call(self, path: str, **params: Any) -> dict[str, Any]:
        """Call a function, and return the JSON object of a success."""
        answer = await self.ask(path, **params)
        assert answer.status == 200, answer.text
        if self.box.ledger.keep_messages:
            assert self.box.ledger.requests[-1].outcome == "ok", answer.text
        fields = json.loads(answer.body)
        assert isinstance(fields, dict)
        return fields

    async def refused(self, path: str, **params: Any) -> tuple[int, str, dict[str, Any]]:
        """Return HTTP status, text and all fields of a refusal."""
        charged = self.box.ledger.charged
        answer = await self.ask(path, **params)
        fields = json.loads(answer.body)
        assert self.box.ledger.requests[-1].outcome == "error", answer.text
        assert self.box.ledger.charged == charged
        if path == "acortar-url":
            assert fields["success"] is False
            return answer.status, fields["error"], fields
        assert fields["status"] == "error"
        return answer.status, fields["msg"], fields

    async def send(self, *numeros: Any, texto: Any = "Hola", **params: Any) -> dict[str, Any]:
        return await self.call("sms-multi", numeros=list(numeros), texto=texto, **params)

    async def states(self, campaign_id: int) -> dict[str, tuple[int, int]]:
        """Return the status and ``processed`` of each number of a campaign."""
        rows = (await self.call(f"campaign/{campaign_id}"))["numbers_stats"]
        return {str(row["mobile_number"]): (row["status"], row["processed"]) for row in rows}

    def age(self, campaign_id: int, seconds: float) -> None:
        """Make a campaign go out that many seconds ago."""
        self.vendor.campaigns[campaign_id].due = time.monotonic() - seconds

    async def raw(self, function: str = "sms-multi", **params: Any) -> RawAnswer:
        """Send one POST over a plain socket and read until the server ends it."""
        body = json.dumps(params or SEND).encode()
        head = (
            f"POST {self.vendor.base_path}/{function}?api_key={self.key} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.box.port}\r\n"
            f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return await exchanged(self.box.port, head.encode() + body)
