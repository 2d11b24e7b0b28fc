"""Run work on the journal's file in one thread, and bring the results back to the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby, takewhile
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakSet

from attrs import define

from mensasdk.errors import JournalError
from mensasdk.journal.sqlite.open_campaign import Look, Step
from mensasdk.journal.sqlite.store import Store

__all__ = ["StoreThread"]

T = TypeVar("T")

Decide = Callable[[Store, Look | None], Step[T] | None]
"""Function that decides on a change.

Its second argument opens the file for reading. If that is None, and the file has to be read, the function returns None.
"""


@define(eq=False)
class _Job:
    """Piece of work, with the future that waits for its result.

    Attributes:
        decide: decides on the change to be written.
        future: gets the result, or the error.
        step: the change; None until it is decided.
        error: why the work failed; None if it did not.
    """

    decide: Decide[Any]
    future: asyncio.Future[Any]
    step: Step[Any] | None
    error: BaseException | None = None

    def tell(self) -> None:
        """Set the result or the error of the future, unless it was cancelled."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            assert self.step is not None
            self.future.set_result(self.step.result)


class StoreThread:
    """Thread that does all work on a `Store`, one piece after the other, in the order of submission.

    A change that can be decided from memory is decided at once, in the event loop, and the thread only writes it to the
    disk: a thread has to wait for the interpreter as long as another thread runs Python. Changes that queued while the
    disk was busy share a transaction, and so one wait for the disk and one callback to the event loop.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin()
        _THREADS.add(self)

    def _begin(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        # Guards the attributes below, and what the store holds in memory. While a job is undecided, only the thread
        # uses that memory.
        self._lock = Lock()
        self._jobs: list[_Job] = []
        self._undecided = 0  # jobs that the thread has to decide, queued or running
        self._is_busy = False

    def forget(self) -> None:
        """Begin anew in a forked child, which has neither its parent's thread nor its campaigns."""
        self._store.forget()
        self._begin()

    def submit(self, decide: Decide[T]) -> asyncio.Future[T]:
        """Queue a change, and return the future of its result.

        The change is written also if the future is cancelled.

        Args:
            decide: decides on the change: at once if it can, or else in the thread, in its turn.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            # An earlier job that is undecided may change the same rows, so this one has to wait for it.
            step = None if self._undecided else decide(self._store, None)
            if step is not None and not step.statements:
                future.set_result(step.result)
                return future
            self._undecided += step is None
            self._jobs.append(_Job(decide, future, step))
            begins, self._is_busy = not self._is_busy, True
        if begins:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="mensasdk-journal")
            self._executor.submit(self._work)
        return future

    def do(self, work: Callable[[Store], T]) -> asyncio.Future[T]:
        """Queue a function that runs as a whole in the thread, and return the future of its result."""
        return self.submit(lambda store, look: None if look is None else Step(work(store)))

    def _work(self) -> None:
        while jobs := self._next():
            if jobs[0].step is None:
                self._decide(jobs[0])
            else:
                self._write(jobs)
            self._store.disconnect()
            _tell(jobs)

    def _next(self) -> Sequence[_Job]:
        """Return all decided jobs up to the next undecided one, or else that one; nothing if no job is left."""
        with self._lock:
            jobs = list(takewhile(lambda job: job.step is not None, self._jobs)) or self._jobs[:1]
            del self._jobs[: len(jobs)]
            self._is_busy = bool(jobs)
        return jobs

    def _decide(self, job: _Job) -> None:
        try:
            job.step = job.decide(self._store, self._store.reading)
        except BaseException as error:  # noqa: BLE001 - the future gets it
            job.error = error
        else:
            self._write([job])
        with self._lock:
            self._undecided -= 1

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Write decided changes into the file, in one transaction; one by one if that fails."""
        steps = [job.step for job in jobs if job.step is not None]
        try:
            self._store.write(steps)
        except BaseException as error:  # noqa: BLE001 - as above
            if len(jobs) > 1 and not (isinstance(error, JournalError) and error.retryable):
                # The error may come from one of them only. While the file is locked, each would wait for itself.
                for job in jobs:
                    self._write([job])
                return
            for job in jobs:
                job.error = error
        with self._lock:
            for step in steps:
                step.end(jobs[0].error is None)


_THREADS: WeakSet[StoreThread] = WeakSet()


def _forget_all() -> None:
    for one in list(_THREADS):
        one.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _tell(jobs: Sequence[_Job]) -> None:
    for loop, some in groupby(jobs, key=lambda job: job.future.get_loop()):
        with suppress(RuntimeError):  # the loop is closed, so nothing waits
            loop.call_soon_threadsafe(_tell_each, list(some))


def _tell_each(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.tell()
