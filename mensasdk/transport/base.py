"""What a transport is: it takes a request in bytes terms, gives an answer in bytes terms, and can be closed."""

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
    if value.__class__ is not float or not 0 < value < math.inf:  # one is made for each attempt, so it is to be quick
        check_seconds(f"Timeouts.{attribute.name}", value)


@value
class Timeouts:
    """How long a call may take.

    Args:
        total: seconds for the whole call: all attempts, waits between them, and reading the last byte.
        connect: seconds for making one connection (TCP and TLS); looking its name up counts for ``total`` only.

    Raises:
        ConfigurationError: one of them is not positive and finite.
    """

    total: float = field(default=30.0, validator=_positive)
    connect: float = field(default=10.0, validator=_positive)


class NotGiven(Enum):
    """The class of `NOT_GIVEN`."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""Stands for an argument that was left out, where None might be taken for something else, such as "without end"."""


def check_timeout(timeout: float) -> float:
    """Give the seconds of a call's ``timeout`` back.

    Raises:
        ConfigurationError: it is no finite number above 0. A call without any limit is not to be had.
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
    """One request, ready for the wire.

    Secrets of the URL and the headers stand apart as `Secret` and are added by the transport at the last moment, so
    that a request can be shown and logged. A body may hold secrets, numbers and texts, and is never shown.

    Args:
        method: ``"GET"`` or ``"POST"``.
        url: absolute URL without secrets, percent-encoded.
        headers: headers without secrets.
        body: the bytes of the body; empty for none.
        secret_headers: header name to secret value.
        secret_query: query parameters that hold secrets; appended to the URL after all others.
    """

    method: str
    url: str = field(repr=redact_url)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = field(default=b"", repr=False)
    secret_headers: Mapping[str, Secret] = field(factory=dict)
    secret_query: Mapping[str, Secret] = field(factory=dict)


@value
class HttpResponse:
    """One whole answer: status, headers with lower-case names, and the decompressed body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def mark_cancelled(error: asyncio.CancelledError, outcome: OutcomeKind) -> None:
    """Write on a passing cancellation what became of the request; for transports, and whoever makes requests of it."""
    error.mensasdk_outcome = outcome  # type: ignore[attr-defined]


def cancelled_outcome(error: asyncio.CancelledError) -> OutcomeKind:
    """What became of a request whose call was cancelled: as `mark_cancelled` wrote, and UNKNOWN where nobody did."""
    outcome = getattr(error, "mensasdk_outcome", OutcomeKind.UNKNOWN)
    return OutcomeKind(outcome)


class Transport(Protocol):
    """The way out. A test, a proxy or a faster HTTP stack takes this place by having these two methods.

    ``send`` makes at most one request on the wire and never follows a redirect. It raises a `TransportError` (or
    `ResponseTooLarge`) whose ``outcome`` is NOT_SENT only if no byte of the request left this machine, or a
    `ConfigurationError` where it cannot be made at all, and returns every other answer, whatever its status. It lets
    `asyncio.CancelledError` pass, and may say with `mark_cancelled` that nothing had left; else a send that was
    cancelled in here counts as UNKNOWN.

    ``aclose`` lets go of what it holds. A client closes the transport that it made, and none that it was given.
    """

    async def send(self, request: HttpRequest, *, timeouts: Timeouts) -> HttpResponse: ...

    async def aclose(self) -> None: ...


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine by its name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None when it is malformed or holds blanks or control characters."""
    if not url.isprintable() or " " in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def check_base_url(url: str) -> str:
    """Return ``url`` without slashes at its end.

    Raises:
        ConfigurationError: it is no absolute http(s) URL, holds credentials, a query or a fragment, or is plain
            ``http://`` to another machine than this one.
    """
    check_kind("base_url", url, str, "a string, such as https://api.example.com/v7")
    parts = split_url(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError("base_url must be an absolute https:// URL, such as https://api.example.com/v7")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigurationError("base_url must hold no user, password, query or fragment; give credentials apart")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(
            "base_url is plain http to another machine, which would show the credentials to the network; use https"
        )
    return url.rstrip("/")
