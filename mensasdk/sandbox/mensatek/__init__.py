"""Emulation of Mensatek's SMS API v7, after the document "SMS Sending API / BULK SMS (7.0)" by Mensatek."""

from __future__ import annotations

from mensasdk.sandbox.mensatek.account import Account
from mensasdk.sandbox.mensatek.quirks import Quirks
from mensasdk.sandbox.mensatek.service import Mensatek

__all__ = ["Account", "Mensatek", "Quirks"]
