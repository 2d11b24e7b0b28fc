"""Messages in doubt, settled and compared with the ledger. Nobody is sent to twice, whatever is done to find out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import OpenGate
from tiers import examples

from mensasdk import (
    AuthError,
    Delivery,
    DeliveryState,
    InsufficientCredits,
    MensaError,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
)
from mensasdk.delivery import DeliveryReceiver
from mensasdk.sandbox import Fault, Quirks, Sandbox
from mensasdk.sandbox.faults import When
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.mensatek import DeliveryReport, ReceivedSms, parse_callback

from .support import caught, connect, lagging_reports, messages, number

SEND = "EnviarSMS"
REPORT = "GetReportSMS"
REFERENCE = "campaign:1"
ACCEPTED, REJECTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN
TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


async def opened(client: MensatekClient, **more: Any) -> str:
    """Return the id of a new group that holds number 0."""
    items = [client.prepare(message) for message in messages(0, **more)]
    result = await client.send_batch(items, reference="campaign:0", gate=OpenGate())
    group = result.outcomes[0].vendor_id
    assert group is not None
    return group


async def lost(
    box: Sandbox, client: MensatekClient, batch: Sequence[Message], *, when: When, group: str | None = None
) -> list[Doubt]:
    """Send, and lose the answer: after the vendor has acted, or before."""
    box.fail("mensatek", function=SEND, fault=Fault.RESET, when=when, times=1)
    items = [client.prepare(message) for message in batch]
    error = await caught(client.send_batch(items, reference=REFERENCE, gate=OpenGate(), group=group))
    assert isinstance(error, MensaError)
    assert error.outcome is UNKNOWN
    return [Doubt(client.prepare(message), group=group, asked_at=datetime.now(UTC)) for message in batch]


async def reconcile(
    client: MensatekClient, doubts: Sequence[Doubt], *, repeat: bool = False, gate: OpenGate | None = None
) -> Sequence[Outcome | None]:
    outcomes = await client.reconcile(doubts, reference=REFERENCE, gate=gate or OpenGate(), repeat=repeat)
    assert len(outcomes) == len(doubts)
    for outcome, doubt in zip(outcomes, doubts, strict=True):
        if outcome is not None:
            assert outcome.message is doubt.item.message
            assert (outcome.vendor, outcome.parts) == ("mensatek", doubt.item.parts)
            assert outcome.code
            assert outcome.detail
    return outcomes


def told(outcomes: Sequence[Outcome | None]) -> list[tuple[OutcomeKind, str | None] | None]:
    return [None if outcome is None else (outcome.kind, outcome.code) for outcome in outcomes]


def sent(box: Sandbox) -> list[str]:
    """Return the numbers in the ledger, each as often as it was sent to."""
    return sorted(f"+{message.number}" for message in box.ledger.messages)


def named(doubt: Doubt, known: str, message_id: str) -> Doubt:
    """Return what is known of a message, with an id from an answer or from another message of its request."""
    return evolve(doubt, vendor_id=message_id) if known == "vendor_id" else evolve(doubt, request_id=message_id)


def due(message: Message, limit: str, at: datetime) -> Message:
    return evolve(message, not_after=at) if limit == "not_after" else evolve(message, schedule_at=at)


def delivery(index: int, message_id: str | None, reference: str | None = REFERENCE, **more: Any) -> Delivery:
    state = more.get("state", DeliveryState.DELIVERED)
    return Delivery("mensatek", message_id, number=number(index), state=state, code="11", reference=reference)


# ------------------------------------------------------------------------------------------------- delivery reports


async def test_a_delivery_report_settles_its_message_whatever_it_says_of_the_delivery(box: Sandbox) -> None:
    async with connect(box) as client:
        doubts = await lost(box, client, messages(1, 2), when="after")
        message_id = box.ledger.messages[0].message_id
        states = (DeliveryState.FAILED, DeliveryState.PENDING)
        known = [
            evolve(doubt, reported=delivery(index, message_id, state=state))
            for index, doubt, state in zip((1, 2), doubts, states, strict=True)
        ]
        outcomes = await reconcile(client, known)
    assert told(outcomes) == [(ACCEPTED, "callback")] * 2
    assert [outcome.vendor_id for outcome in outcomes if outcome] == [message_id] * 2
    assert box.ledger.request_count(REPORT) == 0
    assert box.ledger.request_count(SEND) == 1


async def test_the_callback_of_one_gives_the_id_under_which_the_report_lists_the_others(box: Sandbox) -> None:
    """All the way: what the vendor posts for one message of a request settles all messages of it, in no group."""
    reports: list[DeliveryReport] = []

    async def store(value: DeliveryReport | ReceivedSms) -> None:
        assert isinstance(value, DeliveryReport)
        reports.append(value)

    receiver = DeliveryReceiver(parse_callback, store, insecure=True)
    async with receiver.serve() as url, connect(box) as client:
        box.callbacks(url, vendor="mensatek")
        options = MensatekOptions(report=True)
        doubts = await lost(box, client, messages(1, 2, 3, options=options), when="after")
        await box.drain()
        report = next(one.to_delivery() for one in reports if f"+{one.number}" == number(2))
        assert report.reference == REFERENCE
        outcomes = await reconcile(client, [doubts[0], evolve(doubts[1], reported=report), doubts[2]])
    assert told(outcomes) == [(ACCEPTED, "report"), (ACCEPTED, "callback"), (ACCEPTED, "report")]
    assert {outcome.vendor_id for outcome in outcomes if outcome} == {box.ledger.messages[0].message_id}
    assert box.ledger.request_count(REPORT) == 1


async def test_in_a_group_a_delivery_report_of_an_earlier_message_to_the_number_settles_nothing(box: Sandbox) -> None:
    """Id and number are the same; the reference is that of the other request."""
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1), when="before", group=group)
        mine = evolve(doubts[0], reported=delivery(1, group))
        other = evolve(doubts[0], reported=delivery(1, group, "campaign:0"))
        unnamed = evolve(doubts[0], reported=delivery(1, group, None))
        assert told(await reconcile(client, [mine])) == [(ACCEPTED, "callback")]
        assert told(await reconcile(client, [other])) == [None]
        assert told(await reconcile(client, [unnamed])) == [(ACCEPTED, "callback")]


async def test_a_delivery_report_without_an_id_leaves_the_one_that_is_known(box: Sandbox) -> None:
    async with connect(box) as client:
        item = client.prepare(Message(number(1), "Hola"))
        report = delivery(1, None)
        doubts = [Doubt(item, vendor_id="7", reported=report), Doubt(item, group="8", reported=report)]
        outcomes = await reconcile(client, [*doubts, Doubt(item, reported=report)])
    assert [outcome.vendor_id for outcome in outcomes if outcome] == ["7", "8", None]
    assert box.ledger.request_count() == 0


# ------------------------------------------------------------------------------------------------- the vendor's report


@pytest.mark.parametrize("known", ["vendor_id", "request_id"])
async def test_with_the_id_of_an_ungrouped_request_its_report_tells_who_was_taken(box: Sandbox, known: str) -> None:
    """A number that is not listed stays in doubt, and is not sent to again: no group would keep off a second SMS."""
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box) as client:
        doubts = await lost(box, client, messages(1, 2, 3), when="after")
        first = named(doubts[0], known, box.ledger.messages[0].message_id)
        outcomes = await reconcile(client, [first, *doubts[1:]], repeat=True)
    assert told(outcomes) == [(ACCEPTED, "report"), None, (ACCEPTED, "report")]
    assert box.ledger.request_count(REPORT) == 1
    assert box.ledger.request_count(SEND) == 1


async def test_each_id_is_asked_for_once_and_any_may_list_the_number(box: Sandbox) -> None:
    """One reference may stand for several requests, where messages went another way after a refusal."""
    async with connect(box) as client:
        doubts = [
            *(await lost(box, client, messages(1, 2), when="after")),
            *(await lost(box, client, messages(3, 4), when="after")),
        ]
        first, second = box.ledger.messages[0].message_id, box.ledger.messages[-1].message_id
        ids = (first, first, second, second)
        outcomes = await reconcile(client, [evolve(d, vendor_id=i) for d, i in zip(doubts, ids, strict=True)])
    assert told(outcomes) == [(ACCEPTED, "report")] * 4
    assert tuple(outcome.vendor_id for outcome in outcomes if outcome) == ids
    assert box.ledger.request_count(REPORT) == 2


async def test_where_nothing_is_known_nobody_is_asked_and_nothing_is_sent(box: Sandbox) -> None:
    async with connect(box) as client:
        doubts = await lost(box, client, messages(1, 2), when="after")
        before = box.ledger.request_count()
        for repeat in (False, True):
            assert told(await reconcile(client, doubts, repeat=repeat)) == [None, None]
        assert await client.reconcile([], reference=REFERENCE, gate=OpenGate(), repeat=True) == []
    assert box.ledger.request_count() == before


@pytest.mark.parametrize("message_id", ["0", "", "nonsense", "99999999999999999999"])
async def test_an_id_that_cannot_be_one_is_not_asked_for(box: Sandbox, message_id: str) -> None:
    async with connect(box) as client:
        doubts = await lost(box, client, messages(1, 2), when="after")
        known = [evolve(doubts[0], reported=delivery(1, message_id)), evolve(doubts[1], request_id=message_id)]
        assert told(await reconcile(client, known)) == [(ACCEPTED, "callback"), None]
        assert told(await reconcile(client, known[1:])) == [None]
    assert box.ledger.request_count(REPORT) == 0


async def test_an_id_that_the_vendor_does_not_show_us_settles_nothing_and_is_not_repeated(box: Sandbox) -> None:
    """Of another account, or cancelled: what was cancelled must not go out after all."""
    async with connect(box) as client:
        group = await opened(client, schedule_at=TOMORROW)
        doubts = await lost(box, client, messages(1, schedule_at=TOMORROW), when="before", group=group)
        await client.cancel_sms(group)
        assert told(await reconcile(client, doubts, repeat=True)) == [None]
        assert told(await reconcile(client, [evolve(doubts[0], group="5")], repeat=True)) == [None]
    assert sent(box) == [number(0)]


async def test_a_message_with_a_group_of_its_own_is_settled_by_its_delivery_report_only(box: Sandbox) -> None:
    """The report of that id lists the number for whatever was sent under it before."""
    async with connect(box) as client:
        own = await opened(client)
        options = MensatekOptions(message_id=own)
        doubts = await lost(box, client, messages(0, 1, options=options), when="after")
        known = [evolve(doubt, request_id=own) for doubt in doubts]
        assert told(await reconcile(client, known, repeat=True)) == [None, None]
        known[0] = evolve(known[0], reported=delivery(0, own, "campaign:0"))
        known[1] = evolve(known[1], reported=delivery(1, own))
        assert told(await reconcile(client, known)) == [None, (ACCEPTED, "callback")]
    assert box.ledger.request_count(REPORT) == 0
    assert sent(box) == [number(0), number(1)]


async def test_after_an_answer_for_fewer_than_the_group_lists_nobody_is_taken_for_accepted(box: Sandbox) -> None:
    """Of 0 and 1 the vendor took one, and its group has both; a delivery report still settles the one it is about."""
    async with connect(box) as client:
        group = await opened(client)
        items = [client.prepare(message) for message in messages(0, 1)]
        result = await client.send_batch(items, reference=REFERENCE, gate=OpenGate(), group=group)
        assert [outcome.kind for outcome in result.outcomes] == [UNKNOWN, UNKNOWN]
        doubts = [Doubt(item, vendor_id=group, group=group) for item in items]
        assert told(await reconcile(client, doubts, repeat=True)) == [None, None]
        doubts[1] = evolve(doubts[1], reported=delivery(1, group))
        assert told(await reconcile(client, doubts, repeat=True)) == [None, (ACCEPTED, "callback")]
    assert sent(box) == [number(0), number(1)]
    assert box.ledger.request_count(SEND) == 2


async def test_a_report_that_could_not_be_read_at_first_settles_a_partial_answer_later(box: Sandbox) -> None:
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        rule = box.fail("mensatek", function=REPORT, fault=Fault.STATUS, status=500, times=None)
        items = [client.prepare(message) for message in messages(1, 2, 3)]
        result = await client.send_batch(items, reference=REFERENCE, gate=OpenGate(), group=group)
        assert [outcome.code for outcome in result.outcomes] == ["partial"] * 3
        assert rule.fired
        box.clear_faults()
        doubts = [Doubt(item, vendor_id=group, group=group) for item in items]
        outcomes = await reconcile(client, doubts, repeat=True)
    assert told(outcomes) == [(ACCEPTED, "report"), (REJECTED, "-3"), (ACCEPTED, "report")]
    assert sent(box) == [number(0), number(1), number(3)]


# ------------------------------------------------------------------------------------------------- sent again


async def test_a_grouped_request_that_arrived_is_found_in_the_report_and_not_repeated(box: Sandbox) -> None:
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="after", group=group)
        for repeat in (False, True):
            outcomes = await reconcile(client, doubts, repeat=repeat)
            assert told(outcomes) == [(ACCEPTED, "report")] * 2
            assert {outcome.vendor_id for outcome in outcomes if outcome} == {group}
    assert sent(box) == [number(0), number(1), number(2)]
    assert box.ledger.request_count(SEND) == 2


async def test_a_grouped_request_that_never_arrived_is_sent_once_by_repeating(box: Sandbox) -> None:
    gate = OpenGate()
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        assert told(await reconcile(client, doubts, gate=gate)) == [None, None]
        assert sent(box) == [number(0)]
        assert gate.passed == 0
        outcomes = await reconcile(client, doubts, repeat=True, gate=gate)
        assert gate.passed == 1
        again = await reconcile(client, doubts, repeat=True, gate=gate)
    assert told(outcomes) == [(ACCEPTED, "repeated")] * 2
    assert [outcome.credits for outcome in outcomes if outcome] == [1, 1]
    assert told(again) == [(ACCEPTED, "report")] * 2
    assert sent(box) == [number(0), number(1), number(2)]
    assert {message.message_id for message in box.ledger.messages} == {group}
    assert {message.reference for message in box.ledger.messages} == {"campaign:0", REFERENCE}


async def test_only_who_is_missing_is_sent_to_again_with_the_own_text(box: Sandbox) -> None:
    batch = [Message(number(index), "Hola {a}", variables={"a": f"Ana {index}"}) for index in (1, 2, 3)]
    async with connect(box) as client:
        group = await opened(client)
        box.mensatek.account.blacklist = {number(2)[1:]}
        doubts = await lost(box, client, batch, when="after", group=group)
        box.mensatek.account.blacklist = set()
        outcomes = await reconcile(client, doubts, repeat=True)
    assert told(outcomes) == [(ACCEPTED, "report"), (ACCEPTED, "repeated"), (ACCEPTED, "report")]
    texts = {message.number: message.text for message in box.ledger.messages if message.reference == REFERENCE}
    assert texts == {number(index)[1:]: f"Hola Ana {index}" for index in (1, 2, 3)}
    assert box.ledger.requests[-1].params["Destinatarios"] == [{"Movil": number(2)[1:], "Variable_1": "Ana 2"}]


@pytest.mark.parametrize(("zero", "code"), [(True, "dropped"), (False, "-3")])
async def test_who_is_dropped_again_is_rejected(box: Sandbox, zero: bool, code: str) -> None:
    """The document does not say whether the vendor answers 0 or refuses a request of which it takes nobody."""
    box.mensatek.quirks = Quirks(zero_when_all_dropped=zero)
    box.mensatek.account.blacklist = {number(1)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        outcomes = await reconcile(client, doubts, repeat=True)
        assert told(outcomes) == [(REJECTED, "dropped"), (ACCEPTED, "repeated")]
        assert told(await reconcile(client, doubts[:1], repeat=True)) == [(REJECTED, code)]
    assert sent(box) == [number(0), number(2)]


@pytest.mark.parametrize("zero", [True, False])
async def test_a_report_that_lags_behind_the_first_request_makes_no_second_sms_and_no_false_refusal(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, zero: bool
) -> None:
    """It does not list them yet, so they are sent to again; the vendor takes nobody twice, and its report tells so."""
    lagging_reports(monkeypatch, looks=2)
    box.mensatek.quirks = Quirks(zero_when_all_dropped=zero)
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="after", group=group)
        outcomes = await reconcile(client, doubts, repeat=True)
    assert told(outcomes) == [(ACCEPTED, "repeated")] * 2
    assert box.ledger.request_count(SEND) == 3
    assert sent(box) == [number(0), number(1), number(2)]


@pytest.mark.parametrize("fault", [Fault.STATUS, None], ids=["no report", "a report that lags"])
async def test_a_repetition_taken_in_part_without_a_report_of_it_settles_nobody(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: Fault | None
) -> None:
    box.mensatek.account.blacklist = {number(1)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        if fault is not None:
            box.fail("mensatek", function=REPORT, fault=fault, status=404, nth=2, times=None)
        else:
            lagging_reports(monkeypatch, looks=99)
        assert told(await reconcile(client, doubts, repeat=True)) == [None, None]
        box.clear_faults()
        monkeypatch.undo()
        assert told(await reconcile(client, doubts)) == [None, (ACCEPTED, "report")]
    assert sent(box) == [number(0), number(2)]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_repetition_that_is_lost_too_leaves_everybody_in_doubt_and_can_be_made_again(
    box: Sandbox, when: When
) -> None:
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        box.fail("mensatek", function=SEND, fault=Fault.RESET, when=when, times=1)
        assert told(await reconcile(client, doubts, repeat=True)) == [None, None]
        outcomes = await reconcile(client, doubts, repeat=True)
    assert told(outcomes) == [(ACCEPTED, "repeated" if when == "before" else "report")] * 2
    assert sent(box) == [number(0), number(1), number(2)]


@pytest.mark.parametrize("past", ["not_after", "schedule_at"])
async def test_what_would_go_out_too_late_is_not_repeated(box: Sandbox, past: str) -> None:
    """The report is asked all the same: it may have gone out in time."""
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2, 3), when="before", group=group)
        # `prepare` refuses a time that has passed, so the message is put back after it.
        doubts[0].item.message = due(doubts[0].item.message, past, YESTERDAY)
        doubts[1] = evolve(doubts[1], screened=due(doubts[1].item.message, past, YESTERDAY))
        doubts[2].item.message = due(doubts[2].item.message, past, TOMORROW)
        assert told(await reconcile(client, doubts, repeat=True)) == [None, None, (ACCEPTED, "repeated")]
        assert sent(box) == [number(0), number(3)]
        doubts = await lost(box, client, messages(4), when="after", group=group)
        doubts[0].item.message = due(doubts[0].item.message, past, YESTERDAY)
        assert told(await reconcile(client, doubts, repeat=True)) == [(ACCEPTED, "report")]


async def test_what_is_scheduled_is_repeated_for_the_same_time(box: Sandbox) -> None:
    async with connect(box) as client:
        group = await opened(client, schedule_at=TOMORROW)
        doubts = await lost(box, client, messages(1, schedule_at=TOMORROW), when="before", group=group)
        assert told(await reconcile(client, doubts, repeat=True)) == [(ACCEPTED, "repeated")]
    first, second = box.ledger.messages
    assert first.scheduled_at == second.scheduled_at
    assert second.state == "scheduled"


@pytest.mark.parametrize("known", ["vendor_id", "request_id"])
async def test_where_the_vendor_did_not_group_nothing_is_repeated(box: Sandbox, known: str) -> None:
    """Another id than the group's has become known for the request: the group would keep nobody from a second SMS."""
    async with connect(box) as client:
        group, other = await opened(client), await opened(client)
        doubts = await lost(box, client, messages(1), when="before", group=group)
        assert told(await reconcile(client, [named(doubts[0], known, other)], repeat=True)) == [None]
    assert sent(box) == [number(0), number(0)]


async def test_messages_of_different_texts_are_repeated_each_with_its_own(box: Sandbox) -> None:
    """Messages of one reference may have gone out in several requests."""
    async with connect(box) as client:
        group = await opened(client)
        batch = [Message(number(1), "uno"), Message(number(2), "dos"), Message(number(3), "uno")]
        doubts = [Doubt(client.prepare(message), group=group) for message in batch]
        outcomes = await reconcile(client, doubts, repeat=True)
    assert told(outcomes) == [(ACCEPTED, "repeated")] * 3
    texts = {f"+{message.number}": message.text for message in box.ledger.messages[1:]}
    assert texts == {message.to: message.text for message in batch}
    assert box.ledger.request_count(SEND) == 3


# ------------------------------------------------------------------------------------------------- errors


async def test_a_vendor_that_cannot_be_asked_is_an_error_and_nothing_is_repeated(box: Sandbox) -> None:
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        box.fail("mensatek", function=REPORT, fault=Fault.HTML_PAGE, times=None)
        with pytest.raises(MensaError):
            await reconcile(client, doubts, repeat=True)
    assert box.ledger.request_count(SEND) == 2


async def test_what_a_delivery_report_has_told_is_not_lost_for_an_error(box: Sandbox) -> None:
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="after", group=group)
        box.fail("mensatek", function=REPORT, fault=Fault.HTML_PAGE, times=None)
        known = [doubts[0], evolve(doubts[1], reported=delivery(2, group))]
        assert told(await reconcile(client, known, repeat=True)) == [None, (ACCEPTED, "callback")]


async def test_refused_credentials_and_an_empty_account_are_errors(box: Sandbox) -> None:
    async with connect(box) as client:
        group = await opened(client)
        doubts = await lost(box, client, messages(1, 2), when="before", group=group)
        box.mensatek.account.credits -= box.mensatek.account.credits
        with pytest.raises(InsufficientCredits):
            await reconcile(client, doubts, repeat=True)
        box.mensatek.account.api_token = "another"
        with pytest.raises(AuthError):
            await reconcile(client, doubts, repeat=True)
    assert sent(box) == [number(0)]


# ------------------------------------------------------------------------------------------------- any course of events

INDEXES = st.sets(st.integers(1, 5))
WHENS: st.SearchStrategy[When | None] = st.sampled_from(["before", "after", None])


@frozen
class Try:
    """One reconciliation: whether it may send again, what happens to that, and which numbers are blacklisted then."""

    repeat: bool = field()
    lost: When | None = field()
    listed: set[int] = field()


TRIES = st.lists(st.builds(Try, repeat=st.booleans(), lost=WHENS, listed=INDEXES), max_size=4)


@settings(max_examples=examples(60))
@given(
    blacklist=INDEXES,
    when=st.sampled_from(["before", "after"]),
    grouped=st.booleans(),
    callbacks=INDEXES,
    tries=TRIES,
    zero=st.booleans(),
)
def test_nobody_is_sent_to_twice_and_what_is_said_is_true(
    blacklist: set[int], when: When, grouped: bool, callbacks: set[int], tries: list[Try], zero: bool
) -> None:
    """Any part of a request may have arrived, and it may be reconciled any number of times, each of which may fail."""

    async def run() -> None:
        async with Sandbox() as box, connect(box) as client:
            box.mensatek.quirks = Quirks(zero_when_all_dropped=zero)
            group = await opened(client) if grouped else None
            box.mensatek.account.blacklist = {number(index)[1:] for index in blacklist}
            open_ = dict(enumerate(await lost(box, client, messages(1, 2, 3, 4, 5), when=when, group=group), 1))
            truth = {message.number: message.message_id for message in box.ledger.messages}
            for index in callbacks:
                message_id = truth.get(number(index)[1:])
                if message_id is not None:
                    open_[index] = evolve(open_[index], reported=delivery(index, message_id))
            for one in [*tries, Try(repeat=True, lost=None, listed=set())]:
                await step(box, client, open_, one)
            # In a group all are found out in the end; else the report tells, where a callback gave its id.
            known = grouped or any(number(index)[1:] in truth for index in callbacks)
            assert set(open_) <= (set() if grouped else blacklist if known and when == "after" else set(range(1, 6)))

    asyncio.run(run())


async def step(box: Sandbox, client: MensatekClient, open_: dict[int, Doubt], one: Try) -> None:
    """Reconcile what is still in doubt, and compare what is found out with the ledger."""
    box.mensatek.account.blacklist = {number(index)[1:] for index in one.listed}
    box.clear_faults()
    if one.lost is not None:
        box.fail("mensatek", function=SEND, fault=Fault.RESET, when=one.lost, times=1)
    outcomes: Mapping[int, Outcome | None] = dict(
        zip(open_, await reconcile(client, list(open_.values()), repeat=one.repeat), strict=True)
    )
    counts = box.ledger.numbers()
    assert all(count == 1 for count in counts.values())
    for index, outcome in outcomes.items():
        if outcome is not None:
            assert (outcome.kind is ACCEPTED) == (number(index)[1:] in counts)
            assert outcome.kind in {ACCEPTED, REJECTED}
            del open_[index]
