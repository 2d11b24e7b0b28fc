"""Campaigns of the emulated EnvíaTuSMS, with the states of their messages as time passes."""

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
# Final states by the last two digits of a number, so that a test can choose; all other numbers are delivered.
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
    """Messages that one request to sms-multi, or one campaign of the web panel, sends.

    Attributes:
        id: the campaign's id.
        numbers: the recipients' numbers, digits with 58; a number that gets two messages is in the list twice.
        parts: count of SMS of each message.
        texts: the texts as sent: one for all messages, or one for each.
        cost: USD charged.
        created: time of the request (aware).
        send_at: time at which the messages go out (aware).
        due: time at which the messages go out, on the monotonic clock; None until the campaign is approved.
        from_api: whether the campaign came by the API, not from the web panel.
        cancelled: whether the administrator has cancelled the campaign.
        link: the short link in the texts, or None.
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
        """Send the messages now."""
        self.due, self.send_at = time.monotonic(), datetime.now(UTC)

    def is_over(self, box: Services) -> bool:
        """Return whether every message has its final state."""
        return self.due is not None and time.monotonic() - self.due >= box.delivery_delay * box.time_scale

    def states(self, box: Services) -> list[tuple[int, int]]:
        """Return ``status`` and ``processed`` of each message now.

        A message is processed after half of the delivery delay, and has its final state after all of it.
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
        """Return the answer of the function campaign.

        Args:
            box: the sandbox's services, for the delivery delay.
            message_text: value of ``message_text`` when the messages have different texts, as in `Quirks`.
        """
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
    """Campaigns by id; the oldest are dropped while all together have more than ``limit`` messages."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._by_id: OrderedDict[int, Campaign] = OrderedDict()
        self._messages = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, campaign_id: int) -> Campaign:
        return self._by_id[campaign_id]

    def get(self, campaign_id: int) -> Campaign | None:
        """Return the campaign of an id, or None."""
        return self._by_id.get(campaign_id)

    def add(self, campaign: Campaign) -> None:
        """Add a campaign, and drop the oldest ones beyond ``limit`` messages."""
        self._by_id[campaign.id] = campaign
        # Plus one, because a campaign without messages takes memory as well.
        self._messages += len(campaign.numbers) + 1
        while self.limit is not None and self._messages > self.limit and len(self._by_id) > 1:
            self._messages -= len(self._by_id.popitem(last=False)[1].numbers) + 1
