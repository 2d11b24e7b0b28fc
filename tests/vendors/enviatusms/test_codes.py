"""Statuses of numbers: an open enum."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import pickled

from mensasdk import DeliveryState
from mensasdk.vendors.enviatusms import NumberStatus

from .served import talking

DOCUMENTED = [
    (0, NumberStatus.PENDING, DeliveryState.PENDING, False),
    (1, NumberStatus.DELIVERED, DeliveryState.DELIVERED, True),
    (4, NumberStatus.REMOVED, DeliveryState.CANCELLED, True),
    (7, NumberStatus.REJECTED, DeliveryState.FAILED, True),
]


@pytest.mark.parametrize("written", [int, str])
@pytest.mark.parametrize(("code", "status", "state", "final"), DOCUMENTED)
async def test_each_documented_status_is_read_from_a_campaign(
    code: int, status: NumberStatus, state: DeliveryState, final: bool, written: type
) -> None:
    stats = {"total_numbers": 1, "total_sms": 1, "pending": 0, "delivered": 0, "failed": 0}
    line = {"mobile_number": 584241234567, "status": written(code), "processed": 1}
    async with talking({"status": "ok", "stats": stats, "numbers_stats": [line]}) as (client, _):
        found = (await client.get_campaign(1)).numbers[0].status
    assert found is status
    assert (found.state, found.is_final, found.is_delivered) == (state, final, code == 1)
    assert found.is_known
    assert "document" not in found.meaning


def test_the_document_names_four() -> None:
    assert [int(status) for status in NumberStatus] == [code for code, *_ in DOCUMENTED]


@pytest.mark.parametrize("code", [2, 3, 5, 6, 8, 99, -1])
async def test_a_status_that_nobody_has_seen_is_a_value_too(code: int) -> None:
    stats = {"total_numbers": 1, "total_sms": 1, "pending": 0, "delivered": 0, "failed": 0}
    line = {"mobile_number": 584241234567, "status": code, "processed": 1}
    async with talking({"status": "ok", "stats": stats, "numbers_stats": [line]}) as (client, _):
        found = (await client.get_campaign(1)).numbers[0].status
    assert found == code
    assert not found.is_known
    assert not found.is_final
    assert found.state is DeliveryState.UNKNOWN
    assert str(code) in found.meaning


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_any_number_is_a_status_that_copies_and_pickles(code: int) -> None:
    status = NumberStatus(code)
    assert int(status) == code
    assert pickled(status) == status
    assert copy.deepcopy(status) == status


@pytest.mark.parametrize("junk", ["x", "", None, 1.5, "1" * 30])
def test_what_is_no_number_is_no_status(junk: Any) -> None:
    with pytest.raises(ValueError, match="NumberStatus"):
        NumberStatus(junk)
