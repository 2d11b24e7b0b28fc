"""Data of the demos: the text, the vendors with their countries, and the delays of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mensasdk.cli.vendors import Wishes

__all__ = ["ACCOUNTS", "CALLING", "PLACES", "ROUTES", "SENDING", "SHARES", "TEXT", "WHY", "WISHES"]

TEXT: Final = "Hola {nombre}, tu cita es el {cita}. Código {codigo}."
# In the order of preference: messages that the other three cannot send go out through smsgateway24's phones.
ROUTES: Final[Mapping[str, frozenset[str] | None]] = {
    "mensatek": frozenset({"ES"}),
    "envia_sms": frozenset({"MX"}),
    "enviatusms": frozenset({"VE"}),
    "smsgateway24": None,
}
# A template of the sandbox that takes any text, and a phone of the sandbox.
WISHES: Final = Wishes(
    sender="Clinica",
    options={"report": True, "template": "02", "text_variable": "mensaje", "device_id": "260"},
)
# Vendors whose answers tell no cost; their balances before and after tell it.
ACCOUNTS: Final = ("envia_sms", "enviatusms")
# Vendors that call back; the others are asked.
CALLING: Final = ("mensatek", "smsgateway24")
PLACES: Final[Mapping[str, str]] = {
    "mensatek": "Spain, in requests for many people",
    "envia_sms": "Mexico, a request for each person, from a template",
    "enviatusms": "Venezuela, in requests for many people",
    "smsgateway24": "all others, a request for each, through a phone",
}

# ------------------------------------------------------------------------------------------------- with crashes

# Share of each vendor in the rate, so that all vendors send from the beginning to the end; see `people.py`.
SHARES: Final[Mapping[str, float]] = {"mensatek": 0.72, "envia_sms": 0.04, "enviatusms": 0.18, "smsgateway24": 0.06}
# The vendor's function that sends, and the seconds that its answer takes: requests under way are what a crash meets.
SENDING: Final[Mapping[str, tuple[str, float]]] = {
    "mensatek": ("EnviarSMS", 0.25),
    "envia_sms": ("send", 0.15),
    "enviatusms": ("sms-multi", 0.6),
    "smsgateway24": ("addsms", 0.15),
}
# Reason why messages of a vendor are still unknown in the end.
WHY: Final[Mapping[str, str]] = {
    "enviatusms": "the vendor cannot be asked for a number, and the id of the campaign was lost with the answer",
    "envia_sms": "it can be sent again only within the hour, and not near the hour's ends, as now",
    "mensatek": "the vendor has said nothing about it, and it went out in no group",
    "smsgateway24": "the vendor does not list it, which proves nothing",
}
