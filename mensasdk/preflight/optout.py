"""Who must not be written to: lists of numbers that have opted out, kept compactly and asked before anything is sent.

A list that is read wrongly sends messages to people who forbade it. So whatever cannot be read is refused with its
place, and where it cannot be found out whether a person has opted out, the message does not go out.
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
"""What a column of phone numbers may be called, as `fold_name` gives it."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_REMEDY: Final = "correct it, or pass over what cannot be read with lenient=True"
_HEADER: Final = "if it is a header, say which column holds the numbers with column="
_SORTED_AT_ONCE: Final = 2**16

# refuse(line, reason): raises, or counts where the caller is lenient.
_Refuse = Callable[[int, str], None]


class OptOuts:
    """Numbers that must not be written to, as a screen for `BatchSender(client, screens=[...])`.

    A message to one of them ends NOT_SENT with the code ``"opted_out"``. Several screens can be given, one for each
    list. ``number in optouts`` asks by hand.

    A list is read once, here: keep the object for all campaigns, and make it anew when the list has changed. It is
    exact (no number is taken for another) and takes 8 bytes a number, twice that for a moment while it is read. A
    million numbers in E.164 take a few seconds to read, other spellings some times as long; in an asyncio service
    write ``await asyncio.to_thread(OptOuts, path)``.

    Numbers may be spelled in any common way (see `mensasdk.phone.parse`), and are compared by their E.164 form: the
    +52 1 of old Mexican lists is +52.

    Args:
        source: where the numbers come from:

            * a path to a text file in UTF-8, with one number in a line, or CSV with a header (``,`` ``;`` tab or ``|``
              between cells). Blank lines and lines that begin with ``#`` are passed over. A row of a CSV file has to
              stand in one line, so that a stray quotation mark cannot swallow others;
            * an iterable of numbers;
            * a function that is given a number in E.164 and returns whether it has opted out. It is called in the
              event loop for each message and must not block: a look into a local structure, not a request. When it
              raises, or returns anything but a bool or an int, the message ends NOT_SENT with the code
              ``"opt_out_failed"``.
        default_country: ISO 3166 alpha-2 code of the country that national numbers belong to, such as ``"ES"``; give
            the one that the client has.
        column: name of the CSV column of the numbers, without regard to case and accents; None to know it by one of
            the usual names: to, number, phone, mobile, movil, telefono, numero, celular.
        lenient: pass over numbers that cannot be read, and count them in ``skipped``. Who stands there will be
            written to.

    Attributes:
        skipped: numbers that were passed over.

    Raises:
        ConfigurationError: the file is none, or cannot be read; a number cannot be read (with its line); the function
            is async. Nothing was sent.
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
            # Now, and not as a fault of the first number.
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
            raise ConfigurationError("column is for a CSV file; leave it out")
        if callable(source):
            _check_function(source)
            self._ask = source
        elif hasattr(source, "__iter__"):
            self._read(lambda refuse: enumerate(source, 1), "item", _REMEDY, lenient)
        else:
            raise ConfigurationError(
                f"opt-outs come from a path, an iterable or a function, not from {type(source).__name__}; gather what "
                "comes asynchronously first, as in OptOuts([number async for number in source])"
            )

    def __call__(self, message: Message, number: str) -> Message:
        """Let a message through, the same object, or refuse it.

        Args:
            message: the message.
            number: its recipient in E.164.

        Raises:
            ValidationError: the number has opted out (code ``"opted_out"``), or that cannot be found out (code
                ``"opt_out_failed"``, or none where it is no number).
        """
        if number in self:
            raise ValidationError(f"the recipient ({mask(number)}) has opted out", field="to", code=Code.OPTED_OUT)
        return message

    def __contains__(self, number: str) -> bool:
        """Whether a number, in any common spelling, has opted out.

        Raises:
            ValidationError: it is no phone number, or the function that was given failed (code ``"opt_out_failed"``).
        """
        e164 = parse(number, default_country=self._default_country).e164
        if self._ask is not None:
            return _answer(self._ask, e164)
        wanted = int(e164)
        place = bisect_left(self._numbers, wanted)
        return place < len(self._numbers) and self._numbers[place] == wanted

    def __len__(self) -> int:
        """How many numbers have opted out, each counted once.

        Raises:
            TypeError: a function was given, which has no length.
        """
        if self._ask is not None:
            raise TypeError("opt-outs that are asked of a function have no length")
        return len(self._numbers)

    def __bool__(self) -> bool:
        """True: a list that is empty today is a screen all the same."""
        return True

    def _read(
        self, entries: Callable[[_Refuse], Iterable[tuple[int, str]]], place: str, remedy: str, lenient: bool
    ) -> None:
        def refuse(line: int, reason: str) -> None:
            if not lenient:
                raise ConfigurationError(f"{place} {line}: {reason}; {remedy}")
            self.skipped += 1

        numbers: array[int] = array("Q")
        for line, given in entries(refuse):
            try:
                e164 = parse(given, default_country=self._default_country, field="number").e164
            except ValidationError as error:
                reason = error.message
            else:
                # No calling code begins with 0, so the digits are one with their value; the longest has 19.
                numbers.append(int(e164))
                continue
            refuse(line, reason)
        if self.skipped and not numbers:
            raise ConfigurationError(f"{place} 1 and on: of {self.skipped} numbers not one could be read; {remedy}")
        self._numbers = _sorted(numbers)


def _sorted(numbers: array[int]) -> array[int]:
    """The numbers in order, each once. In pieces: all of them as Python's integers would take five times the room."""
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
            "the opt-out function is async, and a campaign cannot wait for it at each message; read the list first, as "
            "in OptOuts(await numbers())"
        )


def _answer(function: Callable[[str], object], e164: str) -> bool:
    answer: object = None
    try:
        answer = function(e164)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows, and so it must not go out
        failure = f"raised {type(error).__name__}"
    else:
        if isinstance(answer, int):
            return bool(answer)
        if iscoroutine(answer):
            answer.close()  # or it would be said that nobody awaited it
        failure = f"returned {type(answer).__name__} and not a bool"
    # Out of the except block: the error's own text may hold numbers or credentials.
    raise ValidationError(
        f"whether the recipient ({mask(e164)}) has opted out is not known: the opt-out function {failure}",
        field="to",
        code=Code.OPT_OUT_FAILED,
    )


# -------------------------------------------------------------------------------------------------------- the file


def _cells(path: Path, column: str | None, refuse: _Refuse) -> Iterator[tuple[int, str]]:
    """Each number of a file as it is written, with its line from 1."""
    problem: str | None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigurationError(f"{path} is not a regular file; save the list to disk first")
        # Bytes that are not UTF-8 become a sign that no number has. In other columns they do no harm: names in the
        # encoding of Windows are common.
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            yield from _content(file, str(path), column, refuse)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        return
    raise ConfigurationError(f"{path} cannot be read: {problem}")


def _content(file: IO[str], path: str, column: str | None, refuse: _Refuse) -> Iterator[tuple[int, str]]:
    line = 0

    def lines() -> Iterator[str]:
        nonlocal line
        for line, text in enumerate(file, 1):  # noqa: B007 - said by who reads the lines
            bare = text.strip()
            if bare and bare[0] != "#":
                yield text

    content = lines()
    first = next(content, "")
    if "\0" in first:  # as in UTF-16
        raise ConfigurationError(f"{path} is not a text file in UTF-8; save it as UTF-8")
    layout = _layout(first, column)
    if layout is None:
        if column is not None:
            raise ConfigurationError(f"{path}, line {line}: the header has no column named so (column={column!r})")
        for text in chain([first] if first else [], content):
            yield line, _bare(text)
        return
    delimiter, places, width = layout
    if len(places) > 1:
        remedy = "say which one with column=" if column is None else "rename one"
        raise ConfigurationError(f"{path}, line {line}: {len(places)} columns could hold the number; {remedy}")
    rows = csv.reader(content, delimiter=delimiter, strict=True)
    try:
        for count, cells in enumerate(rows, 1):
            if rows.line_num != count:
                problem = "a quoted cell does not end in the line in which it begins"
                break
            if not any(cell.strip() for cell in cells):
                continue
            # In a row that is too short or too long, another cell may stand where the number belongs.
            if len(cells) < width or any(extra.strip() for extra in cells[width:]):
                refuse(line, f"has {len(cells)} cells, and the header {width}")
            else:
                yield line, _bare(cells[places[0]])
        else:
            return
    except csv.Error as error:
        problem = f"is not sound CSV ({error})"
    # Never passed over: it may have swallowed other rows.
    raise ConfigurationError(f"{path}, line {line}: {problem}; correct it, or keep only the column of the numbers")


def _layout(header: str, column: str | None) -> tuple[str, list[int], int] | None:
    """Delimiter, columns that are named as asked, and number of columns; None where no column is."""
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
    """The name of a column without case, accents and blanks around it."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _bare(cell: str) -> str:
    # An apostrophe in front keeps spreadsheets from taking "+34..." for a formula; our own reports have it.
    return cell.strip().removeprefix("'")
