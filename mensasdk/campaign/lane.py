"""Put a route to work: its limiters, its breaker, its places for requests, and the gate that each request passes."""

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

if TYPE_CHECKING:  # loaded only where a budget is used
    from mensasdk.limits.budget import Item

__all__ = ["Lane", "LaneGate", "RouteStatistics"]


@frozen
class RouteStatistics:
    """State of a route at one moment.

    Attributes:
        vendor: the short name of the client's vendor.
        in_flight: requests under way.
        messages: state of the limiter of messages.
        requests: state of the limiter of requests.
        is_paused: the breaker lets no request through but a single probe.
        closed: why nothing is sent through the route any more; None while it is open.
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
        route: the route.
        index: the position of the route among the routes.
        most: the most messages in one request.
        messages: limiter of messages.
        requests: limiter of requests.
        free: free places for requests under way.
        breaker: breaker that pauses the lane while the vendor fails.
        in_flight: requests under way.
        is_full: the budget did not allow the whole of the last request.
        closed: why nothing is sent through the lane any more; None while it is open.
        client: the client of the route.
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
        """Make the lane of a route.

        Args:
            route: the route.
            index: the position of the route among the routes.
            size: the most messages in one request, where the client and the rate allow more; None for no further limit.
        """
        messages, requests = _limiter(route.rate), _limiter(route.request_rate)
        # The messages of a request go out at once, so there must not be more than one window allows.
        bounds = (route.client.max_recipients, size, messages.capacity)
        most = min(bound for bound in bounds if bound is not None)
        free = asyncio.Semaphore(route.max_in_flight)
        return cls(route, index, most, messages, requests, free, Breaker(route.breaker))

    @property
    def is_open(self) -> bool:
        """Tell whether anything may still be sent through the lane."""
        return self.closed is None

    def close(self, reason: str) -> None:
        """Close the lane, so that nothing is sent through it any more. The first reason is kept."""
        if self.closed is None:
            self.closed = reason

    def statistics(self) -> RouteStatistics:
        """Return the state of the route at this moment."""
        return RouteStatistics(
            self.client.vendor,
            self.in_flight,
            self.messages.statistics(),
            self.requests.statistics(),
            self.breaker.is_open,
            self.closed,
        )

    def check_price(self, item: Prepared) -> None:
        """Check that a message has a price, if the lane has a budget with prices.

        Raises:
            ValidationError: the message has no price.
        """
        if self.route.budget is not None and self.route.budget.prices is not None:
            self.route.budget.prices.cost(item.number, item.parts)

    def reserve(self, items: Sequence[Prepared]) -> int:
        """Reserve the cost of messages in the budget; return how many of them, from the front, the budget allows."""
        if self.route.budget is None:
            return len(items)
        fit = self.route.budget.reserve(_costs(items))
        self.is_full = fit < len(items)
        return fit

    def charge(self, items: Sequence[Prepared], outcomes: Sequence[Outcome], charged: Decimal | None) -> None:
        """Replace the reserved cost of messages in the budget by what they really cost.

        Args:
            items: the messages, as they were reserved.
            outcomes: the outcome of each message through this lane, in the same order.
            charged: what the vendor charged for all the messages together; None if the vendor does not say.
        """
        if self.route.budget is not None:
            self.route.budget.settle(_costs(items), outcomes, charged=charged)

    def release(self, items: Sequence[Prepared]) -> None:
        """Give the reserved cost of messages that were not sent back to the budget."""
        if self.route.budget is not None:
            self.route.budget.release(_costs(items))


def _limiter(rate: RateLimit | RateLimiter | None) -> RateLimiter:
    if rate is None:
        return Unlimited()
    return WindowLimiter(rate) if isinstance(rate, RateLimit) else rate


def _costs(items: Sequence[Prepared]) -> Sequence[Item]:
    return [(item.number, item.parts) for item in items]


class LaneGate:
    """Gate of one request: it waits for a place, for a permit for the request, and for one for each of its messages.

    Attributes:
        paid: `pay` has taken permits, and no attempt has used them yet.
    """

    __slots__ = ("_count", "_inside", "_lane", "_probe", "paid")

    def __init__(self, lane: Lane, count: int) -> None:
        self._lane = lane
        self._count = count
        self.paid = False
        self._inside = False
        self._probe = False

    async def pay(self) -> None:
        """Wait for a place, the breaker and the permits of the first attempt, before the call's deadline begins."""
        await self._lane.free.acquire()
        self._inside = True
        self._lane.in_flight += 1
        self._probe = self._lane.breaker.is_open and await self._lane.breaker.enter()
        await self._lane.requests.acquire()
        await self._lane.messages.acquire(self._count)
        self.paid = True

    def leave(self) -> None:
        """Give the place back, also if `pay` was cancelled."""
        if self._probe:
            self._probe = False
            self._lane.breaker.let_go()
        if self._inside:
            self._inside = False
            self._lane.in_flight -= 1
            self._lane.free.release()

    def judge(self, *, works: bool) -> None:
        """Tell the breaker whether the vendor works, after a request; close the lane if it gives the vendor up."""
        breaker = self._lane.breaker
        if works:
            breaker.succeed()
        elif breaker.fail(probe=self._probe):
            self._lane.close(f"{self._lane.client.vendor} does not answer; resume the campaign when it does")
        self._probe = False

    async def enter(self) -> None:
        """Wait for the permits of one attempt; the first attempt uses those that `pay` has taken."""
        if self.paid:
            self.paid = False
        else:
            await self._lane.requests.acquire()
            await self._lane.messages.acquire(self._count)

    def penalise(self, seconds: float) -> None:
        """Pause both limiters of the lane for ``seconds``, because the vendor asked for it (HTTP 429)."""
        self._lane.messages.penalise(seconds)
        self._lane.requests.penalise(seconds)
