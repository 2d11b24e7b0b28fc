"""Reading a file that is to be uploaded: a regular one of bounded size, and nothing else."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import Final

from mensasdk.errors import ValidationError

__all__ = ["read_regular_file"]

# Windows has neither of the first two, and its text mode would change line ends.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


async def read_regular_file(path: str | os.PathLike[str], *, limit: int, field: str, vendor: str) -> bytes:
    """Read a file in a thread.

    Args:
        path: where it is. A link is not followed, since it could lead anywhere; a pipe or device, which might not
            end, is not read.
        limit: most bytes.
        field: the public name of the parameter, for the error.
        vendor: the vendor's short name, for the error.

    Raises:
        ValidationError: it cannot be read, is no regular file, or is too large.
    """
    content, trouble = await asyncio.to_thread(_read, path, limit)
    if trouble:
        raise ValidationError(f"{field} {trouble}", field=field, vendor=vendor)
    return content


def _read(path: str | os.PathLike[str], limit: int) -> tuple[bytes, str]:
    """The content and nothing, or nothing and what is wrong: an exception's context would show the path."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        return b"", f"cannot be read ({error.strerror or 'it cannot be opened'}); a link is not followed"
    except ValueError:  # a NUL in the path
        return b"", "cannot be read (no such path)"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b"", "is no regular file"
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        return b"", f"has more than {limit // 2**20} MiB; give a smaller one"
    return content, ""
