"""EnviarSMS as the document describes it, and the ledger as the truth about it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk.sandbox import Quirks, Sandbox
from sandbox.caller import SEND, Caller

MADRID = ZoneInfo("Europe/Madrid")


def in_spain(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).astimezone(MADRID).strftime("%Y-%m-%d %H:%M")


async def test_a_send_answers_the_documented_fields_and_charges(caller: Caller) -> None:
    caller.box.mensatek.account.credits = Decimal("19808.45")
    caller.box.mensatek.account.price = Decimal(9)
    answer = await caller.send("34600000000", "34600000001", text="Hola")
    assert answer == {
        "Res": 2,
        "Destinatarios": 2,
        "Msgid": answer["idMensaje"],
        "idMensaje": answer["idMensaje"],
        "Cred": 19790.45,
        "Mensajes": 2,
        "NoEnviados": 0,
        "CreditosUsados": 18,
    }
    assert caller.box.mensatek.account.credits == Decimal("19790.45")


async def test_the_ledger_holds_each_accepted_message(caller: Caller) -> None:
    answer = await caller.send("34600000000", "34600000001", text="Hola", Referenciausuario="r-1")
    ledger = caller.box.ledger
    assert len(ledger) == 2
    assert ledger.charged == 2
    first, second = ledger.messages
    assert (first.vendor, first.number, first.text, first.sender) == ("mensatek", "34600000000", "Hola", "YO")
    assert (first.message_id, first.reference, first.state) == (str(answer["idMensaje"]), "r-1", "sent")
    assert first.parts == 1
    assert first.credits == 1
    assert first.at.tzinfo is not None
    assert first.scheduled_at is None
    assert second.report_id != first.report_id
    assert ledger.numbers() == {"34600000000": 1, "34600000001": 1}


async def test_the_ledger_holds_each_request_with_its_parameters_and_without_secrets(caller: Caller) -> None:
    await caller.send("34600000000", text="Hola")
    await caller.call("GetCreditos")
    send, balance = caller.box.ledger.requests
    assert (send.vendor, send.function, send.method, send.path) == (
        "mensatek",
        "EnviarSMS",
        "POST",
        "/mensatek/v7/EnviarSMS",
    )
    assert send.params == {
        "Remitente": "YO",
        "Destinatarios": [{"Movil": "34600000000"}],
        "Mensaje": "Hola",
        "Resp": "JSON",
    }
    assert (send.outcome, send.n_accepted, send.fault) == ("1", 1, None)
    assert send.at.tzinfo is not None
    assert send.monotonic <= balance.monotonic
    assert (balance.function, balance.outcome, balance.n_accepted) == ("GetCreditos", "1", 0)
    assert caller.box.ledger.request_count() == 2
    assert caller.box.ledger.request_count("EnviarSMS") == 1
    assert caller.box.ledger.connections >= 1
    assert caller.box.credentials("mensatek")["api_token"] not in repr(caller.box.ledger.requests)


@pytest.mark.parametrize("spelling", ["json", "json string in json", "form", "multipart", "no content type", "query"])
async def test_every_documented_body_form_is_understood(caller: Caller, spelling: str) -> None:
    flat = {**SEND, "Destinatarios": json.dumps(SEND["Destinatarios"])}
    bodies: dict[str, dict[str, Any]] = {
        "json": {"json": SEND},
        "json string in json": {"json": flat},
        "form": {"data": flat},
        "multipart": {"data": aiohttp.FormData(flat, default_to_multipart=True)},
        "no content type": {"data": json.dumps(SEND).encode(), "headers": {}},
        "query": {"query": urlencode(flat)},
    }
    body = bodies[spelling]
    if spelling == "no content type":
        headers = {"Authorization": caller.authorization, "Content-Type": ""}
        async with caller.session.post(caller.url("EnviarSMS"), data=body["data"], headers=headers) as response:
            text = await response.text()
    else:
        text = (await caller.post("EnviarSMS", **body)).text
    assert json.loads(text)[0]["Res"] == 2
    assert caller.box.ledger.requests[0].params["Destinatarios"] == SEND["Destinatarios"]


async def test_parameter_names_are_taken_in_any_case(caller: Caller) -> None:
    answer = await caller.post(
        "EnviarSMS",
        json={"REMITENTE": "YO", "destinatarios": [{"MOVIL": "34600000000", "VARIABLE_1": "Ana"}],
              "mensaje": "Hola (variable_1)", "RESP": "json"},
    )  # fmt: skip
    assert json.loads(answer.body)[0]["Res"] == 1
    assert caller.box.ledger.messages[0].text == "Hola Ana"


@pytest.mark.parametrize(
    "given",
    ["34600000000;351900000000", ["34600000000", "351900000000"], [34600000000, 351900000000],
     [{"Movil": 34600000000}, {"Movil": "+351900000000"}]],
)  # fmt: skip
async def test_recipients_come_as_a_string_with_semicolons_or_as_an_array(caller: Caller, given: Any) -> None:
    answer = await caller.call("EnviarSMS", Remitente="YO", Mensaje="x", Destinatarios=given)
    assert answer["Res"] == 2
    assert set(caller.box.ledger.numbers()) == {"34600000000", "351900000000"}


@settings(max_examples=30, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    values=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=10),
    form=st.sampled_from(["json", "form", "multipart"]),
)
def test_what_is_decoded_is_what_was_sent(text: str, values: list[str], form: str) -> None:
    """Whatever characters stand in text and variables, each body form carries them unchanged."""

    async def check() -> None:
        recipients = [{"Movil": "34600000000", **{f"Variable_{n}": value for n, value in enumerate(values, 1)}}]
        params: dict[str, Any] = {"Remitente": "YO", "Mensaje": text, "Destinatarios": recipients, "Resp": "JSON"}
        flat = {**params, "Destinatarios": json.dumps(recipients)}
        bodies: dict[str, dict[str, Any]] = {
            "json": {"json": params},
            "form": {"data": flat},
            "multipart": {"data": aiohttp.FormData(flat, default_to_multipart=True)},
        }
        async with Sandbox() as box, aiohttp.ClientSession() as session:
            await Caller(box, session).post("EnviarSMS", **bodies[form])
            assert box.ledger.requests[0].params == params

    asyncio.run(check())


async def test_placeholders_are_filled_in_for_each_recipient(caller: Caller) -> None:
    recipients = [
        {"Movil": "34600000000", "Variable_1": "Pedro", "Variable_10": "fin"},
        {"Movil": "34600000001", "Variable_1": "Ana (Movil)"},
    ]
    await caller.send(text="(Variable_1): (Movil) (Variable_10)(Variable_11)", Destinatarios=recipients)
    assert [message.text for message in caller.box.ledger.messages] == [
        "Pedro: 34600000000 fin(Variable_11)",
        "Ana (Movil): 34600000001 (Variable_11)",
    ]


async def test_doubled_and_wrong_numbers_are_dropped_and_counted(caller: Caller) -> None:
    answer = await caller.send("34600000000", "+34600000000", "600", "no", "034600000", "34600000001")
    assert (answer["Res"], answer["NoEnviados"], answer["Destinatarios"]) == (2, 4, 2)
    assert caller.box.ledger.numbers() == {"34600000000": 1, "34600000001": 1}


async def test_blacklisted_numbers_are_dropped_unless_the_list_is_skipped(caller: Caller) -> None:
    caller.box.mensatek.account.blacklist = {"34600000000"}
    assert (await caller.send("34600000000", "34600000001"))["NoEnviados"] == 1
    assert (await caller.send("34600000000", Obviarlistanegra=1))["Res"] == 1


async def test_when_all_recipients_are_dropped_the_answer_is_an_error(caller: Caller) -> None:
    answer = await caller.send("600")
    assert answer["Res"] == -3
    assert answer["Error"]
    caller.box.mensatek.quirks = Quirks(zero_when_all_dropped=True)
    answer = await caller.send("600")
    assert (answer["Res"], answer["NoEnviados"]) == (0, 1)
    assert len(caller.box.ledger) == 0


@pytest.mark.parametrize(
    ("text", "unicode", "parts"),
    [
        ("a" * 160, 0, 1),
        ("a" * 161, 0, 2),
        ("a" * 306, 0, 2),
        ("a" * 307, 0, 3),
        ("€" * 80, 0, 1),
        ("€" * 81, 0, 2),
        ("á" * 160, 0, 1),
        ("😀" * 160, 0, 1),
        ("a" * 70, 1, 1),
        ("a" * 71, 1, 2),
        ("a" * 134, 1, 2),
        ("a" * 135, 1, 3),
        ("😀" * 35, 1, 1),
        ("😀" * 36, 1, 2),
    ],
)
async def test_parts_are_counted_in_the_alphabet_asked_for(caller: Caller, text: str, unicode: int, parts: int) -> None:
    answer = await caller.send("34600000000", text=text, Unicode=unicode)
    assert (answer["Mensajes"], answer["CreditosUsados"]) == (parts, parts)


async def test_a_price_list_goes_by_the_longest_prefix(caller: Caller) -> None:
    caller.box.mensatek.account.prices = {"34": Decimal("1.5"), "347": Decimal(2)}
    answer = await caller.send("34600000000", "34700000000", "351900000000")
    assert answer["CreditosUsados"] == 4.5
    assert [message.credits for message in caller.box.ledger.messages] == [Decimal("1.5"), 2, 1]


async def test_without_enough_credits_nothing_is_sent(caller: Caller) -> None:
    caller.box.mensatek.account.credits = Decimal(3)
    answer = await caller.send("34600000000", "34600000001", text="a" * 161)
    assert answer == {"Res": -2, "Cred": 3, "CreditosNecesarios": 4}
    assert len(caller.box.ledger) == 0
    assert caller.box.mensatek.account.credits == 3


async def test_a_group_refuses_a_second_message_to_a_number_and_keeps_its_sender(caller: Caller) -> None:
    first = await caller.send("34600000000", Remitente="PRIMERO")
    second = await caller.send("34600000000", "34600000001", Remitente="OTRO", Idmensaje=str(first["idMensaje"]))
    third = await caller.send("34600000001", "34600000002", Idmensaje=first["idMensaje"])
    assert (second["Res"], second["NoEnviados"], second["idMensaje"]) == (1, 1, first["idMensaje"])
    assert (third["Res"], third["NoEnviados"]) == (1, 1)
    assert {message.sender for message in caller.box.ledger.messages} == {"PRIMERO"}
    assert set(caller.box.ledger.numbers().values()) == {1}


async def test_a_blank_sender_becomes_the_default_one(caller: Caller) -> None:
    caller.box.mensatek.account.default_sender = "MARCA"
    await caller.send("34600000000", Remitente="")
    assert caller.box.ledger.messages[0].sender == "MARCA"


async def test_a_scheduled_send_is_read_in_spanish_time(caller: Caller) -> None:
    await caller.send("34600000000", Fecha="2199-07-01 15:10")
    message = caller.box.ledger.messages[0]
    assert message.state == "scheduled"
    assert message.scheduled_at is not None
    assert message.scheduled_at.astimezone(UTC) == datetime(2199, 7, 1, 13, 10, tzinfo=UTC)


async def test_fixutf8_repairs_text_in_the_wrong_encoding(caller: Caller) -> None:
    raw = (
        urlencode({"Remitente": "YO", "Destinatarios": "34600000000", "Fixutf8": "1", "Resp": "JSON"})
        + "&Mensaje=a%F1o"
    )
    await caller.post("EnviarSMS", data=raw, query="")
    await caller.send("34600000000", text="aÃ±o", Fixutf8=1)
    await caller.send("34600000000", text="aÃ±o")
    assert [message.text for message in caller.box.ledger.messages] == ["año", "año", "aÃ±o"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Remitente": None}, "Remitente"),
        ({"Remitente": "DOCELETRASXX"}, "Remitente"),
        ({"Remitente": "MI EMPRESA"}, "Remitente"),
        ({"Remitente": "+3460000000000001"}, "Remitente"),
        ({"Destinatarios": None}, "Destinatarios"),
        ({"Destinatarios": []}, "Destinatarios"),
        ({"Destinatarios": ""}, "Destinatarios"),
        ({"Destinatarios": "[{"}, "Destinatarios"),
        ({"Destinatarios": [{"Variable_1": "x"}]}, "Movil"),
        ({"Destinatarios": [{"Movil": "34600000000", "Variable_11": "x"}]}, "Variable_10"),
        ({"Destinatarios": [{"Movil": "34600000000", "Variable_1": ["x"]}]}, "Variable_10"),
        ({"Destinatarios": [None]}, "Destinatario"),
        ({"Mensaje": None}, "Mensaje"),
        ({"Mensaje": ""}, "Mensaje"),
        ({"Fecha": "2199-02-30 10:00"}, "Fecha"),
        ({"Fecha": "30/01/2199"}, "Fecha"),
        ({"Fecha": "2199-01-30 10:00:00"}, "Fecha"),
        ({"Fecha": "2199-03-31 02:30"}, "Fecha"),  # skipped by the change to summer time
        ({"Fecha": "2022-10-01 15:10"}, "Fecha"),
        ({"Report": "sí"}, "Report"),
        ({"Unicode": 2}, "Unicode"),
        ({"Idmensaje": "abc"}, "Idmensaje"),
        ({"Idmensaje": 1765987}, "Idmensaje"),
        ({"Fail2voice": 1}, "Lenguajevoz"),
        ({"Fail2voice": 1, "Lenguajevoz": "es-ES"}, "Remitentevoz"),
        ({"Fail2voice": 1, "Lenguajevoz": "es-ES", "Remitentevoz": "34900000000"}, "Remitentevoz"),
    ],
)
async def test_wrong_data_is_refused_with_a_reason_and_sends_nothing(
    caller: Caller, changed: dict[str, Any], why: str
) -> None:
    params = {name: value for name, value in {**SEND, **changed}.items() if value is not None}
    answer = await caller.call("EnviarSMS", **params)
    assert answer["Res"] == -3
    assert why in answer["Error"]
    assert len(caller.box.ledger) == 0


async def test_fail_to_voice_works_with_a_validated_phone(caller: Caller) -> None:
    caller.box.mensatek.account.voice_senders = {"34900000000"}
    answer = await caller.send("34600000000", Fail2voice="1", Lenguajevoz="es-ES:2", Remitentevoz="+34900000000")
    assert answer["Res"] == 1


async def test_the_documents_own_sample_is_accepted_with_a_date_to_come(caller: Caller) -> None:
    """Numbers as strings, recipients as a JSON string, zeros for the options that are not used."""
    sample: dict[str, Any] = {
        "Remitente": "MIEMPRESA",
        "Destinatarios": '[{"Movil":"34600000000","Variable_1":"Pedro"},{"Movil":"34600000001","Variable_1":"Ana"}]',
        "Mensaje": "A la atención de Ana, pulse en el siguiente link (SMSLAND:2:idLanding)",
        "Fecha": in_spain(days=1),
        "Referenciausuario": "Tu referencia",
        "Report": "0",
        "Fail2voice": "0",
        "Lenguajevoz": "0",
        "Remitentevoz": "0",
        "Unicode": "0",
        "Obviarlistanegra": 0,
        "Fixutf8": "0",
    }
    assert (await caller.call("EnviarSMS", **sample))["Res"] == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
    ],
)
async def test_an_unreadable_body_is_refused_with_minus_three(caller: Caller, content_type: str, body: bytes) -> None:
    headers = {"Authorization": caller.authorization, "Content-Type": content_type}
    async with caller.session.post(caller.url("EnviarSMS") + "?Resp=JSON", data=body, headers=headers) as response:
        assert (await response.json())[0]["Res"] == -3


async def test_a_thousand_messages_leave_only_totals_when_messages_are_not_kept() -> None:
    async with Sandbox(keep_messages=False) as box, aiohttp.ClientSession() as session:
        caller = Caller(box, session)
        answer = await caller.send(*(str(34600000000 + n) for n in range(1000)))
        again = await caller.send("34600000999", "34700000000", Idmensaje=answer["idMensaje"])
        assert again["Res"] == 1, "the group still knows its numbers"
        assert len(box.ledger) == 1001
        assert box.ledger.charged == 1001
        assert box.ledger.request_count("EnviarSMS") == 2
        assert box.ledger.messages == []
        assert box.ledger.requests == []
        with pytest.raises(RuntimeError, match="keep_messages"):
            box.ledger.numbers()


async def test_clear_forgets_the_ledger_and_not_the_account(caller: Caller) -> None:
    await caller.send("34600000000")
    caller.box.ledger.clear()
    assert len(caller.box.ledger) == 0
    assert caller.box.ledger.charged == 0
    assert caller.box.ledger.request_count() == 0
    assert caller.box.ledger.requests == []
    assert (await caller.call("GetCreditos"))["Cred"] == 99_999
