"""Keep delivery reports in the journal, and match them with the messages that they belong to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
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
    """Log that keeps delivery reports in a journal.

    Its `handle` is made for a `DeliveryReceiver`::

        log = DeliveryLog(journal)
        receiver = DeliveryReceiver(parse_callback, log.handle, password=...)

    The vendor is answered 200 only when `handle` has returned, and then the report is kept (on the disk, with a
    `SqliteJournal`). A report may come twice, late, out of order, or before the answer to the send that it belongs to.
    It is kept by the vendor's id and our reference; the furthest state counts, and a final state for good. `delivered`
    finds the message once that is known. The campaign need not be open, and the sender may be another process. A report
    never causes a message to be sent.

    Args:
        journal: the journal to keep the reports in.
        otherwise: awaited with any value that is no delivery report, such as a received message; None drops it.
    """

    def __init__(self, journal: Journal, *, otherwise: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self._journal = journal
        self._otherwise = otherwise

    async def handle(self, value: object) -> None:
        """Keep one report.

        Args:
            value: a `Delivery`, or a value of a vendor's ``parse_callback``; anything else goes to ``otherwise``.

        Raises:
            JournalError: the report could not be kept; the vendor should call again.
        """
        if isinstance(value, _Report):
            value = value.to_delivery()
        if isinstance(value, Delivery):
            await self._journal.deliver([value])
        elif self._otherwise is not None:
            await self._otherwise(value)


async def delivered(
    journal: Journal, campaign: str, *, states: Collection[State] = _WENT_OUT
) -> AsyncGenerator[tuple[Record, Delivery | None], None]:
    """Yield each message of a campaign that was or may have been sent, with its furthest delivery report or None.

    Args:
        journal: the journal that has the campaign and the reports.
        campaign: the campaign's id; it may be open.
        states: the states of the messages; by default those of messages that were or may have been sent.
    """
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=states):
        after = records[-1].seq
        reports: dict[tuple[str, str], list[Delivery]] = {}
        for vendor in {_vendor(record) for record in records} - {""}:
            for one in await journal.deliveries(vendor, {one.number for one in records}):
                reports.setdefault((vendor, one.number), []).append(one)
        for record in records:
            found = [one for one in reports.get((_vendor(record), record.number), ()) if is_about(one, record)]
            yield record, max(found, key=lambda one: progress_of(one.state), default=None)


def _vendor(record: Record) -> str:
    return (record.vendor if record.outcome is None else record.outcome.vendor) or ""
