"""Read files to be uploaded, and write files that only their owner may read, because phone numbers are in them."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import IO, Final

from mensasdk.errors import ValidationError

__all__ = ["open_private", "read_regular_file"]

# Windows has no O_NOFOLLOW and no O_NONBLOCK. It needs O_BINARY, because its text mode would change line ends.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


async def read_regular_file(path: str | os.PathLike[str], *, limit: int, field: str, vendor: str) -> bytes:
    """Read a regular file in a thread.

    Args:
        path: path of the file. A link is not followed, because it could lead anywhere. A pipe or device is not read,
            because it might never end.
        limit: the most bytes that the file may have.
        field: the public name of the parameter, for the error.
        vendor: the vendor's short name, for the error.

    Raises:
        ValidationError: the file cannot be read, is not a regular file, or is too large.
    """
    content, trouble = await asyncio.to_thread(_read, path, limit)
    if trouble:
        raise ValidationError(f"{field} {trouble}", field=field, vendor=vendor)
    return content


def _read(path: str | os.PathLike[str], limit: int) -> tuple[bytes, str]:
    """Return the content, or what is wrong: not an exception, whose context would show the path."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        return b"", f"cannot be read ({error.strerror or 'it cannot be opened'}); a link is not followed"
    except ValueError:  # a NUL in the path
        return b"", "cannot be read (no such path)"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b"", "is not a regular file"
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        return b"", f"has more than {limit // 2**20} MiB; give a smaller one"
    return content, ""


def open_private(path: str | Path, *, newline: str | None = None) -> IO[str]:
    """Open a file for writing in UTF-8. From the first moment only its owner may read it; an existing file is emptied.

    A device or a pipe, such as ``/dev/stdout``, keeps its permissions.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline=newline)
