"""Choose a lane for each message, and the next lane for messages that a lane does not take."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from attrs import evolve

from mensasdk import phone
from mensasdk.campaign.lane import Lane
from mensasdk.campaign.request import Planned, Request
from mensasdk.campaign.route import Route
from mensasdk.errors import ScheduleError, ValidationError
from mensasdk.limits.breaker import Breaker
from mensasdk.messages import Message
from mensasdk.vendors.batching import Prepared

__all__ = ["Dispatcher", "dressed"]


class Dispatcher:
    """A router at work: one lane for each route, and the choice between the lanes.

    Args:
        routes: the routes, in the order of preference.
        size: the most messages in one request, where clients and rates allow more; None for no further limit.
    """

    def __init__(self, routes: Sequence[Route], *, size: int | None) -> None:
        self.lanes = [Lane.of(route, index, size) for index, route in enumerate(routes)]
        self._by_country = any(route.countries is not None for route in routes)
        # A single lane that takes every message unchanged is the usual case, and leaves nothing to choose.
        route = routes[0]
        changes = (route.countries, route.options, route.sender, route.template, route.budget)
        takes_all = len(self.lanes) == 1 and all(one is None for one in changes)
        self._only = self.lanes[0] if takes_all else None

    @property
    def vendor(self) -> str:
        """Short name of the vendor, or ``"router"`` if there are several lanes."""
        return self.lanes[0].client.vendor if len(self.lanes) == 1 else "router"

    @property
    def max_in_flight(self) -> int:
        """Most requests that may be under way at once, over all lanes."""
        return sum(lane.route.max_in_flight for lane in self.lanes)

    @property
    def window(self) -> int:
        """Most messages that may be under way at once, over all lanes."""
        return sum(lane.route.max_in_flight * lane.most for lane in self.lanes)

    @property
    def closed(self) -> str | None:
        """Reason why nothing can be sent any more (that of the first lane); None while a lane is open."""
        first = self.lanes[0].closed
        return first if first is not None and all(lane.closed for lane in self.lanes) else None

    def reopen(self) -> None:
        """Begin a new campaign: open all lanes, and reset their breakers."""
        self.open_lanes()
        for lane in self.lanes:
            lane.breaker = Breaker(lane.route.breaker)

    def open_lanes(self) -> None:
        """Open all lanes, and forget which budgets were full."""
        for lane in self.lanes:
            lane.closed = None
            lane.is_full = False

    def prepare(self, message: Message) -> Planned:
        """Prepare a message for the first open lane that takes it; lanes on pause or over budget are tried last.

        Raises:
            ValidationError: no lane takes the message; the error is that of the first lane tried.
        """
        lane = self._only
        if lane is None:
            return *self._prepare(message, self._candidates(message)), None
        return lane, lane.client.prepare(message), None

    def prepare_for(self, lane: Lane, message: Message) -> Prepared:
        """Prepare a message again for the lane it was sent on, ignoring a schedule that has passed.

        Raises:
            ValidationError: the lane's client does not take the message any more.
        """
        try:
            return self._prepare(message, [lane])[1]
        except ScheduleError:  # the time was still to come when the message was sent
            item = self._prepare(evolve(message, schedule_at=None), [lane])[1]
            item.message = message
            return item

    def onward(self, request: Request) -> tuple[list[Request], list[Prepared]]:
        """Find the next lane for each message of a request.

        Returns:
            Requests for the next lanes, each for one lane and one batch key, and no larger than the lane allows; and
            the messages that no other lane takes.
        """
        found: dict[tuple[Lane, Hashable], list[tuple[Prepared, Message | None]]] = {}
        last: list[Prepared] = []
        for item in request.items:
            screened = request.screened.get(item)
            following = self._next(request.lane, item, screened)
            if following is None:
                last.append(item)
            else:
                lane, other = following
                found.setdefault((lane, other.batch_key), []).append((other, screened))
        requests: list[Request] = []
        for (lane, _), pairs in found.items():
            for start in range(0, len(pairs), lane.most):
                some = pairs[start : start + lane.most]
                changed = {item: screened for item, screened in some if screened is not None}
                requests.append(Request(lane, [item for item, _ in some], changed))
        return requests, last

    def _next(self, lane: Lane, item: Prepared, screened: Message | None) -> tuple[Lane, Prepared] | None:
        """Prepare a message for the next open lane that can take it; return None if there is none."""
        lanes = [one for one in self._candidates(item.message) if one.index > lane.index and one.closed is None]
        if not lanes:
            return None
        try:
            following, other = self._prepare(screened or item.message, lanes)
        except ValidationError:
            return None
        other.message, other.seq, other.key, other.place = item.message, item.seq, item.key, item.place
        return following, other

    def _candidates(self, message: Message) -> list[Lane]:
        if not self._by_country:
            return self.lanes
        country = self._country(message.to)
        return [lane for lane in self.lanes if lane.route.countries is None or country in lane.route.countries]

    def _country(self, number: str) -> str | None:
        # A national number is read with the first default country for which it is valid, in the order of the routes.
        for home in dict.fromkeys(lane.client.default_country for lane in self.lanes):
            try:
                return phone.parse(number, default_country=home).country
            except ValidationError:
                continue
        return None

    def _prepare(self, message: Message, lanes: Sequence[Lane]) -> tuple[Lane, Prepared]:
        error: ValidationError | None = None
        if len(lanes) > 1:
            # With all lanes closed, a closed lane still tells whether the message breaks a rule.
            lanes = sorted([lane for lane in lanes if lane.closed is None] or lanes, key=_is_busy)
        for lane in lanes:
            try:
                item = lane.client.prepare(dressed(message, lane.route))
                lane.check_price(item)
            except ValidationError as refusal:
                error = error or refusal
                continue
            item.message = message
            return lane, item
        raise error or ValidationError("no route is for the country of this number", remedy="add one", field="to")


def _is_busy(lane: Lane) -> bool:
    return lane.is_full or lane.breaker.is_open


def dressed(message: Message, route: Route) -> Message:
    """Add the route's vendor options, sender and template to a message that has none of its own."""
    changes: dict[str, Any] = {}
    if route.options is not None and not isinstance(message.options, type(route.options)):
        changes["options"] = route.options
    if route.sender is not None and message.sender is None:
        changes["sender"] = route.sender
    if route.template is not None and message.template is None:
        changes["template"] = route.template
    return evolve(message, **changes) if changes else message
