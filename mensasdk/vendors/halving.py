"""Send a refused request again in halves, so that one bad message does not cost the others in it.

Some vendors refuse a whole request for one text in it, and need not say which text. Where such a refusal means for
certain that nothing was sent, the request may be made again in halves, a refused half in quarters, and so on, until the
bad message stands alone.
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

# With both halves and all four quarters refused, all messages share the fault: more requests would only be a nuisance.
_WITHOUT_SUCCESS: Final = 6
# Requests for each level of halves. One bad message takes two per level, so four find two bad ones, wherever they are.
_PER_LEVEL: Final = 4

_OF_THE_ACCOUNT: Final = (AuthError, AddressBlocked, InsufficientCredits)


async def send_in_halves(
    batch: Sequence[Prepared], send: SendPart, *, vendor: str, divides: Callable[[MensaError], bool]
) -> BatchResult:
    """Send a batch in one request, and in halves where the vendor refuses its content.

    Each message ends with the outcome of the last request that it was in. A refusal never makes it UNKNOWN: it is
    REJECTED where it was refused alone, or where the vendor took no part of the batch at all; and NOT_SENT where it was
    only refused together with others and is not tried further, because the vendor did nothing.

    Args:
        batch: one or more messages.
        send: makes one request for a part of the batch. Each request passes the limiter.
        vendor: the vendor's short name.
        divides: tells whether an error refuses the content of a request, and nothing of it was sent for certain.

    Returns:
        An outcome for each message, in order, with the credits of all requests together. At most four requests are
        made for each time that the batch can be halved, and only six where all of these are refused.

    Raises:
        MensaError: the first request failed, and the error or the batch cannot be divided.
        asyncio.CancelledError: as it came, but marked UNKNOWN where a part may have been sent already.
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
    """Refused batch, and the outcomes that its messages have so far.

    Attributes:
        batch: all messages.
        send: makes one request for a part of the batch.
        vendor: the vendor's short name.
        divides: tells whether an error refuses the content of a request.
        waiting: parts still to be tried, each with the refusal of the larger part.
        outcomes: outcomes so far, by the message's position in the batch.
        credits: cost of the requests so far, where the vendor says so.
        balance: credits left in the account, by the last answer that says so.
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
                    # The account, the network or the vendor has trouble: the waiting parts would fail in the same way.
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
                # The cancellation holds for the whole batch: nobody in it may be sent a second SMS.
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
