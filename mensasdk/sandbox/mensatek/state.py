"""What the emulated Mensatek holds from one request to the next."""

from __future__ import annotations

import secrets
from typing import ClassVar

from mensasdk.sandbox.mensatek.account import Account
from mensasdk.sandbox.mensatek.message import Group
from mensasdk.sandbox.mensatek.quirks import Quirks
from mensasdk.sandbox.vendor import Services

__all__ = ["State"]


class State:
    """What the vendor's functions work on; `Mensatek` is a state that answers requests, and describes it."""

    name: ClassVar[str] = "mensatek"
    box: Services

    def __init__(self, *, account: Account | None = None, quirks: Quirks | None = None) -> None:
        self.account = account or Account()
        self.quirks = quirks or Quirks()
        self.groups: dict[int, Group] = {}
        self._last_message_id = 27_000_000 + secrets.randbelow(1_000_000)
        self._next_report_id = 1_200_000_000 + secrets.randbelow(1_000_000)

    def next_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id

    def next_report_ids(self, count: int) -> int:
        """The first of so many ids in a row."""
        first = self._next_report_id
        self._next_report_id += count
        return first
