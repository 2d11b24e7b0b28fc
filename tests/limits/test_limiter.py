"""The rate limiter. Most claims are checked in virtual time, where they are exact whatever the machine does."""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from bisect import bisect_left
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from attrs import evolve, frozen
from attrs.exceptions import FrozenInstanceError
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import pickled
from tiers import examples

from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.limits.rate import LimiterStatistics, RateLimit, RateLimiter, Unlimited
from mensasdk.limits.window import WindowLimiter

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        self.now = 5000.0
        super().__init__(_Instant(self))

    def time(self) -> float:
        return self.now

    def live_timers(self) -> int:
        return sum(not handle.cancelled() for handle in getattr(self, "_scheduled"))  # noqa: B009


class _Instant(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits and no timer is set: a waiter was forgotten")
        self._loop.now += max(0.0, timeout)
        return super().select(0)


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()


def busiest(times: list[float], length: float) -> int:
    """Most events in any half-open window of this many seconds."""
    return max((bisect_left(times, start + length) - i for i, start in enumerate(times)), default=0)


async def flood(
    limiter: WindowLimiter, now: Callable[[], float], *, tasks: int, until: float, stall: Callable[[], None]
) -> list[float]:
    """Return the times at which permits reached this many greedy tasks."""
    times: list[float] = []

    async def work() -> None:
        while True:
            await limiter.acquire()
            times.append(now())
            stall()

    workers = [asyncio.create_task(work()) for _ in range(tasks)]
    await asyncio.sleep(until - now())
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return [moment for moment in times if moment < until]


# --- the value ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, -math.inf, 0.0, "5", None, True])
def test_a_limit_that_means_nothing_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError):
        RateLimit(bad)
    with pytest.raises(ConfigurationError):
        RateLimit(1, per=bad)


@pytest.mark.parametrize(("permits", "per"), [(1e-300, 1e300), (1e300, 1e-300), (5e-324, 1.0)])
def test_a_limit_beyond_floats_is_refused(permits: float, per: float) -> None:
    with pytest.raises(ConfigurationError):
        RateLimit(permits, per)


def test_a_limit_is_a_frozen_value() -> None:
    limit = RateLimit(10, per=2.0)
    assert limit == RateLimit(10, 2)
    assert pickled(limit) == limit
    with pytest.raises(FrozenInstanceError):
        limit.permits = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("permits", "per", "capacity", "window"),
    [(2.5, 1.0, 2, 1.0), (0.5, 1.0, 1, 2.0), (1, 1.0, 1, 1.0), (30, 60.0, 30, 60.0), (0.1, 60.0, 1, 600.0)],
)
def test_fractions_are_read_on_the_strict_side(permits: float, per: float, capacity: int, window: float) -> None:
    limit = RateLimit(permits, per)
    assert limit.capacity == capacity
    assert limit.window == pytest.approx(window)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "1", None, False])
async def test_permits_are_whole_and_positive(bad: Any) -> None:
    for limiter in (WindowLimiter(RateLimit(5)), Unlimited()):
        with pytest.raises(ValidationError) as caught:
            await limiter.acquire(bad)
        assert caught.value.field == "permits"
        assert limiter.statistics() == LimiterStatistics()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_pause_without_end_is_refused(bad: float) -> None:
    for limiter in (WindowLimiter(RateLimit(5)), Unlimited()):
        with pytest.raises(ValidationError):
            limiter.penalise(bad)
        assert limiter.statistics().paused_for == 0.0


def test_both_implement_the_protocol_and_say_what_they_are() -> None:
    limiters: list[RateLimiter] = [WindowLimiter(RateLimit(5)), Unlimited()]
    assert [repr(limiter) for limiter in limiters] == [
        "WindowLimiter(RateLimit(permits=5, per=1.0))",
        "Unlimited()",
    ]
    assert WindowLimiter(RateLimit(5)).limit == RateLimit(5)


# --- rate, evenness, cost ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_under_load_the_rate_is_used_never_passed_and_spread_evenly() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(1000), clock=loop.time)
        return await flood(limiter, loop.time, tasks=200, until=loop.now + 20, stall=lambda: None)

    times = run(main)
    assert len(times) >= 0.99 * 20_000
    assert busiest(times, 1.0) <= 1000
    assert busiest(times, 0.1) <= 120


@pytest.mark.slow
@pytest.mark.parametrize(("every", "stall"), [(5, 0.001), (100, 0.01), (300, 0.04), (1000, 0.1)])
def test_stalls_of_the_loop_are_made_up_and_never_passed_on_as_a_burst(every: int, stall: float) -> None:
    """Every so manieth permit blocks the whole loop, the worst kind of caller."""
    count = 0

    async def main(loop: VirtualLoop) -> list[float]:
        def block() -> None:
            nonlocal count
            count += 1
            if count % every == 0:
                loop.now += stall

        limiter = WindowLimiter(RateLimit(1000), clock=loop.time)
        return await flood(limiter, loop.time, tasks=50, until=loop.now + 10, stall=block)

    times = run(main)
    assert len(times) >= 0.99 * 10_000
    assert busiest(times, 1.0) <= 1000
    assert busiest(times, 0.1) <= 120


@pytest.mark.parametrize(
    ("permits", "per", "in_a_tenth"), [(8, 1.0, 1), (9, 1.0, 2), (30, 60.0, 4), (100, 0.2, 12), (1000, 1.0, 120)]
)
def test_a_tenth_of_a_window_holds_12_percent_of_its_permits(permits: int, per: float, in_a_tenth: int) -> None:
    """Rounded up, so that the rate can be reached. The loop is late often, and by as much as a whole window."""

    async def main(loop: VirtualLoop) -> list[float]:
        count = 0

        def block() -> None:
            nonlocal count
            count += 1
            if count % (permits // 7) == 0:
                loop.now += per * (count % 11) / 10

        limiter = WindowLimiter(RateLimit(permits, per), clock=loop.time)
        return await flood(limiter, loop.time, tasks=50, until=loop.now + 20 * per, stall=block)

    times = run(main)
    assert len(times) > 2 * permits
    assert busiest(times, per / 10) == in_a_tenth


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 8, 50, 61, 100, 119, 125, 250, 500, 1000])
def test_requests_of_any_size_get_as_much_as_fits_into_windows(size: int) -> None:
    """A tenth of a window makes no request wait for its own size, or 61 at a time would come to 610 a second."""

    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(1000), clock=loop.time)
        start, times = loop.now, []
        while loop.now < start + 20:
            await limiter.acquire(size)
            times.append(loop.now)
        return times

    times = run(main)
    assert len(times) >= 0.99 * 20 * (1000 // size)
    assert busiest(times, 1.0) <= 1000 // size
    assert busiest(times, 0.1) <= 119 // size + 1


def test_a_window_too_short_for_timers_has_no_rule_for_its_tenths() -> None:
    """In half of the time, the other half being lost to stalls, three in a tenth would come to 15 of 20."""

    async def main(loop: VirtualLoop) -> list[float]:
        count = 0

        def block() -> None:
            nonlocal count
            count += 1
            if count % 20 == 0:
                loop.now += 0.01

        limiter = WindowLimiter(RateLimit(20, per=0.02), clock=loop.time)
        return await flood(limiter, loop.time, tasks=50, until=loop.now + 5, stall=block)

    times = run(main)
    assert len(times) >= 0.9 * 5_000
    assert busiest(times, 0.02) <= 20


def test_the_first_second_is_paced_too() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(10), clock=loop.time)
        return await flood(limiter, loop.time, tasks=30, until=loop.now + 2, stall=lambda: None)

    times = run(main)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) > 0.08
    assert len(times) in (19, 20)


def test_an_idle_limiter_does_not_save_up_a_burst() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(100), clock=loop.time)
        await limiter.acquire()
        await asyncio.sleep(60)
        return await flood(limiter, loop.time, tasks=100, until=loop.now + 1, stall=lambda: None)

    assert busiest(run(main), 0.1) <= 13


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1_000_000, 50_000_000])
async def test_the_log_stays_small_at_any_rate(rate: int) -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            self.now += 20e-6
            return self.now

    limiter = WindowLimiter(RateLimit(rate), clock=Clock())
    for _ in range(120_000):  # 2.4 seconds
        await limiter.acquire()
    assert limiter.statistics().granted == 120_000
    assert 0 < len(limiter._log) <= 2100


async def test_the_log_stays_small_where_little_of_the_rate_is_used() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            self.now += 0.002
            return self.now

    limiter = WindowLimiter(RateLimit(1_000_000), clock=Clock())
    for _ in range(3_000):  # 6 seconds
        await limiter.acquire()
    assert 490 < len(limiter._log) < 510


async def test_a_thousand_permits_at_once_are_one_entry_of_the_log() -> None:
    limiter = WindowLimiter(RateLimit(1000))
    await limiter.acquire(1000)
    assert len(limiter._log) == 1
    assert limiter.statistics().in_window == 1000


# --- weights -----------------------------------------------------------------------------------------------------


def test_a_heavy_request_waits_until_it_fits_and_nobody_overtakes_it() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[str, float]]:
        limiter = WindowLimiter(RateLimit(10), clock=loop.time)
        start = loop.now
        order: list[tuple[str, float]] = []

        async def take(name: str, permits: int) -> None:
            await limiter.acquire(permits)
            order.append((name, loop.now - start))

        await asyncio.gather(take("a", 4), take("heavy", 10), take("light", 1))
        return order

    order = run(main)
    assert [name for name, _ in order] == ["a", "heavy", "light"]
    assert order[1][1] == pytest.approx(1.0, abs=0.01)
    assert order[2][1] == pytest.approx(2.0, abs=0.01)


def test_a_newcomer_does_not_overtake_a_waiter_that_is_woken_and_has_not_run() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        limiter = WindowLimiter(RateLimit(10, per=0.1), clock=loop.time)  # a permit every 8.7 ms
        order: list[str] = []

        async def take(name: str, after: float) -> None:
            await asyncio.sleep(after)
            await limiter.acquire()
            order.append(name)

        await limiter.acquire()
        waiter = asyncio.create_task(take("waiter", 0.0))
        newcomer = asyncio.create_task(take("newcomer", 0.008))
        await asyncio.sleep(0.005)
        assert limiter.statistics().waiting == 1
        # In one late pass of the loop the newcomer is started and then, by the limiter's timer, the waiter is woken.
        loop.now += 0.05
        await asyncio.gather(waiter, newcomer)
        return order

    assert run(main) == ["waiter", "newcomer"]


def test_a_request_larger_than_the_window_is_legal_and_charged_for_all_its_windows() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(200), clock=loop.time)
        start = loop.now
        times = []
        for permits in (1, 1000, 1, 300, 1):
            await limiter.acquire(permits)
            times.append(loop.now - start)
        return times

    first, oversize, after, second, last = run(main)
    assert first == 0
    assert 1.0 <= oversize < 1.01, "only when the window is empty"
    assert 5.0 <= after - oversize < 5.02, "1,000 permits at 200 a second"
    assert 1.0 <= second - after < 1.01
    assert 1.5 <= last - second < 1.51


# --- pauses ------------------------------------------------------------------------------------------------------


def test_a_pause_holds_everybody_back_and_only_the_longest_counts() -> None:
    async def main(loop: VirtualLoop) -> None:
        limiter = WindowLimiter(RateLimit(100), clock=loop.time)
        start = loop.now
        limiter.penalise(5)
        limiter.penalise(2)
        limiter.penalise(0)
        limiter.penalise(-3)
        assert limiter.statistics().paused_for == pytest.approx(5)
        waiter = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(4)
        assert not waiter.done()
        limiter.penalise(3)  # while somebody waits
        await waiter
        assert 7 <= loop.now - start < 7.01
        statistics = limiter.statistics()
        assert statistics.paused_for == 0
        assert statistics.largest_wait == pytest.approx(7, abs=0.01)

    run(main)


def test_after_a_pause_the_waiters_come_paced() -> None:
    async def main(loop: VirtualLoop) -> list[float]:
        limiter = WindowLimiter(RateLimit(1000), clock=loop.time)
        limiter.penalise(10)
        return await flood(limiter, loop.time, tasks=500, until=loop.now + 11, stall=lambda: None)

    assert busiest(run(main), 0.1) <= 120


async def test_unlimited_grants_at_once_save_in_a_pause() -> None:
    limiter = Unlimited()
    for _ in range(1000):
        await limiter.acquire(1000)
    assert limiter.statistics() == LimiterStatistics(granted=1_000_000)
    start = time.monotonic()
    limiter.penalise(0.02)
    waiter = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    assert limiter.statistics().waiting == 1
    limiter.penalise(0.05)
    await waiter
    assert time.monotonic() - start >= 0.05
    statistics = limiter.statistics()
    assert statistics.waits == 1
    assert statistics.waiting == 0
    assert statistics.largest_wait >= 0.04
    assert statistics.granted == 1_000_001


async def test_a_cancelled_wait_for_unlimited_is_forgotten() -> None:
    limiter = Unlimited()
    limiter.penalise(60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(limiter.acquire(), 0.001)
    assert limiter.statistics().waiting == 0
    assert limiter.statistics().granted == 0


# --- cancellation ------------------------------------------------------------------------------------------------


def test_a_cancelled_head_does_not_hold_up_those_behind_it() -> None:
    async def main(loop: VirtualLoop) -> float:
        limiter = WindowLimiter(RateLimit(10), clock=loop.time)
        await limiter.acquire(5)
        start = loop.now
        head = asyncio.create_task(limiter.acquire(10))  # would have to wait a second
        behind = asyncio.create_task(limiter.acquire())  # could go as soon as the pace allows
        await asyncio.sleep(0.01)
        head.cancel()
        await behind
        return loop.now - start

    assert run(main) < 0.5


def test_a_permit_that_was_on_its_way_to_a_cancelled_waiter_comes_back() -> None:
    async def main(loop: VirtualLoop) -> None:
        limiter = WindowLimiter(RateLimit(1000), clock=loop.time)
        tasks: list[asyncio.Task[None]] = []
        cancelled: list[asyncio.Task[None]] = []

        async def take(index: int) -> None:
            await limiter.acquire()
            if index == 1:  # 2 to 5 were woken together with us and have not run yet
                assert limiter.statistics().in_window > 2
                cancelled.extend(tasks[2:6])
                for task in cancelled:
                    task.cancel()

        tasks += [asyncio.create_task(take(index)) for index in range(10)]
        await asyncio.sleep(0)
        loop.now += 0.1  # the loop stalls: the timer finds many due at once
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in results] == [
            task in cancelled for task in tasks
        ]
        statistics = limiter.statistics()
        assert statistics.granted == statistics.in_window == 6
        assert statistics.waiting == 0
        # Nothing leaked: the rest of the window can be had at once, as the window's last permits.
        before = loop.now
        await limiter.acquire(994)
        assert loop.now - before < 0.1

    run(main)


def test_cancelling_everybody_leaves_no_timer_and_no_trace() -> None:
    async def main(loop: VirtualLoop) -> None:
        limiter = WindowLimiter(RateLimit(1), clock=loop.time)
        await limiter.acquire()
        tasks = [asyncio.create_task(limiter.acquire()) for _ in range(100)]
        await asyncio.sleep(0)
        assert loop.live_timers() == 1, "one timer for all waiters"
        assert limiter.statistics().waiting == 100
        assert len(asyncio.all_tasks()) == 101, "no task of our own"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert loop.live_timers() == 0
        assert evolve(limiter.statistics(), in_window=0) == LimiterStatistics(granted=1)
        start = loop.now
        await limiter.acquire()
        assert loop.now - start == pytest.approx(1.0, abs=0.01)

    run(main)


def test_waiters_that_give_up_in_a_long_pause_do_not_pile_up() -> None:
    async def main(loop: VirtualLoop) -> None:
        limiter = WindowLimiter(RateLimit(10), clock=loop.time)
        limiter.penalise(3600)
        head = asyncio.create_task(limiter.acquire())
        for _ in range(100):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(limiter.acquire(), 0.01)
        assert limiter.statistics().waiting == 1
        await head

    run(main)


# --- loops -------------------------------------------------------------------------------------------------------


def test_a_limiter_keeps_its_window_when_it_moves_to_another_loop() -> None:
    """A script with two `asyncio.run` must not pass the rate at the seam."""
    now = 0.0
    limiter = WindowLimiter(RateLimit(1, per=1000), clock=lambda: now)

    async def first(loop: VirtualLoop) -> None:
        await limiter.acquire()

    async def second(loop: VirtualLoop) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limiter.acquire(), 1)

    run(first)
    run(second)
    assert limiter.statistics().granted == 1


def test_a_limiter_is_not_shared_by_two_loops_at_a_time() -> None:
    limiter = WindowLimiter(RateLimit(1, per=1000))
    loop = VirtualLoop()

    async def block() -> asyncio.Task[None]:
        await limiter.acquire()
        task = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        return task

    async def intrude(_: VirtualLoop) -> None:
        with pytest.raises(ConfigurationError):
            await limiter.acquire()

    task = loop.run_until_complete(block())
    try:
        run(intrude)
    finally:
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()


def test_a_coroutine_collected_after_its_loop_was_closed_stays_quiet() -> None:
    limiter = WindowLimiter(RateLimit(1, per=1000))
    loop = VirtualLoop()

    async def main() -> list[Coroutine[Any, Any, None]]:
        await limiter.acquire()
        waits = [limiter.acquire(), limiter.acquire()]
        for wait in waits:
            wait.send(None)
        return waits

    waits = loop.run_until_complete(main())
    loop.close()
    for wait in waits:
        wait.close()
    assert limiter.statistics().waiting == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_the_window_holds_in_real_time_on_either_loop(kind: str) -> None:
    """The claim is about the arrival times in the limiter's own clock, so a slow machine cannot fail it."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if kind == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    last = 0.0

    def clock() -> float:
        nonlocal last
        last = time.monotonic()
        return last

    async def main() -> list[float]:
        limiter = WindowLimiter(RateLimit(20, per=0.1), clock=clock)
        times: list[float] = []

        async def take() -> None:
            for _ in range(5):
                await limiter.acquire()
                times.append(last)  # nothing runs between the limiter's reading and this line

        await asyncio.gather(*(take() for _ in range(16)))
        statistics = limiter.statistics()
        assert statistics.granted == 80
        assert statistics.waiting == 0
        return times

    loop = factory()
    try:
        times = loop.run_until_complete(main())
    finally:
        loop.close()
    assert busiest(times, 0.1) <= 20
    assert times[-1] - times[0] >= 0.3


# --- everything at once ------------------------------------------------------------------------------------------


@frozen
class Caller:
    """Asks at `at`, for `permits`, and gives up after `patience` (None: never). Blocks the loop when served."""

    at: float
    permits: int
    patience: float | None
    stall: float


# A coarse grid of times, so that arrivals, grants, cancellations and pauses often meet in one pass of the loop.
_moment = st.integers(0, 60).map(lambda ticks: ticks * 0.05)
_callers = st.lists(
    st.builds(
        Caller,
        at=_moment,
        permits=st.one_of(st.just(1), st.integers(1, 4), st.integers(1, 30)),
        patience=st.one_of(st.none(), st.integers(0, 20).map(lambda ticks: ticks * 0.05)),
        stall=st.sampled_from([0.0, 0.0, 0.0, 0.003, 0.3, 2.0]),
    ),
    min_size=1,
    max_size=40,
)
_limits = st.builds(RateLimit, st.sampled_from([0.5, 1, 2, 2.5, 5, 10, 100]), st.sampled_from([0.1, 1.0, 1.5]))
_pauses = st.lists(st.tuples(_moment, st.sampled_from([0.0, 0.01, 0.2, 1.0, 3.0])), max_size=4)


@pytest.mark.slow
@settings(deadline=None, max_examples=examples(200))
@given(limit=_limits, callers=_callers, pauses=_pauses, drift=st.sampled_from([0.0, 1e-6, 0.0007]))
def test_no_window_pause_or_place_in_the_queue_is_ever_violated(
    limit: RateLimit, callers: list[Caller], pauses: list[tuple[float, float]], drift: float
) -> None:
    """Random arrivals, weights, cancellations, stalls and pauses; `drift` is what each look at the clock costs."""

    async def main(loop: VirtualLoop) -> None:
        def clock() -> float:
            loop.now += drift
            return loop.now

        limiter = WindowLimiter(limit, clock=clock)
        asked: list[int] = []
        granted: list[tuple[int, float, int]] = []  # caller, when, permits
        forbidden: list[tuple[float, float]] = []
        gave_up = 0

        async def call(index: int, caller: Caller) -> None:
            nonlocal gave_up
            await asyncio.sleep(caller.at)
            asked.append(index)
            me = asyncio.current_task()
            assert me is not None
            quit_ = None if caller.patience is None else loop.call_later(caller.patience, me.cancel)
            try:
                await limiter.acquire(caller.permits)
                granted.append((index, loop.now, caller.permits))
            except asyncio.CancelledError:
                gave_up += 1
            else:
                loop.now += caller.stall
            finally:
                if quit_ is not None:
                    quit_.cancel()

        async def pause(at: float, seconds: float) -> None:
            await asyncio.sleep(at)
            limiter.penalise(seconds)
            # What was on its way at this moment still arrives in this pass of the loop; see `penalise`.
            begin, end = loop.now, loop.now + seconds
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            forbidden.append((max(begin, loop.now), end))

        await asyncio.gather(
            *(call(index, caller) for index, caller in enumerate(callers)),
            *(pause(at, seconds) for at, seconds in pauses),
        )

        assert len(granted) + gave_up == len(callers), "everybody was served or gave up"
        place = {index: number for number, index in enumerate(asked)}
        served = [place[index] for index, _, _ in granted]
        assert served == sorted(served), "first come, first served"

        capacity, window = limit.capacity, limit.window
        for number, (_, when, permits) in enumerate(granted):
            if permits > capacity:
                following = granted[number + 1 : number + 2]
                assert all(then - when >= window * permits / capacity for _, then, _ in following)
                assert all(when - then >= window for _, then, _ in granted[:number][-1:])
                continue
            in_window = sum(n for _, then, n in granted[number:] if then - when < window)
            assert in_window <= capacity
            if window >= 0.2:
                in_tenth = [n for _, then, n in granted[number:] if then - when < window / 10]
                assert sum(in_tenth[:-1]) < math.ceil(0.12 * capacity)
        for begin, end in forbidden:
            assert not [when for _, when, _ in granted if begin < when < end]

        statistics = limiter.statistics()
        assert statistics.granted == sum(permits for _, _, permits in granted)
        assert statistics.waiting == 0
        assert loop.live_timers() == 0
        await asyncio.sleep(100 * window)
        assert limiter.statistics().in_window == 0

    run(main)
