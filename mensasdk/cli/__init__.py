"""The ``mensasdk`` command. It belongs to the extra ``cli``: ``pip install "mensasdk[cli]"``."""

from __future__ import annotations

import io
import logging
import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process; never returns normally."""
    if not all(find_spec(name) for name in ("click", "rich")):
        sys.stderr.write('The mensasdk command needs click and rich; install them with: pip install "mensasdk[cli]"\n')
        raise SystemExit(2)
    from mensasdk.cli.app import cli

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without the sign for a tick is no reason to fail
    # What the library logs is for services; here the report says it, and a line in between would tear the display.
    logging.getLogger("mensasdk").addHandler(logging.NullHandler())
    shown = logging.StreamHandler()  # but for a vendor that is missing because its package is broken
    shown.setFormatter(logging.Formatter("Warning: %(message)s"))
    logging.getLogger("mensasdk.registry").addHandler(shown)
    cli(prog_name="mensasdk")
