"""``mensasdk check``: a check of a list, without an account and without a request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.campaign_options import campaign_options
from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.input.job import make_job
from mensasdk.cli.options import guarded
from mensasdk.cli.show.campaign import show_ended
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.tables import error_console
from mensasdk.cli.work.sending import check_list

__all__ = ["command"]

EXIT_CODES: Final = """\b
Exit codes:
  0    every row would be sent
  1    some rows would not be sent
  2    wrong usage or configuration, or a list that cannot be read
  130  interrupted (Ctrl-C)
"""
# A check records nothing.
_LEFT_OUT: Final = ("again", "campaign", "journal", "new", "dry")


@click.command("check", params=campaign_options(without=_LEFT_OUT), epilog=EXIT_CODES)
@click.argument("file", metavar="PEOPLE.CSV", type=click.Path(path_type=Path))
@guarded
def command(
    file: Path,
    output: Path | None,
    raw: bool,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Check a list, and show what sending it would cost. Nothing is sent, and no account is needed.

    Give it the same options as `send`. It shows the messages, requests and SMS parts for each vendor and country, their
    cost (with --prices), the rows that would not be sent and why, and the characters that make messages longer.

    With --output, the rows that would not be sent are written to a file, with their numbers in full.
    """
    err = error_console()
    job = make_job(file, {**click.get_current_context().params, "dry": True}, err)
    with written_output(output, in_use=files_in_use(), raw=raw, must=True) as results:
        ended = asyncio.run(check_list(job, results, err, quiet=quiet))
    show_ended(ended, err, results, as_json=as_json, quiet=quiet)
    return ended.exit_code
