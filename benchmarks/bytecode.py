"""Interpreters that find their bytecode, whatever the environment says and whoever ran before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["caching"]


@contextmanager
def caching() -> Iterator[dict[str, str]]:
    """Give an environment in which bytecode is written to a folder of its own, and found there by the next interpreter.

    The first one to import something compiles it; let that one not count. Handed on, ``PYTHONDONTWRITEBYTECODE`` would
    have each of them compile some 90 files. The folder is removed afterwards, and nothing of the checkout is written.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**kept, "PYTHONPYCACHEPREFIX": folder}
