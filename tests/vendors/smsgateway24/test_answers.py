"""Answers: the document's samples byte for byte, every form that a field may take, and what cannot be believed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from served import Answer, Given
from shared import check_plain

from mensasdk import (
    AmbiguousResponse,
    DecodeError,
    DeliveryState,
    MensaError,
    OutcomeKind,
    RateLimited,
    UnexpectedRedirect,
    UnexpectedResponse,
    VendorError,
)
from mensasdk.vendors.smsgateway24 import BulkSms, SimSlot, SmsGateway24Client, StatusCode

from .samples import BULK_SENT, CONTACT, DEVICE_STATUS, DEVICES, LIST, LIST_2021, SENT, STATUS, TAG
from .served import NUMBER, talking

PARIS = ZoneInfo("Europe/Paris")

# -------------------------------------------------------------------------------------------------------------- samples


async def test_the_sample_of_addsms() -> None:
    async with talking(addsms=SENT) as (client, _):
        result = await client.send_sms(NUMBER, "Hola")
    assert result.sms_id == "62807347"
    assert result.message == "Sms has been saved successfully"
    assert dict(result.raw) == json.loads(SENT)


async def test_the_captured_answer_of_addalotofsms() -> None:
    async with talking(addalotofsms=BULK_SENT) as (client, _):
        result = await client.send_many([BulkSms(NUMBER, "Hola")])
    assert (result.error, result.message) == (0, "Sms has been saved successfully")


async def test_the_sample_of_getallsms() -> None:
    """It has no ``error``, ``count`` and ``message``, although the table does."""
    async with talking(getallsms=LIST) as (client, _):
        first, second = await client.list_sms()
    assert first.sms_id == "62050971"
    assert first.number == "+4912312312332"
    assert first.text == "Hello! Thank you for Order! "
    assert first.customer_id is None
    assert first.status is StatusCode.TAKEN_BY_PHONE
    assert first.status_text == "sending"
    assert first.device_id == "11231"
    assert first.urgent is False
    assert first.created_at == datetime(2023, 11, 2, 22, 44, 43, tzinfo=PARIS)
    assert first.created_at is not None
    assert str(first.created_at.tzinfo) == "Europe/Paris"
    assert (first.sent_at, first.scheduled_at, first.sim) == (None, None, None)
    assert (first.newsletter_id, first.newsletter_title, first.newsletter_text) == (None, None, None)
    assert dict(first.raw) == json.loads(LIST)["smss"]["62050971"]
    assert (second.sms_id, second.status, second.status_text) == ("62051117", StatusCode.DELIVERED, "delivered")
    delivery = second.to_delivery()
    assert (delivery.vendor, delivery.vendor_id, delivery.number) == ("smsgateway24", "62051117", "+4912312312332")
    assert (delivery.state, delivery.code, delivery.reference) == (DeliveryState.DELIVERED, "7", None)


async def test_the_captured_list_of_2021() -> None:
    plus2 = timedelta(hours=2)
    async with talking(getallsms=LIST_2021) as (client, _):
        first, second = await client.list_sms()
    assert (first.urgent, first.customer_id, first.sim) == (True, "19921", SimSlot.SIM_1)
    assert first.scheduled_at == datetime(2021, 8, 1, 12, tzinfo=UTC)
    assert first.scheduled_at is not None
    assert first.scheduled_at.utcoffset() == plus2
    assert first.to_delivery().reference == "19921"
    assert second.customer_id is None  # 0: sent in bulk without one
    assert second.scheduled_at == datetime(2019, 7, 1, 23, 50, tzinfo=UTC)


async def test_the_sample_of_savetag() -> None:
    async with talking(savetag=TAG) as (client, _):
        assert await client.create_tag("friends") == "8303"


async def test_the_sample_of_savecontact() -> None:
    async with talking(savecontact=CONTACT) as (client, _):
        assert await client.save_contact(NUMBER, 8303, "Ann") == "15954765"


async def test_the_sample_of_getalldevices() -> None:
    async with talking(getalldevices=DEVICES) as (client, _):
        first, second = await client.list_devices()
    assert first.device_id == "1576"
    assert first.title == "AOSP_on_IA_Emulator"
    assert first.number is None
    assert first.imei == "358240051111110"
    assert first.created_at == datetime(2020, 3, 28, 20, 10, 29, tzinfo=UTC)
    assert first.created_text == "28.03.2020 20:10:29"
    assert first.last_seen_at == datetime(2020, 4, 23, 17, 2, 21, tzinfo=UTC)
    assert first.last_seen_text == "23.04.2020 17:02:21"
    assert first.serial_number == "EMULATOR30X0X5X0"
    [sim] = first.sims
    assert (sim.slot, sim.icc_id, sim.number) == (0, "89014103211118510720", "15555215554")
    assert (sim.roaming, sim.country, sim.carrier) == (False, "us", "Android (T-Mobile)")
    assert sim.raw["Number"] == " 15555215554"
    assert first.app_version == "12.1.21"
    assert first.app_is_current is False
    assert first.delay_between_sms is None
    assert first.delay_between_requests == 1
    assert first.has_subscription is True
    assert second.device_id == "1297"
    assert second.imei is None  # the word null
    assert second.serial_number is None  # the word unknown
    assert (second.delay_between_sms, second.delay_between_requests, second.has_subscription) == (5, 10, False)
    assert (second.sims[0].roaming, second.sims[0].number) == (True, "+4915752982212")


async def test_the_captured_answer_of_getsmsstatus() -> None:
    async with talking(getsmsstatus=STATUS) as (client, _):
        status = await client.get_status("22074698")
    assert (status.sms_id, status.status, status.description) == ("22074698", StatusCode.PENDING, "New")
    assert status.message == "Ok"
    assert dict(status.raw) == json.loads(STATUS)


async def test_the_captured_answer_of_getdevicestatus() -> None:
    async with talking(getdevicestatus=DEVICE_STATUS) as (client, _):
        status = await client.get_device_status(260)
    assert (status.device_id, status.online, status.title) == ("260", False, "SM-F NIK!")
    assert status.last_seen_at == datetime(2020, 8, 11, 14, 9, 53, tzinfo=UTC)
    assert (status.seconds_since, status.message) == (28851900, "OK")


# ----------------------------------------------------------------------------------------------- success in other words


@pytest.mark.parametrize(
    "message", ["OK", "Ok", "ok", "Sms has been saved successfully", "", None, "Fehler: keiner", 0]
)
async def test_the_message_of_a_success_means_nothing(message: Any) -> None:
    async with talking(addsms={"error": 0, "sms_id": 5, "message": message}) as (client, _):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "5"


@pytest.mark.parametrize("error", [0, "0", False, 0.0, None, "", "null"])
async def test_no_error_in_every_spelling(error: Any) -> None:
    async with talking(addsms={"error": error, "sms_id": 5, "message": "ok"}) as (client, _):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "5"


async def test_an_answer_with_an_id_and_no_error_is_a_success() -> None:
    async with talking(
        addsms={"sms_id": "5"},
        savetag={"tag_id": "6"},
        savecontact={"contact_id": 7},
        savepaket={"paket_id": 8},
        getsmsstatus={"sms_id": 5, "status": "7"},
        getallsms={"count": "9"},
    ) as (client, _):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "5"
        assert await client.create_tag("t") == "6"
        assert await client.save_contact(NUMBER, 6, "n") == "7"
        assert await client.create_newsletter("t", "b", tag_ids=[6]) == "8"
        assert (await client.get_status(5)).status is StatusCode.DELIVERED
        assert await client.count_sms() == 9


async def test_one_object_in_a_list_is_the_object() -> None:
    async with talking(addsms=[{"error": 0, "sms_id": 5}]) as (client, _):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "5"


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"error":0,"sms_id":5}',
        b'  {"error":0,"sms_id":5}\r\n',
        b'<br />\n<b>Notice</b>: Undefined index: x in /srv/a.php on line 3<br />\n{"error":0,"sms_id":5}',
        b'{"Error":0,"SMS_ID":5}',
        b'{"error":0,"sms_id":5,}',
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=UTF-8"])
async def test_what_stands_around_an_answer_does_not_matter(body: bytes, content_type: str) -> None:
    async with talking(addsms=Answer(body, content_type=content_type)) as (client, _):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "5"


# ----------------------------------------------------------------------------------------------------------- containers

ITEM = json.loads(LIST)["smss"]["62050971"]


@pytest.mark.parametrize(
    ("smss", "ids"),
    [
        ({"62050971": ITEM}, ["62050971"]),
        ([ITEM], ["62050971"]),
        ({"2": {**ITEM, "id": 2}, "1": {**ITEM, "id": "1"}}, ["2", "1"]),
        ({"x": ITEM, "y": {**ITEM, "id": 3}}, ["62050971", "3"]),
        ([], []),
        ({}, []),
        (None, []),
        ("", []),
    ],
)
async def test_messages_come_as_an_object_or_a_list(smss: Any, ids: list[str]) -> None:
    async with talking(getallsms={"error": 0, "smss": smss, "count": len(ids), "message": "Ok"}) as (client, _):
        assert [record.sms_id for record in await client.list_sms()] == ids


async def test_no_messages_at_all_is_an_empty_list() -> None:
    async with talking(getallsms={"error": 0, "message": "Ok"}) as (client, _):
        assert await client.list_sms() == ()


async def test_messages_that_are_counted_and_not_there_are_no_empty_list() -> None:
    async with talking(getallsms={"error": 0, "count": 3, "message": "Ok"}) as (client, _):
        with pytest.raises(DecodeError, match="no list"):
            await client.list_sms()


async def test_a_large_list_is_read() -> None:
    many = {str(number): {**ITEM, "id": number} for number in range(1, 2001)}
    async with talking(getallsms={"error": 0, "smss": many, "count": 2000}) as (client, _):
        records = await client.list_sms()
    assert [record.sms_id for record in records] == [str(number) for number in range(1, 2001)]


DATE = {"date": "2021-07-11 13:04:46.000000", "timezone_type": 3}
DEVICE = json.loads(DEVICES)["device"]["1576"]


@pytest.mark.parametrize(
    ("device", "ids"), [({"1576": DEVICE}, ["1576"]), ([DEVICE], ["1576"]), ([], []), ({}, []), (None, [])]
)
async def test_devices_come_as_an_object_or_a_list(device: Any, ids: list[str]) -> None:
    async with talking(getalldevices={"count": len(ids), "device": device, "message": "Ok"}) as (client, _):
        assert [one.device_id for one in await client.list_devices()] == ids


@pytest.mark.parametrize(
    ("siminfo", "count"),
    [
        (DEVICE["siminfo"], 1),
        (json.dumps(DEVICE["siminfo"]), 1),
        ({"0": DEVICE["siminfo"][0]}, 1),
        (DEVICE["siminfo"][0], 1),
        ([], 0),
        (None, 0),
        ("", 0),
        (" ", 0),
        ("[]", 0),
        ("null", 0),
    ],
)
async def test_the_cards_of_a_device_in_all_their_forms(siminfo: Any, count: int) -> None:
    async with talking(getalldevices={"device": [{**DEVICE, "siminfo": siminfo}]}) as (client, _):
        [device] = await client.list_devices()
    assert [sim.icc_id for sim in device.sims] == ["89014103211118510720"] * count


async def test_a_device_list_that_says_error_is_believed() -> None:
    """The document has no ``error`` there, but what fails must not look like having no phones."""
    async with talking(getalldevices={"error": 1, "message": "Something is wrong"}) as (client, _):
        with pytest.raises(VendorError, match="Something is wrong"):
            await client.list_devices()


@pytest.mark.parametrize(
    ("change", "attribute", "value"),
    [
        ({"urgent": None}, "urgent", False),
        ({"urgent": True}, "urgent", True),
        ({"urgent": 1}, "urgent", True),
        ({"urgent": "0"}, "urgent", False),
        ({"urgent": ""}, "urgent", False),
        ({"customerid": 0}, "customer_id", None),
        ({"customerid": "0"}, "customer_id", None),
        ({"customerid": ""}, "customer_id", None),
        ({"customerid": 122}, "customer_id", "122"),
        ({"customerid": 2**62}, "customer_id", str(2**62)),
        ({"sim": 3}, "sim", SimSlot.WHATSAPP),
        ({"sim": "1"}, "sim", SimSlot.SIM_2),
        ({"sim": 9}, "sim", SimSlot(9)),
        ({"sim": None}, "sim", None),
        ({"status": 4}, "status", StatusCode(4)),
        ({"status": "7"}, "status", StatusCode.DELIVERED),
        ({"deviceid": "11231"}, "device_id", "11231"),
        ({"deviceid": None}, "device_id", None),
        ({"paketid": 12}, "newsletter_id", "12"),
        ({"pakettitle": "News"}, "newsletter_title", "News"),
        ({"paketbody": "Hello"}, "newsletter_text", "Hello"),
        ({"senttime": {**DATE, "timezone": "UTC"}}, "sent_at", datetime(2021, 7, 11, 13, 4, 46, tzinfo=UTC)),
        ({"senttime": {**DATE, "timezone": "Nowhere"}}, "sent_at", None),
        ({"timetosend": []}, "scheduled_at", None),
        ({"created": "2021-07-11 13:04:46"}, "created_at", datetime(2021, 7, 11, 13, 4, 46, tzinfo=UTC)),
        ({"body": None}, "text", ""),
        ({"sendto": 4915752982212}, "number", "4915752982212"),
        ({"statustitle": None}, "status_text", ""),
        ({"new_field": {"a": [1]}}, "text", "Hello! Thank you for Order! "),
    ],
)
async def test_a_field_of_a_message_in_all_its_forms(change: dict[str, Any], attribute: str, value: Any) -> None:
    record = {**ITEM, **change}
    async with talking(getallsms={"error": 0, "smss": {"62050971": record}, "count": 1}) as (client, _):
        [read] = await client.list_sms()
    assert getattr(read, attribute) == value
    assert type(getattr(read, attribute)) is type(value)
    assert dict(read.raw) == record


async def test_an_incoming_message_is_in_the_list() -> None:
    record = {**ITEM, "status": 5, "statustitle": "income", "sendto": "Vodafone"}
    async with talking(getallsms={"error": 0, "smss": [record], "count": 1}) as (client, _):
        [read] = await client.list_sms(status=5)
    assert read.status is StatusCode.INCOMING
    assert read.status.is_incoming
    assert read.to_delivery().state is DeliveryState.UNKNOWN
    assert read.to_delivery().number == "Vodafone"


@pytest.mark.parametrize("status", [*StatusCode, 4, 77])
async def test_every_status_code_is_read_in_lists_and_alone(status: int) -> None:
    answer = {"error": 0, "smss": [{**ITEM, "status": int(status)}]}
    async with talking(getallsms=answer, getsmsstatus={"sms_id": 5, "status": int(status)}) as (client, _):
        [record] = await client.list_sms()
        alone = await client.get_status(5)
    assert record.status == alone.status == StatusCode(status)


@pytest.mark.parametrize(
    ("count", "value"), [({"count": 6}, 6), ({"count": "6"}, 6), ({"count": 0}, 0), ({"smss": 6}, 6)]
)
async def test_a_count(count: dict[str, Any], value: int) -> None:
    """The document types ``smss`` as a number, so one is taken for the count where there is no ``count``."""
    async with talking(getallsms={"error": 0, **count, "message": "Ok"}) as (client, server):
        assert await client.count_sms() == value
    assert server.last.form["onlycount"] == "1"


@pytest.mark.parametrize("body", [{"error": 0}, {"error": 0, "count": "many"}, {"error": 0, "smss": {}}])
async def test_a_count_without_a_count_is_no_zero(body: Given) -> None:
    async with talking(getallsms=body) as (client, _):
        with pytest.raises(DecodeError):
            await client.count_sms()


# ------------------------------------------------------------------------------------------------- what is not believed

SENDS: dict[str, tuple[str, Callable[[SmsGateway24Client], Awaitable[object]]]] = {
    "addsms": ("sms_id", lambda client: client.send_sms(NUMBER, "Hola")),
    "smstosend": ("sms_id", lambda client: client.send_sms_with_login(NUMBER, "Hola")),
    "savetag": ("tag_id", lambda client: client.create_tag("t")),
    "savecontact": ("contact_id", lambda client: client.save_contact(NUMBER, 1, "n")),
    "savepaket": ("paket_id", lambda client: client.create_newsletter("t", "b", tag_ids=1)),
}
KEYS = {"token": "t" * 32, "email": "a@b.example", "password": "pw"}


@pytest.mark.slow
@pytest.mark.parametrize("function", SENDS)
@pytest.mark.parametrize("value", [None, "", 0, "0", [], {}, True, "null"])
async def test_an_acceptance_without_an_id_is_unknown(function: str, value: Any) -> None:
    name, call = SENDS[function]
    body: Given = {"error": 0, "message": "ok", name: value}
    async with talking(KEYS, **{function: body}) as (client, server):
        with pytest.raises(DecodeError) as caught:
            await call(client)
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1
    check_plain(caught.value, "smsgateway24")


@pytest.mark.parametrize("function", SENDS)
async def test_an_acceptance_whose_id_is_missing_is_unknown(function: str) -> None:
    _, call = SENDS[function]
    body: Given = {"error": 0, "message": "Sms has been saved successfully"}
    async with talking(KEYS, **{function: body}) as (client, server):
        with pytest.raises(DecodeError) as caught:
            await call(client)
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("function", SENDS)
async def test_an_error_with_an_id_says_two_things(function: str) -> None:
    name, call = SENDS[function]
    async with talking(KEYS, **{function: {"error": 1, "message": "hm", name: 5}}) as (client, _):
        with pytest.raises(AmbiguousResponse) as caught:
            await call(client)
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    check_plain(caught.value, "smsgateway24")


@pytest.mark.parametrize("nothing", [None, 0, "", "0"])
async def test_an_error_with_an_empty_id_is_a_refusal(nothing: Any) -> None:
    async with talking(addsms={"error": 1, "message": "no", "sms_id": nothing}) as (client, _):
        with pytest.raises(VendorError) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.REJECTED


async def test_an_error_of_a_read_is_a_refusal_whatever_id_it_repeats() -> None:
    async with talking(getsmsstatus={"error": 1, "message": "Sms not found", "sms_id": 5}) as (client, _):
        with pytest.raises(VendorError, match="Sms not found"):
            await client.get_status(5)


@pytest.mark.parametrize("body", [{"message": "ok"}, {"error": None, "message": "ok"}, {"error": "", "message": "ok"}])
async def test_a_bulk_answer_that_does_not_say_error_0_is_unknown(body: Given) -> None:
    async with talking(addalotofsms=body) as (client, _):
        with pytest.raises(DecodeError) as caught:
            await client.send_many([BulkSms(NUMBER, "Hola")])
    assert caught.value.outcome is OutcomeKind.UNKNOWN


UNREADABLE: dict[str, tuple[Given, type[MensaError]]] = {
    "an error in words": ({"error": "yes and no", "sms_id": 5}, DecodeError),
    "an error in a list": ({"error": [], "sms_id": 5}, DecodeError),
    "half an error": ({"error": 0.5, "sms_id": 5}, DecodeError),
    "two errors": (b'{"error":0,"error":1,"sms_id":5}', AmbiguousResponse),
    "two errors in other case": (b'{"error":0,"ERROR":1,"sms_id":5}', AmbiguousResponse),
    "two ids": (b'{"error":0,"sms_id":5,"sms_id":6}', AmbiguousResponse),
    "cut": (SENT[:30], DecodeError),
    "text": (b"Sms has been saved successfully", DecodeError),
    "a number": (b"1", DecodeError),
    "null": (b"null", DecodeError),
    "two objects": ([{"error": 0, "sms_id": 5}, {"error": 0, "sms_id": 6}], DecodeError),
    "nothing": (b"", UnexpectedResponse),
    "blanks": (b" \n", UnexpectedResponse),
    "a page": (b"<!doctype html><title>smsgateway24</title>", UnexpectedResponse),
    "a redirect": (Answer(b"", status=302, headers={"Location": "/x"}), UnexpectedRedirect),
    "an id in an object": ({"error": 0, "sms_id": {"id": 5}}, DecodeError),
}


@pytest.mark.parametrize(("body", "kind"), UNREADABLE.values(), ids=UNREADABLE)
async def test_what_cannot_be_read_without_doubt_is_unknown_and_sent_once(body: Given, kind: type[MensaError]) -> None:
    async with talking(addsms=body) as (client, server):
        with pytest.raises(kind) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert type(caught.value) is kind
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    assert caught.value.vendor == "smsgateway24"
    assert len(server.requests) == 1
    check_plain(caught.value, "smsgateway24")


async def test_a_429_means_not_sent_and_is_made_again() -> None:
    busy = Answer(b"slow down", status=429, headers={"Retry-After": "0"})
    async with talking(addsms=(busy, SENT)) as (client, server):
        assert (await client.send_sms(NUMBER, "Hola")).sms_id == "62807347"
    assert server.functions == ["addsms", "addsms"]
    async with talking(addsms=busy) as (client, server):
        with pytest.raises(RateLimited) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert len(server.requests) == 3


async def test_a_read_whose_answer_is_lost_is_made_again() -> None:
    async with talking(
        getallsms=(None, LIST),
        getalldevices=(None, DEVICES),
        getsmsstatus=(None, STATUS),
        getdevicestatus=(None, DEVICE_STATUS),
    ) as (client, server):
        assert len(await client.list_sms()) == 2
        assert len(await client.list_devices()) == 2
        await client.get_status(5)
        await client.get_device_status()
    assert len(server.requests) == 8


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Device not found", "Device not found"),
        ("", "no reason given"),
        (None, "no reason given"),
        (["a"], "no reason given"),
        ("a\r\n  b\tc", "a b c"),
        ("x" * 500, "x" * 120),
        ("Number +49 157 52982212 is wrong", "Number ***212 is wrong"),
        ("Number 4915752982212 is wrong", "Number ***212 is wrong"),
        ("Text 'Hola' cannot be sent", "Text '***' cannot be sent"),
        (f"Account someone@example.com has {'f' * 32}", "Account *** has ***"),
        ("Limit of 5000 per 900 s", "Limit of 5000 per 900 s"),
    ],
)
async def test_a_refusal_repeats_the_vendors_words_and_nothing_of_ours(words: Any, shown: str) -> None:
    async with talking(addsms={"error": 1, "message": words}) as (client, server):
        with pytest.raises(VendorError) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert type(caught.value) is VendorError
    assert str(caught.value) == f"addsms was refused with error=1: {shown}"
    assert (caught.value.code, caught.value.vendor, caught.value.retryable) == ("1", "smsgateway24", False)
    assert caught.value.outcome is OutcomeKind.REJECTED
    assert len(server.requests) == 1
    check_plain(caught.value, "smsgateway24")


@pytest.mark.parametrize(("error", "code"), [(1, "1"), ("1", "1"), (True, "1"), (2, "2"), (-1, "-1"), ("17", "17")])
async def test_every_error_but_0_is_a_refusal_with_its_code(error: Any, code: str) -> None:
    async with talking(addsms={"error": error, "message": "no"}) as (client, _):
        with pytest.raises(VendorError) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.code == code


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_with_an_http_status_is_the_same_refusal(status: int) -> None:
    async with talking(addsms=Answer({"error": 1, "message": "No device"}, status=status)) as (client, _):
        with pytest.raises(VendorError, match="No device") as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.REJECTED
