"""EnvíaTuSMS's API, emulated from EnvíaTuSMS, "Documentación de la API"."""

from __future__ import annotations

from mensasdk.sandbox.enviatusms.account import Account
from mensasdk.sandbox.enviatusms.quirks import Quirks
from mensasdk.sandbox.enviatusms.service import EnviaTuSms

__all__ = ["Account", "EnviaTuSms", "Quirks"]
