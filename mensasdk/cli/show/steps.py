"""Print next steps, as commands that can be copied."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console
from rich.text import Text

from mensasdk.cli.options import JournalPlace

__all__ = ["again", "print_steps", "to_decide"]


def again(*extra: str, without: Sequence[str] = ()) -> str:
    """Return the running command with its arguments, to be typed again.

    Args:
        extra: further arguments.
        without: names of parameters to leave out.
    """
    context = click.get_current_context()
    words: list[str] = []
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in without or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        if isinstance(parameter, click.Argument):
            arguments.append(str(value))
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(one)]
    return shlex.join(["mensasdk", context.info_name or "", *arguments, *words, *extra])


def print_steps(console: Console, steps: Sequence[tuple[str, str]]) -> None:
    """Print next steps: for each a few words, and the whole command on a line of its own."""
    for line in _lines(steps):
        console.print(line, soft_wrap=True)


def _lines(steps: Sequence[tuple[str, str]]) -> Iterator[Text]:
    for words, command in steps:
        yield Text(f"  {words}", style="dim")
        yield Text(f"    {command}")


def to_decide(campaign: str, journal: JournalPlace, listed: Path | None) -> Sequence[tuple[str, str]]:
    """Return the steps to decide about unknown messages: list them, and mark them.

    Args:
        campaign: name of the campaign.
        journal: place of the journal.
        listed: file with the list, where it has been written already; None otherwise.
    """
    about = [campaign, "--journal", str(journal)]
    name = listed or Path("unknown.csv")
    wanted = [] if listed else [
        ("List the unknown messages:", shlex.join(["mensasdk", "reconcile", *about, "--list", "--output", str(name)])),
    ]  # fmt: skip
    return [
        *wanted,
        (
            "Mark the messages of that file as accepted, rejected, or not-sent (resume then sends them):",
            shlex.join(["mensasdk", "mark", "accepted", *about, "--from", str(name)]),
        ),
    ]
