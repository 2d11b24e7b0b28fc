"""Whoever has opted out is not written to, however the number is spelled, and whatever is wrong with the list."""

from __future__ import annotations

import doctest
import functools
import os
import re
import tracemalloc
from array import array
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.errors import ConfigurationError, OutcomeKind, ValidationError
from mensasdk.messages import Message
from mensasdk.preflight import optout
from mensasdk.preflight.optout import OptOuts

ANA = "+34600000001"
LUIS = "+34600000002"
EVA = "+34600000003"
MESSAGE = Message(ANA, "Hola")

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "optouts"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(screen: OptOuts, number: str = ANA) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        screen(MESSAGE, number)
    return caught.value


# ----------------------------------------------------------------------------------------------------- as a screen


def test_a_message_to_somebody_who_opted_out_is_refused_without_showing_the_number() -> None:
    error = refusal(OptOuts([ANA]))
    assert (error.code, error.field, error.outcome) == ("opted_out", "to", OutcomeKind.NOT_SENT)
    assert "***001" in error.message
    assert "600000001" not in error.message


def test_any_other_message_goes_through_as_the_same_object() -> None:
    assert OptOuts([ANA])(MESSAGE, LUIS) is MESSAGE


@pytest.mark.parametrize(
    "spelling",
    [ANA, "+34 600 00 00 01", "0034600000001", "600-000-001", "(600) 000 001", "34600000001", "tel:+34600000001"],
)
def test_one_number_has_many_spellings_in_the_list_and_in_the_question(spelling: str) -> None:
    assert ANA in OptOuts([spelling], default_country="ES")
    assert spelling in OptOuts([ANA], default_country="ES")
    assert LUIS not in OptOuts([spelling], default_country="ES")


@pytest.mark.parametrize("listed", ["+5215512345678", "+52 1 55 1234 5678", "+525512345678"])
@pytest.mark.parametrize("asked", ["+5215512345678", "+525512345678", "52 55 1234 5678"])
def test_old_mexican_spellings_are_the_same_number(listed: str, asked: str) -> None:
    assert asked in OptOuts([listed])
    assert refusal(OptOuts([listed]), asked).code == "opted_out"


def test_a_number_that_cannot_be_read_is_never_said_to_be_free() -> None:
    screen = OptOuts([ANA])
    with pytest.raises(ValidationError, match="letter"):
        _ = "nobody" in screen
    with pytest.raises(ValidationError, match="letter"):
        screen(MESSAGE, "nobody")


def test_each_number_counts_once() -> None:
    assert len(OptOuts([ANA, "0034600000001", LUIS, ANA])) == 2


@pytest.mark.parametrize("source", [[], lambda number: False])
def test_a_screen_is_true_however_short_it_is(source: Any) -> None:
    assert OptOuts(source)


def test_the_longest_number_and_the_shortest_are_kept_exactly() -> None:
    longest, shortest = "+4915000000000000", "+2901234"
    screen = OptOuts([longest, shortest])
    assert longest in screen
    assert shortest in screen
    assert "+4915000000000001" not in screen


NUMBERS = st.integers(min_value=600_000_000, max_value=600_000_400).map(lambda number: f"+34{number}")


@given(listed=st.lists(NUMBERS, max_size=80), asked=st.lists(NUMBERS, min_size=1, max_size=40), piece=st.integers(1, 9))
def test_a_list_answers_as_a_plain_set(listed: list[str], asked: list[str], piece: int) -> None:
    """In whatever order and however often the numbers come, and with each number of pieces that are sorted apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optout, "_SORTED_AT_ONCE", piece)
        screen = OptOuts(iter(listed))
    assert len(screen) == len(set(listed))
    assert [number in screen for number in asked] == [number in set(listed) for number in asked]
    assert all(number in screen for number in listed)


# --------------------------------------------------------------------------------------------------------- a file


@pytest.mark.parametrize(
    "content",
    [
        f"{ANA}\n{LUIS}\n",
        f"{ANA}\r\n{LUIS}",
        f"{ANA}\r{LUIS}\r",
        f"\ufeff{ANA}\n{LUIS}\n",
        f"# who called\n\n  {ANA}  \n   \n\t# and wrote\n{LUIS}\n\n",
        f"'{ANA}\n'{LUIS}\n",
        f"to\n{ANA}\n{LUIS}\n",
        f"\ufeffTO\n{ANA}\n{LUIS}\n",
        f"# exported\n\nname,number\nAna,{ANA}\nLuis,{LUIS}\n",
        f"phone;name\n{ANA};Ana\n\n;\n# who wrote\n{LUIS};Luis\n",
        f"Nombre\tTeléfono\nAna\t{ANA}\nLuis\t{LUIS}\n",
        f"MÓVIL|nombre\n{ANA}|Ana\n{LUIS}|Luis\n",
        f'"nombre";"movil"\n"Ana; ""la"" otra";"{ANA}"\n"Luis";"{LUIS}"\n',
        f"to,name\n{ANA},Ana,,\n{LUIS},Luis\n",
        "móvil;nombre\n600000001;Íñigo\n600 000 002;Luis\n",
    ],
)
def test_a_file_of_numbers_is_read_in_each_of_its_forms(write: Write, content: str) -> None:
    screen = OptOuts(write(content), default_country="ES")
    assert ANA in screen
    assert LUIS in screen
    assert EVA not in screen
    assert (len(screen), screen.skipped) == (2, 0)


def test_a_path_may_be_a_string(write: Write) -> None:
    assert ANA in OptOuts(str(write(ANA)))


@pytest.mark.parametrize("column", ["baja", "Baja ", "BÁJA"])
def test_the_column_can_be_named(write: Write, column: str) -> None:
    screen = OptOuts(write(f"to,baja\n{ANA},{LUIS}\n"), column=column)
    assert LUIS in screen
    assert ANA not in screen


def test_names_in_another_encoding_do_no_harm(write: Write) -> None:
    screen = OptOuts(write(f"to;nombre\n{ANA};Íñigo\n{LUIS};Begoña\n".encode("cp1252")))
    assert ANA in screen
    assert LUIS in screen


@pytest.mark.parametrize("content", ["", "\n\n", "# nobody yet\n", "\ufeff", "to;name\n"])
def test_a_list_of_nobody_is_a_list(write: Write, content: str) -> None:
    screen = OptOuts(write(content))
    assert len(screen) == 0
    assert ANA not in screen


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (f"{ANA}\n# who\n\n+34 60\n", "line 4", "too short"),
        (f"{ANA}\n600000002\n", "line 2", "default_country"),
        (f"{ANA} {LUIS}\n", "line 1", "one number only"),
        (f"{ANA}, {LUIS}\n", "line 1", "several numbers"),
        (f"msisdn\n{ANA}\n", "line 1", "column="),
        (f"{ANA};Ana\n", "line 1", "column="),
        (f"{ANA}\n{ANA} # by phone\n", "line 2", "'#'"),
        (f"{ANA}\n\x1b{LUIS}\n", "line 2", "control character"),
        (f"name;to\nAna;{ANA}\n\nLuis;unknown\n", "line 4", "letter"),
        (f"name;to\nAna;{ANA}\nLuis;\n", "line 3", "empty"),
        (f"name;to\n# who\nAna;{ANA}\nLuis\n", "line 4", "1 cells, and the header 2"),
        (f"name;to;place\nAna;{ANA};Madrid\nRuiz;Luis;{LUIS};Madrid\n", "line 3", "4 cells, and the header 3"),
    ],
)
def test_a_number_that_cannot_be_read_refuses_the_list_and_names_its_line(
    write: Write, content: str, place: str, reason: str
) -> None:
    path = write(content)
    with pytest.raises(ConfigurationError) as caught:
        OptOuts(path)
    text = caught.value.message
    assert text.startswith(f"{path}, {place}: ")
    assert reason in text
    assert "lenient=True" in text
    assert "600000" not in text
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (f'to;name\n{ANA};"Ana\n{LUIS};Luis\n{EVA};"Eva"\n', "line 4", "line"),
        (f'to;name\n{ANA};"Ana\n{LUIS};Luis"\n', "line 3", "does not end in the line"),
        (f'to;name\n{ANA};"Ana"x\n{LUIS};Luis\n', "line 2", "not sound CSV"),
        (f'to;name\n{ANA};Ana\n{LUIS};"Luis', "line 3", "not sound CSV"),
        (f"to;phone\n{ANA};{LUIS}\n", "line 1", "2 columns could hold the number; say which"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_may_hide_other_numbers_is_refused_even_when_lenient(
    write: Write, content: str, place: str, reason: str, lenient: bool
) -> None:
    path = write(content)
    with pytest.raises(ConfigurationError) as caught:
        OptOuts(path, lenient=lenient)
    assert caught.value.message.startswith(f"{path}, {place}: ")
    assert reason in caught.value.message


def test_a_column_that_is_not_there_is_said(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="line 2: the header has no column named 'baja'"):
        OptOuts(write(f"# list\nto;name\n{ANA};Ana\n"), column="baja")


def test_two_columns_of_the_same_name_are_refused(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="2 columns could hold the number; rename one"):
        OptOuts(write(f"baja,Baja\n{ANA},{LUIS}\n"), column="baja")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("lenient", [False, True])
def test_another_encoding_of_the_whole_file_is_refused(write: Write, encoding: str, lenient: bool) -> None:
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        OptOuts(write(f"{ANA}\n{LUIS}\n".encode(encoding)), lenient=lenient)


def test_lenient_counts_what_it_passes_over(write: Write) -> None:
    screen = OptOuts(write(f"name;to\nAna;{ANA}\nLuis\nEva;unknown\nLuis;{LUIS}\n"), lenient=True)
    assert (len(screen), screen.skipped) == (2, 2)
    assert ANA in screen
    assert LUIS in screen


@pytest.mark.parametrize("content", ["600000001\n600000002\n", f"msisdn;name\n{ANA};Ana\n"])
def test_a_list_of_which_nothing_can_be_read_is_refused_even_when_lenient(write: Write, content: str) -> None:
    with pytest.raises(ConfigurationError, match="of 2 numbers not one could be read"):
        OptOuts(write(content), lenient=True)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.txt cannot be read: No such file") as caught:
        OptOuts(tmp_path / "none.txt")
    assert caught.value.__context__ is None


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A pipe would keep the program waiting for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(ConfigurationError, match="not a regular file"):
            OptOuts(path)


# ---------------------------------------------------------------------------------------------------- an iterable


@pytest.mark.parametrize("number", ["unknown", "", 34600000002, None, (LUIS,)])
def test_an_item_that_is_no_number_is_named_by_its_place(number: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^item 2: number .*lenient=True"):
        OptOuts([ANA, number])
    screen = OptOuts([ANA, number], lenient=True)
    assert (len(screen), screen.skipped) == (1, 1)


def test_what_the_iterable_raises_is_not_hidden() -> None:
    def numbers() -> Iterator[str]:
        yield ANA
        raise LookupError("the database is gone")

    with pytest.raises(LookupError):
        OptOuts(numbers(), lenient=True)


async def asynchronous() -> AsyncIterator[str]:
    yield ANA


@pytest.mark.parametrize("source", [None, 34600000001, asynchronous()])
def test_anything_else_is_no_source(source: Any) -> None:
    with pytest.raises(ConfigurationError, match="path, an iterable or a function"):
        OptOuts(source)


@pytest.mark.parametrize("source", [[ANA], lambda number: False])
def test_a_column_without_a_file_is_refused(source: Any) -> None:
    with pytest.raises(ConfigurationError, match="column is for a CSV file"):
        OptOuts(source, column="to")


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("source", [[], [ANA], lambda number: False])
def test_a_country_that_is_none_is_refused_at_once(source: Any, lenient: bool) -> None:
    """And not taken for a fault of each number, which would all be passed over."""
    with pytest.raises(ValidationError, match="not a country"):
        OptOuts(source, default_country="XX", lenient=lenient)


# ----------------------------------------------------------------------------------------------------- a function


def test_a_function_is_asked_for_each_number_in_e164() -> None:
    asked: list[str] = []

    def ask(number: str) -> bool:
        asked.append(number)
        return number == ANA

    screen = OptOuts(ask, default_country="ES")
    assert refusal(screen).code == "opted_out"
    assert screen(MESSAGE, LUIS) is MESSAGE
    assert "600 00 00 01" in screen
    assert "+5215512345678" not in screen
    assert asked == [ANA, LUIS, ANA, "+525512345678"]


@pytest.mark.parametrize(("answer", "code"), [(1, "opted_out"), (0, None), (True, "opted_out"), (False, None)])
def test_a_function_may_answer_with_a_number_as_databases_do(answer: Any, code: str | None) -> None:
    screen = OptOuts(lambda number: answer)
    if code is None:
        assert screen(MESSAGE, ANA) is MESSAGE
    else:
        assert refusal(screen).code == code


def test_a_function_that_raises_stops_the_message_and_shows_nothing() -> None:
    def ask(number: str) -> bool:
        raise OSError(f"password hunter2, {number}")

    screen = OptOuts(ask)
    error = refusal(screen)
    assert (error.code, error.field, error.outcome) == ("opt_out_failed", "to", OutcomeKind.NOT_SENT)
    assert "OSError" in error.message
    assert "hunter2" not in error.message
    assert "600000001" not in error.message
    assert error.__context__ is None
    with pytest.raises(ValidationError):
        _ = ANA in screen


@pytest.mark.parametrize("answer", [None, "", "no", [], object()])
def test_an_answer_that_is_neither_yes_nor_no_stops_the_message(answer: Any) -> None:
    assert refusal(OptOuts(lambda number: answer)).code == "opt_out_failed"


def test_an_interruption_is_not_taken_for_a_failure() -> None:
    def ask(number: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OptOuts(ask)(MESSAGE, ANA)


async def ask_later(number: str) -> bool:
    return False


class AskLater:
    async def __call__(self, number: str) -> bool:
        return False


@pytest.mark.parametrize("function", [ask_later, AskLater(), functools.partial(ask_later)])
def test_an_async_function_is_refused_at_once(function: Any) -> None:
    with pytest.raises(ConfigurationError, match="async"):
        OptOuts(function)


def test_an_async_function_in_disguise_stops_the_message() -> None:
    """And leaves no coroutine behind that was never awaited, which would be a warning."""

    def disguised(number: str) -> Any:
        return ask_later(number)

    error = refusal(OptOuts(disguised))
    assert error.code == "opt_out_failed"
    assert "coroutine" in error.message


def test_a_function_has_no_length() -> None:
    with pytest.raises(TypeError, match="no length"):
        len(OptOuts(lambda number: False))


# ---------------------------------------------------------------------------------------------------------- cost


@pytest.mark.slow
def test_a_long_list_takes_eight_bytes_a_number_and_little_more_while_it_is_sorted() -> None:
    """A set of texts takes more than a hundred. Reading them is left out: it takes its time under this watch."""
    count = 200_000
    numbers = array("Q", (34_600_000_000 + number * 7919 % count for number in range(count)))
    tracemalloc.start()
    try:
        ordered = optout._sorted(numbers)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(ordered) == count
    assert now < 10 * count
    assert peak < 30 * count


@pytest.mark.slow
def test_reading_a_file_holds_no_more_than_a_number_at_a_time(tmp_path: Path) -> None:
    count = 20_000
    path = tmp_path / "optouts.csv"
    path.write_text("to;note\n" + "".join(f"+34{600_000_000 + n};{'x' * 200}\n" for n in range(count)), "utf-8")
    OptOuts(path)  # what is loaded once is loaded now
    tracemalloc.start()
    try:
        screen = OptOuts(path)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(screen) == count
    assert now < 12 * count
    # The two arrays of integers, and one piece of them as Python's own, which is all of so short a list.
    assert peak < 80 * count


def test_the_page_about_opt_outs_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "optouts.md"
    blocks = re.findall(r"^```python\n(>>>.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    assert len(test.examples) > 15
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)
