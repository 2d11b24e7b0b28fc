"""In a batch: one message in a request or many, an outcome for each, and how the unknown ones are found again."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from received import Received
from served import Answer, Given
from shared import next_year

from mensasdk import BatchSender, MemoryJournal, Message, Outcome, OutcomeKind, ValidationError, VendorOptions
from mensasdk.campaign import Route, Router
from mensasdk.vendors.batching import Prepared
from mensasdk.vendors.smsgateway24 import (
    SmsGateway24Client,
    SmsGateway24Options,
    StatusCode,
    derived_customer_id,
)

from .samples import BULK_SENT, SENT
from .served import DEVICE, LOGIN, NUMBER, TOKEN, Served, talking

NUMBERS = [f"+49157529{number:05}" for number in range(1000)]
GIF = b"GIF89a" + bytes(30)


def messages(count: int, **more: Any) -> list[Message]:
    return [Message(number, f"Hola {index}", **more) for index, number in enumerate(NUMBERS[:count])]


@define
class Gateway:
    """A gateway that remembers what it has taken, in the plainest way."""

    records: list[dict[str, Any]] = field(factory=list)
    ids: Iterable[int] = field(factory=lambda: itertools.count(62807347))

    def take(self, item: dict[str, Any]) -> int:
        sms_id = next(iter(self.ids))
        self.records.append({**item, "id": sms_id, "status": 1, "customerid": int(item["customerid"])})
        return sms_id

    def addsms(self, request: Received) -> dict[str, Any]:
        return {"error": 0, "sms_id": self.take(dict(request.form)), "message": "ok"}

    def addalotofsms(self, request: Received) -> dict[str, Any]:
        for item in request.datajson["smsdata"]:
            self.take(item)
        return {"error": 0, "message": "ok"}

    def getallsms(self, request: Received) -> dict[str, Any]:
        found = [record for record in self.records if record["customerid"] == int(request.form["customerid"])]
        return {"error": 0, "smss": {str(record["id"]): record for record in found} or [], "count": len(found)}

    def lost(self, request: Received) -> Any:
        """Take it, and answer with something that cannot be read."""
        getattr(self, request.function)(request)
        return b"<html>504</html>"


@asynccontextmanager
async def gateway(
    options: dict[str, Any], **answers: Given
) -> AsyncIterator[tuple[SmsGateway24Client, Served, Gateway]]:
    here = Gateway()
    usual = {name: Answer(getattr(here, name)) for name in ("addsms", "addalotofsms", "getallsms")}
    async with talking(options, **{**usual, **answers}) as (client, server):
        yield client, server, here


def by_number(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    return {outcome.message.to: outcome for outcome in outcomes}


async def stream(sender: BatchSender, given: Iterable[Message]) -> list[Outcome]:
    return [outcome async for outcome in sender.stream(given, campaign="summer")]


# ---------------------------------------------------------------------------------------------------------------- modes


async def test_by_default_each_message_goes_alone_and_has_its_sms_id() -> None:
    async with gateway({}) as (client, server, here):
        assert client.max_recipients == 1
        outcomes = by_number(await stream(BatchSender(client), messages(30)))
    assert server.functions == ["addsms"] * 30
    assert {record["sendto"]: str(record["id"]) for record in here.records} == {
        number: outcome.vendor_id for number, outcome in outcomes.items()
    }
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.ACCEPTED}
    assert {record["sendto"]: record["body"] for record in here.records} == {m.to: m.text for m in messages(30)}


@pytest.mark.parametrize("bulk", ["many", "auto"])
async def test_in_bulk_fifty_go_together_and_are_known_by_their_customer_id(bulk: str) -> None:
    async with gateway({"bulk": bulk}) as (client, server, here):
        assert client.max_recipients == 50
        outcomes = by_number(await stream(BatchSender(client), messages(120)))
    assert server.functions == ["addalotofsms"] * 3
    assert sorted(len(request.datajson["smsdata"]) for request in server.requests) == [20, 50, 50]
    assert {record["sendto"]: f"customerid:{record['customerid']}" for record in here.records} == {
        number: outcome.vendor_id for number, outcome in outcomes.items()
    }
    assert len({record["customerid"] for record in here.records}) == 120
    assert all(outcome.kind is OutcomeKind.ACCEPTED and outcome.parts == 1 for outcome in outcomes.values())


@pytest.mark.parametrize(("bulk", "function"), [("single", "addsms"), ("auto", "addsms"), ("many", "addalotofsms")])
async def test_one_message_alone(bulk: str, function: str) -> None:
    async with gateway({"bulk": bulk}) as (client, server, _):
        [outcome] = await stream(BatchSender(client), messages(1))
    assert server.functions == [function]
    assert outcome.vendor_id is not None
    assert outcome.vendor_id.startswith("customerid:") == (bulk == "many")


async def test_the_size_of_a_bulk_request_can_be_set() -> None:
    async with gateway({"bulk": "many", "max_recipients": 7}) as (client, server, _):
        report = await BatchSender(client).send(messages(20))
    assert sorted(len(request.datajson["smsdata"]) for request in server.requests) == [6, 7, 7]
    assert (report.accepted, report.total) == (20, 20)


async def test_everything_that_a_message_has_goes_along_in_both_modes() -> None:
    soon = datetime(next_year(), 1, 31, 9, 0, tzinfo=UTC)
    options = SmsGateway24Options(device_id="11231", sim=1, customer_id=77, urgent=True)
    message = Message(
        "0157 52900000", "Hola {name}", variables={"name": "Zoë"}, schedule_at=soon, options=options, reference="r-1"
    )
    sent: dict[str, Any] = {
        "sendto": NUMBERS[0],
        "body": "Hola Zoë",
        "timetosend": f"{next_year()}-01-31 09:00:00",
    }
    async with gateway({"default_country": "DE"}) as (client, server, _):
        await BatchSender(client).send([message])
    numbers = {"device_id": 11231, "sim": 1, "customerid": 77, "urgent": 1}
    assert server.last.form == {"token": TOKEN, **sent, **{name: str(value) for name, value in numbers.items()}}
    async with gateway({"default_country": "DE", "bulk": "many"}) as (client, server, _):
        await BatchSender(client).send([message])
    assert server.last.datajson == {"token": TOKEN, "smsdata": [{**sent, **numbers}]}


async def test_messages_for_several_phones_slots_and_times_share_a_request() -> None:
    soon = datetime(next_year(), 1, 31, 9, 0, tzinfo=UTC)
    given = [
        Message(NUMBERS[0], "a", options=SmsGateway24Options(device_id=1)),
        Message(NUMBERS[1], "b", options=SmsGateway24Options(sim=3)),
        Message(NUMBERS[2], "c", schedule_at=soon),
        Message(NUMBERS[3], "d", options=SmsGateway24Options(urgent=True)),
    ]
    async with gateway({"bulk": "many"}) as (client, server, _):
        await BatchSender(client).send(given)
    [request] = server.requests
    items = [{k: v for k, v in item.items() if k != "customerid"} for item in request.datajson["smsdata"]]
    plain = {"sim": 0, "device_id": DEVICE}
    assert items == [
        {**plain, "sendto": NUMBERS[0], "body": "a", "device_id": 1},
        {**plain, "sendto": NUMBERS[1], "body": "b", "sim": 3},
        {**plain, "sendto": NUMBERS[2], "body": "c", "timetosend": f"{next_year()}-01-31 09:00:00"},
        {**plain, "sendto": NUMBERS[3], "body": "d", "urgent": 1},
    ]


async def test_one_number_twice_gets_both_messages() -> None:
    given = [Message(NUMBER, "one"), Message(NUMBER, "two"), Message("+49 157 52982212", "three")]
    async with gateway({"bulk": "many"}) as (client, _, here):
        report = await BatchSender(client).send(given)
    assert sorted(record["body"] for record in here.records) == ["one", "three", "two"]
    assert report.accepted == 3


async def test_an_image_goes_in_a_batch_of_single_sends() -> None:
    options = SmsGateway24Options(sim=2, image=GIF)
    async with talking(addsms=SENT) as (client, server):
        [outcome] = await stream(BatchSender(client), [Message(NUMBER, options=options)])
    assert server.last.files["file"].content == GIF
    assert "body" not in server.last.form
    assert (outcome.kind, outcome.parts) == (OutcomeKind.ACCEPTED, 1)
    assert "GIF89a" not in repr(options)


@pytest.mark.parametrize(("sim", "parts"), [(0, 2), (1, 2), (2, 1), (3, 1), (4, 1), (5, 1)])
async def test_parts_are_counted_where_it_is_an_sms(sim: int, parts: int) -> None:
    async with talking({"sim": sim}, addsms=SENT) as (client, _):
        assert client.prepare(Message(NUMBER, "x" * 200)).parts == parts


# ---------------------------------------------------------------------------------------------------------------- rules


class Foreign(VendorOptions):
    """Another vendor's options."""


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (Message(f"{NUMBER},{NUMBER}", "x"), "to"),
        (Message(f"{NUMBER};{NUMBER}", "x"), "to"),
        (Message(f"{NUMBER}\n{NUMBER}", "x"), "to"),
        (Message("015752982212", "x"), "to"),
        (Message(NUMBER, ""), "text"),
        (Message(NUMBER, "{name}", variables={"other": "x"}), "variables"),
        (Message(NUMBER, "{", variables={"other": "x"}), "text"),
        (Message(NUMBER, "x", sender="ME"), "sender"),
        (Message(NUMBER, "x", template="5"), "template"),
        (Message(NUMBER, "x", options=Foreign()), "options"),
        (Message(NUMBER, "x", schedule_at=datetime(2020, 1, 1, tzinfo=UTC)), "schedule_at"),
        (Message(NUMBER, "x", options=SmsGateway24Options(sim=6)), "sim"),
        (Message(NUMBER, "x", options=SmsGateway24Options(device_id="1,2")), "device_id"),
        (Message(NUMBER, "x", options=SmsGateway24Options(customer_id=0)), "customer_id"),
        (Message(NUMBER, "x", options=SmsGateway24Options(sim=2, image=GIF)), "text"),
        (Message(NUMBER, options=SmsGateway24Options(sim=0, image=GIF)), "sim"),
        (Message(NUMBER, options=SmsGateway24Options(sim=2, image=b"?")), "image"),
    ],
)
async def test_what_breaks_a_rule_is_not_sent_and_says_why(message: Message, name: str) -> None:
    async with talking(addsms=SENT) as (client, server):
        with pytest.raises(ValidationError) as caught:
            client.prepare(message)
        report = await BatchSender(client).send([message, Message(NUMBERS[0], "good")])
    assert caught.value.field == name
    assert (report.not_sent, report.accepted) == (1, 1)
    assert report.by_code == Counter({f"invalid_{name}": 1})
    assert len(server.requests) == 1


@pytest.mark.parametrize("bulk", ["many", "auto"])
async def test_an_image_cannot_go_in_bulk(bulk: str) -> None:
    async with talking({"bulk": bulk}, addalotofsms=BULK_SENT) as (client, _):
        with pytest.raises(ValidationError, match='bulk="single"') as caught:
            client.prepare(Message(NUMBER, options=SmsGateway24Options(sim=2, image=GIF)))
    assert caught.value.field == "options"


async def test_a_message_without_a_phone_is_not_sent() -> None:
    async with talking({"device_id": None}, addsms=SENT) as (client, server):
        report = await BatchSender(client).send(messages(2))
    assert report.by_code == Counter({"invalid_device_id": 2})
    assert not server.requests


# --------------------------------------------------------------------------------------------------------- customer ids


@settings(deadline=None)  # the first example may load tables
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.integers(1, 1000))
def test_customer_ids_of_one_request_are_positive_distinct_and_fit_32_bits(reference: str, count: int) -> None:
    ids = [derived_customer_id(reference, position) for position in range(count)]
    assert len(set(ids)) == count
    assert all(0 < number < 2**31 for number in ids)
    assert ids == [derived_customer_id(reference, position) for position in range(count)]


def test_customer_ids_never_change_between_versions() -> None:
    """A journal written by one version is reconciled by another."""
    assert derived_customer_id("summer.0", 0) == 1833589797
    assert derived_customer_id("summer.0", 49) == 1833589846
    assert derived_customer_id("summer.50", 0) != derived_customer_id("summer.0", 0)


async def test_a_batch_uses_its_reference_and_the_position() -> None:
    async with gateway({"bulk": "many", "max_recipients": 2}) as (client, _, here):
        journal = MemoryJournal()
        await BatchSender(client, journal=journal, max_in_flight=1).send(messages(4), campaign="summer")
    [campaign] = await journal.campaigns()
    assert [record["customerid"] for record in here.records] == [
        derived_customer_id(f"{campaign.nonce}.{first}", position) for first in (0, 2) for position in (0, 1)
    ]


# -------------------------------------------------------------------------------------------------------- lost answers


@pytest.mark.parametrize("bulk", ["single", "many", "auto"])
async def test_messages_whose_answer_is_lost_are_unknown_sent_once_and_found_again(bulk: str) -> None:
    here = Gateway()
    answers = {name: Answer(here.lost) for name in ("addsms", "addalotofsms")}
    async with talking({"bulk": bulk}, **answers, getallsms=Answer(here.getallsms)) as (client, server):
        outcomes = await stream(BatchSender(client), messages(5))
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.UNKNOWN}
        assert {outcome.code for outcome in outcomes} == {"unexpected_response"}
        assert len(server.requests) == (5 if bulk == "single" else 1)
        found = [await client.resolve(outcome) for outcome in outcomes]
    assert Counter(record["sendto"] for record in here.records) == Counter(m.to for m in messages(5))
    assert {outcome.kind for outcome in found} == {OutcomeKind.ACCEPTED}
    assert {outcome.message.to: outcome.vendor_id for outcome in found} == {
        record["sendto"]: str(record["id"]) for record in here.records
    }
    assert {(outcome.code, outcome.detail) for outcome in found} == {(None, "")}


async def test_a_broken_connection_is_unknown_with_its_name() -> None:
    async with talking(addsms=None) as (client, server):
        [outcome] = await stream(BatchSender(client), messages(1))
    assert (outcome.kind, outcome.code) == (OutcomeKind.UNKNOWN, "connection_lost")
    assert outcome.vendor_id == f"customerid:{server.last.form['customerid']}"
    assert outcome.detail
    assert len(server.requests) == 1


async def test_an_accepted_bulk_message_learns_its_sms_id() -> None:
    async with gateway({"bulk": "many"}) as (client, server, here):
        [first, _] = await stream(BatchSender(client), messages(2))
        found = await client.resolve(first)
    assert found.vendor_id in {str(record["id"]) for record in here.records}
    assert found.kind is OutcomeKind.ACCEPTED
    assert server.last.form == {"token": TOKEN, "customerid": (first.vendor_id or "").removeprefix("customerid:")}


def unknown(vendor_id: str | None = "customerid:5", vendor: str = "smsgateway24") -> Outcome:
    return Outcome(
        OutcomeKind.UNKNOWN,
        Message(NUMBER, "x"),
        vendor=vendor,
        vendor_id=vendor_id,
        code="connection_lost",
        detail="lost",
    )


RECORD: dict[str, Any] = {"id": 9, "sendto": NUMBER, "status": 1, "customerid": 5}


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], False),
        ([RECORD], True),
        ([{**RECORD, "sendto": "+49 (157) 529-822-12"}], True),
        ([{**RECORD, "sendto": "0157 52982212"}], True),  # with the client's default country
        ([{**RECORD, "status": 9}], True),  # the phone failed, the gateway had taken it
        ([{**RECORD, "status": 77}], True),
        ([{**RECORD, "sendto": NUMBERS[0]}], False),  # somebody else's message has the same customer id by chance
        ([RECORD, {**RECORD, "id": 10, "sendto": NUMBERS[0]}], True),
        ([RECORD, {**RECORD, "id": 10}], False),  # two of them: which one nobody can say
        ([{**RECORD, "status": 5}], False),  # an incoming message from that person
    ],
)
async def test_only_one_message_with_this_customer_id_and_number_settles_a_doubt(
    records: list[dict[str, Any]], found: bool
) -> None:
    async with talking({"default_country": "DE"}, getallsms={"error": 0, "smss": records}) as (client, server):
        outcome = await client.resolve(unknown())
    assert server.last.form["customerid"] == "5"
    if found:
        assert (outcome.kind, outcome.vendor_id) == (OutcomeKind.ACCEPTED, "9")
    else:
        assert outcome == unknown()


@pytest.mark.parametrize(
    "outcome", [unknown(None), unknown("62807347"), unknown("customerid:"), unknown(vendor="mensatek")]
)
async def test_what_has_no_customer_id_cannot_be_resolved(outcome: Outcome) -> None:
    async with talking(getallsms={"error": 0}) as (client, server):
        with pytest.raises(ValidationError):
            await client.resolve(outcome)
    assert not server.requests


# ------------------------------------------------------------------------------------------------------ the whole batch


@pytest.mark.parametrize("bulk", ["single", "many"])
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"error": 1, "message": "No such device"}, OutcomeKind.REJECTED, "1"),
        (Answer(b"slow", status=429, headers={"Retry-After": "0"}), OutcomeKind.NOT_SENT, "429"),
        (Answer(b"oops", status=500), OutcomeKind.UNKNOWN, "500"),
        ({"message": "ok"}, OutcomeKind.UNKNOWN, "decode_error"),
    ],
)
async def test_what_a_request_ends_with_holds_for_its_messages(
    bulk: str, answer: Given, kind: OutcomeKind, code: str
) -> None:
    async with talking({"bulk": bulk}, addsms=answer, addalotofsms=answer) as (client, _):
        report = await BatchSender(client).send(messages(3))
    assert report.by_code == Counter({code: 3})
    assert {row["outcome"] for row in report.rows()} == {kind.value}
    assert report.stopped is None


async def test_a_redirect_stops_the_campaign() -> None:
    moved = Answer(b"", status=302, headers={"Location": "/elsewhere"})
    async with talking(addsms=moved) as (client, server):
        report = await BatchSender(client, max_in_flight=1).send(messages(5))
    assert report.stopped
    assert (report.unknown, report.not_sent) == (1, 4)
    assert len(server.requests) == 1


async def test_refused_credentials_stop_the_campaign_after_one_login_and_it_can_be_resumed() -> None:
    wrong = {"error": 1, "message": "Login or password incorrect"}
    journal = MemoryJournal()
    async with talking(LOGIN, gettoken=wrong, addsms=SENT) as (client, server):
        report = await BatchSender(client, journal=journal).send(messages(40), campaign="summer")
        assert report.stopped
        assert report.not_sent == report.total == 40
        assert set(server.functions) == {"gettoken"}
        assert len(server.requests) == 1
        server.answers["gettoken"] = [Answer({"error": 0, "token": "1" * 32})]
        again = await BatchSender(client, journal=journal).send(messages(40), campaign="summer")
    assert (again.accepted, again.total) == (40, 40)


async def test_a_token_that_expires_in_the_middle_of_a_campaign_costs_one_login_and_no_message() -> None:
    here = Gateway()
    valid = {"token": "0" * 32}
    tokens = (str(number) * 32 for number in itertools.count(1))

    def gettoken(_: Received) -> dict[str, Any]:
        valid["token"] = next(tokens)
        return {"error": 0, "token": valid["token"]}

    def addsms(request: Received) -> dict[str, Any]:
        if request.form["token"] != valid["token"]:
            return {"error": 1, "message": "Token is not valid"}
        answer = here.addsms(request)
        if len(here.records) == 50:
            valid["token"] = "expired"
        return answer

    async with talking(LOGIN, gettoken=Answer(gettoken), addsms=Answer(addsms)) as (client, server):
        report = await BatchSender(client).send(messages(100))
    assert (report.accepted, report.total) == (100, 100)
    assert Counter(record["sendto"] for record in here.records) == Counter(NUMBERS[:100])
    assert server.functions.count("gettoken") == 2


async def test_a_campaign_that_is_cancelled_settles_what_was_under_way() -> None:
    never = asyncio.Event()
    async with talking(addsms=Answer(SENT, after=never)) as (client, server):
        sender = BatchSender(client, max_in_flight=4)
        task = asyncio.create_task(sender.send(messages(20)))
        await server.arrived(4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        never.set()
    assert sender.report is not None
    assert sender.report.unknown == 4
    assert sender.report.accepted == 0


async def test_a_campaign_cancelled_in_the_login_has_sent_nothing() -> None:
    never = asyncio.Event()
    async with talking(LOGIN, gettoken=Answer({"error": 0, "token": "x"}, after=never), addsms=SENT) as (
        client,
        server,
    ):
        sender = BatchSender(client, max_in_flight=4)
        task = asyncio.create_task(sender.send(messages(20)))
        await server.arrived()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        never.set()
    assert sender.report is not None
    assert sender.report.unknown == 0
    assert sender.report.not_sent == sender.report.total
    assert server.functions == ["gettoken"]


async def test_a_router_goes_on_to_the_next_gateway_only_where_nothing_was_sent() -> None:
    """Credentials that are refused before the first message: the second gateway gets them all, and nobody twice."""
    here = Gateway()
    wrong = {"error": 1, "message": "Login or password incorrect"}
    async with (
        talking(LOGIN, gettoken=wrong, addsms=SENT) as (first, _),
        talking({"bulk": "many"}, addalotofsms=Answer(here.addalotofsms)) as (second, _),
    ):
        report = await BatchSender(Router([Route(first), Route(second)])).send(messages(30))
    assert (report.accepted, report.total) == (30, 30)
    assert Counter(record["sendto"] for record in here.records) == Counter(NUMBERS[:30])


async def test_preparing_does_not_touch_the_network() -> None:
    async with Served() as server:
        url = server.url
    async with SmsGateway24Client(token=TOKEN, base_url=url, device_id=1) as client:
        prepared = client.prepare(Message(NUMBER, "x", options=SmsGateway24Options(customer_id=StatusCode(7))))
    assert isinstance(prepared, Prepared)
    assert prepared.number == NUMBER
