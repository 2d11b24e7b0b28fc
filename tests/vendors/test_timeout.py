"""``timeout=`` is on every method that goes over the wire, reaches it, and takes nothing but seconds."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mensasdk import ConfigurationError, DeadlineExceeded, Message, Outcome, OutcomeKind, Timeouts
from mensasdk.registry import load, vendors
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.transport import NOT_GIVEN
from mensasdk.vendors.smsgateway24 import BulkSms

pytestmark = pytest.mark.timeout(30)

# What `BatchSender` calls, which sees to the time itself, and what does not go over the wire.
_NOT_OURS = {"aclose", "reconcile", "send_batch"}
_DELAY = 1.5
_SHORT = 0.3


def client_of(vendor: str, box: Sandbox, **options: Any) -> Any:
    if vendor == "smsgateway24":
        options["device_id"] = 260
    return load(vendors()[vendor].client)(**box.credentials(vendor), base_url=box.base_url(vendor), **options)


SOON = datetime.now(UTC) + timedelta(days=2)
# One call of each method, by vendor.
CALLS: dict[str, dict[str, Callable[[Any, Any], Awaitable[object]]]] = {
    "mensatek": {
        "send": lambda client, t: client.send(Message("+34600000001", "Hola"), timeout=t),
        "send_sms": lambda client, t: client.send_sms("+34600000001", "Hola", timeout=t),
        "cancel_sms": lambda client, t: client.cancel_sms("1", timeout=t),
        "reschedule_sms": lambda client, t: client.reschedule_sms("1", SOON, timeout=t),
        "get_report": lambda client, t: client.get_report("1", timeout=t),
        "upload_file": lambda client, t: client.upload_file(b"x", name="a.txt", timeout=t),
        "list_files": lambda client, t: client.list_files(timeout=t),
        "delete_file": lambda client, t: client.delete_file("a.txt", timeout=t),
        "get_credits": lambda client, t: client.get_credits(timeout=t),
        "list_templates": lambda client, t: client.list_templates(timeout=t),
    },
    "envia_sms": {
        "send": lambda client, t: client.send(
            Message("+525510000001", template="02", variables={"mensaje": "Hola"}), timeout=t
        ),
        "send_sms": lambda client, t: client.send_sms("+525510000001", "02", variables={"mensaje": "x"}, timeout=t),
        "cancel_scheduled": lambda client, t: client.cancel_scheduled("abc", timeout=t),
        "cancel_all_scheduled": lambda client, t: client.cancel_all_scheduled(timeout=t),
        "send_scheduled_now": lambda client, t: client.send_scheduled_now("abc", timeout=t),
        "send_all_scheduled_now": lambda client, t: client.send_all_scheduled_now(timeout=t),
        "get_status": lambda client, t: client.get_status("abc", "+525510000001", timeout=t),
        "list_countries": lambda client, t: client.list_countries(timeout=t),
        "prices": lambda client, t: client.prices(timeout=t),
        "get_credits": lambda client, t: client.get_credits(timeout=t),
    },
    "enviatusms": {
        "send": lambda client, t: client.send(Message("+584241000001", "Hola"), timeout=t),
        "send_sms": lambda client, t: client.send_sms("+584241000001", "Hola", timeout=t),
        "quote": lambda client, t: client.quote("+584241000001", "Hola", timeout=t),
        "quote_messages": lambda client, t: client.quote_messages([Message("+584241000001", "Hola")], timeout=t),
        "get_balance": lambda client, t: client.get_balance(timeout=t),
        "get_campaign": lambda client, t: client.get_campaign(1, timeout=t),
        "shorten_url": lambda client, t: client.shorten_url("https://example.com/a", timeout=t),
    },
    "smsgateway24": {
        "send": lambda client, t: client.send(Message("+393331000001", "Hola"), timeout=t),
        "send_sms": lambda client, t: client.send_sms("+393331000001", "Hola", timeout=t),
        "send_sms_with_login": lambda client, t: client.send_sms_with_login("+393331000001", "Hola", timeout=t),
        "send_many": lambda client, t: client.send_many([BulkSms("+393331000001", "Hola")], timeout=t),
        "get_token": lambda client, t: client.get_token(timeout=t),
        "list_sms": lambda client, t: client.list_sms(timeout=t),
        "count_sms": lambda client, t: client.count_sms(timeout=t),
        "get_status": lambda client, t: client.get_status(1, timeout=t),
        "list_devices": lambda client, t: client.list_devices(timeout=t),
        "get_device_status": lambda client, t: client.get_device_status(timeout=t),
        "create_tag": lambda client, t: client.create_tag("a", timeout=t),
        "save_contact": lambda client, t: client.save_contact("+393331000001", 1, "Ana", timeout=t),
        "create_newsletter": lambda client, t: client.create_newsletter("a", "Hola", tag_ids=1, timeout=t),
        "resolve": lambda client, t: client.resolve(
            Outcome(
                OutcomeKind.UNKNOWN, Message("+393331000001", "Hola"), vendor="smsgateway24", vendor_id="customerid:7"
            ),
            timeout=t,
        ),
    },
}
EACH = [(vendor, name) for vendor, calls in CALLS.items() for name in calls]


@pytest.mark.parametrize("vendor", CALLS)
def test_every_method_that_goes_over_the_wire_has_it(vendor: str) -> None:
    client = load(vendors()[vendor].client)
    methods = {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(client, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in _NOT_OURS
    }
    assert methods.keys() == CALLS[vendor].keys() | {"execute"}
    for name, signature in methods.items():
        parameter = signature.parameters["timeout"]
        assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, NOT_GIVEN), name


@pytest.mark.parametrize(("vendor", "name"), EACH, ids=" ".join)
@pytest.mark.parametrize("timeout", [None, True, "5", 0, -1, math.inf, math.nan], ids=repr)
async def test_what_is_no_time_is_refused_before_anything_is_sent(vendor: str, name: str, timeout: Any) -> None:
    async with client_of_nobody(vendor) as client:
        with pytest.raises(ConfigurationError, match=r"^timeout must be a finite number .* Timeouts\.total$"):
            await CALLS[vendor][name](client, timeout)


def client_of_nobody(vendor: str) -> Any:
    info = vendors()[vendor]
    more = {"device_id": 260} if vendor == "smsgateway24" else {}
    return load(info.client)(**dict.fromkeys(info.credentials, "x"), **more, base_url="http://127.0.0.1:9/")


@pytest.mark.slow
@pytest.mark.parametrize("vendor", CALLS)
async def test_it_reaches_the_wire(box: Sandbox, vendor: str) -> None:
    """All calls of a vendor at once, of which none waits for the answer."""
    box.fail(vendor, fault=Fault.DELAY, delay=_DELAY, times=None)
    async with client_of(vendor, box) as client:

        async def one(name: str) -> None:
            begun = time.monotonic()
            try:
                outcome = await CALLS[vendor][name](client, _SHORT)
            except DeadlineExceeded:
                assert name != "send"
            else:
                assert name == "send"
                assert isinstance(outcome, Outcome)
                assert outcome.code == "deadline_exceeded"
            assert time.monotonic() - begun < _DELAY - 0.2

        await asyncio.gather(*(one(name) for name in CALLS[vendor]))


@pytest.mark.slow
@pytest.mark.parametrize("vendor", CALLS)
async def test_it_may_be_longer_than_what_the_client_has(box: Sandbox, vendor: str) -> None:
    box.fail(vendor, fault=Fault.DELAY, delay=0.6, times=None)
    async with client_of(vendor, box, timeouts=Timeouts(total=0.3)) as client:
        if vendor == "smsgateway24":
            box.clear_faults()
            await client.get_token()  # a login has a time of its own
            box.fail(vendor, fault=Fault.DELAY, delay=0.6, times=None)
        ask = {"enviatusms": "get_balance", "smsgateway24": "list_devices"}.get(vendor, "get_credits")
        with pytest.raises(DeadlineExceeded):
            await CALLS[vendor][ask](client, NOT_GIVEN)
        await CALLS[vendor][ask](client, 10)


async def test_a_deadline_and_a_timeout_are_one_too_many(box: Sandbox) -> None:
    from mensasdk.vendors.mensatek.requests import GetCredits

    async with client_of("mensatek", box) as client:
        with pytest.raises(ConfigurationError, match="not both"):
            await client.execute(GetCredits(), deadline=asyncio.get_running_loop().time() + 5, timeout=5)
    assert box.ledger.request_count() == 0
