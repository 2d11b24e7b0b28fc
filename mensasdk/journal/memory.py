"""A journal in memory: for quick sends, and the simple model that tests compare other journals with."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from types import MappingProxyType

from attrs import define, evolve, field

from mensasdk.journal.charges import add_charges
from mensasdk.journal.facts import CampaignFacts, check_content
from mensasdk.journal.keys import fingerprint, new_nonce, request_reference
from mensasdk.journal.keyset import KeySet
from mensasdk.journal.protocol import (
    ALL_STATES,
    NOTHING,
    STATE_OF,
    CampaignInfo,
    Claim,
    Entry,
    Opened,
    Record,
    Row,
    State,
    between,
    check_name,
    lost,
    missing,
    not_open,
    taken,
)
from mensasdk.journal.reports import FINAL, delivery_key, progress_of
from mensasdk.messages import Delivery, Outcome, OutcomeKind

__all__ = ["MemoryJournal"]

_SEQ = attrgetter("seq")


@define(eq=False)
class _Taken:
    """Claim that is under way, with all that its rows share.

    Attributes:
        claim: the claim.
        at: when it was claimed, aware, in UTC.
        vendor, group: as in `Record`.
        moved: the vendors to which rows were rerouted, by ``seq``.
        ended: ``seq`` of the rows that are settled already.
    """

    claim: Claim
    at: datetime
    vendor: str | None
    group: str | None
    moved: Mapping[int, str] = field(default=MappingProxyType({}))
    ended: frozenset[int] = frozenset()

    def left(self) -> Iterator[tuple[int, int]]:
        """Yield the ``seq`` and the position of each row that is under way."""
        return ((row.seq, place) for place, row in enumerate(self.claim.rows) if row.seq not in self.ended)

    def all_accepted(self, outcomes: Sequence[tuple[int, Outcome]]) -> bool:
        """Return whether the outcomes are those of all rows, in order, and each is ACCEPTED."""
        rows = self.claim.rows
        if self.ended or len(outcomes) != len(rows):
            return False
        for (seq, outcome), row in zip(outcomes, rows, strict=True):
            if outcome.kind is not OutcomeKind.ACCEPTED or seq != row.seq:
                return False
        return True

    def record(self, nonce: str, position: int, state: State, outcome: Outcome | None = None) -> Record:
        row, first = self.claim.rows[position], self.claim.rows[0].seq
        via = self.moved.get(row.seq)
        return Record(
            row.seq,
            row.key,
            state,
            row.message,
            row.number,
            outcome,
            request_reference(nonce, first),
            self.vendor if via is None else via,
            self.group if via is None else None,
            self.at,
            first,
            position,
            row.place,
        )


@define
class _Campaign:
    content: CampaignFacts | None = None
    nonce: str = field(factory=new_nonce)
    created: datetime = field(factory=lambda: datetime.now(UTC))
    is_open: bool = False
    complete: bool = False
    free: int = 0
    seen: KeySet = field(factory=KeySet)
    pending: dict[int, Entry] = field(factory=dict)  # by seq
    waiting: dict[bytes, int] = field(factory=dict)  # the key of a pending row to its seq
    under_way: dict[int, _Taken] = field(factory=dict)  # by the claim's id
    unknown: dict[int, Record] = field(factory=dict)  # by seq
    ended: dict[int, Record] = field(factory=dict)  # by seq
    counts: Counter[State] = field(factory=Counter)  # of rows that are ACCEPTED or REJECTED
    charged: Mapping[str, Decimal] = field(default=NOTHING)
    paid: dict[int, set[str]] = field(
        factory=dict
    )  # by claim, vendors whose charge is in `charged`, while rows are left

    def wait(self, row: Entry) -> None:
        self.pending[row.seq] = row
        self.waiting[row.key] = row.seq

    def charge(self, claim: int, charged: Mapping[str, Decimal]) -> None:
        """Keep what each vendor charged for a claim, once."""
        if charged:
            paid = self.paid.setdefault(claim, set())
            self.charged = add_charges(self.charged, {name: charged[name] for name in charged if name not in paid})
            paid.update(charged)

    def end(self, record: Record, *, keep: bool) -> None:
        """Store a record with its outcome: as PENDING again, as UNKNOWN, or as ended."""
        assert record.outcome is not None
        if record.outcome.kind is OutcomeKind.NOT_SENT:
            self.wait(Row(record.seq, record.key, record.message, record.number, record.place))
        elif record.state is State.UNKNOWN:
            self.unknown[record.seq] = record
        else:
            self.counts[record.state] += 1
            if keep:
                self.ended[record.seq] = record

    def records(self, states: Collection[State]) -> Iterator[Record]:
        found = chain(
            (
                Record(row.seq, row.key, State.PENDING, row.message, row.number, place=row.place)
                for row in self.pending.values()
            ),
            (
                one.record(self.nonce, position, State.IN_FLIGHT)
                for one in self.under_way.values()
                for _, position in one.left()
            ),
            *(self.unknown.values(), self.ended.values()),
        )
        return (record for record in found if record.state in states)


class MemoryJournal:
    """Journal in memory, for quick sends; it is lost when the process ends.

    Args:
        keep_outcomes: keep the outcome of each message, as `BatchSender.resume` needs it for its report. If False, a
            whole message is held only while it is pending, in flight or unknown, and about eight bytes for each
            recipient (`mensasdk.journal.keyset` says how rarely two recipients are taken for one).
    """

    is_immediate = True

    def __init__(self, *, keep_outcomes: bool = True) -> None:
        self.keeps_outcomes = keep_outcomes
        self._claims = 0
        self._campaigns: dict[str, _Campaign] = {}
        self._deliveries: dict[tuple[str, str], dict[str, Delivery]] = {}  # by vendor and number, then by message

    async def open(self, campaign: str, content: CampaignFacts | None = None, *, create: bool = True) -> Opened:
        """Open a campaign for one sender of this process; see `Journal.open`."""
        state = self._campaigns.get(campaign)
        if state is None:
            if not create:
                raise missing(campaign)
            check_name(campaign)
            state = self._campaigns[campaign] = _Campaign(content)
        if state.is_open:
            raise taken(campaign, "another sender of this process")
        check_content(campaign, state.content, content)
        opened = Opened(state.free, state.nonce, state.complete)
        state.is_open = True
        if create:
            state.complete = False
        await self.sweep(campaign)
        return opened

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        """Close a campaign, which stays in memory; see `Journal.close`."""
        state = self._campaigns.get(campaign)
        if state is not None and state.is_open:
            state.is_open = False
            state.complete = state.complete or complete

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING; see `Journal.load`."""
        state = self._opened(campaign)
        pending, waiting, is_new = state.pending, state.waiting, state.seen.add
        loaded: dict[bytes, Entry] = {}
        for row in rows:
            key = row.key
            if is_new(fingerprint(key)):
                waiting[key] = row.seq
            elif key in waiting and key not in loaded:
                row = Row(waiting[key], key, row.message, row.number, row.place)
            else:
                continue
            pending[row.seq] = loaded[key] = row
            if row.seq >= state.free:
                state.free = row.seq + 1
        return list(loaded.values())

    async def claim(
        self,
        campaign: str,
        lo: int,
        hi: int,
        *,
        seqs: Collection[int] | None = None,
        most: int | None = None,
        vendor: str | None = None,
        group: str | None = None,
    ) -> Claim:
        """Turn PENDING rows into IN_FLIGHT and return them; see `Journal.claim`."""
        state = self._opened(campaign)
        rows = between(state.pending, lo, hi, seqs)[:most]
        for row in rows:
            del state.pending[row.seq], state.waiting[row.key]
        self._claims += 1
        claim = Claim(self._claims, rows)
        if rows:
            state.under_way[claim.id] = _Taken(claim, datetime.now(UTC), vendor, group)
        return claim

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        """Return whether any row of a range is PENDING; see `Journal.left`."""
        state = self._campaigns.get(campaign)
        return state is not None and bool(between(state.pending, lo, hi))

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        """Record that rows are sent through another vendor; see `Journal.reroute`."""
        taken = self._opened(campaign).under_way.get(claim.id)
        if taken is None:
            raise lost(campaign)
        taken.moved = {**taken.moved, **dict.fromkeys(seqs, vendor)}

    async def settle(
        self,
        campaign: str,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        charged: Mapping[str, Decimal] = NOTHING,
    ) -> None:
        """Record the outcomes of a claim; see `Journal.settle`."""
        state = self._opened(campaign)
        taken = state.under_way.get(claim.id)
        if taken is None:
            seqs = set(map(_SEQ, claim.rows))
            for seq, outcome in outcomes:
                swept = state.unknown.get(seq) if seq in seqs else None
                if swept is not None and swept.outcome is None and outcome.kind is not OutcomeKind.NOT_SENT:
                    self._resolve(state, swept, outcome)
                    state.charge(claim.id, charged)
            return
        if not self.keeps_outcomes and taken.all_accepted(outcomes):
            del state.under_way[claim.id]
            state.charged = add_charges(state.charged, charged)
            state.counts[State.ACCEPTED] += len(outcomes)  # the usual case, and no record is kept
            return
        places = dict(taken.left())
        taken.ended |= {seq for seq, _ in outcomes if seq in places}
        for seq, outcome in outcomes:
            place = places.pop(seq, None)
            if place is not None:
                record = taken.record(state.nonce, place, STATE_OF[outcome.kind], outcome)
                state.end(record, keep=self.keeps_outcomes)
                state.charge(claim.id, charged)
        if not places:
            del state.under_way[claim.id]
            state.paid.pop(claim.id, None)

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        """Turn old IN_FLIGHT rows into UNKNOWN; see `Journal.sweep`."""
        state = self._opened(campaign)
        before = datetime.now(UTC) - timedelta(seconds=older_than)
        swept = [one for one in state.under_way.values() if one.at <= before]
        for one in swept:
            del state.under_way[one.claim.id]
            for seq, position in one.left():
                state.unknown[seq] = one.record(state.nonce, position, State.UNKNOWN)
        return sum(len(one.claim.rows) - len(one.ended) for one in swept)

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return recipients by ``seq``; see `Journal.read`."""
        state = self._campaigns.get(campaign, _Campaign())
        found = (record for record in state.records(states) if record.seq > after)
        return heapq.nsmallest(limit, found, key=lambda record: record.seq)

    async def resolve(
        self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], *, charged: Mapping[str, Decimal] = NOTHING
    ) -> None:
        """Record outcomes that were found out for UNKNOWN rows; see `Journal.resolve`."""
        state = self._opened(campaign)
        self._claims += 1  # what is charged now is a charge of its own, beside those of the claims
        for seq, outcome in outcomes:
            record = state.unknown.get(seq)
            if record is not None:
                self._resolve(state, record, outcome)
                state.charge(self._claims, charged)

    def _resolve(self, state: _Campaign, record: Record, outcome: Outcome) -> None:
        del state.unknown[record.seq]
        state.end(evolve(record, state=STATE_OF[outcome.kind], outcome=outcome), keep=self.keeps_outcomes)

    async def charged(self, campaign: str) -> Mapping[str, Decimal]:
        """Return what each vendor says that it charged for a campaign; see `Journal.charged`."""
        return self._campaigns.get(campaign, _Campaign()).charged

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return the count of recipients in each state."""
        return _counts(self._campaigns.get(campaign, _Campaign()))

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Keep delivery reports; see `Journal.deliver`."""
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
        """Return the delivery reports of a vendor for some numbers; see `Journal.deliveries`."""
        found = (self._deliveries.get((vendor, number), {}) for number in sorted(numbers))
        return [known[mark] for known in found for mark in sorted(known)]

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """Return a summary of each campaign, in the order in which they were begun."""
        return [
            CampaignInfo(name, one.created, one.complete, _counts(one), one.nonce, one.content)
            for name, one in self._campaigns.items()
        ]

    async def purge(self, campaign: str) -> None:
        """Remove a campaign and the delivery reports of its messages.

        Raises:
            ConfigurationError: the campaign is open, or does not exist.
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
        State.IN_FLIGHT: sum(len(one.claim.rows) - len(one.ended) for one in state.under_way.values()),
        State.ACCEPTED: state.counts[State.ACCEPTED],
        State.REJECTED: state.counts[State.REJECTED],
        State.UNKNOWN: len(state.unknown),
    }
