"""`Router.send`: a single message through several vendors, counted at their ledgers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import frozen

from mensasdk import (
    BatchSender,
    Budget,
    Code,
    ConfigurationError,
    MensatekClient,
    Message,
    OutcomeKind,
    RateLimit,
    Route,
    Router,
    SmsGateway24Client,
    SmsGateway24Options,
)
from mensasdk.limits import WindowLimiter
from mensasdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.all_loops

SPAIN, FRANCE = Message("+34600000001", "hola"), Message("+33612345678", "bonjour")


@frozen
class Two:
    first: MensatekClient
    second: SmsGateway24Client

    def router(self, **limits: Any) -> Router:
        phones = Route(self.second, options=SmsGateway24Options("260"))
        return Router([Route(self.first, countries=frozenset({"ES"}), **limits), phones])


@pytest.fixture
async def two(box: Sandbox) -> AsyncIterator[Two]:
    names = ("mensatek", "smsgateway24")
    where = [{**box.credentials(name), "base_url": box.base_url(name)} for name in names]
    async with MensatekClient(**where[0]) as first, SmsGateway24Client(**where[1]) as second:
        yield Two(first, second)


def sent(box: Sandbox) -> list[tuple[str, str]]:
    return [(one.vendor, one.number) for one in box.ledger.messages]


async def test_each_goes_through_its_country_and_the_outcome_names_the_message(box: Sandbox, two: Two) -> None:
    router = two.router()
    for message, vendor in ((SPAIN, "mensatek"), (FRANCE, "smsgateway24"), (SPAIN, "mensatek")):
        outcome = await router.send(message)
        assert (outcome.kind, outcome.vendor, outcome.message) == (OutcomeKind.ACCEPTED, vendor, message)
        assert outcome.vendor_id
    assert sent(box) == [("mensatek", "34600000001"), ("smsgateway24", "33612345678"), ("mensatek", "34600000001")]


async def test_the_next_route_takes_what_one_certainly_did_not_send(box: Sandbox, two: Two) -> None:
    box.fail("mensatek", function="EnviarSMS", when="before", times=1, fault=Fault.RES, res=-2)
    router = two.router()
    assert (await router.send(SPAIN)).vendor == "smsgateway24"
    assert (await router.send(SPAIN)).vendor == "mensatek"  # each message tries anew
    assert [vendor for vendor, _ in sent(box)] == ["smsgateway24", "mensatek"]


async def test_after_an_answer_that_was_lost_nobody_else_is_asked(box: Sandbox, two: Two) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after")
    outcome = await two.router().send(SPAIN)
    assert (outcome.kind, outcome.vendor) == (OutcomeKind.UNKNOWN, "mensatek")
    assert len(box.ledger) == 1


async def test_a_time_limit_is_an_outcome_that_says_what_became_of_it(box: Sandbox, two: Two) -> None:
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, when="after")
    outcome = await two.router().send(SPAIN, timeout=0.2)
    assert (outcome.kind, outcome.code, outcome.message) == (OutcomeKind.UNKNOWN, Code.DEADLINE_EXCEEDED, SPAIN)
    assert len(box.ledger) == 1


async def test_what_breaks_a_rule_is_an_outcome(box: Sandbox, two: Two) -> None:
    outcome = await two.router().send(Message("12", "hola"))
    assert (outcome.kind, outcome.code) == (OutcomeKind.NOT_SENT, Code.INVALID_TO)
    assert box.ledger.request_count() == 0


async def test_budgets_and_shared_limiters_hold_over_single_sends_and_campaigns(box: Sandbox, two: Two) -> None:
    limiter = WindowLimiter(RateLimit(1000))
    router = two.router(budget=Budget(max_messages=2), rate=limiter)
    for _ in range(2):
        assert (await router.send(SPAIN)).vendor == "mensatek"
    assert (await router.send(SPAIN)).vendor == "smsgateway24"
    assert limiter.statistics().granted == 2
    await BatchSender(two.first, rate=limiter).send([Message("+34600000002", "hola"), Message("+34600000003", "hola")])
    assert limiter.statistics().granted == 4


@pytest.mark.parametrize("wrong", [None, "hola", {"to": "+34600000001"}])
async def test_what_is_no_message_is_refused(two: Two, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="message must be a Message"):
        await two.router().send(wrong)


async def test_a_client_that_is_closed_is_passed_by_and_an_error_where_it_is_the_only_one(
    box: Sandbox, two: Two
) -> None:
    await two.first.aclose()
    assert (await two.router().send(SPAIN)).vendor == "smsgateway24"
    with pytest.raises(ConfigurationError, match="this client is closed"):
        await Router([two.first]).send(SPAIN)
    assert sent(box) == [("smsgateway24", "34600000001")]
