"""Messages of the emulated smsgateway24, with their states as time passes, and the store that holds them."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from attrs import define

from mensasdk.sandbox.smsgateway24.account import Device, Newsletter
from mensasdk.sandbox.smsgateway24.statuses import DELIVERED, INCOMING, PENDING, QUEUED, SENT, TAKEN
from mensasdk.sandbox.vendor import Services

__all__ = ["Sms", "Store", "now_utc"]


@define(eq=False)
class Sms:
    """Message in the vendor's store, sent or received.

    Attributes:
        sendto: the address as given: the recipient's, or the sender's of a received message.
        sim: the channel, 0 to 5.
        customerid: the ``customerid`` as given, or None.
        bulk: whether the message came with addalotofsms.
        created: time of the request (aware, UTC, whole seconds).
        scheduled_at: time at which the message goes out (aware), or None for at once.
        due: time from which the phone may take the message, on the monotonic clock.
        final: the final state.
        newsletter: the newsletter that sent the message, or None.
    """

    id: int
    sendto: str
    body: str
    device: Device
    sim: int
    customerid: int | None
    urgent: bool
    bulk: bool
    created: datetime
    scheduled_at: datetime | None
    due: float
    final: int
    newsletter: Newsletter | None = None

    def status(self, box: Services, *, queued: bool) -> int:
        """Return the state now.

        The phone takes a message after one third of the delivery delay, and sends it after two thirds.

        Args:
            box: the sandbox's services, for the delivery delay.
            queued: whether the message passes through state 3 before the phone takes it.
        """
        if self.final == INCOMING:
            return INCOMING
        elapsed, delay = time.monotonic() - self.due, box.delivery_delay * box.time_scale
        if elapsed < 0:
            return PENDING
        if elapsed < delay / 3 or self._stuck(delay):
            return QUEUED if queued and elapsed >= delay / 6 else PENDING
        if elapsed < delay * 2 / 3:
            return TAKEN
        if elapsed < delay:
            return SENT if self.is_sent else TAKEN
        return self.final

    def sent_at(self, box: Services, status: int) -> datetime | None:
        """Return the time at which the phone sent the message, or None if the state ``status`` comes before that."""
        if self.final == INCOMING:
            return self.created
        if not self.is_sent or status < SENT:
            return None
        # On a compressed time scale this simulated time may be later than the real clock.
        start = self.scheduled_at or self.created
        return start + timedelta(seconds=int(box.delivery_delay * 2 / 3))

    @property
    def is_sent(self) -> bool:
        """Tell whether the phone sends the message, even if it is not delivered in the end."""
        return self.final in (SENT, DELIVERED, 8)

    def _stuck(self, delay: float) -> bool:
        """Return whether the phone went offline before it took the message."""
        since = self.device.offline_since
        return since is not None and self.due + delay / 3 > since


class Store:
    """Messages by id, the oldest first; beyond ``limit`` messages, the oldest are dropped."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._by_id: OrderedDict[int, Sms] = OrderedDict()
        self._by_customer: dict[int, deque[Sms]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, sms_id: int) -> Sms | None:
        """Return the message of an id, or None."""
        return self._by_id.get(sms_id)

    def all(self) -> Collection[Sms]:
        """Return all messages."""
        return self._by_id.values()

    def of_customer(self, customerid: int) -> Collection[Sms]:
        """Return the messages with a ``customerid``."""
        return self._by_customer.get(customerid, ())

    def add(self, sms: Sms) -> None:
        """Add a message, and drop the oldest one if there are more than ``limit``."""
        self._by_id[sms.id] = sms
        if sms.customerid is not None:
            self._by_customer.setdefault(sms.customerid, deque()).append(sms)
        if self.limit is not None and len(self._by_id) > self.limit:
            _, oldest = self._by_id.popitem(last=False)
            if oldest.customerid is not None:
                # The messages of each customer are in the same order, so the dropped message is the first.
                same = self._by_customer[oldest.customerid]
                same.popleft()
                if not same:
                    del self._by_customer[oldest.customerid]


def now_utc() -> datetime:
    """Return the time now (aware, UTC), in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
