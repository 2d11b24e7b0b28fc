"""Mensatek (Spain), SMS API 7.0."""

from mensasdk.vendors.mensatek.callbacks import DeliveryReport, ReceivedSms, parse_callback
from mensasdk.vendors.mensatek.client import MensatekClient
from mensasdk.vendors.mensatek.codes import StatusCode
from mensasdk.vendors.mensatek.models import (
    CancelResult,
    Credits,
    DeleteResult,
    FileList,
    LibraryFile,
    MensatekOptions,
    Report,
    ReportLine,
    RescheduleResult,
    SendResult,
    Templates,
    UploadResult,
)
from mensasdk.vendors.mensatek.requests import (
    CancelSms,
    DeleteFile,
    GetCredits,
    GetReport,
    ListFiles,
    ListTemplates,
    RescheduleSms,
    SendSms,
    UploadFile,
)

__all__ = [
    "CancelResult",
    "CancelSms",
    "Credits",
    "DeleteFile",
    "DeleteResult",
    "DeliveryReport",
    "FileList",
    "GetCredits",
    "GetReport",
    "LibraryFile",
    "ListFiles",
    "ListTemplates",
    "MensatekClient",
    "MensatekOptions",
    "ReceivedSms",
    "Report",
    "ReportLine",
    "RescheduleResult",
    "RescheduleSms",
    "SendResult",
    "SendSms",
    "StatusCode",
    "Templates",
    "UploadFile",
    "UploadResult",
    "parse_callback",
]
