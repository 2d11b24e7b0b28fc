"""The record of a campaign: who is claimed, who is settled, who is in doubt.

States of a recipient::

    PENDING ─▶ IN_FLIGHT ─▶ ACCEPTED | REJECTED | UNKNOWN
       ▲           │
       └───────────┘   only when it is certain that nothing was sent

A journal is the fence against sending twice: only rows that `claim` returned may be sent, and a row is returned once.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Protocol

from attrs import define, evolve, field, frozen

from mensasdk.errors import ConfigurationError, JournalError
from mensasdk.messages import Message, Outcome, OutcomeKind

__all__ = ["CampaignInfo", "Journal", "JournalError", "MemoryJournal", "Record", "Row", "State"]


class State(StrEnum):
    """Where a recipient stands in the journal."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


STATE_OF: Mapping[OutcomeKind, State] = {
    OutcomeKind.ACCEPTED: State.ACCEPTED,
    OutcomeKind.REJECTED: State.REJECTED,
    OutcomeKind.UNKNOWN: State.UNKNOWN,
    OutcomeKind.NOT_SENT: State.PENDING,
}
ALL_STATES = frozenset(State)


@frozen
class Row:
    """One recipient of a campaign, as it is loaded and claimed.

    Attributes:
        seq: position in the campaign, unique, given by who loads it.
        key: what tells this message from all others of the campaign: see `message_key`.
        message: the message.
    """

    seq: int
    key: bytes
    message: Message


@frozen
class Record:
    """One recipient of a campaign, with what the journal knows about it.

    Attributes:
        seq, key, message: as in `Row`. A datetime in the message may have come back with an offset for its zone.
        state: where it stands.
        outcome: the outcome that was recorded; None while there is none, as for a message that is UNKNOWN because
            the process died with it.
        request: the reference of the request that it went out in, which the vendor was given; None if it did not.
    """

    seq: int
    key: bytes
    state: State
    message: Message
    outcome: Outcome | None = None
    request: str | None = None


@frozen
class CampaignInfo:
    """What a journal says of one campaign.

    Attributes:
        name: the campaign's id.
        created: when it was begun, aware, in UTC.
        complete: its messages were read to their end, so that `BatchSender.resume` needs no input for it.
        counts: recipients by state.
    """

    name: str
    created: datetime
    complete: bool
    counts: Mapping[State, int]


def message_key(message: Message, number: str) -> bytes:
    """What makes a message the same message: the caller's reference and the number, or else the number and all that
    the person would read. Sixteen bytes of a hash of it.

    Args:
        message: the message.
        number: its recipient in E.164, so that two spellings of one number are one.
    """
    parts: tuple[object, ...]
    if message.reference is not None:
        parts = ("reference", number, message.reference)
    else:
        parts = ("text", number, message.text, message.template, *sorted(message.variables.items()))
    # The way Python writes a tuple of texts says where each begins and ends, so no two of them read the same.
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def request_reference(campaign: str, lo: int) -> str:
    """The reference of the request that was claimed from ``lo`` on."""
    return f"{campaign}.{lo}"


def not_open(campaign: str) -> ConfigurationError:
    """What a journal says when a campaign is used that was not opened."""
    return ConfigurationError(f"campaign {campaign!r} is not open; only who opened it may change it")


def taken(campaign: str, owner: str) -> ConfigurationError:
    """What a journal says when a campaign is opened twice."""
    return ConfigurationError(f"campaign {campaign!r} is being sent by {owner}; wait for its end, or stop it first")


def missing(campaign: str) -> ConfigurationError:
    """What a journal says when a campaign shall be taken up that it does not have."""
    return ConfigurationError(f"the journal has no campaign {campaign!r}")


class Journal(Protocol):
    """Where a campaign is recorded. The memory, a file or a shared database may stand behind it.

    Every method may raise `JournalError`; `load`, `claim`, `settle` and `resolve` raise `ConfigurationError` for a
    campaign that is not open here.
    """

    async def open(self, campaign: str, *, create: bool = True) -> int:
        """Take a campaign for this process, and turn what a dead owner left IN_FLIGHT into UNKNOWN.

        Args:
            campaign: the campaign's id.
            create: begin it if there is none, and take it that its messages are still to be read.

        Returns:
            The first ``seq`` that is free.

        Raises:
            ConfigurationError: somebody who is alive has it open, or there is none and none shall be begun.
        """

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        """Let a campaign go. One that is not open is left alone.

        Args:
            campaign: the campaign's id.
            complete: its messages have been read to their end, and recorded.
        """

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        """Record recipients as PENDING, each key once.

        A key that is PENDING already moves to the new ``seq``; one that is in any other state is passed over.

        Returns:
            How many of ``rows`` are PENDING now, each key counted once.
        """

    async def claim(self, campaign: str, lo: int, hi: int) -> Sequence[Row]:
        """Turn PENDING rows with ``lo <= seq < hi`` into IN_FLIGHT, durably, and return just those, by ``seq``.

        They go out in the request `request_reference(campaign, lo)`.
        """

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record outcomes of claimed rows, by ``seq``. NOT_SENT makes a row PENDING again. Idempotent."""

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return the first ``limit`` recipients above ``after`` that stand in one of ``states``, by ``seq``."""

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record what was found out about UNKNOWN rows: ACCEPTED, REJECTED, or NOT_SENT."""

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return how many recipients stand in each state."""


@define
class _Campaign:
    created: datetime = field(factory=lambda: datetime.now(UTC))
    is_open: bool = False
    complete: bool = False
    free: int = 0
    # Eight bytes of a hash stand for a key: two of a million messages would be taken for one in one of 37 million
    # campaigns, and whole keys would take twice the memory.
    seen: set[int] = field(factory=set)
    pending: dict[int, Row] = field(factory=dict)  # by the hash of the key
    by_seq: dict[int, int] = field(factory=dict)  # seq of a pending row to the hash of its key
    in_flight: dict[int, Record] = field(factory=dict)  # by seq, as the next
    unknown: dict[int, Record] = field(factory=dict)
    ended: dict[int, Record] = field(factory=dict)
    counts: Counter[State] = field(factory=Counter)  # of what has ended

    def wait(self, row: Row) -> None:
        mark = hash(row.key)
        self.pending[mark] = row
        self.by_seq[row.seq] = mark

    def end(self, record: Record, outcome: Outcome, *, keep: bool) -> None:
        if outcome.kind is OutcomeKind.NOT_SENT:
            self.wait(Row(record.seq, record.key, record.message))
            return
        state = STATE_OF[outcome.kind]
        record = evolve(record, state=state, outcome=outcome)
        if state is State.UNKNOWN:
            self.unknown[record.seq] = record
            return
        self.counts[state] += 1
        if keep:
            self.ended[record.seq] = record

    def records(self, states: Collection[State]) -> list[Record]:
        found = chain(
            (Record(row.seq, row.key, State.PENDING, row.message) for row in self.pending.values()),
            *(self.in_flight.values(), self.unknown.values(), self.ended.values()),
        )
        return [record for record in found if record.state in states]


class MemoryJournal:
    """A journal that lives as long as the process: for quick sends. A crash forgets it.

    Args:
        keep_outcomes: hold what became of each message, as `BatchSender.resume` needs it for its report. Without them
            whole messages are held only while they are pending, in flight or unknown, and some 70 bytes for each
            recipient that has ended.
    """

    def __init__(self, *, keep_outcomes: bool = True) -> None:
        self.keep_outcomes = keep_outcomes
        self._campaigns: dict[str, _Campaign] = {}

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
        for record in state.in_flight.values():
            state.unknown[record.seq] = evolve(record, state=State.UNKNOWN)
        state.in_flight.clear()
        return state.free

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        state = self._campaigns.get(campaign)
        if state is not None and state.is_open:
            state.is_open = False
            state.complete = state.complete or complete

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        state = self._opened(campaign)
        waits: set[int] = set()
        for row in rows:
            mark = hash(row.key)
            waiting = state.pending.get(mark)
            if waiting is not None:
                del state.by_seq[waiting.seq]
            elif mark in state.seen:
                continue
            state.seen.add(mark)
            state.pending[mark] = row
            state.by_seq[row.seq] = mark
            state.free = max(state.free, row.seq + 1)
            waits.add(mark)
        return len(waits)

    async def claim(self, campaign: str, lo: int, hi: int) -> Sequence[Row]:
        state = self._opened(campaign)
        request = request_reference(campaign, lo)
        claimed: list[Row] = []
        for seq in range(lo, hi):
            mark = state.by_seq.pop(seq, None)
            if mark is not None:
                row = state.pending.pop(mark)
                state.in_flight[seq] = Record(seq, row.key, State.IN_FLIGHT, row.message, request=request)
                claimed.append(row)
        return claimed

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._opened(campaign)
        for seq, outcome in outcomes:
            record = state.in_flight.pop(seq, None)
            if record is not None:
                state.end(record, outcome, keep=self.keep_outcomes)

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        state = self._campaigns.get(campaign, _Campaign())
        found = (record for record in state.records(states) if record.seq > after)
        return heapq.nsmallest(limit, found, key=lambda record: record.seq)

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._opened(campaign)
        for seq, outcome in outcomes:
            record = state.unknown.pop(seq, None)
            if record is not None:
                state.end(record, outcome, keep=self.keep_outcomes)

    async def progress(self, campaign: str) -> Mapping[State, int]:
        return _counts(self._campaigns.get(campaign, _Campaign()))

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """What the journal holds, in the order in which it was begun."""
        return [CampaignInfo(name, one.created, one.complete, _counts(one)) for name, one in self._campaigns.items()]

    async def purge(self, campaign: str) -> None:
        """Forget a campaign.

        Raises:
            ConfigurationError: it is open, or there is none.
        """
        if campaign not in self._campaigns:
            raise missing(campaign)
        if self._campaigns[campaign].is_open:
            raise taken(campaign, "another sender of this process")
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
