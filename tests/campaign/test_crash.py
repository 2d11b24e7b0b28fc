"""Kill -9 at every journal and I/O step, then resume: nobody is sent to twice, nobody is forgotten.

The sender is a process of its own; the vendor runs here, and its ledger is the ground truth. Each point of death has
numbers of its own, so that a request of a dead process that arrives late is counted with its own.
``MENSASDK_LONG=1`` kills the resuming process too, at many more points.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tiers import LONG

from mensasdk.journal import SqliteJournal
from mensasdk.sandbox import Fault, Sandbox

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
    pytest.mark.timeout(1800 if LONG else 60),
]

COUNT = 40
AT_ONCE = 10  # recipients of a request


class Sender:
    """The process that forks senders."""

    def __init__(self, process: subprocess.Popen[str], box: Sandbox, folder: Path) -> None:
        self._process = process
        self._box = box
        self._folder = folder
        self._points = 0

    def point(self) -> tuple[Path | str, int]:
        """Return a journal and a range of numbers that nobody has used."""
        self._points += 1
        return self._folder / f"{self._points}.sqlite", self._points * 1000

    async def run(
        self,
        point: tuple[Path | str, int],
        *,
        die_at: int = 0,
        resume: bool | None = None,
        in_flight: int = 1,
        count: int = COUNT,
        file_size: int = 0,
        grouped: bool = False,
        reconcile: bool = False,
    ) -> dict[str, Any] | None:
        """Send in a new process, or resume with or without the input, or reconcile; None if it died where it should."""
        job = {
            **self._box.credentials("mensatek"),
            "base_url": self._box.base_url("mensatek"),
            "path": str(point[0]),
            "start": point[1],
            "count": count,
            "die_at": die_at,
            "resume": resume,
            "in_flight": in_flight,
            "file_size": file_size,
            "grouped": grouped,
            "reconcile": reconcile,
        }
        answer = json.loads(await asyncio.to_thread(self._exchange, json.dumps(job)))
        said: dict[str, Any] | None = answer["said"]
        assert (said is None) == (answer["signal"] == signal.SIGKILL)
        return said

    def _exchange(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    async def take_up(
        self, point: tuple[Path | str, int], *, die_at: int = 0, in_flight: int = 1, grouped: bool = False
    ) -> dict[str, Any] | None:
        """Do what a person does after a crash: resume with the same list, or begin if nothing had been recorded."""
        said = await self.run(point, die_at=die_at, resume=True, in_flight=in_flight, grouped=grouped)
        if said is not None and "no campaign" in said.get("error", ""):
            said = await self.run(point, die_at=die_at, in_flight=in_flight, grouped=grouped)
        return said


@pytest.fixture
async def sender(box: Sandbox, tmp_path: Path) -> AsyncIterator[Sender]:
    async with started(Sender, box, tmp_path) as made:
        yield made


S = TypeVar("S", bound=Sender)


@asynccontextmanager
async def started(kind: type[S], box: Sandbox, folder: Path) -> AsyncIterator[S]:
    """Start the process that forks senders."""
    # Each request takes a moment, so that there is a time while it is under way.
    box.fail("mensatek", function="EnviarSMS", fault=Fault.DELAY, delay=0.02, times=None)
    script = Path(__file__).with_name("crash_sender.py")
    process = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield kind(process, box, folder)
    process.kill()
    await asyncio.to_thread(process.communicate)


def accounts(
    box: Sandbox, point: tuple[Path | str, int], said: dict[str, Any] | None, count: int = COUNT
) -> Counter[str]:
    """Check the last report of a campaign against the ledger; give its counts."""
    assert said is not None
    assert said.get("stopped", said) is None
    everybody = {f"+346{index:08d}" for index in range(point[1], point[1] + count)}
    outcomes = dict(said["rows"])
    assert len(said["rows"]) == count, "somebody stands in the report twice, or not at all"
    assert set(outcomes) == everybody
    sent = {f"+{number}" for number in box.ledger.numbers()} & everybody
    assert {number for number, outcome in outcomes.items() if outcome == "accepted"} <= sent
    assert everybody - sent <= {number for number, outcome in outcomes.items() if outcome == "unknown"}
    return Counter(outcomes.values())


def nobody_twice(box: Sandbox) -> None:
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.slow
async def test_killed_at_every_step_and_resumed(box: Sandbox, sender: Sender) -> None:
    whole = await sender.run(sender.point())
    assert whole is not None
    assert whole["steps"] >= 30
    ends: list[tuple[int, Counter[str]]] = []
    for die_at in range(1, whole["steps"] + 1):
        point = sender.point()
        assert await sender.run(point, die_at=die_at) is None
        ends.append((die_at, accounts(box, point, await sender.take_up(point))))
    nobody_twice(box)
    for die_at, counts in ends:
        assert counts["accepted"] + counts["unknown"] == COUNT, die_at
        assert counts["unknown"] in {0, AT_ONCE}, "a death leaves no more in doubt than was under way"
    unknown = sum(counts["unknown"] > 0 for _, counts in ends)
    assert 4 * 5 <= unknown < len(ends), "in each of four requests from the claim to the settlement"


@pytest.mark.slow
async def test_killed_with_several_requests_under_way_and_again_while_resuming(box: Sandbox, sender: Sender) -> None:
    seeded = random.Random(7)
    whole = await sender.run(sender.point(), in_flight=3)
    assert whole is not None
    deaths = 0
    for _ in range(400 if LONG else 12):
        point = sender.point()
        said = await sender.run(point, die_at=seeded.randint(1, whole["steps"]), in_flight=3)
        if said is not None:  # changes that came together were one step, and it had fewer of them
            assert said["steps"] < whole["steps"]
            assert accounts(box, point, said)["accepted"] == COUNT
            continue
        died = 1  # and each death may leave three requests in doubt
        while said is None:
            said = await sender.take_up(point, die_at=seeded.choice([0, *range(1, 30)]), in_flight=3)
            died += said is None
        counts = accounts(box, point, said)
        assert counts["accepted"] + counts["unknown"] == COUNT
        assert counts["unknown"] <= 3 * AT_ONCE * died
        deaths += died
    nobody_twice(box)
    assert deaths > 15


@pytest.mark.slow
async def test_killed_at_every_step_resumed_and_reconciled_everybody_has_just_one(box: Sandbox, sender: Sender) -> None:
    """Within the vendor's groups nothing stays in doubt but who opened one. The reconciling process is killed too."""
    whole = await sender.run(sender.point(), grouped=True)
    assert whole is not None
    settled = 0
    deaths = [(die_at, sender.point()) for die_at in range(1, whole["steps"] + 1, 1 if LONG else 3)]
    for die_at, point in deaths:
        assert await sender.run(point, die_at=die_at, grouped=True) is None
        unknown = accounts(box, point, await sender.take_up(point, grouped=True))["unknown"]
        if unknown:
            for again in range(1, 40) if LONG else (die_at % 9 + 1,):
                await sender.run(point, die_at=again, grouped=True, reconcile=True)
            await sender.run(point, grouped=True, reconcile=True)
        left = accounts(box, point, await sender.take_up(point, grouped=True))["unknown"]
        assert left <= 1, die_at
        settled += unknown - left
    nobody_twice(box)
    assert settled >= 4 * (AT_ONCE - 1), "a request that was under way is in doubt until then"
    everybody = {f"346{start + index:08d}" for _, (_, start) in deaths for index in range(COUNT)}
    assert len(everybody - box.ledger.numbers().keys()) <= 3, "but for an opener that died before it left"


@pytest.mark.long
async def test_resuming_is_killed_at_every_step_too(box: Sandbox, sender: Sender) -> None:
    whole = await sender.run(sender.point())
    assert whole is not None
    for first in range(1, whole["steps"] + 1, 2):
        for second in range(1, whole["steps"] + 1, 2):
            point = sender.point()
            assert await sender.run(point, die_at=first) is None
            said = await sender.take_up(point, die_at=second)
            accounts(box, point, said or await sender.take_up(point))
    nobody_twice(box)


@pytest.mark.slow
async def test_what_the_journal_holds_goes_out_without_the_input(box: Sandbox, sender: Sender) -> None:
    """Nothing is read from the list again; what had not been read is not in the campaign."""
    for die_at in (8, 15, 24):
        point = sender.point()
        assert await sender.run(point, die_at=die_at) is None
        held = sum((await SqliteJournal(point[0]).progress("c")).values())
        said = await sender.run(point, resume=False)
        assert said is not None
        assert len(said["rows"]) == held > 0
        assert set(dict(said["rows"]).values()) <= {"accepted", "unknown"}
    nobody_twice(box)


@pytest.mark.slow
async def test_a_full_disk_stops_the_sending_and_nobody_is_lost(box: Sandbox, sender: Sender) -> None:
    """The system refuses to let any file grow past a size, as a full disk would."""
    point, count = sender.point(), 300
    said = await sender.run(point, count=count, file_size=120_000)
    assert said is not None
    assert "journal" in said["stopped"]
    outcomes = Counter(outcome for _, outcome in said["rows"])
    assert outcomes["accepted"] == len(box.ledger)
    assert outcomes["accepted"] + outcomes["not_sent"] == count
    assert min(outcomes.values()) > 0
    said = await sender.run(point, resume=True, count=count)
    counts = accounts(box, point, said, count)
    # What the disk did not take after the answer is in doubt now: at most one request's recipients.
    assert counts["unknown"] <= AT_ONCE
    assert counts["accepted"] + counts["unknown"] == count
    nobody_twice(box)
