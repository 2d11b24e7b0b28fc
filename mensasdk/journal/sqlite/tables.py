"""Tables of the journal in SQLite, and the statements that change them.

A PENDING message is one row. Messages that were claimed are in a request, which its claim writes once. The outcomes are
in a table of their own, so that the messages need not be written again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from mensasdk.journal.packing import decode_messages, encode_messages
from mensasdk.journal.protocol import Entry, Row, State
from mensasdk.journal.sqlite import deliveries as sqlite_deliveries
from mensasdk.journal.sqlite.requests import LONGEST, Change, Request, destinations

__all__ = [
    "Statement",
    "anybody_waits",
    "changed",
    "claimed",
    "counts",
    "create",
    "delete_some",
    "forgotten",
    "requests",
    "settled",
    "sweep",
    "together",
    "under_way",
    "waiting",
    "waits",
]

T = TypeVar("T")
Statement = tuple[str, Sequence[Any]]

_AT_ONCE: Final = 240  # rows in a statement; SQLite takes 999 values in one, or more
_REQUESTS_AT_ONCE: Final = 64
_SCHEMA: Final = (
    # name: NULL while a purge deletes the rows; `purged` then has the name, to find the delivery reports by.
    # complete: all messages of its input are recorded.
    """CREATE TABLE campaign (
        id INTEGER PRIMARY KEY,
        name TEXT UNIQUE,
        purged TEXT,
        created TEXT NOT NULL,
        complete INTEGER NOT NULL
    )""",
    # Rows that are PENDING.
    """CREATE TABLE waiting (
        campaign INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        key BLOB NOT NULL,
        number TEXT NOT NULL,
        message BLOB NOT NULL,
        PRIMARY KEY (campaign, seq)
    ) WITHOUT ROWID""",
    # Requests: claimed rows with consecutive seq, from `first` on. Requests never overlap, and their rows are not in
    # `waiting`. head: the first seq of the claim. place: position of `first` in the claim. via, grp: the claim's vendor
    # and group. claimed: in seconds of Unix time. keys: one after the other, without an index (store.py says why).
    # widths: the lengths of the keys; NULL if all are the usual one. numbers: NULL if they are as in the messages.
    """CREATE TABLE request (
        campaign INTEGER NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        head INTEGER NOT NULL, place INTEGER NOT NULL, via TEXT, grp TEXT, claimed REAL NOT NULL,
        keys BLOB NOT NULL, widths TEXT,
        numbers TEXT, messages BLOB NOT NULL,
        PRIMARY KEY (campaign, first)
    ) WITHOUT ROWID""",
    # Outcomes of a request; a request without a row here is IN_FLIGHT as a whole. swept: rows without an outcome are
    # UNKNOWN, and not IN_FLIGHT any more; `unknown` counts them too.
    """CREATE TABLE result (
        campaign INTEGER NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, unknown INTEGER NOT NULL,
        swept INTEGER NOT NULL,
        outcomes BLOB,
        PRIMARY KEY (campaign, first)
    ) WITHOUT ROWID""",
    # Delivery reports, also for messages that are not known. message: made of the vendor's id, or else our reference.
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


def create(database: sqlite3.Connection, application: int, version: int) -> None:
    """Create the tables, and mark the file as a journal of this version."""
    for statement in (*_SCHEMA, f"PRAGMA application_id = {application}", f"PRAGMA user_version = {version}"):
        database.execute(statement)


# ------------------------------------------------------------------------------------------------------ PENDING rows


def waits(number: int, rows: Sequence[Entry]) -> Iterator[Statement]:
    """Yield the statements that write PENDING rows, in place of those with the same ``seq``."""
    for some in _portions(rows):
        cells = [cell for row in some for cell in (row.seq, row.key, row.number, encode_messages([row.message]))]
        yield _insert(len(some)), (number, *cells)


@lru_cache(maxsize=64)
def _insert(count: int) -> str:
    cells = ", ".join([f"(?1, ?{at}, ?{at + 1}, ?{at + 2}, ?{at + 3})" for at in range(2, 2 + 4 * count, 4)])
    return f"INSERT OR REPLACE INTO waiting (campaign, seq, key, number, message) VALUES {cells}"  # noqa: S608 - places only


def forgotten(number: int, seqs: Sequence[int]) -> Iterator[Statement]:
    """Yield the statements that delete rows from the PENDING ones."""
    for some in _portions(seqs):
        marks = ", ".join("?" * len(some))
        yield f"DELETE FROM waiting WHERE campaign = ? AND seq IN ({marks})", (number, *some)  # noqa: S608 - places only


def waiting(
    database: sqlite3.Connection, number: int, start: int, end: int | None = None, seqs: Container[int] | None = None
) -> Iterator[Row]:
    """Yield the PENDING rows with ``start <= seq < end``, in order; only those of ``seqs``, if given."""
    sql = "SELECT seq, key, message, number FROM waiting WHERE campaign = ? AND seq >= ? AND seq < ? ORDER BY seq"
    for seq, key, data, to in database.execute(sql, (number, start, _NO_END if end is None else end)):
        if seqs is None or seq in seqs:
            yield Row(seq, key, decode_messages(data, 1)[0], to)


def anybody_waits(database: sqlite3.Connection, number: int | None, start: int, end: int) -> bool:
    """Return whether any row with ``start <= seq < end`` is PENDING."""
    sql = "SELECT EXISTS (SELECT 1 FROM waiting WHERE campaign = ? AND seq >= ? AND seq < ?)"
    return bool(database.execute(sql, (number, start, end)).fetchone()[0])


_NO_END: Final = 2**63 - 1

# ------------------------------------------------------------------------------------------------------ claimed rows

_JOINED: Final = "request LEFT JOIN result USING (campaign, first)"
_UNDER_WAY: Final = "request.count - coalesce(accepted + rejected + unknown, 0)"
_HAS: Final[Mapping[State, str]] = {
    State.IN_FLIGHT: f"{_UNDER_WAY} > 0",
    State.ACCEPTED: "accepted > 0",
    State.REJECTED: "rejected > 0",
    State.UNKNOWN: "unknown > 0",
}


_CLAIMED: Final = "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SETTLED: Final = "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def claimed(number: int, request: Request) -> Statement:
    """Return the statement that records a request, as its claim made it."""
    return _CLAIMED, (number, *request.columns())


def settled(number: int, request: Request) -> Statement:
    """Return the statement that records all outcomes of a request that are known now."""
    return _SETTLED, (number, *request.result())


def together(statements: Iterable[Statement]) -> list[Statement]:
    """Join claims and results into as few statements as possible.

    Each statement releases the interpreter, and the thread waits until it gets it back. The statements are grouped by
    their SQL, and keep their order only within a group.
    """
    found: dict[str, list[Sequence[Any]]] = {}
    for sql, values in statements:
        found.setdefault(sql, []).append(values)
    made: list[Statement] = []
    for sql, rows in found.items():
        if sql not in {_CLAIMED, _SETTLED}:
            made += [(sql, values) for values in rows]
            continue
        row = sql[sql.index("(") :]
        for some in _portions(rows, _REQUESTS_AT_ONCE):
            made.append((sql + f", {row}" * (len(some) - 1), [value for values in some for value in values]))
    return made


def changed(number: int, change: Change) -> Iterator[Statement]:
    """Yield the statements that record a change of a request."""
    if not change.freed:
        for request in change.after:
            yield settled(number, request)
        return
    for table in ("request", "result"):
        yield f"DELETE FROM {table} WHERE campaign = ? AND first = ?", (number, change.before.first)  # noqa: S608 - ours
    for request in change.after:
        yield claimed(number, request)
        if request.has_result:
            yield settled(number, request)
    yield from waits(number, change.freed)


def requests(
    database: sqlite3.Connection, number: int, start: int, end: int | None = None, states: Collection[State] = ()
) -> Iterator[Request]:
    """Return the requests that have a row with ``start <= seq < end``, in order.

    With ``states``, return only requests that have a row in one of them; PENDING does not count.
    """
    some = " OR ".join(_HAS[state] for state in _HAS if state in states) or "true"
    found = database.execute(
        f"""SELECT first, request.count, head, place, via, grp, claimed, keys, widths, numbers, messages,
            swept, outcomes
        FROM {_JOINED} WHERE campaign = ? AND first > ? AND first < ? AND first + request.count > ? AND ({some})
        ORDER BY first""",  # noqa: S608 - constants
        (number, start - LONGEST, _NO_END if end is None else end, start),
    )
    return (Request.stored(*row) for row in found)


def under_way(database: sqlite3.Connection, number: int, before: float) -> int:
    """Return the count of IN_FLIGHT rows that were claimed up to a moment, in seconds of Unix time."""
    sql = f"SELECT coalesce(sum({_UNDER_WAY}), 0) FROM {_JOINED} WHERE campaign = ? AND claimed <= ?"  # noqa: S608 - ours
    return int(database.execute(sql, (number, before)).fetchone()[0])


def sweep(number: int, before: float) -> Iterator[Statement]:
    """Yield the statements that turn the rows that `under_way` counts into UNKNOWN."""
    yield (
        """UPDATE result SET unknown = count - accepted - rejected, swept = 1
        WHERE campaign = ? AND accepted + rejected + unknown < count AND (
            SELECT claimed FROM request WHERE request.campaign = result.campaign AND request.first = result.first
        ) <= ?""",
        (number, before),
    )
    yield (
        f"""INSERT INTO result SELECT campaign, first, request.count, 0, 0, request.count, 1, NULL
        FROM {_JOINED} WHERE campaign = ? AND claimed <= ? AND result.count IS NULL""",  # noqa: S608 - a constant
        (number, before),
    )


def counts(database: sqlite3.Connection, number: int | None) -> Mapping[State, int]:
    """Return the count of rows of a campaign in each state."""
    [pending] = database.execute("SELECT count(*) FROM waiting WHERE campaign = ?", (number,)).fetchone()
    [claimed] = database.execute("SELECT total(count) FROM request WHERE campaign = ?", (number,)).fetchone()
    known = database.execute(
        "SELECT total(accepted), total(rejected), total(unknown) FROM result WHERE campaign = ?", (number,)
    ).fetchone()
    order = (State.PENDING, State.IN_FLIGHT, State.ACCEPTED, State.REJECTED, State.UNKNOWN)
    return dict(zip(order, map(int, (pending, claimed - sum(known), *known)), strict=True))


def delete_some(database: sqlite3.Connection, number: int, name: str, about: int) -> bool:
    """Delete the first rows of a purged campaign and their delivery reports; return False if there are none."""
    waiting = database.execute(
        "DELETE FROM waiting WHERE campaign = ?1 AND seq IN (SELECT seq FROM waiting WHERE campaign = ?1 LIMIT ?2)",
        (number, about),
    )
    if waiting.rowcount:
        return True
    found = database.execute(
        f"""SELECT first, request.count, head, via, numbers, messages, outcomes
        FROM {_JOINED} WHERE campaign = ? ORDER BY first""",  # noqa: S608 - a constant
        (number,),
    )
    count, last = 0, -1
    for first, size, *columns in found:
        sqlite_deliveries.forget(database, destinations(name, size, *columns))
        count, last = count + size, first
        if count >= about:
            break
    found.close()
    for table in ("request", "result"):
        database.execute(f"DELETE FROM {table} WHERE campaign = ? AND first <= ?", (number, last))  # noqa: S608 - ours
    return count > 0


def _portions(items: Sequence[T], most: int = _AT_ONCE) -> Iterator[Sequence[T]]:
    """Split items into portions that go into one statement each."""
    return (items[start : start + most] for start in range(0, len(items), most))
