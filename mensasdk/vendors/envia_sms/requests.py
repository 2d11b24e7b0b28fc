"""Requests to envia-sms.com as frozen values, with texts as the vendor wants them.

Source: envia-sms.com, "API SMS" (5 August 2022). The methods of `EnviaSmsClient` build these requests.
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
    """Parameters of ``send``. `EnviaSmsClient.send_sms` builds them.

    Attributes:
        template: ``plantilla``.
        variables: values of the template's variables by name, without ``var_``; each is sent as ``var_{name}``.
        number: ``numero``: country calling code, one comma, national number.
        schedule_at: ``fecha_programar``, ``YYYY-MM-DD HH:MM:SS`` in the vendor's time zone.
        unicode: ``ucs2``.
        allow_duplicates: ``duplicado``.
        short_links: ``short_link``.
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
    """Parameters of ``send_cancel``, which cancels a scheduled message or sends it now.

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
    """Parameters of ``status_message``.

    Attributes:
        message_id: ``identificador``.
        number: ``numero``: country calling code, one comma, national number.
    """

    function: ClassVar[str] = "status_message"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = StatusReport

    message_id: str = wire("identificador")
    number: str = wire("numero")

    def __repr__(self) -> str:
        return f"GetStatus(message_id={self.message_id!r}, number={phone.mask(self.number)})"


@value(kw_only=True)
class ListCountries(Call[Countries]):
    """Request of ``paises``, without parameters. It only reads, but is not ``safe`` to repeat: it costs a credit."""

    function: ClassVar[str] = "paises"
    answer: ClassVar[type[Any]] = Countries


@value(kw_only=True)
class GetCredits(Call[Credits]):
    """Request of ``creditos_disponibles``, without parameters.

    The document's prose calls this method ``cuenta``, but the address in its sample does not.
    """

    function: ClassVar[str] = "creditos_disponibles"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Credits
