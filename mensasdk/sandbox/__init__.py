"""Emulated SMS vendors on 127.0.0.1, with a ledger of what they accepted, faults on demand, and callbacks.

For tests, demonstrations and benchmarks; no SMS is ever sent. See `Sandbox`.
"""

from __future__ import annotations

from mensasdk.sandbox.envia_sms import EnviaSms
from mensasdk.sandbox.enviatusms import EnviaTuSms
from mensasdk.sandbox.faults import Fault, FaultRule
from mensasdk.sandbox.ledger import Ledger, LedgerMessage, LedgerRequest
from mensasdk.sandbox.mensatek import Account, Mensatek, Quirks
from mensasdk.sandbox.server import Sandbox
from mensasdk.sandbox.smsgateway24 import SmsGateway24
from mensasdk.sandbox.vendor import Vendor

__all__ = [
    "Account",
    "EnviaSms",
    "EnviaTuSms",
    "Fault",
    "FaultRule",
    "Ledger",
    "LedgerMessage",
    "LedgerRequest",
    "Mensatek",
    "Quirks",
    "Sandbox",
    "SmsGateway24",
    "Vendor",
]
