"""Add up what vendors say that they charged."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Final

__all__ = ["add_charges"]

# The application's own context may have few digits, or raise where an amount of a vendor is odd.
_SUMS: Final = Context(prec=60, traps=[])


def add_charges(known: Mapping[str, Decimal], more: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the sums of two charges, by vendor. A vendor that is in neither has told nothing, which is not 0."""
    sums = dict(known)
    for vendor, amount in more.items():
        sums[vendor] = _SUMS.add(sums[vendor], amount) if vendor in sums else amount
    return sums
