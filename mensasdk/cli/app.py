"""The commands."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from rich.console import Console
from rich.text import Text

from mensasdk._version import __version__
from mensasdk.cli.campaign import Campaign, Limits, Summary
from mensasdk.cli.config import VENDORS, Settings, SmsClient, load_settings
from mensasdk.cli.dryrun import DryRun, dry_run
from mensasdk.cli.output import Output, open_output
from mensasdk.cli.rows import BadRow, GoodRow, Table, masked, open_table, plan, read
from mensasdk.cli.show import display, error_console, output_console, print_dry_run, print_summary
from mensasdk.errors import AddressBlocked, AuthError, ConfigurationError, MensaError, ValidationError
from mensasdk.messages import Message
from mensasdk.schedule import zone as time_zone

__all__ = ["cli"]

P = ParamSpec("P")
DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

CREDENTIALS_HELP = """\b
Credentials are never given as arguments. Set
  MENSASDK_MENSATEK_API_USER, MENSASDK_MENSATEK_API_TOKEN
  (and MENSASDK_MENSATEK_BASE_URL for another address),
or name a TOML file that only you can read with --credentials or
MENSASDK_CREDENTIALS:
  [mensatek]
  api_user = "..."
  api_token = "..."
"""
EXIT_CODES = """\b
Exit codes:
  0    every message was accepted
  1    finished; some messages were not accepted
  2    wrong usage or configuration; nothing was sent
  3    finished; what became of some messages is unknown
  4    stopped early (credentials or credits refused, address blocked, ...)
  130  interrupted (Ctrl-C)
"""


def _guarded(command: Callable[P, int]) -> Callable[P, None]:
    """Turn what a command returns or raises into an exit code and one plain sentence."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except KeyboardInterrupt:
            code, words = 130, "Interrupted."
        except (ConfigurationError, ValidationError) as error:
            code, words = 2, f"Error: {error.message}"
        except MensaError as error:
            code = 4 if isinstance(error, (AuthError, AddressBlocked)) else 1
            words = f"Error: {error.message}"
        else:
            words = ""
        if words:
            click.echo(masked(words), err=True)
        raise SystemExit(code)

    return run


vendor_option = click.option(
    "--vendor",
    type=click.Choice(sorted(VENDORS)),
    required=True,
    envvar="MENSASDK_VENDOR",
    help="Whose service to use.",
)
credentials_option = click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with the credentials (mode 0600)."
)
base_url_option = click.option("--base-url", metavar="URL", help="Another address than the vendor's own.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mensasdk")
def cli() -> None:
    """Send SMS to a list of people, and know what became of every single one."""


# ------------------------------------------------------------------------------------------------------------ send


@cli.command(epilog=f"{EXIT_CODES}\n\n{CREDENTIALS_HELP}")
@click.argument("file", metavar="PEOPLE.CSV", type=click.Path(path_type=Path))
@vendor_option
@click.option("--text", help="The text; {name} stands for the column of that name, {{ and }} for braces.")
@click.option("--sender", help="What the handset shows; the account's default otherwise.")
@click.option("--rate", metavar="N", type=click.FloatRange(0, min_open=True), help="Most messages a second.")
@click.option(
    "--requests-per-second", metavar="N", type=click.FloatRange(0, min_open=True), help="Most requests a second."
)
@click.option(
    "--max-in-flight", metavar="N", type=click.IntRange(1), default=16, show_default=True, help="Requests at once."
)
@click.option("--max-recipients", metavar="N", type=click.IntRange(1), help="Most messages in one request.")
@click.option("--schedule", metavar="TIME", help="When the vendor shall send, such as 2030-01-31T09:00+01:00.")
@click.option("--zone", metavar="NAME", help="Time zone of --schedule, such as Europe/Madrid.")
@click.option("--column-number", metavar="NAME", help="The column with the phone numbers.")
@click.option("--delimiter", metavar="CHAR", help="Between cells: , ; | or tab; told by the header otherwise.")
@click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES.")
@click.option("--campaign", metavar="ID", help="Name of the campaign; comes back in delivery reports.")
@click.option("--unicode", "as_unicode", is_flag=True, help="Keep every character; parts become shorter.")
@click.option("--report/--no-report", default=False, show_default=True, help="Ask for delivery reports.")
@click.option("--dry-run", "dry", is_flag=True, help="Check and count; send nothing.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Results by line: .csv or .jsonl.")
@json_option
@click.option("--quiet", is_flag=True, help="Neither progress nor tables.")
@base_url_option
@credentials_option
@_guarded
def send(
    file: Path,
    vendor: str,
    text: str | None,
    sender: str | None,
    rate: float | None,
    requests_per_second: float | None,
    max_in_flight: int,
    max_recipients: int | None,
    schedule: str | None,
    zone: str | None,
    column_number: str | None,
    delimiter: str | None,
    default_country: str | None,
    campaign: str | None,
    as_unicode: bool,
    report: bool,
    dry: bool,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    base_url: str | None,
    credentials: Path | None,
) -> int:
    """Send one SMS to each row of a CSV file.

    The file needs a header row and a column for the number (to, number, phone, mobile, movil, telefono, numero or
    celular; case and accents do not matter). UTF-8 and Windows files with commas, semicolons, tabs or bars are
    read. Without --text each row's own column text or mensaje is sent. A column reference or id names the message in
    the results.

    A row that cannot be sent is reported with its line and does not hold up the others. The same message to
    the same number goes out once.
    """
    err = error_console()
    schedule_at = _moment(schedule, zone)
    settings = _settings(vendor, credentials, base_url, dry=dry)
    table = open_table(file, delimiter=_delimiter(delimiter))
    layout = plan(table, text=text, number_column=column_number)
    if not table.is_utf8:
        err.print(
            Text(f"Warning: {file} is not UTF-8; read as Windows-1252 (Latin-1). Check the accents.", style="yellow"),
            soft_wrap=True,
        )
    limits = Limits(rate, requests_per_second, max_in_flight, max_recipients)
    options = VENDORS[vendor].options(report, as_unicode)

    def make(to: str, body: str, variables: dict[str, str], reference: str | None) -> Message:
        return Message(
            to,
            body,
            sender=sender,
            variables=variables,
            schedule_at=schedule_at,
            reference=reference,
            options=options,
        )

    rows = read(table, layout, make)
    results = None if output is None else open_output(output, source=file)
    try:
        ended: DryRun | Summary
        if dry:
            ended = asyncio.run(_dry_run(vendor, settings, default_country, rows, limits, results))
        else:
            ended = asyncio.run(
                _send(vendor, settings, default_country, rows, table, limits, results, campaign, err, quiet)
            )
    finally:
        if results is not None:
            with suppress(OSError):  # what could not be written has been reported
                results.close()
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, DryRun):
            print_dry_run(console, ended)
        else:
            print_summary(console, ended)
        if output is not None:
            console.print(Text(f"\n  {'bad rows' if dry else 'results'}: {output}", style="dim"), soft_wrap=True)
    elif isinstance(ended, Summary) and ended.stopped is not None and not ended.interrupted:
        click.echo(masked(f"Stopped early: {ended.stopped}"), err=True)
    return ended.exit_code


async def _send(
    vendor: str,
    settings: Settings,
    default_country: str | None,
    rows: Iterator[GoodRow | BadRow],
    table: Table,
    limits: Limits,
    results: Output | None,
    name: str | None,
    err: Console,
    quiet: bool,
) -> Summary:
    client = VENDORS[vendor].connect(settings, default_country=default_country)
    try:
        if not quiet:
            err.print(Text(f"{table.total:,} rows · {vendor} at {client.base_url}", style="dim"), soft_wrap=True)
        campaign = Campaign(client, rows, total=table.total, limits=limits, output=results, name=name)
        with interrupts(campaign.interrupt), display(err, quiet=quiet) as progress:
            return await campaign.run(progress)
    finally:
        await client.aclose()


async def _dry_run(
    vendor: str,
    settings: Settings,
    default_country: str | None,
    rows: Iterator[GoodRow | BadRow],
    limits: Limits,
    results: Output | None,
) -> DryRun:
    client = VENDORS[vendor].connect(settings, default_country=default_country)
    try:
        return await dry_run(client, rows, limits, results)
    finally:
        await client.aclose()


@contextmanager
def interrupts(on_interrupt: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C and a polite kill call a function in the event loop, in place of tearing it down.

    The third one ends the process as ever.
    """
    loop = asyncio.get_running_loop()
    seen = 0
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def arrived() -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            for number in before:
                signal.signal(number, signal.default_int_handler)
        on_interrupt()

    for number in before:
        # Not the loop's own add_signal_handler: it does not exist on Windows, and forgets the handler that was there.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(arrived))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(vendor: str, file: Path | None, base_url: str | None, *, dry: bool) -> Settings:
    try:
        return load_settings(vendor, file=file, base_url=base_url)
    except ConfigurationError:
        if not dry or file is not None:
            raise
        # Checking a list needs no account, and nothing is connected.
        return Settings(dict.fromkeys(VENDORS[vendor].fields, "dry-run"), base_url)


def _delimiter(value: str | None) -> str | None:
    if value is None:
        return None
    value = DELIMITERS.get(value.lower(), value)
    if len(value) != 1 or value in '"\r\n ':
        raise ConfigurationError('--delimiter must be one character, such as ";", or tab')
    return value


def _moment(text: str | None, zone: str | None) -> datetime | None:
    if text is None:
        if zone is not None:
            raise ConfigurationError("--zone belongs to --schedule, which is missing")
        return None
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.strip())
    if moment is None:
        raise ConfigurationError("--schedule must look like 2030-01-31T09:00+01:00, or 2030-01-31T09:00 with --zone")
    if moment.tzinfo is None:
        if zone is None:
            raise ConfigurationError(
                "--schedule has no time zone; add its offset, as in 2030-01-31T09:00+01:00, or --zone Europe/Madrid"
            )
        moment = moment.replace(tzinfo=time_zone(zone))
    elif zone is not None:
        raise ConfigurationError("--schedule has an offset already; leave out --zone")
    if moment <= datetime.now(UTC):
        raise ConfigurationError("--schedule is not in the future; give a later time, or leave it out to send now")
    return moment


# --------------------------------------------------------------------------------------------------------- credits


@cli.command(epilog=CREDENTIALS_HELP)
@vendor_option
@json_option
@base_url_option
@credentials_option
@_guarded
def credits(vendor: str, as_json: bool, base_url: str | None, credentials: Path | None) -> int:  # noqa: A001
    """Print the credits that are left in the account."""
    settings = load_settings(vendor, file=credentials, base_url=base_url)

    async def ask() -> Decimal:
        client: SmsClient = VENDORS[vendor].connect(settings)
        try:
            return await client.get_credits()
        finally:
            await client.aclose()

    left = asyncio.run(ask())
    click.echo(json.dumps({"vendor": vendor, "credits": str(left)}) if as_json else f"{left:,f}")
    return 0


# --------------------------------------------------------------------------------------------------------- sandbox


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="0 for any free port.")
@click.option("--callback-url", metavar="URL", help="Post delivery reports to this address (loopback only).")
@click.option("--balance", metavar="N", type=click.IntRange(0), default=1_000_000, show_default=True, help="Credits.")
@_guarded
def sandbox(port: int, callback_url: str | None, balance: int) -> int:
    """Run the emulated vendors on this machine until Ctrl-C. Nothing is ever sent."""
    try:
        asyncio.run(_sandbox(port, callback_url, balance))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"the sandbox cannot start: {words}") from None
    return 0


async def _sandbox(port: int, callback_url: str | None, balance: int) -> None:
    from mensasdk.sandbox import Account, Mensatek, Sandbox

    ended = asyncio.Event()
    mensatek = Mensatek(account=Account(credits=Decimal(balance)))
    async with Sandbox(port=port, callback_url=callback_url, keep_messages=False, mensatek=mensatek) as box:
        with interrupts(ended.set):
            click.echo(f"Sandbox on port {box.port}; nothing is ever sent. Ctrl-C ends it.\n")
            for vendor in sorted(VENDORS):
                click.echo(f"# {vendor}: paste these lines into another terminal")
                # These open this sandbox only, and are new each time.
                for name, value in {**box.credentials(vendor), "base_url": box.base_url(vendor)}.items():
                    click.echo(f"export MENSASDK_{vendor.upper()}_{name.upper()}={value}")
                click.echo(f"# and try: mensasdk credits --vendor {vendor}\n")
            sys.stdout.flush()
            await ended.wait()
        click.echo(f"\n{len(box.ledger):,} messages accepted, {box.ledger.charged:,f} credits charged.")


# ------------------------------------------------------------------------------------------------------------ demo


@cli.command()
@click.option(
    "--rows", type=click.IntRange(100, 1_000_000), default=5000, show_default=True, help="People to write to."
)
@click.option("--rate", type=click.FloatRange(1), default=1500, show_default=True, help="Most messages a second.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same people.")
@_guarded
def demo(rows: int, rate: float, output: Path | None, seed: int) -> int:
    """Watch a whole campaign: a list of people, a vendor that misbehaves, and an account that adds up.

    Everything happens on this machine; nothing is ever sent. Exits with 1 if the vendor's ledger and the report
    disagree in anything.
    """
    from mensasdk.cli.demo import run_demo

    return run_demo(rows=rows, rate=rate, folder=output, seed=seed)
