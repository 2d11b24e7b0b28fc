"""The ``mensasdk`` command, of the extra ``cli``: ``pip install "mensasdk[cli]"``."""

from __future__ import annotations

import io
import logging
import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    if not all(find_spec(name) for name in ("click", "rich")):
        sys.stderr.write('The mensasdk command needs click and rich; install them with: pip install "mensasdk[cli]"\n')
        raise SystemExit(2)
    from mensasdk.cli.app import cli

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character must not fail
    # The library logs for services. The command shows the same by itself, and a line of a log would tear its display.
    logging.getLogger("mensasdk").addHandler(logging.NullHandler())
    # One thing has to be shown: a vendor is missing because its package is broken.
    shown = logging.StreamHandler()
    shown.setFormatter(logging.Formatter("Warning: %(message)s"))
    logging.getLogger("mensasdk.registry").addHandler(shown)
    cli(prog_name="mensasdk")
