"""Sending with `send_sms`: what goes on the wire, as the sandbox decodes it, and what is refused beforehand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import next_year
from tiers import examples

from mensasdk import MensatekClient, Recipient, ScheduleError, ValidationError
from mensasdk.messages import OutcomeKind
from mensasdk.sandbox import Sandbox

from .support import BODIES, FORMATS, NUMBER, Body, Format, Literally, connect

MADRID = ZoneInfo("Europe/Madrid")


def sent(box: Sandbox) -> dict[str, Any]:
    """Return the parameters of the last request."""
    return dict(box.ledger.requests[-1].params)


def on_the_wire(body_format: Body, **params: Any) -> dict[str, Any]:
    """Return parameters as they should arrive: a form has no numbers, and the sandbox reads its arrays from JSON."""
    if body_format == "form":
        return {name: str(value) if isinstance(value, int) else value for name, value in params.items()}
    return params


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"sender": "MIEMPRESA"}, {"Remitente": "MIEMPRESA"}),
    ({"sender": "+34600000000"}, {"Remitente": "+34600000000"}),
    ({"sender": "A&B_9"}, {"Remitente": "A&B_9"}),
    ({"reference": "Tu referencia nº 1"}, {"Referenciausuario": "Tu referencia nº 1"}),
    ({"report": True}, {"Report": 1}),
    (
        {"fail_to_voice": True, "voice_language": "es-ES", "voice_sender": "+34 910 00 00 00"},
        {"Fail2voice": 1, "Lenguajevoz": "es-ES", "Remitentevoz": "34910000000"},
    ),
    (
        {"fail_to_voice": True, "voice_language": "en-GB:2", "voice_sender": "34910000000"},
        {"Fail2voice": 1, "Lenguajevoz": "en-GB:2", "Remitentevoz": "34910000000"},
    ),
    ({"unicode": True}, {"Unicode": 1}),
    ({"skip_blacklist": True}, {"Obviarlistanegra": 1}),
    ({"fix_utf8": True}, {"Fixutf8": 1}),
]


@pytest.mark.parametrize("answer_format", FORMATS)
@pytest.mark.parametrize("body_format", BODIES)
@pytest.mark.parametrize(("given", "expected"), PARAMETERS, ids=lambda value: ",".join(value) or "defaults")
async def test_a_parameter_goes_out_under_the_vendors_name_and_nothing_else_does(
    box: Sandbox, answer_format: Format, body_format: Body, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    box.mensatek.account.voice_senders.add("34910000000")
    async with connect(box, answer_format=answer_format, body_format=body_format) as client:
        result = await client.send_sms(["+34 600 00 00 00"], "Hola", **given)
    base = {"Remitente": "", "Destinatarios": [{"Movil": NUMBER}], "Mensaje": "Hola", "Resp": answer_format.upper()}
    assert sent(box) == on_the_wire(body_format, **{**base, **expected})
    assert result.accepted == len(box.ledger) == 1
    assert result.message_id == box.ledger.messages[0].message_id
    request = box.ledger.requests[0]
    assert (request.method, request.function) == ("POST", "EnviarSMS")


async def test_flags_go_out_as_numbers_in_json_and_the_body_is_json() -> None:
    async with Literally(b'[{"Res":1,"idMensaje":5}]') as server, server.client() as client:
        await client.send_sms(NUMBER, "Hola", report=True, message_id="17")
    [request] = server.requests
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "Remitente": "",
        "Destinatarios": [{"Movil": NUMBER}],
        "Mensaje": "Hola",
        "Report": 1,
        "Idmensaje": 17,
        "Resp": "JSON",
    }


async def test_voice_needs_neither_language_nor_sender() -> None:
    async with Literally(b'[{"Res":1,"idMensaje":5}]') as server, server.client() as client:
        await client.send_sms(NUMBER, "Hola", fail_to_voice=True)
    params = json.loads(server.requests[0].body)
    assert params["Fail2voice"] == 1
    assert {"Lenguajevoz", "Remitentevoz"}.isdisjoint(params)


async def test_everything_is_in_the_body_and_the_credentials_are_in_the_header() -> None:
    async with Literally(b'[{"Res":1,"idMensaje":5}]') as server, server.client() as client:
        await client.send_sms(NUMBER, "Hola", reference="abc")
    [request] = server.requests
    assert request.head.startswith(b"POST /v7/EnviarSMS HTTP/1.1\r\n")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"user:token").decode()


@pytest.mark.parametrize("body_format", BODIES)
async def test_a_message_id_groups_with_an_earlier_send(box: Sandbox, body_format: Body) -> None:
    async with connect(box, body_format=body_format) as client:
        first = await client.send_sms([NUMBER], "uno", sender="PRIMERO")
        assert first.message_id is not None
        second = await client.send_sms(["34600000001"], "dos", sender="SEGUNDO", message_id=first.message_id)
        third = await client.send_sms([NUMBER, "34600000002"], "tres", message_id=int(first.message_id))
    assert first.message_id == second.message_id == third.message_id
    assert [str(request.params.get("Idmensaje", "")) for request in box.ledger.requests] == [
        "",
        first.message_id,
        first.message_id,
    ]
    # The vendor forces the first sender on the group, and refuses a mobile that the group has already.
    assert {message.sender for message in box.ledger.messages} == {"PRIMERO"}
    assert (third.accepted, third.not_sent) == (1, 1)


# ------------------------------------------------------------------------------------------------------- schedule


def last_sunday(year: int, month: int) -> int:
    last = datetime(year, month, 31, tzinfo=UTC)
    return (last - timedelta(days=(last.weekday() + 1) % 7)).day


YEAR = next_year()


@pytest.mark.parametrize("body_format", BODIES)
@pytest.mark.parametrize(
    ("moment", "wall"),
    [
        (datetime(YEAR, 1, 15, 9, 0, tzinfo=UTC), "-01-15 10:00"),
        (datetime(YEAR, 7, 15, 9, 0, tzinfo=UTC), "-07-15 11:00"),
        (datetime(YEAR, 7, 15, 9, 0, tzinfo=MADRID), "-07-15 09:00"),
        (datetime(YEAR, 7, 15, 9, 0, tzinfo=timezone(-timedelta(hours=6))), "-07-15 17:00"),
        (datetime(YEAR, 1, 15, 9, 0, 1, tzinfo=MADRID), "-01-15 09:01"),
    ],
    ids=["winter", "summer", "madrid", "mexico", "seconds rounded up"],
)
async def test_a_schedule_goes_out_on_spains_clock(
    box: Sandbox, body_format: Body, moment: datetime, wall: str
) -> None:
    async with connect(box, body_format=body_format) as client:
        await client.send_sms([NUMBER], "Hola", schedule_at=moment)
    assert sent(box)["Fecha"] == f"{YEAR}{wall}"
    scheduled = box.ledger.messages[0].scheduled_at
    assert scheduled is not None
    assert timedelta(0) <= scheduled - moment < timedelta(minutes=1)


REFUSED_TIMES = {
    "naive": datetime(YEAR, 1, 15, 9, 0),
    "past": datetime(2020, 1, 15, 9, 0, tzinfo=UTC),
    "twice, first": datetime(YEAR, 10, last_sunday(YEAR, 10), 2, 30, tzinfo=MADRID),
    "twice, second": datetime(YEAR, 10, last_sunday(YEAR, 10), 2, 30, tzinfo=MADRID, fold=1),
    "left out": datetime(YEAR, 3, last_sunday(YEAR, 3), 2, 30, tzinfo=MADRID),
}


@pytest.mark.parametrize("moment", REFUSED_TIMES.values(), ids=REFUSED_TIMES)
async def test_a_time_that_spains_clock_cannot_say_is_refused_before_sending(
    box: Sandbox, mensatek: MensatekClient, moment: datetime
) -> None:
    for call in (
        mensatek.send_sms([NUMBER], "Hola", schedule_at=moment),
        mensatek.reschedule_sms("123", moment),
    ):
        with pytest.raises(ScheduleError) as caught:
            await call
        assert caught.value.field == "schedule_at"
        assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert box.ledger.connections == 0


# ------------------------------------------------------------------------------------------------------ recipients


@pytest.mark.parametrize("body_format", BODIES)
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (["Pedro", "Gómez"], {"Variable_1": "Pedro", "Variable_2": "Gómez"}),
        (("Pedro",), {"Variable_1": "Pedro"}),
        ([], {}),
        ([str(n) for n in range(1, 11)], {f"Variable_{n}": str(n) for n in range(1, 11)}),
        ({"Variable_3": "c", "variable_10": "j"}, {"Variable_3": "c", "Variable_10": "j"}),
        ({"1": "a"}, {"Variable_1": "a"}),
    ],
)
async def test_variables_are_given_in_order_or_by_name(
    box: Sandbox, body_format: Body, variables: Any, expected: Mapping[str, str]
) -> None:
    async with connect(box, body_format=body_format) as client:
        await client.send_sms([Recipient("+34600000000", variables), "34600000001"], "(Variable_1)(Movil)")
    assert sent(box)["Destinatarios"] == [{"Movil": NUMBER, **expected}, {"Movil": "34600000001"}]
    assert box.ledger.messages[0].text == f"{expected.get('Variable_1', '')}{NUMBER}"


@pytest.mark.parametrize(
    "spelling", ["+34600000000", "0034 600 00 00 00", "34600000000", "+34 (600) 00-00-00", "tel:+34600000000"]
)
async def test_every_common_spelling_of_a_number_arrives_as_digits(
    box: Sandbox, mensatek: MensatekClient, spelling: str
) -> None:
    await mensatek.send_sms(spelling, "Hola")
    assert sent(box)["Destinatarios"] == [{"Movil": NUMBER}]


async def test_national_numbers_are_taken_with_a_default_country(box: Sandbox) -> None:
    async with connect(box, default_country="ES") as client:
        await client.send_sms(["600 00 00 00", Recipient("+351912345678")], "Hola")
    assert sent(box)["Destinatarios"] == [{"Movil": NUMBER}, {"Movil": "351912345678"}]


async def test_one_recipient_needs_no_list_and_a_generator_will_do(box: Sandbox, mensatek: MensatekClient) -> None:
    await mensatek.send_sms(Recipient(NUMBER, ["x"]), "Hola")
    await mensatek.send_sms((f"3460000000{n}" for n in range(3)), "Hola")
    assert [len(request.params["Destinatarios"]) for request in box.ledger.requests] == [1, 3]


async def test_the_answer_tells_how_many_of_the_recipients_the_vendor_took(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    box.mensatek.account.blacklist.add("34600000009")
    result = await mensatek.send_sms([NUMBER, NUMBER, "34600000009", "34600000001"], "Hola")
    assert (result.accepted, result.not_sent, result.recipients) == (2, 2, 2)
    assert len(box.ledger) == 2


# -------------------------------------------------------------------------------------------------- local refusals


LOCAL: list[tuple[str, dict[str, Any], str]] = [
    ("no recipients", {"recipients": []}, "recipients"),
    ("an empty number", {"recipients": [""]}, "recipients"),
    ("letters for a number", {"recipients": ["MIEMPRESA"]}, "recipients"),
    ("a number without a country", {"recipients": ["600000000"]}, "recipients"),
    ("two numbers in one, ;", {"recipients": [f"{NUMBER};34600000001"]}, "recipients"),
    ("two numbers in one, comma", {"recipients": [f"{NUMBER},34600000001"]}, "recipients"),
    ("two numbers in one, line", {"recipients": [f"{NUMBER}\n34600000001"]}, "recipients"),
    ("two numbers in one, blank", {"recipients": [f"{NUMBER} 34600000001"]}, "recipients"),
    ("JSON for a number", {"recipients": ['[{"Movil":"34600000000"}]']}, "recipients"),
    ("one good, one bad", {"recipients": [NUMBER, "12"]}, "recipients"),
    ("eleven variables", {"recipients": [Recipient(NUMBER, ["x"] * 11)]}, "recipients"),
    ("Variable_11", {"recipients": [Recipient(NUMBER, {"Variable_11": "x"})]}, "recipients"),
    ("Variable_0", {"recipients": [Recipient(NUMBER, {"Variable_0": "x"})]}, "recipients"),
    ("Movil as a variable", {"recipients": [Recipient(NUMBER, {"Movil": "34600000001"})]}, "recipients"),
    ("a foreign variable", {"recipients": [Recipient(NUMBER, {"nombre": "x"})]}, "recipients"),
    ("one variable twice", {"recipients": [Recipient(NUMBER, {"1": "a", "Variable_1": "b"})]}, "recipients"),
    ("a number for a variable", {"recipients": [Recipient(NUMBER, [5])]}, "recipients"),  # type: ignore[list-item]
    ("half an emoji in a variable", {"recipients": [Recipient(NUMBER, ["\ud83d"])]}, "recipients"),
    ("a sender with a blank", {"sender": "MI EMPRESA"}, "sender"),
    ("a sender with an accent", {"sender": "Peñón"}, "sender"),
    ("a sender of 12 letters", {"sender": "MIEMPRESA123"}, "sender"),
    ("a sender of 16 digits", {"sender": "1" * 16}, "sender"),
    ("a sender with a line end", {"sender": "YO\n"}, "sender"),
    ("a sender with a hyphen", {"sender": "A-B"}, "sender"),
    ("digits of another script", {"sender": "٣٤٦٠٠"}, "sender"),
    ("an empty text", {"text": ""}, "text"),
    ("a blank text", {"text": " \n\t"}, "text"),
    ("a NUL in the text", {"text": "Ho\0la"}, "text"),
    ("bytes for a text", {"text": b"Hola"}, "text"),
    ("half an emoji in the text", {"text": "Hola \ud83d"}, "text"),
    ("half an emoji in the reference", {"reference": "\ud83d"}, "reference"),
    ("a number for a reference", {"reference": 5}, "reference"),
    ("a word for a message id", {"message_id": "abc"}, "message_id"),
    ("an empty message id", {"message_id": ""}, "message_id"),
    ("a negative message id", {"message_id": "-1"}, "message_id"),
    ("a message id of nothing", {"message_id": 0}, "message_id"),
    ("two message ids", {"message_id": "12;13"}, "message_id"),
    ("a fraction", {"message_id": "1.5"}, "message_id"),
    ("digits of another script for an id", {"message_id": "١٢"}, "message_id"),
    ("an id of 5,000 digits", {"message_id": "1" * 5000}, "message_id"),
    ("an id beyond 64 bits", {"message_id": 2**64}, "message_id"),
    ("a voice language without voice", {"voice_language": "es-ES"}, "voice_language"),
    ("a voice sender without voice", {"voice_sender": "+34910000000"}, "voice_sender"),
    ("no voice language", {"fail_to_voice": True, "voice_language": "Spanish"}, "voice_language"),
    ("a voice that is neither", {"fail_to_voice": True, "voice_language": "es-ES:3"}, "voice_language"),
    ("no voice sender", {"fail_to_voice": True, "voice_sender": "MIEMPRESA"}, "voice_sender"),
]


@pytest.mark.parametrize("body_format", BODIES)
@pytest.mark.parametrize(("change", "name"), [case[1:] for case in LOCAL], ids=[case[0] for case in LOCAL])
async def test_what_breaks_a_rule_is_refused_by_its_name_and_nothing_leaves(
    box: Sandbox, body_format: Body, change: dict[str, Any], name: str
) -> None:
    call: dict[str, Any] = {"recipients": [NUMBER], "text": "Hola", **change}
    async with connect(box, body_format=body_format) as client:
        with pytest.raises(ValidationError) as caught:
            await client.send_sms(call.pop("recipients"), call.pop("text"), **call)
    assert caught.value.field == name
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert box.ledger.request_count() == 0
    assert box.ledger.connections == 0


async def test_a_refusal_does_not_show_the_number(mensatek: MensatekClient) -> None:
    with pytest.raises(ValidationError) as caught:
        await mensatek.send_sms("+34600111222333444", "Hola")
    assert "600111222" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------- injection


@frozen
class Stage:
    """A sandbox that lives through all examples of a property, in a loop of its own."""

    runner: asyncio.Runner
    box: Sandbox


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        box = Sandbox()
        runner.run(box.start())
        yield Stage(runner, box)
        runner.run(box.aclose())


# Whatever is special anywhere on the way: forms, JSON, TXT, XML, PHP, SMS codes, headers.
SPICE = st.sampled_from(
    ["&", "=", "+", "%26", "%00", '"', "\\", "'", "}]", '{"Movil":"34611111111"}', ";", "\r\n", "#"]
)
TEXT = st.lists(SPICE | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6).map("".join)


@pytest.mark.slow
@pytest.mark.parametrize("body_format", BODIES)
@settings(max_examples=examples(75), deadline=None)
@given(
    text=TEXT.filter(lambda text: text.strip() and "\0" not in text), variables=st.lists(TEXT, max_size=10), ref=TEXT
)
def test_no_text_variable_or_reference_changes_another_parameter(
    stage: Stage, body_format: Body, text: str, variables: list[str], ref: str
) -> None:
    async def send() -> None:
        async with connect(stage.box, body_format=body_format) as client:
            await client.send_sms([Recipient(NUMBER, variables)], text, reference=ref)

    stage.box.ledger.clear()
    stage.runner.run(send())
    assert sent(stage.box) == {
        "Remitente": "",
        "Destinatarios": [{"Movil": NUMBER, **{f"Variable_{n}": value for n, value in enumerate(variables, 1)}}],
        "Mensaje": text,
        "Referenciausuario": ref,
        "Resp": "JSON",
    }
    assert stage.box.ledger.numbers() == {NUMBER: 1}
