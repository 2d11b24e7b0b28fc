"""``mensasdk check``: what sending a list would come to, without an account and without a request."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.campaign_options import campaign_options
from mensasdk.cli.input.job import make_job
from mensasdk.cli.options import guarded
from mensasdk.cli.show.campaign import show_ended
from mensasdk.cli.show.output import open_output
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
# They name a record of what was sent; there is none.
_LEFT_OUT: Final = ("campaign", "journal", "dry")


@click.command("check", params=campaign_options(without=_LEFT_OUT), epilog=EXIT_CODES)
@click.argument("file", metavar="PEOPLE.CSV", type=click.Path(path_type=Path))
@guarded
def command(
    file: Path,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Tell what sending a list would come to, before anything is paid. Nothing is sent, and no account is needed.

    Takes the options of `send`: write `check` for `send`, read, and write `send` again. It shows how many SMS would go
    where, in how many requests and parts, what they cost (with --prices), which rows would not be sent and why, and
    which characters make messages longer.

    With --output, the rows that would not be sent are written to a file, with their numbers in full.
    """
    err = error_console()
    job = make_job(file, {**click.get_current_context().params, "dry": True}, err)
    results = None if output is None else open_output(output, source=file)
    try:
        ended = asyncio.run(check_list(job, results, err, quiet=quiet))
    finally:
        if results is not None:
            with suppress(OSError):  # what could not be written has been reported
                results.close()
    show_ended(ended, err, output, as_json=as_json, quiet=quiet)
    return ended.exit_code
