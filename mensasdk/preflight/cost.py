"""Estimate the cost of messages before they are sent.

All amounts are `Decimal`, in the credits or the currency of the vendor whose prices are used. Sums are exact, whatever
the precision of the caller's own decimal context.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from attrs import define

from mensasdk.arguments import check_kind
from mensasdk.preflight.countries import country_of
from mensasdk.preflight.prices import SUMS, Prices

__all__ = ["CountryCost", "Estimate"]


_ZERO: Final = Decimal(0)


@define
class CountryCost:
    """Cost of the messages to one country.

    Attributes:
        messages: count of messages, with or without a price.
        parts: SMS parts of all messages.
        cost: cost of the messages that have a price.
        unpriced: count of messages without a price.
    """

    messages: int = 0
    parts: int = 0
    cost: Decimal = _ZERO
    unpriced: int = 0

    def _add(self, other: CountryCost) -> None:
        self.messages += other.messages
        self.parts += other.parts
        self.cost = SUMS.add(self.cost, other.cost)
        self.unpriced += other.unpriced


class Estimate:
    """Sum of what messages will cost, over a list of any length.

    Memory is needed for each country, and not for each message.

    Args:
        prices: the price of an SMS part, by destination.

    Attributes:
        prices: the prices as given.
        by_country: cost by ISO 3166 alpha-2 code, in the order in which the countries first came; under None, numbers
            that belong to no country.
    """

    def __init__(self, prices: Prices) -> None:
        check_kind("prices", prices, Prices, 'Prices, as in Prices({"ES": "0.9"})')
        self.prices = prices
        self.by_country: dict[str | None, CountryCost] = {}

    def __repr__(self) -> str:
        return f"<Estimate: {self.total} for {self.messages} messages, {sum(self.unpriced.values())} without a price>"

    def add(self, where: str | None, parts: int) -> None:
        """Count one message.

        Args:
            where: the recipient in E.164, or a country, as in `Prices.of`.
            parts: SMS parts of the message; at least one is counted.
        """
        parts = max(parts, 1)
        price = self.prices.of(where)
        country = country_of(where) if where is not None and where[:1] == "+" else where
        counted = self.by_country.get(country)
        if counted is None:
            counted = self.by_country[country] = CountryCost()
        counted.messages += 1
        counted.parts += parts
        if price is None:
            counted.unpriced += 1
        else:
            counted.cost = SUMS.add(counted.cost, price if parts == 1 else SUMS.multiply(price, parts))

    def merge(self, other: Estimate) -> None:
        """Add another estimate, such as that of another part of the list."""
        for country, cost in other.by_country.items():
            self.by_country.setdefault(country, CountryCost())._add(cost)

    @property
    def total(self) -> Decimal:
        """Cost of all messages that have a price; the whole cost only if ``unpriced`` is empty."""
        total = _ZERO
        for cost in self.by_country.values():
            total = SUMS.add(total, cost.cost)
        return total

    @property
    def messages(self) -> int:
        """Count of all messages, with or without a price."""
        return sum(cost.messages for cost in self.by_country.values())

    @property
    def parts(self) -> int:
        """SMS parts of all messages."""
        return sum(cost.parts for cost in self.by_country.values())

    @property
    def unpriced(self) -> dict[str | None, int]:
        """Count of messages without a price, by country."""
        return {country: cost.unpriced for country, cost in self.by_country.items() if cost.unpriced}
