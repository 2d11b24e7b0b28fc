"""Give fresh interpreters a cache of bytecode, whatever the environment says."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["caching"]


@contextmanager
def caching() -> Iterator[dict[str, str]]:
    """Yield an environment in which interpreters write bytecode to a temporary folder, and find it there.

    The first interpreter compiles all that it imports, so do not measure it. ``PYTHONDONTWRITEBYTECODE`` is left out of
    the environment: with it every interpreter would compile some 90 files. The folder is removed afterwards, and the
    checkout stays as it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**kept, "PYTHONPYCACHEPREFIX": folder}
