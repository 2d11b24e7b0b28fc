"""The promise: one send is at most one request that can cost money, and the client knows when it does not know."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shared import check_plain, until

from mensasdk import ConnectionLost, MensaError, OutcomeKind, Timeouts
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.mensatek import SendResult

from .support import BODIES, FORMATS, NUMBER, Body, Format, caught, connect

# Long enough for the 200,000 lists and the bomb on a busy machine. What hangs takes all of it.
PATIENCE = Timeouts(total=20.0)
HASTE = Timeouts(total=0.5)

# What each fault needs, and how long to wait for it. The vendor has acted in all of them with when="after", and what
# comes back is no refusal. (A refusal, a 429 and a 4xx are the vendor's own word that it did nothing: see below.)
FAULTS: dict[str, tuple[Fault, dict[str, Any]]] = {
    **{fault.value: (fault, {}) for fault in Fault if fault not in {Fault.STATUS, Fault.RATE_LIMIT, Fault.RES}},
    "delay": (Fault.DELAY, {"delay": 5.0}),
    "drip": (Fault.DRIP, {"interval": 0.05}),
    **{f"status {status}": (Fault.STATUS, {"status": status}) for status in (408, 425, 500, 502, 503, 504)},
    "503 with a success in it": (Fault.STATUS, {"status": 503, "body": '[{"Res":1,"idMensaje":5}]'}),
    **{f"redirect {status}": (Fault.REDIRECT, {"status": status}) for status in (301, 303, 307, 308)},
    "cut at 0": (Fault.CUT_BODY, {"cut_at": 0}),
    "cut early, without a length": (Fault.CUT_CLOSE_DELIMITED, {"cut_at": 10}),
    "id given twice": (Fault.DUPLICATE_KEYS, {"field": "idMensaje"}),
    "id NaN": (Fault.NAN, {"field": "Msgid"}),
    "balance NaN": (Fault.NAN, {"field": "Cred"}),
}
SLOW = {"hang", "drip", "delay"}
# These spoil nothing that matters: the answer can be read, and says that the message was taken.
READABLE = {"wrong_type", "latin1", "balance NaN", "id NaN"}

every_fault = pytest.mark.parametrize(("name", "fault", "options"), [(name, *rest) for name, rest in FAULTS.items()])


async def attempt(
    box: Sandbox, name: str, *, answer_format: Format = "json", body_format: Body = "json"
) -> SendResult | MensaError:
    timeouts = HASTE if name in SLOW else PATIENCE
    async with connect(box, answer_format=answer_format, body_format=body_format, timeouts=timeouts) as client:
        result = await caught(client.send_sms([NUMBER], "Hola"))
    if isinstance(result, MensaError):
        check_plain(result, "mensatek")
    return result


def test_every_fault_of_the_sandbox_is_tried() -> None:
    assert {fault for fault, _ in FAULTS.values()} == set(Fault) - {Fault.RATE_LIMIT, Fault.RES}


@pytest.mark.parametrize("answer_format", FORMATS)
@pytest.mark.parametrize("body_format", BODIES)
async def test_a_connection_dropped_after_acceptance_is_unknown_one_request_and_one_message(
    box: Sandbox, answer_format: Format, body_format: Body
) -> None:
    """The first question of users: is my message sent twice when the line breaks?"""
    box.fail("mensatek", fault=Fault.RESET, when="after", times=None)
    result = await attempt(box, "reset", answer_format=answer_format, body_format=body_format)
    assert type(result) is ConnectionLost
    assert result.outcome is OutcomeKind.UNKNOWN
    assert len(box.ledger) == 1
    assert box.ledger.request_count() == 1


@pytest.mark.slow
@every_fault
async def test_after_acceptance_no_fault_makes_a_second_message_or_a_false_claim(
    box: Sandbox, name: str, fault: Fault, options: dict[str, Any]
) -> None:
    box.fail("mensatek", fault=fault, when="after", times=None, **options)
    result = await attempt(box, name)
    assert len(box.ledger) == 1
    assert box.ledger.numbers() == {NUMBER: 1}
    assert box.ledger.request_count() == 1
    if name in READABLE:
        assert isinstance(result, SendResult)
        assert result.message_id == box.ledger.messages[0].message_id
    else:
        assert isinstance(result, MensaError)
        assert result.outcome is OutcomeKind.UNKNOWN
        assert result.vendor == "mensatek"


@pytest.mark.slow
@every_fault
async def test_before_acceptance_no_fault_makes_more_than_one_message(
    box: Sandbox, name: str, fault: Fault, options: dict[str, Any]
) -> None:
    """The client cannot see the difference, so it says the same as after acceptance."""
    box.fail("mensatek", fault=fault, when="before", times=None, **options)
    result = await attempt(box, name)
    assert box.ledger.request_count() == 1
    assert len(box.ledger) <= 1
    if name not in READABLE:
        assert isinstance(result, MensaError)
        assert result.outcome is OutcomeKind.UNKNOWN


@pytest.mark.slow
@every_fault
async def test_the_next_send_after_a_fault_works(
    box: Sandbox, name: str, fault: Fault, options: dict[str, Any]
) -> None:
    """A broken connection is not put back into the pool, and no answer is taken for that of another call."""
    box.fail("mensatek", fault=fault, when="after", times=1, **options)
    # Twice the haste, because the second send has to be done within it, on a busy machine too.
    timeouts = Timeouts(total=2 * HASTE.total) if name in SLOW else PATIENCE
    async with connect(box, timeouts=timeouts) as client:
        await caught(client.send_sms([NUMBER], "uno"))
        result = await client.send_sms(["34600000001"], "dos")
    assert result.message_id == box.ledger.messages[1].message_id
    assert len(box.ledger) == box.ledger.request_count() == 2


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"fault": Fault.RES, "res": -2}, OutcomeKind.REJECTED),
        ({"fault": Fault.RES, "res": -1}, OutcomeKind.REJECTED),
        ({"fault": Fault.RES, "res": -77}, OutcomeKind.REJECTED),
        ({"fault": Fault.STATUS, "status": 400}, OutcomeKind.REJECTED),
        ({"fault": Fault.STATUS, "status": 403}, OutcomeKind.REJECTED),
        ({"fault": Fault.RATE_LIMIT, "retry_after": 1000}, OutcomeKind.NOT_SENT),
    ],
)
async def test_the_vendors_word_that_it_did_nothing_is_believed(
    box: Sandbox, options: dict[str, Any], outcome: OutcomeKind
) -> None:
    box.fail("mensatek", when="before", times=None, **options)
    result = await attempt(box, "refusal")
    assert isinstance(result, MensaError)
    assert result.outcome is outcome
    assert len(box.ledger) == 0
    assert box.ledger.request_count() == 1


async def test_a_429_that_passes_makes_one_message(box: Sandbox) -> None:
    box.fail("mensatek", fault=Fault.RATE_LIMIT, retry_after=0, when="before", times=2)
    result = await attempt(box, "rate limit")
    assert isinstance(result, SendResult)
    assert len(box.ledger) == 1
    assert box.ledger.request_count() == 3


async def test_a_send_cancelled_in_flight_says_that_it_may_have_gone_out(box: Sandbox) -> None:
    box.fail("mensatek", fault=Fault.HANG, when="after", times=None)
    async with connect(box) as client:
        task = asyncio.create_task(client.send_sms([NUMBER], "Hola"))
        await until(lambda: len(box.ledger))
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
    assert cancelled_outcome(cancelled.value) is OutcomeKind.UNKNOWN
    assert len(box.ledger) == box.ledger.request_count() == 1


async def test_a_vendor_that_is_not_there_has_sent_nothing() -> None:
    async with Sandbox() as box, connect(box) as client:
        await box.aclose()
        with pytest.raises(MensaError) as refused:
            await client.send_sms([NUMBER], "Hola")
    assert refused.value.outcome is OutcomeKind.NOT_SENT
    assert len(box.ledger) == 0


async def test_fifty_sends_at_once_get_each_its_own_answer(box: Sandbox) -> None:
    async with connect(box) as client:
        numbers = [str(34600000000 + n) for n in range(50)]
        results = await asyncio.gather(*(client.send_sms([number], f"a {number}") for number in numbers))
    ids = {message.number: message.message_id for message in box.ledger.messages}
    assert [result.message_id for result in results] == [ids[number] for number in numbers]
    assert all(message.text == f"a {message.number}" for message in box.ledger.messages)
