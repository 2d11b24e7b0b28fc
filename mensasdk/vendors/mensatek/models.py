"""Mensatek's requests and answers as frozen values.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)". Each attribute names the vendor's field that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any, ClassVar

from attrs import frozen

from mensasdk.codec import raw_field, to_id, wire
from mensasdk.messages import VendorOptions
from mensasdk.schedule import parse_wall_clock, reads_plain_times, zone
from mensasdk.vendors.base import Call
from mensasdk.vendors.mensatek.codes import StatusCode
from mensasdk.vendors.mensatek.convert import CONVERTER
from mensasdk.vendors.mensatek.rules import ZONE

__all__ = [
    "CancelResult",
    "CancelSms",
    "Credits",
    "DeleteFile",
    "DeleteResult",
    "FileList",
    "GetCredits",
    "GetReport",
    "LibraryFile",
    "ListFiles",
    "ListTemplates",
    "MensatekOptions",
    "Report",
    "ReportLine",
    "RescheduleResult",
    "RescheduleSms",
    "SendResult",
    "SendSms",
    "Templates",
    "UploadFile",
    "UploadResult",
]

_CREDITS = ("Cred", "Saldo", "Creditos")
_ID = ("idMensaje", "Msgid")
_RESULT = ("Res", "Resp")


@reads_plain_times(lambda: zone(ZONE))
def local_time(value: Any) -> datetime | None:
    """Read a date of an answer: Spain's wall clock (an assumption, the document names no zone), or v5's 14 digits.

    What is in none of these forms is None and stays in ``raw``: some forms are assumptions too, and a whole report, or
    a callback that comes once, is worth more than its date.
    """
    try:
        return parse_wall_clock(str(value), zone(ZONE), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")
    except ValueError:
        return None


def _count(value: Any) -> int | None:
    """``Destinatarios`` of an answer: the document calls it an array in one place and a number in another."""
    if value.__class__ is int:
        return value
    if isinstance(value, list | dict):
        return len(value)
    return None if value is None or str(value).strip() == "" else int(str(value))


@frozen
class MensatekOptions(VendorOptions):
    """What only Mensatek has, for a `Message`. The attributes are those of `MensatekClient.send_sms`."""

    report: bool = False
    message_id: str | None = None
    fail_to_voice: bool = False
    voice_language: str | None = None
    voice_sender: str | None = None
    unicode: bool = False
    skip_blacklist: bool = False
    fix_utf8: bool = False


def _flag(value: bool) -> int | None:
    """1, or nothing: 0 is every flag's default at the vendor's."""
    return 1 if value else None


# ------------------------------------------------------------------------------------------------------ sending


@frozen(kw_only=True)
class SendResult:
    """Answer of ``EnviarSMS``.

    Attributes:
        accepted: ``Res``, messages that the vendor took.
        message_id: ``idMensaje`` (``Msgid`` for old clients), the id of this group of messages.
        recipients: ``Destinatarios``, how many recipients the vendor counted.
        messages: ``Mensajes``, SMS sent. The document does not say whether parts are counted singly.
        not_sent: ``NoEnviados``, recipients dropped as duplicate or wrong.
        duplicates: ``Duplicados``, of sibling functions; read where present.
        credits_used: ``CreditosUsados``.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    accepted: int = wire(*_RESULT)
    message_id: str | None = wire(*_ID, default=None, convert=to_id)
    recipients: int | None = wire("Destinatarios", default=None, convert=_count)
    messages: int | None = wire("Mensajes", default=None)
    not_sent: int | None = wire("NoEnviados", default=None)
    duplicates: int | None = wire("Duplicados", default=None)
    credits_used: Decimal | None = wire("CreditosUsados", default=None)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class SendSms(Call[SendResult]):
    """``EnviarSMS`` in the vendor's own terms. `MensatekClient.send_sms` makes one from friendlier values.

    Attributes:
        sender: ``Remitente``; empty for the account's default sender.
        recipients: ``Destinatarios``: objects with ``Movil`` and ``Variable_1`` to ``Variable_10``.
        text: ``Mensaje``.
        schedule_at: ``Fecha``, ``YYYY-MM-DD HH:mm`` on Spain's clock.
        reference: ``Referenciausuario``.
        report, message_id, fail_to_voice, voice_language, voice_sender, unicode, skip_blacklist, fix_utf8:
            ``Report``, ``Idmensaje``, ``Fail2voice``, ``Lenguajevoz``, ``Remitentevoz``, ``Unicode``,
            ``Obviarlistanegra``, ``Fixutf8``.
    """

    function: ClassVar[str] = "EnviarSMS"
    answer: ClassVar[type[Any]] = SendResult

    sender: str = wire("Remitente", default="")
    recipients: Sequence[Mapping[str, str]] = wire("Destinatarios", encode=list)
    text: str = wire("Mensaje")
    schedule_at: str | None = wire("Fecha", default=None)
    reference: str | None = wire("Referenciausuario", default=None)
    report: bool = wire("Report", default=False, encode=_flag)
    message_id: str | None = wire("Idmensaje", default=None, encode=int)
    fail_to_voice: bool = wire("Fail2voice", default=False, encode=_flag)
    voice_language: str | None = wire("Lenguajevoz", default=None)
    voice_sender: str | None = wire("Remitentevoz", default=None)
    unicode: bool = wire("Unicode", default=False, encode=_flag)
    skip_blacklist: bool = wire("Obviarlistanegra", default=False, encode=_flag)
    fix_utf8: bool = wire("Fixutf8", default=False, encode=_flag)

    def __repr__(self) -> str:
        # Requests end up in tracebacks; numbers and texts are nobody's business there.
        return f"SendSms({len(self.recipients)} recipients)"


@frozen(kw_only=True)
class CancelResult:
    """Answer of ``CancelarSMS``.

    Attributes:
        cancelled: ``Res``, recipients cancelled. The document says above zero, its predecessor zero or above.
        message_id: ``IDMENSAJE``.
        credits_left: ``CRED``.
        credits_recovered: ``CREDR``.
        raw: all fields as received.
    """

    cancelled: int = wire(*_RESULT)
    message_id: str | None = wire(*_ID, default=None)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    credits_recovered: Decimal | None = wire("CREDR", default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class CancelSms(Call[CancelResult]):
    """``CancelarSMS``: ``Idmensaje``."""

    function: ClassVar[str] = "CancelarSMS"
    answer: ClassVar[type[Any]] = CancelResult

    message_id: str = wire("Idmensaje", encode=int)


@frozen(kw_only=True)
class RescheduleResult:
    """Answer of ``ReprogramarSMS``.

    Attributes:
        rescheduled: ``Res``, messages rescheduled.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    rescheduled: int = wire(*_RESULT)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class RescheduleSms(Call[RescheduleResult]):
    """``ReprogramarSMS``: ``Idmensaje`` and ``Fecha`` (``YYYY-MM-DD HH:mm`` on Spain's clock)."""

    function: ClassVar[str] = "ReprogramarSMS"
    answer: ClassVar[type[Any]] = RescheduleResult

    message_id: str = wire("Idmensaje", encode=int)
    schedule_at: str = wire("Fecha")


# ------------------------------------------------------------------------------------------------------ reports


@frozen(kw_only=True)
class ReportLine:
    """One recipient in a report (``Informe``).

    Attributes:
        number: ``Telefono`` (``Movil`` in older clients), digits with the country code.
        status: ``Resultado``.
        status_text: ``Estado``, in Spanish.
        at: ``Fecha``, aware; Spain's clock is an assumption, the document names no zone.
        seconds: ``Tiempo``, seconds until the message reached this status.
        raw: all fields as received.
    """

    number: str = wire("Telefono", "Movil")
    status: StatusCode = wire("Resultado")
    status_text: str = wire("Estado", default="")
    at: datetime | None = wire("Fecha", default=None, convert=local_time)
    seconds: int | None = wire("Tiempo", default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class Report:
    """Answer of ``GetReportSMS``.

    Attributes:
        recipients: ``Destinatarios``, recipients in the message.
        lines: ``Informe``, one for each recipient.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    recipients: int | None = wire("Destinatarios", default=None, convert=_count)
    lines: tuple[ReportLine, ...] = wire("Informe")
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class GetReport(Call[Report]):
    """``GetReportSMS``: ``Idmensaje``."""

    function: ClassVar[str] = "GetReportSMS"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Report

    message_id: str = wire("Idmensaje", encode=int)


# ------------------------------------------------------------------------------------------------- file library


@frozen(kw_only=True)
class UploadResult:
    """Answer of ``CargarFichero``.

    Attributes:
        name: ``Nombre``, the name that the file has in the library.
        overwritten: ``Sobrescrito``, an older file of this name is gone; from older documents, None where absent.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    name: str = wire("Nombre")
    overwritten: bool | None = wire("Sobrescrito", default=None)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class UploadFile(Call[UploadResult]):
    """``CargarFichero``.

    Attributes:
        name: ``Nombre``.
        content: the file. Goes as ``Contenido`` (BASE64) or as the part ``Fichero`` of a multipart form (FILES).
        base64: which of the two; ``Tipo``.
        auto_delete: ``Autoborrado=Si``.
    """

    function: ClassVar[str] = "CargarFichero"
    answer: ClassVar[type[Any]] = UploadResult

    name: str = wire("Nombre")
    base64: bool = wire("Tipo", default=False, encode=lambda flag: "BASE64" if flag else "FILES")
    auto_delete: bool = wire("Autoborrado", default=False, encode=lambda flag: "Si" if flag else None)
    content: bytes

    def __repr__(self) -> str:
        return f"UploadFile(name={self.name!r}, {len(self.content)} bytes)"


@frozen(kw_only=True)
class LibraryFile:
    """One file of the library.

    Attributes:
        name: ``Nombre``.
        extension: ``Ext``.
        uploaded_at: ``Fecha``, aware; format and zone are assumptions, the document gives neither.
    """

    name: str = wire("Nombre")
    extension: str = wire("Ext", default="")
    uploaded_at: datetime | None = wire("Fecha", default=None, convert=local_time)
    raw: Mapping[str, Any] = raw_field()


def _files(value: Any) -> tuple[LibraryFile, ...]:
    """``Ficheros``: objects; the vendor's older examples have plain names."""
    if isinstance(value, list):
        value = [
            {"Nombre": item, "Ext": PurePath(item).suffix[1:]} if isinstance(item, str) else item for item in value
        ]
    return CONVERTER.structure(value, tuple[LibraryFile, ...])


@frozen(kw_only=True)
class FileList:
    """Answer of ``ListarFicheros``: ``Ficheros``."""

    result: int = wire(*_RESULT)
    files: tuple[LibraryFile, ...] = wire("Ficheros", convert=_files)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class ListFiles(Call[FileList]):
    """``ListarFicheros``."""

    function: ClassVar[str] = "ListarFicheros"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = FileList


@frozen(kw_only=True)
class DeleteResult:
    """Answer of ``BorrarFichero``."""

    result: int = wire(*_RESULT)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class DeleteFile(Call[DeleteResult]):
    """``BorrarFichero``: ``Nombre``."""

    function: ClassVar[str] = "BorrarFichero"
    answer: ClassVar[type[Any]] = DeleteResult

    name: str = wire("Nombre")


# ------------------------------------------------------------------------------------------ credits and templates


@frozen(kw_only=True)
class Credits:
    """Answer of ``GetCreditos``: ``Cred``. The oldest form has no ``Res``."""

    result: int = wire(*_RESULT, default=1)
    credits: Decimal = wire(*_CREDITS)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class GetCredits(Call[Credits]):
    """``GetCreditos``."""

    function: ClassVar[str] = "GetCreditos"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Credits


def _templates(value: Any) -> dict[str, str]:
    """``Plantillas``: name to text. An empty set comes as a list, and XML and TXT have lists of objects."""
    if isinstance(value, Mapping):
        return {str(name): str(text) for name, text in value.items()}
    if not value:
        return {}
    folded = ({str(key).lower(): item for key, item in entry.items()} for entry in value)
    # Two templates of one name: the oldest wins, which is the last one written.
    return {str(entry["nombre"]): str(entry["contenido"]) for entry in folded}


@frozen(kw_only=True)
class Templates:
    """Answer of ``GetPlantillasSMS``.

    Attributes:
        total: ``Total``, templates in the account; more than the texts have names where a name is used twice.
        texts: ``Plantillas``, name to text.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    total: int | None = wire("Total", default=None)
    texts: Mapping[str, str] = wire("Plantillas", convert=_templates)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class ListTemplates(Call[Templates]):
    """``GetPlantillasSMS``."""

    function: ClassVar[str] = "GetPlantillasSMS"
    safe: ClassVar[bool] = True
    answer: ClassVar[type[Any]] = Templates
