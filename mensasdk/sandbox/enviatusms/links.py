"""acortar-url: short links, and who clicked on them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from attrs import define, field

__all__ = ["HOST", "LinkStore", "ShortLink", "is_url"]

HOST = "etsms.me"

_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE).fullmatch
_SHORT = re.compile(rf"{re.escape(HOST)}/([0-9A-Za-z]+)")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def is_url(text: str) -> bool:
    """A full address with its protocol."""
    return _URL(text) is not None


@define(eq=False)
class ShortLink:
    """A short link. A test may let somebody `click`, and set ``total_views``.

    Attributes:
        id: what follows ``etsms.me/``.
        places: unique clicks by country, region and city.
    """

    id: str
    orig_link: str
    total_views: int = 0
    total_clicks: int = 0
    places: dict[str, dict[str, dict[str, int]]] = field(factory=dict)
    _addresses: set[str] = field(factory=set)

    def click(
        self,
        ip: str = "192.0.2.1",
        *,
        country: str = "Venezuela",
        region: str = "Distrito Capital",
        city: str = "Caracas",
    ) -> None:
        """Let somebody follow the link; a second click from the same address is not unique."""
        self.total_clicks += 1
        if ip not in self._addresses:
            self._addresses.add(ip)
            cities = self.places.setdefault(country, {}).setdefault(region, {})
            cities[city] = cities.get(city, 0) + 1

    def fields(self) -> dict[str, Any]:
        """The ``shortlink_stats`` of a campaign."""
        return {
            "short_url": f"https://{HOST}/{self.id}",
            "orig_url": self.orig_link,
            "total_clicks": self.total_clicks,
            "unique_clicks": len(self._addresses),
            "total_views": self.total_views,
            "location_unique_clicks": self.places,
        }


class LinkStore:
    """The links by id; the oldest are forgotten beyond ``limit``."""

    def __init__(self, first: int) -> None:
        self.limit: int | None = None
        self._next = first
        self._by_id: OrderedDict[str, ShortLink] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, link_id: str) -> ShortLink:
        return self._by_id[link_id]

    def add(self, orig_link: str) -> ShortLink:
        link = ShortLink(_base62(self._next), orig_link)
        self._next += 1
        self._by_id[link.id] = link
        if self.limit is not None and len(self._by_id) > self.limit:
            self._by_id.popitem(last=False)
        return link

    def used_in(self, texts: Iterable[str]) -> ShortLink | None:
        """The first link of this account that the texts name."""
        if not self._by_id:
            return None
        for text in texts:
            if HOST in text:
                for match in _SHORT.finditer(text):
                    if (link := self._by_id.get(match[1])) is not None:
                        return link
        return None


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
