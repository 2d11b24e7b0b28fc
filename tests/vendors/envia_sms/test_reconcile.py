"""A message in doubt, settled: its status, and sending it again within the hour, in which the vendor drops it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest
from served import Answer
from servers import Handler, fin, raw, rst
from shared import OpenGate, next_year

from mensasdk import BatchSender, Delivery, DeliveryState, MensaError, Message, Outcome, OutcomeKind
from mensasdk.errors import AddressBlocked, AuthError, DeadlineExceeded, RateLimited, UnexpectedRedirect
from mensasdk.sandbox import EnviaSms, Fault, Sandbox
from mensasdk.sandbox.envia_sms import Quirks
from mensasdk.vendors.batching import Doubt
from mensasdk.vendors.envia_sms import EnviaSmsClient, EnviaSmsOptions, reconcile

from .served import IDENTIFIER, NUMBER, STATUS, UNKNOWN, Served, envelope, sent
from .test_sandbox import EVERYONE, connect

PRESENT = datetime(next_year(), 6, 3, 10, 30, tzinfo=UTC)
HELLO = Message(NUMBER, template="02", variables={"mensaje": "Hola"})


class Patient(OpenGate):
    """An open gate that may be told to wait."""

    def penalise(self, seconds: float) -> None:
        pass


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half past ten: what is sent again does not depend on the minute in which the tests run."""
    set_clock(monkeypatch, PRESENT)


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(reconcile, "now", lambda: moment)


def doubt_of(client: EnviaSmsClient, message: Message = HELLO, *, minutes: float = 10, **known: Any) -> Doubt:
    """Return the doubt about a message that went out so many minutes ago."""
    return Doubt(client.prepare(message), **{"asked_at": PRESENT - timedelta(minutes=minutes), **known})


async def settle(client: EnviaSmsClient, *doubts: Doubt, repeat: bool = True) -> list[Outcome | None]:
    return list(await client.reconcile(doubts, reference="c.0", gate=Patient(), repeat=repeat))


def reported(state: DeliveryState = DeliveryState.FAILED) -> Delivery:
    return Delivery("envia_sms", IDENTIFIER, number=NUMBER, state=state, code="Error")


# ------------------------------------------------------------------------------------------- against the ledger

ANSWERS: tuple[Literal["new_id", "first_id", "no_id", "no_data", "refused"], ...] = (
    "new_id", "first_id", "no_id", "no_data", "refused",
)  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_message_whose_answer_was_lost_is_sent_again_and_goes_out_once(
    answer: Literal["new_id", "first_id", "no_id", "no_data", "refused"], when: Literal["before", "after"]
) -> None:
    """The vendor had taken it or not, and may answer anything to what it drops."""
    async with Sandbox(envia_sms=EnviaSms(quirks=Quirks(duplicate_answer=answer))) as box, connect(box) as client:
        box.fail("envia_sms", function="send", fault=Fault.RESET, when=when)
        [lost] = [one async for one in BatchSender(client).stream([HELLO])]
        assert lost.kind is UNKNOWN
        assert len(box.ledger) == (1 if when == "after" else 0)
        [outcome] = await settle(client, doubt_of(client))
    assert outcome is not None
    assert (outcome.kind, outcome.code, outcome.vendor) == (OutcomeKind.ACCEPTED, "repeated", "envia_sms")
    assert (outcome.message, outcome.parts, bool(outcome.detail)) == (HELLO, 1, True)
    assert (outcome.vendor_id is None) == (when == "after" and answer in {"no_id", "no_data", "refused"})
    assert box.ledger.numbers() == {NUMBER.replace(" ", "")[1:]: 1}
    assert box.ledger.charged == Decimal("0.5")
    assert box.ledger.request_count() == 2


async def test_all_of_a_campaign_in_doubt_are_settled_and_nobody_gets_two(box: Sandbox) -> None:
    """Of twelve, every other one had been taken."""
    messages = [Message(number, template="02", variables={"mensaje": "Hola"}) for number in EVERYONE]
    for nth in range(len(messages)):
        when: Literal["before", "after"] = "after" if nth % 2 else "before"
        box.fail("envia_sms", function="send", fault=Fault.RESET, when=when, nth=nth + 1)
    async with connect(box) as client:
        for message in messages:
            with pytest.raises(MensaError) as caught:
                await client.send_batch([client.prepare(message)], reference="c.0", gate=OpenGate())
            assert caught.value.outcome is UNKNOWN
        assert len(box.ledger) == 6
        found = [(await settle(client, doubt_of(client, message)))[0] for message in messages]
    assert [one and one.code for one in found] == ["repeated"] * 12
    assert box.ledger.numbers() == {number[1:]: 1 for number in EVERYONE}


async def test_without_leave_to_repeat_nothing_is_sent_and_nothing_found_out(box: Sandbox) -> None:
    box.fail("envia_sms", function="send", fault=Fault.RESET, when="after")
    async with connect(box) as client:
        await BatchSender(client).send([HELLO])
        assert await settle(client, doubt_of(client), repeat=False) == [None]
    assert box.ledger.request_count() == len(box.ledger) == 1


async def test_a_repetition_that_is_lost_as_well_can_be_repeated_within_the_hour(box: Sandbox) -> None:
    box.fail("envia_sms", function="send", fault=Fault.RESET, when="after", times=3)
    async with connect(box) as client:
        await BatchSender(client).send([HELLO])
        assert await settle(client, doubt_of(client)) == [None]
        assert await settle(client, doubt_of(client)) == [None]
        [outcome] = await settle(client, doubt_of(client))
    assert outcome is not None
    assert outcome.code == "repeated"
    assert (len(box.ledger), box.ledger.request_count()) == (1, 4)


# --------------------------------------------------------------------------------------------- what is repeated


async def attempted(doubt: Doubt, *answers: bytes | Answer | Handler, **options: Any) -> tuple[Outcome | None, Served]:
    """Return what comes of a doubt, and the requests that it took."""
    async with Served(*(answers or (sent(),))) as server, server.client(**options) as client:
        [outcome] = await settle(client, doubt)
    return outcome, server


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"{PRESENT:%Y-%m-%d}T{clock}").replace(tzinfo=UTC)


# When it went out, and when it is asked about.
REPEATED = [("10:20", "10:30"), ("10:05", "10:54"), ("10:30", "10:30"), ("10:53", "10:54"), ("10:05", "10:05")]
NEVER_REPEATED = {
    "59 minutes ago": ("10:05", "11:04"),
    "59 minutes ago within the clock's hour": ("10:00", "10:59"),
    "51 minutes ago": ("10:03", "10:54"),
    "50 minutes ago": ("10:05", "10:55"),
    "in the hour before, ten minutes ago": ("10:55", "11:05"),
    "in the hour before, four minutes ago": ("10:58", "11:02"),
    "just now, in the hour's last minutes": ("10:55", "10:56"),
    "in the hour's first minutes": ("10:04", "10:20"),
    "in the future": ("10:31", "10:30"),
    "far in the future": ("23:20", "10:30"),
    "days ago, in the same minutes": ("10:20", "23:30"),
}


@pytest.mark.parametrize(("asked", "present"), REPEATED)
async def test_within_the_hour_a_message_is_sent_again_as_it_was(
    monkeypatch: pytest.MonkeyPatch, asked: str, present: str
) -> None:
    set_clock(monkeypatch, at(present))
    gate = OpenGate()
    async with Served(sent()) as server, server.client() as client:
        await client.send_batch([client.prepare(HELLO)], reference="c.0", gate=OpenGate())
        doubt = doubt_of(client, asked_at=at(asked))
        [outcome] = await client.reconcile([doubt], reference="c.0", gate=gate, repeat=True)
    first, second = server.requests
    assert first.target == second.target
    assert gate.passed == 1
    assert outcome is not None
    assert (outcome.code, outcome.vendor_id) == ("repeated", IDENTIFIER)


@pytest.mark.parametrize(("asked", "present"), NEVER_REPEATED.values(), ids=NEVER_REPEATED)
async def test_what_may_be_out_of_the_hour_is_never_repeated(
    monkeypatch: pytest.MonkeyPatch, asked: str, present: str
) -> None:
    set_clock(monkeypatch, at(present))
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T"), asked_at=at(asked)))
    assert (outcome, server.requests) == (None, [])


@pytest.mark.parametrize("days", [-1, 1])
async def test_the_same_time_of_another_day_is_no_reason_to_repeat(days: int) -> None:
    asked_at = PRESENT + timedelta(days=days, minutes=-10)
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T"), asked_at=asked_at))
    assert (outcome, server.requests) == (None, [])


ALONE: dict[str, tuple[Message, dict[str, Any]]] = {
    "allow_duplicates": (Message(NUMBER, "Hola", options=EnviaSmsOptions("02", "mensaje", allow_duplicates=True)), {}),
    "short links": (Message(NUMBER, "Hola", options=EnviaSmsOptions("02", "mensaje", short_links=True)), {}),
    "scheduled": (Message(NUMBER, template="02", schedule_at=PRESENT + timedelta(minutes=5)), {}),
    "past its not_after": (Message(NUMBER, template="02", not_after=PRESENT), {}),
    "long past its not_after": (Message(NUMBER, template="02", not_after=PRESENT - timedelta(days=1)), {}),
    "test mode": (HELLO, {"test_mode": True}),
    "a token for tests": (HELLO, {"token": "pruebas_1"}),
    "nobody knows when it went out": (HELLO, {"asked_at": None}),
}


@pytest.mark.parametrize(("message", "more"), ALONE.values(), ids=ALONE)
async def test_what_the_filter_does_not_cover_or_nobody_wants_any_more_is_never_repeated(
    message: Message, more: dict[str, Any]
) -> None:
    known = {name: more[name] for name in more if name == "asked_at"}
    options = {name: more[name] for name in more if name != "asked_at"}
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T"), message, **known), **options)
    assert (outcome, server.requests) == (None, [])


async def test_a_message_is_repeated_before_its_not_after() -> None:
    message = Message(NUMBER, template="02", not_after=PRESENT + timedelta(minutes=1))
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T"), message))
    assert outcome is not None
    assert len(server.requests) == 1


async def test_a_gate_that_opens_too_late_lets_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hour is nearly over when the limiter is asked, and the client itself would wait for longer."""

    class Slow(OpenGate):
        async def enter(self) -> None:
            await asyncio.sleep(0.5)

    set_clock(monkeypatch, at("10:54:59.950"))
    async with Served(sent()) as server, server.client() as client:
        doubt = doubt_of(client, asked_at=at("10:20"))
        with pytest.raises(DeadlineExceeded) as caught:
            await client.reconcile([doubt], reference="c.0", gate=Slow(), repeat=True)
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert server.requests == []


# ----------------------------------------------------------------------------------------- what is answered to it

SAYING_NOTHING: dict[str, Answer | Handler] = {
    **{
        f"refused with {code}": Answer(envelope(None, error=True, code=code), 400)
        for code in ("05", "07", "08", "102", "109", "112", "117", "124", "129", "132", "136", "137", "138")
    },
    "refused, and speaking of duplicates": Answer(envelope(None, error=True, code="112", words="pago duplicado"), 400),
    "closed": fin,
    "reset": rst,
    "cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + sent()[:-20]),
    "half an answer": Answer(sent()[:-20]),
    "a page": Answer(b"<html>", content_type="text/html"),
    "500": Answer(b"", 500),
    "404": Answer(b"<html>", 404),
    "no verdict": Answer(b'{"response": {"identificador": "x"}}'),
    "an error with data": Answer(sent().replace(b"false", b"true")),
    "an error with an identifier": Answer(envelope({"identificador": "x"}, error=True, code="138"), 400),
}


@pytest.mark.parametrize("answer", SAYING_NOTHING.values(), ids=SAYING_NOTHING)
async def test_a_repetition_that_is_refused_or_lost_says_nothing_about_the_first(answer: Answer | Handler) -> None:
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T")), answer)
    assert outcome is None
    assert len(server.requests) == 1


TAKEN: dict[str, Answer] = {
    "as any other": Answer(sent()),
    "without identifiers": Answer(sent(identificador=[])),
    "with no word of an identifier": Answer(sent(identificador=...)),
    "without data": Answer(envelope(None)),
    "with empty data": Answer(envelope([])),
    **{
        f"refused as {words}": Answer(envelope(None, error=True, code=code, words=words), 400)
        for code, words in (("138", "Mensaje_duplicado"), ("112", "MENSAJE DUPLICADO."), ("", "Mensaje duplicado"))
    },
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN)
async def test_whatever_the_vendor_may_answer_to_a_duplicate_settles_it(answer: Answer) -> None:
    outcome, server = await attempted(doubt_of(EnviaSmsClient("T")), answer)
    assert outcome is not None
    assert (outcome.kind, outcome.code) == (OutcomeKind.ACCEPTED, "repeated")
    assert outcome.vendor_id in {None, IDENTIFIER}
    assert len(server.requests) == 1


STOPPING: dict[str, tuple[Answer, type[MensaError]]] = {
    "01": (Answer(envelope(None, error=True, code="01"), 400), AddressBlocked),
    "03": (Answer(envelope(None, error=True, code="03"), 400), AuthError),
    "04": (Answer(envelope(None, error=True, code="04"), 400), AddressBlocked),
    "403": (Answer(b"<html>", 403), AuthError),
    "a redirect": (Answer(b"", 302, headers={"Location": "/elsewhere"}), UnexpectedRedirect),
    "slow down": (Answer(b"", 429, headers={"Retry-After": "0"}), RateLimited),
}


@pytest.mark.parametrize(("answer", "kind"), STOPPING.values(), ids=STOPPING)
async def test_what_holds_for_all_further_messages_is_raised(answer: Answer, kind: type[MensaError]) -> None:
    """Vendors block who goes on with a wrong token; the caller has to know."""
    with pytest.raises(kind) as caught:
        await attempted(doubt_of(EnviaSmsClient("T")), answer)
    assert caught.value.__context__ is None


# ------------------------------------------------------------------------------------------ statuses and reports


@pytest.mark.parametrize("repeat", [True, False])
async def test_an_identifier_that_is_known_is_asked_for_and_nothing_repeated(box: Sandbox, repeat: bool) -> None:
    async with connect(box) as client:
        result = await client.send_sms(NUMBER, "02", variables={"mensaje": "Hola"})
        [outcome] = await settle(client, doubt_of(client, vendor_id=result.message_id), repeat=repeat)
    assert outcome is not None
    assert (outcome.kind, outcome.code, outcome.vendor_id) == (OutcomeKind.ACCEPTED, "status", result.message_id)
    assert "Entregado" in outcome.detail
    assert [request.function for request in box.ledger.requests] == ["send", "status_message"]


async def test_a_message_that_failed_later_was_accepted_all_the_same(box: Sandbox) -> None:
    async with connect(box) as client:
        result = await client.send_sms("+525589520098", "02", variables={"mensaje": "Hola"})
        message = Message("+525589520098", template="02", variables={"mensaje": "Hola"})
        [outcome] = await settle(client, doubt_of(client, message, vendor_id=result.message_id))
    assert outcome is not None
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "No_entregado" in outcome.detail


@pytest.mark.parametrize("vendor_id", ["60si864mv8o3b", "no identifier", "*"])
async def test_an_identifier_that_the_vendor_does_not_know_proves_nothing(box: Sandbox, vendor_id: str) -> None:
    async with connect(box) as client:
        doubt = doubt_of(client, vendor_id=vendor_id)
        assert await settle(client, doubt, repeat=False) == [None]
        assert len(box.ledger) == 0
        [outcome] = await settle(client, doubt)
    assert outcome is not None
    assert outcome.code == "repeated"
    assert len(box.ledger) == 1


async def test_a_report_settles_it_without_a_request() -> None:
    for state in DeliveryState:
        outcome, server = await attempted(doubt_of(EnviaSmsClient("T"), reported=reported(state)))
        assert outcome is not None
        assert (outcome.kind, outcome.code, outcome.vendor_id) == (OutcomeKind.ACCEPTED, "callback", IDENTIFIER)
        assert str(state) in outcome.detail
        assert server.requests == []


async def test_a_status_that_cannot_be_asked_for_is_raised_and_nothing_repeated() -> None:
    broken = Answer(b"", 500)
    with pytest.raises(MensaError) as caught:
        await attempted(doubt_of(EnviaSmsClient("T"), vendor_id=IDENTIFIER), broken)
    assert caught.value.code == "500"


async def test_what_is_found_out_is_not_lost_when_the_next_question_fails() -> None:
    others = [Message(f"+5255895200{n}", template="02") for n in (30, 31)]
    async with Served(sent(), Answer(b"", 500)) as server, server.client() as client:
        doubts = [doubt_of(client), *(doubt_of(client, one, vendor_id=IDENTIFIER) for one in others)]
        found = await settle(client, *doubts)
    assert [one and one.code for one in found] == ["repeated", None, None]
    assert {request.path for request in server.requests[1:]} == {"/api/sms/status_message"}


async def test_a_report_counts_whether_or_not_others_can_be_asked_about() -> None:
    async with Served(Answer(b"", 500)) as server, server.client() as client:
        doubts = [doubt_of(client, vendor_id=IDENTIFIER), doubt_of(client, reported=reported())]
        found = await settle(client, *doubts)
    assert [one and one.code for one in found] == [None, "callback"]


async def test_nothing_in_doubt_takes_no_request() -> None:
    async with Served(STATUS) as server, server.client() as client:
        assert await settle(client) == []
    assert server.requests == []
