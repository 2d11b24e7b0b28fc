"""Compare delivery reports, and match them with messages."""

from __future__ import annotations

from collections.abc import Mapping

from mensasdk.journal.protocol import Record
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["FINAL", "delivery_key", "is_about", "progress_of"]

_PROGRESS: Mapping[DeliveryState, int] = {
    DeliveryState.UNKNOWN: 0,
    DeliveryState.SCHEDULED: 1,
    DeliveryState.PENDING: 2,
    DeliveryState.SENT: 3,
}


def progress_of(state: DeliveryState) -> int:
    """Return how far a state is on the way to the handset, from 0 to `FINAL`."""
    return _PROGRESS.get(state, 4)


FINAL = 4
"""Result of `progress_of` for every final state, which no later report changes."""


def delivery_key(delivery: Delivery) -> str:
    """Return what identifies the message among those of its vendor and number: the vendor's id, or our reference."""
    return f"id {delivery.vendor_id}" if delivery.vendor_id else f"reference {delivery.reference}"


def is_about(report: Delivery, record: Record) -> bool:
    """Return whether a report is about a message: by the number, and by the vendor's id or our reference."""
    if report.number != record.number:
        return False
    vendor_id = None if record.outcome is None else record.outcome.vendor_id
    if vendor_id is not None and vendor_id == report.vendor_id:
        return True
    return report.reference is not None and report.reference == record.request
