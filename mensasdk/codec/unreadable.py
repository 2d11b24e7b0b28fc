"""Exception of the readers in this folder. It never leaves the folder.

`decode` and `decode_form` turn it into a public error, after their ``except`` block has ended. So no public error
carries a ``__context__``, and the readers need to know nothing about vendors.
"""

from __future__ import annotations

from mensasdk.errors import DecodeError, ResponseError

__all__ = ["Unreadable"]


class Unreadable(Exception):
    """Error of a body that cannot be read.

    Args:
        reason: what is wrong and where, as a clause, without any text of the body.
        error: class of the public error that is raised instead.
    """

    def __init__(self, reason: str, error: type[ResponseError] = DecodeError) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
