"""Mensatek (Spain), SMS API 7.0."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
else:
    from mensasdk._lazy import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mensasdk.vendors.mensatek.callbacks": "DeliveryReport ReceivedSms parse_callback",
            "mensasdk.vendors.mensatek.client": "MensatekClient",
            "mensasdk.vendors.mensatek.codes": "StatusCode",
            "mensasdk.vendors.mensatek.models": (
                "CancelResult Credits DeleteResult FileList LibraryFile MensatekOptions Report ReportLine "
                "RescheduleResult SendResult Templates UploadResult"
            ),
            "mensasdk.vendors.mensatek.requests": (
                "CancelSms DeleteFile GetCredits GetReport ListFiles ListTemplates RescheduleSms SendSms UploadFile"
            ),
        },
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
