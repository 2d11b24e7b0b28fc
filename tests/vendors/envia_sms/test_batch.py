"""envia-sms.com in a batch: messages brought into the vendor's terms, and an outcome for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from served import Answer
from servers import Handler, fin
from shared import OpenGate, next_year

from mensasdk import BatchSender, MensatekOptions, Message, OutcomeKind, ScheduleError, ValidationError, VendorOptions
from mensasdk.campaign import Route, Router
from mensasdk.vendors.envia_sms import EnviaSmsClient, EnviaSmsOptions

from .served import IDENTIFIER, NUMBER, WIRE_NUMBER, Served, envelope, sent

YEAR = next_year()
THROUGH = EnviaSmsOptions(template="7", text_variable="mensaje")
GSM_160 = "ñ" * 160


async def wire(message: Message, body: bytes | None = None, **options: Any) -> tuple[dict[str, str], Any]:
    """Return the parameters that a message goes out with, and its outcome."""
    async with Served(sent() if body is None else body) as server, server.client(**options) as client:
        item = client.prepare(message)
        result = await client.send_batch([item], reference="r", gate=OpenGate())
        assert item.message is message
        assert item.number == "+525589520028"
    assert len(server.requests) == 1
    (outcome,) = result.outcomes
    assert outcome.message is message
    assert (result.credits, result.balance) == (None, None)
    return server.params, outcome


BASE = {"numero": WIRE_NUMBER}
MESSAGES: dict[str, tuple[Message, dict[str, str]]] = {
    "a template": (Message(NUMBER, template="01"), {"plantilla": "01"}),
    "a template with variables": (
        Message(NUMBER, template="01", variables={"codigo": "123456", "var_empresa": "API SMS"}),
        {"plantilla": "01", "var_codigo": "123456", "var_empresa": "API SMS"},
    ),
    "the template of the options": (
        Message(NUMBER, variables={"a": "b"}, options=EnviaSmsOptions(template="02")),
        {"plantilla": "02", "var_a": "b"},
    ),
    "the message's own template goes first": (
        Message(NUMBER, template="01", options=EnviaSmsOptions(template="02")),
        {"plantilla": "01"},
    ),
    "a text, passed through": (
        Message(NUMBER, "Hola {{a}}", options=THROUGH),
        {"plantilla": "7", "var_mensaje": "Hola {{a}}"},
    ),
    "a text with placeholders, passed through": (
        Message(NUMBER, "Hola {nombre}, {{x}}", variables={"nombre": "Eva", "otra": "y"}, options=THROUGH),
        {"plantilla": "7", "var_mensaje": "Hola Eva, {x}"},
    ),
    "a text through the message's template": (
        Message(NUMBER, "Hola", template="9", options=EnviaSmsOptions(text_variable="var_m")),
        {"plantilla": "9", "var_m": "Hola"},
    ),
    "a template beside a pass-through one": (
        Message(NUMBER, template="01", variables={"a": "b"}, options=THROUGH),
        {"plantilla": "01", "var_a": "b"},
    ),
    "a schedule": (
        Message(NUMBER, template="01", schedule_at=datetime(YEAR, 6, 3, 5, 0, tzinfo=UTC)),
        {"plantilla": "01", "fecha_programar": f"{YEAR}-06-03 00:00:00"},
    ),
    "every option": (
        Message(NUMBER, template="01", options=EnviaSmsOptions(unicode=True, allow_duplicates=True, short_links=True)),
        {"plantilla": "01", "ucs2": "1", "duplicado": "1", "short_link": "1"},
    ),
    "UCS-2 where the text needs it": (
        Message(NUMBER, "¿Qué tal mañana a las 9? á", options=THROUGH),
        {"plantilla": "7", "var_mensaje": "¿Qué tal mañana a las 9? á", "ucs2": "1"},
    ),
    "UCS-2 where a variable needs it": (
        Message(NUMBER, template="01", variables={"a": "😀"}),
        {"plantilla": "01", "var_a": "😀", "ucs2": "1"},
    ),
    "no UCS-2 where it is not wanted": (
        Message(NUMBER, "á", options=EnviaSmsOptions("7", "mensaje", unicode=False)),
        {"plantilla": "7", "var_mensaje": "á"},
    ),
    "no UCS-2 for 160 characters of 7 bits": (
        Message(NUMBER, GSM_160, options=THROUGH),
        {"plantilla": "7", "var_mensaje": GSM_160},
    ),
    "a reference stays here": (Message(NUMBER, template="01", reference="pedido 1"), {"plantilla": "01"}),
}


@pytest.mark.parametrize(("message", "params"), MESSAGES.values(), ids=MESSAGES)
async def test_a_vendor_neutral_message_goes_out_in_the_vendors_terms(message: Message, params: dict[str, str]) -> None:
    found, outcome = await wire(message)
    assert found == {**BASE, **params}
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert (outcome.vendor, outcome.vendor_id) == ("envia_sms", IDENTIFIER)


class _OtherOptions(VendorOptions):
    pass


REFUSED: dict[str, tuple[Message, str, str]] = {
    "a text and no variable for it": (Message(NUMBER, "Hola"), "text", "text_variable"),
    "a text and a template, and no variable for it": (Message(NUMBER, "Hola", template="01"), "text", "text_variable"),
    "neither template nor text": (Message(NUMBER), "template", "template"),
    "a variable for the text and no template": (
        Message(NUMBER, "Hola", options=EnviaSmsOptions(text_variable="m")), "template", "template",
    ),
    "no text to pass through": (Message(NUMBER, options=THROUGH), "text", "empty"),
    "a blank text": (Message(NUMBER, "  ", options=THROUGH), "text", "empty"),
    "a text that is empty once filled in": (
        Message(NUMBER, "{a}", variables={"a": ""}, options=THROUGH), "text", "empty",
    ),
    "a placeholder without a variable": (
        Message(NUMBER, "{a}", variables={"b": ""}, options=THROUGH), "variables", "'a'",
    ),
    "161 characters of 7 bits": (Message(NUMBER, "x" * 161, options=THROUGH), "text", "unicode=True"),
    "81 characters that count double": (Message(NUMBER, "€" * 81, options=THROUGH), "text", "162"),
    "161 characters, whatever they are": (
        Message(NUMBER, "á" * 161, options=EnviaSmsOptions("7", "m", unicode=False)), "text", "161",
    ),
    "501 characters of UCS-2": (Message(NUMBER, "á" * 501, options=THROUGH), "text", "500"),
    "251 emoji": (Message(NUMBER, "😀" * 251, options=THROUGH), "text", "502"),
    "half an emoji": (Message(NUMBER, "\ud83d", options=THROUGH), "text", "surrogate"),
    "half an emoji in a variable": (Message(NUMBER, template="1", variables={"a": "\ud83d"}), "variables", "surrogate"),
    "a sender": (Message(NUMBER, template="01", sender="MIEMPRESA"), "sender", "leave it out"),
    "options of another vendor": (
        Message(NUMBER, template="01", options=MensatekOptions()), "options", "EnviaSmsOptions",
    ),
    "a bad variable for the text": (
        Message(NUMBER, "x", options=EnviaSmsOptions("7", "a b")), "options", "letters",
    ),
    "a bad name": (Message(NUMBER, template="01", variables={"a.b": "x"}), "variables", "letters"),
    "a bad template": (Message(NUMBER, template=" "), "template", "empty"),
    "a number without a country": (Message("5589520028", template="01"), "to", "default_country"),
    "a schedule in the past": (
        Message(NUMBER, template="01", schedule_at=datetime(2022, 6, 3, tzinfo=UTC)), "schedule_at", "later",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("message", "field", "remedy"), REFUSED.values(), ids=REFUSED)
def test_a_message_that_cannot_be_sent_is_refused_with_field_and_remedy(
    message: Message, field: str, remedy: str
) -> None:
    client = EnviaSmsClient("TOKEN")
    with pytest.raises(ValidationError) as caught:
        client.prepare(message)
    assert caught.value.field == field
    assert remedy in str(caught.value)
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    if field == "schedule_at":
        assert isinstance(caught.value, ScheduleError)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(NUMBER, "x" * 160, options=THROUGH), 1),
        (Message(NUMBER, "á" * 70, options=THROUGH), 1),
        (Message(NUMBER, "á" * 71, options=THROUGH), 2),
        (Message(NUMBER, "á" * 500, options=THROUGH), 8),
        (Message(NUMBER, "😀" * 36, options=THROUGH), 2),
        (Message(NUMBER, template="01"), 1),
        (Message(NUMBER, template="01", variables={"a": "á" * 40, "b": "x" * 31}), 2),
    ],
)
def test_every_70_characters_of_ucs2_are_a_part_and_everything_else_is_one(message: Message, expected: int) -> None:
    """The document counts 70 for each, where the air has 67."""
    assert EnviaSmsClient("TOKEN").prepare(message).parts == expected


async def test_the_outcome_counts_the_parts_of_the_text_that_was_sent() -> None:
    message = Message(NUMBER, template="01", variables={"a": "á"})
    _, outcome = await wire(message, sent(mensaje_enviado="á" * 141))
    assert outcome.parts == 3
    _, outcome = await wire(message, sent(mensaje_enviado=...))
    assert outcome.parts == 1
    _, outcome = await wire(Message(NUMBER, template="01"), sent(mensaje_enviado="x" * 160))
    assert outcome.parts == 1


async def test_an_outcome_says_when_the_links_stayed_long() -> None:
    link = "https://example.com/a"
    message = Message(NUMBER, template="1", variables={"url": link}, options=EnviaSmsOptions(short_links=True))
    _, outcome = await wire(message, sent(mensaje_enviado=f"Hola {link}"))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "did not shorten" in outcome.detail
    _, outcome = await wire(message, sent(mensaje_enviado="Hola https://miurl.link/r/X"))
    assert outcome.detail == ""


async def test_an_outcome_in_test_mode_says_that_nothing_is_sent() -> None:
    _, outcome = await wire(Message(NUMBER, template="1"), test_mode=True)
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "test mode" in outcome.detail


def test_one_request_carries_one_message() -> None:
    client = EnviaSmsClient("TOKEN", default_country="MX")
    assert client.max_recipients == 1
    assert client.vendor == "envia_sms"
    assert client.prepare(Message("55 8952 0028", template="01")).number == "+525589520028"


# -------------------------------------------------------------------------------------------------------- campaigns


def to(count: int) -> list[str]:
    return [f"+5255895200{index:02d}" for index in range(count)]


async def test_a_campaign_accounts_for_everybody_by_outcome_and_code() -> None:
    answers: list[bytes | Answer | Handler] = [
        sent(),
        Answer(envelope(None, error=True, code="124"), 400),
        Answer(envelope(None, error=True, code="109"), 400),
        fin,
        sent(),
    ]
    async with Served(*answers) as server, server.client() as client:
        sender = BatchSender(client, max_in_flight=1)
        report = await sender.send([Message(number, template="01") for number in [*to(5), "12"]])
    assert len(server.requests) == 5
    assert (report.total, report.accepted, report.rejected, report.unknown, report.not_sent) == (6, 2, 1, 2, 1)
    assert report.by_code == {"124": 1, "109": 1, "connection_lost": 1, "invalid_to": 1}


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "06", "401", "403"])
async def test_a_campaign_stops_at_the_first_answer_that_forbids_to_go_on(code: str) -> None:
    async with Served(Answer(envelope(None, error=True, code=code), 400)) as server, server.client() as client:
        sender = BatchSender(client, max_in_flight=1)
        report = await sender.send([Message(number, template="01") for number in to(9)])
    assert len(server.requests) == 1
    assert (report.rejected, report.not_sent) == (1, 8)
    assert report.by_code[code] == 1


async def test_a_neutral_text_goes_through_a_router_with_the_routes_options() -> None:
    """One campaign for several vendors: messages know nothing of templates."""
    async with Served(sent()) as server, server.client() as client:
        sender = BatchSender(Router([Route(client, countries={"MX"}, options=THROUGH)]))
        report = await sender.send([Message(NUMBER, "Hola {nombre}", variables={"nombre": "Eva"})])
    assert report.accepted == 1
    assert server.params == {**BASE, "plantilla": "7", "var_mensaje": "Hola Eva"}
