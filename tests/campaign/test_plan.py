"""The planner: every message in exactly one request, and no request that a vendor would misread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk import Message, Outcome, Route, ValidationError
from mensasdk.campaign.lane import Lane
from mensasdk.campaign.plan import Messages, Planner, Portion
from mensasdk.campaign.request import Planned
from mensasdk.vendors.batching import BatchResult, Doubt, Prepared


class Nobody:
    """A client that is never asked to send."""

    vendor = "fake"
    default_country = None
    text_rule = None
    max_recipients = 1000

    def prepare(self, message: Message) -> Prepared:
        raise NotImplementedError

    def group_key(self, item: Prepared) -> None:
        return None

    async def send_batch(self, batch: Sequence[Prepared], **how: Any) -> BatchResult:
        raise NotImplementedError

    async def reconcile(self, doubts: Sequence[Doubt], **how: Any) -> Sequence[Outcome | None]:
        raise NotImplementedError


def lane_of(most: int) -> Lane:
    return Lane.of(Route(Nobody()), 0, most)


def items(portion: Portion) -> Sequence[Prepared]:
    return [] if portion.request is None else portion.request.items


def planner(messages: Messages, *, size: int = 10, window: int = 40, linger: float = 0.05) -> Planner:
    """Return a planner for a vendor that takes numbers as they are; messages of one text share a request."""
    lane = lane_of(size)

    def prepare(message: Message) -> Planned:
        if message.to == "bad":
            raise ValidationError("to is bad; give another", field="to")
        return lane, Prepared(message, message.to, message.text, None, 1), None

    return Planner(messages, prepare, vendor="fake", window=window, linger=linger)


async def gather(plan: Planner) -> list[Portion]:
    return [portion async for portion in plan.portions()]


MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["1", "2", "3", "4", "5", "6", "bad"]), st.sampled_from("abc")), max_size=60
)


@pytest.mark.slow
@given(MESSAGES, st.integers(1, 7), st.integers(1, 20))
@settings(max_examples=examples(200), deadline=None)
def test_each_message_is_in_one_request_and_no_request_repeats_a_number(
    messages: list[Message], size: int, window: int
) -> None:
    portions = asyncio.run(gather(planner(messages, size=size, window=window)))
    out = [item.message for portion in portions for item in items(portion)]
    out += [outcome.message for portion in portions for outcome in portion.refused]
    assert Counter(map(id, out)) == Counter(map(id, messages))
    for portion in portions:
        numbers = [item.number for item in items(portion)]
        assert len(numbers) <= size
        assert len(set(numbers)) == len(numbers)
        assert len({item.batch_key for item in items(portion)}) <= 1
        assert all(outcome.code == "invalid_to" for outcome in portion.refused)


async def test_it_reads_no_further_than_it_needs() -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for index in range(1000):
            read += 1
            yield Message(str(index), "same text")

    portions = planner(source(), size=10).portions()
    await anext(portions)
    assert read == 10
    await portions.aclose()


async def test_different_texts_do_not_pile_up_beyond_the_window() -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for index in range(1000):
            read += 1
            yield Message(str(index), f"text {index}")

    portions = planner(source(), size=10, window=25).portions()
    await anext(portions)
    assert read == 26
    await portions.aclose()


async def test_a_silent_source_does_not_hold_back_what_it_gave() -> None:
    silence = asyncio.Event()

    async def source() -> AsyncIterator[Message]:
        yield Message("1", "a")
        yield Message("2", "a")
        await silence.wait()
        yield Message("3", "a")

    portions = planner(source(), linger=0.01).portions()
    first = await anext(portions)
    assert [item.number for item in items(first)] == ["1", "2"]
    silence.set()
    assert [item.number for item in items(await anext(portions))] == ["3"]
    assert [portion async for portion in portions] == []


async def test_an_error_of_the_source_comes_after_what_it_gave() -> None:
    async def source() -> AsyncIterator[Message]:
        yield Message("1", "a")
        raise LookupError("the database went away")

    plan = planner(source())
    with pytest.raises(LookupError):
        await gather(plan)
    assert [item.number for portion in plan.leftover() for item in items(portion)] == ["1"]


async def test_closing_it_early_stops_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[Message]:
        try:
            for index in range(10_000):
                yield Message(str(index), "a")
                await asyncio.sleep(0)
        finally:
            closed.set()

    before = asyncio.all_tasks()
    portions = planner(source()).portions()
    await anext(portions)
    await portions.aclose()
    assert asyncio.all_tasks() == before
