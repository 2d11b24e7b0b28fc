"""Read ``--route`` and ``--rate``, and connect to the vendors of a campaign."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import evolve, frozen

from mensasdk.campaign import Router
from mensasdk.cli.vendors import Settings, Wishes, make_client, make_options
from mensasdk.cli.work.campaign import Limits
from mensasdk.errors import ConfigurationError
from mensasdk.registry import vendor_info, vendors
from mensasdk.transport import Hook
from mensasdk.vendors.batching import BatchClient

__all__ = ["Way", "connect", "parse_rates", "parse_routes"]

_FORM = "it looks like ES=VENDOR, PT,FR=VENDOR or '*=VENDOR'"


@frozen
class Way:
    """A vendor of a campaign.

    Attributes:
        vendor: its name.
        settings: its credentials and address.
        countries: ISO 3166 alpha-2 codes of the countries whose recipients it serves; None for all.
    """

    vendor: str
    settings: Settings
    countries: frozenset[str] | None = None


def parse_routes(values: Sequence[str]) -> dict[str, frozenset[str] | None]:
    """Read the values of ``--route``.

    Returns:
        The countries of each vendor, in the order of preference; None for all countries.

    Raises:
        ConfigurationError: a value is no route, or two values contradict each other.
    """
    routes: dict[str, frozenset[str] | None] = {}
    for value in values:
        what, equals, vendor = (part.strip() for part in value.partition("="))
        if not equals or vendor not in vendors():
            known = ", ".join(vendors())
            raise ConfigurationError(f"--route {value!r} names no vendor: {_FORM}; vendors are {known}")
        countries = None if what == "*" else frozenset(_country(code, value) for code in what.split(","))
        before = routes.get(vendor, frozenset())
        if vendor in routes and (before is None or countries is None):
            raise ConfigurationError(f"--route gives {vendor} all countries and some countries; leave one of them out")
        routes[vendor] = None if countries is None or before is None else before | countries
    return routes


def _country(code: str, value: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    code = code.strip().upper()
    if code not in SUPPORTED_REGIONS:
        raise ConfigurationError(f"--route {value!r}: {code!r} is no country by ISO 3166; {_FORM}")
    return code


def parse_rates(values: Sequence[str], vendors: Sequence[str]) -> tuple[float | None, dict[str, float]]:
    """Read the values of ``--rate``: a rate for every vendor, and ``vendor=rate`` for one.

    Returns:
        The rate for every vendor (None for no limit), and the rates of single vendors.

    Raises:
        ConfigurationError: a value is no rate, is given twice, or is for a vendor that the campaign does not use.
    """
    common: float | None = None
    rates: dict[str, float] = {}
    for value in values:
        vendor, equals, number = (part.strip() for part in value.rpartition("="))
        if equals and vendor not in vendors:
            raise ConfigurationError(f"--rate {value!r}: the campaign goes through {_listed(vendors)} only")
        if vendor in rates if equals else common is not None:
            raise ConfigurationError(f"--rate is given twice{f' for {vendor}' if equals else ''}; keep one")
        if equals:
            rates[vendor] = _rate(number, value)
        else:
            common = _rate(number, value)
    return common, rates


def _rate(number: str, value: str) -> float:
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        raise ConfigurationError(f"--rate {value!r} must be messages a second above 0, such as 200 or VENDOR=200")
    return rate


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@asynccontextmanager
async def connect(
    ways: Sequence[Way],
    *,
    limits: Limits,
    wishes: Wishes,
    default_country: str | None,
    hooks: Sequence[Hook] = (),
    routed: bool = False,
) -> AsyncIterator[tuple[BatchClient | Router, Sequence[str]]]:
    """Make the clients of a campaign, and close them at its end.

    Args:
        ways: the vendors. A single vendor for all countries gets no router, and its messages have to carry sender,
            template and options themselves.
        limits: rates and other limits.
        wishes: sender and options that a router adds to the messages of each vendor.
        default_country: country of national numbers; None for the home of a single vendor.
        hooks: called with each event of the clients.
        routed: make a router for a single vendor too, for messages that carry no sender and options.

    Yields:
        The client or router to send through, and a line for each vendor: which countries go to which address.
    """
    async with AsyncExitStack() as stack:
        clients = []
        single = len(ways) == 1 and ways[0].countries is None
        for way in ways:
            info = vendor_info(way.vendor)
            # With several vendors, a national number could belong to the home country of any of them.
            country = default_country or (info.home if single else None)
            client = make_client(info, way.settings, default_country=country, hooks=hooks, wishes=wishes)
            stack.push_async_callback(client.aclose)
            clients.append(client)
        if single and not routed:
            yield clients[0], [f"{ways[0].vendor} at {clients[0].base_url}"]
            return
        routes = []
        lines = []
        for way, client in zip(ways, clients, strict=True):
            info = vendor_info(way.vendor)
            routes.append(
                evolve(
                    limits.route(client),
                    countries=way.countries,
                    options=make_options(info, wishes),
                    sender=wishes.sender if info.has("sender") else None,
                )
            )
            rest = "all" if len(ways) == 1 else "others"
            countries = rest if way.countries is None else ", ".join(sorted(way.countries))
            lines.append(f"{countries} through {way.vendor} at {client.base_url}")
        yield Router(routes), lines
