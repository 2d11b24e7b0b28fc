"""Hold what the owner of an open campaign keeps beside the journal's database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from attrs import define, field

from mensasdk.journal.protocol import Claim
from mensasdk.messages import Outcome

__all__ = ["OpenCampaign", "Owed"]

Owed = tuple[Claim, Sequence[tuple[int, Outcome]], Mapping[str, Decimal]]
"""Claim, outcomes and charges that could not be settled yet."""


@define(eq=False)
class OpenCampaign:
    """Open campaign, as its owner holds it.

    Attributes:
        name: the campaign's id.
        number: its id in the tables.
        nonce: tells it apart from other campaigns of the same name.
        epoch: how often it had been opened when this one was; the fence of each change.
        complete: all messages of its input had been recorded when it was opened.
        free: the first free ``seq`` when it was opened.
        owed: outcomes that could not be written.
        lost: ids of claims whose answers were lost, and that could not be taken back.
    """

    name: str
    number: int
    nonce: str
    epoch: int
    complete: bool
    free: int
    owed: list[Owed] = field(factory=list)
    lost: set[int] = field(factory=set)
    _lock: asyncio.Lock = field(factory=asyncio.Lock)
    _shared: int = 0
    _idle: asyncio.Event = field(factory=asyncio.Event)

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Wait until no block of `alone` runs, and keep others from beginning until the end of this block."""
        async with self._lock:
            self._shared += 1
            self._idle.clear()
        try:
            yield
        finally:
            self._shared -= 1
            if self._shared == 0:
                self._idle.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait until no other block of `alone` or `shared` runs, and keep all from beginning until the end."""
        async with self._lock:
            if self._shared:
                await self._idle.wait()
            yield
