"""Answers of envia-sms.com, and its options for a message, as frozen values.

Source: envia-sms.com, "API SMS" (5 August 2022). The description of each attribute names the vendor's field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from mensasdk import phone
from mensasdk.codec import raw_field, to_str, wire
from mensasdk.messages import Delivery, DeliveryState, VendorOptions
from mensasdk.vendors.base import e164
from mensasdk.vendors.envia_sms.codes import Reason, Status
from mensasdk.vendors.envia_sms.convert import identifiers, optional_identifier
from mensasdk.vendors.envia_sms.rules import VENDOR

__all__ = [
    "ActionResult",
    "Countries",
    "Country",
    "Credits",
    "EnviaSmsOptions",
    "SendResult",
    "StatusReport",
]


@frozen
class EnviaSmsOptions(VendorOptions):
    """Options of a `Message` that only envia-sms.com has.

    The vendor sends from templates only. To send messages with a ``text``, register a template that consists of one
    variable (a pass-through template), and name both here: ``EnviaSmsOptions(template="7", text_variable="mensaje")``
    sends each text as ``var_mensaje`` of template 7.

    Args:
        template: id of the template for messages without a ``template``.
        text_variable: the template's variable that takes a message's text, with its ``{name}`` placeholders filled in.
            The message's variables are then not sent separately. None to refuse messages with a text.
        unicode: send as UCS-2; every 70 characters count as a message. None to send as UCS-2 only where the text or a
            variable has a character that 7 bits cannot carry.
        allow_duplicates: send the same text to the same number again within the hour; without it the vendor drops it.
        short_links: shorten links in variables; see `EnviaSmsClient.send_sms`.
    """

    template: str | None = None
    text_variable: str | None = None
    unicode: bool | None = field(default=None, kw_only=True)
    allow_duplicates: bool = field(default=False, kw_only=True)
    short_links: bool = field(default=False, kw_only=True)


# ------------------------------------------------------------------------------------------------------ sending


@frozen(kw_only=True, repr=False)
class SendResult:
    """Answer to ``send``.

    Attributes:
        message_ids: ``identificador``, which is an object or a list: one identifier for each message that the vendor
            counts, as far as is known.
        text: ``mensaje_enviado``, the text that the vendor sends.
        number: ``numero``: country calling code and national number, without a comma.
        scheduled_at: ``fecha_programada``, aware, in the client's ``time_zone``; None where the message was sent at
            once, and where the date cannot be read.
        message: ``mensaje``, the vendor's confirmation in Spanish.
        links_shortened: whether the vendor obeyed ``short_links``: False where ``text`` has one of the long links, True
            where it has short links only. None without ``short_links``, without links, and where ``text`` does not
            show it.
        raw: all fields as received.
    """

    message_ids: tuple[str, ...] = wire("identificador", default=(), convert=identifiers)
    text: str | None = wire("mensaje_enviado", default=None)
    number: str | None = wire("numero", "number", default=None)
    scheduled_at: datetime | None = wire("fecha_programada", default=None)
    message: str = wire("mensaje", "message", default="")
    links_shortened: bool | None = None
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        # Answers end up in logs, where numbers and texts must not appear.
        return f"SendResult(message_ids={self.message_ids!r}, scheduled_at={self.scheduled_at!r})"

    @property
    def message_id(self) -> str:
        """Identifier for `EnviaSmsClient.get_status` and other methods: the first of ``message_ids``."""
        return self.message_ids[0]


# ---------------------------------------------------------------------------------------------- scheduled messages


@frozen(kw_only=True)
class ActionResult:
    """Answer to ``send_cancel``.

    Attributes:
        message: ``message``, the vendor's confirmation in Spanish: ``Acción realizada``.
        raw: all fields as received.
    """

    message: str = wire("message", "mensaje", default="")
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------------- status


def _reasons(value: Any) -> tuple[Reason, ...]:
    """Read ``description``: a list, empty without an error. A plain text and an object are read as well."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    return tuple(Reason(text) for item in value if item is not None and (text := to_str(item).strip()))


@frozen(kw_only=True, repr=False)
class StatusReport:
    """Answer to ``status_message``.

    Attributes:
        status: ``status``.
        reasons: ``description``: why the delivery failed; empty otherwise.
        number: ``number``: country calling code and national number, without a comma.
        message_id: ``identificador``.
        at: ``date``, aware, in the client's ``time_zone`` (an assumption: the document names a zone for schedules
            only); None where the date cannot be read.
        raw: all fields as received.
    """

    status: Status = wire("status", convert=Status)
    reasons: tuple[Reason, ...] = wire("description", default=(), convert=_reasons)
    number: str = wire("number", "numero", default="")
    message_id: str | None = wire("identificador", default=None, convert=optional_identifier)
    at: datetime | None = wire("date", default=None)
    raw: Mapping[str, Any] = raw_field()

    def __repr__(self) -> str:
        return (
            f"StatusReport(status={self.status!r}, reasons={self.reasons!r}, number={phone.mask(self.number)}, "
            f"message_id={self.message_id!r}, at={self.at!r})"
        )

    @property
    def state(self) -> DeliveryState:
        """Vendor-neutral state: the state of the status, but EXPIRED for an error with ``Mensaje_expirado``."""
        if self.status is Status.ERROR and Reason.EXPIRED in self.reasons:
            return DeliveryState.EXPIRED
        return self.status.state

    @property
    def is_final(self) -> bool:
        """Tell whether no further change is expected."""
        return self.status.is_final

    def to_delivery(self) -> Delivery:
        """Return this report as a `Delivery`, with the number in E.164 where it is a valid number."""
        return Delivery(
            vendor=VENDOR,
            vendor_id=self.message_id,
            number=e164(self.number),
            state=self.state,
            code=str(self.status),
            at=self.at,
            raw=self.raw,
        )


# ------------------------------------------------------------------------------------------ countries and credits


@frozen(kw_only=True)
class Country:
    """Country that the vendor sends to, with its prices: one entry of ``paises``.

    Prices are credits for one SMS (an assumption: the document names no unit). There is one for each package that an
    account can buy.

    Attributes:
        code: ``codigo_pais``, ISO 3166 alpha-2.
        name: ``nombre_pais``, in Spanish.
        calling_code: ``prefijo``, digits.
        price_free: ``precio_gratis``.
        price_starter: ``precio_inicio``.
        price_basic: ``precio_basico``.
        price_intermediate: ``precio_intermedio``.
        price_professional: ``precio_profesional``.
        raw: all fields as received.
    """

    code: str = wire("codigo_pais")
    name: str = wire("nombre_pais", default="")
    calling_code: str = wire("prefijo", convert=lambda value: to_str(value).strip().lstrip("+"))
    price_free: Decimal | None = wire("precio_gratis", default=None)
    price_starter: Decimal | None = wire("precio_inicio", default=None)
    price_basic: Decimal | None = wire("precio_basico", default=None)
    price_intermediate: Decimal | None = wire("precio_intermedio", default=None)
    price_professional: Decimal | None = wire("precio_profesional", default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class Countries:
    """Answer to ``paises``: its ``response`` is a list of countries."""

    countries: tuple[Country, ...] = wire("response")


@frozen(kw_only=True)
class Credits:
    """Answer to ``creditos_disponibles``.

    Attributes:
        credits: ``creditos_disponibles``.
        raw: all fields as received.
    """

    credits: Decimal = wire("creditos_disponibles")
    raw: Mapping[str, Any] = raw_field()
