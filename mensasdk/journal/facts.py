"""Describe what a campaign is: its content, which is kept with it and compared when it is taken up again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Self

import attrs
from attrs import field, frozen

from mensasdk.errors import ConfigurationError, JournalError

__all__ = ["CampaignFacts", "RouteFacts", "check_content", "read_content"]

_PRINT: Final = 16
_SHOWN: Final = 60


def _countries(countries: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if countries is None else tuple(sorted(countries))


@frozen
class RouteFacts:
    """A route of a campaign.

    Attributes:
        vendor: the vendor's short name.
        countries: ISO 3166 alpha-2 codes of the countries that it is for; None for all.
        sender, template: what the route adds to messages without one; None for nothing.
        options: the vendor's options that the route adds, as JSON has them.
    """

    vendor: str
    countries: tuple[str, ...] | None = field(default=None, converter=_countries)
    sender: str | None = None
    template: str | None = None
    options: Any = None


def _routes(routes: Sequence[RouteFacts]) -> tuple[RouteFacts, ...]:
    return tuple(routes)


# Not `slots`, so that the print is made only once.
@frozen(slots=False)
class CampaignFacts:
    """Content of a campaign: what it sends, and through whom. It holds no credentials.

    For messages that an application has made, only the routes are known here.

    Attributes:
        routes: the routes, in the order of preference.
        text: the text of all messages, with its placeholders; None where each message has its own.
        template: the vendor's template; None for none.
        sender: the sender that the phone shows; None for the account's own.
        options: the vendors' options, by name.
        columns: the columns of the list that are used, by what they are used for.
        schedule: when the vendor is to send, as an ISO 8601 time in UTC; None for at once.
        not_after: the time from which on nothing is sent, written alike; None for none.
        country: the country of national numbers; None where it is not known.
        address: the vendor's address, where another than its own was given. It may change: it is not compared.
    """

    routes: tuple[RouteFacts, ...] = field(converter=_routes)
    text: str | None = None
    template: str | None = None
    sender: str | None = None
    options: Mapping[str, Any] = field(factory=dict)
    columns: Mapping[str, Any] = field(factory=dict)
    schedule: str | None = None
    not_after: str | None = None
    country: str | None = None
    address: str | None = None

    def to_json(self) -> str:
        """Return the content as canonical JSON: equal contents give equal texts."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"), default=str)

    @classmethod
    def from_json(cls, written: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError: it is no content.
        """
        plain = json.loads(written)
        return cls(**{**plain, "routes": [RouteFacts(**route) for route in plain["routes"]]})

    @cached_property
    def print(self) -> bytes:
        """Sixteen bytes by which equal contents are known; the address does not count."""
        written = attrs.evolve(self, address=None).to_json()
        return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=_PRINT).digest()

    def differences(self, recorded: CampaignFacts) -> Sequence[tuple[str, str]]:
        """Return what is other than in the recorded content: the name of each field, and both values in words."""
        now, then = _named(self), _named(recorded)
        return [
            (name, f"it has {_shown(then.get(name))}, and was given {_shown(now.get(name))}")
            for name in {**then, **now}
            if now.get(name) != then.get(name)
        ]


def check_content(campaign: str, recorded: CampaignFacts | None, given: CampaignFacts | None) -> None:
    """Check that a campaign is taken up with the content that it has; None where a content is not known.

    Raises:
        ConfigurationError: the contents differ; the error names the differences.
    """
    if recorded is None or given is None or recorded.print == given.print:
        return
    told = "; ".join(f"{name}: {both}" for name, both in given.differences(recorded))
    raise ConfigurationError(
        f"campaign {campaign!r} was begun with other content ({told}); take it up as it was begun, or begin another "
        "campaign"
    )


def read_content(written: str | None) -> CampaignFacts | None:
    """Read the content of a campaign as a journal wrote it; None where it wrote none.

    Raises:
        JournalError: it cannot be read.
    """
    if written is None:
        return None
    try:
        return CampaignFacts.from_json(written)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise JournalError("the journal is damaged: the content of a campaign cannot be read") from None


def _plain(facts: CampaignFacts) -> dict[str, Any]:
    """Return the content as JSON has it, without what is not set."""
    values = attrs.asdict(facts, filter=lambda _, value: value is not None and value != {})
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain


def _named(facts: CampaignFacts) -> dict[str, Any]:
    """Return what is compared, with each option and each use of a column under its own name."""
    plain = _plain(attrs.evolve(facts, address=None))
    columns = plain.pop("columns", {})
    options = plain.pop("options", {})
    return {**plain, **options} | {f"column of the {use}": name for use, name in columns.items()}


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return " and ".join(_route(one) for one in value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return repr(words if len(words) <= _SHOWN else f"{words[:_SHOWN]}...")


def _route(route: Mapping[str, Any]) -> str:
    more = {name: value for name, value in route.items() if name not in {"vendor", "countries"}}
    countries = f" for {', '.join(route['countries'])}" if route.get("countries") else ""
    return f"{route['vendor']}{countries}{f' with {json.dumps(more, sort_keys=True)}' if more else ''}"
