"""What messages will cost: an estimate before sending.

All amounts are `Decimal`, in one unit: the credits, or the currency, of the vendor whose prices they are. Sums are
exact, whatever the precision of the caller's own decimal context.
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
    """What the messages to one country come to.

    Attributes:
        messages: how many, those without a price included.
        parts: SMS parts of all of them.
        cost: of those that have a price.
        unpriced: messages without a price.
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
    """Adds up what messages will cost, over a list of any length; it holds a few numbers for each country.

    Args:
        prices: what one part costs.

    Attributes:
        prices: as given.
        by_country: by ISO 3166 alpha-2 code, in the order in which the countries first came; under None, the numbers
            of no country.
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
            where: the recipient in E.164 form, or a country, as in `Prices.of`.
            parts: SMS parts that it counts as. A message is one at least.
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
        """Count what another estimate has counted, such as that of another part of the list."""
        for country, cost in other.by_country.items():
            self.by_country.setdefault(country, CountryCost())._add(cost)

    @property
    def total(self) -> Decimal:
        """The cost of all messages that have a price. It is the whole cost only where ``unpriced`` is empty."""
        total = _ZERO
        for cost in self.by_country.values():
            total = SUMS.add(total, cost.cost)
        return total

    @property
    def messages(self) -> int:
        """All messages, those without a price included."""
        return sum(cost.messages for cost in self.by_country.values())

    @property
    def parts(self) -> int:
        """SMS parts of all messages."""
        return sum(cost.parts for cost in self.by_country.values())

    @property
    def unpriced(self) -> dict[str | None, int]:
        """How many messages have no price, by country."""
        return {country: cost.unpriced for country, cost in self.by_country.items() if cost.unpriced}
