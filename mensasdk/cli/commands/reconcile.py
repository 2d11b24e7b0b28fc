"""``mensasdk reconcile``: questions to the vendors about unknown messages, by each vendor's own means."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.campaign_options import campaign_options, given_options
from mensasdk.cli.input.content import with_recorded
from mensasdk.cli.input.files import files_in_use
from mensasdk.cli.input.job import make_job
from mensasdk.cli.options import JournalPlace, credentials_help, guarded, journal_option
from mensasdk.cli.show.campaign import say_lost
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.reconcile import show_reconciled
from mensasdk.cli.show.tables import error_console, output_console
from mensasdk.cli.show.unknown import show_unknown
from mensasdk.cli.streams import say_where_output_is_lost
from mensasdk.cli.work.journal import existing_journal, recorded_campaign
from mensasdk.cli.work.reconcile import Reconciled, reconcile_campaign
from mensasdk.cli.work.unknown import Listed, list_doubts
from mensasdk.errors import ConfigurationError
from mensasdk.messages import OutcomeKind
from mensasdk.registry import vendors

__all__ = ["command"]

EXIT_CODES: Final = """\b
Exit codes:
  0    nothing is unknown any more
  2    wrong usage or configuration; no vendor was asked
  3    some messages are still unknown
  4    stopped early (credentials refused, address blocked, ...)
  5    the journal failed; what was found out until then is kept
  130  interrupted (Ctrl-C); what was found out is kept
"""
# Options that say how to reach a vendor, and in what form messages went out; the vendors' own options come beside them.
# The journal has the rest: recipients, texts and times.
_TAKEN: Final = frozenset(
    {
        *("vendor", "routes", "base_url", "credentials", "default_country", "sender"),
        *("rates", "requests_per_second", "max_in_flight", "max_recipients", "breaker"),
        *("opt_outs", "opt_out_column", "output", "raw", "as_json", "quiet"),
    }
)


def _help() -> str:
    means = [f"{info.name}: {info.settles}." for info in vendors().values() if info.settles]
    return "\n\n".join(
        [
            "Ask the vendors what became of unknown messages, by each vendor's own means.",
            *means,
            (
                "With --repeat, messages are sent again where the vendor itself prevents a second SMS: whoever did not "
                "get the message the first time gets it then."
            ),
            "The journal knows the options that the campaign was sent with. No other process may be sending it.",
        ]
    )


@click.command(
    "reconcile",
    params=campaign_options(only=_TAKEN),
    help=_help(),
    short_help="Ask the vendors what became of unknown messages.",
    epilog=f"{EXIT_CODES}\n\n{credentials_help()}",
)
@click.argument("campaign")
@journal_option
@click.option("--repeat", is_flag=True, help="Send again, where the vendor itself prevents a second SMS.")
@click.option(
    "--list", "only_list", is_flag=True, help="Ask no vendor; list the unknown messages, for a person to decide."
)
@click.option("--show-numbers", is_flag=True, help="With --list: show numbers in full on the terminal too.")
@guarded
def command(
    campaign: str,
    journal: JournalPlace,
    repeat: bool,
    only_list: bool,
    show_numbers: bool,
    output: Path | None,
    raw: bool,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Ask the vendors what became of unknown messages, or list them; `_help` makes the help."""
    err = error_console()
    held = existing_journal(journal)
    if only_list and repeat:
        raise ConfigurationError("--list only shows messages, and --repeat sends them again; leave one of them out")
    if show_numbers and not only_list:
        raise ConfigurationError("--show-numbers belongs to --list, which is missing")
    job = None
    if not only_list:
        content = asyncio.run(recorded_campaign(held, campaign)).content
        job = make_job(None, with_recorded(given_options(), content, None), err)
    with written_output(output, in_use=files_in_use(), raw=raw, must=only_list) as results:
        if job is None:
            listing = list_doubts(held, campaign, results, whole=as_json, show_numbers=show_numbers)
            ended: Listed | Reconciled = asyncio.run(listing)
        else:
            ended = asyncio.run(reconcile_campaign(job, held, campaign, results, repeat=repeat, err=err, quiet=quiet))
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, Listed):
            show_unknown(console, ended, journal, output)
        else:
            show_reconciled(console, ended, journal, output, repeat=repeat)
    if isinstance(ended, Reconciled):
        say_where_output_is_lost(", ".join(f"{ended.counts[kind]:,} {kind.value}" for kind in OutcomeKind))
    say_lost(err, results, campaign, journal)
    return ended.exit_code
