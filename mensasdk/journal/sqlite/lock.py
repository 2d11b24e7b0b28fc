"""A lock that the operating system takes back when its owner dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["FileLock"]


class FileLock:
    """An exclusive lock on a file of its own, which exists while somebody holds the lock, or died with it.

    It keeps out other processes and other holders in this one. Made by `take`.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Take the lock; None if somebody else holds it.

        Raises:
            OSError: the file cannot be made.
        """
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                if not _lock(descriptor):
                    os.close(descriptor)
                    return None
                # Whoever held it before may have removed the file in between: then we hold a lock on nothing.
                if _same_file(descriptor, path):
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def release(self) -> None:
        """Give the lock back, and remove its file. Calling it again does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if os.name == "posix":  # Windows removes no file that is open
                self._path.unlink(missing_ok=True)
        except OSError:
            pass  # a file that stays behind holds nobody up
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _same_file(descriptor: int, path: Path) -> bool:
        return True  # nobody can remove it while it is open
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        # Not a lockf lock: that one is lost as soon as this process closes any other descriptor of the file.
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
