"""Keep, find and delete delivery reports in the journal's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from mensasdk.journal.reports import FINAL, delivery_key, progress_of
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["find", "forget", "keep"]

_AT_ONCE: Final = 500
# A single statement, so that of two processes with the same report only one counts it as new.
_KEEP: Final = """
INSERT INTO delivery (vendor, number, message, vendor_id, reference, progress, state, code, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (vendor, number, message) DO UPDATE SET
    reference = coalesce(excluded.reference, reference), progress = excluded.progress, state = excluded.state,
    code = excluded.code, at = excluded.at
WHERE progress < excluded.progress AND progress < ?"""
_FORGET: Final = """
DELETE FROM delivery WHERE vendor = ? AND number = ? AND (vendor_id = ? OR reference = ?)"""


def keep(database: sqlite3.Connection, deliveries: Sequence[Delivery]) -> int:
    """Keep the reports that tell something new, and return their count."""
    return sum(database.execute(_KEEP, (*_columns(one), FINAL)).rowcount for one in deliveries)


def find(database: sqlite3.Connection, vendor: str, numbers: Collection[str]) -> Sequence[Delivery]:
    """Return the delivery reports of a vendor for some numbers, in the order of the numbers."""
    found: list[Delivery] = []
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        where = f"vendor = ? AND number IN ({', '.join('?' * len(some))})"
        sql = f"SELECT vendor_id, number, state, code, at, reference FROM delivery WHERE {where}"  # noqa: S608 - places only
        rows = database.execute(f"{sql} ORDER BY number, message", (vendor, *some))
        for vendor_id, number, state, code, at, reference in rows:
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
