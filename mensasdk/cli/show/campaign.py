"""What a person sees when a campaign has ended: its tables, and what to do next."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from mensasdk.cli.masking import masked
from mensasdk.cli.show.check import print_check
from mensasdk.cli.show.tables import output_console, print_summary
from mensasdk.cli.work.campaign import Summary
from mensasdk.cli.work.dryrun import DryRun

__all__ = ["say_next", "show_ended"]


def show_ended(ended: DryRun | Summary, err: Console, output: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Print what a campaign, or a check, came to.

    Args:
        ended: the account.
        err: where tables go when standard output is for a program.
        output: the file of results, to be named; None for none.
        as_json: print one object on standard output.
        quiet: no tables.
    """
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, DryRun):
            print_check(console, ended)
        else:
            print_summary(console, ended)
        if output is not None:
            what = "bad rows" if isinstance(ended, DryRun) else "results"
            console.print(Text(f"\n  {what}: {output}", style="dim"), soft_wrap=True)
    elif isinstance(ended, Summary) and ended.stopped is not None and not ended.interrupted:
        click.echo(masked(f"Stopped early: {ended.stopped}"), err=True)


def say_next(ended: Summary, err: Console, journal: Path, file: Path | None) -> None:
    """Say what to do about a recorded campaign that was stopped, or left something unknown.

    Args:
        ended: its account.
        err: where to say it.
        journal: the journal's file.
        file: the list; None where it was not given.
    """
    if ended.stopped is not None:
        words = [ended.campaign, *([] if file is None else [str(file)]), "--journal", str(journal)]
        command = shlex.join(["mensasdk", "resume", *words])
        err.print(Text(f"\n  Go on with: {command}, and the same options."), soft_wrap=True)
    if ended.unknown:
        command = shlex.join(["mensasdk", "reconcile", ended.campaign, "--journal", str(journal)])
        err.print(Text(f"\n  Find out with: {command}, and the same options."), soft_wrap=True)
