"""Decide whether and when a failed attempt is repeated, within a budget of repetitions."""

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
    """Rules for the repetition of failed attempts. A send whose bytes may have left is never repeated in any case.

    Args:
        attempts: the most attempts, with the first one; 1 means no repetition.
        base: seconds; the wait before attempt n+1 is random between 0 and ``base * 2**(n-1)`` (full jitter).
        cap: seconds; upper limit of this wait.
        max_retry_after: seconds; the longest pause that a server may ask for. If it asks for a longer one, there is no
            further attempt, and the caller gets `RateLimited` with the pause.

    Raises:
        ConfigurationError: ``attempts`` is below 1, or another value is negative or not finite.
    """

    attempts: int = field(default=3, validator=_at_least_one)
    base: float = field(default=0.25, kw_only=True, validator=_not_negative)
    cap: float = field(default=8.0, kw_only=True, validator=_not_negative)
    max_retry_after: float = field(default=60.0, kw_only=True, validator=_not_negative)


@define
class RetryBudget:
    """Budget of a client's repetitions, so that it does not multiply the load on a vendor that is down.

    A repetition costs ``cost`` tokens, and a first attempt that succeeds earns one token. With the defaults ten
    repetitions may come at once, and in the long run one in five calls may be repeated. Repetitions that the server
    asks for (status 429) are free.
    """

    capacity: int = 50
    cost: int = 5
    tokens: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = self.capacity

    def take(self) -> bool:
        """Pay for one repetition; return False if too few tokens are left."""
        if self.tokens < self.cost:
            return False
        self.tokens -= self.cost
        return True

    def earn(self) -> None:
        """Add a token, because a call has succeeded at its first attempt."""
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
    """Return the seconds to wait before the next attempt; None if there is to be no next attempt.

    Args:
        policy: the client's policy.
        error: the error that the attempt ended with.
        attempt: position of the attempt in the call, from 1.
        safe: the call only reads, so that repeating it changes nothing.
        remaining: seconds left until the deadline.
        random: returns a random number in [0, 1).
    """
    if attempt >= policy.attempts or not error.retryable:
        return None
    if not safe and error.outcome is not OutcomeKind.NOT_SENT:
        return None
    if isinstance(error, UnexpectedResponse) and attempt > 1:
        return None  # a login or maintenance page does not go away within seconds; one repetition is enough
    delay = random() * min(policy.cap, policy.base * 2 ** (attempt - 1))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        if error.retry_after > policy.max_retry_after:
            return None
        delay += error.retry_after  # plus jitter, so that clients with the same pause do not return at once
    return delay if delay < remaining else None


def parse_retry_after(value: str | None, *, date: str | None = None, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, as a count or as an HTTP date; None if unusable.

    Negative, unreadable and very large values (over 10**8 s) give None. A date in the past gives 0.

    Args:
        value: the header; None if the answer has none.
        date: the ``Date`` header of the same answer. The date in ``value`` is compared with it, because both are of the
            server's clock. Without ``date``, our own clock is used, which may be wrong.
        now: the time of our own clock; None for the system's clock. Only used without ``date``.
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
