"""Keep, find and delete delivery reports in the journal's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from mensasdk.journal.reports import FINAL, delivery_key, progress_of
from mensasdk.journal.sqlite.schema import Seal, check_sum
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["find", "forget", "keep"]

_AT_ONCE: Final = 500
# A single statement, so that of two processes with the same report only one counts it as new.
_KEEP: Final = """
INSERT INTO delivery (vendor, number, message, vendor_id, reference, progress, state, code, at, change, sum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (vendor, number, message) DO UPDATE SET
    reference = coalesce(excluded.reference, reference), progress = excluded.progress, state = excluded.state,
    code = excluded.code, at = excluded.at, change = excluded.change,
    sum = seal(vendor, number, message, vendor_id, coalesce(excluded.reference, reference), excluded.progress,
        excluded.state, excluded.code, excluded.at, excluded.change)
WHERE progress < excluded.progress AND progress < ?"""
_FORGET: Final = """
DELETE FROM delivery WHERE vendor = ? AND number = ? AND (vendor_id = ? OR reference = ?)"""


def keep(database: sqlite3.Connection, seal: Seal, deliveries: Sequence[Delivery]) -> int:
    """Keep the reports that tell something new, and return their count."""
    [change] = database.execute("SELECT changes FROM meta").fetchone()
    new = 0
    for one in deliveries:
        columns = (*_columns(one), change + 1)
        if database.execute(_KEEP, (*columns, seal.of(*columns), FINAL)).rowcount:
            new, change = new + 1, change + 1
    if new:
        database.execute("UPDATE meta SET changes = ?", (change,))
    return new


def find(database: sqlite3.Connection, seal: Seal, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
    """Return the delivery reports of a vendor for some numbers, in the order of the numbers."""
    found: list[Delivery] = []
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        where = f"vendor = ? AND number IN ({', '.join('?' * len(some))})"
        sql = f"SELECT * FROM delivery WHERE {where} ORDER BY number, message"  # noqa: S608 - places only
        for *columns, written in database.execute(sql, (vendor, *some)):
            check_sum(written, seal.of(*columns))
            _, number, _, vendor_id, reference, _, state, code, at, _ = columns
            moment = None if at is None else datetime.fromisoformat(at)
            found.append(
                Delivery(
                    vendor,
                    vendor_id,
                    number=number,
                    state=DeliveryState(state),
                    code=code,
                    at=moment,
                    reference=reference,
                )
            )
    return found


def forget(database: sqlite3.Connection, destinations: Iterable[tuple[str | None, str, str | None, str]]) -> None:
    """Delete the reports about messages, given by vendor, number, vendor's id and our reference."""
    database.executemany(_FORGET, destinations)


def _columns(one: Delivery) -> tuple[str | int | None, ...]:
    return (
        one.vendor,
        one.number,
        delivery_key(one),
        one.vendor_id,
        one.reference,
        progress_of(one.state),
        one.state.value,
        one.code,
        None if one.at is None else one.at.isoformat(),
    )
