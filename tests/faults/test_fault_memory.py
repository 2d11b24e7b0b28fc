"""The memory that a vendor can make us hold: bounded for each answer, and let go of afterwards."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from chosen import make_transport
from shared import EAGER

from mensasdk import Timeouts

from .calls import CALLS, VENDORS, connect
from .cells import ended
from .findings import FINDINGS
from .rows import SHORT
from .tables import MEMORY
from .test_fault_campaigns import FUNCTIONS

TESTS = Path(__file__).parent.parent
MOST = 40_000_000  # bytes for one answer; the cap is 8 MiB, and a text of that takes its size a few times
LEFT = 100_000  # bytes that may stay after twelve more answers, for what Python itself keeps at hand
REPEATS = 12


@pytest.fixture(scope="module")
def places() -> Iterator[Mapping[str, Mapping[str, dict[str, Any]]]]:
    """Start another process, and say where in it each fault is to be had."""
    script = Path(__file__).with_name("memory_server.py")
    arguments = [sys.executable, str(script), str(TESTS), str(TESTS.parent)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


@pytest.fixture
def traced() -> Iterator[None]:
    gc.collect()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def judge(row: str, vendor: str, peak: int, growth: int) -> None:
    right = peak < MOST and growth < LEFT
    text = "bounded, and nothing stays" if right else f"{peak / 1e6:.0f} MB at most, {growth} bytes stay"
    FINDINGS.add_text(f"{row}: memory", vendor, text, right)
    assert right, text


@pytest.mark.slow
async def test_what_is_held_is_seen(traced: None) -> None:
    """The measure itself: it would see a body of the size of the bound, and one that stays."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    kept = bytes(MOST)
    del kept
    kept = bytes(LEFT)
    now, peak = tracemalloc.get_traced_memory()
    assert peak - before >= MOST
    assert now - before >= LEFT
    del kept


@pytest.mark.slow
@pytest.mark.parametrize("row", MEMORY)
async def test_no_answer_fills_our_memory(
    row: str, places: Mapping[str, Mapping[str, dict[str, Any]]], traced: None
) -> None:
    total = SHORT / 2 if "without end" in row else 20.0
    transport = make_transport()

    async def once(vendor: str) -> None:
        call = next(one for one in CALLS if one.vendor == vendor and one.function == FUNCTIONS[vendor])
        limits = Timeouts(total=total)
        client = connect(vendor, **places[row][vendor], transport=transport, timeouts=limits, retry=EAGER)
        _, outcome = await ended(call.make(client, None), call, total=total)
        assert outcome == "unknown"

    async def peak_of(vendor: str) -> int:
        before = held()
        tracemalloc.reset_peak()
        await once(vendor)
        return tracemalloc.get_traced_memory()[1] - before

    try:
        await asyncio.gather(*map(once, VENDORS))  # imports, and what is made once
        peaks = {vendor: await peak_of(vendor) for vendor in VENDORS}
        before = held()
        for _ in range(REPEATS // len(VENDORS)):
            await asyncio.gather(*map(once, VENDORS))
        growth = held() - before
    finally:
        await transport.aclose()
    for vendor, peak in peaks.items():
        judge(row, vendor, peak, growth)


def held() -> int:
    """Measure the bytes that are held, but for what the collector would find."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
