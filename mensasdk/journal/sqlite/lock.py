"""A file lock that the operating system releases when its owner dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["FileLock"]


class FileLock:
    """Exclusive lock on a file of its own; `take` makes one.

    The lock keeps out other processes, and other holders in this process. Its file is removed when the lock is
    released, and stays behind if the holder dies.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Take and return the lock, or return None if it is held already.

        Raises:
            OSError: the file cannot be created.
        """
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                if not _lock(descriptor):
                    os.close(descriptor)
                    return None
                # The last holder may have removed the file in between. Then this lock protects nothing: try again.
                if _same_file(descriptor, path):
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def release(self) -> None:
        """Release the lock and remove its file, or do nothing if that was done."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if os.name == "posix":  # Windows does not remove an open file
                self._path.unlink(missing_ok=True)
        except OSError:
            pass  # a file that stays behind does no harm
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
        return True  # Windows does not remove an open file
else:
    import fcntl

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
