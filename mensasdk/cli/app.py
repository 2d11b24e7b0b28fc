"""Group of the commands. A command is imported when it is called, so that help need not wait for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from mensasdk._version import __version__
from mensasdk.errors import ConfigurationError

__all__ = ["COMMANDS", "cli"]

COMMANDS: Final[Mapping[str, str]] = {
    "campaigns": "List the campaigns of a journal.",
    "check": "Check a list, and show what sending it would cost. Send nothing.",
    "credits": "Print the balance of a vendor's account.",
    "deliveries": "Count the delivery reports of a campaign.",
    "demo": "Run a demo campaign through four vendors that misbehave.",
    "mark": "Record what became of unknown messages, where you know it.",
    "purge": "Remove a campaign from a journal, with all numbers and texts.",
    "receive": "Receive a vendor's delivery reports into a journal.",
    "reconcile": "Ask the vendors what became of unknown messages.",
    "results": "Write what became of each message, from a journal.",
    "resume": "Resume a campaign after a crash or a stop.",
    "sandbox": "Run emulated vendors on this machine. Nothing is ever sent.",
    "segments": "Count the SMS parts of a text, and show what makes it longer.",
    "send": "Send one SMS for each row of a CSV file.",
}
"""Summary of each command, by its name. The command ``check`` is ``command`` in ``mensasdk.cli.commands.check``."""


class _Unusable(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """Group that knows the names of its commands, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            command: click.Command = import_module(f"mensasdk.cli.commands.{cmd_name}").command
        except ConfigurationError as error:  # two vendors have options that exclude each other
            raise _Unusable(error.message) from None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mensasdk")
def cli() -> None:
    """Send SMS to a list of people, and know what became of every message."""
