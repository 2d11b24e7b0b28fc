"""Which message a delivery report is about: by number, reference or id, instance and age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mensasdk import Delivery, DeliveryState, Message, Outcome, OutcomeKind
from mensasdk.journal import Record, State
from mensasdk.journal.keys import instance_of, new_nonce, request_reference
from mensasdk.journal.reports import is_about

NUMBER, CLAIMED = "+34611000001", datetime(2026, 5, 4, 10, 0, 0, 700_000, tzinfo=UTC)
MINE, OTHER = "abcdefgh23456", "zyxwvuts76543"
MESSAGE = Message(NUMBER, "Hola")
RECORD = Record(
    4,
    b"key",
    State.UNKNOWN,
    MESSAGE,
    outcome=Outcome(OutcomeKind.UNKNOWN, MESSAGE, vendor="mensatek", vendor_id="77"),
    request=request_reference(MINE, 4),
    vendor="mensatek",
    claimed_at=CLAIMED,
)


@pytest.mark.parametrize(
    ("vendor_id", "reference", "age", "about"),
    [
        ("1", f"{MINE}.4", 0, True),
        ("1", f"{MINE}.4", -2, True),  # by a clock of another zone
        ("1", f"{MINE}.4", -24, False),
        ("1", f"{MINE}.5", 0, False),
        ("77", f"{MINE}.5", 0, True),
        ("77", None, 0, True),
        ("77", None, None, True),
        ("77", "a reference of the caller's", 0, True),
        ("77", f"{OTHER}.4", 0, False),
        ("77", f"{OTHER}.4", None, False),
        ("77", None, -1, False),
        ("77", None, -0.01, True),
        ("78", None, 0, False),
        (None, None, 0, False),
    ],
)
def test_a_report_is_about_a_message_of_this_instance_and_this_claim(
    vendor_id: str | None, reference: str | None, age: float | None, about: bool
) -> None:
    at = None if age is None else CLAIMED + timedelta(hours=age)
    report = Delivery(
        "mensatek", vendor_id, number=NUMBER, state=DeliveryState.SENT, code="1", at=at, reference=reference
    )
    assert is_about(report, RECORD) is about


def test_a_reference_tells_its_instance_and_no_two_are_alike() -> None:
    nonces = {new_nonce() for _ in range(2000)}
    assert len(nonces) == 2000
    assert {len(one) for one in nonces} == {13}
    assert all(instance_of(request_reference(one, 10**12)) == one for one in nonces)
    assert not any(map(instance_of, ("julio.0", "", "5", f"{MINE}.", f"{MINE.upper()}.1", f"{MINE}.x", MINE)))
