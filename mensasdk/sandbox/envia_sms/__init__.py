"""envia-sms.com's API SMS, emulated from envia-sms.com, "API SMS" (documentation of 5 August 2022)."""

from __future__ import annotations

from mensasdk.sandbox.envia_sms.account import Account, Country, Template
from mensasdk.sandbox.envia_sms.quirks import Quirks
from mensasdk.sandbox.envia_sms.service import EnviaSms

__all__ = ["Account", "Country", "EnviaSms", "Quirks", "Template"]
