"""The planner: every message in exactly one request, and no request that a vendor would misread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk import Message, ValidationError
from mensasdk.campaign.plan import Chunk, Messages, Planner
from mensasdk.vendors.batching import Prepared


class Lane:
    """As many messages in a request as the test wants."""

    def __init__(self, most: int) -> None:
        self.most = most


def planner(messages: Messages, *, size: int = 10, window: int = 40, linger: float = 0.05) -> Planner:
    """A planner for a vendor that takes numbers as they are; messages of one text share a request."""
    lane = Lane(size)

    def prepare(message: Message) -> Prepared:
        if message.to == "bad":
            raise ValidationError("to is bad; give another", field="to")
        return Prepared(message, message.to, message.text, None, 1, lane)

    return Planner(messages, prepare, vendor="fake", window=window, linger=linger)


async def gather(plan: Planner) -> list[Chunk]:
    return [chunk async for chunk in plan.chunks()]


MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["1", "2", "3", "4", "5", "6", "bad"]), st.sampled_from("abc")), max_size=60
)


@given(MESSAGES, st.integers(1, 7), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_each_message_is_in_one_request_and_no_request_repeats_a_number(
    messages: list[Message], size: int, window: int
) -> None:
    chunks = asyncio.run(gather(planner(messages, size=size, window=window)))
    out = [item.message for chunk in chunks for item in chunk.items]
    out += [outcome.message for chunk in chunks for outcome in chunk.refused]
    assert Counter(map(id, out)) == Counter(map(id, messages))
    for chunk in chunks:
        numbers = [item.number for item in chunk.items]
        assert len(numbers) <= size
        assert len(set(numbers)) == len(numbers)
        assert len({item.key for item in chunk.items}) <= 1
        assert all(outcome.code == "invalid_to" for outcome in chunk.refused)


async def test_it_reads_no_further_than_it_needs() -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for index in range(1000):
            read += 1
            yield Message(str(index), "same text")

    chunks = planner(source(), size=10).chunks()
    await anext(chunks)
    assert read == 10
    await chunks.aclose()


async def test_different_texts_do_not_pile_up_beyond_the_window() -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for index in range(1000):
            read += 1
            yield Message(str(index), f"text {index}")

    chunks = planner(source(), size=10, window=25).chunks()
    await anext(chunks)
    assert read == 26
    await chunks.aclose()


async def test_a_silent_source_does_not_hold_back_what_it_gave() -> None:
    silence = asyncio.Event()

    async def source() -> AsyncIterator[Message]:
        yield Message("1", "a")
        yield Message("2", "a")
        await silence.wait()
        yield Message("3", "a")

    chunks = planner(source(), linger=0.01).chunks()
    first = await anext(chunks)
    assert [item.number for item in first.items] == ["1", "2"]
    silence.set()
    assert [item.number for item in (await anext(chunks)).items] == ["3"]
    assert [chunk async for chunk in chunks] == []


async def test_an_error_of_the_source_comes_after_what_it_gave() -> None:
    async def source() -> AsyncIterator[Message]:
        yield Message("1", "a")
        raise LookupError("the database went away")

    plan = planner(source())
    with pytest.raises(LookupError):
        await gather(plan)
    assert [item.number for chunk in plan.leftover() for item in chunk.items] == ["1"]


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
    chunks = planner(source()).chunks()
    await anext(chunks)
    await chunks.aclose()
    assert asyncio.all_tasks() == before
