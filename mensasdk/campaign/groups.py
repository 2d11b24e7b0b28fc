"""Keep the vendors' groups of a campaign. Within a group, a vendor takes no number twice."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from typing import Final

from attrs import define, field

from mensasdk.campaign.lane import Lane
from mensasdk.vendors.batching import Prepared

__all__ = ["GROUP_SIZE", "Group", "Groups"]

# A vendor reports on a whole group at once, and that report must not become too large to read.
GROUP_SIZE: Final = 10_000


@define(eq=False)
class Group:
    """A vendor's group of requests, within which the vendor takes no number twice.

    Attributes:
        id: the vendor's id of the group; None until the first message is accepted.
        numbers: the numbers that are in the group, or may be.
        opening: lock, held while the first message is sent.
    """

    id: str | None = None
    numbers: set[str] = field(factory=set)
    opening: asyncio.Lock = field(factory=asyncio.Lock)

    def admit(self, items: Sequence[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
        """Add the messages whose numbers are not in the group yet.

        Returns:
            The added messages, and the others. The vendor would drop the others, and its report could not tell two
            messages to one number apart.
        """
        new = [item for item in items if item.number not in self.numbers]
        others = [item for item in items if item.number in self.numbers]
        self.numbers.update(item.number for item in new)
        return new, others


class Groups:
    """Groups of a campaign, one open for each lane and group key."""

    def __init__(self) -> None:
        self._open: dict[tuple[Lane, Hashable], Group] = {}

    def of(self, lane: Lane, key: Hashable) -> Group:
        """Return the open group of a lane and key; begin a new group if that one is full."""
        group = self._open.get((lane, key))
        if group is None or len(group.numbers) >= GROUP_SIZE:
            group = self._open[lane, key] = Group()
        return group
