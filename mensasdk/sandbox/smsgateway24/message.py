"""One message: the states that it passes through, by the clock, and what is posted on the way."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define

from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.smsgateway24 import posting
from mensasdk.sandbox.smsgateway24.account import Device, Newsletter
from mensasdk.sandbox.smsgateway24.statuses import DELIVERED, INCOMING, PENDING, QUEUED, SENT, TAKEN

if TYPE_CHECKING:
    from mensasdk.sandbox.smsgateway24.service import SmsGateway24

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

    vendor: SmsGateway24
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

    def start(self) -> None:
        """Set the webhooks going, if somebody wants them."""
        if self.vendor.box.callbacks.wanted(self.vendor.name):
            step = 0 if self.scheduled_at is not None else 1
            self.vendor.box.callbacks.submit(self.vendor.name, self, range(1), step)

    def status(self) -> int:
        """The state now. The phone takes a message after a third of the delivery delay and sends it after two."""
        if self.final == INCOMING:
            return INCOMING
        elapsed, delay = time.monotonic() - self.due, self._delay
        if elapsed < 0:
            return PENDING
        if elapsed < delay / 3 or self._stuck:
            return QUEUED if self.vendor.quirks.queued and elapsed >= delay / 6 else PENDING
        if elapsed < delay * 2 / 3:
            return TAKEN
        if elapsed < delay:
            return SENT if self._is_sent else TAKEN
        return self.final

    def sent_at(self, status: int) -> datetime | None:
        """When the phone sent it; None in a state before that."""
        if self.final == INCOMING:
            return self.created
        if not self._is_sent or status < SENT:
            return None
        # On a compressed time scale the simulated date may lie ahead of the real one.
        start = self.scheduled_at or self.created
        return start + timedelta(seconds=int(self.vendor.box.delivery_delay * 2 / 3))

    def callback(self, index: int, step: int) -> Step:
        """Steps: 0 waits for the schedule, 1 for the phone, 2 for the sending; 3 reports that, 4 the final state."""
        match step:
            case 0:
                return Step(None, then=max(0.0, self.due - time.monotonic()), far=True)
            case 1:
                return Step(None, then=self._delay / 3)
            case 2 if not self.device.online:
                self.vendor.hold(self)
                return Step(None)
            case 2:
                return Step(None, then=self._delay / 3)
            case 3:
                fields = posting.delivery(self, SENT) if self._is_sent else None
                return Step(fields, then=None if self.final == SENT else self._delay / 3)
            case _:
                return Step(posting.delivery(self, self.final))

    @property
    def _delay(self) -> float:
        return self.vendor.box.delivery_delay * self.vendor.box.time_scale

    @property
    def _is_sent(self) -> bool:
        """It leaves the phone; whether it arrives is another matter."""
        return self.final in (SENT, DELIVERED, 8)

    @property
    def _stuck(self) -> bool:
        """Its phone went offline before taking it."""
        since = self.device.offline_since
        return since is not None and self.due + self._delay / 3 > since


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
