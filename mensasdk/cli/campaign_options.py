"""The options of a campaign: those of `send`, which `check`, `resume` and `reconcile` have as well, or some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.options import (
    base_url_option,
    credentials_help,
    credentials_option,
    journal_path,
    json_option,
    vendor_option,
)
from mensasdk.errors import ConfigurationError
from mensasdk.registry import OptionInfo, VendorInfo, vendors

__all__ = ["CAMPAIGN_EPILOG", "campaign_options", "given_options", "vendor_options"]

_EXIT_CODES: Final = """\b
Exit codes:
  0    every message was accepted
  1    finished; some messages were not accepted
  2    wrong usage or configuration; nothing was sent
  3    finished; what became of some messages is unknown
  4    stopped early (credentials or credits refused, address blocked, ...)
  5    the journal cannot be read or written; nothing was sent since
  130  interrupted (Ctrl-C)
"""
CAMPAIGN_EPILOG: Final = f"{_EXIT_CODES}\n\n{credentials_help()}"
"""What stands at the end of the help of `send` and `resume`."""


def vendor_options() -> Mapping[str, Sequence[tuple[VendorInfo, OptionInfo]]]:
    """Find the options that vendors have of their own, by name, each with the vendors that have it."""
    found: dict[str, list[tuple[VendorInfo, OptionInfo]]] = {}
    for info in vendors().values():
        for one in info.options:
            found.setdefault(one.name, []).append((info, one))
    return found


def _of_vendors() -> list[Callable[[Any], Any]]:
    decorators: list[Callable[[Any], Any]] = []
    for name, places in vendor_options().items():
        option = places[0][1]
        if any((one.kind, one.bounds) != (option.kind, option.bounds) for _, one in places):
            who = " and ".join(info.name for info, _ in places)
            raise ConfigurationError(
                f"{option.flag} is not the same kind of option for {who}; uninstall the package of one of them"
            )
        words = " ".join(dict.fromkeys(one.help for _, one in places))
        if len(places) < len(vendors()):
            words = f"{', '.join(info.name for info, _ in places)}: {words}"
        more: dict[str, Any] = {"is_flag": True, "default": None} if option.kind is bool else {"type": option.kind}
        if option.bounds is not None:
            more["type"] = click.IntRange(*option.bounds)
        if option.metavar is not None:
            more["metavar"] = option.metavar
        decorators.append(click.option(option.flag, name, help=words, **more))
    return decorators


_WHOM: Final = (
    vendor_option,
    click.option(
        "--route",
        "routes",
        multiple=True,
        metavar="CC=VENDOR",
        help="In place of --vendor: whose service for which countries; may be repeated. '*' stands for all others, and "
        "takes over what another vendor cannot send.",
    ),
)
_WHAT: Final = (
    click.option("--text", help="The text; {name} stands for the column of that name, {{ and }} for braces."),
    click.option("--sender", help="What the handset shows; the account's default otherwise."),
    *_of_vendors(),
)
_HOW_FAST: Final = (
    click.option(
        "--rate", "rates", multiple=True, metavar="[VENDOR=]N", help="Most messages a second, of each vendor or of one."
    ),
    click.option(
        "--requests-per-second", metavar="N", type=click.FloatRange(0, min_open=True), help="Most requests a second."
    ),
    click.option(
        "--max-in-flight", metavar="N", type=click.IntRange(1), default=16, show_default=True, help="Requests at once."
    ),
    click.option("--max-recipients", metavar="N", type=click.IntRange(1), help="Most messages in one request."),
    click.option(
        "--breaker/--no-breaker", default=True, show_default=True, help="Pause while a vendor does not answer."
    ),
)
_WHEN: Final = (
    click.option("--schedule", metavar="TIME", help="When the vendor shall send, such as 2030-01-31T09:00+01:00."),
    click.option("--zone", metavar="NAME", help="Time zone of --schedule and --not-after, such as Europe/Madrid."),
)
_LIST: Final = (
    click.option("--column-number", metavar="NAME", help="The column with the phone numbers."),
    click.option("--delimiter", metavar="CHAR", help="Between cells: , ; | or tab; told by the header otherwise."),
    click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES."),
)
_RECORD: Final = (
    click.option("--campaign", metavar="ID", help="Name of the campaign; comes back in delivery reports."),
    click.option(
        "--journal",
        type=journal_path,
        metavar="FILE",
        envvar="MENSASDK_JOURNAL",
        help="Record the campaign in this file, so that it can be resumed after a crash.",
    ),
)
_SCREENS: Final = (
    click.option(
        "--opt-outs",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="People who must not be written to: a number in each line, or CSV; may be repeated.",
    ),
    click.option("--opt-out-column", metavar="NAME", help="The column of --opt-outs with the phone numbers."),
    click.option(
        "--hours",
        metavar="FROM-TO",
        help="Send within these hours only, on the recipient's clock: 9:00-20:00, or 9:00-14:00,16:30-20:00.",
    ),
    click.option(
        "--days", metavar="DAYS", help="Send on these days only, at the recipient's: mon-fri, or mon,wed,sat."
    ),
    click.option(
        "--time-zone-of",
        "time_zones",
        multiple=True,
        metavar="CC=ZONE",
        help="The zone of numbers that do not tell it, such as ES=Europe/Madrid; may be repeated.",
    ),
    click.option(
        "--outside-hours",
        type=click.Choice(["schedule", "refuse"]),
        help="What becomes of the others: the vendor sends them when the hours open (the default), or nobody does.",
    ),
    click.option(
        "--spread", metavar="TIME", help="Spread the list over so long, such as 90m or 2h; begins at --schedule."
    ),
    click.option(
        "--not-after", metavar="TIME", help="Do not send any more from then on, such as 2030-01-31T20:00+01:00."
    ),
    click.option(
        "--prices",
        multiple=True,
        metavar="[VENDOR=]FILE",
        help="What an SMS part costs: CSV with the columns country and price. Tells the cost beforehand.",
    ),
    click.option(
        "--max-credits",
        multiple=True,
        metavar="[VENDOR=]N",
        help="Spend no more than this, in the vendor's own unit, by --prices.",
    ),
    click.option("--max-messages", multiple=True, metavar="[VENDOR=]N", help="Send no more messages than this."),
)
_RESULT: Final = (
    click.option("--dry-run", "dry", is_flag=True, help="Check and count; send nothing. The same as `mensasdk check`."),
    click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Results by line: .csv or .jsonl."),
    json_option,
    click.option("--quiet", is_flag=True, help="Neither progress nor tables."),
    base_url_option,
    credentials_option,
)


# Beside the options of a campaign: `file` is the list.
_OF_SINGLE_COMMANDS: Final = ("--file", "--help", "--list", "--only-list", "--repeat", "--show-numbers")


def _made() -> Mapping[str, click.Parameter]:
    """Make each option once; commands share them."""

    command: Any = lambda **_given: None  # noqa: E731 - options are hung onto a function
    for decorate in reversed((*_WHOM, *_WHAT, *_HOW_FAST, *_WHEN, *_LIST, *_RECORD, *_SCREENS, *_RESULT)):
        command = decorate(command)
    found: dict[str, click.Parameter] = {}
    flags = set(_OF_SINGLE_COMMANDS)
    for one in click.command()(command).params:
        name = one.name or ""
        if name in found or not flags.isdisjoint(one.opts):
            raise ConfigurationError(
                f"{_owners(name, one.opts)} has an option {one.opts[0]}, which the command has itself; uninstall its "
                "package"
            )
        found[name] = one
        flags |= {*one.opts, *one.secondary_opts}
    return found


def _owners(name: str, flags: Sequence[str]) -> str:
    options = [pair for places in vendor_options().values() for pair in places]
    return " and ".join(info.name for info, option in options if option.name == name or option.flag in flags)


_OPTIONS: Final = _made()


def campaign_options(*, without: Collection[str] = (), only: Collection[str] | None = None) -> list[click.Parameter]:
    """Give the options of a campaign, for ``click.command(params=...)``.

    Args:
        without: names of options to leave out.
        only: names of options to give; None for all. `vendor_options` are always among them.
    """
    wanted = _OPTIONS.keys() if only is None else {*only, *vendor_options()}
    return [one for name, one in _OPTIONS.items() if name in wanted and name not in without]


def given_options() -> Mapping[str, Any]:
    """Tell what the command that is running was given, and nothing for the other options of a campaign."""
    nothing = {name: () if isinstance(one, click.Option) and one.multiple else None for name, one in _OPTIONS.items()}
    return nothing | click.get_current_context().params
