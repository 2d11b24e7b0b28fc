"""``mensasdk mark``: a person's decision about unknown messages."""

from __future__ import annotations

import asyncio
import shlex
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final

import click

from mensasdk.cli.input.numbers import Named, read_numbers
from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace, guarded, journal_option
from mensasdk.cli.streams import say_where_output_is_lost
from mensasdk.cli.work.journal import existing_journal
from mensasdk.cli.work.unknown import unknown_records
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Journal, mark
from mensasdk.messages import OutcomeKind
from mensasdk.phone import mask

__all__ = ["command"]

KINDS: Final = {
    "accepted": OutcomeKind.ACCEPTED,
    "rejected": OutcomeKind.REJECTED,
    "not-sent": OutcomeKind.NOT_SENT,
}
_NAMED: Final = 5


@click.command("mark")
@click.argument("kind", type=click.Choice([*KINDS]))
@click.argument("campaign")
@journal_option
@click.option("--all", "everybody", is_flag=True, help="Mark all unknown messages.")
@click.option(
    "--number",
    "numbers",
    multiple=True,
    metavar="NUMBER",
    help="Mark the unknown messages to this number; may be repeated.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Mark the messages of this file: the one that `reconcile --list --output` wrote, less the rows that you took "
    "out; or a number in each line.",
)
@click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@guarded
def command(
    kind: str,
    campaign: str,
    journal: JournalPlace,
    everybody: bool,
    numbers: Sequence[str],
    file: Path | None,
    default_country: str | None,
    yes: bool,
) -> int:
    """Record what became of unknown messages, where you know it from the vendor's panel or a call.

    `accepted` and `rejected` are final. `not-sent` makes `mensasdk resume` send the messages: if the vendor had taken
    one after all, its recipient gets it twice.

    Nothing is marked if one of the numbers has no unknown message.
    """
    if everybody + bool(numbers) + (file is not None) != 1:
        raise ConfigurationError("say whose messages to mark: give one of --all, --number NUMBER or --from FILE")
    held = existing_journal(journal)
    named = None if everybody else read_numbers(numbers, file, campaign, default_country)
    unknown = asyncio.run(_unknown(held, campaign))
    if named is None:
        count = unknown.total()
    else:
        _check(named, unknown, campaign)
        count = sum(unknown[number] for number in named.numbers)
    if not count:
        click.echo(f"Nothing is unknown in {masked(campaign)}." if everybody else "The file has no numbers.")
        return 0
    what = "1 message" if count == 1 else f"{count:,} messages"
    if not yes:
        if KINDS[kind] is OutcomeKind.NOT_SENT:
            words = "`mensasdk resume` will send to them again. Whoever did get the message gets it twice."
            click.secho(words, fg="yellow", err=True)
        click.confirm(f"Mark {what} of {masked(campaign)} as {kind}?", abort=True, err=True)
    marked = asyncio.run(mark(held, campaign, KINDS[kind], numbers=None if named is None else {*named.numbers}))
    result = f"Marked as {kind}: {marked:,}. Still unknown: {unknown.total() - marked:,}."
    click.echo(result)
    say_where_output_is_lost(result)
    if KINDS[kind] is OutcomeKind.NOT_SENT:
        command = shlex.join(["mensasdk", "resume", campaign, "--journal", str(journal)])
        click.echo(f"They go out with this, and the options of the campaign:\n  {command}")
    return 0


async def _unknown(journal: Journal, campaign: str) -> Counter[str]:
    """Return how many messages to each number are unknown."""
    async with aclosing(unknown_records(journal, campaign)) as records:
        return Counter([record.number async for record in records])


def _check(named: Named, unknown: Counter[str], campaign: str) -> None:
    others = [number for number in named.numbers if not unknown[number]]
    if others:
        raise ConfigurationError(
            f"{_listed(others)} not unknown in campaign {masked(campaign)}; nothing was marked. "
            f"List the unknown messages with: mensasdk reconcile --list"
        )
    if named.by_message:
        # A number is marked with all of its messages: of two messages, one cannot be marked alone.
        halves = [number for number, count in named.numbers.items() if count < unknown[number]]
        if halves:
            raise ConfigurationError(
                f"{_listed(halves)} in the file with some of the unknown messages only, and all messages to one number "
                "are marked together; nothing was marked. Put the missing rows back, or take out all of that number"
            )


def _listed(numbers: Sequence[str]) -> str:
    """Return the first numbers, masked, with the verb: ``"***123 is"``, ``"***123, ***456 and 3 more are"``."""
    shown = ", ".join(mask(number) for number in numbers[:_NAMED])
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return f"{shown}{more} {'is' if len(numbers) == 1 else 'are'}"
