"""The examples of docs/text.md give what is printed there, and its tables and tests are true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from mensasdk.text import Encoding, segments

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "text.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_give_what_is_printed_there() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8", optionflags=doctest.FAIL_FAST)
    assert found.failed == 0
    assert found.attempted >= 20
    assert found.attempted == len(re.findall(r"^>>> ", TEXT, re.MULTILINE))


def characters(row: str) -> set[str]:
    """Return what a row of the alphabet's table names: ranges such as `A`–`Z`, and characters with blanks between."""
    [cell] = re.findall(rf"^\| {row} \| (.*) \|$", TEXT, re.MULTILINE)
    found: set[str] = set()
    for first, last in re.findall("`(.)`–`(.)`", cell):
        found |= set(map(chr, range(ord(first), ord(last) + 1)))
    for group in re.findall("`([^`]+)`", cell):
        found |= set(group.split())
    return found


@pytest.mark.slow
def test_the_table_of_the_alphabet_is_the_alphabet() -> None:
    named = {" ", "\n", "\r"}
    for row in ("letters", "Greek capitals that look like no Latin letter", "digits and signs"):
        named |= characters(row)
    assert len(named) == 127
    for point in range(0x10000):
        character = chr(point)
        if not 0xD800 <= point < 0xE000:
            found = segments(character)
            assert (found.encoding is Encoding.GSM and found.units == 1) == (character in named), repr(character)


def test_each_test_that_the_page_names_exists() -> None:
    references = re.findall(r"`(tests/\w+\.py)::(\w+)`", TEXT)
    assert len(references) >= 6
    for file, name in references:
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
