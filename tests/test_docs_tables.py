"""Tables in ``docs`` name tests that exist: for each vendor's parameters and codes, and for each security promise."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted((ROOT / "docs" / "vendors").glob("*.md")), ROOT / "docs" / "security.md"]

_reference = re.compile(r"`([\w/]+\.py)::(\w+)(?:\[[^`]*\])?`").findall


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def covered_rows(text: str) -> list[tuple[str, str]]:
    """Return each row of the tables that have a column called "test": the row, and what stands in that column."""
    rows: list[tuple[str, str]] = []
    column: int | None = None
    header = True
    for line in text.splitlines():
        if not line.startswith("|"):
            column, header = None, True
        elif header:
            names = [name.lower() for name in cells(line)]
            column, header = next((names.index(name) for name in ("test", "tests") if name in names), None), False
        elif column is not None and not set(line) <= set("|-: "):
            found = cells(line)
            rows.append((line, found[column] if len(found) > column else ""))
    return rows


def unmet(document: Path, rows: list[tuple[str, str]]) -> list[str]:
    """Return what is wrong with the rows. A file stands from the root, or from the vendor's own folder of tests."""
    wrong: list[str] = []
    for row, cell in rows:
        references = _reference(cell)
        if not references:
            wrong.append(f"names no test: {row}")
        for file, test in references:
            path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / "vendors" / document.stem / file
            if not path.is_file() or test not in names_of_tests(path):
                wrong.append(f"no such test: {file}::{test}")
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_each_row_of_a_table_names_tests_that_exist(document: Path) -> None:
    rows = covered_rows(document.read_text(encoding="utf-8"))
    assert rows, "the document has no table with a column called test"
    assert unmet(document, rows) == []


def test_a_row_without_a_test_or_with_a_wrong_one_is_found() -> None:
    text = "\n".join(
        [
            "| what | test |",
            "|---|---|",
            "| a | `tests/test_docs_tables.py::test_a_row_without_a_test_or_with_a_wrong_one_is_found` |",
            "| b | |",
            "| c | `tests/test_docs_tables.py::test_of_nothing` |",
            "| d | `test_nowhere.py::test_of_nothing` |",
            "",
            "| other | table |",
            "|---|---|",
            "| e | f |",
        ]
    )
    rows = covered_rows(text)
    assert len(rows) == 4
    assert unmet(Path("docs/vendors/nobody.md"), rows) == [
        "names no test: | b | |",
        "no such test: tests/test_docs_tables.py::test_of_nothing",
        "no such test: test_nowhere.py::test_of_nothing",
    ]
