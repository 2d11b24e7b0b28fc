"""The fifth vendor's answers as frozen values, and what a message may bring along."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from attrs import frozen

from mensasdk.codec import make_converter, raw_field, wire
from mensasdk.messages import DeliveryState, VendorOptions
from mensasdk.vendors.base import e164

__all__ = ["CONVERTER", "STATES", "Account", "FifthOptions", "Line", "Taken"]

CONVERTER: Final = make_converter()
STATES: Final[Mapping[str, DeliveryState]] = {
    "taken": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "failed": DeliveryState.FAILED,
}


@frozen
class FifthOptions(VendorOptions):
    """Options of a `Message` that only the fifth vendor has.

    Attributes:
        label: ``label``, at most 20 characters; None for none.
    """

    LONGEST: ClassVar[int] = 20

    label: str | None = None


@frozen(kw_only=True)
class Account:
    """Answer of ``account``: ``left``, euros."""

    left: Decimal = wire("left")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True, repr=False)
class Line:
    """One message: ``to`` in E.164, ``id`` where it was taken, ``state``, and ``why`` where it was refused."""

    number: str = wire("to", convert=e164)
    id: str | None = wire("id", default=None)
    state: str = wire("state")
    why: str = wire("why", default="")
    raw: Mapping[str, Any] = raw_field()


@frozen(kw_only=True)
class Taken:
    """Answer of ``messages`` and ``list``: a line for each number; ``cost`` and ``left`` in euros where it sent."""

    lines: tuple[Line, ...] = wire("messages")
    cost: Decimal | None = wire("cost", default=None)
    left: Decimal | None = wire("left", default=None)
    raw: Mapping[str, Any] = raw_field()
