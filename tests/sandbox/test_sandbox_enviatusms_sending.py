"""The emulated EnvíaTuSMS: sms-multi and sms-costo, numbers, texts and money."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from mensasdk.sandbox import EnviaTuSms, Sandbox
from mensasdk.sandbox.enviatusms import Account, Quirks
from sandbox.enviatusms_caller import SEND, Gateway

TO_SOME = "Mensaje enviado con exito. Numeros invalidos ignorados."
MOVISTAR, DIGITEL, MOVILNET = Decimal("0.045"), Decimal("0.0225"), Decimal("0.09")


# ---------------------------------------------------------------------- the document's samples


async def test_one_text_for_all(tusms: Gateway) -> None:
    answer = await tusms.call("sms-multi", **SEND)
    assert answer == {"status": "ok", "id": answer["id"], "msg": "Mensaje enviado con exito.", "ignored": []}
    assert type(answer["id"]) is int
    first, second = tusms.box.ledger.messages
    assert (first.number, first.text, first.credits) == ("584265461179", "Mensaje de prueba", MOVILNET)
    assert (second.number, second.text, second.credits) == ("584244623824", "Mensaje de prueba", MOVISTAR)
    assert first.message_id == second.message_id == str(answer["id"])
    assert first.report_id != second.report_id
    assert {(m.vendor, m.parts, m.state, m.sender, m.reference) for m in (first, second)} == {
        ("enviatusms", 1, "sent", "", "")
    }
    assert first.at.tzinfo is not None
    assert first.scheduled_at is None


async def test_a_text_for_each(tusms: Gateway) -> None:
    answer = await tusms.send(*SEND["numeros"], texto=["Mensaje de prueba 0426", "Mensaje de prueba 0424"])
    assert [(m.number, m.text) for m in tusms.box.ledger.messages] == [
        ("584265461179", "Mensaje de prueba 0426"),
        ("584244623824", "Mensaje de prueba 0424"),
    ]
    assert (await tusms.call(f"campaign/{answer['id']}"))["message_text"] == "Mensaje de prueba 0426"


async def test_the_request_is_in_the_ledger_as_it_was_sent(tusms: Gateway) -> None:
    await tusms.call("sms-multi", **SEND)
    [request] = tusms.box.ledger.requests
    assert request.params == SEND
    assert (request.vendor, request.function, request.method) == ("enviatusms", "sms-multi", "POST")
    assert (request.outcome, request.n_accepted) == ("ok", 2)


@pytest.mark.parametrize(
    "header", ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "x"]
)
async def test_the_body_is_json_whatever_its_header_says(tusms: Gateway, header: str) -> None:
    """The document's PHP helper loses the header."""
    body = json.dumps(SEND).encode()
    answer = await tusms.request(
        "POST", "sms-multi", f"api_key={tusms.key}", data=body, headers={"Content-Type": header}
    )
    assert json.loads(answer.body)["status"] == "ok"
    assert len(tusms.box.ledger) == 2


async def test_a_repeated_call_makes_another_campaign(tusms: Gateway) -> None:
    first, second = await tusms.send("04121234567"), await tusms.send("04121234567")
    assert first["id"] != second["id"]
    assert len(tusms.box.ledger) == 2


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize("prefix", ["412", "414", "416", "422", "424", "426"])
@pytest.mark.parametrize("front", ["58", "0", "", "+58", "+0", "+"])
async def test_every_known_form_of_a_number_is_taken(tusms: Gateway, prefix: str, front: str) -> None:
    assert (await tusms.send(f"{front}{prefix}1234567"))["ignored"] == []
    assert tusms.box.ledger.messages[0].number == f"58{prefix}1234567"


async def test_a_number_may_be_an_integer(tusms: Gateway) -> None:
    assert (await tusms.send(4241234567, 584241234568))["ignored"] == []
    assert [message.number for message in tusms.box.ledger.messages] == ["584241234567", "584241234568"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("581234567896", "581234567896"),  # both as in the sample
        ("58123456789", "58123456789"),
        ("0123456789", "58123456789"),
        ("1234567896", "581234567896"),
        ("04101234567", "584101234567"),
        ("02121234567", "582121234567"),
        ("584241234", "58584241234"),
        ("5842412345678", "5842412345678"),
        ("0424-1234567", "58424-1234567"),
        ("424 1234567", "58424 1234567"),
        ("+34600000000", "5834600000000"),
        ("424123456\u0667", "58424123456\u0667"),
        ("++584241234567", "58+584241234567"),
        ("abc", "58abc"),
        ("", "58"),
        ("04241234567\n", "584241234567\n"),
    ],
)
async def test_other_numbers_are_ignored_and_not_charged(tusms: Gateway, number: str, shown: str) -> None:
    answer = await tusms.send("04121234567", number)
    assert (answer["msg"], answer["ignored"]) == (TO_SOME, [shown])
    assert [message.number for message in tusms.box.ledger.messages] == ["584121234567"]
    assert tusms.box.ledger.charged == DIGITEL


async def test_a_campaign_of_which_all_is_ignored_is_ok(tusms: Gateway) -> None:
    answer = await tusms.send("123", "456")
    assert (answer["status"], answer["ignored"]) == ("ok", ["58123", "58456"])
    campaign = await tusms.call(f"campaign/{answer['id']}")
    assert campaign["stats"] == {"total_numbers": 0, "total_sms": 0, "pending": 0, "delivered": 0, "failed": 0}
    assert campaign["numbers_stats"] == []
    assert len(tusms.box.ledger) == tusms.box.ledger.charged == 0


async def test_the_text_goes_with_its_number_when_others_are_ignored(tusms: Gateway) -> None:
    await tusms.send("04121111111", "1", "04122222222", texto=["uno", "dos", "tres"])
    assert [(m.number[-1], m.text) for m in tusms.box.ledger.messages] == [("1", "uno"), ("2", "tres")]


async def test_the_operators_are_the_accounts(tusms: Gateway) -> None:
    account = tusms.vendor.account
    del account.operators["422"]
    account.operators["499"] = "digitel"
    assert (await tusms.send("04221234567", "04991234567"))["ignored"] == ["584221234567"]
    del account.prices["movistar"]
    assert (await tusms.send("04241234567"))["ignored"] == ["584241234567"]


# ---------------------------------------------------------------------- duplicates


@pytest.mark.parametrize("given", [{}, {"permitir_duplicados": False}, {"permitir_duplicados": None}])
async def test_a_number_gets_one_message_and_is_charged_once(tusms: Gateway, given: dict[str, Any]) -> None:
    answer = await tusms.send("04121234567", "+584121234567", texto=["uno", "dos"], **given)
    assert answer["ignored"] == []
    [message] = tusms.box.ledger.messages
    assert message.text == "uno"
    assert tusms.box.ledger.charged == DIGITEL


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
async def test_with_duplicates_allowed_a_number_gets_each_text_once(tusms: Gateway, value: Any) -> None:
    """The document speaks of several different messages; á and a are the same once sent."""
    numbers = ["04121234567"] * 4
    answer = await tusms.send(*numbers, texto=["día uno", "dos", "dos", "dia uno"], permitir_duplicados=value)
    assert [message.text for message in tusms.box.ledger.messages] == ["día uno", "dos"]
    stats = (await tusms.call(f"campaign/{answer['id']}"))["stats"]
    assert (stats["total_numbers"], stats["total_sms"]) == (1, 2)


# ---------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("Acción rápida, ¿sí? Ünico", "Accion rapida, ¿si? Unico"),
        ("ÁÍÓÚáíóúàâäçÇ", "AIOUaiouaaacC"),
        ("éÉ", "éÉ"),
        ("è ê ë", "e e e"),
        ("Mi campaña ÑOÑA", "Mi campaña ÑOÑA"),
        ("e\u0301 a\u0301 n\u0303", "é a ñ"),
        ("€ 😀 日本 한 ß ﬁ ²", "€ 😀 日本 한 ß ﬁ ²"),
    ],
)
async def test_accents_leave_all_letters_but_e(tusms: Gateway, given: str, sent: str) -> None:
    answer = await tusms.send("04121234567", texto=given)
    assert (await tusms.call(f"campaign/{answer['id']}"))["message_text"] == sent
    assert tusms.box.ledger.messages[0].text == given, "the ledger holds what came in"


@pytest.mark.parametrize("text", ["x" * 160, "é" * 160, "e\u0301" * 160, "😀" * 160])
async def test_160_characters_are_one_message(tusms: Gateway, text: str) -> None:
    await tusms.send("04121234567", texto=text)
    assert tusms.box.ledger.messages[0].parts == 1


async def test_a_longer_text_is_an_error_that_shows_it(tusms: Gateway) -> None:
    status, _, fields = await tusms.refused("sms-multi", numeros=["04121234567"], texto="á" * 161)
    assert (status, fields["sms_contenido"]) == (422, "á" * 161)
    texts = ["corto", "x" * 161]
    _, _, fields = await tusms.refused("sms-multi", numeros=["04121234567", "1"], texto=texts)
    assert fields["sms_contenido"] == texts[1], "also one for a number that would be ignored"


@pytest.mark.parametrize("text", ["", " ", ["Hola", ""]])
async def test_a_blank_text_is_an_error_that_shows_it(tusms: Gateway, text: Any) -> None:
    _, says, fields = await tusms.refused("sms-multi", numeros=["04121234567", "04121234568"], texto=text)
    assert says == "El parametro texto esta vacio."
    assert fields["sms_contenido"] == (text if isinstance(text, str) else text[1])


# ---------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("function", ["sms-multi", "sms-costo"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"numeros": "04121234567"}, "El parametro numeros debe ser un array."),
        ({"numeros": None}, "El parametro numeros debe ser un array."),
        ({"numeros": {"0": "04121234567"}}, "El parametro numeros debe ser un array."),
        ({"numeros": []}, "El parametro numeros esta vacio."),
        ({"numeros": ["04121234567", None]}, "Cada numero debe ser un string."),
        ({"numeros": [True]}, "Cada numero debe ser un string."),
        ({"numeros": [4241234567.0]}, "Cada numero debe ser un string."),
        ({"texto": None}, "El parametro texto esta vacio."),
        ({"texto": 5}, "El parametro texto debe ser un string o un array de strings."),
        ({"texto": {"0": "a"}}, "El parametro texto debe ser un string o un array de strings."),
        ({"texto": ["a", None]}, "El parametro texto debe ser un string o un array de strings."),
        ({"texto": ["a"]}, "La cantidad de mensajes debe coincidir con la cantidad de numeros."),
        ({"texto": ["a", "b", "c"]}, "La cantidad de mensajes debe coincidir con la cantidad de numeros."),
        ({"texto": []}, "La cantidad de mensajes debe coincidir con la cantidad de numeros."),
        ({"permitir_duplicados": "si"}, "El parametro permitir_duplicados debe ser un boolean."),
        ({"permitir_duplicados": [1]}, "El parametro permitir_duplicados debe ser un boolean."),
    ],
)
async def test_what_cannot_be_sent_is_422(tusms: Gateway, function: str, change: dict[str, Any], says: str) -> None:
    status, text, fields = await tusms.refused(function, **{**SEND, **change})
    assert (status, text) == (422, says)
    assert fields.keys() == {"status", "msg"}
    assert len(tusms.vendor.campaigns) == 0


@pytest.mark.parametrize("function", ["sms-multi", "sms-costo", "acortar-url"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"numeros=1&texto=2", b"{", b'{"numeros":["\xff"]}', b'{"texto":"\\ud800"}', b'"x"']
)
async def test_a_body_that_is_no_json_object_is_422(tusms: Gateway, function: str, body: bytes) -> None:
    answer = await tusms.request("POST", function, f"api_key={tusms.key}", data=body)
    fields = json.loads(answer.body)
    assert answer.status == 422
    assert fields.get("msg", fields.get("error")) == "El cuerpo de la peticion no es un objeto JSON."


async def test_a_body_that_is_too_deep_to_search_for_secrets_is_refused(tusms: Gateway) -> None:
    body = b'{"x":"\\u0061","y":' + b"[" * 900 + b"]" * 900 + b"}"
    answer = await tusms.request("POST", "sms-multi", f"api_key={tusms.key}", data=body)
    assert answer.status == 422
    assert "y" not in tusms.box.ledger.requests[0].params


# ---------------------------------------------------------------------- money


async def test_the_price_is_the_operators(tusms: Gateway) -> None:
    await tusms.send("04120000000", "04220000000", "04140000000", "04240000000", "04160000000", "04260000000")
    assert [message.credits for message in tusms.box.ledger.messages] == [
        *(DIGITEL, DIGITEL, MOVISTAR, MOVISTAR, MOVILNET, MOVILNET)
    ]
    assert tusms.box.ledger.charged == Decimal("0.315")
    assert (await tusms.call("balance"))["balance"] == 99_999.685


async def test_without_the_money_nothing_is_sent(tusms: Gateway) -> None:
    tusms.vendor.account.balance = Decimal("0.1349")
    assert await tusms.refused("sms-multi", **SEND) == (
        200,
        "Balance insuficiente.",
        {"status": "error", "msg": "Balance insuficiente."},
    )
    tusms.vendor.account.balance = Decimal("0.135")
    await tusms.call("sms-multi", **SEND)
    assert tusms.vendor.account.balance == 0


async def test_a_quote_counts_and_charges_nothing(tusms: Gateway) -> None:
    numbers = ["04121111111", "04121111111", "04141111111", "04161111111", "1", "2"]
    answer = await tusms.call("sms-costo", numeros=numbers, texto="Hola")
    assert answer == {"precio_usd": 0.1575, "numeros_validos": 3, "numeros_invalidos": 2, "cantidad_mensajes": 3}
    assert len(tusms.box.ledger) == len(tusms.vendor.campaigns) == 0
    await tusms.send(*numbers)
    assert float(tusms.box.ledger.charged) == answer["precio_usd"], "sending costs what the quote said"


async def test_a_quote_needs_no_money(tusms: Gateway) -> None:
    tusms.vendor.account.balance = Decimal(0)
    assert (await tusms.call("sms-costo", **SEND))["precio_usd"] == 0.135


@pytest.mark.parametrize(
    ("text", "parts"),
    [("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3), ("日" * 160, 1), ("日" * 161, 3), ("á" * 161, 2)],
)
async def test_a_quote_counts_parts_beyond_160_characters(tusms: Gateway, text: str, parts: int) -> None:
    answer = await tusms.call("sms-costo", numeros=["04121111111", "04141111111"], texto=[text, "Hola"])
    assert (answer["numeros_validos"], answer["cantidad_mensajes"]) == (2, parts + 1)
    assert answer["precio_usd"] == float(DIGITEL * parts + MOVISTAR)


# ---------------------------------------------------------------------- memory


async def test_without_keeping_messages_memory_is_flat() -> None:
    vendor = EnviaTuSms(account=Account(links_per_day=1000), quirks=Quirks(), retention=10)
    async with Sandbox(keep_messages=False, enviatusms=vendor) as box, aiohttp.ClientSession() as session:
        tusms = Gateway(box, session)
        for n in range(30):
            answer = await tusms.send(f"0412{n:07}", f"0414{n:07}", texto=["a", "b"])
            await tusms.ask("acortar-url", link="https://a.example")
            await tusms.ask("sms-multi", numeros=["1"], texto="x")
            assert (await tusms.ask(f"campaign/{answer['id']}")).status == 200
        assert len(box.ledger) == 60
        assert box.ledger.charged == 30 * (DIGITEL + MOVISTAR)
        assert not box.ledger.messages
        assert not box.ledger.requests
    assert len(vendor.campaigns) == 5, "three and one for each pair of campaigns"
    assert len(vendor.links) == 10


async def test_the_newest_campaign_is_remembered_however_large() -> None:
    vendor = EnviaTuSms(retention=1)
    async with Sandbox(keep_messages=False, enviatusms=vendor) as box, aiohttp.ClientSession() as session:
        tusms = Gateway(box, session)
        numbers = [f"0412{n:07}" for n in range(20)]
        [first, second] = [
            json.loads((await tusms.ask("sms-multi", numeros=numbers, texto="x")).body)["id"] for _ in "12"
        ]
        assert (await tusms.ask(f"campaign/{first}")).status == 404
        assert (await tusms.ask(f"campaign/{second}")).status == 200
