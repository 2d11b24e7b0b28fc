"""``mensasdk purge``: the removal of a campaign from a journal."""

from __future__ import annotations

import asyncio

import click

from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace, guarded, journal_option
from mensasdk.cli.streams import say_where_output_is_lost
from mensasdk.cli.work.journal import existing_journal

__all__ = ["command"]


@click.command("purge")
@click.argument("campaign")
@journal_option
@click.confirmation_option(prompt="Remove the campaign with all its numbers? It cannot be resumed after that.")
@guarded
def command(campaign: str, journal: JournalPlace) -> int:
    """Remove a campaign from a journal, with all numbers and texts. It cannot be resumed after that."""
    asyncio.run(existing_journal(journal).purge(campaign))
    result = f"Removed {masked(campaign)}."
    click.echo(result)
    say_where_output_is_lost(result)
    return 0
