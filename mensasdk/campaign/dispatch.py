"""A router at work: a lane for each message, and requests brought to their outcomes, over several lanes if need be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from mensasdk import phone
from mensasdk.campaign.interrupts import Interrupted, Interrupts, SendCancelled
from mensasdk.campaign.lane import Lane, LaneGate, limiter
from mensasdk.campaign.router import Route, Router
from mensasdk.errors import (
    AddressBlocked,
    AuthError,
    ConfigurationError,
    ConnectError,
    InsufficientCredits,
    MensaError,
    OutcomeKind,
    ScheduleError,
    TLSError,
    UnexpectedRedirect,
    ValidationError,
)
from mensasdk.limits.breaker import Breaker
from mensasdk.messages import Message, Outcome
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.batching import Prepared, code_of

if TYPE_CHECKING:  # loaded by who has a budget
    from mensasdk.limits.budget import Item

__all__ = [
    "CLOSING",
    "Dispatcher",
    "Interrupted",
    "Lane",
    "LaneGate",
    "SendCancelled",
    "Spent",
    "outcomes_of",
    "over_budget",
]

logger = logging.getLogger("mensasdk")

Moved = Callable[[Sequence[int], str], Awaitable[bool]]

# After one of these every further request would end the same way, and vendors block addresses that keep trying.
CLOSING = (AuthError, AddressBlocked, TLSError, UnexpectedRedirect, InsufficientCredits, ConfigurationError)
# The vendor's own trouble, with the certainty that nothing was sent: another vendor may take the message.
_VENDOR_TROUBLE = (AuthError, AddressBlocked, InsufficientCredits)


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
                Breaker(route.breaker),
            )
            for index, route in enumerate(router.routes)
        ]
        self.interrupts = Interrupts()
        self._by_country = any(route.countries is not None for route in router.routes)
        # The lane that takes all messages, and as they are: nearly always, and then there is nothing to choose.
        route = router.routes[0]
        changes = (route.countries, route.options, route.sender, route.template, route.budget)
        takes_all = len(self.lanes) == 1 and all(one is None for one in changes)
        self._only = self.lanes[0] if takes_all else None

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
        first = self.lanes[0].closed
        return first if first is not None and all(lane.closed for lane in self.lanes) else None

    def reopen(self) -> None:
        """Open all lanes, for a new campaign."""
        for lane in self.lanes:
            lane.closed = None
            lane.is_full = False
            lane.breaker = Breaker(lane.route.breaker)

    def prepare(self, message: Message) -> Prepared:
        """Find the first open lane that can take a message.

        Raises:
            ValidationError: none can; what the first one for its country says.
        """
        lane = self._only
        if lane is None:
            return self._prepare(message, self._candidates(message))
        item = lane.client.prepare(message)
        item.lane = lane
        return item

    def prepare_for(self, lane: Lane, message: Message) -> Prepared:
        """What a message was on a lane that it went out on, at whatever time it was to go.

        Raises:
            ValidationError: that lane's client does not take it any more.
        """
        try:
            return self._prepare(message, [lane])
        except ScheduleError:  # the time is past, which it was not then
            item = self._prepare(evolve(message, schedule_at=None), [lane])
            item.message = message
            return item

    def gate(self, batch: Sequence[Prepared], count: int) -> LaneGate:
        """The way in for a request."""
        return LaneGate(batch[0].lane, count)

    def reserve(self, items: Sequence[Prepared]) -> int:
        """How many messages of one lane, from the front, its budget allows."""
        lane: Lane = items[0].lane
        if lane.route.budget is None:
            return len(items)
        fit = lane.route.budget.reserve(_costs(items))
        lane.is_full = fit < len(items)
        return fit

    def onward(self, items: Sequence[Prepared]) -> tuple[Sequence[Sequence[Prepared]], Sequence[Prepared]]:
        """Requests for other lanes, of messages that the budget of their own does not allow; and who has no other."""
        following = [self._next(item) for item in items]
        moving = [(index, item) for index, item in enumerate(following) if item is not None]
        requests = [[item for _, item in request] for request in _requests(moving)]
        return requests, [item for item, other in zip(items, following, strict=True) if other is None]

    def settle(self, items: Sequence[Prepared], outcomes: Sequence[Outcome], charged: Decimal | None = None) -> None:
        """Tell the budget of a lane what became of messages that it allowed.

        Args:
            items: as they were reserved.
            outcomes: one for each, in any order; what went through another vendor cost nothing here.
            charged: by the vendor for all of them, where it says so.
        """
        lane: Lane = items[0].lane
        if lane.route.budget is None:
            return
        found = {id(outcome.message): outcome for outcome in outcomes}
        here = [found[id(item.message)] for item in items]
        unsent = OutcomeKind.NOT_SENT
        here = [one if one.vendor == lane.client.vendor else evolve(one, kind=unsent) for one in here]
        lane.route.budget.settle(_costs(items), here, charged=charged)

    async def send(
        self,
        batch: Sequence[Prepared],
        *,
        reference: str,
        gate: LaneGate,
        spent: Spent,
        group: str | None,
        moved: Moved,
    ) -> Sequence[Outcome]:
        """Bring the messages of one request to their outcomes, over as many lanes as that takes.

        Args:
            batch: messages of one lane and key.
            reference: of the request.
            gate: paid, and left by the caller.
            spent: what it costs is added here.
            group: the vendor's group that they belong to, on their first lane.
            moved: told which messages of ``batch`` go to what other vendor, before they do; False keeps them here.

        Raises:
            SendCancelled: with the outcomes.
        """
        results, unable = await self._request(batch, reference, gate, spent, group)
        return await self._elsewhere(batch, results, reference, spent, moved) if unable else results

    async def _elsewhere(
        self, batch: Sequence[Prepared], results: Sequence[Outcome], reference: str, spent: Spent, moved: Moved
    ) -> Sequence[Outcome]:
        """Try other lanes with messages that their own could not take, and give what they came to in the end."""
        outcomes = dict(enumerate(results))
        requests = self._onward(list(enumerate(batch)))
        while requests:
            request = requests.pop(0)
            indices, items = [index for index, _ in request], [item for _, item in request]
            gate = self.gate(items, len(items))
            fit = self.reserve(items)
            if fit < len(items):
                outcomes |= dict(zip(indices[fit:], over_budget(items[fit:]), strict=True))
                if not fit:
                    continue
                indices, items = indices[:fit], items[:fit]
            try:
                if await moved(indices, items[0].lane.client.vendor):
                    results, unable = await self._request(items, reference, gate, spent, None)
                else:
                    results, unable = outcomes_of(items, OutcomeKind.NOT_SENT, "journal", "the journal failed"), False
            except asyncio.CancelledError as cancelled:
                results = _cancellation(items, cancelled)
                self.settle(items, results)
                for index, item in [pair for rest in requests for pair in rest]:
                    outcomes[index] = _outcome(item, OutcomeKind.NOT_SENT, "cancelled", "cancelled before it left")
                outcomes |= dict(zip(indices, results, strict=True))
                raise SendCancelled([outcomes[index] for index in range(len(batch))]) from None
            finally:
                gate.leave()
            self.settle(items, results)
            outcomes |= dict(zip(indices, results, strict=True))
            if unable:
                requests += self._onward(request)
        return [outcomes[index] for index in range(len(batch))]

    def _onward(self, pairs: Sequence[tuple[int, Prepared]]) -> list[list[tuple[int, Prepared]]]:
        """Requests for the next lanes; what has none is left out."""
        following = [(index, self._next(item)) for index, item in pairs]
        return _requests([(index, item) for index, item in following if item is not None])

    async def _request(
        self, batch: Sequence[Prepared], reference: str, gate: LaneGate, spent: Spent, group: str | None
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
                result = await lane.client.send_batch(batch, reference=reference, gate=gate, group=group)
        except Interrupted as interrupted:
            return _cancelled(batch, interrupted.outcome, "abandoned"), False
        except asyncio.CancelledError as cancelled:
            raise SendCancelled(_cancelled(batch, cancelled_outcome(cancelled), "cancelled")) from None
        except MensaError as error:
            if error.outcome is not OutcomeKind.NOT_SENT or isinstance(error, ConnectError):
                gate.judge(works=error.outcome is OutcomeKind.REJECTED)
            if isinstance(error, CLOSING):
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
        gate.judge(works=any(one.kind is not OutcomeKind.UNKNOWN for one in result.outcomes))
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
            following = self._prepare(item.screened or item.message, lanes) if lanes else None
        except ValidationError:
            return None
        if following is not None:
            following.message, following.screened = item.message, item.screened
        return following

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
        if len(lanes) > 1:
            # With all lanes closed the first one still says whether the message is in order.
            lanes = sorted([lane for lane in lanes if lane.closed is None] or lanes, key=_is_busy)
        for lane in lanes:
            dressed = _dressed(message, lane.route)
            try:
                item = lane.client.prepare(dressed)
            except ValidationError as refusal:
                error = error or refusal
                continue
            item.message = message
            item.lane = lane
            if lane.route.budget is not None and lane.route.budget.prices is not None:
                try:
                    lane.route.budget.prices.cost(item.number, item.parts)
                except ValidationError as no_price:
                    error = error or no_price
                    continue
            return item
        raise error or ValidationError("no route is for the country of this number; add one", field="to")


def _is_busy(lane: Lane) -> bool:
    return lane.is_full or lane.breaker.is_open


def _cancellation(items: Sequence[Prepared], cancelled: asyncio.CancelledError) -> Sequence[Outcome]:
    """What a request that was cancelled came to."""
    if isinstance(cancelled, SendCancelled):
        return cancelled.outcomes
    return _cancelled(items, OutcomeKind.NOT_SENT, "cancelled")


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
    return Outcome(kind, item.message, vendor=item.lane.client.vendor, code=code, detail=detail, parts=item.parts)


def _cancelled(batch: Sequence[Prepared], kind: OutcomeKind, code: str) -> list[Outcome]:
    when = "before it left" if kind is OutcomeKind.NOT_SENT else "while under way"
    return outcomes_of(batch, kind, code, f"{code} {when}")


def _costs(items: Sequence[Prepared]) -> Sequence[Item]:
    return [(item.number, item.parts) for item in items]


def over_budget(items: Sequence[Prepared]) -> list[Outcome]:
    """The outcome of messages that the budget of their lane does not allow."""
    return outcomes_of(items, OutcomeKind.NOT_SENT, "budget", "the budget does not allow it; raise it and resume")


def outcomes_of(items: Sequence[Prepared], kind: OutcomeKind, code: str, detail: str) -> list[Outcome]:
    """One and the same outcome for each of several messages."""
    return [_outcome(item, kind, code, detail) for item in items]
