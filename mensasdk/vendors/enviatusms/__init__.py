"""EnvíaTuSMS (Venezuela), API of enviatusms.com."""

from mensasdk.vendors.enviatusms.client import EnviaTuSmsClient
from mensasdk.vendors.enviatusms.codes import NumberStatus
from mensasdk.vendors.enviatusms.models import (
    Balance,
    Campaign,
    CampaignNumber,
    CampaignStats,
    EnviaTuSmsOptions,
    GetBalance,
    GetCampaign,
    Quote,
    QuoteSms,
    SendResult,
    SendSms,
    ShortenUrl,
    ShortLink,
    ShortLinkStats,
)

__all__ = [
    "Balance",
    "Campaign",
    "CampaignNumber",
    "CampaignStats",
    "EnviaTuSmsClient",
    "EnviaTuSmsOptions",
    "GetBalance",
    "GetCampaign",
    "NumberStatus",
    "Quote",
    "QuoteSms",
    "SendResult",
    "SendSms",
    "ShortLink",
    "ShortLinkStats",
    "ShortenUrl",
]
