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


def units(text: str, *, gsm: bool) -> int:
    """Count what a text takes, by another way than the code's."""
    if gsm:
        return len(text) + sum(map(text.count, EXTENSION))
    return len(text.encode("utf-16-le")) // 2


def room(text: str, parts: int, *, gsm: bool) -> int:
    return {True: (160, 153), False: (70, 67)}[gsm][parts > 1]


@given(texts, st.booleans())
@example("", False)
@example("a" * 152 + "€" * 80, False)
@example("中" * 66 + "😀" * 80, False)
@example("x" + "😀" * 80, False)
@example("ж" * 71, False)
def test_the_parts_are_the_text_and_none_is_over_its_limit_or_ends_inside_a_character(text: str, unicode: bool) -> None:
    parts = split(text, unicode=unicode)
    found = segments(text, unicode=unicode)
    gsm = not unicode and set(text) <= DEFAULT | EXTENSION
    assert found.encoding is (Encoding.GSM if gsm else Encoding.UCS2)
    # Each part is a string of whole characters: both halves of a pair, of septets or of surrogates, are in one part.
    assert "".join(parts) == text
    assert not any("\ud800" <= character <= "\udfff" for part in parts for character in part)
    assert found.parts == len(parts)
    sizes = [units(part, gsm=gsm) for part in parts]
    limit = room(text, len(parts), gsm=gsm)
    assert max(sizes) <= limit
    # A part that is not full is one short, because the next character takes two units; an empty one is never made.
    assert all(size == limit or (size == limit - 1 and units(following[0], gsm=gsm) == 2)
               for size, following in zip(sizes, parts[1:], strict=False))  # fmt: skip
    assert all(sizes[1:])
    assert (found.units, found.remaining) == (sum(sizes), limit - sizes[-1])
    assert found.forced_by == tuple((i, c) for i, c in enumerate(text) if c not in DEFAULT | EXTENSION)


@given(texts, st.booleans())
@example("", False)
@example("a" * 160, False)
@example("a" * 161, False)
@example("a" * 152 + "€" * 2, False)
@example("😀" * 36, False)
@example("a" * 70, True)
def test_what_remains_can_be_filled_and_not_one_character_more(text: str, unicode: bool) -> None:
    found = segments(text, unicode=unicode)
    full = segments(text + "a" * found.remaining, unicode=unicode)
    assert (full.parts, full.remaining) == (found.parts, 0)
    assert segments(text + "a" * (found.remaining + 1), unicode=unicode).parts > found.parts


@given(st.text(st.sampled_from("a€ñ" + "".join(map(chr, range(0x300, 0x304)))), max_size=40))
def test_one_kind_of_mark_in_a_text_does_not_change_what_becomes_of_the_rest(text: str) -> None:
    """A text with combining marks is read by another pattern than one without."""
    apart = "á😀 " + text
    assert to_gsm(apart).text == "a? " + to_gsm(text).text or text[:1] in "\u0300\u0301\u0302\u0303"


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
