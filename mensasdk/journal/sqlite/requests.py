"""Requests as the journal's file holds them: claimed rows and their outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from attrs import define, evolve, frozen

from mensasdk.journal.keys import request_reference
from mensasdk.journal.packing import decode_rows, encode_messages, pack, unpack
from mensasdk.journal.protocol import STATE_OF, Entry, Record, Row, State
from mensasdk.messages import Outcome, OutcomeKind, make_outcome

__all__ = [
    "LONGEST",
    "Change",
    "Request",
    "Rule",
    "Way",
    "destinations",
    "finds_out",
    "requests",
    "settles",
    "settles_late",
    "split_keys",
]

LONGEST: Final = 1000
"""Largest count of rows of a request in the file; a larger claim becomes several requests, each quick to read."""

_KEY: Final = 16  # usual bytes of a key; callers may give longer or shorter ones


class _Nothing:
    """Columns of a row that has no outcome."""

    kind = vendor = vendor_id = code = detail = parts = credits = None


_NOTHING: Final = _Nothing()


@frozen
class Way:
    """Facts that all rows of a claim share.

    Attributes:
        head: ``seq`` of the first row of the claim; the reference of the request is made from it.
        vendor, group: as in `Record`.
        claimed: when the rows were claimed, in seconds of Unix time.
    """

    head: int
    vendor: str | None
    group: str | None
    claimed: float


@define(eq=False)
class Request:
    """Rows that were claimed together, with consecutive ``seq``, and their outcomes.

    A request is a whole claim or a piece of one: a claim with gaps between its ``seq``, or with many rows, becomes
    several requests. A request never changes; a change replaces it by others.

    Attributes:
        rows: one or more, in order.
        way: the facts that all rows of the claim share.
        place: position of the first row in the claim, from 0.
        outcomes: the outcome of each row; None while it has none.
        vias: for each row, the vendor to which it was rerouted, in no group; None if it was not.
        swept: rows without an outcome are UNKNOWN, and not IN_FLIGHT any more.
    """

    rows: Sequence[Entry]
    way: Way
    place: int
    outcomes: Sequence[Outcome | None]
    vias: Sequence[str | None]
    swept: bool = False

    @property
    def first(self) -> int:
        """``seq`` of the first row."""
        return self.rows[0].seq

    @property
    def seqs(self) -> range:
        """``seq`` of all rows."""
        first = self.rows[0].seq
        return range(first, first + len(self.rows))

    def has(self, seq: int) -> bool:
        """Return whether a row is in this request."""
        return seq in self.seqs

    @property
    def is_under_way(self) -> bool:
        """True if some row is IN_FLIGHT."""
        return not (self.swept or all(self.outcomes))

    @property
    def has_result(self) -> bool:
        """True if more is known than the claim: an outcome, a reroute or a sweep."""
        return self.swept or any(self.outcomes) or any(self.vias)

    def after(self, pairs: Sequence[tuple[int, Outcome]], takes: Rule) -> Change | None:
        """Apply outcomes of some rows.

        Args:
            pairs: ``seq`` of a row and its outcome.
            takes: says which outcomes count.

        Returns:
            The change; None if nothing changes.
        """
        first = self.rows[0].seq
        outcomes = list(self.outcomes)
        freed: set[int] = set()
        changes = False
        for seq, outcome in pairs:
            at = seq - first
            if not takes(self, outcomes[at], outcome):
                continue
            changes = True
            if outcome.kind is OutcomeKind.NOT_SENT:
                freed.add(at)
            else:
                outcomes[at] = outcome
        if not changes:
            return None
        after = evolve(self, outcomes=outcomes)
        if not freed:
            return Change(self, [after])
        return Change(self, after.without(freed), [self.rows[at] for at in sorted(freed)])

    def ended(self, pairs: Sequence[tuple[int, Outcome]]) -> Change | None:
        """Apply the outcomes of all rows at once, which is the usual case.

        Returns:
            The change; None unless each row has an outcome, in order, all rows are IN_FLIGHT, none was rerouted, and
            no outcome is NOT_SENT.
        """
        if len(pairs) != len(self.rows) or self.has_result or [seq for seq, _ in pairs] != list(self.seqs):
            return None
        outcomes = [outcome for _, outcome in pairs]
        if OutcomeKind.NOT_SENT in [outcome.kind for outcome in outcomes]:
            return None
        return Change(self, [evolve(self, outcomes=outcomes)])

    def rerouted(self, seqs: Collection[int], vendor: str) -> Request:
        """Return the request with those of the rows that are IN_FLIGHT rerouted to another vendor."""
        vias = [
            vendor if outcome is None and not self.swept and row.seq in seqs else via
            for row, outcome, via in zip(self.rows, self.outcomes, self.vias, strict=True)
        ]
        return evolve(self, vias=vias)

    def without(self, freed: Collection[int]) -> list[Request]:
        """Return the requests that are left when the rows at some positions are taken out."""
        bounds = [-1, *sorted(freed), len(self.rows)]
        return [
            evolve(
                self,
                rows=self.rows[part],
                place=self.place + part.start,
                outcomes=self.outcomes[part],
                vias=self.vias[part],
            )
            for part in (slice(before + 1, end) for before, end in pairwise(bounds))
            if part.start < part.stop
        ]

    def records(self, nonce: str) -> Iterator[Record]:
        """Yield the records of the rows."""
        way, reference = self.way, request_reference(nonce, self.way.head)
        at = datetime.fromtimestamp(self.way.claimed, UTC)
        nothing = State.UNKNOWN if self.swept else State.IN_FLIGHT
        for place, (row, outcome, via) in enumerate(zip(self.rows, self.outcomes, self.vias, strict=True), self.place):
            state = nothing if outcome is None else STATE_OF[outcome.kind]
            vendor, group = (way.vendor, way.group) if via is None else (via, None)
            given = (row.seq, row.key, state, row.message, row.number)
            yield Record(*given, outcome, reference, vendor, group, at, way.head, place, row.place)

    def columns(self) -> tuple[Any, ...]:
        """Return the columns of the table of requests, without the campaign."""
        keys = [row.key for row in self.rows]
        widths = list(map(len, keys))
        messages = [row.message for row in self.rows]
        numbers = [row.number for row in self.rows]
        return (
            self.first,
            len(keys),
            self.way.head,
            self.place,
            self.way.vendor,
            self.way.group,
            self.way.claimed,
            b"".join(keys),
            None if widths.count(_KEY) == len(widths) else json.dumps(widths),
            None if numbers == [message.to for message in messages] else json.dumps(numbers),
            encode_messages(messages, [row.place for row in self.rows]),
        )

    def result(self) -> tuple[Any, ...]:
        """Return the columns of the table of results, without the campaign."""
        known = [one or _NOTHING for one in self.outcomes]
        kinds = [one.kind for one in known]
        unknown = kinds.count(OutcomeKind.UNKNOWN) + (kinds.count(None) if self.swept else 0)
        columns = (
            ("kind", kinds),
            ("vendor", [one.vendor for one in known]),
            ("vendor_id", [one.vendor_id for one in known]),
            ("code", [one.code for one in known]),
            ("detail", [one.detail for one in known]),
            ("parts", [one.parts for one in known]),
            ("credits", [None if one.credits is None else str(one.credits) for one in known]),
            ("via", self.vias),
        )
        return (
            self.first,
            len(kinds),
            kinds.count(OutcomeKind.ACCEPTED),
            kinds.count(OutcomeKind.REJECTED),
            unknown,
            int(self.swept),
            pack(columns),
        )

    @classmethod
    def stored(
        cls,
        first: int,
        count: int,
        head: int,
        place: int,
        vendor: str | None,
        group: str | None,
        claimed: float,
        keys: bytes,
        widths: str | None,
        numbers: str | None,
        messages: bytes,
        swept: int | None,
        outcomes: bytes | None,
    ) -> Request:
        """Build a request from its columns in both tables; without a result the last two are None."""
        texts, places = decode_rows(messages, count)
        to = [message.to for message in texts] if numbers is None else json.loads(numbers)
        rows = list(map(Row, range(first, first + count), split_keys(keys, widths), texts, to, places))
        way = Way(head, vendor, group, claimed)
        if outcomes is None:
            return cls(rows, way, place, [None] * count, [None] * count, bool(swept))
        column = unpack(outcomes, count).column
        known = [
            None if kind is None else make_outcome(OutcomeKind(kind), message, *fields)
            for kind, message, *fields in zip(
                column("kind"),
                texts,
                *map(column, ("vendor", "vendor_id", "code", "detail", "parts")),
                column("credits", Decimal),
                strict=True,
            )
        ]
        return cls(rows, way, place, known, column("via"), bool(swept))


@frozen
class Change:
    """Change of a request.

    Attributes:
        before: the request as it was.
        after: the requests that replace it: several if rows were taken out of it, none if all were.
        freed: the rows that are PENDING again.
    """

    before: Request
    after: Sequence[Request]
    freed: Sequence[Entry] = ()


Rule = Callable[[Request, Outcome | None, Outcome], bool]
"""Rule that says whether an outcome of a row counts, given its request, its known outcome and the new one."""


def settles(request: Request, known: Outcome | None, outcome: Outcome) -> bool:
    """Accept the outcome of a row of a claim that is under way, if the row has none yet."""
    return known is None


def settles_late(request: Request, known: Outcome | None, outcome: Outcome) -> bool:
    """Accept a late outcome of a row that was swept, unless it is NOT_SENT: the row must not be sent again."""
    return known is None and request.swept and outcome.kind is not OutcomeKind.NOT_SENT


def finds_out(request: Request, known: Outcome | None, outcome: Outcome) -> bool:
    """Accept an outcome that was found out, if the row is UNKNOWN."""
    return request.swept if known is None else known.kind is OutcomeKind.UNKNOWN


def requests(rows: Sequence[Entry], way: Way) -> list[Request]:
    """Split claimed rows, in order, into requests."""
    pieces: list[Request] = []
    start = 0
    while start < len(rows):
        end = min(start + LONGEST, len(rows))
        if rows[end - 1].seq - rows[start].seq != end - 1 - start:  # there is a gap between them
            end = next(at for at in range(start + 1, end) if rows[at].seq != rows[at - 1].seq + 1)
        nothing = [None] * (end - start)
        pieces.append(Request(rows[start:end], way, start, nothing, nothing))
        start = end
    return pieces


def destinations(
    nonce: str,
    count: int,
    head: int,
    vendor: str | None,
    numbers: str | None,
    messages: bytes,
    outcomes: bytes | None,
) -> Iterator[tuple[str | None, str, str | None, str]]:
    """Yield the vendor, number, vendor's id and our reference of each message of a request, from its columns.

    Options are not read, so that their classes are not needed.
    """
    to = unpack(messages, count).column("to") if numbers is None else json.loads(numbers)
    known = unpack(b"{}" if outcomes is None else outcomes, count)
    reference = request_reference(nonce, head)
    for number, via, vendor_id in zip(to, known.column("via"), known.column("vendor_id"), strict=True):
        yield vendor if via is None else via, number, vendor_id, reference


def split_keys(keys: bytes, widths: str | None) -> Iterator[bytes]:
    """Yield the keys of a request, one by one."""
    start = 0
    for width in [_KEY] * (len(keys) // _KEY) if widths is None else json.loads(widths):
        yield keys[start : start + width]
        start += width
