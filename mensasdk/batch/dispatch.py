"""A router at work: a lane for each message, and requests brought to their outcomes, over several lanes if need be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any

from attrs import define, evolve, field

from mensasdk import phone
from mensasdk.batch.limiter import RateLimit, RateLimiter, Unlimited, WindowLimiter
from mensasdk.batch.router import Route, Router
from mensasdk.errors import (
    AddressBlocked,
    AuthError,
    ConfigurationError,
    InsufficientCredits,
    MensaError,
    OutcomeKind,
    TLSError,
    UnexpectedRedirect,
    ValidationError,
)
from mensasdk.messages import Message, Outcome
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.base import BatchClient, Prepared, code_of

__all__ = ["Dispatcher", "Interrupted", "LaneGate", "SendCancelled", "Spent", "outcomes_of"]

logger = logging.getLogger("mensasdk")

# After one of these every further request would end the same way, and vendors block addresses that keep trying.
_CLOSING = (AuthError, AddressBlocked, TLSError, UnexpectedRedirect, InsufficientCredits, ConfigurationError)
# The vendor's own trouble, with the certainty that nothing was sent: another vendor may take the message.
_VENDOR_TROUBLE = (AuthError, AddressBlocked, InsufficientCredits)


class SendCancelled(asyncio.CancelledError):
    """A send was cancelled; carries what became of it. It passes on as the cancellation that it is."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


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
        closed: why nothing is sent through it any more; None while it is open.
    """

    route: Route
    index: int
    most: int
    messages: RateLimiter
    requests: RateLimiter
    free: asyncio.Semaphore
    closed: str | None = None

    @property
    def client(self) -> BatchClient:
        return self.route.client

    def close(self, reason: str) -> None:
        if self.closed is None:
            self.closed = reason


class Interrupted(Exception):
    """A wait or a send was ended by `BatchSender.stop`, and not by a cancellation from outside."""

    def __init__(self, outcome: OutcomeKind) -> None:
        super().__init__()
        self.outcome = outcome


class Interrupts:
    """Ends what workers are waiting for, without ending the workers."""

    def __init__(self) -> None:
        self._asked: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._sending: set[asyncio.Task[Any]] = set()

    def waiting(self) -> AbstractContextManager[None]:
        """A section in which nothing is under way; raises `Interrupted` with NOT_SENT."""
        return self._section(self._waiting)

    def sending(self) -> AbstractContextManager[None]:
        """A section in which a request is made; raises `Interrupted` with what became of it."""
        return self._section(self._sending)

    def end(self, *, sends: bool) -> None:
        """End all waits, and with ``sends`` all sends as well."""
        for task in [*self._waiting, *(self._sending if sends else ())]:
            if task is not asyncio.current_task() and task not in self._asked:
                self._asked.add(task)
                task.cancel()

    @contextmanager
    def _section(self, tasks: set[asyncio.Task[Any]]) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        outcome: OutcomeKind | None = None
        try:
            yield
        except asyncio.CancelledError as cancelled:
            # Ours only if nobody else has cancelled the task as well.
            if task not in self._asked or task.cancelling() > 1:
                raise
            outcome = OutcomeKind.NOT_SENT if tasks is self._waiting else cancelled_outcome(cancelled)
        finally:
            tasks.discard(task)
            if task in self._asked:
                self._asked.discard(task)
                task.uncancel()
        if outcome is not None:
            raise Interrupted(outcome)


class LaneGate:
    """What one request passes: a place among those under way, a permit for itself, and one for each message in it."""

    def __init__(self, lane: Lane, count: int) -> None:
        self._lane = lane
        self._count = count
        self._paid = False
        self._inside = False

    async def pay(self) -> None:
        """Take a place and the permits of the first attempt, before the deadline of the call begins to run."""
        await self._lane.free.acquire()
        self._inside = True
        await self._take()
        self._paid = True

    @property
    def paid(self) -> bool:
        """`pay` has been called and its permits are not used yet."""
        return self._paid

    def leave(self) -> None:
        """Give the place back; also when `pay` did not come to its end."""
        if self._inside:
            self._inside = False
            self._lane.free.release()

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


@define
class Spent:
    """What a request cost, over all routes that it tried, by vendor.

    Attributes:
        credits: what the vendors charged, as far as they say.
        balances: credits left in the accounts, as far as they say.
        refusals: outcomes that refuse the account and not the message.
    """

    credits: dict[str, Decimal] = field(factory=dict)
    balances: dict[str, Decimal] = field(factory=dict)
    refusals: list[Outcome] = field(factory=list)


class Dispatcher:
    """A router at work: finds a lane for each message, and brings requests to their outcomes.

    Args:
        router: the routes.
        size: most messages in one request, below what clients and rates allow; None for no further bound.
    """

    def __init__(self, router: Router, *, size: int | None) -> None:
        self.lanes = [
            Lane(
                route,
                index,
                _most(route, size),
                limiter(route.rate),
                limiter(route.request_rate),
                asyncio.Semaphore(route.max_in_flight),
            )
            for index, route in enumerate(router.routes)
        ]
        self.interrupts = Interrupts()
        self._by_country = any(route.countries is not None for route in router.routes)

    @property
    def vendor(self) -> str:
        """What to call the whole: the one vendor, or ``"router"``."""
        return self.lanes[0].client.vendor if len(self.lanes) == 1 else "router"

    @property
    def max_in_flight(self) -> int:
        """Requests under way at once, over all lanes."""
        return sum(lane.route.max_in_flight for lane in self.lanes)

    @property
    def window(self) -> int:
        """Messages in all requests that may be under way at once."""
        return sum(lane.route.max_in_flight * lane.most for lane in self.lanes)

    @property
    def closed(self) -> str | None:
        """Why nothing can be sent any more; None while a lane is open."""
        return self.lanes[0].closed if all(lane.closed for lane in self.lanes) else None

    def reopen(self) -> None:
        """Open all lanes, for a new campaign."""
        for lane in self.lanes:
            lane.closed = None

    def prepare(self, message: Message) -> Prepared:
        """Find the first open lane that can take a message.

        Raises:
            ValidationError: none can; what the first one for its country says.
        """
        return self._prepare(message, self._candidates(message))

    def gate(self, batch: Sequence[Prepared], count: int) -> LaneGate:
        """The way in for a request."""
        return LaneGate(batch[0].lane, count)

    async def send(
        self, batch: Sequence[Prepared], *, reference: str, gate: LaneGate, spent: Spent
    ) -> Sequence[Outcome]:
        """Bring the messages of one request to their outcomes, over as many lanes as that takes.

        Args:
            batch: messages of one lane and key.
            reference: of the request.
            gate: paid, and left by the caller.
            spent: what it costs is added here.

        Raises:
            SendCancelled: with the outcomes.
        """
        outcomes: dict[int, Outcome] = {}
        requests: list[list[tuple[int, Prepared]]] = [list(enumerate(batch))]
        while requests:
            request = requests.pop(0)
            items = [item for _, item in request]
            way = gate if not outcomes else self.gate(items, len(items))
            try:
                results, unable = await self._request(items, reference, way, spent)
            except SendCancelled as cancelled:
                results, unable = cancelled.outcomes, False
                for index, item in [pair for rest in requests for pair in rest]:
                    outcomes[index] = _outcome(item, OutcomeKind.NOT_SENT, "cancelled", "cancelled before it left")
                outcomes |= dict(zip([index for index, _ in request], results, strict=True))
                raise SendCancelled([outcomes[index] for index in range(len(batch))]) from None
            finally:
                if way is not gate:
                    way.leave()
            outcomes |= dict(zip([index for index, _ in request], results, strict=True))
            if unable:
                following = [(index, self._next(item)) for index, item in request]
                requests += _requests([(index, item) for index, item in following if item is not None])
        return [outcomes[index] for index in range(len(batch))]

    async def _request(
        self, batch: Sequence[Prepared], reference: str, gate: LaneGate, spent: Spent
    ) -> tuple[Sequence[Outcome], bool]:
        """Make one request; also say whether another lane may be tried with all of it."""
        lane: Lane = batch[0].lane
        if lane.closed is not None:
            return outcomes_of(batch, OutcomeKind.NOT_SENT, "stopped", lane.closed), True
        try:
            if not gate.paid:
                with self.interrupts.waiting():
                    await gate.pay()
        except Interrupted:
            return outcomes_of(batch, OutcomeKind.NOT_SENT, "stopped", "the campaign was stopped"), False
        except asyncio.CancelledError:
            detail = "cancelled before it left"
            raise SendCancelled(outcomes_of(batch, OutcomeKind.NOT_SENT, "cancelled", detail)) from None
        try:
            with self.interrupts.sending():
                result = await lane.client.send_batch(batch, reference=reference, gate=gate)
        except Interrupted as interrupted:
            return _cancelled(batch, interrupted.outcome, "abandoned"), False
        except asyncio.CancelledError as cancelled:
            raise SendCancelled(_cancelled(batch, cancelled_outcome(cancelled), "cancelled")) from None
        except MensaError as error:
            if isinstance(error, _CLOSING):
                lane.close(error.message)
            unable = error.outcome is OutcomeKind.NOT_SENT or isinstance(error, _VENDOR_TROUBLE)
            results = outcomes_of(batch, error.outcome, code_of(error), error.message)
            if isinstance(error, _VENDOR_TROUBLE):
                spent.refusals += results
            return results, unable
        except Exception as error:
            # A defect, ours or a library's. What had left by then nobody can say.
            lane.close(f"an unexpected {type(error).__name__}")
            logger.exception("%s: an unexpected error", lane.client.vendor)
            return outcomes_of(batch, OutcomeKind.UNKNOWN, "internal", f"an unexpected {type(error).__name__}"), False
        vendor = lane.client.vendor
        if result.credits is not None:
            spent.credits[vendor] = spent.credits.get(vendor, Decimal(0)) + result.credits
        if result.balance is not None:
            spent.balances[vendor] = result.balance
        return result.outcomes, False

    def _next(self, item: Prepared) -> Prepared | None:
        """The same message on the next open lane that can take it; None when there is none."""
        behind = item.lane.index + 1
        lanes = [lane for lane in self._candidates(item.message) if lane.index >= behind and lane.closed is None]
        try:
            return self._prepare(item.message, lanes) if lanes else None
        except ValidationError:
            return None

    def _candidates(self, message: Message) -> list[Lane]:
        if not self._by_country:
            return self.lanes
        country = self._country(message.to)
        return [lane for lane in self.lanes if lane.route.countries is None or country in lane.route.countries]

    def _country(self, number: str) -> str | None:
        # A national number means what the first route with a home takes it for.
        for home in dict.fromkeys(lane.client.default_country for lane in self.lanes):
            try:
                return phone.parse(number, default_country=home).country
            except ValidationError:
                continue
        return None

    def _prepare(self, message: Message, lanes: Sequence[Lane]) -> Prepared:
        error: ValidationError | None = None
        # With all lanes closed the first one still says whether the message is in order.
        for lane in [lane for lane in lanes if lane.closed is None] or lanes:
            dressed = _dressed(message, lane.route)
            try:
                item = lane.client.prepare(dressed)
            except ValidationError as refusal:
                error = error or refusal
                continue
            item.message = message
            item.lane = lane
            return item
        raise error or ValidationError("no route is for the country of this number; add one", field="to")


def _most(route: Route, size: int | None) -> int:
    """Most messages in one request: a request is one burst, and must not hold more than a window allows."""
    limits = [route.client.max_recipients]
    if size is not None:
        limits.append(size)
    if route.rate is not None:
        limits.append(route.rate.capacity)
    return min(limits)


def _requests(pairs: Sequence[tuple[int, Prepared]]) -> list[list[tuple[int, Prepared]]]:
    """Messages on their way to another lane, in requests of one lane and key each, no larger than it takes."""
    groups: dict[Hashable, list[tuple[int, Prepared]]] = {}
    for pair in pairs:
        groups.setdefault((pair[1].lane, pair[1].key), []).append(pair)
    return [
        group[start : start + group[0][1].lane.most]
        for group in groups.values()
        for start in range(0, len(group), group[0][1].lane.most)
    ]


def _dressed(message: Message, route: Route) -> Message:
    """The message with what the route adds to it."""
    changes: dict[str, Any] = {}
    if route.options is not None and not isinstance(message.options, type(route.options)):
        changes["options"] = route.options
    if route.sender is not None and message.sender is None:
        changes["sender"] = route.sender
    if route.template is not None and message.template is None:
        changes["template"] = route.template
    return evolve(message, **changes) if changes else message


def _outcome(item: Prepared, kind: OutcomeKind, code: str, detail: str) -> Outcome:
    return Outcome(kind, item.message, item.lane.client.vendor, code=code, detail=detail, parts=item.parts)


def _cancelled(batch: Sequence[Prepared], kind: OutcomeKind, code: str) -> list[Outcome]:
    when = "before it left" if kind is OutcomeKind.NOT_SENT else "while under way"
    return outcomes_of(batch, kind, code, f"{code} {when}")


def outcomes_of(items: Sequence[Prepared], kind: OutcomeKind, code: str, detail: str) -> list[Outcome]:
    """One and the same outcome for each of several messages."""
    return [_outcome(item, kind, code, detail) for item in items]
