"""The status codes: what the document's words for each of them mean, and codes that it does not have."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import pickled

from mensasdk import DeliveryState
from mensasdk.vendors.mensatek import DeliveryReport, StatusCode

SCHEDULED, PENDING, SENT = DeliveryState.SCHEDULED, DeliveryState.PENDING, DeliveryState.SENT
DELIVERED, FAILED, EXPIRED = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.EXPIRED

# Read from the document's table, line by line: what it says, the state, whether it is final, whether it may pass.
DOCUMENTED: dict[int, tuple[str, DeliveryState, bool, bool]] = {
    0: ("awaiting delivery: the operator waits for the phone's confirmation", PENDING, False, False),
    1: ("scheduled", SCHEDULED, False, False),
    2: ("awaiting delivery", PENDING, False, False),
    10: ("awaiting delivery", PENDING, False, False),
    11: ("delivered to the phone", DELIVERED, True, False),
    13: ("delivered to the phone; a certified SMS is being certified", DELIVERED, True, False),
    14: ("certified SMS, delivered and certified", DELIVERED, True, False),
    15: ("contract: delivered, awaiting the reply", DELIVERED, False, False),
    16: ("contract: reply received, being certified", DELIVERED, False, False),
    17: ("contract: reply certified, ready for download", DELIVERED, True, False),
    50: ("the network says that the phone does not exist", FAILED, True, False),
    51: ("delivery to the phone failed repeatedly; probably no longer exists", FAILED, True, False),
    52: ("delivery to the network failed; contact support", FAILED, True, False),
    53: ("expired, off for 16 to 72 hours", EXPIRED, True, False),
    54: ("on a blacklist", FAILED, True, False),
    55: ("number blocked", FAILED, True, False),
    70: ("delivered, time not available", DELIVERED, True, False),
    101: ("expired", EXPIRED, True, False),
    102: ("user unsubscribed", FAILED, True, False),
    103: ("expired", EXPIRED, True, False),
    104: ("the number is not correct", FAILED, True, False),
    106: ("delivered, time not available", DELIVERED, True, False),
    110: ("does not exist", FAILED, True, False),
    111: ("closed", FAILED, True, False),
    112: ("without service", FAILED, True, False),
    113: ("expired", EXPIRED, True, False),
    120: ("failure of the destination SMSC; the message is held", SENT, False, True),
    121: ("congestion of the destination SMSC, being retried, temporary", SENT, False, True),
    122: ("failure of the destination SMSC; the message is held", SENT, False, True),
    123: ("turned off or out of coverage", SENT, False, True),
    124: ("without SMS service", FAILED, True, False),
    125: ("blocked or restricted", FAILED, True, False),
    126: ("subscriber busy", SENT, False, True),
    130: ("error in the phone: no longer exists", FAILED, True, False),
    131: ("memory full, repeated failure", FAILED, True, False),
    132: ("cannot receive messages, repeated failure", FAILED, True, False),
    133: ("failure in the mobile, closed", FAILED, True, False),
    134: ("problem in the mobile, retrying every 15 minutes", SENT, False, True),
    135: ("problem in the network, retrying every 15 minutes", SENT, False, True),
    136: ("without service", FAILED, True, False),
    137: ("closed", FAILED, True, False),
    140: ("destination error, contact support", FAILED, True, False),
    141: ("destination error, contact support", FAILED, True, False),
    150: ("the network has temporarily closed delivery", SENT, False, True),
    160: ("contract opened", DELIVERED, False, False),
    161: ("contract read", DELIVERED, False, False),
    162: ("contract accepted by the signer", DELIVERED, False, False),
    163: ("contract signed by the recipient", DELIVERED, False, False),
    180: ("contract, final status: accepted", DELIVERED, True, False),
    181: ("contract, final status: signed biometrically", DELIVERED, True, False),
    190: ("contract rejected by the recipient", DELIVERED, True, False),
    195: ("contract expired without a signature", EXPIRED, True, False),
    1000: ("awaiting delivery", PENDING, False, False),
    1001: ("scheduled", SCHEDULED, False, False),
    1002: ("sending: the operator has not confirmed receipt yet", PENDING, False, False),
    1003: ("problem in the mobile, retrying", SENT, False, True),
    5000: ("contract: position of the signer", DELIVERED, False, False),
}


def test_the_members_are_the_57_codes_of_the_document() -> None:
    assert len(DOCUMENTED) == 57
    assert {int(code) for code in StatusCode} == set(DOCUMENTED)


@pytest.mark.parametrize("number", DOCUMENTED)
def test_a_code_means_what_the_document_says(number: int) -> None:
    _, state, final, temporary = DOCUMENTED[number]
    code = StatusCode(number)
    assert code.is_known
    assert code.state is state
    assert code.is_delivered is (state is DELIVERED)
    assert code.is_final is final
    assert code.is_temporary is temporary
    assert code.meaning
    assert not any(character.isdigit() or character == "_" for character in code.meaning)


def test_what_may_pass_is_never_final_and_what_failed_always_is() -> None:
    for code in StatusCode:
        assert not (code.is_temporary and (code.is_final or code.is_delivered))
        if code.state in {FAILED, EXPIRED}:
            assert code.is_final


# ------------------------------------------------------------------------------------------------- an open enum

# Between 12 and 999 lie codes of the older document, which have a state.
strangers = (st.integers(-(2**70), 9) | st.integers(1100, 2**70)).filter(lambda number: number not in DOCUMENTED)


@settings(deadline=None)
@given(strangers)
def test_a_code_that_nobody_has_seen_is_a_value_like_any_other(number: int) -> None:
    code = StatusCode(number)
    assert type(code) is StatusCode
    assert int(code) == code == number
    assert code.value == number
    assert code == StatusCode(number)
    assert hash(code) == hash(StatusCode(number)) == hash(number)
    assert {code: 1}[StatusCode(number)] == 1
    assert not code.is_known
    assert code.state is DeliveryState.UNKNOWN
    assert not any((code.is_delivered, code.is_temporary, code.is_final))
    assert str(number) in repr(code)
    assert str(number) in code.meaning
    assert int(code) != int(StatusCode.DELIVERED_11)
    for twin in (pickled(code), copy.copy(code), copy.deepcopy(code)):
        assert type(twin) is StatusCode
        assert twin == code
        assert repr(twin) == repr(code)


@settings(deadline=None)
@given(strangers)
def test_a_strange_code_does_not_become_a_member(number: int) -> None:
    StatusCode(number)
    assert len(StatusCode) == 57
    assert len(list(StatusCode)) == 57


def test_codes_of_the_older_document_have_a_state_and_the_rest_is_unknown() -> None:
    states = {number: StatusCode(number).state for number in (12, 22, 28, 29, 200, 512, 31415)}
    assert states == {
        12: PENDING,
        22: FAILED,
        28: FAILED,
        29: DeliveryState.CANCELLED,
        200: FAILED,
        512: DeliveryState.UNKNOWN,
        31415: DeliveryState.UNKNOWN,
    }
    assert StatusCode(200).is_final


@pytest.mark.parametrize("value", ["", "abc", "1.5", "-", None, 1.5, [], "9" * 100])
def test_what_is_no_code_at_all_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not a valid StatusCode"):
        StatusCode(value)


def test_known_codes_keep_their_identity_through_pickle() -> None:
    for code in StatusCode:
        assert pickled(code) is code


def test_a_value_object_with_a_strange_code_compares_equal() -> None:
    report = DeliveryReport(status=StatusCode(777), number="34600000000")
    assert report == evolve(report, status=StatusCode(777))
    assert hash(report) == hash(pickled(report))
