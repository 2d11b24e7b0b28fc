"""Find the outcomes of unknown messages, for vendors that are asked about one message at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mensasdk.codes import Code
from mensasdk.errors import MensaError, OutcomeKind
from mensasdk.messages import Outcome
from mensasdk.vendors.batching import Doubt

__all__ = ["accepted", "settle"]


def accepted(doubt: Doubt, *, vendor: str, vendor_id: str | None, code: str, detail: str) -> Outcome:
    """Build the outcome of an unknown message that turns out to be accepted by the vendor.

    Args:
        doubt: the message.
        vendor: the vendor's short name.
        vendor_id: the vendor's id of the message.
        code: names the means by which this was found out.
        detail: one sentence for a person.
    """
    item = doubt.item
    return Outcome(
        OutcomeKind.ACCEPTED,
        item.message,
        vendor=vendor,
        vendor_id=vendor_id,
        code=code,
        detail=detail,
        parts=item.parts,
    )


async def settle(
    doubts: Sequence[Doubt], ask: Callable[[Doubt], Awaitable[Outcome | None]], *, vendor: str
) -> Sequence[Outcome | None]:
    """Find the outcomes of unknown messages by their delivery reports, and by asking for each message without one.

    A message with a delivery report is ACCEPTED with the code ``"callback"``, whatever the report says of the delivery:
    the vendor took the message.

    Args:
        doubts: messages of one request.
        ask: returns the outcome of one message; None where it cannot be found out.
        vendor: the vendor's short name.

    Returns:
        For each message, its outcome, or None where it stays unknown.

    Raises:
        MensaError: raised by ``ask``, and no outcome was found. Where some were found, these are returned.
    """
    found = [_by_report(doubt, vendor) for doubt in doubts]
    try:
        for index, doubt in enumerate(doubts):
            if found[index] is None:
                found[index] = await ask(doubt)
    except MensaError:
        if not any(found):
            raise
    return found


def _by_report(doubt: Doubt, vendor: str) -> Outcome | None:
    report = doubt.reported
    if report is None:
        return None
    detail = f"the vendor reported on its delivery: {report.state}"
    return accepted(
        doubt, vendor=vendor, vendor_id=report.vendor_id or doubt.vendor_id, code=Code.CALLBACK, detail=detail
    )
