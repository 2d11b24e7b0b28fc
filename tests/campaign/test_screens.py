"""Screens: what is changed or refused before anything is planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from mensasdk import (
    BatchSender,
    EnviaTuSmsClient,
    MemoryJournal,
    MensatekClient,
    Message,
    OutcomeKind,
    Router,
    ValidationError,
)
from mensasdk.journal import State
from mensasdk.sandbox import Fault, Sandbox

SEND = "EnviarSMS"
LATER = datetime.now(UTC).replace(microsecond=0, second=0) + timedelta(days=1)


def unwilling(message: Message, number: str) -> Message:
    if number == "+34600000002":
        raise ValidationError("this person does not want to be written to", field="to", code="opted_out")
    return message


def tomorrow(message: Message, number: str) -> Message:
    return evolve(message, schedule_at=LATER)


async def test_a_refused_message_does_not_go_out_and_says_why(box: Sandbox, mensatek: MensatekClient) -> None:
    messages = [Message("600 00 00 01", "hola"), Message("0034 600 00 00 02", "hola")]
    async with MensatekClient(
        **box.credentials("mensatek"), base_url=box.base_url("mensatek"), default_country="ES"
    ) as client:
        report = await BatchSender(client, screens=[unwilling]).send(messages)
    assert (report.accepted, report.not_sent, report.by_code["opted_out"]) == (1, 1, 1)
    assert [message.number for message in box.ledger.messages] == ["34600000001"]


async def test_a_changed_message_goes_out_as_changed_and_is_reported_as_given(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    message = Message("+34600000001", "hola")
    [outcome] = [outcome async for outcome in BatchSender(mensatek, screens=[tomorrow]).stream([message])]
    assert outcome.message is message
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "Fecha" in box.ledger.requests[0].params


async def test_screens_follow_one_another(mensatek: MensatekClient) -> None:
    seen: list[datetime | None] = []

    def look(message: Message, number: str) -> Message:
        seen.append(message.schedule_at)
        return message

    await BatchSender(mensatek, screens=[tomorrow, look]).send([Message("+34600000001", "hola")])
    assert seen == [LATER]


async def test_a_plan_without_sending_has_been_screened(mensatek: MensatekClient) -> None:
    planner = BatchSender(mensatek, screens=[unwilling, tomorrow]).plan(
        [Message("+34600000001", "hola"), Message("+34600000002", "hola")]
    )
    chunks = [chunk async for chunk in planner.portions()]
    requests = [chunk.request for chunk in chunks if chunk.request is not None]
    assert [outcome.code for chunk in chunks for outcome in chunk.refused] == ["opted_out"]
    assert [item.message.schedule_at for request in requests for item in request.items] == [None]
    assert [request.screened[item].schedule_at for request in requests for item in request.items] == [LATER]


async def test_what_another_vendor_takes_over_is_still_as_the_screen_made_it(box: Sandbox) -> None:
    """The second route cannot schedule: it must not send at once what is to go tomorrow."""
    box.fail("mensatek", function=SEND, fault=Fault.RATE_LIMIT, when="before", times=None, retry_after="9999")
    async with (
        MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as first,
        EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as second,
    ):
        sender = BatchSender(Router([first, second]), screens=[tomorrow])
        report = await sender.send([Message("+584141234567", "hola")])
    assert (report.not_sent, len(box.ledger)) == (1, 0)


async def test_screens_run_again_when_a_campaign_is_resumed(box: Sandbox, mensatek: MensatekClient) -> None:
    """A message put off to a time that has passed meanwhile is put off anew, and not refused for it."""
    journal = MemoryJournal()
    sender = BatchSender(mensatek, journal=journal, screens=[tomorrow])
    box.mensatek.account.credits = Decimal(0)
    await sender.send([Message("+34600000001", "hola")], campaign="c")
    box.mensatek.account.credits = Decimal(10)
    [record] = await journal.read("c")
    assert (record.state, record.message.schedule_at) == (State.PENDING, None)
    report = await sender.resume("c")
    assert report.accepted == 1
    assert "Fecha" in box.ledger.requests[-1].params


async def test_a_screen_that_fails_ends_the_campaign_and_its_rest_is_recorded(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    """A screen is a promise to people. When it breaks nobody can say who must not be written to, so nobody is."""
    asked: list[str] = []

    def broken(message: Message, number: str) -> Message:
        asked.append(number)
        if number.endswith("25"):
            raise KeyError("the table of opt-outs is gone")
        return message

    journal = MemoryJournal()
    messages = [Message(f"+346000000{index:02d}", "hola") for index in range(60)]
    sender = BatchSender(mensatek, journal=journal, screens=[broken], max_recipients=10, max_in_flight=1)
    with pytest.raises(KeyError, match="opt-outs"):
        await sender.send(messages, campaign="c")
    report = sender.report
    assert report is not None
    assert (report.accepted, report.not_sent, report.total) == (20, 40, 60)
    assert report.stopped == "a screen raised KeyError"
    assert len(box.ledger) == 20
    assert len(asked) == 26
    assert (await journal.progress("c"))[State.PENDING] == 40
    resumed = await BatchSender(mensatek, journal=journal).resume("c")
    assert resumed.complete
    assert (resumed.accepted, len(box.ledger)) == (60, 60)
