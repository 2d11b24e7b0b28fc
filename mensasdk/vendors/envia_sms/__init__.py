"""envia-sms.com (Mexico), "API SMS"."""

from mensasdk.vendors.envia_sms.client import EnviaSmsClient
from mensasdk.vendors.envia_sms.codes import Reason, Status
from mensasdk.vendors.envia_sms.models import (
    ActionResult,
    Countries,
    Country,
    Credits,
    EnviaSmsOptions,
    GetCredits,
    GetStatus,
    ListCountries,
    SendCancel,
    SendResult,
    SendSms,
    StatusReport,
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
