"""The one thread that uses the journal's file, and how work gets there and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby, takewhile
from threading import Lock
from typing import Any, TypeVar

from attrs import define

from mensasdk.journal.sqlite.open_campaign import Look, Step
from mensasdk.journal.sqlite.store import Store

__all__ = ["StoreThread"]

T = TypeVar("T")

Decide = Callable[[Store, Look | None], Step[T] | None]
"""What decides. It is given how to look into the file; where it is not, and would have to look, it gives None."""


@define(eq=False)
class _Job:
    """Something to be done, and who waits for it.

    Attributes:
        decide: finds out what is to be written.
        future: who waits.
        step: what is to be written; None until that is decided.
        error: why it could not be done.
    """

    decide: Decide[Any]
    future: asyncio.Future[Any]
    step: Step[Any] | None
    error: BaseException | None = None

    def tell(self) -> None:
        if self.future.done():
            return  # cancelled
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            assert self.step is not None
            self.future.set_result(self.step.result)


class StoreThread:
    """Does one thing after the other, in the order in which they came.

    What memory can decide is decided at once, by whoever asks for it, and only brought to the disk by the thread: a
    thread waits for the interpreter as long as another one runs Python. What came together while the disk was busy
    shares a transaction, and with it one wait for the disk and one way back to the loop.

    Args:
        store: what it is done with.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._executor: ThreadPoolExecutor | None = None
        # Guards what follows, and what the store holds in memory, which is the thread's while something is undecided.
        self._lock = Lock()
        self._jobs: list[_Job] = []
        self._undecided = 0  # jobs that the thread has to decide, waiting or being done
        self._is_busy = False

    def submit(self, decide: Decide[T]) -> asyncio.Future[T]:
        """Have something done. It is brought to its end also when the future is cancelled.

        Args:
            decide: finds out what is to be written: at once, or else in the thread, when its turn comes.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            # Not before what came earlier, which may change the same.
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
        """Have something done as a whole by the thread."""
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
        """All that is decided and comes before the next that is not, or else that one; empty where nothing is left."""
        with self._lock:
            jobs = list(takewhile(lambda job: job.step is not None, self._jobs)) or self._jobs[:1]
            del self._jobs[: len(jobs)]
            self._is_busy = bool(jobs)
        return jobs

    def _decide(self, job: _Job) -> None:
        try:
            job.step = job.decide(self._store, self._store.reading)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            job.error = error
        else:
            self._write([job])
        with self._lock:
            self._undecided -= 1

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Bring what is decided into the file, in one transaction."""
        steps = [job.step for job in jobs if job.step is not None]
        try:
            self._store.write(steps)
        except BaseException as error:  # noqa: BLE001 - as above
            if len(jobs) > 1:  # the failure may be that of one of them
                for job in jobs:
                    self._write([job])
                return
            jobs[0].error = error
        with self._lock:
            for step in steps:
                step.end(jobs[0].error is None)


def _tell(jobs: Sequence[_Job]) -> None:
    for loop, some in groupby(jobs, key=lambda job: job.future.get_loop()):
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(_tell_each, list(some))


def _tell_each(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.tell()
