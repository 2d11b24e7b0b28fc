"""One campaign over all four vendors: the same report whatever their quirks, and the ledger agrees with it."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from mensasdk import (
    BatchReport,
    BatchSender,
    EnviaSmsClient,
    EnviaSmsOptions,
    EnviaTuSmsClient,
    MensatekClient,
    MensatekOptions,
    Message,
    OutcomeKind,
    Route,
    Router,
    SmsGateway24Client,
    SmsGateway24Options,
)
from mensasdk.sandbox import EnviaSms, EnviaTuSms, Fault, Mensatek, Sandbox, SmsGateway24
from mensasdk.sandbox import envia_sms as envia_box
from mensasdk.sandbox import enviatusms as enviatusms_box
from mensasdk.sandbox import mensatek as mensatek_box
from mensasdk.sandbox import smsgateway24 as gateway_box

BLACKLISTED = "34600000007"
SPAIN = [f"+346000000{index:02d}" for index in range(40)]
MEXICO = [f"+5255100000{index:02d}" for index in range(10)]
VENEZUELA = [f"+5842410000{index:02d}" for index in range(30)]
ITALY = [f"+3933310000{index:02d}" for index in range(20)]


def plain() -> Sandbox:
    return Sandbox()


def quirky() -> Sandbox:
    """Return a box with every quirk of every vendor at once."""
    return Sandbox(
        mensatek=Mensatek(quirks=mensatek_box.Quirks.all()),
        envia_sms=EnviaSms(quirks=envia_box.Quirks.all()),
        smsgateway24=SmsGateway24(quirks=gateway_box.Quirks.all()),
        enviatusms=EnviaTuSms(quirks=enviatusms_box.Quirks.all()),
    )


def messages() -> list[Message]:
    people = [*SPAIN, *MEXICO, *VENEZUELA, *ITALY, SPAIN[3], "no number", "+34 12"]
    return [
        Message(to, "Hola {nombre}, su cita es el {dia}", variables={"nombre": "Begoña", "dia": "martes"})
        for to in people
    ]


async def route(stack: AsyncExitStack, box: Sandbox) -> Router:
    def where(vendor: str) -> dict[str, Any]:
        return {**box.credentials(vendor), "base_url": box.base_url(vendor)}

    mensatek = await stack.enter_async_context(MensatekClient(**where("mensatek")))
    envia = await stack.enter_async_context(EnviaSmsClient(**where("envia_sms")))
    gateway = await stack.enter_async_context(SmsGateway24Client(**where("smsgateway24")))
    enviatu = await stack.enter_async_context(EnviaTuSmsClient(**where("enviatusms")))
    return Router(
        [
            Route(mensatek, countries={"ES"}, options=MensatekOptions(report=False), sender="CLINICA"),
            Route(
                envia, countries={"MX"}, options=EnviaSmsOptions(template="02", text_variable="mensaje", unicode=True)
            ),
            Route(enviatu, countries={"VE"}),
            # Whoever loses one answer after the other would pause before the next one.
            Route(gateway, options=SmsGateway24Options(device_id=260, sim=0), breaker=None),
        ]
    )


async def run(box: Sandbox) -> BatchReport:
    box.mensatek.account.blacklist = {BLACKLISTED}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(box)
        router = await route(stack, box)
        report = await BatchSender(router).send(messages(), campaign="citas")
        reached = {f"+{number}": count for number, count in box.ledger.numbers().items()}
        accepted = {row["to"] for row in report.rows() if row["outcome"] == "accepted"}
        assert accepted == set(reached)
        assert set(reached.values()) == {1}
        assert report.accepted == len(box.ledger)
        return report


def essence(report: BatchReport) -> Counter[tuple[object, ...]]:
    """Return the report without what differs from run to run: ids."""
    return Counter(
        (row["to"], row["outcome"], row["vendor"], row["code"], row["parts"], row["vendor_id"] is not None)
        for row in report.rows()
    )


async def test_every_vendor_gets_its_own_and_the_report_adds_up() -> None:
    report = await run(plain())
    assert report.by_vendor == {
        "mensatek": {OutcomeKind.ACCEPTED: 39, OutcomeKind.REJECTED: 1, OutcomeKind.NOT_SENT: 1},
        "envia_sms": {OutcomeKind.ACCEPTED: 10},
        "enviatusms": {OutcomeKind.ACCEPTED: 30},
        "smsgateway24": {OutcomeKind.ACCEPTED: 20},
        "router": {OutcomeKind.NOT_SENT: 2},
    }
    assert report.total == 103
    assert report.by_code == {"dropped": 1, "duplicate": 1, "invalid_to": 2}


async def test_all_quirks_at_once_give_the_same_report() -> None:
    calm, wild = await run(plain()), await run(quirky())
    assert essence(wild) == essence(calm)
    assert wild.by_vendor == calm.by_vendor
    assert wild.by_code == calm.by_code
    assert wild.parts == calm.parts


@pytest.mark.parametrize("vendor", ["mensatek", "envia_sms", "enviatusms", "smsgateway24"])
async def test_a_lost_answer_of_any_vendor_is_unknown_and_goes_nowhere_else(vendor: str) -> None:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox())
        router = await route(stack, box)
        function = {"mensatek": "EnviarSMS", "envia_sms": "send", "enviatusms": "sms-multi"}.get(vendor)
        if vendor == "smsgateway24":  # single messages or many: both are sends; the login before them is not
            box.fail(vendor, function="addsms", fault=Fault.RESET, when="after", times=None)
            box.fail(vendor, function="addalotofsms", fault=Fault.RESET, when="after", times=None)
        else:
            box.fail(vendor, function=function, fault=Fault.RESET, when="after", times=None)
        report = await BatchSender(router).send(messages(), campaign="citas")
        assert report.unknown == report.by_vendor[vendor][OutcomeKind.UNKNOWN] > 0
        assert report.by_vendor[vendor][OutcomeKind.ACCEPTED] == 0
        assert set(box.ledger.numbers().values()) == {1}
        assert len(box.ledger) == report.accepted + report.unknown


async def test_a_vendor_without_money_is_replaced_by_the_next_route() -> None:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox())
        box.envia_sms.account.credits = Decimal(0)
        router = await route(stack, box)
        report = await BatchSender(router).send([Message(to, "Hola") for to in MEXICO])
        assert report.by_vendor == {"smsgateway24": {OutcomeKind.ACCEPTED: 10}}
        assert {message.vendor for message in box.ledger.messages} == {"smsgateway24"}
