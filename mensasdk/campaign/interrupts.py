"""Ending what is under way: from outside by a cancellation, and from inside by `BatchSender.stop`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from mensasdk.errors import OutcomeKind
from mensasdk.messages import Outcome
from mensasdk.transport import cancelled_outcome

__all__ = ["Interrupted", "Interrupts", "SendCancelled"]


class SendCancelled(asyncio.CancelledError):
    """A send was cancelled; carries what became of it. It passes on as the cancellation that it is."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


class Interrupted(Exception):
    """A wait or a send was ended by `BatchSender.stop`, and not by a cancellation from outside."""

    def __init__(self, outcome: OutcomeKind) -> None:
        super().__init__()
        self.outcome = outcome


class Interrupts:
    """Ends what workers are waiting for, without ending the workers."""

    def __init__(self) -> None:
        self._asked: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._sending: set[asyncio.Task[Any]] = set()

    def waiting(self) -> AbstractContextManager[None]:
        """A section in which nothing is under way; raises `Interrupted` with NOT_SENT."""
        return self._section(self._waiting)

    def sending(self) -> AbstractContextManager[None]:
        """A section in which a request is made; raises `Interrupted` with what became of it."""
        return self._section(self._sending)

    def end(self, *, sends: bool) -> None:
        """End all waits, and with ``sends`` all sends as well."""
        for task in [*self._waiting, *(self._sending if sends else ())]:
            if task is not asyncio.current_task() and task not in self._asked:
                self._asked.add(task)
                task.cancel()

    def _section(self, tasks: set[asyncio.Task[Any]]) -> _Section:
        return _Section(tasks, self._asked, OutcomeKind.NOT_SENT if tasks is self._waiting else None)


class _Section:
    """See `Interrupts.waiting`. A class and not a generator, since each request passes two of them."""

    __slots__ = ("_asked", "_outcome", "_task", "_tasks")

    def __init__(
        self, tasks: set[asyncio.Task[Any]], asked: set[asyncio.Task[Any]], outcome: OutcomeKind | None
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._tasks = tasks
        self._asked = asked
        self._outcome = outcome  # of what is interrupted here; None where the cancellation says it

    def __enter__(self) -> None:
        self._tasks.add(self._task)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tasks.discard(self._task)
        if self._task not in self._asked:
            return
        # Ours only if nobody else has cancelled the task as well.
        ours = isinstance(error, asyncio.CancelledError) and self._task.cancelling() <= 1
        self._asked.discard(self._task)
        self._task.uncancel()
        if ours:
            assert isinstance(error, asyncio.CancelledError)
            raise Interrupted(self._outcome or cancelled_outcome(error)) from None
