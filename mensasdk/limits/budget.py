"""Cap the messages of a campaign, or what they cost, also while many requests are under way.

All amounts are `Decimal`, in one unit: the credits or the currency of the vendor.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from types import NoneType
from typing import Final, TypeGuard

from mensasdk.arguments import check_kind
from mensasdk.errors import ConfigurationError, OutcomeKind, ValidationError
from mensasdk.messages import Outcome
from mensasdk.preflight.prices import SUMS, Prices, amount_of

__all__ = ["Budget", "Item"]

_ZERO: Final = Decimal(0)

Item = tuple[str | None, int]
"""Recipient (in E.164 form, or a country) and count of SMS parts of a message, on which its cost depends."""


class Budget:
    """Cap on spend, on messages, or on both, which also holds while many requests are under way.

    The cost of each request is reserved before the request is made (`reserve`). Once the outcome is known, the reserved
    cost is replaced by the real cost (`settle`), or given back if nothing was sent (`release`). ``spent`` and
    ``reserved`` together never pass the limit, as long as the vendor charges no more than the prices say. If the vendor
    charges more, the difference counts at once. Then no further request fits, and the limit is passed by no more than
    the differences of the requests that were under way.

    A message that is ACCEPTED costs what the vendor says it charged, or else the price. UNKNOWN costs the same, because
    the message may have been charged. REJECTED and NOT_SENT cost nothing.

    A budget is for the unit of one vendor and for one event loop: it has no lock, and nothing waits. Several senders in
    one loop may share it.

    Args:
        limit: the most that may be spent, in the unit of ``prices``; None for no such cap.
        prices: prices of one part; given together with ``limit``, and only then.
        max_messages: the most messages that may be sent (ACCEPTED or UNKNOWN); None for no such cap.

    Attributes:
        limit, prices, max_messages: as given.
        spent: amount spent. Without ``prices``, as far as the vendor tells it.
        reserved: estimated cost of the requests under way.
        messages: count of messages sent, or possibly sent.
        messages_reserved: count of messages under way.

    Raises:
        ConfigurationError: there is no cap at all, or only one of ``limit`` and ``prices``.
        ValidationError: a cap is negative or no number; a float is refused.
    """

    def __init__(
        self, limit: Decimal | str | int | None = None, prices: Prices | None = None, *, max_messages: int | None = None
    ) -> None:
        check_kind("prices", prices, (Prices, NoneType), 'Prices, as in Prices({"ES": "0.9"})')
        if limit is None and prices is None and max_messages is None:
            raise ConfigurationError(
                "a budget has no limit", remedy="give it a limit with prices, or max_messages, or both"
            )
        if (limit is None) != (prices is None):
            raise ConfigurationError(
                "a limit on spend needs to know what a message costs",
                remedy='give limit and prices together, as in Budget("50", Prices({"ES": "0.9"})), or cap the messages '
                "with max_messages alone",
                field="limit" if prices is None else "prices",
                code="no_prices" if prices is None else "no_limit",
            )
        if max_messages is not None and (isinstance(max_messages, bool) or not isinstance(max_messages, int)):
            raise ValidationError("must be a whole number, 0 or more", subject="max_messages", field="max_messages")
        if max_messages is not None and max_messages < 0:
            raise ValidationError("is negative", subject="max_messages", remedy="give 0 or more", field="max_messages")
        self.limit = None if limit is None else amount_of(limit, "limit", "limit")
        self.prices = prices
        self.max_messages = max_messages
        self.spent = _ZERO
        self.reserved = _ZERO
        self.messages = 0
        self.messages_reserved = 0

    def __repr__(self) -> str:
        parts = [] if self.limit is None else [f"{self.spent} spent and {self.reserved} reserved of {self.limit}"]
        if self.max_messages is not None:
            parts.append(f"{self.messages} messages and {self.messages_reserved} reserved of {self.max_messages}")
        return f"<Budget: {'; '.join(parts)}>"

    @property
    def remaining(self) -> Decimal | None:
        """Amount that is neither spent nor reserved, never below 0; None without ``limit``."""
        if self.limit is None:
            return None
        return max(_ZERO, SUMS.subtract(SUMS.subtract(self.limit, self.spent), self.reserved))

    @property
    def messages_remaining(self) -> int | None:
        """Count of messages that may still be reserved, never below 0; None without ``max_messages``."""
        if self.max_messages is None:
            return None
        return max(0, self.max_messages - self.messages - self.messages_reserved)

    def reserve(self, items: Sequence[Item]) -> int:
        """Reserve the cost of a request, or of as many of its messages as fit.

        Args:
            items: the messages of the request, in order.

        Returns:
            How many messages, from the front, are reserved. Nothing is reserved for the rest, which does not fit.

        Raises:
            ValidationError: a message has no price, ``code`` ``"no_price"``; nothing is reserved. `Prices.screen`
                refuses such messages one by one, before they get here.
        """
        most, room, prices = self.messages_remaining, self.remaining, self.prices
        if most is not None and most < len(items):
            items = items[:most]
        count, total = len(items), _ZERO
        if prices is not None and room is not None:
            count = 0
            for where, parts in items:
                after = SUMS.add(total, prices.cost(where, parts))
                if after > room:
                    break
                total = after
                count += 1
        self.reserved = SUMS.add(self.reserved, total)
        self.messages_reserved += count
        return count

    def release(self, items: Sequence[Item]) -> None:
        """Give back the reserved cost of messages that are not sent.

        Args:
            items: messages that were reserved, as they were given to `reserve`.

        Raises:
            ValueError: more is given back than is reserved, which is a defect of the caller; nothing is changed.
        """
        held = _ZERO
        for where, parts in items:
            held = SUMS.add(held, self._cost(where, parts))
        self._take_back(held, len(items))

    def settle(self, items: Sequence[Item], outcomes: Sequence[Outcome], *, charged: Decimal | None = None) -> None:
        """Replace the reserved cost of messages of one request by their real cost.

        Args:
            items: messages that were reserved, as they were given to `reserve`: all messages of the request, or some.
            outcomes: the outcome of each message, in the same order.
            charged: what the vendor says it charged for these messages together. Without a usable amount, each message
                that is ACCEPTED or UNKNOWN costs the ``credits`` of its outcome, or else the price of its parts. The
                parts are those of the outcome, if it has them, and otherwise those of the item.

        Raises:
            ValueError: the counts of outcomes and items differ, or more is given back than is reserved, which is a
                defect of the caller; nothing is changed.
        """
        held, amount, messages = self._add_up(items, outcomes, charged)
        self._take_back(held, len(items))
        self.spent = SUMS.add(self.spent, amount)
        self.messages += messages

    def count(self, items: Sequence[Item], outcomes: Sequence[Outcome], *, charged: Decimal | None = None) -> None:
        """Count messages that were sent without a reservation, such as before the campaign was resumed.

        The arguments and errors are those of `settle`, but ``items`` need not have been reserved.
        """
        _, amount, messages = self._add_up(items, outcomes, charged)
        self.spent = SUMS.add(self.spent, amount)
        self.messages += messages

    def _cost(self, where: str | None, parts: int) -> Decimal:
        return _ZERO if self.prices is None else self.prices.cost(where, parts)

    def _add_up(
        self, items: Sequence[Item], outcomes: Sequence[Outcome], charged: Decimal | None
    ) -> tuple[Decimal, Decimal, int]:
        """Return the reserved cost of messages, their real cost, and the count of those sent or possibly sent."""
        held, amount, messages = _ZERO, _ZERO, 0
        for (where, parts), outcome in zip(items, outcomes, strict=True):
            cost = self._cost(where, parts)
            held = SUMS.add(held, cost)
            # An UNKNOWN message may have been sent, and then it was charged.
            if outcome.kind is not OutcomeKind.ACCEPTED and outcome.kind is not OutcomeKind.UNKNOWN:
                continue
            messages += 1
            if _told(outcome.credits):
                cost = outcome.credits
            elif outcome.parts is not None and outcome.parts != parts:
                cost = self._cost(where, outcome.parts)
            amount = SUMS.add(amount, cost)
        return held, charged if _told(charged) else amount, messages

    def _take_back(self, amount: Decimal, messages: int) -> None:
        reserved = SUMS.subtract(self.reserved, amount)
        if reserved < 0 or messages > self.messages_reserved:
            raise ValueError("more is given back to the budget than is reserved")
        self.reserved = reserved
        self.messages_reserved -= messages


def _told(amount: Decimal | None) -> TypeGuard[Decimal]:
    """Tell whether an amount is a charge that can be believed: finite and not negative."""
    return amount is not None and amount.is_finite() and amount >= 0
