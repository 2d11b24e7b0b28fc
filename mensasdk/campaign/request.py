"""The work of one request: claim, send, settle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from mensasdk.campaign.interrupts import SendCancelled
from mensasdk.journal.memory import MemoryJournal
from mensasdk.journal.protocol import Journal, Row
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["finish", "run_chunk"]

T = TypeVar("T")
Send = Callable[[Sequence[Row]], Awaitable[Sequence[Outcome]]]


async def finish(work: Coroutine[Any, Any, T], *, at_once: bool = False) -> tuple[T, asyncio.CancelledError | None]:
    """Await something to its end, however often this task is cancelled meanwhile.

    Args:
        work: a coroutine that has not begun.
        at_once: it waits for nothing, so that nothing can happen meanwhile.

    Returns:
        Its result, and the cancellation that came meanwhile, for the caller to pass on.

    Raises:
        asyncio.CancelledError: the cancellation, if the work failed as well.
        Exception: what the work raised.
    """
    if at_once:
        return await work, None
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    if cancelled is not None and (task.cancelled() or task.exception() is not None):
        raise cancelled
    return task.result(), cancelled


def _clocks() -> tuple[float, float]:
    """The clock that never jumps and stands still while the machine sleeps, and the one that does the opposite."""
    return time.monotonic(), time.time()


async def run_chunk(
    journal: Journal,
    send: Send,
    campaign: str,
    lo: int,
    hi: int,
    settled: Callable[[Sequence[tuple[int, Outcome]]], None],
    recorded: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    *,
    vendor: str | None = None,
    group: str | None = None,
    lease: float = 60.0,
) -> None:
    """Do the work of one chunk: claim, send, settle. The same in every setting, one process or many.

    Args:
        journal: the fence; only rows that its claim returns are sent.
        send: brings claimed rows to one outcome each, in order, at once: permits were paid before, so that a crash
            makes UNKNOWN what is really under way, and not what waits for its turn. It raises nothing but
            `SendCancelled`.
        campaign: the campaign's id.
        lo: first ``seq`` of the chunk.
        hi: the ``seq`` after its last.
        settled: told each row's outcome, also when the work is cancelled or the journal fails at the end.
        recorded: what the journal is told of an outcome, where that is something else.
        vendor: whom the request is for.
        group: the vendor's group that it belongs to.
        lease: seconds for which a claim is good. A machine that froze between the claim and the first byte may find
            that its rows have been swept: it sends nothing then.

    Raises:
        asyncio.CancelledError: after what was under way has been settled.
        Exception: the journal could not claim, and nothing was sent; or it could not settle, and what it holds as
            IN_FLIGHT is UNKNOWN to whoever resumes the campaign.
    """
    # A claim that is given up half way might be recorded all the same, and its rows would count as UNKNOWN for ever.
    at_once = type(journal) is MemoryJournal  # a task for each claim would cost more than the claim
    begun = _clocks()
    rows, cancelled = await finish(journal.claim(campaign, lo, hi, vendor=vendor, group=group), at_once=at_once)
    frozen = max(now - then for now, then in zip(_clocks(), begun, strict=True)) > lease
    if (cancelled is not None or frozen) and rows:
        why = "the machine was frozen; its claim may have passed to another"
        released = [
            (
                row.seq,
                Outcome(
                    OutcomeKind.NOT_SENT, row.message, vendor=vendor or "", vendor_id=None, code="lease", detail=why
                ),
            )
            for row in rows
        ]
        await finish(journal.settle(campaign, released))
        if cancelled is None:
            settled(released)
    if cancelled is not None:
        raise cancelled
    if frozen or not rows:
        return
    try:
        outcomes = await send(rows)
    except SendCancelled as ended:
        outcomes = ended.outcomes
        cancelled = ended
    pairs = [(row.seq, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    try:
        # What we know must not be lost with us.
        known = [(seq, recorded(outcome)) for seq, outcome in pairs]
        _, late = await finish(journal.settle(campaign, known), at_once=at_once)
    finally:
        settled(pairs)
    if cancelled is not None or late is not None:
        raise cancelled or late or asyncio.CancelledError
