"""A campaign: who is in it, and what becomes of its messages by the clock."""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from attrs import define

from mensasdk.sandbox.enviatusms.dates import local
from mensasdk.sandbox.enviatusms.links import ShortLink
from mensasdk.sandbox.vendor import Services

__all__ = ["Campaign", "Store"]

_PENDING, _DELIVERED, _REMOVED, _REJECTED, _UNDOCUMENTED = 0, 1, 4, 7, 5
_WAITS, _TAKEN = (_PENDING, 0), (_PENDING, 1)
# The last two digits of a number decide what becomes of it, so a test can choose; all others are delivered.
_BY_ENDING: Mapping[int, tuple[int, int]] = {
    91: _WAITS,
    92: _TAKEN,
    94: (_REMOVED, 1),
    95: (_UNDOCUMENTED, 1),
    97: (_REJECTED, 1),
}
_DONE = (_DELIVERED, 1)


@define(eq=False)
class Campaign:
    """What one call of sms-multi, or one campaign of the web panel, sends.

    Attributes:
        numbers: digits with 58; twice where a number gets two messages.
        parts: SMS of each message.
        texts: as sent; one for all, or one for each number.
        cost: USD.
        created: aware.
        send_at: aware.
        due: when it goes out, on the monotonic clock; None until it is approved.
    """

    id: int
    numbers: array[int]
    parts: Sequence[int]
    texts: Sequence[str]
    cost: Decimal
    created: datetime
    send_at: datetime
    due: float | None
    from_api: bool = True
    cancelled: bool = False
    link: ShortLink | None = None

    def approve(self) -> None:
        self.due, self.send_at = time.monotonic(), datetime.now(UTC)

    def is_over(self, box: Services) -> bool:
        """Every message has its last state."""
        return self.due is not None and time.monotonic() - self.due >= box.delivery_delay * box.time_scale

    def states(self, box: Services) -> list[tuple[int, int]]:
        """Status and ``processed`` of each message now.

        The platform takes a message after half of the delivery delay.
        """
        if self.cancelled:
            return [(_REMOVED, 0)] * len(self.numbers)
        elapsed = -1.0 if self.due is None else time.monotonic() - self.due
        delay = box.delivery_delay * box.time_scale
        if elapsed < 0 or elapsed < delay / 2:
            return [_WAITS] * len(self.numbers)
        finals = (_BY_ENDING.get(number % 100, _DONE) for number in self.numbers)
        if elapsed < delay:
            return [_WAITS if final is _WAITS else _TAKEN for final in finals]
        return list(finals)

    def fields(self, box: Services, message_text: Literal["first", "null", "list"] = "first") -> dict[str, Any]:
        """The answer of campaign; ``message_text`` says what stands for many texts."""
        states = self.states(box)
        counts = {_PENDING: 0, _DELIVERED: 0}
        for (status, _), parts in zip(states, self.parts, strict=True):
            counts[status] = counts.get(status, 0) + parts
        text: Any = self.texts[0] if self.texts else ""
        if len(self.texts) > 1 and message_text != "first":
            text = None if message_text == "null" else list(self.texts)
        pending, delivered = counts.pop(_PENDING), counts.pop(_DELIVERED)
        return {
            "status": "ok",
            "message_text": text,
            "created_at": local(self.created),
            "send_at": local(self.send_at),
            "approved": int(self.due is not None),
            "cancelled": int(self.cancelled),
            "from_api": int(self.from_api),
            "stats": {
                "total_numbers": len(set(self.numbers)),
                "total_sms": sum(self.parts),
                "pending": pending,
                "delivered": delivered,
                "failed": sum(counts.values()),
            },
            "numbers_stats": [
                {"mobile_number": number, "status": status, "processed": processed}
                for number, (status, processed) in zip(self.numbers, states, strict=True)
            ],
            "shortlink_stats": None if self.link is None else self.link.fields(),
        }


class Store:
    """The campaigns by id; the oldest are forgotten while all together have more than ``limit`` messages."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._by_id: OrderedDict[int, Campaign] = OrderedDict()
        self._messages = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, campaign_id: int) -> Campaign:
        return self._by_id[campaign_id]

    def get(self, campaign_id: int) -> Campaign | None:
        return self._by_id.get(campaign_id)

    def add(self, campaign: Campaign) -> None:
        self._by_id[campaign.id] = campaign
        # A campaign without messages takes room as well.
        self._messages += len(campaign.numbers) + 1
        while self.limit is not None and self._messages > self.limit and len(self._by_id) > 1:
            self._messages -= len(self._by_id.popitem(last=False)[1].numbers) + 1
