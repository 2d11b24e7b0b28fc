"""EnvíaTuSMS (Venezuela), API of enviatusms.com."""

from mensasdk.vendors.enviatusms.client import EnviaTuSmsClient
from mensasdk.vendors.enviatusms.codes import NumberStatus
from mensasdk.vendors.enviatusms.models import (
    Balance,
    Campaign,
    CampaignNumber,
    CampaignStats,
    EnviaTuSmsOptions,
    Quote,
    SendResult,
    ShortLink,
    ShortLinkStats,
)
from mensasdk.vendors.enviatusms.requests import GetBalance, GetCampaign, QuoteSms, SendSms, ShortenUrl

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
