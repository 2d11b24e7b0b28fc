"""The commands around a journal: take up a campaign, list what there is, remove what is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mensasdk.campaign import Router
from mensasdk.cli.app import EXIT_CODES, cli, guarded, journal_option, json_option, say_next, send, show
from mensasdk.cli.input.job import Job, make_job
from mensasdk.cli.input.routes import connect
from mensasdk.cli.input.rows import BadRow, GoodRow, masked
from mensasdk.cli.show.output import Output, open_output
from mensasdk.cli.show.tables import campaigns_table, display, error_console, output_console
from mensasdk.cli.work.campaign import Campaign, Limits, Summary
from mensasdk.cli.work.signals import interrupts
from mensasdk.errors import ConfigurationError, MensaError
from mensasdk.journal import CampaignInfo, SqliteJournal, State
from mensasdk.messages import Message, OutcomeKind
from mensasdk.vendors.batching import BatchClient

__all__ = ["ResumedCampaign", "campaigns", "existing_journal", "purge", "recorded_campaign", "resume"]


def existing_journal(path: Path) -> SqliteJournal:
    """The journal in a file that is there: a slip of the pen must not make a new one.

    Raises:
        ConfigurationError: there is no such file.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no journal {path}")
    return SqliteJournal(path)


async def recorded_campaign(journal: SqliteJournal, name: str) -> CampaignInfo:
    """What the journal says of one campaign.

    Raises:
        ConfigurationError: it has no such campaign; says which it has.
    """
    found = {info.name: info for info in await journal.campaigns()}
    if name not in found:
        names = ", ".join(masked(other) for other in found) or "none"
        raise ConfigurationError(f"the journal has no campaign {masked(name)}; it has {names}")
    return found[name]


def info_as_json(info: CampaignInfo) -> dict[str, Any]:
    """What the journal says of a campaign, as one object."""
    return {
        "campaign": info.name,
        "created": info.created.isoformat(),
        "complete": info.complete,
        "total": sum(info.counts.values()),
        **{state.value: info.counts[state] for state in State},
    }


class ResumedCampaign(Campaign):
    """Takes up a campaign, and accounts for each of its members once.

    Args:
        client: the vendor's client, or a router over several.
        rows: the list again; nothing to go by the journal alone.
        total: members of the campaign, as far as known.
        limits: how fast.
        journal: where it is recorded.
        name: the campaign's id.
        output: where the outcomes are written at the end; it stays yours to close.
    """

    def __init__(
        self,
        client: BatchClient | Router,
        rows: Iterator[GoodRow | BadRow],
        *,
        total: int,
        limits: Limits,
        journal: SqliteJournal,
        name: str,
        output: Output | None = None,
    ) -> None:
        super().__init__(client, rows, total=total, limits=limits, output=output, name=name, journal=journal)
        self._campaign = name

    def _given(self) -> Iterator[Message]:
        for row in self._rows:
            if self._halted is not None:  # not as if the list had come to its end
                raise ConfigurationError(self._halted)
            if isinstance(row, BadRow):
                self._bad(row.line, row.to, row.detail)
                self._skip(row)
            else:
                yield row.message

    async def _read(self) -> None:
        try:
            await self._sender.resume(self._campaign, self._given())
        except MensaError as error:
            report = self._sender.report
            if isinstance(error, ConfigurationError) and (report is None or report.total == 0):
                raise  # nothing has begun
            self._halt(error.message)
        report = self._sender.report
        if report is None:
            return
        if report.stopped is not None and self._halted is None:
            self._halted = report.stopped
        for count, row in enumerate(report.rows()):
            if count % 1000 == 0:
                await asyncio.sleep(0)
            if row["code"] is not None:
                kind = OutcomeKind(row["outcome"])
                self._remember(row["code"], kind, row["detail"])
                self._bad_rows += kind is OutcomeKind.NOT_SENT and row["code"].startswith("invalid")
            if self._output is not None:
                self._write(self._output, row)

    def _write(self, output: Output, row: dict[str, Any]) -> None:
        try:
            output.row(row)
        except OSError as error:
            self._lose_output(error)

    async def _account_for_the_rest(self) -> None:
        # The journal has it; what was not read of the list again may be in it, or not.
        report = self._sender.report
        self._total = max(self._total, report.total if report is not None else 0)


# -------------------------------------------------------------------------------------------------------- commands

# Options of `send` that mean nothing here, or something else.
_OWN = {"file", "campaign", "journal", "dry"}


@cli.command(params=[one for one in send.params if one.name not in _OWN], epilog=EXIT_CODES)
@click.argument("campaign")
@click.argument("file", metavar="[PEOPLE.CSV]", required=False, type=click.Path(path_type=Path))
@journal_option
@guarded
def resume(
    campaign: str,
    file: Path | None,
    journal: Path,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Take up a campaign where it ended: after a crash, a stop, or for want of credits.

    What ended is not sent again, and what had only begun is unknown and is not sent again either. The rest goes out.

    Give the list again, with the options that it was sent with, if it may not have been read to its end: rows that the
    campaign has already are passed over.
    """
    err = error_console()
    held = existing_journal(journal)
    job = make_job(file, click.get_current_context().params, err)
    results = None if output is None else open_output(output, source=file)
    try:
        ended = asyncio.run(_resume(job, held, campaign, results, err, quiet))
    finally:
        if results is not None:
            with suppress(OSError):  # what could not be written has been reported
                results.close()
    show(ended, err, output, as_json=as_json, quiet=quiet)
    if not quiet:
        say_next(ended, err, journal, file)
    return ended.exit_code


async def _resume(
    job: Job, journal: SqliteJournal, name: str, results: Output | None, err: Console, quiet: bool
) -> Summary:
    info = await recorded_campaign(journal, name)
    if job.table is None and not info.complete:
        words = (
            "The list may not have been read to its end. What the journal holds is sent; to be sure that nobody is "
            "forgotten, give the list again, with the options that it was sent with."
        )
        err.print(Text(words, style="yellow"), soft_wrap=True)
    total = max(sum(info.counts.values()), 0 if job.table is None else job.table.total)
    async with connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country) as (
        client,
        _,
    ):
        campaign = ResumedCampaign(
            client, job.rows, total=total, limits=job.limits, journal=journal, name=name, output=results
        )
        with interrupts(campaign.interrupt), display(err, quiet=quiet) as progress:
            return await campaign.run(progress)


@cli.command()
@journal_option
@json_option
@guarded
def campaigns(journal: Path, as_json: bool) -> int:
    """List what a journal holds."""
    found = asyncio.run(existing_journal(journal).campaigns())
    if as_json:
        click.echo(json.dumps([info_as_json(info) for info in found], ensure_ascii=False))
    elif not found:
        click.echo("No campaigns.")
    else:
        console: Console = output_console()
        console.print(campaigns_table(found))
    return 0


@cli.command()
@click.argument("campaign")
@journal_option
@click.confirmation_option(prompt="Forget who was written to, so that it cannot be resumed any more?")
@guarded
def purge(campaign: str, journal: Path) -> int:
    """Remove a campaign from a journal, with all numbers and texts."""
    asyncio.run(existing_journal(journal).purge(campaign))
    click.echo(f"Removed {masked(campaign)}.")
    return 0
