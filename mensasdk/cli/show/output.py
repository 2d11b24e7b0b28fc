"""Write results: one row for each message, with the same columns from every command.

A file of results is private, is written beside its name, and gets its name when it is whole.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import orjson

from mensasdk.campaign import guard_cell
from mensasdk.cli.input.rows import BadRow
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Record, State
from mensasdk.journal.protocol import recorded_outcome
from mensasdk.messages import Delivery, Outcome, OutcomeKind

__all__ = ["COLUMNS", "Output", "open_output", "partial_of", "written_output"]

COLUMNS: Final = {
    "line": "line of the list, from 1 for the header; empty where the campaign was not sent by the command",
    "number": "number in E.164; empty where it cannot be read",
    "as_written": "number as it stands in the list",
    "reference": "reference of the list",
    "outcome": "`accepted`, `rejected`, `not_sent` or `unknown`; from a journal also `pending` (waits) and `in_flight`",
    "code": "code of the outcome: the vendor's, an HTTP status, or a word of ours",
    "detail": "sentence about the outcome",
    "vendor": "vendor that was asked",
    "vendor_id": "the vendor's id of the message, or of what it was sent in",
    "request": "our reference of the request, which the vendor has; from a journal",
    "parts": "SMS parts",
    "credits": "what the vendor charged for this message; empty where it does not tell, or has charged for several "
    "messages of different lengths together",
    "sent_at": "when its request was about to go out, in UTC; from a journal",
    "delivery": "state of the delivery; from a journal that has its report",
    "delivery_code": "the vendor's code of that state",
    "delivery_at": "when that state was reached, in UTC",
    "campaign": "name of the campaign",
}
"""Columns of results, in their order, and what they hold."""
SUFFIXES: Final = (".csv", ".jsonl")
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


class Output:
    """Results, as CSV (safe to open in a spreadsheet) or as JSON lines, with the numbers in full.

    A failure to write is kept in ``failure``, and nothing is written after it: what is sent must not depend on it.

    Args:
        file: the open file.
        as_csv: write CSV, in place of JSON lines.
        raw: write cells as they are, without the guard against formulas.
        path: the name that the file gets when it is closed; None where it has its name already.

    Attributes:
        campaign: name of the campaign, for rows that do not tell it.
        failure: why the file cannot be written; None while it can.
        path: as in the arguments.
    """

    def __init__(self, file: IO[str], *, as_csv: bool, raw: bool = False, path: Path | None = None) -> None:
        self.campaign: str | None = None
        self.failure: OSError | None = None
        self.path = path
        self._file = file
        self._raw = raw
        self._is_empty = True
        self._csv = csv.writer(file) if as_csv else None
        if self._csv is not None:
            self._try(partial(self._csv.writerow, COLUMNS))
        self.flush()

    def outcome(self, outcome: Outcome, number: str | None = None) -> None:
        """Write the outcome of a message.

        Args:
            outcome: the outcome; its message's ``place`` is the line.
            number: the recipient in E.164; None where it is not known.
        """
        self._write(number=number, **_of(outcome))

    def record(self, record: Record, delivery: Delivery | None = None, *, outcome: Outcome | None = None) -> None:
        """Write what a journal has about a message.

        Args:
            record: the journal's record.
            delivery: its delivery report; None without one.
            outcome: its outcome, where more is known than the record has.
        """
        if outcome is None and record.state in {State.PENDING, State.IN_FLIGHT}:
            message = record.message
            cells: dict[str, Any] = {
                "line": message.place,
                "as_written": message.to,
                "reference": message.reference,
                "outcome": record.state.value,
                "vendor": record.vendor,
            }
        else:
            cells = _of(outcome or recorded_outcome(record, ""))
        if delivery is not None:
            cells |= {
                "vendor_id": cells.get("vendor_id") or delivery.vendor_id,
                "delivery": delivery.state.value,
                "delivery_code": delivery.code,
                "delivery_at": _moment(delivery.at),
            }
        self._write(number=record.number, request=record.request, sent_at=_moment(record.claimed_at), **cells)

    def row(self, row: Mapping[str, Any]) -> None:
        """Write a row of a `BatchReport`."""
        cells = {name: value for name, value in row.items() if name not in {"place", "to"}}
        self._write(line=row["place"], as_written=row["to"], **cells)

    def bad_row(self, row: BadRow, vendor: str) -> None:
        """Write a row of the list that is no message."""
        self._write(
            line=row.line,
            as_written=row.to,
            reference=row.reference,
            outcome=OutcomeKind.NOT_SENT.value,
            code=row.code,
            detail=row.detail,
            vendor=vendor,
        )

    def flush(self) -> None:
        """Hand what was written to the system, so that it outlives this process."""
        self._try(self._file.flush)

    def close(self) -> None:
        """Close the file, and give it its name if it is whole."""
        self._try(self._file.flush)
        if self.path is not None:
            self._try(partial(self._name, self.path))
        with suppress(OSError):  # what it could not write is in `failure` already
            self._file.close()

    def _name(self, path: Path) -> None:
        written = os.fstat(self._file.fileno())
        os.fsync(self._file.fileno())
        self._file.close()
        found = partial_of(path).lstat()
        if (found.st_dev, found.st_ino) != (written.st_dev, written.st_ino):
            raise FileExistsError(errno.EEXIST, "another command has begun the same file")
        partial_of(path).replace(path)

    def abandon(self) -> None:
        """Close the file without its name, and remove it if it has no row."""
        with suppress(OSError):
            self._file.close()
        if self._is_empty and self.path is not None:
            partial_of(self.path).unlink(missing_ok=True)

    def _write(self, **cells: Any) -> None:
        self._is_empty = False
        row = {"campaign": self.campaign, **cells}
        values = [row.get(name) for name in COLUMNS]
        if self._csv is None:
            whole = dict(zip(COLUMNS, values, strict=True))
            try:
                line = orjson.dumps(whole).decode()
            except TypeError:  # half of a surrogate pair; the standard library writes an escape
                line = json.dumps(whole)
            self._try(partial(self._file.write, f"{line}\n"))
            return
        texts = ["" if value is None else str(value) for value in values]
        self._try(partial(self._csv.writerow, texts if self._raw else map(guard_cell, texts)))

    def _try(self, write: Callable[[], object]) -> None:
        if self.failure is None:
            try:
                write()
            except OSError as error:
                self.failure = error


def _of(outcome: Outcome) -> dict[str, Any]:
    message = outcome.message
    return {
        "line": message.place,
        "as_written": message.to,
        "reference": message.reference,
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "detail": outcome.detail,
        "vendor": outcome.vendor,
        "vendor_id": outcome.vendor_id,
        "parts": outcome.parts,
        "credits": None if outcome.credits is None else str(outcome.credits),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


# ------------------------------------------------------------------------------------------------------- the file


def partial_of(path: Path) -> Path:
    """Return the name under which a file is written until it is whole."""
    return path.with_name(f"{path.name}.partial")


def open_output(path: Path, *, in_use: Iterable[Path], raw: bool = False) -> Output:
    """Begin a file of results with mode 0600, under the name of `partial_of`; older results are replaced at its end.

    Args:
        path: the file; its ending ``.csv`` or ``.jsonl`` decides the format.
        in_use: files that the command reads or keeps, which must be others.
        raw: as in `Output`.

    Raises:
        ConfigurationError: the path has another ending; is in use, a link, no regular file, or a file that has no
            results; or cannot be created. Nothing was changed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigurationError(f"--output must end in {' or '.join(SUFFIXES)}")
    unfinished, others = partial_of(path), [*in_use]
    try:
        for one in (path, unfinished):
            _check(one, others)
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "its name cannot be used"
        raise ConfigurationError(f"{path} cannot be written: {problem}") from None
    file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
    return Output(file, as_csv=suffix == ".csv", raw=raw, path=path)


def _check(path: Path, in_use: Iterable[Path]) -> None:
    for other in in_use:
        if os.path.realpath(path) == os.path.realpath(other) or _same(path, other):
            raise ConfigurationError(f"--output: {path} is a file that this command reads; choose another name")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise ConfigurationError(f"--output: {path} is a link; give the name of the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"--output: {path} is not a regular file; choose another name")
    if found.st_size and not _has_results(path):
        raise ConfigurationError(
            f"--output: {path} exists, and is no file of results; choose another name, or move it away"
        )


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _has_results(path: Path) -> bool:
    """Return whether a file begins as files of results do; another file is somebody's, and is not replaced."""
    head = ",".join(COLUMNS).encode()
    with path.open("rb") as file:
        start = file.read(len(head) + 2)
    return start.rstrip(b"\r\n") == head or start.startswith(b'{"line":')


@contextmanager
def written_output(
    path: Path | None, *, in_use: Iterable[Path], raw: bool = False, must: bool = False
) -> Iterator[Output | None]:
    """Begin a file of results, and give it its name at the end of the block.

    Args:
        path: the file; None makes none.
        in_use: as in `open_output`.
        raw: as in `Output`.
        must: raise an error if the file cannot be written to its end; otherwise `Output.failure` has it.

    Yields:
        The file; None without a path.

    Raises:
        ConfigurationError: as for `open_output`; or ``must``, and the file cannot be written.
    """
    if path is None:
        yield None
        return
    output = open_output(path, in_use=in_use, raw=raw)
    try:
        yield output
    except BaseException:
        output.abandon()
        raise
    output.close()
    if must and output.failure is not None:
        raise ConfigurationError(f"{path} cannot be written: {output.failure.strerror}")
