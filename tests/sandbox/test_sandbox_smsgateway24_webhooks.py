"""The webhooks of the emulated smsgateway24, in both published forms, posted to a receiver of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from shared import until

from mensasdk.sandbox.smsgateway24 import Quirks
from sandbox.caller import receiving
from sandbox.smsgateway24_caller import Gateway


class Receiver:
    """Keeps the JSON that it gets."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        assert request.method == "POST"
        self.got.append(await request.json())
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with receiving(receiver.handle) as receiver.url:
        yield receiver


@pytest.fixture
async def gateway(receiver: Receiver, gateway: Gateway) -> Gateway:
    gateway.box.callbacks(receiver.url, vendor="smsgateway24")
    return gateway


AT = datetime(2026, 7, 1, 10, tzinfo=UTC)


async def test_each_message_reports_what_becomes_of_it_in_order(gateway: Gateway, receiver: Receiver) -> None:
    expected = {"00": [6, 7], "08": [6, 8], "09": [9], "12": [12], "96": [6], "99": [101]}
    ids = {ending: (await gateway.send(f"+346000000{ending}"))["sms_id"] for ending in expected}
    await gateway.box.drain()
    for ending, sms_id in ids.items():
        assert [hook["status_id"] for hook in receiver.got if hook["sms_id"] == sms_id] == expected[ending]
    assert gateway.box.ledger.callbacks_delivered == len(receiver.got)


async def test_a_report_after_the_reference_page(gateway: Gateway, receiver: Receiver) -> None:
    sms_id = (await gateway.send(sim=1))["sms_id"]
    gateway.sms(sms_id).created = AT
    await gateway.box.drain()
    assert receiver.got[1] == {
        "sms_id": sms_id, "status_id": 7, "status_message": "delivered", "sendto": "+34600000000",
        "senttime": "2026-07-01 12:00:00", "channel_id": 1, "device_id": 260,
    }  # fmt: skip


async def test_reports_after_the_article(gateway: Gateway, receiver: Receiver) -> None:
    gateway.vendor.quirks = Quirks(article_webhooks=True)
    good, bad = (await gateway.send())["sms_id"], (await gateway.send("+34600000010"))["sms_id"]
    gateway.sms(good).created = AT
    await gateway.box.drain()
    [sent, delivered] = [hook for hook in receiver.got if hook["message_id"] == str(good)]
    [failed] = [hook for hook in receiver.got if hook["message_id"] == str(bad)]
    assert delivered == {
        "event": "delivery_status", "message_id": str(good), "phone": "+34600000000", "status": "delivered",
        "timestamp": "2026-07-01T10:00:00Z", "device_id": "260",
    }  # fmt: skip
    assert (sent["status"], failed["status"]) == ("sent", "failed")


async def test_no_report_is_posted_while_nobody_listens(gateway: Gateway, receiver: Receiver) -> None:
    gateway.box.callbacks(None, vendor="smsgateway24")
    await gateway.send()
    await gateway.box.drain()
    assert receiver.got == []


async def test_a_scheduled_message_reports_when_its_time_has_come(gateway: Gateway, receiver: Receiver) -> None:
    await gateway.send(timetosend="2199-01-01")
    await gateway.box.drain()
    assert receiver.got == []
    gateway.box._services.time_scale = 0
    await gateway.send(timetosend="2199-01-01")
    await until(lambda: len(receiver.got) == 2)


async def test_reports_wait_for_a_phone_that_is_offline(gateway: Gateway, receiver: Receiver) -> None:
    gateway.vendor.set_online(260, False)
    sms_id = (await gateway.send())["sms_id"]
    other = (await gateway.send(device_id=261))["sms_id"]
    await gateway.box.drain()
    assert {hook["sms_id"] for hook in receiver.got} == {other}
    gateway.vendor.set_online(260, True)
    await gateway.box.drain()
    assert [hook["status_id"] for hook in receiver.got if hook["sms_id"] == sms_id] == [6, 7]


async def test_dates_may_be_phps_objects(gateway: Gateway, receiver: Receiver) -> None:
    gateway.vendor.quirks = Quirks(webhook_date_objects=True, timezone_type=1)
    sms_id = (await gateway.send())["sms_id"]
    gateway.sms(sms_id).created = AT
    await gateway.box.drain()
    assert receiver.got[1]["senttime"] == {
        "date": "2026-07-01 12:00:00.000000", "timezone_type": 1, "timezone": "+02:00"
    }  # fmt: skip


async def test_a_received_text(gateway: Gateway, receiver: Receiver) -> None:
    """The phone is the one whose SIM has the number that was written to."""
    assert await gateway.box.incoming("smsgateway24", "+34655555555", "Sí", to="34600001260", at=AT)
    [hook] = receiver.got
    [sms_id] = await gateway.listed(status=5)
    assert hook == {
        "address": "+34655555555", "date": "2026-07-01 12:00:00", "date_sent": "2026-07-01 12:00:00", "body": "Sí",
        "internal_id": sms_id % 100_000, "channel_id": 1, "sms_id": sms_id, "device_id": 260,
        "device_name": "Pixel 8", "type": "text",
    }  # fmt: skip
    gateway.vendor.quirks = Quirks(old_webhooks=True)
    await gateway.box.incoming("smsgateway24", "+34655555555", "Sí")
    assert "type" not in receiver.got[1]
    assert receiver.got[1]["device_id"] == 260
    await gateway.box.incoming("smsgateway24", "+34655555555", "Sí", to="34600000261")
    assert receiver.got[2]["device_id"] == 261


async def test_a_received_image(gateway: Gateway, receiver: Receiver) -> None:
    hook = gateway.vendor.receive("+34655555555", sim=2, image_url="https://s3.invalid/a.png", at=AT)
    assert await gateway.box.post_callback("smsgateway24", hook)
    [sms_id] = await gateway.listed(status=5)
    assert receiver.got == [{
        "address": "+34655555555", "date": "2026-07-01 12:00:00", "date_sent": "2026-07-01 12:00:00", "body": "",
        "internal_id": None, "sim": 2, "sms_id": sms_id, "type": "img", "img_url": "https://s3.invalid/a.png",
    }]  # fmt: skip


async def test_a_received_text_after_the_article(gateway: Gateway, receiver: Receiver) -> None:
    gateway.vendor.quirks = Quirks(article_webhooks=True)
    await gateway.box.incoming("smsgateway24", "+34655555555", "Sí", at=AT)
    assert receiver.got == [{
        "event": "incoming_sms", "phone": "+34655555555", "message": "Sí", "timestamp": "2026-07-01T10:00:00Z",
        "device_id": "260",
    }]  # fmt: skip


async def test_reports_may_be_early_doubled_or_made_up(gateway: Gateway, receiver: Receiver) -> None:
    gateway.box.callbacks(None, vendor="smsgateway24")
    sms_id = (await gateway.send())["sms_id"]
    gateway.box.callbacks(receiver.url, vendor="smsgateway24")
    late, early = gateway.vendor.delivery_webhook(sms_id), gateway.vendor.delivery_webhook(sms_id, 2)
    assert (late["status_id"], early["status_id"], early["senttime"]) == (7, 2, None)
    article = gateway.vendor.delivery_webhook(sms_id, 8, form="article")
    for hook in (late, late, early, article, {"sms_id": 1, "status_id": 55}):
        assert await gateway.box.post_callback("smsgateway24", hook)
    assert receiver.got == [late, late, early, article, {"sms_id": 1, "status_id": 55}]
    assert article["status"] == "failed"
    with pytest.raises(KeyError):
        gateway.vendor.delivery_webhook(1)


async def test_mensateks_callbacks_go_elsewhere(gateway: Gateway, receiver: Receiver) -> None:
    with pytest.raises(RuntimeError, match="mensatek"):
        await gateway.box.post_callback("mensatek", {"a": "b"})
    assert receiver.got == []
