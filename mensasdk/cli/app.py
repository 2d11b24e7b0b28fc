"""The commands."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
from rich.console import Console
from rich.text import Text

from mensasdk._version import __version__
from mensasdk.cli.input.config import VENDORS, load_settings
from mensasdk.cli.input.job import Job, make_job, required
from mensasdk.cli.input.routes import connect
from mensasdk.cli.input.rows import Layout, masked
from mensasdk.cli.input.screens import screen_options
from mensasdk.cli.show.check import check_progress, print_check
from mensasdk.cli.show.output import Output, open_output
from mensasdk.cli.show.tables import display, error_console, money, output_console, print_summary
from mensasdk.cli.work.campaign import Campaign, Summary
from mensasdk.cli.work.dryrun import DryRun, dry_run
from mensasdk.cli.work.signals import interrupts
from mensasdk.errors import AddressBlocked, AuthError, ConfigurationError, MensaError, ValidationError
from mensasdk.journal import SqliteJournal

__all__ = ["cli"]

P = ParamSpec("P")

CREDENTIALS_HELP = """\b
Credentials are never given as arguments. Set
  MENSASDK_MENSATEK_API_USER, MENSASDK_MENSATEK_API_TOKEN
  MENSASDK_ENVIA_SMS_TOKEN
  MENSASDK_SMSGATEWAY24_EMAIL, MENSASDK_SMSGATEWAY24_PASSWORD
  (or MENSASDK_SMSGATEWAY24_TOKEN)
  MENSASDK_ENVIATUSMS_API_KEY
  (and MENSASDK_MENSATEK_BASE_URL and so on for another address),
or name a TOML file that only you can read with --credentials or
MENSASDK_CREDENTIALS, with a table for each vendor:
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


def guarded(command: Callable[P, int]) -> Callable[P, None]:
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
    envvar="MENSASDK_VENDOR",
    help="Whose service to use.",
)
credentials_option = click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with the credentials (mode 0600)."
)
base_url_option = click.option("--base-url", metavar="URL", help="Another address than the vendor's own.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
journal_path = click.Path(path_type=Path, dir_okay=False)
journal_option = click.option(
    "--journal", type=journal_path, metavar="FILE", required=True, envvar="MENSASDK_JOURNAL", help="The journal's file."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mensasdk")
def cli() -> None:
    """Send SMS to a list of people, and know what became of every single one."""


# ------------------------------------------------------------------------------------------------------------ send


@cli.command(epilog=f"{EXIT_CODES}\n\n{CREDENTIALS_HELP}")
@click.argument("file", metavar="PEOPLE.CSV", type=click.Path(path_type=Path))
@vendor_option
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="CC=VENDOR",
    help="In place of --vendor: whose service for which countries; may be repeated. '*' stands for all others, and "
    "takes over what another vendor cannot send.",
)
@click.option("--text", help="The text; {name} stands for the column of that name, {{ and }} for braces.")
@click.option("--sender", help="What the handset shows; the account's default otherwise.")
@click.option("--template", metavar="ID", help="envia_sms: the template to send; its variables are the file's columns.")
@click.option("--text-variable", metavar="NAME", help="envia_sms: the variable of the template that takes the text.")
@click.option("--device-id", metavar="ID", help="smsgateway24: the phone that sends.")
@click.option("--sim", metavar="N", type=click.IntRange(0, 5), help="smsgateway24: SIM card 0 or 1, or its apps.")
@click.option(
    "--group-sends",
    is_flag=True,
    help="mensatek: send in groups in which no number gets two SMS, so that what is unknown can be sent again.",
)
@click.option("--allow-duplicates", is_flag=True, help="envia_sms, enviatusms: send a text that was just sent, too.")
@click.option(
    "--rate", "rates", multiple=True, metavar="[VENDOR=]N", help="Most messages a second, of each vendor or of one."
)
@click.option(
    "--requests-per-second", metavar="N", type=click.FloatRange(0, min_open=True), help="Most requests a second."
)
@click.option(
    "--max-in-flight", metavar="N", type=click.IntRange(1), default=16, show_default=True, help="Requests at once."
)
@click.option("--max-recipients", metavar="N", type=click.IntRange(1), help="Most messages in one request.")
@click.option("--breaker/--no-breaker", default=True, show_default=True, help="Pause while a vendor does not answer.")
@click.option("--schedule", metavar="TIME", help="When the vendor shall send, such as 2030-01-31T09:00+01:00.")
@click.option("--zone", metavar="NAME", help="Time zone of --schedule and --not-after, such as Europe/Madrid.")
@click.option("--column-number", metavar="NAME", help="The column with the phone numbers.")
@click.option("--delimiter", metavar="CHAR", help="Between cells: , ; | or tab; told by the header otherwise.")
@click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES.")
@click.option("--campaign", metavar="ID", help="Name of the campaign; comes back in delivery reports.")
@click.option(
    "--journal",
    type=journal_path,
    metavar="FILE",
    envvar="MENSASDK_JOURNAL",
    help="Record the campaign in this file, so that it can be resumed after a crash.",
)
@click.option("--unicode", "as_unicode", is_flag=True, help="Keep every character; parts become shorter.")
@click.option("--report/--no-report", default=False, show_default=True, help="Ask for delivery reports.")
@screen_options
@click.option("--dry-run", "dry", is_flag=True, help="Check and count; send nothing. The same as `mensasdk check`.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Results by line: .csv or .jsonl.")
@json_option
@click.option("--quiet", is_flag=True, help="Neither progress nor tables.")
@base_url_option
@credentials_option
@guarded
def send(
    file: Path,
    template: str | None,
    campaign: str | None,
    journal: Path | None,
    dry: bool,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    **_options: Any,  # the rest is `make_job`'s
) -> int:
    """Send one SMS to each row of a CSV file.

    The file needs a header row and a column for the number (to, number, phone, mobile, movil, telefono, numero or
    celular; case and accents do not matter). UTF-8 and Windows files with commas, semicolons, tabs or bars are
    read. Without --text each row's own column text or mensaje is sent. A column reference or id names the message in
    the results.

    With --route the campaign goes through several vendors, each for its countries, with limits of its own; an option
    that only some of them have holds for those.

    A row that cannot be sent is reported with its line and does not hold up the others. The same message to
    the same number goes out once.
    """
    err = error_console()
    job = make_job(file, click.get_current_context().params, err)
    results = None if output is None else open_output(output, source=file)
    try:
        ended: DryRun | Summary
        if dry:
            ended = asyncio.run(check_job(job, results, err, quiet))
        else:
            if job.layout is not None and job.layout.variables is not None and not quiet:
                _say_variables(err, template, job.layout)
            ended = asyncio.run(_send(job, results, campaign, journal, err, quiet))
    finally:
        if results is not None:
            with suppress(OSError):  # what could not be written has been reported
                results.close()
    show(ended, err, output, as_json=as_json, quiet=quiet)
    if journal is not None and not quiet and isinstance(ended, Summary):
        say_next(ended, err, journal, file)
    return ended.exit_code


def say_next(ended: Summary, err: Console, journal: Path, file: Path | None) -> None:
    """What to do about a recorded campaign that was stopped, or left something unknown."""
    if ended.stopped is not None:
        words = [ended.campaign, *([] if file is None else [str(file)]), "--journal", str(journal)]
        command = shlex.join(["mensasdk", "resume", *words])
        err.print(Text(f"\n  Go on with: {command}, and the same options."), soft_wrap=True)
    if ended.unknown:
        command = shlex.join(["mensasdk", "reconcile", ended.campaign, "--journal", str(journal)])
        err.print(Text(f"\n  Find out with: {command}, and the same options."), soft_wrap=True)


def show(ended: DryRun | Summary, err: Console, output: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Print what a campaign came to."""
    if as_json:
        click.echo(json.dumps(ended.as_json(), ensure_ascii=False))
    if not quiet:
        console = err if as_json else output_console()
        if isinstance(ended, DryRun):
            print_check(console, ended)
        else:
            print_summary(console, ended)
        if output is not None:
            what = "bad rows" if isinstance(ended, DryRun) else "results"
            console.print(Text(f"\n  {what}: {output}", style="dim"), soft_wrap=True)
    elif isinstance(ended, Summary) and ended.stopped is not None and not ended.interrupted:
        click.echo(masked(f"Stopped early: {ended.stopped}"), err=True)


async def _send(
    job: Job, results: Output | None, name: str | None, journal: Path | None, err: Console, quiet: bool
) -> Summary:
    async with connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country) as (
        client,
        lines,
    ):
        assert job.table is not None
        total = job.table.total
        if not quiet:
            told = f"{total:,} rows · {lines[0]}" if len(lines) == 1 else f"{total:,} rows"
            for line in (told, *(f"  {line}" for line in lines if len(lines) > 1)):
                err.print(Text(line, style="dim"), soft_wrap=True)
        record = None if journal is None else SqliteJournal(journal)
        campaign = Campaign(client, job.rows, total=total, limits=job.limits, output=results, name=name, journal=record)
        with interrupts(campaign.interrupt), display(err, quiet=quiet) as progress:
            return await campaign.run(progress)


async def check_job(job: Job, results: Output | None, err: Console, quiet: bool) -> DryRun:
    """Look at every row of the list, and send nothing."""
    connected = connect(job.ways, limits=job.limits, wishes=job.wishes, default_country=job.default_country)
    assert job.table is not None
    total = job.table.total
    async with connected as (client, _):
        with check_progress(err, total, quiet=quiet) as progress:
            try:
                ended = await dry_run(client, job.rows, job.limits, results, total=total, on_progress=progress)
                if results is not None:
                    results.flush()
                return ended
            except OSError as error:
                failure = error.strerror or type(error).__name__
    raise ConfigurationError(f"the output file cannot be written: {failure}")


def _say_variables(err: Console, template: str | None, layout: Layout) -> None:
    names = ", ".join(masked(name)[:40] for name in layout.variables or ()) or "no column"
    err.print(Text(f"template {masked(template or '')[:40]} with {names}", style="dim"), soft_wrap=True)


# --------------------------------------------------------------------------------------------------------- credits


@cli.command(epilog=CREDENTIALS_HELP)
@vendor_option
@json_option
@base_url_option
@credentials_option
@guarded
def credits(vendor: str | None, as_json: bool, base_url: str | None, credentials: Path | None) -> int:  # noqa: A001 - the command
    """Print the credits (of enviatusms: the US dollars) that are left in the account."""
    vendor = required(vendor)
    entry = VENDORS[vendor]
    ask = entry.credits
    if ask is None:
        raise ConfigurationError(f"{vendor} has no credits: your own phones send, and their SIM cards pay")
    settings = load_settings(vendor, file=credentials, base_url=base_url)

    async def left() -> Decimal:
        client = entry.connect(settings)
        try:
            return await ask(client)
        finally:
            await client.aclose()

    amount = asyncio.run(left())
    in_money = entry.unit != "credits"
    if as_json:
        told = {"balance": str(amount), "currency": entry.unit} if in_money else {"credits": str(amount)}
        click.echo(json.dumps({"vendor": vendor, **told}))
    else:
        click.echo(f"{money(amount)} {entry.unit}" if in_money else money(amount))
    return 0


# --------------------------------------------------------------------------------------------------------- sandbox


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="0 for any free port.")
@click.option("--callback-url", metavar="URL", help="Post Mensatek's reports to this address (loopback only).")
@click.option("--balance", metavar="N", type=click.IntRange(0), default=1_000_000, show_default=True, help="Credits.")
@guarded
def sandbox(port: int, callback_url: str | None, balance: int) -> int:
    """Run the four emulated vendors on this machine until Ctrl-C. Nothing is ever sent."""
    from mensasdk.cli.work.serve import serve

    try:
        asyncio.run(serve(port, callback_url, balance))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"the sandbox cannot start: {words}") from None
    return 0


# ------------------------------------------------------------------------------------------------------------ demo


@cli.command()
@click.option(
    "--rows",
    type=click.IntRange(100, 1_000_000),
    show_default="5000, with --crash 2000",
    help="People to write to.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1),
    show_default="1500",
    help="Most messages a second, per vendor; with --crash of all together, and a fifth of the rows by default.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same people.")
@click.option("--crash", is_flag=True, help="Kill the process that sends, twice, and resume.")
@guarded
def demo(rows: int | None, rate: float | None, output: Path | None, seed: int, crash: bool) -> int:
    """Watch a whole campaign: a list of people, four vendors that misbehave, and an account that adds up.

    With --crash the process that sends is killed in the middle (kill -9), resumed, and killed again; then it is found
    out what became of those that were under way.

    Everything happens on this machine; nothing is ever sent. Exits with 1 if the vendors' ledger and the report
    disagree in anything.
    """
    if crash:
        from mensasdk.cli.demo.crash import run_crash_demo

        return run_crash_demo(rows=rows or 2000, rate=rate, folder=output, seed=seed)
    from mensasdk.cli.demo.campaign import run_demo

    return run_demo(rows=rows or 5000, rate=rate or 1500, folder=output, seed=seed)


# ------------------------------------------------------------------------------ before sending, and with a journal

# These commands stand apart, use what stands above, and add themselves to it.
import mensasdk.cli.commands.check  # noqa: E402
import mensasdk.cli.commands.deliveries  # noqa: E402
import mensasdk.cli.commands.mark  # noqa: E402
import mensasdk.cli.commands.reconcile  # noqa: E402
import mensasdk.cli.commands.recorded  # noqa: E402
import mensasdk.cli.commands.segments  # noqa: E402, F401
