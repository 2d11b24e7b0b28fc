"""Define the journal: the record of the state and the outcome of each message of a campaign.

States of a recipient::

    PENDING ─▶ IN_FLIGHT ─▶ ACCEPTED | REJECTED | UNKNOWN
       ▲           │
       └───────────┘   only when it is certain that nothing was sent

A row leaves UNKNOWN only when its outcome is found out, or when a person decides it: to ACCEPTED, to REJECTED, or back
to PENDING.

A journal prevents sending twice: only rows that `claim` returned may be sent. `claim` returns a row once, and again
only after the row has become PENDING again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from attrs import Factory, define, field, frozen

from mensasdk._value import value
from mensasdk.arguments import check_kind
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, JournalError
from mensasdk.journal.facts import CampaignFacts
from mensasdk.messages import Delivery, Message, Outcome, OutcomeKind

__all__ = [
    "ALL_STATES",
    "NOTHING",
    "STATE_OF",
    "CampaignInfo",
    "Claim",
    "Entry",
    "Journal",
    "Opened",
    "Record",
    "Row",
    "State",
    "between",
    "check_name",
    "lost",
    "missing",
    "not_open",
    "recorded_outcome",
    "taken",
]


class State(StrEnum):
    """State of a recipient in the journal."""

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
NOTHING: Mapping[str, Decimal] = MappingProxyType({})
"""What was charged where no vendor tells it."""


# Not frozen: freezing would take two thirds of the time of making a row.
@define
class Row:
    """One recipient of a campaign, as it is loaded and claimed; never changed.

    Attributes:
        seq: position in the campaign, unique, chosen by the code that loads the row.
        key: identifies the message within the campaign; see `message_key`.
        message: the message.
        number: the recipient in E.164, by which delivery reports are matched; ``message.to`` by default.
        place: position of the message in the campaign's list, from 0; -1 where it is not known.
    """

    seq: int
    key: bytes
    message: Message
    number: str = field(default=Factory(lambda row: row.message.to, takes_self=True))
    place: int = -1


class Entry(Protocol):
    """Row as `Journal.load` takes it: a `Row`, or any object with the same attributes."""

    seq: int
    key: bytes
    message: Message
    number: str
    place: int


@value
class Claim:
    """Rows that are about to be sent, in the order of their ``seq``; false if there are none.

    Attributes:
        id: the id that the journal gave the claim, for `Journal.settle` and `Journal.reroute`.
        rows: the rows.
    """

    id: int
    rows: Sequence[Entry]

    def __bool__(self) -> bool:
        return bool(self.rows)


@frozen
class Record:
    """One recipient of a campaign, with all that the journal knows about it.

    Attributes:
        seq, key, message, number, place: as in `Row`. A datetime in the message may have a fixed UTC offset in
            place of its zone.
        state: the state of the recipient.
        outcome: the recorded outcome; None while none is recorded, also for a message that is UNKNOWN because the
            process died during its request.
        request: reference of the request for which the row was claimed, as given to vendors that take a reference;
            None while the row is PENDING.
        vendor: the vendor of that request; None while the row is PENDING, or if `Journal.claim` was given none.
        group: the vendor's id of the group in which the message was sent; the vendor takes no number twice within a
            group. None if there was no group.
        claimed_at: when the row was claimed, aware, in UTC, by the clock of the machine that claimed it; None while
            the row is PENDING.
        first: the ``seq`` of the first row of that request; None while the row is PENDING.
        position: position of the row in that request, from 0.
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
    place: int = -1


@frozen
class CampaignInfo:
    """Summary of one campaign in a journal.

    Attributes:
        name: the campaign's id.
        created: when it was begun, aware, in UTC.
        complete: all messages of its input are recorded, so that `BatchSender.resume` needs no input.
        counts: count of recipients by state.
        nonce: what tells the campaign from every other, also from those of its name; see `request_reference`.
        content: what the campaign sends, and through whom; None where it is not known.
    """

    name: str
    created: datetime
    complete: bool
    counts: Mapping[State, int]
    nonce: str = ""
    content: CampaignFacts | None = None


@frozen
class Opened:
    """A campaign as it was when it was opened.

    Attributes:
        next_seq: the first free ``seq``.
        nonce: as in `CampaignInfo`.
        complete: all messages of its input were recorded.
    """

    next_seq: int
    nonce: str
    complete: bool


def between(waiting: Mapping[int, Entry], lo: int, hi: int, seqs: Collection[int] | None = None) -> list[Entry]:
    """Return the rows of ``waiting`` with ``lo <= seq < hi``, in order.

    Args:
        waiting: PENDING rows, by ``seq``.
        lo: first ``seq`` of the range.
        hi: first ``seq`` after the range.
        seqs: only these rows of the range; None for all.
    """
    if seqs is not None:
        found = sorted({seq for seq in seqs if lo <= seq < hi and seq in waiting})
    elif hi - lo < 2 * len(waiting):
        return [row for row in map(waiting.get, range(lo, hi)) if row is not None]
    else:
        found = sorted(seq for seq in waiting if lo <= seq < hi)
    return [waiting[seq] for seq in found]


def check_name(campaign: object) -> None:
    """Check that a campaign can be named so.

    Raises:
        ConfigurationError: the name is no string, empty, blank, or has characters that cannot be printed.
    """
    check_kind("campaign", campaign, str, "a string, such as the name of the list and its date")
    if isinstance(campaign, str) and (not campaign or campaign.isspace() or not campaign.isprintable()):
        problem = "must be a name of printable characters, and not empty or blank"
        raise ConfigurationError(problem, subject="campaign", field="campaign")


def not_open(campaign: str) -> ConfigurationError:
    """Build the error for changing a campaign that is not open."""
    return ConfigurationError(f"campaign {campaign!r} is not open in this journal; open it before changing it")


def taken(campaign: str, owner: str) -> ConfigurationError:
    """Build the error for a campaign that another owner has open."""
    return ConfigurationError(f"campaign {campaign!r} is being sent by {owner}; wait until it ends, or stop it first")


def missing(campaign: str) -> ConfigurationError:
    """Build the error for a campaign that the journal does not have."""
    return ConfigurationError(f"the journal has no campaign {campaign!r}")


def lost(campaign: str) -> JournalError:
    """Build the error for rerouting a claim that was settled or swept."""
    return JournalError(
        f"a claim of campaign {campaign!r} is not under way any more: it was settled, or swept to UNKNOWN"
    )


class Journal(Protocol):
    """Record of campaigns, in memory, in a file or in a shared database.

    Attributes:
        keeps_outcomes: the outcome of each message can be read again, as `BatchSender.resume` needs it.
        is_immediate: no method ever waits, so that no other task runs before the method returns.

    Every method may raise `JournalError`; `load`, `claim`, `reroute`, `settle`, `sweep` and `resolve` raise
    `ConfigurationError` for a campaign that is not open here.
    """

    keeps_outcomes: bool
    is_immediate: bool

    async def open(self, campaign: str, content: CampaignFacts | None = None, *, create: bool = True) -> Opened:
        """Open a campaign for this process alone, and turn rows that a dead owner left IN_FLIGHT into UNKNOWN.

        Args:
            campaign: the campaign's id.
            content: what the campaign sends; kept with a campaign that is begun, and compared with that of one that
                exists. None to keep or compare nothing.
            create: begin the campaign if the journal does not have it, and mark it as not complete. If False, it has
                to exist.

        Raises:
            ConfigurationError: a living owner has the campaign open; it has other content; it does not exist, and
                ``create`` is False; or no campaign can be named so.
        """

    async def close(self, campaign: str, *, complete: bool = False) -> None:
        """Close a campaign, or do nothing if it is not open.

        Args:
            campaign: the campaign's id.
            complete: all messages of its input have been read and recorded.
        """

    async def load(self, campaign: str, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING, each key once.

        A key that is PENDING already keeps its ``seq``, and gets the message given now. A key in any other state is
        skipped.

        Args:
            campaign: the campaign's id.
            rows: the recipients, each with a free ``seq``.

        Returns:
            The rows that are PENDING now, in the order of ``rows``, each key once, with the ``seq`` that the journal
            has for them.
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
        """Turn PENDING rows with ``lo <= seq < hi`` into IN_FLIGHT, durably, and return exactly these rows.

        They are sent in the request with the reference `request_reference(nonce, seq)`, where ``seq`` is that of the
        first row.

        Args:
            campaign: the campaign's id.
            lo: first ``seq`` of the range.
            hi: first ``seq`` after the range.
            seqs: only these rows of the range; None for all.
            most: claim only so many rows, the first ones; None for all.
            vendor: the vendor of the request.
            group: the vendor's id of the group that the request belongs to; see `Record`.
        """

    async def left(self, campaign: str, lo: int, hi: int) -> bool:
        """Return whether any row with ``lo <= seq < hi`` is PENDING."""

    async def reroute(self, campaign: str, claim: Claim, seqs: Sequence[int], vendor: str) -> None:
        """Record, durably, that some rows of a claim are about to be sent through another vendor, in no group.

        Raises:
            JournalError: the claim is not under way any more, or the journal cannot be written. Nothing may be sent.
        """

    async def settle(
        self,
        campaign: str,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        charged: Mapping[str, Decimal] = NOTHING,
    ) -> None:
        """Record the outcomes of all rows of a claim, by ``seq``, and what was charged for them.

        Idempotent: a second call changes nothing. NOT_SENT makes a row PENDING again. A row that was swept to UNKNOWN
        meanwhile still gets the outcome that its owner knows, but never becomes PENDING again.

        Args:
            campaign: the campaign's id.
            claim: the claim.
            outcomes: the ``seq`` of each row and its outcome.
            charged: what each vendor says that it charged for all of them together; without vendors that do not say.
                Recorded only with an outcome that counts.
        """

    async def sweep(self, campaign: str, older_than: float = 0.0) -> int:
        """Turn rows that have been IN_FLIGHT for ``older_than`` seconds or longer into UNKNOWN.

        Their owner is taken to be dead.

        Returns:
            The count of these rows.
        """

    async def read(
        self, campaign: str, *, after: int = -1, limit: int = 1000, states: Collection[State] = ALL_STATES
    ) -> Sequence[Record]:
        """Return the first ``limit`` recipients with a ``seq`` above ``after`` and one of ``states``, by ``seq``."""

    async def resolve(
        self, campaign: str, outcomes: Sequence[tuple[int, Outcome]], *, charged: Mapping[str, Decimal] = NOTHING
    ) -> None:
        """Record the outcomes that were found out for UNKNOWN rows, by ``seq``: ACCEPTED, REJECTED or NOT_SENT.

        NOT_SENT makes a row PENDING again. A row in any other state than UNKNOWN is skipped.

        Args:
            campaign: the campaign's id.
            outcomes: the ``seq`` of each row and its outcome.
            charged: what each vendor says that it charged while this was found out, as in `settle`.
        """

    async def charged(self, campaign: str) -> Mapping[str, Decimal]:
        """Return what each vendor says that it charged for a campaign, in its own unit; without vendors that do not."""

    async def progress(self, campaign: str) -> Mapping[State, int]:
        """Return the count of recipients in each state."""

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Keep delivery reports, durably, also for messages that the journal does not know yet.

        For each message the furthest state is kept, and a final state for good: reports that come twice, late or out
        of order change nothing. The campaign need not be open.

        Returns:
            The count of reports that told something new.
        """

    async def deliveries(self, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
        """Return the delivery reports of a vendor for some numbers (as in `Delivery`), without the raw fields."""

    async def campaigns(self) -> Sequence[CampaignInfo]:
        """Return a summary of each campaign, in the order in which they were begun."""

    async def purge(self, campaign: str) -> None:
        """Remove a campaign and the delivery reports of its messages, for good.

        Raises:
            ConfigurationError: the campaign is open somewhere, or does not exist.
        """


def recorded_outcome(record: Record, vendor: str) -> Outcome:
    """Return the recorded outcome of a message, or UNKNOWN (code ``"crashed"``) if none was recorded.

    Args:
        record: a record that is ACCEPTED, REJECTED or UNKNOWN.
        vendor: name of the vendor, used where the record has neither an outcome nor a vendor.
    """
    if record.outcome is not None:
        return record.outcome
    why = "the process ended while its request was under way"
    return Outcome(OutcomeKind.UNKNOWN, record.message, vendor=record.vendor or vendor, code=Code.CRASHED, detail=why)
