"""The circuit breaker: alone, and in a campaign through a vendor that is in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from shared import people, until

from mensasdk import (
    BatchSender,
    CircuitBreaker,
    ConfigurationError,
    EnviaTuSmsClient,
    MemoryJournal,
    MensatekClient,
    Message,
    RetryPolicy,
    Route,
    Router,
)
from mensasdk.journal import State
from mensasdk.limits.breaker import Breaker
from mensasdk.sandbox import Fault, Sandbox

SEND = "EnviarSMS"


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, *, failures: int = 2, probes: int = 3) -> Breaker:
    return Breaker(CircuitBreaker(failures=failures, pause=10, longest=30, probes=probes), clock)


# ----------------------------------------------------------------------------------------------------------- alone


async def test_failures_that_are_not_in_a_row_open_nothing() -> None:
    one = breaker(Clock())
    for _ in range(5):
        assert not one.fail(probe=False)
        one.succeed()
    assert not one.is_open
    assert await one.enter() is False


async def test_after_the_pause_one_request_tries_and_the_others_wait_for_it() -> None:
    clock = Clock()
    one = breaker(clock)
    one.fail(probe=False)
    one.fail(probe=False)
    assert one.is_open
    clock.now += 10
    assert await one.enter() is True
    waiting = [asyncio.create_task(one.enter()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in waiting)
    one.succeed()
    assert await asyncio.gather(*waiting) == [False] * 3
    assert not one.is_open


async def test_the_pauses_double_up_to_the_longest_and_then_it_gives_up() -> None:
    clock = Clock()
    one = breaker(clock, probes=4)
    one.fail(probe=False)
    one.fail(probe=False)
    for pause in (10, 20, 30):
        task = asyncio.create_task(one.enter())
        clock.now += pause - 0.001
        await asyncio.sleep(0)
        assert not task.done()
        clock.now += 0.002
        assert await task is True
        assert one.fail(probe=True) is False
    clock.now += 30
    assert await one.enter() is True
    assert one.fail(probe=True) is True


async def test_a_try_that_came_to_no_verdict_leaves_it_to_the_next() -> None:
    clock = Clock()
    one = breaker(clock)
    one.fail(probe=False)
    one.fail(probe=False)
    clock.now += 10
    assert await one.enter() is True
    next_one = asyncio.create_task(one.enter())
    await asyncio.sleep(0)
    one.let_go()
    assert await next_one is True


async def test_what_was_under_way_when_the_pause_began_does_not_count_as_a_try() -> None:
    clock = Clock()
    one = breaker(clock, probes=1)
    one.fail(probe=False)
    one.fail(probe=False)
    assert one.fail(probe=False) is False
    assert one.is_open


async def test_without_a_rule_nothing_opens() -> None:
    one = Breaker(None)
    assert not any(one.fail(probe=False) for _ in range(100))
    assert await one.enter() is False


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"probes": 0}, {"pause": 0}, {"pause": -1.0}, {"pause": 10, "longest": 5}]
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        CircuitBreaker(**wrong)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- in a campaign


@pytest.fixture
async def client(box: Sandbox) -> AsyncIterator[MensatekClient]:
    async with MensatekClient(
        **box.credentials("mensatek"), base_url=box.base_url("mensatek"), retry=RetryPolicy(attempts=1)
    ) as client:
        yield client


async def test_an_outage_makes_few_unknown_and_the_rest_goes_out_when_it_is_over(
    box: Sandbox, client: MensatekClient
) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RESET, when="before", times=5)
    rule = CircuitBreaker(failures=3, pause=0.02, probes=10)
    sender = BatchSender(client, max_recipients=1, max_in_flight=1, breaker=rule)
    report = await sender.send(people(40))
    assert (report.unknown, report.accepted, report.stopped) == (5, 35, None)
    assert len(box.ledger) == 35


async def test_a_vendor_that_stays_away_is_given_up_and_nobody_else_is_in_doubt(
    box: Sandbox, client: MensatekClient
) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.STATUS, status=503, when="before", times=5)
    journal = MemoryJournal()
    rule = CircuitBreaker(failures=3, pause=0.01, probes=2)
    sender = BatchSender(client, max_recipients=1, max_in_flight=1, breaker=rule, journal=journal)
    report = await sender.send(people(100), campaign="c")
    assert (report.unknown, report.not_sent) == (5, 95)
    assert report.stopped is not None
    assert "does not answer" in report.stopped
    assert box.ledger.request_count(SEND) == 5
    assert (await journal.progress("c"))[State.PENDING] == 95
    resumed = await sender.resume("c")
    assert (resumed.accepted, resumed.unknown) == (95, 5)
    assert len(box.ledger) == 95


async def test_a_refusal_shows_that_the_vendor_is_there(box: Sandbox, client: MensatekClient) -> None:
    box.mensatek.account.blacklist = {f"6{index:08d}" for index in range(60)} | {f"346{i:08d}" for i in range(60)}
    rule = CircuitBreaker(failures=1, pause=50, longest=50, probes=1)
    report = await BatchSender(client, max_recipients=1, breaker=rule).send(people(60))
    assert (report.rejected, report.stopped) == (60, None)


async def test_while_one_vendor_pauses_what_comes_next_goes_through_another(
    box: Sandbox, client: MensatekClient
) -> None:
    box.fail("mensatek", function=SEND, fault=Fault.RESET, when="before", times=None)
    async with EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as second:
        rule = CircuitBreaker(failures=2, pause=30, probes=1)
        router = Router([Route(client, max_in_flight=1, breaker=rule), Route(second, max_in_flight=1)])
        messages = [Message(f"+58414{index:07d}", "hola") for index in range(30)]
        sender = BatchSender(router, max_recipients=1)
        task = asyncio.create_task(sender.send(messages))
        await until(lambda: sender.report is not None and sender.report.by_vendor.get("enviatusms") is not None)
        await asyncio.sleep(0.5)
        sender.stop()  # what had been given to the first one before it failed still waits for it
        report = await task
    assert report.unknown == 2
    assert report.accepted >= 20
    assert report.by_vendor["mensatek"].total() + report.by_vendor["enviatusms"].total() == 30


async def test_with_a_router_the_breakers_stand_on_its_routes(client: MensatekClient) -> None:
    with pytest.raises(ConfigurationError, match="routes"):
        BatchSender(Router([client]), breaker=None)
