"""Sending with `send_sms`: what goes on the wire, what is refused before anything leaves, how the answer is read."""

from __future__ import annotations

import inspect
import string
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared import next_year
from tiers import examples

from mensasdk import ConfigurationError, DecodeError, MensaError, ScheduleError, ValidationError
from mensasdk.vendors.envia_sms import EnviaSmsClient, SendResult, SendSms

from .samples import SCHEDULED, SENT, SHORT_LINK, TEST_MODE
from .served import IDENTIFIER, NOT_SENT, NUMBER, TOKEN, UNKNOWN, WIRE_NUMBER, Served, params_of, sent

YEAR = next_year()
MEXICO = ZoneInfo("America/Mexico_City")

# ------------------------------------------------------------------------------------------------------ parameters

PARAMETERS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"variables": {"codigo_verificacion": "123456", "empresa": "API SMS"}},
     {"var_codigo_verificacion": "123456", "var_empresa": "API SMS"}),
    ({"variables": {"var_empresa": "API SMS"}}, {"var_empresa": "API SMS"}),
    ({"variables": {"1": "uno", "año": "2030", "a-b": ""}}, {"var_1": "uno", "var_año": "2030", "var_a-b": ""}),
    ({"variables": {"url": "http://a.example/b?c=d&e=f#g"}}, {"var_url": "http://a.example/b?c=d&e=f#g"}),
    ({"schedule_at": datetime(YEAR, 6, 3, 5, 0, tzinfo=UTC)}, {"fecha_programar": f"{YEAR}-06-03 00:00:00"}),
    ({"unicode": True}, {"ucs2": "1"}),
    ({"allow_duplicates": True}, {"duplicado": "1"}),
    ({"short_links": True}, {"short_link": "1"}),
    ({"unicode": False, "allow_duplicates": False, "short_links": False, "variables": {}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "expected"), PARAMETERS, ids=lambda value: ",".join(value) or "nothing")
async def test_a_parameter_goes_out_under_the_vendors_name_and_nothing_else_does(
    given_: dict[str, Any], expected: dict[str, str]
) -> None:
    async with Served(sent()) as server, server.client() as client:
        await client.send_sms(NUMBER, "01", **given_)
    request = server.requests[0]
    assert (request.method, request.path) == ("GET", "/api/sms/send")
    assert params_of(request) == {"plantilla": "01", "numero": WIRE_NUMBER, **expected}


async def test_every_option_of_the_signature_is_among_the_parameters_tested() -> None:
    options = set(inspect.signature(EnviaSmsClient.send_sms).parameters) - {"self", "number", "template", "timeout"}
    assert options == {name for given_, _ in PARAMETERS for name in given_}


async def test_the_token_goes_last_and_the_query_is_percent_encoded() -> None:
    async with Served(sent()) as server, server.client() as client:
        await client.send_sms(NUMBER, "01", variables={"empresa": "API SMS"}, short_links=True)
    request = server.requests[0]
    assert request.pairs[-1] == ("token", TOKEN)
    assert [name for name, _ in request.pairs].count("token") == 1
    assert request.target == (
        "/api/sms/send?plantilla=01&numero=52%2C5589520028&short_link=1&var_empresa=API%20SMS"
        "&token=canario%2Bde%2Ftoken%3D%2526"
    )


@pytest.mark.parametrize(
    ("token", "test_mode", "on_the_wire", "is_test"),
    [
        ("TOKEN", False, "TOKEN", False),
        ("TOKEN", True, "pruebas_TOKEN", True),
        ("pruebas_TOKEN", True, "pruebas_TOKEN", True),
        ("pruebas_TOKEN", False, "pruebas_TOKEN", True),
        ("pruebas", True, "pruebas", True),  # the document's sample of the credits
        ("pruebas", False, "pruebas", True),
    ],
)
async def test_test_mode_puts_its_prefix_before_the_token_once(
    token: str, test_mode: bool, on_the_wire: str, is_test: bool
) -> None:
    async with Served(sent()) as server, server.client(token=token, test_mode=test_mode) as client:
        await client.send_sms(NUMBER, "01")
        assert client.test_mode is is_test
    assert server.requests[0].pairs[-1] == ("token", on_the_wire)


async def test_a_schedule_in_test_mode_is_left_to_the_vendor() -> None:
    """The table of codes forbids it (106), the document's own sample has one that works: it costs nothing to ask."""
    async with Served(SCHEDULED) as server, server.client(test_mode=True) as client:
        result = await client.send_sms(NUMBER, "01", schedule_at=datetime(YEAR, 6, 3, tzinfo=UTC))
    assert result.scheduled_at is not None


# ---------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("number", "wire"),
    [
        ("+525589520028", "52,5589520028"),
        ("0052 55 8952 0028", "52,5589520028"),
        ("52 (55) 8952-0028", "52,5589520028"),
        ("tel:+525589520028", "52,5589520028"),
        ("+33 6 12 34 56 78", "33,612345678"),
        ("+34 600 00 00 00", "34,600000000"),
        ("+1 202 555 0143", "1,2025550143"),
        ("+39 06 698 12345", "39,0669812345"),  # Italy keeps its leading zero
    ],
)
async def test_every_common_spelling_of_a_number_arrives_as_prefix_comma_number(number: str, wire: str) -> None:
    async with Served(sent()) as server, server.client() as client:
        await client.send_sms(number, "01")
    assert server.params["numero"] == wire


async def test_national_numbers_are_taken_with_a_default_country() -> None:
    async with Served(sent()) as server, server.client(default_country="MX") as client:
        await client.send_sms("55 8952 0028", "01")
        assert client.default_country == "MX"
    assert server.params["numero"] == WIRE_NUMBER


# --------------------------------------------------------------------------------------------------- local refusals

BAD_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "an empty number": ({"number": ""}, "number"),
    "a number without a country": ({"number": "5589520028"}, "number"),
    "two numbers": ({"number": "+525589520028,+525589520029"}, "number"),
    "the vendor's own spelling, which could hide a second number": ({"number": "52,5589520028"}, "number"),
    "a number with a line end": ({"number": "+525589520028\n"}, "number"),
    "a number with a parameter": ({"number": "+525589520028&token=x"}, "number"),
    "no template": ({"template": ""}, "template"),
    "a blank template": ({"template": "  "}, "template"),
    "a template with blanks around it": ({"template": "01 "}, "template"),
    "a template with a line end": ({"template": "01\n"}, "template"),
    "a template as a number, which loses its zeros": ({"template": 1}, "template"),
    "variables that are no mapping": ({"variables": ["a"]}, "variables"),
    "a variable without a name": ({"variables": {"": "x"}}, "variables"),
    "a variable that is only the prefix": ({"variables": {"var_": "x"}}, "variables"),
    "a variable that is no string": ({"variables": {"a": 1}}, "variables"),
    "a name that is no string": ({"variables": {1: "x"}}, "variables"),
    "a name twice": ({"variables": {"a": "x", "var_a": "y"}}, "variables"),
    "a name that PHP makes a list of": ({"variables": {"a[b]": "x"}}, "variables"),
    "a name that PHP writes as another": ({"variables": {"a.b": "x"}}, "variables"),
    "a name with a blank": ({"variables": {"a b": "x"}}, "variables"),
    "a name with a parameter in it": ({"variables": {"a=1&token": "x"}}, "variables"),
    "a name with a line end": ({"variables": {"a\n": "x"}}, "variables"),
    "half an emoji": ({"variables": {"a": "\ud83d"}}, "variables"),
    "a NUL": ({"variables": {"a": "x\0"}}, "variables"),
    "a naive time": ({"schedule_at": datetime(YEAR, 6, 3)}, "schedule_at"),
    "a time in the past": ({"schedule_at": datetime(2022, 6, 3, tzinfo=UTC)}, "schedule_at"),
}


@pytest.mark.parametrize(("values", "field"), BAD_VALUES.values(), ids=BAD_VALUES)
async def test_a_value_that_breaks_a_rule_is_refused_before_anything_is_sent(
    values: dict[str, Any], field: str
) -> None:
    async with Served(sent()) as server, server.client() as client:
        with pytest.raises(ValidationError) as caught:
            await client.send_sms(**{"number": NUMBER, "template": "01", **values})
    error = caught.value
    assert error.field == field
    assert error.outcome is NOT_SENT
    assert field in str(error) or "variable" in str(error)
    assert server.connections == 0
    if field == "schedule_at":
        assert isinstance(error, ScheduleError)


@pytest.mark.parametrize("token", ["", " TOKEN", "TOKEN\n", "TO\0KEN", "\ud83d"], ids=ascii)
def test_a_token_that_cannot_be_one_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        EnviaSmsClient(token)
    assert "token" in str(caught.value)
    assert "TOKEN" not in str(caught.value)


def test_a_time_zone_by_its_name_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="ZoneInfo"):
        EnviaSmsClient("TOKEN", time_zone="America/Mexico_City")  # type: ignore[arg-type]


wild = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = st.text(string.ascii_letters + string.digits + "_ñÁ-", min_size=1, max_size=12).filter(
    lambda name: bool(name.removeprefix("var_"))
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    template=wild.filter(lambda text: text.strip() == text != "" and text.isprintable()),
    variables=st.dictionaries(names.map(lambda name: name.removeprefix("var_")), wild, max_size=4),
)
async def test_no_name_and_no_value_reaches_into_another_parameter(template: str, variables: dict[str, str]) -> None:
    """The names of the vendor's own parameters among them: var_token is not token."""
    variables |= {"token": "1", "numero": "2", "plantilla": "3"}
    async with Served(sent()) as server, server.client() as client:
        await client.send_sms(NUMBER, template, variables=variables)
    request = server.requests[0]
    expected = {f"var_{name.removeprefix('var_')}": value for name, value in variables.items()}
    assert params_of(request) == {"plantilla": template, "numero": WIRE_NUMBER, **expected}
    assert request.pairs[-1] == ("token", TOKEN)


async def test_a_raw_request_value_cannot_reach_into_another_parameter_either() -> None:
    call = SendSms(template="01", number=WIRE_NUMBER, variables={"&token=x&": "y", "": "z"})
    async with Served(sent()) as server, server.client() as client:
        await client.execute(call)
    assert server.params == {"plantilla": "01", "numero": WIRE_NUMBER, "var_&token=x&": "y", "var_": "z"}


# --------------------------------------------------------------------------------------------------------- schedule


@pytest.mark.parametrize(
    ("moment", "wall"),
    [
        (datetime(YEAR, 6, 3, 5, 0, tzinfo=UTC), "-06-03 00:00:00"),
        (datetime(YEAR, 12, 3, 5, 0, tzinfo=UTC), "-12-03 00:00:00"),
        (datetime(YEAR, 6, 3, 0, 0, tzinfo=timezone(timedelta(hours=-5))), "-06-03 00:00:00"),
        (datetime(YEAR, 6, 3, 9, 0, tzinfo=MEXICO), "-06-03 10:00:00"),
        (datetime(YEAR, 6, 3, 5, 0, 30, tzinfo=UTC), "-06-03 00:00:30"),
        (datetime(YEAR, 6, 3, 5, 0, 30, 1, tzinfo=UTC), "-06-03 00:00:31"),
    ],
    ids=["UTC", "winter", "UTC-5", "Mexico is not at -5", "seconds", "fractions are rounded up"],
)
async def test_a_schedule_goes_out_at_utc_minus_5_which_is_the_documents_figure(moment: datetime, wall: str) -> None:
    async with Served(sent()) as server, server.client() as client:
        await client.send_sms(NUMBER, "01", schedule_at=moment)
    assert server.params["fecha_programar"] == f"{YEAR}{wall}"


async def test_the_time_zone_is_an_option_for_requests_and_answers() -> None:
    """The document says GMT-5 and central Mexico, which is at -6 since 2022."""
    moment = datetime(YEAR, 6, 3, 15, 0, tzinfo=UTC)
    async with (
        Served(sent(fecha_programada=f"{YEAR}-06-03 09:00:00")) as server,
        server.client(time_zone=MEXICO) as client,
    ):
        result = await client.send_sms(NUMBER, "01", schedule_at=moment)
    assert server.params["fecha_programar"] == f"{YEAR}-06-03 09:00:00"
    assert result.scheduled_at == moment
    assert result.scheduled_at.tzinfo is MEXICO


# ---------------------------------------------------------------------------------------------------------- answers


async def send(body: bytes, **options: Any) -> SendResult:
    async with Served(body) as server, server.client() as client:
        return await client.send_sms(NUMBER, "01", **options)


DOCUMENTED: dict[str, tuple[bytes, str, str, str, datetime | None]] = {
    "test mode": (TEST_MODE, "Mensaje de prueba", "521234567891", "60si864mv8o3b", None),
    "sent": (SENT, "123456 es tu codigo de verificacion de API SMS.", "1234567891", "60si864mv8o3b", None),
    "scheduled": (
        SCHEDULED,
        "123456 es tu codigo de verificacion de API SMS.",
        "123456789",
        "60si864mv8o3b",
        datetime(2022, 6, 3, 5, 0, tzinfo=UTC),
    ),
    "short link": (
        SHORT_LINK,
        "Hola MW, tienes una increible promo, solo entra a esta https://miurl.link/r/XXXX",
        "123456789",
        "62f06d7e40b65",
        None,
    ),
}


@pytest.mark.parametrize(("body", "text", "number", "identifier", "at"), DOCUMENTED.values(), ids=DOCUMENTED)
async def test_the_documents_samples_are_read_byte_for_byte(
    body: bytes, text: str, number: str, identifier: str, at: datetime | None
) -> None:
    result = await send(body)
    assert result.message == "Mensaje enviado correctamente"
    assert result.text == text
    assert result.number == number
    assert result.message_id == identifier
    assert result.message_ids == (identifier,)
    assert result.scheduled_at == at
    assert result.raw["mensaje_enviado"] == text
    if result.scheduled_at is not None:
        assert result.scheduled_at.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"0": "abc"}, ("abc",)),
        (["abc"], ("abc",)),
        ([{"0": "abc"}], ("abc",)),
        ("abc", ("abc",)),
        (" abc ", ("abc",)),
        (123, ("123",)),
        ({"0": "abc", "1": "def"}, ("abc", "def")),
        (["abc", "def"], ("abc", "def")),
        ({"0": "abc", "1": None}, ("abc",)),
    ],
)
async def test_an_identifier_may_be_an_object_a_list_or_a_text(value: Any, expected: tuple[str, ...]) -> None:
    result = await send(sent(identificador=value))
    assert result.message_ids == expected
    assert result.message_id == expected[0]


@pytest.mark.parametrize("value", [None, "", "0", 0, {}, [], {"0": ""}, [None], False, True, ...], ids=repr)
async def test_an_answer_that_accepts_and_has_no_identifier_is_unknown(value: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        await send(sent(identificador=value))
    assert caught.value.outcome is UNKNOWN
    assert "identificador" in str(caught.value)


@pytest.mark.parametrize("value", [None, "", "0000-00-00 00:00:00", "pronto", 5, {}, False, ...], ids=repr)
async def test_no_date_or_a_strange_one_is_none_and_the_message_still_accepted(value: Any) -> None:
    result = await send(sent(fecha_programada=value))
    assert result.scheduled_at is None
    assert result.message_id == IDENTIFIER
    assert result.raw.get("fecha_programada", ...) == value


async def test_only_the_identifier_is_needed_and_fields_that_nobody_knows_are_kept() -> None:
    result = await send(sent(mensaje=..., mensaje_enviado=..., numero=..., fecha_programada=..., nuevo={"a": [1]}))
    assert (result.message, result.text, result.number, result.scheduled_at) == ("", None, None, None)
    assert result.raw["nuevo"] == {"a": [1]}


LONG = "http://aquivaunaurlmuylarga.com/masdatos/otrosdatos/index.html"
SHORTENED: list[tuple[str, Mapping[str, str], bool, str | None, bool | None]] = [
    ("shortened", {"usuario": "MW", "url": LONG}, True, "Hola MW: https://miurl.link/r/XXXX", True),
    ("not enabled: the long link is sent", {"usuario": "MW", "url": LONG}, True, f"Hola MW: {LONG}", False),
    ("one of two", {"a": LONG, "b": "http://b.example/"}, True, "https://miurl.link/r/X http://b.example/", False),
    ("a link of another form", {"url": LONG}, True, "Hola https://other.example/X", None),
    ("not asked for", {"url": LONG}, False, f"Hola MW: {LONG}", None),
    ("no link to shorten", {"usuario": "MW"}, True, "Hola MW", None),
    ("no text in the answer", {"url": LONG}, True, None, None),
]


@pytest.mark.parametrize(
    ("variables", "short_links", "text", "expected"),
    [case[1:] for case in SHORTENED],
    ids=[case[0] for case in SHORTENED],
)
async def test_whether_links_were_shortened_shows_in_the_text_that_was_sent(
    variables: Mapping[str, str], short_links: bool, text: str | None, expected: bool | None
) -> None:
    result = await send(sent(mensaje_enviado=text), variables=variables, short_links=short_links)
    assert result.links_shortened is expected


async def test_reprs_of_requests_and_answers_show_neither_number_nor_text() -> None:
    call = SendSms(template="01", number=WIRE_NUMBER, variables={"a": "secreto"})
    result = await send(sent(mensaje_enviado="secreto"))
    for shown in (repr(call), repr(result)):
        assert "secreto" not in shown
        assert "5589520028" not in shown
    assert IDENTIFIER in repr(result)


async def test_the_client_shows_no_token_in_its_repr() -> None:
    async with Served(sent()) as server, server.client() as client:
        assert TOKEN not in repr(client)
        assert TOKEN not in repr(vars(client))


async def test_an_error_of_a_send_names_the_vendor() -> None:
    with pytest.raises(MensaError) as caught:
        await send(b"<html>")
    assert caught.value.vendor == "envia_sms"
