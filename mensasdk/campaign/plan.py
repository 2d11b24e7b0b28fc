"""Form requests from a stream of messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import aclosing

from attrs import define, field, frozen

from mensasdk.arguments import not_this
from mensasdk.campaign.earlier import Earlier
from mensasdk.campaign.lane import Lane
from mensasdk.campaign.request import Planned, Request
from mensasdk.errors import ConfigurationError, MensaError
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.vendors.batching import Prepared, code_of

__all__ = ["Messages", "Placed", "Planner", "Portion", "check_messages", "refusal"]

Messages = Iterable[Message] | AsyncIterable[Message]


@frozen
class Placed:
    """A message of a campaign's list, with its position there."""

    message: Message
    place: int


def check_messages(messages: object) -> None:
    """Check that an argument can be a list of messages.

    Raises:
        ConfigurationError: it is no iterable, or is a single message, a text or a mapping.
    """
    if isinstance(messages, Message | str | bytes | Mapping) or not isinstance(messages, Iterable | AsyncIterable):
        raise ConfigurationError(not_this("messages", "a list or other iterable of Message values", messages))


_MAX_REFUSED = 256


@define(eq=False)
class Portion:
    """Part of a plan: a request, and the messages that were refused before it.

    Attributes:
        request: messages that go out together; None if there are only refusals.
        refused: outcomes of messages that broke a rule and are not sent.
    """

    request: Request | None
    refused: list[Outcome]


@define(eq=False)
class _Filling:
    """A request that is being filled."""

    lane: Lane
    key: Hashable
    most: int = field(init=False)
    items: list[Prepared] = field(factory=list)
    screened: dict[Prepared, Message] = field(factory=dict)
    numbers: set[str] = field(factory=set)
    # Messages to a number that is in this request already wait for the next request. Within one request a vendor drops
    # the second message, and its answer does not tell the two apart.
    later: list[tuple[Prepared, Message | None]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.most = self.lane.most

    def add(self, item: Prepared, screened: Message | None) -> None:
        if item.number in self.numbers:
            self.later.append((item, screened))
            return
        self.numbers.add(item.number)
        self.items.append(item)
        if screened is not None:
            self.screened[item] = screened

    def take(self) -> Request:
        request = Request(self.lane, self.items, self.screened)
        later = self.later
        self.items, self.screened, self.numbers, self.later = [], {}, set(), []
        for item, screened in later:
            self.add(item, screened)
        return request


class Planner:
    """Form requests from messages, in the order in which the requests fill up.

    Args:
        messages: any iterable or async iterable of messages, of any length; read only as far as needed.
        prepare: finds the lane of a message, and prepares the message for it. Messages of one lane with an equal
            ``batch_key`` may share a request.
        vendor: the vendor's name in the outcomes of messages that are refused here.
        window: the most messages held back in requests that are not full; above it the fullest request goes out.
        linger: seconds without a new message after which an async source's messages go out in requests that are not
            full.
        say: returns the words of an error that stand in the outcome of a refused message.
        earlier: what the campaign has read and written before; None for a campaign that begins.
    """

    def __init__(
        self,
        messages: Messages | AsyncIterable[Placed],
        prepare: Callable[[Message], Planned],
        *,
        vendor: str,
        window: int,
        linger: float,
        say: Callable[[MensaError], str] = str,
        earlier: Earlier | None = None,
    ) -> None:
        self._messages = messages
        self._earlier = earlier
        self._prepare = prepare
        self._vendor = vendor
        self._window = window
        self._linger = linger
        self._say = say
        self._open: dict[Hashable, _Filling] = {}
        self._last: _Filling | None = None
        self._refused: list[Outcome] = []
        self._held = 0
        self._read = 0

    async def portions(self) -> AsyncGenerator[Portion, None]:
        """Yield the messages in portions. After an early end, `leftover` yields those that were read and are left."""
        if isinstance(self._messages, AsyncIterable):
            async with aclosing(_each(self._messages, self._linger)) as source:
                async for message in source:
                    if message is None:  # the source is silent
                        for portion in self.leftover():
                            yield portion
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
                    await asyncio.sleep(0)  # let other tasks run: a thousand messages take milliseconds
        for portion in self.leftover():
            yield portion

    def leftover(self) -> Iterator[Portion]:
        """Yield the messages that are held back, in requests that are not full, and the refusals."""
        while self._open:
            yield self._take(next(iter(self._open.values())))
        if self._refused:
            yield self._portion(None)

    def _add(self, message: Message | Placed) -> Portion | None:
        place = self._read
        self._read += 1
        if isinstance(message, Placed):
            place, message = message.place, message.message
        given: object = message
        if given.__class__ is not Message and not isinstance(given, Message):
            what = 'a Message, such as Message("+34600000000", "Hola")'
            raise ConfigurationError(not_this(f"messages[{self._read - 1}]", what, given))
        try:
            lane, item, screened = self._prepare(message)
            item.place = place
            if self._earlier is not None:
                self._earlier.check(item)
        except MensaError as error:
            self._refused.append(refusal(message, self._vendor, error, self._say(error)))
            return self._portion(None) if len(self._refused) >= _MAX_REFUSED else None
        if lane.most == 1:
            return self._portion(Request(lane, [item], {} if screened is None else {item: screened}))
        filling = self._last
        # Most messages share a request with the message before, and clients give equal keys as the same object.
        if filling is None or filling.key is not item.batch_key or filling.lane is not lane:
            filling = self._last = self._filling(lane, item.batch_key)
        filling.add(item, screened)
        self._held += 1
        if len(filling.items) >= filling.most:
            return self._take(filling)
        if self._held > self._window:
            return self._take(max(self._open.values(), key=lambda one: len(one.items)))
        return None

    def _filling(self, lane: Lane, key: Hashable) -> _Filling:
        filling = self._open.get((lane, key))
        if filling is None:
            filling = self._open[lane, key] = _Filling(lane, key)
        return filling

    def _take(self, filling: _Filling) -> Portion:
        request = filling.take()
        self._held -= len(request.items)
        if not filling.items:
            del self._open[filling.lane, filling.key]
            self._last = None
        return self._portion(request)

    def _portion(self, request: Request | None) -> Portion:
        refused, self._refused = self._refused, []
        return Portion(request, refused)


def refusal(message: Message, vendor: str, error: MensaError, detail: str) -> Outcome:
    """Make the NOT_SENT outcome of a message that was refused here, before anything was sent."""
    return Outcome(OutcomeKind.NOT_SENT, message, vendor=vendor, code=code_of(error), detail=detail)


@define
class _End:
    """End of a source, with the error if the source failed."""

    error: Exception | None = None


async def _each(
    messages: AsyncIterable[Message | Placed], linger: float
) -> AsyncGenerator[Message | Placed | None, None]:
    """Yield each message, and None once whenever the source has been silent for ``linger`` seconds."""
    queue: asyncio.Queue[Message | Placed | _End] = asyncio.Queue(maxsize=256)
    # The source runs in its own task: a timeout around it would cancel it in the middle of its work.
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


async def _pump(source: AsyncIterable[Message | Placed], queue: asyncio.Queue[Message | Placed | _End]) -> None:
    end = _End()
    try:
        async for message in source:
            await queue.put(message)
    except Exception as error:  # noqa: BLE001 - `_each` raises it, after the messages before it
        end.error = error
    await queue.put(end)
