"""The client and the sandbox's smsgateway24, which was written from the documents a second time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from shared import EAGER, check_plain, next_year

from mensasdk import AuthError, BatchSender, MensaError, Message, OutcomeKind, Timeouts, VendorError
from mensasdk.delivery import DeliveryReceiver
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.sandbox.smsgateway24 import Quirks, SmsGateway24
from mensasdk.vendors.smsgateway24 import (
    BulkSms,
    DeliveryReport,
    ReceivedMessage,
    SimSlot,
    SmsGateway24Client,
    SmsGateway24Options,
    StatusCode,
    parse_callback,
)

NUMBER = "+34600000007"
NUMBERS = [f"+3460001{number:04}" for number in range(1000)]
GIF = b"GIF89a" + bytes(40)
PLAIN, ODD = Quirks(), Quirks.all()
every_quirk = pytest.mark.parametrize("quirks", [PLAIN, ODD], ids=["as documented", "all quirks"])


def messages(count: int) -> list[Message]:
    return [Message(number, "Hola") for number in NUMBERS[:count]]


@asynccontextmanager
async def connect(quirks: Quirks = PLAIN, **options: Any) -> AsyncIterator[tuple[SmsGateway24Client, Sandbox]]:
    async with Sandbox(smsgateway24=SmsGateway24(quirks=quirks)) as box:
        settings: dict[str, Any] = {"device_id": 260, "retry": EAGER, **options}
        if "token" not in settings:
            settings |= box.credentials("smsgateway24")
        async with SmsGateway24Client(base_url=box.base_url("smsgateway24"), **settings) as client:
            yield client, box


@every_quirk
async def test_a_message_goes_out_and_is_found_again_in_every_way(quirks: Quirks) -> None:
    async with connect(quirks) as (client, box):
        sent = await client.send_sms(NUMBER, "Hola ñ €", sim=1, customer_id=122, urgent=True)
        assert len(box.ledger) == 1
        [message] = box.ledger.messages
        assert (message.message_id, message.number, message.text) == (sent.sms_id, NUMBER[1:], "Hola ñ €")
        status = await client.get_status(sent.sms_id)
        assert (status.sms_id, status.status) == (sent.sms_id, StatusCode.DELIVERED)
        for filters in ({"customer_id": 122}, {"number": NUMBER}, {"device_id": 260}, {"sim": 1}, {"status": 7}):
            [record] = await client.list_sms(**filters)
            assert record.sms_id == sent.sms_id
            assert await client.count_sms(**filters) == 1
        for nothing in ({"customer_id": 5}, {"number": NUMBERS[0]}, {"device_id": 261}, {"sim": 0}, {"status": 9}):
            assert await client.list_sms(**nothing) == ()
            assert await client.count_sms(**nothing) == 0
    assert (record.number, record.text, record.customer_id, record.urgent) == (NUMBER, "Hola ñ €", "122", True)
    assert (record.status, record.device_id) == (StatusCode.DELIVERED, "260")
    assert record.sim == (SimSlot.SIM_2 if quirks.listing_of_2021 else None)
    assert record.created_at is not None
    assert abs(datetime.now(UTC) - record.created_at) < timedelta(minutes=5)


@every_quirk
@pytest.mark.parametrize("kind", [1, 2, 3])
async def test_a_schedule_is_the_same_moment_on_both_sides(quirks: Quirks, kind: Literal[1, 2, 3]) -> None:
    moment = datetime(next_year(), 7, 15, 9, 30, 15, tzinfo=ZoneInfo("America/Caracas"))
    zones = ["Europe/Madrid"] if kind == 2 else ["Europe/Madrid", "Australia/Sydney", "Asia/Kolkata"]
    for zone in zones:
        async with connect(evolve(quirks, timezone_type=kind, output_zone=zone)) as (client, box):
            await client.send_sms(NUMBER, "Hola", schedule_at=moment)
            assert box.ledger.messages[0].scheduled_at == moment
            [record] = await client.list_sms()
        assert record.scheduled_at == moment
        assert record.scheduled_at is not None
        assert record.scheduled_at.utcoffset() == moment.astimezone(ZoneInfo(zone)).utcoffset()
        assert record.status is StatusCode.PENDING


@every_quirk
async def test_a_search_by_time_finds_what_lies_in_it(quirks: Quirks) -> None:
    hour = timedelta(hours=1)
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    async with connect(quirks) as (client, _):
        await client.send_sms(NUMBER, "Hola")
        assert len(await client.list_sms(begin=now - hour, end=now + hour)) == 1
        assert await client.list_sms(begin=now + hour) == ()
        assert await client.count_sms(end=now - hour) == 0
        [record] = await client.list_sms(time_zone="Asia/Tokyo")
    assert record.created_at is not None
    assert record.created_at.utcoffset() == timedelta(hours=9)


@every_quirk
async def test_the_order_can_be_turned_round(quirks: Quirks) -> None:
    async with connect(quirks) as (client, _):
        for number in NUMBERS[:3]:
            await client.send_sms(number, "Hola")
        up, down = await client.list_sms(), await client.list_sms(descending=True)
    assert [record.number for record in up] == NUMBERS[:3]
    assert [record.sms_id for record in down] == [record.sms_id for record in reversed(up)]


@every_quirk
@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("07", 7),
        ("08", 8),
        ("09", 9),
        ("10", 10),
        ("11", 11),
        ("12", 12),
        ("94", 4),
        ("96", 6),
        ("98", 100),
        ("99", 101),
    ],
)
async def test_every_final_status_is_read(quirks: Quirks, ending: str, status: int) -> None:
    async with connect(quirks) as (client, _):
        sent = await client.send_sms(f"+346000000{ending}", "Hola")
        alone = await client.get_status(sent.sms_id)
        [record] = await client.list_sms()
    assert alone.status == record.status == status


@every_quirk
async def test_a_send_with_login(quirks: Quirks) -> None:
    async with connect(quirks) as (client, box):
        sent = await client.send_sms_with_login(NUMBER, "Hola", urgent=True, customer_id=5)
        assert box.ledger.messages[0].message_id == sent.sms_id
        assert box.ledger.request_count("gettoken") == 0


@every_quirk
@pytest.mark.parametrize("sim", [2, 3])
async def test_an_image_arrives(quirks: Quirks, sim: int) -> None:
    async with connect(quirks) as (client, box):
        await client.send_sms(NUMBER, sim=sim, image=GIF)
        assert list(box.smsgateway24.images.values()) == [GIF]
        assert box.ledger.messages[0].text in box.smsgateway24.images


@every_quirk
async def test_the_sender_id_may_stand_for_a_phone(quirks: Quirks) -> None:
    async with connect(quirks, device_id="MENSASDK") as (client, box):
        await client.send_sms(NUMBER, "Hola")
        assert {message.sender for message in box.ledger.messages} == {"MENSASDK"}


@every_quirk
async def test_tags_contacts_and_a_newsletter(quirks: Quirks) -> None:
    moment = datetime(next_year(), 3, 4, 5, 6, 7, tzinfo=UTC)
    async with connect(quirks) as (client, box):
        first, second = await client.create_tag("friends"), await client.create_tag("Größe")
        await client.save_contact(NUMBER, first, "Ana")
        await client.save_contact(NUMBERS[0], second, "Luis Ñ")
        made = await client.create_newsletter("News", "Hola a todos", tag_ids=[first, second], schedule_at=moment)
        account = box.smsgateway24.account
        assert account.tags == {int(first): "friends", int(second): "Größe"}
        assert {contact.name: contact.tag_id for contact in account.contacts.values()} == {
            "Ana": int(first),
            "Luis Ñ": int(second),
        }
        assert account.newsletters[int(made)].scheduled_at == moment
        assert account.newsletters[int(made)].tags == (int(first), int(second))
        again = await client.create_newsletter("Now", "Hola", tag_ids=first)
        assert account.newsletters[int(again)].scheduled_at is None
        assert box.smsgateway24.start_newsletter(int(again)) == 1
        [record] = await client.list_sms()
    assert (record.newsletter_id, record.newsletter_title, record.newsletter_text) == (again, "Now", "Hola")


@pytest.mark.parametrize("name", ["tag_id", "ctag_id"])
async def test_either_spelling_of_the_tag_is_enough_for_the_server(name: Literal["tag_id", "ctag_id"]) -> None:
    async with connect(Quirks(tag_name=name)) as (client, box):
        await client.save_contact(NUMBER, await client.create_tag("t"), "Ana")
        assert len(box.smsgateway24.account.contacts) == 1


@every_quirk
@pytest.mark.parametrize("siminfo", ["list", "null", "text"])
async def test_the_phones(quirks: Quirks, siminfo: Literal["list", "null", "text"]) -> None:
    async with connect(evolve(quirks, siminfo=siminfo)) as (client, box):
        box.smsgateway24.account.devices[261].imei = None
        devices = {device.device_id: device for device in await client.list_devices()}
        assert set(devices) == {"260", "261"}
        assert devices["261"].imei is None
        assert devices["261"].has_subscription is False
        assert devices["260"].title == "Pixel 8"
        cards = [(sim.slot, sim.number, sim.roaming) for sim in devices["260"].sims]
        assert cards == ([] if siminfo == "null" else [(0, "+34600000260", False), (1, "34600001260", True)])
        status = await client.get_device_status(260)
        assert (status.device_id, status.online, status.title) == ("260", True, "Pixel 8")
        box.smsgateway24.set_online(260, False)
        assert (await client.get_device_status(260)).online is False
        box.smsgateway24.account.devices.clear()
        assert await client.list_devices() == ()


@pytest.mark.parametrize("empty", ["object", "list", "null", "missing"])
async def test_nothing_in_a_list_comes_in_many_ways(empty: Literal["object", "list", "null", "missing"]) -> None:
    for lists in (False, True):
        async with connect(Quirks(empty=empty, lists=lists)) as (client, box):
            assert await client.list_sms() == ()
            box.smsgateway24.account.devices.clear()
            assert await client.list_devices() == ()


@pytest.mark.parametrize("urgent", ["null_or_1", "null_or_true", "0_or_1"])
async def test_urgency_comes_back_in_many_ways(urgent: Literal["null_or_1", "null_or_true", "0_or_1"]) -> None:
    async with connect(Quirks(urgent=urgent)) as (client, _):
        await client.send_sms(NUMBER, "a", urgent=True)
        await client.send_sms(NUMBER, "b")
        assert [(record.text, record.urgent) for record in await client.list_sms()] == [("a", True), ("b", False)]


# ------------------------------------------------------------------------------------------------------------- tokens


@every_quirk
async def test_revoked_tokens_cost_one_login_for_all(quirks: Quirks) -> None:
    async with connect(quirks) as (client, box):
        await client.send_sms(NUMBER, "Hola")
        box.smsgateway24.revoke_tokens()
        await asyncio.gather(*(client.send_sms(number, "Hola") for number in NUMBERS[:20]))
        assert box.ledger.request_count("gettoken") == 2
        assert len(box.ledger) == 21
        assert set(box.ledger.numbers().values()) == {1}


@every_quirk
async def test_a_wrong_password_and_a_wrong_token_are_refused(quirks: Quirks) -> None:
    async with connect(quirks) as (client, box):
        url, login = client.base_url, box.credentials("smsgateway24")
        settings: tuple[dict[str, Any], ...] = (
            {"email": login["email"], "password": "wrong"},
            {"token": "f" * 32},
        )
        for wrong in settings:
            async with SmsGateway24Client(base_url=url, device_id=260, retry=EAGER, **wrong) as stranger:
                with pytest.raises(AuthError) as caught:
                    await stranger.send_sms(NUMBER, "Hola")
                check_plain(caught.value, "smsgateway24")
        async with SmsGateway24Client(base_url=url, device_id=260, token="f" * 32, **login) as mended:
            await mended.send_sms(NUMBER, "Hola")
        assert len(box.ledger) == 1


async def test_a_given_token_needs_no_login() -> None:
    async with Sandbox() as box:
        async with SmsGateway24Client(token=box.smsgateway24.token, base_url=box.base_url("smsgateway24")) as client:
            await client.list_devices()
        assert box.ledger.request_count("gettoken") == 0


async def test_no_request_has_a_query() -> None:
    async with connect() as (client, box):
        await client.send_sms(NUMBER, "Hola")
        await client.send_many([BulkSms(NUMBER, "Hola")])
        await client.list_sms()
        assert {request.method for request in box.ledger.requests} == {"POST"}
        assert {request.path for request in box.ledger.requests} == {
            f"/smsgateway24/getdata/{name}" for name in ("gettoken", "addsms", "addalotofsms", "getallsms")
        }


# ----------------------------------------------------------------------------------------------------------- refusals


@every_quirk
async def test_refusals_are_typed_and_change_nothing(quirks: Quirks) -> None:
    async with connect(quirks) as (client, box):
        calls = (
            lambda: client.send_sms(NUMBER, "Hola", device_id=999),
            lambda: client.send_sms_with_login(NUMBER, "Hola", device_id=999),
            lambda: client.get_status(5),
            lambda: client.get_device_status(999),
            lambda: client.save_contact(NUMBER, 5, "Ana"),
            lambda: client.create_newsletter("t", "b", tag_ids=5),
        )
        for call in calls:
            with pytest.raises(VendorError) as caught:
                await call()
            assert type(caught.value) is VendorError
            assert (caught.value.outcome, caught.value.code) == (OutcomeKind.REJECTED, "1")
            check_plain(caught.value, "smsgateway24")
        assert len(box.ledger) == 0


async def test_a_refusal_with_any_words() -> None:
    async with connect() as (client, box):
        box.fail("smsgateway24", function="addsms", fault=Fault.RES, res="Subscription has ended", when="before")
        with pytest.raises(VendorError, match="Subscription has ended"):
            await client.send_sms(NUMBER, "Hola")
        assert len(box.ledger) == 0


# What each fault needs. After acceptance the answer is spoiled, and what comes is no refusal.
FAULTS: dict[str, dict[str, Any]] = {
    **{
        fault.value: {"fault": fault}
        for fault in Fault
        if fault not in {Fault.STATUS, Fault.RATE_LIMIT, Fault.RES, Fault.DELAY, Fault.WRONG_TYPE, Fault.LATIN1}
    },
    "delay": {"fault": Fault.DELAY, "delay": 5.0},
    "drip": {"fault": Fault.DRIP, "interval": 0.05},
    "status 500": {"fault": Fault.STATUS, "status": 500},
    "status 503 with a success in it": {"fault": Fault.STATUS, "status": 503, "body": '{"error":0,"sms_id":5}'},
    "status 500 with a refusal in it": {"fault": Fault.STATUS, "status": 500, "body": '{"error":1,"message":"token"}'},
    "id given twice": {"fault": Fault.DUPLICATE_KEYS, "field": "sms_id"},
    "id NaN": {"fault": Fault.NAN, "field": "sms_id"},
    "id of 5,000 digits": {"fault": Fault.HUGE_INT, "field": "sms_id"},
}
# Error NaN reads as none, and the id is there.
READABLE = {"nan"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
async def test_after_acceptance_no_fault_makes_a_second_message_or_a_false_claim(name: str) -> None:
    timeouts = Timeouts(total=0.5 if name in {"hang", "drip", "delay"} else 20.0)
    async with connect(timeouts=timeouts) as (client, box):
        await client.get_token()
        box.fail("smsgateway24", function="addsms", when="after", times=None, **FAULTS[name])
        if name in READABLE:
            sent = await client.send_sms(NUMBER, "Hola")
            assert sent.sms_id == box.ledger.messages[0].message_id
        else:
            with pytest.raises(MensaError) as caught:
                await client.send_sms(NUMBER, "Hola")
            assert caught.value.outcome is OutcomeKind.UNKNOWN
            check_plain(caught.value, "smsgateway24")
        assert len(box.ledger) == 1
        assert box.ledger.request_count("addsms") == 1
        assert box.ledger.request_count("gettoken") == 1


@pytest.mark.parametrize("bulk", ["single", "many", "auto"])
async def test_lost_answers_of_a_campaign_are_found_again(bulk: str) -> None:
    async with connect(bulk=bulk) as (client, box):
        await client.get_token()
        box.fail("smsgateway24", fault=Fault.RESET, when="after", times=2)
        outcomes = [
            outcome
            async for outcome in BatchSender(client).stream([Message(number, "Hola") for number in NUMBERS[:60]])
        ]
        unknown = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.UNKNOWN]
        assert len(unknown) == (2 if bulk == "single" else 60)
        found = [await client.resolve(outcome) for outcome in unknown]
        assert {outcome.kind for outcome in found} == {OutcomeKind.ACCEPTED}
        assert len(box.ledger) == 60
        assert set(box.ledger.numbers().values()) == {1}
        ids = {f"+{message.number}": message.report_id for message in box.ledger.messages}
        assert all(ids[outcome.message.to] == outcome.vendor_id for outcome in found)


# ---------------------------------------------------------------------------------------------------------- campaigns


async def campaign(quirks: Quirks, **options: Any) -> tuple[Counter[str], Counter[str | None]]:
    """Return the outcomes of a campaign, and what the ledger says to that."""
    good = [Message(number, "Hola {name}", variables={"name": number}) for number in NUMBERS[:120]]
    bad = [Message("+34600", "short"), Message(NUMBERS[0], ""), Message(f"{NUMBERS[0]},{NUMBERS[1]}", "two")]
    async with connect(quirks, **options) as (client, box):
        report = await BatchSender(client).send([*good, *bad])
        assert box.ledger.numbers() == Counter(number[1:] for number in NUMBERS[:120])
        assert {f"+{message.number}": message.text for message in box.ledger.messages} == {
            number: f"Hola {number}" for number in NUMBERS[:120]
        }
        single = options.get("bulk", "single") == "single"
        rows = list(report.rows())
        accepted = {row["to"]: row["vendor_id"] for row in rows if row["outcome"] == "accepted"}
        if single:
            ids = {f"+{message.number}": message.message_id for message in box.ledger.messages}
            assert accepted == ids
        else:
            assert box.ledger.request_count("addalotofsms") == 3
    return Counter(row["outcome"] for row in rows), Counter(row["code"] for row in rows)


async def test_a_campaign_comes_to_the_same_with_all_quirks_and_with_none() -> None:
    plain, odd = await campaign(PLAIN), await campaign(ODD)
    assert plain == odd
    assert plain[0] == {"accepted": 120, "not_sent": 3}


async def test_a_campaign_in_bulk() -> None:
    """With all quirks as well, but for answers that do not say that there was no error: that is no acceptance."""
    plain, odd = await campaign(PLAIN, bulk="many"), await campaign(evolve(ODD, missing_error=False), bulk="many")
    assert plain == odd
    assert plain[0] == {"accepted": 120, "not_sent": 3}


async def test_a_bulk_answer_without_error_leaves_messages_in_doubt_and_they_are_found_again() -> None:
    async with connect(Quirks(missing_error=True), bulk="many") as (client, box):
        outcomes = [one async for one in BatchSender(client).stream(messages(3))]
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.UNKNOWN}
        found = [await client.resolve(outcome) for outcome in outcomes]
        assert {outcome.kind for outcome in found} == {OutcomeKind.ACCEPTED}
        assert len(box.ledger) == 3


async def test_what_bulk_drops_without_a_word_can_be_found_out() -> None:
    """The outcome says ACCEPTED on the vendor's word; `resolve` then finds no ``sms_id``."""
    good, bad = Message(NUMBERS[0], "a"), Message(NUMBERS[1], "b", options=SmsGateway24Options(device_id=999))
    async with connect(Quirks(partial_bulk=True), bulk="many") as (client, box):
        outcomes = {o.message.text: o async for o in BatchSender(client).stream([good, bad])}
        assert len(box.ledger) == 1
        assert (await client.resolve(outcomes["a"])).vendor_id == box.ledger.messages[0].report_id
        assert (await client.resolve(outcomes["b"])).vendor_id == outcomes["b"].vendor_id


# ---------------------------------------------------------------------------------------------------------- callbacks


@every_quirk
@pytest.mark.parametrize("objects", [False, True])
async def test_delivery_reports_arrive_and_match_the_sends(quirks: Quirks, objects: bool) -> None:
    got: list[DeliveryReport | ReceivedMessage] = []
    done = asyncio.Event()

    async def handle(value: DeliveryReport | ReceivedMessage) -> None:
        got.append(value)
        if len({one.sms_id for one in got if isinstance(one, DeliveryReport) and one.is_final}) == 3:
            done.set()

    quirks = evolve(quirks, webhook_date_objects=objects)
    parse = partial(parse_callback, time_zone=ZoneInfo(quirks.output_zone))
    receiver = DeliveryReceiver(parse, handle, path_secret="long-random-word")
    numbers = ["+34600000007", "+34600000008", "+34600000012"]
    async with receiver.serve() as url, connect(quirks) as (client, box):
        box.callbacks(f"{url}long-random-word", vendor="smsgateway24")
        sent = {number: (await client.send_sms(number, "Hola")).sms_id for number in numbers}
        async with asyncio.timeout(20):
            await done.wait()
    final = {one.sms_id: one for one in got if isinstance(one, DeliveryReport) and one.is_final}
    for number, state in zip(numbers, ("delivered", "failed", "failed"), strict=True):
        delivery = final[sent[number]].to_delivery()
        assert (delivery.number, delivery.vendor_id, delivery.state.value) == (number, sent[number], state)
        assert delivery.at is None or abs(datetime.now(UTC) - delivery.at) < timedelta(minutes=5)


@every_quirk
@pytest.mark.parametrize("image_url", [None, "https://bucket.example/x.jpg"])
async def test_a_received_message_arrives_and_is_listed(quirks: Quirks, image_url: str | None) -> None:
    async with connect(quirks) as (client, box):
        fields = box.smsgateway24.receive(NUMBER, "Hola ñ", device_id=260, sim=3, image_url=image_url)
        parsed = parse_callback(json.dumps(fields).encode(), time_zone=ZoneInfo(quirks.output_zone))
        [record] = await client.list_sms(status=StatusCode.INCOMING)
    assert isinstance(parsed, ReceivedMessage)
    assert (parsed.sender, record.number) == (NUMBER, NUMBER)
    assert parsed.received_at is not None
    assert parsed.received_at == record.created_at
    if image_url is None:
        assert parsed.text == record.text == "Hola ñ"
    else:
        assert image_url in {parsed.image_url, parsed.text}
