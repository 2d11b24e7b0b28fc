"""Customer's account at the emulated EnvíaTuSMS: key, balance, and prices by operator."""

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
    # From the document's sample of balance, where 4.50 USD buy 100, 200 or 50 messages.
    return {"movistar": Decimal("0.045"), "digitel": Decimal("0.0225"), "movilnet": Decimal("0.09")}


@define(kw_only=True)
class Account:
    """EnvíaTuSMS account. A test may change any attribute while the sandbox runs.

    Attributes:
        api_key: the API key; by default 16 random hexadecimal digits.
        balance: USD left.
        prices: USD per SMS by operator.
        operators: the operator by mobile prefix; numbers with any other prefix are ignored.
        forbidden: words that no text may contain. A request with such a word in one of its texts is refused as a whole.
            Forbidden words are an assumption: the document only says that a refusal names the text at fault.
        moderation: whether new campaigns wait for `EnviaTuSms.approve`.
        links_per_day: count of links that may be shortened per day (in Caracas, by the real clock).
    """

    api_key: str = field(factory=lambda: secrets.token_hex(8), repr=False)
    balance: Decimal = field(default=Decimal(100_000), converter=Decimal)
    prices: dict[str, Decimal] = field(factory=_default_prices)
    operators: dict[str, str] = field(factory=_default_operators)
    forbidden: frozenset[str] = field(default=frozenset(), converter=frozenset)
    moderation: bool = False
    links_per_day: int = 10

    def prefix_prices(self) -> Mapping[str, Decimal]:
        """Return USD per SMS by mobile prefix."""
        return {prefix: self.prices[name] for prefix, name in self.operators.items() if name in self.prices}

    def affordable(self) -> dict[str, int]:
        """Return the count of SMS that the balance buys, by operator."""
        return {name: int(self.balance // price) for name, price in self.prices.items() if price}
