"""Check a list: pass its messages through every stage of a campaign, without making a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from copy import copy
from functools import partial
from typing import Any

from attrs import evolve

from mensasdk.campaign.dispatch import Dispatcher, dressed
from mensasdk.campaign.lane import Lane, LaneGate
from mensasdk.campaign.plan import Planner
from mensasdk.campaign.report import BatchReport
from mensasdk.campaign.request import Carrier, Ended, Request
from mensasdk.campaign.run import Run
from mensasdk.codes import Code
from mensasdk.journal.memory import MemoryJournal
from mensasdk.limits.budget import Budget
from mensasdk.messages import Message, Outcome, OutcomeKind, VendorOptions
from mensasdk.placeholders import fill
from mensasdk.preflight.check import Preflight
from mensasdk.preflight.prices import Prices
from mensasdk.text import TextRule

__all__ = ["check", "checking_dispatcher"]


def checking_dispatcher(dispatcher: Dispatcher) -> Dispatcher:
    """Make a copy of a dispatcher to check with: the same lanes, open, without limits, and with copied budgets."""
    budgets: dict[Budget, Budget] = {}  # routes that share a budget share its copy

    def own(budget: Budget | None) -> Budget | None:
        return None if budget is None else budgets.setdefault(budget, copy(budget))

    routes = [
        evolve(lane.route, rate=None, request_rate=None, breaker=None, budget=own(lane.route.budget))
        for lane in dispatcher.lanes
    ]
    twin = Dispatcher(routes, size=None)
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
    """Check a list by the stages of a campaign; see `BatchSender.check`.

    Args:
        planner: forms the requests.
        dispatcher: made by `checking_dispatcher`; the planner uses it as well.
        prices: as in `BatchSender.check`.
        on_progress: as in `BatchSender.check`.
        on_message: as in `BatchSender.check`.
    """
    found = Preflight()
    journal = MemoryJournal(keep_outcomes=False)
    report = BatchReport("check", dispatcher.vendor, keep_rows=False)
    run = Run(journal, dispatcher, report, carrier=partial(_CheckCarrier, prices=prices, found=found))
    await journal.open(report.campaign)
    async with aclosing(planner.portions()) as portions:
        async for portion in portions:
            outcomes = list(portion.refused)
            if portion.request is not None:
                outcomes += await run.bring(portion.request)
            for outcome in outcomes:
                refused = outcome.kind is not OutcomeKind.ACCEPTED
                if refused:
                    found.refuse(outcome.message.to, outcome.code or Code.INVALID, outcome.detail)
                if on_message is not None:
                    on_message(outcome.message, outcome if refused else None)
            if on_progress is not None:
                on_progress(found)
    return found


class _CheckCarrier(Carrier):
    """Carrier that takes requests through the stages of a campaign, but sends nothing and counts all as ACCEPTED."""

    def __init__(
        self, *args: Any, prices: Prices | Mapping[str, Prices] | None, found: Preflight, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._prices = prices
        self._found = found

    async def _send(self, request: Request, reference: str, gate: LaneGate, ended: Ended) -> bool:
        lane, vendor = request.lane, request.lane.client.vendor
        prices, rule = self._prices_of(lane), lane.client.text_rule
        for item in request.items:
            message = dressed(request.screened.get(item, item.message), lane.route)
            self._found.add(
                item.number,
                _text(message),
                item.parts,
                vendor=vendor,
                rule=rule if message.text else None,
                unicode=_wants_unicode(message.options, rule),
                prices=prices,
                schedule_at=message.schedule_at,
                put_off=message.schedule_at != item.message.schedule_at,
            )
        self._found.add_request(vendor)
        outcomes = [
            Outcome(OutcomeKind.ACCEPTED, item.message, vendor=vendor, vendor_id="trial") for item in request.items
        ]
        ended.take(request.items, outcomes)
        request.charge(request.items, outcomes)
        return False

    def _prices_of(self, lane: Lane) -> Prices | None:
        if isinstance(self._prices, Prices):
            return self._prices
        if self._prices is not None and (found := self._prices.get(lane.client.vendor)) is not None:
            return found
        return None if lane.route.budget is None else lane.route.budget.prices


def _text(message: Message) -> str:
    """Return the text that the recipient would read. Of a vendor's template, only the variables are known here."""
    return fill(message.text, message.variables) if message.text else " ".join(message.variables.values())


def _wants_unicode(options: VendorOptions | None, rule: TextRule | None) -> bool | None:
    """Return whether the vendor would be told to send Unicode; None if the client does so when a text needs it.

    With options, this is their ``unicode``. Without options, a client asks for Unicode by itself if its vendor
    would not replace characters.
    """
    if options is None:
        return None if rule is None or rule.plain.replace is None else False
    return options.unicode
