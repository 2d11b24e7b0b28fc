"""Rules of each vendor for a text: what it changes before it counts, and which texts it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from mensasdk import (
    EnviaSmsClient,
    EnviaTuSmsClient,
    MensatekClient,
    Message,
    OutcomeKind,
    SmsGateway24Client,
    ValidationError,
)
from mensasdk.text import Change, Encoding, TextRule, segments
from mensasdk.vendors.envia_sms import EnviaSmsOptions
from mensasdk.vendors.enviatusms import rules as enviatusms
from mensasdk.vendors.mensatek import MensatekOptions


class Vendor(NamedTuple):
    client: Any
    number: str
    options: Any = None
    unicode_options: Any = None


VENDORS = {
    "mensatek": Vendor(
        MensatekClient("user", "token"), "+34600000001", MensatekOptions(), MensatekOptions(unicode=True)
    ),
    "envia_sms": Vendor(
        EnviaSmsClient("token"), "+525589520028",
        EnviaSmsOptions("7", "m", unicode=False), EnviaSmsOptions("7", "m", unicode=True),
    ),
    "smsgateway24": Vendor(SmsGateway24Client(token="token", device_id=1), "+34600000001"),
    "enviatusms": Vendor(EnviaTuSmsClient("key"), "+584241234567"),
}  # fmt: skip


def rule(vendor: str) -> TextRule:
    found: TextRule = VENDORS[vendor].client.text_rule
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_client_declares_its_vendors_rule_as_a_frozen_value(vendor: str) -> None:
    client = VENDORS[vendor].client
    assert rule(vendor).vendor == client.vendor == vendor
    assert type(client).text_rule is client.text_rule  # can be asked without credentials
    assert rule(vendor) == rule(vendor)
    with pytest.raises(FrozenInstanceError):
        client.text_rule.name = "x"


# vendor, unicode, text: what the handset shows, alphabet, SMS charged for, units
SHOWN: dict[str, tuple[str, bool, str, str, str, int, int]] = {
    "Mensatek drops accents that GSM lacks": (
        "mensatek", False, "Está aquí, señor García: 5 €", "Esta aqui, señor Garcia: 5 €", "GSM-7", 1, 29,
    ),
    "Mensatek loses emoji": ("mensatek", False, "¡Hola 😀!", "¡Hola ?!", "GSM-7", 1, 8),
    "Mensatek counts after it has replaced": ("mensatek", False, "á" * 160, "a" * 160, "GSM-7", 1, 160),
    "... also where one character becomes three": ("mensatek", False, "…" * 54, "..." * 54, "GSM-7", 2, 162),
    "Mensatek takes long texts": ("mensatek", False, "a" * 1000, "a" * 1000, "GSM-7", 7, 1000),
    "Mensatek sends Unicode when told to": ("mensatek", True, "¡Está 😀!", "¡Está 😀!", "UCS-2", 1, 9),
    "... and then 70 and 67 hold for any text": ("mensatek", True, "a" * 71, "a" * 71, "UCS-2", 2, 71),
    "EnvíaTuSMS drops all accents but those of é": (
        "enviatusms", False, "Él está en Cataluña, ¿qué más?", "Él esta en Cataluna, ¿qué mas?", "GSM-7", 1, 30,
    ),
    "... and keeps É": ("enviatusms", False, "ÉL ESTÁ", "ÉL ESTA", "GSM-7", 1, 7),
    "EnvíaTuSMS composes": ("enviatusms", False, "cafe\u0301 an\u0303o", "café ano", "GSM-7", 1, 8),
    "EnvíaTuSMS takes 160 characters once they are replaced": (
        "enviatusms", False, "a\u0301" * 160, "a" * 160, "GSM-7", 1, 160,
    ),
    "... and sends other scripts as they are": ("enviatusms", False, "한" * 71, "한" * 71, "UCS-2", 2, 71),
    "envia-sms.com takes 160 characters of 7 bits": ("envia_sms", False, "ñ" * 160, "ñ" * 160, "GSM-7", 1, 160),
    "envia-sms.com charges every 70 of UCS-2": ("envia_sms", True, "á" * 134, "á" * 134, "UCS-2", 2, 134),
    "... not every 67": ("envia_sms", True, "á" * 140, "á" * 140, "UCS-2", 2, 140),
    "... up to 500": ("envia_sms", True, "á" * 500, "á" * 500, "UCS-2", 8, 500),
    "SmsGateWay24's phone sends what it gets": ("smsgateway24", False, "Está 😀", "Está 😀", "UCS-2", 1, 7),
    "... in as many parts as it takes": ("smsgateway24", False, "a" * 161, "a" * 161, "GSM-7", 2, 161),
}  # fmt: skip


@pytest.mark.parametrize(
    ("vendor", "unicode", "text", "shown", "encoding", "parts", "units"), SHOWN.values(), ids=SHOWN
)
def test_what_the_handset_shows_and_what_is_charged(
    vendor: str, unicode: bool, text: str, shown: str, encoding: str, parts: int, units: int
) -> None:
    sent = rule(vendor).apply(text, unicode=unicode)
    assert sent.text == shown
    assert (sent.segments.encoding, sent.segments.parts, sent.segments.units) == (encoding, parts, units)


def test_the_changes_are_told_with_their_places() -> None:
    assert rule("mensatek").apply("¿Está… 😀?").changes == (
        Change(4, "á", "a"), Change(5, "…", "..."), Change(7, "😀", "?"),
    )  # fmt: skip
    assert rule("enviatusms").apply("¿Está… 😀, ñandú?").changes == (
        Change(4, "á", "a"), Change(10, "ñ", "n"), Change(14, "ú", "u"),
    )  # fmt: skip
    assert rule("enviatusms").apply("e\u0301 n\u0303").changes == (Change(0, "e\u0301", "é"), Change(3, "n\u0303", "n"))
    assert rule("smsgateway24").apply("Está 😀").changes == ()
    assert rule("mensatek").apply("Está 😀", unicode=True).changes == ()


# vendor, unicode, text, the field, and words of the error
REFUSED: dict[str, tuple[str, bool, str, str, str]] = {
    **{f"{vendor}: a blank text": (vendor, False, " \n\u00a0", "text", "empty") for vendor in VENDORS},
    **{f"{vendor}: no text": (vendor, False, "", "text", "empty") for vendor in VENDORS},
    **{f"{vendor}: NUL": (vendor, False, "a\0", "text", "NUL") for vendor in VENDORS},
    **{f"{vendor}: half an emoji": (vendor, False, "a\ud83d", "text", "surrogate") for vendor in VENDORS},
    "envia-sms.com: 161": ("envia_sms", False, "a" * 161, "text", "161 GSM-7 units, and envia-sms.com takes 160"),
    "envia-sms.com: 161, with the remedy": ("envia_sms", False, "a" * 161, "text", "unicode=True"),
    "envia-sms.com: 81 euro signs": ("envia_sms", False, "€" * 81, "text", "162"),
    "envia-sms.com: 501": ("envia_sms", True, "a" * 501, "text", "501 UCS-2 units, and envia-sms.com takes 500"),
    "EnvíaTuSMS: 161": ("enviatusms", False, "á" * 161, "text", "161 characters, and EnvíaTuSMS takes 160"),
    "EnvíaTuSMS: 161, with the remedy": ("enviatusms", False, "á" * 161, "text", "shorten it, or send it as several"),
    "EnvíaTuSMS has no Unicode": ("enviatusms", True, "a", "unicode", "leave unicode out"),
    "SmsGateWay24 has no Unicode": ("smsgateway24", True, "a", "unicode", "leave unicode out"),
}


@pytest.mark.parametrize(("vendor", "unicode", "text", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_names_the_field_the_vendor_and_the_remedy(
    vendor: str, unicode: bool, text: str, field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        rule(vendor).apply(text, unicode=unicode)
    assert (caught.value.field, caught.value.vendor, caught.value.outcome) == (field, vendor, OutcomeKind.NOT_SENT)
    assert words in str(caught.value)


def test_no_refusal_quotes_the_text() -> None:
    with pytest.raises(ValidationError) as caught:
        rule("enviatusms").apply("secreto" * 30)
    assert "secreto" not in str(caught.value)


def test_characters_that_envia_sms_may_not_have_are_told_and_left_to_it() -> None:
    """Its document does not say what becomes of them without ``ucs2``."""
    sent = rule("envia_sms").apply("Está")
    assert (sent.text, sent.segments.parts, sent.segments.forced_by) == ("Está", 1, ((3, "á"),))
    assert rule("envia_sms").apply("á" * 160).segments.parts == 1


@pytest.mark.parametrize(
    ("unicode", "text", "remaining"), [(False, "a" * 150, 10), (True, "a" * 71, 69), (True, "a" * 491, 9)]
)
def test_what_remains_is_told_by_the_vendors_count(unicode: bool, text: str, remaining: int) -> None:
    found = rule("envia_sms").apply(text, unicode=unicode).segments
    assert found.remaining == remaining
    assert rule("envia_sms").apply(text + "a" * remaining, unicode=unicode).segments.parts == found.parts


letters = st.one_of(
    st.sampled_from("aeé ñáíüçÑÉ€{}~😀中한\u0301\u0303\u1100\u1161\u11a8\u0f71\u0f72\u0323\u00a0…"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
any_text = st.text(letters, max_size=170)


def rebuilt(text: str, changes: Sequence[Change]) -> str:
    result, end = "", 0
    for position, before, after in changes:
        assert position >= end
        assert text[position : position + len(before)] == before != after
        result += text[end:position] + after
        end = position + len(before)
    return result + text[end:]


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
@given(text=any_text, unicode=st.booleans())
@example(text="e\u0301\u0323 a\u0323\u0302 \u1100\u1161\u11a8 \uac00\u11a8", unicode=False)
@example(text="\u0301abc", unicode=False)
@example(text="e\u0316\u0301", unicode=False)  # the second mark belongs to the letter, past one that does not
@example(text="\u09c7\u09be \u0f71\u0f72", unicode=False)
def test_the_changes_are_all_the_changes(vendor: str, text: str, unicode: bool) -> None:
    """Applying them to the given text gives what the handset shows; and nothing is shown that is not counted."""
    try:
        sent = rule(vendor).apply(text, unicode=unicode)
    except ValidationError:
        return
    assert rebuilt(text, sent.changes) == sent.text
    found = segments(sent.text, unicode=unicode)
    assert (sent.segments.encoding, sent.segments.units) == (found.encoding, found.units)
    if vendor == "mensatek" and not unicode:
        assert sent.segments.encoding is Encoding.GSM
    if vendor == "enviatusms":
        assert sent.text == enviatusms.without_accents(text)
    if vendor != "envia_sms":
        assert sent.segments == found


@pytest.mark.parametrize("vendor", VENDORS)
@given(text=any_text, unicode=st.booleans())
def test_a_batch_refuses_what_the_rule_refuses_and_counts_what_it_counts(vendor: str, text: str, unicode: bool) -> None:
    client, number, plain_options, unicode_options = VENDORS[vendor]
    unicode = unicode and unicode_options is not None
    message = Message(number, text, options=unicode_options if unicode else plain_options)
    expected = found = None
    try:
        expected = client.text_rule.apply(text, unicode=unicode).segments.parts
    except ValidationError as refusal:
        expected = refusal.field
    try:
        found = client.prepare(message).parts
    except ValidationError as refusal:
        found = refusal.field
    assert found == expected
