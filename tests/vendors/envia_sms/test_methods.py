"""Scheduled messages, status, countries and credits: what goes out, and how the answers are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensasdk import (
    AmbiguousResponse,
    ConfigurationError,
    DecodeError,
    DeliveryState,
    MensaError,
    UnexpectedResponse,
    ValidationError,
)
from mensasdk.vendors.envia_sms import EnviaSmsClient, GetStatus, Reason, Status, StatusReport

from .samples import CANCELLED, COUNTRIES, CREDITS, STATUS
from .served import (
    DONE,
    IDENTIFIER,
    NOT_SENT,
    NUMBER,
    TOKEN,
    UNKNOWN,
    WIRE_NUMBER,
    Served,
    envelope,
    params_of,
)

# ---------------------------------------------------------------------------------------------- scheduled messages

Action = Callable[[EnviaSmsClient], Awaitable[Any]]
ACTIONS: dict[str, tuple[Action, dict[str, str]]] = {
    "cancel_scheduled": (lambda c: c.cancel_scheduled(IDENTIFIER), {"tipo": "cancel", "identificador": IDENTIFIER}),
    "cancel_all_scheduled": (lambda c: c.cancel_all_scheduled(), {"tipo": "cancel", "identificador": "*"}),
    "send_scheduled_now": (lambda c: c.send_scheduled_now(IDENTIFIER), {"tipo": "send", "identificador": IDENTIFIER}),
    "send_all_scheduled_now": (lambda c: c.send_all_scheduled_now(), {"tipo": "send", "identificador": "*"}),
}


@pytest.mark.parametrize(("action", "params"), ACTIONS.values(), ids=ACTIONS)
async def test_an_action_on_scheduled_messages_goes_out_as_send_cancel(action: Action, params: dict[str, str]) -> None:
    """The document's sample of the answer is read byte for byte. Its address has two slashes; one is sent."""
    async with Served(CANCELLED) as server, server.client() as client:
        result = await action(client)
    request = server.requests[0]
    assert (request.method, request.path) == ("GET", "/api/sms/send_cancel")
    assert params_of(request) == params
    assert request.pairs[-1] == ("token", TOKEN)
    assert result.message == "Acción realizada"
    assert result.raw == {"message": "Acción realizada"}


BAD_IDENTIFIERS = [
    "*",
    " * ",
    "",
    "  ",
    "a*",
    "%2A",
    "a b",
    "a,b",
    "a&token=x",
    "a\nb",
    "a\0",
    "../x",
    "\u2217",
    "\uff0a",
    5,
]


@pytest.mark.parametrize("identifier", BAD_IDENTIFIERS, ids=ascii)
async def test_an_identifier_never_stands_for_all_messages(identifier: Any) -> None:
    async with Served(DONE) as server, server.client() as client:
        for call in (
            client.cancel_scheduled(identifier),
            client.send_scheduled_now(identifier),
            client.get_status(identifier, NUMBER),
        ):
            with pytest.raises(ValidationError) as caught:
                await call
            assert caught.value.field == "message_id"
            assert caught.value.outcome is NOT_SENT
    assert server.connections == 0


async def test_the_refusal_of_an_asterisk_names_the_methods_that_mean_it() -> None:
    async with Served(DONE) as server, server.client() as client:
        with pytest.raises(ValidationError, match=r"cancel_all_scheduled\(\) and send_all_scheduled_now\(\)"):
            await client.cancel_scheduled("*")


@pytest.mark.parametrize("response", [None, [], {}, "", {"mensaje": "Acción realizada"}], ids=repr)
async def test_an_action_that_was_done_needs_no_words(response: Any) -> None:
    async with Served(envelope(response, code="0", spelling="cancel")) as server, server.client() as client:
        result = await client.cancel_scheduled(IDENTIFIER)
    assert result.message == ("Acción realizada" if response else "")


@pytest.mark.parametrize("body", [b'{"response":{"message":"x"}}', b'{"error":null,"error_code":"","response":{}}'])
async def test_an_action_whose_answer_does_not_say_that_it_worked_is_unknown(body: bytes) -> None:
    async with Served(body) as server, server.client() as client:
        with pytest.raises((DecodeError, UnexpectedResponse)) as caught:
            await client.cancel_scheduled(IDENTIFIER)
    assert caught.value.outcome is UNKNOWN
    assert len(server.requests) == 1


# ----------------------------------------------------------------------------------------------------------- status


async def status(body: bytes, **options: Any) -> StatusReport:
    async with Served(body) as server, server.client(**options) as client:
        return await client.get_status(IDENTIFIER, NUMBER)


def status_body(**changes: Any) -> bytes:
    response = {
        "number": "525589520028",
        "status": "Entregado",
        "description": [],
        "identificador": IDENTIFIER,
        "date": "2022-06-03 00:00:00",
        **changes,
    }
    return envelope({k: v for k, v in response.items() if v is not ...}, code="0", spelling="cancel")


async def test_a_status_is_asked_for_by_identifier_and_number() -> None:
    async with Served(STATUS) as server, server.client() as client:
        await client.get_status(f" {IDENTIFIER} ", "0052 55 8952 0028")
    request = server.requests[0]
    assert (request.method, request.path) == ("GET", "/api/sms/status_message")
    assert params_of(request) == {"identificador": IDENTIFIER, "numero": WIRE_NUMBER}
    assert request.pairs[-1] == ("token", TOKEN)


async def test_the_documents_status_is_read_byte_for_byte() -> None:
    report = await status(STATUS)
    assert report.number == "521234567891"
    assert report.status is Status.TEST_MODE
    assert report.reasons == ()
    assert report.message_id == "60si864mv8o3b"
    assert report.at == datetime(2022, 6, 3, 5, 0, tzinfo=UTC)
    assert report.at.utcoffset() == timedelta(hours=-5)
    assert report.raw["status"] == "Modo pruebas"


async def test_the_date_of_a_status_is_on_the_clients_clock() -> None:
    report = await status(STATUS, time_zone=ZoneInfo("America/Mexico_City"))
    assert report.at == datetime(2022, 6, 3, 5, 0, tzinfo=UTC)  # summer time, which Mexico still had
    assert str(report.at.tzinfo) == "America/Mexico_City"


WORDS: dict[str, tuple[Status, DeliveryState, bool]] = {
    "Procesando": (Status.PROCESSING, DeliveryState.PENDING, False),
    "Error": (Status.ERROR, DeliveryState.FAILED, True),
    "Entregado_GSM": (Status.AT_NETWORK, DeliveryState.SENT, False),
    "Entregado_operador": (Status.AT_OPERATOR, DeliveryState.SENT, False),
    "Entregado": (Status.DELIVERED, DeliveryState.DELIVERED, True),
    "Modo pruebas": (Status.TEST_MODE, DeliveryState.UNKNOWN, True),
}


@pytest.mark.parametrize("word", WORDS)
async def test_a_status_word_has_a_state(word: str) -> None:
    report = await status(status_body(status=word))
    member, state, final = WORDS[word]
    assert report.status is member
    assert report.status == word
    assert report.state is state
    assert report.is_final is final
    assert report.status.is_known


@pytest.mark.parametrize(
    ("spelling", "member"),
    [
        ("entregado_gsm", Status.AT_NETWORK),
        ("Entregado GSM", Status.AT_NETWORK),
        ("ENTREGADO_OPERADOR", Status.AT_OPERATOR),
        (" Entregado ", Status.DELIVERED),
        ("Modo_pruebas", Status.TEST_MODE),
        ("1", Status.PROCESSING),
        (2, Status.ERROR),
        ("3", Status.AT_NETWORK),
        (4, Status.AT_OPERATOR),
        ("5", Status.DELIVERED),
    ],
)
async def test_a_status_may_be_spelled_otherwise_or_be_the_number_of_the_documents_table(
    spelling: Any, member: Status
) -> None:
    assert (await status(status_body(status=spelling))).status is member


@pytest.mark.parametrize("word", ["Entregado_satélite", "6", "0"])
async def test_a_status_that_nobody_has_seen_is_a_value(word: str) -> None:
    report = await status(status_body(status=word))
    assert report.status == word
    assert not report.status.is_known
    assert report.state is DeliveryState.UNKNOWN
    assert not report.is_final


REASONS = ["Mensaje_rechazado", "Mensaje_expirado", "Mensaje_duplicado", "No_entregado"]


@pytest.mark.parametrize("word", REASONS)
async def test_a_description_says_why_a_message_failed(word: str) -> None:
    report = await status(status_body(status="Error", description=[word]))
    assert report.reasons == (Reason(word),)
    assert report.reasons[0].is_known
    assert report.state is (DeliveryState.EXPIRED if word == "Mensaje_expirado" else DeliveryState.FAILED)
    assert report.is_final


def test_the_reasons_are_those_of_the_document() -> None:
    assert [str(reason) for reason in Reason] == REASONS
    assert [str(word) for word in Status] == list(WORDS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ()),
        ("", ()),
        (None, ()),
        ({}, ()),
        (..., ()),
        ("No_entregado", (Reason.NOT_DELIVERED,)),
        ("no entregado", (Reason.NOT_DELIVERED,)),
        ({"0": "No_entregado"}, (Reason.NOT_DELIVERED,)),
        (["Mensaje_rechazado", "", None, "No_entregado"], (Reason.REJECTED, Reason.NOT_DELIVERED)),
    ],
)
async def test_a_description_may_be_a_list_a_text_an_object_or_nothing(value: Any, expected: tuple[Reason]) -> None:
    assert (await status(status_body(description=value))).reasons == expected


async def test_a_description_that_nobody_has_seen_is_a_value() -> None:
    (reason,) = (await status(status_body(status="Error", description=["Sin_cobertura"]))).reasons
    assert reason == "Sin_cobertura"
    assert not reason.is_known


@pytest.mark.parametrize("value", [..., None, "", [], {}])
async def test_a_status_answer_without_a_status_is_refused(value: Any) -> None:
    with pytest.raises(DecodeError, match="status"):
        await status(status_body(status=value))


@pytest.mark.parametrize("value", [{"0": IDENTIFIER}, [IDENTIFIER], IDENTIFIER])
async def test_the_identifier_of_a_status_is_read_in_every_form(value: Any) -> None:
    assert (await status(status_body(identificador=value))).message_id == IDENTIFIER


async def test_a_status_needs_nothing_but_the_status() -> None:
    report = await status(
        status_body(number=..., description=..., identificador=..., date="ayer"),
    )
    assert (report.number, report.reasons, report.message_id, report.at) == ("", (), None, None)


async def test_a_report_in_vendor_neutral_terms() -> None:
    report = await status(status_body(status="Error", description=["Mensaje_expirado"]))
    delivery = report.to_delivery()
    assert (delivery.vendor, delivery.vendor_id, delivery.number) == ("envia_sms", IDENTIFIER, "+525589520028")
    assert (delivery.state, delivery.code, delivery.at) == (DeliveryState.EXPIRED, "Error", report.at)
    assert delivery.raw == report.raw
    odd = (await status(status_body(number="12"))).to_delivery()
    assert odd.number == "12"


async def test_reprs_of_a_status_show_no_whole_number() -> None:
    report = await status(status_body())
    assert "5589520028" not in repr(report) + repr(GetStatus(message_id=IDENTIFIER, number=WIRE_NUMBER))
    assert "***028" in repr(report)


@pytest.mark.parametrize("number", ["", "5589520028", "52,5589520028", "+525589520028,+525589520029"])
async def test_a_status_needs_one_whole_number(number: str) -> None:
    async with Served(STATUS) as server, server.client() as client:
        with pytest.raises(ValidationError) as caught:
            await client.get_status(IDENTIFIER, number)
    assert caught.value.field == "number"
    assert server.connections == 0


# -------------------------------------------------------------------------------------------------------- countries


async def test_the_documents_countries_are_read_byte_for_byte_although_they_say_error() -> None:
    async with Served(COUNTRIES) as server, server.client() as client:
        mexico, france, spain = await client.list_countries()
    request = server.requests[0]
    assert (request.method, request.path) == ("GET", "/api/sms/paises")
    assert request.pairs == [("token", TOKEN)]
    assert b'"error": true' in COUNTRIES
    expected = {
        mexico: ("MX", "México", "52", "0.5", "0.47", "0.45", "0.43", "0.41"),
        france: ("FR", "Francia", "33", "1.5", "1.44", "1.42", "1.4", "1.38"),
        spain: ("ES", "España", "34", "1.5", "1.43", "1.41", "1.39", "1.37"),
    }
    for country, (code, name, calling_code, *prices) in expected.items():
        assert (country.code, country.name, country.calling_code) == (code, name, calling_code)
        assert [
            country.price_free,
            country.price_starter,
            country.price_basic,
            country.price_intermediate,
            country.price_professional,
        ] == [Decimal(price) for price in prices]
        assert country.raw["codigo_pais"] == code


async def test_a_country_may_lack_prices_and_have_a_plus_and_new_fields() -> None:
    body = envelope([{"codigo_pais": "MX", "prefijo": "+52", "precio_gratis": 0.5, "nuevo": 1}])
    async with Served(body) as server, server.client() as client:
        (country,) = await client.list_countries()
    assert (country.calling_code, country.name, country.price_free) == ("52", "", Decimal("0.5"))
    assert country.price_professional is None
    assert country.raw["nuevo"] == 1


@pytest.mark.parametrize(
    "response", [{"1": {"codigo_pais": "MX", "prefijo": 52}}, [{"codigo_pais": "MX", "prefijo": 52}]]
)
async def test_countries_may_be_a_list_or_keyed(response: Any) -> None:
    async with Served(envelope(response)) as server, server.client() as client:
        (country,) = await client.list_countries()
    assert (country.code, country.calling_code) == ("MX", "52")


@pytest.mark.parametrize("response", [None, "x", 5, {"mensaje": "x"}], ids=repr)
async def test_countries_that_are_no_list_are_refused(response: Any) -> None:
    async with Served(envelope(response)) as server, server.client() as client:
        with pytest.raises(DecodeError):
            await client.list_countries()


async def test_no_countries_are_no_countries() -> None:
    async with Served(envelope([])) as server, server.client() as client:
        assert await client.list_countries() == ()


@pytest.mark.parametrize("options", [{"test_mode": True}, {"token": "pruebas_TOKEN"}])
async def test_countries_are_not_asked_for_in_test_mode(options: dict[str, Any]) -> None:
    async with Served(COUNTRIES) as server, server.client(**options) as client:
        with pytest.raises(ConfigurationError, match="test mode") as caught:
            await client.list_countries()
    assert caught.value.outcome is NOT_SENT
    assert server.connections == 0


def test_the_docstring_says_that_countries_cost_a_credit() -> None:
    assert "costs one credit" in (EnviaSmsClient.list_countries.__doc__ or "")


# ---------------------------------------------------------------------------------------------------------- credits


async def test_the_documents_credits_are_read_byte_for_byte() -> None:
    async with Served(CREDITS) as server, server.client() as client:
        balance = await client.get_credits()
    request = server.requests[0]
    assert (request.method, request.path) == ("GET", "/api/sms/creditos_disponibles")
    assert request.pairs == [("token", TOKEN)]
    assert type(balance) is Decimal
    assert balance == 9999


@pytest.mark.parametrize(
    ("value", "expected"),
    [("9999", "9999"), ("12.5", "12.5"), (12.5, "12.5"), (0, "0"), ("-1", "-1"), ("0.41", "0.41")],
)
async def test_credits_are_an_exact_decimal(value: Any, expected: str) -> None:
    async with Served(envelope({"creditos_disponibles": value}, code=0)) as server, server.client() as client:
        assert await client.get_credits() == Decimal(expected)


@pytest.mark.parametrize("response", [None, {}, [], {"creditos_disponibles": None}, {"creditos_disponibles": "muchos"}])
async def test_credits_that_are_no_number_are_refused(response: Any) -> None:
    async with Served(envelope(response, code=0)) as server, server.client() as client:
        with pytest.raises(DecodeError):
            await client.get_credits()


# ------------------------------------------------------------------------------------------------------ error: true


async def test_data_of_reads_are_believed_although_the_flag_says_error() -> None:
    async with Served(status_body().replace(b"false", b"true")) as server, server.client() as client:
        assert (await client.get_status(IDENTIFIER, NUMBER)).status is Status.DELIVERED
    async with Served(envelope({"creditos_disponibles": "7"}, error=True)) as server, server.client() as client:
        assert await client.get_credits() == 7


async def test_a_send_that_says_error_and_has_data_is_in_doubt() -> None:
    body = envelope({"identificador": {"0": IDENTIFIER}}, error=True)
    async with Served(body) as server, server.client() as client:
        with pytest.raises(AmbiguousResponse) as caught:
            await client.send_sms(NUMBER, "01")
        with pytest.raises(AmbiguousResponse):
            await client.cancel_scheduled(IDENTIFIER)
    error: MensaError = caught.value
    assert error.outcome is UNKNOWN
    assert len(server.requests) == 2
