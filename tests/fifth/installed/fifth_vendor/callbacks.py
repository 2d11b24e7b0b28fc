"""Callbacks of the fifth vendor: what it posts to your server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from fifth_vendor.models import CONVERTER, STATES
from mensasdk.codec import decode_callback, raw_field, structure, wire
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.vendors.base import e164

__all__ = ["Report", "parse_callback"]


@frozen(kw_only=True, repr=False)
class Report:
    """The state of a message: ``id``, ``to``, ``state`` and ``batch``, the reference of its request."""

    id: str = wire("id")
    number: str = wire("to", convert=e164)
    state: str = wire("state")
    reference: str | None = wire("batch", default=None)
    raw: Mapping[str, Any] = raw_field()

    def to_delivery(self) -> Delivery:
        """Return the report in vendor-neutral terms."""
        state = STATES.get(self.state, DeliveryState.UNKNOWN)
        return Delivery(
            "fifth", self.id, number=self.number, state=state, code=self.state, reference=self.reference, raw=self.raw
        )


def parse_callback(body: bytes, content_type: str = "application/json") -> Report:
    """Read one callback.

    Raises:
        DecodeError: it cannot be read.
    """
    return structure(CONVERTER, decode_callback(body, content_type, vendor="fifth"), Report, vendor="fifth")
