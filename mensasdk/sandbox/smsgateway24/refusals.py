"""Refusals of a request: ``error`` 1 and a text. Only the text for a wrong login is the vendor's."""

from __future__ import annotations

__all__ = ["LOGIN_WRONG", "TOKEN_WRONG", "Refused"]

# The only error text that the vendor has published.
LOGIN_WRONG = "Login or password incorrect"
TOKEN_WRONG = "Token is incorrect"


class Refused(Exception):
    """Refusal of a request, with ``error`` 1 and a text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
