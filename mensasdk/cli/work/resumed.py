"""Resume a campaign, and count each of its messages once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from mensasdk.campaign import Router
from mensasdk.cli.input.job import Job
from mensasdk.cli.input.routes import connect
from mensasdk.cli.input.rows import BadRow, GoodRow
from mensasdk.cli.masking import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.show.tables import display
from mensasdk.cli.wording import say
from mensasdk.cli.work.campaign import Campaign, Limits, Summary
from mensasdk.cli.work.signals import interrupts
from mensasdk.errors import ConfigurationError, JournalError, MensaError
from mensasdk.journal import CampaignInfo, Journal
from mensasdk.messages import Message, OutcomeKind
from mensasdk.vendors.batching import BatchClient

__all__ = ["ResumedCampaign", "resume_campaign"]


class ResumedCampaign(Campaign):
    """A campaign that is resumed, and counts each of its messages once.

    Args:
        client: the vendor's client, or a router over several vendors.
        rows: rows of the list that is given again; None to send only what the journal holds.
        total: count of the messages of the campaign, as far as it is known.
        limits: rates and other limits.
        journal: journal with the campaign.
        name: name of the campaign.
        again: send rows too that the list had otherwise before.
        output: file that gets the outcomes at the end, which the caller closes; None for none.
    """

    def __init__(
        self,
        client: BatchClient | Router,
        rows: Iterator[GoodRow | BadRow] | None,
        *,
        total: int,
        limits: Limits,
        journal: Journal,
        name: str,
        again: bool = False,
        output: Output | None = None,
    ) -> None:
        super().__init__(client, rows or iter(()), total=total, limits=limits, name=name, journal=journal)
        if output is not None:  # set here: the report has the numbers, so that no screen need see them
            output.campaign = name
            self._output = output
        self._campaign = name
        self._has_list = rows is not None
        self._again = again

    def _given(self) -> Iterator[Message]:
        for row in self._rows:
            if self._halted is not None:  # a return would mean that the list was read to its end
                raise ConfigurationError(self._halted)
            if isinstance(row, BadRow):
                self._bad(row.line, row.to, row.detail)
                self._skip(row)
            else:
                yield row.message

    async def _read(self) -> None:
        try:
            messages = self._given() if self._has_list else None
            await self._sender.resume(self._campaign, messages, again=self._again)
        except MensaError as error:
            report = self._sender.report
            if isinstance(error, ConfigurationError | JournalError) and (report is None or report.total == 0):
                raise  # nothing was sent
            self._halt(say(error))
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
                self._output.row(row)

    async def _account_for_the_rest(self) -> None:
        # The journal holds the campaign. Rows of the list that were not read again may be in it or not.
        report = self._sender.report
        self._total = max(self._total, report.total if report is not None else 0)


async def resume_campaign(
    job: Job,
    journal: Journal,
    info: CampaignInfo,
    results: Output | None,
    err: Console,
    *,
    again: bool,
    quiet: bool,
) -> Summary:
    """Resume a campaign, with its list or without.

    Args:
        job: the campaign, as its options and its list describe it.
        journal: journal with the campaign.
        info: the campaign.
        results: file that gets the outcomes; None for none.
        err: console for warnings and the progress.
        again: send rows too that the list had otherwise before.
        quiet: show no progress.

    Raises:
        ConfigurationError: another process is sending it.
        JournalError: the journal cannot be used.
    """
    if job.table is None and not info.complete:
        words = (
            "The list may not have been read to its end. The messages in the journal are sent; to reach the rest, give "
            f"the list again: mensasdk resume {info.name} PEOPLE.CSV"
        )
        err.print(Text(masked(words), style="yellow"), soft_wrap=True)
    total = max(sum(info.counts.values()), 0 if job.table is None else job.table.total)
    async with connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country) as (
        client,
        _,
    ):
        campaign = ResumedCampaign(
            client,
            None if job.table is None else job.rows,
            total=total,
            limits=job.limits,
            journal=journal,
            name=info.name,
            again=again,
            output=results,
        )
        with interrupts(campaign.interrupt), display(err, quiet=quiet) as progress:
            return await campaign.run(progress)
