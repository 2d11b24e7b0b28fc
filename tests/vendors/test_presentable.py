"""A vendor's own words, and how much of them may stand in an error."""

from __future__ import annotations

import pytest

from mensasdk import Secret
from mensasdk.vendors.base import presentable


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("key 12ab-secret refused", "key *** refused"),
        ("bad text: Su cita es hoy", "bad text: (text)"),
        ("bad text: Su cita", "bad text: (text)"),
        ("no credit for hoy", "no credit for hoy"),  # too short to be told from the vendor's own words
        ("number 34600000001 is wrong", "number ***001 is wrong"),
        ("number 34600\n000001\tis wrong", "number ***001 is wrong"),
        ("x " * 100, "x " * 60),
    ],
)
def test_no_secret_no_text_and_no_number_is_shown(words: str, shown: str) -> None:
    assert presentable(words, [Secret("12ab-secret")], ["Su cita", "Su cita es hoy", "hoy"]) == shown
