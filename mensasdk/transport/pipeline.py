"""Run a call from its first attempt to its value or error; the one place where the order of the steps is written.

::

    hooks ─▶ deadline ─▶ retry ─▶ limiter (a permit for each attempt) ─▶ transport ─▶ reading the answer

A vendor client gives a request to `Pipeline.run`, with a function that reads the answer. It gets the value that this
function returns, or one error that states the outcome of the request.
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
    """Rate limiter, as the pipeline sees it: each attempt waits here before it is sent.

    A gate may have an attribute ``paid``. If that is true, the permit of the next attempt has been taken already. The
    attempt then passes at once, so no deadline is set up for it.
    """

    async def enter(self) -> None:
        """Wait until one more attempt may be made."""

    def penalise(self, seconds: float) -> None:
        """Let no attempt pass for so many seconds, because the server has answered with status 429."""


class Pipeline:
    """Runner of the calls of one client.

    Args:
        vendor: the vendor's short name, which is put into every error.
        transport: sends the requests.
        timeouts: the time limits of a call and of making a connection.
        retry: the rules for repetitions.
        hooks: functions that are called with every event; the async ones are awaited.
        pick: returns a random number in [0, 1); for tests.
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
        """Make one call, in as many attempts as are needed and allowed.

        Args:
            request: the request, which is the same in every attempt.
            read: turns an answer into a value, or raises the `MensaError` that the answer means.
            function: the vendor's own name of the function, for events and the log.
            safe: the call only reads, so that it may be repeated even after its bytes have left.
            gate: rate limiter that each attempt waits for; None for no limit.
            deadline: end of the call, on the loop's clock; None for ``timeouts.total`` from now.

        Returns:
            The value that ``read`` returned.

        Raises:
            MensaError: the error of the last attempt. ``outcome`` holds for the whole call: after an attempt that the
                vendor may have acted upon there is no other attempt, unless the call is ``safe``.
            asyncio.CancelledError: the call was cancelled; `cancelled_outcome` tells the outcome.
        """
        loop = asyncio.get_running_loop()
        if deadline is None:
            deadline = loop.time() + self.timeouts.total
        attempt = 0
        # The outcome so far, for a cancellation between two attempts.
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
            response = None  # type: ignore[assignment]  # the body may hold personal data: keep it out of tracebacks
            delay = self._after(failure, attempt=attempt, safe=safe, remaining=deadline - loop.time(), gate=gate)
            known = failure.outcome
            if started is not None:
                failed = AttemptFailed(started, type(failure).__name__, known, failure.code, loop.time() - begun, delay)
                if (pending := emit(self.hooks, failed)) is not None:
                    await _told(pending, known)
            if delay is None:
                # Raised outside of the except block, without the frames that read the body: see AiohttpTransport.send.
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
    """Wait for hooks. Note the outcome of the request on a cancellation in the meantime."""
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
    """Read an answer, and turn unexpected errors into `DecodeError`: none may claim that nothing was sent."""
    try:
        return read(response)
    except (ResponseError, VendorError):
        raise
    except Exception as error:  # noqa: BLE001 - the request was sent, so the outcome is UNKNOWN
        kind = type(error).__name__
    raise DecodeError(f"the answer could not be read ({kind})", status=response.status, retryable=False)


def status_error(response: HttpResponse) -> MensaError | None:
    """Return the error that an answer's status means by itself; None if the body decides.

    It returns None for a 2xx with a body, and for a 4xx, whose body may hold a refusal that the vendor documents. If
    the body of the 4xx holds none, call `refusal_by_status`. This holds for every vendor.
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
    """Return the error for a 4xx with a body that the vendor does not document, such as a firewall's page."""
    if status in {401, 403}:
        return AuthError(f"the vendor refused the credentials or the address (status {status})", code=str(status))
    return UnexpectedStatus(
        f"the request was refused (status {status})", status=status, code=str(status), outcome=OutcomeKind.REJECTED
    )
