"""``mensasdk deliveries``: the delivery reports of a campaign."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace, guarded, journal_option, json_option, output_option, raw_option
from mensasdk.cli.show.deliveries import deliveries_table
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.tables import output_console
from mensasdk.cli.work.deliveries import count_deliveries
from mensasdk.cli.work.journal import existing_journal
from mensasdk.registry import vendors

__all__ = ["command"]


@click.command("deliveries")
@click.argument("campaign")
@journal_option
@output_option("Write a row for each message to this file: .csv or .jsonl.")
@raw_option
@json_option
@guarded
def command(campaign: str, journal: JournalPlace, output: Path | None, raw: bool, as_json: bool) -> int:
    """Count the delivery reports of a campaign: how many messages are delivered, failed, on their way, or without one.

    The reports are those in the journal: `mensasdk receive`, or a DeliveryLog in your own program, puts them there.
    """
    held = existing_journal(journal)
    with written_output(output, in_use=files_in_use(), raw=raw, must=True) as results:
        found = asyncio.run(count_deliveries(held, campaign, results))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return 0
    console: Console = output_console()
    if not found.vendors:
        console.print(Text(f"Nothing of {masked(campaign)} has gone out."), soft_wrap=True)
        return 0
    console.print()
    console.print(deliveries_table(found))
    silent = [info for info in vendors().values() if info.name in found.vendors and info.callbacks is None]
    if silent:
        console.print()
        names = " and ".join(info.name for info in silent)
        ways = " or ".join(info.asked_with for info in silent if info.asked_with is not None)
        words = f"{names} {'calls' if len(silent) == 1 else 'call'} nobody back{f'; ask with {ways}' if ways else ''}."
        console.print(Text(f"  {words}", style="dim"), soft_wrap=True)
    if output is not None:
        console.print(Text(f"\n  results: {output}", style="dim"), soft_wrap=True)
    return 0
