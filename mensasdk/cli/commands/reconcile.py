"""``mensasdk reconcile``: what became of the messages that are unknown, by each vendor's own means."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

import click
from attrs import frozen
from rich.console import Console
from rich.text import Text

from mensasdk.campaign import BatchReport, BatchSender, Progress, Router
from mensasdk.cli.app import CREDENTIALS_HELP, cli, guarded, journal_option, send
from mensasdk.cli.commands.recorded import existing_journal
from mensasdk.cli.input.job import Job, make_job
from mensasdk.cli.input.routes import connect
from mensasdk.cli.input.rows import masked
from mensasdk.cli.show.output import COLUMNS, Output, written_output
from mensasdk.cli.show.tables import (
    LABEL,
    STYLE,
    error_console,
    figures_table,
    meter,
    output_console,
    print_note,
    text_table,
)
from mensasdk.cli.work.campaign import Limits
from mensasdk.cli.work.doubt import (
    LIST_COLUMNS,
    Listed,
    again,
    in_doubt,
    list_doubts,
    print_list,
    print_steps,
    to_decide,
    vendor_of,
)
from mensasdk.cli.work.signals import interrupts
from mensasdk.errors import ConfigurationError
from mensasdk.journal import SqliteJournal
from mensasdk.messages import OutcomeKind
from mensasdk.vendors.batching import BatchClient

__all__ = ["Reconciled", "print_reconciled", "reconcile", "settle"]

MEANS: Final = {
    "callback": "a delivery report came for it",
    "campaign": "the vendor's campaign lists it",
    "customer_id": "the vendor lists it under our customer id",
    "dropped": "sent again, and taken neither time",
    "repeated": "sent again, where the vendor keeps that from being a second SMS",
    "report": "the vendor's report lists it",
    "status": "the vendor knows the id that it had given",
}
# Why something is still unknown when all that the vendor offers has been tried.
LEFT: Final = {
    "envia_sms": "With --repeat, and only within the hour on the clock in which they went out, they can be sent again.",
    "enviatusms": "The vendor cannot be asked for a number, so a person has to decide.",
    "mensatek": "Reports may still come. With --repeat, what went out in a group (--group-sends) can be sent again.",
    "smsgateway24": "The vendor does not list them, which proves nothing yet; ask again in a while.",
}
_NOT_ASKED: Final = "The options do not name this vendor, so it was not asked."
# The vendors for which sending again can settle something.
REPEATING: Final = frozenset({"envia_sms", "mensatek"})
EXIT_CODES: Final = """\b
Exit codes:
  0    nothing is unknown any more
  2    wrong usage or configuration; nobody was asked
  3    something is still unknown
  4    stopped early (credentials refused, address blocked, ...)
  130  interrupted (Ctrl-C); what was found out is kept
"""


@frozen
class Reconciled:
    """What asking came to.

    Attributes:
        campaign: its id.
        counts: messages that were unknown, by what they are now.
        vendors: the same for each vendor.
        means: messages that are settled, by what they are now and the means.
        words: what a means of no known name says of itself.
        reasons: by vendor, what is said of those that are still unknown.
        not_asked: vendors of some of them that the options do not name.
        stopped: why it ended early; None if it did not.
        interrupted: a person ended it.
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
        return self.counts[OutcomeKind.UNKNOWN]

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        if self.stopped is not None:
            return 4
        return 3 if self.unknown else 0

    def as_json(self) -> dict[str, Any]:
        """The result as one object."""
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
    journal: SqliteJournal,
    campaign: str,
    *,
    limits: Limits,
    repeat: bool,
    console: Console,
    quiet: bool = False,
    output: Output | None = None,
) -> Reconciled:
    """Ask the vendors about what is unknown in a campaign, and show how that goes on.

    Args:
        client: the vendor's client, or a router over several.
        journal: where the campaign stands.
        campaign: its id.
        limits: how fast.
        repeat: as in `BatchSender.reconcile`.
        console: for the progress.
        quiet: no progress.
        output: gets a row for each message that was unknown.

    Raises:
        ConfigurationError: there is no such campaign, or somebody is sending it.
        JournalError: the journal cannot be used.
    """
    async with aclosing(in_doubt(journal, campaign)) as records:
        concerned = Counter([vendor_of(record) async for record in records])
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
    return await _gather(report, sender, output, [one for one in concerned if one not in vendors], interrupted)


async def _gather(
    report: BatchReport, sender: BatchSender, output: Output | None, not_asked: Sequence[str], interrupted: bool
) -> Reconciled:
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
        if output is not None:
            output.row(row)
    return Reconciled(report.campaign, counts, vendors, means, words, reasons, not_asked, report.stopped, interrupted)


# --------------------------------------------------------------------------------------------------------- tables


def print_reconciled(console: Console, done: Reconciled, *, show_left: bool = True) -> None:
    """By which means how many, each vendor's part, and why the rest is still unknown."""
    console.print()
    if done.means:
        table = text_table("found out by", "outcome", "messages", "meaning", space=1)
        table.columns[2].justify = "right"
        for (kind, code), count in sorted(done.means.items(), key=lambda pair: (-pair[1], pair[0])):
            label = Text(LABEL[kind], style=STYLE[kind])
            table.add_row(
                Text(code[:30]),
                label,
                f"{count:,}",
                Text(MEANS.get(code) or shorten(done.words[code], 120, placeholder=" …")),
            )
        console.print(table)
        console.print()
    kinds = {kind: "still unknown" if kind is OutcomeKind.UNKNOWN else label for kind, label in LABEL.items()}
    table = figures_table("vendor", "was unknown", *kinds.values())
    for vendor, counts in sorted(done.vendors.items()):
        cells = [Text(f"{counts[kind]:,}", style=STYLE[kind] if counts[kind] else "dim") for kind in kinds]
        table.add_row(Text(vendor or "?"), f"{counts.total():,}", *cells)
    console.print(table)
    if show_left and done.reasons:
        console.print()
        for vendor, reasons in sorted(done.reasons.items()):
            _print_left(console, done, vendor, reasons)


def _print_left(console: Console, done: Reconciled, vendor: str, reasons: Counter[str]) -> None:
    said = "; ".join(f"{words} ({count:,})" for words, count in reasons.most_common(3) if words)[:300]
    why = _NOT_ASKED if vendor in done.not_asked else LEFT.get(vendor, "")
    left = Text(f"{vendor or '?'}: {reasons.total():,} still unknown", style=STYLE[OutcomeKind.UNKNOWN])
    print_note(console, left.append(f": {said}." if said else ".", style="dim").append(f" {why}", style="dim"))


# -------------------------------------------------------------------------------------------------------- command

# The options of `send` that say how a vendor is reached, and in what shape a message went out. Who gets which text,
# and when, stands in the journal.
_TAKEN: Final = frozenset(
    {
        *("vendor", "routes", "base_url", "credentials", "default_country"),
        *("sender", "template", "text_variable", "device_id", "sim", "group_sends", "allow_duplicates", "as_unicode"),
        *("report", "rates", "requests_per_second", "max_in_flight", "max_recipients", "breaker"),
        *("opt_outs", "opt_out_column", "output", "as_json", "quiet"),
    }
)


def _given() -> Mapping[str, Any]:
    """What was given, and nothing for the other options of `send`."""
    others = {one.name or "": () if isinstance(one, click.Option) and one.multiple else None for one in send.params}
    return others | click.get_current_context().params


@cli.command(params=[one for one in send.params if one.name in _TAKEN], epilog=f"{EXIT_CODES}\n\n{CREDENTIALS_HELP}")
@click.argument("campaign")
@journal_option
@click.option("--repeat", is_flag=True, help="Send again what the vendor itself keeps from being a second SMS.")
@click.option("--list", "only_list", is_flag=True, help="Ask nobody; list what is unknown, for a person to decide.")
@click.option("--show-numbers", is_flag=True, help="With --list: numbers in full, on the terminal too.")
@guarded
def reconcile(
    campaign: str,
    journal: Path,
    repeat: bool,
    only_list: bool,
    show_numbers: bool,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Find out what became of the messages that are unknown, by each vendor's own means.

    Mensatek: delivery reports that `mensasdk receive` has kept, and its own report. smsgateway24: its list of
    messages. envia_sms and enviatusms: what they know by id. With --repeat, also by sending again where the vendor
    drops the second of two: Mensatek within a group (--group-sends, when sending), envia_sms within the hour. Whoever
    did not get the message the first time gets it then.

    Give the options that the campaign was sent with. Nobody may be sending it meanwhile.
    """
    err = error_console()
    held = existing_journal(journal)
    if only_list and repeat:
        raise ConfigurationError("--list asks nobody, and --repeat sends; leave one of them out")
    if show_numbers and not only_list:
        raise ConfigurationError("--show-numbers belongs to --list")
    job = None if only_list else make_job(None, _given(), err)
    columns = LIST_COLUMNS if only_list else COLUMNS
    with written_output(output, journal=journal, columns=columns) as results:
        if job is None:
            listing = list_doubts(held, campaign, results, whole=as_json, show_numbers=show_numbers)
            ended: Listed | Reconciled = asyncio.run(listing)
        else:
            ended = asyncio.run(_reconcile(job, held, campaign, results, repeat=repeat, err=err, quiet=quiet))
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, Listed):
            _show_list(console, ended, journal, output)
        else:
            _show(console, ended, journal, output, repeat=repeat)
    return ended.exit_code


async def _reconcile(
    job: Job, journal: SqliteJournal, name: str, output: Output | None, *, repeat: bool, err: Console, quiet: bool
) -> Reconciled:
    connected = connect(
        job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country, routed=True
    )
    async with connected as (client, _):
        return await settle(
            client, journal, name, limits=job.limits, repeat=repeat, console=err, quiet=quiet, output=output
        )


def _show_list(console: Console, listed: Listed, journal: Path, output: Path | None) -> None:
    if not listed.total:
        console.print(Text(f"Nothing is unknown in {masked(listed.campaign)}."), soft_wrap=True)
        return
    print_list(console, listed)
    console.print()
    vendors = " · ".join(f"{vendor or '?'} {count:,}" for vendor, count in listed.vendors.most_common())
    console.print(Text(f"  {listed.total:,} unknown: {vendors}", style="bold magenta"), soft_wrap=True)
    if output is not None:
        console.print(Text(f"  the list: {output}", style="dim"), soft_wrap=True)
    console.print()
    print_steps(console, to_decide(listed.campaign, journal, output))


def _show(console: Console, done: Reconciled, journal: Path, output: Path | None, *, repeat: bool) -> None:
    if not done.counts.total():
        console.print(Text(f"Nothing is unknown in {masked(done.campaign)}."), soft_wrap=True)
        return
    print_reconciled(console, done)
    console.print()
    if done.interrupted:
        print_note(console, Text("Interrupted. What was found out is in the journal.", style="yellow"))
    elif done.stopped is not None:
        print_note(console, Text(f"Stopped early: {masked(done.stopped)}", style="bold red"))
    if output is not None:
        console.print(Text(f"  results: {output}", style="dim"), soft_wrap=True)
    steps: list[tuple[str, str]] = []
    if done.counts[OutcomeKind.NOT_SENT]:
        steps.append(("What was not sent goes out with this, and the options of the campaign:", _resume(done, journal)))
    if not done.unknown:
        console.print(Text("  Nothing is unknown any more.", style="bold green"))
    elif not repeat and any(vendor in REPEATING for vendor in done.reasons):
        words = "Send again where the vendor keeps that from being a second SMS:"
        steps.append((words, again("--repeat")))
    if done.unknown:
        steps += to_decide(done.campaign, journal, None)
    print_steps(console, steps)


def _resume(done: Reconciled, journal: Path) -> str:
    return shlex.join(["mensasdk", "resume", done.campaign, "--journal", str(journal)])
