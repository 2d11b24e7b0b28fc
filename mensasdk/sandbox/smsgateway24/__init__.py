"""Emulation of smsgateway24.com's API v1.0, after its API documentation, webhook page and published samples."""

from __future__ import annotations

from mensasdk.sandbox.smsgateway24.account import Account, Device, SenderId, Sim
from mensasdk.sandbox.smsgateway24.quirks import Quirks
from mensasdk.sandbox.smsgateway24.service import SmsGateway24

__all__ = ["Account", "Device", "Quirks", "SenderId", "Sim", "SmsGateway24"]
