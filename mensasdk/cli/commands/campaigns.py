"""``mensasdk campaigns``: the campaigns of a journal."""

from __future__ import annotations

import asyncio
import json

import click

from mensasdk.cli.options import JournalPlace, guarded, journal_option, json_option
from mensasdk.cli.show.tables import campaigns_table, output_console
from mensasdk.cli.work.journal import existing_journal, info_as_json

__all__ = ["command"]


@click.command("campaigns")
@journal_option
@json_option
@guarded
def command(journal: JournalPlace, as_json: bool) -> int:
    """List the campaigns of a journal, with the count of their messages in each state."""
    found = asyncio.run(existing_journal(journal).campaigns())
    if as_json:
        click.echo(json.dumps([info_as_json(info) for info in found], ensure_ascii=False))
    elif not found:
        click.echo("No campaigns.")
    else:
        output_console().print(campaigns_table(found))
    return 0
