"""Deciding by a person's word what became of messages that are UNKNOWN."""

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
    """Decide by a person's word what became of messages that are UNKNOWN.

    Args:
        journal: where the campaign is recorded.
        campaign: its id; nobody may have it open.
        kind: ACCEPTED, REJECTED, or NOT_SENT, which makes `BatchSender.resume` send them.
        numbers: whose messages, in E.164; None for all that are UNKNOWN.

    Returns:
        How many were marked. Their outcome has the code ``"person"``.

    Raises:
        ConfigurationError: the journal has no such campaign, somebody has it open, or ``kind`` is UNKNOWN.
        JournalError: the journal cannot be read or written.
    """
    if kind is OutcomeKind.UNKNOWN:
        raise ConfigurationError("a message that is unknown can be marked accepted, rejected or not_sent")
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
