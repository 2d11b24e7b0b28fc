"""``python -m benchmarks``: measure, print the tables, and write JSON, Markdown and plots.

The results of a run go to ``benchmarks/results/``, which git ignores: ``latest.json``, ``latest.md`` and the plots.
``--publish`` writes ``docs/benchmarks.md`` from the last run without measuring again, so that you can look at a run
before you publish it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from benchmarks import calls, campaigns, decoding, imports, instructions, machine, plots, report
from benchmarks.contenders import CONTENDERS
from benchmarks.server import Server, serving
from benchmarks.worker import ROOT, Worker

RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"


@frozen
class Plan:
    """Sizes and rounds of the measurements. Each contender does that many rounds."""

    name: str = "short"
    in_flight: tuple[int, ...] = (1, 16, 64, 256)
    names: tuple[str, ...] = tuple(CONTENDERS)
    call_rounds: int = 7
    side_rounds: int = 3
    side_names: tuple[str, ...] = calls.FEW
    call_seconds: float = 0.3
    one_each: int = 10_000
    full: int = 100_000
    journal: int = 20_000
    campaign_rounds: int = 5
    memory: int = 1_000_000
    memory_rounds: int = 1
    decode_rounds: int = 12
    limiter_seconds: float = 10.0
    import_rounds: int = 10


SHORT = Plan()
QUICK = Plan(name="quick", in_flight=(64,), names=calls.ALWAYS, call_rounds=5, decode_rounds=5)
LONG = Plan(
    name="long",
    call_rounds=21,
    side_rounds=11,
    side_names=tuple(CONTENDERS),
    call_seconds=0.8,
    one_each=100_000,
    full=1_000_000,
    journal=100_000,
    memory_rounds=3,
    decode_rounds=40,
    import_rounds=40,
)


class Bench:
    """Parts of one run. Each method measures one part and returns its figures."""

    def __init__(self, plan: Plan, server: Server, folder: str) -> None:
        self.plan = plan
        self.server = server
        self.folder = folder
        cores = machine.cores()
        self.core = None if cores is None else cores[0]

    def calls(self) -> dict[str, Any]:
        """Measure (a), one message per call."""
        plan = self.plan
        return {
            str(in_flight): calls.contest(
                self.server,
                self.core,
                in_flight=in_flight,
                rounds=plan.call_rounds if in_flight == 64 else plan.side_rounds,
                seconds=plan.call_seconds,
                note=note,
                names=plan.names if in_flight == 64 else plan.side_names,
            )
            for in_flight in plan.in_flight
        }

    def awake(self) -> dict[str, Any]:
        """Measure (a) with 64 messages in flight and a server that never sleeps."""
        plan = self.plan
        if self.core is None:
            return {}
        with serving(machine.cores()[1], raw=True) as server:  # type: ignore[index]  # not None, as `self.core` is not
            return calls.contest(
                server,
                self.core,
                in_flight=64,
                rounds=plan.call_rounds,
                seconds=plan.call_seconds,
                note=note,
                names=tuple(name for name in plan.names if name in calls.AWAKE),
            )

    def one_each(self) -> dict[str, Any]:
        """Measure (b), one recipient per request."""
        plan = self.plan
        return campaigns.one_each(self.server, self.core, count=plan.one_each, rounds=plan.campaign_rounds, note=note)

    def full_requests(self) -> dict[str, Any]:
        """Measure (c), 1,000 recipients per request."""
        plan = self.plan
        return campaigns.full_requests(self.server, self.core, count=plan.full, rounds=plan.campaign_rounds, note=note)

    def memory(self) -> dict[str, Any]:
        """Measure (c), peak memory."""
        plan = self.plan
        return campaigns.memory(self.server, self.core, count=plan.memory, rounds=plan.memory_rounds, note=note)

    def journal(self) -> dict[str, Any]:
        """Measure (d), a campaign with a journal in SQLite."""
        plan = self.plan
        return campaigns.journal(
            self.server, self.core, count=plan.journal, rounds=plan.campaign_rounds, folder=self.folder, note=note
        )

    def decoding(self) -> dict[str, Any]:
        """Measure (e), reading a report."""
        note("decoding")
        rounds = self.plan.decode_rounds
        with Worker("benchmarks.decoding:Decoder", core=self.core) as worker:
            return {
                name: decoding.summary(worker.round(rounds=rounds, collect=collect)["seconds"])
                for name, collect in (("collecting", True), ("not_collecting", False))
            }

    def limiter(self) -> dict[str, Any]:
        """Measure (f), the rate limiter."""
        found = {}
        for name, uvloop in (("asyncio", False), ("uvloop", True)):
            if uvloop and "uvloop" not in machine.versions():
                continue
            note(f"limiter on {name}")
            with Worker("benchmarks.limits:Limits", core=self.core, uvloop=uvloop) as worker:
                found[name] = worker.round(rate=1000, tasks=200, seconds=self.plan.limiter_seconds)
        return found

    def texts(self) -> dict[str, Any]:
        """Measure (g), counting the parts of a text."""
        note("texts")
        with Worker("benchmarks.texts:Texts", core=self.core) as worker:
            return worker.round()

    def imports(self) -> dict[str, Any]:
        """Measure (h), imports."""
        return imports.contest(rounds=self.plan.import_rounds, core=self.core, note=note)

    def instructions(self) -> dict[str, Any]:
        """Count the instructions of (a), (b), (c), (e) and (h) with valgrind, and the tracked objects of (c)."""
        note("instructions, under valgrind")
        counted = instructions.count()
        return {"left_out": "valgrind is not installed"} if counted is None else instructions.figures(counted)


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "calls": Bench.calls,
    "awake": Bench.awake,
    "one_each": Bench.one_each,
    "full_requests": Bench.full_requests,
    "memory": Bench.memory,
    "journal": Bench.journal,
    "decoding": Bench.decoding,
    "limiter": Bench.limiter,
    "texts": Bench.texts,
    "imports": Bench.imports,
    "instructions": Bench.instructions,
}


def note(what: str) -> None:
    """Show the current step on a terminal, in one line that the next step overwrites."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


def measure(plan: Plan, parts: list[str], folder: str) -> dict[str, Any]:
    """Measure some parts. A part that fails is left out, with its reason, and the other parts go on."""
    cores = machine.cores()
    begun = time.monotonic()
    results: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": plan.name,
        "machine": machine.describe(),
        "cores": cores and {"client": cores[0], "server": cores[1]},
        "load_before": machine.load(),
        "failed": {},
    }
    with serving(cores and cores[1]) as server:
        results["server"] = server.kind
        bench = Bench(plan, server, folder)
        for name in parts:
            try:
                results[name] = PARTS[name](bench)
            except Exception as error:  # noqa: BLE001 - one failed part must not cost an hour of measuring
                results["failed"][name] = f"{type(error).__name__}: {error}"
    note("")
    results["load_after"] = machine.load()
    results["seconds"] = round(time.monotonic() - begun)
    return results


def publish() -> None:
    """Write docs/benchmarks.md and its plots from the last run."""
    results = json.loads((RESULTS / "latest.json").read_text(encoding="utf-8"))
    folder = DOCS / "benchmarks"
    folder.mkdir(exist_ok=True)
    pictures = plots.draw(results, folder, formats=("svg",))
    (folder / "latest.json").write_text(report.as_json(results), encoding="utf-8")
    (DOCS / "benchmarks.md").write_text(report.document(results, pictures), encoding="utf-8")
    print(f"wrote docs/benchmarks.md and {len(pictures)} plots")


def quick() -> None:
    """Print ratios of times for (a) and (e), beside libraries that mensasdk itself needs, and keep nothing."""
    print(report.tables(measure(QUICK, ["calls", "decoding"], "")))
    print("Ratios of times on a machine that others may be using: a report, which fails nothing.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--long", action="store_true", help="the full sizes; half an hour or more")
    parser.add_argument("--only", help=f"parts to measure, with commas between: {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="rounds of each part, for a quick look")
    parser.add_argument("--folder", default="", help="folder for journals; its disk decides the cost of a commit")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md from the last run")
    parser.add_argument("--quick", action="store_true", help="print some ratios in half a minute, and keep nothing")
    options = parser.parse_args(arguments)
    if options.publish or options.quick:
        (publish if options.publish else quick)()
        return 0
    parts = options.only.split(",") if options.only else list(PARTS)
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    plan = LONG if options.long else SHORT
    if options.rounds:
        rounds = options.rounds
        plan = evolve(
            plan,
            name=f"{plan.name}, {rounds} rounds",
            **dict.fromkeys(("call_rounds", "side_rounds", "campaign_rounds", "memory_rounds"), rounds),
            **dict.fromkeys(("decode_rounds", "import_rounds"), rounds),
        )
    results = measure(plan, parts, options.folder)
    RESULTS.mkdir(exist_ok=True)
    pictures = plots.draw(results, RESULTS, formats=("png", "svg"))
    text = report.tables(results)
    for name in (f"{results['at'].replace(':', '')}.json", "latest.json"):
        (RESULTS / name).write_text(report.as_json(results), encoding="utf-8")
    (RESULTS / "latest.md").write_text(text, encoding="utf-8")
    print(text)
    where = RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS
    print(f"{len(pictures)} plots, JSON and Markdown are in {where}/" if pictures else f"JSON and Markdown: {where}/")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
