"""Open a journal that exists, and find a campaign in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mensasdk.cli.masking import masked
from mensasdk.errors import ConfigurationError
from mensasdk.journal import CampaignInfo, SqliteJournal, State

__all__ = ["existing_journal", "info_as_json", "recorded_campaign"]


def existing_journal(path: Path) -> SqliteJournal:
    """Return the journal of a file that exists: a mistyped name must not make a new journal.

    Raises:
        ConfigurationError: there is no such file.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no journal {path}; give the file that the campaign was sent with")
    return SqliteJournal(path)


async def recorded_campaign(journal: SqliteJournal, name: str) -> CampaignInfo:
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
