"""The ground truth of a box: what arrived, what was accepted and what was charged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

__all__ = ["Ledger", "LedgerMessage", "LedgerRequest"]


@frozen
class LedgerMessage:
    """One SMS to one number that the vendor accepted and charged.

    Attributes:
        vendor: the vendor's short name.
        message_id: the id that the answer carried; several messages may share it.
        report_id: an id that no other message of the box has.
        number: digits with the country prefix, without ``+``.
        text: the text after placeholders were filled in, before any change of alphabet.
        sender: what the handset would show.
        parts: SMS parts charged.
        credits: credits charged for this one message.
        at: when it was accepted (aware, UTC).
        scheduled_at: when it shall go out (aware), or None for at once.
        reference: the sender's own reference, or an empty string.
        state: ``"sent"``, ``"scheduled"`` or ``"cancelled"``.
    """

    vendor: str
    message_id: str
    report_id: str
    number: str
    text: str
    sender: str
    parts: int
    credits: Decimal
    at: datetime
    scheduled_at: datetime | None
    reference: str
    state: str


@frozen
class LedgerRequest:
    """One HTTP request whose last byte arrived, whatever became of its answer.

    Attributes:
        vendor: the vendor's short name, or an empty string for a path that belongs to none.
        function: the vendor's function, or an empty string.
        at: when it had arrived in full (aware, UTC).
        monotonic: the same moment on the monotonic clock, in seconds.
        method: the HTTP method.
        path: the path without the query.
        params: the decoded parameters, spelled as the client spelled them, without secrets.
        outcome: the vendor's result code as text; None when the vendor never got to see the request.
        n_accepted: how many messages it made the vendor accept.
        fault: the fault that spoiled the answer, or None.
    """

    vendor: str
    function: str
    at: datetime
    monotonic: float
    method: str
    path: str
    params: Mapping[str, Any]
    outcome: str | None = None
    n_accepted: int = 0
    fault: str | None = None


class Ledger:
    """What really happened, for tests and benchmarks to compare a client's opinion with.

    ``len(ledger)`` is the number of messages ever accepted and charged; cancelling one later refunds it but
    does not lower the count.

    Args:
        keep_messages: False keeps totals only, so that memory does not grow with a campaign.

    Attributes:
        messages: every accepted message, in order; stays empty without ``keep_messages``.
        requests: every request that arrived in full, in order; stays empty without ``keep_messages``.
        connections: TCP connections ever accepted.
        charged: credits ever charged.
        refunded: credits given back by cancellations.
        callbacks_delivered: callbacks that the receiver answered with 2xx.
        callbacks_failed: callbacks given up after the last attempt.
        callback_attempts: callback requests made, repetitions included.
    """

    def __init__(self, *, keep_messages: bool = True) -> None:
        self.keep_messages = keep_messages
        self.clear()

    def clear(self) -> None:
        """Forget everything; the vendors' own state (credits, files, scheduled messages) stays."""
        self.messages: list[LedgerMessage] = []
        self.requests: list[LedgerRequest] = []
        self.connections = 0
        self.charged = Decimal(0)
        self.refunded = Decimal(0)
        self.callbacks_delivered = 0
        self.callbacks_failed = 0
        self.callback_attempts = 0
        self._accepted = 0
        self._request_counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._accepted

    def __bool__(self) -> bool:
        # An empty ledger is still a ledger.
        return True

    def __repr__(self) -> str:
        return f"<Ledger {self._accepted} accepted, {self.charged} charged, {self.request_count()} requests>"

    def request_count(self, function: str | None = None) -> int:
        """Requests that arrived in full, of one function or of all."""
        return self._request_counts.total() if function is None else self._request_counts[function]

    def numbers(self) -> Counter[str]:
        """How many messages each number was charged for.

        Raises:
            RuntimeError: the box was made with ``keep_messages=False``.
        """
        if not self.keep_messages:
            raise RuntimeError("this box was made with keep_messages=False and does not know the numbers")
        return Counter(message.number for message in self.messages)

    # What follows is written by the sandbox itself.

    def arrived(self, vendor: str, function: str, method: str, path: str, params: Mapping[str, Any]) -> LedgerRequest:
        """Note a request that arrived in full."""
        entry = LedgerRequest(vendor, function, datetime.now(UTC), time.monotonic(), method, path, params)
        self._request_counts[function] += 1
        if self.keep_messages:
            self.requests.append(entry)
        return entry

    def settled(self, entry: LedgerRequest, outcome: str | None, n_accepted: int, fault: str | None) -> None:
        """Complete the note once it is known what the vendor made of the request."""
        done = evolve(entry, outcome=outcome, n_accepted=n_accepted, fault=fault)
        # It is nearly always the last one; a delayed request may have been overtaken, or the ledger cleared.
        for index in range(len(self.requests) - 1, -1, -1):
            if self.requests[index] is entry:
                self.requests[index] = done
                return

    def accept(self, count: int, cost: Decimal, messages: Iterable[LedgerMessage]) -> None:
        """Note accepted messages; the iterable is not touched when messages are not kept."""
        self._accepted += count
        self.charged += cost
        if self.keep_messages:
            self.messages.extend(messages)

    def change(
        self,
        vendor: str,
        message_id: str,
        change: Callable[[LedgerMessage], LedgerMessage],
        refund: Decimal = Decimal(0),
    ) -> None:
        """Replace the messages of one id, as cancelling and rescheduling do."""
        self.refunded += refund
        for index, message in enumerate(self.messages):
            if message.message_id == message_id and message.vendor == vendor:
                self.messages[index] = change(message)
