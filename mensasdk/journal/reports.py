"""Delivery reports: how far a message is, and which message one is about."""

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
    """How far a message is; reports that tell of less than is known come late, and change nothing."""
    return _PROGRESS.get(state, 4)


FINAL = 4
"""`progress_of` every state from which a message does not move any more."""


def delivery_key(delivery: Delivery) -> str:
    """What tells the messages of one vendor to one number apart: the vendor's id, or else our reference."""
    return f"id {delivery.vendor_id}" if delivery.vendor_id else f"reference {delivery.reference}"


def is_about(report: Delivery, record: Record) -> bool:
    """Whether a delivery report belongs to a message: by the number, and the vendor's id or our reference."""
    if report.number != record.number:
        return False
    vendor_id = None if record.outcome is None else record.outcome.vendor_id
    if vendor_id is not None and vendor_id == report.vendor_id:
        return True
    return report.reference is not None and report.reference == record.request
