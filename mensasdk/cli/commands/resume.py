"""``mensasdk resume``: the rest of a campaign that was interrupted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.campaign_options import CAMPAIGN_EPILOG, campaign_options
from mensasdk.cli.input.content import check_taken_up, with_recorded
from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.input.job import make_job
from mensasdk.cli.options import JournalPlace, guarded, journal_option
from mensasdk.cli.show.campaign import say_lost, say_next, show_ended
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.tables import error_console
from mensasdk.cli.work.journal import existing_journal, recorded_campaign
from mensasdk.cli.work.resumed import resume_campaign
from mensasdk.errors import ConfigurationError

__all__ = ["command"]

# These options mean nothing here, or are an argument.
_OWN: Final = ("campaign", "journal", "new", "dry")


@click.command("resume", params=campaign_options(without=_OWN), epilog=CAMPAIGN_EPILOG)
@click.argument("campaign")
@click.argument("file", metavar="[PEOPLE.CSV]", required=False, type=click.Path(path_type=Path))
@journal_option
@guarded
def command(
    campaign: str,
    file: Path | None,
    journal: JournalPlace,
    again: bool,
    output: Path | None,
    raw: bool,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Resume a campaign after a crash, a stop, or when the credits ran out.

    Messages that were accepted or rejected are not sent again. Nor are messages whose request was under way: they are
    unknown. The rest is sent.

    What is sent, and through whom, the journal knows. Options that say otherwise are refused; rates, budgets, hours and
    opt-outs may be other ones.

    Give the list again if it may not have been read to its end. Rows that the campaign has already are passed over, and
    so are rows that were changed meanwhile, unless --again is given.
    """
    err = error_console()
    held = existing_journal(journal)
    if again and file is None:
        raise ConfigurationError("--again is about rows of a list; give the list again, or leave --again out")
    info = asyncio.run(recorded_campaign(held, campaign))
    job = make_job(file, with_recorded(click.get_current_context().params, info.content, file), err)
    check_taken_up(campaign, job.content, info.content, file)
    with written_output(output, in_use=files_in_use(), raw=raw) as results:
        ended = asyncio.run(resume_campaign(job, held, info, results, err, again=again, quiet=quiet))
    show_ended(ended, err, results, as_json=as_json, quiet=quiet)
    say_lost(err, results, ended.campaign, journal)
    if not quiet:
        say_next(ended, err, journal, file)
    return ended.exit_code
