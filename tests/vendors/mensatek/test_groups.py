"""Sends of one campaign in one group of the vendor's (``Idmensaje``): who shares one, and how its answers are read."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from shared import OpenGate

from mensasdk import MensatekClient, MensatekOptions, Message, Outcome, OutcomeKind, ValidationError
from mensasdk.sandbox import Quirks, Sandbox
from mensasdk.vendors.batching import BatchResult

from .support import BODIES, Body, Literally, connect, lagging_reports, messages, number

SEND = "EnviarSMS"
REPORT = "GetReportSMS"
ACCEPTED, REJECTED, UNKNOWN = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN
TOMORROW = datetime.now(UTC) + timedelta(days=1)


async def send(client: MensatekClient, batch: Sequence[Message], group: str | None = None) -> BatchResult:
    items = [client.prepare(message) for message in batch]
    return await client.send_batch(items, reference="campaign:0", gate=OpenGate(), group=group)


async def opened(client: MensatekClient, index: int = 0) -> str:
    """Return the id of a new group that holds one number."""
    [outcome] = (await send(client, messages(index))).outcomes
    assert outcome.vendor_id is not None
    return outcome.vendor_id


def kinds(outcomes: Sequence[Outcome]) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


# ------------------------------------------------------------------------------------------------- who shares one


async def test_without_group_sends_no_message_belongs_to_a_group(box: Sandbox) -> None:
    async with connect(box) as client:
        assert client.group_key(client.prepare(Message(number(1), "Hola"))) is None


async def test_a_group_is_shared_by_sender_and_schedule_whatever_the_text(box: Sandbox) -> None:
    """The vendor forces one sender on a group, and cancels and reschedules it as a whole."""
    variants = {
        "plain": Message(number(1), "Hola"),
        "text": Message(number(2), "Adiós", variables={}),
        "template": Message(number(3), "Hola {a}", variables={"a": "Ana"}),
        "unicode": Message(number(3), "Hola", options=MensatekOptions(unicode=True, report=True)),
        "sender": Message(number(4), "Hola", sender="MARCA"),
        "schedule": Message(number(5), "Hola", schedule_at=TOMORROW),
        "another schedule": Message(number(5), "Hola", schedule_at=TOMORROW + timedelta(hours=1)),
        "both": Message(number(6), "Hola", sender="MARCA", schedule_at=TOMORROW),
    }
    async with connect(box, group_sends=True) as client:
        keys = {name: client.group_key(client.prepare(message)) for name, message in variants.items()}
    assert None not in keys.values()
    assert keys["plain"] == keys["text"] == keys["template"] == keys["unicode"]
    assert len(set(keys.values())) == 5


async def test_a_message_that_names_a_group_of_its_own_belongs_to_no_other(box: Sandbox) -> None:
    async with connect(box, group_sends=True) as client:
        item = client.prepare(Message(number(1), "Hola", options=MensatekOptions(message_id="5")))
        assert client.group_key(item) is None


# ------------------------------------------------------------------------------------------------- on the wire


@pytest.mark.parametrize("body_format", BODIES)
async def test_a_request_of_a_group_carries_its_id_and_all_messages_get_it(box: Sandbox, body_format: Body) -> None:
    async with connect(box, body_format=body_format, group_sends=True) as client:
        group = await opened(client)
        outcomes = (await send(client, messages(1, 2), group)).outcomes
    first, second = box.ledger.requests
    assert "Idmensaje" not in first.params
    assert str(second.params["Idmensaje"]) == group
    assert [(outcome.kind, outcome.vendor_id) for outcome in outcomes] == [(ACCEPTED, group)] * 2
    assert {message.message_id for message in box.ledger.messages} == {group}
    assert box.ledger.request_count() == 2, "no report is needed where nobody was dropped"


async def test_a_group_id_that_cannot_be_one_is_refused_before_sending(box: Sandbox) -> None:
    async with connect(box) as client:
        with pytest.raises(ValidationError) as refused:
            await send(client, messages(1), "0")
    assert refused.value.field == "message_id"
    assert box.ledger.request_count() == 0


async def test_a_vendor_that_opens_another_group_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    answer = {"Res": 1, "idMensaje": 999, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}
    with caplog.at_level(logging.WARNING, "mensasdk.answers"):
        async with Literally(json.dumps([answer]).encode()) as server, server.client() as client:
            [other] = (await send(client, messages(1), "5")).outcomes
            assert len(caplog.records) == 1
            [same] = (await send(client, messages(1), "999")).outcomes
    assert "its id is not that of the group" in caplog.text
    assert len(caplog.records) == 1
    assert (other.kind, other.vendor_id) == (same.kind, same.vendor_id) == (ACCEPTED, "999")


# ------------------------------------------------------------------------------------------------- its answers


async def test_a_number_that_the_group_has_is_dropped_and_not_charged(box: Sandbox) -> None:
    box.mensatek.quirks = Quirks(zero_when_all_dropped=True)
    async with connect(box, group_sends=True) as client:
        group = await opened(client)
        left = box.mensatek.account.credits
        result = await send(client, messages(0), group)
    [outcome] = result.outcomes
    assert (outcome.kind, outcome.code) == (REJECTED, "dropped")
    assert result.credits == 0
    assert box.mensatek.account.credits == left
    assert len(box.ledger) == 1


async def test_of_a_groups_report_only_the_requests_own_numbers_count(box: Sandbox) -> None:
    """The report lists the recipients of all requests: with the first one's, it has as many as this one was given."""
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box, group_sends=True) as client:
        group = await opened(client)
        result = await send(client, messages(1, 2, 3), group)
        report = await client.get_report(group)
    assert [line.number for line in report.lines] == [number(index)[1:] for index in (0, 1, 3)]
    assert kinds(result.outcomes) == [ACCEPTED, REJECTED, ACCEPTED]
    assert [outcome.credits for outcome in result.outcomes] == [1, None, 1]


@pytest.mark.parametrize("own", [False, True], ids=["group", "a group of the caller's own"])
async def test_who_is_in_the_group_from_earlier_is_not_taken_for_accepted(box: Sandbox, own: bool) -> None:
    """Of 0, 1 and 2 the vendor takes one, and lists two: that may be 1, or 0 from the first request."""
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        options = {"options": MensatekOptions(message_id=group)} if own else {}
        result = await send(client, messages(0, 1, 2, **options), None if own else group)
    assert kinds(result.outcomes) == [UNKNOWN, UNKNOWN, REJECTED]
    first, second, third = result.outcomes
    assert first.code == second.code == "partial"
    assert "an earlier message of the group" in first.detail
    assert first.vendor_id == group
    assert third.code == "dropped"
    assert box.ledger.numbers() == {number(0)[1:]: 1, number(1)[1:]: 1}
    assert box.ledger.request_count(REPORT) == 3, "the report gets its time before somebody is declared dropped"


async def test_a_group_report_that_lags_is_asked_again(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    lagging_reports(monkeypatch, looks=1)
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        result = await send(client, messages(1, 2), group)
    assert kinds(result.outcomes) == [ACCEPTED, REJECTED]
    assert box.ledger.request_count(REPORT) == 2


async def test_a_report_that_never_has_all_leaves_everybody_in_doubt(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lagging_reports(monkeypatch, looks=99)
    box.mensatek.account.blacklist = {number(2)[1:]}
    async with connect(box) as client:
        group = await opened(client)
        result = await send(client, messages(1, 2, 3), group)
    assert [(outcome.kind, outcome.code) for outcome in result.outcomes] == [(UNKNOWN, "partial")] * 3


async def test_without_a_group_a_report_of_more_than_were_taken_settles_nobody() -> None:
    """The answer and the report contradict each other; one body serves as both."""
    rows = [{"Telefono": number(index)[1:], "Resultado": 0} for index in (1, 2)]
    body = {"Res": 1, "idMensaje": 5, "Mensajes": 1, "NoEnviados": 2, "CreditosUsados": 1, "Informe": rows}
    async with Literally(json.dumps([body]).encode()) as server, server.client() as client:
        result = await send(client, messages(1, 2, 3))
        grouped = await send(client, messages(1, 2, 3), "5")
    assert kinds(result.outcomes) == [UNKNOWN] * 3
    assert kinds(grouped.outcomes) == [UNKNOWN, UNKNOWN, REJECTED]
