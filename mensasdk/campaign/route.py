"""Describe a route: a client, the messages that it is for, and its limits."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import TYPE_CHECKING

from attrs import field, frozen

from mensasdk.arguments import check_count, check_kind, not_this
from mensasdk.errors import ConfigurationError
from mensasdk.limits.breaker import CircuitBreaker
from mensasdk.limits.rate import RateLimit, RateLimiter
from mensasdk.messages import VendorOptions
from mensasdk.vendors.batching import BatchClient

if TYPE_CHECKING:  # loaded only where a budget is used
    from mensasdk.limits.budget import Budget

__all__ = ["Route"]


def _country_codes(countries: Iterable[str] | None) -> frozenset[str] | None:
    if countries is None:
        return None
    if isinstance(countries, str):
        countries = [countries]
    codes = frozenset(code.upper() for code in countries)
    if not codes or not all(len(code) == 2 and code.isalpha() and code.isascii() for code in codes):
        raise ConfigurationError('countries must be ISO 3166 codes of two letters, such as {"ES", "PT"}')
    return codes


@frozen
class Route:
    """A client of a `Router`, the messages that it is for, and its limits.

    Args:
        client: a vendor's client; the caller closes it.
        countries: ISO 3166 alpha-2 codes of the countries that the route is for; None for all countries.
        rate: limit of messages per time through this client; a `RateLimiter` may be shared with other routes. None for
            no limit.
        request_rate: limit of requests per time through this client; None for no limit.
        max_in_flight: the most requests under way at once through this client.
        options: the vendor's options for messages without options of this kind.
        sender: sender for messages without one.
        template: the vendor's template for messages without one.
        breaker: rule for pausing the route while the vendor fails, and for giving the vendor up; None for never.
        budget: cap on messages, or on their cost in this vendor's unit; None for no cap.

    Raises:
        ConfigurationError: an argument is of a wrong kind or makes no sense.
    """

    client: BatchClient
    countries: frozenset[str] | None = field(default=None, converter=_country_codes, kw_only=True)
    rate: RateLimit | RateLimiter | None = field(default=None, kw_only=True)
    request_rate: RateLimit | RateLimiter | None = field(default=None, kw_only=True)
    max_in_flight: int = field(default=16, kw_only=True)
    options: VendorOptions | None = field(default=None, kw_only=True)
    sender: str | None = field(default=None, kw_only=True)
    template: str | None = field(default=None, kw_only=True)
    breaker: CircuitBreaker | None = field(factory=CircuitBreaker, kw_only=True)
    budget: Budget | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _check_client(self.client)
        limits = "a RateLimit, as in RateLimit(200), or a RateLimiter"
        for name, rate in (("rate", self.rate), ("request_rate", self.request_rate)):
            if rate is not None and not hasattr(rate, "acquire"):
                check_kind(name, rate, RateLimit, limits)
        check_count("max_in_flight", self.max_in_flight)
        check_kind("options", self.options, (VendorOptions, NoneType), "the options of a vendor, or None")
        for name, word in (("sender", self.sender), ("template", self.template)):
            check_kind(name, word, (str, NoneType), "a string or None")
        check_kind("breaker", self.breaker, (CircuitBreaker, NoneType), "a CircuitBreaker, or None for no breaker")
        if self.budget is not None and not hasattr(self.budget, "reserve"):
            raise ConfigurationError(not_this("budget", "a Budget, as in Budget(max_messages=1000)", self.budget))


def _check_client(client: object) -> None:
    if isinstance(client, type) or not hasattr(client, "send_batch"):
        raise ConfigurationError(not_this("client", "a client of a vendor, such as those of this package", client))
