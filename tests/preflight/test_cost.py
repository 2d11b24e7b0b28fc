"""Estimate and budget: money is exact, and a cap holds whatever the order in which requests end."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from mensasdk import ConfigurationError, Message, Outcome, OutcomeKind, ValidationError
from mensasdk.limits.budget import Budget, Item
from mensasdk.preflight.cost import Estimate
from mensasdk.preflight.prices import Prices

ACCEPTED, REJECTED = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED
NOT_SENT, UNKNOWN = OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN
SPAIN, MEXICO, NOBODY = "+34600000000", "+525589520028", "+11115550123"
PRICES = Prices({"ES": "0.9", "MX": "0.35"})
MESSAGE = Message(SPAIN, "Hola")


def outcome(kind: OutcomeKind, *, parts: int | None = None, charge: Decimal | str | None = None) -> Outcome:
    return Outcome(kind, MESSAGE, vendor="v", parts=parts, credits=None if charge is None else Decimal(charge))


def books(budget: Budget, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(budget, name) for name in names)


amounts = st.decimals(0, 10**6, places=6) | st.decimals(0, 9, places=12)
parts_counts = st.integers(1, 10)


# --------------------------------------------------------------------------------------------------------- estimate


def test_an_estimate_tells_messages_parts_and_cost_by_country() -> None:
    estimate = Estimate(PRICES)
    for where, parts in [(SPAIN, 1), (SPAIN, 2), (MEXICO, 3), ("ES", 0)]:
        estimate.add(where, parts)
    spain, mexico = estimate.by_country["ES"], estimate.by_country["MX"]
    assert (spain.messages, spain.parts, spain.cost) == (3, 4, Decimal("3.6"))
    assert (mexico.messages, mexico.parts, mexico.cost) == (1, 3, Decimal("1.05"))
    assert (estimate.messages, estimate.parts, estimate.total) == (4, 7, Decimal("4.65"))
    assert estimate.unpriced == {}


def test_what_has_no_price_is_counted_and_not_in_the_total() -> None:
    estimate = Estimate(PRICES)
    for where in (SPAIN, "+33612345678", "+33612345679", NOBODY, None):
        estimate.add(where, 2)
    assert estimate.total == Decimal("1.8")
    assert estimate.unpriced == {"FR": 2, None: 2}
    assert (estimate.messages, estimate.parts) == (5, 10)
    assert "4 without a price" in repr(estimate)


@given(st.lists(st.tuples(st.sampled_from([SPAIN, MEXICO, "FR", NOBODY, None]), parts_counts)), st.integers(0, 9))
def test_the_estimates_of_two_parts_of_a_list_add_up_to_that_of_the_list(items: list[Item], cut: int) -> None:
    whole, first, second = Estimate(PRICES), Estimate(PRICES), Estimate(PRICES)
    for item in items:
        whole.add(*item)
    for item in items[:cut]:
        first.add(*item)
    for item in items[cut:]:
        second.add(*item)
    untouched = dict(second.by_country)
    first.merge(second)
    assert first.by_country == whole.by_country
    assert (first.total, first.unpriced) == (whole.total, whole.unpriced)
    assert second.by_country == untouched


def test_merging_shares_nothing_between_the_two() -> None:
    first, second = Estimate(PRICES), Estimate(PRICES)
    second.add(SPAIN, 1)
    first.merge(second)
    first.add(SPAIN, 1)
    assert second.messages == 1


@given(
    st.dictionaries(st.sampled_from(["ES", "MX", "FR"]), amounts),
    st.lists(st.tuples(st.sampled_from(["ES", "MX", "FR"]), parts_counts)),
)
def test_an_estimate_is_exact_in_every_decimal_context(table: dict[str, Any], items: list[Item]) -> None:
    with localcontext() as context:
        context.prec = 3
        estimate = Estimate(Prices(table, default="0.000000000001"))
        for item in items:
            estimate.add(*item)
        total = estimate.total
    expected = sum((Fraction(table.get(str(where), Decimal("1e-12"))) * parts for where, parts in items), Fraction(0))
    assert Fraction(total) == expected


def test_a_list_of_any_length_takes_no_more_memory() -> None:
    estimate = Estimate(PRICES)
    numbers = [f"+346{number:08}" for number in range(2_000)]
    for number in numbers:
        estimate.add(number, 1)
    tracemalloc.start()
    try:
        for number in numbers:
            estimate.add(number, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000


# ----------------------------------------------------------------------------------------------------------- budget


def test_as_many_as_fit_are_reserved_from_the_front() -> None:
    budget = Budget("2", PRICES)
    assert budget.reserve([(SPAIN, 1), (SPAIN, 1), (MEXICO, 1)]) == 2
    assert books(budget, "reserved", "remaining", "spent") == (Decimal("1.8"), Decimal("0.2"), 0)
    assert budget.reserve([(MEXICO, 1)]) == 0
    assert budget.reserve([]) == 0


def test_the_limit_itself_may_be_reached_to_the_last_digit() -> None:
    budget = Budget("2.7", PRICES)
    assert budget.reserve([(SPAIN, 3)]) == 1
    assert budget.remaining == 0
    assert Budget("2.699999999999", PRICES).reserve([(SPAIN, 3)]) == 0


def test_what_does_not_fit_is_not_jumped_over() -> None:
    """The rest of a request stays in the order of the list: a cheaper message behind does not go before."""
    assert Budget("1", PRICES).reserve([(SPAIN, 2), (MEXICO, 1)]) == 0


@pytest.mark.parametrize(
    ("kind", "spent", "messages"), [(ACCEPTED, "1.8", 1), (UNKNOWN, "1.8", 1), (REJECTED, "0", 0), (NOT_SENT, "0", 0)]
)
def test_without_a_reported_charge_the_kind_decides(kind: OutcomeKind, spent: str, messages: int) -> None:
    budget = Budget("5", PRICES)
    budget.reserve([(SPAIN, 2)])
    budget.settle([(SPAIN, 2)], [outcome(kind)])
    assert books(budget, "spent", "reserved", "messages") == (Decimal(spent), 0, messages)
    assert budget.remaining == 5 - Decimal(spent)


def test_the_charge_that_the_vendor_reports_for_a_request_takes_the_place_of_the_estimate() -> None:
    items: list[Item] = [(SPAIN, 1)] * 3
    budget = Budget("5", PRICES)
    budget.reserve(items)
    budget.settle(items, [outcome(ACCEPTED), outcome(UNKNOWN), outcome(REJECTED)], charged=Decimal("1.5"))
    assert books(budget, "spent", "reserved", "messages") == (Decimal("1.5"), 0, 2)


def test_the_charge_of_one_message_takes_the_place_of_its_estimate_alone() -> None:
    items: list[Item] = [(SPAIN, 1)] * 2
    budget = Budget("5", PRICES)
    budget.reserve(items)
    budget.settle(items, [outcome(ACCEPTED, charge="0.5"), outcome(ACCEPTED)])
    assert budget.spent == Decimal("1.4")


def test_parts_that_the_vendor_made_of_it_take_the_place_of_ours() -> None:
    """A template's own words are not known before the vendor's answer."""
    items: list[Item] = [(MEXICO, 1)]
    budget = Budget("5", PRICES)
    budget.reserve(items)
    budget.settle(items, [outcome(ACCEPTED, parts=3)])
    assert books(budget, "spent", "reserved") == (Decimal("1.05"), 0)


def test_a_charge_above_the_estimate_counts_at_once() -> None:
    budget = Budget("2", PRICES)
    assert budget.reserve([(SPAIN, 1)]) == 1
    budget.settle([(SPAIN, 1)], [outcome(ACCEPTED)], charged=Decimal(3))
    assert books(budget, "spent", "remaining") == (3, 0)
    assert budget.reserve([(MEXICO, 1)]) == 0


@pytest.mark.parametrize("charge", ["NaN", "-1", "Infinity"])
def test_a_charge_that_cannot_be_believed_leaves_the_estimate(charge: str) -> None:
    for charged, own in ((Decimal(charge), None), (None, charge)):
        budget = Budget("5", PRICES)
        budget.reserve([(SPAIN, 1)])
        budget.settle([(SPAIN, 1)], [outcome(ACCEPTED, charge=own)], charged=charged)
        assert budget.spent == Decimal("0.9")


def test_what_was_not_sent_after_all_is_given_back() -> None:
    items: list[Item] = [(SPAIN, 1), (MEXICO, 2)]
    budget = Budget("5", PRICES, max_messages=2)
    assert budget.reserve(items) == 2
    assert budget.messages_remaining == 0
    budget.release(items[:1])
    assert books(budget, "reserved", "messages_reserved", "messages_remaining") == (Decimal("0.7"), 1, 1)
    budget.release(items[1:])
    assert books(budget, "reserved", "remaining", "messages_remaining") == (0, 5, 2)


def test_more_than_was_reserved_cannot_be_given_back_or_settled() -> None:
    budget = Budget("5", PRICES)
    budget.reserve([(SPAIN, 1)])
    acts: list[Callable[[], None]] = [
        lambda: budget.release([(SPAIN, 2)]),
        lambda: budget.release([(MEXICO, 1), (MEXICO, 1)]),
        lambda: budget.settle([(SPAIN, 2)], [outcome(ACCEPTED)]),
        lambda: budget.settle([(SPAIN, 1)], []),
    ]
    for act in acts:
        with pytest.raises(ValueError, match=r"given back|shorter"):
            act()
    assert books(budget, "reserved", "spent", "messages", "messages_reserved") == (Decimal("0.9"), 0, 0, 1)


def test_a_message_without_a_price_is_refused_and_nothing_is_reserved() -> None:
    budget = Budget("5", PRICES)
    with pytest.raises(ValidationError) as caught:
        budget.reserve([(SPAIN, 1), ("FR", 1)])
    assert caught.value.code == "no_price"
    assert books(budget, "reserved", "messages_reserved") == (0, 0)


def test_what_was_sent_before_a_crash_can_be_counted() -> None:
    budget = Budget("5", PRICES, max_messages=3)
    budget.count(
        [(SPAIN, 1), (SPAIN, 2), (SPAIN, 1)], [outcome(ACCEPTED, charge="1"), outcome(UNKNOWN), outcome(REJECTED)]
    )
    assert books(budget, "spent", "reserved", "messages_remaining") == (Decimal("2.8"), 0, 1)


def test_messages_alone_can_be_capped_without_prices() -> None:
    budget = Budget(max_messages=3)
    assert budget.reserve([(SPAIN, 1), (NOBODY, 5)]) == 2
    assert budget.reserve([(None, 1), (None, 1)]) == 1
    assert budget.remaining is None
    budget.settle([(SPAIN, 1), (NOBODY, 5)], [outcome(REJECTED), outcome(ACCEPTED, charge="2.5")])
    assert books(budget, "messages", "messages_reserved", "messages_remaining") == (1, 1, 1)
    assert books(budget, "spent", "reserved") == (Decimal("2.5"), 0)


def test_of_two_caps_the_one_that_is_reached_first_holds() -> None:
    assert Budget("100", PRICES, max_messages=1).reserve([(SPAIN, 1)] * 3) == 1
    assert Budget("1", PRICES, max_messages=3).reserve([(SPAIN, 1)] * 3) == 1


def test_a_cap_of_nothing_lets_nothing_pass_that_costs() -> None:
    assert Budget(0, PRICES).reserve([(SPAIN, 1)]) == 0
    assert Budget(max_messages=0).reserve([(SPAIN, 1)]) == 0
    assert Budget(0, Prices({}, default=0)).reserve([(SPAIN, 1)]) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, ConfigurationError),
        ({"limit": 5}, ConfigurationError),
        ({"prices": PRICES}, ConfigurationError),
        ({"limit": 0.5, "prices": PRICES}, ValidationError),
        ({"limit": -1, "prices": PRICES}, ValidationError),
        ({"limit": "ten", "prices": PRICES}, ValidationError),
        ({"limit": Decimal("Infinity"), "prices": PRICES}, ValidationError),
        ({"max_messages": -1}, ValidationError),
        ({"max_messages": 1.5}, ValidationError),
        ({"max_messages": True}, ValidationError),
    ],
)
def test_a_budget_that_caps_nothing_or_is_no_amount_is_refused(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Budget(**arguments)


def test_a_budget_is_exact_in_every_decimal_context() -> None:
    items: list[Item] = [(SPAIN, 3), (MEXICO, 7)]
    with localcontext() as context:
        context.prec = 2
        budget = Budget("10.00001", Prices({"ES": "1.234567", "MX": "0.123456"}))
        assert budget.reserve(items) == 2
        assert books(budget, "reserved", "remaining") == (Decimal("4.567893"), Decimal("5.432117"))
        budget.settle(items, [outcome(ACCEPTED), outcome(UNKNOWN)])
        assert budget.reserve(items) == 2
        budget.release(items)
        budget.count(items[:1], [outcome(ACCEPTED, charge="0.000001")])
        assert books(budget, "spent", "reserved") == (Decimal("4.567894"), 0)


def test_it_says_where_it_stands() -> None:
    budget = Budget("5", PRICES, max_messages=9)
    budget.reserve([(SPAIN, 1)])
    assert repr(budget) == "<Budget: 0 spent and 0.9 reserved of 5; 0 messages and 1 reserved of 9>"


# ------------------------------------------------------------------------------------------- whatever the order is

WHERE = [SPAIN, MEXICO, NOBODY, "FR"]
requests = st.lists(st.tuples(st.sampled_from(WHERE), parts_counts), max_size=6)


class AnyOrder(RuleBasedStateMachine):
    """Requests are reserved, given back and settled in any order; a plain count in fractions says what is right."""

    under_way: Bundle[list[Item]] = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.prices = Prices({"ES": "0.9", "MX": "0.333333333333", "+1": 0}, default="7.25")
        self.budget = Budget("60.5", self.prices, max_messages=25)
        self.spent = self.reserved = Fraction(0)
        self.messages = self.held = 0

    def cost(self, items: Sequence[Item]) -> Fraction:
        prices = {SPAIN: "0.9", MEXICO: "0.333333333333", NOBODY: "0"}
        return sum((Fraction(prices.get(str(where), "7.25")) * parts for where, parts in items), Fraction(0))

    @rule(target=under_way, items=requests)
    def reserve(self, items: list[Item]) -> list[Item]:
        count = self.budget.reserve(items)
        room = Fraction("60.5") - self.spent - self.reserved
        free = 25 - self.messages - self.held
        fitting = [n for n in range(len(items) + 1) if n <= free and self.cost(items[:n]) <= room]
        assert count == max(fitting)
        self.reserved += self.cost(items[:count])
        self.held += count
        return items[:count]

    @rule(items=consumes(under_way), cut=st.integers(0, 6))
    def release_some(self, items: list[Item], cut: int) -> None:
        """Settle rows as accepted, but for some that are not claimed."""
        self.budget.release(items[:cut])
        self.budget.settle(items[cut:], [outcome(ACCEPTED) for _ in items[cut:]])
        self.reserved -= self.cost(items)
        self.spent += self.cost(items[cut:])
        self.held -= len(items)
        self.messages += len(items[cut:])

    @rule(
        items=consumes(under_way),
        kinds=st.lists(st.sampled_from(list(OutcomeKind)), min_size=6, max_size=6),
        share=st.none() | st.integers(0, 100),
    )
    def settle(self, items: list[Item], kinds: list[OutcomeKind], share: int | None) -> None:
        paid = [item for item, kind in zip(items, kinds, strict=False) if kind in (ACCEPTED, UNKNOWN)]
        amount = self.cost(paid)
        charged: Decimal | None = None
        if share is not None:  # a truthful vendor charges no more than its prices say
            charged = Decimal(int(amount * share)) / 100
            assert Fraction(charged) <= amount
            amount = Fraction(charged)
        self.budget.settle(items, [outcome(kind) for _, kind in zip(items, kinds, strict=False)], charged=charged)
        self.reserved -= self.cost(items)
        self.spent += amount
        self.held -= len(items)
        self.messages += len(paid)

    @invariant()
    def the_cap_holds_and_the_books_are_exact(self) -> None:
        budget = self.budget
        assert (Fraction(budget.spent), Fraction(budget.reserved)) == (self.spent, self.reserved)
        assert books(budget, "messages", "messages_reserved") == (self.messages, self.held)
        assert budget.spent + budget.reserved <= Decimal("60.5")
        assert budget.messages + budget.messages_reserved <= 25
        assert budget.remaining == Decimal("60.5") - budget.spent - budget.reserved


TestAnyOrder = pytest.mark.slow(AnyOrder.TestCase)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 300)), max_size=30), st.integers(1, 8))
def test_a_vendor_that_charges_more_passes_the_limit_by_that_of_what_was_under_way_and_no_more(
    asked: list[tuple[int, int]], in_flight: int
) -> None:
    budget = Budget(20, Prices({}, default=1))
    under_way: list[tuple[list[Item], int]] = []
    excess = Decimal(0)  # charged above the estimate since a reservation went through
    for count, percent in [*asked, *[(0, 0)] * in_flight]:
        items: list[Item] = [(SPAIN, 1)] * count
        fit = budget.reserve(items)
        if fit:
            excess = Decimal(0)
        assert budget.spent + budget.reserved <= 20 + excess
        under_way.append((items[:fit], percent))
        if len(under_way) > in_flight:
            done, percent = under_way.pop(0)
            charge = Decimal(len(done) * percent) / 100
            excess += max(Decimal(0), charge - len(done))
            budget.settle(done, [outcome(ACCEPTED) for _ in done], charged=charge)
    assert budget.reserved == 0


async def test_sixteen_workers_never_spend_more_than_the_cap_and_come_to_it() -> None:
    """Requests of a thousand that end in any order, with every kind of outcome; the vendor's own book is the judge."""
    rng = random.Random(7)
    budget = Budget("9000", PRICES)
    left: list[Item] = [(SPAIN if rng.random() < 0.5 else MEXICO, rng.randint(1, 3)) for _ in range(40_000)]
    vendor = Decimal(0)  # what was really charged, those included of which nobody was told

    async def worker() -> None:
        nonlocal vendor
        while left:
            request: list[Item] = [left.pop() for _ in range(min(1000, len(left)))]
            fit = budget.reserve(request)
            sent = request[:fit]
            left.extend(request[fit:])
            if not sent and not budget.reserved:
                return
            for _ in range(rng.randint(1, 4)):
                await asyncio.sleep(0)
            kinds = [rng.choice(list(OutcomeKind)) for _ in sent]
            for (where, parts), kind in zip(sent, kinds, strict=True):
                if kind is ACCEPTED or (kind is UNKNOWN and rng.random() < 0.5):
                    vendor += PRICES.cost(where, parts)
            budget.settle(sent, [outcome(kind) for kind in kinds])
            assert vendor <= budget.spent <= 9000
            assert budget.spent + budget.reserved <= 9000

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(worker())
    assert budget.reserved == 0
    assert left
    assert budget.spent > 8990
