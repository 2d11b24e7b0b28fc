"""Keep a command at its work when standard output or standard error cannot be written: a full disk, a closed pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import click

__all__ = ["kept_streams", "lost_output", "say_where_output_is_lost"]


class _Kept:
    """A text stream whose failures are kept and not raised; after the first one, nothing is written.

    Args:
        stream: the stream.

    Attributes:
        failure: why it cannot be written; None while it can.
        is_told: what it should have said was said elsewhere.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.failure: OSError | None = None
        self.is_told = False

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("this stream takes text only")
        if self.failure is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        if self.failure is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = error
        # What is left in the buffer would fail once more when Python ends, and change the exit code.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def kept_streams() -> Iterator[None]:
    """Keep failures of standard output and standard error from ending the command, within the block."""
    out, err = sys.stdout, sys.stderr
    kept: tuple[Any, Any] = _Kept(out), _Kept(err)
    sys.stdout, sys.stderr = kept
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def lost_output() -> str | None:
    """Return why standard output cannot be written, unless its result was told elsewhere; None while it can."""
    sys.stdout.flush()
    stream = sys.stdout
    if isinstance(stream, _Kept) and stream.failure is not None and not stream.is_told:
        return stream.failure.strerror or type(stream.failure).__name__
    return None


def say_where_output_is_lost(result: str) -> None:
    """Print a result on standard error, in one line, if standard output could not be written."""
    problem = lost_output()
    if problem is not None:
        click.echo(f"Standard output cannot be written ({problem}). The result: {result}", err=True)
        vars(sys.stdout)["is_told"] = True
