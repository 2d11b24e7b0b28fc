"""The vendors' groups of a campaign: requests within which a vendor takes no number twice."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from typing import Final

from attrs import define, field

from mensasdk.campaign.lane import Lane
from mensasdk.vendors.batching import Prepared

__all__ = ["GROUP_SIZE", "Group", "Groups"]

# A vendor's report tells of a whole group, and must not become too large to be read.
GROUP_SIZE: Final = 10_000


@define(eq=False)
class Group:
    """Requests within which the vendor takes no number twice.

    Attributes:
        id: the vendor's id of it; None until its first message was accepted.
        numbers: who is in it, or may be.
        opening: held by who sends its first message.
    """

    id: str | None = None
    numbers: set[str] = field(factory=set)
    opening: asyncio.Lock = field(factory=asyncio.Lock)

    def admit(self, items: Sequence[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
        """Take in whom the group does not have yet.

        Returns:
            Those, and the others: the vendor would drop these, and a report could not tell the two messages apart.
        """
        new = [item for item in items if item.number not in self.numbers]
        others = [item for item in items if item.number in self.numbers]
        self.numbers.update(item.number for item in new)
        return new, others


class Groups:
    """The groups of a campaign, one open for each lane and key."""

    def __init__(self) -> None:
        self._open: dict[tuple[Lane, Hashable], Group] = {}

    def of(self, lane: Lane, key: Hashable) -> Group:
        """Find the group that is open for a key; a full one is followed by another."""
        group = self._open.get((lane, key))
        if group is None or len(group.numbers) >= GROUP_SIZE:
            group = self._open[lane, key] = Group()
        return group
