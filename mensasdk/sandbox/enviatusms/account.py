"""The customer's account: its key, its balance, and what a message costs with each operator."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal

from attrs import define, field

__all__ = ["Account"]


def _default_operators() -> dict[str, str]:
    return {
        "412": "digitel",
        "414": "movistar",
        "416": "movilnet",
        "422": "digitel",
        "424": "movistar",
        "426": "movilnet",
    }


def _default_prices() -> dict[str, Decimal]:
    # What the document's sample of balance comes to: 4.50 USD buy 100, 200 or 50 messages.
    return {"movistar": Decimal("0.045"), "digitel": Decimal("0.0225"), "movilnet": Decimal("0.09")}


@define(kw_only=True)
class Account:
    """An EnvíaTuSMS account. A test may change any attribute while the box runs.

    Attributes:
        api_key: random, 16 hexadecimal digits.
        balance: USD left.
        prices: USD per SMS, by operator.
        operators: the operator of each mobile prefix; numbers with any other prefix are ignored.
        forbidden: words that no text may hold; a request with one in any of its texts is refused as a whole. That the
            vendor has any is an assumption: the document says no more than that the text at fault is named.
        moderation: new campaigns wait for `EnviaTuSms.approve`.
        links_per_day: how many links may be shortened in a day of Caracas, by the real clock.
    """

    api_key: str = field(factory=lambda: secrets.token_hex(8), repr=False)
    balance: Decimal = field(default=Decimal(100_000), converter=Decimal)
    prices: dict[str, Decimal] = field(factory=_default_prices)
    operators: dict[str, str] = field(factory=_default_operators)
    forbidden: frozenset[str] = field(default=frozenset(), converter=frozenset)
    moderation: bool = False
    links_per_day: int = 10

    def prefix_prices(self) -> Mapping[str, Decimal]:
        """USD per SMS, by mobile prefix."""
        return {prefix: self.prices[name] for prefix, name in self.operators.items() if name in self.prices}

    def affordable(self) -> dict[str, int]:
        """How many SMS the balance buys, by operator."""
        return {name: int(self.balance // price) for name, price in self.prices.items() if price}
