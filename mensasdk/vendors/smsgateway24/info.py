"""Facts about smsgateway24.com that are needed before its client is loaded."""

from __future__ import annotations

from typing import Final

from mensasdk.registry import CallbackInfo, OptionInfo, VendorInfo

__all__ = ["INFO"]

INFO: Final = VendorInfo(
    name="smsgateway24",
    title="smsgateway24.com",
    client="mensasdk.vendors.smsgateway24.client:SmsGateway24Client",
    credentials=("email", "password"),
    credentials_instead=("token",),
    options_class="mensasdk.vendors.smsgateway24.models:SmsGateway24Options",
    options=(
        OptionInfo(
            name="device_id",
            metavar="ID",
            help="The phone that sends.",
            required=(
                "it needs --device-id, the id of one of your phones (or the name of a Sender ID); the vendor's panel "
                "shows it"
            ),
        ),
        OptionInfo(
            name="sim",
            metavar="N",
            kind=int,
            bounds=(0, 5),
            help="The slot: SIM card 0 or 1, WhatsApp 2 or 3, RCS 4 or 5.",
        ),
    ),
    refuses={
        "sender": "recipients see the number of the phone; choose the phone with --device-id",
        "report": "reports are switched on for each phone in the vendor's panel; leave it out",
        "unicode": "phones send every character as it is; leave it out",
        "allow_duplicates": "it drops no repeated texts; leave it out",
    },
    unit="",
    no_balance="your own phones send, and their SIM cards pay",
    callbacks=CallbackInfo(parser="mensasdk.vendors.smsgateway24.callbacks:parse_callback", proof="path_secret"),
    settles="its list of messages",
    undecided="The vendor does not list them yet, but may still do so; ask again in a while.",
    emulator="mensasdk.sandbox.smsgateway24.service:SmsGateway24",
)
