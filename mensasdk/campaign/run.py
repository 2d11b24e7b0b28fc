"""Run a campaign: its workers, groups and budgets, and the messages left at its end."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing

from mensasdk.campaign.dispatch import Dispatcher
from mensasdk.campaign.groups import Groups
from mensasdk.campaign.interrupts import Interrupts
from mensasdk.campaign.plan import Planner, Portion
from mensasdk.campaign.report import BatchReport
from mensasdk.campaign.request import Carrier, Request, reason_of
from mensasdk.codes import Code
from mensasdk.journal.protocol import Journal
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["Run", "Sink"]

logger = logging.getLogger("mensasdk")

Sink = Callable[[Sequence[Outcome]], Awaitable[None]]


class Run:
    """A campaign at work.

    Args:
        journal: the journal, with the campaign open.
        dispatcher: the dispatcher, which has the lanes.
        report: the campaign's report.
        carrier: class (or function) that makes the `Carrier`, which brings requests to their outcomes.

    Attributes:
        report: the campaign's report.
        interrupts: ends waits and requests when the campaign is stopped.
        over_budget: the budget did not allow some of the messages.
        complete: all messages have been read and recorded.
        failure: what a screen raised. The other messages are recorded, and then the sender raises it.
        carrier: the `Carrier` of the campaign.
    """

    def __init__(
        self,
        journal: Journal,
        dispatcher: Dispatcher,
        report: BatchReport,
        *,
        carrier: Callable[..., Carrier] = Carrier,
    ) -> None:
        self.report = report
        self.interrupts = Interrupts()
        self.over_budget = False
        self.complete = False
        self.failure: Exception | None = None
        self.carrier = carrier(
            journal,
            report,
            self.interrupts,
            onward=dispatcher.onward,
            closed=lambda: dispatcher.closed,
        )
        self._journal = journal
        self._dispatcher = dispatcher
        self._groups = Groups()

    @property
    def stopped(self) -> str | None:
        """Reason why the campaign ends early; None while it does not."""
        return self.interrupts.reason

    @property
    def records_rest(self) -> bool:
        """Tell whether messages that are left unsent are recorded, so that the campaign can be resumed."""
        return self._journal.keeps_outcomes and self.carrier.is_recording

    def fail(self, error: Exception) -> None:
        """Stop the campaign, because a screen failed and cannot be trusted with other messages either."""
        if self.failure is None:
            self.failure = error
            self.interrupts.stop(f"a screen raised {type(error).__name__}")

    async def work(self, planner: Planner, sink: Sink) -> None:
        """Bring all requests of a planner to their outcomes, as many at once as the lanes have places for.

        Args:
            planner: forms the requests.
            sink: awaited with the outcomes of each request, after the report has them.

        Raises:
            Exception: what the planner's source or ``sink`` raised, after the requests under way have ended. Messages
                that were read and not sent have their outcome by then.
        """
        self.report.begin()
        try:
            async with aclosing(planner.portions()) as portions:
                await self._work(portions, sink)
        except Exception:
            await sink(self._rest(planner))
            raise
        finally:
            self._rest(planner)
            self.report.stopped = self.stopped or ("the budget is spent" if self.over_budget else None)

    async def _work(self, portions: AsyncIterator[Portion], sink: Sink) -> None:
        turn = asyncio.Lock()
        failures: list[Exception] = []

        async def worker() -> None:
            for count in itertools.count(1):
                if failures:
                    return
                async with turn:
                    portion = await anext(portions, None)
                if portion is None:
                    return
                # Nothing waits between here and the `try` of `Carrier.carry`, so no cancellation loses the request.
                outcomes: Sequence[Outcome] = portion.refused
                brought: Sequence[Outcome] = ()
                if outcomes:
                    self.report.note(outcomes)
                if portion.request is not None:
                    brought = await self.bring(portion.request)
                    outcomes = [*outcomes, *brought] if outcomes else brought
                await sink(outcomes)
                del portion, outcomes, brought  # free them now, and not when the next request is full
                if count % 16 == 0:
                    await asyncio.sleep(0)  # let other tasks run: repeated messages wait for nothing

        async def guarded() -> None:
            try:
                await worker()
            except Exception as error:  # noqa: BLE001 - raised below, once the requests under way have ended
                failures.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._dispatcher.max_in_flight):
                group.create_task(guarded())
        if failures:
            raise failures[0]

    def _rest(self, planner: Planner) -> list[Outcome]:
        """Return and report the outcomes of messages that were read and not sent before the campaign ended."""
        outcomes: list[Outcome] = []
        for portion in planner.leftover():
            outcomes += portion.refused
            if portion.request is not None:
                why = "the campaign was interrupted before this message"
                outcomes += portion.request.all(OutcomeKind.NOT_SENT, Code.INTERRUPTED, why)
        self.report.note(outcomes)
        return outcomes

    async def bring(self, request: Request) -> Sequence[Outcome]:
        """Bring a request to its outcomes; the first message of a vendor's group goes alone.

        Raises:
            asyncio.CancelledError: the task was cancelled; `report` has the outcome of each message.
        """
        key = request.lane.client.group_key(request.items[0])
        if key is None:
            return await self._bring(request)
        lane, outcomes, left = request.lane, list[Outcome](), list(request.items)
        try:
            group = self._groups.of(lane, key)
            if group.id is None:
                # Until the vendor has given the group an id, one message goes at a time, and other requests wait.
                async with group.opening:
                    while group.id is None and left and self.stopped is None:
                        first = left.pop(0)
                        [outcome] = await self._bring(request.of([first]))
                        outcomes.append(outcome)
                        if outcome.kind is OutcomeKind.ACCEPTED and outcome.vendor == lane.client.vendor:
                            group.id = outcome.vendor_id
                            group.numbers.add(first.number)
            new, left = group.admit(left)
            if new:
                within = request.of(new)
                within.group = group.id
                outcomes += await self._bring(within)
            if left:
                rest, left = left, []
                outcomes += await self._bring(request.of(rest))
        finally:
            if left:  # cancelled before their turn
                why = "the campaign was cancelled before this message"
                self.report.note(request.of(left).all(OutcomeKind.NOT_SENT, Code.CANCELLED, why))
        return outcomes

    async def _bring(self, request: Request) -> Sequence[Outcome]:
        """Bring a request to its outcomes; messages that one lane's budget does not allow go to the next lane."""
        if self.stopped is not None:
            return await self._leave(request, request.all(OutcomeKind.NOT_SENT, Code.STOPPED, self.stopped))
        beyond = request.reserve()
        if not beyond:
            return await self.carrier.carry(request)
        outcomes: list[Outcome] = []
        left: list[Request] = []
        waiting: list[Request] = []
        try:
            while True:
                if beyond:
                    onward, last = self._dispatcher.onward(request.of(beyond))
                    waiting += onward
                    if last:
                        left.append(request.of(last))
                if request.items:
                    outcomes += await self.carrier.carry(request)
                if not waiting:
                    break
                request = waiting.pop(0)
                beyond = request.reserve()
        finally:
            for one in (*left, *waiting):
                self.over_budget = True
                outcomes += await self._leave(one, one.over_budget())
        return outcomes

    async def _leave(self, request: Request, outcomes: list[Outcome]) -> list[Outcome]:
        """Report messages that are not sent, and record them so that the campaign can be resumed."""
        self.report.note(outcomes, [item.number for item in request.items])
        if self.records_rest:
            try:
                self.carrier.number(request.items)
                await self._journal.load(self.report.campaign, request.items)
            except Exception as error:  # noqa: BLE001 - none of them was sent, and the report says so
                self.carrier.is_recording = False
                logger.error("campaign %s: the journal failed: %s", self.report.campaign, reason_of(error))
        return outcomes
