"""Goals for the speed of mensasdk, and whether a run reached them. Ratios are within one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from benchmarks import imports

__all__ = ["GOALS", "Goal", "Verdict", "verdicts"]

Results = Mapping[str, Any]


@frozen
class Goal:
    """Figure with a limit.

    Attributes:
        number: the position of the goal that the figure belongs to, from 1.
        name: what the figure measures.
        limit: the limit.
        find: a function that takes the figure out of the results; it raises KeyError where there is none.
        at_most: the figure must not be above the limit; False if it must not be below.
        unit: the unit to show after the figure; empty for a ratio.
        digits: digits to show after the decimal point.
        key: the name by which a plot finds the limit.
    """

    number: int
    name: str
    limit: float
    find: Callable[[Results], float]
    at_most: bool = True
    unit: str = ""
    digits: int = 2
    key: str = ""

    def show(self, value: float) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{value:,.{self.digits}f}{unit}"

    def bound(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.show(self.limit)}"


@frozen
class Verdict:
    """Figure of a run beside its goal. ``share`` is 1 at the limit, and above 1 where the goal is not reached."""

    goal: Goal
    value: float

    @property
    def share(self) -> float:
        return self.value / self.goal.limit if self.goal.at_most else self.goal.limit / self.value

    @property
    def reached(self) -> bool:
        return self.value <= self.goal.limit if self.goal.at_most else self.value >= self.goal.limit


def _awake(contender: str) -> Callable[[Results], float]:
    return lambda results: float(results["awake"]["contenders"][contender]["ours_to_it"]["median"])


def _against(contender: str) -> Callable[[Results], float]:
    return lambda results: float(results["calls"]["64"]["contenders"][contender]["ours_to_it"]["median"])


def _decoding(form: str) -> Callable[[Results], float]:
    return lambda results: float(results["decoding"]["collecting"][f"{form} to values"]["to_orjson"]["median"])


def _memory(results: Results) -> float:
    if results["memory"]["recipients"] < 1_000_000:
        raise KeyError("memory")  # a smaller campaign proves nothing
    return float(results["memory"]["above_small_mb"]["median"])


def _limiter(field: str) -> Callable[[Results], float]:
    return lambda results: float(results["limiter"]["asyncio"][field])


GOALS = (
    Goal(1, "one call, CPU beside aiohttp as usual, 64 in flight", 1.00, _against("aiohttp, as usual")),
    Goal(1, "one call, CPU beside slack-sdk", 0.65, _against("slack-sdk")),
    Goal(1, "one call, CPU beside twilio", 0.60, _against("twilio")),
    Goal(1, "beside aiohttp as usual, where the server never sleeps", 1.00, _awake("aiohttp, as usual")),
    Goal(1, "beside slack-sdk, where the server never sleeps", 0.65, _awake("slack-sdk")),
    Goal(1, "beside twilio, where the server never sleeps", 0.60, _awake("twilio")),
    Goal(1, "one call, CPU beside an SDK on httpx (telnyx)", 0.10, _against("telnyx (httpx)")),
    Goal(2, "one recipient a request, CPU beside a bare pool of workers", 1.20,
         lambda r: float(r["one_each"]["cpu_ratio"]["median"])),
    Goal(2, "peak memory at 1,000,000 recipients above that at 10,000", 10, _memory, unit="MB", digits=1),
    Goal(3, "full requests, recipients a second on one core", 100_000,
         lambda r: float(r["full_requests"]["ways"]["BatchSender"]["per_second"]["median"]),
         at_most=False, digits=0),
    Goal(3, "throughput with SqliteJournal beside that without", 0.85,
         lambda r: float(r["journal"]["throughput_ratio"]["median"]), at_most=False),
    Goal(4, "limiter at 1,000/s: most permits in a sliding second", 1000, _limiter("worst_second"), digits=0),
    Goal(4, "limiter: share of the allowed rate that is used", 0.99, _limiter("share"), at_most=False, digits=3),
    Goal(4, "limiter: most permits in 100 ms", 120, _limiter("worst_100_ms"), digits=0),
    Goal(4, "limiter: a permit that is free", 1.5,
         lambda r: float(r["limiter"]["asyncio"]["permit_us"]["median"]), unit="µs"),
    Goal(5, "report of 1,000 from JSON, beside orjson.loads", 4.5, _decoding("json"), digits=1, key="json"),
    Goal(5, "report of 1,000 from XML, beside orjson.loads of the JSON", 12, _decoding("xml"), digits=1, key="xml"),
    Goal(5, "report of 1,000 from TXT, beside orjson.loads of the JSON", 6, _decoding("txt"), digits=1, key="txt"),
    Goal(6, "import mensasdk, CPU beside import aiohttp", 1.15,
         lambda r: float(r["imports"]["min_ratio"][imports.OURS])),
    Goal(6, "the same with MensatekClient, BatchSender and Message", 1.15,
         lambda r: float(r["imports"]["min_ratio"][imports.USED])),
)  # fmt: skip


def verdicts(results: Results) -> list[Verdict]:
    """Return a verdict for each goal whose figure is in the results."""
    found = []
    for goal in GOALS:
        try:
            found.append(Verdict(goal, goal.find(results)))
        except KeyError:
            continue
    return found
