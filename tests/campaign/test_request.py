"""The stages of one request: what is claimed is sent and settled, and on an old claim nothing goes out."""

from __future__ import annotations

from typing import Any

import pytest

from mensasdk import BatchSender, MemoryJournal, MensatekClient, Message, OutcomeKind
from mensasdk.journal import State
from mensasdk.journal.protocol import Claim
from mensasdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.all_loops

CLOCKS = "mensasdk.campaign.request._clocks"
MESSAGES = [Message(f"+3460000000{index}", "hola") for index in range(3)]


@pytest.mark.parametrize("later", [(100.0, 0.5), (0.5, 100.0)])
async def test_nothing_is_sent_on_a_claim_that_is_older_than_its_lease(
    box: Sandbox, mensatek: MensatekClient, monkeypatch: pytest.MonkeyPatch, later: tuple[float, float]
) -> None:
    """The machine stands still while the claim is under way: one of its two clocks shows it."""
    monkeypatch.setattr(CLOCKS, iter([(0.0, 0.0), later]).__next__)
    journal = MemoryJournal()
    report = await BatchSender(mensatek, journal=journal).send(MESSAGES, campaign="c")
    assert box.ledger.request_count() == 0
    assert report.by_code == {"lease": 3}
    assert (await journal.progress("c"))[State.PENDING] == 3


async def test_what_another_has_swept_meanwhile_is_not_pending_again(
    box: Sandbox, mensatek: MensatekClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Thief(MemoryJournal):
        """Another machine takes the rows for those of a dead owner, as soon as they are claimed."""

        async def claim(self, campaign: str, lo: int, hi: int, **how: Any) -> Claim:
            claim = await super().claim(campaign, lo, hi, **how)
            await self.sweep(campaign)
            return claim

    journal = Thief()
    monkeypatch.setattr(CLOCKS, iter([(0.0, 0.0), (100.0, 0.0)]).__next__)
    report = await BatchSender(mensatek, journal=journal).send(MESSAGES, campaign="c")
    assert box.ledger.request_count() == 0
    assert report.not_sent == 3
    assert (await journal.progress("c"))[State.UNKNOWN] == 3


async def test_an_outcome_stands_at_its_own_message_whatever_the_order_in_the_journal(
    box: Sandbox, mensatek: MensatekClient
) -> None:
    """Two of three are pending from before, at other places: each still gets what became of itself."""
    journal = MemoryJournal()
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RATE_LIMIT, when="before", retry_after=9999)
    first = await BatchSender(mensatek, journal=journal).send(MESSAGES[1:], campaign="c")
    assert first.not_sent == 2
    box.clear_faults()
    report = await BatchSender(mensatek, journal=journal).send([MESSAGES[2], MESSAGES[0], MESSAGES[1]], campaign="c")
    assert report.accepted == 3
    assert [row["to"] for row in report.rows()] == [MESSAGES[2].to, MESSAGES[0].to, MESSAGES[1].to]
    records = await journal.read("c")
    assert [(one.message.to, one.state) for one in records] == [
        (MESSAGES[1].to, State.ACCEPTED),
        (MESSAGES[2].to, State.ACCEPTED),
        (MESSAGES[0].to, State.ACCEPTED),
    ]
    assert all(one.outcome is not None and one.outcome.message.to == one.message.to for one in records)
    assert [one.position for one in records] == [0, 1, 2]
    assert {one.first for one in records} == {records[0].seq}
    assert all(one.outcome is not None and one.outcome.kind is OutcomeKind.ACCEPTED for one in records)
