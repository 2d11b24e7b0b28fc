"""Resume a campaign: read what its journal holds, and add the messages that are new."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from itertools import count

from mensasdk.campaign.earlier import Earlier
from mensasdk.campaign.plan import Messages, Placed, refusal
from mensasdk.campaign.request import Planned
from mensasdk.errors import MensaError
from mensasdk.journal.keys import message_key
from mensasdk.journal.protocol import Journal, Record, Row, State
from mensasdk.messages import Message, Outcome

__all__ = ["add", "ended", "pending", "read_earlier", "warn_incomplete"]

logger = logging.getLogger("mensasdk")

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


def warn_incomplete(campaign: str) -> None:
    """Log that a campaign is resumed without its list, which may not have been read to its end."""
    words = "campaign %s: its list may not have been read to its end; give it to resume again to reach the rest"
    logger.warning(words, campaign)


async def read_earlier(journal: Journal, campaign: str, *, complete: bool) -> Earlier:
    """Read what a campaign has read of its list, and whom it has written to; see `Earlier`."""
    earlier, after = Earlier(complete=complete), -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE):
        after = records[-1].seq
        earlier.add(records)
    return earlier


async def pending(journal: Journal, campaign: str, below: int) -> AsyncGenerator[Placed, None]:
    """Yield the messages that are PENDING below a ``seq``; rows that the sending adds stand above it."""
    after = -1
    while records := await journal.read(campaign, after=after, limit=_AT_ONCE, states={State.PENDING}):
        for record in records:
            if record.seq >= below:
                return
            yield Placed(record.message, record.place)
        after = records[-1].seq


async def add(
    journal: Journal,
    campaign: str,
    messages: Messages,
    prepare: Callable[[Message], Planned],
    vendor: str,
    free: int,
    say: Callable[[MensaError], str],
    earlier: Earlier | None,
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
        earlier: what the campaign has read and written before; None to add whatever it does not have.

    Yields:
        After each portion, the first ``seq`` that is free then, and the outcomes of messages that broke a rule.
    """
    places = count()
    async for portion in _portions(messages):
        rows: list[Row] = []
        refused: list[Outcome] = []
        for message in portion:
            place = next(places)
            try:
                _, item, _ = prepare(message)
                item.place = place
                if earlier is not None:
                    earlier.check(item)
            except MensaError as error:
                refused.append(refusal(message, vendor, error, say(error)))
            else:
                rows.append(Row(free, message_key(message, item.number), message, item.number, place))
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
