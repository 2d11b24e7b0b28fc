"""``mensasdk receive``: a receiver for the delivery reports of a vendor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from mensasdk.cli.input.config import callback_settings
from mensasdk.cli.options import (
    JOURNAL,
    JournalPlace,
    callbacks_help,
    credentials_option,
    guarded,
    journal_place,
    vendor_choice,
)
from mensasdk.cli.show.tables import error_console
from mensasdk.cli.work.journal import journal_at
from mensasdk.cli.work.receive import Guard, TogetherJournal, keep_reports
from mensasdk.errors import ConfigurationError
from mensasdk.registry import vendor_info, vendors

__all__ = ["command"]


@click.command("receive", epilog=callbacks_help())
@click.option("--vendor", type=vendor_choice, required=True, help="Vendor that calls back.")
@click.option(
    "--journal",
    type=journal_place,
    metavar=JOURNAL,
    required=True,
    envvar="MENSASDK_JOURNAL",
    help="File or PostgreSQL database of the journal that keeps the reports.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8026, show_default=True, help="Port; 0 for any free port."
)
@click.option(
    "--allow-from", multiple=True, metavar="NETWORK", help="Take calls from this network only; may be repeated."
)
@click.option("--trusted-proxy", multiple=True, metavar="NETWORK", help="Network of your own proxies; may be repeated.")
@click.option("--prompt", is_flag=True, help="Ask for the secret that proves that the vendor calls.")
@credentials_option
@click.option("--quiet", is_flag=True, help="Do not show how many reports have come.")
@guarded
def command(
    vendor: str,
    journal: JournalPlace,
    host: str,
    port: int,
    allow_from: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    prompt: bool,
    credentials: Path | None,
    quiet: bool,
) -> int:
    """Receive the delivery reports that a vendor calls back with, and keep them in a journal, until Ctrl-C.

    `mensasdk reconcile` and `mensasdk deliveries` read them there. The campaign may be under way in another process, or
    have ended. A report is on the disk before the vendor gets the answer 200.

    The vendor needs an address that it can reach, with TLS: put a proxy of your own in front. This command limits
    neither connections nor rates.
    """
    info = vendor_info(vendor)
    if info.callbacks is None:
        calling = [one.name for one in vendors().values() if one.callbacks is not None]
        rather = f"; ask it with {info.asked_with}" if info.asked_with else ""
        raise ConfigurationError(f"{vendor} calls nobody back{rather} ({' and '.join(calling)} do call)")
    found = callback_settings(info, file=credentials)
    guard = Guard.find(info.callbacks, found, prompt=prompt)
    try:
        asyncio.run(
            keep_reports(
                info,
                journal_at(journal) if journal.path is None else TogetherJournal(journal.path),
                guard,
                where=f"{journal}{'' if journal.path is None or journal.path.exists() else ' (new)'}",
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
