"""Interface of a transport, with the request that it sends, the answer that it returns, and its time limits."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from attrs import Attribute, field

from mensasdk._value import value
from mensasdk.arguments import check_kind, check_seconds
from mensasdk.errors import ConfigurationError, OutcomeKind
from mensasdk.transport.redact import Secret, redact_url

__all__ = [
    "NOT_GIVEN",
    "HttpRequest",
    "HttpResponse",
    "NotGiven",
    "Timeouts",
    "Transport",
    "cancelled_outcome",
    "check_base_url",
    "check_timeout",
    "mark_cancelled",
]


def _positive(_: object, attribute: Attribute[Any], value: Any) -> None:
    if value.__class__ is not float or not 0 < value < math.inf:  # quick, because one is made for each attempt
        check_seconds(f"Timeouts.{attribute.name}", value)


@value
class Timeouts:
    """Time limits of a call.

    Args:
        total: seconds for the whole call: all attempts, the waits between them, and reading the answer to its end.
        connect: seconds for making one connection (TCP and TLS). Looking up the host name counts for ``total`` only.

    Raises:
        ConfigurationError: one of the limits is not a positive, finite number.
    """

    total: float = field(default=30.0, validator=_positive)
    connect: float = field(default=10.0, validator=_positive)


class NotGiven(Enum):
    """Class of `NOT_GIVEN`."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""Default of arguments for which None has a meaning of its own, such as "without limit"."""


def check_timeout(timeout: float) -> float:
    """Check the ``timeout`` of a call, in seconds, and return it.

    Raises:
        ConfigurationError: it is not a finite number above 0. A call without a time limit is not possible.
    """
    value: object = timeout
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (timeout > 0 and math.isfinite(timeout)):
        shown = timeout if number else type(value).__name__
        raise ConfigurationError(
            f"timeout must be a finite number of seconds above 0, such as 2.5, and not {shown}; leave it out for the "
            "client's Timeouts.total"
        )
    return timeout


@value
class HttpRequest:
    """HTTP request, ready to be sent.

    Secrets of the URL and the headers are kept apart as `Secret`, and added by the transport at the last moment. So a
    request can be shown and logged. A body may hold secrets, numbers and texts, and is never shown.

    Args:
        method: ``"GET"`` or ``"POST"``.
        url: absolute URL without secrets, percent-encoded.
        headers: headers without secrets.
        body: bytes of the body; empty for a request without a body.
        secret_headers: secret values by the names of their headers.
        secret_query: query parameters that hold secrets. They are appended to the URL after all others.
    """

    method: str
    url: str = field(repr=redact_url)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = field(default=b"", repr=False)
    secret_headers: Mapping[str, Secret] = field(factory=dict)
    secret_query: Mapping[str, Secret] = field(factory=dict)


@value
class HttpResponse:
    """Whole HTTP answer: status, headers with lower-case names, and the decompressed body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def mark_cancelled(error: asyncio.CancelledError, outcome: OutcomeKind) -> None:
    """Note the outcome of a request on the cancellation that interrupted it; for transports and their callers."""
    error.mensasdk_outcome = outcome  # type: ignore[attr-defined]


def cancelled_outcome(error: asyncio.CancelledError) -> OutcomeKind:
    """Return the outcome of a request whose call was cancelled: the one noted by `mark_cancelled`, else UNKNOWN."""
    outcome = getattr(error, "mensasdk_outcome", OutcomeKind.UNKNOWN)
    return OutcomeKind(outcome)


class Transport(Protocol):
    """Interface to send requests. Any object with these two methods can be used: in tests, or for another HTTP library.

    A client closes the transport that it made itself, but not one that it was given.
    """

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse:
        """Send at most one request, follow no redirect, and return the answer, whatever its status.

        A transport lets `asyncio.CancelledError` pass. It may note with `mark_cancelled` that nothing had been sent;
        otherwise a send that was cancelled here counts as UNKNOWN.

        Args:
            request: the request to send.
            timeouts: the time limits of this attempt.

        Raises:
            TransportError: (or `ResponseTooLarge`) there is no answer. ``outcome`` is NOT_SENT only if no byte of the
                request has left this machine.
            ConfigurationError: the request cannot be made at all.
        """

    async def aclose(self) -> None:
        """Close the connections and release everything else that the transport holds."""


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def split_url(url: str) -> SplitResult | None:
    """Return the parts of a URL; None if it is malformed, or holds blanks or control characters."""
    if not url.isprintable() or " " in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def check_base_url(url: str) -> str:
    """Check a base URL, and return it without slashes at its end.

    Raises:
        ConfigurationError: ``url`` is not an absolute http(s) URL, holds credentials, a query or a fragment, or is
            plain ``http://`` to another machine than this one.
    """
    check_kind("base_url", url, str, "a string, such as https://api.example.com/v7")
    parts = split_url(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _wrong_base_url("must be an absolute https:// URL, such as https://api.example.com/v7")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise _wrong_base_url("must hold no user, password, query or fragment", "give credentials apart")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _wrong_base_url(
            "is plain http to another machine, which would show the credentials to the network", "use https"
        )
    return url.rstrip("/")


def _wrong_base_url(problem: str, remedy: str | None = None) -> ConfigurationError:
    return ConfigurationError(problem, subject="base_url", remedy=remedy, field="base_url")
