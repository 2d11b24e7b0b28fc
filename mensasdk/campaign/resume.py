"""Resume a campaign: read what its journal holds, and add the messages that are new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence

from mensasdk.campaign.plan import Messages, refusal
from mensasdk.campaign.request import Planned
from mensasdk.errors import MensaError
from mensasdk.journal.keys import message_key
from mensasdk.journal.protocol import Journal, Record, Row, State
from mensasdk.messages import Message, Outcome

__all__ = ["add", "ended", "pending"]

_AT_ONCE = 1000
_ENDED = frozenset({State.ACCEPTED, State.REJECTED, State.UNKNOWN})


async def ended(journal: Journal, campaign: str) -> AsyncGenerator[Sequence[Record], None]:
    """Yield the records of messages that are not sent again, in portions.

    Args:
        journal: the journal.
        campaign: the id of the campaign, which is open.
    """
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states=_ENDED):
        after = records[-1].seq
        yield records


async def pending(journal: Journal, campaign: str, below: int) -> AsyncGenerator[Message, None]:
    """Yield the messages that are PENDING below a ``seq``; rows that the sending adds stand above it."""
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states={State.PENDING}):
        for record in records:
            if record.seq >= below:
                return
            yield record.message
        after = records[-1].seq


async def add(
    journal: Journal,
    campaign: str,
    messages: Messages,
    prepare: Callable[[Message], Planned],
    vendor: str,
    free: int,
    say: Callable[[MensaError], str],
) -> AsyncGenerator[tuple[int, Sequence[Outcome]], None]:
    """Record messages as PENDING, except those that the campaign has already.

    Args:
        journal: the journal.
        campaign: the id of the campaign, which is open.
        messages: the messages.
        prepare: finds the lane of a message, and prepares the message for it.
        vendor: the vendor's name in the outcomes of messages that are refused.
        free: the first free ``seq``.
        say: returns the words of an error that stand in the outcome of a refused message.

    Yields:
        After each portion, the first ``seq`` that is free then, and the outcomes of messages that broke a rule.
    """
    async for portion in _portions(messages):
        rows: list[Row] = []
        refused: list[Outcome] = []
        for message in portion:
            try:
                _, item, _ = prepare(message)
            except MensaError as error:
                refused.append(refusal(message, vendor, error, say(error)))
            else:
                rows.append(Row(free, message_key(message, item.number), message, item.number))
                free += 1
        await journal.load(campaign, rows)
        yield free, refused


async def _portions(messages: Messages) -> AsyncGenerator[Sequence[Message], None]:
    portion: list[Message] = []
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            portion.append(message)
            if len(portion) >= _AT_ONCE:
                yield portion
                portion = []
    else:
        for message in messages:
            portion.append(message)
            if len(portion) >= _AT_ONCE:
                yield portion
                portion = []
                await asyncio.sleep(0)
    if portion:
        yield portion
