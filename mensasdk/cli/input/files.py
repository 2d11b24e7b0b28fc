"""Find the files that the running command reads or keeps, so that nothing is written over them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from mensasdk.cli.input.config import FILE_VARIABLE
from mensasdk.cli.options import JournalPlace

__all__ = ["files_in_use"]

_BESIDE_A_JOURNAL = ("-wal", "-shm", "-journal", "-new")


def files_in_use() -> list[Path]:
    """Return the files that the options of the running command name, but for ``--output``, and those beside a journal.

    Some of them may not exist yet.
    """
    return [*_named()]


def _named() -> Iterator[Path]:
    for name, value in click.get_current_context().params.items():
        for one in value if isinstance(value, tuple | list) else (value,):
            if name == "output" or not isinstance(one, Path | str | JournalPlace):
                continue
            if isinstance(one, JournalPlace):
                if one.path is not None:
                    yield from _journal(one.path)
            elif isinstance(one, Path):
                yield one
            elif name == "prices":
                yield from (Path(one), Path(one.partition("=")[2] or one))
    if os.environ.get(FILE_VARIABLE):
        yield Path(os.environ[FILE_VARIABLE])


def _journal(path: Path) -> Iterator[Path]:
    path = Path(os.path.realpath(path))  # where a link leads, and the other files are
    yield path
    yield from (path.with_name(path.name + end) for end in _BESIDE_A_JOURNAL)
    try:
        names = [entry.name for entry in os.scandir(path.parent)]
    except OSError:
        return
    yield from (path.with_name(name) for name in names if name.startswith(f"{path.name}-") and name.endswith(".lock"))
