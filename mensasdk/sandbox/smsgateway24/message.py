"""One message, by the clock: the states that it passes through, and the store that finds messages."""

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
    """A message in the vendor's store, sent or received.

    Attributes:
        customerid: as given, or None.
        bulk: it came with addalotofsms.
        created: UTC, whole seconds.
        scheduled_at: None for at once.
        due: when the phone may take it, on the monotonic clock.
        final: the last state.
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
        """The state now. The phone takes a message after a third of the delivery delay and sends it after two.

        ``queued``: it passes through state 3 before that.
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
        """When the phone sent it; None in a state before that."""
        if self.final == INCOMING:
            return self.created
        if not self.is_sent or status < SENT:
            return None
        # On a compressed time scale the simulated date may lie ahead of the real one.
        start = self.scheduled_at or self.created
        return start + timedelta(seconds=int(box.delivery_delay * 2 / 3))

    @property
    def is_sent(self) -> bool:
        """It leaves the phone; whether it arrives is another matter."""
        return self.final in (SENT, DELIVERED, 8)

    def _stuck(self, delay: float) -> bool:
        """Its phone went offline before taking it."""
        since = self.device.offline_since
        return since is not None and self.due + delay / 3 > since


class Store:
    """The messages by id, the oldest first; the oldest are forgotten beyond ``limit``."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._by_id: OrderedDict[int, Sms] = OrderedDict()
        self._by_customer: dict[int, deque[Sms]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, sms_id: int) -> Sms | None:
        return self._by_id.get(sms_id)

    def all(self) -> Collection[Sms]:
        return self._by_id.values()

    def of_customer(self, customerid: int) -> Collection[Sms]:
        return self._by_customer.get(customerid, ())

    def add(self, sms: Sms) -> None:
        self._by_id[sms.id] = sms
        if sms.customerid is not None:
            self._by_customer.setdefault(sms.customerid, deque()).append(sms)
        if self.limit is not None and len(self._by_id) > self.limit:
            _, oldest = self._by_id.popitem(last=False)
            if oldest.customerid is not None:
                # The same order holds within one customer.
                same = self._by_customer[oldest.customerid]
                same.popleft()
                if not same:
                    del self._by_customer[oldest.customerid]


def now_utc() -> datetime:
    """This second, UTC."""
    return datetime.now(UTC).replace(microsecond=0)
