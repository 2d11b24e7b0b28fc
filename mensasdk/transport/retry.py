"""Whether and when a failed attempt is made again: a pure decision, and the budget that bounds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import Attribute, define, field, frozen

from mensasdk.arguments import check_count, check_seconds
from mensasdk.errors import MensaError, OutcomeKind, RateLimited, UnexpectedResponse

__all__ = ["RetryBudget", "RetryPolicy", "next_delay", "parse_retry_after"]


def _not_negative(_: object, attribute: Attribute[Any], value: object) -> None:
    check_seconds(f"RetryPolicy.{attribute.name}", value, zero=True)


def _at_least_one(_: object, attribute: Attribute[Any], value: object) -> None:
    check_count(f"RetryPolicy.{attribute.name}", value)


@frozen
class RetryPolicy:
    """How failed attempts are repeated. A send whose bytes may have left is never repeated, whatever stands here.

    Args:
        attempts: attempts in all, the first included; 1 means no repetition.
        base: seconds; the wait before attempt n+1 is random between 0 and ``base * 2**(n-1)`` (full jitter).
        cap: seconds; no such wait is longer.
        max_retry_after: seconds; a server that asks for a longer pause gets no further attempt, and the caller
            gets `RateLimited` with the figure.
    """

    attempts: int = field(default=3, validator=_at_least_one)
    base: float = field(default=0.25, kw_only=True, validator=_not_negative)
    cap: float = field(default=8.0, kw_only=True, validator=_not_negative)
    max_retry_after: float = field(default=60.0, kw_only=True, validator=_not_negative)


@define
class RetryBudget:
    """Keeps a client from doubling the load on a vendor that is down.

    A repetition costs ``cost`` tokens, a first attempt that works gives one back. With the default figures ten
    repetitions may come at once, and in the long run one in five calls may be repeated. Waits that the server itself
    asks for (429) are free.
    """

    capacity: int = 50
    cost: int = 5
    tokens: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = self.capacity

    def take(self) -> bool:
        """Pay for one repetition; False when there is nothing left to pay with."""
        if self.tokens < self.cost:
            return False
        self.tokens -= self.cost
        return True

    def earn(self) -> None:
        """A call worked at its first attempt."""
        if self.tokens < self.capacity:
            self.tokens += 1


def next_delay(
    policy: RetryPolicy,
    error: MensaError,
    *,
    attempt: int,
    safe: bool,
    remaining: float,
    random: Callable[[], float],
) -> float | None:
    """Seconds to wait before the next attempt, or None when ``error`` is final.

    Args:
        policy: the client's policy.
        error: what the attempt ended with.
        attempt: its number, from 1.
        safe: the call only reads, so that repeating it changes nothing.
        remaining: seconds left of the deadline.
        random: gives a number in [0, 1).
    """
    if attempt >= policy.attempts or not error.retryable:
        return None
    if not safe and error.outcome is not OutcomeKind.NOT_SENT:
        return None
    if isinstance(error, UnexpectedResponse) and attempt > 1:
        return None  # a login or maintenance page does not go away within seconds; one more look is enough
    delay = random() * min(policy.cap, policy.base * 2 ** (attempt - 1))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        if error.retry_after > policy.max_retry_after:
            return None
        delay += error.retry_after  # jitter on top, so that clients told the same figure do not return as one
    return delay if delay < remaining else None


def parse_retry_after(value: str | None, *, date: str | None = None, now: datetime | None = None) -> float | None:
    """Seconds from a ``Retry-After`` header, given as seconds or as an HTTP date; None when it says nothing usable.

    Negative, absurd (over 10**8 s) and unreadable values count as nothing; a date in the past is 0.

    Args:
        value: the header.
        date: the ``Date`` header of the same answer. A date to come back at is on the server's clock, and so is this
            one; without it our own clock has to do, which may be wrong, or have been set a moment ago.
        now: the present, where there is no ``date``; None for the system's clock.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
        return seconds if seconds <= 1e8 else None
    moment = _http_date(text)
    if moment is None:
        return None
    said = _http_date(date) if date is not None else None
    seconds = (moment - (said or now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds <= 1e8 else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
