"""One deadline holds for a call and for the login that it needs."""

from __future__ import annotations

import asyncio

import pytest

from mensasdk import DeadlineExceeded, OutcomeKind, SmsGateway24Client, Timeouts
from mensasdk.sandbox import Fault, Sandbox


async def test_a_login_that_takes_too_long_is_not_sent(box: Sandbox) -> None:
    box.fail("smsgateway24", function="gettoken", fault=Fault.HANG, times=None)
    async with SmsGateway24Client(
        **box.credentials("smsgateway24"), base_url=box.base_url("smsgateway24"), timeouts=Timeouts(total=0.2)
    ) as client:
        with pytest.raises(DeadlineExceeded) as caught:
            await asyncio.wait_for(client.send_sms("+393331000001", "ciao", device_id=260, sim=0), 10)
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert caught.value.__context__ is None
    assert len(box.ledger) == 0


@pytest.mark.slow
async def test_what_the_login_takes_is_missing_for_the_call(box: Sandbox) -> None:
    """The login takes most of the time allowed, and the call that follows gets only the rest of it."""
    box.fail("smsgateway24", function="gettoken", fault=Fault.DELAY, delay=0.6)
    box.fail("smsgateway24", function="addsms", fault=Fault.DELAY, delay=0.6)
    async with SmsGateway24Client(
        **box.credentials("smsgateway24"), base_url=box.base_url("smsgateway24"), timeouts=Timeouts(total=1.0)
    ) as client:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.send_sms("+393331000001", "ciao", device_id=260, sim=0)
    assert caught.value.outcome is OutcomeKind.UNKNOWN
