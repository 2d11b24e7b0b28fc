"""``mensasdk results``: what became of each message of a campaign, from its journal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.text import Text

from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.options import JournalPlace, guarded, journal_option, json_option, output_option
from mensasdk.cli.show.output import Output, written_output
from mensasdk.cli.show.results import print_results
from mensasdk.cli.show.tables import error_console, output_console
from mensasdk.cli.work.journal import existing_journal, recorded_campaign
from mensasdk.cli.work.results import write_results
from mensasdk.errors import ConfigurationError

__all__ = ["command"]


@click.command("results")
@click.argument("campaign")
@journal_option
@output_option("Write the rows to this file, .csv or .jsonl, and not to standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Form of the rows on standard output; by default csv.",
)
@click.option("--raw", is_flag=True, help="Write cells as they are, without the guard against formulas.")
@json_option
@guarded
def command(
    campaign: str, journal: JournalPlace, output: Path | None, form: str | None, raw: bool, as_json: bool
) -> int:
    """Write what became of each message of a campaign: a row for each, with the columns of `send --output`.

    The rows come from the journal, at any time: also while the campaign runs, and after a crash. Rows of the list that
    were refused before anything was sent, such as a bad number, are not in a journal.

    With --json, one JSON object with the counts and the charges is printed, and rows only with --output.
    """
    if form is not None and (output is not None or as_json):
        raise ConfigurationError("--format is for rows on standard output; the ending of --output tells its own")
    held = existing_journal(journal)
    asyncio.run(recorded_campaign(held, campaign))  # before a header is written
    to_screen = output is None and not as_json
    rows = (
        _standard_output(form or "csv", raw)
        if to_screen
        else written_output(output, in_use=files_in_use(), raw=raw, must=True)
    )
    with rows as results:
        found = asyncio.run(write_results(held, campaign, results))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return 0
    console = error_console() if to_screen else output_console()
    print_results(console, found)
    if output is not None:
        console.print(Text(f"\n  results: {output}", style="dim"), soft_wrap=True)
    return 0


@contextmanager
def _standard_output(form: str, raw: bool) -> Iterator[Output]:
    """Yield standard output for rows."""
    with suppress(AttributeError):  # a stream of another kind, which a test has put there
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
    output = Output(sys.stdout, as_csv=form == "csv", raw=raw)
    yield output
    output.flush()
