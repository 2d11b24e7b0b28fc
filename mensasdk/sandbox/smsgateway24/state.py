"""What the emulated smsgateway24 holds from one request to the next."""

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
    """What the vendor's functions work on; `SmsGateway24` is a state that answers requests, and describes it."""

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
        self._last_id += 1
        return self._last_id

    def next_tag_id(self) -> int:
        self._last_tag_id += 1
        return self._last_tag_id

    def next_contact_id(self) -> int:
        self._last_contact_id += 1
        return self._last_contact_id

    def next_newsletter_id(self) -> int:
        self._last_newsletter_id += 1
        return self._last_newsletter_id

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that go out."""
        return ZoneInfo(self.quirks.output_zone)

    def status(self, sms: Sms) -> int:
        """The state of a message now."""
        return sms.status(self.box, queued=self.quirks.queued)

    def keep_image(self, content: bytes, extension: str) -> str:
        """Where an uploaded image lies; a name that resolves nowhere."""
        url = f"https://s3.invalid/smsgateway24/{secrets.token_hex(8)}.{extension}"
        if self.box.ledger.keep_messages:
            self.images[url] = content
        return url

    def hold(self, sms: Sms) -> None:
        """Keep a message's webhooks back until its phone is online."""
        self._held.setdefault(sms.device.id, []).append(sms)

    def release(self, device_id: int) -> list[Sms]:
        """The messages whose webhooks were kept back for this phone."""
        return self._held.pop(device_id, [])
