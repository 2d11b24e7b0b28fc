"""A campaign that is open: what its owner holds in memory, beside what the journal's file has."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import define, field, frozen

from mensasdk.journal.keys import fingerprint
from mensasdk.journal.keyset import KeySet
from mensasdk.journal.packing import check_options
from mensasdk.journal.protocol import Row
from mensasdk.journal.sqlite import tables
from mensasdk.journal.sqlite.lock import FileLock
from mensasdk.journal.sqlite.requests import Change, Request, Way, requests, split_keys
from mensasdk.journal.sqlite.tables import Statement
from mensasdk.messages import Outcome

__all__ = ["OpenCampaign", "Step"]

T_co = TypeVar("T_co", covariant=True)


@frozen
class Step(Generic[T_co]):
    """A change that memory has already, and the file is to get.

    Attributes:
        result: what the caller is told when the file has it.
        statements: what brings it there; none where memory is all.
        undo: takes it back from memory, when that has failed.
    """

    result: T_co
    statements: Sequence[Statement] = ()
    undo: Callable[[], None] = lambda: None


@define(eq=False)
class OpenCampaign:
    """A campaign, for the one that has it open.

    Attributes:
        number: its id in the tables.
        lock: what keeps others off it.
        seen: the keys of all its rows.
        pending: hash of the key to ``seq``, of the rows that are pending.
        waiting: those of them that are not in the file as they are now, by ``seq``.
        moved: where a row that waits is in the file as it was: its ``seq`` now to the one there.
        highest: no row that is pending in the file has a higher ``seq`` there.
        under_way: the requests with a row in flight, by their first ``seq``.
    """

    number: int
    lock: FileLock
    seen: KeySet = field(factory=KeySet)
    pending: dict[int, int] = field(factory=dict)
    waiting: dict[int, Row] = field(factory=dict)
    moved: dict[int, int] = field(factory=dict)
    highest: int = -1
    under_way: dict[int, Request] = field(factory=dict)

    def recall(self, database: sqlite3.Connection) -> int:
        """Learn from the file what the campaign has; give its last ``seq``, or -1."""
        for seq, key in database.execute("SELECT seq, key FROM waiting WHERE campaign = ?", (self.number,)):
            self.highest = max(self.highest, seq)
            self.seen.add(fingerprint(key))
            self.pending[hash(key)] = seq
        last = self.highest
        sent = "SELECT first + count - 1, keys, widths FROM request WHERE campaign = ?"
        for seq, keys, widths in database.execute(sent, (self.number,)):
            last = max(last, seq)
            self.seen.update(map(fingerprint, split_keys(keys, widths)))
        return last

    def load(self, rows: Sequence[Row]) -> int:
        """See `Journal.load`. The file gets them later."""
        for row in rows:
            if row.message.options is not None:
                check_options(row.message)
        pending, waiting, moved, is_new = self.pending, self.waiting, self.moved, self.seen.add
        fresh = [row for row in rows if is_new(fingerprint(row.key))]
        waiting.update({row.seq: row for row in fresh})
        pending.update({hash(row.key): row.seq for row in fresh})
        if len(fresh) == len(rows):
            return len(rows)
        loaded = {hash(row.key) for row in fresh}
        new = set(map(id, fresh))
        for row in rows:
            mark, seq = hash(row.key), row.seq
            before = pending.get(mark)
            if before is None or id(row) in new:
                continue
            if waiting.pop(before, None) is None:
                moved[seq] = before
            elif before in moved:
                moved[seq] = moved.pop(before)
            waiting[seq] = row
            pending[mark] = seq
            loaded.add(mark)
        return len(loaded)

    def flush(self) -> Iterator[Statement]:
        """What brings the rows that wait into the file; `flushed` when they are there."""
        yield from tables.forgotten(self.number, list(self.moved.values()))
        yield from tables.waits(self.number, list(self.waiting.values()))

    def flushed(self) -> None:
        self.highest = max(self.highest, *self.waiting)
        self.waiting.clear()
        self.moved.clear()

    def claim(self, lo: int, hi: int, stored: Iterable[Row], way: Way) -> Step[Sequence[Row]]:
        """See `Journal.claim`.

        Args:
            lo, hi: the range.
            stored: rows of the range that wait in the file.
            way: the way that they go.
        """
        pending, waiting, moved = self.pending, self.waiting, self.moved
        fresh = _between(waiting, lo, hi)
        # What lies in the file may be claimed already, or have moved, and the file does not know yet.
        found = [row for row in stored if pending.get(hash(row.key)) == row.seq and row.seq not in waiting]
        rows = sorted(fresh + found, key=lambda row: row.seq) if found else fresh
        made = requests(rows, way)
        gone = [row.seq for row in found] + ([moved[row.seq] for row in fresh if row.seq in moved] if moved else [])
        statements = [*tables.forgotten(self.number, gone), *(tables.claimed(self.number, one) for one in made)]
        places = {row.seq: moved.pop(row.seq) for row in fresh if row.seq in moved} if moved else {}
        for row in fresh:
            del waiting[row.seq]
        for row in rows:
            del pending[hash(row.key)]
        self.under_way.update({one.first: one for one in made})

        def undo() -> None:
            for one in made:
                del self.under_way[one.first]
            pending.update({hash(row.key): row.seq for row in rows})
            waiting.update({row.seq: row for row in fresh})
            moved.update(places)

        return Step(rows, statements, undo)

    def settle(self, outcomes: Sequence[tuple[int, Outcome]]) -> Step[None] | None:
        """See `Journal.settle`. None where that needs a look into the file, or where rows wait again."""
        elsewhere: list[int] = []
        changes = self.changes(outcomes, elsewhere.append)
        if elsewhere or any(change.freed for change in changes):
            return None
        self.record(changes)
        return Step(None, list(self.statements(changes)), lambda: self.take_back(changes))

    def changes(
        self,
        outcomes: Sequence[tuple[int, Outcome]],
        elsewhere: Callable[[int], Request | None],
        *,
        resolve: bool = False,
    ) -> list[Change]:
        """What outcomes change, request by request.

        Args:
            outcomes: of rows, by ``seq``.
            elsewhere: finds the request of a row that is in none of those under way.
            resolve: they are what was found out about rows that are UNKNOWN.
        """
        whole = self._all_of_one(outcomes)
        if whole is not None and not resolve:
            return [whole]
        found: dict[int, tuple[Request, list[tuple[int, Outcome]]]] = {}
        request: Request | None = None
        for pair in outcomes:
            if request is None or not request.has(pair[0]):
                request = next((one for one in self.under_way.values() if one.has(pair[0])), None)
                request = elsewhere(pair[0]) if request is None else request
            if request is not None:
                found.setdefault(request.first, (request, []))[1].append(pair)
        changes = [request.after(some, resolve=resolve) for request, some in found.values()]
        return [change for change in changes if change is not None]

    def _all_of_one(self, outcomes: Sequence[tuple[int, Outcome]]) -> Change | None:
        """What outcomes change if they are those of a whole request, as they mostly are."""
        request = self.under_way.get(outcomes[0][0]) if outcomes else None
        if request is None or [seq for seq, _ in outcomes] != list(request.seqs):
            return None
        return request.ended([outcome for _, outcome in outcomes])

    def statements(self, changes: Iterable[Change]) -> Iterator[Statement]:
        """What brings changes into the file; `record` when they are there."""
        for change in changes:
            yield from tables.changed(self.number, change)

    def take_back(self, changes: Iterable[Change]) -> None:
        """Undo `record`, where no row waits again."""
        for change in changes:
            for one in change.after:
                self.under_way.pop(one.first, None)
            self.under_way[change.before.first] = change.before

    def record(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.under_way.pop(change.before.first, None)
            self.under_way.update({one.first: one for one in change.after if one.is_under_way})
            for row in change.freed:
                self.pending[hash(row.key)] = row.seq
                self.highest = max(self.highest, row.seq)


def _between(waiting: Mapping[int, Row], lo: int, hi: int) -> list[Row]:
    """The rows of a range, in order, by the shorter way."""
    if hi - lo < 2 * len(waiting):
        return [row for row in map(waiting.get, range(lo, hi)) if row is not None]
    return [waiting[seq] for seq in sorted(seq for seq in waiting if lo <= seq < hi)]
