"""The group of commands. Each is loaded when it is called: whoever asks for help should not wait for what sends."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from mensasdk._version import __version__
from mensasdk.cli.wording import say
from mensasdk.errors import ConfigurationError

__all__ = ["COMMANDS", "cli"]

COMMANDS: Final[Mapping[str, str]] = {
    "campaigns": "List what a journal holds.",
    "check": "Tell what sending a list would come to, before anything is paid.",
    "credits": "Print what is left in a vendor's account.",
    "deliveries": "Count what the vendors have reported about a campaign.",
    "demo": "Watch a whole campaign through four vendors that misbehave.",
    "mark": "Say what became of messages that are unknown.",
    "purge": "Remove a campaign from a journal, with all numbers and texts.",
    "receive": "Keep the delivery reports that a vendor calls back with.",
    "reconcile": "Find out what became of the messages that are unknown.",
    "resume": "Take up a campaign where it ended.",
    "sandbox": "Run all vendors, emulated, on this machine. Nothing is ever sent.",
    "segments": "Tell how many SMS a text becomes, and why.",
    "send": "Send one SMS to each row of a CSV file.",
}
"""Each command with its summary. The command ``check`` is ``command`` in ``mensasdk.cli.commands.check``."""


class _Unusable(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """A group that knows its commands by name, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            command: click.Command = import_module(f"mensasdk.cli.commands.{cmd_name}").command
        except ConfigurationError as error:  # its options are those of the vendors, and two of these exclude each other
            raise _Unusable(say(error)) from None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mensasdk")
def cli() -> None:
    """Send SMS to a list of people, and know what became of every single one."""
