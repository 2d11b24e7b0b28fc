"""The tables of the journal in SQLite, and the statements that change them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from mensasdk.batch.journal import STATE_OF, Record, Row, State, request_reference
from mensasdk.batch.stored import decode_message, encode_message
from mensasdk.messages import Outcome

__all__ = [
    "Statement",
    "Waiting",
    "claim",
    "create",
    "inserts",
    "move",
    "pending",
    "read",
    "record",
    "updates",
    "waiting",
]

T = TypeVar("T")
Statement = tuple[str, Sequence[Any]]
Waiting = tuple[Row, str]  # a row that is not in the file yet, and its message as it will stand there

_AT_ONCE = 300  # rows in a statement; SQLite takes 999 values in one, or more
_SCHEMA = (
    # name: NULL once it is purged and its rows are still being deleted. complete: its messages were read to the end.
    """CREATE TABLE campaign (
        id INTEGER PRIMARY KEY,
        name TEXT UNIQUE,
        created TEXT NOT NULL,
        complete INTEGER NOT NULL
    )""",
    # lo: where the request begins that it went out in. Rows lie in the order of seq, so that what is claimed together
    # lies together. The key has no index: see `Store`.
    """CREATE TABLE recipient (
        campaign INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        key BLOB NOT NULL,
        message TEXT NOT NULL,
        state TEXT NOT NULL,
        lo INTEGER,
        vendor TEXT, vendor_id TEXT, code TEXT, detail TEXT, parts INTEGER, credits TEXT,
        PRIMARY KEY (campaign, seq)
    ) WITHOUT ROWID""",
)
_SETTLE = """
UPDATE recipient SET state = ?, vendor = ?, vendor_id = ?, code = ?, detail = ?, parts = ?, credits = ?
WHERE campaign = ? AND state = ? AND seq """
_KIND_OF = {state: kind for kind, state in STATE_OF.items()}
_READ = "SELECT seq, key, state, message, lo, vendor, vendor_id, code, detail, parts, credits FROM recipient"
_PENDING = "campaign = ? AND seq >= ? AND seq < ? AND state = 'pending'"


def create(database: sqlite3.Connection, application: int, version: int) -> None:
    """Make the tables, and write into the head of the file what it is."""
    for statement in (*_SCHEMA, f"PRAGMA application_id = {application}", f"PRAGMA user_version = {version}"):
        database.execute(statement)


def waiting(row: Row) -> Waiting:
    """The row, and its message as it will stand in the file."""
    return row, encode_message(row.message)


def inserts(number: int, rows: Iterable[Waiting], state: State, lo: int | None = None) -> list[Statement]:
    """What puts rows into the file."""
    statements: list[Statement] = []
    for some in _portions(list(rows)):
        cells = [cell for row, text in some for cell in (row.seq, row.key, text)]
        statements.append((_insert(len(some)), (number, state.value, lo, *cells)))
    return statements


@lru_cache(maxsize=64)
def _insert(count: int) -> str:
    cells = ", ".join([f"(?1, ?{at}, ?{at + 1}, ?{at + 2}, ?2, ?3)" for at in range(4, 4 + 3 * count, 3)])
    return f"INSERT INTO recipient (campaign, seq, key, message, state, lo) VALUES {cells}"  # noqa: S608 - places only, no values


def updates(number: int, outcomes: Sequence[tuple[int, Outcome]], state: State) -> list[Statement]:
    """What records outcomes of rows that stand in ``state``: one statement for all that ended alike."""
    alike: dict[tuple[str | int | None, ...], set[int]] = {}
    for seq, outcome in outcomes:
        alike.setdefault(_columns(outcome), set()).add(seq)
    statements: list[Statement] = []
    for columns, seqs in alike.items():
        first, last = min(seqs), max(seqs)
        if last - first == len(seqs) - 1:
            statements.append((f"{_SETTLE} BETWEEN ? AND ?", (*columns, number, state.value, first, last)))
            continue
        statements += [
            (f"{_SETTLE} IN ({_marks(some)})", (*columns, number, state.value, *some))
            for some in _portions(sorted(seqs))
        ]
    return statements


def move(number: int, seq: int, row: Row) -> Statement:
    """What gives a pending row another place, and the message as it is now."""
    sql = "UPDATE recipient SET seq = ?, message = ? WHERE campaign = ? AND seq = ? AND state = 'pending'"
    return sql, (row.seq, encode_message(row.message), number, seq)


def claim(number: int, lo: int, hi: int) -> tuple[Statement, Statement]:
    """What finds pending rows of a range (``seq``, key and message), and what claims them."""
    place = (number, lo, hi)
    look = f"SELECT seq, key, message FROM recipient WHERE {_PENDING}"  # noqa: S608 - a constant
    change = f"UPDATE recipient SET state = 'in_flight', lo = ? WHERE {_PENDING}"  # noqa: S608 - a constant
    return (look, place), (change, (lo, *place))


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
    lo: int | None,
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
    request = None if lo is None or state == State.PENDING else request_reference(campaign, lo)
    return Record(seq, key, State(state), message, outcome, request)
