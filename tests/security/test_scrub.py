"""A server's words lose every secret that they quote, before anything else is done with them."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk.transport import Secret, scrub

PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
SPELLINGS: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    lambda secret: quote(secret, safe=""),
    html.escape,
    lambda secret: html.escape(secret, quote=False),
    lambda secret: base64.b64encode(secret.encode()).decode(),
]


@pytest.mark.parametrize("spell", SPELLINGS)
@given(before=PRINTABLE, secret=st.text(st.sampled_from("kn/+=%&?<>\"'ñ€ "), min_size=6), after=PRINTABLE)
def test_no_spelling_of_a_secret_survives(spell: Callable[[str], str], before: str, secret: str, after: str) -> None:
    assert spell(secret) not in scrub(f"{before}{spell(secret)}{after}", [Secret(secret)]).replace("***", "\n")


def test_escapes_in_small_letters_are_escapes() -> None:
    assert scrub("x%2fñ%3d", [Secret("/ñ=")]) == "x%2fñ%3d"  # not escaped as a whole: no way to spell it
    assert scrub("a%2f%c3%b1%3db", [Secret("/ñ=")]) == "a***b"


@given(words=st.text(), secret=st.text("xyz", min_size=1))
def test_words_without_a_secret_stay(words: str, secret: str) -> None:
    assert scrub(words, []) == words
    assert scrub(words, [None]) == words
    if not any(spell(secret) in words for spell in SPELLINGS):
        assert scrub(words, [Secret(secret)]) == words


def test_the_longest_spelling_goes_first_so_that_no_rest_of_it_stays() -> None:
    assert scrub("abcdef abc", [Secret("abc"), Secret("abcdef")]) == "*** ***"
