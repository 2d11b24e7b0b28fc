"""The router over real sockets: the right way out for each message, and another one only when nothing was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from attrs import frozen
from shared import until

from mensasdk import (
    BatchSender,
    ConfigurationError,
    MensatekClient,
    MensatekOptions,
    Message,
    OutcomeKind,
    RateLimit,
    RetryPolicy,
    Route,
    Router,
    Timeouts,
)
from mensasdk.sandbox import Fault, Sandbox

SEND = "EnviarSMS"


@frozen
class Two:
    """Two accounts at two vendors of the same kind."""

    first: Sandbox
    second: Sandbox
    one: MensatekClient
    other: MensatekClient


def client(box: Sandbox) -> MensatekClient:
    return MensatekClient(
        **box.credentials("mensatek"),
        base_url=box.base_url("mensatek"),
        timeouts=Timeouts(total=0.5),
        retry=RetryPolicy(attempts=1),
    )


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        first, second = Sandbox(), Sandbox()
        await stack.enter_async_context(first)
        await stack.enter_async_context(second)
        one, other = client(first), client(second)
        await stack.enter_async_context(one)
        await stack.enter_async_context(other)
        yield Two(first, second, one, other)


def spain(count: int, start: int = 0) -> list[Message]:
    return [Message(f"+346{index:08d}", "hola") for index in range(start, start + count)]


def mexico(count: int) -> list[Message]:
    return [Message(f"+5255{index:08d}", "hola") for index in range(10_000_000, 10_000_000 + count)]


async def test_each_message_goes_out_through_the_route_of_its_country(two: Two) -> None:
    router = Router([Route(two.one, countries={"ES"}), Route(two.other, countries={"MX"})])
    report = await BatchSender(router).send([*spain(30), *mexico(20)])
    assert report.accepted == 50
    assert set(two.first.ledger.numbers()) == {message.to[1:] for message in spain(30)}
    assert set(two.second.ledger.numbers()) == {message.to[1:] for message in mexico(20)}
    assert sum(one.amount for one in report.credits.values()) == two.first.ledger.charged + two.second.ledger.charged
    assert report.vendor == "router"
    assert report.by_vendor == {"mensatek": {OutcomeKind.ACCEPTED: 50}}


async def test_a_country_without_a_route_is_not_sent(two: Two) -> None:
    report = await BatchSender(Router([Route(two.one, countries={"ES"})])).send([*spain(1), *mexico(2)])
    assert (report.accepted, report.not_sent) == (1, 2)
    assert report.by_code == {"invalid_to": 2}


async def test_without_countries_the_first_route_takes_all(two: Two) -> None:
    report = await BatchSender(Router([two.one, two.other])).send([*spain(5), *mexico(5)])
    assert report.accepted == len(two.first.ledger) == 10
    assert two.second.ledger.request_count() == 0


async def test_a_message_goes_to_the_first_route_that_can_take_it(two: Two) -> None:
    refused = Message("+34600000001", "hola", sender="a sender that is too long")
    assert (await BatchSender(Router([two.one, two.other])).send([refused])).by_code == {"invalid_sender": 1}
    # The second client takes more than the first: here, a national number.
    two.other.default_country = "ES"
    report = await BatchSender(Router([two.one, two.other])).send([Message("600 00 00 01", "hola")])
    assert report.accepted == len(two.second.ledger) == 1
    assert len(two.first.ledger) == 0


@pytest.mark.parametrize(
    ("trouble", "code"),
    [("credentials", "-1"), ("credits", "-2"), ("rate limit", "429"), ("no connection", "connect_error")],
)
async def test_trouble_of_the_vendor_leads_to_the_next_route(two: Two, trouble: str, code: str) -> None:
    if trouble == "credentials":
        two.first.mensatek.account.api_token = "changed"
    elif trouble == "credits":
        two.first.mensatek.account.credits = Decimal(0)
    elif trouble == "rate limit":
        two.first.fail("mensatek", fault=Fault.RATE_LIMIT, when="before", times=None)
    else:
        await two.first.aclose()
    report = await BatchSender(Router([two.one, two.other]), max_recipients=10).send(spain(50))
    assert report.total == report.accepted == 50, code
    assert len(two.first.ledger) == 0
    assert len(two.second.ledger) == 50
    assert all(count == 1 for count in two.second.ledger.numbers().values())


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HANG, Fault.CUT_BODY, Fault.HTML_PAGE])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_is_unknown_is_never_tried_on_another_route(two: Two, fault: Fault, when: str) -> None:
    two.first.fail("mensatek", function=SEND, fault=fault, when=when, times=None)  # type: ignore[arg-type]
    report = await BatchSender(Router([two.one, two.other])).send(spain(10))
    assert report.unknown == 10
    assert two.second.ledger.request_count() == 0


async def test_what_the_vendor_refuses_for_itself_is_not_tried_elsewhere(two: Two) -> None:
    two.first.mensatek.account.blacklist = {"34600000003"}
    report = await BatchSender(Router([two.one, two.other])).send(spain(10))
    assert (report.accepted, report.rejected) == (9, 1)
    assert two.second.ledger.request_count() == 0


async def test_a_route_that_is_refused_is_closed_for_the_rest_of_the_campaign(two: Two) -> None:
    two.first.mensatek.account.api_token = "changed"
    router = Router([Route(two.one, max_in_flight=1), Route(two.other, max_in_flight=1)])
    sender = BatchSender(router, max_recipients=1)
    assert (await sender.send(spain(40))).accepted == 40
    assert two.first.ledger.request_count(SEND) <= 2  # at most one for each worker
    # and the next campaign tries it again
    two.first.mensatek.account.api_token = two.first.credentials("mensatek")["api_token"]
    requests = two.first.ledger.request_count(SEND)
    await sender.send(spain(1, start=500))
    assert two.first.ledger.request_count(SEND) == requests + 1


async def test_when_all_routes_are_closed_the_campaign_stops(two: Two) -> None:
    two.first.mensatek.account.credits = Decimal(0)
    two.second.mensatek.account.credits = Decimal(0)
    report = await BatchSender(Router([two.one, two.other]), max_recipients=5).send(spain(200))
    assert report.total == 200
    assert report.accepted == 0
    assert report.stopped is not None
    assert two.first.ledger.request_count(SEND) + two.second.ledger.request_count(SEND) < 60


async def test_requests_are_cut_to_what_the_next_route_takes(two: Two) -> None:
    two.first.mensatek.account.credits = Decimal(0)
    router = Router([two.one, Route(two.other, rate=RateLimit(7, per=0.01))])
    report = await BatchSender(router).send(spain(20))
    assert report.accepted == 20
    assert [request.n_accepted for request in two.second.ledger.requests] == [7, 7, 6]


async def test_each_route_has_its_own_limits(two: Two) -> None:
    router = Router([Route(two.one, countries={"ES"}, rate=RateLimit(5, per=0.1)), Route(two.other, countries={"MX"})])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    report = await BatchSender(router).send([*spain(15), *mexico(100)])
    assert report.accepted == 115
    assert loop.time() - begun >= 0.2  # two full windows before the last five
    assert max(request.n_accepted for request in two.first.ledger.requests) <= 5
    assert two.second.ledger.request_count(SEND) == 1


async def test_a_route_dresses_messages(two: Two) -> None:
    router = Router([Route(two.one, options=MensatekOptions(unicode=True), sender="CLINICA")])
    own = Message("+34600000002", "hola", sender="OTHER", options=MensatekOptions(skip_blacklist=True))
    message = Message("+34600000001", "hola")
    outcomes = [outcome async for outcome in BatchSender(router).stream([message, own])]
    assert {id(outcome.message) for outcome in outcomes} == {id(message), id(own)}
    sent = {request.params["Remitente"]: request.params for request in two.first.ledger.requests}
    assert sent["CLINICA"]["Unicode"] == 1
    assert "Unicode" not in sent["OTHER"]
    assert sent["OTHER"]["Obviarlistanegra"] == 1


async def test_a_late_message_is_late_on_every_route(two: Two) -> None:
    late = Message("+34600000001", "hola", not_after=datetime.now(UTC) - timedelta(seconds=1))
    report = await BatchSender(Router([two.one, two.other])).send([late])
    assert report.by_code == {"expired": 1}


async def test_cancelling_in_the_middle_of_a_failover_is_told_truly(two: Two) -> None:
    two.first.mensatek.account.credits = Decimal(0)
    two.second.fail("mensatek", function=SEND, fault=Fault.HANG)
    sender = BatchSender(Router([two.one, two.other]), max_recipients=10)
    task = asyncio.create_task(sender.send(spain(10)))
    await until(lambda: two.second.ledger.request_count(SEND))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sender.report is not None
    assert (sender.report.total, sender.report.unknown) == (10, 10)


async def test_limits_beside_a_router_are_refused(two: Two) -> None:
    for keywords in ({"rate": RateLimit(1)}, {"request_rate": RateLimit(1)}, {"max_in_flight": 3}):
        with pytest.raises(ConfigurationError, match="Route"):
            BatchSender(Router([two.one]), **keywords)
    with pytest.raises(ConfigurationError):
        Router([])
    with pytest.raises(ConfigurationError):
        Route(two.one, countries={"Spain"})
    with pytest.raises(ConfigurationError):
        Route(two.one, max_in_flight=0)
