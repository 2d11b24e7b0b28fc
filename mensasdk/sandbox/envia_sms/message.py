"""Messages of the emulated envia-sms.com, with their states as time passes, and the store that holds them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from attrs import define

from mensasdk.sandbox.vendor import Services

__all__ = ["Sms", "Store"]

_PROCESSING, _ERROR = "Procesando", "Error"
_GSM, _OPERATOR, _DELIVERED = "Entregado_GSM", "Entregado_operador", "Entregado"
# Final states by the last two digits of a number, so that a test can choose; all other numbers are delivered.
_BY_ENDING: dict[str, tuple[str, str]] = {
    "91": (_PROCESSING, ""),
    "93": (_GSM, ""),
    "94": (_OPERATOR, ""),
    "95": (_ERROR, "Mensaje_rechazado"),
    "96": (_ERROR, "Mensaje_expirado"),
    "97": (_ERROR, "Mensaje_duplicado"),
    "98": (_ERROR, "No_entregado"),
}
_NO_STATUS = "99"


@define(eq=False)
class Sms:
    """Message that got an id from send, including messages of the test mode and dropped duplicates.

    Attributes:
        id: the message id.
        number: the recipient's number, digits with the country prefix.
        at: time of the request (aware).
        scheduled_at: time at which the message goes out (aware), or None for at once.
        due: time at which the message goes out, on the monotonic clock.
        credits: credits charged.
        test: whether the message was sent in test mode.
        duplicate: whether the duplicate filter dropped the message.
        over: whether the message was cancelled.
        key: number and text, which the duplicate filter compares; None if the filter ignores this message.
    """

    id: str
    number: str
    at: datetime
    scheduled_at: datetime | None
    due: float
    credits: Decimal
    test: bool = False
    duplicate: bool = False
    over: bool = False
    key: tuple[str, str] | None = None

    @property
    def pending(self) -> bool:
        """Tell whether the message waits for its date."""
        return self.scheduled_at is not None and not self.over and time.monotonic() < self.due

    @property
    def goes_out(self) -> datetime:
        """Time at which the message goes out (aware)."""
        return self.scheduled_at or self.at

    def status(self, box: Services) -> tuple[str, str] | None:
        """Return status and description now; None if there is no status, as for a cancelled message.

        A message spends a third of the delivery delay in each state before its final one. A message that fails reaches
        its final state from ``Entregado_operador``.
        """
        if self.test:
            return "Modo pruebas", ""
        if self.duplicate:
            return _ERROR, "Mensaje_duplicado"
        ending = self.number[-2:]
        if self.over or ending == _NO_STATUS:
            return None
        final = _BY_ENDING.get(ending, (_DELIVERED, ""))
        elapsed, delay = time.monotonic() - self.due, box.delivery_delay * box.time_scale
        if elapsed < 0 or elapsed < delay / 3 or final[0] == _PROCESSING:
            return _PROCESSING, ""
        if elapsed < delay * 2 / 3 or final[0] == _GSM:
            return _GSM, ""
        if elapsed < delay:
            return _OPERATOR, ""
        return final


class Store:
    """Messages by id, the oldest first; beyond ``limit`` messages, the oldest are dropped."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._by_id: OrderedDict[str, Sms] = OrderedDict()
        self._by_key: dict[tuple[str, str], list[Sms]] = {}
        self._scheduled: dict[str, Sms] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, message_id: str) -> Sms | None:
        """Return the message of an id, or None."""
        return self._by_id.get(message_id)

    def pending(self) -> list[Sms]:
        """Return the scheduled messages that wait for their date."""
        self._scheduled = {sms.id: sms for sms in self._scheduled.values() if sms.pending}
        return list(self._scheduled.values())

    def twin(self, key: tuple[str, str], moment: datetime, window: float, *, by_clock: bool = False) -> Sms | None:
        """Return a message of which a new one would be a duplicate, or None.

        Args:
            key: number and text of the new message.
            moment: time at which the new message goes out (aware).
            window: seconds; messages that go out less than this apart are duplicates.
            by_clock: whether the window is fixed on the clock instead, such as the hour from 10:00 to 10:59.
        """
        for sms in reversed(self._by_key.get(key, ())):
            if by_clock:
                near = moment.timestamp() // window == sms.goes_out.timestamp() // window
            else:
                near = abs((moment - sms.goes_out).total_seconds()) < window
            if near and not sms.over:
                return sms
        return None

    def add(self, sms: Sms) -> None:
        """Add a message, and drop the oldest one if there are more than ``limit``."""
        self._by_id[sms.id] = sms
        if sms.key is not None:
            self._by_key.setdefault(sms.key, []).append(sms)
        if sms.scheduled_at is not None:
            self._scheduled[sms.id] = sms
        if self.limit is not None and len(self._by_id) > self.limit:
            self._forget(self._by_id.popitem(last=False)[1])

    def __iter__(self) -> Iterator[Sms]:
        return iter(self._by_id.values())

    def _forget(self, sms: Sms) -> None:
        self._scheduled.pop(sms.id, None)
        if sms.key is not None:
            # The messages of each key are in the same order, so the dropped message is the first.
            same = self._by_key[sms.key]
            del same[0]
            if not same:
                del self._by_key[sms.key]
