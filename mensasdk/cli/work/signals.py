"""Ctrl-C, as a wish and not as an accident."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["interrupts"]


@contextmanager
def interrupts(on_interrupt: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C and a polite kill call a function in the event loop, in place of tearing it down.

    The third one ends the process as ever.
    """
    loop = asyncio.get_running_loop()
    seen = 0
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def arrived() -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            for number in before:
                signal.signal(number, signal.default_int_handler)
        on_interrupt()

    for number in before:
        # Not the loop's own add_signal_handler: it does not exist on Windows, and forgets the handler that was there.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(arrived))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
