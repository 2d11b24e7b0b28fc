"""Check the options of `send`, `check`, `resume` and `reconcile` together, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from attrs import frozen
from click.core import ParameterSource
from rich.console import Console
from rich.text import Text

from mensasdk.cli.campaign_options import vendor_options
from mensasdk.cli.input.config import load_settings
from mensasdk.cli.input.content import content_of
from mensasdk.cli.input.routes import Way, parse_rates, parse_routes
from mensasdk.cli.input.rows import BadRow, GoodRow, Layout, Table, open_table, plan, read
from mensasdk.cli.input.screens import make_screening
from mensasdk.cli.vendors import Settings, Wishes, check_wishes, make_options
from mensasdk.cli.wording import of_option
from mensasdk.cli.work.campaign import Limits
from mensasdk.errors import ConfigurationError
from mensasdk.journal import CampaignFacts
from mensasdk.messages import Message
from mensasdk.registry import variable, vendor_info, vendors
from mensasdk.schedule import zone as time_zone

__all__ = ["Job", "make_job", "required"]

DELIMITERS: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@frozen
class Job:
    """A campaign, as its options and its list describe it.

    Attributes:
        ways: the vendors.
        wishes: the options that not every vendor has.
        limits: rates and other limits.
        default_country: country of national numbers; None for none.
        table: the list; None without one.
        layout: the columns of the list; None without one.
        rows: the rows of the list, read as they are sent.
        content: what the campaign sends, and through whom.
    """

    ways: Sequence[Way]
    wishes: Wishes
    limits: Limits
    default_country: str | None
    table: Table | None
    layout: Layout | None
    rows: Iterator[GoodRow | BadRow]
    content: CampaignFacts


def make_job(file: Path | None, given: Mapping[str, Any], err: Console) -> Job:
    """Check the options of ``send``, ``check``, ``resume`` or ``reconcile``, and open the list.

    Args:
        file: the list; None for a campaign that is resumed or reconciled without it.
        given: the options by name.
        err: the console for warnings.

    Raises:
        ConfigurationError: an option or the list is wrong; nothing was sent.
    """
    zone = given["zone"]
    if zone is not None and given["schedule"] is None and given["not_after"] is None:
        raise ConfigurationError("--zone belongs to --schedule or --not-after, which are missing")
    schedule_at, not_after = (_moment(name, given[name], zone) for name in ("schedule", "not_after"))
    if not_after is not None and file is None:
        raise ConfigurationError("--not-after holds for rows of a list; give the list again, or leave --not-after out")
    text = given["text"]
    countries = _vendors(given["vendor"], given["routes"], given["base_url"])
    wishes = Wishes(
        sender=given["sender"],
        schedule=schedule_at is not None,
        options={name: value for name in vendor_options() if (value := given[name]) is not None and value is not False},
    )
    template = wishes.options.get("template")
    if file is not None or given["routes"]:
        check_wishes([*countries], wishes, has_text=text is not None)
    rate, rate_of = parse_rates(given["rates"], [*countries])
    home = vendor_info(next(iter(countries))).home if [*countries.values()] == [None] else None
    screening = make_screening(given, [*countries], default_country=given["default_country"] or home, begin=schedule_at)
    ways = [
        Way(name, _settings(name, given["credentials"], given["base_url"], dry=given.get("dry", False)), codes)
        for name, codes in countries.items()
    ]
    limits = Limits(
        rate,
        given["requests_per_second"],
        given["max_in_flight"],
        given["max_recipients"],
        rate_of,
        breaker=given["breaker"],
        screening=screening,
    )

    def content(layout: Layout | None, table: Table | None) -> CampaignFacts:
        times = {"schedule": schedule_at, "not_after": not_after}
        return content_of(given, countries, wishes, layout, table, **times, country=given["default_country"] or home)

    if file is None:
        return Job(ways, wishes, limits, given["default_country"], None, None, iter(()), content(None, None))
    table = open_table(file, delimiter=_delimiter(given["delimiter"]))
    from_template = template is not None and "text_variable" not in wishes.options
    layout = plan(table, text=text, number_column=given["column_number"], from_template=from_template)
    if not table.is_utf8:
        err.print(
            Text(f"Warning: {file} is not UTF-8; read as Windows-1252 (Latin-1). Check the accents.", style="yellow"),
            soft_wrap=True,
        )
    # With routes, each route adds its own sender and options; a single vendor for all countries is no route.
    routed = [*countries.values()] != [None]
    options = None if routed else make_options(vendor_info(ways[0].vendor), wishes)

    def make(to: str, body: str, variables: dict[str, str], reference: str | None, line: int) -> Message:
        return Message(
            to,
            body,
            sender=None if routed else given["sender"],
            template=template if from_template else None,
            variables=variables,
            schedule_at=schedule_at if screening.spread is None else None,  # else the spread begins then
            not_after=not_after,
            reference=reference,
            options=options,
            place=line,
        )

    rows = read(table, layout, make)
    return Job(ways, wishes, limits, given["default_country"], table, layout, rows, content(layout, table))


def _vendors(vendor: str | None, routes: Sequence[str], base_url: str | None) -> Mapping[str, frozenset[str] | None]:
    """Return the vendors of a campaign, each with its countries; None for all countries."""
    if not routes:
        return {required(vendor, "--vendor NAME, or --route CC=NAME for several"): None}
    if vendor is not None and click.get_current_context().get_parameter_source("vendor") is ParameterSource.COMMANDLINE:
        raise ConfigurationError(
            "--vendor and --route exclude each other; give --route '*=NAME' for all other countries"
        )
    if base_url is not None:
        raise ConfigurationError(f"--base-url belongs to --vendor; for a route set {variable('VENDOR', 'base_url')}")
    return parse_routes(routes)


def required(vendor: str | None, how: str = "--vendor NAME") -> str:
    """Return the vendor.

    Args:
        vendor: the value of ``--vendor``; None where it was not given.
        how: the option to give, for the error.

    Raises:
        ConfigurationError: no vendor was given.
    """
    if vendor is None:
        raise ConfigurationError(f"no vendor is given; give {how}. Vendors are {', '.join(vendors())}")
    return vendor


def _settings(vendor: str, file: Path | None, base_url: str | None, *, dry: bool) -> Settings:
    try:
        return load_settings(vendor_info(vendor), file=file, base_url=base_url)
    except ConfigurationError:
        if not dry or file is not None:
            raise
        # A check needs no account: it makes no request.
        return Settings(dict.fromkeys(vendor_info(vendor).credentials, "dry-run"), base_url)


def _delimiter(value: str | None) -> str | None:
    if value is None:
        return None
    value = DELIMITERS.get(value.lower(), value)
    if len(value) != 1 or value in '"\r\n ':
        raise ConfigurationError('--delimiter must be one character, such as ";", or tab')
    return value


def _moment(name: str, text: str | None, zone: str | None) -> datetime | None:
    if text is None:
        return None
    option = f"--{name.replace('_', '-')}"
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.strip())
    if moment is None:
        raise ConfigurationError(f"{option} must look like 2030-01-31T09:00+01:00, or 2030-01-31T09:00 with --zone")
    if moment.tzinfo is None:
        if zone is None:
            raise ConfigurationError(
                f"{option} has no time zone; add its offset, as in 2030-01-31T09:00+01:00, or --zone Europe/Madrid"
            )
        with of_option("--zone"):
            moment = moment.replace(tzinfo=time_zone(zone))
    elif zone is not None:
        raise ConfigurationError(f"{option} has an offset already; leave out --zone")
    if moment <= datetime.now(UTC):
        raise ConfigurationError(f"{option} is not in the future; give a later time, or leave it out")
    return moment
