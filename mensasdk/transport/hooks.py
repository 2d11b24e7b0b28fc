"""What happens on the way out, for tracing and metrics. No event holds a secret, a body or a query value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from attrs import field, frozen

from mensasdk.errors import OutcomeKind
from mensasdk.transport.redact import redact_url

__all__ = ["AttemptEnded", "AttemptFailed", "AttemptStarted", "Event", "Hook"]

logger = logging.getLogger("mensasdk")


@frozen
class AttemptStarted:
    """An attempt is about to be made.

    Attributes:
        vendor: the vendor's short name.
        function: the vendor's own name of the function.
        method: the HTTP method.
        url: the URL with every query value replaced by ``***``.
        attempt: its number, from 1.
    """

    vendor: str
    function: str
    method: str
    url: str = field(converter=redact_url)
    attempt: int


@frozen
class AttemptEnded:
    """An attempt brought an answer that was understood.

    Attributes:
        started: the event that it belongs to.
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
    """An attempt ended in an error.

    Attributes:
        started: the event that it belongs to.
        error: the class name of the error, such as ``"ConnectionLost"``.
        outcome: what became of the request.
        code: the vendor's code or the HTTP status, if any.
        elapsed: seconds since the attempt began.
        retry_in: seconds until the next attempt; None when this was the last.
    """

    started: AttemptStarted
    error: str
    outcome: OutcomeKind
    code: str | None
    elapsed: float
    retry_in: float | None


Event = AttemptStarted | AttemptEnded | AttemptFailed
Hook = Callable[[Event], None]


def emit(hooks: Sequence[Hook], event: Event) -> None:
    """Give an event to each hook. A hook that raises is reported in the log and never breaks the call."""
    for hook in hooks:
        try:
            hook(event)
        except Exception as error:  # noqa: BLE001 - a broken metric must not turn an accepted SMS into an error
            logger.warning("a hook raised %s on %s", type(error).__name__, type(event).__name__)
