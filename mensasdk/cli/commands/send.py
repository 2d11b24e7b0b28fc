"""``mensasdk send``: one SMS for each row of a list."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mensasdk.cli.campaign_options import CAMPAIGN_EPILOG, campaign_options
from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.input.job import make_job
from mensasdk.cli.input.rows import Layout
from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace, guarded
from mensasdk.cli.show.campaign import say_lost, say_next, show_ended
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.tables import error_console
from mensasdk.cli.work.campaign import Summary
from mensasdk.cli.work.check import CheckedList
from mensasdk.cli.work.sending import check_list, send_list
from mensasdk.errors import ConfigurationError

__all__ = ["command"]


@click.command("send", params=campaign_options(without=("again",)), epilog=CAMPAIGN_EPILOG)
@click.argument("file", metavar="PEOPLE.CSV", type=click.Path(path_type=Path))
@guarded
def command(
    file: Path,
    campaign: str | None,
    new: bool,
    journal: JournalPlace | None,
    dry: bool,
    output: Path | None,
    raw: bool,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Send one SMS for each row of a CSV file.

    The file needs a header row and a column of phone numbers, named to, number, phone, mobile, movil, telefono, numero
    or celular; case and accents do not matter. It may be UTF-8 or a Windows file, with commas, semicolons, tabs or bars
    between cells. Without --text, the column text or mensaje of each row is sent. A column reference or id names the
    message in the results.

    With --route, the campaign goes through several vendors, each with its own countries and limits. An option that only
    some of the vendors have is used for these.

    A row that cannot be sent is reported with its line, and the others are sent. The same message to the same number is
    sent once.
    """
    err = error_console()
    if new and journal is None:
        raise ConfigurationError(
            "--new belongs to --journal, which is missing: nothing else knows of an earlier campaign"
        )
    given = click.get_current_context().params
    job = make_job(file, given, err)
    with written_output(output, in_use=files_in_use(), raw=raw, must=dry) as results:
        ended: CheckedList | Summary
        if dry:
            ended = asyncio.run(check_list(job, results, err, quiet=quiet))
        else:
            if job.layout is not None and job.layout.variables is not None and not quiet:
                _say_variables(err, given["template"], job.layout)
            ended = asyncio.run(send_list(job, results, campaign, journal, err, new=new, quiet=quiet))
    show_ended(ended, err, results, as_json=as_json, quiet=quiet)
    if isinstance(ended, Summary):
        say_lost(err, results, ended.campaign, journal)
    if journal is not None and not quiet and isinstance(ended, Summary):
        say_next(ended, err, journal, file)
    return ended.exit_code


def _say_variables(err: Console, template: str | None, layout: Layout) -> None:
    names = ", ".join(masked(name)[:40] for name in layout.variables or ()) or "no column"
    err.print(Text(f"template {masked(template or '')[:40]} with {names}", style="dim"), soft_wrap=True)
