"""Refusals of a request; the document lists their result codes for each function."""

from __future__ import annotations

from typing import Any

__all__ = ["Refused"]


class Refused(Exception):
    """Refusal of a request, with a negative result code and further fields of the answer."""

    def __init__(self, code: int, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields
