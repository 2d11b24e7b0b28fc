"""The record of a campaign: who is claimed, who is settled, who is in doubt.

States of a recipient::

    PENDING ─▶ IN_FLIGHT ─▶ ACCEPTED | REJECTED | UNKNOWN
       ▲           │
       └───────────┘   only when it is certain that nothing was sent

UNKNOWN moves only by what was found out, or by a person's word: to ACCEPTED, to REJECTED, or back to PENDING.

A journal is the fence against sending twice: only rows that `claim` returned may be sent, and a row is returned once,
and again only if it has become PENDING again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import Factory, define, field, frozen

from mensasdk._value import value
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, JournalError
from mensasdk.messages import Delivery, Message, Outcome, OutcomeKind

__all__ = [
    "ALL_STATES",
    "STATE_OF",
    "CampaignInfo",
    "Claim",
    "Entry",
    "Journal",
    "Record",
    "Row",
    "State",
    "between",
    "lost",
    "missing",
    "not_open",
    "recorded_outcome",
    "taken",
]


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


# Not frozen, because that is two thirds of the time that making one takes.
@define
class Row:
    """One recipient of a campaign, as it is loaded and claimed. Nobody changes it.

    Attributes:
        seq: position in the campaign, unique, given by who loads it.
        key: what tells this message from all others of the campaign: see `message_key`.
        message: the message.
        number: its recipient in E.164, by which delivery reports are matched; as the message has it by default.
    """

    seq: int
    key: bytes
    message: Message
    number: str = field(default=Factory(lambda row: row.message.to, takes_self=True))


class Entry(Protocol):
    """What `Journal.load` takes: a `Row`, or whatever else has what a row has."""

    seq: int
    key: bytes
    message: Message
    number: str


@value
class Claim:
    """Rows that are about to go out, in the order of their ``seq``. False where there are none.

    Attributes:
        id: the journal's own number of it, for `Journal.settle` and `Journal.reroute`.
        rows: the rows.
    """

    id: int
    rows: Sequence[Entry]

    def __bool__(self) -> bool:
        return bool(self.rows)


@frozen
class Record:
    """One recipient of a campaign, with what the journal knows about it.

    Attributes:
        seq, key, message, number: as in `Row`. A datetime in the message may have come back with an offset for its
            zone.
        state: where it stands.
        outcome: the outcome that was recorded; None while there is none, as for a message that is UNKNOWN because
            the process died with it.
        request: the reference of the request that it was claimed for, which a vendor that takes one was given; None
            while it is PENDING.
        vendor: whom that request was for; None while it is PENDING, or if nobody said.
        group: the vendor's id of the group that it went out in, within which the vendor takes no number twice; None
            if there was none.
        claimed_at: when it was claimed, aware, in UTC, by the clock of the machine that did; None while it is PENDING.
        first: the ``seq`` of the first row of that request; None if it did not go out.
        position: how many rows stood before it in that request.
    """

    seq: int
    key: bytes
    state: State
    message: Message
    number: str = field(default=Factory(lambda record: record.message.to, takes_self=True))
    outcome: Outcome | None = None
    request: str | None = None
    vendor: str | None = None
    group: str | None = None
    claimed_at: datetime | None = None
    first: int | None = None
    position: int = 0


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


def between(waiting: Mapping[int, Entry], lo: int, hi: int, seqs: Collection[int] | None = None) -> list[Entry]:
    """Find the rows with ``lo <= seq < hi`` among those that wait, in order, by the shortest way.

    Args:
        waiting: all that wait, by ``seq``.
        lo, hi: the range.
        seqs: only these of the range; None for all.
    """
    if seqs is not None:
        found = sorted({seq for seq in seqs if lo <= seq < hi and seq in waiting})
    elif hi - lo < 2 * len(waiting):
        return [row for row in map(waiting.get, range(lo, hi)) if row is not None]
    else:
        found = sorted(seq for seq in waiting if lo <= seq < hi)
    return [waiting[seq] for seq in found]


def not_open(campaign: str) -> ConfigurationError:
    """What a journal says when a campaign is used that was not opened."""
    return ConfigurationError(f"campaign {campaign!r} is not open; only who opened it may change it")


def taken(campaign: str, owner: str) -> ConfigurationError:
    """What a journal says when a campaign is opened twice."""
    return ConfigurationError(f"campaign {campaign!r} is being sent by {owner}; wait for its end, or stop it first")


def missing(campaign: str) -> ConfigurationError:
    """What a journal says when a campaign shall be taken up that it does not have."""
    return ConfigurationError(f"the journal has no campaign {campaign!r}")


def lost(campaign: str) -> JournalError:
    """What a journal says when a claim shall be used that it has swept, or that was settled."""
    return JournalError(f"a claim of campaign {campaign!r} is not under way any more")


class Journal(Protocol):
    """Where a campaign is recorded. The memory, a file or a shared database may stand behind it.

    Attributes:
        keeps_outcomes: what became of each message can be read again, as `BatchSender.resume` needs it.
        is_immediate: its methods wait for nothing, so that nothing else can happen before they return.

    Every method may raise `JournalError`; `load`, `claim`, `reroute`, `settle`, `sweep` and `resolve` raise
    `ConfigurationError` for a campaign that is not open here.
    """

    keeps_outcomes: bool
    is_immediate: bool

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

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING, each key once.

        A key that is PENDING already stays at its ``seq``, and its message is the one that was given now. One that is
        in any other state is passed over.

        Args:
            campaign: the campaign's id.
            rows: the recipients; their ``seq`` are free.

        Returns:
            Those that are PENDING now, in the order of ``rows``, each key once, at the ``seq`` where they stand.
        """

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
        """Turn PENDING rows with ``lo <= seq < hi`` into IN_FLIGHT, durably, and give just those.

        They go out in the request `request_reference(campaign, seq)` of the first of them.

        Args:
            campaign: the campaign's id.
            lo, hi: the range.
            seqs: only these of the range; None for all.
            most: at most so many, the first ones; None for all.
            vendor: whom the request is for.
            group: the vendor's id of the group that it belongs to; see `Record`.
        """

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        """Tell whether a row with ``lo <= seq < hi`` is PENDING."""

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        """Note, durably, that some rows of a claim go out through another vendor and in no group, before they do.

        Raises:
            JournalError: the claim is not ours any more, or cannot be written; nothing may be sent.
        """

    async def settle(self, campaign: str, claim: Claim, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record the outcomes of claimed rows, by ``seq``: all of the claim, once. Idempotent.

        NOT_SENT makes a row PENDING again. A row that was swept to UNKNOWN meanwhile still takes what its owner knows,
        but is never PENDING again.
        """

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        """Turn rows that have been IN_FLIGHT for ``older_than`` seconds and more into UNKNOWN: their owner is dead.

        Returns:
            How many.
        """

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return the first ``limit`` recipients above ``after`` that stand in one of ``states``, by ``seq``."""

    async def resolve(self, campaign: str, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Record what was found out about UNKNOWN rows, by ``seq``: ACCEPTED, REJECTED, or NOT_SENT.

        NOT_SENT makes a row PENDING again. A row that is in any other state is passed over.
        """

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return how many recipients stand in each state."""

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Keep delivery reports, durably, whether or not the message that they belong to is known yet.

        Of each message the furthest state is kept, and a final one for good: reports that come twice, late or out of
        order change nothing. No campaign need be open.

        Returns:
            How many told something new.
        """

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """Return what was reported by a vendor for some numbers (as in `Delivery`), without the raw fields."""

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """Return what the journal holds, in the order in which it was begun."""

    async def purge(self, campaign: str) -> None:
        """Remove a campaign for good, with what was reported about its messages.

        Raises:
            ConfigurationError: it is open somewhere, or there is none.
        """


def recorded_outcome(record: Record, vendor: str) -> Outcome:
    """The outcome that was recorded, or what the lack of one means.

    Args:
        record: of what has ended, or is UNKNOWN.
        vendor: the name to put on it where none was recorded.
    """
    if record.outcome is not None:
        return record.outcome
    why = "the process ended while its request was under way"
    return Outcome(OutcomeKind.UNKNOWN, record.message, vendor=record.vendor or vendor, code=Code.CRASHED, detail=why)
