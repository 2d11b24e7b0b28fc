"""Stop asking a vendor that does not answer (a circuit breaker), since failed requests leave messages UNKNOWN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from attrs import field, frozen

from mensasdk.arguments import check_count, check_seconds
from mensasdk.errors import ConfigurationError

__all__ = ["Breaker", "CircuitBreaker"]


@frozen
class CircuitBreaker:
    """Rule of a circuit breaker: when to pause requests to a vendor that fails, and when to give the vendor up.

    A request fails if its outcome is UNKNOWN, if no connection can be made, or if the server has an error. A refusal
    is no failure, because the vendor answers. After ``failures`` failed requests in a row, nothing is sent for
    ``pause`` seconds; then a single request, a probe, is sent. While probes fail, the pauses double, up to ``longest``.
    After ``probes`` failed probes the vendor is given up for this campaign, which can be resumed later. Without a
    breaker, an outage at night would make all the rest of the list UNKNOWN.

    Args:
        failures: count of failed requests in a row after which the first pause begins.
        pause: seconds of the first pause.
        longest: seconds of the longest pause.
        probes: count of failed probes after which the vendor is given up.

    Raises:
        ConfigurationError: an argument is not above 0, or ``longest`` is shorter than ``pause``.
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
            raise ConfigurationError(
                "must not be shorter than its pause", subject="longest of a circuit breaker", field="longest"
            )


class Breaker:
    """A `CircuitBreaker` at work, for one lane.

    Args:
        rule: the rule; None for a breaker that never pauses.
        clock: returns monotonic seconds; the event loop's clock by default.
    """

    def __init__(self, rule: CircuitBreaker | None, clock: Callable[[], float] | None = None) -> None:
        self._rule = rule
        self._clock = clock
        self._failures = 0
        self._tries = 0
        self._until: float | None = None  # earliest time of the probe; None while the breaker is closed
        self._probing = False
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Tell whether the breaker is open, so that no request goes out but a single probe."""
        return self._until is not None

    async def enter(self) -> bool:
        """Wait until a request may be made.

        Returns:
            Whether the request is a probe; then `succeed`, `fail` or `let_go` has to follow.
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
        """Note that the vendor answered a request, and close the breaker."""
        self._failures = self._tries = 0
        if self._until is not None:
            self._until = None
            self._probing = False
            self._wake()

    def fail(self, *, probe: bool) -> bool:
        """Note that a request failed, and begin a pause if the rule says so.

        Args:
            probe: the request was a probe.

        Returns:
            Whether to give the vendor up.
        """
        if self._rule is None:
            return False
        if self._until is not None:
            if not probe:  # the request was under way when the pause began
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
        """Note that a probe ended without a verdict: it was cancelled, or the vendor asked to slow down."""
        if self._probing:
            self._probing = False
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()
