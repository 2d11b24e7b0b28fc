"""Emulation of envia-sms.com's API SMS, after the document "API SMS" by envia-sms.com (5 August 2022)."""

from __future__ import annotations

from mensasdk.sandbox.envia_sms.account import Account, Country, Template
from mensasdk.sandbox.envia_sms.quirks import Quirks
from mensasdk.sandbox.envia_sms.service import EnviaSms

__all__ = ["Account", "Country", "EnviaSms", "Quirks", "Template"]
