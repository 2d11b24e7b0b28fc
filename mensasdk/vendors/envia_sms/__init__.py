"""envia-sms.com (Mexico), "API SMS"."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mensasdk.vendors.envia_sms.client import EnviaSmsClient
    from mensasdk.vendors.envia_sms.codes import Reason, Status
    from mensasdk.vendors.envia_sms.models import (
        ActionResult,
        Countries,
        Country,
        Credits,
        EnviaSmsOptions,
        SendResult,
        StatusReport,
    )
    from mensasdk.vendors.envia_sms.requests import GetCredits, GetStatus, ListCountries, SendCancel, SendSms
else:
    from mensasdk._lazy import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mensasdk.vendors.envia_sms.client": "EnviaSmsClient",
            "mensasdk.vendors.envia_sms.codes": "Reason Status",
            "mensasdk.vendors.envia_sms.models": (
                "ActionResult Countries Country Credits EnviaSmsOptions SendResult StatusReport"
            ),
            "mensasdk.vendors.envia_sms.requests": "GetCredits GetStatus ListCountries SendCancel SendSms",
        },
    )

__all__ = [
    "ActionResult",
    "Countries",
    "Country",
    "Credits",
    "EnviaSmsClient",
    "EnviaSmsOptions",
    "GetCredits",
    "GetStatus",
    "ListCountries",
    "Reason",
    "SendCancel",
    "SendResult",
    "SendSms",
    "Status",
    "StatusReport",
]
