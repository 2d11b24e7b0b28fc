"""Mensatek's requests as frozen values, in the vendor's own terms.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)". `MensatekClient` makes them from friendlier values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mensasdk._value import value
from mensasdk.codec import wire
from mensasdk.vendors.base import Call, one_or_nothing
from mensasdk.vendors.mensatek.models import (
    CancelResult,
    Credits,
    DeleteResult,
    FileList,
    Report,
    RescheduleResult,
    SendResult,
    Templates,
    UploadResult,
)

__all__ = [
    "CancelSms",
    "DeleteFile",
    "GetCredits",
    "GetReport",
    "ListFiles",
    "ListTemplates",
    "RescheduleSms",
    "SendSms",
    "UploadFile",
]


@value(kw_only=True, repr=False)
class SendSms(Call[SendResult]):
    """Parameters of ``EnviarSMS``. `MensatekClient.send_sms` makes them from friendlier values.

    Attributes:
        sender: ``Remitente``; empty for the account's default sender.
        recipients: ``Destinatarios``: objects with ``Movil`` and ``Variable_1`` to ``Variable_10``.
        text: ``Mensaje``.
        schedule_at: ``Fecha``, ``YYYY-MM-DD HH:mm`` on Spain's clock.
        reference: ``Referenciausuario``.
        report: ``Report``.
        message_id: ``Idmensaje``.
        fail_to_voice: ``Fail2voice``.
        voice_language: ``Lenguajevoz``.
        voice_sender: ``Remitentevoz``.
        unicode: ``Unicode``.
        skip_blacklist: ``Obviarlistanegra``.
        fix_utf8: ``Fixutf8``.
    """

    function: ClassVar[str] = "EnviarSMS"
    answer: ClassVar[type[Any]] = SendResult

    sender: str = wire("Remitente", default="")
    recipients: Sequence[Mapping[str, str]] = wire("Destinatarios", encode=list)
    text: str = wire("Mensaje")
    schedule_at: str | None = wire("Fecha", default=None)
    reference: str | None = wire("Referenciausuario", default=None)
    report: bool = wire("Report", default=False, encode=one_or_nothing)
    message_id: str | None = wire("Idmensaje", default=None, encode=int)
    fail_to_voice: bool = wire("Fail2voice", default=False, encode=one_or_nothing)
    voice_language: str | None = wire("Lenguajevoz", default=None)
    voice_sender: str | None = wire("Remitentevoz", default=None)
    unicode: bool = wire("Unicode", default=False, encode=one_or_nothing)
    skip_blacklist: bool = wire("Obviarlistanegra", default=False, encode=one_or_nothing)
    fix_utf8: bool = wire("Fixutf8", default=False, encode=one_or_nothing)

    def __repr__(self) -> str:
        # Tracebacks show requests, and must not show numbers and texts.
        return f"SendSms({len(self.recipients)} recipients)"


@value(kw_only=True)
class CancelSms(Call[CancelResult]):
    """Parameters of ``CancelarSMS``: ``Idmensaje``."""

    function: ClassVar[str] = "CancelarSMS"
    answer: ClassVar[type[Any]] = CancelResult

    message_id: str = wire("Idmensaje", encode=int)


@value(kw_only=True)
class RescheduleSms(Call[RescheduleResult]):
    """Parameters of ``ReprogramarSMS``: ``Idmensaje`` and ``Fecha`` (``YYYY-MM-DD HH:mm`` on Spain's clock)."""

    function: ClassVar[str] = "ReprogramarSMS"
    answer: ClassVar[type[Any]] = RescheduleResult

    message_id: str = wire("Idmensaje", encode=int)
    schedule_at: str = wire("Fecha")


@value(kw_only=True)
class GetReport(Call[Report]):
    """Parameters of ``GetReportSMS``: ``Idmensaje``."""

    function: ClassVar[str] = "GetReportSMS"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Report

    message_id: str = wire("Idmensaje", encode=int)


@value(kw_only=True, repr=False)
class UploadFile(Call[UploadResult]):
    """Parameters of ``CargarFichero``.

    Attributes:
        name: ``Nombre``.
        base64: ``Tipo``: True for BASE64, False for FILES.
        auto_delete: ``Autoborrado=Si``.
        content: the file; sent as ``Contenido`` (BASE64), or as the part ``Fichero`` of a multipart form (FILES).
    """

    function: ClassVar[str] = "CargarFichero"
    answer: ClassVar[type[Any]] = UploadResult

    name: str = wire("Nombre")
    base64: bool = wire("Tipo", default=False, encode=lambda flag: "BASE64" if flag else "FILES")
    auto_delete: bool = wire("Autoborrado", default=False, encode=lambda flag: "Si" if flag else None)
    content: bytes

    def __repr__(self) -> str:
        return f"UploadFile(name={self.name!r}, {len(self.content)} bytes)"


@value(kw_only=True)
class ListFiles(Call[FileList]):
    """Parameters of ``ListarFicheros``: none."""

    function: ClassVar[str] = "ListarFicheros"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = FileList


@value(kw_only=True)
class DeleteFile(Call[DeleteResult]):
    """Parameters of ``BorrarFichero``: ``Nombre``."""

    function: ClassVar[str] = "BorrarFichero"
    answer: ClassVar[type[Any]] = DeleteResult

    name: str = wire("Nombre")


@value(kw_only=True)
class GetCredits(Call[Credits]):
    """Parameters of ``GetCreditos``: none."""

    function: ClassVar[str] = "GetCreditos"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Credits


@value(kw_only=True)
class ListTemplates(Call[Templates]):
    """Parameters of ``GetPlantillasSMS``: none."""

    function: ClassVar[str] = "GetPlantillasSMS"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Templates
