"""A campaign that is checked, added up: the figures, and that they stay few."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk import EnviaSmsClient, EnviaTuSmsClient, MensatekClient, SmsGateway24Client
from mensasdk.preflight.check import Preflight, character_name
from mensasdk.preflight.prices import Prices
from mensasdk.text import Encoding, segments

ES, MX, NOWHERE = "+34600000001", "+525512345678", "+881612345678"
MENSATEK, PHONES = MensatekClient.text_rule, SmsGateway24Client.text_rule
ENVIA, VENEZUELA = EnviaSmsClient.text_rule, EnviaTuSmsClient.text_rule
AT = datetime(2030, 1, 31, 9, tzinfo=UTC)


def add(found: Preflight, text: str, *, number: str = ES, vendor: str = "mensatek", **more: object) -> None:
    rule = {"mensatek": MENSATEK, "smsgateway24": PHONES, "envia_sms": ENVIA, "enviatusms": VENEZUELA}[vendor]
    unicode = bool(more.get("unicode")) or (vendor == "envia_sms" and bool(segments(text).forced_by))
    if vendor == "envia_sms":
        more["unicode"] = None
    parts = rule.apply(text, unicode=unicode).segments.parts
    found.add(number, text, parts, vendor=vendor, rule=rule, **more)  # type: ignore[arg-type]


def test_messages_parts_and_cost_are_told_by_vendor_and_by_country() -> None:
    found, prices = Preflight(), Prices({"ES": "0.9", "MX": "0.35"})
    add(found, "a" * 161, prices=prices)
    add(found, "hola", prices=prices)
    add(found, "hola", number=MX, prices=prices)
    add(found, "hola", number=NOWHERE, prices=prices)
    add(found, "hola", number=MX, vendor="smsgateway24")
    for vendor in ("mensatek", "mensatek", "smsgateway24"):
        found.add_request(vendor)
    assert (found.total, found.messages, found.parts, found.requests) == (5, 5, 6, 3)
    assert found.by_parts == {2: 1, 1: 4}
    first, second = found.by_vendor["mensatek"], found.by_vendor["smsgateway24"]
    assert (first.messages, first.parts, first.requests) == (4, 5, 2)
    assert first.estimate is not None
    assert (first.estimate.total, first.estimate.unpriced) == (Decimal("3.05"), {None: 1})
    assert (second.messages, second.parts, second.requests, second.estimate) == (1, 1, 1, None)
    assert list(found.by_country) == ["ES", "MX", None]  # most messages first
    mexico = found.by_country["MX"]
    assert (mexico.messages, mexico.parts, mexico.cost, mexico.unpriced) == (2, 2, {"mensatek": Decimal("0.35")}, 0)
    assert (found.by_country[None].cost, found.by_country[None].unpriced) == ({"mensatek": Decimal(0)}, 1)


def test_two_accounts_of_one_vendor_may_have_two_price_lists() -> None:
    found = Preflight()
    for price in ("1", "2", "2"):
        add(found, "hola", prices=PRICES[price])
    estimate = found.by_vendor["mensatek"].estimate
    assert estimate is not None
    assert (estimate.total, estimate.messages, found.by_vendor["mensatek"].messages) == (Decimal(5), 3, 3)


PRICES = {price: Prices({}, default=price) for price in ("1", "2")}


def test_what_would_not_go_out_is_counted_by_code_with_a_few_masked_samples() -> None:
    found = Preflight()
    for index in range(8):
        found.refuse(f"+3460000000{index}", "opted_out", "has opted out")
    found.refuse(ES, "duplicate", "twice")
    found.refuse("12", "invalid_to", "is too short")
    add(found, "hola")
    assert found.by_code == {"opted_out": 8, "duplicate": 1, "invalid_to": 1}
    assert (found.total, found.messages, found.duplicates, found.refused) == (11, 1, 1, 9)
    assert [one.number for one in found.refusals["opted_out"].samples] == [f"***00{index}" for index in range(5)]
    assert "60000" not in repr(found)


def test_a_vendor_that_replaces_characters_sends_gsm_and_says_what_it_replaces() -> None:
    found = Preflight()
    add(found, "está aquí, está aquí")
    add(found, "está aquí")
    add(found, "señor")
    assert (found.by_encoding, found.outside_gsm, found.forcing) == ({Encoding.GSM: 3}, 2, {})
    assert found.by_vendor["mensatek"].changed == 2
    assert found.by_vendor["mensatek"].replacements == {("á", "a"): 2, ("í", "i"): 2}  # of messages, not of places
    assert found.parts_in_gsm == found.parts


def test_what_forces_unicode_is_counted_with_what_it_costs() -> None:
    found = Preflight()
    add(found, "á" + "a" * 99, vendor="smsgateway24")  # two parts, and one without the accent
    add(found, "á", vendor="smsgateway24")
    add(found, "hola", vendor="smsgateway24")
    assert found.by_encoding == {Encoding.UCS2: 2, Encoding.GSM: 1}
    assert (found.parts, found.parts_in_gsm, found.forcing) == (4, 3, {"á": 2})


def test_replacing_never_counts_as_a_saving_where_it_makes_the_text_longer() -> None:
    found = Preflight()
    add(found, "…" * 70, vendor="smsgateway24")  # 70 units, and 210 septets
    assert (found.parts, found.parts_in_gsm) == (1, 1)


def test_unicode_that_was_asked_for_counts_for_texts_that_do_not_need_it() -> None:
    found = Preflight()
    add(found, "a" * 100, unicode=True)
    assert (found.by_encoding, found.parts, found.parts_in_gsm) == ({Encoding.UCS2: 1}, 2, 1)
    assert (found.forcing, found.outside_gsm) == ({}, 0)


def test_a_vendor_that_takes_long_texts_as_unicode_only_saves_nothing_by_other_characters() -> None:
    """envia-sms.com takes 160 septets and 500 units."""
    found = Preflight()
    add(found, "á" * 170, vendor="envia_sms")
    assert (found.parts, found.parts_in_gsm) == (3, 3)


def test_what_is_counted_in_another_way_is_left_as_it_is() -> None:
    """A WhatsApp message of any length is one; of a template only the variables are known."""
    found = Preflight()
    found.add(ES, "á" * 300, 1, vendor="smsgateway24", rule=PHONES)
    found.add(MX, "León", 1, vendor="envia_sms")
    found.add(MX, "x" * 500, 1, vendor="envia_sms", rule=ENVIA)  # which no rule would take
    assert (found.parts, found.parts_in_gsm) == (3, 3)
    assert found.by_encoding == {Encoding.UCS2: 2, Encoding.GSM: 1}


def test_times_are_told_from_the_first_to_the_last() -> None:
    found = Preflight()
    add(found, "hola")
    assert (found.scheduled, found.first_at, found.last_at) == (0, None, None)
    for hours, put_off in ((3, True), (1, False), (2, True)):
        add(found, "hola", schedule_at=AT + timedelta(hours=hours), put_off=put_off)
    assert (found.scheduled, found.put_off) == (3, 2)
    assert (found.first_at, found.last_at) == (AT + timedelta(hours=1), AT + timedelta(hours=3))


def test_a_number_that_is_not_in_e164_is_no_country() -> None:
    """It would be shown in full, as the name of one."""
    found = Preflight()
    found.add("34600000001", "hola", 1, vendor="x", prices=PRICES["1"])
    assert list(found.by_country) == [None]


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("í", "U+00ED LATIN SMALL LETTER I WITH ACUTE"),
        ("😀", "U+1F600 GRINNING FACE"),
        ("\t", "U+0009 control character"),
        ("\ue000", "U+E000 without a name"),
        ("e\u0301", "U+0065 LATIN SMALL LETTER E + U+0301 COMBINING ACUTE ACCENT"),
    ],
)
def test_a_character_has_its_number_and_its_name(character: str, name: str) -> None:
    assert character_name(character) == name


@given(st.lists(st.tuples(st.text(min_size=1, max_size=90), st.sampled_from(["smsgateway24", "mensatek"]))))
def test_the_figures_add_up_whatever_the_texts(messages: list[tuple[str, str]]) -> None:
    found = Preflight()
    for text, vendor in messages:
        if not text.isspace() and "\0" not in text:
            add(found, text, vendor=vendor)
        else:
            found.refuse(ES, "invalid_text", "is blank")
    assert found.messages + found.duplicates + found.refused == found.total == len(messages)
    assert sum(found.by_parts.values()) == sum(found.by_encoding.values()) == found.messages
    assert sum(totals.parts for totals in found.by_country.values()) == found.parts >= found.parts_in_gsm
    assert sum(totals.messages for totals in found.by_vendor.values()) == found.messages
    assert max(found.forcing.values(), default=0) <= found.by_encoding[Encoding.UCS2] <= found.outside_gsm


@pytest.mark.slow
def test_memory_does_not_grow_with_characters_codes_or_messages() -> None:
    found = Preflight()
    # Every character of the first planes, and a new code for each message.
    for number in (*range(0x100, 0xD800), *range(0xE000, 0x20000)):
        found.add(ES, chr(number), 1, vendor="smsgateway24", rule=PHONES)
        found.refuse(ES, f"code {number}", "no")
    assert len(found.forcing) == len(found.refusals) == 10_001
    assert found.forcing["other"] == found.by_encoding[Encoding.UCS2] - 10_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for index in range(20_000):
        found.add(f"+346{index:08d}", f"hola {index} á", 1, vendor="smsgateway24", rule=PHONES)
        found.refuse(ES, f"another code {index}", "no")
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000
