"""Functions that take the id of a sent message: CancelarSMS, ReprogramarSMS and GetReportSMS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve

from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.sandbox.mensatek.dates import moment_of
from mensasdk.sandbox.mensatek.message import Group, Send
from mensasdk.sandbox.mensatek.params import Params
from mensasdk.sandbox.mensatek.posting import Posting
from mensasdk.sandbox.mensatek.refusals import Refused
from mensasdk.sandbox.mensatek.state import State

__all__ = ["cancel", "report", "reschedule"]


def cancel(state: State, params: Params) -> Mapping[str, Any]:
    """Answer CancelarSMS: cancel the waiting messages of a group, and give their credits back.

    Raises:
        Refused: -2 to -5; nothing was cancelled.
    """
    left = state.account.credits
    group = _group(state, params, CRED=left)
    waiting = _waiting(group, CRED=left)
    back = sum((send.credits for send in waiting), Decimal(0))
    for send in waiting:
        send.over = True
    state.account.credits += back
    ids = _report_ids(waiting)
    state.box.ledger.change(
        state.name,
        str(group.message_id),
        lambda message: evolve(message, state="cancelled") if message.report_id in ids else message,
        back,
    )
    count = sum(len(send.numbers) for send in waiting)
    return {"Res": count, "IDMENSAJE": group.message_id, "CRED": state.account.credits, "CREDR": back}


def reschedule(state: State, params: Params) -> Mapping[str, Any]:
    """Answer ReprogramarSMS: set another date for the waiting messages of a group.

    Raises:
        Refused: -2 to -7; no date was changed.
    """
    left = state.account.credits
    group = _group(state, params, Cred=left)
    date = params.text("Fecha", required=True)
    waiting = _waiting(group, Cred=left)
    moment = moment_of(date)
    if moment is None:
        raise Refused(-6, Cred=left)
    if moment <= datetime.now(UTC):
        raise Refused(-7, Cred=left)
    ids = _report_ids(waiting)
    for send in waiting:
        # The copy replaces the send. Callbacks that wait for the old date see that the old send is over.
        moved = evolve(send, scheduled_at=moment)
        send.over = True
        group.sends[group.sends.index(send)] = moved
        moved.start(state.box)
        Posting(state, moved).start()

    def change(message: LedgerMessage) -> LedgerMessage:
        return evolve(message, scheduled_at=moment) if message.report_id in ids else message

    state.box.ledger.change(state.name, str(group.message_id), change)
    return {"Res": sum(len(send.numbers) for send in waiting), "Cred": left}


def report(state: State, params: Params) -> Mapping[str, Any]:
    """Answer GetReportSMS: the state of every recipient who was accepted and not cancelled.

    Raises:
        Refused: -2 or -3, or -4 if all messages of the id were cancelled.
    """
    group = _group(state, params, Cred=state.account.credits)
    rows = [row for send in group.sends if not send.over for row in send.reports(state.box)]
    if not rows:
        raise Refused(-4, Cred=state.account.credits)
    return {"Res": 1, "Destinatarios": len(rows), "Cred": state.account.credits, "Informe": rows}


def _group(state: State, params: Params, **more: Decimal) -> Group:
    group = state.groups.get(params.integer("Idmensaje", required=True) or 0)
    if group is None:
        raise Refused(-2, **more)
    return group


def _waiting(group: Group, **more: Decimal) -> list[Send]:
    waiting = [send for send in group.sends if send.pending]
    if not waiting:
        raise Refused(-5 if all(send.over for send in group.sends) else -4, **more)
    return waiting


def _report_ids(sends: list[Send]) -> set[str]:
    return {str(send.first_report + index) for send in sends for index in range(len(send.numbers))}
