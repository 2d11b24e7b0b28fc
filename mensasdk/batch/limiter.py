"""How many messages, or requests, may leave in a given time.

Vendors count in windows and block who passes them, so the promise here is strict: in **no** sliding window of
``per`` seconds are more than ``permits`` granted. The second promise is evenness: permits are paced, never
handed out as one burst at the start of a window.

Why the first promise needs more than a schedule: between the moment at which a waiter is woken and the moment at which
it runs lie other tasks, a garbage collection, or a suspended laptop. A limiter that notes when it *decided* lets two
windows' worth of late wakers run side by side. `WindowLimiter` notes when each permit *arrived*, and counts a permit
that is still on its way as spent.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from attrs import Attribute, field, frozen

from mensasdk.errors import ConfigurationError, ValidationError

__all__ = ["LimiterStatistics", "RateLimit", "RateLimiter", "Unlimited", "WindowLimiter"]

# A window is held this much longer than it says, so that it also holds on the caller's clock, which is read a moment
# after ours, and so that no rounding of a float can shorten it. Costs 0.1 % of the rate.
_MARGIN = 1.001
# The pace runs ahead of the rate by this much. The window has the last word, so the rate is never passed, but what a
# stalled event loop could not hand out is made up within the window.
_PACE = 1.15
# Seconds that a timer may be late without the pace losing them. Bounds the burst after a stall.
_LATENESS = 0.02
# Arrivals within this share of a window become one entry of the log (counted as the latest of them: the safe side).
# It bounds the log at any rate.
_GRAIN = 1 / 2000
# Selectors and libuv wake on whole milliseconds; asking for less makes the loop spin.
_TICK = 0.001


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
    """What a sender asks of a limiter. A limiter shared by many machines implements the same three methods."""

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

    async def acquire(self, permits: int = 1) -> None:
        """Return at once, or when the present pause has ended.

        Raises:
            ValidationError: ``permits`` is not a whole number above 0.
        """
        _check_permits(permits)
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
        self._paused_until = max(self._paused_until, time.monotonic() + _pause(seconds))

    def statistics(self) -> LimiterStatistics:
        """What has been granted, and who waits for the end of a pause."""
        return LimiterStatistics(
            granted=self._granted,
            waiting=self._waiting,
            waits=self._waits,
            largest_wait=self._largest_wait,
            paused_for=max(0.0, self._paused_until - time.monotonic()),
        )


class WindowLimiter:
    """Strict in every sliding window, evenly paced, first come first served; see `RateLimiter`.

    * In no window of ``limit.per`` seconds do more than ``limit.permits`` permits reach their callers.
    * Permits are paced at a little over the rate (an uninterrupted second's worth takes about 0.87 s), so that a stall
      of the event loop is made up without a burst.
    * Callers are served in the order in which they asked. A large request at the head waits until it fits, and
      nobody overtakes it.
    * A request for **more permits than one window holds** (1,000 recipients under 200 a second) cannot obey the
      window by itself. It is granted once the window is empty, and is then charged as many windows as it would have
      needed: nothing follows it for 5 seconds, so that the average never passes the rate. A sender that sizes its
      requests to the limit never meets this case.
    * Cancelling a waiter costs nothing. If its permit was already on its way, the permit comes back, though its
      place in the pace is gone: the limiter errs by granting less.

    There is no background task: one timer serves all waiters, and none is set while nobody waits. A limiter belongs to
    the event loop of its first `acquire`; it may move to another loop while nobody waits. It is not thread-safe.

    Args:
        limit: how many in which time.
        clock: seconds from any start, never going back. It is not the event loop's own clock, because uvloop's is
            read once per pass of the loop, in milliseconds, and a permit must be logged at its true time.
    """

    def __init__(self, limit: RateLimit, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._capacity = limit.capacity
        self._window = limit.window * _MARGIN
        self._gap = limit.window / (limit.capacity * _PACE)
        self._grain = limit.window * _GRAIN
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: OrderedDict[asyncio.Future[None], int] = OrderedDict()
        # The log, oldest first: until when how many permits count. Two queues of plain numbers, because making any
        # container here could start a garbage collection between a permit's entry and its arrival.
        self._log_until: deque[float] = deque()
        self._log_count: deque[int] = deque()
        self._entry_end = -math.inf  # until when arrivals join the log's last entry
        self._in_log = 0  # permits that arrived and still count
        self._on_their_way = 0  # permits whose waiter is woken and has not run yet
        self._pace = -math.inf  # earliest time of the next grant
        self._paused_until = -math.inf
        self._granted = 0
        self._waits = 0
        self._largest_wait = 0.0
        self._waking = 0  # callers behind `_on_their_way`

    def __repr__(self) -> str:
        return f"WindowLimiter({self._limit!r})"

    @property
    def limit(self) -> RateLimit:
        """The limit as it was given."""
        return self._limit

    async def acquire(self, permits: int = 1) -> None:
        """Return when ``permits`` more may go out.

        Raises:
            ValidationError: ``permits`` is not a whole number above 0.
            ConfigurationError: callers of another event loop wait here.
        """
        if permits != 1:
            _check_permits(permits)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        now = self._clock()
        # Nobody may overtake, not even a waiter that is woken and has not run yet.
        if (
            self._pace <= now
            and not self._waiters
            and not self._on_their_way
            and (self._in_log + permits <= self._capacity or self._due(permits, now) <= now)
        ):
            self._pace = now + permits * self._gap
            self._arrived(permits, now)
            return

        waiter = loop.create_future()
        self._waiters[waiter] = permits
        # While a woken one has not run, its arrival will see to us: woken now, we would run before it.
        if self._timer is None and not self._on_their_way:
            self._serve(now)
        try:
            await waiter
        except BaseException:
            self._abandon(waiter, permits)
            raise
        self._on_their_way -= permits
        self._waking -= 1
        self._waits += 1
        if self._waiters and self._timer is None:  # the next one hangs on this arrival
            self._timer = loop.call_later(0, self._on_timer)
        arrival = self._clock()
        self._largest_wait = max(self._largest_wait, arrival - now)
        self._arrived(permits, arrival)

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``; the longer of this and a pause already in force counts.

        Permits that are on their way to a woken waiter are not called back.

        Args:
            seconds: zero or less changes nothing.

        Raises:
            ValidationError: ``seconds`` is NaN or infinite.
        """
        # A timer that is set for an earlier time finds the pause when it fires, and sets itself again.
        self._paused_until = max(self._paused_until, self._clock() + _pause(seconds))
        self._pace = max(self._pace, self._paused_until)

    def statistics(self) -> LimiterStatistics:
        """What has been granted, and who waits."""
        now = self._clock()
        self._expire(now)
        return LimiterStatistics(
            granted=self._granted,
            in_window=self._in_log + self._on_their_way,
            waiting=len(self._waiters) + self._waking,
            waits=self._waits,
            largest_wait=self._largest_wait,
            paused_for=max(0.0, self._paused_until - now),
        )

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiters or self._on_their_way:
            raise ConfigurationError("this rate limiter is in use in another event loop; make one per loop")
        self._loop = loop

    def _expire(self, now: float) -> None:
        log = self._log_until
        while log and log[0] <= now:
            log.popleft()
            self._in_log -= self._log_count.popleft()

    def _due(self, permits: int, now: float) -> float:
        """When this many can be granted; infinity if that hangs on permits that are still on their way."""
        taken = self._in_log + self._on_their_way
        if taken + permits <= self._capacity:  # true even if part of the log has expired
            return self._pace
        self._expire(now)
        # A request larger than the window needs all of it.
        missing = self._in_log + self._on_their_way + min(permits, self._capacity) - self._capacity
        if missing <= 0:
            return self._pace
        for until, count in zip(self._log_until, self._log_count, strict=True):
            missing -= count
            if missing <= 0:
                return max(self._pace, until)
        return math.inf

    def _arrived(self, permits: int, now: float) -> None:
        """Enter permits that have reached their caller."""
        self._granted += permits
        self._in_log += permits
        until = now + self._window
        if permits > self._capacity:
            until = now + self._window * permits / self._capacity
        if now < self._entry_end and self._log_until:
            self._log_until[-1] = until
            self._log_count[-1] += permits
        else:
            self._log_until.append(until)
            self._log_count.append(permits)
            # Nothing joins a request larger than the window: it counts longer than what comes after it.
            self._entry_end = now + self._grain if permits <= self._capacity else now

    def _serve(self, now: float) -> None:
        """Wake everybody whose turn it is, and set the timer for the next."""
        while self._waiters:
            waiter, permits = next(iter(self._waiters.items()))
            if waiter.done():  # cancelled, and its task has not run yet
                del self._waiters[waiter]
                continue
            due = self._due(permits, now)
            if due > now:
                if due < math.inf:  # else the next arrival brings us back
                    assert self._loop is not None
                    # A delay, not a point in time: the loop may keep another clock than ours.
                    self._timer = self._loop.call_later(max(due - now, _TICK), self._on_timer)
                return
            del self._waiters[waiter]
            self._pace = max(due, now - _LATENESS) + permits * self._gap
            self._on_their_way += permits
            self._waking += 1
            waiter.set_result(None)

    def _on_timer(self) -> None:
        self._timer = None
        self._serve(self._clock())

    def _abandon(self, waiter: asyncio.Future[None], permits: int) -> None:
        """The caller went away. Give back what was on its way, and let the next one try."""
        if waiter.done() and not waiter.cancelled():
            self._on_their_way -= permits
            self._waking -= 1
        else:
            was_next = next(iter(self._waiters), None) is waiter
            self._waiters.pop(waiter, None)
            if not was_next and self._waiters:
                return  # the timer is set for another one
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        assert self._loop is not None
        if not self._loop.is_closed():  # closed: a forgotten coroutine is being collected
            self._serve(self._clock())


def _check_permits(permits: object) -> None:
    if isinstance(permits, bool) or not isinstance(permits, int) or permits < 1:
        raise ValidationError(f"permits must be a whole number above 0, not {permits!r}", field="permits")


def _pause(seconds: float) -> float:
    if not math.isfinite(seconds):
        raise ValidationError(f"seconds of a pause must be finite, not {seconds}", field="seconds")
    return max(0.0, seconds)
