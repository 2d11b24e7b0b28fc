"""What reconciling has in common for vendors that are asked about one message after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mensasdk.codes import Code
from mensasdk.errors import MensaError, OutcomeKind
from mensasdk.messages import Outcome
from mensasdk.vendors.batching import Doubt

__all__ = ["accepted", "settle"]


def accepted(doubt: Doubt, *, vendor: str, vendor_id: str | None, code: str, detail: str) -> Outcome:
    """The outcome of a message that the vendor turns out to have.

    Args:
        doubt: the message.
        vendor: the vendor's short name.
        vendor_id: what the vendor calls it.
        code: names the means by which it was found out.
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
    """Settle doubts by delivery reports, and those without one by asking, one after another.

    A report settles a doubt whatever it says of the delivery: the vendor took the message. Its code is ``"callback"``.

    Args:
        doubts: messages of one request.
        ask: finds out about one message; None where it cannot be found out.
        vendor: the vendor's short name.

    Raises:
        MensaError: of ``ask``, when nothing at all was found out. Else what is known is not lost for what is not.
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
