"""Look whether the WAL of a journal's file is what its last owner left.

SQLite reads a WAL up to the first frame that is damaged, and takes the rest for one that was never finished. What had
been claimed after it would be sent again.
"""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

__all__ = ["WalIndex", "lost_frames", "read_index"]

_HEAD: Final = 32
_FRAME_HEAD: Final = 24
_MAGIC: Final = 0x377F0682
_INDEX: Final = struct.Struct("=16xI12x8s8x")  # of the index's header, which stands there twice


@frozen
class WalIndex:
    """State of the WAL, as the shared memory beside the file has it.

    Attributes:
        frames: the count of frames that were written.
        salt: the number that stands in each of them.
    """

    frames: int
    salt: bytes


def read_index(path: Path) -> WalIndex | None:
    """Read what a process that died left in the ``-shm`` file; None if there is none, or it was being written.

    No connection of this process may have the file open: SQLite would lose its locks.
    """
    with suppress(OSError):
        data = path.read_bytes()[: 2 * _INDEX.size]
        if len(data) == 2 * _INDEX.size and data[: _INDEX.size] == data[_INDEX.size :]:
            return WalIndex(*_INDEX.unpack_from(data))
    return None


def lost_frames(path: Path, before: WalIndex | None) -> bool:
    """Return whether frames of a WAL were lost, so that SQLite would not read all that was written.

    The file is only read. While another process writes it, it is read again where something seems to be missing.

    Args:
        path: the WAL.
        before: what `read_index` returned before.
    """
    damage: int | None = None
    for _ in range(3):
        found = _damage(path.read_bytes(), before)
        if found is None:
            return False
        if found == damage:
            return True
        damage = found
        time.sleep(0.02)
    return False


def _damage(data: bytes, before: WalIndex | None) -> int | None:
    """Return how many frames come before the first one that was lost; None if none was lost."""
    if len(data) < _HEAD:
        return 0 if before is not None and before.frames else None
    order = ">" if data[3] & 1 else "<"
    salt, sums = data[16:24], _checksum(order, data[:24], (0, 0))
    if int.from_bytes(data[:4]) & ~1 != _MAGIC or struct.pack(">II", *sums) != data[24:32]:
        return 0
    size = int.from_bytes(data[8:12]) + _FRAME_HEAD
    count = (len(data) - _HEAD) // size
    frames = [memoryview(data)[at : at + size] for at in range(_HEAD, _HEAD + count * size, size)]
    good = 0
    for frame in frames:
        if frame[8:16] != salt:
            break
        sums = _checksum(order, frame[_FRAME_HEAD:], _checksum(order, frame[:8], sums))
        if struct.pack(">II", *sums) != frame[16:24]:
            break
        good += 1
    if before is not None and before.salt == salt and before.frames > good:
        return good
    # A transaction that was cut short has no last frame, and what was there before has another salt.
    return good if any(frame[8:16] == salt and any(frame[4:8]) for frame in frames[good:]) else None


def _checksum(order: str, data: bytes | memoryview, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the next checksum of a WAL, as SQLite's file format defines it."""
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        one = (one + words[at] + two) & 0xFFFFFFFF
        two = (two + words[at + 1] + one) & 0xFFFFFFFF
    return one, two
