"""Counting and cutting SMS texts, and bringing them into GSM 03.38."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk.errors import ValidationError
from mensasdk.text import Change, Encoding, GsmText, Segments, segments, split, to_gsm

# The default alphabet by its code chart, column by column (0x00-0x0F, 0x10-0x1F, ...). The escape 0x1B is left out.
CHART = (
    "@ £ $ ¥ è é ù ì ò Ç LF Ø ø CR Å å",
    "Δ _ Φ Γ Λ Ω Π Ψ Σ Θ Ξ Æ æ ß É",
    "SP ! \" # ¤ % & ' ( ) * + , - . /",
    "0 1 2 3 4 5 6 7 8 9 : ; < = > ?",
    "¡ A B C D E F G H I J K L M N O",
    "P Q R S T U V W X Y Z Ä Ö Ñ Ü §",
    "¿ a b c d e f g h i j k l m n o",
    "p q r s t u v w x y z ä ö ñ ü à",
)
NAMED = {"LF": "\n", "CR": "\r", "SP": " "}
DEFAULT = {NAMED.get(name, name) for row in CHART for name in row.split()}
EXTENSION = set("€^{}[]~\\|\f")

gsm_texts = st.text(st.sampled_from(sorted(DEFAULT) + sorted(EXTENSION) * 4), max_size=700)
unicode_texts = st.text(
    st.one_of(st.sampled_from("aé€ñ中😀👍\u0301"), st.characters(exclude_categories=["Cs"])), max_size=300
)
texts = st.one_of(gsm_texts, unicode_texts)


def test_the_default_alphabet_has_127_characters_of_one_septet() -> None:
    assert len(DEFAULT) == 127
    for character in DEFAULT:
        assert segments(character) == Segments(Encoding.GSM, 1, 1, 159), repr(character)


def test_the_extension_table_has_ten_characters_of_two_septets() -> None:
    assert len(EXTENSION) == 10
    for character in EXTENSION:
        assert segments(character) == Segments(Encoding.GSM, 1, 2, 158), repr(character)


@given(st.characters(exclude_categories=["Cs"]))
@example("\x1b")
@example("ç")
@example("á")
@example("`")
@example("\t")
@example("\u00a0")
@example("º")
def test_every_other_character_forces_unicode(character: str) -> None:
    expected = Encoding.GSM if character in DEFAULT | EXTENSION else Encoding.UCS2
    found = segments(character)
    assert found.encoding is expected
    assert found.forced_by == (() if expected is Encoding.GSM else ((0, character),))


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "units", "remaining"),
    [
        pytest.param("", "GSM-7", 1, 0, 160, id="an empty text is one SMS"),
        pytest.param("a" * 160, "GSM-7", 1, 160, 0, id="160 septets stand alone"),
        pytest.param("a" * 161, "GSM-7", 2, 161, 145, id="161 septets need two parts of 153"),
        pytest.param("a" * 306, "GSM-7", 2, 306, 0, id="two full parts"),
        pytest.param("a" * 307, "GSM-7", 3, 307, 152, id="one septet into the third part"),
        pytest.param("a" * 459, "GSM-7", 3, 459, 0, id="three full parts"),
        pytest.param("€" * 80, "GSM-7", 1, 160, 0, id="80 euro signs stand alone"),
        pytest.param("€" * 81, "GSM-7", 2, 162, 143, id="76 euro signs fit in a part, 5 in the next"),
        pytest.param("a" * 158 + "€", "GSM-7", 1, 160, 0, id="an escape pair at the very end of one SMS"),
        pytest.param("a" * 159 + "€", "GSM-7", 2, 161, 145, id="an escape pair over the end of one SMS"),
        pytest.param("a" * 151 + "€" + "a" * 153, "GSM-7", 2, 306, 0, id="an escape pair ends the first part"),
        pytest.param("a" * 152 + "€" + "a" * 151, "GSM-7", 2, 305, 0, id="an escape pair is moved to the second part"),
        pytest.param("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306, 152, id="... which costs a third part"),
        pytest.param("€" * 153, "GSM-7", 3, 306, 151, id="each part loses a septet to whole pairs"),
        pytest.param("\f" + "a" * 158, "GSM-7", 1, 160, 0, id="form feed takes two septets"),
        pytest.param("中" * 70, "UCS-2", 1, 70, 0, id="70 units stand alone"),
        pytest.param("中" * 71, "UCS-2", 2, 71, 63, id="71 units need two parts of 67"),
        pytest.param("中" * 134, "UCS-2", 2, 134, 0, id="two full Unicode parts"),
        pytest.param("中" * 135, "UCS-2", 3, 135, 66, id="one unit into the third Unicode part"),
        pytest.param("😀" * 35, "UCS-2", 1, 70, 0, id="35 emoji stand alone"),
        pytest.param("中" * 69 + "😀", "UCS-2", 2, 71, 63, id="a surrogate pair over the end of one SMS"),
        pytest.param("中" * 65 + "😀" + "中" * 67, "UCS-2", 2, 134, 0, id="a surrogate pair ends the first part"),
        pytest.param("中" * 66 + "😀" + "中" * 65, "UCS-2", 2, 133, 0, id="a surrogate pair is moved on"),
        pytest.param("中" * 66 + "😀" + "中" * 66, "UCS-2", 3, 134, 66, id="... which costs a third Unicode part"),
        pytest.param("€" * 70 + "中", "UCS-2", 2, 71, 63, id="in Unicode the euro sign takes one unit"),
    ],
)
def test_worked_boundaries(text: str, encoding: str, parts: int, units: int, remaining: int) -> None:
    found = segments(text)
    assert (found.encoding, found.parts, found.units, found.remaining) == (encoding, parts, units, remaining)


def test_forced_by_names_every_character_outside_gsm_with_its_code_point_position() -> None:
    assert segments("Está 😀 aquí, señor").forced_by == ((3, "á"), (5, "😀"), (10, "í"))


def test_unicode_can_be_asked_for_without_any_character_forcing_it() -> None:
    assert segments("a" * 71, unicode=True) == Segments(Encoding.UCS2, 2, 71, 63)
    assert split("a" * 71, unicode=True) == ("a" * 67, "aaaa")


@pytest.mark.parametrize("text", ["a\ud83d", "\ude00", "\ud83d\ude00"])
def test_half_a_surrogate_pair_is_refused_and_the_text_is_not_in_the_error(text: str) -> None:
    for function in (segments, split):
        with pytest.raises(ValidationError, match="surrogate pair at position") as caught:
            function("my secret" + text)
        assert caught.value.field == "text"
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None


def test_split_keeps_pairs_whole() -> None:
    assert split("a" * 152 + "€" + "b" * 151) == ("a" * 152, "€" + "b" * 151)
    assert split("中" * 66 + "😀" + "ñ" * 65) == ("中" * 66, "😀" + "ñ" * 65)
    assert split("") == ("",)


def pack(text: str, gsm: bool) -> list[str]:
    """The parts by plain greedy packing, one character after the other."""

    def cost(character: str) -> int:
        return (2 if character in EXTENSION else 1) if gsm else (2 if ord(character) > 0xFFFF else 1)

    if sum(map(cost, text)) <= (160 if gsm else 70):
        return [text]
    parts, room = [""], 153 if gsm else 67
    for character in text:
        if room < cost(character):
            parts.append("")
            room = 153 if gsm else 67
        parts[-1] += character
        room -= cost(character)
    return parts


@given(texts, st.booleans())
@example("a" * 152 + "€" * 80, False)
@example("中" * 66 + "😀" * 80, False)
@example("x" + "😀" * 80, False)
@example("ж" * 71, False)
def test_parts_are_what_greedy_packing_gives(text: str, unicode: bool) -> None:
    gsm = not unicode and set(text) <= DEFAULT | EXTENSION
    expected = pack(text, gsm)
    assert list(split(text, unicode=unicode)) == expected
    assert "".join(expected) == text
    found = segments(text, unicode=unicode)
    assert found.encoding is (Encoding.GSM if gsm else Encoding.UCS2)
    assert found.parts == len(expected)
    units = [
        len(part) + sum(c in EXTENSION for c in part) if gsm else len(part.encode("utf-16-le")) // 2
        for part in expected
    ]
    room = (160 if gsm else 70) if len(expected) == 1 else (153 if gsm else 67)
    assert found.units == sum(units)
    assert found.remaining == room - units[-1]
    assert max(units) <= room
    assert found.forced_by == tuple((i, c) for i, c in enumerate(text) if c not in DEFAULT | EXTENSION)


@given(texts)
def test_a_piece_of_a_text_never_needs_more_parts_than_the_whole(text: str) -> None:
    assert segments(text[: len(text) // 2]).parts <= segments(text).parts


@pytest.mark.parametrize("character", list("éèùìòàñüöäåÇÉÑÜÖÄÅ€[]{}~^\\|\f\n\r"))
def test_characters_of_the_alphabet_stay(character: str) -> None:
    assert to_gsm(character) == GsmText(character, ())


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("áíóúÁÍÓÚ", "aiouAIOU"),
        ("ÈÙÌÒÀ", "EUIOA"),
        ("âêîôûëïÿãõçý", "aeioueiyaocy"),
        ("ŁódźĐœßẞ", "LodzDoeßSS"),
        ("“hola” ‘tú’ «sí» `x´", "\"hola\" 'tu' \"si\" 'x'"),
        ("1–2—3−4‐5", "1-2-3-4-5"),
        ("espera…", "espera..."),
        ("10\u00a0%\u202f\u2009x\ty", "10 %  x y"),
        ("ＡＢ１ﬁ½²№™", "AB1fi1/22NoTM"),
        ("1º 2ª 20°C ©", "1o 2a 20oC (c)"),
        ("a\u200bb\u200ec\ufeffd\u00ade", "abcde"),
        ("❤\ufe0f", "?"),
        ("中😀\x00\x1bж", "?????"),
        ("\ud83d", "?"),
        ("e\u0301 n\u0303 a\u0301 \u212b \u2126", "é ñ a Å Ω"),
        ("a\u2028b", "a\nb"),
    ],
)
def test_nearest_characters(given_text: str, expected: str) -> None:
    assert to_gsm(given_text).text == expected


def test_changes_tell_position_in_the_given_text_old_and_new() -> None:
    assert to_gsm("¡Está… n\u0303u 😀!") == GsmText(
        "¡Esta... ñu ?!",
        (Change(4, "á", "a"), Change(5, "…", "..."), Change(7, "n\u0303", "ñ"), Change(11, "😀", "?")),
    )


@given(st.text(max_size=200))
def test_to_gsm_gives_gsm_and_its_changes_rebuild_the_result(text: str) -> None:
    found = to_gsm(text)
    assert set(found.text) <= DEFAULT | EXTENSION
    assert segments(found.text).encoding is Encoding.GSM
    assert to_gsm(found.text) == GsmText(found.text)
    rebuilt, end = "", 0
    for position, before, after in found.changes:
        assert text[position : position + len(before)] == before != after
        rebuilt += text[end:position] + after
        end = position + len(before)
    assert rebuilt + text[end:] == found.text
