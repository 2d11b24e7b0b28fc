"""The examples of ``docs/cost.md`` are true."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "cost.md"


def test_every_example_of_the_document_does_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # In a text file, a block that is not closed by an empty line would take the fence for its output.
    result = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 25
