"""Several clients as one: which of them a message goes through, and under which limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

from mensasdk.errors import ConfigurationError
from mensasdk.limits.breaker import CircuitBreaker
from mensasdk.limits.rate import RateLimit
from mensasdk.messages import VendorOptions
from mensasdk.vendors.batching import BatchClient

if TYPE_CHECKING:  # loaded by who has one
    from mensasdk.limits.budget import Budget

__all__ = ["Route", "Router"]


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
    """One way out of a `Router`: a client, what it is for, and its limits.

    Args:
        client: a vendor's client; it stays yours to close.
        countries: ISO 3166 alpha-2 codes of the recipients that it is for; None for all.
        rate: messages per time through this client. None for no limit of ours.
        request_rate: requests per time through this client.
        max_in_flight: requests under way at once through this client.
        options: the vendor's options for messages that bring none of this kind.
        sender: sender for messages that name none.
        template: the vendor's template for messages that name none.
        breaker: when to pause, and to give up, while the vendor fails; None for never.
        budget: a cap on messages, or on what they cost in this vendor's unit; None for none.
    """

    client: BatchClient
    countries: frozenset[str] | None = field(default=None, converter=_country_codes, kw_only=True)
    rate: RateLimit | None = field(default=None, kw_only=True)
    request_rate: RateLimit | None = field(default=None, kw_only=True)
    max_in_flight: int = field(default=16, kw_only=True)
    options: VendorOptions | None = field(default=None, kw_only=True)
    sender: str | None = field(default=None, kw_only=True)
    template: str | None = field(default=None, kw_only=True)
    breaker: CircuitBreaker | None = field(factory=CircuitBreaker, kw_only=True)
    budget: Budget | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.max_in_flight < 1:
            raise ConfigurationError("max_in_flight must be 1 or more")


class Router:
    """Several clients as one: `BatchSender` takes it in place of a client.

    Each message goes to the first route whose countries it belongs to and whose client can take it. When that route
    turns out to be unable (no connection, rate limit, refused credentials, no credits), the message goes to the next
    one that can take it, but only while it is certain that nothing was sent: never after UNKNOWN. A route whose
    credentials, address or account are refused, or whose credits or budget are gone, is closed for the rest of the
    campaign.

    Args:
        routes: `Route` values or clients, in the order of preference.

    Raises:
        ConfigurationError: there is no route.
    """

    def __init__(self, routes: Sequence[Route | BatchClient]) -> None:
        if not routes:
            raise ConfigurationError("a router needs at least one route")
        self.routes = tuple(route if isinstance(route, Route) else Route(route) for route in routes)

    def __repr__(self) -> str:
        return f"<Router {', '.join(self.vendors)}>"

    @property
    def vendors(self) -> tuple[str, ...]:
        """The short names of the vendors, in order."""
        return tuple(route.client.vendor for route in self.routes)
