"""Print the result of a campaign or a check, and what to do next."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace
from mensasdk.cli.show.check import print_check
from mensasdk.cli.show.output import Output, partial_of
from mensasdk.cli.show.tables import counts_text, output_console, print_summary
from mensasdk.cli.streams import say_where_output_is_lost
from mensasdk.cli.work.campaign import Summary
from mensasdk.cli.work.check import CheckedList

__all__ = ["say_lost", "say_next", "show_ended"]


def show_ended(
    ended: CheckedList | Summary, err: Console, output: Output | None, *, as_json: bool, quiet: bool
) -> None:
    """Print the result of a campaign or a check.

    Args:
        ended: the result.
        err: console for the tables where standard output has the JSON object.
        output: file of results, whose name is printed if it is whole; None for none.
        as_json: print one JSON object on standard output.
        quiet: print no tables.
    """
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, CheckedList):
            print_check(console, ended)
        else:
            print_summary(console, ended)
        if output is not None and output.failure is None:
            what = "bad rows" if isinstance(ended, CheckedList) else "results"
            console.print(Text(f"\n  {what}: {output.path}", style="dim"), soft_wrap=True)
    elif isinstance(ended, Summary) and ended.stopped is not None and not ended.interrupted:
        click.echo(masked(f"Stopped early: {ended.stopped}"), err=True)
    if isinstance(ended, Summary):
        say_where_output_is_lost(counts_text(ended).plain)


def say_lost(err: Console, output: Output | None, campaign: str, journal: JournalPlace | None) -> None:
    """Print that the file of results could not be written, and how to get it; nothing if it could.

    Args:
        err: console to print on.
        output: file of results; None for none.
        campaign: name of the campaign.
        journal: place of the journal, which has the results; None without one.
    """
    if output is None or output.failure is None or output.path is None:
        return
    words = f"\n  The results could not be written to {output.path}: {output.failure.strerror}."
    if journal is None:
        words += f" {partial_of(output.path).name} has those until then."
    else:
        name = ["mensasdk", "results", campaign, "--journal", str(journal), "--output", str(output.path)]
        words += f" The journal has them; write them with: {shlex.join(name)}"
    err.print(Text(words, style="yellow"), soft_wrap=True)


def say_next(ended: Summary, err: Console, journal: JournalPlace, file: Path | None) -> None:
    """Print the next command for a recorded campaign that was stopped, or has unknown messages.

    Args:
        ended: the result of the campaign.
        err: console to print on.
        journal: place of the journal.
        file: the list; None where it was not given.
    """
    if ended.stopped is not None:
        words = [ended.campaign, *([] if file is None else [str(file)]), "--journal", str(journal)]
        command = shlex.join(["mensasdk", "resume", *words])
        err.print(Text(f"\n  Send the rest with: {command}"), soft_wrap=True)
    if ended.unknown:
        command = shlex.join(["mensasdk", "reconcile", ended.campaign, "--journal", str(journal)])
        err.print(Text(f"\n  Ask the vendors about the unknown with: {command}"), soft_wrap=True)
