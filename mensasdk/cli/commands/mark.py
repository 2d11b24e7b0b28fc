"""``mensasdk mark``: a person's word on what became of the messages that are unknown."""

from __future__ import annotations

import asyncio
import csv
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final

import click
from attrs import frozen

from mensasdk.campaign import unguard_cell
from mensasdk.cli.app import cli, guarded, journal_option
from mensasdk.cli.commands.recorded import existing_journal
from mensasdk.cli.input.rows import Table, masked, open_table
from mensasdk.cli.work.doubt import in_doubt
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.journal import SqliteJournal, mark
from mensasdk.messages import OutcomeKind
from mensasdk.phone import mask, parse
from mensasdk.preflight.optout import NUMBER_NAMES, fold_name

__all__ = ["mark_command"]

KINDS: Final = {
    "accepted": OutcomeKind.ACCEPTED,
    "rejected": OutcomeKind.REJECTED,
    "not-sent": OutcomeKind.NOT_SENT,
}
_NAMED: Final = 5


@frozen
class _Named:
    """Whose messages a person has named.

    Attributes:
        numbers: in E.164, each as often as it was named.
        by_message: each row of a file stands for one message, and not for a number.
    """

    numbers: Counter[str]
    by_message: bool = False


@cli.command(name="mark")
@click.argument("kind", type=click.Choice([*KINDS]))
@click.argument("campaign")
@journal_option
@click.option("--all", "everybody", is_flag=True, help="All that is unknown.")
@click.option("--number", "numbers", multiple=True, metavar="NUMBER", help="Whose; may be repeated.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose: the file that `reconcile --list --output` wrote, less the rows that you took out, or a number a line.",
)
@click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@guarded
def mark_command(
    kind: str,
    campaign: str,
    journal: Path,
    everybody: bool,
    numbers: Sequence[str],
    file: Path | None,
    default_country: str | None,
    yes: bool,
) -> int:
    """Say what became of messages that are unknown, from the vendor's panel or a call.

    ACCEPTED and REJECTED are final. NOT-SENT makes `mensasdk resume` send to them: if the vendor had taken the message
    after all, they get it twice.

    Nothing is marked if one of the numbers is not among the unknown.
    """
    if everybody + bool(numbers) + (file is not None) != 1:
        raise ConfigurationError("say whose messages: --all, or --number NUMBER, or --from FILE")
    held = existing_journal(journal)
    named = None if everybody else _numbers(numbers, file, campaign, default_country)
    unknown = asyncio.run(_unknown(held, campaign))
    if named is None:
        count = unknown.total()
    else:
        _check(named, unknown, campaign)
        count = sum(unknown[number] for number in named.numbers)
    if not count:
        click.echo(f"Nothing is unknown in {masked(campaign)}." if everybody else "The file names nobody.")
        return 0
    what = "1 message" if count == 1 else f"{count:,} messages"
    if not yes:
        if KINDS[kind] is OutcomeKind.NOT_SENT:
            words = "`mensasdk resume` will send to them again. Whoever did get the message gets it twice."
            click.secho(words, fg="yellow", err=True)
        click.confirm(f"Mark {what} of {masked(campaign)} as {kind}?", abort=True, err=True)
    marked = asyncio.run(mark(held, campaign, KINDS[kind], numbers=None if named is None else {*named.numbers}))
    click.echo(f"Marked as {kind}: {marked:,}. Still unknown: {unknown.total() - marked:,}.")
    if KINDS[kind] is OutcomeKind.NOT_SENT:
        command = shlex.join(["mensasdk", "resume", campaign, "--journal", str(journal)])
        click.echo(f"They go out with this, and the options of the campaign:\n  {command}")
    return 0


async def _unknown(journal: SqliteJournal, campaign: str) -> Counter[str]:
    """How many messages to each number are unknown."""
    async with aclosing(in_doubt(journal, campaign)) as records:
        return Counter([record.number async for record in records])


def _check(named: _Named, unknown: Counter[str], campaign: str) -> None:
    others = [number for number in named.numbers if not unknown[number]]
    if others:
        raise ConfigurationError(
            f"{_listed(others)} not unknown in campaign {masked(campaign)}; nothing was marked. "
            f"See what is with: mensasdk reconcile --list"
        )
    if named.by_message:
        # A number stands for all of its messages: of two, one cannot be marked alone.
        halves = [number for number, count in named.numbers.items() if count < unknown[number]]
        if halves:
            raise ConfigurationError(
                f"{_listed(halves)} named for some of their unknown messages only, and they are marked together; "
                "put the missing rows back, or take all rows of that number out. Nothing was marked"
            )


def _listed(numbers: Sequence[str]) -> str:
    """A few of them, masked, with the verb."""
    shown = ", ".join(mask(number) for number in numbers[:_NAMED])
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return f"{shown}{more} {'is' if len(numbers) == 1 else 'are'}"


# --------------------------------------------------------------------------------------------------------- numbers


def _numbers(given: Sequence[str], file: Path | None, campaign: str, country: str | None) -> _Named:
    """The numbers that were given, or that stand in a file.

    Raises:
        ConfigurationError: the file cannot be read, is of another campaign, or one of them is no number.
    """
    if file is None:
        return _Named(Counter(_parsed(number, "--number", country) for number in given))
    table = open_table(file)
    names = [fold_name(column) for column in table.columns]
    place = next((names.index(name) for name in NUMBER_NAMES if name in names), None)
    if place is None:
        if len(names) > 1:
            shown = ", ".join(masked(column)[:40] for column in table.columns[:30])
            raise ConfigurationError(f"{file} has no column named number (there are: {shown})")
        # A plain list, without a header.
        return _Named(Counter(_parsed(row[0], f"line {line}", country) for line, row in _rows(table)))
    ours = names.index("campaign") if "campaign" in names else None
    numbers: Counter[str] = Counter()
    for line, row in _rows(table):
        if line == 1:
            continue
        if ours is not None and len(row) > ours and unguard_cell(row[ours].strip()) != campaign:
            raise ConfigurationError(f"{file}, line {line}: it belongs to another campaign; nothing was marked")
        if len(row) <= place:
            raise ConfigurationError(f"{file}, line {line}: it has no number; nothing was marked")
        numbers[_parsed(row[place], f"line {line}", country)] += 1
    return _Named(numbers, by_message=ours is not None)


def _rows(table: Table) -> Iterable[tuple[int, list[str]]]:
    with table.path.open(encoding=table.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=table.delimiter, strict=True)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row


def _parsed(number: str, field: str, country: str | None) -> str:
    try:
        return parse(unguard_cell(number.strip()), default_country=country, field=field).e164
    except ValidationError as error:
        problem = error.message
    raise ConfigurationError(f"{problem}; nothing was marked")
