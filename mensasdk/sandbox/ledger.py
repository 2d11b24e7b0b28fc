"""Ledger of a sandbox: the requests that arrived, and the messages that were accepted and charged."""

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
    """SMS to one number that an emulated vendor accepted and charged.

    Attributes:
        vendor: the vendor's short name.
        message_id: the message id in the vendor's answer; several messages may share it.
        report_id: an id that no other message in the ledger has.
        number: the recipient's number, digits with the country prefix and without ``+``.
        text: the text with its placeholders filled in, before any change of alphabet.
        sender: the sender that the handset would show.
        parts: count of SMS parts charged.
        credits: credits charged for this one message.
        at: time of acceptance (aware, UTC).
        scheduled_at: time at which the message goes out (aware), or None for at once.
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
    """HTTP request that arrived in full, even if its answer was spoiled or lost.

    Attributes:
        vendor: the vendor's short name, or an empty string for a path that belongs to none.
        function: the vendor's function, or an empty string.
        at: time at which the last byte had arrived (aware, UTC).
        monotonic: the same moment on the monotonic clock, in seconds.
        method: the HTTP method.
        path: the path without the query.
        params: the decoded parameters, spelled as the client spelled them, without secrets.
        outcome: the vendor's result code as text; None if the vendor did not act on the request.
        n_accepted: count of messages that the vendor accepted from the request.
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
    """Record of what the vendors really accepted; tests and benchmarks compare a client's results with it.

    ``len(ledger)`` is the count of messages ever accepted and charged. Cancelling a message refunds it, and does not
    lower the count.

    Args:
        keep_messages: whether to keep every message and request; False keeps totals only, to save memory.

    Attributes:
        messages: the accepted messages, in order; empty without ``keep_messages``.
        requests: the requests that arrived in full, in order; empty without ``keep_messages``.
        connections: count of TCP connections accepted.
        charged: sum of the credits charged.
        refunded: sum of the credits given back by cancellations.
        callbacks_delivered: count of callbacks that the receiver answered with 2xx.
        callbacks_failed: count of callbacks given up after the last attempt.
        callback_attempts: count of callback requests made, further attempts included.
    """

    def __init__(self, *, keep_messages: bool = True) -> None:
        self.keep_messages = keep_messages
        self.clear()

    def clear(self) -> None:
        """Empty the ledger; the vendors' own state (credits, files, scheduled messages) stays."""
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
        # Without this method, `__len__` would make an empty ledger false.
        return True

    def __repr__(self) -> str:
        return f"<Ledger {self._accepted} accepted, {self.charged} charged, {self.request_count()} requests>"

    def request_count(self, function: str | None = None) -> int:
        """Return the count of requests that arrived in full, for one function or for all (None)."""
        return self._request_counts.total() if function is None else self._request_counts[function]

    def numbers(self) -> Counter[str]:
        """Return the count of messages charged for each number.

        Raises:
            RuntimeError: the sandbox was made with ``keep_messages=False``.
        """
        if not self.keep_messages:
            raise RuntimeError("this sandbox was made with keep_messages=False and does not know the numbers")
        return Counter(message.number for message in self.messages)

    # The methods below are for the sandbox itself.

    def arrived(self, vendor: str, function: str, method: str, path: str, params: Mapping[str, Any]) -> LedgerRequest:
        """Record a request that arrived in full, and return its entry."""
        entry = LedgerRequest(vendor, function, datetime.now(UTC), time.monotonic(), method, path, params)
        self._request_counts[function] += 1
        if self.keep_messages:
            self.requests.append(entry)
        return entry

    def settled(self, entry: LedgerRequest, outcome: str | None, n_accepted: int, fault: str | None) -> None:
        """Complete the entry of a request with the vendor's result code, the count of messages and the fault."""
        done = evolve(entry, outcome=outcome, n_accepted=n_accepted, fault=fault)
        # Search from the end, because the entry is nearly always the last one. Others follow the entry of a delayed
        # request, and the entry is missing if the ledger was cleared in the meantime.
        for index in range(len(self.requests) - 1, -1, -1):
            if self.requests[index] is entry:
                self.requests[index] = done
                return

    def accept(self, count: int, cost: Decimal, messages: Iterable[LedgerMessage]) -> None:
        """Record accepted messages and their cost; leave ``messages`` unread if the ledger keeps no messages."""
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
        """Replace the messages of one id by what ``change`` makes of them, as after cancelling or rescheduling.

        ``refund`` is the sum of credits given back.
        """
        self.refunded += refund
        for index, message in enumerate(self.messages):
            if message.message_id == message_id and message.vendor == vendor:
                self.messages[index] = change(message)
