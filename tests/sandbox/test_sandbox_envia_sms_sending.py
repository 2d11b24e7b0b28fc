"""send with the emulated envia-sms.com: templates, prices, the duplicate filter and the test mode."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from mensasdk.sandbox import EnviaSms, Sandbox
from mensasdk.sandbox.envia_sms import Account, Country, Template
from sandbox.envia_sms_caller import NUMBER, SEND, Gateway, ahead


async def test_a_message_is_sent_charged_and_in_the_ledger(envia: Gateway) -> None:
    """The document's example, with its template."""
    response = await envia.done(
        "send", plantilla="01", var_codigo_verificacion="123456", var_empresa="API SMS", numero=NUMBER
    )
    message_id = response["identificador"]["0"]
    assert response == {
        "mensaje": "Mensaje enviado correctamente",
        "mensaje_enviado": "123456 es tu codigo de verificacion de API SMS.",
        "numero": "525589520028",
        "fecha_programada": None,
        "identificador": {"0": message_id},
    }
    assert len(message_id) == 13
    int(message_id, 16)
    [message] = envia.box.ledger.messages
    assert (message.vendor, message.message_id, message.report_id) == ("envia_sms", message_id, message_id)
    assert (message.number, message.text) == ("525589520028", response["mensaje_enviado"])
    assert (message.parts, message.credits, message.state) == (1, Decimal("0.5"), "sent")
    assert envia.vendor.account.credits == Decimal("99999.5")
    [request] = envia.box.ledger.requests
    assert (request.function, request.method, request.outcome, request.n_accepted) == ("send", "GET", "0", 1)
    assert request.path == "/envia_sms/api/sms/send"


async def test_the_envelope_of_a_send_is_that_of_its_sample(envia: Gateway) -> None:
    envelope = await envia.call("send", **SEND)
    assert list(envelope) == ["error", "codigo_error", "mensaje_error", "response"]
    assert (envelope["error"], envelope["codigo_error"], envelope["mensaje_error"]) == (False, "", "")
    refusal = await envia.call("send")
    assert (refusal["error"], refusal["codigo_error"], refusal["response"]) == (True, "103", None)
    assert refusal["mensaje_error"] == "No se recibió el número de destino"


async def test_slashes_come_escaped_and_accents_do_not(envia: Gateway) -> None:
    answer = await envia.ask("send", **{**SEND, "var_mensaje": "a/b ñ"})
    assert rb'"a\/b ' + "ñ".encode() in answer.body
    assert answer.content_type == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_everything_is_by_get(envia: Gateway, method: str) -> None:
    async with envia.session.request(method, envia.url("send", "")) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET")
    assert len(envia.box.ledger) == 0


async def test_a_comma_may_be_escaped_and_two_slashes_are_taken(envia: Gateway) -> None:
    query = f"plantilla=02&var_mensaje=Hola%20a%20todos&token={envia.token}&numero="
    assert (await envia.get("send", query + "52,5589520028")).status == 200
    assert (await envia.get("/send", query + "52%2C5589520029")).status == 200
    assert (await envia.get("//send", query)).status == 404
    assert sorted(envia.box.ledger.numbers()) == ["525589520028", "525589520029"]
    assert envia.box.ledger.messages[0].text == "Hola a todos"


async def test_variables_that_the_template_does_not_have_are_ignored(envia: Gateway) -> None:
    envia.vendor.account.templates["9"] = Template("Sin variables")
    response = await envia.done("send", numero=NUMBER, plantilla="9", var_mensaje="nada", cosa="x")
    assert response["mensaje_enviado"] == "Sin variables"


async def test_a_value_is_not_looked_at_for_variables(envia: Gateway) -> None:
    values = {"var_codigo_verificacion": "{empresa}", "var_empresa": "{codigo_verificacion}"}
    response = await envia.done("send", numero=NUMBER, plantilla="01", **values)
    assert response["mensaje_enviado"] == "{empresa} es tu codigo de verificacion de {codigo_verificacion}."


def test_a_template_names_its_own_variables() -> None:
    template = Template("Hola {a}, ve a {b}", urls=["b"])
    assert sorted(template.names) == ["a", "b"]
    assert list(template.urls) == ["b"]
    with pytest.raises(ValueError, match="no variable c"):
        Template("Hola {a}", urls={"c"})


@pytest.mark.parametrize(
    ("plan", "prices"),
    [
        ("gratis", ["0.5", "1.5", "1.5"]),
        ("inicio", ["0.47", "1.44", "1.43"]),
        ("basico", ["0.45", "1.42", "1.41"]),
        ("intermedio", ["0.43", "1.4", "1.39"]),
        ("profesional", ["0.41", "1.38", "1.37"]),
    ],
)
async def test_the_price_is_that_of_country_and_plan(envia: Gateway, plan: Any, prices: list[str]) -> None:
    envia.vendor.account.plan = plan
    for numero in ("52,5589520028", "33,612345678", "34,612345678"):
        await envia.send(numero=numero)
    assert [message.credits for message in envia.box.ledger.messages] == [Decimal(price) for price in prices]
    assert envia.box.ledger.charged == 100_000 - envia.vendor.account.credits


async def test_a_country_can_be_added(envia: Gateway) -> None:
    envia.vendor.account.countries["1"] = Country("US", "Estados Unidos", "1", (Decimal(2),) * 5)
    await envia.send(numero="1,2125551234")
    assert envia.box.ledger.messages[0].credits == 2


@pytest.mark.parametrize(("length", "parts"), [(1, 1), (70, 1), (71, 2), (140, 2), (141, 3), (500, 8)])
async def test_every_seventy_ucs2_characters_are_a_message(envia: Gateway, length: int, parts: int) -> None:
    await envia.send(ucs2="1", var_mensaje="Я" * length)
    [message] = envia.box.ledger.messages
    assert (message.parts, message.credits) == (parts, parts * Decimal("0.5"))


async def test_ucs2_counts_by_seventy_even_what_gsm_could_carry(envia: Gateway) -> None:
    await envia.send(ucs2="1", var_mensaje="a" * 71)
    await envia.send(ucs2="0", var_mensaje="b" * 160)
    assert [message.parts for message in envia.box.ledger.messages] == [2, 1]


@pytest.mark.parametrize(("text", "fits"), [("a" * 160, True), ("a" * 161, False), ("€" * 80, True), ("€" * 81, False)])
async def test_the_limit_of_160_is_in_septets(envia: Gateway, text: str, fits: bool) -> None:
    if fits:
        await envia.send(var_mensaje=text)
    else:
        assert await envia.refused("send", **{**SEND, "var_mensaje": text}) == "124"


LINK = {"plantilla": "0000", "var_usuario": "MW", "var_url": "http://aquivaunaurlmuylarga.com/masdatos/index.html"}


async def test_links_are_shortened_where_the_account_may(envia: Gateway) -> None:
    envia.vendor.account.short_links = True
    response = await envia.done("send", numero=NUMBER, **LINK, short_link="1")
    text = response["mensaje_enviado"]
    assert text.startswith("Hola MW, tienes una increible promo, solo entra a esta https://miurl.link/r/")
    assert envia.box.ledger.messages[0].text == text


@pytest.mark.parametrize(("allowed", "asked"), [(False, "1"), (True, "0"), (True, "")])
async def test_otherwise_the_long_link_goes_out_without_a_word(envia: Gateway, allowed: bool, asked: str) -> None:
    envia.vendor.account.short_links = allowed
    response = await envia.done("send", numero=NUMBER, **LINK, short_link=asked)
    assert response["mensaje_enviado"].endswith(LINK["var_url"])


# ---------------------------------------------------------------- the duplicate filter


async def test_a_duplicate_within_the_hour_is_answered_like_a_message_and_dropped(envia: Gateway) -> None:
    first, second = await envia.send(), await envia.send()
    assert first != second
    ledger = envia.box.ledger
    assert len(ledger) == len(ledger.messages) == 1
    assert ledger.charged == Decimal("0.5") == 100_000 - envia.vendor.account.credits
    assert [request.n_accepted for request in ledger.requests] == [1, 0]
    assert await envia.status(first) == ("Entregado", [])
    assert await envia.status(second) == ("Error", ["Mensaje_duplicado"])


async def test_duplicado_lets_the_same_message_through(envia: Gateway) -> None:
    for duplicado in ("1", "1", "0", "x"):
        await envia.send(duplicado=duplicado)
    assert len(envia.box.ledger) == 2


async def test_another_text_or_number_is_no_duplicate(envia: Gateway) -> None:
    await envia.send()
    await envia.send(var_mensaje="Hola.")
    await envia.send(numero="52,5589520029")
    assert len(envia.box.ledger) == 3


async def test_the_filter_ends_with_its_window(envia: Gateway) -> None:
    message_id = await envia.send()
    envia.vendor.account.duplicate_window = 0.01
    await asyncio.sleep(0.011)
    await envia.send()
    assert len(envia.box.ledger) == 2
    assert message_id


async def test_messages_that_go_out_more_than_an_hour_apart_are_no_duplicates(envia: Gateway) -> None:
    await envia.send()
    await envia.send(fecha_programar=ahead(3700))
    await envia.send(fecha_programar=ahead(3650))
    await envia.send()
    assert [message.state for message in envia.box.ledger.messages] == ["sent", "scheduled"]


async def test_a_cancelled_message_has_no_duplicates(envia: Gateway) -> None:
    message_id = await envia.send(fecha_programar=ahead())
    await envia.done("send_cancel", tipo="cancel", identificador=message_id)
    await envia.send(fecha_programar=ahead())
    assert [message.state for message in envia.box.ledger.messages] == ["cancelled", "scheduled"]


async def test_a_dropped_message_does_not_prolong_the_window(envia: Gateway) -> None:
    """Only what went out counts: of three, 40 minutes apart, the second is dropped and the third goes out."""
    for _ in range(3):
        for sms in envia.vendor.store:
            sms.at -= timedelta(minutes=40)
        await envia.send()
    assert [request.n_accepted for request in envia.box.ledger.requests] == [1, 0, 1]


async def test_the_same_link_is_a_duplicate_short_or_long(envia: Gateway) -> None:
    envia.vendor.account.short_links = True
    await envia.send(**LINK, short_link="1")
    await envia.send(**LINK)
    assert len(envia.box.ledger) == 1


async def test_a_dropped_duplicate_needs_no_credits(envia: Gateway) -> None:
    envia.vendor.account.credits = Decimal("0.5")
    await envia.send()
    await envia.send()
    assert await envia.refused("send", **SEND, duplicado="1") == "05"


# ---------------------------------------------------------------- the test mode


async def test_the_test_mode_answers_and_charges_nothing(envia: Gateway) -> None:
    envia.vendor.account.credits = Decimal(0)
    response = await envia.done("send", **SEND, token=f"pruebas_{envia.token}")
    assert response["mensaje"] == "Mensaje enviado correctamente"
    assert len(envia.box.ledger) == envia.box.ledger.charged == 0
    assert await envia.status(response["identificador"]["0"]) == ("Modo pruebas", [])
    assert (await envia.done("creditos_disponibles", token=f"pruebas_{envia.token}")) == {"creditos_disponibles": "0"}


async def test_the_test_mode_and_the_duplicate_filter_leave_each_other_alone(envia: Gateway) -> None:
    test = f"pruebas_{envia.token}"
    await envia.done("send", **SEND, token=test)
    message_id = await envia.send()
    assert len(envia.box.ledger) == 1
    await envia.done("send", **SEND, token=test)
    shown = await envia.done("status_message", identificador=message_id, numero=NUMBER, token=test)
    assert shown["status"] == "Modo pruebas"
    assert await envia.status(message_id) == ("Entregado", [])


# ---------------------------------------------------------------- the rest


async def test_countries_cost_a_credit_and_no_message(envia: Gateway) -> None:
    envelope = await envia.call("paises")
    assert [envelope[key] for key in ("error", "codigo_error", "mensaje_error")] == [False, "", ""]
    mexico, france, spain = envelope["response"]
    assert mexico == {
        "codigo_pais": "MX",
        "nombre_pais": "México",
        "prefijo": "52",
        "precio_gratis": "0.5",
        "precio_inicio": "0.47",
        "precio_basico": "0.45",
        "precio_intermedio": "0.43",
        "precio_profesional": "0.41",
    }
    assert (france["prefijo"], france["precio_intermedio"], spain["precio_profesional"]) == ("33", "1.4", "1.37")
    assert len(envia.box.ledger) == 0
    assert envia.box.ledger.charged == 1
    assert envia.vendor.account.credits == 99_999


@pytest.mark.parametrize(
    ("credits_left", "written"), [("9999", "9999"), ("1E+5", "100000"), ("0.50", "0.5"), ("12.34", "12.34"), ("0", "0")]
)
async def test_credits_are_text(envia: Gateway, credits_left: str, written: str) -> None:
    envia.vendor.account.credits = Decimal(credits_left)
    assert await envia.call("creditos_disponibles") == {
        "error": False,
        "code_error": 0,
        "error_message": None,
        "response": {"creditos_disponibles": written},
    }


async def test_the_account_may_be_given() -> None:
    vendor = EnviaSms(account=Account(token="t"))
    async with Sandbox(envia_sms=vendor) as box:
        assert box.envia_sms is vendor
        assert box.credentials("envia_sms") == {"token": "t"}
        assert box.base_url("envia_sms") == f"http://127.0.0.1:{box.port}/envia_sms/api/sms"


async def test_without_messages_kept_memory_is_flat() -> None:
    """Scheduled messages and all keys of the duplicate filter included."""
    vendor = EnviaSms(retention=10)
    async with Sandbox(keep_messages=False, envia_sms=vendor) as box, aiohttp.ClientSession() as session:
        envia = Gateway(box, session)
        for n in range(50):
            dated = {"fecha_programar": ahead()} if n % 2 else {}
            await envia.send(numero=f"52,55{n:08}", **dated)
        assert len(box.ledger) == 50
        assert not box.ledger.messages
        assert not box.ledger.requests
    assert len(vendor.store) == len(vendor.store._by_key) == 10
    assert len(vendor.store.pending()) == len(vendor.store._scheduled) == 5
