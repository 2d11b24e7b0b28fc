"""Define rates and the protocol of a limiter, with the limiter that grants everything."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Protocol

from attrs import Attribute, field, frozen

from mensasdk.errors import ConfigurationError, ValidationError

__all__ = ["LimiterStatistics", "RateLimit", "RateLimiter", "Unlimited"]


def _positive(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(attribute.name, f"must be a number, not {type(value).__name__}")
    if not (0 < value < math.inf):
        raise _wrong(attribute.name, f"must be a finite number above 0, not {value}")


def _wrong(name: str, problem: str) -> ConfigurationError:
    return ConfigurationError(problem, subject=f"{name} of a rate limit", field=name)


@frozen
class RateLimit:
    """Limit of ``permits`` in any ``per`` seconds.

    Args:
        permits: the most permits in a window; may be a fraction. Only whole permits are granted: 2.5 a second means 2
            in any second, and 0.5 a second means one in any two seconds.
        per: length of the window in seconds.

    Raises:
        ConfigurationError: a value is not a finite number above 0, or both together are too extreme to compute with.
    """

    permits: float = field(validator=_positive)
    per: float = field(default=1.0, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if not (0 < self.window < math.inf and self.capacity / self.window < math.inf):
            raise ConfigurationError(
                "this rate limit is too extreme to keep",
                remedy="bring permits and per closer together",
                field="permits",
                code="extreme",
            )

    @property
    def capacity(self) -> int:
        """Most whole permits in any `window` seconds; at least 1."""
        return max(1, math.floor(self.permits))

    @property
    def window(self) -> float:
        """Length in seconds of the window for `capacity`: ``per``, or longer if ``permits`` is below 1."""
        return self.per if self.permits >= 1 else self.per / self.permits


@frozen
class LimiterStatistics:
    """State of a limiter at one moment.

    Attributes:
        granted: count of permits that have reached their callers.
        in_window: count of permits that count against the window now.
        waiting: count of callers that wait now, including those whose permits are on their way.
        waits: count of callers that had to wait and got their permits.
        largest_wait: longest time in seconds that a caller has waited for its permits.
        paused_for: seconds until the end of a pause that a server asked for; 0.0 without a pause.
    """

    granted: int = 0
    in_window: int = 0
    waiting: int = 0
    waits: int = 0
    largest_wait: float = 0.0
    paused_for: float = 0.0


class RateLimiter(Protocol):
    """Protocol of a limiter, as a sender uses it. A limiter that many machines share implements the same methods."""

    @property
    def capacity(self) -> int | None:
        """Most permits in one window, which is also the most that a request should need; None for no limit."""

    async def acquire(self, permits: int = 1) -> None:
        """Wait until ``permits`` more may go out. A cancelled wait costs no permit."""

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``, because a server asked for it (HTTP 429, ``Retry-After``)."""

    def statistics(self) -> LimiterStatistics:
        """Return the state of the limiter at this moment."""


class Unlimited:
    """Limiter that grants everything at once, except during a pause that a server asked for; see `RateLimiter`."""

    def __init__(self) -> None:
        self._granted = 0
        self._waiting = 0
        self._waits = 0
        self._largest_wait = 0.0
        self._paused_until = -math.inf

    def __repr__(self) -> str:
        return "Unlimited()"

    @property
    def capacity(self) -> int | None:
        """No limit (None): any count of permits is granted at once."""
        return None

    async def acquire(self, permits: int = 1) -> None:
        """Wait for the end of a pause, if there is one.

        Raises:
            ValidationError: ``permits`` is not a whole number above 0.
        """
        check_permits(permits)
        start = now = time.monotonic()
        if now < self._paused_until:
            self._waiting += 1
            try:
                while now < self._paused_until:  # a pause may become longer while we wait
                    await asyncio.sleep(self._paused_until - now)
                    now = time.monotonic()
            finally:
                self._waiting -= 1
            self._waits += 1
            self._largest_wait = max(self._largest_wait, now - start)
        self._granted += permits

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``. If a pause is in force already, the one that ends later counts.

        Raises:
            ValidationError: ``seconds`` is NaN or infinite.
        """
        self._paused_until = max(self._paused_until, time.monotonic() + pause_of(seconds))

    def statistics(self) -> LimiterStatistics:
        """Return the state of the limiter; callers only ever wait for the end of a pause."""
        return LimiterStatistics(
            granted=self._granted,
            waiting=self._waiting,
            waits=self._waits,
            largest_wait=self._largest_wait,
            paused_for=max(0.0, self._paused_until - time.monotonic()),
        )


def check_permits(permits: object) -> None:
    """Check that ``permits`` is a whole number above 0.

    Raises:
        ValidationError: it is not.
    """
    if isinstance(permits, bool) or not isinstance(permits, int) or permits < 1:
        raise ValidationError(f"must be a whole number above 0, not {permits!r}", subject="permits", field="permits")


def pause_of(seconds: float) -> float:
    """Return the seconds of a pause, or 0.0 if they are negative.

    Raises:
        ValidationError: ``seconds`` is NaN or infinite.
    """
    if not math.isfinite(seconds):
        raise ValidationError(f"seconds of a pause must be finite, not {seconds}", field="seconds")
    return max(0.0, seconds)
