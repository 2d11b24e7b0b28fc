"""Short links of the function acortar-url, with their clicks."""

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
    """Return whether a text is a full ``http`` or ``https`` URL."""
    return _URL(text) is not None


@define(eq=False)
class ShortLink:
    """Short link. A test may call `click` and set ``total_views``.

    Attributes:
        id: the part of the short link after ``etsms.me/``.
        orig_link: the URL that was shortened.
        total_views: count of views.
        total_clicks: count of clicks.
        places: count of unique clicks by country, region and city.
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
        """Simulate a click on the link; a second click from the same IP address is not unique."""
        self.total_clicks += 1
        if ip not in self._addresses:
            self._addresses.add(ip)
            cities = self.places.setdefault(country, {}).setdefault(region, {})
            cities[city] = cities.get(city, 0) + 1

    def fields(self) -> dict[str, Any]:
        """Return the ``shortlink_stats`` of a campaign with this link."""
        return {
            "short_url": f"https://{HOST}/{self.id}",
            "orig_url": self.orig_link,
            "total_clicks": self.total_clicks,
            "unique_clicks": len(self._addresses),
            "total_views": self.total_views,
            "location_unique_clicks": self.places,
        }


class LinkStore:
    """Short links by id; beyond ``limit`` links, the oldest are dropped."""

    def __init__(self, first: int) -> None:
        self.limit: int | None = None
        self._next = first
        self._by_id: OrderedDict[str, ShortLink] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, link_id: str) -> ShortLink:
        return self._by_id[link_id]

    def add(self, orig_link: str) -> ShortLink:
        """Make a short link for a URL, and drop the oldest link if there are more than ``limit``."""
        link = ShortLink(_base62(self._next), orig_link)
        self._next += 1
        self._by_id[link.id] = link
        if self.limit is not None and len(self._by_id) > self.limit:
            self._by_id.popitem(last=False)
        return link

    def used_in(self, texts: Iterable[str]) -> ShortLink | None:
        """Return the first short link of this account that is in one of the texts, or None."""
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
