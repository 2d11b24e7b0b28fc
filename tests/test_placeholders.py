"""Placeholders: every person's own text, and a clear word where something is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk import ValidationError
from mensasdk.placeholders import fill, template


def test_names_are_filled_in() -> None:
    assert fill("Hola {nombre}, {nombre}: {cita}", {"nombre": "Ana", "cita": "9:00"}) == "Hola Ana, Ana: 9:00"
    assert template("{b} {a} {b}").names == ("b", "a")


def test_without_variables_a_text_is_taken_to_the_letter() -> None:
    assert fill("a {b} }{ {{", {}) == "a {b} }{ {{"


def test_doubled_braces_are_braces() -> None:
    assert fill("{{{x}}} {{y}}", {"x": "1"}) == "{1} {y}"


@pytest.mark.parametrize("text", ["a { b", "a } b", "{a}}", "{{a}"])
def test_a_lone_brace_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        fill(text, {"a": "1"})
    assert caught.value.field == "text"


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValidationError, match="nombre") as caught:
        fill("Hola {nombre}", {"other": "x"})
    assert caught.value.field == "variables"


def test_a_variable_must_be_a_string() -> None:
    with pytest.raises(ValidationError, match="int"):
        fill("{a}", {"a": 1})  # type: ignore[dict-item]


@given(st.text(), st.text(min_size=1))
def test_a_value_is_never_read_as_a_placeholder(value: str, literal: str) -> None:
    escaped = literal.replace("{", "{{").replace("}", "}}")
    assert fill(f"{escaped}{{a}}{escaped}", {"a": value}) == f"{literal}{value}{literal}"
