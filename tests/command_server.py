"""A process that has the command loaded, and forks for each call of it: a true process in a fiftieth of the time.

A line of JSON comes in with the arguments, the environment, the folder and the files for standard output and error; a
line goes out with the exit code, which is negative for a signal, as in `subprocess`. There is only one thread here, so
that forking is safe. What is loaded here is what the command loads by itself, so tests of what it loads start a
process of their own.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import sys
from typing import Any


def load() -> None:
    """Import what every command needs."""
    import mensasdk.cli.commands as commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    gc.freeze()  # else each child would copy all of it when it collects


def become(job: dict[str, Any]) -> None:
    """Run the command in this process, and end it."""
    os.setsid()
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    for descriptor, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, job["out"], os.O_WRONLY),
        (2, job["err"], os.O_WRONLY),
    ):
        os.dup2(os.open(path, flags), descriptor)
    sys.argv = ["mensasdk", *job["arguments"]]
    from mensasdk.cli import main

    main()


def serve() -> None:
    """Take jobs until nobody gives any more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(json.loads(line))  # it ends by SystemExit or by a traceback, as any process does
            raise SystemExit
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    load()
    serve()
