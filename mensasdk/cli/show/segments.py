"""Print a text with its SMS parts, and the characters that make it longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mensasdk.cli.show.check import replacement, shown_character
from mensasdk.cli.show.tables import print_note, text_table
from mensasdk.cli.work.segments import Looked
from mensasdk.preflight.check import character_name
from mensasdk.text import Change, Encoding, TextRule
from mensasdk.text import Segments as Count

__all__ = ["print_text"]

_MOST_ROWS: Final = 20


_MARGIN: Final = "  "


def print_text(console: Console, looked: Looked) -> None:
    """Print the count, the text with a caret under each character that forces Unicode, and how to save parts."""
    found = looked.found
    console.print(_counted(found), soft_wrap=True)
    if found.forced_by:
        console.print()
        for line in _marked(looked.text, {position for position, _ in found.forced_by}, console.width):
            console.print(line, soft_wrap=True)
        console.print()
        _print_forcing(console, found)
    same = looked.sent is not None and looked.sent.text == looked.plain
    if found.encoding is Encoding.UCS2 and not same:
        console.print()
        _print_plain(console, looked)
    if looked.rule is not None:
        console.print()
        _print_vendor(console, looked, looked.rule)


def _counted(found: Count) -> Text:
    septets = found.encoding is Encoding.GSM
    unit = ("septet" if septets else "unit") + ("" if found.units == 1 else "s")
    parts = "1 SMS part" if found.parts == 1 else f"{found.parts:,} SMS parts"
    text = Text(_MARGIN).append(f"{found.encoding} · {parts}", style="bold")
    return text.append(
        f" · {found.units:,} {unit} of {7 if septets else 16} bits, {found.remaining:,} left in the last part"
    )


def _marked(text: str, positions: set[int], width: int) -> Iterator[Text]:
    """Yield the lines of a text that have a character to mark, each with a line of carets under it."""
    room = max(20, width - len(_MARGIN))
    for characters in _lines(text, room):
        line, carets, at = Text(_MARGIN), "", 0
        marked = False
        for position, shown in characters:
            if position in positions:
                marked = True
                carets = carets.ljust(at) + "^" * max(1, cell_len(shown))
                line.append(shown, style="bold yellow")
            else:
                line.append(shown)
            at += cell_len(shown)
        if marked:
            yield line
            yield Text(_MARGIN + carets, style="yellow")


def _lines(text: str, room: int) -> Iterator[list[tuple[int, str]]]:
    """Yield lines of a text that fit the room, as its characters with their positions."""
    line: list[tuple[int, str]] = []
    used = 0
    for position, character in enumerate(text):
        if character in "\r\n":
            yield line
            line, used = [], 0
            continue
        shown = _visible(character)
        size = cell_len(shown)
        if used + size > room:
            yield line
            line, used = [], 0
        line.append((position, shown))
        used += size
    yield line


def _visible(character: str) -> str:
    """Return a character as it takes a place of its own; a square where it is invisible."""
    return character if character == " " else shown_character(character) or "\N{WHITE SQUARE}"


def _print_forcing(console: Console, found: Count) -> None:
    places: dict[str, list[int]] = {}
    for position, character in found.forced_by:
        places.setdefault(character, []).append(position)
    table = text_table("", "outside GSM-7", "at", right=0)
    for character, positions in list(places.items())[:_MOST_ROWS]:
        at = ", ".join(f"{one:,}" for one in positions[:5]) + (" …" if len(positions) > 5 else "")
        table.add_row(Text(shown_character(character)), Text(character_name(character)), at)
    console.print(table)
    if len(places) > _MOST_ROWS:
        console.print(Text(f"{_MARGIN}… and {len(places) - _MOST_ROWS:,} more", style="dim"))


def _print_plain(console: Console, looked: Looked) -> None:
    saved = looked.found.parts - looked.plain_found.parts
    gain = f"saves {saved:,} of {looked.found.parts:,} parts" if saved > 0 else "saves no part"
    if saved < 0:
        gain = f"takes {-saved:,} more, since it is longer"
    console.print(Text(f"{_MARGIN}Brought into GSM-7, it {gain}:", style="bold"), soft_wrap=True)
    print_note(console, Text(_printable(looked.plain)))
    if looked.changes:
        print_note(console, Text(_replacements(looked.changes), style="dim"))
    console.print(_counted(looked.plain_found), soft_wrap=True)


def _print_vendor(console: Console, looked: Looked, rule: TextRule) -> None:
    if looked.sent is None:
        print_note(console, Text(f"{rule.name} does not take it: {looked.refused}", style="bold red"))
        return
    if looked.sent.text == looked.text:
        console.print(Text(f"{_MARGIN}{rule.name} sends it as it is.", style="bold"), soft_wrap=True)
    else:
        console.print(Text(f"{_MARGIN}Through {rule.name} the handset shows:", style="bold"), soft_wrap=True)
        print_note(console, Text(_printable(looked.sent.text)))
    if looked.sent.changes:
        print_note(console, Text(_replacements(looked.sent.changes), style="dim"))
    console.print(_counted(looked.sent.segments), soft_wrap=True)


def _replacements(changes: Sequence[Change]) -> str:
    pairs = dict.fromkeys((change.before, change.after) for change in changes)
    return " · ".join(replacement(*pair) for pair in list(pairs)[:_MOST_ROWS]) + (
        " · …" if len(pairs) > _MOST_ROWS else ""
    )


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)
