"""Options of a campaign: all of them for `send`, and most of them for `check`, `resume` and `reconcile`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from mensasdk.cli.options import (
    JOURNAL,
    base_url_option,
    credentials_help,
    credentials_option,
    journal_place,
    json_option,
    raw_option,
    vendor_option,
)
from mensasdk.errors import ConfigurationError
from mensasdk.registry import OptionInfo, VendorInfo, vendors

__all__ = ["CAMPAIGN_EPILOG", "campaign_options", "given_options", "vendor_options"]

_EXIT_CODES: Final = """\b
Exit codes:
  0    every message was accepted
  1    finished; some messages were rejected or not sent
  2    wrong usage or configuration; nothing was sent
  3    finished; some messages are unknown (they may or may not have gone out)
  4    stopped early (credentials or credits refused, address blocked, ...)
  5    the journal cannot be read or written; nothing was sent after that
  130  interrupted (Ctrl-C)
"""
CAMPAIGN_EPILOG: Final = f"{_EXIT_CODES}\n\n{credentials_help()}"
"""End of the help of `send` and `resume`."""


def vendor_options() -> Mapping[str, Sequence[tuple[VendorInfo, OptionInfo]]]:
    """Return the vendors' own options by name, each with the vendors that have it."""
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
        help="Vendor for some countries, such as PT,FR=VENDOR, in place of --vendor; may be repeated. '*=VENDOR' takes "
        "all other countries, and what another vendor cannot send.",
    ),
)
_WHAT: Final = (
    click.option(
        "--text",
        help="Text of the messages. {name} is replaced by the column of that name; write {{ and }} for braces.",
    ),
    click.option("--sender", help="Sender that the phone shows; by default that of the account."),
    *_of_vendors(),
)
_HOW_FAST: Final = (
    click.option(
        "--rate",
        "rates",
        multiple=True,
        metavar="[VENDOR=]N",
        help="Most messages a second, for each vendor or for one.",
    ),
    click.option(
        "--requests-per-second",
        metavar="N",
        type=click.FloatRange(0, min_open=True),
        help="Most requests a second, for each vendor.",
    ),
    click.option(
        "--max-in-flight",
        metavar="N",
        type=click.IntRange(1),
        default=16,
        show_default=True,
        help="Most requests under way at once, for each vendor.",
    ),
    click.option("--max-recipients", metavar="N", type=click.IntRange(1), help="Most messages in one request."),
    click.option(
        "--breaker/--no-breaker",
        default=True,
        show_default=True,
        help="Pause sending to a vendor that does not answer.",
    ),
)
_WHEN: Final = (
    click.option("--schedule", metavar="TIME", help="Time at which the vendor sends, such as 2030-01-31T09:00+01:00."),
    click.option("--zone", metavar="NAME", help="Time zone of --schedule and --not-after, such as Europe/Madrid."),
)
_LIST: Final = (
    click.option(
        "--column-number", metavar="NAME", help="Column with the phone numbers, where its name does not tell."
    ),
    click.option(
        "--delimiter", metavar="CHAR", help="Character between cells: , ; | or tab; by default the header tells."
    ),
    click.option("--default-country", metavar="CC", help="Country of national numbers, such as ES."),
)
_RECORD: Final = (
    click.option(
        "--campaign",
        metavar="NAME",
        help="Name of the campaign; by default that of the list, with a mark made of the list and what is sent.",
    ),
    click.option(
        "--new", is_flag=True, help="Begin a second campaign, NAME-2, where the journal has one of this name."
    ),
    click.option(
        "--again",
        is_flag=True,
        help="Send messages too that the list had otherwise before, to people who were written to or may have been.",
    ),
    click.option(
        "--journal",
        type=journal_place,
        metavar=JOURNAL,
        envvar="MENSASDK_JOURNAL",
        help="Record the campaign in this file or database, so that it can be resumed after a crash.",
    ),
)
_SCREENS: Final = (
    click.option(
        "--opt-outs",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="File of people who must get no message: a number in each line, or CSV; may be repeated.",
    ),
    click.option("--opt-out-column", metavar="NAME", help="Column of --opt-outs with the phone numbers."),
    click.option(
        "--hours",
        metavar="FROM-TO",
        help="Send within these hours only, in the recipient's time zone: 9:00-20:00, or 9:00-14:00,16:30-20:00.",
    ),
    click.option(
        "--days", metavar="DAYS", help="Send on these days only, in the recipient's time zone: mon-fri, or mon,wed,sat."
    ),
    click.option(
        "--time-zone-of",
        "time_zones",
        multiple=True,
        metavar="CC=ZONE",
        help="Time zone of numbers that do not tell theirs, such as ES=Europe/Madrid; may be repeated.",
    ),
    click.option(
        "--outside-hours",
        type=click.Choice(["schedule", "refuse"]),
        help="Messages outside the hours: let the vendor send them when the hours open (the default where it can), or "
        "refuse them.",
    ),
    click.option(
        "--spread", metavar="TIME", help="Spread the messages over this time, such as 90m or 2h, from --schedule on."
    ),
    click.option("--not-after", metavar="TIME", help="Send nothing from this time on, such as 2030-01-31T20:00+01:00."),
    click.option(
        "--prices",
        multiple=True,
        metavar="[VENDOR=]FILE",
        help="Prices of an SMS part, to show the cost beforehand: CSV with the columns country and price.",
    ),
    click.option(
        "--max-credits",
        multiple=True,
        metavar="[VENDOR=]N",
        help="Spend no more than this, in the vendor's own unit. Needs --prices.",
    ),
    click.option("--max-messages", multiple=True, metavar="[VENDOR=]N", help="Send no more messages than this."),
)
_RESULT: Final = (
    click.option("--dry-run", "dry", is_flag=True, help="Check and count; send nothing. The same as `mensasdk check`."),
    click.option(
        "--output",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write each row's result to this file: .csv or .jsonl.",
    ),
    raw_option,
    json_option,
    click.option("--quiet", is_flag=True, help="Show neither progress nor tables."),
    base_url_option,
    credentials_option,
)


# Options that single commands have beside those of a campaign; no vendor's option may be named so.
_OF_SINGLE_COMMANDS: Final = ("--file", "--help", "--list", "--only-list", "--repeat", "--show-numbers")


def _made() -> Mapping[str, click.Parameter]:
    """Make each option once, by its name; commands share them.

    Raises:
        ConfigurationError: a vendor has an option that the command has itself.
    """
    command: Any = lambda **_given: None  # noqa: E731 - click attaches options to a function
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
    """Return the options of a campaign, for ``click.command(params=...)``.

    Args:
        without: names of options to leave out.
        only: names of options to return; None for all. `vendor_options` are always among them.
    """
    wanted = _OPTIONS.keys() if only is None else {*only, *vendor_options()}
    return [one for name, one in _OPTIONS.items() if name in wanted and name not in without]


def given_options() -> Mapping[str, Any]:
    """Return the options of the running command by name, with None or () for options of a campaign that it lacks."""
    nothing = {name: () if isinstance(one, click.Option) and one.multiple else None for name, one in _OPTIONS.items()}
    return nothing | click.get_current_context().params
