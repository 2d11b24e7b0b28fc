"""The sender over real sockets. What was sent is counted in the sandbox's ledger, not in the client."""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from shared import greetings, number, until

from mensasdk import (
    BatchReport,
    BatchSender,
    ConfigurationError,
    MemoryJournal,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    Progress,
    RateLimit,
    RetryPolicy,
    Timeouts,
)
from mensasdk.campaign.request import Carrier
from mensasdk.journal.keys import instance_of
from mensasdk.journal.protocol import Claim, Entry
from mensasdk.limits import WindowLimiter
from mensasdk.sandbox import Fault, Sandbox

SEND = "EnviarSMS"


def adds_up(report: BatchReport, total: int) -> None:
    assert report.total == total
    assert report.accepted + report.rejected + report.not_sent + report.unknown == total
    assert len(list(report.rows())) == total


def nobody_twice(box: Sandbox) -> None:
    assert all(count == 1 for count in box.ledger.numbers().values())


def impatient(box: Sandbox, total: float = 0.3, attempts: int = 1) -> MensatekClient:
    return MensatekClient(
        **box.credentials("mensatek"),
        base_url=box.base_url("mensatek"),
        timeouts=Timeouts(total=total),
        retry=RetryPolicy(attempts=attempts, base=0.01),
        report_waits=(0.0, 0.01),
    )


# ------------------------------------------------------------------------------------------------- the plain way


async def test_messages_are_let_go_of_when_they_have_ended(mensatek: MensatekClient) -> None:
    """Not when the request after theirs is full: sixteen workers would hold a thousand each until their next turn."""
    ended = asyncio.Event()
    held: list[weakref.ref[Message]] = []

    async def source() -> AsyncIterator[Message]:
        for message in greetings(400):
            held.append(weakref.ref(message))
            yield message
        del message
        await ended.wait()
        assert sum(one() is not None for one in held) <= 100, "what the planner made last"
        for message in greetings(100, start=400):
            yield message

    def on_progress(progress: Progress) -> None:
        if progress.done == 400:
            ended.set()

    sender = BatchSender(mensatek, max_recipients=100, max_in_flight=4)
    adds_up(await sender.send(source(), on_progress=on_progress), 500)


async def test_everyone_gets_the_own_text_once(box: Sandbox, mensatek: MensatekClient) -> None:
    report = await BatchSender(mensatek).send(greetings(2500))
    adds_up(report, 2500)
    assert report.accepted == 2500
    assert box.ledger.request_count(SEND) == 3
    texts = {message.number: message.text for message in box.ledger.messages}
    assert texts == {number(index)[1:]: f"Hola Ana {index}" for index in range(2500)}
    assert report.credits == {"mensatek": (box.ledger.charged, "credits")}
    assert report.balance == {"mensatek": (box.mensatek.account.credits, "credits")}
    assert report.parts == sum(message.parts for message in box.ledger.messages)
    assert report.stopped is None


async def test_the_outcome_carries_the_message_as_it_was_given(box: Sandbox, mensatek: MensatekClient) -> None:
    message = Message(" 0034 600-000-001 ", "hola", reference="cita 7")
    [outcome] = [outcome async for outcome in BatchSender(mensatek).stream([message])]
    assert outcome.message is message
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.vendor == "mensatek"
    assert outcome.vendor_id == box.ledger.messages[0].message_id
    assert outcome.parts == 1
    assert outcome.credits == Decimal(1)


async def test_an_iterator_and_an_async_source_do_as_well_as_a_list(mensatek: MensatekClient) -> None:
    async def source() -> AsyncIterator[Message]:
        for message in greetings(20, start=100):
            await asyncio.sleep(0)
            yield message

    sender = BatchSender(mensatek)
    assert (await sender.send(iter(greetings(20)))).accepted == 20
    assert (await sender.send(source())).accepted == 20


async def test_messages_of_different_texts_do_not_share_a_request(box: Sandbox, mensatek: MensatekClient) -> None:
    messages = [Message(number(index), f"texto {index % 3}") for index in range(30)]
    report = await BatchSender(mensatek).send(messages)
    assert report.accepted == 30
    assert box.ledger.request_count(SEND) == 3
    assert {message.number: message.text for message in box.ledger.messages} == {m.to[1:]: m.text for m in messages}


async def test_options_sender_and_schedule_reach_the_vendor(box: Sandbox, mensatek: MensatekClient) -> None:
    at = datetime(2030, 7, 1, 7, 30, tzinfo=UTC)
    options = MensatekOptions(report=True, unicode=True, skip_blacklist=True)
    message = Message(number(1), "hola", sender="CLINICA", schedule_at=at, options=options)
    await BatchSender(mensatek).send([message], campaign="julio")
    params = box.ledger.requests[0].params
    assert params["Remitente"] == "CLINICA"
    assert params["Fecha"] == "2030-07-01 09:30"
    assert params["Report"] == params["Unicode"] == params["Obviarlistanegra"] == 1
    assert instance_of(params["Referenciausuario"])


async def test_bad_messages_are_reported_and_the_rest_goes_out(box: Sandbox, mensatek: MensatekClient) -> None:
    messages = [
        Message("+34 600 00 00 01", "hola"),
        Message("no number", "hola"),
        Message(number(2), ""),
        Message(number(3), "Hola {nombre}", variables={"other": "x"}),
        Message(number(4), "hola", sender="a sender that is too long"),
        Message(number(5), "hola", schedule_at=datetime(2001, 1, 1, tzinfo=UTC)),
    ]
    report = await BatchSender(mensatek).send(messages)
    adds_up(report, 6)
    assert report.accepted == 1
    assert report.by_code == Counter(
        invalid_to=1, invalid_text=1, invalid_variables=1, invalid_sender=1, invalid_schedule_at=1
    )
    assert len(box.ledger) == 1


async def test_the_same_message_twice_is_sent_once_and_reported(box: Sandbox, mensatek: MensatekClient) -> None:
    messages = [*greetings(10), *greetings(10), Message(number(3), "another text")]
    report = await BatchSender(mensatek).send(messages)
    adds_up(report, 21)
    assert (report.accepted, report.not_sent) == (11, 10)
    assert report.by_code == {"duplicate": 10}
    assert len(box.ledger) == 11


async def test_of_two_equal_messages_the_first_is_sent(box: Sandbox, mensatek: MensatekClient) -> None:
    first, second = Message(number(1), "hola"), Message(f" {number(1)}", "hola")
    for journal in (None, MemoryJournal()):
        sender = BatchSender(mensatek, journal=journal, rate=RateLimit(100))
        outcomes = [outcome async for outcome in sender.stream([first, second])]
        assert {outcome.message.to: outcome.kind for outcome in outcomes} == {
            first.to: OutcomeKind.ACCEPTED,
            second.to: OutcomeKind.NOT_SENT,
        }
    assert len(box.ledger) == 2


async def test_numbers_that_the_vendor_drops_are_told_apart(box: Sandbox, mensatek: MensatekClient) -> None:
    box.mensatek.account.blacklist = {number(3)[1:], number(7)[1:]}
    report = await BatchSender(mensatek).send(greetings(10))
    adds_up(report, 10)
    assert (report.accepted, report.rejected) == (8, 2)
    refused = {row["to"] for row in report.rows() if row["outcome"] == "rejected"}
    assert refused == {number(3), number(7)}
    assert {message.number for message in box.ledger.messages} == {
        number(index)[1:] for index in range(10) if index not in {3, 7}
    }


async def test_when_the_report_does_not_tell_which_were_dropped_all_are_unknown(
    box: Sandbox,
) -> None:
    box.mensatek.account.blacklist = {number(3)[1:]}
    box.fail("mensatek", function="GetReportSMS", fault=Fault.STATUS, status=500, times=None)
    async with impatient(box) as client:
        report = await BatchSender(client).send(greetings(5))
    adds_up(report, 5)
    assert report.unknown == 5
    assert report.by_code == {"partial": 5}


# ------------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.HANG, Fault.CUT_BODY, Fault.HTML_PAGE, Fault.EMPTY])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_unknown_and_never_sent_again(box: Sandbox, fault: Fault, when: str) -> None:
    box.fail("mensatek", function=SEND, fault=fault, when=when, nth=2)  # type: ignore[arg-type]
    async with impatient(box, attempts=3) as client:
        report = await BatchSender(client, max_recipients=10, max_in_flight=1).send(greetings(30))
    adds_up(report, 30)
    assert (report.accepted, report.unknown) == (20, 10)
    assert len(box.ledger) == (30 if when == "after" else 20)
    assert box.ledger.request_count(SEND) == 3
    nobody_twice(box)


async def test_a_429_is_waited_out_and_costs_nobody(box: Sandbox) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RATE_LIMIT, when="before", nth=2, times=2, retry_after=0)
    async with impatient(box, total=5, attempts=4) as client:
        report = await BatchSender(client, max_recipients=10, max_in_flight=1).send(greetings(30))
    adds_up(report, 30)
    assert report.accepted == 30
    assert box.ledger.request_count(SEND) == 5
    nobody_twice(box)


async def test_a_429_that_does_not_end_is_not_sent(box: Sandbox) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RATE_LIMIT, when="before", times=None, retry_after=3600)
    async with impatient(box, attempts=4) as client:
        report = await asyncio.wait_for(BatchSender(client, max_in_flight=1).send(greetings(3)), 30)
    assert report.not_sent == 3
    assert len(box.ledger) == 0


async def test_refused_credentials_stop_the_campaign_after_the_first_answer(box: Sandbox) -> None:
    async with MensatekClient("wrong", "wrong", base_url=box.base_url("mensatek")) as client:
        report = await BatchSender(client, max_recipients=1, max_in_flight=1).send(greetings(50))
    adds_up(report, 50)
    assert (report.rejected, report.not_sent) == (1, 49)
    assert report.by_code == {"-1": 1, "stopped": 49}
    assert report.stopped is not None
    assert box.ledger.request_count() == 1


async def test_no_more_requests_are_under_way_than_allowed_when_it_stops(box: Sandbox) -> None:
    async with MensatekClient("wrong", "wrong", base_url=box.base_url("mensatek")) as client:
        report = await BatchSender(client, max_recipients=1, max_in_flight=4).send(greetings(50))
    adds_up(report, 50)
    assert box.ledger.request_count() <= 4


async def test_when_the_credits_run_out_the_rest_is_not_sent(box: Sandbox, mensatek: MensatekClient) -> None:
    box.mensatek.account.credits = Decimal(25)
    report = await BatchSender(mensatek, max_recipients=10, max_in_flight=1).send(greetings(50))
    adds_up(report, 50)
    assert (report.accepted, report.rejected, report.not_sent) == (20, 10, 20)
    assert report.by_code == {"-2": 10, "stopped": 20}
    assert len(box.ledger) == 20
    assert report.balance == {"mensatek": (Decimal(5), "credits")}


async def test_a_defect_in_a_client_is_unknown_and_stops_the_campaign(
    box: Sandbox, mensatek: MensatekClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_keywords: object) -> None:
        raise KeyError("defect")

    monkeypatch.setattr(mensatek, "send_batch", broken)
    report = await BatchSender(mensatek, max_recipients=1, max_in_flight=1).send(greetings(3))
    adds_up(report, 3)
    assert (report.unknown, report.not_sent) == (1, 2)
    assert report.stopped == "an unexpected KeyError"


async def test_a_defect_behind_the_answer_does_not_make_a_sent_message_unsent(
    box: Sandbox, mensatek: MensatekClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Carrier._send

    async def broken(*args: Any, **keywords: Any) -> Any:
        await send(*args, **keywords)
        raise KeyError("defect")

    monkeypatch.setattr(Carrier, "_send", broken)
    report = await BatchSender(mensatek, max_recipients=1, max_in_flight=1).send(greetings(3))
    adds_up(report, 3)
    assert (report.unknown, report.not_sent) == (1, 2)
    assert len(box.ledger) == 1


# --------------------------------------------------------------------------------------- ending before the end


async def test_cancelling_ends_with_a_truthful_report(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG, nth=3, times=None)
    sender = BatchSender(mensatek, max_recipients=10, max_in_flight=2)
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for message in greetings(1000):
            read += 1
            yield message

    task = asyncio.create_task(sender.send(source()))
    await until(lambda: box.ledger.request_count(SEND) == 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    report = sender.report
    assert report is not None
    adds_up(report, read)
    assert (report.accepted, report.unknown) == (20, 20)
    assert report.not_sent == read - 40
    assert len(box.ledger) == 40
    assert box.ledger.request_count(SEND) == 4


async def test_cancelling_while_waiting_for_a_permit_is_not_sent(box: Sandbox, mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, rate=RateLimit(1, per=3600), max_in_flight=2)
    task = asyncio.create_task(sender.send(greetings(5)))
    await until(lambda: len(box.ledger) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sender.report is not None
    assert (sender.report.accepted, sender.report.unknown) == (1, 0)
    assert sender.report.not_sent == sender.report.total - 1
    assert len(box.ledger) == 1


async def test_stop_finishes_what_is_under_way_and_reports_the_rest(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.DELAY, delay=0.05, times=None)
    sender = BatchSender(mensatek, max_recipients=10, max_in_flight=1)

    def progress(state: Progress) -> None:
        if state.done >= 20:
            sender.stop("enough")

    report = await sender.send(greetings(100), on_progress=progress)
    adds_up(report, 100)
    assert (report.accepted, report.not_sent, report.unknown) == (20, 80, 0)
    assert report.stopped == "enough"
    assert len(box.ledger) == 20


async def test_stop_does_not_wait_for_permits(box: Sandbox, mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, rate=RateLimit(1, per=3600), max_in_flight=3)
    task = asyncio.create_task(sender.send(greetings(20)))
    await until(lambda: len(box.ledger) == 1)
    sender.stop()
    report = await asyncio.wait_for(task, 5)
    adds_up(report, 20)
    assert (report.accepted, report.not_sent) == (1, 19)
    assert report.by_code == {"stopped": 19}


@pytest.mark.parametrize("streamed", [False, True])
async def test_abandoning_ends_with_every_outcome(box: Sandbox, mensatek: MensatekClient, streamed: bool) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG, nth=2, times=None)
    sender = BatchSender(mensatek, max_recipients=10, max_in_flight=2)
    outcomes: list[Outcome] = []

    async def run() -> None:
        if streamed:
            outcomes.extend([outcome async for outcome in sender.stream(greetings(100))])
        else:
            await sender.send(greetings(100))

    task = asyncio.create_task(run())
    await until(lambda: box.ledger.request_count(SEND) == 3)
    sender.stop("enough")
    await asyncio.sleep(0.05)
    assert not task.done()  # a gentle stop waits for answers
    sender.stop(abandon=True)
    await asyncio.wait_for(task, 5)
    report = sender.report
    assert report is not None
    assert (report.total, report.accepted, report.unknown, report.not_sent) == (100, 10, 20, 70)
    assert report.by_code == {"abandoned": 20, "stopped": 70}
    assert report.stopped == "enough"
    if streamed:
        assert Counter(outcome.kind for outcome in outcomes) == {
            OutcomeKind.ACCEPTED: 10,
            OutcomeKind.UNKNOWN: 20,
            OutcomeKind.NOT_SENT: 70,
        }


async def test_a_cancellation_beats_an_abandonment(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG, times=None)
    sender = BatchSender(mensatek, max_recipients=10, max_in_flight=2)
    task = asyncio.create_task(sender.send(greetings(20)))
    await until(lambda: box.ledger.request_count(SEND) == 2)
    sender.stop(abandon=True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sender.report is not None
    assert (sender.report.total, sender.report.unknown) == (20, 20)


async def test_leaving_a_stream_early_cancels_the_campaign(box: Sandbox, mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, max_recipients=5, max_in_flight=2)
    async with aclosing(sender.stream(greetings(1000))) as outcomes:
        async for outcome in outcomes:
            assert outcome.kind is OutcomeKind.ACCEPTED
            break
    assert not [task for task in asyncio.all_tasks() if "mensasdk/campaign" in repr(task)]
    assert len(box.ledger) < 1000
    assert sender.report is not None
    assert sender.report.accepted <= len(box.ledger) <= sender.report.accepted + sender.report.unknown


async def test_slow_reading_slows_the_sending(box: Sandbox, mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, max_recipients=1, max_in_flight=2)
    async with aclosing(sender.stream(greetings(500))) as outcomes:
        await anext(outcomes)
        await asyncio.sleep(0.2)
        assert len(box.ledger) <= 8


async def test_an_error_of_the_source_reaches_the_caller_and_loses_nothing(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    def source() -> Iterator[Message]:
        yield from greetings(25)
        raise LookupError("the file ends in the middle")

    sender = BatchSender(mensatek, max_recipients=10)
    with pytest.raises(LookupError):
        await sender.send(source())
    assert sender.report is not None
    adds_up(sender.report, 25)
    assert sender.report.accepted == len(box.ledger) == 20
    assert sender.report.by_code == {"interrupted": 5}


async def test_a_stream_gives_what_was_read_before_the_source_failed(mensatek: MensatekClient) -> None:
    def source() -> Iterator[Message]:
        yield from greetings(25)
        raise LookupError("the file ends in the middle")

    kinds: Counter[OutcomeKind] = Counter()

    async def read() -> None:
        async for outcome in BatchSender(mensatek, max_recipients=10).stream(source()):
            kinds[outcome.kind] += 1

    with pytest.raises(LookupError):
        await read()
    assert kinds == {OutcomeKind.ACCEPTED: 20, OutcomeKind.NOT_SENT: 5}


async def test_parts_are_counted_as_the_vendor_counts_them(box: Sandbox, mensatek: MensatekClient) -> None:
    accents = "á" * 100  # replaced by the vendor, so one part; in Unicode two
    unicode = Message(number(1), accents, options=MensatekOptions(unicode=True))
    report = await BatchSender(mensatek).send([Message(number(0), accents), unicode])
    assert report.parts == 3 == sum(message.parts for message in box.ledger.messages)


async def test_an_error_of_a_progress_callback_is_logged_and_ends_nothing(
    box: Sandbox, mensatek: MensatekClient, caplog: pytest.LogCaptureFixture
) -> None:
    def progress(_state: Progress) -> None:
        raise ZeroDivisionError("600000001")

    report = await BatchSender(mensatek, max_recipients=10, max_in_flight=1).send(greetings(30), on_progress=progress)
    assert report.accepted == len(box.ledger) == 30
    assert [record.getMessage() for record in caplog.records] == [
        f"on_progress raised ZeroDivisionError in campaign {report.campaign}"
    ] * 3


async def test_an_async_progress_callback_is_awaited(box: Sandbox, mensatek: MensatekClient) -> None:
    seen: list[int] = []

    async def progress(state: Progress) -> None:
        await asyncio.sleep(0)
        seen.append(state.done)

    await BatchSender(mensatek, max_recipients=10, max_in_flight=1).send(greetings(30), on_progress=progress)
    assert seen == [10, 20, 30]


async def test_the_report_says_whether_it_is_complete_and_how_long_requests_took(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.DELAY, delay=0.2, when="before", nth=1)
    sender = BatchSender(mensatek, max_recipients=10, max_in_flight=1)
    report = await sender.send(greetings(30))
    assert report.complete
    latency = report.latency
    assert latency.requests == 3
    assert latency.p50 <= latency.p95 <= latency.p99 == latency.longest >= 0.2
    assert 0.2 / 3 < latency.mean <= latency.longest

    def source() -> Iterator[Message]:
        yield from greetings(5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sender.send(source())
    assert sender.report is not None
    assert not sender.report.complete


async def test_outcomes_can_be_read_back_from_the_report(box: Sandbox, mensatek: MensatekClient) -> None:
    messages = [Message(number(1), "hola", reference="a"), Message("bad", "hola")]
    report = await BatchSender(mensatek).send(messages)
    found = {one.message.to: one for one in report.outcomes()}
    assert {to: one.kind for to, one in found.items()} == {
        number(1): OutcomeKind.ACCEPTED,
        "bad": OutcomeKind.NOT_SENT,
    }
    assert found[number(1)].message.reference == "a"
    assert found[number(1)].vendor_id
    assert found["bad"].code == "invalid_to"


@pytest.mark.slow
async def test_statistics_show_who_is_under_way_and_who_waits(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.DELAY, delay=0.3, when="before", times=None)
    shared = WindowLimiter(RateLimit(20))
    sender = BatchSender(mensatek, rate=shared, max_recipients=10, max_in_flight=3)
    task = asyncio.create_task(sender.send(greetings(40)))
    await asyncio.sleep(0.15)
    [route] = sender.statistics()
    assert (route.vendor, route.in_flight, route.is_paused, route.closed) == ("mensatek", 3, False, None)
    assert route.messages == shared.statistics()
    assert route.messages.granted == 10
    assert route.messages.waiting == 2
    assert (await task).accepted == 40
    assert sender.statistics()[0].in_flight == 0


async def test_a_message_that_came_too_late_is_not_sent(box: Sandbox, mensatek: MensatekClient) -> None:
    now = datetime.now(UTC)
    messages = [
        Message(number(1), "hola", not_after=now - timedelta(seconds=1)),
        Message(number(2), "hola", not_after=now + timedelta(hours=1)),
        Message(number(3), "hola"),
    ]
    report = await BatchSender(mensatek).send(messages)
    assert (report.accepted, report.not_sent) == (2, 1)
    assert report.by_code == {"expired": 1}
    assert set(box.ledger.numbers()) == {number(2)[1:], number(3)[1:]}


# ------------------------------------------------------------------------------------------------------- limits


async def test_a_request_holds_no_more_than_a_window_allows(box: Sandbox, mensatek: MensatekClient) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    report = await BatchSender(mensatek, rate=RateLimit(20, per=0.2)).send(greetings(60))
    assert report.accepted == 60
    # The third window cannot begin before two have passed. (A lower bound: no load can break it.)
    assert loop.time() - begun >= 0.4
    assert max(request.n_accepted for request in box.ledger.requests) <= 20


async def test_requests_have_a_limit_of_their_own(mensatek: MensatekClient) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    sender = BatchSender(mensatek, request_rate=RateLimit(2, per=0.2), max_recipients=10)
    assert (await sender.send(greetings(60))).accepted == 60
    assert loop.time() - begun >= 0.4


async def test_no_more_requests_are_under_way_than_allowed(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG, times=None)
    sender = BatchSender(mensatek, max_recipients=1, max_in_flight=3)
    task = asyncio.create_task(sender.send(greetings(20)))
    await until(lambda: box.ledger.request_count(SEND) == 3)
    await asyncio.sleep(0.1)
    assert box.ledger.request_count(SEND) == 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("keywords", [{"max_in_flight": 0}, {"max_recipients": 0}])
async def test_nonsense_limits_are_refused(mensatek: MensatekClient, keywords: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        BatchSender(mensatek, **keywords)  # type: ignore[arg-type]


async def test_one_sender_runs_one_campaign_at_a_time(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.HANG)
    sender = BatchSender(mensatek)
    task = asyncio.create_task(sender.send(greetings(1)))
    await until(lambda: box.ledger.request_count(SEND) == 1)
    with pytest.raises(ConfigurationError):
        await sender.send(greetings(1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await sender.send(greetings(1, start=5))).accepted == 1


# ------------------------------------------------------------------------------------------------------ journal


async def test_a_campaign_that_is_given_again_sends_only_what_was_not_sent(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    journal = MemoryJournal()
    box.mensatek.account.credits = Decimal(30)
    sender = BatchSender(mensatek, journal=journal, max_recipients=10, max_in_flight=1)
    first = await sender.send(greetings(50), campaign="citas")
    assert (first.accepted, first.rejected, first.not_sent) == (30, 10, 10)
    box.mensatek.account.credits = Decimal(100)
    second = await sender.send(greetings(50), campaign="citas")
    adds_up(second, 50)
    # Those of the request that the account could not pay for have not been judged: they go out now.
    assert (second.accepted, second.not_sent) == (20, 30)
    nobody_twice(box)
    assert len(box.ledger) == 50


class BrokenJournal(MemoryJournal):
    """Fails where a full disk would."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        if self.step == "load":
            raise OSError(28, "No space left on device")
        return await super().load(campaign, rows)

    async def claim(self, campaign: str, lo: int, hi: int, **how: Any) -> Claim:
        if self.step == "claim":
            raise OSError(28, "No space left on device")
        return await super().claim(campaign, lo, hi, **how)

    async def settle(self, campaign: str, claim: Claim, outcomes: Sequence[tuple[int, Outcome]], **how: Any) -> None:
        if self.step == "settle":
            raise OSError(28, "No space left on device")
        await super().settle(campaign, claim, outcomes, **how)


@pytest.mark.parametrize("step", ["load", "claim"])
async def test_without_a_record_nothing_is_sent(box: Sandbox, mensatek: MensatekClient, step: str) -> None:
    sender = BatchSender(mensatek, journal=BrokenJournal(step), max_recipients=10, max_in_flight=1)
    report = await sender.send(greetings(30))
    adds_up(report, 30)
    assert report.not_sent == 30
    assert report.by_code == {"journal": 10, "stopped": 20}
    assert box.ledger.request_count() == 0


async def test_a_journal_that_fails_at_the_end_does_not_turn_a_sent_message_into_an_unsent_one(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    sender = BatchSender(mensatek, journal=BrokenJournal("settle"), max_recipients=10, max_in_flight=1)
    report = await sender.send(greetings(30))
    adds_up(report, 30)
    assert (report.accepted, report.not_sent) == (10, 20)
    assert len(box.ledger) == 10
    assert report.stopped is not None


async def test_of_two_copies_the_first_goes_out_even_while_it_waits(box: Sandbox, mensatek: MensatekClient) -> None:
    """The copy comes in another request, while the first one waits for its permit."""
    first, copy = Message(number(1), "hola", reference="a"), Message(number(1), "hola", reference="a")
    other = Message(number(2), "something else first")
    sender = BatchSender(mensatek, rate=RateLimit(1, per=0.2), max_in_flight=4)
    outcomes = [outcome async for outcome in sender.stream([other, first, copy])]
    assert {id(one.message): one.kind for one in outcomes} == {
        id(other): OutcomeKind.ACCEPTED,
        id(first): OutcomeKind.ACCEPTED,
        id(copy): OutcomeKind.NOT_SENT,
    }
    assert len(box.ledger) == 2
