"""Compare delivery reports, and match them with messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from mensasdk.journal.keys import instance_of
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


# A report's time is the vendor's. With our reference it can only be ours, whatever zone the vendor's clock shows.
_CLOCKS: Final = timedelta(minutes=5)
_ZONES: Final = timedelta(hours=12)


def is_about(report: Delivery, record: Record) -> bool:
    """Return whether a report is about a message: by the number, and by our reference or the vendor's id.

    A report with the reference of another campaign is not, whatever its name; nor is one that is older than the claim
    of the message.
    """
    if report.number != record.number:
        return False
    ours = report.reference is not None and report.reference == record.request
    if not ours:
        vendor_id = None if record.outcome is None else record.outcome.vendor_id
        if vendor_id is None or vendor_id != report.vendor_id or _is_of_another(report.reference, record.request):
            return False
    if report.at is None or record.claimed_at is None:
        return True
    return report.at >= record.claimed_at - (_ZONES if ours else _CLOCKS)


def _is_of_another(reference: str | None, request: str | None) -> bool:
    """Return whether a reference names another campaign than that of a request."""
    instance = None if reference is None else instance_of(reference)
    return instance is not None and request is not None and instance != instance_of(request)
