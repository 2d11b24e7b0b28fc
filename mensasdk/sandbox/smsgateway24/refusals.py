"""Why a call is refused: ``error`` 1 and a text, which is the sandbox's own but for a wrong login."""

from __future__ import annotations

__all__ = ["LOGIN_WRONG", "TOKEN_WRONG", "Refused"]

# The only error text that the vendor has published.
LOGIN_WRONG = "Login or password incorrect"
TOKEN_WRONG = "Token is incorrect"


class Refused(Exception):
    """The vendor refuses, with ``error`` 1 and this text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
