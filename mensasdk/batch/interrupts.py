"""Ending what is under way: from outside by a cancellation, and from inside by `BatchSender.stop`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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

    @contextmanager
    def _section(self, tasks: set[asyncio.Task[Any]]) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        outcome: OutcomeKind | None = None
        try:
            yield
        except asyncio.CancelledError as cancelled:
            # Ours only if nobody else has cancelled the task as well.
            if task not in self._asked or task.cancelling() > 1:
                raise
            outcome = OutcomeKind.NOT_SENT if tasks is self._waiting else cancelled_outcome(cancelled)
        finally:
            tasks.discard(task)
            if task in self._asked:
                self._asked.discard(task)
                task.uncancel()
        if outcome is not None:
            raise Interrupted(outcome)
