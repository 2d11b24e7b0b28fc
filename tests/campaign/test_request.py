"""The work of one request, where it is called without a sender, as under a queue."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mensasdk import MemoryJournal, Message, Outcome, OutcomeKind
from mensasdk.campaign import run_chunk
from mensasdk.journal import Row, State

CLOCKS = "mensasdk.campaign.request._clocks"
ROWS = [Row(seq, f"key {seq}".encode(), Message(f"+3460000000{seq}", "hola")) for seq in range(3)]


class Work:
    """Counts what it is given to send, and what it is told."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.told: list[tuple[int, OutcomeKind, str | None]] = []

    async def send(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        self.sent += [row.seq for row in rows]
        return [Outcome(OutcomeKind.ACCEPTED, row.message, vendor="test", vendor_id="1") for row in rows]

    def settled(self, pairs: Sequence[tuple[int, Outcome]]) -> None:
        self.told += [(seq, outcome.kind, outcome.code) for seq, outcome in pairs]


async def loaded() -> MemoryJournal:
    journal = MemoryJournal()
    await journal.open("c")
    await journal.load("c", ROWS)
    return journal


async def test_what_is_claimed_is_sent_and_settled() -> None:
    journal, work = await loaded(), Work()
    await run_chunk(journal, work.send, "c", 0, 2, work.settled, vendor="test")
    assert work.sent == [0, 1]
    assert (await journal.progress("c"))[State.ACCEPTED] == 2


async def test_a_chunk_that_is_handed_out_twice_is_sent_once() -> None:
    journal, work = await loaded(), Work()
    for _ in range(2):
        await run_chunk(journal, work.send, "c", 0, 3, work.settled)
    assert work.sent == [0, 1, 2]


@pytest.mark.parametrize("later", [(100.0, 0.5), (0.5, 100.0)])
async def test_nothing_is_sent_on_a_claim_that_is_older_than_its_lease(
    monkeypatch: pytest.MonkeyPatch, later: tuple[float, float]
) -> None:
    """The machine stands still while the claim is under way: one of its two clocks shows it."""
    journal, work = await loaded(), Work()
    monkeypatch.setattr(CLOCKS, iter([(0.0, 0.0), later]).__next__)
    await run_chunk(journal, work.send, "c", 0, 3, work.settled, lease=60)
    assert work.sent == []
    assert work.told == [(seq, OutcomeKind.NOT_SENT, "lease") for seq in range(3)]
    assert (await journal.progress("c"))[State.PENDING] == 3


async def test_what_another_has_swept_meanwhile_is_not_pending_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thief(MemoryJournal):
        """Another machine takes the rows for those of a dead owner, as soon as they are claimed."""

        async def claim(
            self, campaign: str, lo: int, hi: int, *, vendor: str | None = None, group: str | None = None
        ) -> Sequence[Row]:
            rows = await super().claim(campaign, lo, hi, vendor=vendor, group=group)
            await self.sweep(campaign)
            return rows

    journal, work = Thief(), Work()
    monkeypatch.setattr(CLOCKS, iter([(0.0, 0.0), (100.0, 0.0)]).__next__)
    await journal.open("c")
    await journal.load("c", ROWS)
    await run_chunk(journal, work.send, "c", 0, 3, work.settled, lease=60)
    assert work.sent == []
    assert (await journal.progress("c"))[State.UNKNOWN] == 3
