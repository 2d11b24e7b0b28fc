"""A campaign is an instance, and is what it was; counted in the sandbox's ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from shared import until

from mensasdk import (
    BatchSender,
    ConfigurationError,
    MemoryJournal,
    MensatekClient,
    Message,
    Route,
    Router,
    SmsGateway24Client,
    SmsGateway24Options,
    SqliteJournal,
)
from mensasdk.delivery import DeliveryLog, DeliveryReceiver, delivered
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.vendors import mensatek as mensatek_vendor

AnyJournal = MemoryJournal | SqliteJournal
REPORTED = mensatek_vendor.MensatekOptions(report=True)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AnyJournal:
    return MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.sqlite")


def people(text: str, count: int = 8, **more: Any) -> list[Message]:
    return [Message(f"+34611{index:06d}", text, **more) for index in range(count)]


def most(box: Sandbox) -> int:
    return max(box.ledger.numbers().values())


# -------------------------------------------------------------------------------------------- proof of another


@pytest.mark.slow
@pytest.mark.parametrize("other", ["after a purge", "in another journal"])
async def test_reports_of_an_earlier_campaign_of_the_name_prove_nothing(
    journal: AnyJournal, tmp_path: Path, other: str
) -> None:
    log = DeliveryLog(journal)
    receiver = DeliveryReceiver(mensatek_vendor.parse_callback, log.handle, user="u", password="p")
    async with Sandbox(delivery_delay=0.3) as box, receiver.serve() as url:
        box.callbacks(url, vendor="mensatek", auth=("u", "p"))
        async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as client:
            first = journal if other == "after a purge" else SqliteJournal(tmp_path / "first.sqlite")
            await BatchSender(client, journal=first).send(people("uno", options=REPORTED), campaign="diario")
            if other == "after a purge":
                await journal.purge("diario")
            await box.drain()
            box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before")
            sender = BatchSender(client, journal=journal)
            await sender.send(people("dos", options=REPORTED), campaign="diario")
            found = await sender.reconcile("diario")
            assert (found.accepted, found.unknown) == (0, 8)
            assert [one async for _, one in delivered(journal, "diario")] == [None] * 8
            assert {message.text for message in box.ledger.messages} == {"uno"}


@pytest.mark.parametrize("bulk", ["single", "many"])
async def test_what_a_list_has_of_another_campaign_proves_nothing(box: Sandbox, journal: AnyJournal, bulk: Any) -> None:
    account = {**box.credentials("smsgateway24"), "base_url": box.base_url("smsgateway24")}
    async with SmsGateway24Client(**account, device_id="260", bulk=bulk) as client:
        sender = BatchSender(client, journal=journal)
        assert (await sender.send(people("hola"), campaign="c")).accepted == 8
        await journal.purge("c")
        box.fail("smsgateway24", fault=Fault.RESET, when="before", function="addsms", times=None)
        box.fail("smsgateway24", fault=Fault.RESET, when="before", function="addalotofsms", times=None)
        report = await sender.send(people("hola"), campaign="c")
        assert report.unknown == 8
        box.clear_faults()
        found = await sender.reconcile("c")
        assert (found.accepted, found.unknown) == (0, 8)


async def test_an_id_of_the_callers_own_with_another_text_proves_nothing(box: Sandbox, journal: AnyJournal) -> None:
    account = {**box.credentials("smsgateway24"), "base_url": box.base_url("smsgateway24")}
    async with SmsGateway24Client(**account, device_id="260") as client:
        sender, own = BatchSender(client, journal=journal), SmsGateway24Options(customer_id=77)
        await sender.send(people("lunes", 2, options=own), campaign="a")
        box.fail("smsgateway24", fault=Fault.RESET, when="before", function="addsms", times=2)
        box.fail("smsgateway24", fault=Fault.RESET, when="before", function="addalotofsms", times=2)
        assert (await sender.send(people("martes", 2, options=own), campaign="b")).unknown == 2
        box.clear_faults()
        assert (await sender.reconcile("b")).unknown == 2


# ------------------------------------------------------------------------------------------------- other content


async def test_other_routes_are_refused_and_the_vendors_limits_may_change(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    await BatchSender(Router([Route(mensatek, sender="CLINICA")]), journal=journal).send(
        people("hola", 3), campaign="c"
    )
    other = BatchSender(Router([Route(mensatek, sender="OTRA")]), journal=journal)
    for act in (other.send(people("hola"), campaign="c"), other.resume("c", people("hola"))):
        with pytest.raises(ConfigurationError, match=r"CLINICA.* and was given .*OTRA"):
            await act
    assert len(box.ledger) == 3
    faster = BatchSender(Router([Route(mensatek, sender="CLINICA", max_in_flight=2)]), journal=journal)
    assert (await faster.resume("c", people("hola"))).accepted == 8
    assert most(box) == 1


# ---------------------------------------------------------------------------------------------- changed messages


@pytest.mark.parametrize("how", ["send", "stream", "resume"])
async def test_what_the_list_had_otherwise_before_is_not_sent_unless_asked_for(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal, how: str
) -> None:
    async def again(messages: list[Message], **more: Any) -> dict[str, int]:
        sender = BatchSender(mensatek, journal=journal)
        if how == "stream":
            async for _ in sender.stream(messages, campaign="c", **more):
                pass
            assert sender.report is not None
            return dict(sender.report.by_code)
        act = sender.send(messages, campaign="c", **more) if how == "send" else sender.resume("c", messages, **more)
        return dict((await act).by_code)

    await BatchSender(mensatek, journal=journal).send(people("Hola"), campaign="c")
    assert (await again(people("Hola.")))["changed"] == 8
    assert (await again([evolve(one, reference=f"r {one.to}") for one in people("Hola")]))["changed"] == 8
    assert len(box.ledger) == 8
    # Whoever is new is sent to, wherever he stands, and so is a second message that is added at the end.
    new = Message("+34622000000", "Hola")
    codes = await again([new, *people("Hola"), *people("Además", 2)])
    assert "changed" not in codes
    assert len(box.ledger) == 8 + 1 + 2
    codes = await again([new, *people("Otra")], again=True)
    assert "changed" not in codes
    assert len(box.ledger) == 8 + 1 + 2 + 8


async def test_several_texts_to_one_person_in_one_list_are_new(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    messages = [message for text in ("uno", "dos", "tres") for message in people(text)]
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, nth=2)
    task = asyncio.create_task(
        BatchSender(mensatek, journal=journal, max_recipients=4, max_in_flight=1).send(messages, campaign="c")
    )
    await until(lambda: box.ledger.request_count("EnviarSMS") >= 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    report = await BatchSender(mensatek, journal=journal).resume("c", messages)
    assert (report.accepted, report.unknown, report.not_sent) == (20, 4, 0)
    assert most(box) == 3


async def test_a_pending_message_is_not_sent_twice_in_two_wordings(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal
) -> None:
    sender = BatchSender(mensatek, journal=journal, max_recipients=4, max_in_flight=1)
    await sender.send(people("Hola"), campaign="c", on_progress=lambda _: sender.stop("enough"))
    report = await BatchSender(mensatek, journal=journal).resume("c", people("Hola."))
    assert dict(report.by_code) == {"changed": 8}
    assert [message.text for message in box.ledger.messages] == ["Hola"] * 8


# ------------------------------------------------------------------------------------------------- what is not known


async def test_a_list_that_was_not_read_to_its_end_is_told(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Iterator[Message]:
        yield from people("Hola", 3)
        raise LookupError

    sender = BatchSender(mensatek, journal=journal)
    with pytest.raises(LookupError):
        await sender.send(broken(), campaign="c")
    assert sender.report is not None
    assert not sender.report.complete
    with caplog.at_level(logging.WARNING, "mensasdk"):
        report = await sender.resume("c")
        assert not report.complete
        assert "campaign c: its list may not have been read to its end; give it to resume again" in caplog.text
        caplog.clear()
        assert (await sender.resume("c", people("Hola"))).complete
        assert (await sender.resume("c")).complete
        assert not caplog.records
    assert len(box.ledger) == 8


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "a\x00"])
async def test_a_name_that_is_none_is_refused_before_anything_is_read(
    box: Sandbox, mensatek: MensatekClient, journal: AnyJournal, name: str
) -> None:
    sender, read = BatchSender(mensatek, journal=journal), []

    def source() -> Iterator[Message]:
        for message in people("Hola"):
            read.append(message)
            yield message

    for act in (sender.send(source(), campaign=name), sender.resume(name, source()), sender.reconcile(name)):
        with pytest.raises(ConfigurationError, match="campaign must be a name"):
            await act
    with pytest.raises(ConfigurationError, match="campaign must be a name"):
        await anext(aiter(sender.stream(source(), campaign=name)))
    assert not read
    assert box.ledger.request_count() == 0
    assert not await journal.campaigns()
