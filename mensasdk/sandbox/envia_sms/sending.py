"""Function send: send a message from a template to one number."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mensasdk.sandbox.envia_sms.account import Account, Template
from mensasdk.sandbox.envia_sms.dates import local, moment_of
from mensasdk.sandbox.envia_sms.message import Sms
from mensasdk.sandbox.envia_sms.params import destination
from mensasdk.sandbox.envia_sms.refusals import DUPLICATE, Refused
from mensasdk.sandbox.envia_sms.state import State
from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.text import Encoding, segments

__all__ = ["SENT", "send"]

SENT = "Mensaje enviado correctamente"

_GSM_LIMIT, _UCS2_LIMIT, _UCS2_PART = 160, 500, 70
# The document has codes for fields that are too long, but gives no lengths; these are the sandbox's own.
_LONGEST_FIELD, _LONGEST_ID, _LONGEST_SENDER = 1000, 50, 11
_LEVELS = frozenset({"1", "2", "3"})
_LINK = re.compile(r"https?://", re.IGNORECASE)
_WHOLE_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_BY_STATE = {"disabled": 130, "rejected": 131, "review": 132, "foreign": 137}
_DIGITS36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def send(state: State, params: Mapping[str, str], test: bool) -> tuple[Mapping[str, Any] | None, int]:
    """Answer send: return the ``response`` and the count of messages accepted and charged.

    The count is 1, or 0 in test mode and for a duplicate.

    Raises:
        Refused: nothing was sent or charged.
    """
    account = state.account
    country, number = destination(account, params)
    _check_fields(params)
    text, sent_text = _texts(account, params)
    ucs2 = params.get("ucs2") == "1"
    parts = _parts(sent_text, ucs2)
    if account.forbidden_words and not account.forbidden_words.isdisjoint(re.findall(r"\w+", sent_text.casefold())):
        raise Refused(135)
    now = datetime.now(UTC)
    scheduled_at = _schedule(params, now, test)
    cost = Decimal(0) if test else country.price(account.plan) * parts

    key = twin = None
    if not test:
        # The text before its links are shortened, so that ``short_link`` makes no difference.
        key = (number, text)
        if params.get("duplicado") != "1":
            twin = state.store.twin(
                key, scheduled_at or now, account.duplicate_window, by_clock=state.quirks.duplicates_by_clock
            )
    if twin is None and cost > account.credits:
        raise Refused(5)
    if twin is not None and state.quirks.duplicate_answer == "refused":
        raise Refused(DUPLICATE)

    sms = Sms(state.next_id(), number, now, scheduled_at, time.monotonic(), cost, test=test, key=key)
    if scheduled_at is not None:
        sms.due += (scheduled_at - now).total_seconds() * state.box.time_scale
    accepted = 0
    if twin is not None:
        # A dropped duplicate costs nothing, waits for no date, and no later message is a duplicate of it.
        sms.duplicate, sms.scheduled_at, sms.credits, sms.key = True, None, Decimal(0), None
    elif not test:
        accepted = 1
        account.credits -= cost
        state.box.ledger.accept(1, cost, _entry(state.name, sms, sent_text, parts, params))
    state.store.add(sms)
    given: Any = {"0": sms.id}
    if twin is not None and state.quirks.duplicate_answer != "new_id":
        if state.quirks.duplicate_answer == "no_data":
            return None, accepted
        given = {"0": twin.id} if state.quirks.duplicate_answer == "first_id" else []
    response = {
        "mensaje": SENT,
        "mensaje_enviado": sent_text,
        "numero": number,
        "fecha_programada": None if scheduled_at is None else local(scheduled_at),
        "identificador": given,
    }
    return response, accepted


def _check_fields(params: Mapping[str, str]) -> None:
    """Check single fields; ``nivel``, ``link_notificacion``, ``identificador`` and ``remitente`` are guessed names."""
    if any(len(value) > _LONGEST_FIELD for value in params.values()):
        raise Refused(113)
    level, link = params.get("nivel"), params.get("link_notificacion")
    if level and level not in _LEVELS:
        raise Refused(114)
    if link and not level:
        raise Refused(115)
    if level and not link:
        raise Refused(116)
    if len(params.get("identificador", "")) > _LONGEST_ID:
        raise Refused(118)
    if len(params.get("remitente", "")) > _LONGEST_SENDER:
        raise Refused(121)


def _texts(account: Account, params: Mapping[str, str]) -> tuple[str, str]:
    """Return the template's text with its variables filled in, and the same text with links shortened if asked for."""
    template = account.templates.get(params.get("plantilla", ""))
    if template is None:
        raise Refused(129)
    if template.state != "enabled":
        raise Refused(_BY_STATE[template.state])
    values: dict[str, str] = {}
    for name in template.names:
        value = params.get(f"var_{name}")
        if value is None:
            raise Refused(136)
        values[name] = value
    for name, value in values.items():
        if name in template.urls:
            if not _WHOLE_LINK.fullmatch(value):
                raise Refused(134)
        elif _LINK.search(value):
            raise Refused(133)
    text = _filled(template, values)
    if not text.strip():
        raise Refused(125)
    if not template.urls or not account.short_links or params.get("short_link") != "1":
        return text, text
    return text, _filled(template, {**values, **{name: _short(values[name]) for name in template.urls}})


def _filled(template: Template, values: Mapping[str, str]) -> str:
    pieces = list(template.pieces)
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    return "".join(pieces)


def _short(link: str) -> str:
    """Return a short link, always the same for the same link, so that none need be stored."""
    number, code = zlib.crc32(link.encode()), ""
    for _ in range(4):
        number, digit = divmod(number, 36)
        code += _DIGITS36[digit]
    return f"https://miurl.link/r/{code}"


def _parts(text: str, ucs2: bool) -> int:
    if ucs2:
        # UCS-2 has only the characters of the basic multilingual plane.
        if any(character > "\uffff" for character in text):
            raise Refused(119)
        if len(text) > _UCS2_LIMIT:
            raise Refused(102)
        return -(-len(text) // _UCS2_PART)
    counted = segments(text)
    if counted.encoding is not Encoding.GSM:
        raise Refused(119)
    if counted.units > _GSM_LIMIT:
        raise Refused(124)
    return 1


def _schedule(params: Mapping[str, str], now: datetime, test: bool) -> datetime | None:
    text = params.get("fecha_programar")
    if not text:
        return None
    if test:
        raise Refused(106)
    moment = moment_of(text)
    if moment is None or moment <= now:
        raise Refused(108)
    return moment


def _entry(vendor: str, sms: Sms, text: str, parts: int, params: Mapping[str, str]) -> Iterator[LedgerMessage]:
    yield LedgerMessage(
        vendor,
        sms.id,
        sms.id,
        sms.number,
        text,
        params.get("remitente", ""),
        parts,
        sms.credits,
        sms.at,
        sms.scheduled_at,
        params.get("identificador", ""),
        "sent" if sms.scheduled_at is None else "scheduled",
    )
