"""Hold in memory what the owner of an open campaign needs beside the journal's file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Generic, TypeVar

from attrs import define, field, frozen

from mensasdk.journal.keys import fingerprint
from mensasdk.journal.keyset import KeySet
from mensasdk.journal.packing import check_options
from mensasdk.journal.protocol import NOTHING, Claim, Entry, Row, between, lost
from mensasdk.journal.sqlite import tables
from mensasdk.journal.sqlite.lock import FileLock
from mensasdk.journal.sqlite.requests import (
    Change,
    Request,
    Rule,
    Way,
    finds_out,
    requests,
    settles,
    settles_late,
    split_keys,
)
from mensasdk.journal.sqlite.tables import Owner, Statement
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["Look", "OpenCampaign", "Step"]

T_co = TypeVar("T_co", covariant=True)
Look = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Function that opens the file for reading."""

_SEQ = attrgetter("seq")


@frozen
class Step(Generic[T_co]):
    """Change that is decided, and is still to be written into the file.

    Attributes:
        result: returned to the caller once the change is written.
        statements: SQL that writes the change; empty if there is nothing to write.
        end: called with True once the change is written, or with False if that failed, to bring memory up to date.
        sends: something goes out to a vendor next, so that the file has to be where it was.
    """

    result: T_co
    statements: Sequence[Statement] = ()
    end: Callable[[bool], None] = lambda written: None
    sends: bool = False


@define(eq=False)
class OpenCampaign:
    """Open campaign, as its owner holds it.

    Attributes:
        owner: the right to write its rows.
        lock: keeps other owners out.
        seen: the keys of all rows.
        pending: ``seq`` of each PENDING row, by the hash of its key. Rows that are being claimed are left out.
        waiting: PENDING rows that the file does not have yet, or has with an older message, by ``seq``.
        highest: no PENDING row in the file has a higher ``seq``.
        under_way: by the id of a claim, its requests that still have a row IN_FLIGHT.
        changing: ids of claims with a change that is being written. Their next change is decided after that.
    """

    owner: Owner
    lock: FileLock
    seen: KeySet = field(factory=KeySet)
    pending: dict[int, int] = field(factory=dict)
    waiting: dict[int, Entry] = field(factory=dict)
    highest: int = -1
    under_way: dict[int, Sequence[Request]] = field(factory=dict)
    changing: set[int] = field(factory=set)

    def recall(self, database: sqlite3.Connection) -> int:
        """Read the keys and PENDING rows of the campaign from the file, and return its last ``seq``, or -1."""
        for seq, key in tables.waiting_keys(database, self.owner):
            self.highest = max(self.highest, seq)
            self.seen.add(fingerprint(key))
            self.pending[hash(key)] = seq
        last = self.highest
        for seq, keys, widths in tables.claimed_keys(database, self.owner):
            last = max(last, seq)
            self.seen.update(map(fingerprint, split_keys(keys, widths)))
        return last

    def load(self, rows: Sequence[Entry]) -> Sequence[Entry]:
        """Record recipients as PENDING, in memory only; see `Journal.load`."""
        for row in rows:
            if row.message.options is not None:
                check_options(row.message)
        pending, waiting, is_new = self.pending, self.waiting, self.seen.add
        loaded: dict[int, Entry] = {}
        for row in rows:
            key = row.key
            mark = hash(key)
            if is_new(fingerprint(key)):
                loaded[mark] = row
                pending[mark] = row.seq
            elif mark in pending and mark not in loaded:
                loaded[mark] = Row(pending[mark], key, row.message, row.number, row.place)
        found = list(loaded.values())
        waiting.update({row.seq: row for row in found})
        return found

    def flush(self) -> Iterator[Statement]:
        """Yield the statements that write the rows of ``waiting``; call `flushed` once they are written."""
        yield tables.holds(self.owner)
        yield from tables.waits(self.owner, list(self.waiting.values()))

    def flushed(self) -> None:
        """Note that the file has the rows of ``waiting``."""
        self.highest = max(self.highest, *self.waiting)
        self.waiting.clear()

    def claim(
        self,
        claim: int,
        lo: int,
        hi: int,
        seqs: Collection[int] | None,
        most: int | None,
        vendor: str | None,
        group: str | None,
        look: Look | None,
    ) -> Step[Claim] | None:
        """Turn PENDING rows into IN_FLIGHT; see `Journal.claim`.

        Args:
            claim: the id of the new claim.
            lo: first ``seq`` of the range.
            hi: first ``seq`` after the range.
            seqs: only these rows of the range; None for all.
            most: claim only so many rows, the first ones; None for all.
            vendor: the vendor of the request.
            group: the vendor's id of the group that the request belongs to.
            look: opens the file for reading; None to use memory only.

        Returns:
            The change; None if the file has to be read, and ``look`` is None.
        """
        pending, waiting = self.pending, self.waiting
        rows = fresh = between(waiting, lo, hi, seqs)[:most]
        gone: list[int] = []
        if lo <= self.highest:
            if look is None:
                return None
            with look() as database:
                stored = tables.waiting(
                    database, self.owner.seal, self.owner.campaign, lo, hi, None if seqs is None else set(seqs)
                )
                newest = (row for row in stored if row.seq not in waiting)
                rows = list(islice(merge(fresh, newest, key=_SEQ), most))
            fresh = [row for row in rows if row.seq in waiting]
            gone = [row.seq for row in rows if row.seq <= self.highest]
        if not rows:
            return Step(Claim(claim, rows))
        made = requests(rows, Way(rows[0].seq, vendor, group, time.time()))
        statements = [*tables.forgotten(self.owner, gone), *(tables.claimed(self.owner, one) for one in made)]
        for row in fresh:
            del waiting[row.seq]
        for row in rows:
            del pending[hash(row.key)]

        def end(written: bool) -> None:
            if written:
                self.under_way[claim] = made
            else:
                pending.update({hash(row.key): row.seq for row in rows})
                waiting.update({row.seq: row for row in fresh})

        return Step(Claim(claim, rows), statements, end, sends=True)

    def left(self, lo: int, hi: int, look: Look | None) -> Step[bool] | None:
        """Return whether any row of a range is PENDING; see `Journal.left`.

        Return None if the file has to be read, and ``look`` is None.
        """
        if between(self.waiting, lo, hi):
            return Step(True)
        if lo > self.highest:
            return Step(False)
        if look is None:
            return None
        with look() as database:
            return Step(tables.anybody_waits(database, self.owner.campaign, lo, hi))

    def reroute(
        self, campaign: str, claim: Claim, seqs: Collection[int], vendor: str, look: Look | None
    ) -> Step[None] | None:
        """Record that rows are sent through another vendor; see `Journal.reroute`.

        Return None if another change of the claim is being written, and ``look`` is None.
        """
        if look is None and claim.id in self.changing:
            return None
        if claim.id not in self.under_way:
            raise lost(campaign)
        some = set(seqs)
        left = self.under_way[claim.id]
        changes = [Change(one, [one.rerouted(some, vendor)]) for one in left if not some.isdisjoint(one.seqs)]
        return self._change(changes, [claim.id], sends=True)

    def release(self, claim: int, look: Look | None) -> Step[None] | None:
        """Undo a claim whose rows the caller never received.

        Return None if ``look`` is None: earlier changes have to be written first.
        """
        if look is None:
            return None
        rows = [row for one in self.under_way.get(claim, ()) for row in one.rows]
        unsent = [(row.seq, Outcome(OutcomeKind.NOT_SENT, row.message, vendor="")) for row in rows]
        return self.settle(Claim(claim, rows), unsent, NOTHING, look)

    def settle(
        self,
        claim: Claim,
        outcomes: Sequence[tuple[int, Outcome]],
        charged: Mapping[str, Decimal],
        look: Look | None,
    ) -> Step[None] | None:
        """Record the outcomes of a claim; see `Journal.settle`.

        Return None if ``look`` is None, and either the file has to be read, or a change has to be written first.
        """
        left = self.under_way.get(claim.id)
        if left is None:
            if look is None:
                return None
            seqs = set(map(_SEQ, claim.rows))
            late = [pair for pair in outcomes if pair[0] in seqs]
            return self._change(_changes(late, self._stored(look), settles_late), (), charged)
        if look is None and claim.id in self.changing:
            return None
        whole = left[0].ended(outcomes) if len(left) == 1 else None
        if whole is not None:
            return self._change([whole], [claim.id], charged)
        where = {seq: one for one in left for seq in one.seqs}
        changes = _changes(outcomes, where.get, settles)
        # A row is PENDING again only once that is written: left to the thread, so that later jobs wait for it.
        if look is None and any(change.freed for change in changes):
            return None
        return self._change(changes, [claim.id], charged)

    def resolve(
        self, outcomes: Sequence[tuple[int, Outcome]], charged: Mapping[str, Decimal], look: Look | None
    ) -> Step[None] | None:
        """Record outcomes that were found out; see `Journal.resolve`.

        Return None if ``look`` is None.
        """
        if look is None:
            return None
        stored = self._stored(look)

        def find(seq: int) -> Request | None:
            here = (one for left in self.under_way.values() for one in left if one.has(seq))
            return next(here, None) or stored(seq)

        return self._change(_changes(outcomes, find, finds_out), list(self.under_way), charged, at=time.time())

    def sweep(self, older_than: float, look: Look | None) -> Step[int] | None:
        """Turn old IN_FLIGHT rows into UNKNOWN; see `Journal.sweep`.

        Return None if ``look`` is None.
        """
        if look is None:
            return None
        before = time.time() - older_than
        with look() as database:
            swept = tables.under_way(database, self.owner.campaign, before)
        if not swept:
            return Step(0)

        def end(written: bool) -> None:
            if written:
                later = {claim: left for claim, left in self.under_way.items() if left[0].way.claimed > before}
                self.under_way = later

        return Step(swept, list(tables.sweep(self.owner, before)), end)

    def _stored(self, look: Look) -> Callable[[int], Request | None]:
        """Return a function that finds the request of a row, by its ``seq``, in the file."""

        def find(seq: int) -> Request | None:
            with look() as database:
                return next(tables.requests(database, self.owner.seal, self.owner.campaign, seq, seq + 1), None)

        return find

    def _change(
        self,
        changes: Sequence[Change],
        claims: Collection[int],
        charged: Mapping[str, Decimal] = NOTHING,
        *,
        at: float | None = None,
        sends: bool = False,
    ) -> Step[None]:
        """Build the step that writes changes into the file, and then into memory.

        Args:
            changes: changes of requests.
            claims: ids of the claims under way that may have one of the requests.
            charged: what each vendor says that it charged.
            at: when that was charged, in seconds of Unix time; None for the time of the claim.
            sends: as in `Step`.
        """
        if not changes:
            return Step(None)
        statements = [statement for change in changes for statement in tables.changed(self.owner, change)]
        statements += tables.charged(self.owner, changes[0].before.way, charged, at)
        self.changing.update(claims)

        def end(written: bool) -> None:
            self.changing.difference_update(claims)
            if written:
                self._remember(changes, claims)

        return Step(None, statements, end, sends)

    def _remember(self, changes: Sequence[Change], claims: Iterable[int]) -> None:
        after = {change.before: change.after for change in changes}
        for claim in claims:
            left = [now for one in self.under_way.pop(claim) for now in after.get(one, (one,)) if now.is_under_way]
            if left:
                self.under_way[claim] = left
        for change in changes:
            for row in change.freed:
                self.pending[hash(row.key)] = row.seq
                self.highest = max(self.highest, row.seq)


def _changes(
    outcomes: Sequence[tuple[int, Outcome]], find: Callable[[int], Request | None], takes: Rule
) -> list[Change]:
    """Return the changes that outcomes make, one for each request.

    Args:
        outcomes: ``seq`` of a row and its outcome.
        find: returns the request of a row, or None.
        takes: says which outcomes count.
    """
    found: dict[int, tuple[Request, list[tuple[int, Outcome]]]] = {}
    request: Request | None = None
    for pair in outcomes:
        if request is None or not request.has(pair[0]):
            request = find(pair[0])
        if request is not None:
            found.setdefault(request.first, (request, []))[1].append(pair)
    changes = [request.after(some, takes) for request, some in found.values()]
    return [change for change in changes if change is not None]
