"""Describe a campaign by its options and its list; take recorded options for those that were not given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from attrs import evolve
from click.core import ParameterSource

from mensasdk.cli.campaign_options import vendor_options
from mensasdk.cli.input.rows import Layout, Table
from mensasdk.cli.vendors import Wishes
from mensasdk.errors import ConfigurationError
from mensasdk.journal import CampaignFacts, RouteFacts
from mensasdk.registry import vendors

__all__ = ["check_taken_up", "content_of", "with_recorded"]

_FLAGS: Final = {
    "routes": "--vendor or --route",
    "text": "--text",
    "sender": "--sender",
    "schedule": "--schedule",
    "not_after": "--not-after",
    "country": "--default-country",
}
_OF_A_LIST: Final = ("column_number", "delimiter", "zone")
"""Options that only say how to read a list, or its times."""


def content_of(
    given: Mapping[str, Any],
    routes: Mapping[str, frozenset[str] | None],
    wishes: Wishes,
    layout: Layout | None,
    table: Table | None,
    *,
    schedule: datetime | None,
    not_after: datetime | None,
    country: str | None,
) -> CampaignFacts:
    """Return the content of a campaign, as its options and its list describe it.

    Args:
        given: the options by name.
        routes: the countries of each vendor; None for all.
        wishes: the options that not every vendor has.
        layout: the columns of the list; None without one.
        table: the list; None without one.
        schedule: when the vendor is to send; None for at once.
        not_after: time from which on nothing is sent; None for none.
        country: country of national numbers; None for none.
    """
    columns: dict[str, Any] = {}
    if layout is not None and table is not None:
        used = {"number": layout.number, "reference": layout.reference}
        if layout.text is None and layout.variables is None:
            used["text"] = layout.text_column
        columns = {use: table.columns[index].strip() for use, index in used.items() if index is not None}
        if layout.variables is not None:
            columns["variables"] = sorted(layout.variables)
    return CampaignFacts(
        [RouteFacts(name, None if codes is None else tuple(codes)) for name, codes in routes.items()],
        text=given["text"],
        sender=wishes.sender,
        options=dict(wishes.options),
        columns=columns,
        schedule=_written(schedule),
        not_after=_written(not_after),
        country=country,
        address=given["base_url"],
    )


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _typed(name: str) -> bool:
    """Return whether an option was typed, and does not come from the environment or from its default."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def with_recorded(given: Mapping[str, Any], recorded: CampaignFacts | None, file: Path | None) -> dict[str, Any]:
    """Return the options of a campaign that is taken up: those that were typed, and the recorded ones for the others.

    Args:
        given: the options by name.
        recorded: the content of the campaign; None where it is not known.
        file: the list; None where it was not given.
    """
    found = dict(given)
    if recorded is None:
        return found
    if not _typed("vendor") and not _typed("routes"):
        found |= _routes(recorded)
    times = {"schedule": recorded.schedule, "not_after": recorded.not_after}
    values = {
        "text": recorded.text,
        "sender": recorded.sender,
        "default_country": recorded.country,
        "base_url": recorded.address,
        **{name: recorded.options.get(name) for name in vendor_options()},
        # A time that has passed is no more use, and without its list nothing gets a new one.
        **{name: None if file is None or _has_passed(time) else time for name, time in times.items()},
    }
    return found | {name: value for name, value in values.items() if name in found and not _typed(name)}


def _routes(recorded: CampaignFacts) -> dict[str, Any]:
    routes = recorded.routes
    if len({route.vendor for route in routes} & {*vendors()}) < len(routes):
        return {}  # two accounts of one vendor, or a vendor that is not installed: the options have to say it
    if len(routes) == 1 and routes[0].countries is None:
        return {"vendor": routes[0].vendor, "routes": ()}
    written = [f"{'*' if one.countries is None else ','.join(one.countries)}={one.vendor}" for one in routes]
    return {"vendor": None, "routes": tuple(written)}


def _has_passed(time: str | None) -> bool:
    return time is not None and datetime.fromisoformat(time) <= datetime.now(UTC)


def check_taken_up(name: str, content: CampaignFacts, recorded: CampaignFacts | None, file: Path | None) -> None:
    """Check that a campaign is taken up as it was begun, and that no option of its content is without effect.

    Its list may be given another time once the first one has passed.

    Args:
        name: name of the campaign.
        content: the content, as the options and the list describe it now.
        recorded: the content that it was begun with; None where it is not known.
        file: the list; None where it was not given.

    Raises:
        ConfigurationError: names what is different, or has no effect, and the remedy.
    """
    if file is None:
        idle = [f"--{one.replace('_', '-')}" for one in _OF_A_LIST if _typed(one)]
        if recorded is None:
            idle += [_FLAGS[one] for one in ("text", "schedule") if _typed(one)]
        elif _typed("schedule") and content.schedule != recorded.schedule:
            idle.append("--schedule")
        if idle:
            raise ConfigurationError(
                f"{' and '.join(idle)} would have no effect: without its list, a campaign sends the messages that the "
                f"journal has, as they are; give the list as well, or leave {' and '.join(idle)} out"
            )
    if recorded is None:
        return
    begun = recorded
    if file is None:
        content = evolve(content, columns=begun.columns, schedule=begun.schedule, not_after=begun.not_after)
    elif _has_passed(begun.schedule):
        if content.schedule is None:
            raise ConfigurationError(
                f"campaign {name!r} was scheduled for {begun.schedule}, which has passed; give a new time for the rest "
                "of its list with --schedule, or leave the list out"
            )
        begun = evolve(begun, schedule=content.schedule)
    if begun.country is None:
        begun = evolve(begun, country=content.country)
    if _has_passed(begun.not_after):
        begun = evolve(begun, not_after=content.not_after)
    differences = content.differences(begun)
    if differences:
        told = "; ".join(f"{_flag(field)}: {both}" for field, both in differences)
        raise ConfigurationError(
            f"campaign {name!r} was begun with other content ({told}); leave that out to go on as it was begun, or "
            "begin another campaign"
        )


def _flag(field: str) -> str:
    option = next((one.flag for one in (place[0][1] for place in vendor_options().values()) if one.name == field), None)
    return option or _FLAGS.get(field, field)
