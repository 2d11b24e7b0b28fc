"""Scheduling, send_cancel and status_message with the emulated envia-sms.com."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest

from mensasdk.sandbox import Sandbox
from sandbox.envia_sms_caller import NUMBER, SEND, Gateway, ahead


async def test_a_date_is_utc_minus_five(envia: Gateway) -> None:
    response = await envia.done("send", **SEND, fecha_programar="2199-01-01 20:30:05")
    assert response["fecha_programada"] == "2199-01-01 20:30:05"
    [message] = envia.box.ledger.messages
    assert message.scheduled_at == datetime(2199, 1, 2, 1, 30, 5, tzinfo=UTC)
    assert (message.state, message.credits) == ("scheduled", Decimal("0.5"))


async def test_an_empty_date_is_none(envia: Gateway) -> None:
    assert (await envia.done("send", **SEND, fecha_programar=""))["fecha_programada"] is None


async def test_cancelling_gives_the_credits_back(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar=ahead())
    other = await envia.send(fecha_programar=ahead(), var_mensaje="otro")
    assert await envia.call("send_cancel", tipo="cancel", identificador=message_id) == {
        "error": False,
        "error_code": "0",
        "error_message": "",
        "response": {"message": "Acción realizada"},
    }
    assert [message.state for message in envia.box.ledger.messages] == ["cancelled", "scheduled"]
    assert (envia.box.ledger.charged, envia.box.ledger.refunded) == (Decimal(1), Decimal("0.5"))
    assert envia.vendor.account.credits == Decimal("99999.5")
    for tipo in ("cancel", "send"):
        assert await envia.refused("send_cancel", tipo=tipo, identificador=message_id) == "304"
    assert await envia.refused("status_message", identificador=message_id, numero=NUMBER) == "602"
    assert await envia.status(other) == ("Procesando", [])
    assert len(envia.box.ledger) == 2, "cancelling does not lower the count"


async def test_sending_now(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar=ahead())
    assert await envia.status(message_id) == ("Procesando", [])
    await envia.done("send_cancel", tipo="send", identificador=message_id)
    assert await envia.status(message_id) == ("Entregado", [])
    [message] = envia.box.ledger.messages
    assert (message.state, message.scheduled_at) == ("sent", None)
    assert (envia.box.ledger.charged, envia.box.ledger.refunded) == (Decimal("0.5"), Decimal(0))
    assert await envia.refused("send_cancel", tipo="cancel", identificador=message_id) == "304"


@pytest.mark.parametrize(("tipo", "state"), [("cancel", "cancelled"), ("send", "sent")])
async def test_a_star_is_all_that_wait_and_nothing_else(envia: Gateway, tipo: str, state: str) -> None:
    await envia.send(var_mensaje="ya")
    due = await envia.send(var_mensaje="casi", fecha_programar=ahead())
    envia.age(due, 0)
    for n in range(3):
        await envia.send(var_mensaje=f"luego {n}", fecha_programar=ahead())
    await envia.done("send_cancel", tipo=tipo, identificador="*")
    states = [message.state for message in envia.box.ledger.messages]
    assert states == ["sent", "scheduled", state, state, state]
    assert envia.box.ledger.refunded == (Decimal("1.5") if tipo == "cancel" else 0)
    assert await envia.refused("send_cancel", tipo=tipo, identificador="*") == "304"


async def test_the_test_mode_cancels_nothing(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar=ahead())
    for identificador in (message_id, "*"):
        for tipo in ("cancel", "send"):
            answer = await envia.ask(
                "send_cancel", tipo=tipo, identificador=identificador, token=f"pruebas_{envia.token}"
            )
            assert json.loads(answer.body)["response"] == {"message": "Acción realizada"}
    assert envia.box.ledger.messages[0].state == "scheduled"
    assert await envia.status(message_id) == ("Procesando", [])


async def test_the_documents_double_slash(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar=ahead())
    answer = await envia.get("/send_cancel", f"tipo=cancel&identificador={message_id}&token={envia.token}")
    assert answer.status == 200
    assert envia.box.ledger.messages[0].state == "cancelled"


# ---------------------------------------------------------------- status


async def test_a_status_is_as_the_sample_shows(envia: Gateway) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    message_id = await envia.send()
    envelope = await envia.call("status_message", identificador=message_id, numero=NUMBER)
    assert [envelope[key] for key in ("error", "error_code", "error_message")] == [False, "0", ""]
    response = envelope["response"]
    date = datetime.strptime(response.pop("date"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) + timedelta(hours=5)
    assert before <= date <= datetime.now(UTC)
    assert response == {
        "number": "525589520028",
        "status": "Entregado",
        "description": [],
        "identificador": message_id,
    }


async def test_a_scheduled_messages_date_is_that_of_its_schedule(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar="2199-01-01 20:30:05")
    shown = await envia.done("status_message", identificador=message_id, numero=NUMBER)
    assert (shown["status"], shown["date"]) == ("Procesando", "2199-01-01 20:30:05")


@pytest.mark.parametrize(
    ("ending", "states"),
    [
        ("28", ["Procesando", "Entregado_GSM", "Entregado_operador", "Entregado"]),
        ("91", ["Procesando", "Procesando", "Procesando", "Procesando"]),
        ("93", ["Procesando", "Entregado_GSM", "Entregado_GSM", "Entregado_GSM"]),
        ("94", ["Procesando", "Entregado_GSM", "Entregado_operador", "Entregado_operador"]),
        ("95", ["Procesando", "Entregado_GSM", "Entregado_operador", "Error Mensaje_rechazado"]),
        ("96", ["Procesando", "Entregado_GSM", "Entregado_operador", "Error Mensaje_expirado"]),
        ("97", ["Procesando", "Entregado_GSM", "Entregado_operador", "Error Mensaje_duplicado"]),
        ("98", ["Procesando", "Entregado_GSM", "Entregado_operador", "Error No_entregado"]),
    ],
)
async def test_the_last_two_digits_choose_what_becomes_of_a_message(ending: str, states: list[str]) -> None:
    """One look in each third of the delivery delay, on a compressed time scale, and one after it."""
    numero = f"52,55895200{ending}"
    async with Sandbox(delivery_delay=30_000, time_scale=0.01) as box, aiohttp.ClientSession() as session:
        envia = Gateway(box, session)
        message_id = await envia.send(numero=numero)
        seen = []
        for seconds in (50, 150, 250, 350):
            envia.age(message_id, seconds)
            status, description = await envia.status(message_id, numero)
            seen.append(" ".join([status, *description]))
    assert seen == states


async def test_the_time_scale_brings_schedules_closer() -> None:
    async with Sandbox(time_scale=0) as box, aiohttp.ClientSession() as session:
        envia = Gateway(box, session)
        message_id = await envia.send(fecha_programar="2199-01-01 00:00:00")
        assert await envia.status(message_id) == ("Entregado", [])
        assert await envia.refused("send_cancel", tipo="cancel", identificador=message_id) == "304"
        await envia.send(fecha_programar="2199-01-01 00:00:00")
        assert len(box.ledger) == 1, "the duplicate filter keeps its hour"
