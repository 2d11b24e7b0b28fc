"""A bare client of the emulated envia-sms.com, on aiohttp and on plain sockets."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from attrs import frozen
from yarl import URL

from mensasdk.sandbox import EnviaSms, Sandbox
from sandbox.caller import Answer, RawAnswer, exchanged

NUMBER = "52,5589520028"
SEND = {"numero": NUMBER, "plantilla": "02", "var_mensaje": "Hola"}


def ahead(seconds: float = 3600) -> str:
    """Return a date for ``fecha_programar``: the wall clock of UTC-5, so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds, hours=-5)).strftime("%Y-%m-%d %H:%M:%S")


@frozen
class Gateway:
    box: Sandbox
    session: aiohttp.ClientSession

    @property
    def vendor(self) -> EnviaSms:
        return self.box.envia_sms

    @property
    def token(self) -> str:
        return str(self.box.credentials("envia_sms")["token"])

    def url(self, function: str, query: str) -> str:
        return f"{self.box.base_url('envia_sms')}/{function}?{query}"

    async def get(self, function: str, query: str) -> Answer:
        """GET with a query that is already encoded."""
        url = URL(self.url(function, query), encoded=True)
        async with self.session.get(url, allow_redirects=False) as response:
            return await Answer.of(response)

    async def ask(self, function: str, *, token: str | None = None, **params: str) -> Answer:
        """GET with the true token, another one, or none (an empty string)."""
        given = self.token if token is None else token
        return await self.get(function, urlencode({**params, **({"token": given} if given else {})}, quote_via=quote))

    async def call(self, function: str, **params: str) -> dict[str, Any]:
        """Call a function, and return the envelope, whatever the status."""
        envelope = json.loads((await self.ask(function, **params)).body)
        assert isinstance(envelope, dict)
        return envelope

    async def done(self, function: str, **params: str) -> Any:
        """Call a function, and return the ``response`` of a success."""
        answer = await self.ask(function, **params)
        envelope = json.loads(answer.body)
        assert (answer.status, envelope["error"]) == (200, False), envelope
        return envelope["response"]

    async def refused(self, function: str, **params: str) -> str:
        """Call a function, and return the code of a refusal, as the table prints it."""
        answer = await self.ask(function, **params)
        envelope = json.loads(answer.body)
        assert envelope["error"] is True
        assert answer.status in (400, 401, 403, 500)
        [code] = [value for key, value in envelope.items() if key in ("code_error", "codigo_error", "error_code")]
        assert self.box.ledger.requests[-1].outcome in (str(code), f"0{code}")
        return str(self.box.ledger.requests[-1].outcome)

    async def send(self, **params: str) -> str:
        """Send, and give the id."""
        response = await self.done("send", **{**SEND, **params})
        [message_id] = response["identificador"].values()
        return str(message_id)

    async def status(self, message_id: str, numero: str = NUMBER) -> tuple[str, list[str]]:
        response = await self.done("status_message", identificador=message_id, numero=numero)
        return response["status"], response["description"]

    def age(self, message_id: str, seconds: float) -> None:
        """Make a message due that many seconds ago."""
        sms = self.vendor.store.get(message_id)
        assert sms is not None
        sms.due = time.monotonic() - seconds

    async def raw(self, function: str = "send", token: str | None = None, **params: str) -> RawAnswer:
        """Send one request over a plain socket and read until the server ends it."""
        query = urlencode({**(params or SEND), "token": token or self.token})
        head = (
            f"GET {self.vendor.base_path}/{function}?{query} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.box.port}\r\nConnection: close\r\n\r\n"
        )
        return await exchanged(self.box.port, head.encode())
