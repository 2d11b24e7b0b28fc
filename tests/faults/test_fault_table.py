"""The table in ``docs`` says what the run has found, so that it cannot go stale."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from .calls import CALLS, Kind
from .findings import DOCUMENT, ELSEWHERE, Findings

ROOT = Path(__file__).parent.parent.parent


def listed(kind: Kind) -> str:
    """The calls of a kind, by vendor, as the introduction names them."""
    by_vendor: dict[str, list[str]] = {}
    for call in CALLS:
        if call.kind == kind:
            by_vendor.setdefault(call.vendor, []).append(f"`{call.function}`")
    return ", ".join(name for names in by_vendor.values() for name in names)


@pytest.mark.after_all_cells
def test_the_table_in_the_docs_is_what_this_run_has_found(findings: Findings) -> None:
    """With a part of the tests, that part of the table is compared."""
    if findings.complete:
        made = findings.document({f"{kind}s": listed(kind) for kind in ("read", "send", "change")})
        if os.environ.get("MENSASDK_WRITE_DOCS"):
            DOCUMENT.write_text(made, encoding="utf-8")
        assert DOCUMENT.read_text(encoding="utf-8") == made, "run MENSASDK_WRITE_DOCS=1 pytest tests/faults"
    committed = set(DOCUMENT.read_text(encoding="utf-8").splitlines())
    assert [line for line in findings.lines() if line not in committed] == []


def test_what_the_document_says_is_tested_elsewhere_is() -> None:
    for _, references in ELSEWHERE:
        for reference in references:
            file, _, name = reference.partition("::")
            source = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^\s*(async )?def {name}\(", source, re.MULTILINE), reference
