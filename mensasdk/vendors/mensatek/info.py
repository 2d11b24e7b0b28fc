"""What there is to know about Mensatek before its client is loaded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from mensasdk.registry import CallbackInfo, OptionInfo, VendorInfo

__all__ = ["INFO"]


async def _balance(client: Any) -> Decimal:
    credits_: Decimal = await client.get_credits()
    return credits_


INFO: Final = VendorInfo(
    name="mensatek",
    title="Mensatek",
    client="mensasdk.vendors.mensatek.client:MensatekClient",
    credentials=("api_user", "api_token"),
    options_class="mensasdk.vendors.mensatek.models:MensatekOptions",
    options=(
        OptionInfo(name="report", kind=bool, help="Ask for delivery reports."),
        OptionInfo(name="unicode", kind=bool, help="Keep every character; parts become shorter."),
        OptionInfo(
            name="group_sends",
            kind=bool,
            passed_to="client",
            help="Send in groups in which no number gets two SMS, so that what is unknown can be sent again.",
        ),
    ),
    refuses={"allow_duplicates": "it drops no repeated texts; leave it out"},
    balance=_balance,
    callbacks=CallbackInfo(parser="mensasdk.vendors.mensatek.callbacks:parse_callback", proof="password"),
    settles=(
        "delivery reports that `mensasdk receive` has kept, and its own report; with --repeat, sending again within a "
        "group (--group-sends, when sending)"
    ),
    undecided=("Reports may still come. With --repeat, what went out in a group (--group-sends) can be sent again."),
    repeats=True,
    emulator="mensasdk.sandbox.mensatek.service:Mensatek",
)
