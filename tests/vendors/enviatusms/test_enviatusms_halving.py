"""One text that the vendor does not want, in a request of many: who is at fault is found, and the others get theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from served import Answer
from shared import OpenGate

from mensasdk import BatchSender, EnviaTuSmsClient, Message, Outcome, OutcomeKind
from mensasdk.errors import (
    AmbiguousResponse,
    AuthError,
    ConnectionLost,
    InsufficientCredits,
    InvalidRequest,
    MensaError,
    RateLimited,
    VendorError,
)
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.batching import BatchResult, Prepared
from mensasdk.vendors.halving import send_in_halves

from .served import talking

ACCEPTED, REJECTED = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED
NOT_SENT, UNKNOWN = OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN


@define
class Vendor:
    """Refuses each request that has somebody of ``guilty`` in it; keeps count of who was sent to.

    Attributes:
        trouble: number of a request, from 0, to what becomes of it instead.
        requests: who was in each request.
        sent: everybody to whom something was sent.
    """

    guilty: frozenset[int]
    trouble: dict[int, BaseException] = field(factory=dict)
    requests: list[list[int]] = field(factory=list)
    sent: list[int] = field(factory=list)

    async def send(self, part: Sequence[Prepared]) -> BatchResult:
        who = [item.payload for item in part]
        self.requests.append(who)
        if trouble := self.trouble.get(len(self.requests) - 1):
            raise trouble
        if self.guilty & set(who):
            raise InvalidRequest("a text is at fault", vendor="fake", code="422")
        self.sent += who
        return BatchResult(
            [Outcome(ACCEPTED, item.message, vendor="fake", vendor_id=str(len(self.requests))) for item in part]
        )

    async def take(self, size: int) -> list[Outcome]:
        batch = [Prepared(Message(str(index + 1)), "", "", index, 1) for index in range(size)]
        result = await send_in_halves(
            batch, self.send, vendor="fake", divides=lambda error: isinstance(error, InvalidRequest)
        )
        assert [one.message for one in result.outcomes] == [item.message for item in batch]
        return list(result.outcomes)


def kinds(outcomes: Sequence[Outcome]) -> list[OutcomeKind]:
    return [one.kind for one in outcomes]


def levels(size: int) -> int:
    return (size - 1).bit_length()


@given(st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))))
async def test_nobody_is_sent_to_twice_or_lost_and_requests_are_bounded(case: tuple[int, set[int]]) -> None:
    size, guilty = case
    vendor = Vendor(frozenset(guilty))
    try:
        outcomes = await vendor.take(size)
    except InvalidRequest:
        assert size == 1
        assert guilty
        return
    assert len(vendor.sent) == len(set(vendor.sent))
    assert len(vendor.requests) <= 1 + 4 * levels(size)
    if not vendor.sent:
        assert len(vendor.requests) <= 7
        assert set(kinds(outcomes)) == {REJECTED}
    for index, outcome in enumerate(outcomes):
        assert (outcome.kind is ACCEPTED) == (index in vendor.sent)
        assert outcome.kind is not UNKNOWN
        if outcome.kind is REJECTED and vendor.sent:
            assert index in guilty, "only who was refused alone"


@pytest.mark.slow
@given(st.integers(2, 500).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
async def test_one_at_fault_is_the_only_one_who_gets_nothing(case: tuple[int, int]) -> None:
    size, guilty = case
    vendor = Vendor(frozenset({guilty}))
    outcomes = await vendor.take(size)
    assert [index for index, kind in enumerate(kinds(outcomes)) if kind is not ACCEPTED] == [guilty]
    assert outcomes[guilty].kind is REJECTED
    assert (outcomes[guilty].code, outcomes[guilty].detail) == ("422", "a text is at fault")
    assert len(vendor.requests) <= 1 + 2 * levels(size)


@given(st.sets(st.integers(0, 255), min_size=2, max_size=2))
async def test_two_at_fault_are_found_wherever_they_stand(guilty: set[int]) -> None:
    vendor = Vendor(frozenset(guilty))
    outcomes = await vendor.take(256)
    assert {index for index, kind in enumerate(kinds(outcomes)) if kind is not ACCEPTED} == guilty
    assert {outcomes[index].kind for index in guilty} == {REJECTED}


async def test_what_all_of_them_share_is_not_looked_for_for_long() -> None:
    vendor = Vendor(frozenset(range(500)))
    outcomes = await vendor.take(500)
    assert [len(request) for request in vendor.requests] == [500, 250, 250, 125, 125, 125, 125]
    assert {(one.kind, one.code) for one in outcomes} == {(REJECTED, "422")}


async def test_who_was_only_refused_together_with_others_can_be_sent_again() -> None:
    vendor = Vendor(frozenset(range(32, 64, 2)))
    outcomes = await vendor.take(64)
    left = [one for index, one in enumerate(outcomes) if index not in vendor.sent]
    assert vendor.sent
    assert NOT_SENT in kinds(left)
    assert {one.detail for one in left if one.kind is NOT_SENT} == {
        "refused together with others, and not tried alone: a text is at fault"
    }


@pytest.mark.parametrize(
    ("trouble", "part", "rest"),
    [
        (ConnectionLost("lost", vendor="fake"), UNKNOWN, NOT_SENT),
        (RateLimited("slow down", vendor="fake"), NOT_SENT, NOT_SENT),
        (AuthError("who are you", vendor="fake", code="401"), NOT_SENT, NOT_SENT),
        (InsufficientCredits("no money", vendor="fake"), NOT_SENT, NOT_SENT),
        (VendorError("no", vendor="fake", code="error"), REJECTED, ACCEPTED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MensaError) else str(value),
)
async def test_trouble_on_the_way_holds_for_its_own_part(
    trouble: MensaError, part: OutcomeKind, rest: OutcomeKind
) -> None:
    """Eight, of whom the last is at fault: halves 0-3 and 4-7, and then 4-5 meets the trouble before 6-7 is tried."""
    vendor = Vendor(frozenset({7}), {3: trouble})
    outcomes = await vendor.take(8)
    assert vendor.requests[:4] == [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7], [4, 5]]
    assert kinds(outcomes[:4]) == [ACCEPTED] * 4
    assert kinds(outcomes[4:6]) == [part] * 2
    assert outcomes[6].kind is rest
    assert (len(vendor.requests) == 4) == (rest is NOT_SENT)


@pytest.mark.parametrize(("at", "outcome"), [(1, NOT_SENT), (2, UNKNOWN)])
async def test_a_cancellation_never_says_that_nothing_was_sent_when_something_was(
    at: int, outcome: OutcomeKind
) -> None:
    cancelled = asyncio.CancelledError()
    cancelled.mensasdk_outcome = NOT_SENT  # type: ignore[attr-defined]  # as the limiter marks it
    vendor = Vendor(frozenset({7}), {at: cancelled})
    with pytest.raises(asyncio.CancelledError) as caught:
        await vendor.take(8)
    assert cancelled_outcome(caught.value) is outcome


async def test_what_refuses_no_content_ends_the_whole_request_as_ever() -> None:
    vendor = Vendor(frozenset(), {0: AuthError("who are you", vendor="fake")})
    with pytest.raises(AuthError):
        await vendor.take(8)
    assert len(vendor.requests) == 1


# ------------------------------------------------------------------------------------------------- over the sandbox


def messages(count: int, bad: set[int]) -> list[Message]:
    texts = ["Gana un premio" if index in bad else f"Hola {index}" for index in range(count)]
    return [Message(f"+58424{index:07}", text, reference=str(index)) for index, text in enumerate(texts)]


async def sending(box: Sandbox, given: Sequence[Message]) -> tuple[dict[str, Outcome], dict[OutcomeKind, int]]:
    client = EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms"))
    async with client:
        sender = BatchSender(client, max_in_flight=1)
        outcomes = {one.message.reference or "": one async for one in sender.stream(given)}
    assert sender.report is not None
    counts = {kind: sum(one.kind is kind for one in outcomes.values()) for kind in OutcomeKind}
    assert len(outcomes) == len(given)
    return outcomes, counts


@pytest.mark.parametrize("http_status", ["mixed", "always_200"])
async def test_only_the_text_at_fault_is_rejected_and_everybody_else_is_sent_to_once(
    box: Sandbox, http_status: str
) -> None:
    box.enviatusms.account.forbidden = frozenset({"premio"})
    box.enviatusms.quirks = type(box.enviatusms.quirks)(http_status=http_status)  # type: ignore[arg-type]
    outcomes, counts = await sending(box, messages(100, {37}))
    assert counts == {ACCEPTED: 99, REJECTED: 1, NOT_SENT: 0, UNKNOWN: 0}
    assert outcomes["37"].kind is REJECTED
    assert "the text is at fault" in outcomes["37"].detail
    assert "premio" not in outcomes["37"].detail
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == 99
    assert "584240000037" not in box.ledger.numbers()
    assert box.ledger.request_count("sms-multi") <= 1 + 2 * levels(100)
    # Each part is a campaign of its own, and an outcome names the one that its message is in.
    named = {(message.number[-2:], message.message_id) for message in box.ledger.messages}
    assert named == {(f"{int(name):02}", one.vendor_id) for name, one in outcomes.items() if one.kind is ACCEPTED}


async def test_one_text_for_all_is_refused_once(box: Sandbox) -> None:
    """The vendor ignores wrong numbers; so when the text is the same, it is at fault for everybody."""
    box.enviatusms.account.forbidden = frozenset({"premio"})
    _, counts = await sending(box, messages(20, set(range(20))))
    assert counts[REJECTED] == 20
    assert box.ledger.request_count("sms-multi") == 1


async def test_a_lost_answer_in_between_leaves_its_part_unknown_and_is_not_sent_again(box: Sandbox) -> None:
    box.enviatusms.account.forbidden = frozenset({"premio"})
    box.fail("enviatusms", function="sms-multi", fault=Fault.RESET, when="after", nth=2)
    outcomes, counts = await sending(box, messages(8, {7}))
    assert counts == {ACCEPTED: 0, REJECTED: 0, NOT_SENT: 4, UNKNOWN: 4}
    assert {name for name, one in outcomes.items() if one.kind is UNKNOWN} == {"0", "1", "2", "3"}
    assert sorted(box.ledger.numbers()) == [f"58424000000{index}" for index in range(4)]
    assert set(box.ledger.numbers().values()) == {1}
    assert box.ledger.request_count("sms-multi") == 2


async def test_every_attempt_passes_the_limiter(box: Sandbox) -> None:
    box.enviatusms.account.forbidden = frozenset({"premio"})
    gate = OpenGate()
    client = EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms"))
    async with client:
        batch = [client.prepare(message) for message in messages(16, {3})]
        await client.send_batch(batch, reference="x", gate=gate)
    assert gate.passed == box.ledger.request_count("sms-multi") > 1


@pytest.mark.parametrize("status", [200, 400, 422])
async def test_a_refusal_that_names_a_campaign_is_in_doubt_under_every_status_and_is_not_divided(status: int) -> None:
    body = Answer({"status": "error", "msg": "no", "id": 1234}, status)
    async with talking(body) as (client, server):
        with pytest.raises(AmbiguousResponse) as caught:
            await client.send_sms(["04241234567", "04141234567"], ["Hola", "Gana un premio"])
        assert caught.value.outcome is UNKNOWN
        outcomes = [one async for one in BatchSender(client).stream(messages(4, {1}))]
    assert set(kinds(outcomes)) == {UNKNOWN}
    assert len(server.requests) == 2
