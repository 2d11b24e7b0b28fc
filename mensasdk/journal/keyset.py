"""Telling duplicates among millions of recipients, in a tenth of the memory of a set."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KeySet"]

# The first 14 bits of a key choose its bucket, and the bucket holds the seven bytes after the first one: two of the
# chosen bits are held once more, which costs nothing, because half a byte cannot be left out.
_BUCKETS = 2**14
_WIDTH = 7
_KEY = 1 + _WIDTH
# Here the buckets begin to need less than a set does.
_FEW = 4096


class KeySet:
    """A set of fingerprints, such as the first bytes of a hash. Keys can be added, and not taken away.

    Of each key the first eight bytes count. They have to be spread evenly, as those of a hash are: keys that begin
    alike come into one bucket, and every look at it reads it from its beginning.

    **Errors.** A key that was added is always found. Another key is taken for it when the first 64 bits of both are the
    same: of a million hashes, some two are in one of 37 million campaigns; of ten million, in one of 370,000.

    **Memory.** Up to 4,096 keys this is a plain set, of some 100 bytes a key. Beyond, a key takes seven bytes, and the
    whole 0.7 MB more: 1.0 MB at 50,000 keys, 7.5 MB at a million, 70 MB at ten million. What the allocator loses comes
    on top, up to a quarter. A set of eight-byte integers takes ten times as much: 69 MB at a million.

    **Time.** About three times that of a plain set at a million keys; at ten million, where a bucket is ten times
    as long, about eight times. The 4,097th key changes the set over, which takes some milliseconds.

    Args:
        keys: what it holds from the beginning.
        few: number of keys up to which it stays a plain set.
    """

    __slots__ = ("_buckets", "_count", "_few", "_most")

    def __init__(self, keys: Iterable[bytes] = (), *, few: int = _FEW) -> None:
        self._few: set[bytes] = set()
        self._most = few
        # Each bucket is what its keys leave after the bits that chose it, one after the other; empty until there are
        # too many keys for the plain set.
        self._buckets: list[bytes] = []
        self._count = 0
        self.update(keys)

    def add(self, key: bytes) -> bool:
        """Add a key.

        Args:
            key: at least eight bytes.

        Returns:
            True when it is new.

        Raises:
            ValueError: it has fewer than eight bytes.
        """
        buckets = self._buckets
        if not buckets:
            return self._add_to_few(key)
        rest = key[1:_KEY]
        if len(rest) < _WIDTH:
            raise _too_short(key)
        index = key[0] << 6 | key[1] >> 2
        bucket = buckets[index]
        found = bucket.find(rest)
        # What is found between two keys, of the end of one and the beginning of the next, is no key. The next place is
        # looked for from the next byte on, because it may overlap this one.
        while found > 0 and found % _WIDTH:
            found = bucket.find(rest, found + 1)
        if found >= 0:
            return False
        buckets[index] = bucket + rest
        self._count += 1
        return True

    def update(self, keys: Iterable[bytes]) -> None:
        """Add several keys.

        Raises:
            ValueError: one has fewer than eight bytes; those before it have been added.
        """
        for key in keys:
            self.add(key)

    def __contains__(self, key: bytes) -> bool:
        """Whether the key was added, or one that has the same first eight bytes.

        Raises:
            ValueError: it has fewer than eight bytes.
        """
        rest = key[1:_KEY]
        if len(rest) < _WIDTH:
            raise _too_short(key)
        if not self._buckets:
            return key[:_KEY] in self._few
        bucket = self._buckets[key[0] << 6 | key[1] >> 2]
        found = bucket.find(rest)
        while found > 0 and found % _WIDTH:  # as in `add`, which would pay for a call of its own
            found = bucket.find(rest, found + 1)
        return found >= 0

    def __len__(self) -> int:
        return self._count

    def _add_to_few(self, key: bytes) -> bool:
        start = key[:_KEY]
        if len(start) < _KEY:
            raise _too_short(key)
        few = self._few
        if start in few:
            return False
        if self._count < self._most:
            few.add(start)
            self._count += 1
            return True
        self._few = set()
        self._buckets = [b""] * _BUCKETS
        self._count = 0
        self.update(few)
        return self.add(key)


def _too_short(key: bytes) -> ValueError:
    return ValueError(f"a key has at least {_KEY} bytes, this one {len(key)}")
