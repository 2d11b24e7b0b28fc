"""The vendor's price list as a table: what it says beforehand is what the vendor's ledger charges."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, get_args

import pytest

from mensasdk import BatchSender, ConfigurationError, Message, ValidationError
from mensasdk.limits.budget import Budget
from mensasdk.preflight.cost import Estimate
from mensasdk.preflight.prices import Prices
from mensasdk.sandbox import Sandbox
from mensasdk.sandbox.envia_sms import Country
from mensasdk.vendors.envia_sms import EnviaSmsClient, EnviaSmsOptions
from mensasdk.vendors.envia_sms.client import Plan

from .served import Served

OPTIONS = EnviaSmsOptions(template="02", text_variable="mensaje")
# The vendor's names for the plans, in the order of ours.
PLANS = dict(zip(get_args(Plan), ("gratis", "inicio", "basico", "intermedio", "profesional"), strict=True))
TEXTS = ("Hola", "ñ" * 160, "Привет", "я" * 70, "я" * 71, "я" * 141, "я" * 500)
PARTS = (1, 1, 1, 1, 2, 3, 8)
HEADS = ("+52558952", "+3361234", "+3460000", "+1416555", "+1212555", "+1809555")


@asynccontextmanager
async def connect(box: Sandbox, **options: Any) -> AsyncIterator[EnviaSmsClient]:
    token = box.credentials("envia_sms")["token"]
    async with EnviaSmsClient(token, base_url=box.base_url("envia_sms"), **options) as client:
        yield client


def people() -> Sequence[Message]:
    """Return a person in each of six countries, three of which share a calling code, for each length of text."""
    return [Message(f"{head}{index:04}", text, options=OPTIONS) for head in HEADS for index, text in enumerate(TEXTS)]


def listing(*countries: dict[str, str]) -> bytes:
    # The document's own sample of this answer has ``error: true`` and no code.
    return json.dumps({"error": True, "codigo_error": "", "mensaje_error": "", "response": countries}).encode()


def listed(code: str, prefix: str, **prices: str) -> dict[str, str]:
    return {
        "codigo_pais": code,
        "nombre_pais": "",
        "prefijo": prefix,
        **{f"precio_{name}": price for name, price in prices.items()},
    }


@pytest.mark.parametrize("plan", PLANS)
async def test_the_estimate_by_the_vendors_list_is_what_its_ledger_charges(box: Sandbox, plan: Plan) -> None:
    account = box.envia_sms.account
    account.plan = PLANS[plan]
    prices_of_one = ("3", "2.9", "2.8", "2.7", "2.6")
    account.countries["1"] = Country("US", "Estados Unidos", "1", tuple(map(Decimal, prices_of_one)))
    async with connect(box) as client:
        prices = await client.prices(plan)
        asking = box.ledger.charged
        estimate = Estimate(prices)
        for message in people():
            item = client.prepare(message)
            estimate.add(item.number, item.parts)
        report = await BatchSender(client).send(people())
    assert report.accepted == len(people())
    assert asking == 1
    assert set(estimate.by_country) == {"MX", "FR", "ES", "US", "CA", "DO"}
    assert estimate.parts == sum(message.parts for message in box.ledger.messages) == sum(PARTS) * len(HEADS)
    assert estimate.total == box.ledger.charged - asking > 0
    assert estimate.unpriced == {}


async def test_without_a_plan_the_highest_price_is_taken_so_that_no_estimate_is_too_low(box: Sandbox) -> None:
    async with connect(box) as client:
        prices = await client.prices()
        estimate = Estimate(prices)
        estimate.add("+525589520028", 1)
        box.envia_sms.account.plan = "profesional"
        before = box.ledger.charged
        await BatchSender(client).send([Message("+525589520028", "Hola", options=OPTIONS)])
    assert prices == Prices({"MX": "0.5", "+52": "0.5", "FR": "1.5", "+33": "1.5", "ES": "1.5", "+34": "1.5"})
    assert estimate.total > box.ledger.charged - before == Decimal("0.41")


async def test_the_list_is_asked_for_once_and_costs_one_credit(box: Sandbox) -> None:
    async with connect(box) as client:
        before = await client.get_credits()
        prices = await client.prices("basic", default="2")
        assert before - await client.get_credits() == 1
    assert box.ledger.request_count("paises") == 1
    assert prices.of("+525589520028") == Decimal("0.45")
    assert prices.of("+8613812345678") == prices.default == 2


async def test_a_budget_of_the_vendors_prices_counts_what_its_ledger_charges(box: Sandbox) -> None:
    """The vendor's answers tell no charge, and the parts of a text in UCS-2."""
    async with connect(box) as client:
        budget = Budget("20", await client.prices("free"))
        before = box.ledger.charged
        for message in people()[: len(TEXTS)]:
            item = client.prepare(message)
            assert budget.reserve([(item.number, item.parts)]) == 1
            outcomes = [outcome async for outcome in BatchSender(client).stream([message])]
            budget.settle([(item.number, item.parts)], outcomes)
    assert budget.spent == box.ledger.charged - before == Decimal("0.5") * sum(PARTS)
    assert budget.reserved == 0


async def test_what_the_list_leaves_out_has_no_price() -> None:
    answer = listing(listed("MX", "+52", inicio="0.4"), listed("", "", inicio="7"), listed("ES", "34", gratis="1.5"))
    async with Served(answer) as server, server.client() as client:
        prices = await client.prices("starter")
        highest = await client.prices()
    assert prices == Prices({"MX": "0.4", "+52": "0.4"})
    assert highest == Prices({"MX": "0.4", "+52": "0.4", "ES": "1.5", "+34": "1.5"})


async def test_a_plan_or_default_that_is_none_is_refused_before_a_credit_is_spent(box: Sandbox) -> None:
    async with connect(box) as client:
        with pytest.raises(ValidationError, match="free, starter, basic, intermediate, professional"):
            await client.prices("gold")  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="default price is a float"):
            await client.prices("free", default=0.5)  # type: ignore[arg-type]
    assert box.ledger.request_count() == 0


async def test_in_test_mode_there_is_no_list_and_nothing_is_asked(box: Sandbox) -> None:
    async with connect(box, test_mode=True) as client:
        with pytest.raises(ConfigurationError, match="test mode"):
            await client.prices()
    assert box.ledger.request_count() == 0
