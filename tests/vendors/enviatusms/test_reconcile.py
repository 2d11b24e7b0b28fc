"""Messages in doubt, settled: a campaign that is known lists its numbers, and nothing is ever sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from served import Answer, Given
from shared import EAGER, OpenGate

from mensasdk import Delivery, DeliveryState, MensaError, Message, Outcome, OutcomeKind
from mensasdk.sandbox import EnviaTuSms, Fault, Sandbox
from mensasdk.sandbox.enviatusms import Quirks
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.enviatusms import EnviaTuSmsClient

from .served import Served, talking

NUMBERS = [f"+5842400000{index:02}" for index in range(6)]
MESSAGES = [Message(number, "Hola") for number in NUMBERS]
ACCEPTED = OutcomeKind.ACCEPTED


@asynccontextmanager
async def connect(box: Sandbox, **options: Any) -> AsyncIterator[EnviaTuSmsClient]:
    key = box.credentials("enviatusms")["api_key"]
    async with EnviaTuSmsClient(key, base_url=box.base_url("enviatusms"), retry=EAGER, **options) as client:
        yield client


def doubts_of(client: EnviaTuSmsClient, messages: Sequence[Message] = MESSAGES, **known: Any) -> list[Doubt]:
    return [Doubt(client.prepare(message), position=index, **known) for index, message in enumerate(messages)]


async def settle(client: EnviaTuSmsClient, doubts: Sequence[Doubt], *, repeat: bool = True) -> list[Outcome | None]:
    return list(await client.reconcile(doubts, reference="c.0", gate=OpenGate(), repeat=repeat))


async def lose(client: EnviaTuSmsClient, messages: Sequence[Message] = MESSAGES) -> None:
    with pytest.raises(MensaError) as caught:
        await client.send_batch([client.prepare(one) for one in messages], reference="c.0", gate=OpenGate())
    assert caught.value.outcome is OutcomeKind.UNKNOWN


# ------------------------------------------------------------------------------------------- against the ledger


@pytest.mark.parametrize("name", ["vendor_id", "request_id"])
@pytest.mark.parametrize("quirks", [Quirks(), Quirks.all(), Quirks(numbers_stats="by_position")], ids=str)
async def test_who_is_in_the_campaign_was_accepted_and_gets_one_message(quirks: Quirks, name: str) -> None:
    async with Sandbox(enviatusms=EnviaTuSms(quirks=quirks)) as box, connect(box) as client:
        box.fail("enviatusms", function="sms-multi", fault=Fault.RESET, when="after")
        await lose(client)
        campaign = box.ledger.messages[0].message_id
        found = await settle(client, doubts_of(client, MESSAGES, **{name: campaign}))
    assert [(one.kind, one.code, one.vendor_id, one.parts) for one in found if one] == [
        (ACCEPTED, "campaign", campaign, 1)
    ] * len(MESSAGES)
    assert [one.message for one in found if one] == MESSAGES
    assert all(one and one.detail for one in found)
    assert box.ledger.numbers() == {number[1:]: 1 for number in NUMBERS}
    assert [request.function for request in box.ledger.requests] == ["sms-multi", "campaign"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_without_a_campaign_nothing_is_found_out_nor_sent_again(box: Sandbox, when: Any) -> None:
    """The vendor cannot be asked by number, and has no filter for what is sent twice."""
    box.fail("enviatusms", function="sms-multi", fault=Fault.RESET, when=when)
    async with connect(box) as client:
        await lose(client)
        assert await settle(client, doubts_of(client)) == [None] * len(MESSAGES)
    assert len(box.ledger) == (len(MESSAGES) if when == "after" else 0)
    assert box.ledger.request_count() == 1


async def test_who_is_not_in_the_campaign_stays_in_doubt(box: Sandbox) -> None:
    """A request may have become several campaigns, of which one is known."""
    async with connect(box) as client:
        result = await client.send_batch(
            [client.prepare(one) for one in MESSAGES[:4]], reference="c.0", gate=OpenGate()
        )
        campaign = result.outcomes[0].vendor_id
        found = await settle(client, doubts_of(client, request_id=campaign))
    assert [one and one.code for one in found] == ["campaign"] * 4 + [None, None]
    assert box.ledger.numbers() == {number[1:]: 1 for number in NUMBERS[:4]}


async def test_a_campaign_that_was_cancelled_had_taken_them(box: Sandbox) -> None:
    box.enviatusms.account.moderation = True
    async with connect(box) as client:
        result = await client.send_batch([client.prepare(one) for one in MESSAGES], reference="c.0", gate=OpenGate())
        campaign = result.outcomes[0].vendor_id
        assert campaign is not None
        box.enviatusms.cancel(int(campaign))
        found = await settle(client, doubts_of(client, vendor_id=campaign))
    assert {one and one.kind for one in found} == {ACCEPTED}
    assert all(one and "will not be sent" in one.detail for one in found)


# -------------------------------------------------------------------------------------------- which campaign

STATS = {"total_numbers": 1, "total_sms": 1, "pending": 0, "delivered": 1, "failed": 0}


def campaign_of(*numbers: str) -> dict[str, Any]:
    lines = [{"mobile_number": int(number[1:]), "status": 1, "processed": 1} for number in numbers]
    return {"status": "ok", "stats": STATS, "numbers_stats": lines}


async def test_the_own_campaign_goes_first_then_that_of_the_request_and_each_is_asked_for_once() -> None:
    async with talking(campaign_of(NUMBERS[0]), campaign_of(*NUMBERS[:3])) as (client, server):
        doubts = doubts_of(client, MESSAGES[:4], vendor_id="7", request_id="8")
        found = await settle(client, doubts)
    assert [one and one.vendor_id for one in found] == ["7", "8", "8", None]
    assert [request.path for request in server.requests] == ["/api/campaign/7", "/api/campaign/8"]


UNKNOWN_IDS: dict[str, tuple[str, Given, int]] = {
    "there is none": ("7", Answer({"status": "error", "msg": "no existe"}, 404), 1),
    "nobody is in it": ("7", campaign_of(), 1),
    "a stranger is in it": ("7", campaign_of("+584249999999"), 1),
    "it is no id": ("../balance", campaign_of(*NUMBERS), 0),
    "it is empty": ("", campaign_of(*NUMBERS), 0),
}


@pytest.mark.parametrize(("campaign", "answer", "requests"), UNKNOWN_IDS.values(), ids=UNKNOWN_IDS)
async def test_a_campaign_that_does_not_list_them_proves_nothing(campaign: str, answer: Given, requests: int) -> None:
    async with talking(answer) as (client, server):
        assert await settle(client, doubts_of(client, vendor_id=campaign)) == [None] * len(MESSAGES)
    assert len(server.requests) == requests


BROKEN: dict[str, tuple[Answer, str]] = {
    "the key is refused": (Answer({"status": "error"}, 401), "AuthError"),
    "the server fails": (Answer(b"oops", 500), "UnexpectedStatus"),
    "the connection breaks": (Answer(None), "ConnectionLost"),
    "it cannot be read": (Answer(b"{"), "DecodeError"),
}


@pytest.mark.parametrize(("answer", "kind"), BROKEN.values(), ids=BROKEN)
async def test_a_campaign_that_cannot_be_fetched_is_an_error(answer: Answer, kind: str) -> None:
    async with talking(answer) as (client, _):
        with pytest.raises(MensaError) as caught:
            await settle(client, doubts_of(client, vendor_id="7"))
    assert type(caught.value).__name__ == kind


async def test_what_is_found_out_is_not_lost_when_the_next_campaign_cannot_be_fetched() -> None:
    async with talking(campaign_of(NUMBERS[0]), Answer(b"oops", 500)) as (client, server):
        found = await settle(client, doubts_of(client, MESSAGES[:3], vendor_id="7", request_id="8"))
    assert [one and one.code for one in found] == ["campaign", None, None]
    assert sent_paths(server) == {"/api/campaign/7", "/api/campaign/8"}


def sent_paths(server: Served) -> set[str]:
    return {request.path for request in server.requests}


@pytest.mark.parametrize("state", DeliveryState)
async def test_a_report_settles_it_whatever_it_says_and_without_a_request(state: DeliveryState) -> None:
    report = Delivery("enviatusms", "7", number=NUMBERS[0], state=state, code="1")
    async with talking(Answer(b"oops", 500)) as (client, server):
        [found] = await settle(client, doubts_of(client, MESSAGES[:1], vendor_id="9", reported=report), repeat=False)
    assert found is not None
    assert (found.kind, found.code, found.vendor_id) == (ACCEPTED, "callback", "7")
    assert server.requests == []
