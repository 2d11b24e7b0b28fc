"""A bare client of the sandbox, on aiohttp and on plain sockets: it knows nothing of mensasdk's own clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from attrs import frozen

from mensasdk.sandbox import Sandbox


@frozen
class Answer:
    """An HTTP answer as it came."""

    status: int
    content_type: str
    headers: dict[str, str]
    body: bytes

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Answer:
        """Read an answer to its end."""
        kind = response.headers.get("Content-Type", "")
        return cls(response.status, kind, dict(response.headers), await response.read())

    @property
    def text(self) -> str:
        return self.body.decode()


@frozen
class RawAnswer:
    """The bytes that a plain socket saw until the end, and whether the end was a reset."""

    data: bytes
    reset: bool

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


async def exchanged(port: int, request: bytes) -> RawAnswer:
    """Send one request over a plain socket, and read until the server ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data, reset = bytearray(), False
    try:
        writer.write(request)
        while piece := await reader.read(1 << 16):
            data += piece
    except ConnectionResetError:
        reset = True
    finally:
        writer.close()
    return RawAnswer(bytes(data), reset)


@asynccontextmanager
async def receiving(handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serve what the sandbox calls back; give the address."""
    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


class Caller:
    def __init__(self, box: Sandbox, session: aiohttp.ClientSession) -> None:
        self.box = box
        self.session = session

    @property
    def authorization(self) -> str:
        account = self.box.credentials("mensatek")
        pair = f"{account['api_user']}:{account['api_token']}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def url(self, function: str) -> str:
        return f"{self.box.base_url('mensatek')}/{function}"

    async def post(self, function: str, *, query: str = "", auth: str | None = None, **body: Any) -> Answer:
        """POST with ``json=`` or ``data=``."""
        headers = {"Authorization": self.authorization if auth is None else auth} if auth != "" else {}
        url = self.url(function) + (f"?{query}" if query else "")
        async with self.session.post(url, headers=headers, allow_redirects=False, **body) as response:
            return await Answer.of(response)

    async def call(self, function: str, **params: Any) -> dict[str, Any]:
        """Call a function, and return the one object in the JSON answer."""
        answer = await self.post(function, json={"Resp": "JSON", **params})
        assert answer.status == 200
        [item] = json.loads(answer.body)
        assert isinstance(item, dict)
        return item

    async def send(self, *numbers: str, text: str = "Hola", **params: Any) -> dict[str, Any]:
        """Call EnviarSMS."""
        recipients = [{"Movil": number} for number in numbers]
        return await self.call(
            "EnviarSMS", **{"Remitente": "YO", "Destinatarios": recipients, "Mensaje": text, **params}
        )

    def request_bytes(self, function: str, params: dict[str, Any] | None = None, **headers: str) -> bytes:
        body = json.dumps(SEND if params is None else params).encode()
        lines = [
            f"POST {self.box.mensatek.base_path}/{function} HTTP/1.1",
            *(f"{name}: {value}" for name, value in {"Host": f"127.0.0.1:{self.box.port}", **headers}.items()),
            f"Authorization: {self.authorization}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def raw(self, function: str = "EnviarSMS", params: dict[str, Any] | None = None, **headers: str) -> RawAnswer:
        """Send one request over a plain socket and read until the server ends it."""
        return await exchanged(self.box.port, self.request_bytes(function, params, Connection="close", **headers))


SEND: dict[str, Any] = {
    "Remitente": "YO",
    "Destinatarios": [{"Movil": "34600000000"}, {"Movil": "34600000001"}],
    "Mensaje": "Hola",
    "Resp": "JSON",
}
