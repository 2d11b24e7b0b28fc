"""Keep lists of numbers that have opted out, and refuse messages to them before anything is sent.

A list that is read wrongly sends messages to people who forbade it. So a number that cannot be read is refused with its
line. If it cannot be found out whether a person has opted out, the message is not sent.
"""

from __future__ import annotations

import csv
import heapq
import stat
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from inspect import iscoroutine, iscoroutinefunction
from itertools import chain, groupby
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, ValidationError
from mensasdk.messages import Message
from mensasdk.phone import mask, parse

__all__ = ["NUMBER_NAMES", "OptOuts", "fold_name"]

NUMBER_NAMES: Final = ("to", "number", "phone", "mobile", "movil", "telefono", "numero", "celular")
"""Usual names of a column of phone numbers, as `fold_name` returns them."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_REMEDY: Final = "correct it, or pass over what cannot be read with lenient=True"
_HEADER: Final = "if it is a header, say which column holds the numbers with column="
_SORTED_AT_ONCE: Final = 2**16

# refuse(line, code, problem, remedy of its own): raises, or counts where the caller is lenient.
_Refuse = Callable[[int, str, str, str | None], None]


class OptOuts:
    """Numbers that must not be written to, as a screen for `BatchSender(client, screens=[...])`.

    A message to one of these numbers ends NOT_SENT with the code ``"opted_out"``. A sender takes several screens, one
    for each list. ``number in optouts`` tells whether a number has opted out.

    The list is read once, when the object is made: use one object for all campaigns, and make a new one when the list
    has changed. It is exact (no number is taken for another) and takes 8 bytes a number, or twice that while it is
    read. A million numbers in E.164 take a few seconds to read, other spellings several times as long; in an asyncio
    service write ``await asyncio.to_thread(OptOuts, path)``.

    Numbers may be spelled in any common way (see `mensasdk.phone.parse`), and are compared in E.164: the +52 1 of old
    Mexican lists is +52.

    Args:
        source: the numbers, as one of these:

            * a path to a text file in UTF-8, with one number in a line, or CSV with a header (``,`` ``;`` tab or ``|``
              between cells). Blank lines and lines that begin with ``#`` are ignored. A row of a CSV file has to be on
              one line, so that a stray quotation mark cannot hide other rows;
            * an iterable of numbers;
            * a function that takes a number in E.164 and returns whether it has opted out. It is called in the event
              loop for each message and must not block: it may search a local structure, but not make a request. If it
              raises, or returns anything but a bool or an int, the message ends NOT_SENT with the code
              ``"opt_out_failed"``.
        default_country: ISO 3166 alpha-2 code of the country of national numbers, such as ``"ES"``; use the same as for
            the client.
        column: name of the CSV column of the numbers, in any case and with or without accents; None to find it by the
            usual names: to, number, phone, mobile, movil, telefono, numero, celular.
        lenient: skip numbers that cannot be read, and count them in ``skipped``. The people behind them will be
            written to.

    Attributes:
        skipped: count of numbers that were skipped.

    Raises:
        ConfigurationError: the file is no regular file, or cannot be read; a number cannot be read (with its line); the
            function is async. Nothing was sent.
        ValidationError: ``default_country`` is no country.
    """

    def __init__(
        self,
        source: str | PathLike[str] | Iterable[str] | Callable[[str], bool],
        *,
        default_country: str | None = None,
        column: str | None = None,
        lenient: bool = False,
    ) -> None:
        if default_country is not None:
            # Checked first, so that an unknown country is not reported as a fault of the first number.
            parse("+34600000000", default_country=default_country)
        self.skipped = 0
        self._default_country = default_country
        self._numbers: array[int] = array("Q")
        self._ask: Callable[[str], object] | None = None
        if isinstance(source, str | PathLike):
            path = Path(source)
            self._read(lambda refuse: _cells(path, column, refuse), f"{path}, line", f"{_REMEDY}; {_HEADER}", lenient)
            return
        if column is not None:
            raise ConfigurationError("is for a CSV file", subject="column", remedy="leave it out", field="column")
        if callable(source):
            _check_function(source)
            self._ask = source
        elif hasattr(source, "__iter__"):
            self._read(lambda refuse: enumerate(source, 1), "item", _REMEDY, lenient)
        else:
            raise ConfigurationError(
                f"opt-outs come from a path, an iterable or a function, not from {type(source).__name__}",
                remedy="gather what comes asynchronously first, as in OptOuts([number async for number in source])",
                field="source",
            )

    def __call__(self, message: Message, number: str) -> Message:
        """Return the message itself, or refuse it if its recipient has opted out.

        Args:
            message: the message.
            number: the recipient in E.164.

        Raises:
            ValidationError: the number has opted out (code ``"opted_out"``), the function that was given failed (code
                ``"opt_out_failed"``), or ``number`` is no phone number (no code).
        """
        if number in self:
            raise ValidationError(f"the recipient ({mask(number)}) has opted out", field="to", code=Code.OPTED_OUT)
        return message

    def __contains__(self, number: str) -> bool:
        """Return whether a number, in any common spelling, has opted out.

        Raises:
            ValidationError: ``number`` is no phone number (no code), or the function that was given failed (code
                ``"opt_out_failed"``).
        """
        e164 = parse(number, default_country=self._default_country).e164
        if self._ask is not None:
            return _answer(self._ask, e164)
        wanted = int(e164)
        place = bisect_left(self._numbers, wanted)
        return place < len(self._numbers) and self._numbers[place] == wanted

    def __len__(self) -> int:
        """Return the count of numbers that have opted out, each counted once.

        Raises:
            TypeError: the opt-outs come from a function, which has no length.
        """
        if self._ask is not None:
            raise TypeError("opt-outs that come from a function have no length")
        return len(self._numbers)

    def __bool__(self) -> bool:
        """Return True: an empty list is still a screen."""
        return True

    def _read(
        self, entries: Callable[[_Refuse], Iterable[tuple[int, str]]], place: str, remedy: str, lenient: bool
    ) -> None:
        def refuse(line: int, code: str, problem: str, own: str | None) -> None:
            if not lenient:
                every = remedy if own is None else f"{own}; {remedy}"
                raise ConfigurationError(f"{place} {line}: {problem}", remedy=every, field="source", code=code)
            self.skipped += 1

        numbers: array[int] = array("Q")
        for line, given in entries(refuse):
            try:
                e164 = parse(given, default_country=self._default_country, field="number").e164
            except ValidationError as error:
                problem, own = f"{error.subject} {error.problem}", error.remedy
                code = "bad_number" if error.missing is None else "no_country"
            else:
                # No calling code begins with 0, so no digit is lost; the longest number has 19.
                numbers.append(int(e164))
                continue
            refuse(line, code, problem, own)
        if self.skipped and not numbers:
            raise ConfigurationError(
                f"{place} 1 and on: of {self.skipped} numbers not one could be read",
                remedy=remedy,
                field="source",
                code="bad_number",
            )
        self._numbers = _sorted(numbers)


def _sorted(numbers: array[int]) -> array[int]:
    """Sort the numbers, and keep each once.

    The numbers are sorted in pieces: as Python integers, all at once, they would take five times the memory.
    """
    starts = range(0, len(numbers), _SORTED_AT_ONCE)
    for start in starts:
        piece = slice(start, start + _SORTED_AT_ONCE)
        numbers[piece] = array("Q", sorted(numbers[piece]))
    view = memoryview(numbers)
    pieces = (view[start : start + _SORTED_AT_ONCE] for start in starts)
    return array("Q", (number for number, _ in groupby(heapq.merge(*pieces))))


# ---------------------------------------------------------------------------------------------------- the function


def _check_function(function: Callable[[str], Any]) -> None:
    if iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        raise ConfigurationError(
            "the opt-out function is async, and a campaign cannot wait for it at each message",
            remedy="read the list first, as in OptOuts(await numbers())",
            field="source",
        )


def _answer(function: Callable[[str], object], e164: str) -> bool:
    answer: object = None
    try:
        answer = function(e164)
    except Exception as error:  # noqa: BLE001 - after any error it is not known, so nothing may be sent
        failure = f"raised {type(error).__name__}"
    else:
        if isinstance(answer, int):
            return bool(answer)
        if iscoroutine(answer):
            answer.close()  # or Python would warn that it was never awaited
        failure = f"returned {type(answer).__name__} and not a bool"
    # Raised outside of the except block: the text of that error may hold numbers or credentials.
    raise ValidationError(
        f"it is not known whether the recipient ({mask(e164)}) has opted out: the opt-out function {failure}",
        field="to",
        code=Code.OPT_OUT_FAILED,
    )


# -------------------------------------------------------------------------------------------------------- the file


def _cells(path: Path, column: str | None, refuse: _Refuse) -> Iterator[tuple[int, str]]:
    """Yield each number of a file, as it is written, after its line from 1."""
    problem: str | None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            remedy = "save the list to disk first"
            raise ConfigurationError(f"{path} is not a regular file", remedy=remedy, field="source")
        # Bytes that are not UTF-8 become a character that no number has. In other columns they do no harm, and are
        # common there: names in the encoding of Windows.
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            yield from _content(file, str(path), column, refuse)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        return
    raise ConfigurationError(f"{path} cannot be read: {problem}", field="source")


def _content(file: IO[str], path: str, column: str | None, refuse: _Refuse) -> Iterator[tuple[int, str]]:
    line = 0

    def lines() -> Iterator[str]:
        nonlocal line
        for line, text in enumerate(file, 1):  # noqa: B007 - used outside of this function
            bare = text.strip()
            if bare and bare[0] != "#":
                yield text

    content = lines()
    first = next(content, "")
    if "\0" in first:  # as in UTF-16
        raise ConfigurationError(f"{path} is not a text file in UTF-8", remedy="save it as UTF-8", field="source")
    layout = _layout(first, column)
    if layout is None:
        if column is not None:
            raise ConfigurationError(
                f"{path}, line {line}: the header has no column named {column!r}", field="column", code="no_column"
            )
        for text in chain([first] if first else [], content):
            yield line, _bare(text)
        return
    delimiter, places, width = layout
    if len(places) > 1:
        problem = f"{path}, line {line}: {len(places)} columns could hold the number"
        if column is not None:
            raise ConfigurationError(problem, remedy="rename one", field="column", code="repeated_column")
        raise ConfigurationError(problem, remedy="say which one with column=", field="source", code="several_columns")
    rows = csv.reader(content, delimiter=delimiter, strict=True)
    try:
        for count, cells in enumerate(rows, 1):
            if rows.line_num != count:
                problem = "a quoted cell does not end in the line in which it begins"
                break
            if not any(cell.strip() for cell in cells):
                continue
            # In a row that is too short or too long, the number may be in another cell.
            if len(cells) < width or any(extra.strip() for extra in cells[width:]):
                refuse(line, "bad_row", f"has {len(cells)} cells, and the header {width}", None)
            else:
                yield line, _bare(cells[places[0]])
        else:
            return
    except csv.Error as error:
        problem = f"is not sound CSV ({error})"
    # Never skipped, even if lenient: the row may hide other rows.
    raise ConfigurationError(
        f"{path}, line {line}: {problem}",
        remedy="correct it, or keep only the column of the numbers",
        field="source",
    )


def _layout(header: str, column: str | None) -> tuple[str, list[int], int] | None:
    """Return delimiter, indices of the columns with the wanted name, and count of columns; None if no column has it."""
    names = NUMBER_NAMES if column is None else (fold_name(column),)
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([header], delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        places = [place for place, cell in enumerate(cells) if fold_name(cell) in names]
        if places:
            return delimiter, places, len(cells)
    return None


def fold_name(name: str) -> str:
    """Return the name of a column in lower case, without accents and without blanks around it."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _bare(cell: str) -> str:
    # A leading apostrophe keeps spreadsheets from taking "+34..." for a formula; our own reports write it.
    return cell.strip().removeprefix("'")
