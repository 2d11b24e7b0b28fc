"""Name a campaign, and keep a second one from being sent by the same command."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count
from pathlib import Path

from mensasdk.errors import ConfigurationError
from mensasdk.journal import CampaignFacts, CampaignInfo, Journal, State

__all__ = ["free_name", "name_of"]


def name_of(file: Path, content: CampaignFacts) -> str:
    """Return the name of a campaign that was given none: that of its list, and a hash of list and content.

    Raises:
        ConfigurationError: the list cannot be read.
    """
    hashed = blake2b(content.print, digest_size=8)
    try:
        with file.open("rb") as opened:
            while some := opened.read(1 << 20):
                hashed.update(some)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
    # Letters only: many digits would be masked like a phone number.
    mark = "".join(chr(ord("a") + byte % 26) for byte in hashed.digest())
    stem = "".join(one if one.isprintable() else "_" for one in file.stem)
    return f"{stem}-{mark}"


async def free_name(journal: Journal, wanted: str, *, new: bool) -> str:
    """Return the name of a campaign that is to begin.

    Args:
        journal: the journal that records it.
        wanted: its name.
        new: begin a second one, NAME-2, where the name is taken.

    Raises:
        ConfigurationError: the journal has a campaign of this name.
    """
    names = {info.name: info for info in await journal.campaigns()}
    if wanted not in names:
        return wanted
    if new:
        return next(name for number in count(2) if (name := f"{wanted}-{number}") not in names)
    raise _exists(names[wanted])


def _exists(info: CampaignInfo) -> ConfigurationError:
    since = info.created.astimezone().strftime("%Y-%m-%d %H:%M")
    return ConfigurationError(
        f"campaign {info.name!r} exists since {since}, {info.counts[State.ACCEPTED]:,} accepted; resume it, or choose "
        "another name with --campaign; --new begins a second one"
    )
