"""Emulation of EnvíaTuSMS's API, after the document "Documentación de la API" by EnvíaTuSMS."""

from __future__ import annotations

from mensasdk.sandbox.enviatusms.account import Account
from mensasdk.sandbox.enviatusms.quirks import Quirks
from mensasdk.sandbox.enviatusms.service import EnviaTuSms

__all__ = ["Account", "EnviaTuSms", "Quirks"]
