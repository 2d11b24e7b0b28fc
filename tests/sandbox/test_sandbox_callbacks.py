"""Delivery reports and received messages, posted to a receiver of the test's own."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mensasdk.sandbox import Sandbox
from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.mensatek.posting import Posting
from sandbox.caller import Caller, receiving


class Receiver:
    """Keeps what it gets; answers with the statuses given, the last one for ever."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses = [200]
        self.location: str | None = None
        self.url = ""
        self.at_once = 0
        self.most_at_once = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if request.content_type == "application/json":
                fields = await request.json()
            else:
                fields = dict(await request.post())
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        self.got.append(fields)
        self.headers.append(dict(request.headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=status, headers=headers)

    def states(self, number: str) -> list[str]:
        return [fields["Resultado"] for fields in self.got if fields["Movil"] == number]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with receiving(receiver.handle) as receiver.url:
        yield receiver


async def test_each_recipient_gets_each_state_in_order(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    answer = await caller.send("34600000000", "34600000050", "600", Report=1, Referenciausuario="r-1")
    await caller.box.drain()
    assert receiver.states("34600000000") == ["0", "11"]
    assert receiver.states("34600000050") == ["0", "50"]
    assert len(receiver.got) == caller.box.ledger.callbacks_delivered == 4
    fields = receiver.got[0]
    assert fields.keys() == {
        "Servicio", "Resultado", "Remitente", "Movil", "Fecha", "Segundos", "idMensaje", "Referencia", "idReport"
    }  # fmt: skip
    assert (fields["Servicio"], fields["Remitente"], fields["Referencia"]) == ("SMSMASIVO", "YO", "r-1")
    assert fields["idMensaje"] == str(answer["idMensaje"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields["Fecha"])
    assert {fields["idReport"] for fields in receiver.got} == {m.report_id for m in caller.box.ledger.messages}


async def test_only_a_send_with_report_is_reported(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    await caller.send("34600000000")
    await caller.send("34600000000", Report="0")
    await caller.box.drain()
    assert receiver.got == []


@pytest.mark.parametrize(
    ("form", "content_type"),
    [("json", "application/json"), ("form", "application/x-www-form-urlencoded"), ("multipart", "multipart/form-data")],
)
async def test_formats_and_basic_auth(receiver: Receiver, form: Any, content_type: str) -> None:
    """Every format carries the same fields as strings; the password goes out in UTF-8."""
    box = Sandbox()
    box.callbacks(receiver.url, vendor="mensatek", auth=("yo", "contraseña"), format=form)
    async with box, aiohttp.ClientSession() as session:
        await Caller(box, session).send("34600000000", Report=1, Referenciausuario="número & más=1")
        await box.drain()
    first, last = receiver.got
    assert (first["Resultado"], last["Resultado"]) == ("0", "11")
    assert first["Referencia"] == "número & más=1"
    assert receiver.headers[0]["Content-Type"].startswith(content_type)
    assert base64.b64decode(receiver.headers[0]["Authorization"].removeprefix("Basic ")).decode() == "yo:contraseña"


async def test_an_unhappy_receiver_is_asked_again(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [500, 401, 302, 200]
    receiver.location = receiver.url
    caller.box.callbacks(receiver.url, vendor="mensatek")
    await caller.send("34600000000", Report=1)
    await caller.box.drain()
    assert receiver.states("34600000000") == ["0", "0", "0", "0", "11"]
    ledger = caller.box.ledger
    assert (ledger.callbacks_delivered, ledger.callbacks_failed, ledger.callback_attempts) == (2, 0, 5)


@pytest.mark.slow
async def test_a_receiver_that_is_not_there_is_given_up(caller: Caller) -> None:
    caller.box.callbacks("http://127.0.0.1:1/", vendor="mensatek")
    await caller.send("34600000000", Report=1)
    await caller.box.drain()
    assert (caller.box.ledger.callbacks_delivered, caller.box.ledger.callbacks_failed) == (0, 2)


async def test_many_callbacks_go_out_at_most_32_at_a_time(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    await caller.send(*(str(34600000000 + n * 100) for n in range(300)), Report=1)
    await caller.box.drain()
    assert caller.box.ledger.callbacks_delivered == 600
    assert 1 < receiver.most_at_once <= 32


async def test_a_delivery_delay_is_waited_for(receiver: Receiver) -> None:
    box = Sandbox(delivery_delay=60, time_scale=0.001)
    box.callbacks(receiver.url, vendor="mensatek")
    async with box, aiohttp.ClientSession() as session:
        await Caller(box, session).send("34600000000", Report=1)
        await box.drain()
    assert receiver.states("34600000000") == ["0", "11"]
    assert [fields["Segundos"] for fields in receiver.got] == ["0", "60"]


async def test_a_scheduled_message_is_reported_so_and_drain_does_not_wait_for_it(
    caller: Caller, receiver: Receiver
) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    message_id = (await caller.send("34600000000", Report=1, Fecha="2199-07-01 15:10"))["idMensaje"]
    await caller.box.drain()
    assert receiver.states("34600000000") == ["1"]
    await caller.call("ReprogramarSMS", Idmensaje=message_id, Fecha="2199-07-02 15:10")
    await caller.box.drain()
    assert receiver.states("34600000000") == ["1", "1"]


async def test_a_scheduled_message_is_delivered_on_the_boxs_time_scale(receiver: Receiver) -> None:
    async with Sandbox(time_scale=0) as box, aiohttp.ClientSession() as session:
        box.callbacks(receiver.url, vendor="mensatek")
        await Caller(box, session).send("34600000000", Report=1, Fecha="2199-07-01 15:10")
        await box.drain()
    assert receiver.states("34600000000") == ["1", "0", "11"]
    assert receiver.got[-1]["Fecha"] == "2199-07-01 15:10:00"


async def test_a_cancelled_or_moved_message_is_not_delivered_on_its_old_date(
    caller: Caller, receiver: Receiver
) -> None:
    """The task that waits for the old date finds that it is over when the date comes."""
    caller.box.callbacks(receiver.url, vendor="mensatek")
    for function in ("CancelarSMS", "ReprogramarSMS"):
        message_id = (await caller.send("34600000000", Report=1, Fecha="2199-07-01 15:10"))["idMensaje"]
        [send] = caller.box.mensatek.groups[message_id].sends
        waiting = Posting(caller.box.mensatek, send)
        assert waiting.callback(0, 1).fields is not None
        assert (await caller.call(function, Idmensaje=message_id, Fecha="2199-07-02 15:10"))["Res"] == 1
        assert waiting.callback(0, 1) == Step(None)


async def test_callbacks_may_be_switched_off_again(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    caller.box.callbacks(None, vendor="mensatek")
    await caller.send("34600000000", Report=1)
    await caller.box.drain()
    assert receiver.got == []


async def test_a_received_message_is_posted_with_the_documented_fields(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    message_id = str((await caller.send("34600000000", Referenciausuario="r-1"))["idMensaje"])
    at = datetime(2022, 10, 3, 11, 12, 9, tzinfo=UTC)
    assert await caller.box.incoming(
        "mensatek", "34600000000", "Sí, ¡vale!", to="34700000000", reply_to=message_id, at=at
    )
    [fields] = receiver.got
    assert fields == {
        "Servicio": "SMSRECIBIDO",
        "timestamp": "1664795529",
        "Fecha": "2022-10-03 13:12:09",
        "Movil": "34700000000",
        "Remitente": "34600000000",
        "Mensaje": "Sí, ¡vale!",
        "idR": caller.box.ledger.messages[0].report_id,
        "idM": message_id,
        "EsCert": "false",
        "Referencia": "r-1",
    }
    assert await caller.box.incoming("mensatek", "34600000000", "hola")
    assert (receiver.got[1]["idM"], receiver.got[1]["Referencia"]) == ("0", "")


@pytest.mark.slow
async def test_any_callback_may_be_posted_and_a_refusal_is_told(caller: Caller, receiver: Receiver) -> None:
    caller.box.callbacks(receiver.url, vendor="mensatek")
    assert await caller.box.post_callback("mensatek", {"Servicio": "SMSMASIVO", "idMensaje": "999"})
    receiver.statuses = [403]
    assert not await caller.box.post_callback("mensatek", {"Servicio": "OTRO"})


async def test_posting_without_an_address_is_an_error(caller: Caller) -> None:
    with pytest.raises(RuntimeError, match="no callback address"):
        await caller.box.incoming("mensatek", "34600000000", "hola")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
        "http://user:pass@127.0.0.1/",
        "http://127.0.0.1@example.com/",
        "ftp://127.0.0.1/",
        "http:///x",
        "127.0.0.1",
    ],
)
async def test_callbacks_go_to_the_loopback_only(box: Sandbox, url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        box.callbacks(url, vendor="mensatek")


@pytest.mark.parametrize("url", ["http://localhost:1/x", "https://127.0.0.2/", "http://[::1]:8000/"])
async def test_every_loopback_address_is_taken(box: Sandbox, url: str) -> None:
    box.callbacks(url, vendor="mensatek")


async def test_closing_the_box_drops_what_waits_and_leaves_no_task(receiver: Receiver) -> None:
    tasks = asyncio.all_tasks()
    box = Sandbox(delivery_delay=3600)
    box.callbacks(receiver.url, vendor="mensatek", auth=("yo", "canario"))
    async with box, aiohttp.ClientSession() as session:
        await Caller(box, session).send(*(str(34600000000 + n) for n in range(50)), Report=1)
        assert "canario" not in repr(vars(box)) + repr(vars(box._callbacks))
    assert {fields["Resultado"] for fields in receiver.got} <= {"0"}
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks <= {task for task in asyncio.all_tasks() if "RequestHandler" in repr(task)}
