"""Delivery reports in the journal: kept as they come, and matched to the messages that they belong to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from mensasdk.journal.protocol import Journal, Record, State
from mensasdk.journal.reports import is_about, progress_of
from mensasdk.messages import Delivery

__all__ = ["DeliveryLog", "delivered"]

_AT_ONCE = 1000
_WENT_OUT = frozenset({State.IN_FLIGHT, State.ACCEPTED, State.REJECTED, State.UNKNOWN})


@runtime_checkable
class _Report(Protocol):
    def to_delivery(self) -> Delivery: ...


class DeliveryLog:
    """Keeps delivery reports in a journal, as what a `DeliveryReceiver` hands them to::

        log = DeliveryLog(journal)
        receiver = DeliveryReceiver(parse_callback, log.handle, password=...)

    A report is on the disk when `handle` returns, which is when the vendor hears 200. It may come twice, late, out of
    order, or before the answer to the send that it belongs to: it is kept by the vendor's id and our reference, the
    furthest state counts, a final one for good, and `delivered` finds the message when it is known. No campaign need be
    open, and the sender may be another process. A report never makes anything be sent.

    Args:
        journal: where to keep them.
        otherwise: awaited with what is no delivery report, such as a received message; None drops it.
    """

    def __init__(self, journal: Journal, *, otherwise: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self._journal = journal
        self._otherwise = otherwise

    async def handle(self, value: object) -> None:
        """Keep one report.

        Args:
            value: a `Delivery`, what a vendor's ``parse_callback`` gives, or anything for ``otherwise``.

        Raises:
            JournalError: it could not be kept; the vendor shall call again.
        """
        if isinstance(value, _Report):
            value = value.to_delivery()
        if isinstance(value, Delivery):
            await self._journal.deliver([value])
        elif self._otherwise is not None:
            await self._otherwise(value)


async def delivered(journal: Journal, campaign: str) -> AsyncGenerator[tuple[Record, Delivery | None], None]:
    """Give each message of a campaign that went out, or may have, with the furthest report on it, if there is one.

    Args:
        journal: where both are kept.
        campaign: its id; it may be under way.
    """
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=_WENT_OUT):
        after = records[-1].seq
        reports: dict[tuple[str, str], list[Delivery]] = {}
        for vendor in {_vendor(record) for record in records}:
            for one in await journal.deliveries(vendor, {one.number for one in records}):
                reports.setdefault((vendor, one.number), []).append(one)
        for record in records:
            found = [one for one in reports.get((_vendor(record), record.number), ()) if is_about(one, record)]
            yield record, max(found, key=lambda one: progress_of(one.state), default=None)


def _vendor(record: Record) -> str:
    return (record.vendor if record.outcome is None else record.outcome.vendor) or ""
