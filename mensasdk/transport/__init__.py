"""Send requests and receive answers: connection pool, deadline, retries, redaction of secrets, hooks."""

from mensasdk.transport.aiohttp_transport import AiohttpTransport
from mensasdk.transport.base import (
    NOT_GIVEN,
    HttpRequest,
    HttpResponse,
    NotGiven,
    Timeouts,
    Transport,
    cancelled_outcome,
    check_base_url,
    check_timeout,
)
from mensasdk.transport.hooks import AttemptEnded, AttemptFailed, AttemptStarted, Event, Hook
from mensasdk.transport.pipeline import Gate, Pipeline, refusal_by_status, status_error
from mensasdk.transport.redact import Secret, redact_url, scrub
from mensasdk.transport.retry import RetryBudget, RetryPolicy, next_delay, parse_retry_after

__all__ = [
    "NOT_GIVEN",
    "AiohttpTransport",
    "AttemptEnded",
    "AttemptFailed",
    "AttemptStarted",
    "Event",
    "Gate",
    "Hook",
    "HttpRequest",
    "HttpResponse",
    "NotGiven",
    "Pipeline",
    "RetryBudget",
    "RetryPolicy",
    "Secret",
    "Timeouts",
    "Transport",
    "cancelled_outcome",
    "check_base_url",
    "check_timeout",
    "next_delay",
    "parse_retry_after",
    "redact_url",
    "refusal_by_status",
    "scrub",
    "status_error",
]
