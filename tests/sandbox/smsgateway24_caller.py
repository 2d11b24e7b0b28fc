"""A bare client of the emulated smsgateway24, on aiohttp and on plain sockets."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from mensasdk.sandbox import Sandbox
from mensasdk.sandbox.smsgateway24.message import Sms
from sandbox.caller import Answer, RawAnswer, exchanged

SEND: dict[str, Any] = {"sendto": "+34600000000", "body": "Hola", "device_id": "260", "sim": "0"}


class Gateway:
    def __init__(self, box: Sandbox, session: aiohttp.ClientSession) -> None:
        self.box = box
        self.vendor = box.smsgateway24
        self.session = session

    def url(self, function: str) -> str:
        return f"{self.box.base_url('smsgateway24')}/{function}"

    async def ask(self, method: str, function: str, **request: Any) -> Answer:
        async with self.session.request(method, self.url(function), allow_redirects=False, **request) as response:
            return await Answer.of(response)

    async def call(self, function: str, method: str = "POST", *, token: str | None = None, **params: Any) -> Any:
        """Return the JSON answer to a form (POST) or a query (GET) that carries a valid token."""
        fields = {"token": self.vendor.token if token is None else token, **params}
        where = "params" if method == "GET" else "data"
        return json.loads((await self.ask(method, function, **{where: fields})).body)

    async def send(self, sendto: str = "+34600000000", **params: Any) -> Any:
        return await self.call("addsms", **{**SEND, "sendto": sendto, **params})

    async def bulk(self, *items: dict[str, Any], token: str | None = None) -> Any:
        data = {"token": self.vendor.token if token is None else token, "smsdata": [{**SEND, **item} for item in items]}
        return json.loads((await self.ask("POST", "addalotofsms", data={"datajson": json.dumps(data)})).body)

    async def listed(self, **filters: Any) -> list[int]:
        """Return the ids that getallsms gives, in its order."""
        smss = (await self.call("getallsms", **filters))["smss"]
        return [row["id"] for row in (smss.values() if isinstance(smss, dict) else smss)]

    def sms(self, sms_id: int) -> Sms:
        sms = self.vendor.store.get(sms_id)
        assert sms is not None
        return sms

    def age(self, sms_id: int, seconds: float) -> None:
        """Make a message due that many seconds ago."""
        self.sms(sms_id).due = time.monotonic() - seconds

    async def raw(self, function: str = "addsms", **params: Any) -> RawAnswer:
        """Send one form over a plain socket and read until the server ends it."""
        body = urlencode({"token": self.vendor.token, **(params or SEND)}).encode()
        head = (
            f"POST {self.vendor.base_path}/{function} HTTP/1.1\r\nHost: 127.0.0.1:{self.box.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await exchanged(self.box.port, head.encode() + body)
