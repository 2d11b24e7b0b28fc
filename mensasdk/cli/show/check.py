"""Print the result of a check: vendors, countries, cost, refused rows, and characters that make messages longer."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mensasdk.cli.show.tables import MEANING, figures_table, meter, money, print_note, short_number, text_table
from mensasdk.cli.work.check import CheckedList, unit_of
from mensasdk.codes import Code
from mensasdk.preflight.check import Preflight, character_name
from mensasdk.registry import vendors
from mensasdk.text import Encoding

__all__ = ["check_progress", "print_check", "replacement", "shown_character"]

_EVERY: Final = 5.0
_REDRAW: Final = 0.1
_COUNTRIES: Final = 12
_CHARACTERS: Final = 8
_CODES: Final = 12
_MEANING: Final[Mapping[str, str]] = {
    **MEANING,
    Code.DUPLICATE: "the same message to the same number as an earlier row",
}


@contextmanager
def check_progress(console: Console, total: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of a check: a bar on a terminal, a line every few seconds elsewhere, nothing when quiet.

    Args:
        console: where to show it.
        total: count of the rows.
        quiet: show nothing.

    Yields:
        A function to call with the count of the rows checked so far, and of those that would be sent.
    """
    with meter(console, total, "checking; nothing is sent", quiet=quiet) as bar:
        redraw = console.is_terminal
        begun = time.monotonic()
        due = begun if redraw else begun + _EVERY

        def update(done: int, going: int) -> None:
            nonlocal due
            now = time.monotonic()
            if quiet or now < due:
                return
            due = now + (_REDRAW if redraw else _EVERY)
            if redraw:
                bar.update(done)
                return
            share = f" ({100 * done // total} %)" if total else ""
            speed = short_number(done / (now - begun))
            console.print(f"{done:,}/{total:,}{share}, {speed}/s: {going:,} would be sent", soft_wrap=True)

        yield update


def print_check(console: Console, result: CheckedList) -> None:
    """Print the result of a check.

    Args:
        console: where to print.
        result: the result.
    """
    found = result.preflight
    console.print()
    console.print(_headline(result))
    if found.messages:
        console.print()
        console.print(_vendors(found))
        console.print()
        console.print(_countries(found))
        console.print()
        console.print(_figures(found))
    for table in (_codes(result), _bad_rows(result)):
        if table is not None:
            console.print()
            console.print(table)
    left = result.bad_rows - sum(map(len, result.shown.values()))
    if left > 0:
        console.print(Text(f"  … and {left:,} more; --output lists them all", style="dim"))
    if found.forcing:
        _print_forcing(console, found)
    for vendor, totals in found.by_vendor.items():
        if totals.changed:
            _print_replacements(console, vendor, totals.changed, totals.replacements.most_common(_CHARACTERS))


def shown_character(character: str) -> str:
    """Return a character as a terminal may show it, in one place of its own; an empty string where it is invisible."""
    if unicodedata.combining(character):
        return f"\N{DOTTED CIRCLE}{character}"
    return character if character.isprintable() and not character.isspace() and cell_len(character) else ""


def replacement(before: str, after: str) -> str:
    """Return a replacement in a few signs: ``"á → a"``."""
    left = " + ".join(shown_character(one) or character_name(one) for one in before)
    words = {"": "nothing", " ": "a space", "\n": "a new line"}
    return f"{left} → {words.get(after, after)}"


def _headline(result: CheckedList) -> Text:
    text = Text("  ")
    text.append(f"{result.rows:,} rows", style="bold").append(" · ", style="dim")
    text.append(f"{result.messages:,} would be sent", style="bold green" if result.messages else "dim")
    for count, words, style in (
        (result.duplicates, "duplicate" if result.duplicates == 1 else "duplicates", "yellow"),
        (result.bad_rows, "refused", "bold red"),
    ):
        text.append(" · ", style="dim").append(f"{count:,} {words}", style=style if count else "dim")
    return text.append("\n  nothing was sent", style="dim")


def _vendors(found: Preflight) -> Table:
    table = figures_table("vendor", "messages", "requests", "parts", "cost")
    for vendor, totals in found.by_vendor.items():
        estimate = totals.estimate
        if estimate is None:
            cost = Text("no --prices", style="dim")
        else:
            cost = Text(f"{money(estimate.total)} {unit_of(vendor)}", style="bold")
            if missing := sum(estimate.unpriced.values()):
                cost.append(f" + {missing:,} without a price", style="yellow")
        table.add_row(Text(vendor), f"{totals.messages:,}", f"{totals.requests:,}", f"{totals.parts:,}", cost)
    return table


def _countries(found: Preflight) -> Table:
    priced = [vendor for vendor, totals in found.by_vendor.items() if totals.estimate is not None]
    of_some = f" ({', '.join(priced)})" if len(priced) < len(found.by_vendor) else ""
    table = figures_table("country", "messages", "parts", *([f"cost{of_some}"] if priced else []))
    by_country = list(found.by_country.items())
    for country, totals in by_country[:_COUNTRIES]:
        cost = Text(" + ".join(f"{money(cost)} {unit_of(vendor)}" for vendor, cost in totals.cost.items()))
        if totals.unpriced:
            cost = Text(f"{totals.unpriced:,} without a price", style="yellow")
        costs = [cost] if priced else []
        table.add_row(Text(country or "none"), f"{totals.messages:,}", f"{totals.parts:,}", *costs)
    if rest := by_country[_COUNTRIES:]:
        messages, parts = (sum(getattr(totals, name) for _, totals in rest) for name in ("messages", "parts"))
        table.add_row(Text(f"{len(rest)} more", style="dim"), f"{messages:,}", f"{parts:,}")
    return table


def _figures(found: Preflight) -> Table:
    table = Table.grid(padding=(0, 2))
    encodings = [f"{found.by_encoding[one]:,} in {one}" for one in Encoding if found.by_encoding[one]]
    by_parts = [
        f"{count:,} of {parts} {'part' if parts == 1 else 'parts'}" for parts, count in sorted(found.by_parts.items())
    ]
    more = " · …" if len(by_parts) > 6 else ""
    rows = [("encodings", " · ".join(encodings)), ("messages", f"{' · '.join(by_parts[:6])}{more}")]
    if found.scheduled and found.first_at is not None and found.last_at is not None:
        at_once = found.messages - found.scheduled
        late = f"{found.scheduled:,} from {_moment(found.first_at)} to {_moment(found.last_at)}"
        rows.append(("when", f"{at_once:,} at once · {late}"))
        if found.put_off:
            rows.append(("", f"{found.put_off:,} put off by --hours, --days or --spread"))
    for name, value in rows:
        table.add_row(Text(f"  {name}", style="dim"), Text(value))
    return table


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} {at.tzname()}"


def _codes(result: CheckedList) -> Table | None:
    if not result.by_code:
        return None
    table = text_table("not sent", "rows", "meaning", right=0)
    table.columns[1].justify = "right"
    codes = result.by_code.most_common()
    for code, count in codes[:_CODES]:
        first = result.shown.get(code) or ()
        words = _MEANING.get(code) or (first[0].reason if first else "")
        table.add_row(
            Text(code[:30], style="yellow" if code == Code.DUPLICATE else "red"), f"{count:,}", Text(words[:200])
        )
    if rest := codes[_CODES:]:
        table.add_row(Text(f"{len(rest)} more", style="dim"), f"{sum(count for _, count in rest):,}", Text())
    return table


def _bad_rows(result: CheckedList) -> Table | None:
    shown = sorted((row for rows in result.shown.values() for row in rows), key=lambda row: row.line)
    if not shown:
        return None
    table = text_table("line", "number", "refused row", right=1)
    for row in shown:
        table.add_row(f"{row.line:,}", row.number, Text(row.reason))
    return table


def _print_forcing(console: Console, found: Preflight) -> None:
    unicode = found.by_encoding[Encoding.UCS2]
    table = text_table("", "forces Unicode", "messages", right=0)
    table.columns[2].justify = "right"
    for character, count in found.forcing.most_common(_CHARACTERS):
        name = character_name(character) if len(character) == 1 else "other characters"
        table.add_row(Text(shown_character(character)), Text(name), f"{count:,}")
    console.print()
    console.print(table)
    if (more := len(found.forcing) - _CHARACTERS) > 0:
        console.print(Text(f"  … and {more:,} more", style="dim"))
    console.print()
    words = f"{unicode:,} {_messages(unicode)} travel in UCS-2, in parts of 70 or 67 characters in place of 160 or 153."
    if found.parts_in_gsm < found.parts:
        saved = found.parts - found.parts_in_gsm
        words += (
            f" With the nearest characters of GSM-7 the {found.parts:,} parts would be {found.parts_in_gsm:,}: "
            f'{saved:,} fewer. `mensasdk segments "text"` shows the replacements.'
        )
    else:
        words += " It costs no part more than GSM-7 would."
    print_note(console, Text(words, style="yellow"))


def _print_replacements(
    console: Console, vendor: str, changed: int, replacements: Sequence[tuple[tuple[str, str], int]]
) -> None:
    pairs = [f"{replacement(before, after)} ({count:,})" for (before, after), count in replacements]
    console.print()
    words = f"{vendor} replaces what it does not send, in {changed:,} {_messages(changed)}: {' · '.join(pairs)}."
    if vendor in vendors() and vendors()[vendor].has("unicode"):
        words += " --unicode keeps every character, in shorter parts."
    print_note(console, Text(words, style="yellow"))


def _messages(count: int) -> str:
    return "message" if count == 1 else "messages"
