"""Why a call is refused: the result codes stand in the document, function by function."""

from __future__ import annotations

from typing import Any

__all__ = ["Refused"]


class Refused(Exception):
    """The vendor refuses: a negative result code, and fields to go with it."""

    def __init__(self, code: int, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields
