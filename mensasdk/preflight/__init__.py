"""Check a campaign before paying for it: opt-outs, sending hours, prices and cost."""

from mensasdk.preflight.check import Preflight
from mensasdk.preflight.cost import CountryCost, Estimate
from mensasdk.preflight.hours import DAYS, SendingHours, Spread
from mensasdk.preflight.optout import OptOuts
from mensasdk.preflight.prices import Prices
from mensasdk.preflight.zones import time_zones

__all__ = [
    "DAYS",
    "CountryCost",
    "Estimate",
    "OptOuts",
    "Preflight",
    "Prices",
    "SendingHours",
    "Spread",
    "time_zones",
]
