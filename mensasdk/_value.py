"""Class decorator for values that are made in thousands and kept only for a short time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen as value
else:
    from attrs import define

    # attrs sets each field of a frozen class by a call, which is most of the cost of an object. So these classes are
    # frozen for type checkers only, and no code changes their objects.
    value = partial(define, unsafe_hash=True)

__all__ = ["value"]
