"""Facts about the fifth vendor that can be had before its client is loaded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from mensasdk.registry import CallbackInfo, OptionInfo, VendorInfo

__all__ = ["INFO"]


async def _balance(client: Any) -> Decimal:
    left: Decimal = (await client.get_account()).left
    return left


INFO: Final = VendorInfo(
    name="fifth",
    title="Fifth",
    client="fifth_vendor.client:FifthClient",
    credentials=("key",),
    options_class="fifth_vendor.models:FifthOptions",
    options=(OptionInfo(name="label", metavar="WORDS", help="Under which label its pages file the message."),),
    refuses={
        "sender": "people see the number of its own country; leave it out",
        "schedule": "it sends at once; leave it out and start the command at that time",
    },
    home="PT",
    unit="EUR",
    balance=_balance,
    callbacks=CallbackInfo(parser="fifth_vendor.callbacks:parse_callback", proof="password"),
    settles="its list of what came in a request",
    undecided="It lists what it took at once, so that what it does not list is a question for its support.",
    emulator="fifth_vendor.emulator:Fifth",
)
