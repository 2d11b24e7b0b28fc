"""Draw the plots: PNG for a look, SVG for the docs. Without matplotlib there are none, and a note says so."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import verdicts
from benchmarks.report import CAPTIONS

__all__ = ["draw"]

Results = Mapping[str, Any]
OURS = "mensasdk"
INK, QUIET, GRID = "#22272e", "#8b95a1", "#e3e7eb"
BLUE, LIGHT, RED = "#1f6feb", "#a9c4ee", "#cf3b2e"
_LEAST_SHARE = 0.3
# Colours that people with red-green blindness can tell apart; each line also has its name beside it.
LINES = ("#8b95a1", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#d55e00", "#5c6770", "#b8860b", "#7b61c9")


def draw(results: Results, folder: Path, *, formats: Sequence[str]) -> list[str]:
    """Write a plot of each part that was measured, as ``name.format``, and return the names."""
    try:
        matplotlib: Any = importlib.import_module("matplotlib")
    except ImportError:
        print("no plots: matplotlib is not installed (the extra 'bench' has it)")
        return []
    matplotlib.use("agg")
    plt: Any = importlib.import_module("matplotlib.pyplot")
    style = {
        "font.size": 10,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        # Makes the same plot the same file.
        "svg.hashsalt": "mensasdk",
        "svg.fonttype": "none",  # text in place of outlines, for a quarter of the size
    }
    drawn = []
    with plt.rc_context(style):
        for name, painter in PAINTERS.items():
            try:
                figure = painter(plt, results)
            except KeyError:  # not measured in this run
                continue
            figure.suptitle(CAPTIONS[name], x=0.01, ha="left", fontsize=12, fontweight="bold")
            for form in formats:
                options = {"metadata": {"Date": None}} if form == "svg" else {"dpi": 130}
                figure.savefig(folder / f"{name}.{form}", format=form, **options)
            plt.close(figure)
            drawn.append(name)
    return drawn


def _figure(plt: Any, height: float, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    figure, axes = plt.subplots(1, columns, figsize=(9, height), layout="constrained", **options)
    return figure, axes


def _quiet(axes: Any, grid: str) -> None:
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def goals(plt: Any, results: Results) -> Any:
    found = verdicts(results)
    if not found:
        raise KeyError("goals")
    figure, axes = _figure(plt, 0.8 + 0.36 * len(found))
    farthest = max(2.0, *(one.share for one in found))
    for place, one in enumerate(reversed(found)):
        color = BLUE if one.reached else RED
        share = max(one.share, _LEAST_SHARE)  # figures far better than the goal would take too much room
        axes.plot([1, share], [place, place], color=color, linewidth=2, alpha=0.35, solid_capstyle="butt")
        axes.plot(share, place, marker="o" if one.reached else "X", color=color, markersize=8)
        axes.text(farthest * 1.25, place, f"{one.goal.show(one.value)}   ({one.goal.bound()})", va="center", fontsize=9)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(_LEAST_SHARE * 0.85, farthest * 1.15)
    ticks = [tick for tick in (0.5, 1, 2, 4, 8, 16) if axes.get_xlim()[0] <= tick <= farthest * 1.15]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(found)), [f"{one.goal.number}  {one.goal.name}" for one in reversed(found)], fontsize=9)
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_xlabel("share of the limit (dot: reached, cross: not)")
    _quiet(axes, "x")
    # The heading of the figures, which stand beside the axes.
    axes.text(farthest * 1.25, len(found) - 0.4, "measured (limit)", fontsize=9, color=QUIET, va="bottom")
    return figure


def _dots(
    axes: Any, names: Sequence[str], values: Sequence[float], errors: Sequence[float], text: Sequence[str]
) -> None:
    """Draw a line for each name on a logarithmic scale, on which small and large factors can both be seen."""
    places = range(len(names))
    colors = [BLUE if name == OURS else QUIET for name in names]
    for place, value, error, color, label in zip(places, values, errors, colors, text, strict=True):
        low = max(value - error, value * 0.2)
        axes.plot([low, value + error], [place, place], color=color, linewidth=5, alpha=0.35, solid_capstyle="round")
        axes.plot(value, place, "o", color=color, markersize=8)
        axes.annotate(label, (value + error, place), xytext=(9, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(places, names)
    for tick in axes.get_yticklabels():
        if tick.get_text() == OURS:
            tick.set_fontweight("bold")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 1.4, max(values) * 2.6)
    _round_ticks(axes.xaxis, *axes.get_xlim())
    _quiet(axes, "x")


def _round_ticks(axis: Any, low: float, high: float) -> None:
    ticks = [base * 10**power for power in range(-1, 6) for base in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    axis.set_ticks(ticks, [f"{tick:,g}" for tick in ticks])
    axis.set_minor_locator(importlib.import_module("matplotlib.ticker").NullLocator())


def calls(plt: Any, results: Results) -> Any:
    found = sorted(results["calls"]["64"]["contenders"].items(), key=lambda item: float(item[1]["cpu_us"]["median"]))
    figure, axes = _figure(plt, 0.9 + 0.36 * len(found))
    _dots(
        axes,
        [name for name, _ in found],
        [one["cpu_us"]["median"] for _, one in found],
        [one["cpu_us"]["mad"] for _, one in found],
        [f"{one['cpu_us']['median']:,.0f} µs   {one['to_usual_aiohttp']['median']:.2f}×" for _, one in found],
    )
    axes.set_xlabel("CPU µs a message, median with its spread (MAD); × aiohttp as usual")
    return figure


def in_flight(plt: Any, results: Results) -> Any:
    levels = list(results["calls"])
    if len(levels) < 2:
        raise KeyError("in_flight")
    figure, axes = _figure(plt, 5)
    lines: dict[str, list[tuple[int, float]]] = {}
    for place, level in enumerate(levels):
        for name, one in results["calls"][level]["contenders"].items():
            lines.setdefault(name, []).append((place, one["cpu_us"]["median"]))
    colors = iter(LINES)
    ends: list[tuple[int, float, str, str]] = []
    for name, points in sorted(lines.items(), key=lambda item: item[1][-1][1]):
        if len(points) < 2:  # measured at one level only
            continue
        color = BLUE if name == OURS else next(colors)
        axes.plot(*zip(*points, strict=True), "o-", color=color, linewidth=3 if name == OURS else 1.5, markersize=5)
        ends.append((*points[-1], name, color))
    axes.set_yscale("log")
    _round_ticks(axes.yaxis, *axes.get_ylim())
    axes.set_xticks(range(len(levels)), levels)
    axes.set_xlabel("messages in flight")
    axes.set_ylabel("CPU µs a message")
    axes.set_xlim(-0.15, len(levels) - 0.1)
    places = _apart([value for _, value, _, _ in ends], 1.16)
    for (last, _, name, color), height in zip(ends, places, strict=True):
        weight = "bold" if name == OURS else "normal"
        axes.text(last + 0.1, height, name, color=color, va="center", fontsize=9, fontweight=weight)
    axes.set_ylim(min(axes.get_ylim()[0], places[0] * 0.9), max(axes.get_ylim()[1], places[-1] * 1.1))
    _quiet(axes, "y")
    return figure


def _apart(values: Sequence[float], factor: float) -> list[float]:
    """Return places for names beside rising values: near the values, but each ``factor`` times the one below."""
    places = list(values)
    for _ in range(200):
        for low in range(len(places) - 1):
            short = factor * places[low] / places[low + 1]
            if short > 1:
                places[low] /= short**0.5
                places[low + 1] *= short**0.5
    return places


def campaigns(plt: Any, results: Results) -> Any:
    panels = [
        ("one_each", "(b) one recipient a request"),
        ("full_requests", "(c) 1,000 recipients a request"),
        ("journal", "(d) 100 recipients a request"),
    ]
    panels = [(name, title) for name, title in panels if name in results]
    if not panels:
        raise KeyError("campaigns")
    figure, row = _figure(plt, 3.4, len(panels), squeeze=False)
    for axes, (name, title) in zip(row[0], panels, strict=True):
        ways = results[name]["ways"]
        values = [one["cpu_us"]["median"] for one in ways.values()]
        errors = [one["cpu_us"]["mad"] for one in ways.values()]
        colors = [BLUE if way in {"BatchSender", "SqliteJournal"} else LIGHT for way in ways]
        axes.bar(range(len(ways)), values, width=0.62, color=colors)
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            axes.text(place, value, f"{value:,.1f} ± {error:,.1f}", ha="center", va="bottom", fontsize=9)
        labels = [way.replace(" ", "\n", 1) for way in ways]
        axes.set_xticks(range(len(ways)), labels, fontsize=9)
        axes.set_ylim(0, max(values) * 1.15)
        axes.set_title(title, fontsize=10, loc="left")
        _quiet(axes, "y")
    row[0][0].set_ylabel("CPU µs a recipient")
    return figure


def decoding(plt: Any, results: Results) -> Any:
    found = results["decoding"]["collecting"]
    limits = {one.goal.key: one.goal.limit for one in verdicts(results)}
    figure, axes = _figure(plt, 3.2)
    forms = ("json", "xml", "txt")
    for place, form in enumerate(forms):
        for shift, kind, color in ((-0.19, "dicts", LIGHT), (0.19, "values", BLUE)):
            value = found[f"{form} to {kind}"]["to_orjson"]["median"]
            axes.barh(place + shift, value, height=0.34, color=color)
            axes.text(value, place + shift, f"  {value:.1f}  to {kind}", va="center", fontsize=9)
        if form in limits:
            axes.plot([limits[form]] * 2, [place, place + 0.4], color=RED, linewidth=2.5)
    axes.plot([], [], color=RED, linewidth=2.5, label="goal")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.98))
    axes.set_yticks(range(len(forms)), [form.upper() for form in forms])
    axes.invert_yaxis()
    axes.set_xlim(right=axes.get_xlim()[1] * 1.12)
    axes.set_xlabel("× orjson.loads of the JSON")
    _quiet(axes, "x")
    return figure


def limiter(plt: Any, results: Results) -> Any:
    found = results["limiter"]
    figure, axes = _figure(plt, 3.2)
    one = found["asyncio"]
    width = one["seconds"] / len(one["buckets"])
    axes.bar(
        [place * width for place in range(len(one["buckets"]))],
        one["buckets"],
        width=width * 0.85,
        align="edge",
        color=LIGHT,
        edgecolor=BLUE,
        linewidth=0.5,
    )
    even = one["rate"] * width
    for height, label, color in ((even, "even", INK), (even * 1.2, "goal: no more", RED)):
        axes.axhline(height, color=color, linewidth=1, linestyle="--")
        axes.text(one["seconds"] * 1.01, height, label, va="center", fontsize=9, color=color)
    axes.set_xlim(0, one["seconds"])
    axes.set_ylim(0, max(even * 1.4, *one["buckets"]))
    axes.set_xlabel(f"seconds; {one['tasks']} tasks waiting, {one['granted']:,} permits granted")
    axes.set_ylabel("permits in 0.1 s")
    _quiet(axes, "y")
    return figure


def imports(plt: Any, results: Results) -> Any:
    found = results["imports"]["statements"]
    names = [name for name in found if name != "nothing"]
    figure, row = _figure(plt, 2.2, 2, sharey=True)
    labels = [name.replace("import MensatekClient,", "import\nMensatekClient,") for name in names]
    for axes, field, which, title in (
        (row[0], "cpu_ms", "min", "CPU ms (least of all rounds)"),
        (row[1], "peak_mb", "median", "MB held"),
    ):
        values = [found[name][field][which] for name in names]
        axes.barh(
            range(len(names)), values, color=[LIGHT if name == "import aiohttp" else BLUE for name in names], height=0.6
        )
        for place, value in enumerate(values):
            axes.text(value, place, f" {value:,.0f}", va="center", fontsize=9)
        axes.set_xlim(0, max(values) * 1.18)
        axes.set_title(title, fontsize=10, loc="left")
        _quiet(axes, "x")
    row[0].set_yticks(range(len(names)), labels, fontsize=9)
    row[0].invert_yaxis()
    return figure


def texts(plt: Any, results: Results) -> Any:
    found = results["texts"]["us"]
    labels = list(found)
    names = list(dict.fromkeys(name for one in found.values() for name in one))
    figure, axes = _figure(plt, 1.2 + 0.36 * len(labels))
    colors = iter(LINES[1:])
    for name in names:
        ours = name == OURS
        axes.plot(
            [found[label][name] for label in labels],
            range(len(labels)),
            "D" if ours else "o",
            color=BLUE if ours else next(colors),
            markersize=8 if ours else 6,
            label=name,
            alpha=1 if ours else 0.8,
        )
    axes.set_xscale("log")
    _round_ticks(axes.xaxis, *axes.get_xlim())
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("µs a text")
    _quiet(axes, "both")
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False, fontsize=9, handletextpad=0.1)
    return figure


PAINTERS: Mapping[str, Callable[[Any, Results], Any]] = {
    "goals": goals,
    "calls": calls,
    "in_flight": in_flight,
    "campaigns": campaigns,
    "decoding": decoding,
    "limiter": limiter,
    "imports": imports,
    "texts": texts,
}
