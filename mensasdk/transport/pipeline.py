"""The order of concerns of one call, written in one place.

::

    hooks ─▶ deadline ─▶ retry ─▶ limiter (a permit for each attempt) ─▶ transport ─▶ verdict

A vendor client encodes a request, gives it to `Pipeline.run` together with a function that reads the answer, and
gets the value that this function returns, or one error that says what became of the request.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from mensasdk.errors import (
    AuthError,
    DeadlineExceeded,
    DecodeError,
    MensaError,
    OutcomeKind,
    RateLimited,
    ResponseError,
    UnexpectedRedirect,
    UnexpectedResponse,
    UnexpectedStatus,
    VendorError,
)
from mensasdk.transport.base import HttpRequest, HttpResponse, Timeouts, Transport, cancelled_outcome, mark_cancelled
from mensasdk.transport.hooks import AttemptEnded, AttemptFailed, AttemptStarted, Hook, emit
from mensasdk.transport.retry import RetryBudget, RetryPolicy, next_delay, parse_retry_after

__all__ = ["Gate", "Pipeline", "refusal_by_status", "status_error"]

T = TypeVar("T")
logger = logging.getLogger("mensasdk")


class Gate(Protocol):
    """What an attempt passes before it leaves: a rate limiter, seen from the pipeline.

    One that lets the next attempt pass at once, because its permit was taken before, may say so in an attribute
    ``paid``; no deadline is set up for it then.
    """

    async def enter(self) -> None:
        """Wait until one more attempt may be made."""

    def penalise(self, seconds: float) -> None:
        """The server said 429: let nobody pass for this long."""


class Pipeline:
    """Runs the calls of one client.

    Args:
        vendor: the vendor's short name, put into every error.
        transport: the way out.
        timeouts: the deadline of a call and of connecting.
        retry: the policy of the client.
        hooks: are given every event; those that are async are awaited.
        pick: gives a random number in [0, 1); for tests.
    """

    def __init__(
        self,
        *,
        vendor: str,
        transport: Transport,
        timeouts: Timeouts,
        retry: RetryPolicy,
        hooks: Sequence[Hook] = (),
        pick: Callable[[], float] = random.random,
    ) -> None:
        self.vendor = vendor
        self.transport = transport
        self.timeouts = timeouts
        self.retry = retry
        self.hooks = tuple(hooks)
        self.budget = RetryBudget()
        self._pick = pick

    async def run(
        self,
        request: HttpRequest,
        read: Callable[[HttpResponse], T],
        *,
        function: str,
        safe: bool,
        gate: Gate | None = None,
        deadline: float | None = None,
    ) -> T:
        """Make one call, in as many attempts as its nature and the policy allow.

        Args:
            request: what to send, the same in every attempt.
            read: turns an answer into a value, or raises the `MensaError` that it stands for.
            function: the vendor's own name of the function, for events and the log.
            safe: the call only reads; an attempt whose bytes have left may be repeated.
            gate: passed before each attempt.
            deadline: on the loop's clock; by default the client's total time from now.

        Raises:
            MensaError: what the last attempt ended with; ``outcome`` holds for the whole call, because an attempt that
                may have been acted upon is never followed by another one, unless the call is ``safe``.
            asyncio.CancelledError: as it came.
        """
        loop = asyncio.get_running_loop()
        if deadline is None:
            deadline = loop.time() + self.timeouts.total
        attempt = 0
        # What is known of the call while no attempt is under way.
        known = OutcomeKind.NOT_SENT
        while True:
            attempt += 1
            begun = loop.time()
            started = (
                AttemptStarted(self.vendor, function, request.method, request.url, attempt) if self.hooks else None
            )
            if started is not None and (pending := emit(self.hooks, started)) is not None:
                await _told(pending, known)
            failure: MensaError
            try:
                response = await self._attempt(request, deadline, gate)
                value = _understood(read, response)
            except MensaError as error:
                failure = error
            except asyncio.CancelledError as cancelled:
                if started is not None:
                    outcome = cancelled_outcome(cancelled)
                    failed = AttemptFailed(started, type(cancelled).__name__, outcome, None, loop.time() - begun, None)
                    if (pending := emit(self.hooks, failed)) is not None:
                        await _told(pending, outcome)
                raise
            else:
                if attempt == 1:
                    self.budget.earn()
                if started is not None:
                    ended = AttemptEnded(started, response.status, loop.time() - begun, len(response.body))
                    if (pending := emit(self.hooks, ended)) is not None:
                        await _told(pending, OutcomeKind.UNKNOWN)
                return value
            response = None  # type: ignore[assignment]  # the body may hold personal data; it stays in no traceback
            delay = self._after(failure, attempt=attempt, safe=safe, remaining=deadline - loop.time(), gate=gate)
            known = failure.outcome
            if started is not None:
                failed = AttemptFailed(started, type(failure).__name__, known, failure.code, loop.time() - begun, delay)
                if (pending := emit(self.hooks, failed)) is not None:
                    await _told(pending, known)
            if delay is None:
                # Outside of the except block, and without the frames that read the body: see AiohttpTransport.send.
                failure.__cause__ = failure.__context__ = None
                raise failure.with_traceback(None)
            logger.info(
                "%s %s: attempt %d ended in %s, next in %.2f s",
                self.vendor,
                function,
                attempt,
                type(failure).__name__,
                delay,
            )
            try:
                await asyncio.sleep(delay)
            except asyncio.CancelledError as cancelled:
                mark_cancelled(cancelled, known)
                raise

    async def _attempt(self, request: HttpRequest, deadline: float, gate: Gate | None) -> HttpResponse:
        loop = asyncio.get_running_loop()
        if gate is not None and not await _enter(gate, deadline):
            raise DeadlineExceeded(
                "the time allowed ran out while waiting for the rate limiter", outcome=OutcomeKind.NOT_SENT
            )
        remaining = deadline - loop.time()
        if remaining <= 0:
            raise DeadlineExceeded("the time allowed ran out before the request", outcome=OutcomeKind.NOT_SENT)
        timeouts = Timeouts(remaining, self.timeouts.connect)
        return await self.transport.send(request, timeouts=timeouts)

    def _after(
        self, failure: MensaError, *, attempt: int, safe: bool, remaining: float, gate: Gate | None
    ) -> float | None:
        if failure.vendor is None:
            failure.vendor = self.vendor
        limited = isinstance(failure, RateLimited)
        delay = next_delay(self.retry, failure, attempt=attempt, safe=safe, remaining=remaining, random=self._pick)
        if limited and gate is not None:
            asked = failure.retry_after if isinstance(failure, RateLimited) else None
            gate.penalise(min(asked if asked is not None else (delay or self.retry.base), self.retry.max_retry_after))
        if delay is not None and not limited and not self.budget.take():
            return None
        return delay


async def _told(pending: Awaitable[None], outcome: OutcomeKind) -> None:
    """Wait for hooks. A cancellation meanwhile says what had become of the request."""
    try:
        await pending
    except asyncio.CancelledError as cancelled:
        mark_cancelled(cancelled, outcome)
        raise


async def _enter(gate: Gate, deadline: float) -> bool:
    if getattr(gate, "paid", False):
        await gate.enter()
        return True
    try:
        async with asyncio.timeout_at(deadline):
            await gate.enter()
    except TimeoutError:
        return False
    except asyncio.CancelledError as cancelled:
        mark_cancelled(cancelled, OutcomeKind.NOT_SENT)
        raise
    return True


def _understood(read: Callable[[HttpResponse], T], response: HttpResponse) -> T:
    """Read an answer. What goes wrong in it may be no `ValidationError` and no defect that says NOT_SENT."""
    try:
        return read(response)
    except (ResponseError, VendorError):
        raise
    except Exception as error:  # noqa: BLE001 - the request has left, so that only UNKNOWN is true
        kind = type(error).__name__
    raise DecodeError(f"the answer could not be read ({kind})", status=response.status, retryable=False)


def status_error(response: HttpResponse) -> MensaError | None:
    """The error that an answer's status stands for by itself, or None where the body decides.

    Meant for every vendor: ``None`` comes back for a 2xx with a body and for a 4xx whose body may hold a documented
    refusal; call `refusal_by_status` when it turns out not to.
    """
    status = response.status
    if status == 429:
        return RateLimited(
            "the vendor asks to slow down (status 429)",
            retry_after=parse_retry_after(response.headers.get("retry-after"), date=response.headers.get("date")),
            code="429",
        )
    if 300 <= status < 400:
        return UnexpectedRedirect(
            f"the vendor redirects (status {status}); not followed", status=status, code=str(status)
        )
    if status >= 500 or status in {408, 425} or status < 200:
        return UnexpectedStatus(
            f"the vendor's server failed (status {status})", status=status, code=str(status), retryable=True
        )
    if status < 300 and not response.body.strip():
        return UnexpectedResponse(f"the answer is empty (status {status})", status=status)
    return None


def refusal_by_status(status: int) -> MensaError:
    """The error for a 4xx whose body says nothing that the vendor documents, such as a firewall's page."""
    if status in {401, 403}:
        return AuthError(f"the vendor refused the credentials or the address (status {status})", code=str(status))
    return UnexpectedStatus(
        f"the request was refused (status {status})", status=status, code=str(status), outcome=OutcomeKind.REJECTED
    )
