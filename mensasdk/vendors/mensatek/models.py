"""Mensatek's answers as frozen values, and the options that only Mensatek has.

Source: Mensatek, "SMS Sending API / BULK SMS (7.0)". Each attribute names the vendor's field that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from attrs import frozen

from mensasdk.codec import raw_field, to_id, wire
from mensasdk.messages import VendorOptions
from mensasdk.vendors.mensatek.codes import StatusCode
from mensasdk.vendors.mensatek.convert import CONVERTER, count, local_time

__all__ = [
    "CancelResult",
    "Credits",
    "DeleteResult",
    "FileList",
    "LibraryFile",
    "MensatekOptions",
    "Report",
    "ReportLine",
    "RescheduleResult",
    "SendResult",
    "Templates",
    "UploadResult",
]

_CREDITS = ("Cred", "Saldo", "Creditos")
_ID = ("idMensaje", "Msgid")
_RESULT = ("Res", "Resp")


@frozen(kw_only=True)
class MensatekOptions(VendorOptions):
    """Options of a `Message` that only Mensatek has. `MensatekClient.send_sms` describes each."""

    report: bool = False
    message_id: str | None = None
    fail_to_voice: bool = False
    voice_language: str | None = None
    voice_sender: str | None = None
    unicode: bool = False
    skip_blacklist: bool = False
    fix_utf8: bool = False


# ------------------------------------------------------------------------------------------------------ sending


@frozen(kw_only=True)
class SendResult:
    """Answer to ``EnviarSMS``.

    Attributes:
        accepted: ``Res``, how many messages the vendor took.
        message_id: ``idMensaje`` (``Msgid`` for old clients), the id of this group of messages.
        recipients: ``Destinatarios``, how many recipients the vendor counted.
        messages: ``Mensajes``, how many SMS were sent. The document does not say whether each part counts.
        not_sent: ``NoEnviados``, how many recipients were dropped as duplicate or wrong.
        duplicates: ``Duplicados``, which the document has for similar functions; None where it is absent.
        credits_used: ``CreditosUsados``.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    accepted: int = wire(*_RESULT)
    message_id: str | None = wire(*_ID, default=None, convert=to_id)
    recipients: int | None = wire("Destinatarios", default=None, convert=count)
    messages: int | None = wire("Mensajes", default=None)
    not_sent: int | None = wire("NoEnviados", default=None)
    duplicates: int | None = wire("Duplicados", default=None)
    credits_used: Decimal | None = wire("CreditosUsados", default=None)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class CancelResult:
    """Answer to ``CancelarSMS``.

    Attributes:
        cancelled: ``Res``, how many recipients were cancelled. The document says above zero, its predecessor zero or
            above.
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
class RescheduleResult:
    """Answer to ``ReprogramarSMS``.

    Attributes:
        rescheduled: ``Res``, how many messages were rescheduled.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    rescheduled: int = wire(*_RESULT)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------------ reports


@frozen(kw_only=True)
class ReportLine:
    """Line of a report (``Informe``), for one recipient.

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
    """Answer to ``GetReportSMS``.

    Attributes:
        result: ``Res``.
        recipients: ``Destinatarios``, how many recipients the message has.
        lines: ``Informe``, one for each recipient.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    recipients: int | None = wire("Destinatarios", default=None, convert=count)
    lines: tuple[ReportLine, ...] = wire("Informe")
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------------- file library


@frozen(kw_only=True)
class UploadResult:
    """Answer to ``CargarFichero``.

    Attributes:
        result: ``Res``.
        name: ``Nombre``, the file's name in the library.
        overwritten: ``Sobrescrito``, True where an older file of this name was replaced. Only older documents have it;
            None where absent.
        credits_left: ``Cred``.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    name: str = wire("Nombre")
    overwritten: bool | None = wire("Sobrescrito", default=None)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class LibraryFile:
    """File in the library.

    Attributes:
        name: ``Nombre``.
        extension: ``Ext``.
        uploaded_at: ``Fecha``, aware; format and zone are assumptions, the document gives neither.
        raw: all fields as received.
    """

    name: str = wire("Nombre")
    extension: str = wire("Ext", default="")
    uploaded_at: datetime | None = wire("Fecha", default=None, convert=local_time)
    raw: Mapping[str, Any] = raw_field()


def _files(value: Any) -> tuple[LibraryFile, ...]:
    """Read ``Ficheros``: a list of objects, or of plain names as in the vendor's older examples."""
    if isinstance(value, list):
        value = [
            {"Nombre": item, "Ext": PurePath(item).suffix[1:]} if isinstance(item, str) else item for item in value
        ]
    return CONVERTER.structure(value, tuple[LibraryFile, ...])


@frozen(kw_only=True)
class FileList:
    """Answer to ``ListarFicheros``: the library's files (``Ficheros``)."""

    result: int = wire(*_RESULT)
    files: tuple[LibraryFile, ...] = wire("Ficheros", convert=_files)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class DeleteResult:
    """Answer to ``BorrarFichero``."""

    result: int = wire(*_RESULT)
    credits_left: Decimal | None = wire(*_CREDITS, default=None)
    raw: Mapping[str, Any] = raw_field()


# ------------------------------------------------------------------------------------------ credits and templates


@frozen(kw_only=True)
class Credits:
    """Answer to ``GetCreditos``: the balance (``Cred``). The oldest form of the answer has no ``Res``."""

    result: int = wire(*_RESULT, default=1)
    credits: Decimal = wire(*_CREDITS)
    raw: Mapping[str, Any] = raw_field()


def _templates(value: Any) -> dict[str, str]:
    """Read ``Plantillas``: an object of names and texts, an empty list, or in XML and TXT a list of objects."""
    if isinstance(value, Mapping):
        return {str(name): str(text) for name, text in value.items()}
    if not value:
        return {}
    folded = ({str(key).lower(): item for key, item in entry.items()} for entry in value)
    # Of two templates with one name the older one counts: it comes later in the list, and replaces the other here.
    return {str(entry["nombre"]): str(entry["contenido"]) for entry in folded}


@frozen(kw_only=True)
class Templates:
    """Answer to ``GetPlantillasSMS``.

    Attributes:
        result: ``Res``.
        total: ``Total``, how many templates the account has; more than ``texts`` holds where a name is used twice.
        texts: ``Plantillas``, a mapping of names to texts.
        raw: all fields as received.
    """

    result: int = wire(*_RESULT)
    total: int | None = wire("Total", default=None)
    texts: Mapping[str, str] = wire("Plantillas", convert=_templates)
    raw: Mapping[str, Any] = raw_field()
