"""envia-sms.com's requests as frozen values, in the vendor's own terms.

Source: envia-sms.com, "API SMS" (5 August 2022). `EnviaSmsClient` makes them from friendlier values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from attrs import field

from mensasdk import phone
from mensasdk._value import value
from mensasdk.codec import wire
from mensasdk.vendors.base import Call, one_or_nothing
from mensasdk.vendors.envia_sms.models import ActionResult, Countries, Credits, SendResult, StatusReport

__all__ = ["GetCredits", "GetStatus", "ListCountries", "SendCancel", "SendSms"]


@value(kw_only=True, repr=False)
class SendSms(Call[SendResult]):
    """``send`` in the vendor's own terms. `EnviaSmsClient.send_sms` makes one from friendlier values.

    Attributes:
        template: ``plantilla``.
        variables: by name without ``var_``; each goes as ``var_{name}``.
        number: ``numero``: country calling code, one comma, number.
        schedule_at: ``fecha_programar``, ``YYYY-MM-DD HH:MM:SS`` on the vendor's clock.
        unicode, allow_duplicates, short_links: ``ucs2``, ``duplicado``, ``short_link``.
    """

    function: ClassVar[str] = "send"
    answer: ClassVar[type[Any]] = SendResult

    template: str = wire("plantilla")
    number: str = wire("numero")
    schedule_at: str | None = wire("fecha_programar", default=None)
    unicode: bool = wire("ucs2", default=False, encode=one_or_nothing)
    allow_duplicates: bool = wire("duplicado", default=False, encode=one_or_nothing)
    short_links: bool = wire("short_link", default=False, encode=one_or_nothing)
    variables: Mapping[str, str] = field(factory=dict)

    def __repr__(self) -> str:
        return f"SendSms(template={self.template!r}, number={phone.mask(self.number)})"


@value(kw_only=True)
class SendCancel(Call[ActionResult]):
    """``send_cancel``: cancel a scheduled message, or send it now.

    Attributes:
        action: ``tipo``.
        message_id: ``identificador``; ``*`` for all scheduled messages.
    """

    function: ClassVar[str] = "send_cancel"
    answer: ClassVar[type[Any]] = ActionResult

    action: Literal["cancel", "send"] = wire("tipo")
    message_id: str = wire("identificador")


@value(kw_only=True, repr=False)
class GetStatus(Call[StatusReport]):
    """``status_message``: ``identificador`` and ``numero`` (country calling code, comma, number)."""

    function: ClassVar[str] = "status_message"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = StatusReport

    message_id: str = wire("identificador")
    number: str = wire("numero")

    def __repr__(self) -> str:
        return f"GetStatus(message_id={self.message_id!r}, number={phone.mask(self.number)})"


@value(kw_only=True)
class ListCountries(Call[Countries]):
    """``paises``. It only reads, and is not ``safe`` to repeat: each time costs a credit."""

    function: ClassVar[str] = "paises"
    answer: ClassVar[type[Any]] = Countries


@value(kw_only=True)
class GetCredits(Call[Credits]):
    """``creditos_disponibles``. (The prose calls the method ``cuenta``; the sample's address does not.)"""

    function: ClassVar[str] = "creditos_disponibles"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Credits
