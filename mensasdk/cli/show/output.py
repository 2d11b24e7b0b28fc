"""Write the file of results: one row for each row of the input, readable by its owner only."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import orjson

from mensasdk.campaign import guard_cell
from mensasdk.cli.input.rows import BadRow
from mensasdk.cli.options import JournalPlace
from mensasdk.errors import ConfigurationError
from mensasdk.files import open_private
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["COLUMNS", "Output", "open_output", "written_output"]

COLUMNS: Final = (
    "line", "to", "reference", "outcome", "vendor", "vendor_id", "code", "detail", "parts", "credits",
)  # fmt: skip
SUFFIXES: Final = (".csv", ".jsonl")


class Output:
    """A file of results, as CSV (safe to open in a spreadsheet) or as JSON lines. It has the numbers in full.

    Args:
        file: the open file.
        as_csv: write CSV, in place of JSON lines.
        columns: names of the columns.
    """

    def __init__(self, file: IO[str], *, as_csv: bool, columns: Sequence[str] = COLUMNS) -> None:
        self._file = file
        self._columns = columns
        self._csv = csv.writer(file) if as_csv else None
        if self._csv is not None:
            self._csv.writerow(columns)

    def outcome(self, line: int, outcome: Outcome) -> None:
        """Write the outcome of a message.

        Args:
            line: its line in the list.
            outcome: the outcome.

        Raises:
            OSError: the file cannot be written.
        """
        message = outcome.message
        credits_ = None if outcome.credits is None else str(outcome.credits)
        self.write(
            line,
            message.to,
            message.reference,
            outcome.kind.value,
            outcome.vendor,
            outcome.vendor_id,
            outcome.code,
            outcome.detail,
            outcome.parts,
            credits_,
        )

    def row(self, row: Mapping[str, Any]) -> None:
        """Write a row of a `BatchReport`, which has no line; errors as for `outcome`."""
        self.write(None, *[row[name] for name in COLUMNS[1:]])

    def bad_row(self, row: BadRow, vendor: str) -> None:
        """Write a row that was not sent; errors as for `outcome`."""
        kind = OutcomeKind.NOT_SENT.value
        self.write(row.line, row.to, row.reference, kind, vendor, None, row.code, row.detail, None, None)

    def flush(self) -> None:
        """Hand what was written to the system, so that it outlives this process."""
        self._file.flush()

    def close(self) -> None:
        """Close the file; errors as for `outcome`."""
        self._file.close()

    def write(self, *cells: Any) -> None:
        """Write a row, one cell for each column; errors as for `outcome`."""
        if self._csv is None:
            line = orjson.dumps(dict(zip(self._columns, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            self._file.write(line.decode())
        else:
            self._csv.writerow([guard_cell("" if cell is None else str(cell)) for cell in cells])


def open_output(path: Path, *, source: Path | None, columns: Sequence[str] = COLUMNS) -> Output:
    """Create a file of results with mode 0600; an older file is replaced.

    Args:
        path: the file; its ending ``.csv`` or ``.jsonl`` decides the format.
        source: file that the command reads, which must be another one; None for none.
        columns: names of the columns; by default those of `Output.outcome`.

    Raises:
        ConfigurationError: the path has another ending, is the file that the command reads, or cannot be created.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigurationError(f"--output must end in {' or '.join(SUFFIXES)}")
    if source is not None and path.exists() and path.samefile(source):
        raise ConfigurationError("--output is a file that this command reads; choose another name")
    try:
        file = open_private(path, newline="")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    return Output(file, as_csv=suffix == ".csv", columns=columns)


@contextmanager
def written_output(
    path: Path | None, *, journal: JournalPlace, columns: Sequence[str] = COLUMNS
) -> Iterator[Output | None]:
    """Create a file for rows of a journal, and close it at the end of the block.

    Args:
        path: the file; None makes none.
        journal: place of the journal, which must be another file.
        columns: names of the columns.

    Yields:
        The file; None without a path.

    Raises:
        ConfigurationError: as for `open_output`, or the file cannot be written to its end.
    """
    if path is None:
        yield None
        return
    output = open_output(path, source=journal.path, columns=columns)
    try:
        yield output
        output.flush()
    except OSError as error:
        words = f"{path} cannot be written: {error.strerror}; the journal still has all of it"
        raise ConfigurationError(words) from None
    finally:
        with suppress(OSError):  # the failure has been reported already
            output.close()
