"""Send a list as a campaign, or check it, with a display of the progress."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mensasdk.cli.input.job import Job
from mensasdk.cli.input.routes import connect
from mensasdk.cli.options import JournalPlace
from mensasdk.cli.show.check import check_progress
from mensasdk.cli.show.output import Output
from mensasdk.cli.show.tables import display
from mensasdk.cli.work.campaign import Campaign, Summary
from mensasdk.cli.work.check import CheckedList, check_rows
from mensasdk.cli.work.journal import journal_at
from mensasdk.cli.work.naming import free_name, name_of
from mensasdk.cli.work.signals import interrupts

__all__ = ["check_list", "send_list"]


async def send_list(
    job: Job,
    results: Output | None,
    name: str | None,
    journal: JournalPlace | None,
    err: Console,
    *,
    new: bool,
    quiet: bool,
) -> Summary:
    """Send every row of a list.

    Args:
        job: the campaign, as its options and its list describe it.
        results: file that gets each row's outcome; None for none.
        name: name of the campaign; None to name it by its list.
        journal: place of the journal that records it; None to record nothing.
        err: console for the progress.
        new: begin a second campaign, NAME-2, where the name is taken.
        quiet: show no progress.

    Raises:
        ConfigurationError: the name is taken, or the journal does not take the campaign; nothing was sent.
    """
    assert job.table is not None
    name = name_of(job.table.path, job.content) if name is None else name
    record = None if journal is None else journal_at(journal)
    if record is not None:
        name = await free_name(record, name, new=new)
    async with connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country) as (
        client,
        lines,
    ):
        total = job.table.total
        if not quiet:
            told = f"{total:,} rows · {lines[0]}" if len(lines) == 1 else f"{total:,} rows"
            for line in (told, *(f"  {line}" for line in lines if len(lines) > 1)):
                err.print(Text(line, style="dim"), soft_wrap=True)
        campaign = Campaign(
            client,
            job.rows,
            total=total,
            limits=job.limits,
            output=results,
            name=name,
            journal=record,
            content=job.content,
        )
        with interrupts(campaign.interrupt), display(err, quiet=quiet) as progress:
            return await campaign.run(progress)


async def check_list(job: Job, results: Output | None, err: Console, *, quiet: bool) -> CheckedList:
    """Check every row of a list, and send nothing.

    Args:
        job: the campaign, as its options and its list describe it.
        results: file that gets the rows that would not be sent; None for none.
        err: console for the progress.
        quiet: show no progress.

    Raises:
        ConfigurationError: the list was changed while it was read.
    """
    connected = connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country)
    assert job.table is not None
    total = job.table.total
    async with connected as (client, _):
        with check_progress(err, total, quiet=quiet) as progress:
            return await check_rows(client, job.rows, job.limits, results, total=total, on_progress=progress)
