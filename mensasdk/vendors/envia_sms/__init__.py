"""envia-sms.com (Mexico), "API SMS"."""

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
