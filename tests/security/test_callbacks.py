"""Callbacks are not signed: what a forged, doubled or quoted one can do, and what it cannot."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import mensasdk.delivery
from mensasdk import DeliveryState, MensatekClient
from mensasdk.delivery import DeliveryReceiver
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.mensatek import DeliveryReport, ReceivedSms, parse_callback

from .canary import SECRET, listening, sings

pytestmark = pytest.mark.timeout(30)

Received = DeliveryReport | ReceivedSms
AUTH = ("canary", SECRET)
VENDORS = ["mensatek", "envia_sms", "enviatusms", "smsgateway24"]


def key(report: Received) -> tuple[object, ...]:
    """Return what the application would claim a report by, in one atomic INSERT."""
    assert isinstance(report, DeliveryReport)
    return (report.report_id, report.message_id, report.number, report.status, report.at)


async def test_a_callback_that_comes_again_has_the_same_key(box: Sandbox, mensatek: MensatekClient) -> None:
    """A replay cannot be told from a repetition; both are one row for who stores by the key."""
    got: list[Received] = []

    async def store(value: Received) -> None:
        got.append(value)

    async with DeliveryReceiver(parse_callback, store, user=AUTH[0], password=AUTH[1]).serve() as url:
        box.callbacks(url, vendor="mensatek", auth=AUTH)
        await mensatek.send_sms(["34600000000"], "Hola", report=True)
        await box.drain()
        first = list(got)
        assert first
        for form in ("json", "form", "multipart"):
            box.callbacks(url, vendor="mensatek", auth=AUTH, format=form)
            for report in first:
                assert isinstance(report, DeliveryReport)
                assert await box.post_callback("mensatek", report.raw)
    assert len(got) == 4 * len(first)
    assert {key(report) for report in got} == {key(report) for report in first}
    assert len({key(report) for report in first}) == len(first)


async def test_a_forged_report_sends_nothing(box: Sandbox, mensatek: MensatekClient) -> None:
    """Whatever it says, it is a value that says so; no message goes out because of it."""
    got: list[Received] = []

    async def store(value: Received) -> None:
        got.append(value)

    async with DeliveryReceiver(parse_callback, store, user=AUTH[0], password=AUTH[1]).serve() as url:
        box.callbacks(url, vendor="mensatek", auth=AUTH)
        await mensatek.send_sms(["34600000000"], "Hola", report=True)
        await box.drain()
        before = (len(box.ledger), box.ledger.request_count(), box.ledger.charged)
        [genuine, *_] = got
        for code in ("0", "5", "12", "99", "-1"):
            assert await box.post_callback("mensatek", {**genuine.raw, "Resultado": code, "Status": code})
    assert (len(box.ledger), box.ledger.request_count(), box.ledger.charged) == before
    last = got[-1]
    assert isinstance(last, DeliveryReport)
    assert isinstance(last.to_delivery().state, DeliveryState)


def test_the_receiver_has_no_way_to_send() -> None:
    """It imports no client and no sender, so that no callback can lead to one. The journal's room has only values."""
    for path in Path(mensasdk.delivery.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name for name in names if name.startswith("mensasdk")} <= {
                "mensasdk._lazy",
                "mensasdk.journal.protocol",
                "mensasdk.journal.reports",
                "mensasdk.delivery.aiohttp_app",
                "mensasdk.delivery.guard",
                "mensasdk.delivery.log",
                "mensasdk.errors",
                "mensasdk.messages",
            }


@pytest.mark.slow
async def test_neither_side_of_a_callback_logs_its_address_or_password(caplog: pytest.LogCaptureFixture) -> None:
    """A secret in the path, in the query or in the header: it is in no log, at DEBUG, whether it is right or wrong."""
    word = "kanarivogel-path"

    async def store(_: Received) -> None:
        raise ValueError(SECRET)

    async with listening(caplog) as cage:
        receiver = DeliveryReceiver(parse_callback, store, user=AUTH[0], password=AUTH[1], path_secret=word)
        async with receiver.serve() as url, Sandbox() as box, aiohttp.ClientSession() as session:
            for path in (word, f"{word}?token={word}", f"x-{word}", ""):
                box.callbacks(url + path, vendor="mensatek", auth=AUTH)
                await box.incoming("mensatek", "34611111111", f"Hola {word}")
            async with session.get(f"{box.base_url('mensatek')}/EnviarSMS?token={word}") as answer:
                assert answer.status == 405
            async with session.get(f"http://127.0.0.1:{box.port}/{word}?token={word}") as answer:
                assert answer.status == 404
            # Bytes that are no HTTP at all: servers like to log those as they came.
            for port in (box.port, int(url.rstrip("/").rpartition(":")[2])):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"{word} {word} {word}\r\n\r\n".encode())
                await reader.read()
                writer.close()
            shown = f"{receiver!r} {box!r}"
    assert cage.records
    assert not [text for text in cage.texts() if sings(text)]
    assert not sings(shown)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/x",
        "https://example.com/x",
        "http://127.0.0.1.example.com/x",
        "http://127.0.0.1@example.com/x",
        "http://example.com#@127.0.0.1/x",
        "http://[::ffff:192.0.2.1]/x",
        "http://2130706433.example/x",
        "file:///etc/passwd",
        "//example.com",
        "",
    ],
)
async def test_the_sandbox_calls_nobody_beyond_the_loopback(box: Sandbox, vendor: str, url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        box.callbacks(url, vendor=vendor)


@pytest.mark.slow
async def test_the_sandbox_is_not_led_elsewhere_by_a_redirect(box: Sandbox) -> None:
    taken: list[Any] = []

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    elsewhere = await asyncio.start_server(accept, "127.0.0.1", 0)

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        port = elsewhere.sockets[0].getsockname()[1]
        writer.write(f"HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    receiver = await asyncio.start_server(redirect, "127.0.0.1", 0)
    async with elsewhere, receiver:
        box.callbacks(f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/", vendor="mensatek", auth=AUTH)
        assert not await box.incoming("mensatek", "34611111111", "Hola")
    assert taken == []


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "169.254.169.254", ""])
async def test_a_page_that_rebinds_its_name_reaches_no_vendor_of_the_sandbox(
    box: Sandbox, vendor: str, host: str
) -> None:
    path = box.base_url(vendor).partition(f":{box.port}")[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
    writer.write(f"POST {path}/x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b"X-Mensasdk-Sandbox: 1" in answer
    assert box.ledger.request_count() == 0
