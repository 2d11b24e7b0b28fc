"""The commands for delivery reports: ``mensasdk receive`` keeps them, ``mensasdk deliveries`` counts them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import click
from attrs import frozen
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mensasdk.cli.app import cli, credentials_option, guarded, journal_option, journal_path, json_option
from mensasdk.cli.commands.recorded import existing_journal, recorded_campaign
from mensasdk.cli.input.config import VENDORS, callback_settings
from mensasdk.cli.input.rows import masked
from mensasdk.cli.show.output import Output, written_output
from mensasdk.cli.show.tables import error_console, figures_table, output_console
from mensasdk.cli.work.doubt import vendor_of
from mensasdk.delivery import delivered
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Record, SqliteJournal, State
from mensasdk.messages import Delivery, DeliveryState

__all__ = ["CALLING", "Deliveries", "count_deliveries", "deliveries", "deliveries_table", "receive"]

CALLING: Final = ("mensatek", "smsgateway24")
"""The vendors that call back; the others have to be asked."""
DELIVERY_COLUMNS: Final = (
    "campaign", "number", "reference", "vendor", "vendor_id", "outcome", "state", "code", "at",
)  # fmt: skip
# In the order of the table; what is still on its way stands in one column.
_COLUMNS: Final[Mapping[str, tuple[frozenset[DeliveryState], str]]] = {
    "delivered": (frozenset({DeliveryState.DELIVERED}), "green"),
    "failed": (frozenset({DeliveryState.FAILED}), "red"),
    "expired": (frozenset({DeliveryState.EXPIRED}), "yellow"),
    "cancelled": (frozenset({DeliveryState.CANCELLED}), "yellow"),
    "on its way": (
        frozenset({DeliveryState.SCHEDULED, DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.UNKNOWN}),
        "cyan",
    ),
}
_ALWAYS: Final = frozenset({"delivered", "failed"})
CALLBACKS_HELP = """\b
What proves that the vendor calls is never given as an argument. Set
  MENSASDK_MENSATEK_CALLBACK_USER, MENSASDK_MENSATEK_CALLBACK_PASSWORD
  (Basic credentials, as in the vendor's panel), or
  MENSASDK_SMSGATEWAY24_CALLBACK_SECRET
  (a long random word at the end of the address),
or put callback_user, callback_password or callback_secret into the
vendor's table of the file that --credentials or MENSASDK_CREDENTIALS
names. With --prompt it is asked for. Otherwise a new one is made up,
and shown once, on standard error.
"""


@frozen
class Deliveries:
    """What is known of the delivery of a campaign.

    Attributes:
        campaign: its id.
        vendors: by vendor, how many messages are in which state; None for those of which nobody has reported.
    """

    campaign: str
    vendors: Mapping[str, Counter[DeliveryState | None]]

    def as_json(self) -> dict[str, Any]:
        """The counts as one object."""
        return {
            "campaign": self.campaign,
            "total": sum(counts.total() for counts in self.vendors.values()),
            "vendors": {
                vendor: {
                    **{f"{state}": counts[state] for state in DeliveryState},
                    "no_report": counts[None],
                    "total": counts.total(),
                }
                for vendor, counts in self.vendors.items()
            },
        }


async def count_deliveries(journal: SqliteJournal, campaign: str, output: Output | None = None) -> Deliveries:
    """Count what was reported of the messages that went out, or may have.

    Args:
        journal: where the campaign and the reports stand; the campaign may be under way.
        campaign: its id.
        output: gets a row for each message.

    Raises:
        ConfigurationError: there is no such campaign.
        JournalError: the journal cannot be read.
        OSError: the output cannot be written.
    """
    await recorded_campaign(journal, campaign)
    vendors: dict[str, Counter[DeliveryState | None]] = {}
    async with aclosing(delivered(journal, campaign)) as found:
        async for record, report in found:
            if record.state is State.REJECTED and report is None:
                continue  # as it should be
            state = None if report is None else report.state
            vendors.setdefault(vendor_of(record), Counter())[state] += 1
            if output is not None:
                output.write(*_row(campaign, record, report))
    return Deliveries(campaign, vendors)


def _row(campaign: str, record: Record, report: Delivery | None) -> tuple[str | None, ...]:
    known = None if record.outcome is None else record.outcome.vendor_id
    at = None if report is None or report.at is None else report.at.astimezone(UTC).isoformat(timespec="seconds")
    return (
        campaign,
        record.number,
        record.message.reference,
        vendor_of(record),
        known or (None if report is None else report.vendor_id),
        record.state.value,
        None if report is None else report.state.value,
        None if report is None else report.code,
        at,
    )


def deliveries_table(found: Deliveries) -> Table:
    """How many messages of which vendor are in which state, and of how many nobody has reported."""
    total = sum(found.vendors.values(), Counter[DeliveryState | None]())
    columns = {
        name: (states, style)
        for name, (states, style) in _COLUMNS.items()
        if name in _ALWAYS or any(total[state] for state in states)
    }
    table = figures_table("delivery", *columns, "no report", "messages")
    for vendor, counts in sorted(found.vendors.items()):
        cells = []
        for states, style in columns.values():
            count = sum(counts[state] for state in states)
            cells.append(Text(f"{count:,}", style=style if count else "dim"))
        cells.append(Text(f"{counts[None]:,}", style="" if counts[None] else "dim"))
        table.add_row(Text(vendor or "?"), *cells, f"{counts.total():,}")
    return table


@cli.command()
@click.argument("campaign")
@journal_option
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="A row for each: .csv or .jsonl.")
@json_option
@guarded
def deliveries(campaign: str, journal: Path, output: Path | None, as_json: bool) -> int:
    """Count what the vendors have reported about the messages of a campaign.

    It knows what `mensasdk receive`, or a DeliveryLog of your own, has kept in the journal.
    """
    held = existing_journal(journal)
    with written_output(output, journal=journal, columns=DELIVERY_COLUMNS) as results:
        found = asyncio.run(count_deliveries(held, campaign, results))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return 0
    console: Console = output_console()
    if not found.vendors:
        console.print(Text(f"Nothing of {masked(campaign)} has gone out."), soft_wrap=True)
        return 0
    console.print()
    console.print(deliveries_table(found))
    silent = sorted(vendor for vendor in found.vendors if vendor in VENDORS and vendor not in CALLING)
    if silent:
        console.print()
        words = f"{' and '.join(silent)} call nobody back; ask them with get_status or get_campaign of their clients."
        console.print(Text(f"  {words}", style="dim"), soft_wrap=True)
    if output is not None:
        console.print(Text(f"\n  results: {output}", style="dim"), soft_wrap=True)
    return 0


@cli.command(epilog=CALLBACKS_HELP)
@click.option("--vendor", type=click.Choice(sorted(VENDORS)), required=True, help="Who calls.")
@click.option(
    "--journal", type=journal_path, metavar="FILE", required=True, envvar="MENSASDK_JOURNAL", help="Where to keep them."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8026, show_default=True, help="0 for any free port.")
@click.option("--allow-from", multiple=True, metavar="NETWORK", help="Take calls from there only; may be repeated.")
@click.option("--trusted-proxy", multiple=True, metavar="NETWORK", help="Your own proxies; may be repeated.")
@click.option("--prompt", is_flag=True, help="Ask for what the vendor proves itself with.")
@credentials_option
@click.option("--quiet", is_flag=True, help="No counting.")
@guarded
def receive(
    vendor: str,
    journal: Path,
    host: str,
    port: int,
    allow_from: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    prompt: bool,
    credentials: Path | None,
    quiet: bool,
) -> int:
    """Keep the delivery reports that a vendor calls back with, until Ctrl-C.

    They go into the journal, where `mensasdk reconcile` and `mensasdk deliveries` find them. The campaign may be under
    way in another process, or over. A report is on the disk when the vendor hears 200.

    A vendor needs an address that it can reach, and TLS: put a proxy of yours in front. This command limits neither
    connections nor rates.
    """
    from mensasdk.cli.work.receive import Guard, TogetherJournal, keep_reports

    if vendor not in CALLING:
        asks = {"envia_sms": "EnviaSmsClient.get_status", "enviatusms": "EnviaTuSmsClient.get_campaign"}
        raise ConfigurationError(
            f"{vendor} calls nobody back; ask it with {asks[vendor]} ({' and '.join(CALLING)} do call)"
        )
    found = callback_settings(vendor, file=credentials)
    guard = Guard.find(vendor, found, prompt=prompt)
    try:
        asyncio.run(
            keep_reports(
                vendor,
                TogetherJournal(journal),
                guard,
                host=host,
                port=port,
                allow_from=allow_from or None,
                trusted_proxies=trusted_proxy,
                console=error_console(),
                quiet=quiet,
            )
        )
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    return 0
