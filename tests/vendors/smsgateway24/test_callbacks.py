"""Callbacks: both published forms, over a socket and alone, and everything that is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk import DecodeError, DeliveryState, UnexpectedResponse
from mensasdk.delivery import DeliveryReceiver
from mensasdk.vendors.smsgateway24 import DeliveryReport, ReceivedMessage, SimSlot, StatusCode, parse_callback

# The reference page has tables of fields, and no samples.
DELIVERY: dict[str, Any] = {
    "sms_id": 62807347,
    "status_id": 7,
    "status_message": "delivered",
    "sendto": "+4915752982212",
    "senttime": {"date": "2026-01-15 11:30:00.000000", "timezone_type": 3, "timezone": "Europe/Paris"},
    "channel_id": 0,
    "device_id": 260,
}
INCOMING: dict[str, Any] = {
    "address": "+4915752982212",
    "date": "2026-01-15 10:30:00",
    "date_sent": 1768473000000,
    "body": "Hello ñ",
    "internal_id": 12,
    "channel_id": 1,
    "sms_id": 62807348,
    "device_id": 260,
    "device_name": "SM-F",
    "type": "text",
}
IMAGE: dict[str, Any] = {
    "address": "+4915752982212",
    "date": "2026-01-15 10:30:00",
    "date_sent": "2026-01-15 10:29:00",
    "body": "",
    "internal_id": None,
    "sim": 3,
    "sms_id": 62807349,
    "type": "img",
    "img_url": "https://bucket.example/x.jpg",
}
# The article's samples.
EVENT_DELIVERY = (
    b'{"event":"delivery_status","message_id":"abc123","phone":"+4915752982212","status":"delivered",'
    b'"timestamp":"2026-01-15T10:30:00Z","device_id":"device_xyz"}'
)
EVENT_INCOMING = (
    b'{"event":"incoming_sms","phone":"+4915752982212","message":"Hello","timestamp":"2026-01-15T10:30:00Z",'
    b'"device_id":"device_xyz"}'
)
NOON = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def parse(tree: Any) -> DeliveryReport | ReceivedMessage:
    return parse_callback(json.dumps(tree).encode())


def report(**change: Any) -> DeliveryReport:
    parsed = parse({**DELIVERY, **change})
    assert isinstance(parsed, DeliveryReport)
    return parsed


def received(base: dict[str, Any] = INCOMING, **change: Any) -> ReceivedMessage:
    parsed = parse({**base, **change})
    assert isinstance(parsed, ReceivedMessage)
    return parsed


def test_a_delivery_report_of_the_reference_page() -> None:
    parsed = report()
    assert (parsed.sms_id, parsed.status, parsed.status_text) == ("62807347", StatusCode.DELIVERED, "delivered")
    assert (parsed.number, parsed.at, parsed.slot, parsed.device_id) == ("+4915752982212", NOON, SimSlot.SIM_1, "260")
    assert (parsed.state, parsed.is_final) == (DeliveryState.DELIVERED, True)
    assert dict(parsed.raw) == DELIVERY
    delivery = parsed.to_delivery()
    assert (delivery.vendor, delivery.vendor_id, delivery.number) == ("smsgateway24", "62807347", "+4915752982212")
    assert (delivery.state, delivery.code, delivery.at) == (DeliveryState.DELIVERED, "7", NOON)
    assert delivery.reference is None
    assert delivery.raw == DELIVERY


@pytest.mark.parametrize("code", [*StatusCode, 4, 77])
def test_every_status_in_a_report(code: int) -> None:
    for written in (int(code), str(int(code))):
        parsed = report(status_id=written)
        assert parsed.status == code
        assert parsed.state is StatusCode(code).state
        assert parsed.to_delivery().code == str(int(code))


def test_an_incoming_text_of_the_reference_page() -> None:
    parsed = received()
    assert (parsed.sms_id, parsed.sender, parsed.text) == ("62807348", "+4915752982212", "Hello ñ")
    assert (parsed.kind, parsed.image_url, parsed.internal_id) == ("text", None, "12")
    assert (parsed.received_at, parsed.sent_at) == (NOON, NOON)
    assert (parsed.slot, parsed.device_id, parsed.device_name) == (SimSlot.SIM_2, "260", "SM-F")
    assert dict(parsed.raw) == INCOMING


def test_an_older_incoming_text_has_no_type() -> None:
    older = {name: value for name, value in INCOMING.items() if name != "type"}
    parsed = parse(older)
    assert isinstance(parsed, ReceivedMessage)
    assert parsed.kind == "text"


def test_an_incoming_image_of_the_reference_page() -> None:
    parsed = received(IMAGE)
    assert (parsed.kind, parsed.text, parsed.image_url) == ("img", "", "https://bucket.example/x.jpg")
    assert (parsed.slot, parsed.internal_id, parsed.device_id) == (SimSlot.WHATSAPP, None, None)
    assert (parsed.device_name, parsed.sms_id) == ("", "62807349")


def test_a_delivery_report_of_the_article() -> None:
    parsed = parse_callback(EVENT_DELIVERY)
    assert isinstance(parsed, DeliveryReport)
    assert (parsed.sms_id, parsed.status, parsed.status_text) == ("abc123", None, "delivered")
    assert (parsed.number, parsed.at, parsed.device_id) == ("+4915752982212", NOON, "device_xyz")
    assert (parsed.state, parsed.is_final, parsed.slot) == (DeliveryState.DELIVERED, True, None)
    delivery = parsed.to_delivery()
    assert (delivery.vendor_id, delivery.code, delivery.state) == ("abc123", "delivered", DeliveryState.DELIVERED)


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("sent", DeliveryState.SENT, "sent"),
        ("failed", DeliveryState.FAILED, "failed"),
        ("something new", DeliveryState.UNKNOWN, "something new"),
        (7, DeliveryState.DELIVERED, "7"),
        ("6", DeliveryState.SENT, "6"),
    ],
)
def test_other_statuses_of_the_article(status: Any, state: DeliveryState, code: str) -> None:
    parsed = parse({**json.loads(EVENT_DELIVERY), "status": status})
    assert isinstance(parsed, DeliveryReport)
    assert (parsed.to_delivery().state, parsed.to_delivery().code) == (state, code)


def test_an_incoming_message_of_the_article() -> None:
    parsed = parse_callback(EVENT_INCOMING)
    assert isinstance(parsed, ReceivedMessage)
    assert (parsed.sender, parsed.text, parsed.received_at) == ("+4915752982212", "Hello", NOON)
    assert (parsed.device_id, parsed.sms_id, parsed.kind) == ("device_xyz", None, "text")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 157 52982212", "+4915752982212"),
        ("004915752982212", "+4915752982212"),
        ("015752982212", "015752982212"),  # of which country, nobody says
        ("4915752982212", "4915752982212"),
        ("Vodafone", "Vodafone"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_number_becomes_e164_where_that_is_certain(written: Any, number: str) -> None:
    assert report(sendto=written).to_delivery().number == number


@pytest.mark.parametrize("time", [None, "", "soon", {}, {"date": "x"}, "0000-00-00 00:00:00", [1]])
def test_a_time_that_cannot_be_read_does_not_lose_the_report(time: Any) -> None:
    assert report(senttime=time).at is None
    assert received(date=time).received_at is None


def test_times_without_a_zone_are_on_the_clock_that_is_given() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    body = json.dumps({**INCOMING, "date": "2026-01-15 21:30:00"}).encode()
    parsed = parse_callback(body, time_zone=sydney)
    assert isinstance(parsed, ReceivedMessage)
    assert (parsed.received_at, parsed.sent_at) == (NOON, NOON)
    assert parse_callback(json.dumps(DELIVERY).encode(), time_zone=sydney) == report()  # it names its zone
    plain = json.dumps({**DELIVERY, "senttime": "2026-01-15 21:30:00"}).encode()
    later = parse_callback(plain, time_zone=sydney)
    assert isinstance(later, DeliveryReport)
    assert later.at == NOON


def test_a_form_is_read_as_well() -> None:
    body = b"sms_id=5&status_id=9&status_message=generic&sendto=%2B4915752982212&device_id=260"
    for content_type in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8"):
        parsed = parse_callback(body, content_type)
        assert isinstance(parsed, DeliveryReport)
        assert (parsed.sms_id, parsed.status, parsed.number) == ("5", StatusCode.GENERIC_FAILURE, "+4915752982212")


def test_json_that_is_declared_as_something_else_is_read_as_json() -> None:
    for content_type in ("", "text/plain", "application/x-www-form-urlencoded"):
        assert isinstance(parse_callback(json.dumps([DELIVERY]).encode(), content_type), DeliveryReport)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"5",
        b'"address"',
        b"[{},{}]",
        b'{"event":"device_offline","device_id":1}',
        b'{"event":"delivery_status"}',
        b'{"event":"incoming_sms"}',
        b'{"sms_id":5}',
        b'{"status_id":null,"sms_id":5}',
        b'{"status_id":"delivered","sms_id":5}',
        b'{"status_id":7,"status_id":8}',
        b'{"address":{"a":1}}',
        b'{"address":',
        b"\xff\xfe\x00",
        b"<html>",
    ],
)
def test_what_is_no_callback_is_refused_without_quoting_it(body: bytes) -> None:
    kind = UnexpectedResponse if body in (b"", b"<html>") else DecodeError
    with pytest.raises(kind) as caught:
        parse_callback(body)
    assert caught.value.vendor == "smsgateway24"
    assert caught.value.__context__ is None
    assert "device_offline" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = sorted({*DELIVERY, *INCOMING, *IMAGE, "message_id", "phone", "status", "timestamp", "message"})
TREES = st.dictionaries(st.sampled_from([*NAMES, "event"]), JSON, max_size=6) | st.fixed_dictionaries(
    {"event": st.sampled_from(["delivery_status", "incoming_sms"])}, optional=dict.fromkeys(NAMES[:-1], JSON)
)


@pytest.mark.slow
@settings(deadline=None)  # the first example may load tables
@given(st.binary(max_size=60) | TREES.map(lambda tree: json.dumps(tree).encode()))
def test_any_body_gives_a_value_or_a_decode_error(body: bytes) -> None:
    try:
        parsed = parse_callback(body)
    except (DecodeError, UnexpectedResponse):
        return
    for moment in (parsed.at,) if isinstance(parsed, DeliveryReport) else (parsed.received_at, parsed.sent_at):
        assert moment is None or moment.utcoffset() is not None
    if isinstance(parsed, DeliveryReport):
        assert parsed.to_delivery().vendor == "smsgateway24"


async def test_the_receiver_takes_both_forms_over_a_socket() -> None:
    got: list[DeliveryReport | ReceivedMessage] = []

    async def handle(value: DeliveryReport | ReceivedMessage) -> None:
        got.append(value)

    receiver = DeliveryReceiver(parse_callback, handle, path_secret="long-random-word")
    bodies = [json.dumps(tree).encode() for tree in (DELIVERY, INCOMING, IMAGE)]
    async with receiver.serve() as url, aiohttp.ClientSession() as session:
        for body in [*bodies, EVENT_DELIVERY, EVENT_INCOMING, b'{"sms_id":5}']:
            headers = {"Content-Type": "application/json"}
            async with session.post(f"{url}long-random-word", data=body, headers=headers) as answer:
                assert answer.status == (400 if body == b'{"sms_id":5}' else 200)
    kinds = [DeliveryReport, ReceivedMessage, ReceivedMessage, DeliveryReport, ReceivedMessage]
    assert [type(value) for value in got] == kinds
