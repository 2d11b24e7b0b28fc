"""The one exception that the readers of this room throw at each other; it never leaves the room.

`decode` and `decode_form` turn it into a public error after the ``except`` block has ended. So there is a single
place that sees to it that no public error carries a ``__context__``, and that no reader has to know about vendors.
"""

from __future__ import annotations

from mensasdk.errors import DecodeError, ResponseError

__all__ = ["Unreadable"]


class Unreadable(Exception):
    """A body cannot be read.

    Args:
        reason: what and where, as a clause, without any text of the body.
        error: the public class that it becomes.
    """

    def __init__(self, reason: str, error: type[ResponseError] = DecodeError) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
