"""A route at work: its limiters, its places, its breaker, and the gate that each of its requests passes."""

from __future__ import annotations

import asyncio

from attrs import define

from mensasdk.campaign.router import Route
from mensasdk.limits.breaker import Breaker
from mensasdk.limits.rate import RateLimit, RateLimiter, Unlimited
from mensasdk.limits.window import WindowLimiter
from mensasdk.vendors.batching import BatchClient

__all__ = ["Lane", "LaneGate", "limiter"]


def limiter(limit: RateLimit | None) -> RateLimiter:
    """The limiter that keeps a limit."""
    return Unlimited() if limit is None else WindowLimiter(limit)


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
    is_full: bool = False
    closed: str | None = None

    @property
    def client(self) -> BatchClient:
        return self.route.client

    def close(self, reason: str) -> None:
        if self.closed is None:
            self.closed = reason


class LaneGate:
    """What one request passes: a place among those under way, a permit for itself, and one for each message in it."""

    def __init__(self, lane: Lane, count: int) -> None:
        self._lane = lane
        self._count = count
        self._paid = False
        self._inside = False
        self._probe = False

    async def pay(self) -> None:
        """Take a place and the permits of the first attempt, before the deadline of the call begins to run."""
        await self._lane.free.acquire()
        self._inside = True
        self._probe = await self._lane.breaker.enter()
        await self._take()
        self._paid = True

    @property
    def paid(self) -> bool:
        """`pay` has been called and its permits are not used yet."""
        return self._paid

    def leave(self) -> None:
        """Give the place back; also when `pay` did not come to its end."""
        if self._probe:
            self._probe = False
            self._lane.breaker.let_go()
        if self._inside:
            self._inside = False
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
        if self._paid:
            self._paid = False
        else:
            await self._take()

    async def _take(self) -> None:
        await self._lane.requests.acquire(1)
        await self._lane.messages.acquire(self._count)

    def penalise(self, seconds: float) -> None:
        self._lane.messages.penalise(seconds)
        self._lane.requests.penalise(seconds)
