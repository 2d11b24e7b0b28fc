"""Tables of the journal in SQLite, and the statements that change them.

A PENDING message is one row. Messages that were claimed are in a request, which its claim writes once. The outcomes are
in a table of their own, so that the messages need not be written again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from attrs import frozen

from mensasdk.errors import JournalError
from mensasdk.journal.charges import add_charges
from mensasdk.journal.packing import decode_rows, encode_messages
from mensasdk.journal.protocol import NOTHING, Entry, Row, State
from mensasdk.journal.sqlite import deliveries as sqlite_deliveries
from mensasdk.journal.sqlite.requests import LONGEST, Change, Request, Way, destinations
from mensasdk.journal.sqlite.schema import Seal, check_sum

__all__ = [
    "Owner",
    "Statement",
    "anybody_waits",
    "changed",
    "charged",
    "charges",
    "check_structure",
    "claimed",
    "claimed_keys",
    "counts",
    "delete_some",
    "forgotten",
    "holds",
    "requests",
    "settled",
    "stored",
    "sweep",
    "together",
    "under_way",
    "waiting",
    "waiting_keys",
    "waits",
]

T = TypeVar("T")
Statement = tuple[str, Sequence[Any]]

_LONGEST: Final = 1000  # no request in the file is longer
# SQLite takes 999 values in a statement, or more.
_AT_ONCE: Final = 240
_WAITING_AT_ONCE: Final = 160
_REQUESTS_AT_ONCE: Final = 50
# Both are NULL where the owner's word does not stand in the campaign, and the columns they go to must not be NULL.
_MINE: Final = "(SELECT ? FROM campaign WHERE id = ? AND owner = ?)"
_MINE_ALONE: Final = """(SELECT ? FROM campaign WHERE id = ? AND owner = ? AND NOT EXISTS (
    SELECT 1 FROM request WHERE campaign = ? AND first > ? AND first < ? AND first + count > ?))"""

_HOLDS: Final = "UPDATE meta SET changes = (SELECT meta.changes FROM campaign WHERE id = ? AND owner = ?)"


@frozen
class Owner:
    """Right of whoever has a campaign open to write its rows.

    Attributes:
        campaign: the campaign's id in the tables.
        word: the random word that stands in the campaign for as long as nobody else has opened it.
        seal: makes the checksums of the rows.
    """

    campaign: int
    word: str
    seal: Seal


def check_structure(database: sqlite3.Connection) -> None:
    """Check that no part of the file is missing, or belongs to nobody: a lost row is a message that is sent again.

    Raises:
        JournalError: the file is damaged.
    """
    [problem] = database.execute("PRAGMA quick_check(1)").fetchone()
    stray = [
        f"SELECT 1 FROM {table} WHERE campaign NOT IN (SELECT id FROM campaign)"  # noqa: S608 - ours
        for table in ("waiting", "request", "result", "charge")
    ]
    if problem != "ok" or database.execute(f"{' UNION ALL '.join(stray)} LIMIT 1").fetchone():
        raise JournalError("the journal is damaged: some of its rows are lost; nothing may be sent from it")


def holds(owner: Owner) -> Statement:
    """Return a statement that fails unless the campaign is still the owner's."""
    return _HOLDS, (owner.campaign, owner.word)


# ------------------------------------------------------------------------------------------------------ PENDING rows


def waits(owner: Owner, rows: Sequence[Entry]) -> Iterator[Statement]:
    """Yield the statements that write PENDING rows, in place of those with the same ``seq``."""
    campaign, seal = owner.campaign, owner.seal.of
    for some in _portions(rows, _WAITING_AT_ONCE):
        cells: list[Any] = []
        for row in some:
            columns = (campaign, row.seq, row.key, row.number, encode_messages([row.message], [row.place]))
            cells += (*columns, seal(*columns))
        places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(some))
        yield f"INSERT OR REPLACE INTO waiting VALUES {places}", cells  # noqa: S608 - places only


def forgotten(owner: Owner, seqs: Sequence[int]) -> Iterator[Statement]:
    """Yield the statements that delete rows from the PENDING ones."""
    for some in _portions(seqs, _AT_ONCE):
        marks = ", ".join("?" * len(some))
        yield f"DELETE FROM waiting WHERE campaign = ? AND seq IN ({marks})", (owner.campaign, *some)  # noqa: S608 - places only


def waiting(
    database: sqlite3.Connection,
    seal: Seal,
    number: int,
    start: int,
    end: int | None = None,
    seqs: Container[int] | None = None,
) -> Iterator[Row]:
    """Yield the PENDING rows with ``start <= seq < end``, in order; only those of ``seqs``, if given."""
    sql = "SELECT * FROM waiting WHERE campaign = ? AND seq >= ? AND seq < ? ORDER BY seq"
    for *columns, written in database.execute(sql, (number, start, _NO_END if end is None else end)):
        _, seq, key, to, data = columns
        if seqs is None or seq in seqs:
            check_sum(written, seal.of(*columns))
            [message], [place] = decode_rows(data, 1)
            yield Row(seq, key, message, to, place)


def waiting_keys(database: sqlite3.Connection, owner: Owner) -> Iterator[tuple[int, bytes]]:
    """Yield the ``seq`` and the key of each PENDING row, each row checked."""
    for *columns, written in database.execute("SELECT * FROM waiting WHERE campaign = ?", (owner.campaign,)):
        check_sum(written, owner.seal.of(*columns))
        yield columns[1], columns[2]


def claimed_keys(database: sqlite3.Connection, owner: Owner) -> Iterator[tuple[int, bytes, str | None]]:
    """Yield the last ``seq`` of each request, its keys and their widths, each request checked."""
    for *columns, written in database.execute("SELECT * FROM request WHERE campaign = ?", (owner.campaign,)):
        check_sum(written, owner.seal.of(*columns))
        yield columns[1] + columns[2] - 1, columns[8], columns[9]
    for *columns, written in database.execute("SELECT * FROM result WHERE campaign = ?", (owner.campaign,)):
        check_sum(written, owner.seal.of(*columns))
    charges(database, owner.seal, owner.campaign)


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


_PLACES: Final = {name: ", ".join("?" * count) for name, count in (("request", 12), ("result", 9), ("charge", 5))}
_CLAIMED: Final = f"INSERT INTO request VALUES ({_PLACES['request']}, {_MINE_ALONE})"  # noqa: S608 - places only
_SETTLED: Final = f"INSERT OR REPLACE INTO result VALUES ({_PLACES['result']}, {_MINE})"  # noqa: S608 - places only
# A claim that is settled twice is charged once. OR IGNORE would also pass over the NULL of one who is not the owner.
_CHARGED: Final = f"INSERT INTO charge VALUES ({_PLACES['charge']}, {_MINE}) ON CONFLICT DO NOTHING"  # noqa: S608 - places only


def claimed(owner: Owner, request: Request) -> Statement:
    """Return the statement that records a request, as its claim made it; it fails if one of its rows is in another."""
    number = owner.campaign
    columns = (number, *request.columns())
    first, end = request.first, request.seqs.stop
    mine = (owner.seal.of(*columns), number, owner.word)
    return _CLAIMED, (*columns, *mine, number, first - _LONGEST, end, first)


def settled(owner: Owner, request: Request, at: float | None = None) -> Statement:
    """Return the statement that records all outcomes of a request that are known now.

    Args:
        owner: who has the campaign open.
        request: the request.
        at: when they came to be known, in seconds of Unix time; the present moment by default.
    """
    number = owner.campaign
    first, count, accepted, rejected, unknown, swept, outcomes = request.result()
    at = time.time() if at is None else at
    columns = (number, first, count, accepted, rejected, unknown, swept, at, outcomes)
    return _SETTLED, (*columns, owner.seal.of(*columns), number, owner.word)


def charged(owner: Owner, way: Way, amounts: Mapping[str, Decimal], at: float | None = None) -> Iterator[Statement]:
    """Yield the statements that record what vendors say that they charged for a claim.

    Args:
        owner: who has the campaign open.
        way: the facts of the claim.
        amounts: what was charged, by vendor.
        at: when it was charged, in seconds of Unix time; None for the time of the claim.
    """
    for vendor, amount in amounts.items():
        columns = (owner.campaign, way.head, way.claimed if at is None else at, vendor, str(amount))
        yield _CHARGED, (*columns, owner.seal.of(*columns), owner.campaign, owner.word)


def charges(database: sqlite3.Connection, seal: Seal, number: int | None) -> Mapping[str, Decimal]:
    """Return what was charged for a campaign, by vendor, each row checked."""
    sums: Mapping[str, Decimal] = NOTHING
    for *columns, written in database.execute("SELECT * FROM charge WHERE campaign = ?", (number,)):
        check_sum(written, seal.of(*columns))
        *_, vendor, amount = columns
        sums = add_charges(sums, {vendor: Decimal(amount)})
    return sums


def together(statements: Iterable[Statement]) -> list[Statement]:
    """Join claims, results and charges into as few statements as possible.

    Each statement releases the interpreter, and the thread waits until it gets it back. The statements are grouped by
    their SQL, and keep their order only within a group.
    """
    found: dict[str, list[Sequence[Any]]] = {}
    for sql, values in statements:
        found.setdefault(sql, []).append(values)
    made: list[Statement] = []
    for sql, rows in found.items():
        if sql not in {_CLAIMED, _SETTLED, _CHARGED}:
            made += [(sql, values) for values in rows]
            continue
        begin, values, places = sql.partition("VALUES ")
        row, conflict, rest = places.partition(" ON CONFLICT")
        for some in _portions(rows, _REQUESTS_AT_ONCE):
            joined = ", ".join([row] * len(some))
            made.append((begin + values + joined + conflict + rest, [cell for cells in some for cell in cells]))
    return made


def changed(owner: Owner, change: Change) -> Iterator[Statement]:
    """Yield the statements that record a change of a request."""
    if not change.freed:
        for request in change.after:
            yield settled(owner, request)
        return
    yield holds(owner)
    for table in ("request", "result"):
        yield f"DELETE FROM {table} WHERE campaign = ? AND first = ?", (owner.campaign, change.before.first)  # noqa: S608 - ours
    for request in change.after:
        yield claimed(owner, request)
        if request.has_result:
            yield settled(owner, request)
    yield from waits(owner, change.freed)


def requests(
    database: sqlite3.Connection,
    seal: Seal,
    number: int,
    start: int,
    end: int | None = None,
    states: Collection[State] = (),
) -> Iterator[Request]:
    """Return the requests that have a row with ``start <= seq < end``, in order.

    With ``states``, return only requests that have a row in one of them; PENDING does not count.
    """
    some = " OR ".join(_HAS[state] for state in _HAS if state in states) or "true"
    found = database.execute(
        f"""SELECT request.*, result.* FROM request LEFT JOIN result
        ON result.campaign = request.campaign AND result.first = request.first
        WHERE request.campaign = ? AND request.first > ? AND request.first < ? AND request.first + request.count > ?
        AND ({some}) ORDER BY request.first""",  # noqa: S608 - constants
        (number, start - LONGEST, _NO_END if end is None else end, start),
    )
    return (stored(seal, row) for row in found)


def stored(seal: Seal, row: Sequence[Any]) -> Request:
    """Build a request from all columns of both tables, checked."""
    columns, written, result, result_written = row[:12], row[12], row[13:22], row[22]
    check_sum(written, seal.of(*columns))
    if result_written is not None:
        check_sum(result_written, seal.of(*result))
    return Request.stored(*[*columns[1:], result[6], result[8]])


def under_way(database: sqlite3.Connection, number: int, before: float) -> int:
    """Return the count of IN_FLIGHT rows that were claimed up to a moment, in seconds of Unix time."""
    sql = f"SELECT coalesce(sum({_UNDER_WAY}), 0) FROM {_JOINED} WHERE campaign = ? AND claimed <= ?"  # noqa: S608 - ours
    return int(database.execute(sql, (number, before)).fetchone()[0])


def sweep(owner: Owner, before: float) -> Iterator[Statement]:
    """Yield the statements that turn the rows that `under_way` counts into UNKNOWN."""
    sum_of = "seal(campaign, first, count, accepted, rejected, count - accepted - rejected, 1, settled, outcomes)"
    yield holds(owner)
    yield (
        f"""UPDATE result SET unknown = count - accepted - rejected, swept = 1, sum = {sum_of}
        WHERE campaign = ? AND accepted + rejected + unknown < count AND (
            SELECT claimed FROM request WHERE request.campaign = result.campaign AND request.first = result.first
        ) <= ?""",  # noqa: S608 - a constant
        (owner.campaign, before),
    )
    yield (
        f"""INSERT INTO result SELECT campaign, first, request.count, 0, 0, request.count, 1, NULL, NULL,
            seal(campaign, first, request.count, 0, 0, request.count, 1, NULL, NULL)
        FROM {_JOINED} WHERE campaign = ? AND claimed <= ? AND result.count IS NULL""",  # noqa: S608 - a constant
        (owner.campaign, before),
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


def delete_some(database: sqlite3.Connection, number: int, nonce: str, about: int) -> bool:
    """Delete the first rows of a purged campaign and their delivery reports; return False if there are none."""
    database.execute("DELETE FROM charge WHERE campaign = ?", (number,))
    waiting = database.execute(
        "DELETE FROM waiting WHERE campaign = ? AND seq IN (SELECT seq FROM waiting WHERE campaign = ? LIMIT ?)",
        (number, number, about),
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
        sqlite_deliveries.forget(database, destinations(nonce, size, *columns))
        count, last = count + size, first
        if count >= about:
            break
    found.close()
    for table in ("request", "result"):
        database.execute(f"DELETE FROM {table} WHERE campaign = ? AND first <= ?", (number, last))  # noqa: S608 - ours
    return count > 0


def _portions(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Split items into portions that go into one statement each."""
    return (items[start : start + most] for start in range(0, len(items), most))
