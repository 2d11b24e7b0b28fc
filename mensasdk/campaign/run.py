"""A campaign at work: requests brought to their outcomes, with the journal before and after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from mensasdk.campaign.dispatch import Dispatcher, Moved, Spent, outcomes_of, over_budget
from mensasdk.campaign.groups import Groups
from mensasdk.campaign.interrupts import Interrupted, SendCancelled
from mensasdk.campaign.lane import LaneGate
from mensasdk.campaign.report import BatchReport
from mensasdk.campaign.request import run_chunk
from mensasdk.errors import MensaError
from mensasdk.journal.keys import message_key, request_reference
from mensasdk.journal.protocol import Journal, Row
from mensasdk.messages import Outcome, OutcomeKind
from mensasdk.vendors.batching import Prepared

__all__ = ["DUPLICATE", "Run", "reason_of"]

logger = logging.getLogger("mensasdk")

DUPLICATE: Final = ("duplicate", "the campaign holds this message already")


class Run:
    """A campaign at work.

    Args:
        journal: has the campaign open.
        dispatcher: brings requests to their outcomes.
        report: what comes of it.
        records_rest: what is left unsent is recorded, for whoever resumes the campaign.

    Attributes:
        next_seq: the first ``seq`` that is free.
        stopped: why it ends early; None while it does not.
        over_budget: there were messages that the budget did not allow.
        complete: its messages have been read to their end, and recorded.
    """

    def __init__(self, journal: Journal, dispatcher: Dispatcher, report: BatchReport, *, records_rest: bool) -> None:
        self.report = report
        self.records_rest = records_rest
        self.next_seq = 0
        self.stopped: str | None = None
        self.over_budget = False
        self.complete = False
        self._begun: float | None = None
        self._journal = journal
        self._dispatcher = dispatcher
        self._under_way: set[bytes] = set()
        self._groups = Groups()

    def stop(self, reason: str, *, abandon: bool = False) -> None:
        """See `BatchSender.stop`."""
        if self.stopped is None:
            self.stopped = reason
        self._dispatcher.interrupts.end(sends=abandon)

    def begin(self) -> None:
        """The time of the campaign begins now."""
        self._begun = asyncio.get_running_loop().time()

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes into the report."""
        if self._begun is not None:
            self.report.elapsed = asyncio.get_running_loop().time() - self._begun
        self.report.add(outcomes)

    async def send(self, items: Sequence[Prepared]) -> Sequence[Outcome]:
        """Bring messages of one lane and key to their outcomes, in a request, or in more where a group is opened."""
        lane = items[0].lane
        key = lane.client.group_key(items[0])
        if key is None:
            return await self._send(items, None)
        outcomes: list[Outcome] = []
        left = list(items)
        try:
            group = self._groups.of(lane, key)
            if group.id is None:
                # Until the vendor has given an id, one message at a time; whoever comes meanwhile waits for it.
                async with group.opening:
                    while group.id is None and left and self.stopped is None:
                        first = left.pop(0)
                        [outcome] = await self._send([first], None)
                        outcomes.append(outcome)
                        if outcome.kind is OutcomeKind.ACCEPTED and outcome.vendor == lane.client.vendor:
                            group.id = outcome.vendor_id
                            group.numbers.add(first.number)
            new, left = group.admit(left)
            if new:
                outcomes += await self._send(new, group.id)
            if left:
                rest, left = left, []
                outcomes += await self._send(rest, None)
        finally:
            if left:  # cancelled before their turn
                self.note(_not_sent(left, "cancelled", "the campaign was cancelled before this message"))
        return outcomes

    async def _send(self, items: Sequence[Prepared], group: str | None) -> Sequence[Outcome]:
        """Bring one request's messages to their outcomes, as far as the budget allows, and return them."""
        if self.stopped is not None:
            return await self._leave(items, _not_sent(items, "stopped", self.stopped))
        fit = self._dispatcher.reserve(items)
        if fit == len(items):
            return await self._within_budget(items, group)
        outcomes: list[Outcome] = []
        requests, left = self._dispatcher.onward(items[fit:])
        requests = list(requests)
        try:
            if fit:
                outcomes += await self._within_budget(items[:fit], group)
            while requests:
                outcomes += await self._send(requests.pop(0), None)
        finally:
            left = [*left, *(item for request in requests for item in request)]
            if left:
                self.over_budget = True
                outcomes += await self._leave(left, over_budget(left))
        return outcomes

    async def _leave(self, items: Sequence[Prepared], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Note what does not go out, for the report and for whoever resumes the campaign."""
        self.note(outcomes)
        await self._record_rest(items)
        return outcomes

    async def _within_budget(self, items: Sequence[Prepared], group: str | None) -> Sequence[Outcome]:
        """Bring one request's messages to their outcomes, take these into the report, and return them."""
        by_seq = self._numbered(items)
        lo, hi = self.next_seq - len(items), self.next_seq
        outcomes: list[Outcome] = []
        rows = _rows(by_seq)
        keys = {row.key for row in rows}
        if not keys.isdisjoint(self._under_way):
            # A second copy that comes while the first waits for its permit would take its place in the journal.
            keys -= self._under_way
            rows = [row for row in rows if row.key in keys]
        self._under_way |= keys
        campaign, vendor = self.report.campaign, items[0].lane.client.vendor

        def settled(some: Sequence[tuple[int, Outcome]]) -> None:
            for seq, outcome in some:
                del by_seq[seq]
                outcomes.append(outcome)

        gate: LaneGate | None = None
        spent = Spent()

        def recorded(outcome: Outcome) -> Outcome:
            # Refused for the account's sake: it may well go out when the campaign is resumed.
            refused = spent.refusals and any(outcome is one for one in spent.refusals)
            return evolve(outcome, kind=OutcomeKind.NOT_SENT) if refused else outcome

        async def send(rows: Sequence[Row]) -> Sequence[Outcome]:
            assert gate is not None
            batch = [by_seq[row.seq] for row in rows]

            async def moved(indices: Sequence[int], vendor: str) -> bool:
                return await self._reroute([rows[index].seq for index in indices], vendor)

            try:
                return await self._in_time(batch, request_reference(campaign, lo), gate, spent, group, moved)
            except Exception as error:
                # A defect of ours. What had left by then nobody can say, and no further request may find out.
                self.stop(f"an unexpected {type(error).__name__}")
                logger.exception("campaign %s stopped by an unexpected error", campaign)
                return outcomes_of(batch, OutcomeKind.UNKNOWN, "internal", f"an unexpected {type(error).__name__}")
            finally:
                self.report.spend(spent.credits, spent.balances)
                if self._dispatcher.closed is not None:
                    self.stop(self._dispatcher.closed)

        code, why = DUPLICATE
        try:
            new = await self._journal.load(campaign, rows) if rows else 0
            if new:
                gate = self._dispatcher.gate(items, new)
                with self._dispatcher.interrupts.waiting():
                    await gate.pay()
                await run_chunk(self._journal, send, campaign, lo, hi, settled, recorded, vendor=vendor, group=group)
        except Interrupted:
            code, why = "stopped", "the campaign was stopped before this message"
        except asyncio.CancelledError:
            code, why = "cancelled", "the campaign was cancelled before this message"
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, these messages were not sent, and say so
            why = f"{self._journal_failed(error)}; nothing was sent"
            code = "journal"
        finally:
            self._under_way -= keys
            if gate is not None:
                gate.leave()
            if by_seq:
                outcomes += _not_sent(list(by_seq.values()), code, why)
            self._dispatcher.settle(items, outcomes, spent.credits.get(vendor))
            self.note(outcomes)
        return outcomes

    def _numbered(self, items: Sequence[Prepared]) -> dict[int, Prepared]:
        lo = self.next_seq
        self.next_seq = lo + len(items)
        return dict(zip(range(lo, self.next_seq), items, strict=True))

    async def _record_rest(self, items: Sequence[Prepared]) -> None:
        """Note down what a stopped campaign leaves unsent, for whoever resumes it."""
        if self.records_rest:
            try:
                await self._journal.load(self.report.campaign, _rows(self._numbered(items)))
            except Exception as error:  # noqa: BLE001 - nothing of it was sent, and the report says so
                self.records_rest = False
                logger.error("campaign %s: the journal failed: %s", self.report.campaign, reason_of(error))

    async def _reroute(self, seqs: Sequence[int], vendor: str) -> bool:
        try:
            await self._journal.reroute(self.report.campaign, seqs, vendor)
        except Exception as error:  # noqa: BLE001 - they stay where they are, unsent
            self._journal_failed(error)
            return False
        return True

    def _journal_failed(self, error: Exception) -> str:
        """Stop, and say why: nothing goes out that is not recorded."""
        failure = f"the journal failed: {reason_of(error)}"
        self.records_rest = False
        self.stop(failure)
        logger.error("campaign %s stopped: %s", self.report.campaign, failure)
        return failure

    async def _in_time(
        self,
        batch: Sequence[Prepared],
        reference: str,
        gate: LaneGate,
        spent: Spent,
        group: str | None,
        moved: Moved,
    ) -> Sequence[Outcome]:
        """Send what is not too late, and give an outcome for each."""
        if self.stopped is not None:
            return _not_sent(batch, "stopped", self.stopped)
        dispatcher, now = self._dispatcher, datetime.now(UTC)
        fresh = [
            index for index, item in enumerate(batch) if item.message.not_after is None or item.message.not_after > now
        ]
        if len(fresh) == len(batch):
            return await dispatcher.send(batch, reference=reference, gate=gate, spent=spent, group=group, moved=moved)
        outcomes = _not_sent(batch, "expired", "its not_after passed before it could be sent")
        cancelled = False
        sent: Sequence[Outcome] = ()
        if fresh:
            some = [batch[index] for index in fresh]

            async def moved_some(indices: Sequence[int], vendor: str) -> bool:
                return await moved([fresh[index] for index in indices], vendor)

            try:
                sent = await dispatcher.send(
                    some, reference=reference, gate=gate, spent=spent, group=group, moved=moved_some
                )
            except SendCancelled as ended:
                sent, cancelled = ended.outcomes, True
        for index, outcome in zip(fresh, sent, strict=True):
            outcomes[index] = outcome
        if cancelled:
            raise SendCancelled(outcomes)
        return outcomes


def _not_sent(items: Sequence[Prepared], code: str, detail: str) -> list[Outcome]:
    return outcomes_of(items, OutcomeKind.NOT_SENT, code, detail)


def _rows(by_seq: Mapping[int, Prepared]) -> list[Row]:
    return [Row(seq, message_key(item.message, item.number), item.message, item.number) for seq, item in by_seq.items()]


def reason_of(error: Exception) -> str:
    """What a log and a report may say of an error: only our own are known to hold nothing that they may not."""
    return error.message if isinstance(error, MensaError) else type(error).__name__
