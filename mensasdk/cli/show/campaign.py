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
from mensasdk.cli.show.tables import output_console, print_summary
from mensasdk.cli.work.campaign import Summary
from mensasdk.cli.work.check import CheckedList

__all__ = ["say_next", "show_ended"]


def show_ended(ended: CheckedList | Summary, err: Console, output: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Print the result of a campaign or a check.

    Args:
        ended: the result.
        err: console for the tables where standard output has the JSON object.
        output: file of results, whose name is printed; None for none.
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
        if output is not None:
            what = "bad rows" if isinstance(ended, CheckedList) else "results"
            console.print(Text(f"\n  {what}: {output}", style="dim"), soft_wrap=True)
    elif isinstance(ended, Summary) and ended.stopped is not None and not ended.interrupted:
        click.echo(masked(f"Stopped early: {ended.stopped}"), err=True)


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
        err.print(Text(f"\n  Send the rest with: {command}, and the same options."), soft_wrap=True)
    if ended.unknown:
        command = shlex.join(["mensasdk", "reconcile", ended.campaign, "--journal", str(journal)])
        err.print(Text(f"\n  Ask the vendors about the unknown with: {command}, and the same options."), soft_wrap=True)
