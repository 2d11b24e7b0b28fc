"""Sending functions: addsms, smstosend, addalotofsms and addsmstosenderid."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import frozen

from mensasdk.sandbox.ledger import LedgerMessage
from mensasdk.sandbox.smsgateway24.account import Device, Newsletter
from mensasdk.sandbox.smsgateway24.dates import utc_moment
from mensasdk.sandbox.smsgateway24.message import Sms
from mensasdk.sandbox.smsgateway24.params import Params
from mensasdk.sandbox.smsgateway24.posting import Posting
from mensasdk.sandbox.smsgateway24.refusals import Refused
from mensasdk.sandbox.smsgateway24.state import State
from mensasdk.sandbox.smsgateway24.statuses import digits_of, final_status
from mensasdk.sandbox.vendor import FilePart
from mensasdk.text import segments

__all__ = ["SAVED", "Draft", "add_many", "add_sms", "add_sms_to_sender_id", "add_sms_with_login", "commit", "sim_of"]

SAVED = "Sms has been saved successfully"

_FREE = Decimal(0)
_SIMS = range(6)
_WHATSAPP = (2, 3)
_IMAGES = {"jpeg": "jpg", "jpg": "jpg", "png": "png", "webp": "webp", "gif": "gif"}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@frozen
class Draft:
    """Messages that a request, an item of a bulk request or a newsletter asks for, one for each address.

    Attributes:
        addresses: the recipients' addresses as given.
        sim: the channel, 0 to 5.
        sender: the sender that the handset would show.
        bulk: whether the messages come with addalotofsms.
        scheduled_at: time at which the messages go out (aware), or None for at once.
    """

    addresses: Sequence[str]
    body: str
    device: Device
    sim: int
    sender: str
    customerid: int | None = None
    urgent: bool = False
    bulk: bool = False
    scheduled_at: datetime | None = None
    newsletter: Newsletter | None = None


def add_sms(state: State, params: Params) -> tuple[Mapping[str, Any], int]:
    """Answer addsms: send a message to each of the numbers, which are separated by commas."""
    return _add_one(state, _draft(state, params, image=params.raw("file")))


def add_sms_with_login(state: State, params: Params) -> tuple[Mapping[str, Any], int]:
    """Answer smstosend: send without an image.

    The document mentions one number only; several numbers with commas are sent to as with addsms.
    """
    return _add_one(state, _draft(state, params))


def _add_one(state: State, draft: Draft) -> tuple[Mapping[str, Any], int]:
    made = commit(state, [draft], one_answer=True)
    answer = made[-1 if state.quirks.last_id else 0]
    return {"error": 0, "sms_id": answer.id, "message": SAVED}, len(made)


def add_many(state: State, params: Params) -> tuple[Mapping[str, Any], int]:
    """Answer addalotofsms: send all items, or refuse all (see `Quirks.partial_bulk`); the answer has no ids."""
    data = params.raw("datajson")
    if data is None:
        raise Refused("datajson is required")
    items = data.get("smsdata") if isinstance(data, dict) else None
    if not isinstance(items, list) or not items:
        raise Refused("smsdata is required")
    drafts: list[Draft] = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise Refused("smsdata is incorrect")
            drafts.append(_draft(state, Params(item), bulk=True))
        except Refused:
            if not state.quirks.partial_bulk:
                raise
    made = commit(state, drafts)
    return {"error": 0, "message": SAVED}, len(made)


def add_sms_to_sender_id(state: State, params: Params) -> tuple[Mapping[str, Any], int]:
    """Answer addsmstosenderid: send a template to one number under a Sender ID; the answer has no id."""
    account = state.account
    address = params.text("send_to", required=True)
    sender = account.sender_ids.get(params.integer("sender_id", required=True) or 0)
    template = account.templates.get(params.integer("template_id", required=True) or 0)
    if sender is None or sender.device_id not in account.devices:
        raise Refused("Sender ID not found")
    if template is None:
        raise Refused("Template not found")
    values = params.raw("template_data")
    # PHP clients write an empty object as an empty list.
    if values not in (None, []) and not isinstance(values, dict):
        raise Refused("template_data is incorrect")
    body = _PLACEHOLDER.sub(lambda match: str((values or {}).get(match[1], "")), template)
    commit(state, [Draft([address.strip()], body, account.devices[sender.device_id], 0, sender.name)])
    return {"error": 0, "message": SAVED}, 1


def sim_of(params: Params, *, required: bool = True) -> int:
    """Return the channel: 0 and 1 are SIM slots, 2 and 3 WhatsApp, 4 and 5 RCS; 0 if it is missing.

    Raises:
        Refused: the channel is unknown, or required and missing.
    """
    sim = params.integer("sim", required=required)
    if sim is None:
        return 0
    if sim not in _SIMS:
        raise Refused("sim is incorrect")
    return sim


def commit(state: State, drafts: Sequence[Draft], *, one_answer: bool = False) -> list[Sms]:
    """Store the messages, record them in the ledger and start their webhooks.

    Args:
        state: the vendor's state.
        drafts: the messages to make.
        one_answer: whether the answer names one id only, which then is the ledger's ``message_id`` of all messages.
    """
    at = datetime.now(UTC)
    created, clock = at.replace(microsecond=0), time.monotonic()
    made: list[Sms] = []
    senders: list[str] = []
    for draft in drafts:
        scheduled_at, due = draft.scheduled_at, clock
        if scheduled_at is not None:
            if scheduled_at <= at:
                scheduled_at = None
            else:
                due += (scheduled_at - at).total_seconds() * state.box.time_scale
        for address in draft.addresses:
            sms = Sms(
                state.next_id(),
                address,
                draft.body,
                draft.device,
                draft.sim,
                draft.customerid,
                draft.urgent,
                draft.bulk,
                created,
                scheduled_at,
                due,
                final_status(address),
                draft.newsletter,
            )
            made.append(sms)
            senders.append(draft.sender)
            state.store.add(sms)
            Posting(state, sms).start()
    answered = str(made[-1 if state.quirks.last_id else 0].id) if one_answer else None
    state.box.ledger.accept(len(made), _FREE, _entries(state.name, made, senders, answered, at))
    return made


def _draft(state: State, params: Params, *, image: Any = None, bulk: bool = False) -> Draft:
    # An address is taken as the customer wrote it. Commas separate addresses.
    addresses = [piece.strip() for piece in params.text("sendto", required=True).split(",") if piece.strip()]
    if not addresses:
        raise Refused("sendto is required")
    has_image = isinstance(image, FilePart)
    body = params.text("body", required=not has_image)
    found = state.account.device(params.text("device_id", required=True))
    if found is None:
        raise Refused("Device not found")
    device, sender = found
    sim = sim_of(params)
    timetosend = params.text("timetosend").strip()
    scheduled_at = utc_moment(timetosend, "timetosend") if timetosend else None
    customerid = params.integer("customerid")
    urgent = params.flag("urgent")
    if has_image:
        body = _upload(state, image, sim)
    return Draft(addresses, body, device, sim, sender or device.own_number(sim), customerid, urgent, bulk, scheduled_at)


def _upload(state: State, image: FilePart, sim: int) -> str:
    """Store an uploaded image and return its address.

    Raises:
        Refused: the format is not one that the document names, or the channel is not WhatsApp.
    """
    kind, _, subtype = image.content_type.partition("/")
    if kind != "image":
        subtype = image.filename.rpartition(".")[2].lower()
    extension = _IMAGES.get(subtype)
    if extension is None or not image.content:
        raise Refused("file is incorrect: jpeg, png, webp or gif")
    if sim not in _WHATSAPP:
        raise Refused("file is for WhatsApp only")
    return state.keep_image(image.content, extension)


def _entries(
    vendor: str, made: Sequence[Sms], senders: Sequence[str], answered: str | None, at: datetime
) -> Iterator[LedgerMessage]:
    for sms, sender in zip(made, senders, strict=True):
        yield LedgerMessage(
            vendor,
            answered or str(sms.id),
            str(sms.id),
            digits_of(sms.sendto),
            sms.body,
            sender,
            _parts(sms.body),
            _FREE,
            at,
            sms.scheduled_at,
            "" if sms.customerid is None else str(sms.customerid),
            "scheduled" if sms.scheduled_at else "sent",
        )


@functools.lru_cache(maxsize=1024)
def _parts(text: str) -> int:
    return segments(text).parts
