"""Count instructions with valgrind, and tracked objects, which do not depend on noise, and compare with a baseline.

``python -m benchmarks.instructions`` prints the counts. ``--check`` compares them with ``baseline.json`` and fails on a
loss of more than 10 %. ``--save`` writes this run to that file. If valgrind is missing, or the file has no baseline for
this minor version of Python and this architecture, the command says so and passes. `counting` describes the counting.

A case is compared by its **ratio to another case of the same run**: a call to one of bare aiohttp, a report to
``orjson.loads`` of its JSON. Absolute counts change with each release of aiohttp or orjson, which is not our gain or
loss, and most of that cancels out in the ratio. The baseline has the versions of its run, and other versions are named.
If a ratio has a goal, the goal is printed too, and whether it is reached. A goal that is not reached fails nothing.

The platform does not cancel out. ``orjson`` is compiled, and reading a report is mostly Python, which takes a seventh
fewer instructions on Debian's 3.11 than on one that was built without optimisations. Compiled code also depends on the
processor. Valgrind shows it one with AVX2 and without AVX-512 if the real one has AVX2, and an older one if not. So a
few lines of plain Python are counted as well. If they, or the case that a ratio divides by, differ from the baseline by
more than 5 %, a loss may not be our fault: it is reported, and fails nothing. Our own cases excuse no loss: making
messages is one of them, and is compared itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.counting import PLAIN, Counts, count
from benchmarks.machine import versions

__all__ = ["OBJECTS", "RATIOS", "Ratio", "compare", "count", "figures", "main"]

BASELINE = Path(__file__).with_name("baseline.json")
ALLOWED_LOSS = 1.10
_SAME = 0.05
_VERSIONS_THAT_MATTER = ("python", "aiohttp", "orjson", "attrs", "cattrs", "yarl", "multidict", "click", "rich")


@frozen
class Ratio:
    """Ratio of a case to another case.

    Attributes:
        to: the other case, by which the case is divided.
        less: a part of the case, which is subtracted first.
        to_less: a part of the other case, which is subtracted first.
        goal: the goal for the ratio, as an upper limit; None for no goal here.
    """

    to: str
    less: str | None = None
    to_less: str | None = None
    goal: float | None = None

    def of(self, name: str, counted: Mapping[str, float]) -> float:
        ours = counted[name] - (counted[self.less] if self.less else 0)
        theirs = counted[self.to] - (counted[self.to_less] if self.to_less else 0)
        return ours / theirs

    def words(self) -> str:
        """Return the words to print after the figure."""
        if self.less is None:
            return f"× {self.to}"
        return f"× {self.to}, {'both ' if self.to_less else ''}less {self.less}"


RATIOS: Mapping[str, Ratio] = {
    "call": Ratio("aiohttp call", goal=0.78),
    "one a request": Ratio("bare pool", goal=1.20),
    "full request": Ratio("messages made", less="messages made", goal=3.2),
    "messages made": Ratio(PLAIN),
    **dict.fromkeys(("json", "xml", "txt"), Ratio("orjson")),
    "import": Ratio("import aiohttp", less="bare start", to_less="bare start", goal=1.35),
    "help": Ratio("import click", less="bare start", to_less="bare start", goal=2.5),
}
# The goals for the counts of tracked objects.
OBJECTS: Mapping[str, float] = {"full request": 4.2}


def figures(counted: Counts) -> dict[str, Any]:
    """Return the figures that are stored and compared."""
    return {
        "ratios": {name: round(ratio.of(name, counted.instructions), 3) for name, ratio in RATIOS.items()},
        "objects": {name: round(value, 3) for name, value in counted.objects.items()},
        "instructions": {name: round(value) for name, value in counted.instructions.items()},
        "versions": {name: value for name, value in versions().items() if name in _VERSIONS_THAT_MATTER},
    }


def key() -> str:
    """Return the key of our baseline, such as ``3.11-x86_64``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}-{platform.machine()}"


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Print each figure beside its baseline and its goal, and return those that lost more than is allowed."""
    references = dict.fromkeys((*(ratio.to for ratio in RATIOS.values() if ratio.to not in RATIOS), PLAIN))
    moved = [name for name in references if _moved(name, now, before)]
    lost = []
    for name, ratio in RATIOS.items():
        excuses = [one for one in moved if one in {ratio.to, PLAIN}]
        base = before["ratios"].get(name)
        if _lost(name, now["ratios"][name], base, ratio.words(), ratio.goal, excuses):
            lost.append(name)
    for name, goal in OBJECTS.items():
        base = before.get("objects", {}).get(name)
        if _lost(name, now["objects"][name], base, "tracked objects a recipient", goal, ()):
            lost.append(f"objects of a {name}")
    for name in moved:
        old = before["instructions"].get(name)
        then = "not counted" if old is None else f"{old:,}"
        print(f"note: {name} took {now['instructions'][name]:,} instructions, in the baseline {then}")
    for name, version in now["versions"].items():
        old = before["versions"].get(name)
        if version != old:
            print(f"note: {name} is {version}, the baseline was taken with {old}")
    return lost


def _lost(name: str, value: float, base: float | None, words: str, goal: float | None, excuses: Sequence[str]) -> bool:
    """Print one figure, and return whether it lost more than is allowed, with nothing but our code to blame."""
    verdict = "the baseline has none"
    if base is not None:
        change = value / base - 1
        said = "gained; keep it with --save" if change < -0.1 else "ok"
        if value > base * ALLOWED_LOSS:
            said = f"REPORTED, not failed: {' and '.join(excuses)} changed as well" if excuses else "LOST"
        verdict = f"baseline {base:.3f}: {change:+.1%} {said}"
    if goal is not None:
        verdict += f"; goal {goal:.2f}, {'reached' if value <= goal else 'not reached'}"
    print(f"{name:13} {value:7.3f} {words}, {verdict}")
    return base is not None and value > base * ALLOWED_LOSS and not excuses


def _moved(name: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether a case that is not ours differs from the baseline: by its own code, or by the platform."""
    old = before["instructions"].get(name)
    return old is None or abs(now["instructions"][name] / old - 1) > _SAME


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail on a loss of more than 10 %% against the baseline")
    parser.add_argument("--save", action="store_true", help="make this run the baseline of this Python and machine")
    options = parser.parse_args(arguments)
    stored: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    if options.check and key() not in stored:
        print(f"SKIPPED: no baseline for {key()} in {BASELINE.name} (it has: {', '.join(stored) or 'nothing'})")
        return 0
    counted = count()
    if counted is None:
        print("SKIPPED: valgrind is not installed, so no instructions were counted")
        return 0
    now = figures(counted)
    for name, value in now["instructions"].items():
        print(f"{name:14} {value:>14,} instructions")
    if options.save:
        stored[key()] = now
        BASELINE.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    lost = compare(now, stored.get(key(), now))
    if options.check and lost:
        print(f"FAILED: more than {ALLOWED_LOSS - 1:.0%} lost: {', '.join(lost)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
