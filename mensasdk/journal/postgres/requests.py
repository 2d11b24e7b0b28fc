"""Requests as the journal's tables in PostgreSQL hold them: claimed recipients and their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import orjson
from attrs import define, evolve, frozen

from mensasdk.errors import JournalError
from mensasdk.journal.keys import request_reference
from mensasdk.journal.packing import decode_rows, encode_messages, pack, unpack
from mensasdk.journal.protocol import STATE_OF, Entry, Record, Row, State
from mensasdk.messages import Message, Outcome, OutcomeKind, make_outcome

__all__ = [
    "Counts",
    "Known",
    "Request",
    "Rule",
    "counts_of",
    "encoded",
    "finds_out",
    "packed",
    "plain",
    "read_row",
    "settles",
    "sum_of",
]


def plain(text: str) -> str:
    """Return a text as PostgreSQL can hold it: without NUL, and without halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def encoded(message: Message, place: int) -> str:
    """Return a message and its place in the list as they are written, in JSON."""
    return encode_messages([message], [place]).decode()


def sum_of(nonce: str, seq: int, number: str, key: bytes, message: str) -> int:
    """Return the checksum of a recipient: eight bytes of a hash over all that is sent, as a number."""
    hashed = blake2b(orjson.dumps((nonce, seq, number, message)), digest_size=8)
    hashed.update(key)
    return int.from_bytes(hashed.digest(), "big", signed=True)


def read_row(nonce: str, seq: int, key: bytes, number: str, message: str, checksum: int) -> Row:
    """Read a recipient from its columns.

    Raises:
        JournalError: the columns are not as they were written.
    """
    if sum_of(nonce, seq, number, key, message) != checksum:
        raise JournalError(
            f"recipient {seq} is not what was written to the journal",
            remedy="restore the journal's database from a backup",
        )
    [read], [place] = decode_rows(message.encode(), 1)
    return Row(seq, key, read, number, place)


@frozen
class Known:
    """Facts that a request holds about one of its recipients, besides the message.

    Attributes:
        kind: the kind of the outcome; NOT_SENT if the recipient is PENDING again.
        fields: vendor, vendor's id, code, detail, parts and credits (as text).
    """

    kind: OutcomeKind
    fields: tuple[Any, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> Known:
        """Return what is kept of an outcome."""
        if outcome.kind is OutcomeKind.NOT_SENT:
            return _FREED
        charged = None if outcome.credits is None else str(outcome.credits)
        return cls(
            outcome.kind,
            (outcome.vendor, outcome.vendor_id, outcome.code, outcome.detail, outcome.parts, charged),
        )

    @classmethod
    def freed(cls) -> Known:
        """Return what is kept of a recipient that is PENDING again."""
        return _FREED

    def outcome(self, message: Message) -> Outcome:
        """Return the outcome of a message."""
        vendor, vendor_id, code, detail, parts, charged = self.fields
        credits = None if charged is None else Decimal(charged)  # noqa: A001 - as the attribute
        return make_outcome(self.kind, message, vendor, vendor_id, code, detail, parts, credits)


_FREED: Final = Known(OutcomeKind.NOT_SENT, (None,) * 6)
_COLUMNS: Final = ("vendor", "vendor_id", "code", "detail", "parts", "credits")
Counts = tuple[int, int, int, int]
"""Counts of recipients of a request: PENDING again, ACCEPTED, REJECTED and UNKNOWN."""


def counts_of(known: Sequence[Known | None], *, swept: bool) -> Counts:
    """Count the recipients of a request by what is known of them."""
    kinds = [None if one is None else one.kind for one in known]
    unknown = kinds.count(OutcomeKind.UNKNOWN) + (kinds.count(None) if swept else 0)
    return (
        kinds.count(OutcomeKind.NOT_SENT),
        kinds.count(OutcomeKind.ACCEPTED),
        kinds.count(OutcomeKind.REJECTED),
        unknown,
    )


def packed(known: Sequence[Known | None]) -> str:
    """Return what is known of the recipients of a request as it is written, in JSON."""
    nothing = (None,) * len(_COLUMNS)
    fields = zip(*[nothing if one is None else one.fields for one in known], strict=True)
    columns = [("kind", [None if one is None else one.kind for one in known])]
    return pack([*columns, *((name, list(values)) for name, values in zip(_COLUMNS, fields, strict=True))]).decode()


Rule = Callable[["Request", Known | None, Outcome], bool]
"""Rule that says whether an outcome of a recipient counts, given its request and what is known of it."""


def settles(request: Request, known: Known | None, outcome: Outcome) -> bool:
    """Accept the outcome of a recipient that has none yet, but for a late NOT_SENT: it must not be sent again."""
    return known is None and not (request.swept and outcome.kind is OutcomeKind.NOT_SENT)


def finds_out(request: Request, known: Known | None, outcome: Outcome) -> bool:
    """Accept an outcome that was found out, if the recipient is UNKNOWN."""
    return request.swept if known is None else known.kind is OutcomeKind.UNKNOWN


@define(eq=False)
class Request:
    """Recipients that were claimed together, and what is known of them.

    Attributes:
        id: the id of the claim.
        owner: the worker that claimed them.
        seqs: their ``seq``, in order; it never changes.
        vendor, group: as in `Record`.
        moved: by the place in ``seqs``, the vendor to which a recipient was rerouted.
        claimed: when they were claimed.
        swept: recipients of whom nothing is known are UNKNOWN, and not IN_FLIGHT any more.
        known: for each recipient what is known; None while that is nothing.
    """

    id: int
    owner: UUID
    seqs: Sequence[int]
    vendor: str | None
    group: str | None
    moved: Mapping[int, str]
    claimed: datetime
    swept: bool
    known: Sequence[Known | None]

    @classmethod
    def stored(cls, columns: Mapping[str, Any]) -> Request:
        """Build a request from its columns."""
        seqs = columns["seqs"]
        known: Sequence[Known | None] = [None] * len(seqs)
        if columns["outcomes"] is not None:
            column = unpack(columns["outcomes"].encode(), len(seqs)).column
            known = [
                None if kind is None else Known(OutcomeKind(kind), tuple(fields))
                for kind, *fields in zip(column("kind"), *map(column, _COLUMNS), strict=True)
            ]
        moved = {} if columns["moved"] is None else orjson.loads(columns["moved"])
        return cls(
            columns["id"],
            columns["owner"],
            seqs,
            columns["vendor"],
            columns["grp"],
            {int(place): vendor for place, vendor in moved.items()},
            columns["claimed"],
            columns["swept"],
            known,
        )

    def after(self, outcomes: Sequence[tuple[int, Outcome]], takes: Rule) -> Request | None:
        """Return the request with the outcomes of some recipients, by ``seq``; None if that changes nothing.

        Args:
            outcomes: ``seq`` of a recipient and its outcome; those of other requests are left out.
            takes: says which outcomes count.
        """
        places = {seq: place for place, seq in enumerate(self.seqs)}
        known = list(self.known)
        changes = False
        for seq, outcome in outcomes:
            place = places.get(seq)
            if place is not None and takes(self, known[place], outcome):
                known[place] = Known.of(outcome)
                changes = True
        return evolve(self, known=known) if changes else None

    def told(self, known: Sequence[Known | None]) -> Request:
        """Return the request with other knowledge of its recipients."""
        return evolve(self, known=known)

    def rerouted(self, seqs: Collection[int], vendor: str) -> Request:
        """Return the request with those of the recipients that are IN_FLIGHT rerouted to another vendor."""
        some = [place for place, seq in enumerate(self.seqs) if seq in seqs and self.known[place] is None]
        return evolve(self, moved={**self.moved, **dict.fromkeys(some, vendor)})

    @property
    def is_under_way(self) -> bool:
        """True if some recipient is IN_FLIGHT."""
        return not self.swept and None in self.known

    @property
    def freed(self) -> set[int]:
        """``seq`` of the recipients that are PENDING again."""
        return {
            seq
            for seq, one in zip(self.seqs, self.known, strict=True)
            if one is not None and one.kind is OutcomeKind.NOT_SENT
        }

    def way(self, place: int) -> tuple[str | None, str | None]:
        """Return the vendor and the group of a recipient."""
        via = self.moved.get(place)
        return (self.vendor, self.group) if via is None else (via, None)

    def state(self, place: int) -> State:
        """Return the state of a recipient whose last claim is this one."""
        known = self.known[place]
        if known is not None:
            return STATE_OF[known.kind]
        return State.UNKNOWN if self.swept else State.IN_FLIGHT

    def record(self, nonce: str, place: int, row: Entry) -> Record:
        """Return the record of a recipient whose last claim is this one."""
        known = self.known[place]
        vendor, group = self.way(place)
        return Record(
            row.seq,
            row.key,
            self.state(place),
            row.message,
            row.number,
            None if known is None else known.outcome(row.message),
            request_reference(nonce, self.seqs[0]),
            vendor,
            group,
            self.claimed,
            self.seqs[0],
            place,
            row.place,
        )
