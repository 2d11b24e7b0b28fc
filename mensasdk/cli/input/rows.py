"""Read a CSV file row by row as messages, with a reason for each row that cannot be one.

A file that is not sound CSV is refused as a whole before anything is sent: a stray quotation mark may swallow a
thousand rows.
"""

from __future__ import annotations

import csv
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from mensasdk.campaign import guard_cell, unguard_cell
from mensasdk.cli.masking import masked
from mensasdk.cli.wording import of_option, say
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, MensaError, ValidationError
from mensasdk.messages import Message
from mensasdk.placeholders import template
from mensasdk.preflight.optout import NUMBER_NAMES, fold_name

__all__ = ["BadRow", "GoodRow", "Layout", "Table", "open_table", "plan", "read"]

TEXT_NAMES: Final = ("text", "mensaje", "message", "texto")
REFERENCE_NAMES: Final = ("reference", "referencia", "id")
DELIMITERS: Final = (",", ";", "\t", "|")

# to, text, variables, reference, line
Make = Callable[[str, str, dict[str, str], str | None, int], Message]

_UTF8: Final = "utf-8-sig"
# Windows writes cp1252 where it does not write UTF-8; latin-1 reads any byte.
_FALLBACKS: Final = ("cp1252", "latin-1")
_VARIABLE = re.compile(r"[\w-]+").fullmatch


@frozen
class Table:
    """A CSV file that was read once to its end and is sound.

    Attributes:
        path: the file.
        encoding: the codec that reads it.
        delimiter: the character between cells.
        columns: the cells of the header row.
        total: count of the rows below the header that are not blank.
    """

    path: Path
    encoding: str
    delimiter: str
    columns: Sequence[str]
    total: int

    @property
    def is_utf8(self) -> bool:
        """True where the file is UTF-8, so that its accents are certain."""
        return self.encoding == _UTF8


@frozen
class Layout:
    """Meaning of the columns of a list.

    Attributes:
        number: index of the column of phone numbers.
        text: the text for all rows; None where each row has its own.
        text_column: index of the column of texts, used where there is no text for all rows; None for none.
        reference: index of the column of references; None for none.
        columns: index of each column by its name, without case and accents.
        width: count of the cells in a row.
        variables: index of each column that fills a vendor's template, by its name; None where a text is sent.
    """

    number: int
    text: str | None
    text_column: int | None
    reference: int | None
    columns: dict[str, int]
    width: int
    variables: dict[str, int] | None = None


@frozen
class GoodRow:
    """A row that is a message, with its line in the file, from 1."""

    line: int
    message: Message


@frozen
class BadRow:
    """A row that cannot be sent.

    Attributes:
        line: its line in the file, from 1.
        to: the cell of the number as it is; not masked, so never for a terminal.
        code: the reason as a word, such as ``"missing_number"``; see `Code`.
        detail: the reason as a sentence.
        reference: the row's reference; None for none.
    """

    line: int
    to: str
    code: str
    detail: str
    reference: str | None = None


def open_table(path: Path, *, delimiter: str | None = None) -> Table:
    """Read a file once: find its encoding and delimiter, check it, and count its rows.

    Args:
        path: a regular file; a pipe cannot be read twice.
        delimiter: the character between cells; None to find it from the header.

    Raises:
        ConfigurationError: the file cannot be read, is no CSV text, is broken, or has no header.
    """
    _check_file(path)
    for encoding in (_UTF8, *_FALLBACKS):
        try:
            return _scan(path, encoding, delimiter)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 reads every byte")  # pragma: no cover


def plan(table: Table, *, text: str | None, number_column: str | None = None, from_template: bool = False) -> Layout:
    """Find the columns of the number, the text, the reference and the variables.

    Args:
        table: the file.
        text: the text for all rows, with ``{name}`` placeholders; None to take each row's own.
        number_column: the name of the column of numbers; None to know it by one of the usual names.
        from_template: whether a template of the vendor is sent and no text. Its variables are the columns, except
            those of the number and the reference, and those whose name no variable can have.

    Raises:
        ConfigurationError: no column for the number or the text, more than one for the number, or a placeholder of
            ``text`` without a column.
    """
    columns: dict[str, int] = {}
    for index, name in enumerate(table.columns):
        columns.setdefault(fold_name(name), index)
    names = [fold_name(name) for name in table.columns]
    shown = ", ".join(masked(name)[:40] or "(blank)" for name in table.columns[:30])
    number = _number_column(names, number_column, shown)
    text_column = next((columns[name] for name in TEXT_NAMES if name in columns), None)
    reference = next((columns[name] for name in REFERENCE_NAMES if name in columns), None)
    layout = Layout(number, text, text_column, reference, columns, len(names))
    if from_template:
        return evolve(layout, variables=_variables(table, {number, reference}))
    if text is None and text_column is None:
        raise ConfigurationError(
            f"there is no text to send; give --text, or a column named text or mensaje (there are: {shown})"
        )
    if text is not None:
        if not text.strip():
            raise ConfigurationError("--text is blank; give the text, or leave it out to send each row's own")
        for name in _placeholders(text):
            if fold_name(name) not in columns:
                raise ConfigurationError(
                    f"--text has {{{masked(name)[:40]}}}, and no column has that name; there are: {shown}"
                )
            if names.count(fold_name(name)) > 1:
                raise ConfigurationError(
                    f"--text has {{{masked(name)[:40]}}}, and two columns have that name; rename one"
                )
    return layout


def read(table: Table, layout: Layout, make: Make) -> Iterator[GoodRow | BadRow]:
    """Yield each row, in the order of the file; only one row is in memory at a time.

    Args:
        table: the file.
        layout: the meaning of its columns.
        make: ``make(to, text, variables, reference, line)`` builds the message, whose place is the line.

    Raises:
        ConfigurationError: the file was changed after it was opened, or cannot be read to its end.
    """
    header = True
    try:
        for line, cells in _records(table.path, table.encoding, table.delimiter):
            if header:
                header = False
            else:
                yield _row(line, cells, layout, make)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        failure = type(error).__name__
    else:
        return
    raise ConfigurationError(f"the file changed, or could not be read to its end ({failure})")


# ------------------------------------------------------------------------------------------------------- one row


def _row(line: int, cells: list[str], layout: Layout, make: Make) -> GoodRow | BadRow:
    def cell(index: int | None) -> str:
        return _unguarded(cells[index].strip()) if index is not None and index < len(cells) else ""

    to = cell(layout.number)
    reference = cell(layout.reference) or None
    if len(cells) < layout.width:
        return BadRow(line, to, Code.COLUMNS, f"has {len(cells)} of {layout.width} columns", reference)
    if any(extra.strip() for extra in cells[layout.width :]):
        detail = f"has {len(cells)} columns, the header {layout.width}; quote cells that hold the delimiter"
        return BadRow(line, to, Code.COLUMNS, detail, reference)
    if not to:
        return BadRow(line, to, Code.MISSING_NUMBER, "has no number", reference)
    if layout.variables is not None:
        # Blank cells are left out: the vendor then refuses a template that needs one, and sends no text with a gap.
        return _good(line, make, to, "", {n: v for n, i in layout.variables.items() if (v := cell(i))}, reference)
    text = cell(layout.text_column) if layout.text is None else layout.text
    if not text:
        return BadRow(line, to, Code.MISSING_TEXT, "has no text", reference)
    try:
        parsed = template(text)
    except ValidationError as error:
        return BadRow(line, to, Code.BAD_TEXT, say(error), reference)
    variables: dict[str, str] = {}
    for name in parsed.names:
        value = cell(layout.columns.get(fold_name(name)))
        if not value:
            return BadRow(line, to, Code.MISSING_VARIABLE, f"has no value for {{{name[:40]}}}", reference)
        variables[name] = value
    # A message without variables is sent as it is, so its doubled braces have to be single ones here.
    body = text if parsed.names else parsed.pieces[0]
    return _good(line, make, to, body, variables, reference)


def _good(
    line: int, make: Make, to: str, body: str, variables: dict[str, str], reference: str | None
) -> GoodRow | BadRow:
    try:
        return GoodRow(line, make(to, body, variables, reference, line))
    except MensaError as error:
        return BadRow(line, to, Code.INVALID, say(error), reference)


def _unguarded(cell: str) -> str:
    # Take away only the apostrophe that our own files put in front of a formula: 's-Hertogenbosch keeps its own.
    bare = unguard_cell(cell)
    return bare if bare != cell and guard_cell(bare) == cell else cell


# ------------------------------------------------------------------------------------------------------ the file


def _check_file(path: Path) -> None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigurationError(f"{path} is not a regular file; it has to be read twice, so save it to disk first")
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(f"{path} is in UTF-16; save it as CSV in UTF-8")
    if b"\0" in start:
        raise ConfigurationError(f"{path} is not a text file; save it as CSV in UTF-8")
    if not start.strip():
        raise ConfigurationError(f"{path} is empty; it needs a header row")


def _scan(path: Path, encoding: str, delimiter: str | None) -> Table:
    last = 0
    try:
        if delimiter is None:
            delimiter = _sniff(path, encoding)
        columns: list[str] | None = None
        total = 0
        for last, cells in _records(path, encoding, delimiter):  # noqa: B007 - the error below names the line
            if columns is None:
                columns = cells
            else:
                total += 1
    except csv.Error as error:
        problem = str(error)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        if columns is None:
            raise ConfigurationError(f"{path} is empty; it needs a header row")
        return Table(path, encoding, delimiter, columns, total)
    raise ConfigurationError(f"{path} is not sound CSV after line {last} ({problem}); nothing was sent")


def _sniff(path: Path, encoding: str) -> str:
    """Find the delimiter by which the header has a column of numbers, or else most columns."""

    def score(delimiter: str) -> tuple[bool, int]:
        try:
            _, cells = next(_records(path, encoding, delimiter))
        except (csv.Error, StopIteration):
            return False, 0
        return any(fold_name(cell) in NUMBER_NAMES for cell in cells), len(cells)

    return max(DELIMITERS, key=score)


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the position of its first line, from 1."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        line = 1
        for cells in reader:
            if any(cell and not cell.isspace() for cell in cells):
                yield line, cells
            line = reader.line_num + 1


def _variables(table: Table, others: set[int | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, column in enumerate(table.columns):
        name = column.strip()
        if index in others or not _VARIABLE(name):
            continue
        if name in found:
            raise ConfigurationError(f"two columns are named {masked(name)[:40]!r}; rename one")
        found[name] = index
    return found


def _placeholders(text: str) -> Sequence[str]:
    with of_option("--text"):
        return template(text).names


def _number_column(names: list[str], wanted: str | None, shown: str) -> int:
    if wanted is not None:
        found = [index for index, name in enumerate(names) if name == fold_name(wanted)]
        if len(found) != 1:
            problem = "no column is" if not found else "two columns are"
            raise ConfigurationError(f"{problem} named {masked(wanted)[:40]!r}; there are: {shown}")
        return found[0]
    found = [index for index, name in enumerate(names) if name in NUMBER_NAMES]
    if not found:
        raise ConfigurationError(
            f"no column is named {', '.join(NUMBER_NAMES)}; say which one holds the number with --column-number "
            f"(there are: {shown})"
        )
    if len(found) > 1:
        raise ConfigurationError(
            f"{len(found)} columns could hold the number; say which one with --column-number (there are: {shown})"
        )
    return found[0]
