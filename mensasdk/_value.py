"""A class decorator for values that are made by the thousand and kept by nobody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen as value
else:
    from attrs import define

    # attrs sets each field of a frozen class by a call, which is most of what making one costs. For type checkers these
    # are frozen, and nobody changes one.
    value = partial(define, unsafe_hash=True)

__all__ = ["value"]
