"""Files that only their owner may read, because phone numbers are in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

__all__ = ["open_private"]


def open_private(path: str | Path, *, newline: str | None = None) -> IO[str]:
    """Open a file for writing in UTF-8, readable by its owner only from the first moment; it is emptied if it exists.

    A device or a pipe, such as ``/dev/stdout``, keeps the permissions that it has.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline=newline)
