"""Tell messages that are new to a campaign from those that its list had otherwise when it was read before."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from mensasdk.codes import Code
from mensasdk.errors import ValidationError
from mensasdk.journal.keys import fingerprint, message_key
from mensasdk.journal.keyset import KeySet
from mensasdk.journal.protocol import Record, State
from mensasdk.vendors.batching import Prepared

__all__ = ["Earlier"]


class Earlier:
    """Memory of what a campaign has read of its list, and whom it has written to, before it was taken up.

    Args:
        complete: the list was read to its end. Otherwise only those places count as read whose messages are recorded:
            several requests were under way at once, and one that was read earlier may be missing.
    """

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self._read = bytearray()  # 1 for each place that was read
        self._keys = KeySet()
        self._numbers = KeySet()

    def add(self, records: Iterable[Record]) -> None:
        """Add messages that the campaign has."""
        for record in records:
            place = record.place
            if place >= len(self._read):
                self._read.extend(bytes(place + 1 - len(self._read)))
            if place >= 0:
                self._read[place] = 1
            self._keys.add(fingerprint(record.key))
            if record.state is not State.REJECTED:
                self._numbers.add(_mark(record.number))

    def check(self, item: Prepared) -> None:
        """Check that a message is not another one for somebody whom the campaign has at this place already.

        The campaign's own messages, messages at places that were not read before, and messages to numbers that it never
        wrote to pass.

        Raises:
            ValidationError: it is one, with the code ``"changed"``.
        """
        place = item.place
        if place >= len(self._read) or not (self._complete or self._read[place]):
            return
        if _mark(item.number) in self._numbers and message_key(item.message, item.number) not in self._keys:
            raise ValidationError(
                "the campaign has another message to this number, from an earlier reading of its list",
                remedy="send this one as well with again=True",
                field="messages",
                code=Code.CHANGED,
            )


def _mark(number: str) -> bytes:
    return blake2b(number.encode(), digest_size=8).digest()
