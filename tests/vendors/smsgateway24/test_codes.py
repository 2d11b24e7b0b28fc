"""The codes: what the vendor's words for each of them mean, and codes that it does not have."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import pickled

from mensasdk import AuthError, DeliveryState, VendorError
from mensasdk.vendors.smsgateway24 import SimSlot, StatusCode
from mensasdk.vendors.smsgateway24.codes import refusal_kind, word_state

PENDING, SENT, DELIVERED = DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.DELIVERED
FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN

# Read from the vendor's table, line by line: what it says, the state, whether it is final.
DOCUMENTED: dict[int, tuple[str, DeliveryState, bool]] = {
    1: ("pending SMS", PENDING, False),
    2: ("SMS taken by phone", PENDING, False),
    3: ("queued for sending", PENDING, False),
    5: ("incoming SMS", UNKNOWN, True),
    6: ("SMS sent by phone", SENT, False),
    7: ("SMS has been delivered", DELIVERED, True),
    8: ("SMS was not delivered", FAILED, True),
    9: ("not sent at all, generic failure", FAILED, True),
    10: ("not sent, no service", FAILED, True),
    11: ("not sent, null PDU", FAILED, True),
    12: ("not sent, radio off", FAILED, True),
    100: ("not sent, not allowed", FAILED, True),
    101: ("not sent, not allowed", FAILED, True),
}


def test_the_members_are_the_codes_of_the_document() -> None:
    assert {int(code) for code in StatusCode} == set(DOCUMENTED)


@pytest.mark.parametrize("number", DOCUMENTED)
def test_a_code_means_what_the_document_says(number: int) -> None:
    _, state, final = DOCUMENTED[number]
    code = StatusCode(number)
    assert (code.is_known, code.state, code.is_final) == (True, state, final)
    assert code.is_incoming == (number == 5)
    assert code.meaning
    assert "not name" not in code.meaning


@settings(deadline=None)  # the first example may load tables
@given(st.integers(-(2**40), 2**40).filter(lambda number: number not in DOCUMENTED))
def test_a_code_that_nobody_has_seen_is_a_value(number: int) -> None:
    code = StatusCode(number)
    assert code == number
    assert (code.is_known, code.state, code.is_final, code.is_incoming) == (False, UNKNOWN, False, False)
    assert str(number) in code.meaning
    assert pickled(code) == code
    assert copy.deepcopy(code) == code


def test_four_is_not_documented() -> None:
    assert not StatusCode(4).is_known


def test_codes_may_come_as_text() -> None:
    make: Any = StatusCode
    slot: Any = SimSlot
    assert make("7") is StatusCode.DELIVERED
    assert not make("77").is_known
    assert slot("3") is SimSlot.WHATSAPP
    for wrong in ("", "seven", "-1", "٧", None, 1.5):
        for kind in (make, slot):
            with pytest.raises(ValueError, match="is not a valid"):
                kind(wrong)


def test_the_slots_are_those_of_the_document() -> None:
    assert {int(slot): (slot.is_sms, slot.takes_images, slot.is_known) for slot in SimSlot} == {
        0: (True, False, True),
        1: (True, False, True),
        2: (False, True, True),
        3: (False, True, True),
        4: (False, False, True),
        5: (False, False, True),
    }
    assert (SimSlot(9).is_known, SimSlot(9).is_sms, SimSlot(9).takes_images) == (False, False, False)
    assert pickled(SimSlot(9)) == SimSlot(9)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("delivered", DELIVERED),
        (" Delivered ", DELIVERED),
        ("sent", SENT),
        ("New", PENDING),
        ("sending", PENDING),
        ("pending", PENDING),
        ("queued", PENDING),
        ("not_delivered", FAILED),
        ("failed", FAILED),
        ("scheduled", DeliveryState.SCHEDULED),
        ("whatever", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_status_in_words(word: str, state: DeliveryState) -> None:
    assert word_state(word) is state


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Login or password incorrect", AuthError),
        ("Wrong token", AuthError),
        ("TOKEN NOT FOUND", AuthError),
        ("Unauthorised", AuthError),
        ("Authentication failed", AuthError),
        ("Device not found", VendorError),
        ("No firebase token", VendorError),
        ("tokenless", VendorError),
        ("", VendorError),
    ],
)
def test_the_words_of_a_refusal_decide_what_it_is(words: str, kind: type[VendorError]) -> None:
    assert refusal_kind(words) is kind
