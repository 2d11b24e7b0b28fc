"""Stopping to ask a vendor that does not answer: each request that fails leaves its people in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from attrs import field, frozen

from mensasdk.arguments import check_count, check_seconds
from mensasdk.errors import ConfigurationError

__all__ = ["Breaker", "CircuitBreaker"]


@frozen
class CircuitBreaker:
    """When to pause before a vendor that fails, and when to give up.

    A request fails when nobody knows what became of it, when no connection can be made, or when the server is in
    trouble. A refusal is no failure: the vendor is there. After ``failures`` requests in a row that failed nothing goes
    out for a while; then a single request tries. While it fails the pauses double, and after ``probes`` such tries the
    vendor is given up for this campaign, which can be resumed later. Without this, an outage at night would make
    UNKNOWN whoever comes next, until the list is through.

    Args:
        failures: in a row, after which the first pause begins.
        pause: seconds of the first pause.
        longest: seconds of the longest pause.
        probes: tries that fail before the vendor is given up.
    """

    failures: int = field(default=5, kw_only=True)
    pause: float = field(default=30.0, kw_only=True)
    longest: float = field(default=300.0, kw_only=True)
    probes: int = field(default=5, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_count("failures of a circuit breaker", self.failures)
        check_count("probes of a circuit breaker", self.probes)
        check_seconds("pause of a circuit breaker", self.pause)
        check_seconds("longest of a circuit breaker", self.longest)
        if self.pause > self.longest:
            raise ConfigurationError("longest of a circuit breaker must be no less than its pause")


class Breaker:
    """A `CircuitBreaker` at work, for one lane.

    Args:
        rule: None never breaks.
        clock: monotonic seconds; the loop's by default.
    """

    def __init__(self, rule: CircuitBreaker | None, clock: Callable[[], float] | None = None) -> None:
        self._rule = rule
        self._clock = clock
        self._failures = 0
        self._tries = 0
        self._until: float | None = None  # the end of the pause, while it is open
        self._probing = False
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Nothing goes out at the moment, save for a try."""
        return self._until is not None

    async def enter(self) -> bool:
        """Wait until a request may be made.

        Returns:
            Whether it is a try; then `succeed`, `fail` or `let_go` has to follow.
        """
        while self._until is not None:
            left = self._until - self._now()
            if left <= 0 and not self._probing:
                self._probing = True
                return True
            try:
                async with asyncio.timeout(None if self._probing else left):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return False

    def succeed(self) -> None:
        """The vendor answered."""
        self._failures = self._tries = 0
        if self._until is not None:
            self._until = None
            self._probing = False
            self._wake()

    def fail(self, *, probe: bool) -> bool:
        """A request failed.

        Returns:
            Whether the vendor is to be given up.
        """
        if self._rule is None:
            return False
        if self._until is not None:
            if not probe:  # it was under way when the pause began
                return False
            self._tries += 1
            if self._tries >= self._rule.probes:
                return True
        else:
            self._failures += 1
            if self._failures < self._rule.failures:
                return False
        self._until = self._now() + min(self._rule.pause * 2**self._tries, self._rule.longest)
        self._probing = False
        self._wake()
        return False

    def let_go(self) -> None:
        """A try came to no verdict: it was cancelled, or the vendor asked to slow down."""
        if self._probing:
            self._probing = False
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()
