"""Events of the attempts of a call, for tracing and metrics. No event holds a secret, a body or a query value."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from attrs import field, frozen

from mensasdk.errors import OutcomeKind
from mensasdk.transport.redact import redact_url

__all__ = ["AttemptEnded", "AttemptFailed", "AttemptStarted", "Event", "Hook"]

logger = logging.getLogger("mensasdk")


@frozen
class AttemptStarted:
    """Event: an attempt begins.

    Attributes:
        vendor: the vendor's short name.
        function: the vendor's own name of the function.
        method: the HTTP method.
        url: the URL with every query value replaced by ``***``.
        attempt: position of the attempt in the call, from 1.
    """

    vendor: str
    function: str
    method: str
    url: str = field(converter=redact_url)
    attempt: int


@frozen
class AttemptEnded:
    """Event: an attempt has brought an answer, and the answer could be read.

    Attributes:
        started: the event of the same attempt's begin.
        status: the HTTP status.
        elapsed: seconds since the attempt began.
        size: bytes of the decompressed body.
    """

    started: AttemptStarted
    status: int
    elapsed: float
    size: int


@frozen
class AttemptFailed:
    """Event: an attempt has ended in an error.

    Attributes:
        started: the event of the same attempt's begin.
        error: the class name of the error, such as ``"ConnectionLost"``.
        outcome: the outcome of the request.
        code: the vendor's code or the HTTP status; None if there is none.
        elapsed: seconds since the attempt began.
        retry_in: seconds until the next attempt; None after the last attempt.
    """

    started: AttemptStarted
    error: str
    outcome: OutcomeKind
    code: str | None
    elapsed: float
    retry_in: float | None


Event = AttemptStarted | AttemptEnded | AttemptFailed
Hook = Callable[[Event], Awaitable[object] | None]
"""Function that is called with each event, and may be async. The call waits for its hooks, one after the other."""


def emit(hooks: Sequence[Hook], event: Event) -> Awaitable[None] | None:
    """Call each hook with an event, in order. A hook that raises is logged, and never breaks the call.

    Returns:
        An awaitable that waits for the first async hook and then calls the hooks after it; None if no hook is async.
    """
    for index, hook in enumerate(hooks):
        try:
            pending = hook(event)
        except Exception as error:  # noqa: BLE001 - a broken metric must not turn an accepted SMS into an error
            _say(error, event)
        else:
            if pending is not None and isinstance(pending, Awaitable):
                return _emit_on(pending, hooks[index + 1 :], event)
    return None


async def _emit_on(pending: Awaitable[object], hooks: Sequence[Hook], event: Event) -> None:
    try:
        await pending
    except Exception as error:  # noqa: BLE001 - as above
        _say(error, event)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        _say(error, event)  # our task is not being cancelled: the hook raised this itself
    following = emit(hooks, event)
    if following is not None:
        await following


def _say(error: BaseException, event: Event) -> None:
    logger.warning("a hook raised %s on %s", type(error).__name__, type(event).__name__)
