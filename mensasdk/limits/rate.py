"""What a rate is, what a limiter has to offer, and the limiter that grants everything."""

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
        raise ConfigurationError(f"{attribute.name} of a rate limit must be a number, not {type(value).__name__}")
    if not (0 < value < math.inf):
        raise ConfigurationError(f"{attribute.name} of a rate limit must be a finite number above 0, not {value}")


@frozen
class RateLimit:
    """At most ``permits`` in any ``per`` seconds.

    Args:
        permits: how many; may be a fraction. In no window can a fraction of a permit be granted: 2.5 a second
            means 2 in any second, and 0.5 a second means one in any two seconds.
        per: length of the window in seconds.

    Raises:
        ConfigurationError: a value is not a finite number above 0.
    """

    permits: float = field(validator=_positive)
    per: float = field(default=1.0, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if not (0 < self.window < math.inf and self.capacity / self.window < math.inf):
            raise ConfigurationError("a rate limit of this size cannot be computed with")

    @property
    def capacity(self) -> int:
        """Whole permits in any window of `window` seconds; at least 1."""
        return max(1, math.floor(self.permits))

    @property
    def window(self) -> float:
        """Seconds of the window that `capacity` holds for: ``per``, or longer if ``permits`` is below 1."""
        return self.per if self.permits >= 1 else self.per / self.permits


@frozen
class LimiterStatistics:
    """What a limiter has done and holds at this moment.

    Attributes:
        granted: permits that have reached their callers.
        in_window: permits that count against the window now.
        waiting: callers that wait now, those included whose permit is on its way.
        waits: callers that had to wait and got their permits.
        largest_wait: longest time in seconds that a caller has waited for its permits.
        paused_for: seconds until the pause that a server asked for ends; 0.0 without one.
    """

    granted: int = 0
    in_window: int = 0
    waiting: int = 0
    waits: int = 0
    largest_wait: float = 0.0
    paused_for: float = 0.0


class RateLimiter(Protocol):
    """What a sender asks of a limiter. A limiter shared by many machines implements the same."""

    @property
    def capacity(self) -> int | None:
        """The most permits in one window, so that no request should need more; None for any number."""

    async def acquire(self, permits: int = 1) -> None:
        """Return when ``permits`` more may go out. Cancelling the wait costs no permit."""

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``, because a server said so (HTTP 429, ``Retry-After``)."""

    def statistics(self) -> LimiterStatistics:
        """What has been granted, and who waits."""


class Unlimited:
    """Grants everything at once, save during a pause that a server asked for; see `RateLimiter`."""

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
        """None: any number of permits is granted at once."""
        return None

    async def acquire(self, permits: int = 1) -> None:
        """Return at once, or when the present pause has ended.

        Raises:
            ValidationError: ``permits`` is not a whole number above 0.
        """
        check_permits(permits)
        start = now = time.monotonic()
        if now < self._paused_until:
            self._waiting += 1
            try:
                while now < self._paused_until:  # a pause may be made longer while we wait
                    await asyncio.sleep(self._paused_until - now)
                    now = time.monotonic()
            finally:
                self._waiting -= 1
            self._waits += 1
            self._largest_wait = max(self._largest_wait, now - start)
        self._granted += permits

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``; the longer of this and a pause already in force counts.

        Raises:
            ValidationError: ``seconds`` is NaN or infinite.
        """
        self._paused_until = max(self._paused_until, time.monotonic() + pause_of(seconds))

    def statistics(self) -> LimiterStatistics:
        """What has been granted, and who waits for the end of a pause."""
        return LimiterStatistics(
            granted=self._granted,
            waiting=self._waiting,
            waits=self._waits,
            largest_wait=self._largest_wait,
            paused_for=max(0.0, self._paused_until - time.monotonic()),
        )


def check_permits(permits: object) -> None:
    if isinstance(permits, bool) or not isinstance(permits, int) or permits < 1:
        raise ValidationError(f"permits must be a whole number above 0, not {permits!r}", field="permits")


def pause_of(seconds: float) -> float:
    if not math.isfinite(seconds):
        raise ValidationError(f"seconds of a pause must be finite, not {seconds}", field="seconds")
    return max(0.0, seconds)
