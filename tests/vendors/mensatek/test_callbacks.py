"""Callbacks of Mensatek, in each of its forms, and all the way from the sandbox to the receiver."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import check_plain

from mensasdk import AmbiguousResponse, DecodeError, Delivery, DeliveryState, MensaError, MensatekClient, OutcomeKind
from mensasdk.delivery import DeliveryReceiver
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.mensatek import DeliveryReport, ReceivedSms, StatusCode, parse_callback

from .support import NUMBER

MADRID = ZoneInfo("Europe/Madrid")

# The document's own samples.
REPORT = {
    "Servicio": "SMSMASIVO",
    "Resultado": "11",
    "Remitente": "TUEMPRESA",
    "Movil": "34600000000",
    "Fecha": "2020-12-03 11:14:24",
    "Segundos": "3",
    "idMensaje": "10573758",
    "Referencia": "Su referencia si la indicó",
    "idReport": "1234567890",
}
RECEIVED = {
    "Servicio": "SMSRECIBIDO",
    "timestamp": "1664795529",
    "Fecha": "2020-12-03 11:14:24",
    "Movil": "34600000000",
    "Remitente": "MIEMPRESA",
    "Mensaje": "MIEMPRESA",
    "idR": "56399876",
    "idM": "78334454",
    "EsCert": "true",
    "Referencia": "667887TR",
}


def multipart(fields: Mapping[str, str], charset: str = "utf-8") -> tuple[bytes, str]:
    parts = "".join(
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return f"{parts}--xyz--\r\n".encode(charset), "multipart/form-data; boundary=xyz"


WRITERS: dict[str, Callable[[Mapping[str, str]], tuple[bytes, str]]] = {
    "json": lambda fields: (json.dumps(fields).encode(), "application/json"),
    "json, raw letters": lambda fields: (json.dumps(fields, ensure_ascii=False).encode(), "application/json"),
    "json in a list": lambda fields: (json.dumps([fields]).encode(), "application/json; charset=UTF-8"),
    "json, undeclared latin-1": lambda fields: (
        json.dumps(fields, ensure_ascii=False).encode("latin-1"),
        "application/json",
    ),
    "json said to be a form": lambda fields: (json.dumps(fields).encode(), "application/x-www-form-urlencoded"),
    "form": lambda fields: (urlencode(fields).encode(), "application/x-www-form-urlencoded"),
    "form, charset": lambda fields: (urlencode(fields).encode(), "Application/X-WWW-Form-Urlencoded; charset=utf-8"),
    "form, latin-1": lambda fields: (
        urlencode(fields, encoding="latin-1").encode(),
        "application/x-www-form-urlencoded",
    ),
    "form, latin-1 declared": lambda fields: (
        urlencode(fields, encoding="latin-1").encode(),
        "application/x-www-form-urlencoded; charset=ISO-8859-1",
    ),
    "multipart": multipart,
    "multipart, latin-1": lambda fields: multipart(fields, "latin-1"),
    "upper case": lambda fields: (
        json.dumps({name.upper(): value for name, value in fields.items()}).encode(),
        "application/json",
    ),
}
every_form = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def parse(fields: Mapping[str, Any]) -> DeliveryReport | ReceivedSms:
    return parse_callback(json.dumps(fields).encode())


def outcome_of(body: bytes, content_type: str = "application/json") -> DeliveryReport | ReceivedSms | MensaError:
    try:
        return parse_callback(body, content_type)
    except MensaError as error:
        return error


def report_of(fields: Mapping[str, Any]) -> DeliveryReport:
    report = parse(fields)
    assert isinstance(report, DeliveryReport)
    return report


@every_form
def test_the_documents_report_is_read_from_every_form(write: Any) -> None:
    report = parse_callback(*write(REPORT))
    assert report == DeliveryReport(
        service="SMSMASIVO",
        status=StatusCode.DELIVERED_11,
        sender="TUEMPRESA",
        number="34600000000",
        at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
        seconds=3,
        message_id="10573758",
        reference="Su referencia si la indicó",
        report_id="1234567890",
    )
    assert {name.lower(): value for name, value in report.raw.items()} == {
        name.lower(): value for name, value in REPORT.items()
    }


@every_form
def test_the_documents_received_sms_is_read_from_every_form(write: Any) -> None:
    assert parse_callback(*write(RECEIVED)) == ReceivedSms(
        service="SMSRECIBIDO",
        received_at=datetime(2022, 10, 3, 11, 12, 9, tzinfo=UTC),
        operator_time=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
        number="34600000000",
        sender="MIEMPRESA",
        text="MIEMPRESA",
        internal_id="56399876",
        message_id="78334454",
        certified=True,
        reference="667887TR",
    )


def test_numbers_may_be_numbers() -> None:
    fields = {**REPORT, "Resultado": 11, "Movil": 34600000000, "Segundos": 3, "idMensaje": 10573758, "idReport": 5}
    report = report_of(fields)
    assert (report.status, report.number, report.seconds) == (StatusCode.DELIVERED_11, "34600000000", 3)
    assert (report.message_id, report.report_id) == ("10573758", "5")


@pytest.mark.parametrize(
    ("word", "certified"),
    [("true", True), ("false", False), ("True", True), ("FALSE", False), ("1", True), ("0", False), ("", False)],
)
def test_whether_it_is_certified_is_a_word(word: str, certified: bool) -> None:
    for value in (word, *([json.loads(word.lower())] if word else [])):
        received = parse({**RECEIVED, "EsCert": value})
        assert isinstance(received, ReceivedSms)
        assert received.certified is certified


def test_a_message_that_answers_none_has_no_ids() -> None:
    received = parse({**RECEIVED, "idR": "", "idM": None, "Referencia": None, "timestamp": ""})
    assert isinstance(received, ReceivedSms)
    assert not received.internal_id
    assert received.message_id is None
    assert received.reference is None
    assert received.received_at is None


def test_the_text_of_a_received_sms_is_kept_to_the_letter() -> None:
    text = '  Sí; acepto & firmo = 100%\r\n{"Resultado": 11} 😀 '
    for write in (WRITERS["json"], WRITERS["form"], WRITERS["multipart"]):
        received = parse_callback(*write({**RECEIVED, "Mensaje": text}))
        assert isinstance(received, ReceivedSms)
        assert received.text == text


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_of_a_handset_arrives_from_json_and_form(text: str) -> None:
    for write in (WRITERS["json"], WRITERS["form"]):
        received = parse_callback(*write({**RECEIVED, "Mensaje": text}))
        assert isinstance(received, ReceivedSms)
        assert received.text == text
        assert received.sender == "MIEMPRESA"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            '{"Variable_1":"Pedro","ip":"1.2.3.4","n":{"a":[1]}}',
            {"Variable_1": "Pedro", "ip": "1.2.3.4", "n": {"a": [1]}},
        ),
        ({"a": 1}, {"a": 1}),
        ("{}", {}),
        ("not JSON", None),
        ("[1]", None),
        ("", None),
        (None, None),
    ],
)
def test_variables_of_a_contract_are_json_in_a_string(value: object, expected: object) -> None:
    report = report_of({**REPORT, "Resultado": "180", "Variables": value})
    assert report.variables == expected
    assert report.raw["Variables"] == value


def test_version_5_names_and_its_date_of_14_digits() -> None:
    body = b"Resultado=11&Remitente=YO&Movil=34600000000&Fecha=20150715145800&Segundos=2&idEnvio=27184020&Referencia="
    report = parse_callback(body, "application/x-www-form-urlencoded")
    assert report == DeliveryReport(
        status=StatusCode.DELIVERED_11,
        sender="YO",
        number="34600000000",
        at=datetime(2015, 7, 15, 14, 58, tzinfo=MADRID),
        seconds=2,
        message_id="27184020",
        reference="",
    )


def test_an_unknown_status_is_a_value() -> None:
    report = report_of({**REPORT, "Resultado": "4242"})
    assert report.status == 4242
    assert not report.status.is_known
    assert report.to_delivery().state is DeliveryState.UNKNOWN
    assert report.to_delivery().code == "4242"


@pytest.mark.parametrize("date", ["", "0000-00-00 00:00:00", None, "ayer", 5, [1]])
def test_a_date_that_is_none_is_none_and_the_report_is_not_lost(date: object) -> None:
    report = report_of({**REPORT, "Fecha": date})
    assert report.at is None
    assert report.raw["Fecha"] == date


def test_only_a_number_and_a_status_are_needed() -> None:
    report = report_of({"Resultado": 53, "Movil": "34600000000"})
    assert report.to_delivery() == Delivery(
        vendor="mensatek", vendor_id=None, number="+34600000000", state=DeliveryState.EXPIRED, code="53"
    )


def test_a_report_in_neutral_terms() -> None:
    report = report_of(REPORT)
    delivery = report.to_delivery()
    assert delivery == Delivery(
        vendor="mensatek",
        vendor_id="10573758",
        number="+34600000000",
        state=DeliveryState.DELIVERED,
        code="11",
        at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
        reference="Su referencia si la indicó",
    )
    assert delivery.raw == REPORT


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("34600000000", "+34600000000"),
        ("+34600000000", "+34600000000"),
        ("destino@dominio.com", "destino@dominio.com"),  # the document's own sample
        ("12", "12"),
        ("", ""),
    ],
)
def test_a_number_that_is_none_stays_as_it_came(number: str, expected: str) -> None:
    assert report_of({**REPORT, "Movil": number}).to_delivery().number == expected


GARBAGE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/json"),
    "no form": (b"", "application/x-www-form-urlencoded"),
    "an empty object": (b"{}", "application/json"),
    "an empty list": (b"[]", "application/json"),
    "two reports": (json.dumps([REPORT, REPORT]).encode(), "application/json"),
    "a word": (b'"SMSMASIVO"', "application/json"),
    "a number": (b"11", "application/json"),
    "null": (b"null", "application/json"),
    "cut JSON": (json.dumps(REPORT).encode()[:-20], "application/json"),
    "a web page": (b"<html></html>", "application/json"),
    "a DOCTYPE": (b'<!DOCTYPE a [<!ENTITY b "c">]><a><Resultado>&b;</Resultado></a>', "application/json"),
    "bytes": (bytes(range(256)), "application/json"),
    "deep JSON": (b"[" * 100_000, "application/json"),
    "a huge number": (b'{"Movil":"34600000000","Resultado":' + b"1" * 5000 + b"}", "application/json"),
    "another service": (b'{"Servicio":"EMAIL","Movil":"x"}', "application/json"),
    "no number": (b'{"Resultado":11}', "application/json"),
    "no status": (b'{"Servicio":"SMSMASIVO","Movil":"34600000000"}', "application/json"),
    "a status that is a word": (b'{"Resultado":"OK","Movil":"34600000000"}', "application/json"),
    "a status null": (b'{"Resultado":null,"Movil":"34600000000"}', "application/json"),
    "an object for a number": (b'{"Resultado":11,"Movil":{"a":1}}', "application/json"),
    "received, without text": (b'{"Servicio":"SMSRECIBIDO","Movil":"1","Remitente":"2"}', "application/json"),
    "received, at no time": (
        b'{"Servicio":"SMSRECIBIDO","Movil":"1","Remitente":"2","Mensaje":"x","timestamp":"1e400"}',
        "application/json",
    ),
    "received, certified perhaps": (
        b'{"Servicio":"SMSRECIBIDO","Movil":"1","Remitente":"2","Mensaje":"x","EsCert":"perhaps"}',
        "application/json",
    ),
    "multipart without a boundary": (b"--x", "multipart/form-data"),
    "multipart, cut": (multipart(REPORT)[0][:-8], "multipart/form-data; boundary=xyz"),
    "a file in the form": (
        b'--x\r\nContent-Disposition: form-data; name="Resultado"; filename="a"\r\n\r\n11\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    "too many fields": (b"&".join(b"a%d=1" % n for n in range(200)), "application/x-www-form-urlencoded"),
    "too large": (b"Resultado=11&Mensaje=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize(("body", "content_type"), GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_callback_is_a_decode_error_that_quotes_nothing(body: bytes, content_type: str) -> None:
    with pytest.raises(MensaError) as caught:
        parse_callback(body, content_type)
    assert isinstance(caught.value, DecodeError) or not body.strip() or body.startswith(b"<html")
    assert caught.value.vendor == "mensatek"
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert "34600000000" not in str(caught.value)
    check_plain(caught.value, "mensatek")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"Resultado":11,"Resultado":50,"Movil":"34600000000"}', "application/json"),
        (b'{"Resultado":11,"RESULTADO":50,"Movil":"34600000000"}', "application/json"),
        (b"Resultado=11&Movil=34600000000&Resultado=50", "application/x-www-form-urlencoded"),
        (b"Resultado=11&Movil=34600000000&RESULTADO=50", "application/x-www-form-urlencoded"),
        (
            b"Servicio=SMSMASIVO&SERVICIO=SMSRECIBIDO&Resultado=11&Movil=34600000000&Remitente=1&Mensaje=x",
            "application/x-www-form-urlencoded",
        ),
    ],
)
def test_a_callback_that_says_two_things_at_once_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(AmbiguousResponse):
        parse_callback(body, content_type)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([*(kind for _, kind in GARBAGE.values()), "", "x"]))
def test_no_bytes_at_all_raise_anything_but_a_mensa_error(body: bytes, content_type: str) -> None:
    result = outcome_of(body, content_type)
    assert not isinstance(result, MensaError) or result.vendor == "mensatek"


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*REPORT, *RECEIVED, "Variables", "idEnvio"]),
        st.none() | st.text(max_size=20) | st.integers() | st.floats() | st.booleans() | st.lists(st.integers()),
    )
)
def test_no_values_at_all_raise_anything_but_a_mensa_error(fields: dict[str, object]) -> None:
    for service in ("SMSMASIVO", "SMSRECIBIDO"):
        result = outcome_of(json.dumps({**fields, "Servicio": service}).encode())
        assert not isinstance(result, MensaError) or result.vendor == "mensatek"
        if isinstance(result, DeliveryReport):
            assert result.to_delivery().vendor == "mensatek"


def test_a_form_whose_values_look_like_other_fields_keeps_them() -> None:
    body = f"Resultado=11&Movil=34600000000&Referencia={quote_plus('a&Resultado=50')}".encode()
    report = parse_callback(body, "application/x-www-form-urlencoded")
    assert isinstance(report, DeliveryReport)
    assert (report.status, report.reference) == (StatusCode.DELIVERED_11, "a&Resultado=50")


# --------------------------------------------------------------------------------------------------- end to end


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "form", "multipart"])
async def test_reports_and_replies_reach_the_receiver(box: Sandbox, mensatek: MensatekClient, form: Any) -> None:
    got: list[DeliveryReport | ReceivedSms] = []

    async def store(value: DeliveryReport | ReceivedSms) -> None:
        got.append(value)

    receiver = DeliveryReceiver(parse_callback, store, user="usuario", password="contraseña")
    async with receiver.serve() as url:
        box.callbacks(url + "mensatek", vendor="mensatek", auth=("usuario", "contraseña"), format=form)
        sent = await mensatek.send_sms([NUMBER, "34600000050"], "Hola", report=True, reference="pedido nº 7 & 8")
        assert sent.message_id is not None
        await box.drain()
        assert await box.incoming("mensatek", "34611111111", "Sí, acepto 😀", reply_to=sent.message_id, certified=True)
        assert not await box.post_callback("mensatek", {"Servicio": "OTRO"})

    reports = [value for value in got if isinstance(value, DeliveryReport)]
    assert {report.message_id for report in reports} == {sent.message_id}
    assert {report.reference for report in reports} == {"pedido nº 7 & 8"}
    assert {report.report_id for report in reports} == {message.report_id for message in box.ledger.messages}
    last = {report.number: report.to_delivery() for report in reports}
    assert {number: delivery.state for number, delivery in last.items()} == {
        NUMBER: DeliveryState.DELIVERED,
        "34600000050": DeliveryState.FAILED,
    }
    assert all(delivery.at is not None and delivery.at.tzinfo is not None for delivery in last.values())
    [reply] = [value for value in got if isinstance(value, ReceivedSms)]
    assert (reply.sender, reply.text, reply.certified) == ("34611111111", "Sí, acepto 😀", True)
    assert (reply.message_id, reply.reference) == (sent.message_id, "pedido nº 7 & 8")
    assert reply.received_at is not None
    assert reply.received_at.tzinfo is not None
