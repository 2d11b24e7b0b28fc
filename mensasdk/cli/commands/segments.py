"""``mensasdk segments``: the SMS parts of a text, and the characters that make it longer."""

from __future__ import annotations

import json
import sys
from typing import Final

import click

from mensasdk.cli.options import guarded, json_option, vendor_choice
from mensasdk.cli.show.segments import print_text
from mensasdk.cli.show.tables import output_console
from mensasdk.cli.work.segments import look
from mensasdk.errors import ConfigurationError
from mensasdk.registry import load, vendor_info
from mensasdk.text import TextRule

__all__ = ["command"]

_MOST_INPUT: Final = 1 << 20


@click.command("segments")
@click.argument("text")
@click.option("--vendor", type=vendor_choice, help="Also show what this vendor sends for this text.")
@click.option("--unicode", "as_unicode", is_flag=True, help="Count the text as Unicode, even if it does not need it.")
@json_option
@guarded
def command(text: str, vendor: str | None, as_unicode: bool, as_json: bool) -> int:
    """Count the SMS parts of a text, and show which characters make it longer and what to write in their place.

    TEXT is the text as the recipient reads it; - reads it from standard input, without its last line end.

    Exits with 1 if the vendor of --vendor does not take such a text.
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
        raise ConfigurationError("the text on standard input is larger than a megabyte; give a shorter one")
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise ConfigurationError("the text on standard input is not UTF-8; convert it")
    return text.removesuffix("\n").removesuffix("\r")


def _rule(vendor: str | None) -> TextRule | None:
    if vendor is None:
        return None
    rule: TextRule = load(vendor_info(vendor).client).text_rule
    return rule
