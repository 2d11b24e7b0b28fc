"""Function EnviarSMS: check a request, choose its recipients, and charge the messages."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import define, field

from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.sandbox.mensatek.dates import moment_of
from mensasdk.sandbox.mensatek.message import Group, Send
from mensasdk.sandbox.mensatek.params import Params
from mensasdk.sandbox.mensatek.posting import Posting
from mensasdk.sandbox.mensatek.refusals import Refused
from mensasdk.sandbox.mensatek.state import State
from mensasdk.sandbox.mensatek.text import count_parts, has_placeholders, number_of, personalise

__all__ = ["recipients_of", "send_sms"]

_SENDER = re.compile(r"\+?[0-9]{1,15}|[A-Za-z0-9&_]{1,11}")
_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}(?::[12])?")
_VARIABLES = frozenset(f"variable_{n}" for n in range(1, 11))
# Lower-case names by their usual spelling, so that most names need no call of `lower`.
_CELLS = {"Movil": "movil", **{name.capitalize(): name for name in _VARIABLES}}
_NO_VARIABLES: Mapping[str, str] = {}


@define
class _Batch:
    """Recipients of a request, without the invalid, repeated and blacklisted ones.

    Attributes:
        text: the text as it was given.
        numbers: the recipients' numbers.
        texts: each recipient's text; None if all have the same.
        parts: each recipient's count of SMS parts.
        costs: each recipient's credits.
        dropped: count of the recipients left out.
    """

    text: str
    numbers: array[int] = field(factory=lambda: array("Q"))
    texts: list[str] | None = None
    parts: list[int] = field(factory=list)
    costs: list[Decimal] = field(factory=list)
    dropped: int = 0


def send_sms(state: State, params: Params) -> tuple[Mapping[str, Any], int]:
    """Answer EnviarSMS: return the data of the answer and the count of messages accepted.

    Raises:
        Refused: -2 or -3; nothing was sent or charged.
    """
    account = state.account
    sender, group = _sender_and_group(state, params)
    rows = recipients_of(params.raw("Destinatarios"))
    text = params.text("Mensaje", required=True, fix=params.flag("Fixutf8"))
    if not text:
        raise Refused(-3, Error="Falta parámetro obligatorio: Mensaje")
    scheduled_at = _schedule(params)
    reference = params.text("Referenciausuario")
    report = params.flag("Report")
    _check_voice(state, params)
    unicode = params.flag("Unicode")
    blacklist = set() if params.flag("Obviarlistanegra") else account.blacklist

    batch = _batch(state, rows, text, unicode, blacklist, group)
    count = len(batch.numbers)
    if not count and not state.quirks.zero_when_all_dropped:
        raise Refused(-3, Error="Ningún destinatario válido: números incorrectos, repetidos o en lista negra")
    cost = sum(batch.costs, Decimal(0))
    if cost > account.credits:
        raise Refused(-2, Cred=account.credits, CreditosNecesarios=cost)

    account.credits -= cost
    if count:
        group = _commit(state, group, sender, batch, cost, reference, report, scheduled_at)
    listed: Any = count
    if state.quirks.destinatarios_as_list:
        listed = [{"Movil": str(number)} for number in batch.numbers]
    answer: dict[str, Any] = {"Res": count, "Destinatarios": listed}
    if group is not None:
        answer["Msgid"] = group.message_id
        if not state.quirks.msgid_only:
            answer["idMensaje"] = group.message_id
    answer |= {
        "Cred": account.credits,
        "Mensajes": sum(batch.parts),
        "NoEnviados": batch.dropped,
        "CreditosUsados": cost,
    }
    return answer, count


def recipients_of(value: Any) -> list[tuple[str, Mapping[str, str]]]:
    """Return the recipients' numbers as given, each with its variables by lower-case name.

    The document asks for an array of objects. One object, bare numbers and a string with ``;`` between the numbers, as
    in older versions, are accepted too.

    Raises:
        Refused: -3.
    """
    if isinstance(value, str):
        value = [piece for piece in value.split(";") if piece.strip()]
    elif isinstance(value, (dict, int)):
        value = [value]
    if not isinstance(value, list) or not value:
        raise Refused(-3, Error="Falta parámetro obligatorio: Destinatarios")
    return [_recipient(row) for row in value]


def _recipient(row: Any) -> tuple[str, Mapping[str, str]]:
    if isinstance(row, (str, int)) and not isinstance(row, bool):
        return str(row), _NO_VARIABLES
    if not isinstance(row, dict):
        raise Refused(-3, Error="Destinatario incorrecto")
    number: Any = None
    variables: dict[str, str] = {}
    for name, cell in row.items():
        key = _CELLS.get(name) or str(name).lower()
        if key == "movil":
            number = cell
        elif key in _VARIABLES and isinstance(cell, (str, int, float)):
            variables[key] = str(cell)
        elif key.startswith("variable_"):
            raise Refused(-3, Error="Las variables van de Variable_1 a Variable_10")
        # Further fields of a recipient, which older versions knew, are ignored.
    if not isinstance(number, (str, int)) or isinstance(number, bool):
        raise Refused(-3, Error="Falta Movil en un destinatario")
    return str(number), variables or _NO_VARIABLES


def _sender_and_group(state: State, params: Params) -> tuple[str, Group | None]:
    sender = params.text("Remitente", required=True)
    message_id = params.integer("Idmensaje")
    if message_id:
        group = state.groups.get(message_id)
        if group is None:
            raise Refused(-3, Error="Idmensaje no existe")
        return group.sender, group
    if not sender:
        return state.account.default_sender, None
    if not _SENDER.fullmatch(sender):
        raise Refused(
            -3, Error="Remitente incorrecto: hasta 11 letras, cifras, & o _, o un teléfono de hasta 15 cifras"
        )
    return sender, None


def _schedule(params: Params) -> datetime | None:
    text = params.text("Fecha").strip()
    if not text:
        return None
    moment = moment_of(text)
    if moment is None:
        raise Refused(-3, Error="Fecha incorrecta: el formato es AAAA-MM-DD HH:mm")
    if moment <= datetime.now(UTC):
        raise Refused(-3, Error="La Fecha ya ha pasado")
    return moment


def _check_voice(state: State, params: Params) -> None:
    if not params.flag("Fail2voice"):
        return
    if not _LANGUAGE.fullmatch(params.text("Lenguajevoz")):
        raise Refused(-3, Error="Lenguajevoz incorrecto")
    if number_of(params.text("Remitentevoz")) not in state.account.voice_senders:
        raise Refused(-3, Error="Remitentevoz no está validado")


def _batch(
    state: State,
    rows: list[tuple[str, Mapping[str, str]]],
    text: str,
    unicode: bool,
    blacklist: set[str],
    group: Group | None,
) -> _Batch:
    personal = has_placeholders(text)
    batch = _Batch(text, texts=[] if personal else None)
    account = state.account
    flat_price = None if account.prices else account.price
    costs: dict[tuple[Decimal, int], Decimal] = {}
    parts = 0 if personal else count_parts(text, unicode)
    seen = set(group.taken()) if group is not None else set()
    for movil, variables in rows:
        number = number_of(movil)
        if number is None or number in blacklist:
            batch.dropped += 1
            continue
        digits = int(number)
        if digits in seen:
            batch.dropped += 1
            continue
        seen.add(digits)
        if batch.texts is not None:
            own = personalise(text, number, variables)
            batch.texts.append(own)
            parts = count_parts(own, unicode)
        batch.numbers.append(digits)
        batch.parts.append(parts)
        price = account.price_of(number) if flat_price is None else flat_price
        cost = costs.get((price, parts))
        if cost is None:
            cost = costs[price, parts] = price * parts
        batch.costs.append(cost)
    return batch


def _commit(
    state: State,
    group: Group | None,
    sender: str,
    batch: _Batch,
    cost: Decimal,
    reference: str,
    report: bool,
    scheduled_at: datetime | None,
) -> Group:
    if group is None:
        group = Group(state.next_message_id(), sender)
        state.groups[group.message_id] = group
    send = Send(
        group=group,
        numbers=batch.numbers,
        credits=cost,
        reference=reference,
        report=report,
        at=datetime.now(UTC),
        scheduled_at=scheduled_at,
        first_report=state.next_report_ids(len(batch.numbers)),
    )
    group.add(send)
    send.start(state.box)
    Posting(state, send).start()
    state.box.ledger.accept(len(batch.numbers), cost, _entries(state.name, send, batch))
    return group


def _entries(vendor: str, send: Send, batch: _Batch) -> Iterator[LedgerMessage]:
    message_id, sender, reference = str(send.group.message_id), send.group.sender, send.reference
    state = "scheduled" if send.scheduled_at else "sent"
    for index, number in enumerate(batch.numbers):
        yield LedgerMessage(
            vendor,
            message_id,
            str(send.first_report + index),
            str(number),
            batch.text if batch.texts is None else batch.texts[index],
            sender,
            batch.parts[index],
            batch.costs[index],
            send.at,
            send.scheduled_at,
            reference,
            state,
        )
