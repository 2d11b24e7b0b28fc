"""What was sent under one id, and what becomes of it by the clock: states, their texts and reports."""

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

# The last two digits of a number decide what becomes of it, so a test can choose; all others are delivered.
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
    """The last ``Resultado`` that a number gets: its last two digits say (13, 50, 53, 54, 70 themselves, 23 gives
    123, 31 gives 131); 11, delivered, for all others."""
    return _BY_ENDING.get(int(number[-2:]), _DELIVERED)


@define(eq=False)
class Group:
    """All that was sent under one idMensaje."""

    message_id: int
    sender: str
    sends: list[Send] = field(factory=list)
    _taken: set[int] | None = None

    def taken(self) -> set[int]:
        """Every number that got a message under this id; built when a second send first asks."""
        if self._taken is None:
            self._taken = {number for send in self.sends for number in send.numbers}
        return self._taken

    def add(self, send: Send) -> None:
        self.sends.append(send)
        if self._taken is not None:
            self._taken.update(send.numbers)


@define(eq=False)
class Send:
    """The recipients that one request added to a group; eight bytes for each.

    Attributes:
        at: when it was accepted.
        scheduled_at: when it goes out, or None for at once.
        due: the same on the monotonic clock.
        first_report: idReport of the first recipient; the others follow it.
        over: cancelled, or replaced by a rescheduled copy; nothing more happens to it.
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
        """Set the clock running."""
        wait = 0.0
        if self.scheduled_at is not None:
            wait = max(0.0, (self.scheduled_at - datetime.now(UTC)).total_seconds()) * box.time_scale
        self.due = time.monotonic() + wait

    @property
    def gone_out(self) -> bool:
        """It is too late to cancel or reschedule."""
        return time.monotonic() >= self.due

    @property
    def pending(self) -> bool:
        """It waits for its date."""
        return not self.over and not self.gone_out

    def reports(self, box: Services) -> list[Mapping[str, Any]]:
        """One ``Informe`` entry per recipient."""
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
        """So many seconds after it went out; on a compressed time scale that may lie ahead of the real clock."""
        return (self.scheduled_at or self.at) + timedelta(seconds=delay)
