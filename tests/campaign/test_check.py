"""A check says what a campaign does: compared with the report, and with the ledger of the vendors."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import people
from tiers import LONG, examples

from mensasdk import (
    BatchSender,
    ConfigurationError,
    EnviaSmsClient,
    EnviaSmsOptions,
    EnviaTuSmsClient,
    MensatekClient,
    MensatekOptions,
    Message,
    Outcome,
    OutcomeKind,
    RateLimit,
    Route,
    Router,
    SmsGateway24Client,
    SmsGateway24Options,
    ValidationError,
)
from mensasdk.limits import Budget
from mensasdk.preflight import OptOuts, Prices, SendingHours, Spread
from mensasdk.preflight.check import Preflight
from mensasdk.sandbox import Sandbox
from mensasdk.text import Encoding
from mensasdk.transport import Gate
from mensasdk.vendors.batching import BatchResult, Doubt, Prepared

ROWS = 100_000 if LONG else 12_000
PAST = datetime.now(UTC) - timedelta(hours=1)


class Taker:
    """A vendor that takes everything, and notes its requests."""

    default_country = None
    text_rule = None

    def __init__(self, vendor: str = "taker", *, most: int = 3, groups: bool = False, prefix: str = "+") -> None:
        self.vendor = vendor
        self.max_recipients = most
        self.requests: list[list[str]] = []
        self._groups = groups
        self._prefix = prefix

    def prepare(self, message: Message) -> Prepared:
        if not message.to.startswith(self._prefix) or message.text == "wrong":
            raise ValidationError("no", field="to")
        return Prepared(message, message.to, message.sender, None, len(message.text))

    def group_key(self, item: Prepared) -> Hashable | None:
        return item.batch_key if self._groups else None

    async def send_batch(
        self, batch: Sequence[Prepared], *, reference: str, gate: Gate, group: str | None = None
    ) -> BatchResult:
        await gate.enter()
        await asyncio.sleep(0)
        self.requests.append([item.number for item in batch])
        return BatchResult(
            [
                Outcome(OutcomeKind.ACCEPTED, item.message, vendor=self.vendor, vendor_id="id", parts=item.parts)
                for item in batch
            ]
        )

    async def reconcile(
        self, doubts: Sequence[Doubt], *, reference: str, gate: Gate, repeat: bool
    ) -> Sequence[Outcome | None]:
        raise NotImplementedError


def unwilling(message: Message, number: str) -> Message:
    if number.endswith("3"):
        raise ValidationError("has opted out", field="to", code="opted_out")
    return message


messages_of_all_kinds = st.lists(
    st.builds(
        Message,
        st.integers(0, 14).map(lambda index: f"+{'34' if index % 3 else '52'}60000000{index:02d}"),
        st.sampled_from(["a", "bb", "wrong"]),
        sender=st.sampled_from(["one", "two"]),
        not_after=st.sampled_from([None, None, None, PAST]),
    ),
    max_size=60,
)


@pytest.mark.slow
@settings(max_examples=examples(150))
@given(
    messages=messages_of_all_kinds,
    most=st.integers(1, 5),
    groups=st.booleans(),
    in_flight=st.integers(1, 4),
    limit=st.none() | st.integers(0, 40),
    routes=st.integers(1, 2),
)
def test_a_check_says_what_a_campaign_does(
    messages: list[Message], most: int, groups: bool, in_flight: int, limit: int | None, routes: int
) -> None:
    """Duplicates, groups, what is too late, screens, and budgets that end in the middle of a request."""

    async def both() -> None:
        clients = [Taker("first", most=most, groups=groups, prefix="+34"), Taker("second", most=2)][-routes:]
        prices = Prices({}, default="1")
        # Beside each other, requests near the end of a budget hold a part of it until they are settled, and a message
        # that is too late keeps its copies back until that is found out.
        late = any(message.not_after is not None for message in messages)
        flight = in_flight if limit is None and not late else 1
        sender = BatchSender(
            Router(
                [
                    Route(one, max_in_flight=flight, budget=None if limit is None else Budget(limit, prices))
                    for one in clients
                ]
            ),
            screens=[unwilling],
        )
        found = await sender.check(messages)
        assert not any(client.requests for client in clients)
        report = await sender.send(messages)
        assert (found.total, found.messages, found.parts) == (report.total, report.accepted, report.parts)
        assert found.by_code == report.by_code
        assert {name: totals.messages for name, totals in found.by_vendor.items()} == {
            name: accepted for name, counts in report.by_vendor.items() if (accepted := counts[OutcomeKind.ACCEPTED])
        }
        if limit is None or routes == 1:
            assert {name: totals.requests for name, totals in found.by_vendor.items()} == {
                one.vendor: len(one.requests) for one in clients if one.requests
            }
        if limit is not None:
            spent = {one.client.vendor: one.budget.spent for one in sender_routes(sender) if one.budget is not None}
            estimates = {name: totals.estimate for name, totals in found.by_vendor.items()}
            assert {name: one.total for name, one in estimates.items() if one is not None} == {
                name: amount for name, amount in spent.items() if name in estimates
            }

    asyncio.run(both())


def sender_routes(sender: BatchSender) -> list[Route]:
    return [lane.route for lane in sender._dispatcher.lanes]


async def test_a_check_reserves_nothing_and_a_budget_is_still_whole(mensatek: MensatekClient, box: Sandbox) -> None:
    budget = Budget("30", Prices({"ES": "1"}))
    sender = BatchSender(mensatek, budget=budget, max_recipients=10)
    for _ in range(2):
        found = await sender.check(people(100))
        assert (found.messages, found.by_code) == (30, {"budget": 70})
    assert (budget.spent, budget.reserved, budget.messages_reserved) == (Decimal(0), Decimal(0), 0)
    assert box.ledger.request_count() == 0
    assert (await sender.send(people(100))).accepted == 30 == len(box.ledger)


async def test_what_is_not_sent_for_another_reason_takes_nothing_of_the_budget() -> None:
    [first, second, third] = people(3)
    late = Message("+34699999999", "hola", not_after=PAST)
    messages = [first, first, late, second, first, third]
    prices = Prices({}, default="1")
    sender = BatchSender(Taker(most=1), budget=Budget("12", prices), max_in_flight=1)  # "hola" is four parts of Taker
    found = await sender.check(messages)
    assert (found.messages, found.by_code) == (3, {"duplicate": 2, "expired": 1})
    assert (await sender.send(messages)).by_code == found.by_code


async def test_one_budget_of_two_routes_is_one_in_the_check_as_well() -> None:
    budget = Budget(max_messages=5)
    router = Router([Route(Taker("first", prefix="+34"), budget=budget), Route(Taker("second"), budget=budget)])
    messages = [*people(4), *(Message(f"+5255{index:08d}", "hola") for index in range(4))]
    found = await BatchSender(router).check(messages)
    assert (found.messages, found.by_code) == (5, {"budget": 3})


async def test_each_message_is_told_once_with_the_outcome_that_it_would_have() -> None:
    messages = [*people(5), *people(2), Message("+1", "wrong")]
    told: list[tuple[Message, Outcome | None]] = []
    found = await BatchSender(Taker(), screens=[unwilling]).check(
        messages, on_message=lambda message, outcome: told.append((message, outcome))
    )
    assert sorted(id(message) for message, _ in told) == sorted(map(id, messages))
    assert sum(outcome is None for _, outcome in told) == found.messages == 4
    kinds = {(outcome.kind, outcome.code) for _, outcome in told if outcome is not None}
    assert kinds == {(OutcomeKind.NOT_SENT, code) for code in ("opted_out", "duplicate", "invalid_to")}


async def test_progress_is_told_while_it_goes_on_and_never_runs_ahead() -> None:
    seen: list[int] = []
    taken = 0

    def source() -> Iterator[Message]:
        nonlocal taken
        for message in people(1_000):
            taken += 1
            yield message

    def progress(found: Preflight) -> None:
        assert found.total <= taken
        seen.append(found.total)

    found = await BatchSender(Taker(most=10)).check(source(), on_progress=progress)
    assert seen == sorted(seen)
    assert len(seen) >= 100
    assert seen[-1] == found.total == 1_000


async def test_an_async_source_will_do_and_what_it_raises_comes_out() -> None:
    async def source(fails: bool) -> AsyncIterator[Message]:
        for message in people(10):
            yield message
        if fails:
            raise OSError("gone")

    assert (await BatchSender(Taker()).check(source(fails=False))).messages == 10
    with pytest.raises(OSError, match="gone"):
        await BatchSender(Taker()).check(source(fails=True))


async def test_a_sender_that_is_at_a_campaign_does_not_check() -> None:
    """Its screens count what they are given."""
    sender = BatchSender(Taker())

    def source() -> Iterator[Message]:
        yield from people(3)
        task.append(asyncio.ensure_future(sender.check(people(1))))
        yield from people(6)

    task: list[asyncio.Future[Preflight]] = []
    await sender.send(source())
    with pytest.raises(ConfigurationError, match="runs a campaign"):
        await task[0]
    assert (await sender.check(people(1))).messages == 1


async def test_a_spread_begins_anew_with_the_campaign(box: Sandbox, mensatek: MensatekClient) -> None:
    sender = BatchSender(mensatek, screens=[Spread(timedelta(hours=2), 120)])
    found = await sender.check(people(120))
    report = await sender.send(people(120))
    assert report.accepted == found.messages == found.scheduled == found.put_off == 120
    sent = [one.scheduled_at for one in box.ledger.messages if one.scheduled_at is not None]
    assert len(sent) == 120
    assert found.first_at is not None
    assert found.last_at is not None
    # It begins two minutes after the first message is given, on a whole minute.
    assert timedelta(0) <= min(sent) - found.first_at <= timedelta(minutes=1)
    assert max(sent) - min(sent) == found.last_at - found.first_at == timedelta(minutes=119)
    assert box.ledger.request_count("EnviarSMS") == found.requests


async def test_what_hours_put_off_is_scheduled_at_the_vendor_as_the_check_said(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    opens = (datetime.now(UTC) + timedelta(hours=2)).time().replace(second=0, microsecond=0)
    hours = SendingHours(opens, time((opens.hour + 1) % 24, opens.minute), zone="UTC")
    sender = BatchSender(mensatek, screens=[hours])
    later = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2, minutes=10)
    own = Message("+34699999999", "hola", schedule_at=later)
    found = await sender.check([*people(50), own])
    await sender.send([*people(50), own])
    assert (found.scheduled, found.put_off, found.messages) == (51, 50, 51)
    sent = [one.scheduled_at for one in box.ledger.messages]
    assert (found.first_at, found.last_at) == (min(filter(None, sent)), max(filter(None, sent)))
    assert found.last_at == later


async def test_options_of_a_route_decide_whether_unicode_is_counted() -> None:
    async with MensatekClient("user", "token") as client, EnviaSmsClient("token") as envia:
        text = "está" + "a" * 80

        async def encoding(route: Route, message: Message) -> tuple[dict[Encoding, int], int, int]:
            found = await BatchSender(Router([route])).check([message])
            return found.by_encoding, found.parts, found.parts_in_gsm

        plain = Message("+34600000001", text)
        told = MensatekOptions(unicode=True)
        assert await encoding(Route(client), plain) == ({Encoding.GSM: 1}, 1, 1)
        assert await encoding(Route(client, options=told), plain) == ({Encoding.UCS2: 1}, 2, 1)
        own = Message("+34600000001", text, options=told)
        assert await encoding(Route(client, options=MensatekOptions()), own) == ({Encoding.UCS2: 1}, 2, 1)
        # This client asks for Unicode by itself where the text needs it.
        way = Route(envia, options=EnviaSmsOptions("02", "mensaje"))
        assert await encoding(way, plain) == ({Encoding.UCS2: 1}, 2, 1)
        assert await encoding(way, Message("+34600000001", "hola")) == ({Encoding.GSM: 1}, 1, 1)
        template = Message("+34600000001", template="01", variables={"ciudad": "León"})
        assert await encoding(Route(envia), template) == ({Encoding.UCS2: 1}, 1, 1)


async def test_groups_of_mensatek_take_the_requests_that_were_told(box: Sandbox) -> None:
    async with MensatekClient(
        **box.credentials("mensatek"), base_url=box.base_url("mensatek"), group_sends=True
    ) as client:
        messages = [*people(25), *people(25, "otra vez")]
        sender = BatchSender(client, max_recipients=10)
        found = await sender.check(messages)
        assert (await sender.send(messages)).accepted == found.messages == 50
        assert box.ledger.request_count("EnviarSMS") == found.requests > 5  # the group is opened by one message


# ------------------------------------------------------------------------------------------------ the claim


def everybody(count: int) -> Iterator[Message]:
    """Yield a list as lists are: six countries, some people twice, some who opted out, some mistakes, long texts."""
    for index in range(count):
        # Some numbers come twice, with the same text.
        person = index if index % 50 else index // 100
        text = ("Hola {nombre}, su cita está confirmada" + " y más" * (index % 7 * 5))[:155]
        text = text if person % 9 else f"{text} ñ {'x' * 140}"[:159]
        if index % 97 == 0:
            number = f"+34{person % 1000}"
        elif person % 40 == 7:
            number = f"+5255{10_000_000 + person:08d}"
        elif person % 10 == 3:
            number = f"+58414{person:07d}"
        elif person % 10 == 4:
            number = f"+57300{person:07d}"
        else:
            number = f"+34{600_000_000 + person}"
        yield Message(number, text, variables={"nombre": f"Persona {person}"})


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_numbers_of_a_check_are_those_of_the_campaign_that_follows_it() -> None:
    """12,000 rows; 100,000 in the long run. Everything that was told beforehand, at the vendors' ledger."""
    async with Sandbox() as box, AsyncExitStack() as stack:
        box.mensatek.account.prices = {"34": Decimal("0.9"), "57": Decimal("1.7")}
        box.mensatek.account.credits = box.envia_sms.account.credits = Decimal(10_000_000)
        given = {name: (box.credentials(name), box.base_url(name)) for name in VENDORS}
        clients = {
            name: await stack.enter_async_context(client(**given[name][0], base_url=given[name][1]))
            for name, client in VENDORS.items()
        }
        prices = {
            "mensatek": Prices({"ES": "0.9", "CO": "1.7"}),
            "envia_sms": Prices({"MX": box.envia_sms.account.countries["52"].price("gratis")}),
        }
        routes = [
            Route(clients["mensatek"], countries={"ES", "CO"}, rate=RateLimit(1_000_000)),
            Route(
                clients["envia_sms"],
                countries={"MX"},
                options=EnviaSmsOptions("02", "mensaje"),
                budget=Budget(1_000_000, prices["envia_sms"]),
            ),
            Route(clients["enviatusms"], countries={"VE"}),
            Route(clients["smsgateway24"], options=SmsGateway24Options(device_id="260")),
        ]
        optouts = OptOuts(f"+34{600_000_000 + person}" for person in range(0, ROWS, 211))
        sender = BatchSender(Router(routes), screens=[optouts])
        found = await sender.check(everybody(ROWS), prices=prices)
        assert box.ledger.request_count() == 0
        report = await sender.send(everybody(ROWS))

        ledger = box.ledger.messages
        assert (found.total, found.messages, found.parts) == (ROWS, report.accepted, report.parts)
        assert found.messages == len(ledger)
        assert found.parts == sum(message.parts for message in ledger)
        assert found.by_code == report.by_code
        assert set(found.by_code) >= {"duplicate", "opted_out", "invalid_to"}
        assert {name: totals.messages for name, totals in found.by_vendor.items()} == Counter(
            message.vendor for message in ledger
        )
        assert {name: totals.parts for name, totals in found.by_vendor.items()} == _sums(
            (message.vendor, message.parts) for message in ledger
        )
        assert {name: totals.requests for name, totals in found.by_vendor.items()} == Counter(
            request.vendor for request in box.ledger.requests if request.n_accepted
        )
        countries = {"34": "ES", "52": "MX", "57": "CO", "58": "VE"}
        assert {country: totals.messages for country, totals in found.by_country.items()} == Counter(
            countries[message.number[:2]] for message in ledger
        )
        assert {country: totals.parts for country, totals in found.by_country.items()} == _sums(
            (countries[message.number[:2]], message.parts) for message in ledger
        )
        for vendor in prices:
            estimate = found.by_vendor[vendor].estimate
            assert estimate is not None
            assert not estimate.unpriced
            assert estimate.total == sum(message.credits for message in ledger if message.vendor == vendor)
        assert found.by_country["CO"].cost["mensatek"] == sum(
            message.credits for message in ledger if message.number.startswith("57")
        )


VENDORS: dict[str, type] = {
    "mensatek": MensatekClient,
    "envia_sms": EnviaSmsClient,
    "enviatusms": EnviaTuSmsClient,
    "smsgateway24": SmsGateway24Client,
}


def _sums(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, count in pairs:
        sums[name] += count
    return dict(sums)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_memory_stays_flat() -> None:
    """A `KeySet` tells duplicates, in a tenth of what is allowed here. A message that stayed would take much more."""

    def source(count: int) -> Iterator[Message]:
        for index in range(count):
            yield Message(f"+346{index:08d}", f"Hola {index}, está confirmada")

    async def peak(count: int) -> int:
        async with MensatekClient("user", "token") as client:
            tracemalloc.start()
            found = await BatchSender(client, max_recipients=100).check(source(count), prices=Prices({"ES": "0.9"}))
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert found.messages == count
            return most

    few, many = (20_000, 100_000) if LONG else (5_000, 9_000)  # a `KeySet` changes its form before
    await peak(500)  # tables of numbers and the like are read with the first messages
    assert await peak(many) - await peak(few) < (many - few) * 128
