"""The vendor's rules for numbers and texts, over open-ended input."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk import ValidationError
from mensasdk.vendors.enviatusms import rules

national = st.from_regex(r"[1-9][0-9]{9}", fullmatch=True)
FORMS = ["58{}", "0{}", "{}", "+58{}", "+58 {}", "0058{}", " +58-{} "]


@given(national=national, form=st.sampled_from(FORMS), back=st.sampled_from(FORMS))
def test_a_number_and_its_echo_meet_whatever_their_forms(national: str, form: str, back: str) -> None:
    """Also numbers that begin like the country code, or like another country's."""
    e164 = f"+58{national}"
    assert rules.number(form.format(national), "VE", field="to").e164 == e164
    assert rules.canonical(back.format(national)) == e164


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = rules.canonical(text)
    assert found is None or (found[0] == "+" and found[1:].isdigit())


@given(st.text(alphabet="0123456789+-. ()", max_size=20))
def test_only_venezuelan_numbers_pass(text: str) -> None:
    """Twelve digits are sent that begin with 58 and no trunk prefix, which nobody can read in two ways."""
    try:
        found = rules.number(text, "VE", field="to")
    except ValidationError as refusal:
        error = refusal
    else:
        assert found.e164.startswith("+58")
        assert len(found.e164) == 13
        assert found.e164[3] != "0"
        return
    assert error.field == "to"


ACCENTS = {
    "camión": "camion",
    "CAMIÓN": "CAMION",
    "é": "é",
    "É": "É",
    "e\u0301": "é",
    "áéíóúüñ": "aéiouun",
    "ÁÉÍÓÚÜÑ": "AÉIOUUN",
    "ç": "c",
    "¿Qué? ¡Sí!": "¿Qué? ¡Si!",
    "€ 5": "€ 5",
    "한국": "한국",
    "x\u0302": "x",
    "plain": "plain",
}


@pytest.mark.parametrize(("text", "plain"), ACCENTS.items())
def test_accents_are_replaced_but_for_one_letter(text: str, plain: str) -> None:
    assert rules.without_accents(text) == plain


@given(st.text())
def test_replacing_accents_is_idempotent_and_does_not_care_how_they_are_written(text: str) -> None:
    plain = rules.without_accents(text)
    assert rules.without_accents(plain) == plain
    assert rules.without_accents(unicodedata.normalize("NFD", text)) == plain


letters = st.characters(codec="utf-8", exclude_characters="\0")


@given(st.text(alphabet=letters, min_size=1, max_size=200))
def test_a_text_passes_when_it_has_at_most_160_characters(text: str) -> None:
    length = len(rules.without_accents(text))
    try:
        passed = rules.check_text(text, limit=160)
    except ValidationError:
        assert length > 160 or not text.strip()
        return
    assert length <= 160
    assert passed == unicodedata.normalize("NFC", text)
