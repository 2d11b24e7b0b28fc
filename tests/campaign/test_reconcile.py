"""Unknown messages, settled through the sender by each vendor's own means: counted at the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mensasdk import (
    BatchReport,
    BatchSender,
    ConfigurationError,
    Delivery,
    DeliveryState,
    EnviaSmsClient,
    EnviaSmsOptions,
    EnviaTuSmsClient,
    JournalError,
    MemoryJournal,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    Progress,
    RetryPolicy,
    Route,
    Router,
    SmsGateway24Client,
    SqliteJournal,
    ValidationError,
    mark,
)
from mensasdk.delivery import DeliveryLog, DeliveryReceiver, delivered
from mensasdk.journal import Record, State
from mensasdk.journal.keys import request_reference
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.vendors import mensatek as mensatek_vendor
from mensasdk.vendors.envia_sms import reconcile as envia_sms_reconcile

AnyJournal = MemoryJournal | SqliteJournal
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AnyJournal:
    return MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.sqlite")


@pytest.fixture
async def grouping(box: Sandbox) -> AsyncIterator[MensatekClient]:
    async with MensatekClient(
        **box.credentials("mensatek"), base_url=box.base_url("mensatek"), group_sends=True, retry=ONCE
    ) as client:
        yield client


@pytest.fixture
async def phones(box: Sandbox) -> AsyncIterator[SmsGateway24Client]:
    async with SmsGateway24Client(
        **box.credentials("smsgateway24"), base_url=box.base_url("smsgateway24"), device_id="260", retry=ONCE
    ) as client:
        yield client


def people(count: int, prefix: str = "+346", **more: Any) -> list[Message]:
    width = (12 if prefix.startswith("+34") else 13) - len(prefix)
    return [
        Message(f"{prefix}{index:0{width}d}", "Hola {n}", variables={"n": f"Ana {index}"}, **more)
        for index in range(count)
    ]


def sender(client: Any, journal: AnyJournal, **more: Any) -> BatchSender:
    return BatchSender(client, journal=journal, max_recipients=10, max_in_flight=2, breaker=None, **more)


def sums(report: BatchReport) -> tuple[int, int, int, int]:
    return report.accepted, report.rejected, report.not_sent, report.unknown


# -------------------------------------------------------------------------------------------------------- Mensatek


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_within_a_group_is_repeated_and_nobody_gets_two(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal, when: Any
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when=when, nth=3)
    first = await sender(grouping, journal).send(people(41), campaign="c")
    assert first.unknown == 10
    report = await sender(grouping, journal).reconcile("c", repeat=True)
    assert (report.total, report.accepted) == (10, 10)
    assert set(report.by_code) == {"repeated" if when == "before" else "report"}
    assert box.ledger.numbers() == Counter({message.to[1:]: 1 for message in people(41)})
    assert (await journal.progress("c"))[State.ACCEPTED] == 41


async def test_the_first_of_a_group_goes_out_alone_and_all_others_under_its_id(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    report = await sender(grouping, journal).send(people(35), campaign="c")
    assert report.accepted == 35
    ids = [request.params.get("Idmensaje") for request in box.ledger.requests]
    opener = box.ledger.messages[0].message_id
    assert ids[0] is None
    assert {str(one) for one in ids[1:]} == {opener}
    assert len(box.ledger.requests[0].params["Destinatarios"]) == 1
    records = await journal.read("c")
    assert Counter(record.group for record in records) == {None: 1, opener: 34}


async def test_an_opener_that_is_unknown_is_followed_by_another(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=1)
    report = await sender(grouping, journal).send(people(30), campaign="c")
    assert sums(report) == (29, 0, 0, 1)
    assert set(box.ledger.numbers().values()) == {1}


async def test_a_resumed_campaign_opens_a_group_of_its_own(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    one = sender(grouping, journal)

    def stop(now: Progress) -> None:
        if now.done >= 21:
            one.stop()

    assert (await one.send(people(60), campaign="c", on_progress=stop)).not_sent > 0
    report = await sender(grouping, journal).resume("c", people(60))
    assert report.accepted == 60
    openers = [request for request in box.ledger.requests if request.params.get("Idmensaje") is None]
    assert len(openers) == 2
    assert set(box.ledger.numbers().values()) == {1}


async def test_a_second_message_to_a_number_goes_out_beside_the_group(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    """Within it the vendor would drop the second."""
    second = [Message(message.to, "otra cosa") for message in people(15)]
    report = await sender(grouping, journal).send([*people(15), *second], campaign="c")
    assert report.accepted == 30
    assert set(box.ledger.numbers().values()) == {2}
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    third = [Message(message.to, "y otra") for message in people(15)]
    report = await sender(grouping, journal).resume("c", third, again=True)
    assert report.total == 45
    assert set(box.ledger.numbers().values()) == {3}
    assert len([one for one in box.ledger.requests if one.params.get("Idmensaje") is None]) >= 3


async def test_a_group_that_is_full_is_followed_by_another(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mensasdk.campaign.groups.GROUP_SIZE", 20)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=5)
    first = await sender(grouping, journal).send(people(60), campaign="c")
    assert first.unknown > 0
    report = await sender(grouping, journal).reconcile("c")
    assert report.unknown <= 1
    groups = Counter(record.group for record in await journal.read("c"))
    assert len(groups) >= 4
    assert set(box.ledger.numbers().values()) == {1}


async def test_a_callback_under_our_reference_settles_its_whole_request(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    log = DeliveryLog(journal)
    receiver = DeliveryReceiver(mensatek_vendor.parse_callback, log.handle, password="secret of the test")
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    async with receiver.serve() as url:
        box.callbacks(url, vendor="mensatek", auth=("", "secret of the test"))
        wanted = people(30, options=MensatekOptions(report=True))
        first = await sender(mensatek, journal).send(wanted, campaign="c")
        await box.drain()
    assert first.unknown == 10
    report = await sender(mensatek, journal).reconcile("c")
    assert sums(report) == (10, 0, 0, 0)
    assert set(report.by_code) <= {"callback", "report"}
    assert report.by_code["callback"] >= 1
    by_number = {row["to"]: row["vendor_id"] for row in report.rows()}
    assert by_number.items() <= {f"+{one.number}": one.message_id for one in box.ledger.messages}.items()


async def test_without_any_means_all_stay_unknown_and_nothing_is_sent(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=1)
    await sender(mensatek, journal).send(people(10), campaign="c")
    before = box.ledger.request_count("EnviarSMS")
    report = await sender(mensatek, journal).reconcile("c", repeat=True)
    assert sums(report) == (0, 0, 0, 10)
    assert box.ledger.request_count("EnviarSMS") == before
    assert (await journal.progress("c"))[State.UNKNOWN] == 10


# ---------------------------------------------------------------------------------------------------- other vendors


async def test_phones_know_by_the_customer_id(box: Sandbox, phones: SmsGateway24Client, journal: AnyJournal) -> None:
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", nth=2)
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="before", nth=3)
    first = await sender(phones, journal).send(people(8), campaign="c")
    assert first.unknown == 2
    report = await sender(phones, journal).reconcile("c")
    assert sums(report) == (1, 0, 0, 1)
    assert report.by_code["customer_id"] == 1
    assert len(box.ledger) == 7


@pytest.mark.parametrize("when", ["before", "after"])
async def test_within_the_hour_a_mexican_message_can_be_repeated(
    box: Sandbox, journal: AnyJournal, when: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Near the full hour the client would not: the vendor may mean the hour of the clock.
    monkeypatch.setattr(envia_sms_reconcile, "repeatable_until", lambda asked_at: asked_at + timedelta(minutes=50))
    box.fail("envia_sms", function="send", fault=Fault.RESET, when=when, nth=2)
    options = EnviaSmsOptions(template="02", text_variable="mensaje")
    async with EnviaSmsClient(**box.credentials("envia_sms"), base_url=box.base_url("envia_sms"), retry=ONCE) as client:
        route = Router([Route(client, options=options, max_in_flight=2, breaker=None)])
        once = BatchSender(route, journal=journal)
        first = await once.send(people(5, "+5255"), campaign="c")
        assert first.unknown == 1
        assert sums(await once.reconcile("c")) == (0, 0, 0, 1)
        assert sums(await once.reconcile("c", repeat=True)) == (1, 0, 0, 0)
    assert len(box.ledger) == 5
    assert set(box.ledger.numbers().values()) == {1}


async def test_venezuela_is_left_to_a_person(box: Sandbox, journal: AnyJournal) -> None:
    box.fail("enviatusms", function="sms-multi", fault=Fault.RESET, when="after", nth=1)
    async with EnviaTuSmsClient(
        **box.credentials("enviatusms"), base_url=box.base_url("enviatusms"), retry=ONCE
    ) as client:
        first = await sender(client, journal).send(people(4, "+58414"), campaign="c")
        assert first.unknown == 4
        assert sums(await sender(client, journal).reconcile("c", repeat=True)) == (0, 0, 0, 4)
        numbers = [message.to for message in people(4, "+58414")]
        assert await mark(journal, "c", OutcomeKind.ACCEPTED, numbers=numbers[:3]) == 3
        assert await mark(journal, "c", OutcomeKind.NOT_SENT) == 1
        report = await sender(client, journal).resume("c")
    assert sums(report) == (4, 0, 0, 0)
    assert report.by_code["person"] == 3
    assert box.ledger.numbers()[numbers[3][1:]] == 2  # the person was wrong, and that is the person's doing


# -------------------------------------------------------------------------------------------------- several vendors


async def test_each_vendor_is_asked_about_its_own_also_after_a_failover(
    box: Sandbox, mensatek: MensatekClient, phones: SmsGateway24Client, journal: AnyJournal
) -> None:
    """Mensatek says 401, the phones take over, and the answer for one of them is lost."""
    box.fail("mensatek", function="EnviarSMS", fault=Fault.STATUS, status=401, when="before", times=None)
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", nth=2)
    router = Router([Route(mensatek, max_in_flight=1), Route(phones, max_in_flight=1)])
    first = await BatchSender(router, journal=journal).send(people(5), campaign="c")
    assert sums(first) == (4, 0, 0, 1)
    [record] = await journal.read("c", states={State.UNKNOWN})
    assert record.vendor == "smsgateway24"
    report = await BatchSender(router, journal=journal).reconcile("c")
    assert sums(report) == (1, 0, 0, 0)
    assert set(box.ledger.numbers().values()) == {1}


async def test_a_vendor_that_is_not_among_the_routes_is_not_asked(
    box: Sandbox, mensatek: MensatekClient, phones: SmsGateway24Client, journal: AnyJournal
) -> None:
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", nth=1)
    await sender(phones, journal).send(people(1), campaign="c")
    report = await sender(mensatek, journal).reconcile("c")
    assert sums(report) == (0, 0, 0, 1)
    [row] = report.rows()
    assert row["vendor"] == "smsgateway24"


async def test_with_two_accounts_of_one_vendor_nothing_is_repeated(
    box: Sandbox, grouping: MensatekClient, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=2)
    await sender(grouping, journal).send(people(5), campaign="c")
    before = box.ledger.request_count("EnviarSMS")
    report = await BatchSender(Router([grouping, mensatek]), journal=journal).reconcile("c", repeat=True)
    assert report.unknown == 4
    assert box.ledger.request_count("EnviarSMS") == before


# ------------------------------------------------------------------------------------------------------ when it fails


async def test_a_vendor_that_cannot_be_asked_leaves_all_in_doubt_and_says_why(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    await sender(grouping, journal).send(people(11), campaign="c")
    box.fail("mensatek", function="GetReportSMS", fault=Fault.RESET, when="before", times=None)
    report = await sender(grouping, journal).reconcile("c", repeat=True)
    assert sums(report) == (0, 0, 0, 9)
    assert all("could not be asked" in row["detail"] for row in report.rows())
    assert (await journal.progress("c"))[State.UNKNOWN] == 9


async def test_a_repetition_that_is_lost_as_well_can_be_repeated_again(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=2)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    await sender(grouping, journal).send(people(10), campaign="c")
    assert sums(await sender(grouping, journal).reconcile("c", repeat=True)) == (0, 0, 0, 9)
    assert sums(await sender(grouping, journal).reconcile("c", repeat=True)) == (9, 0, 0, 0)
    assert set(box.ledger.numbers().values()) == {1}


async def test_whoever_opted_out_meanwhile_is_not_sent_to_again(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=2)
    await sender(grouping, journal).send(people(4), campaign="c")

    def unwilling(message: Message, number: str) -> Message:
        if number.endswith("2"):
            raise ValidationError("opted out", field="to", code="opted_out")
        return message

    report = await sender(grouping, journal, screens=[unwilling]).reconcile("c", repeat=True)
    assert sums(report) == (2, 0, 0, 1)
    assert "34600000002" not in box.ledger.numbers()


async def test_refused_credentials_are_tried_once_and_leave_all_in_doubt(
    box: Sandbox, phones: SmsGateway24Client, journal: AnyJournal
) -> None:
    """Vendors block addresses that keep trying."""
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", times=None)
    await sender(phones, journal).send(people(12), campaign="c")
    box.fail("smsgateway24", function="getallsms", fault=Fault.STATUS, status=403, when="before", times=None)
    before = box.ledger.request_count("getallsms")
    report = await sender(phones, journal).reconcile("c")
    assert report.unknown == 12
    assert report.stopped is not None
    assert box.ledger.request_count("getallsms") == before + 1


async def test_numbers_in_any_spelling_are_matched_after_a_resume_as_well(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=1)
    one = sender(mensatek, journal)
    nonce = (await journal.open("c")).nonce
    await journal.close("c")
    await one.resume("c", [Message("0034 600 00 00 01", "hola")])
    await journal.deliver(
        [Delivery("mensatek", "9", number="+34600000001", state=DeliveryState.SENT, code="1", reference=f"{nonce}.0")]
    )
    report = await one.reconcile("c")
    assert (report.accepted, report.by_code["callback"]) == (1, 1)
    assert await mark(journal, "c", OutcomeKind.ACCEPTED, numbers=["+34600000001"]) == 0


async def test_a_message_that_the_client_does_not_take_any_more_says_so(
    box: Sandbox, phones: SmsGateway24Client, journal: AnyJournal
) -> None:
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", nth=1)
    await sender(phones, journal).send(people(1), campaign="c")
    async with SmsGateway24Client(
        **box.credentials("smsgateway24"), base_url=box.base_url("smsgateway24")
    ) as without_device:
        report = await sender(without_device, journal).reconcile("c")
    [row] = report.rows()
    assert (row["outcome"], "device" in row["detail"]) == ("unknown", True)


async def test_reconciling_twice_finds_nothing_left_and_tells_its_progress(
    box: Sandbox, grouping: MensatekClient, journal: AnyJournal
) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    await sender(grouping, journal).send(people(11), campaign="c")
    told: list[Progress] = []
    await sender(grouping, journal).reconcile("c", on_progress=told.append)
    assert [(one.done, one.total) for one in told] == [(9, 9)]
    again = await sender(grouping, journal).reconcile("c")
    assert again.total == 0


async def test_a_campaign_that_is_being_sent_or_does_not_exist_is_refused(
    mensatek: MensatekClient, journal: AnyJournal
) -> None:
    with pytest.raises(ConfigurationError, match="no campaign"):
        await sender(mensatek, journal).reconcile("c")
    await journal.open("c")
    with pytest.raises(ConfigurationError, match="being sent"):
        await sender(mensatek, journal).reconcile("c")
    with pytest.raises(ConfigurationError, match="being sent"):
        await mark(journal, "c", OutcomeKind.ACCEPTED)
    await journal.close("c")
    with pytest.raises(ConfigurationError, match="UNKNOWN"):
        await mark(journal, "c", OutcomeKind.UNKNOWN)
    with pytest.raises(ConfigurationError, match="keeps no outcomes"):
        await BatchSender(mensatek).reconcile("c")


class FailingJournal(MemoryJournal):
    """A journal of which one call fails, once.

    Args:
        step: which method.
        nth: the how many-th call of it while ``reconcile`` is at work.
    """

    def __init__(self, step: str, nth: int) -> None:
        super().__init__()
        self._step, self._left = step, nth
        self.is_watched = False

    def _fail(self, step: str) -> None:
        if self.is_watched and step == self._step:
            self._left -= 1
            if self._left == 0:
                raise JournalError("the journal cannot be used: database or disk is full")

    async def read(self, campaign: str, **more: Any) -> Sequence[Record]:
        self._fail("read")
        return await super().read(campaign, **more)

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        self._fail("deliveries")
        return await super().deliveries(vendor, numbers)

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], **how: Any) -> None:
        self._fail("resolve")
        await super().resolve(campaign, outcomes, **how)


async def all_lost(box: Sandbox, phones: SmsGateway24Client, journal: AnyJournal, count: int) -> None:
    """Send to some people in a request each, which all lose their answer after the vendor has taken them."""
    box.fail("smsgateway24", function="addsms", fault=Fault.RESET, when="after", times=None)
    assert (await sender(phones, journal).send(people(count), campaign="c")).unknown == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "nth", "kept", "asked"),
    [
        ("read", 4, 2, 2),  # of the third request, since there is one read before all: the second is being asked about
        ("deliveries", 3, 2, 2),
        ("resolve", 2, 2, 3),  # of the second request, while the third is being asked about
        ("deliveries", 2, 1, 1),  # of the second request, before the third is asked about, which then is not
    ],
)
async def test_a_journal_that_fails_meanwhile_is_one_error_and_what_is_under_way_comes_to_its_end(
    box: Sandbox, phones: SmsGateway24Client, step: str, nth: int, kept: int, asked: int
) -> None:
    """One question goes alone, then two go together, of which one meets the failure."""
    journal = FailingJournal(step, nth)
    await all_lost(box, phones, journal, 7)
    box.fail("smsgateway24", function="getallsms", fault=Fault.DELAY, delay=0.2, times=None)
    journal.is_watched = True
    asking = sender(phones, journal)
    with pytest.raises(JournalError, match="disk is full"):
        await asking.reconcile("c")
    found = await journal.progress("c")
    assert (found[State.ACCEPTED], found[State.UNKNOWN]) == (kept, 7 - kept)
    assert asking.report is not None
    assert sums(asking.report) == (asked, 0, 0, 3 - asked)
    assert box.ledger.request_count("getallsms") == asked
    assert sums(await asking.reconcile("c")) == (7 - kept, 0, 0, 0)
    assert set(box.ledger.numbers().values()) == {1}


class SpoiledFile(SqliteJournal):
    """A journal whose file cannot be written any more, from the second time on that something was found out."""

    found_out = 0

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], **how: Any) -> None:
        self.found_out += 1
        if self.found_out == 2:
            await self._thread.do(lambda store: store._connect().execute("PRAGMA query_only = ON"))
        await super().resolve(campaign, outcomes, **how)


async def test_a_file_that_fails_meanwhile_keeps_what_was_found_out_before(
    box: Sandbox, phones: SmsGateway24Client, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    await all_lost(box, phones, SqliteJournal(path), 5)
    with pytest.raises(JournalError, match="readonly"):
        await sender(phones, SpoiledFile(path)).reconcile("c")
    found = await SqliteJournal(path).progress("c")
    assert (found[State.ACCEPTED], found[State.UNKNOWN]) == (1, 4)
    assert sums(await sender(phones, SqliteJournal(path)).reconcile("c")) == (4, 0, 0, 0)


async def test_a_screen_that_is_broken_is_the_error_that_it_raised(
    box: Sandbox, phones: SmsGateway24Client, journal: AnyJournal
) -> None:
    await all_lost(box, phones, journal, 5)

    def broken(message: Message, number: str) -> Message:
        if number.endswith("2"):
            raise KeyError("a defect")
        return message

    with pytest.raises(KeyError, match="a defect"):
        await sender(phones, journal, screens=[broken]).reconcile("c")
    assert (await journal.progress("c"))[State.ACCEPTED] == 2


# -------------------------------------------------------------------------------------------- reports and messages


async def test_reports_are_matched_to_messages_also_when_they_came_first(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    """Parked until the answer to the send is in; twice and out of order; and one of somebody unknown."""
    log = DeliveryLog(journal)

    def report(index: int, state: DeliveryState, reference: str | None, vendor_id: str | None) -> Delivery:
        return Delivery("mensatek", vendor_id, number=f"+346{index:08d}", state=state, code="x", reference=reference)

    reference = request_reference((await journal.open("c")).nonce, 0)
    await journal.close("c")
    await log.handle(report(0, DeliveryState.DELIVERED, reference, "77"))
    await log.handle(report(0, DeliveryState.SENT, reference, "77"))
    await log.handle(report(9, DeliveryState.DELIVERED, "other.0", "78"))
    await sender(mensatek, journal).send(people(3), campaign="c")
    last = box.ledger.messages[-1]
    await log.handle(report(2, DeliveryState.FAILED, None, last.message_id))
    await log.handle(report(1, DeliveryState.FAILED, None, "of another campaign"))
    found = [(record.number, one and one.state.value) async for record, one in delivered(journal, "c")]
    assert found == [("+34600000000", "delivered"), ("+34600000001", None), ("+34600000002", "failed")]


async def test_what_is_no_report_goes_elsewhere(journal: AnyJournal) -> None:
    others: list[object] = []

    async def otherwise(value: object) -> None:
        others.append(value)

    await DeliveryLog(journal, otherwise=otherwise).handle("a received message")
    await DeliveryLog(journal).handle("a received message")
    assert others == ["a received message"]
