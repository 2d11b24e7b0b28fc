"""The emulated smsgateway24: lists, states, phones, tags, contacts and newsletters."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from mensasdk.sandbox import Sandbox, SmsGateway24
from mensasdk.sandbox.smsgateway24 import Quirks
from sandbox.smsgateway24_caller import Gateway
from sandbox.test_sandbox_smsgateway24_sending import refused


@pytest.fixture
async def slow() -> AsyncIterator[Gateway]:
    """Start a box in which a delivery takes 300 seconds."""
    async with Sandbox(delivery_delay=300) as box, aiohttp.ClientSession() as session:
        yield Gateway(box, session)


async def status_of(gateway: Gateway, sms_id: int) -> int:
    answer = await gateway.call("getsmsstatus", sms_id=sms_id)
    assert answer.keys() == {"error", "sms_id", "status", "status_description", "message"}
    assert (answer["error"], answer["sms_id"], answer["message"]) == (0, sms_id, "Ok")
    status: int = answer["status"]
    return status


# ---------------------------------------------------------------------- the life of a message

ENDINGS = {"00": 7, "07": 7, "08": 8, "09": 9, "10": 10, "11": 11, "12": 12, "94": 4, "96": 6, "98": 100, "99": 101}


@pytest.mark.parametrize(("ending", "final"), ENDINGS.items())
async def test_a_message_passes_through_its_states_by_the_clock(slow: Gateway, ending: str, final: int) -> None:
    sms_id = (await slow.send(f"+346000000{ending}"))["sms_id"]
    states = []
    for age in (-50, 50, 150, 250, 350):
        slow.age(sms_id, age)
        states.append(await status_of(slow, sms_id))
    assert states == [1, 1, 2, 6 if final in (6, 7, 8) else 2, final]


@pytest.mark.parametrize(("ending", "final"), ENDINGS.items())
async def test_without_a_delay_the_final_state_is_there_at_once(gateway: Gateway, ending: str, final: int) -> None:
    assert await status_of(gateway, (await gateway.send(f"+346000000{ending}"))["sms_id"]) == final


@pytest.mark.parametrize(("age", "status"), [(40, 1), (60, 3), (150, 2)])
async def test_queued_is_a_state_between_new_and_sending(slow: Gateway, age: float, status: int) -> None:
    slow.vendor.quirks = Quirks(queued=True)
    sms_id = (await slow.send())["sms_id"]
    slow.age(sms_id, age)
    assert await status_of(slow, sms_id) == status


async def test_the_time_scale_brings_schedules_and_deliveries_nearer() -> None:
    async with Sandbox(delivery_delay=300, time_scale=0) as box, aiohttp.ClientSession() as session:
        gateway = Gateway(box, session)
        sms_id = (await gateway.send(timetosend="2199-01-01"))["sms_id"]
        assert await status_of(gateway, sms_id) == 7
        assert box.ledger.messages[0].state == "scheduled"
    async with Sandbox(delivery_delay=300, time_scale=0.5) as box, aiohttp.ClientSession() as session:
        gateway = Gateway(box, session)
        sms_id = (await gateway.send())["sms_id"]
        gateway.age(sms_id, 149)
        assert await status_of(gateway, sms_id) == 6
        gateway.age(sms_id, 151)
        assert await status_of(gateway, sms_id) == 7


async def test_a_phone_that_is_offline_takes_nothing(slow: Gateway) -> None:
    taken, waiting = (await slow.send())["sms_id"], (await slow.send())["sms_id"]
    slow.age(taken, 150)
    slow.vendor.set_online(260, False)
    slow.age(taken, 350)
    # It went offline between the moments at which the two would have been taken.
    slow.vendor.account.devices[260].offline_since = time.monotonic() - 200
    slow.age(waiting, 250)
    assert [await status_of(slow, sms_id) for sms_id in (taken, waiting)] == [7, 1]
    slow.vendor.set_online(260, True)
    assert await status_of(slow, waiting) == 6


@pytest.mark.parametrize("sms_id", ["", "x", "1", "-5"])
async def test_an_unknown_sms_is_refused(gateway: Gateway, sms_id: str) -> None:
    refused(await gateway.call("getsmsstatus", sms_id=sms_id), "ms")


# ---------------------------------------------------------------------- getallsms


async def test_getallsms_gives_every_field(gateway: Gateway) -> None:
    when = datetime(2199, 7, 1, 10, 0, tzinfo=UTC)
    sent = await gateway.send(customerid=5, urgent=1)
    later = await gateway.send(timetosend="2199-07-01 10:00")
    answer = await gateway.call("getallsms")
    assert answer.keys() == {"error", "smss", "count", "message"}
    assert (answer["error"], answer["count"]) == (0, 2)
    first, second = answer["smss"][str(sent["sms_id"])], answer["smss"][str(later["sms_id"])]
    created = gateway.sms(sent["sms_id"]).created.astimezone(ZoneInfo("Europe/Paris"))
    date = {
        "date": created.strftime("%Y-%m-%d %H:%M:%S.000000"), "timezone_type": 3, "timezone": "Europe/Paris"
    }  # fmt: skip
    assert first == {
        "id": sent["sms_id"], "sendto": "+34600000000", "body": "Hola", "customerid": 5, "status": 7,
        "statustitle": "delivered", "deviceid": 260, "urgent": 1, "created": date, "senttime": date,
        "timetosend": None, "paketid": None, "pakettitle": None, "paketbody": None,
    }  # fmt: skip
    assert (second["status"], second["statustitle"], second["senttime"]) == (1, "New", None)
    assert (second["urgent"], second["customerid"]) == (None, None)
    local = when.astimezone(ZoneInfo("Europe/Paris"))
    assert second["timetosend"]["date"] == local.strftime("%Y-%m-%d %H:%M:%S.000000"), "UTC in, local out"


async def test_every_filter_filters(gateway: Gateway) -> None:
    one = (await gateway.send("+34600000001", customerid=1))["sms_id"]
    two = (await gateway.send("+34600000008", device_id=261, sim=1))["sms_id"]
    three = gateway.vendor.receive("+34655555555", "Gracias", device_id=261)["sms_id"]
    for sms_id, day in ((one, 1), (two, 2), (three, 3)):
        gateway.sms(sms_id).created = datetime(2026, 3, day, 12, tzinfo=UTC)
    cases: list[tuple[dict[str, Any], list[int]]] = [
        ({}, [one, two, three]),
        ({"orderbydesc": 1}, [three, two, one]),
        ({"device_id": "260"}, [one]),
        ({"device_id": "MENSASDK"}, [one]),
        ({"device_id": "999"}, []),
        ({"status": 7}, [one]),
        ({"status": 8}, [two]),
        ({"status": 5}, [three]),
        ({"sim": 1}, [two]),
        ({"sim": 0}, [one, three]),
        ({"customerid": 1}, [one]),
        ({"customerid": 2}, []),
        ({"phone": "+34 600 000 008"}, [two]),
        ({"phone": "600000"}, [one, two]),
        ({"begindate": "2026-03-02"}, [two, three]),
        ({"begindate": "2026-03-02 12:00:00"}, [two, three]),
        ({"begindate": "2026-03-02 12:00:01"}, [three]),
        ({"enddate": "2026-03-02"}, [one, two]),
        ({"enddate": "2026-03-02 11:59:59"}, [one]),
        ({"begindate": "2026-03-02", "enddate": "2026-03-02", "sim": 1, "status": 8}, [two]),
    ]
    for filters, expected in cases:
        assert await gateway.listed(**filters) == expected, filters
        counted = await gateway.call("getallsms", onlycount=1, **filters)
        assert counted == {"error": 0, "count": len(expected), "message": "OK"}


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"begindate": "02.03.2026"}, "begindate"),
        ({"enddate": "morgen"}, "enddate"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"status": "x"}, "status"),
        ({"onlycount": 2}, "onlycount"),
        ({"orderbydesc": "yes"}, "orderbydesc"),
    ],
)
async def test_a_wrong_filter_is_refused(gateway: Gateway, filters: dict[str, Any], says: str) -> None:
    refused(await gateway.call("getallsms", **filters), says)


async def test_timezone_is_the_zone_of_the_dates_that_come_out(gateway: Gateway) -> None:
    sms_id = (await gateway.send())["sms_id"]
    gateway.sms(sms_id).created = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
    row = (await gateway.call("getallsms", timezone="Australia/Sydney"))["smss"][str(sms_id)]
    assert row["created"] == {
        "date": "2026-02-01 07:00:00.000000", "timezone_type": 3, "timezone": "Australia/Sydney"
    }  # fmt: skip


async def test_received_messages_are_listed_with_state_5(gateway: Gateway) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    sms_id = gateway.vendor.receive("+34655555555", "Gracias", device_id=261, at=at)["sms_id"]
    row = (await gateway.call("getallsms"))["smss"][str(sms_id)]
    assert (row["status"], row["statustitle"], row["deviceid"]) == (5, "income", 261)
    assert (row["sendto"], row["body"]) == ("+34655555555", "Gracias")
    assert await status_of(gateway, sms_id) == 5
    assert len(gateway.box.ledger) == 0, "receiving costs nothing"


# ---------------------------------------------------------------------- phones


async def test_getalldevices_has_no_error_and_gives_every_field(gateway: Gateway) -> None:
    answer = await gateway.call("getalldevices")
    assert answer.keys() == {"count", "device", "message"}
    assert answer["count"] == 2
    assert list(answer["device"]) == ["260", "261"]
    first, second = answer["device"].values()
    assert first.keys() == second.keys() == {
        "id", "title", "number", "imei", "created", "createdhumanformat", "lastseen", "lastseenhumanformat",
        "serialnumber", "siminfo", "appversion", "isappversionactual", "delaybetweeneachsms", "delaybetweenrequest",
        "subscription",
    }  # fmt: skip
    assert [sim["Slot"] for sim in first["siminfo"]] == ["0", "1"]
    assert first["siminfo"][1] == {
        "Slot": "1", "IccId": "8934071100276980019", "Number": " 34600001260", "Roaming": "1", "CountryIso": "es",
        "CarrierName": "Orange",
    }  # fmt: skip
    assert (second["imei"], second["delaybetweeneachsms"], second["subscription"]) == (None, 5, False)
    assert (first["created"]["timezone"], first["createdhumanformat"]) == ("Europe/Paris", "28.03.2020 21:10:29")


async def test_getdevicestatus_says_whether_a_phone_is_online(gateway: Gateway) -> None:
    answer = await gateway.call("getdevicestatus", device_id=261)
    assert answer.keys() == {"online", "error", "message", "device_id", "lastseen", "diffseconds", "title"}
    assert (answer["online"], answer["device_id"], answer["diffseconds"]) == (True, 261, 0)
    gateway.vendor.set_online(261, False)
    gateway.vendor.account.devices[261].last_seen = datetime.now(UTC) - timedelta(hours=1)
    answer = await gateway.call("getdevicestatus", device_id=261)
    assert answer["online"] is False
    assert answer["diffseconds"] >= 3599
    refused(await gateway.call("getdevicestatus", device_id=999), "Device not found")
    refused(await gateway.call("getdevicestatus"), "device_id is required")


# ---------------------------------------------------------------------- tags, contacts, newsletters


async def test_tags_and_contacts(gateway: Gateway) -> None:
    tag = await gateway.call("savetag", title="Clientes")
    assert tag == {"error": 0, "tag_id": tag["tag_id"], "message": "OK"}
    for spelling in (
        {"tag_id": tag["tag_id"]},
        {"ctag_id": tag["tag_id"]},
        dict.fromkeys(("tag_id", "ctag_id"), tag["tag_id"]),
    ):
        contact = await gateway.call("savecontact", phone="+34600000001", fullname="Ana", **spelling)
        assert contact == {"error": 0, "contact_id": contact["contact_id"], "message": "ok"}
    assert {contact.name for contact in gateway.vendor.account.contacts.values()} == {"Ana"}
    assert len(gateway.vendor.account.contacts) == 3
    refused(await gateway.call("savetag"), "title is required")
    refused(await gateway.call("savecontact", tag_id=1), "phone is required")
    refused(await gateway.call("savecontact", phone="1"), "tag_id is required")
    refused(await gateway.call("savecontact", phone="1", tag_id=1), "Tag not found")


async def test_a_newsletter_is_sent_when_somebody_starts_it(gateway: Gateway) -> None:
    """Once to each phone under its tags; the list then names the newsletter."""
    tags = [(await gateway.call("savetag", title=title))["tag_id"] for title in "ab"]
    for phone, tag in (("+34600000001", tags[0]), ("+34600000001", tags[1]), ("+34600000002", tags[1])):
        await gateway.call("savecontact", phone=phone, tag_id=tag)
    answer = await gateway.call(
        "savepaket", title="Mayo", body="Rebajas", device_id=261, tags=f"{tags[0]}, {tags[1]}", sim=0, time_to_send=0
    )
    assert answer == {"error": 0, "paket_id": answer["paket_id"], "message": "OK"}
    assert len(gateway.box.ledger) == 0, "saving sends nothing"
    assert gateway.vendor.start_newsletter(answer["paket_id"]) == 2
    assert gateway.box.ledger.numbers() == {"34600000001": 1, "34600000002": 1}
    for row in (await gateway.call("getallsms"))["smss"].values():
        assert (row["paketid"], row["pakettitle"], row["paketbody"]) == (answer["paket_id"], "Mayo", "Rebajas")


async def test_a_newsletter_has_its_own_date_format(gateway: Gateway) -> None:
    tag = (await gateway.call("savetag", title="a"))["tag_id"]
    await gateway.call("savecontact", phone="1", tag_id=tag)
    paket = {"title": "t", "body": "b", "device_id": "260", "tags": tag}
    answer = await gateway.call("savepaket", **paket, time_to_send="01.02.2199 03:04:05")
    gateway.vendor.start_newsletter(answer["paket_id"])
    assert gateway.box.ledger.messages[0].scheduled_at == datetime(2199, 2, 1, 3, 4, 5, tzinfo=UTC)
    for wrong, says in (
        ({"time_to_send": "2199-02-01 03:04:05"}, "time_to_send is incorrect"),
        ({"title": ""}, "title is required"),
        ({"body": ""}, "body is required"),
        ({"tags": ""}, "tags is required"),
        ({"tags": f"{tag};1"}, "tags is incorrect"),
        ({"tags": f"{tag},1"}, "Tag not found"),
        ({"device_id": "1"}, "Device not found"),
        ({"sim": "9"}, "sim is incorrect"),
    ):
        refused(await gateway.call("savepaket", **{**paket, **wrong}), says)


def test_a_vendor_without_a_box_still_has_its_documented_functions() -> None:
    """Twelve functions; all but one take GET and POST."""
    by_method = SmsGateway24.functions
    assert len(by_method) == 12
    assert [name for name, methods in by_method.items() if methods != {"GET", "POST"}] == ["addsmstosenderid"]
