"""Facts about envia-sms.com that are needed before its client is loaded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from mensasdk.registry import OptionInfo, VendorInfo

__all__ = ["INFO"]


async def _balance(client: Any) -> Decimal:
    credits_: Decimal = await client.get_credits()
    return credits_


INFO: Final = VendorInfo(
    name="envia_sms",
    title="envia-sms.com",
    client="mensasdk.vendors.envia_sms.client:EnviaSmsClient",
    credentials=("token",),
    options_class="mensasdk.vendors.envia_sms.models:EnviaSmsOptions",
    options=(
        OptionInfo(
            name="template",
            metavar="ID",
            help="The template to send; its variables are the file's columns.",
            required=(
                "it sends from templates only: give --template ID, whose variables are the columns of the file, or "
                "--template ID --text-variable NAME for a template of one variable, which takes the text"
            ),
        ),
        OptionInfo(name="text_variable", metavar="NAME", help="The variable of the template that takes the text."),
        OptionInfo(name="unicode", kind=bool, help="Keep every character; parts become shorter."),
        OptionInfo(name="allow_duplicates", kind=bool, help="Send a text that was just sent, too."),
    ),
    refuses={
        "sender": "the account decides what the handset shows; leave it out",
        "report": "the vendor calls nobody back; ask it with EnviaSmsClient.get_status",
    },
    balance=_balance,
    asked_with="EnviaSmsClient.get_status",
    settles="the status of a message whose id is known; with --repeat, sending again within the hour",
    undecided="With --repeat they can be sent again, but only within the clock hour in which they were sent.",
    repeats=True,
    emulator="mensasdk.sandbox.envia_sms.service:EnviaSms",
)
