"""A file lock that the operating system releases when its owner dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from weakref import WeakSet

__all__ = ["FileLock"]

_TRIES = 5


class FileLock:
    """Exclusive lock on a file of its own; `take` makes one.

    The lock keeps out other processes, and other holders in this process. Its file is removed when the lock is
    released, and stays behind if the holder dies. A forked child does not have it: it would hold the lock for as long
    as it lives, also when its parent has died.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        _HELD.add(self)

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Take and return the lock, or return None if it is held already.

        Raises:
            OSError: the file cannot be created.
        """
        tries = _TRIES
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                if not _lock(descriptor):
                    os.close(descriptor)
                    tries -= 1
                    if not tries:
                        return None
                    time.sleep(0.01)  # somebody may only be asking whether it is held
                    continue
                # The last holder may have removed the file in between. Then this lock protects nothing: try again.
                if _same_file(descriptor, path):
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Return whether somebody holds the lock."""
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            return False
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)

    def release(self, *, keep_file: bool = False) -> None:
        """Release the lock and remove its file, or do nothing if that was done."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            # Windows does not remove an open file, and another's file may stand in the place of ours.
            if os.name == "posix" and not keep_file and _same_file(descriptor, self._path):
                self._path.unlink(missing_ok=True)
        except OSError:
            pass  # a file that stays behind does no harm
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """Give up what a forked child has of its parent's lock; the parent keeps it."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


_HELD: WeakSet[FileLock] = WeakSet()


def _forget_all() -> None:
    for lock in list(_HELD):
        lock.forget()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _same_file(descriptor: int, path: Path) -> bool:
        return True  # Windows does not remove an open file
else:
    import fcntl

    os.register_at_fork(after_in_child=_forget_all)

    def _lock(descriptor: int) -> bool:
        # Not lockf: its lock is lost as soon as this process closes any other descriptor of the file.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _same_file(descriptor: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False
