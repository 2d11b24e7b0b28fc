"""Description of EnvíaTuSMS for the registry, which can be read without loading the client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from mensasdk.registry import OptionInfo, VendorInfo

__all__ = ["INFO"]


async def _balance(client: Any) -> Decimal:
    balance: Decimal = (await client.get_balance()).balance
    return balance


INFO: Final = VendorInfo(
    name="enviatusms",
    title="EnvíaTuSMS",
    client="mensasdk.vendors.enviatusms.client:EnviaTuSmsClient",
    credentials=("api_key",),
    options_class="mensasdk.vendors.enviatusms.models:EnviaTuSmsOptions",
    options=(OptionInfo(name="allow_duplicates", kind=bool, help="Send a text that was just sent, too."),),
    refuses={
        "sender": "its operators decide what the handset shows; leave it out",
        "schedule": "its API sends at once; leave it out and start the command at that time",
        "report": "it has no callbacks; leave it out and ask with EnviaTuSmsClient.get_campaign",
        "unicode": "it drops accents itself; leave it out",
    },
    home="VE",
    unit="USD",
    balance=_balance,
    asked_with="EnviaTuSmsClient.get_campaign",
    settles="the campaign of a message whose id is known",
    undecided="The vendor cannot be asked for a number, so a person has to decide.",
    emulator="mensasdk.sandbox.enviatusms.service:EnviaTuSms",
)
