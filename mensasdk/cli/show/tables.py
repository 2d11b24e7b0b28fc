"""Progress displays and tables, without full phone numbers and secrets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal
from typing import Final

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mensasdk.cli.work.campaign import MAX_SHOWN, Display, ShownRow, Summary
from mensasdk.codes import Code
from mensasdk.journal import CampaignInfo, State
from mensasdk.messages import OutcomeKind
from mensasdk.registry import vendors

__all__ = [
    "LABEL",
    "MEANING",
    "STYLE",
    "Meter",
    "campaigns_table",
    "checks_table",
    "cost_text",
    "counts_table",
    "counts_text",
    "display",
    "duration",
    "error_console",
    "figures_table",
    "meter",
    "money",
    "output_console",
    "print_note",
    "print_summary",
    "short_number",
    "text_table",
    "vendors_table",
]

STYLE: Final = {
    OutcomeKind.ACCEPTED: "green",
    OutcomeKind.REJECTED: "red",
    OutcomeKind.NOT_SENT: "yellow",
    OutcomeKind.UNKNOWN: "magenta",
}
LABEL: Final = {
    OutcomeKind.ACCEPTED: "accepted",
    OutcomeKind.REJECTED: "rejected",
    OutcomeKind.NOT_SENT: "not sent",
    OutcomeKind.UNKNOWN: "unknown",
}
# Meaning of our own codes; a vendor's codes are explained by the words that came with them.
MEANING: Final[Mapping[str, str]] = {
    Code.BAD_TEXT: "its text has a brace that is no placeholder",
    Code.BUDGET: "beyond --max-credits or --max-messages",
    Code.CLOSED: "outside the sending hours",
    Code.CRASHED: "the process ended while its request was under way",
    Code.CANCELLED: "cancelled before it was sent, or while under way",
    Code.COLUMNS: "the row has too few or too many columns",
    Code.DUPLICATE: "this campaign holds the same message to the same number already",
    Code.EXPIRED: "too late: after --not-after",
    Code.INVALID_SCHEDULE_AT: "the vendor cannot send it at that time",
    Code.INVALID_TEXT: "the vendor does not take such a text",
    Code.INVALID_TO: "not a phone number that can be reached",
    Code.MISSING_NUMBER: "the row has no number",
    Code.MISSING_TEXT: "the row has no text",
    Code.MISSING_VARIABLE: "the row has no value for a placeholder of the text",
    Code.NO_PRICE: "there is no price for its country",
    Code.OPTED_OUT: "has opted out",
    Code.STOPPED: "the campaign ended before this message",
    Code.ZONE: "the time zone of its number is not known",
}
_WINDOW: Final = 3.0


def output_console() -> Console:
    """Make the console for results, on standard output."""
    return Console(highlight=False, soft_wrap=False)


def error_console() -> Console:
    """Make the console for everything but results, on standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=False)


def short_number(value: float) -> str:
    """Write a number with separators, and with one decimal below 10."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.1f}"


def money(value: Decimal) -> str:
    """Write an amount exactly, with separators."""
    return f"{value.normalize():,f}"


def duration(seconds: float) -> str:
    """Write a time in seconds as ``4.2 s``, ``3:05`` or ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Speed:
    """Speed over the last three seconds, in units a second."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, done: int) -> float:
        now = time.monotonic()
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[0][0] < now - _WINDOW:
            self._seen.popleft()
        then, before = self._seen[0]
        return (done - before) / (now - then) if now > then else 0.0


# -------------------------------------------------------------------------------------------------------- progress


class _Quiet:
    interval = 1.0

    def update(self, summary: Summary) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _Plain:
    """Display that prints a line every few seconds, for logs and pipes."""

    def __init__(self, console: Console, every: float = 5.0) -> None:
        self.interval = 0.5
        self._console = console
        self._every = every
        self._speed = _Speed()
        self._next = time.monotonic() + every

    def update(self, summary: Summary) -> None:
        speed = self._speed.update(summary.went_out)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            share = f" ({100 * summary.done // summary.total} %)" if summary.total else ""
            self._console.print(
                f"{summary.done:,}/{summary.total:,}{share}, {short_number(speed)}/s: {counts_text(summary).plain}",
                soft_wrap=True,
            )

    def note(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class _Living:
    """Display that redraws a bar and a line of counts on a terminal."""

    interval = 0.1

    def __init__(self, live: Live) -> None:
        self._live = live
        self._speed = _Speed()
        self._notes: list[str] = []

    def update(self, summary: Summary) -> None:
        bar = _bar(summary.done, summary.total, self._speed.update(summary.went_out), summary.elapsed)
        notes = [Text(f"  {note}", style="yellow") for note in self._notes]
        self._live.update(Group(bar, Text("  ").append_text(counts_text(summary)), *notes), refresh=True)

    def note(self, text: str) -> None:
        self._notes.append(text)


@contextmanager
def display(console: Console, *, quiet: bool) -> Iterator[Display]:
    """Show the progress of a campaign: a bar on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        yield _Quiet()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield _Living(live)
    else:
        yield _Plain(console)


class Meter:
    """A bar for a count that grows.

    Args:
        total: the count at the end.
        live: where the bar is drawn; None to draw nothing.
        what: words under the bar.
    """

    def __init__(self, total: int, live: Live | None, what: str) -> None:
        self._total = total
        self._live = live
        self._what = what
        self._speed = _Speed()
        self._begun = time.monotonic()

    def update(self, done: int) -> None:
        """Draw the bar at this count."""
        if self._live is not None:
            bar = _bar(done, self._total, self._speed.update(done), time.monotonic() - self._begun)
            self._live.update(Group(bar, Text(f"  {self._what}", style="dim")), refresh=True)


@contextmanager
def meter(console: Console, total: int, what: str, *, quiet: bool = False) -> Iterator[Meter]:
    """Show a bar for a count that grows; nothing when quiet, or where there is no terminal.

    Args:
        console: where to show it.
        total: the count at the end.
        what: words under the bar.
        quiet: show nothing.
    """
    if quiet or not console.is_terminal:
        yield Meter(total, None, what)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield Meter(total, live, what)


def _bar(done: int, total: int, speed: float, elapsed: float) -> Table:
    row = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(total, 1), completed=done, width=30, complete_style="cyan", finished_style="green")
    row.add_row(
        Text(" "),
        bar,
        Text(f"{done:,}/{total:,}"),
        Text(f"{short_number(speed)}/s", style="cyan"),
        Text(duration(elapsed), style="dim"),
    )
    return row


def _numbers(summary: Summary) -> dict[OutcomeKind, int]:
    return {
        OutcomeKind.ACCEPTED: summary.accepted,
        OutcomeKind.REJECTED: summary.rejected,
        OutcomeKind.NOT_SENT: summary.not_sent,
        OutcomeKind.UNKNOWN: summary.unknown,
    }


def counts_text(summary: Summary) -> Text:
    """Return the four outcomes, and what was charged, in one line."""
    text = Text()
    for kind, count in _numbers(summary).items():
        text.append(" · " if text else "", style="dim")
        text.append(f"{count:,} {LABEL[kind]}", style=STYLE[kind] if count else "dim")
    # Several vendors count in several units.
    if not summary.shares and summary.credits is not None and (unit := _unit(summary.vendor)):
        text.append(" · ", style="dim").append(f"{money(summary.credits)} {unit}")
    return text


# ---------------------------------------------------------------------------------------------------------- tables


def print_summary(
    console: Console,
    summary: Summary,
    *,
    most_rows: int = MAX_SHOWN,
    costs: Mapping[str, Decimal] | None = None,
) -> None:
    """Print the four outcomes, the figures, the codes, the first bad rows, and a warning about unknown messages.

    Args:
        console: where to print.
        summary: the counts of the campaign.
        most_rows: most bad rows to print.
        costs: cost by vendor, where it is known from elsewhere than the vendors' answers.
    """
    console.print()
    console.print(_outcomes(summary))
    console.print()
    if summary.shares:
        console.print(vendors_table(summary, costs or {}))
        console.print()
    console.print(_figures(summary))
    if summary.by_code:
        console.print()
        console.print(_codes(summary))
    if summary.shown:
        console.print()
        _print_bad_rows(console, summary.shown[:most_rows], summary.bad_rows)
    for sentence in _sentences(summary):
        console.print()
        print_note(console, sentence)


def print_note(console: Console, sentence: Text) -> None:
    """Print a sentence indented by two columns, also where it wraps."""
    console.print(Padding(sentence, (0, 2)))


def _print_bad_rows(console: Console, shown: Sequence[ShownRow], count: int) -> None:
    table = text_table("line", "number", "bad row", right=1)
    for row in sorted(shown, key=lambda one: one.line):
        table.add_row(f"{row.line:,}", row.number, Text(row.reason))
    console.print(table)
    if count > len(shown):
        console.print(Text(f"  … and {count - len(shown):,} more; --output lists them all", style="dim"))


def campaigns_table(campaigns: Sequence[CampaignInfo]) -> Table:
    """Make a table of the campaigns of a journal."""
    table = text_table("campaign", "begun (UTC)", "list", "pending", "accepted", "rejected", "unknown", right=0)
    for column in table.columns[3:]:
        column.justify = "right"
    for info in campaigns:
        # Messages in flight are unknown once their process has died.
        unknown = info.counts[State.IN_FLIGHT] + info.counts[State.UNKNOWN]
        counts = [info.counts[State.PENDING], info.counts[State.ACCEPTED], info.counts[State.REJECTED], unknown]
        begun = info.created.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(Text(info.name), begun, "whole" if info.complete else "part", *[f"{one:,}" for one in counts])
    return table


def checks_table(checks: Iterable[tuple[str, str, str]], *, theirs: str = "sandbox", ours: str = "report") -> Table:
    """Make a table of comparisons, with a sign for those that agree.

    Args:
        checks: for each comparison: its name and the two values.
        theirs: header of the first values.
        ours: header of the second values.
    """
    table = text_table("check", theirs, ours, "", right=0)
    for name, left, right in checks:
        agrees = left == right
        table.add_row(Text(name), left, right, Text("✓", style="bold green") if agrees else Text("✗", style="bold red"))
    return table


def counts_table(title: str, rows: Iterable[tuple[str, int, str]]) -> Table:
    """Make a table of names, counts and percentages.

    Args:
        title: header of the names.
        rows: for each row: its name, its count and its style.
    """
    rows = list(rows)
    total = sum(count for _, count, _ in rows)
    table = text_table(title, "messages", "%", right=0)
    table.columns[1].justify = table.columns[2].justify = "right"
    for name, count, style in rows:
        table.add_row(Text(name, style=style if count else "dim"), f"{count:,}", _percent(count, total))
    table.add_row(Text("total", style="bold"), Text(f"{total:,}", style="bold"), "")
    return table


def _outcomes(summary: Summary) -> Table:
    return counts_table("outcome", [(LABEL[kind], count, STYLE[kind]) for kind, count in _numbers(summary).items()])


def figures_table(*headers: str) -> Table:
    """Make an empty table of a name and figures."""
    table = text_table(*headers, right=0, space=1)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def vendors_table(summary: Summary, costs: Mapping[str, Decimal]) -> Table:
    """Make a table of each vendor's part of a campaign, with its cost in the vendor's unit.

    The last row, ``none``, counts the rows that no vendor was asked about.
    """
    table = figures_table("vendor", *LABEL.values(), "cost")
    left = dict(_numbers(summary))
    for vendor, share in summary.shares.items():
        counts = dict(zip(LABEL, (share.accepted, share.rejected, share.not_sent, share.unknown), strict=True))
        cells = [Text(f"{count:,}", style=STYLE[kind] if count else "dim") for kind, count in counts.items()]
        table.add_row(Text(vendor), *cells, cost_text(vendor, costs.get(vendor, share.credits)))
        for kind, count in counts.items():
            left[kind] -= count
    if any(left.values()):
        cells = [Text(f"{count:,}", style=STYLE[kind] if count else "dim") for kind, count in left.items()]
        table.add_row(Text("none", style="dim"), *cells, Text(""))
    return table


def cost_text(vendor: str, cost: Decimal | None) -> Text:
    """Return the cost in the vendor's unit; "not told" where the vendor does not tell it."""
    unit = _unit(vendor)
    if not unit:
        return Text("none", style="dim")
    return Text("not told", style="dim") if cost is None else Text(f"{money(cost)} {unit}")


def _unit(vendor: str) -> str:
    """Return the unit that a vendor counts in; empty where it counts nothing."""
    return vendors()[vendor].unit if vendor in vendors() else "credits"


def _figures(summary: Summary) -> Table:
    return _pairs(
        ("SMS parts accepted", f"{summary.parts:,}"),
        *([] if summary.shares else _spent(summary, _unit(summary.vendor))),
        ("time", f"{duration(summary.elapsed)} ({short_number(summary.throughput)} messages/s)"),
        ("campaign", summary.campaign if summary.shares else f"{summary.campaign} ({summary.vendor})"),
    )


def _spent(summary: Summary, unit: str) -> Sequence[tuple[str, str]]:
    """Return the cost and the balance of the only vendor, with their labels; nothing where it counts nothing.

    Credits are written without the unit, which is in the label.
    """
    if not unit:
        return ()
    label, end = ("credits used", "") if unit == "credits" else ("cost", f" {unit}")
    used, left = (
        "not told" if amount is None else f"{money(amount)}{end}" for amount in (summary.credits, summary.balance)
    )
    return ((label, used), ("balance", left))


def _pairs(*pairs: tuple[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        table.add_row(Text(f"  {name}", style="dim"), Text(value))
    return table


def _codes(summary: Summary) -> Table:
    table = text_table("code", "outcome", "messages", "meaning", right=0)
    table.columns[2].justify = "right"
    for code, count in sorted(summary.by_code.items(), key=lambda pair: (-pair[1], pair[0])):
        kind, words = summary.meanings.get(code, (None, ""))
        label = Text(LABEL[kind], style=STYLE[kind]) if kind is not None else Text("")
        if code != Code.STOPPED or summary.stopped is not None:
            words = MEANING.get(code, words)
        table.add_row(Text(code[:30]), label, f"{count:,}", Text(words[:200]))
    return table


def _sentences(summary: Summary) -> Iterator[Text]:
    if summary.unknown:
        be, they = ("message", "it is") if summary.unknown == 1 else ("messages", "they are")
        yield Text(
            f"{summary.unknown:,} {be} may or may not have gone out; {they} not sent again automatically. "
            "Compare with the delivery reports or the vendor's panel before sending again.",
            style=STYLE[OutcomeKind.UNKNOWN],
        )
    if summary.interrupted:
        yield Text("Interrupted. What had not left was not sent.", style="yellow")
    elif summary.stopped is not None:
        yield Text(f"Stopped early: {summary.stopped}", style="bold red")


def text_table(*headers: str, right: int = 0, space: int = 2) -> Table:
    """Make an empty table.

    Args:
        headers: header of each column.
        right: count of the first columns whose cells are aligned to the right.
        space: blanks on both sides of a cell.
    """
    padding = (0, space, 0, space)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding, header_style="bold")
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if index < right else "left", overflow="fold")
    return table


def _percent(count: int, total: int) -> str:
    if not total:
        return ""
    share = 100 * count / total
    # "100.0" or "0.0" would be wrong for a share that is only close to it.
    if count and share < 0.1:
        return "< 0.1"
    return "> 99.9" if count < total and share >= 99.95 else f"{share:.1f}"
