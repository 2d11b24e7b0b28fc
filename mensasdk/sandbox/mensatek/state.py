"""State of the emulated Mensatek, kept from one request to the next."""

from __future__ import annotations

import secrets
from typing import ClassVar

from mensasdk.sandbox.mensatek.account import Account
from mensasdk.sandbox.mensatek.message import Group
from mensasdk.sandbox.mensatek.quirks import Quirks
from mensasdk.sandbox.vendor import Services

__all__ = ["State"]


class State:
    """State that the vendor's functions read and change; see its subclass `Mensatek` for the attributes."""

    name: ClassVar[str] = "mensatek"
    box: Services

    def __init__(self, *, account: Account | None = None, quirks: Quirks | None = None) -> None:
        self.account = account or Account()
        self.quirks = quirks or Quirks()
        self.groups: dict[int, Group] = {}
        self._last_message_id = 27_000_000 + secrets.randbelow(1_000_000)
        self._next_report_id = 1_200_000_000 + secrets.randbelow(1_000_000)

    def next_message_id(self) -> int:
        """Return a new idMensaje."""
        self._last_message_id += 1
        return self._last_message_id

    def next_report_ids(self, count: int) -> int:
        """Reserve ``count`` consecutive idReport values, and return the first."""
        first = self._next_report_id
        self._next_report_id += count
        return first
