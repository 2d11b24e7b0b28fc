"""State of the emulated envia-sms.com, kept from one request to the next."""

from __future__ import annotations

import time
from typing import ClassVar

from mensasdk.sandbox.envia_sms.account import Account
from mensasdk.sandbox.envia_sms.message import Store
from mensasdk.sandbox.envia_sms.quirks import DOCUMENTED, Quirks
from mensasdk.sandbox.vendor import Services

__all__ = ["State"]


class State:
    """State that the vendor's functions read and change; see its subclass `EnviaSms` for the attributes."""

    name: ClassVar[str] = "envia_sms"
    box: Services

    def __init__(
        self, *, account: Account | None = None, quirks: Quirks | None = None, retention: int = 10_000
    ) -> None:
        self.account = account or Account()
        self.quirks = quirks or DOCUMENTED
        self.store = Store()
        self._retention = retention
        self._wrong_tokens = 0
        self._answers = 0
        # Ids are made as by PHP's uniqid: eight hexadecimal digits of seconds, five of microseconds.
        seconds, fraction = divmod(time.time(), 1)
        self._last_id = (int(seconds) << 20) + int(fraction * 1_000_000)

    def next_id(self) -> str:
        """Return a new message id."""
        self._last_id += 1
        return f"{self._last_id:013x}"
