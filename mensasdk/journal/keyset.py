"""Find duplicates among millions of recipients, in a tenth of the memory of a set."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KeySet"]

# The first 14 bits of a key choose its bucket, and the bucket holds the second to the eighth byte. Six bits of the
# second byte are known from the bucket already, but a part of a byte cannot be left out.
_BUCKETS = 2**14
_WIDTH = 7
_KEY = 1 + _WIDTH
# From here on, buckets need less memory than a set.
_FEW = 4096


class KeySet:
    """Set of fingerprints, such as the first bytes of a hash, to which keys can only be added.

    Only the first eight bytes of a key count. They have to be spread evenly, as those of a hash are: keys that begin
    alike share a bucket, and each search reads the bucket from its beginning.

    **Errors.** A key that was added is always found. A key that was not added is found by mistake if its first 64 bits
    equal those of another. Two of a million hashes are equal in this way in one of 37 million campaigns; two of ten
    million, in one of 370,000.

    **Memory.** Up to 4,096 keys this is a plain set, with about 100 bytes a key. Beyond that a key takes seven bytes,
    and the buckets take 0.7 MB: 1.0 MB at 50,000 keys, 7.5 MB at a million, 70 MB at ten million. The allocator may
    need up to a quarter more. A set of eight-byte integers takes ten times as much: 69 MB at a million.

    **Time.** About three times that of a plain set at a million keys; at ten million, where a bucket is ten times
    as long, about eight times. The 4,097th key turns the set into buckets, which takes some milliseconds.

    Args:
        keys: the first keys.
        few: count of keys up to which it stays a plain set.
    """

    __slots__ = ("_buckets", "_count", "_few", "_most")

    def __init__(self, keys: Iterable[bytes] = (), *, few: int = _FEW) -> None:
        self._few: set[bytes] = set()
        self._most = few
        # A bucket holds the second to the eighth byte of its keys, one key after the other. There are no buckets until
        # there are too many keys for the plain set.
        self._buckets: list[bytes] = []
        self._count = 0
        self.update(keys)

    def add(self, key: bytes) -> bool:
        """Add a key.

        Args:
            key: at least eight bytes.

        Returns:
            True if it is new.

        Raises:
            ValueError: the key has fewer than eight bytes.
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
        # A match that begins within a key, and ends in the next one, is no match. The search goes on at the next byte,
        # because the true match may overlap the false one.
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
            ValueError: a key has fewer than eight bytes; the keys before it have been added.
        """
        for key in keys:
            self.add(key)

    def __contains__(self, key: bytes) -> bool:
        """Return whether the key was added, or another key with the same first eight bytes.

        Raises:
            ValueError: the key has fewer than eight bytes.
        """
        rest = key[1:_KEY]
        if len(rest) < _WIDTH:
            raise _too_short(key)
        if not self._buckets:
            return key[:_KEY] in self._few
        bucket = self._buckets[key[0] << 6 | key[1] >> 2]
        found = bucket.find(rest)
        while found > 0 and found % _WIDTH:  # as in `add`; a shared function would cost it a call
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
