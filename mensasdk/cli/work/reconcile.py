"""Ask the vendors about unknown messages, and count the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from attrs import evolve, frozen
from rich.console import Console

from mensasdk.campaign import BatchReport, Progress, Router
from mensasdk.cli.input.job import Job
from mensasdk.cli.input.routes import connect
from mensasdk.cli.masking import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.show.tables import meter
from mensasdk.cli.work.campaign import Limits
from mensasdk.cli.work.signals import interrupts
from mensasdk.cli.work.unknown import unknown_records, vendor_of
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Journal, Record
from mensasdk.messages import OutcomeKind
from mensasdk.vendors.batching import BatchClient

__all__ = ["Reconciled", "reconcile_campaign", "settle"]


@frozen
class Reconciled:
    """Answers about the unknown messages of a campaign.

    Attributes:
        campaign: name of the campaign.
        counts: count of the messages that were unknown, by their outcome now.
        vendors: the same counts for each vendor.
        means: count of the messages that are known now, by their outcome and the means (a code, such as ``"report"``).
        words: first detail of each means, for those that the command does not know.
        reasons: count of the messages that are still unknown, by vendor and by the reason.
        not_asked: vendors of unknown messages that the options do not name.
        stopped: reason why it ended early; None where it did not.
        interrupted: whether a person ended it.
    """

    campaign: str
    counts: Counter[OutcomeKind]
    vendors: Mapping[str, Counter[OutcomeKind]]
    means: Counter[tuple[OutcomeKind, str]]
    words: Mapping[str, str]
    reasons: Mapping[str, Counter[str]]
    not_asked: Sequence[str]
    stopped: str | None
    interrupted: bool

    @property
    def unknown(self) -> int:
        """Count of the messages that are still unknown."""
        return self.counts[OutcomeKind.UNKNOWN]

    @property
    def exit_code(self) -> int:
        """Exit code of the process; the help of the command explains it."""
        if self.interrupted:
            return 130
        if self.stopped is not None:
            return 4
        return 3 if self.unknown else 0

    def as_json(self) -> dict[str, Any]:
        """Return the result as one JSON object."""
        by_means: Counter[str] = Counter()
        for (_, code), count in self.means.items():
            by_means[code] += count
        return {
            "campaign": self.campaign,
            "total": self.counts.total(),
            **{kind.value: self.counts[kind] for kind in OutcomeKind},
            "by_means": dict(by_means),
            "vendors": {
                vendor: {kind.value: counts[kind] for kind in OutcomeKind} for vendor, counts in self.vendors.items()
            },
            "not_asked": list(self.not_asked),
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
        }


async def settle(
    client: BatchClient | Router,
    journal: Journal,
    campaign: str,
    *,
    limits: Limits,
    repeat: bool,
    console: Console,
    quiet: bool = False,
    output: Output | None = None,
) -> Reconciled:
    """Ask the vendors about the unknown messages of a campaign, and show the progress.

    Args:
        client: the vendor's client, or a router over several vendors.
        journal: journal with the campaign.
        campaign: name of the campaign.
        limits: rates and other limits.
        repeat: as in `BatchSender.reconcile`.
        console: console for the progress.
        quiet: show no progress.
        output: file that gets a row for each message that was unknown; None for none.

    Raises:
        ConfigurationError: there is no such campaign, or another process is sending it.
        JournalError: the journal cannot be used.
    """
    concerned: Counter[str] = Counter()
    records: list[Record] = []  # in the order in which they are asked about
    async with aclosing(unknown_records(journal, campaign)) as found:
        async for record in found:
            concerned[vendor_of(record)] += 1
            if output is not None:
                records.append(record)
    vendors = client.vendors if isinstance(client, Router) else (client.vendor,)
    if repeat and len(concerned) > 1 and len(vendors) == 1:
        raise ConfigurationError(
            f"the campaign went through {' and '.join(sorted(concerned))}, and --repeat has to send the same again: "
            "give all the --route options that it was sent with"
        )
    sender = limits.sender(client, journal)
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        sender.stop("interrupted")

    with interrupts(interrupt), meter(console, concerned.total(), "asking the vendors", quiet=quiet) as bar:

        def progress(now: Progress) -> None:
            bar.update(now.done)

        report = await sender.reconcile(campaign, repeat=repeat, on_progress=progress)
    if output is not None:
        output.campaign = campaign
        for record, outcome in zip(records, report.outcomes(), strict=False):  # not all, where it was stopped
            output.record(record, outcome=evolve(outcome, message=record.message))
    return await _gather(report, [one for one in concerned if one not in vendors], interrupted)


async def _gather(report: BatchReport, not_asked: Sequence[str], interrupted: bool) -> Reconciled:
    counts: Counter[OutcomeKind] = Counter()
    vendors: dict[str, Counter[OutcomeKind]] = {}
    means: Counter[tuple[OutcomeKind, str]] = Counter()
    words: dict[str, str] = {}
    reasons: dict[str, Counter[str]] = {}
    for count, row in enumerate(report.rows()):
        if count % 1000 == 0:
            await asyncio.sleep(0)
        kind, vendor, code = OutcomeKind(row["outcome"]), row["vendor"], row["code"] or ""
        counts[kind] += 1
        vendors.setdefault(vendor, Counter())[kind] += 1
        if kind is OutcomeKind.UNKNOWN:
            reasons.setdefault(vendor, Counter())[masked(row["detail"])] += 1
        else:
            means[kind, code] += 1
            words.setdefault(code, masked(row["detail"]))
    return Reconciled(report.campaign, counts, vendors, means, words, reasons, not_asked, report.stopped, interrupted)


async def reconcile_campaign(
    job: Job, journal: Journal, name: str, output: Output | None, *, repeat: bool, err: Console, quiet: bool
) -> Reconciled:
    """Ask the vendors that the options name about the unknown messages of a campaign; see `settle`."""
    connected = connect(
        job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country, routed=True
    )
    async with connected as (client, _):
        return await settle(
            client, journal, name, limits=job.limits, repeat=repeat, console=err, quiet=quiet, output=output
        )
