"""The record of a campaign: who is claimed, who is settled, who is in doubt.

States of a recipient::

    PENDING ─▶ IN_FLIGHT ─▶ ACCEPTED | REJECTED | UNKNOWN
       ▲           │
       └───────────┘   only when it is certain that nothing was sent

A journal is the fence against sending twice: only rows that `claim` returned may be sent, and a row is returned once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Protocol

from attrs import define, field, frozen

from mensasdk.messages import Message, Outcome, OutcomeKind

__all__ = ["Journal", "MemoryJournal", "Row", "State"]


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


@frozen
class Row:
    """One recipient of a campaign.

    Attributes:
        seq: position in the campaign, unique, given by who loads it.
        key: what tells this message from all others of the campaign: see `message_key`.
        message: the message.
    """

    seq: int
    key: str
    message: Message


def message_key(message: Message, number: str) -> str:
    """What makes a message the same message: the caller's reference and the number, or else the number and all that
    the person would read.

    Args:
        message: the message.
        number: its recipient in E.164, so that two spellings of one number are one.
    """
    if message.reference is not None:
        return f"r\0{number}\0{message.reference}"
    parts = [number, message.text, message.template or ""]
    for name, value in sorted(message.variables.items()):
        parts += name, value
    return "t\0" + "\0".join(parts)


class Journal(Protocol):
    """Where a campaign is recorded. The memory, a file or a shared database may stand behind it."""

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        """Record recipients as PENDING, each key once.

        A key that is PENDING already moves to the new ``seq``; one that is in any other state is passed over.

        Returns:
            How many of ``rows`` are PENDING now.
        """

    async def claim(self, campaign: str, lo: int, hi: int) -> Sequence[Row]:
        """Turn PENDING rows with ``lo <= seq < hi`` into IN_FLIGHT, durably, and return just those."""

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record outcomes of claimed rows, by ``seq``. NOT_SENT makes a row PENDING again. Idempotent."""

    async def unknown(self, campaign: str, limit: int) -> Sequence[Row]:
        """Return at most ``limit`` rows that are UNKNOWN."""

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record what was found out about UNKNOWN rows: ACCEPTED, REJECTED, or NOT_SENT."""

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return how many recipients stand in each state."""


@define
class _Campaign:
    # Eight bytes of a hash stand for a key: two of a million messages would be taken for one in one of 37 million
    # campaigns, and the whole keys of a million messages would take hundreds of megabytes.
    seen: set[int] = field(factory=set)
    pending: dict[int, Row] = field(factory=dict)  # by fingerprint of the key
    by_seq: dict[int, int] = field(factory=dict)  # seq of a pending row to its fingerprint
    in_flight: dict[int, Row] = field(factory=dict)  # by seq, as the next
    unknown: dict[int, Row] = field(factory=dict)
    ended: Counter[State] = field(factory=Counter)

    def wait(self, row: Row) -> None:
        mark = _fingerprint(row.key)
        self.pending[mark] = row
        self.by_seq[row.seq] = mark

    def end(self, row: Row, kind: OutcomeKind) -> None:
        if kind is OutcomeKind.UNKNOWN:
            self.unknown[row.seq] = row
        elif kind is OutcomeKind.NOT_SENT:
            self.wait(row)
        else:
            self.ended[STATE_OF[kind]] += 1


def _fingerprint(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


class MemoryJournal:
    """A journal that lives as long as the process: for quick sends. A crash forgets it.

    It holds whole messages only while they are pending, in flight or unknown, and some 70 bytes for each recipient
    that is settled.
    """

    def __init__(self) -> None:
        self._campaigns: dict[str, _Campaign] = {}

    def _campaign(self, campaign: str) -> _Campaign:
        return self._campaigns.setdefault(campaign, _Campaign())

    async def load(self, campaign: str, rows: Sequence[Row]) -> int:
        state = self._campaign(campaign)
        count = 0
        for row in rows:
            mark = _fingerprint(row.key)
            waiting = state.pending.get(mark)
            if waiting is not None:
                del state.by_seq[waiting.seq]
            elif mark in state.seen:
                continue
            state.seen.add(mark)
            state.pending[mark] = row
            state.by_seq[row.seq] = mark
            count += 1
        return count

    async def claim(self, campaign: str, lo: int, hi: int) -> Sequence[Row]:
        state = self._campaign(campaign)
        claimed: list[Row] = []
        for seq in range(lo, hi):
            mark = state.by_seq.pop(seq, None)
            if mark is not None:
                row = state.in_flight[seq] = state.pending.pop(mark)
                claimed.append(row)
        return claimed

    async def settle(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._campaign(campaign)
        for seq, outcome in outcomes:
            row = state.in_flight.pop(seq, None)
            if row is not None:
                state.end(row, outcome.kind)

    async def unknown(self, campaign: str, limit: int) -> Sequence[Row]:
        return list(islice(self._campaign(campaign).unknown.values(), limit))

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        state = self._campaign(campaign)
        for seq, outcome in outcomes:
            row = state.unknown.pop(seq, None)
            if row is not None:
                state.end(row, outcome.kind)

    async def progress(self, campaign: str) -> Mapping[State, int]:
        state = self._campaign(campaign)
        return {
            State.PENDING: len(state.pending),
            State.IN_FLIGHT: len(state.in_flight),
            State.ACCEPTED: state.ended[State.ACCEPTED],
            State.REJECTED: state.ended[State.REJECTED],
            State.UNKNOWN: len(state.unknown),
        }
