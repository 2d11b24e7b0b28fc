"""One message that a vendor does not want must not cost the others in its request.

Some vendors refuse a whole request for the sake of one text in it, and do not have to say which. Where such a refusal
means for certain that nothing was sent, the request may be made again in halves, and the half that is refused in
quarters, until whoever is at fault stands alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final

from attrs import define, field

from mensasdk.errors import AddressBlocked, AuthError, InsufficientCredits, MensaError
from mensasdk.messages import Outcome, OutcomeKind
from mensasdk.transport.base import mark_cancelled
from mensasdk.vendors.batching import BatchResult, Prepared, code_of

__all__ = ["send_in_halves"]

SendPart = Callable[[Sequence[Prepared]], Awaitable[BatchResult]]

# Both halves and all four quarters refused: it is something that all of them share, and asking on would be a nuisance.
_WITHOUT_SUCCESS: Final = 6
# Requests for each level of halves. One at fault takes two for each, so this finds two, wherever they stand.
_PER_LEVEL: Final = 4

_OF_THE_ACCOUNT: Final = (AuthError, AddressBlocked, InsufficientCredits)


async def send_in_halves(
    batch: Sequence[Prepared], send: SendPart, *, vendor: str, divides: Callable[[MensaError], bool]
) -> BatchResult:
    """Send a batch in one request, and in halves where the vendor refuses it for what stands in it.

    What nobody was sent for is never UNKNOWN: each message ends in what became of the last request that it was in.
    REJECTED is who was refused alone, and everybody where no part at all was taken. Who was only ever refused
    together with others, and is not tried further, is NOT_SENT: the vendor did nothing.

    Args:
        batch: one message or more.
        send: makes one request for some of them. Each passes the limiter.
        vendor: the vendor's short name.
        divides: whether an error refuses the content of a request, for certain with nothing of it sent.

    Returns:
        An outcome for each message, in order, with the credits of all requests together. At most four requests are
        made for each time that the batch can be halved, and six while every one of them is refused.

    Raises:
        MensaError: the whole request ended this way, and there is nothing to divide.
        asyncio.CancelledError: as it came. It says UNKNOWN where a part had been taken already.
    """
    try:
        return await send(batch)
    except MensaError as error:
        if len(batch) == 1 or not divides(error):
            raise
        refusal = error
    halves = _Halves(batch, send, vendor, divides)
    halves.divide(range(len(batch)), refusal)
    return await halves.run()


@define
class _Halves:
    """A refused batch on its way to an outcome for each message.

    Attributes:
        waiting: parts that are still to be tried, each with the refusal that the larger part met.
        outcomes: what is known, by position.
    """

    batch: Sequence[Prepared]
    send: SendPart
    vendor: str
    divides: Callable[[MensaError], bool]
    waiting: deque[tuple[range, MensaError]] = field(factory=deque)
    outcomes: dict[int, Outcome] = field(factory=dict)
    credits: Decimal | None = None
    balance: Decimal | None = None

    def divide(self, part: range, refusal: MensaError) -> None:
        middle = (len(part) + 1) // 2
        self.waiting += [(part[:middle], refusal), (part[middle:], refusal)]

    async def run(self) -> BatchResult:
        left = _PER_LEVEL * (len(self.batch) - 1).bit_length()
        taken = False
        for tried in range(left):
            if not self.waiting or (tried == _WITHOUT_SUCCESS and not taken):
                break
            part, _ = self.waiting.popleft()
            failure = await self._try(part)
            if failure is None:
                taken = True
            elif len(part) > 1 and self.divides(failure):
                self.divide(part, failure)
            else:
                kind = OutcomeKind.NOT_SENT if isinstance(failure, _OF_THE_ACCOUNT) else failure.outcome
                self._settle(part, kind, code_of(failure), failure.message)
                if kind is not OutcomeKind.REJECTED:
                    # The account, the network or the vendor has trouble, and who waits would only meet the same.
                    self._give_up(code_of(failure), f"not tried again after a refused request: {failure.message}")
        for part, refusal in self.waiting:
            if taken:
                detail = f"refused together with others, and not tried alone: {refusal.message}"
                self._settle(part, OutcomeKind.NOT_SENT, code_of(refusal), detail)
            else:
                self._settle(part, OutcomeKind.REJECTED, code_of(refusal), refusal.message)
        return BatchResult(
            [self.outcomes[index] for index in range(len(self.batch))], credits=self.credits, balance=self.balance
        )

    async def _try(self, part: range) -> MensaError | None:
        try:
            result = await self.send([self.batch[index] for index in part])
        except MensaError as error:
            return error
        except asyncio.CancelledError as cancelled:
            if any(one.kind in (OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN) for one in self.outcomes.values()):
                # It holds for the whole batch, and must not let anybody be sent to twice.
                mark_cancelled(cancelled, OutcomeKind.UNKNOWN)
            raise
        self.outcomes |= zip(part, result.outcomes, strict=True)
        if result.credits is not None:
            self.credits = result.credits + (self.credits or 0)
        if result.balance is not None:
            self.balance = result.balance
        return None

    def _give_up(self, code: str, detail: str) -> None:
        for part, _ in self.waiting:
            self._settle(part, OutcomeKind.NOT_SENT, code, detail)
        self.waiting.clear()

    def _settle(self, part: range, kind: OutcomeKind, code: str, detail: str) -> None:
        for index in part:
            item = self.batch[index]
            self.outcomes[index] = Outcome(
                kind, item.message, vendor=self.vendor, code=code, detail=detail, parts=item.parts
            )
