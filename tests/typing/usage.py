"""Types as a user sees them. Read by pyright (strict) and mypy in `make lint`; never run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_type

from mensasdk import (
    BatchReport,
    BatchSender,
    Code,
    Delivery,
    DeliveryState,
    EnviaSmsClient,
    EnviaSmsOptions,
    EnviaTuSmsClient,
    MemoryJournal,
    MensaError,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    RateLimit,
    Recipient,
    RetryPolicy,
    Route,
    Router,
    SmsGateway24Client,
    Timeouts,
    guard_cell,
    outcome_of,
    segments,
    unguard_cell,
)
from mensasdk.campaign import Amount
from mensasdk.sandbox import EnviaTuSms, Fault, Mensatek, Sandbox, Vendor
from mensasdk.transport import AttemptFailed, Event
from mensasdk.vendors import enviatusms, smsgateway24
from mensasdk.vendors.mensatek import (
    DeliveryReport,
    LibraryFile,
    ReceivedSms,
    Report,
    SendResult,
    StatusCode,
    parse_callback,
)


def hook(event: Event) -> None:
    if isinstance(event, AttemptFailed):
        assert_type(event.outcome, OutcomeKind)
        assert_type(event.retry_in, float | None)


async def client() -> None:
    async with MensatekClient(
        "user",
        "token",
        answer_format="xml",
        timeouts=Timeouts(total=20, connect=5),
        retry=RetryPolicy(attempts=2),
        hooks=[hook],
    ) as mensatek:
        assert_type(mensatek, MensatekClient)
        assert_type(await mensatek.send_sms("+34600000001", "hola"), SendResult)
        assert_type(await mensatek.send_sms(["+34600000001", Recipient("+34600000002", ["Ana"])], "hola"), SendResult)
        report = await mensatek.get_report("1")
        assert_type(report, Report)
        assert_type(report.lines[0].status, StatusCode)
        assert_type(report.lines[0].status.state, DeliveryState)
        assert_type(report.lines[0].at, datetime | None)
        assert_type(await mensatek.get_credits(), Decimal)
        assert_type(await mensatek.list_files(), tuple[LibraryFile, ...])
        assert_type(await mensatek.list_templates(), Mapping[str, str])


async def batch(mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, rate=RateLimit(100, per=1.0), max_in_flight=4, journal=MemoryJournal())

    async def source() -> AsyncIterator[Message]:
        yield Message("+34600000001", "Hola {n}", variables={"n": "Ana"}, options=MensatekOptions(report=True))

    report = await sender.send(source(), campaign="c", on_progress=lambda state: print(state.done))
    assert_type(report, BatchReport)
    assert_type(report.accepted, int)
    assert_type(report.by_code, Counter[str])
    assert_type(report.credits, dict[str, Amount])
    assert_type(report.credits["mensatek"].amount, Decimal)
    assert_type(report.latency.p95, float)
    assert_type([*report.outcomes()], list[Outcome])
    assert_type(report.complete, bool)
    async for outcome in sender.stream([Message("+34600000001", "hola")]):
        assert_type(outcome, Outcome)
        assert_type(outcome.kind, OutcomeKind)
        assert_type(outcome.credits, Decimal | None)


async def others(envia: EnviaSmsClient, gateway: SmsGateway24Client, enviatu: EnviaTuSmsClient) -> None:
    sent = await envia.send_sms("+525510000001", "01", variables={"nombre": "Ana"})
    assert_type(sent.message_id, str)
    assert_type(await envia.get_credits(), Decimal)
    single = await gateway.send_sms("+393331000001", "ciao", device_id=260, sim=0)
    assert_type(single, smsgateway24.SendResult)
    campaign = await enviatu.send_sms(["+584241000001"], "hola")
    assert_type(campaign, enviatusms.SendResult)
    quote = await enviatu.quote(["+584241000001"], "hola")
    assert_type(quote.price, Decimal)


def router(mensatek: MensatekClient, envia: EnviaSmsClient, gateway: SmsGateway24Client) -> BatchSender:
    options = EnviaSmsOptions(template="02", text_variable="mensaje")
    return BatchSender(
        Router(
            [
                Route(mensatek, countries={"ES"}, rate=RateLimit(200)),
                Route(envia, countries={"MX"}, options=options),
                gateway,
            ]
        )
    )


def errors(error: MensaError) -> None:
    assert_type(error.outcome, OutcomeKind)
    assert_type(outcome_of(error), OutcomeKind)
    assert_type(error.code, str | None)
    assert_type(error.vendor, str | None)
    assert_type(error.retryable, bool)


async def async_hook(event: Event) -> None:
    assert_type(event, Event)


async def single(envia: EnviaSmsClient) -> None:
    mensatek = MensatekClient.from_env(hooks=[hook, async_hook], timeouts=Timeouts(total=5))
    assert_type(mensatek, MensatekClient)
    MensatekClient("user", "token", hooks=[hook, async_hook])
    outcome = await mensatek.send(Message("+34600000001", "hola"), timeout=2.5)
    assert_type(outcome, Outcome)
    assert_type(outcome.code == Code.OPTED_OUT, bool)
    assert_type(await envia.send(Message("+525510000001", template="01")), Outcome)
    assert_type(await mensatek.get_credits(timeout=5), Decimal)
    assert_type({outcome: 1}, dict[Outcome, int])
    assert_type(guard_cell("=1"), str)
    assert_type(unguard_cell("'=1"), str)


def callbacks(body: bytes) -> None:
    received = parse_callback(body, "application/json")
    assert_type(received, DeliveryReport | ReceivedSms)
    if isinstance(received, DeliveryReport):
        assert_type(received.to_delivery(), Delivery)


async def sandbox() -> None:
    async with Sandbox() as box:
        box.fail("mensatek", fault=Fault.RESET, when="after")
        MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek"))
        assert_type(len(box.ledger), int)
        assert_type(box.mensatek, Mensatek)
        assert_type(box.enviatusms.account.balance, Decimal)
        assert_type(box.vendor("mensatek"), Vendor)


def sandbox_of_others(fifth: Vendor, mensatek: Mensatek) -> None:
    box = Sandbox(fifth=fifth, mensatek=mensatek, port=0)
    assert_type(box.fifth, Vendor)
    assert_type(box.mensatek, Mensatek)
    assert_type(box.vendors, Mapping[str, Vendor])
    Sandbox(mensatek=EnviaTuSms())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Sandbox(callback_url="http://127.0.0.1/")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


assert_type(segments("hola").parts, int)
