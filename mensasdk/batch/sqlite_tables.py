"""The tables of the journal in SQLite, and the statements that change them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from attrs import astuple, frozen

from mensasdk.batch.journal import STATE_OF, Record, Row, State, request_reference
from mensasdk.batch.stored import decode_message, encode_message
from mensasdk.messages import Outcome, OutcomeKind

__all__ = [
    "Statement",
    "Waiting",
    "Way",
    "claim",
    "create",
    "findings",
    "inserts",
    "move",
    "pending",
    "read",
    "record",
    "reroutes",
    "settlements",
    "sweep",
    "waiting",
]

T = TypeVar("T")
Statement = tuple[str, Sequence[Any]]
Waiting = tuple[Row, str]  # a row that is not in the file yet, and its message as it will stand there

_AT_ONCE = 240  # rows in a statement; SQLite takes 999 values in one, or more
_SCHEMA = (
    # name: NULL once it is purged and its rows are still being deleted; then `purged` has it, for its deliveries.
    # complete: its messages were read to the end.
    """CREATE TABLE campaign (
        id INTEGER PRIMARY KEY,
        name TEXT UNIQUE,
        purged TEXT,
        created TEXT NOT NULL,
        complete INTEGER NOT NULL
    )""",
    # lo: where the request begins that it went out in. via, grp: the vendor and the group that it was for. claimed: in
    # seconds of Unix time. Rows lie in the order of seq, so that what is claimed together lies together. The key has no
    # index: see `Store`. vendor and what follows is the outcome; without one vendor is NULL.
    """CREATE TABLE recipient (
        campaign INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        key BLOB NOT NULL,
        message TEXT NOT NULL,
        number TEXT NOT NULL,
        state TEXT NOT NULL,
        lo INTEGER, via TEXT, grp TEXT, claimed REAL,
        vendor TEXT, vendor_id TEXT, code TEXT, detail TEXT, parts INTEGER, credits TEXT,
        PRIMARY KEY (campaign, seq)
    ) WITHOUT ROWID""",
    # What vendors reported, whether or not the message is known: message is the vendor's id of it, or our reference.
    """CREATE TABLE delivery (
        vendor TEXT NOT NULL,
        number TEXT NOT NULL,
        message TEXT NOT NULL,
        vendor_id TEXT, reference TEXT,
        progress INTEGER NOT NULL,
        state TEXT NOT NULL,
        code TEXT NOT NULL,
        at TEXT,
        PRIMARY KEY (vendor, number, message)
    ) WITHOUT ROWID""",
)
_SETTLE = """
UPDATE recipient SET state = ?, vendor = ?, vendor_id = ?, code = ?, detail = ?, parts = ?, credits = ?
WHERE campaign = ? AND """
_KIND_OF = {state: kind for kind, state in STATE_OF.items()}
_READ = """
SELECT seq, key, state, message, number, lo, via, grp, claimed, vendor, vendor_id, code, detail, parts, credits
FROM recipient"""
_PENDING = "campaign = ? AND seq >= ? AND seq < ? AND state = 'pending'"


def create(database: sqlite3.Connection, application: int, version: int) -> None:
    """Make the tables, and write into the head of the file what it is."""
    for statement in (*_SCHEMA, f"PRAGMA application_id = {application}", f"PRAGMA user_version = {version}"):
        database.execute(statement)


def waiting(row: Row) -> Waiting:
    """The row, and its message as it will stand in the file."""
    return row, encode_message(row.message)


@frozen
class Way:
    """Which way claimed rows go out: see `Record`."""

    lo: int
    vendor: str | None
    group: str | None
    claimed: float


_NO_WAY = (None, None, None, None)


def inserts(number: int, rows: Iterable[Waiting], state: State, way: Way | None = None) -> list[Statement]:
    """What puts rows into the file."""
    fixed = (number, state.value, *(_NO_WAY if way is None else astuple(way)))
    statements: list[Statement] = []
    for some in _portions(list(rows)):
        cells = [cell for row, text in some for cell in (row.seq, row.key, text, row.number)]
        statements.append((_insert(len(some)), (*fixed, *cells)))
    return statements


@lru_cache(maxsize=64)
def _insert(count: int) -> str:
    places = range(7, 7 + 4 * count, 4)
    cells = ", ".join([f"(?1, ?{at}, ?{at + 1}, ?{at + 2}, ?{at + 3}, ?2, ?3, ?4, ?5, ?6)" for at in places])
    names = "campaign, seq, key, message, number, state, lo, via, grp, claimed"
    return f"INSERT INTO recipient ({names}) VALUES {cells}"  # noqa: S608 - places only, no values


# Settled rows are in flight; one that was swept meanwhile takes what its owner knows, but is never pending again.
_CLAIMED = "(state = 'in_flight' OR (state = 'unknown' AND vendor IS NULL))"
_IN_FLIGHT = "state = 'in_flight'"
_UNKNOWN = "state = 'unknown'"


def settlements(number: int, outcomes: Sequence[tuple[int, Outcome]]) -> list[Statement]:
    """What records outcomes of claimed rows."""
    unsent = [pair for pair in outcomes if pair[1].kind is OutcomeKind.NOT_SENT]
    known = [pair for pair in outcomes if pair[1].kind is not OutcomeKind.NOT_SENT] if unsent else outcomes
    return [*_updates(number, known, _CLAIMED), *_updates(number, unsent, _IN_FLIGHT)]


def findings(number: int, outcomes: Sequence[tuple[int, Outcome]]) -> list[Statement]:
    """What records what was found out about rows that are UNKNOWN."""
    return _updates(number, outcomes, _UNKNOWN)


def _updates(number: int, outcomes: Sequence[tuple[int, Outcome]], standing: str) -> list[Statement]:
    """One statement for all that ended alike."""
    alike: dict[tuple[object, ...], tuple[Outcome, set[int]]] = {}
    for seq, one in outcomes:
        what = (one.kind, one.vendor, one.vendor_id, one.code, one.detail, one.parts, one.credits)
        found = alike.get(what)
        if found is None:
            alike[what] = (one, {seq})
        else:
            found[1].add(seq)
    statements: list[Statement] = []
    update = f"{_SETTLE}{standing} AND seq"
    for outcome, seqs in alike.values():
        columns = _columns(outcome)
        first, last = min(seqs), max(seqs)
        if last - first == len(seqs) - 1:
            statements.append((f"{update} BETWEEN ? AND ?", (*columns, number, first, last)))
            continue
        statements += [(f"{update} IN ({_marks(some)})", (*columns, number, *some)) for some in _portions(sorted(seqs))]
    return statements


def reroutes(number: int, seqs: Sequence[int], vendor: str) -> list[Statement]:
    """What gives claimed rows another vendor."""
    update = "UPDATE recipient SET via = ?, grp = NULL WHERE campaign = ? AND state = 'in_flight' AND seq IN"
    return [(f"{update} ({_marks(some)})", (vendor, number, *some)) for some in _portions(seqs)]


def sweep(number: int, before: float) -> Statement:
    """What turns rows that were claimed up to a moment into UNKNOWN."""
    sql = "UPDATE recipient SET state = 'unknown' WHERE campaign = ? AND state = 'in_flight' AND claimed <= ?"
    return sql, (number, before)


def move(number: int, seq: int, row: Row) -> Statement:
    """What gives a pending row another place, and the message as it is now."""
    sql = "UPDATE recipient SET seq = ?, message = ? WHERE campaign = ? AND seq = ? AND state = 'pending'"
    return sql, (row.seq, encode_message(row.message), number, seq)


def claim(number: int, lo: int, hi: int, way: Way) -> tuple[Statement, Statement]:
    """What finds pending rows of a range (``seq``, key, message and number), and what claims them."""
    place = (number, lo, hi)
    look = f"SELECT seq, key, message, number FROM recipient WHERE {_PENDING}"  # noqa: S608 - a constant
    how = "state = 'in_flight', lo = ?, via = ?, grp = ?, claimed = ?"
    change = f"UPDATE recipient SET {how} WHERE {_PENDING}"  # noqa: S608 - constants
    return (look, place), (change, (*astuple(way), *place))


def pending(number: int, seqs: Sequence[int]) -> Iterator[Statement]:
    """What finds those of some rows that are pending: their key and ``seq``."""
    look = "SELECT key, seq FROM recipient WHERE campaign = ? AND state = 'pending' AND seq IN"
    return ((f"{look} ({_marks(some)})", (number, *some)) for some in _portions(seqs))


def read(number: int | None, after: int, limit: int, states: Collection[State]) -> Statement:
    """What finds rows for `record`."""
    where = f"WHERE campaign = ? AND seq > ? AND state IN ({_marks(states)}) ORDER BY seq LIMIT ?"
    return f"{_READ} {where}", (number, after, *[state.value for state in states], limit)


def _portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as go into one statement."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _marks(items: Iterable[object]) -> str:
    """A question mark for each."""
    return ", ".join(["?" for _ in items])


def _columns(outcome: Outcome) -> tuple[str | int | None, ...]:
    """State and outcome as they stand in the table; a row that is pending again has no outcome."""
    state = STATE_OF[outcome.kind]
    if state is State.PENDING:
        return (state.value, None, None, None, None, None, None)
    return (
        state.value,
        outcome.vendor,
        _text(outcome.vendor_id),
        _text(outcome.code),
        _text(outcome.detail),
        outcome.parts,
        None if outcome.credits is None else str(outcome.credits),
    )


def _text(text: str | None) -> str | None:
    # A vendor's words may hold what UTF-8 cannot say.
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()


def record(
    campaign: str,
    seq: int,
    key: bytes,
    state: str,
    text: str,
    number: str,
    lo: int | None,
    via: str | None,
    group: str | None,
    claimed: float | None,
    vendor: str | None,
    vendor_id: str | None,
    code: str | None,
    detail: str | None,
    parts: int | None,
    cost: str | None,
) -> Record:
    """A row of the table, as a value."""
    message = decode_message(text)
    outcome = None
    if vendor is not None:
        price = None if cost is None else Decimal(cost)
        outcome = Outcome(_KIND_OF[State(state)], message, vendor, vendor_id, code, detail or "", parts, price)
    if lo is None or claimed is None or state == State.PENDING:
        return Record(seq, key, State(state), message, number, outcome)
    request, at = request_reference(campaign, lo), datetime.fromtimestamp(claimed, UTC)
    return Record(seq, key, State(state), message, number, outcome, request, via, group, at)
