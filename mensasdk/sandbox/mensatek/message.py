"""Messages that were sent under one idMensaje, with their delivery states as time passes."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import define, field

from mensasdk.sandbox.mensatek.dates import local
from mensasdk.sandbox.vendor import Services

__all__ = ["SCHEDULED", "WAITING", "Group", "Send", "final_state"]

WAITING, SCHEDULED = 0, 1
_DELIVERED = 11

# Final states by the last two digits of a number, so that a test can choose; all other numbers are delivered.
_BY_ENDING = {13: 13, 23: 123, 31: 131, 50: 50, 53: 53, 54: 54, 70: 70}
_TEXTS = {
    0: "Pendiente de entrega",
    1: "Programado",
    11: "Entregado al Teléfono",
    13: "Entregado al Teléfono",
    50: "La Red responde que el teléfono no existe",
    53: "El mensaje ha caducado",
    54: "Número en Lista Negra",
    70: "Entregado al Teléfono. Tiempo de entrega no disponible",
    123: "Teléfono apagado o fuera de cobertura",
    131: "El Móvil ha superado la capacidad de memoria",
}


def final_state(number: str) -> int:
    """Return the final ``Resultado`` of a number, chosen by its last two digits.

    13, 50, 53, 54 and 70 give the state of that value, 23 gives 123, 31 gives 131, and all others 11 (delivered).
    """
    return _BY_ENDING.get(int(number[-2:]), _DELIVERED)


@define(eq=False)
class Group:
    """Messages that were sent under one idMensaje."""

    message_id: int
    sender: str
    sends: list[Send] = field(factory=list)
    _taken: set[int] | None = None

    def taken(self) -> set[int]:
        """Return all numbers that got a message under this id; the set is built on first use."""
        if self._taken is None:
            self._taken = {number for send in self.sends for number in send.numbers}
        return self._taken

    def add(self, send: Send) -> None:
        """Add the recipients of a further request."""
        self.sends.append(send)
        if self._taken is not None:
            self._taken.update(send.numbers)


@define(eq=False)
class Send:
    """Recipients that one request added to a group; each one takes eight bytes of memory.

    Attributes:
        group: the group.
        numbers: the recipients' numbers.
        credits: credits charged for all recipients.
        reference: the sender's own reference.
        report: whether delivery reports are wanted.
        at: time of acceptance (aware, UTC).
        scheduled_at: time at which the messages go out (aware), or None for at once.
        first_report: idReport of the first recipient; the others count up from there.
        due: time at which the messages go out, on the monotonic clock.
        over: whether the request was cancelled, or replaced by a rescheduled copy.
    """

    group: Group
    numbers: array[int]
    credits: Decimal
    reference: str
    report: bool
    at: datetime
    scheduled_at: datetime | None
    first_report: int
    due: float = 0.0
    over: bool = False

    def start(self, box: Services) -> None:
        """Set ``due`` from the schedule and the sandbox's time scale."""
        wait = 0.0
        if self.scheduled_at is not None:
            wait = max(0.0, (self.scheduled_at - datetime.now(UTC)).total_seconds()) * box.time_scale
        self.due = time.monotonic() + wait

    @property
    def gone_out(self) -> bool:
        """Tell whether the messages have gone out, which is too late to cancel or reschedule."""
        return time.monotonic() >= self.due

    @property
    def pending(self) -> bool:
        """Tell whether the messages wait for their date."""
        return not self.over and not self.gone_out

    def reports(self, box: Services) -> list[Mapping[str, Any]]:
        """Return the ``Informe`` rows of GetReportSMS, one for each recipient."""
        now = time.monotonic()
        delay = box.delivery_delay
        waiting, delivered = now < self.due, now >= self.due + delay * box.time_scale
        early = SCHEDULED if waiting else WAITING
        moment = local(self.moment(delay if delivered else 0.0))
        rows: list[Mapping[str, Any]] = []
        for number in self.numbers:
            state = final_state(str(number)) if delivered else early
            rows.append(
                {
                    "Fecha": moment,
                    "Tiempo": int(delay) if delivered else 0,
                    "Telefono": str(number),
                    "Resultado": state,
                    "Estado": _TEXTS[state],
                }
            )
        return rows

    def moment(self, delay: float) -> datetime:
        """Return the simulated time ``delay`` seconds after the messages went out.

        On a compressed time scale, this time may be later than the real clock.
        """
        return (self.scheduled_at or self.at) + timedelta(seconds=delay)
