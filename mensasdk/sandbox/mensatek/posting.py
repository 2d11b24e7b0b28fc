"""Callbacks that Mensatek posts to the customer: delivery reports and received messages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from mensasdk.sandbox.callbacks import Step
from mensasdk.sandbox.mensatek.dates import local
from mensasdk.sandbox.mensatek.message import SCHEDULED, WAITING, Send, final_state
from mensasdk.sandbox.mensatek.state import State

__all__ = ["Posting", "delivery", "incoming"]


@frozen(eq=False)
class Posting:
    """Source of the delivery reports of one `Send`."""

    state: State
    send: Send

    def start(self) -> None:
        """Submit the delivery reports to the callback pool, if the request asked for them."""
        if self.send.report:
            step = 0 if self.send.scheduled_at else 1
            self.state.box.callbacks.submit(self.state.name, self, range(len(self.send.numbers)), step)

    def callback(self, index: int, step: int) -> Step:
        """Return the step of one recipient: 0 scheduled, 1 handed to the network, 2 the final state."""
        send, box = self.send, self.state.box
        if send.over:
            return Step(None)
        delay = box.delivery_delay
        match step:
            case 0:
                wait = max(0.0, send.due - time.monotonic())
                return Step(delivery(send, index, SCHEDULED, 0.0), then=wait, far=True)
            case 1:
                return Step(delivery(send, index, WAITING, 0.0), then=delay * box.time_scale)
            case _:
                return Step(delivery(send, index, final_state(str(send.numbers[index])), delay))


def delivery(send: Send, index: int, result: int, delay: float) -> Mapping[str, str]:
    """Build the delivery report of one recipient.

    Args:
        send: the request that the recipient came with.
        index: position of the recipient, from 0.
        result: the state, the value of ``Resultado``.
        delay: simulated seconds since the message went out.
    """
    return {
        "Servicio": "SMSMASIVO",
        "Resultado": str(result),
        "Remitente": send.group.sender,
        "Movil": str(send.numbers[index]),
        "Fecha": local(send.at if result == SCHEDULED else send.moment(delay)),
        "Segundos": str(int(delay)),
        "idMensaje": str(send.group.message_id),
        "Referencia": send.reference,
        "idReport": str(send.first_report + index),
    }


def incoming(
    state: State, number: str, text: str, *, to: str, reply_to: str | None, certified: bool, at: datetime
) -> Mapping[str, str]:
    """Build the callback of a received message; ``reply_to`` is the idMensaje of the message that it replies to."""
    group = state.groups.get(int(reply_to)) if reply_to is not None else None
    return {
        "Servicio": "SMSRECIBIDO",
        "timestamp": str(int(at.timestamp())),
        "Fecha": local(at),
        "Movil": to,
        "Remitente": number,
        "Mensaje": text,
        "idR": str(group.sends[0].first_report) if group is not None else "0",
        "idM": reply_to or "0",
        "EsCert": "true" if certified else "false",
        "Referencia": group.sends[0].reference if group is not None else "",
    }
