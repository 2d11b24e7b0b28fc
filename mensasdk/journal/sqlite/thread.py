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

from mensasdk.journal.sqlite.open_campaign import Step
from mensasdk.journal.sqlite.store import Store

__all__ = ["StoreThread"]

T = TypeVar("T")


@define(eq=False)
class _Job:
    """Something to be done, and who waits for it.

    Attributes:
        work: what is to be done.
        future: who waits.
        step: the same, which memory has already; None where it is still to be done as a whole.
    """

    work: Callable[[Store], Any]
    future: asyncio.Future[Any]
    step: Step[Any] | None
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        if self.future.done():
            return  # cancelled
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class StoreThread:
    """Does one thing after the other, in the order in which they came.

    What memory can decide is done there at once, by whoever asks for it, and only brought to the disk by the thread: a
    thread waits for the interpreter as long as another one runs Python. What came together while the disk was busy
    shares a transaction, and with it one wait for the disk and one way back to the loop.

    Args:
        store: what it is done with.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._executor: ThreadPoolExecutor | None = None
        # Guards what follows, and what the store holds in memory, which is the thread's while it does a job as a whole.
        self._lock = Lock()
        self._jobs: list[_Job] = []
        self._whole = 0  # jobs that are not in memory yet, waiting or being done
        self._is_busy = False

    def submit(
        self, work: Callable[[Store], T], step: Callable[[Store], Step[T] | None] | None = None
    ) -> asyncio.Future[T]:
        """Have something done. It is brought to its end also when the future is cancelled.

        Args:
            work: what to do.
            step: the same in memory; it gives None where memory is not enough.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            # Not before what came earlier, which may change the same.
            made = None if step is None or self._whole else step(self._store)
            if made is not None and not made.statements:
                future.set_result(made.result)
                return future
            self._whole += made is None
            self._jobs.append(_Job(work, future, made))
            begins, self._is_busy = not self._is_busy, True
        if begins:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="mensasdk-journal")
            self._executor.submit(self._work)
        return future

    def _work(self) -> None:
        while jobs := self._next():
            if jobs[0].step is None:
                self._do(jobs[0])
            else:
                self._write(jobs)
            self._store.disconnect()
            _tell(jobs)

    def _next(self) -> Sequence[_Job]:
        """A job, or all steps that come before the next one; nothing if there is nothing to do."""
        with self._lock:
            steps = list(takewhile(lambda job: job.step is not None, self._jobs))
            jobs = steps or self._jobs[:1]
            del self._jobs[: len(jobs)]
            self._is_busy = bool(jobs)
        return jobs

    def _do(self, job: _Job) -> None:
        try:
            job.result = job.work(self._store)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            job.error = error
        with self._lock:
            self._whole -= 1

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Bring steps into the file, in one transaction."""
        steps = [job.step for job in jobs if job.step is not None]
        try:
            self._store.write(steps)
        except BaseException as error:  # noqa: BLE001 - as above
            self._take_back(jobs)
            if len(jobs) > 1:  # the failure may be that of one of them
                for job in jobs:
                    self._do(job)
                return
            jobs[0].error = error
            with self._lock:
                self._whole -= 1
        else:
            for job, step in zip(jobs, steps, strict=True):
                job.result = step.result

    def _take_back(self, jobs: Sequence[_Job]) -> None:
        """Undo steps that cannot be written, and what memory did after them; each of them is then done as a whole."""
        with self._lock:
            for job in reversed([*jobs, *self._jobs]):
                if job.step is not None:
                    job.step.undo()
                    job.step = None
                    self._whole += 1


def _tell(jobs: Sequence[_Job]) -> None:
    for loop, some in groupby(jobs, key=lambda job: job.future.get_loop()):
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(_tell_each, list(some))


def _tell_each(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.tell()
