"""Kill -9 a sender whose journal is in PostgreSQL, and crash PostgreSQL itself: nobody twice, nobody forgotten.

As in ``test_crash.py``, the sender is a process of its own, and the vendor's ledger is the ground truth.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from test_crash import AT_ONCE, COUNT, Sender, accounts, nobody_twice, started
from tiers import LONG

from mensasdk.journal import PostgresJournal, State
from mensasdk.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if LONG else 120)]


class Senders(Sender):
    """Senders that record in one database, each point under a campaign of its own."""

    dsn: str

    def point(self) -> tuple[Path | str, int]:
        _, start = super().point()
        return f"{self.dsn}#point {start}", start

    async def until_taken_up(self, point: tuple[Path | str, int], **how: Any) -> dict[str, Any] | None:
        """Resume as soon as the server can be reached, and the lease of the dead process has ended."""
        while True:
            said = await self.take_up(point, **how)
            if said is None or "error" not in said:
                return said
            assert re.search("is being sent by process|the journal's database", said["error"])
            await asyncio.sleep(0.1)


@pytest.fixture
async def senders(box: Sandbox, tmp_path: Path, dsn: str) -> AsyncIterator[Senders]:
    async with started(Senders, box, tmp_path) as made:
        made.dsn = dsn
        yield made


async def recorded(point: tuple[Path | str, int]) -> Counter[str]:
    """Return the states in the journal, counted from the records one by one, which have to agree with the sums."""
    dsn, _, campaign = str(point[0]).partition("#")
    journal = PostgresJournal(dsn)
    records = await journal.read(campaign, limit=10 * COUNT)
    assert len({record.number for record in records}) == len(records) == COUNT
    counts = Counter(record.state for record in records)
    assert {state: count for state, count in (await journal.progress(campaign)).items() if count} == dict(counts)
    assert await journal.read(campaign, states={State.UNKNOWN}) == [
        record for record in records if record.state is State.UNKNOWN
    ]
    return Counter({state.value: count for state, count in counts.items()})


async def test_killed_at_seeded_steps_and_resumed(box: Sandbox, senders: Senders) -> None:
    seeded = random.Random(14)
    whole = await senders.run(senders.point(), in_flight=2)
    assert whole is not None
    assert whole["steps"] >= 30
    points = range(1, whole["steps"] + 1)
    died = 0
    for die_at in points if LONG else sorted(seeded.sample(points, 7)):
        point = senders.point()
        said = await senders.run(point, die_at=die_at, in_flight=2)
        deaths = int(said is None)
        while said is None:
            said = await senders.until_taken_up(point, die_at=seeded.choice([0, 0, seeded.randint(1, 30)]), in_flight=2)
            deaths += said is None
        counts = accounts(box, point, said)
        assert counts["accepted"] + counts["unknown"] == COUNT, die_at
        assert counts["unknown"] <= 2 * AT_ONCE * deaths, die_at
        assert await recorded(point) == counts
        died += deaths
    nobody_twice(box)
    assert died >= 6


async def test_the_server_crashes_in_the_middle(
    box: Sandbox, senders: Senders, postgres_server: PostgresServer
) -> None:
    """The sender lives, keeps what it knows, and goes on: nothing is in doubt, however often the server crashes."""
    seeded = random.Random(15)
    crashes = 0
    for _ in range(40 if LONG else 4):
        point = senders.point()
        running = asyncio.create_task(senders.run(point, in_flight=2))
        while not running.done():
            await asyncio.sleep(seeded.uniform(0.02, 0.25))
            if running.done():
                break
            await asyncio.to_thread(postgres_server.stop)
            await asyncio.sleep(seeded.choice([0, 0.3]))
            await asyncio.to_thread(postgres_server.start)
            crashes += 1
            await asyncio.sleep(0.3)
        said = await running
        # The server was away before the sender had begun, or so long that a claim was too old to be sent.
        while said is not None and ("error" in said or "not_sent" in dict(said["rows"]).values()):
            said = await senders.until_taken_up(point, in_flight=2)
        counts = accounts(box, point, said)
        assert counts == {"accepted": COUNT}
        assert await recorded(point) == counts
    nobody_twice(box)
    assert crashes >= 4


async def test_sender_and_server_die_together(box: Sandbox, senders: Senders, postgres_server: PostgresServer) -> None:
    seeded = random.Random(16)
    for _ in range(60 if LONG else 4):
        point = senders.point()
        running = asyncio.create_task(senders.run(point, die_at=seeded.randint(10, 60), in_flight=2))
        await asyncio.sleep(seeded.uniform(0.05, 0.3))
        await asyncio.to_thread(postgres_server.stop)
        await asyncio.to_thread(postgres_server.start)
        said = await running
        if said is None or "error" in said:
            said = await senders.until_taken_up(point, in_flight=2)
        counts = accounts(box, point, said)
        assert counts["accepted"] + counts["unknown"] == COUNT
        assert counts["unknown"] <= 2 * AT_ONCE
        assert await recorded(point) == counts
    nobody_twice(box)
