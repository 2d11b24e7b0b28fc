"""A cap on what may be spent, that holds while many requests are under way.

All amounts are `Decimal`, in one unit: the credits, or the currency, of the vendor whose prices they are.
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
"""A message as its cost sees it: the recipient in E.164 form, or a country; and how many SMS parts it counts as."""


class Budget:
    """A cap on spend, on messages, or on both, that holds while many requests are under way.

    Each request is reserved before it is made, and settled when its outcome is known: `reserve`, and then `settle`, or
    `release` for what was not sent after all. ``spent`` and ``reserved`` together never pass the limit, as long as the
    vendor charges no more than the prices say. Where it charges more, the difference counts at once and nothing
    further fits; the limit is then passed by no more than that difference for the requests that were under way.

    An amount counts as follows. ACCEPTED: what the vendor says that it charged, or else the price. UNKNOWN: as well,
    since it may have been charged. REJECTED and NOT_SENT: nothing.

    It is for one vendor's unit, and for one event loop: there is no lock, and nothing to wait for. Several senders in
    one loop may share it.

    Args:
        limit: the most that may be spent, in the unit of ``prices``; None for no such cap.
        prices: what one part costs; given with ``limit``, and only then.
        max_messages: the most messages that may be sent (ACCEPTED or UNKNOWN); None for no such cap.

    Attributes:
        limit, prices, max_messages: as given.
        spent: what has been spent. Without ``prices``, as far as the vendor says it.
        reserved: the estimated cost of what is under way.
        messages: messages sent, or possibly sent.
        messages_reserved: messages under way.

    Raises:
        ConfigurationError: there is no cap at all, or only one of ``limit`` and ``prices``.
        ValidationError: a cap is negative or no number; a float is refused.
    """

    def __init__(
        self, limit: Decimal | str | int | None = None, prices: Prices | None = None, *, max_messages: int | None = None
    ) -> None:
        check_kind("prices", prices, (Prices, NoneType), 'Prices, as in Prices({"ES": "0.9"})')
        if limit is None and prices is None and max_messages is None:
            raise ConfigurationError("a budget needs a limit with prices, or max_messages, or both")
        if (limit is None) != (prices is None):
            raise ConfigurationError(
                "limit and prices go together: a limit on spend needs to know what a message costs; give both, as in "
                'Budget("50", Prices({"ES": "0.9"})), or cap the messages with max_messages alone'
            )
        if max_messages is not None and (isinstance(max_messages, bool) or not isinstance(max_messages, int)):
            raise ValidationError("max_messages must be an int", field="max_messages")
        if max_messages is not None and max_messages < 0:
            raise ValidationError("max_messages is negative; give 0 or more", field="max_messages")
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
        """What is neither spent nor reserved, never below 0; None without a limit."""
        if self.limit is None:
            return None
        return max(_ZERO, SUMS.subtract(SUMS.subtract(self.limit, self.spent), self.reserved))

    @property
    def messages_remaining(self) -> int | None:
        """How many messages are neither sent nor reserved, never below 0; None without ``max_messages``."""
        if self.max_messages is None:
            return None
        return max(0, self.max_messages - self.messages - self.messages_reserved)

    def reserve(self, items: Sequence[Item]) -> int:
        """Reserve the cost of a request, or of as much of it as fits.

        Args:
            items: the messages of the request, in their order.

        Returns:
            How many of them, from the front, are reserved. The rest does not fit; nothing is reserved for it.

        Raises:
            ValidationError: a message has no price, ``code`` ``"no_price"``; nothing is reserved. `Prices.screen`
                refuses such messages one by one, before.
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
        """Give back what was reserved for messages that are not sent after all.

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
        """Replace the reservation of messages of one request by what became of them.

        Args:
            items: messages that were reserved, as they were given to `reserve`; all of one request, or those of it
                that were made a request of.
            outcomes: one for each of them, in order.
            charged: what the vendor says that it charged for all of them together. Without it (or where it is no
                amount), each that is ACCEPTED or UNKNOWN counts by its own ``credits``, or else by price and parts:
                those of its outcome, where it knows them.

        Raises:
            ValueError: there are not as many outcomes as items, or more is settled than is reserved, which is a
                defect of the caller; nothing is changed.
        """
        held, amount, messages = self._add_up(items, outcomes, charged)
        self._take_back(held, len(items))
        self.spent = SUMS.add(self.spent, amount)
        self.messages += messages

    def count(self, items: Sequence[Item], outcomes: Sequence[Outcome], *, charged: Decimal | None = None) -> None:
        """Count what was sent without a reservation, such as before the campaign was resumed.

        Args and errors as in `settle`; ``items`` need not have been reserved.
        """
        _, amount, messages = self._add_up(items, outcomes, charged)
        self.spent = SUMS.add(self.spent, amount)
        self.messages += messages

    def _cost(self, where: str | None, parts: int) -> Decimal:
        return _ZERO if self.prices is None else self.prices.cost(where, parts)

    def _add_up(
        self, items: Sequence[Item], outcomes: Sequence[Outcome], charged: Decimal | None
    ) -> tuple[Decimal, Decimal, int]:
        """What was reserved for the messages, what they cost, and how many of them count."""
        held, amount, messages = _ZERO, _ZERO, 0
        for (where, parts), outcome in zip(items, outcomes, strict=True):
            cost = self._cost(where, parts)
            held = SUMS.add(held, cost)
            # One that ended UNKNOWN may have been sent, and then it was charged.
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
    """The vendor has told what it charged. A negative amount, or none at all, is no charge that could be believed."""
    return amount is not None and amount.is_finite() and amount >= 0
