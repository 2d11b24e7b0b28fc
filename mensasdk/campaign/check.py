"""What a sender would do with a list, and what it would come to, without a single request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from mensasdk.campaign.dispatch import Dispatcher, outcomes_of, over_budget
from mensasdk.campaign.groups import Groups
from mensasdk.campaign.lane import Lane
from mensasdk.campaign.plan import Planner
from mensasdk.campaign.router import Router
from mensasdk.campaign.run import DUPLICATE
from mensasdk.journal.keys import fingerprint, message_key
from mensasdk.journal.keyset import KeySet
from mensasdk.limits.budget import Budget
from mensasdk.messages import Message, Outcome, OutcomeKind, VendorOptions
from mensasdk.placeholders import fill
from mensasdk.preflight.check import Preflight
from mensasdk.preflight.prices import Prices
from mensasdk.text import TextRule
from mensasdk.vendors.batching import Prepared

__all__ = ["check", "rehearsal"]

_EXPIRED: Final = ("expired", "its not_after has passed")


def rehearsal(dispatcher: Dispatcher) -> Dispatcher:
    """The same lanes once more, open and with budgets of their own, so that trying costs the real ones nothing."""
    budgets: dict[int, Budget] = {}  # two routes may share one

    def own(budget: Budget | None) -> Budget | None:
        return None if budget is None else budgets.setdefault(id(budget), copy(budget))

    routes = [evolve(lane.route, budget=own(lane.route.budget)) for lane in dispatcher.lanes]
    twin = Dispatcher(Router(routes), size=None)
    for lane, original in zip(twin.lanes, dispatcher.lanes, strict=True):
        lane.most = original.most
    return twin


async def check(
    planner: Planner,
    dispatcher: Dispatcher,
    *,
    prices: Prices | Mapping[str, Prices] | None,
    on_progress: Callable[[Preflight], None] | None,
    on_message: Callable[[Message, Outcome | None], None] | None,
) -> Preflight:
    """Go through a list as a campaign would; see `BatchSender.check`.

    Args:
        planner: gives the requests.
        dispatcher: the `rehearsal` that the planner asks.
        prices, on_progress, on_message: as there.
    """
    trial = _Trial(dispatcher, prices, on_message)
    async with aclosing(planner.chunks()) as chunks:
        async for chunk in chunks:
            for outcome in chunk.refused:
                trial.refuse(outcome)
            if chunk.items:
                trial.send(chunk.items)
            if on_progress is not None:
                on_progress(trial.found)
    return trial.found


class _Trial:
    """A campaign in which every request is taken by the vendor, and none is made."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        prices: Prices | Mapping[str, Prices] | None,
        on_message: Callable[[Message, Outcome | None], None] | None,
    ) -> None:
        self.found = Preflight()
        self._dispatcher = dispatcher
        self._prices = prices
        self._on_message = on_message
        self._keys = KeySet()
        self._groups = Groups()

    def refuse(self, outcome: Outcome) -> None:
        self.found.refuse(outcome.message.to, outcome.code or "invalid", outcome.detail)
        if self._on_message is not None:
            self._on_message(outcome.message, outcome)

    def send(self, items: Sequence[Prepared]) -> None:
        """What `Run.send` does with messages of one lane and key."""
        lane: Lane = items[0].lane
        key = lane.client.group_key(items[0])
        if key is None:
            self._request(items)
            return
        group = self._groups.of(lane, key)
        left = list(items)
        while left and group.id is None:
            first = left.pop(0)
            if self._request([first]):
                group.id = "open"
                group.numbers.add(first.number)
        new, left = group.admit(left)
        for some in (new, left):
            if some:
                self._request(some)

    def _request(self, items: Sequence[Prepared]) -> bool:
        """Make a request of what the budget allows, and move on with the rest; say whether there was one."""
        fit = self._dispatcher.reserve(items)
        made = fit > 0 and self._within_budget(items[:fit])
        if fit < len(items):
            requests, left = self._dispatcher.onward(items[fit:])
            for request in requests:
                self._request(request)
            for outcome in over_budget(left):
                self.refuse(outcome)
        return made

    def _within_budget(self, items: Sequence[Prepared]) -> bool:
        lane: Lane = items[0].lane
        now = datetime.now(UTC)
        going: list[Prepared] = []
        for item in items:
            message = item.message
            key = fingerprint(message_key(message, item.number))
            if key in self._keys:
                self._give_back(item, DUPLICATE)
            elif message.not_after is not None and message.not_after <= now:
                self._give_back(item, _EXPIRED)  # a copy of it that comes later, and in time, is none
            else:
                self._keys.add(key)
                going.append(item)
        if not going:
            return False
        prices, vendor = self._prices_of(lane), lane.client.vendor
        rule: TextRule | None = getattr(lane.client, "text_rule", None)
        for item in going:
            message = item.screened or item.message
            options = _options(item, lane)
            self.found.add(
                item.number,
                _text(message),
                item.parts,
                vendor=vendor,
                rule=rule if message.text else None,
                unicode=_wants_unicode(options, rule),
                prices=prices,
                schedule_at=message.schedule_at,
                put_off=message.schedule_at != item.message.schedule_at,
            )
            if self._on_message is not None:
                self._on_message(item.message, None)
        self.found.add_request(vendor)
        return True

    def _give_back(self, item: Prepared, why: tuple[str, str]) -> None:
        """Count a message that is not sent although the budget allowed it."""
        budget = item.lane.route.budget
        if budget is not None:
            budget.release([(item.number, item.parts)])
        [outcome] = outcomes_of([item], OutcomeKind.NOT_SENT, *why)
        self.refuse(outcome)

    def _prices_of(self, lane: Lane) -> Prices | None:
        if isinstance(self._prices, Prices):
            return self._prices
        if self._prices is not None and (found := self._prices.get(lane.client.vendor)) is not None:
            return found
        return None if lane.route.budget is None else lane.route.budget.prices


def _text(message: Message) -> str:
    """What the person would read; of a vendor's template only the variables are known here."""
    return fill(message.text, message.variables) if message.text else " ".join(message.variables.values())


def _options(item: Prepared, lane: Lane) -> VendorOptions | None:
    """The options that the message goes out with: its own, where they are of the kind that its route has."""
    own, routes = (item.screened or item.message).options, lane.route.options
    return own if routes is None or isinstance(own, type(routes)) else routes


def _wants_unicode(options: VendorOptions | None, rule: TextRule | None) -> bool | None:
    """Whether the vendor is told to send Unicode; None where its client does so when a text needs it.

    It is the options' ``unicode``. Without options, a client whose vendor would replace nothing asks for
    Unicode by itself.
    """
    if options is None:
        return None if rule is None or rule.plain.replace is None else False
    wish: bool | None = getattr(options, "unicode", False)
    return wish
