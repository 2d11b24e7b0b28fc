"""Send one text to one number, by mensasdk and by other libraries.

All contenders do the same work: a POST of some 200 bytes with credentials to a server with a fixed answer, and reading
the id in that answer. Each SDK sends the request of its own vendor. An SDK with a fixed host is directed to loopback in
the way that its documents name: by a base address, a session or an HTTP client. Pools are as large as needed.

Each contender is a context manager that yields a `Drive`, a function that sends a count of messages with as many in
flight as the contender was told. A library is imported only when its contender starts; if it is missing, `LeftOut` is
raised.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import orjson
from attrs import frozen

from benchmarks.measure import LeftOut
from mensasdk import AiohttpTransport, MensatekClient

__all__ = ["CONTENDERS", "Contender", "Drive", "number", "pump"]

USER, TOKEN = "bench-user", "bench-token-0123456789"
TEXT = "Su pedido 48213 llega hoy entre las 10:00 y las 12:00. Gracias por su compra."
SENDER = "Tienda"
REFERENCE = "pedido-48213"
_DEFAULT_POOL = 100

Drive = Callable[[int], Awaitable[None]]
Call = Callable[[int], Awaitable[str]]


@frozen
class Contender:
    """Function that opens a client for an address and a count in flight, and the name of the answer that it reads."""

    open: Callable[[str, int], AbstractAsyncContextManager[Drive]]
    answer: str


def library(name: str) -> Any:
    """Import a module that may be missing. It is untyped here, as mypy also runs without these libraries."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LeftOut(f"not installed: {error}") from None


def number(index: int) -> str:
    """Return a Spanish mobile number in E.164, a different one for each index."""
    return f"+346{index:08d}"


def pump(call: Call, in_flight: int) -> Drive:
    """Return a `Drive` that calls ``call`` from ``in_flight`` workers. An answer without an id is an error."""

    async def drive(count: int) -> None:
        indices = iter(range(count))

        async def worker() -> None:
            for index in indices:
                if not await call(index):
                    raise AssertionError("no id in the answer")

        await asyncio.gather(*(worker() for _ in range(min(in_flight, count))))

    return drive


def body(index: int) -> dict[str, Any]:
    """Return the body that `MensatekClient.send_sms` sends for the same message."""
    return {
        "Remitente": SENDER,
        "Destinatarios": [{"Movil": number(index)[1:]}],
        "Mensaje": TEXT,
        "Referenciausuario": REFERENCE,
        "Resp": "JSON",
    }


def pool(in_flight: int) -> int:
    return max(_DEFAULT_POOL, in_flight)


@asynccontextmanager
async def ours(url: str, in_flight: int) -> AsyncIterator[Drive]:
    transport = AiohttpTransport(pool_size=pool(in_flight))
    async with MensatekClient(USER, TOKEN, base_url=url, transport=transport) as client:

        async def call(index: int) -> str:
            result = await client.send_sms(number(index), TEXT, sender=SENDER, reference=REFERENCE)
            assert result.message_id is not None
            return result.message_id

        yield pump(call, in_flight)
    await transport.aclose()


@asynccontextmanager
async def aiohttp_typical(url: str, in_flight: int) -> AsyncIterator[Drive]:
    """Send with aiohttp as most people do."""
    session = aiohttp.ClientSession(
        auth=aiohttp.BasicAuth(USER, TOKEN), connector=aiohttp.TCPConnector(limit=pool(in_flight))
    )
    async with session:

        async def call(index: int) -> str:
            async with session.post(f"{url}/EnviarSMS", json=body(index)) as answer:
                answer.raise_for_status()
                found = await answer.json()
            return str(found[0]["idMensaje"])

        yield pump(call, in_flight)


def bare_headers() -> dict[str, str]:
    credentials = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}


@asynccontextmanager
async def aiohttp_bare(url: str, in_flight: int) -> AsyncIterator[Drive]:
    """Send with as little work as aiohttp allows: orjson, headers made once, and no look at the status."""
    headers, target = bare_headers(), f"{url}/EnviarSMS"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=pool(in_flight))) as session:

        async def call(index: int) -> str:
            async with session.post(target, data=orjson.dumps(body(index)), headers=headers) as answer:
                found = orjson.loads(await answer.read())
            return str(found[0]["idMensaje"])

        yield pump(call, in_flight)


@asynccontextmanager
async def twilio(url: str, in_flight: int) -> AsyncIterator[Drive]:
    base: Any = library("twilio.http.async_http_client").AsyncTwilioHttpClient

    class Loopback(base):  # type: ignore[misc]  # a library without types here
        """HTTP client that sends to loopback. Twilio documents a client of your own as the way to another host."""

        async def request(self, method: str, url_there: str, *args: Any, **kwargs: Any) -> Any:
            path = url_there.removeprefix("https://api.twilio.com")
            return await super().request(method, f"{url}{path}", *args, **kwargs)

    http = Loopback()
    await http.session.close()
    http.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=pool(in_flight)))
    async with http:
        client = library("twilio.rest").Client("AC" + "0" * 32, TOKEN, http_client=http)

        async def call(index: int) -> str:
            message = await client.messages.create_async(to=number(index), from_="+34600000000", body=TEXT)
            return str(message.sid)

        yield pump(call, in_flight)


def _slack(*, shared: bool) -> Callable[[str, int], AbstractAsyncContextManager[Drive]]:
    @asynccontextmanager
    async def slack(url: str, in_flight: int) -> AsyncIterator[Drive]:
        web: Any = library("slack_sdk.web.async_client")
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=pool(in_flight)))
        async with session:
            client = web.AsyncWebClient(token=TOKEN, base_url=f"{url}/api/", session=session if shared else None)

            async def call(_index: int) -> str:
                answer = await client.chat_postMessage(channel="C0123456789", text=TEXT)
                return str(answer["ts"])

            yield pump(call, in_flight)

    return slack


@asynccontextmanager
async def aiogram(url: str, in_flight: int) -> AsyncIterator[Drive]:
    sessions: Any = library("aiogram.client.session.aiohttp")
    servers: Any = library("aiogram.client.telegram")
    server = servers.TelegramAPIServer.from_base(url)
    session = sessions.AiohttpSession(api=server, limit=pool(in_flight))
    async with library("aiogram").Bot(f"480032817:{'A' * 35}", session=session) as bot:

        async def call(index: int) -> str:
            return str((await bot.send_message(600_000_000 + index, TEXT)).message_id)

        yield pump(call, in_flight)


@asynccontextmanager
async def httpx(url: str, in_flight: int) -> AsyncIterator[Drive]:
    module: Any = library("httpx")
    # 20 idle connections are the default of httpx. With more, it looks at each of them for each request, which took
    # five times as long.
    limits = module.Limits(max_connections=pool(in_flight), max_keepalive_connections=20)
    async with module.AsyncClient(auth=(USER, TOKEN), limits=limits, timeout=60, trust_env=False) as client:

        async def call(index: int) -> str:
            answer = await client.post(f"{url}/EnviarSMS", json=body(index))
            answer.raise_for_status()
            return str(answer.json()[0]["idMensaje"])

        yield pump(call, in_flight)


@asynccontextmanager
async def telnyx(url: str, in_flight: int) -> AsyncIterator[Drive]:
    module: Any = library("telnyx")
    async with module.AsyncTelnyx(api_key=TOKEN, base_url=f"{url}/v2", timeout=60) as client:

        async def call(index: int) -> str:
            answer = await client.messages.send(to=number(index), from_="+34600000000", text=TEXT)
            return str(answer.data.id)

        yield pump(call, in_flight)


@asynccontextmanager
async def requests_threads(url: str, in_flight: int) -> AsyncIterator[Drive]:
    """Send from threads with a session for each, as requests does not promise that threads can share one."""
    module: Any = library("requests")
    kept = threading.local()
    sessions: list[Any] = []

    def post(index: int) -> None:
        session = getattr(kept, "session", None)
        if session is None:
            session = kept.session = module.Session()
            session.auth, session.trust_env = (USER, TOKEN), False
            sessions.append(session)
        answer = session.post(f"{url}/EnviarSMS", json=body(index), timeout=60)
        answer.raise_for_status()
        if not answer.json()[0]["idMensaje"]:
            raise AssertionError("no id in the answer")

    with ThreadPoolExecutor(in_flight) as threads:

        async def drive(count: int) -> None:
            for _ in threads.map(post, range(count)):
                pass

        yield drive
    for session in sessions:
        session.close()


CONTENDERS: Mapping[str, Contender] = {
    "mensasdk": Contender(ours, "mensatek_1"),
    "aiohttp, as usual": Contender(aiohttp_typical, "mensatek_1"),
    "aiohttp, bare": Contender(aiohttp_bare, "mensatek_1"),
    "slack-sdk": Contender(_slack(shared=True), "slack"),
    "slack-sdk, no session": Contender(_slack(shared=False), "slack"),
    "twilio": Contender(twilio, "twilio"),
    "aiogram": Contender(aiogram, "telegram"),
    "httpx": Contender(httpx, "mensatek_1"),
    "telnyx (httpx)": Contender(telnyx, "telnyx"),
    "requests, threads": Contender(requests_threads, "mensatek_1"),
}
