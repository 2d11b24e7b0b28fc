"""Write results as Markdown tables, and docs/benchmarks.md from ``template.md``.

In the template, ``{{name}}`` stands for a table, and ``{{plot:name}}`` for a plot with its caption.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import verdicts
from benchmarks.instructions import RATIOS

__all__ = ["as_json", "document", "tables"]

TEMPLATE = Path(__file__).with_name("template.md")
CAPTIONS = {
    "goals": "Each figure as a share of its limit: to the left of the line is reached",
    "calls": "CPU time of the client's process for one message, 64 in flight",
    "in_flight": "CPU time for one message, by how many are in flight",
    "campaigns": "CPU time for one recipient of a campaign",
    "decoding": "Reading a report of 1,000 recipients, as multiples of orjson.loads of its JSON",
    "limiter": "Permits in each tenth of a second, at 1,000 a second",
    "imports": "What an import costs",
    "texts": "Counting the parts of a text",
}
Results = Mapping[str, Any]


def as_json(results: Results) -> str:
    """Return the results as JSON, with figures to six digits."""

    def short(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.6g}")
        if isinstance(value, Mapping):
            return {key: short(one) for key, one in value.items()}
        return [short(one) for one in value] if isinstance(value, list | tuple) else value

    text = json.dumps(short(results), indent=1, ensure_ascii=False)
    # Puts the numbers of a list on one line: a list of a hundred is not a hundred lines.
    return re.sub(r"\[[\s\d.,e+-]+\]", lambda match: " ".join(match[0].split()), text) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with the first column to the left, and the others to the right."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def pm(figure: Mapping[str, float], digits: int = 0) -> str:
    """Return median and spread, as in ``382 ± 14``."""
    return f"{figure['median']:,.{digits}f} ± {figure['mad']:,.{digits}f}"


# ----------------------------------------------------------------------------------------------------- sections


def goals(results: Results) -> str:
    rows = [
        (
            f"{one.goal.number}. {one.goal.name}",
            one.goal.bound(),
            one.goal.show(one.value),
            "reached" if one.reached else "**not reached**",
        )
        for one in verdicts(results)
    ]
    return table(("goal", "limit", "measured", ""), rows)


def machine(results: Results) -> str:
    on = results["machine"]
    cores = results["cores"]
    where = f"client on core {cores['client']}, server on core {cores['server']}" if cores else "one core for both"
    lines = [
        f"* {results['at']}, {results['plan']} run of {results['seconds'] // 60} min {results['seconds'] % 60} s",
        f"* {on['cpu']}, {on['usable_cores']} of {on['cores']} cores, {on['architecture']}, {on['kernel']}; {where}",
        f"* {on['python']}; server: {results['server']}",
        f"* load average before {_load(results['load_before'])}, after {_load(results['load_after'])}",
        f"* {', '.join(f'{name} {version}' for name, version in on['versions'].items() if name != 'python')}",
    ]
    return "\n".join(lines)


def _load(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def calls(results: Results) -> str:
    return _calls(results["calls"]["64"]["contenders"])


def awake(results: Results) -> str:
    return _calls(results["awake"]["contenders"])


def _calls(found: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            pm(one["cpu_us"]),
            f"{one['to_usual_aiohttp']['median']:.2f}",
            pm(one["ours_to_it"], 2),
            f"{one['per_second']['median']:,.0f}",
            f"{one['peak_mb']:.0f}",
        )
        for name, one in sorted(found.items(), key=lambda item: float(item[1]["cpu_us"]["median"]))
    ]
    head = ("64 in flight", "CPU µs", "× aiohttp as usual", "mensasdk ÷ it", "a second (wall)", "peak MB")
    return table(head, rows)


def in_flight(results: Results) -> str:
    levels = list(results["calls"])
    names = list(results["calls"][levels[-1]]["contenders"])
    rows = [(name, *(pm(results["calls"][level]["contenders"][name]["cpu_us"]) for level in levels)) for name in names]
    return table(("CPU µs a message", *(f"{level} in flight" for level in levels)), rows)


def _ways(found: Mapping[str, Any]) -> str:
    rows = [
        (name, pm(one["cpu_us"], 1), f"{one['per_second']['median']:,.0f}", f"{one['peak_mb']:.0f}")
        for name, one in found["ways"].items()
    ]
    return table((f"{found['recipients']:,} recipients", "CPU µs a recipient", "recipients a second", "peak MB"), rows)


def one_each(results: Results) -> str:
    found = results["one_each"]
    return f"{_ways(found)}\n\nCPU of `BatchSender` to that of the bare pool: {pm(found['cpu_ratio'], 2)}."


def full_requests(results: Results) -> str:
    return _ways(results["full_requests"])


def memory(results: Results) -> str:
    found = results["memory"]
    rows = [(f"{int(size):,}", pm(one, 1)) for size, one in found["peak_mb"].items()]
    return (
        f"{table(('recipients, each in a fresh process', 'peak MB'), rows)}\n\n"
        f"Above the small one: {pm(found['above_small_mb'], 1)} MB."
    )


def journal(results: Results) -> str:
    found = results["journal"]
    return (
        f"{_ways(found)}\n\nThroughput with the journal to that without: {pm(found['throughput_ratio'], 2)};"
        f" CPU: {pm(found['cpu_ratio'], 2)}."
    )


def decoding(results: Results) -> str:
    usual, without = results["decoding"]["collecting"], results["decoding"]["not_collecting"]
    rows = [
        (name, pm(one["ms"], 2), pm(one["to_orjson"], 1), pm(without[name]["to_orjson"], 1))
        for name, one in usual.items()
    ]
    return table(("1,000 recipients", "ms", "× orjson.loads", "the same without garbage collection"), rows)


def limiter(results: Results) -> str:
    rows = [
        (
            name,
            f"{one['granted']:,} of {one['rate'] * one['seconds']:,.0f} ({one['share']:.1%})",
            f"{one['worst_second']:,}",
            f"{one['worst_100_ms']:,}",
            f"{one['cpu_seconds']:.2f}",
            pm(one["permit_us"], 2),
        )
        for name, one in results["limiter"].items()
    ]
    head = ("1,000/s, 200 tasks", "granted", "worst second", "worst 100 ms", "CPU s", "µs a free permit")
    return table(head, rows)


def texts(results: Results) -> str:
    found = results["texts"]
    names = list(dict.fromkeys(name for one in found["us"].values() for name in one))
    rows = []
    for label, took in found["us"].items():
        cells = [f"{took[name]:.1f}{'*' if label in found['wrong'].get(name, ()) else ''}" for name in names]
        rows.append((label, *cells))
    return f"{table(('µs a text', *names), rows)}\n\n\\* counts other parts than mensasdk."


def imports(results: Results) -> str:
    found = results["imports"]
    rows = [
        (
            f"`{name}`" if name != "nothing" else name,
            f"{one['cpu_ms']['min']:.0f}",
            pm(one["cpu_ms"]),
            f"{one['peak_mb']['median']:.1f}",
            str(one["modules"]),
            f"{found['min_ratio'][name]:.2f}" if name in found["min_ratio"] else "",
        )
        for name, one in found["statements"].items()
    ]
    return table(("", "CPU ms, least", "median", "peak MB", "modules", "× `import aiohttp` (least to least)"), rows)


def counted(results: Results) -> str:
    found = results["instructions"]
    if "left_out" in found:
        return f"Not counted: {found['left_out']}."
    ratios = found["ratios"]
    rows = [
        (name, f"{value:,}", f"{ratios[name]:.2f} {RATIOS[name].words()}" if name in ratios else "")
        for name, value in found["instructions"].items()
    ]
    objects = found.get("objects", {})  # older runs have none
    lines = [f"Tracked objects a recipient, {name}: {value:.1f}." for name, value in objects.items()]
    return "\n\n".join([table(("one", "instructions", ""), rows), *lines])


def left_out(results: Results) -> str:
    """Return the parts that could not be measured, and the reasons; empty where all were measured."""
    lines = [
        f"* {name}: {reason}" for name, reason in results.get("calls", {}).get("64", {}).get("left_out", {}).items()
    ]
    lines += [f"* {line}" for line in results.get("texts", {}).get("left_out", ())]
    lines += [f"* **{name} failed**: {reason}" for name, reason in results["failed"].items()]
    return "\n".join(["Not part of this run:", "", *lines]) if lines else ""


SECTIONS: Mapping[str, tuple[str, Callable[[Results], str]]] = {
    "goals": ("Goals", goals),
    "calls": ("(a) One message per call", calls),
    "awake": ("(a) With a server that never sleeps", awake),
    "in_flight": ("(a) By how many are in flight", in_flight),
    "one_each": ("(b) BatchSender, one recipient a request", one_each),
    "full_requests": ("(c) BatchSender, 1,000 recipients a request", full_requests),
    "memory": ("(c) Memory", memory),
    "journal": ("(d) With SqliteJournal, 100 recipients a request", journal),
    "decoding": ("(e) Reading a report of 1,000 recipients", decoding),
    "limiter": ("(f) The rate limiter", limiter),
    "texts": ("(g) Parts of a text", texts),
    "imports": ("(h) Imports", imports),
    "instructions": ("Instructions", counted),
    "left_out": ("Left out", left_out),
    "machine": ("Machine", machine),
}
MISSING = "Not measured in this run."


def section(name: str, results: Results) -> str:
    try:
        return SECTIONS[name][1](results)
    except KeyError:
        return MISSING


def tables(results: Results) -> str:
    """Return all that was measured, as Markdown."""
    written = {title: section(name, results) for name, (title, _) in SECTIONS.items()}
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in written.items() if text not in {"", MISSING}) + "\n"


def document(results: Results, pictures: Iterable[str]) -> str:
    """Return docs/benchmarks.md: the template with the tables and plots of a run."""
    drawn = set(pictures)

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith("plot:"):
            return section(name, results)
        name = name.removeprefix("plot:")
        return f"![{CAPTIONS[name]}](benchmarks/{name}.svg)" if name in drawn else ""

    text = re.sub(r"\{\{([a-z_:]+)\}\}", fill, TEMPLATE.read_text(encoding="utf-8"))
    return re.sub(r"\n{3,}", "\n\n", text)
