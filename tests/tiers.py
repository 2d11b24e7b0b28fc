"""The tiers of tests: how much of a test that can be made longer at will runs in which of them.

``make test-fast`` leaves out the tests marked ``slow``. ``make test`` runs these too, in a short form that is the same
each time. ``make test-long`` (``MENSASDK_LONG=1``) runs everything in full, with what is marked ``long``.
"""

from __future__ import annotations

import os

__all__ = ["LONG", "examples"]

LONG = bool(os.environ.get("MENSASDK_LONG"))


def examples(count: int) -> int:
    """Return how many examples a property test tries: all of them in the long run, and a quarter in the others."""
    return count if LONG else -(-count // 4)
