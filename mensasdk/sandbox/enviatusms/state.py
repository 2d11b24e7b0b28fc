"""State of the emulated EnvíaTuSMS, kept from one request to the next."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime
from typing import ClassVar

from mensasdk.sandbox.enviatusms.account import Account
from mensasdk.sandbox.enviatusms.dates import CARACAS
from mensasdk.sandbox.enviatusms.links import LinkStore, ShortLink
from mensasdk.sandbox.enviatusms.message import Campaign, Store
from mensasdk.sandbox.enviatusms.quirks import Quirks
from mensasdk.sandbox.enviatusms.refusals import NO_CAMPAIGN, NO_LINKS_LEFT, Refused
from mensasdk.sandbox.vendor import Services

__all__ = ["State"]

_ID = re.compile(r"\d{1,18}", re.ASCII).fullmatch
_FIRST_LINK = 62**2


class State:
    """State that the vendor's functions read and change; see its subclass `EnviaTuSms` for the attributes."""

    name: ClassVar[str] = "enviatusms"
    box: Services

    def __init__(
        self, *, account: Account | None = None, quirks: Quirks | None = None, retention: int = 100_000
    ) -> None:
        self.account = account or Account()
        self.quirks = quirks or Quirks()
        self.campaigns = Store()
        self.links = LinkStore(_FIRST_LINK + secrets.randbelow(_FIRST_LINK))
        self._retention = retention
        self._last_campaign_id = 1_000 + secrets.randbelow(100_000)
        self._day: date | None = None
        self._links_today = 0

    def next_campaign_id(self) -> int:
        """Return a new campaign id."""
        self._last_campaign_id += 1
        return self._last_campaign_id

    def find(self, campaign_id: str) -> Campaign:
        """Return the campaign whose id is in the path of a request.

        Raises:
            Refused: no campaign has this id.
        """
        campaign = self.campaigns.get(int(campaign_id)) if _ID(campaign_id) else None
        if campaign is None:
            raise Refused(NO_CAMPAIGN)
        return campaign

    def shorten(self, link: str) -> ShortLink:
        """Make a short link.

        Raises:
            Refused: the day's links are used up.
        """
        today = datetime.now(CARACAS).date()
        if today != self._day:
            self._day, self._links_today = today, 0
        if self._links_today >= self.account.links_per_day:
            raise Refused(NO_LINKS_LEFT)
        self._links_today += 1
        return self.links.add(link)
