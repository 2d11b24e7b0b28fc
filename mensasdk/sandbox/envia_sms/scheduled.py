"""Functions that take the id of a sent message: send_cancel and status_message."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve

from mensasdk.sandbox.envia_sms.dates import local
from mensasdk.sandbox.envia_sms.message import Sms
from mensasdk.sandbox.envia_sms.params import joined
from mensasdk.sandbox.envia_sms.refusals import Refused
from mensasdk.sandbox.envia_sms.state import State

__all__ = ["DONE", "send_cancel", "status_message"]

DONE = "Acción realizada"


def send_cancel(state: State, params: Mapping[str, str], test: bool) -> Mapping[str, Any]:
    """Answer send_cancel: cancel scheduled messages and refund their credits, or send them now.

    In test mode the request is checked and answered, and nothing changes.

    Raises:
        Refused: 301 to 304, or 400 for an unknown ``tipo``.
    """
    kind = params.get("tipo")
    if not kind:
        raise Refused(301)
    if kind not in ("cancel", "send"):
        raise Refused(400)
    message_id = params.get("identificador")
    if not message_id:
        raise Refused(302)
    if message_id == "*":
        waiting = state.store.pending()
    else:
        sms = state.store.get(message_id)
        if sms is None:
            raise Refused(303)
        waiting = [sms] if sms.pending else []
    if not waiting:
        raise Refused(304)
    if not test:
        for sms in waiting:
            (_cancel if kind == "cancel" else _send_now)(state, sms)
    return {"message": DONE}


def status_message(state: State, params: Mapping[str, str], test: bool) -> Mapping[str, Any]:
    """Answer status_message: the state of a message; in test mode ``Modo pruebas`` for every message.

    Raises:
        Refused: 302, 303, 601 or 602.
    """
    message_id = params.get("identificador")
    if not message_id:
        raise Refused(302)
    sms = state.store.get(message_id)
    if sms is None:
        raise Refused(303)
    if joined(params.get("numero", "")) != sms.number:
        raise Refused(601)
    found = ("Modo pruebas", "") if test else sms.status(state.box)
    if found is None:
        raise Refused(602)
    status, description = found
    return {
        "number": sms.number,
        "status": status,
        "description": [description] if description else [],
        "identificador": sms.id,
        "date": local(sms.goes_out),
    }


def _cancel(state: State, sms: Sms) -> None:
    sms.over = True
    state.account.credits += sms.credits
    state.box.ledger.change(state.name, sms.id, lambda message: evolve(message, state="cancelled"), refund=sms.credits)


def _send_now(state: State, sms: Sms) -> None:
    sms.scheduled_at, sms.at, sms.due = None, datetime.now(UTC), time.monotonic()
    state.box.ledger.change(
        state.name, sms.id, lambda message: evolve(message, state="sent", scheduled_at=None), refund=Decimal(0)
    )
