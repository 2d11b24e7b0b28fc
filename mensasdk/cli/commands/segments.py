"""``mensasdk segments``: how many SMS a text becomes, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
from attrs import frozen
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mensasdk.cli.app import cli, guarded, json_option
from mensasdk.cli.input.config import VENDORS
from mensasdk.cli.show.check import replacement, shown_character
from mensasdk.cli.show.tables import output_console, print_note, text_table
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.preflight.check import character_name
from mensasdk.text import Change, Encoding, SentText, TextRule, to_gsm
from mensasdk.text import Segments as Count
from mensasdk.text import segments as count

__all__ = ["Looked", "look", "print_text", "segments"]

_MOST_INPUT: Final = 1 << 20
_MOST_ROWS: Final = 20
_MARGIN: Final = "  "


@frozen
class Looked:
    """A text, and what there is to say of it.

    Attributes:
        text: as it was given.
        found: how it travels as it is.
        plain: what `to_gsm` makes of it, and what it changes.
        plain_found: how that travels.
        rule: of the vendor that was asked for; None for none.
        sent: what that vendor makes of it; None where it refuses it.
        refused: why.
    """

    text: str
    found: Count
    plain: str
    changes: Sequence[Change]
    plain_found: Count
    rule: TextRule | None = None
    sent: SentText | None = None
    refused: str | None = None

    @property
    def exit_code(self) -> int:
        """1 when the vendor does not take it, else 0."""
        return 0 if self.refused is None else 1

    def as_json(self) -> dict[str, Any]:
        """All of it as one object. Positions count code points, from 0."""
        told = {
            **_as_json(self.found),
            "forced_by": [
                {"position": position, "character": character, "name": character_name(character)}
                for position, character in self.found.forced_by
            ],
            "gsm": {"text": self.plain, **_as_json(self.plain_found), "changes": _changes(self.changes)},
        }
        if self.rule is not None:
            told["vendor"] = {"name": self.rule.vendor, "refused": self.refused}
            if self.sent is not None:
                told["vendor"] |= {
                    "text": self.sent.text,
                    **_as_json(self.sent.segments),
                    "changes": _changes(self.sent.changes),
                }
        return told


def look(text: str, rule: TextRule | None = None, *, unicode: bool = False) -> Looked:
    """Count a text, as it is, brought into GSM-7, and as a vendor sends it.

    Args:
        text: the text.
        rule: the vendor's; None for no vendor.
        unicode: the vendor, or the one who counts, is told to send Unicode.

    Raises:
        ValidationError: the text holds half of a surrogate pair.
    """
    plain = to_gsm(text)
    found, plain_found = count(text, unicode=unicode), count(plain.text)
    sent, refused = None, None
    if rule is not None:
        try:
            sent = rule.apply(text, unicode=unicode)
        except ValidationError as error:
            refused = error.message
    return Looked(text, found, plain.text, plain.changes, plain_found, rule, sent, refused)


def _as_json(found: Count) -> dict[str, Any]:
    return {
        "encoding": found.encoding.value,
        "parts": found.parts,
        "units": found.units,
        "remaining": found.remaining,
    }


def _changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"position": change.position, "from": change.before, "to": change.after} for change in changes]


# ------------------------------------------------------------------------------------------------------- for a person


def print_text(console: Console, looked: Looked) -> None:
    """The count, the text with a caret under each character that forces Unicode, and what would save parts."""
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
    """The lines of a text that have something to mark, each with carets under it."""
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
    """The characters of a text with their positions, in lines that fit."""
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
    """A character as it takes a place of its own."""
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


# ---------------------------------------------------------------------------------------------------------- command


@cli.command()
@click.argument("text")
@click.option("--vendor", type=click.Choice(sorted(VENDORS)), help="Also show what this vendor makes of it.")
@click.option("--unicode", "as_unicode", is_flag=True, help="As Unicode, whether it needs that or not.")
@json_option
@guarded
def segments(text: str, vendor: str | None, as_unicode: bool, as_json: bool) -> int:
    """Tell how many SMS a text becomes, which characters make it more, and what to write in their place.

    TEXT is the text as the person shall read it; - reads it from standard input, without its last line end.

    Exits with 1 if the vendor does not take such a text.
    """
    if text == "-":
        text = _standard_input()
    looked = look(text, _rule(vendor), unicode=as_unicode)
    if as_json:
        click.echo(json.dumps(looked.as_json(), ensure_ascii=False))
    else:
        print_text(output_console(), looked)
    return looked.exit_code


def _standard_input() -> str:
    given = sys.stdin.buffer.read(_MOST_INPUT + 1)
    if len(given) > _MOST_INPUT:
        raise ConfigurationError("the text on standard input is larger than a megabyte")
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise ConfigurationError("the text on standard input is not UTF-8")
    return text.removesuffix("\n").removesuffix("\r")


def _rule(vendor: str | None) -> TextRule | None:
    if vendor is None:
        return None
    from mensasdk import EnviaSmsClient, EnviaTuSmsClient, MensatekClient, SmsGateway24Client

    clients = (EnviaSmsClient, EnviaTuSmsClient, MensatekClient, SmsGateway24Client)
    return next(client.text_rule for client in clients if client.text_rule.vendor == vendor)
