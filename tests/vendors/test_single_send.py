"""``client.send``: one message in the words that all vendors share, and an outcome whatever happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mensasdk import (
    BatchSender,
    Code,
    ConfigurationError,
    EnviaSmsOptions,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    RetryPolicy,
    outcome_of,
)
from mensasdk.registry import load, vendors
from mensasdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.timeout(30)

PASS = EnviaSmsOptions("02", "mensaje")
MESSAGES = {
    "mensatek": Message("+34600000001", "Hola {n}", variables={"n": "Ana"}),
    "envia_sms": Message("+525510000001", "Hola {n}", variables={"n": "Ana"}, options=PASS),
    "enviatusms": Message("+584241000001", "Hola {n}", variables={"n": "Ana"}),
    "smsgateway24": Message("+393331000001", "Hola {n}", variables={"n": "Ana"}),
}


def client_of(vendor: str, box: Sandbox, **options: Any) -> Any:
    if vendor == "smsgateway24":
        options |= {"device_id": 260, "token": box.smsgateway24.token}
    return load(vendors()[vendor].client)(**{**box.credentials(vendor), "base_url": box.base_url(vendor), **options})


@pytest.mark.parametrize("vendor", MESSAGES)
async def test_an_accepted_message_has_its_id(box: Sandbox, vendor: str) -> None:
    message = MESSAGES[vendor]
    async with client_of(vendor, box) as client:
        outcome = await client.send(message)
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.message is message
    assert (outcome.vendor, outcome.code, outcome.parts) == (vendor, None, 1)
    assert outcome.vendor_id
    [sms] = box.ledger.messages
    assert (sms.number.lstrip("+"), sms.text) == (message.to[1:], "Hola Ana")


async def test_credits_are_told_where_the_vendor_tells_them(box: Sandbox) -> None:
    async with client_of("mensatek", box) as client:
        before = await client.get_credits()
        outcome = await client.send(MESSAGES["mensatek"])
        assert outcome.credits == before - await client.get_credits() > 0
    async with client_of("enviatusms", box) as client:
        assert (await client.send(MESSAGES["enviatusms"])).credits is None


@pytest.mark.slow
@pytest.mark.parametrize("vendor", MESSAGES)
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault.HANG, OutcomeKind.UNKNOWN, "deadline_exceeded"),
        (Fault.RESET, OutcomeKind.UNKNOWN, "connection_lost"),
        (Fault.GARBAGE, OutcomeKind.UNKNOWN, None),
    ],
)
async def test_an_answer_that_is_lost_is_unknown_and_nothing_is_sent_twice(
    box: Sandbox, vendor: str, fault: Fault, kind: OutcomeKind, code: str | None
) -> None:
    box.fail(vendor, fault=fault, times=None)
    async with client_of(vendor, box) as client:
        outcome = await client.send(MESSAGES[vendor], timeout=0.5)
    assert outcome.kind is kind
    assert code is None or outcome.code == code
    assert outcome.detail
    assert outcome.parts == 1
    assert box.ledger.request_count() == 1


@pytest.mark.parametrize("vendor", MESSAGES)
async def test_where_nobody_listens_it_is_not_sent(box: Sandbox, vendor: str) -> None:
    async with client_of(vendor, box, base_url="http://127.0.0.1:9", retry=RetryPolicy(attempts=1)) as client:
        outcome = await client.send(MESSAGES[vendor])
    assert (outcome.kind, outcome.code) == (OutcomeKind.NOT_SENT, Code.CONNECT_ERROR)


WRONG = {
    "no number": (Message("nobody", "Hola"), Code.INVALID_TO),
    "no text": (Message("+34600000001"), Code.INVALID_TEXT),
    "a sender": (Message("+34600000001", "Hola", sender="no spaces please"), Code.INVALID_SENDER),
    "another vendor's options": (Message("+34600000001", "Hola", options=PASS), Code.INVALID_OPTIONS),
    "a time that is past": (
        Message("+34600000001", "Hola", schedule_at=datetime(2020, 1, 1, tzinfo=UTC)),
        Code.INVALID_SCHEDULE_AT,
    ),
    "too late": (Message("+34600000001", "Hola", not_after=datetime(2020, 1, 1, tzinfo=UTC)), Code.EXPIRED),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_broken_rule_has_the_code_that_it_has_in_a_campaign(box: Sandbox, name: str) -> None:
    message, code = WRONG[name]
    async with client_of("mensatek", box) as client:
        outcome = await client.send(message)
        assert (outcome.kind, outcome.code, outcome.vendor) == (OutcomeKind.NOT_SENT, code, "mensatek")
        report = await BatchSender(client).send([message])
        assert dict(report.by_code) == {code: 1}
    assert box.ledger.request_count() == 0


async def test_what_the_vendor_refuses_is_rejected_with_its_code(box: Sandbox) -> None:
    box.mensatek.account.credits = Decimal(0)
    async with client_of("mensatek", box) as client:
        outcome = await client.send(MESSAGES["mensatek"])
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "-2")
    async with client_of("mensatek", box, api_token="wrong") as client:
        outcome = await client.send(MESSAGES["mensatek"])
        assert outcome.kind is OutcomeKind.REJECTED
    assert len(box.ledger) == 0


async def test_its_reference_goes_with_the_request_where_the_vendor_takes_one(box: Sandbox) -> None:
    message = Message("+34600000001", "Hola", reference="cita-7", options=MensatekOptions(report=True))
    async with client_of("mensatek", box) as client:
        await client.send(message)
        await client.send(Message("+34600000002", "Hola"))
    first, second = box.ledger.requests
    assert first.params["Referenciausuario"] == "cita-7"
    assert second.params["Referenciausuario"] not in {"", "cita-7"}


@pytest.mark.parametrize(
    "row", [None, "+34600000001", {"to": "+34600000001"}, [Message("+34600000001", "x")]], ids=repr
)
async def test_what_is_no_message_is_refused_by_name(box: Sandbox, row: Any) -> None:
    async with client_of("mensatek", box) as client:
        given = "None" if row is None else type(row).__name__
        with pytest.raises(ConfigurationError, match=rf"^message must be a Message, .* not {given}$"):
            await client.send(row)


async def test_a_client_that_is_closed_is_no_outcome(box: Sandbox) -> None:
    async with client_of("mensatek", box) as client:
        pass
    with pytest.raises(ConfigurationError, match="closed"):
        await client.send(MESSAGES["mensatek"])


@pytest.mark.slow
@pytest.mark.parametrize("vendor", MESSAGES)
async def test_a_cancellation_stays_one_and_says_what_became_of_the_message(box: Sandbox, vendor: str) -> None:
    box.fail(vendor, fault=Fault.HANG, times=None)
    async with client_of(vendor, box) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.3):
                await client.send(MESSAGES[vendor])
    assert outcome_of(caught.value) is OutcomeKind.UNKNOWN


async def test_a_message_for_later_is_scheduled(box: Sandbox) -> None:
    at = datetime.now(UTC) + timedelta(days=1)
    async with client_of("mensatek", box) as client:
        outcome: Outcome = await client.send(Message("+34600000001", "Hola", schedule_at=at))
    assert outcome.kind is OutcomeKind.ACCEPTED
    [sms] = box.ledger.messages
    assert sms.scheduled_at is not None
