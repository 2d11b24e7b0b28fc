"""The file of results: one row for each row of the input, written as it ends, for its owner's eyes only."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import orjson

from mensasdk.batch import guard_cell
from mensasdk.cli.rows import BadRow
from mensasdk.errors import ConfigurationError
from mensasdk.messages import Outcome, OutcomeKind

__all__ = ["Output", "open_output"]

COLUMNS: Final = (
    "line", "to", "reference", "outcome", "vendor", "vendor_id", "code", "detail", "parts", "credits",
)  # fmt: skip
SUFFIXES: Final = (".csv", ".jsonl")


class Output:
    """Results as CSV (safe to open in a spreadsheet) or as JSON lines. Numbers stand in it in full."""

    def __init__(self, file: IO[str], *, as_csv: bool) -> None:
        self._file = file
        self._csv = csv.writer(file) if as_csv else None
        if self._csv is not None:
            self._csv.writerow(COLUMNS)

    def outcome(self, line: int, outcome: Outcome) -> None:
        """Write what became of a message.

        Raises:
            OSError: it cannot be written.
        """
        message = outcome.message
        credits_ = None if outcome.credits is None else str(outcome.credits)
        self._write(
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
        """Write a row of a `BatchReport`, which knows no lines; errors as for `outcome`."""
        self._write(None, *[row[name] for name in COLUMNS[1:]])

    def bad_row(self, row: BadRow, vendor: str) -> None:
        """Write a row that was not sent; errors as for `outcome`."""
        kind = OutcomeKind.NOT_SENT.value
        self._write(row.line, row.to, row.reference, kind, vendor, None, row.code, row.detail, None, None)

    def flush(self) -> None:
        """Hand what was written to the system, so that it outlives this process."""
        self._file.flush()

    def close(self) -> None:
        """Close the file; errors as for `outcome`."""
        self._file.close()

    def _write(self, *cells: Any) -> None:
        if self._csv is None:
            line = orjson.dumps(dict(zip(COLUMNS, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            self._file.write(line.decode())
        else:
            self._csv.writerow([guard_cell("" if cell is None else str(cell)) for cell in cells])


def open_output(path: Path, *, source: Path | None) -> Output:
    """Create the file, with mode 0600 from its first moment; an older one is replaced.

    Args:
        path: ends in ``.csv`` or ``.jsonl``, which decides the format.
        source: the file with the recipients, which must not be the same; None for none.

    Raises:
        ConfigurationError: another ending, the same file, or it cannot be created.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigurationError(f"--output must end in {' or '.join(SUFFIXES)}")
    if source is not None and path.exists() and path.samefile(source):
        raise ConfigurationError("--output is the file with the recipients; choose another name")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if os.name == "posix":
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    return Output(file, as_csv=suffix == ".csv")
