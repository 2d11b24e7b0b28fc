"""Handle Ctrl-C and SIGTERM inside an event loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["interrupts"]


@contextmanager
def interrupts(on_interrupt: Callable[[], None]) -> Iterator[None]:
    """Call a function in the event loop at Ctrl-C (SIGINT) and at SIGTERM, in place of ending the process.

    The third signal ends the process with `KeyboardInterrupt`.

    Args:
        on_interrupt: called for the first and the second signal.
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
        # The loop's own add_signal_handler does not exist on Windows, and forgets the handler that was there before.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(arrived))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
