"""A journal in memory: for quick sends, and the plain model that the others are compared with."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

from attrs import define, evolve, field, frozen

from mensasdk.journal.keys import fingerprint, request_reference
from mensasdk.journal.keyset import KeySet
from mensasdk.journal.protocol import ALL_STATES, STATE_OF, CampaignInfo, Record, Row, State, missing, not_open, taken
from mensasdk.journal.reports import FINAL, delivery_key, progress_of
from mensasdk.messages import Delivery, Outcome, OutcomeKind

__all__ = ["MemoryJournal"]


@frozen
class _Claim:
    request: str
    vendor: str | None
    group: str | None
    at: datetime


@define
class _Campaign:
    created: datetime = field(factory=lambda: datetime.now(UTC))
    is_open: bool = False
    complete: bool = False
    free: int = 0
    seen: KeySet = field(factory=KeySet)
    pending: dict[int, Row] = field(factory=dict)  # by seq
    waiting: dict[bytes, int] = field(factory=dict)  # the key of a pending row to its seq
    in_flight: dict[int, tuple[Row, _Claim]] = field(factory=dict)  # by seq, as the next
    unknown: dict[int, Record] = field(factory=dict)
    ended: dict[int, Record] = field(factory=dict)
    counts: Counter[State] = field(factory=Counter)  # of what has ended

    def wait(self, row: Row) -> None:
        self.pending[row.seq] = row
        self.waiting[row.key] = row.seq

    def end(self, row: Row, claim: _Claim, outcome: Outcome, *, keep: bool) -> None:
        if outcome.kind is OutcomeKind.NOT_SENT:
            self.wait(row)
            return
        state = STATE_OF[outcome.kind]
        if state is State.UNKNOWN:
            self.unknown[row.seq] = _record(row, claim, state, outcome)
            return
        self.counts[state] += 1
        if keep:
            self.ended[row.seq] = _record(row, claim, state, outcome)

    def resolve(self, record: Record, outcome: Outcome, *, keep: bool) -> None:
        del self.unknown[record.seq]
        if outcome.kind is OutcomeKind.NOT_SENT:
            self.wait(Row(record.seq, record.key, record.message, record.number))
            return
        state = STATE_OF[outcome.kind]
        record = evolve(record, state=state, outcome=outcome)
        if state is State.UNKNOWN:
            self.unknown[record.seq] = record
            return
        self.counts[state] += 1
        if keep:
            self.ended[record.seq] = record

    def records(self, states: Collection[State]) -> Iterator[Record]:
        found = chain(
            (Record(row.seq, row.key, State.PENDING, row.message, row.number) for row in self.pending.values()),
            (_record(row, claim, State.IN_FLIGHT, None) for row, claim in self.in_flight.values()),
            *(self.unknown.values(), self.ended.values()),
        )
        return (record for record in found if record.state in states)


def _record(row: Row, claim: _Claim, state: State, outcome: Outcome | None) -> Record:
    return Record(
        row.seq,
        row.key,
        state,
        row.message,
        row.number,
        outcome,
        claim.request,
        claim.vendor,
        claim.group,
        claim.at,
    )


class MemoryJournal:
    """A journal that lives as long as the process: for quick sends. A crash forgets it.

    Args:
        keep_outcomes: hold what became of each message, as `BatchSender.resume` needs it for its report. Without them
            whole messages are held only while they are pending, in flight or unknown, and some eight bytes for each
            recipient (see `mensasdk.journal.keyset` for how two could be taken for one).
    """

    def __init__(self, *, keep_outcomes: bool = True) -> None:
        self.keep_outcomes = keep_outcomes
        self._campaigns: dict[str, _Campaign] = {}
        self._deliveries: dict[tuple[str, str], dict[str, Delivery]] = {}  # by vendor and number, then by message

    async def open(self, campaign: str, *, create: bool = True) -> int:
        state = self._campaigns.get(campaign)
        if state is None:
            if not create:
                raise missing(campaign)
            state = self._campaigns[campaign] = _Campaign()
        if state.is_open:
            raise taken(campaign, "another sender of this process")
        state.is_open = True
        if create:
            state.complete = False
        await self.sweep(campaign)
        return state.free

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        state = self._campaigns.get(campaign)
        if state is not None and state.is_open:
            state.is_open = False
            state.complete = state.complete or complete

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        state = self._opened(campaign)
        pending, waiting, is_new = state.pending, state.waiting, state.seen.add
        found: set[bytes] = set()
        free = state.free
        for row in rows:
            key, seq = row.key, row.seq
            before = waiting.get(key)
            if before is not None:
                del pending[before]
            elif not is_new(fingerprint(key)):
                continue
            pending[seq] = row
            waiting[key] = seq
            found.add(key)
            if seq >= free:
                free = seq + 1
        state.free = free
        return len(found)

    async def claim(
        self, campaign: str, lo: int, hi: int, *, vendor: str | None = None, group: str | None = None
    ) -> Sequence[Row]:
        state = self._opened(campaign)
        claim = _Claim(request_reference(campaign, lo), vendor, group, datetime.now(UTC))
        claimed: list[Row] = []
        for seq in range(lo, hi):
            row = state.pending.pop(seq, None)
            if row is not None:
                del state.waiting[row.key]
                state.in_flight[seq] = (row, claim)
                claimed.append(row)
        return claimed

    async def reroute(self, campaign: str, seqs: Sequence[int], vendor: str) -> None:
        state = self._opened(campaign)
        for seq in seqs:
            if seq in state.in_flight:
                row, claim = state.in_flight[seq]
                state.in_flight[seq] = (row, evolve(claim, vendor=vendor, group=None))

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._opened(campaign)
        accepted = 0
        for seq, outcome in outcomes:
            found = state.in_flight.pop(seq, None)
            if found is not None:
                if outcome.kind is OutcomeKind.ACCEPTED and not self.keep_outcomes:
                    accepted += 1  # what nearly all come to, and nothing is kept of
                else:
                    state.end(*found, outcome, keep=self.keep_outcomes)
                continue
            swept = state.unknown.get(seq)
            if swept is not None and swept.outcome is None and outcome.kind is not OutcomeKind.NOT_SENT:
                state.resolve(swept, outcome, keep=self.keep_outcomes)
        if accepted:
            state.counts[State.ACCEPTED] += accepted

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        state = self._opened(campaign)
        before = datetime.now(UTC) - timedelta(seconds=older_than)
        swept = [(row, claim) for row, claim in state.in_flight.values() if claim.at <= before]
        for row, claim in swept:
            del state.in_flight[row.seq]
            state.unknown[row.seq] = _record(row, claim, State.UNKNOWN, None)
        return len(swept)

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        state = self._campaigns.get(campaign, _Campaign())
        found = (record for record in state.records(states) if record.seq > after)
        return heapq.nsmallest(limit, found, key=lambda record: record.seq)

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._opened(campaign)
        for seq, outcome in outcomes:
            record = state.unknown.get(seq)
            if record is not None:
                state.resolve(record, outcome, keep=self.keep_outcomes)

    async def progress(self, campaign: str) -> Mapping[State, int]:
        return _counts(self._campaigns.get(campaign, _Campaign()))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        new = 0
        for delivery in deliveries:
            known = self._deliveries.setdefault((delivery.vendor, delivery.number), {})
            mark = delivery_key(delivery)
            before = known.get(mark)
            if before is not None:
                far = progress_of(before.state)
                if far == FINAL or progress_of(delivery.state) <= far:
                    continue
                delivery = evolve(delivery, reference=delivery.reference or before.reference)
            known[mark] = evolve(delivery, raw={})
            new += 1
        return new

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        found = (self._deliveries.get((vendor, number), {}) for number in sorted(numbers))
        return [known[mark] for known in found for mark in sorted(known)]

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """What the journal holds, in the order in which it was begun."""
        return [CampaignInfo(name, one.created, one.complete, _counts(one)) for name, one in self._campaigns.items()]

    async def purge(self, campaign: str) -> None:
        """Forget a campaign, with what was reported about its messages.

        Raises:
            ConfigurationError: it is open, or there is none.
        """
        state = self._campaigns.get(campaign)
        if state is None:
            raise missing(campaign)
        if state.is_open:
            raise taken(campaign, "another sender of this process")
        for record in state.records(ALL_STATES):
            ids = {record.request, None if record.outcome is None else record.outcome.vendor_id} - {None}
            known = self._deliveries.get((record.vendor or "", record.number), {})
            for mark in [mark for mark, one in known.items() if ids & {one.vendor_id, one.reference}]:
                del known[mark]
        del self._campaigns[campaign]

    def _opened(self, campaign: str) -> _Campaign:
        state = self._campaigns.get(campaign)
        if state is None or not state.is_open:
            raise not_open(campaign)
        return state


def _counts(state: _Campaign) -> Mapping[State, int]:
    return {
        State.PENDING: len(state.pending),
        State.IN_FLIGHT: len(state.in_flight),
        State.ACCEPTED: state.counts[State.ACCEPTED],
        State.REJECTED: state.counts[State.REJECTED],
        State.UNKNOWN: len(state.unknown),
    }
