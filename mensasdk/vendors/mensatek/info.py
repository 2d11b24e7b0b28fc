"""Description of Mensatek for the registry, which can be read without loading the client."""

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
            help="Send in groups in which no number gets two SMS, so that unknown messages can be sent again.",
        ),
    ),
    refuses={"allow_duplicates": "it drops no repeated texts; leave it out"},
    balance=_balance,
    callbacks=CallbackInfo(parser="mensasdk.vendors.mensatek.callbacks:parse_callback", proof="password"),
    settles=(
        "delivery reports that `mensasdk receive` has kept, and the vendor's own report; with --repeat, sending again "
        "within a group (if the campaign was sent with --group-sends)"
    ),
    undecided=(
        "Reports may still come. With --repeat, messages that were sent in a group (--group-sends) can be sent again."
    ),
    repeats=True,
    emulator="mensasdk.sandbox.mensatek.service:Mensatek",
)
