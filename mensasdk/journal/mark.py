"""Let a person decide the outcome of messages that are UNKNOWN."""

from __future__ import annotations

from collections.abc import Collection

from attrs import evolve

from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError
from mensasdk.journal.protocol import Journal, State, recorded_outcome
from mensasdk.messages import OutcomeKind

__all__ = ["mark"]

_AT_ONCE = 1000


async def mark(journal: Journal, campaign: str, kind: OutcomeKind, *, numbers: Collection[str] | None = None) -> int:
    """Set the outcome of messages that are UNKNOWN, as a person decides.

    Args:
        journal: the journal that has the campaign.
        campaign: the campaign's id; it must not be open.
        kind: ACCEPTED, REJECTED or NOT_SENT. NOT_SENT makes `BatchSender.resume` send the messages.
        numbers: only messages to these numbers, in E.164; None for all that are UNKNOWN.

    Returns:
        The count of messages marked. Their outcomes have the code ``"person"``.

    Raises:
        ConfigurationError: the journal does not have the campaign, the campaign is open, or ``kind`` is UNKNOWN.
        JournalError: the journal cannot be read or written.
    """
    if kind is OutcomeKind.UNKNOWN:
        raise ConfigurationError("kind is UNKNOWN; mark messages as ACCEPTED, REJECTED or NOT_SENT")
    await journal.open(campaign, create=False)
    marked, after = 0, -1
    try:
        while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states={State.UNKNOWN}):
            after = records[-1].seq
            outcomes = [
                (
                    record.seq,
                    evolve(recorded_outcome(record, ""), kind=kind, code=Code.PERSON, detail="decided by a person"),
                )
                for record in records
                if numbers is None or record.number in numbers
            ]
            await journal.resolve(campaign, outcomes)
            marked += len(outcomes)
    finally:
        await journal.close(campaign)
    return marked
