"""EnvíaTuSMS (Venezuela), API of enviatusms.com."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
else:
    from mensasdk._lazy import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mensasdk.vendors.enviatusms.client": "EnviaTuSmsClient",
            "mensasdk.vendors.enviatusms.codes": "NumberStatus",
            "mensasdk.vendors.enviatusms.models": (
                "Balance Campaign CampaignNumber CampaignStats EnviaTuSmsOptions Quote SendResult ShortLink "
                "ShortLinkStats"
            ),
            "mensasdk.vendors.enviatusms.requests": "GetBalance GetCampaign QuoteSms SendSms ShortenUrl",
        },
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
