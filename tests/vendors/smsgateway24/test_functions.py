"""Every function but sending: what stands in the request, and what is refused before anything leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shared import next_year

from mensasdk import OutcomeKind, ScheduleError, ValidationError
from mensasdk.vendors.smsgateway24 import SmsGateway24Client, StatusCode

from .samples import CONTACT, DEVICE_STATUS, DEVICES, LIST, STATUS, TAG
from .served import NUMBER, TOKEN, talking

SYDNEY = ZoneInfo("Australia/Sydney")
BEGIN = datetime(2023, 11, 2, 22, 44, 43, tzinfo=ZoneInfo("Europe/Paris"))

FILTERS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"device_id": 11231}, {"device_id": "11231"}),
    ({"device_id": "My Sender"}, {"device_id": "My Sender"}),
    ({"status": StatusCode.DELIVERED}, {"status": "7"}),
    ({"status": 5}, {"status": "5"}),
    ({"status": 0}, {"status": "0"}),
    ({"status": 77}, {"status": "77"}),
    ({"begin": BEGIN}, {"begindate": "2023-11-02 21:44:43", "timezone": "UTC"}),
    ({"end": BEGIN}, {"enddate": "2023-11-02 21:44:43", "timezone": "UTC"}),
    (
        {"begin": BEGIN + timedelta(milliseconds=1), "end": BEGIN + timedelta(milliseconds=1)},
        {"begindate": "2023-11-02 21:44:43", "enddate": "2023-11-02 21:44:44", "timezone": "UTC"},
    ),
    (
        {"begin": BEGIN, "time_zone": "Australia/Sydney"},
        {"begindate": "2023-11-03 08:44:43", "timezone": "Australia/Sydney"},
    ),
    ({"time_zone": "Australia/Sydney"}, {"timezone": "Australia/Sydney"}),
    ({"sim": 0}, {"sim": "0"}),
    ({"sim": 5}, {"sim": "5"}),
    ({"customer_id": 122}, {"customerid": "122"}),
    ({"number": "+49 157 52982212"}, {"phone": NUMBER}),
    ({"number": "0157 52982212"}, {"phone": NUMBER}),
    ({"number": " Vodafone "}, {"phone": "Vodafone"}),
    ({"number": "22000"}, {"phone": "22000"}),
]


@pytest.mark.parametrize(("given", "sent"), FILTERS)
async def test_every_filter_of_a_list_and_a_count_is_the_vendors_parameter(
    given: Mapping[str, Any], sent: Mapping[str, str]
) -> None:
    async with talking({"default_country": "DE"}, getallsms=(LIST, {"error": 0, "count": 2})) as (client, server):
        await client.list_sms(**given)
        assert await client.count_sms(**given) == 2
    for request, more in zip(server.requests, ({}, {"onlycount": "1"}), strict=True):
        assert (request.method, request.target) == ("POST", "/getdata/getallsms")
        assert request.form == {"token": TOKEN, **sent, **more}


async def test_a_list_can_be_turned_round() -> None:
    async with talking(getallsms=LIST) as (client, server):
        await client.list_sms(descending=True)
        await client.list_sms(descending=False)
    assert [request.form.get("orderbydesc") for request in server.requests] == ["1", None]


async def test_the_default_phone_and_slot_are_no_filters() -> None:
    async with talking({"device_id": 5, "sim": 3}, getallsms=LIST) as (client, server):
        await client.list_sms()
    assert server.last.form == {"token": TOKEN}


async def test_a_tag() -> None:
    async with talking(savetag=TAG) as (client, server):
        await client.create_tag(" Größe & mehr ")
    assert (server.last.method, server.last.target) == ("POST", "/getdata/savetag")
    assert server.last.form == {"token": TOKEN, "title": "Größe & mehr"}


@pytest.mark.parametrize("tag", [8303, "8303", " 8303 "])
async def test_a_contact_goes_with_both_spellings_of_the_tag(tag: str | int) -> None:
    async with talking({"default_country": "DE"}, savecontact=CONTACT) as (client, server):
        await client.save_contact("0157 52982212", tag, "Jürgen Müller")
    assert (server.last.method, server.last.target) == ("POST", "/getdata/savecontact")
    assert server.last.form == {
        "token": TOKEN,
        "phone": NUMBER,
        "ctag_id": "8303",
        "tag_id": "8303",
        "fullname": "Jürgen Müller",
    }


NEWSLETTER = {"error": 0, "message": "OK", "paket_id": 77, "contact_id": None}


async def test_a_newsletter() -> None:
    async with talking({"sim": 1}, savepaket=NEWSLETTER) as (client, server):
        moment = datetime(next_year(), 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))
        made = await client.create_newsletter("News", "Hello\nyou", tag_ids=[12, "13", 14, 12], schedule_at=moment)
    assert made == "77"
    assert (server.last.method, server.last.target) == ("POST", "/getdata/savepaket")
    assert server.last.form == {
        "token": TOKEN,
        "title": "News",
        "device_id": "260",
        "body": "Hello\nyou",
        "tags": "12,13,14",
        "sim": "1",
        "time_to_send": f"04.03.{next_year()} 03:06:07",
    }


@pytest.mark.parametrize("tags", [12, "12", [12], iter(["12"])])
async def test_a_newsletter_without_a_time_has_the_documented_default(tags: Any) -> None:
    async with talking(savepaket={**NEWSLETTER, "contact_id": 3}) as (client, server):
        await client.create_newsletter("News", "Hello", tag_ids=tags, device_id="261", sim=0)
    form = server.last.form
    assert (form["time_to_send"], form["tags"], form["device_id"], form["sim"]) == ("0", "12", "261", "0")


async def test_devices_and_statuses_are_asked_for_by_post() -> None:
    async with talking(getalldevices=DEVICES, getdevicestatus=DEVICE_STATUS, getsmsstatus=STATUS) as (client, server):
        await client.list_devices()
        await client.get_device_status(11231)
        await client.get_device_status()
        await client.get_status("62807347")
        await client.get_status(62807347)
    assert [(request.method, request.target, request.form) for request in server.requests] == [
        ("POST", "/getdata/getalldevices", {"token": TOKEN}),
        ("POST", "/getdata/getdevicestatus", {"token": TOKEN, "device_id": "11231"}),
        ("POST", "/getdata/getdevicestatus", {"token": TOKEN, "device_id": "260"}),
        ("POST", "/getdata/getsmsstatus", {"token": TOKEN, "sms_id": "62807347"}),
        ("POST", "/getdata/getsmsstatus", {"token": TOKEN, "sms_id": "62807347"}),
    ]


NAIVE = datetime(2023, 11, 2)
SOON = datetime(next_year(), 1, 1)
Call = Callable[[SmsGateway24Client], Awaitable[object]]
LOCAL: list[tuple[str, Call, str]] = [
    ("a naive begin", lambda client: client.list_sms(begin=NAIVE), "begin"),
    ("a naive end", lambda client: client.count_sms(end=NAIVE), "end"),
    ("an end beyond", lambda client: client.list_sms(end=datetime.max.replace(tzinfo=UTC)), "end"),
    ("a begin before", lambda client: client.list_sms(begin=datetime.min.replace(tzinfo=SYDNEY)), "begin"),
    ("no zone", lambda client: client.list_sms(time_zone="Sidney"), "time_zone"),
    ("a path for a zone", lambda client: client.list_sms(time_zone="../../etc/passwd"), "time_zone"),
    ("slot 6", lambda client: client.list_sms(sim=6), "sim"),
    ("a negative status", lambda client: client.list_sms(status=-1), "status"),
    ("a status in words", lambda client: client.list_sms(status="7"), "status"),  # type: ignore[arg-type]
    ("a flag for a status", lambda client: client.list_sms(status=True), "status"),
    ("customer 0", lambda client: client.count_sms(customer_id=0), "customer_id"),
    ("two devices", lambda client: client.list_sms(device_id="1,2"), "device_id"),
    ("two numbers", lambda client: client.list_sms(number=f"{NUMBER},{NUMBER}"), "number"),
    ("an empty number", lambda client: client.list_sms(number=" "), "number"),
    ("a number as a number", lambda client: client.list_sms(number=49), "number"),  # type: ignore[arg-type]
    ("an empty title", lambda client: client.create_tag(" "), "title"),
    ("a title of two lines", lambda client: client.create_tag("a\nb"), "title"),
    ("a number for a title", lambda client: client.create_tag(5), "title"),  # type: ignore[arg-type]
    ("half an emoji", lambda client: client.create_tag("\ud83d"), "title"),
    ("no phone", lambda client: client.save_contact("", 1, "n"), "phone"),
    ("two phones", lambda client: client.save_contact(f"{NUMBER};{NUMBER}", 1, "n"), "phone"),
    ("no tag", lambda client: client.save_contact(NUMBER, "", "n"), "tag_id"),
    ("tag 0", lambda client: client.save_contact(NUMBER, 0, "n"), "tag_id"),
    ("a word for a tag", lambda client: client.save_contact(NUMBER, "friends", "n"), "tag_id"),
    ("no name", lambda client: client.save_contact(NUMBER, 1, ""), "full_name"),
    ("no tags", lambda client: client.create_newsletter("t", "b", tag_ids=[]), "tag_ids"),
    ("two tags in one", lambda client: client.create_newsletter("t", "b", tag_ids="1,2"), "tag_ids"),
    ("no title", lambda client: client.create_newsletter("", "b", tag_ids=1), "title"),
    ("no text", lambda client: client.create_newsletter("t", "", tag_ids=1), "text"),
    ("a naive time", lambda client: client.create_newsletter("t", "b", tag_ids=1, schedule_at=SOON), "schedule_at"),
    ("slot 7", lambda client: client.create_newsletter("t", "b", tag_ids=1, sim=7), "sim"),
    ("a word for an id", lambda client: client.get_status("abc"), "sms_id"),
    ("two ids", lambda client: client.get_status("1,2"), "sms_id"),
    ("id 0", lambda client: client.get_status(0), "sms_id"),
    ("id true", lambda client: client.get_status(True), "sms_id"),
    ("an id of 5,000 digits", lambda client: client.get_status("1" * 5000), "sms_id"),
    ("an id beyond 64 bits", lambda client: client.get_status(2**64), "sms_id"),
    ("no device", lambda client: client.get_device_status(""), "device_id"),
]


@pytest.mark.parametrize(("call", "name"), [case[1:] for case in LOCAL], ids=[case[0] for case in LOCAL])
async def test_what_breaks_a_rule_is_refused_by_its_name_and_nothing_leaves(call: Call, name: str) -> None:
    async with talking() as (client, server):
        with pytest.raises(ValidationError) as caught:
            await call(client)
    assert caught.value.field == name
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert caught.value.__context__ is None
    assert not server.requests


async def test_a_naive_time_of_a_search_is_a_schedule_error() -> None:
    async with talking() as (client, _):
        with pytest.raises(ScheduleError):
            await client.list_sms(begin=NAIVE)


async def test_a_borrowed_transport_stays_open_and_an_own_one_is_closed() -> None:
    async with talking(getalldevices=DEVICES) as (client, _):
        borrowed = client._pipeline.transport
        async with SmsGateway24Client(token=TOKEN, base_url=client.base_url, transport=borrowed) as other:
            await other.list_devices()
        await client.list_devices()
        await client.aclose()
        await client.aclose()
