"""From a stream of messages to requests: who may share one, and when it is full enough to go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable, Iterable, Iterator
from contextlib import aclosing
from typing import Any

from attrs import define, field

from mensasdk.errors import MensaError, ValidationError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.vendors.batching import Prepared

__all__ = ["Chunk", "Messages", "Planner"]

Messages = Iterable[Message] | AsyncIterable[Message]

_MAX_REFUSED = 256


@define(eq=False)
class Chunk:
    """What goes out together, and what was refused here on the way.

    Attributes:
        items: messages of one lane and key, no number twice.
        refused: outcomes of messages that broke a rule; nothing of them goes out.
    """

    items: list[Prepared]
    refused: list[Outcome]


@define(eq=False)
class _Group:
    lane: Any
    key: Hashable
    most: int = field(init=False)
    items: list[Prepared] = field(factory=list)
    numbers: set[str] = field(factory=set)
    # A number that stands in the open request already waits for the next one: within one request a vendor drops it,
    # and its answer could not be told from that of the first.
    later: list[Prepared] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.most = self.lane.most

    def take(self) -> list[Prepared]:
        items, later = self.items, self.later
        self.items, self.numbers, self.later = [], set(), []
        for item in later:
            self.add(item)
        return items

    def add(self, item: Prepared) -> None:
        if item.number in self.numbers:
            self.later.append(item)
        else:
            self.numbers.add(item.number)
            self.items.append(item)


class Planner:
    """Groups messages into requests, in the order in which they fill up.

    Args:
        messages: any iterable or async iterable, of any length; read only as far as needed.
        prepare: says what a message needs, and which lane and key it has; equal ones may share a request.
        vendor: the name to put on messages that are refused here.
        window: most messages held back in unfinished requests; above it the fullest request goes out as it is.
        linger: seconds after which an async source that has fallen silent does not hold back what it gave.
    """

    def __init__(
        self,
        messages: Messages,
        prepare: Callable[[Message], Prepared],
        *,
        vendor: str,
        window: int,
        linger: float,
    ) -> None:
        self._messages = messages
        self._prepare = prepare
        self._vendor = vendor
        self._window = window
        self._linger = linger
        self._groups: dict[Hashable, _Group] = {}
        self._last: _Group | None = None
        self._refused: list[Outcome] = []
        self._held = 0

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Read the messages and give the requests. What was read and not given, `leftover` has."""
        if isinstance(self._messages, AsyncIterable):
            async with aclosing(_each(self._messages, self._linger)) as source:
                async for message in source:
                    if message is None:  # the source is silent
                        for chunk in self.leftover():
                            yield chunk
                        continue
                    full = self._add(message)
                    if full is not None:
                        yield full
        else:
            count = 0
            for message in self._messages:
                full = self._add(message)
                count += 1
                if full is not None:
                    count = 0
                    yield full
                elif count % 256 == 0:
                    await asyncio.sleep(0)  # preparing a thousand messages takes milliseconds; others want the loop
        for chunk in self.leftover():
            yield chunk

    def leftover(self) -> Iterator[Chunk]:
        """Give what is held back, in requests that are not full."""
        while self._groups:
            yield self._take(next(iter(self._groups.values())))
        if self._refused:
            yield self._chunk([])

    def _add(self, message: Message) -> Chunk | None:
        try:
            item = self._prepare(message)
        except MensaError as error:
            self._refused.append(refusal(message, self._vendor, error))
            return self._chunk([]) if len(self._refused) >= _MAX_REFUSED else None
        if item.lane.most == 1:
            return self._chunk([item])
        group = self._last
        # Mostly each message is like the one before it, and clients give equal messages one and the same key.
        if group is None or group.key is not item.key or group.lane is not item.lane:
            group = self._last = self._group_of(item)
        group.add(item)
        self._held += 1
        if len(group.items) >= group.most:
            return self._take(group)
        if self._held > self._window:
            return self._take(max(self._groups.values(), key=lambda one: len(one.items)))
        return None

    def _group_of(self, item: Prepared) -> _Group:
        group = self._groups.get((item.lane, item.key))
        if group is None:
            group = self._groups[item.lane, item.key] = _Group(item.lane, item.key)
        return group

    def _take(self, group: _Group) -> Chunk:
        items = group.take()
        self._held -= len(items)
        if not group.items:
            del self._groups[group.lane, group.key]
            self._last = None
        return self._chunk(items)

    def _chunk(self, items: list[Prepared]) -> Chunk:
        refused, self._refused = self._refused, []
        return Chunk(items, refused)


def refusal(message: Message, vendor: str, error: MensaError) -> Outcome:
    """The outcome of a message that was refused here, before anything was sent."""
    code = error.code or (f"invalid_{error.field}" if isinstance(error, ValidationError) else "invalid")
    return Outcome(OutcomeKind.NOT_SENT, message, vendor=vendor, code=code, detail=error.message)


@define
class _End:
    """The source has no more, or failed."""

    error: Exception | None = None


async def _each(messages: AsyncIterable[Message], linger: float) -> AsyncGenerator[Message | None, None]:
    """Give each message, and None whenever the source has been silent for ``linger`` seconds."""
    queue: asyncio.Queue[Message | _End] = asyncio.Queue(maxsize=256)
    # The source runs in a task of its own: a time limit around it would cancel it in the middle of its work.
    pump = asyncio.create_task(_pump(messages, queue))
    try:
        quiet = False
        while True:
            try:
                async with asyncio.timeout(None if quiet else linger):
                    item = await queue.get()
            except TimeoutError:
                quiet = True
                yield None
                continue
            quiet = False
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _pump(source: AsyncIterable[Message], queue: asyncio.Queue[Message | _End]) -> None:
    end = _End()
    try:
        async for message in source:
            await queue.put(message)
    except Exception as error:  # noqa: BLE001 - the reader raises it, after what came before it
        end.error = error
    await queue.put(end)
