"""Messages in doubt, settled: each has a customer id, by which the vendor lists it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served import Answer, Given
from shared import OpenGate

from mensasdk import AuthError, Delivery, DeliveryState, MensaError, Message, Outcome, OutcomeKind
from mensasdk.sandbox import Fault
from mensasdk.sandbox.smsgateway24 import Quirks
from mensasdk.vendors.batching import Doubt, Prepared
from mensasdk.vendors.smsgateway24 import SmsGateway24Client, SmsGateway24Options, derived_customer_id

from .served import NUMBER, TOKEN, talking
from .test_batch import GIF, NUMBERS, Gateway, gateway, messages
from .test_sandbox import connect, every_quirk

REFERENCE = "summer.0"
ASKED_AT = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ACCEPTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN


def doubts_of(client: SmsGateway24Client, given: Sequence[Message], **known: Any) -> list[Doubt]:
    return [Doubt(client.prepare(message), **{"position": index, **known}) for index, message in enumerate(given)]


async def settle(client: SmsGateway24Client, doubts: Sequence[Doubt], *, repeat: bool = True) -> list[Outcome | None]:
    return list(await client.reconcile(doubts, reference=REFERENCE, gate=OpenGate(), repeat=repeat))


async def send(client: SmsGateway24Client, batch: Sequence[Prepared]) -> list[Outcome]:
    return list((await client.send_batch(batch, reference=REFERENCE, gate=OpenGate())).outcomes)


def codes(found: Sequence[Outcome | None]) -> list[str | None]:
    return [one.code if one else None for one in found]


# ------------------------------------------------------------------------------------------- against the ledger


@every_quirk
@pytest.mark.parametrize(("bulk", "count"), [("single", 1), ("many", 7), ("auto", 7)])
async def test_messages_that_the_vendor_took_are_found_by_their_customer_ids_and_sent_once(
    quirks: Quirks, bulk: str, count: int
) -> None:
    """Nothing is known but what was sent, as after a crash."""
    async with connect(quirks, bulk=bulk) as (client, box):
        given = messages(count)
        function = "addsms" if bulk == "single" else "addalotofsms"
        box.fail("smsgateway24", function=function, fault=Fault.RESET, when="after")
        outcomes = await send(client, [client.prepare(one) for one in given])
        assert {one.kind for one in outcomes} == {UNKNOWN}
        found = await settle(client, doubts_of(client, given, asked_at=datetime.now(UTC)))
    assert [(one.kind, one.code, one.message, one.parts) for one in found if one] == [
        (ACCEPTED, "customer_id", message, 1) for message in given
    ]
    assert {message.report_id: message.number for message in box.ledger.messages} == {
        one.vendor_id: one.message.to[1:] for one in found if one
    }
    assert box.ledger.numbers() == {message.to[1:]: 1 for message in given}
    asked = Counter(request.function for request in box.ledger.requests)
    assert (asked[function], asked["getallsms"]) == (1, count)


@pytest.mark.parametrize(("bulk", "count"), [("single", 1), ("many", 7)])
async def test_messages_that_the_vendor_never_saw_stay_in_doubt(bulk: str, count: int) -> None:
    """It may still be at it; nothing is sent again, whatever the caller allows."""
    async with connect(bulk=bulk) as (client, box):
        box.fail("smsgateway24", fault=Fault.RESET, function="addsms", when="before")
        box.fail("smsgateway24", fault=Fault.RESET, function="addalotofsms", when="before")
        given = messages(count)
        await send(client, [client.prepare(one) for one in given])
        assert await settle(client, doubts_of(client, given)) == [None] * count
    assert len(box.ledger) == 0
    asked = Counter(request.function for request in box.ledger.requests)
    assert asked["addsms"] + asked["addalotofsms"] == 1
    assert asked["getallsms"] == count


async def test_only_those_that_the_vendor_took_are_found() -> None:
    """The vendor says nothing of single messages in a request, so one may be missing."""
    async with connect(Quirks(partial_bulk=True), bulk="many") as (client, box):
        given = [*messages(4), Message("+34600019999", "x", options=SmsGateway24Options(device_id=999))]
        await send(client, [client.prepare(one) for one in given])
        found = await settle(client, doubts_of(client, given))
    assert codes(found) == ["customer_id"] * 4 + [None]
    assert len(box.ledger) == 4


# ------------------------------------------------------------------------------------- the place in the request


@settings(max_examples=25)
@given(st.integers(1, 12), st.data())
def test_whoever_was_left_out_everybody_else_is_found_and_no_id_is_asked_for_twice(size: int, data: Any) -> None:
    """Messages that were not claimed, or are settled already, moved the others forward in the request."""
    went_out = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    taken = set(data.draw(st.sets(st.sampled_from(went_out))))

    async def run() -> None:
        async with gateway({"bulk": "many"}) as (client, server, here):
            given = messages(size)
            await send(client, [client.prepare(given[index]) for index in went_out])
            here.records = [one for one in here.records if NUMBERS.index(one["sendto"]) in taken]
            server.requests.clear()
            doubts = [Doubt(client.prepare(given[index]), position=index) for index in went_out]
            found = await settle(client, doubts)
            assert [one is not None for one in found] == [index in taken for index in went_out]
            assert {one.vendor_id: one.message.to for one in found if one} == {
                str(one["id"]): one["sendto"] for one in here.records
            }
            asked = [request.form["customerid"] for request in server.requests]
            assert len(set(asked)) == len(asked)
            assert set(asked) <= {str(derived_customer_id(REFERENCE, place)) for place in range(max(went_out) + 1)}

    asyncio.run(run())


async def test_the_own_place_is_asked_for_first() -> None:
    async with gateway({"bulk": "many"}) as (client, server, _):
        given = messages(30)
        await send(client, [client.prepare(one) for one in given])
        server.requests.clear()
        [found] = await settle(client, [Doubt(client.prepare(given[20]), position=20)])
    assert found is not None
    assert [request.form for request in server.requests] == [
        {"token": TOKEN, "customerid": str(derived_customer_id(REFERENCE, 20))}
    ]


# --------------------------------------------------------------------------------------------- which message it is

RECORD: dict[str, Any] = {"id": 9, "sendto": NUMBER, "body": "Hola", "status": 1}


def created(moment: datetime) -> dict[str, Any]:
    return {"date": f"{moment:%Y-%m-%d %H:%M:%S}.000000", "timezone_type": 3, "timezone": "UTC"}


def day(hours: float) -> dict[str, Any]:
    return {**RECORD, "created": created(ASKED_AT + timedelta(hours=hours))}


OURS: dict[str, list[dict[str, Any]]] = {
    "it": [RECORD],
    "its number in another spelling": [{**RECORD, "sendto": "0157 52982212"}],
    "beside somebody else's": [{**RECORD, "id": 8, "sendto": NUMBERS[0]}, RECORD],
    "the phone failed": [{**RECORD, "status": 9}],
    "a status that nobody knows": [{**RECORD, "status": 77}],
    "blanks changed": [{**RECORD, "body": " Hola\r\n"}],
    "no text in the list": [{**RECORD, "body": ""}],
    "created later": [day(2)],
    "no date that can be read": [{**RECORD, "created": {"date": "x"}}],
    "beside an earlier one": [{**day(-24), "id": 8}, day(0)],
    "beside another text": [{**RECORD, "id": 8, "body": "Adiós"}, RECORD],
}
NOT_OURS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "somebody else's": [{**RECORD, "sendto": NUMBERS[0]}],
    "no number at all": [{**RECORD, "sendto": "Max"}],
    "an incoming one": [{**RECORD, "status": 5}],
    "twice the same": [RECORD, {**RECORD, "id": 10}],
    "of the day before": [day(-24)],
    "of an hour before": [day(-1)],
    "another text": [{**RECORD, "body": "Otra cosa"}],
    "of the day after": [day(24)],
    "of another customer id": [{**RECORD, "customerid": 3}],
}


@pytest.mark.parametrize("own", [True, False], ids=["own id", "derived id"])
@pytest.mark.parametrize("records", OURS.values(), ids=OURS)
async def test_a_listed_message_that_can_be_no_other_settles_a_doubt(records: list[dict[str, Any]], own: bool) -> None:
    found, _ = await looked_for(records, own)
    assert found is not None
    assert (found.kind, found.code, found.vendor_id) == (ACCEPTED, "customer_id", "9")


@pytest.mark.parametrize("own", [True, False], ids=["own id", "derived id"])
@pytest.mark.parametrize("records", NOT_OURS.values(), ids=NOT_OURS)
async def test_a_listed_message_that_may_be_another_settles_nothing(records: list[dict[str, Any]], own: bool) -> None:
    found, requests = await looked_for(records, own)
    assert found is None
    assert requests == 1


async def looked_for(records: list[dict[str, Any]], own: bool) -> tuple[Outcome | None, int]:
    options = SmsGateway24Options(customer_id=5) if own else None
    answer = {"error": 0, "smss": records}
    async with talking({"default_country": "DE"}, getallsms=answer) as (client, server):
        message = Message(NUMBER, "Hola", options=options)
        [found] = await settle(client, doubts_of(client, [message], asked_at=ASKED_AT + timedelta(seconds=0.7)))
    expected = "5" if own else str(derived_customer_id(REFERENCE, 0))
    assert {request.form["customerid"] for request in server.requests} == {expected}
    return found, len(server.requests)


async def test_a_clock_that_differs_is_excused_under_an_id_of_ours_only() -> None:
    """An id of the caller's own may stand for a person, to whom the same text may have gone a moment before."""
    listed = [day(-0.01)]
    assert (await looked_for(listed, own=False))[0] is not None
    assert (await looked_for(listed, own=True))[0] is None


async def test_an_image_is_found_although_an_address_stands_in_its_place() -> None:
    message = Message(NUMBER, options=SmsGateway24Options(sim=2, image=GIF, customer_id=5))
    answer = {"error": 0, "smss": [{**RECORD, "body": "https://s3.example.com/1.gif"}]}
    async with talking(getallsms=answer) as (client, _):
        [found] = await settle(client, doubts_of(client, [message]))
    assert found is not None
    assert found.vendor_id == "9"


async def test_two_messages_that_share_an_id_share_the_question() -> None:
    given = [Message(number, "Hola", options=SmsGateway24Options(customer_id=5)) for number in NUMBERS[:3]]
    listed = [{**RECORD, "id": index, "sendto": number} for index, number in enumerate(NUMBERS[:2], 1)]
    async with talking({"bulk": "many"}, getallsms={"error": 0, "smss": listed}) as (client, server):
        found = await settle(client, doubts_of(client, given))
    assert [one and one.vendor_id for one in found] == ["1", "2", None]
    assert len(server.requests) == 1


# ------------------------------------------------------------------------------------------- what is known already


async def test_the_customer_id_of_an_outcome_goes_before_that_of_the_place() -> None:
    """The message had another place, or another id: what was recorded is what went out."""
    options = SmsGateway24Options(customer_id=6)
    for message in (Message(NUMBER, "Hola"), Message(NUMBER, "Hola", options=options)):
        async with talking(getallsms={"error": 0, "smss": [RECORD]}) as (client, server):
            [found] = await settle(client, doubts_of(client, [message], position=7, vendor_id="customerid:5"))
        assert found is not None
        assert [request.form["customerid"] for request in server.requests] == ["5"]


@pytest.mark.parametrize("vendor_id", ["customerid:", "customerid:x", "customerid:0", "x", "0", "", "-5", "٣"])
async def test_a_recorded_id_that_is_none_is_passed_over(vendor_id: str) -> None:
    async with talking(getallsms={"error": 0, "smss": [RECORD]}) as (client, server):
        [found] = await settle(client, doubts_of(client, [Message(NUMBER, "Hola")], vendor_id=vendor_id))
    assert found is not None
    assert [request.form["customerid"] for request in server.requests] == [str(derived_customer_id(REFERENCE, 0))]


async def test_an_sms_id_that_is_known_is_asked_for() -> None:
    async with connect() as (client, box):
        sent = await client.send_sms(NUMBER, "Hola")
        [found] = await settle(client, doubts_of(client, [Message(NUMBER, "Hola")], vendor_id=sent.sms_id))
    assert found is not None
    assert (found.kind, found.code, found.vendor_id) == (ACCEPTED, "status", sent.sms_id)
    assert found.detail
    assert "getallsms" not in {request.function for request in box.ledger.requests}


async def test_an_sms_id_that_the_vendor_does_not_know_leaves_the_list() -> None:
    async with connect() as (client, _):
        sent = await client.send_sms(NUMBER, "Hola", customer_id=derived_customer_id(REFERENCE, 0))
        [found] = await settle(client, doubts_of(client, [Message(NUMBER, "Hola")], vendor_id="123"))
    assert found is not None
    assert (found.code, found.vendor_id) == ("customer_id", sent.sms_id)


@pytest.mark.parametrize("state", DeliveryState)
async def test_a_report_settles_it_whatever_it_says_and_without_a_request(state: DeliveryState) -> None:
    report = Delivery("smsgateway24", "9", number=NUMBER, state=state, code="7")
    async with talking(getallsms=Answer(b"", 500)) as (client, server):
        [found] = await settle(
            client, doubts_of(client, [Message(NUMBER, "Hola")], vendor_id="customerid:5", reported=report)
        )
    assert found is not None
    assert (found.kind, found.code, found.vendor_id) == (ACCEPTED, "callback", "9")
    assert str(state) in found.detail
    assert server.requests == []


# ------------------------------------------------------------------------------------------------------- errors

BROKEN: dict[str, Given] = {
    "the server fails": Answer(b"oops", 500),
    "the connection breaks": None,
    "it cannot be read": b"{",
    "the token is refused": {"error": 1, "message": "Token is not valid"},
    "it is refused": {"error": 1, "message": "Maintenance"},
    "it counts and lists nothing": {"error": 0, "count": 2},
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_a_list_that_cannot_be_fetched_is_an_error(answer: Given) -> None:
    async with talking(getallsms=answer) as (client, _):
        with pytest.raises(MensaError) as caught:
            await settle(client, doubts_of(client, messages(1)))
    assert caught.value.__context__ is None


async def test_a_refused_token_is_not_taken_for_a_message_that_is_not_there() -> None:
    answer = {"error": 1, "message": "Token is not valid"}
    async with talking(getsmsstatus=answer, getallsms=answer) as (client, server):
        with pytest.raises(AuthError):
            await settle(client, doubts_of(client, messages(1), vendor_id="9"))
    assert server.functions == ["getsmsstatus"]


async def test_what_is_found_out_is_not_lost_when_the_next_question_fails() -> None:
    here = Gateway()
    lists: tuple[Given, ...] = (Answer(here.getallsms), Answer(b"", 500))
    async with talking({"bulk": "many"}, addalotofsms=Answer(here.addalotofsms), getallsms=lists) as (client, _):
        given = messages(4)
        await send(client, [client.prepare(one) for one in given])
        report = Delivery("smsgateway24", "9", number=given[3].to, state=DeliveryState.SENT, code="6")
        doubts = doubts_of(client, given)
        found = await settle(client, [*doubts[:3], Doubt(doubts[3].item, position=3, reported=report)])
    assert codes(found) == ["customer_id", None, None, "callback"]


@pytest.mark.parametrize("bulk", ["single", "many"])
async def test_resolve_and_reconcile_find_the_same(bulk: Literal["single", "many"]) -> None:
    here = Gateway()
    lost = {name: Answer(here.lost) for name in ("addsms", "addalotofsms")}
    async with talking({"bulk": bulk}, **lost, getallsms=Answer(here.getallsms)) as (client, _):
        given = messages(1)
        [outcome] = await send(client, [client.prepare(given[0])])
        resolved = await client.resolve(outcome)
        [found] = await settle(client, doubts_of(client, given))
    assert found is not None
    assert (
        (resolved.kind, resolved.vendor_id) == (found.kind, found.vendor_id) == (ACCEPTED, str(here.records[0]["id"]))
    )
