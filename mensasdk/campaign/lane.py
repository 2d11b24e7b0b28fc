"""A route at work: its limiters, its places, its breaker, and the gate that each of its requests passes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from attrs import Factory, define, field, frozen

from mensasdk.campaign.route import Route
from mensasdk.limits.breaker import Breaker
from mensasdk.limits.rate import LimiterStatistics, RateLimit, RateLimiter, Unlimited
from mensasdk.limits.window import WindowLimiter
from mensasdk.messages import Outcome
from mensasdk.vendors.batching import BatchClient, Prepared

if TYPE_CHECKING:  # loaded by who has a budget
    from mensasdk.limits.budget import Item

__all__ = ["Lane", "LaneGate", "RouteStatistics"]


@frozen
class RouteStatistics:
    """What a route holds at one moment.

    Attributes:
        vendor: the client's.
        in_flight: requests under way.
        messages: the limiter of messages.
        requests: the limiter of requests.
        is_paused: the breaker lets nothing through but a single try.
        closed: why nothing is sent through it any more; None while it is open.
    """

    vendor: str
    in_flight: int
    messages: LimiterStatistics
    requests: LimiterStatistics
    is_paused: bool
    closed: str | None


@define(eq=False)
class Lane:
    """A route at work.

    Attributes:
        route: what it is.
        index: its place among the routes.
        most: messages in one request.
        messages: permits for messages.
        requests: permits for requests.
        free: places for requests under way.
        breaker: pauses it while the vendor fails.
        in_flight: requests under way.
        is_full: its budget did not allow the last request as a whole.
        closed: why nothing is sent through it any more; None while it is open.
    """

    route: Route
    index: int
    most: int
    messages: RateLimiter
    requests: RateLimiter
    free: asyncio.Semaphore
    breaker: Breaker
    in_flight: int = 0
    is_full: bool = False
    closed: str | None = None
    client: BatchClient = field(init=False, default=Factory(lambda lane: lane.route.client, takes_self=True))

    @classmethod
    def of(cls, route: Route, index: int, size: int | None) -> Self:
        """Put a route to work.

        Args:
            route: the route.
            index: its place among the routes.
            size: most messages in one request, below what the client and the rate allow; None for no further bound.
        """
        messages, requests = _limiter(route.rate), _limiter(route.request_rate)
        # A request is one burst, and must not hold more than a window allows.
        bounds = (route.client.max_recipients, size, messages.capacity)
        most = min(bound for bound in bounds if bound is not None)
        free = asyncio.Semaphore(route.max_in_flight)
        return cls(route, index, most, messages, requests, free, Breaker(route.breaker))

    @property
    def is_open(self) -> bool:
        """Something may still be sent through it."""
        return self.closed is None

    def close(self, reason: str) -> None:
        """Send nothing through it any more. The first reason stays."""
        if self.closed is None:
            self.closed = reason

    def statistics(self) -> RouteStatistics:
        """Tell what it holds at this moment."""
        return RouteStatistics(
            self.client.vendor,
            self.in_flight,
            self.messages.statistics(),
            self.requests.statistics(),
            self.breaker.is_open,
            self.closed,
        )

    def check_price(self, item: Prepared) -> None:
        """See to it that a message has a price where there is a budget of money.

        Raises:
            ValidationError: it has none.
        """
        if self.route.budget is not None and self.route.budget.prices is not None:
            self.route.budget.prices.cost(item.number, item.parts)

    def reserve(self, items: Sequence[Prepared]) -> int:
        """Reserve what messages cost; give how many of them, from the front, the budget allows."""
        if self.route.budget is None:
            return len(items)
        fit = self.route.budget.reserve(_costs(items))
        self.is_full = fit < len(items)
        return fit

    def charge(self, items: Sequence[Prepared], outcomes: Sequence[Outcome], charged: Decimal | None) -> None:
        """Settle with the budget what was reserved.

        Args:
            items: the messages, as they were reserved.
            outcomes: what became of each through this lane.
            charged: what the vendor charged for all of them, where it says so.
        """
        if self.route.budget is not None:
            self.route.budget.settle(_costs(items), outcomes, charged=charged)

    def release(self, items: Sequence[Prepared]) -> None:
        """Give back to the budget what was reserved for messages that were not sent."""
        if self.route.budget is not None:
            self.route.budget.release(_costs(items))


def _limiter(rate: RateLimit | RateLimiter | None) -> RateLimiter:
    if rate is None:
        return Unlimited()
    return WindowLimiter(rate) if isinstance(rate, RateLimit) else rate


def _costs(items: Sequence[Prepared]) -> Sequence[Item]:
    return [(item.number, item.parts) for item in items]


class LaneGate:
    """What one request passes: a place among those under way, a permit for itself, and one for each message in it.

    Attributes:
        paid: `pay` has been called, and its permits are not used yet.
    """

    __slots__ = ("_count", "_inside", "_lane", "_probe", "paid")

    def __init__(self, lane: Lane, count: int) -> None:
        self._lane = lane
        self._count = count
        self.paid = False
        self._inside = False
        self._probe = False

    async def pay(self) -> None:
        """Take a place and the permits of the first attempt, before the deadline of the call begins to run."""
        await self._lane.free.acquire()
        self._inside = True
        self._lane.in_flight += 1
        self._probe = self._lane.breaker.is_open and await self._lane.breaker.enter()
        await self._lane.requests.acquire()
        await self._lane.messages.acquire(self._count)
        self.paid = True

    def leave(self) -> None:
        """Give the place back; also when `pay` did not come to its end."""
        if self._probe:
            self._probe = False
            self._lane.breaker.let_go()
        if self._inside:
            self._inside = False
            self._lane.in_flight -= 1
            self._lane.free.release()

    def judge(self, *, works: bool) -> None:
        """Say whether the vendor works, after a request."""
        breaker = self._lane.breaker
        if works:
            breaker.succeed()
        elif breaker.fail(probe=self._probe):
            self._lane.close(f"{self._lane.client.vendor} does not answer; resume the campaign when it does")
        self._probe = False

    async def enter(self) -> None:
        if self.paid:
            self.paid = False
        else:
            await self._lane.requests.acquire()
            await self._lane.messages.acquire(self._count)

    def penalise(self, seconds: float) -> None:
        self._lane.messages.penalise(seconds)
        self._lane.requests.penalise(seconds)
