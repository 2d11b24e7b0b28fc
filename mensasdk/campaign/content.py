"""Describe a campaign of ready messages by the routes that it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mensasdk.campaign.route import Route
from mensasdk.errors import ConfigurationError
from mensasdk.journal.facts import CampaignFacts, RouteFacts
from mensasdk.journal.packing import plain_options
from mensasdk.messages import VendorOptions

__all__ = ["content_of"]


def content_of(routes: Sequence[Route]) -> CampaignFacts:
    """Return the content of a campaign of ready messages: its routes, and what they add to the messages."""
    facts = [
        RouteFacts(
            route.client.vendor,
            None if route.countries is None else tuple(route.countries),
            route.sender,
            route.template,
            _written(route.options),
        )
        for route in routes
    ]
    return CampaignFacts(tuple(facts))


def _written(options: VendorOptions | None) -> Any:
    if options is None:
        return None
    try:
        return plain_options(options)
    except ConfigurationError:  # a journal cannot keep their values; their class says something
        return [type(options).__name__]
