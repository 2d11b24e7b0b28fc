"""State of the emulated smsgateway24, kept from one request to the next."""

from __future__ import annotations

import secrets
from typing import ClassVar
from zoneinfo import ZoneInfo

from mensasdk.sandbox.smsgateway24.account import Account
from mensasdk.sandbox.smsgateway24.message import Sms, Store
from mensasdk.sandbox.smsgateway24.quirks import Quirks
from mensasdk.sandbox.vendor import Services

__all__ = ["State"]


class State:
    """State that the vendor's functions read and change; see its subclass `SmsGateway24` for the attributes."""

    name: ClassVar[str] = "smsgateway24"
    box: Services

    def __init__(
        self, *, account: Account | None = None, quirks: Quirks | None = None, retention: int = 10_000
    ) -> None:
        self.account = account or Account()
        self.quirks = quirks or Quirks()
        self.store = Store()
        self.images: dict[str, bytes] = {}
        self._retention = retention
        self._tokens: set[str] = set()
        self._token = ""
        self._held: dict[int, list[Sms]] = {}
        self._last_id = 62_000_000 + secrets.randbelow(1_000_000)
        self._last_tag_id = 8_000 + secrets.randbelow(1_000)
        self._last_contact_id = 15_000_000 + secrets.randbelow(1_000_000)
        self._last_newsletter_id = 3_000 + secrets.randbelow(1_000)
        self._last_variant = 0

    def next_id(self) -> int:
        """Return a new message id."""
        self._last_id += 1
        return self._last_id

    def next_tag_id(self) -> int:
        """Return a new tag id."""
        self._last_tag_id += 1
        return self._last_tag_id

    def next_contact_id(self) -> int:
        """Return a new contact id."""
        self._last_contact_id += 1
        return self._last_contact_id

    def next_newsletter_id(self) -> int:
        """Return a new newsletter id."""
        self._last_newsletter_id += 1
        return self._last_newsletter_id

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the dates in answers and webhooks."""
        return ZoneInfo(self.quirks.output_zone)

    def status(self, sms: Sms) -> int:
        """Return the state of a message now."""
        return sms.status(self.box, queued=self.quirks.queued)

    def keep_image(self, content: bytes, extension: str) -> str:
        """Store an uploaded image, and return its address, which does not exist on the network."""
        url = f"https://s3.invalid/smsgateway24/{secrets.token_hex(8)}.{extension}"
        if self.box.ledger.keep_messages:
            self.images[url] = content
        return url

    def hold(self, sms: Sms) -> None:
        """Keep a message's webhooks back until its phone is online."""
        self._held.setdefault(sms.device.id, []).append(sms)

    def release(self, device_id: int) -> list[Sms]:
        """Return the messages whose webhooks were kept back for a phone, and forget them."""
        return self._held.pop(device_id, [])
