"""Stop a campaign from inside: end its waits at once, and its requests under way only when asked to.

`finish` is for work that no cancellation may end half way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from mensasdk.errors import OutcomeKind
from mensasdk.transport import cancelled_outcome

__all__ = ["Interrupted", "Interrupts", "finish"]

T = TypeVar("T")


class Interrupted(Exception):
    """A wait or a request was ended by a stop of the campaign, and not by a cancellation from outside.

    Attributes:
        outcome: the outcome of the messages concerned.
    """

    def __init__(self, outcome: OutcomeKind) -> None:
        super().__init__()
        self.outcome = outcome


class Interrupts:
    """Waits and requests of the workers, which a stop ends without ending the workers.

    Attributes:
        reason: why the campaign ends early; None while it does not.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._asked: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._sending: set[asyncio.Task[Any]] = set()

    def stop(self, reason: str, *, sends: bool = False) -> None:
        """Stop the campaign: end all waits, and with ``sends`` all requests under way. The first reason is kept."""
        if self.reason is None:
            self.reason = reason
        for task in [*self._waiting, *(self._sending if sends else ())]:
            if task is not asyncio.current_task() and task not in self._asked:
                self._asked.add(task)
                task.cancel()

    def waiting(self) -> AbstractContextManager[None]:
        """Return a context for a wait without a request under way. A stop raises `Interrupted` with NOT_SENT there."""
        return _Section(self._waiting, self._asked, OutcomeKind.NOT_SENT)

    def sending(self) -> AbstractContextManager[None]:
        """Return a context for a request. A stop with ``sends`` raises `Interrupted` with its outcome there."""
        return _Section(self._sending, self._asked, None)


class _Section:
    """Context of a wait or a request. A class is faster than a generator, and each request enters two contexts."""

    __slots__ = ("_asked", "_outcome", "_task", "_tasks")

    def __init__(
        self, tasks: set[asyncio.Task[Any]], asked: set[asyncio.Task[Any]], outcome: OutcomeKind | None
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._tasks = tasks
        self._asked = asked
        self._outcome = outcome  # None: the cancellation carries it

    def __enter__(self) -> None:
        self._tasks.add(self._task)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tasks.discard(self._task)
        if self._task not in self._asked:
            return
        # If the task was cancelled from outside as well, that cancellation goes on.
        ours = isinstance(error, asyncio.CancelledError) and self._task.cancelling() <= 1
        self._asked.discard(self._task)
        self._task.uncancel()
        if ours:
            assert isinstance(error, asyncio.CancelledError)
            raise Interrupted(self._outcome or cancelled_outcome(error)) from None


async def finish(work: Coroutine[Any, Any, T]) -> tuple[T, asyncio.CancelledError | None]:
    """Await a coroutine to its end, however often this task is cancelled meanwhile.

    Args:
        work: a coroutine that has not begun.

    Returns:
        The result, and the cancellation that came meanwhile, for the caller to raise; None if there was none.

    Raises:
        asyncio.CancelledError: this task was cancelled, and the work failed as well.
        Exception: what the work raised.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    if cancelled is not None and (task.cancelled() or task.exception() is not None):
        raise cancelled
    return task.result(), cancelled
