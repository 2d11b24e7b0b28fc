"""Our own codes: complete, equal to the words that they are, and fit for whatever takes text."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from shared import pickled

import mensasdk
from mensasdk import Code, Message, ValidationError, errors
from mensasdk.errors import MensaError
from mensasdk.vendors.batching import code_of

ROOT = Path(mensasdk.__file__).parent
# The vendor's own word for a refusal, in ``status``.
_THEIRS = {"error"}
# Mistakes in a set-up, which no outcome has: see `ConfigurationError`.
_SET_UP = {
    *("bad_number", "bad_row", "extreme", "no_column", "no_country", "no_limit", "no_prices", "repeated_column"),
    "several_columns",
}
# What campaigns, journals and lists have said since there are any.
TODAY = {
    *("abandoned", "bad_text", "budget", "callback", "campaign", "cancelled", "closed", "columns", "crashed"),
    *("customer_id", "dropped", "duplicate", "expired", "ignored", "internal", "interrupted", "invalid", "journal"),
    *("lease", "missing_number", "missing_text", "missing_variable", "no_id", "no_price", "opt_out_failed"),
    *("opted_out", "partial", "person", "repeated", "report", "status", "stopped", "zone"),
}


def literals() -> Iterator[tuple[str, str]]:
    """Yield every code that the library writes as a word: where, and the word."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.is_relative_to(ROOT / "sandbox"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            word = node.value.value if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) else None
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(word, str) and not word.isdigit():
                yield str(path.relative_to(ROOT)), word


@pytest.mark.slow
def test_codes_are_equal_to_the_words_that_they_were() -> None:
    assert set(Code) >= TODAY
    assert {word for _, word in literals()} <= set(Code) | _THEIRS | _SET_UP
    assert all(code.name.lower() == code.value or code is Code.TLS_ERROR for code in Code)


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name not in {"OutcomeKind", "outcome_of"}])
def test_each_error_without_a_code_has_one_of_ours(name: str) -> None:
    kind: type[MensaError] = getattr(errors, name)
    if issubclass(kind, ValidationError):
        assert code_of(kind("x", field="to")) == Code.INVALID_TO
        assert code_of(kind("x", field="to", code="-3")) == "-3"
    else:
        assert code_of(kind("x")) in set(Code)


def test_each_parameter_of_a_message_that_a_vendor_may_refuse_has_one() -> None:
    fields = {name for name in Message.__annotations__ if name not in {"not_after", "reference", "place"}}
    assert {f"invalid_{name}" for name in fields} <= set(Code)


def test_a_code_is_text_wherever_it_goes() -> None:
    code = Code.OPTED_OUT
    assert (str(code), f"{code}") == ("opted_out", "opted_out")
    assert repr(code) == "'opted_out'"
    assert json.dumps(code) == '"opted_out"' == orjson.dumps(code).decode()
    assert pickled(code) is code
    table = io.StringIO()
    csv.writer(table).writerow([code])
    assert table.getvalue() == "opted_out\r\n"
    found: dict[str, int] = {code: 1}
    assert found["opted_out"] == 1
