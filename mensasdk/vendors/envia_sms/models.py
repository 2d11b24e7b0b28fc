"""envia-sms.com's answers as frozen values, and what a message may bring along.

Source: envia-sms.com, "API SMS" (5 August 2022). Each attribute names the vendor's field that it stands for.
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
    """What only envia-sms.com has, for a `Message`.

    The vendor sends from templates only. For a message with a ``text``, register a template that consists of one
    variable (a pass-through template), and say so here: ``EnviaSmsOptions(template="7", text_variable="mensaje")``
    sends each text as ``var_mensaje`` of template 7.

    Args:
        template: id of the template for messages that name none.
        text_variable: the template's variable that takes a message's text, with its ``{name}`` placeholders filled in;
            the message's variables are then not sent by themselves. None to refuse messages with a text.
        unicode: send as UCS-2, at a message for every 70 characters. None for UCS-2 where the text, or a variable,
            holds a character that 7 bits cannot carry.
        allow_duplicates: send the same text to the same number again within the hour; else the vendor drops it.
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
    """Answer of ``send``.

    Attributes:
        message_ids: ``identificador``, which is an object or a list; one for each message that the vendor counts, as
            far as is known.
        text: ``mensaje_enviado``, the text as it is sent.
        number: ``numero``, country calling code and number joined.
        scheduled_at: ``fecha_programada``, aware, on the clock of the client's ``time_zone``; None when it was sent at
            once, and where the date cannot be read.
        message: ``mensaje``, the vendor's confirmation in Spanish.
        links_shortened: whether ``short_links`` was obeyed: False where a link that was given stands in ``text`` as it
            was given, True where it does not and a short one does; None where that cannot be told, and without
            ``short_links`` or links.
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
        # Answers end up in logs; numbers and texts are nobody's business there.
        return f"SendResult(message_ids={self.message_ids!r}, scheduled_at={self.scheduled_at!r})"

    @property
    def message_id(self) -> str:
        """The identifier for `EnviaSmsClient.get_status` and the others: the first of ``message_ids``."""
        return self.message_ids[0]


# ---------------------------------------------------------------------------------------------- scheduled messages


@frozen(kw_only=True)
class ActionResult:
    """Answer of ``send_cancel``.

    Attributes:
        message: ``message``, the vendor's confirmation in Spanish: ``Acción realizada``.
        raw: all fields as received.
    """

    message: str = wire("message", "mensaje", default="")
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------------- status


def _reasons(value: Any) -> tuple[Reason, ...]:
    """``description``: a list, empty when all is well. A plain text and an object are read as well."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        value = [value]
    return tuple(Reason(text) for item in value if item is not None and (text := to_str(item).strip()))


@frozen(kw_only=True, repr=False)
class StatusReport:
    """Answer of ``status_message``.

    Attributes:
        status: ``status``.
        reasons: ``description``: why it failed; empty otherwise.
        number: ``number``, country calling code and number joined.
        message_id: ``identificador``.
        at: ``date``, aware, on the clock of the client's ``time_zone`` (an assumption: the document names a zone for
            schedules only); None where it cannot be read.
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
        """The vendor-neutral state: that of the status, and EXPIRED for an error by ``Mensaje_expirado``."""
        if self.status is Status.ERROR and Reason.EXPIRED in self.reasons:
            return DeliveryState.EXPIRED
        return self.status.state

    @property
    def is_final(self) -> bool:
        """No further change is expected."""
        return self.status.is_final

    def to_delivery(self) -> Delivery:
        """The report in vendor-neutral terms, with the number in E.164 where it is one."""
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
    """One line of ``paises``: a country that can be sent to, and what an SMS there costs.

    Prices are in credits for one SMS (an assumption: the document names no unit), by the package that the account
    has bought.

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
    """Answer of ``paises``: a list, which is all there is in ``response``."""

    countries: tuple[Country, ...] = wire("response")


@frozen(kw_only=True)
class Credits:
    """Answer of ``creditos_disponibles``.

    Attributes:
        credits: ``creditos_disponibles``.
        raw: all fields as received.
    """

    credits: Decimal = wire("creditos_disponibles")
    raw: Mapping[str, Any] = raw_field()
