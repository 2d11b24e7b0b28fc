"""A cap on spend and on messages holds while sending: counted at the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from shared import people

from mensasdk import (
    BatchSender,
    ConfigurationError,
    EnviaTuSmsClient,
    MemoryJournal,
    MensatekClient,
    Message,
    Route,
    Router,
)
from mensasdk.journal import State
from mensasdk.limits.budget import Budget
from mensasdk.preflight.prices import Prices
from mensasdk.sandbox import Fault, Sandbox

SEND = "EnviarSMS"
PRICES = Prices({"ES": "1"})  # what the sandbox charges for a part to Spain


@pytest.mark.parametrize("in_flight", [1, 8])
async def test_no_more_is_spent_than_allowed_and_the_rest_can_be_resumed(
    box: Sandbox, mensatek: MensatekClient, in_flight: int
) -> None:
    journal = MemoryJournal()
    sender = BatchSender(
        mensatek, journal=journal, max_recipients=10, max_in_flight=in_flight, budget=Budget("55", PRICES)
    )
    report = await sender.send(people(100), campaign="c")
    assert (report.accepted, report.not_sent) == (55, 45)
    assert report.stopped is not None
    assert "budget" in report.stopped
    assert report.by_code["budget"] >= 5
    assert box.ledger.charged == 55
    assert (await journal.progress("c"))[State.PENDING] == 45
    resumed = await BatchSender(mensatek, journal=journal, max_recipients=10).resume("c")
    assert resumed.accepted == 100 == len(box.ledger)


async def test_long_messages_cost_their_parts(box: Sandbox, mensatek: MensatekClient) -> None:
    budget = Budget("10", PRICES)
    report = await BatchSender(mensatek, budget=budget, max_recipients=2).send(people(20, "a" * 161))
    assert report.accepted == 5
    assert box.ledger.charged == 10 == budget.spent
    assert budget.reserved == 0


async def test_what_was_refused_is_given_back(box: Sandbox, mensatek: MensatekClient) -> None:
    box.mensatek.account.blacklist = {f"346{index:08d}" for index in range(10)}
    budget = Budget("30", PRICES)
    report = await BatchSender(mensatek, budget=budget, max_recipients=5, max_in_flight=1).send(people(100))
    assert (report.rejected, report.accepted) == (10, 30)
    assert box.ledger.charged == 30 == budget.spent


async def test_what_is_unknown_counts_as_spent(box: Sandbox, mensatek: MensatekClient) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RESET, when="after", nth=1)
    budget = Budget("30", PRICES)
    report = await BatchSender(mensatek, budget=budget, max_recipients=5, max_in_flight=1).send(people(100))
    assert (report.unknown, report.accepted) == (5, 25)
    assert len(box.ledger) == 30


async def test_a_cap_on_messages_needs_no_prices(box: Sandbox, mensatek: MensatekClient) -> None:
    report = await BatchSender(mensatek, budget=Budget(max_messages=7), max_recipients=3).send(people(20))
    assert report.accepted == 7 == len(box.ledger)


async def test_a_duplicate_costs_nothing(box: Sandbox, mensatek: MensatekClient) -> None:
    budget = Budget("6", PRICES)
    report = await BatchSender(mensatek, budget=budget, max_recipients=3, max_in_flight=1).send(
        [*people(3), *people(6)]
    )
    assert (report.accepted, report.by_code["duplicate"]) == (6, 3)
    assert budget.reserved == 0


async def test_a_country_without_a_price_is_refused_by_itself(mensatek: MensatekClient) -> None:
    messages = [*people(2), Message("+5215512345678", "hola")]
    report = await BatchSender(mensatek, budget=Budget("30", PRICES)).send(messages)
    assert (report.accepted, report.by_code["no_price"]) == (2, 1)


async def test_when_one_budget_is_spent_another_vendor_takes_over_within_its_own(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    async with EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as second:
        first = Route(mensatek, budget=Budget(max_messages=10), max_in_flight=1)
        router = Router([first, Route(second, budget=Budget(max_messages=5), max_in_flight=1)])
        messages = [Message(f"+58414{index:07d}", "hola") for index in range(40)]
        report = await BatchSender(router, max_recipients=4).send(messages)
    assert report.accepted == 15 == len(box.ledger)
    assert report.by_vendor["enviatusms"].total() >= 5


async def test_a_message_that_another_vendor_takes_over_counts_there_and_not_here(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    box.mensatek.account.credits = Decimal(0)
    here, there = Budget(max_messages=10), Budget(max_messages=6)
    async with EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as second:
        router = Router([Route(mensatek, budget=here, max_in_flight=1), Route(second, budget=there, max_in_flight=1)])
        messages = [Message(f"+58414{index:07d}", "hola") for index in range(20)]
        report = await BatchSender(router, max_recipients=4).send(messages)
    assert report.accepted == 6 == len(box.ledger)
    assert (here.messages, here.messages_reserved) == (0, 0)
    assert (there.messages, there.messages_reserved) == (6, 0)


async def test_with_a_router_the_budgets_stand_on_its_routes(mensatek: MensatekClient) -> None:
    with pytest.raises(ConfigurationError, match="routes"):
        BatchSender(Router([mensatek]), budget=Budget(max_messages=1))
