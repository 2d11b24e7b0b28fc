"""The fault matrix in ``docs``, which `tests/conftest.py` compares with what the tests found, when they have ended."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import evolve

from .findings import DOCUMENT, ELSEWHERE, FINDINGS, Cell, Ending, Findings

ROOT = Path(__file__).parent.parent.parent
FOUND = Cell("mensatek", "send", "EnviarSMS", Ending("ConnectionLost", "unknown", 1, 1), right=True)


def test_what_the_document_says_is_tested_elsewhere_is() -> None:
    for _, references in ELSEWHERE:
        for reference in references:
            file, _, name = reference.partition("::")
            source = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^\s*(async )?def {name}\(", source, re.MULTILINE), reference


def empty() -> Findings:
    return Findings(sections=FINDINGS.sections, notes=FINDINGS.notes, tables=FINDINGS.tables)


def test_what_several_processes_found_is_put_together() -> None:
    one, other, both = empty(), empty(), empty()
    row = FINDINGS.sections["The vendor refuses"][0]
    one.add(row, FOUND)
    other.add(row, evolve(FOUND, vendor="envia_sms", function="send"))
    one.add_text("credentials refused", "mensatek", "3 NOT_SENT", right=True)
    other.add_text("credentials refused", "envia_sms", "3 NOT_SENT", right=False)
    both.merge(other.packed())
    both.merge(one.packed())
    assert sorted(cell.vendor for cell in both.cells[row]) == ["envia_sms", "mensatek"]
    assert FOUND in both.cells[row]
    assert both.texts["credentials refused"] == {"mensatek": ("3 NOT_SENT", True), "envia_sms": ("3 NOT_SENT", False)}
    assert not both.complete


def test_a_part_of_the_tests_is_compared_with_its_part_of_the_document() -> None:
    assert empty().difference(whole=False) == ""
    right = next(
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "| credentials refused |" in line
    )
    part = empty()
    part.add_text("credentials refused", "mensatek", right.split(" | ")[1].removesuffix(" ✓"), right=True)
    assert part.difference(whole=False) == ""
    part.add_text("credentials refused", "smsgateway24", "3 ACCEPTED", right=True)
    assert "credentials refused, smsgateway24: 3 ACCEPTED ✓, and not: " in part.difference(whole=False)


def test_a_row_that_is_not_in_the_document_is_a_difference() -> None:
    part = empty()
    part.add("a fault that nobody wrote down", FOUND)
    assert "a fault that nobody wrote down" in part.difference(whole=False)


def test_what_a_test_has_failed_for_is_no_difference() -> None:
    part = empty()
    part.add("a fault that nobody wrote down", evolve(FOUND, right=False))
    part.add_text("credentials refused", "mensatek", "3 ACCEPTED", right=False)
    assert part.difference(whole=True) == ""
