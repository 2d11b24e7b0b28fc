"""Open a journal that exists, and find a campaign in it."""

from __future__ import annotations

from typing import Any

from mensasdk.cli.masking import masked
from mensasdk.cli.options import JournalPlace
from mensasdk.errors import ConfigurationError
from mensasdk.journal import CampaignInfo, Journal, PostgresJournal, SqliteJournal, State

__all__ = ["existing_journal", "info_as_json", "journal_at", "recorded_campaign"]


def journal_at(place: JournalPlace) -> Journal:
    """Return the journal at a place, which need not be there yet.

    Raises:
        ConfigurationError: the driver of the database is not installed.
    """
    if place.dsn is not None:
        return PostgresJournal(place.dsn)
    assert place.path is not None
    return SqliteJournal(place.path)


def existing_journal(place: JournalPlace) -> Journal:
    """Return the journal of a file that exists: a mistyped name must not make a new journal.

    Reading makes nothing in a database.

    Raises:
        ConfigurationError: there is no such file, or the driver of the database is not installed.
    """
    if place.path is not None and not place.path.is_file():
        raise ConfigurationError(f"there is no journal {place}; give the file that the campaign was sent with")
    return journal_at(place)


async def recorded_campaign(journal: Journal, name: str) -> CampaignInfo:
    """Return what the journal holds about a campaign.

    Raises:
        ConfigurationError: the journal has no such campaign; names those that it has.
    """
    found = {info.name: info for info in await journal.campaigns()}
    if name not in found:
        names = ", ".join(masked(other) for other in found) or "none"
        raise ConfigurationError(f"the journal has no campaign {masked(name)}; it has {names}")
    return found[name]


def info_as_json(info: CampaignInfo) -> dict[str, Any]:
    """Return a campaign's state and counts as one JSON object."""
    return {
        "campaign": info.name,
        "created": info.created.isoformat(),
        "complete": info.complete,
        "total": sum(info.counts.values()),
        **{state.value: info.counts[state] for state in State},
    }
