"""Limit how many messages or requests may leave in a given time.

Vendors count in windows and block clients that pass their limit, so the limiter makes two strict promises. In **no**
sliding window of ``per`` seconds are more than ``permits`` granted. In no tenth of a window are more than 12 % of them
granted. Within a tenth, permits are paced as evenly as the timers of the machine allow.

A schedule alone could not keep these promises. Between the moment at which a waiter is woken and the moment at which
it runs, there may be other tasks, a garbage collection, or a suspended laptop. A limiter that notes when it *decided*
lets the permits of two windows arrive together if the waiters of the first run late. `WindowLimiter` notes when each
permit *arrived*, and counts a permit that is still on its way as spent.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain

from mensasdk.arguments import check_kind
from mensasdk.errors import ConfigurationError
from mensasdk.limits.rate import LimiterStatistics, RateLimit, check_permits, pause_of

__all__ = ["WindowLimiter"]

# A window is this much longer than its limit says, so that it also holds on the caller's clock, which is read after
# ours: on a busy machine some milliseconds after. It costs 0.3 % of the rate.
_MARGIN = 1.003
# The pace is this much faster than the rate, so that permits which a stalled event loop could not hand out are made up
# within the window. The windows still hold, so the rate is never passed.
_PACE = 1.1
# Seconds that a timer may be late without a loss of pace. A stall of up to this length is made up at once, as far as
# the tenth of a window allows; the rest of a longer stall is made up by the faster pace.
_LATENESS = 0.05
# At most this share of the permits (and at least one) is granted within a tenth of the window. The tenth is held longer
# than a tenth, for the reason of `_MARGIN`, and by a larger share, because a millisecond is a larger share of it.
_BURST = 0.12
_TENTH = 0.102
# A tenth of a window that is shorter than this (in seconds) is too short for timers.
_SHORTEST = 0.02
# Arrivals within this share of a window become one entry of the log, with the time of the latest: the safe side. This
# bounds the length of the log at any rate.
_GRAIN = 1 / 2000
# Selectors and libuv wake on whole milliseconds; a shorter delay makes the loop spin.
_TICK = 0.001


class _Log:
    """Log of the permits that arrived within the last window and within its last tenth.

    The log has two halves, each with its oldest entry first: entries younger than a tenth of a window, and older ones.
    Each half is two queues of plain numbers: the times until which entries count, and their counts of permits. Making a
    container for each entry could start a garbage collection between the entry of a permit and its arrival.
    """

    __slots__ = (
        *("_burst", "_capacity", "_entry_end", "_grain", "_in_tenth", "_rest", "_window", "in_window"),
        *("_old_count", "_old_until", "_young_count", "_young_until"),
    )

    def __init__(self, limit: RateLimit) -> None:
        self.in_window = 0  # count of permits, up to date after `expire`
        self._in_tenth = 0
        self._capacity = self._burst = limit.capacity
        self._window = tenth = limit.window * _MARGIN
        if limit.window / 10 >= _SHORTEST:  # else the rule for a tenth does not apply
            self._burst = math.ceil(limit.capacity * _BURST)
            tenth = limit.window * _TENTH
        self._rest = self._window - tenth
        self._grain = limit.window * _GRAIN
        self._entry_end = -math.inf  # arrivals before this time join the last entry
        self._young_until: deque[float] = deque()
        self._young_count: deque[int] = deque()
        self._old_until: deque[float] = deque()
        self._old_count: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._young_until) + len(self._old_until)

    def add(self, permits: int, now: float) -> None:
        """Add permits that reach their caller at ``now``."""
        self.in_window += permits
        self._in_tenth += permits
        if now < self._entry_end:
            self._young_until[-1] = now + self._window
            self._young_count[-1] += permits
            return
        self.expire(now)  # keeps the log short, also while no caller has to wait
        # A request larger than a window counts for as many windows as it fills; nothing else arrives until then.
        self._young_until.append(now + self._window * max(1.0, permits / self._capacity))
        self._young_count.append(permits)
        self._entry_end = now + self._grain

    def expire(self, now: float) -> None:
        """Remove entries that are older than the window, and move those older than its tenth."""
        young, old = self._young_until, self._old_until
        while young and young[0] - self._rest <= now:
            count = self._young_count.popleft()
            self._in_tenth -= count
            old.append(young.popleft())
            self._old_count.append(count)
        while old and old[0] <= now:
            old.popleft()
            self.in_window -= self._old_count.popleft()

    def due(self, permits: int, coming: int, now: float) -> float:
        """Return the time at which there is room for a request.

        Args:
            permits: count of permits that the request needs.
            coming: count of permits that are on their way to other callers.
            now: the time now.

        Returns:
            The time; minus infinity for at once, infinity if it depends on the permits that are on their way.
        """
        if self.in_window + coming + permits <= self._capacity and self._in_tenth + coming < self._burst:
            return -math.inf  # true also if some entries have expired
        self.expire(now)
        due = -math.inf
        # In the tenth, a request needs room for one permit only. If all its permits had to fit, requests of a little
        # more than half a tenth would go one by one, far below the rate.
        excess = self._in_tenth + coming + 1 - self._burst
        if excess > 0:
            due = _leaving(excess, zip(self._young_until, self._young_count, strict=True)) - self._rest
        # A request larger than the window needs the whole window.
        excess = self.in_window + coming + min(permits, self._capacity) - self._capacity
        if excess > 0:
            untils = chain(self._old_until, self._young_until)
            counts = chain(self._old_count, self._young_count)
            due = max(due, _leaving(excess, zip(untils, counts, strict=True)))
        return due


def _leaving(permits: int, entries: Iterable[tuple[float, int]]) -> float:
    """Return the time from which ``permits`` of the entries no longer count; infinity if there are fewer."""
    for until, count in entries:
        permits -= count
        if permits <= 0:
            return until
    return math.inf


class WindowLimiter:
    """Limiter that is strict in every sliding window, even within it, and serves callers in order; see `RateLimiter`.

    * In no window of ``limit.per`` seconds do more than ``limit.permits`` permits reach their callers.
    * In no tenth of a window do more than 12 % of them (rounded up) reach their callers. A request waits only while as
      many went out in the tenth before it, and never for its own size. With requests of many permits, a tenth may
      therefore have 12 % and one request. Windows shorter than 0.2 seconds have no such rule, because timers are not
      exact enough for it.
    * Permits are paced a little faster than the rate (the permits of a second take about 0.91 s), so that a stall of
      the event loop is made up.
    * Callers are served in the order in which they asked. A large request at the head waits until it fits, and no
      caller overtakes it.
    * A request for **more permits than one window holds** (1,000 recipients at 200 a second) cannot keep to the window.
      It is granted once the window is empty, and then counts for as many windows as it would have needed: nothing
      follows it for 5 seconds, so that the average never passes the rate. A sender that sizes its requests to the
      limit never meets this case.
    * A cancelled waiter costs no permit. If its permit was already on its way, the permit comes back, but its place in
      the pace is lost: the limiter then grants less, never more.

    There is no background task: one timer serves all waiters, and no timer is set while no caller waits. A limiter
    belongs to the event loop of its first `acquire`, and may move to another loop while no caller waits. It is not
    thread-safe.

    Args:
        limit: the limit.
        clock: returns seconds from any start, and never goes back. The event loop's own clock does not serve: uvloop
            reads it once per pass of the loop, in milliseconds, and a permit must be logged at its true time.
    """

    def __init__(self, limit: RateLimit, *, clock: Callable[[], float] = time.monotonic) -> None:
        check_kind("limit", limit, RateLimit, "a RateLimit, such as RateLimit(200)")
        self._limit = limit
        self._clock = clock
        self._log = _Log(limit)
        self._gap = limit.window / (limit.capacity * _PACE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: OrderedDict[asyncio.Future[None], int] = OrderedDict()
        self._on_their_way = 0  # count of permits whose waiter is woken and has not run yet
        self._pace = -math.inf  # earliest time of the next grant
        self._paused_until = -math.inf
        self._granted = 0
        self._waits = 0
        self._largest_wait = 0.0
        self._waking = 0  # count of callers of the permits in `_on_their_way`

    def __repr__(self) -> str:
        return f"WindowLimiter({self._limit!r})"

    @property
    def limit(self) -> RateLimit:
        """Limit as it was given."""
        return self._limit

    @property
    def capacity(self) -> int | None:
        """Most whole permits in one window: see `RateLimit.capacity`."""
        return self._limit.capacity

    async def acquire(self, permits: int = 1) -> None:
        """Wait until ``permits`` more may go out.

        Raises:
            ValidationError: ``permits`` is not a whole number above 0.
            ConfigurationError: callers of another event loop wait for this limiter.
        """
        if permits != 1:
            check_permits(permits)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        now = self._clock()
        # No caller may overtake another, not even one that is woken and has not run yet.
        if self._pace <= now and not self._waiters and not self._on_their_way and self._log.due(permits, 0, now) <= now:
            self._pace = now + permits * self._gap
            self._granted += permits
            self._log.add(permits, now)
            return

        waiter = loop.create_future()
        self._waiters[waiter] = permits
        # While a woken waiter has not run, its arrival serves the next waiter. Served now, we could overtake it.
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
        if self._waiters and self._timer is None:  # this arrival may make room for the next waiter
            self._timer = loop.call_later(0, self._on_timer)
        arrival = self._clock()
        self._largest_wait = max(self._largest_wait, arrival - now)
        self._granted += permits
        self._log.add(permits, arrival)

    def penalise(self, seconds: float) -> None:
        """Grant nothing for ``seconds``. If a pause is in force already, the one that ends later counts.

        Permits that are on their way to a woken waiter are not called back.

        Args:
            seconds: length of the pause; zero or less changes nothing.

        Raises:
            ValidationError: ``seconds`` is NaN or infinite.
        """
        # A timer that is set for an earlier time finds the pause when it fires, and sets itself again.
        self._paused_until = max(self._paused_until, self._clock() + pause_of(seconds))
        self._pace = max(self._pace, self._paused_until)

    def statistics(self) -> LimiterStatistics:
        """Return the state of the limiter at this moment."""
        now = self._clock()
        self._log.expire(now)
        return LimiterStatistics(
            granted=self._granted,
            in_window=self._log.in_window + self._on_their_way,
            waiting=len(self._waiters) + self._waking,
            waits=self._waits,
            largest_wait=self._largest_wait,
            paused_for=max(0.0, self._paused_until - now),
        )

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiters or self._on_their_way:
            raise ConfigurationError("this rate limiter is in use in another event loop; make one per loop")
        self._loop = loop

    def _serve(self, now: float) -> None:
        """Wake all waiters whose turn it is, and set the timer for the next one."""
        while self._waiters:
            waiter, permits = next(iter(self._waiters.items()))
            if waiter.done():  # cancelled, and its task has not run yet
                del self._waiters[waiter]
                continue
            due = max(self._pace, self._log.due(permits, self._on_their_way, now))
            if due > now:
                if due < math.inf:  # else the next arrival calls this again
                    assert self._loop is not None
                    # A delay and not a time, because the loop may use another clock.
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
        """Remove a waiter that was cancelled: give back permits that were on their way, and serve the next waiter."""
        if waiter.done() and not waiter.cancelled():
            self._on_their_way -= permits
            self._waking -= 1
        else:
            was_next = next(iter(self._waiters), None) is waiter
            self._waiters.pop(waiter, None)
            if not was_next and self._waiters:
                return  # the timer is set for the first waiter, which is another one
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        assert self._loop is not None
        if not self._loop.is_closed():  # closed if a forgotten coroutine is being collected
            self._serve(self._clock())
