"""What every journal must do. One suite, run over each implementation."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk import Journal, MemoryJournal, Message, Outcome, OutcomeKind
from mensasdk.batch import Row, State
from mensasdk.batch.journal import message_key


@pytest.fixture(params=["memory"])
def journal(request: pytest.FixtureRequest) -> Journal:
    assert request.param == "memory"
    return MemoryJournal()


def row(seq: int, key: str | None = None) -> Row:
    return Row(seq, key or f"key {seq}", Message(f"+3460000{seq:04d}", "hola"))


def ended(kind: OutcomeKind, seq: int) -> tuple[int, Outcome]:
    return seq, Outcome(kind, row(seq).message, "test")


async def counts(journal: Journal) -> dict[State, int]:
    return {state: count for state, count in (await journal.progress("c")).items() if count}


async def test_a_row_is_claimed_once(journal: Journal) -> None:
    assert await journal.load("c", [row(0), row(1), row(2)]) == 3
    assert [one.seq for one in await journal.claim("c", 0, 2)] == [0, 1]
    assert [one.seq for one in await journal.claim("c", 0, 3)] == [2]
    assert await journal.claim("c", 0, 3) == []
    assert await counts(journal) == {State.IN_FLIGHT: 3}


async def test_a_key_is_loaded_once_whatever_became_of_it(journal: Journal) -> None:
    await journal.load("c", [row(0, "a"), row(1, "b"), row(2, "c")])
    await journal.claim("c", 0, 3)
    await journal.settle(
        "c", [ended(OutcomeKind.ACCEPTED, 0), ended(OutcomeKind.REJECTED, 1), ended(OutcomeKind.UNKNOWN, 2)]
    )
    assert await journal.load("c", [row(3, "a"), row(4, "b"), row(5, "c")]) == 0
    assert await journal.claim("c", 0, 10) == []
    assert await counts(journal) == {State.ACCEPTED: 1, State.REJECTED: 1, State.UNKNOWN: 1}


async def test_what_was_not_sent_is_pending_again(journal: Journal) -> None:
    await journal.load("c", [row(0, "a")])
    await journal.claim("c", 0, 1)
    await journal.settle("c", [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.PENDING: 1}
    assert [one.seq for one in await journal.claim("c", 0, 1)] == [0]


async def test_a_pending_key_moves_to_its_new_place(journal: Journal) -> None:
    await journal.load("c", [row(0, "a")])
    assert await journal.load("c", [row(7, "a")]) == 1
    assert await journal.claim("c", 0, 7) == []
    assert [one.seq for one in await journal.claim("c", 7, 8)] == [7]


async def test_settling_twice_changes_nothing(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    await journal.claim("c", 0, 1)
    await journal.settle("c", [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.settle("c", [ended(OutcomeKind.REJECTED, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


async def test_only_a_claimed_row_can_be_settled(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    await journal.settle("c", [ended(OutcomeKind.ACCEPTED, 0), ended(OutcomeKind.ACCEPTED, 99)])
    assert await counts(journal) == {State.PENDING: 1}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.ACCEPTED, State.ACCEPTED),
        (OutcomeKind.REJECTED, State.REJECTED),
        (OutcomeKind.NOT_SENT, State.PENDING),
        (OutcomeKind.UNKNOWN, State.UNKNOWN),
    ],
)
async def test_what_is_unknown_can_be_resolved(journal: Journal, kind: OutcomeKind, state: State) -> None:
    await journal.load("c", [row(0)])
    await journal.claim("c", 0, 1)
    await journal.settle("c", [ended(OutcomeKind.UNKNOWN, 0)])
    assert [one.key for one in await journal.unknown("c", 10)] == ["key 0"]
    assert await journal.claim("c", 0, 1) == []
    await journal.resolve("c", [ended(kind, 0)])
    assert await counts(journal) == {state: 1}


async def test_only_what_is_unknown_can_be_resolved(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    await journal.claim("c", 0, 1)
    await journal.settle("c", [ended(OutcomeKind.ACCEPTED, 0)])
    await journal.resolve("c", [ended(OutcomeKind.NOT_SENT, 0)])
    assert await counts(journal) == {State.ACCEPTED: 1}


async def test_unknown_rows_come_in_portions(journal: Journal) -> None:
    await journal.load("c", [row(seq) for seq in range(5)])
    await journal.claim("c", 0, 5)
    await journal.settle("c", [ended(OutcomeKind.UNKNOWN, seq) for seq in range(5)])
    assert len(await journal.unknown("c", 3)) == 3
    assert len(await journal.unknown("c", 30)) == 5


async def test_campaigns_do_not_touch_each_other(journal: Journal) -> None:
    await journal.load("c", [row(0, "a")])
    assert await journal.load("d", [row(0, "a")]) == 1
    await journal.claim("d", 0, 1)
    assert await counts(journal) == {State.PENDING: 1}


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(OutcomeKind))), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_key_is_ever_claimed_again_after_it_may_have_been_sent(steps: list[tuple[int, OutcomeKind]]) -> None:
    async def run() -> None:
        journal = MemoryJournal()
        done: set[str] = set()
        for seq, (number, kind) in enumerate(steps):
            key = f"key {number}"
            await journal.load("c", [row(seq, key)])
            for claimed in await journal.claim("c", 0, seq + 1):
                assert claimed.key not in done
                if kind is not OutcomeKind.NOT_SENT:
                    done.add(claimed.key)
                await journal.settle("c", [ended(kind, claimed.seq)])

    asyncio.run(run())


def test_two_spellings_of_one_number_are_one_message() -> None:
    first, second = Message("+34 600 00 00 00", "hola"), Message("0034600000000", "hola")
    assert message_key(first, "+34600000000") == message_key(second, "+34600000000")


def test_a_reference_decides_before_the_text() -> None:
    first, second = Message("1", "at nine", reference="r1"), Message("1", "at ten", reference="r1")
    other = Message("1", "at nine", reference="r2")
    assert message_key(first, "+1") == message_key(second, "+1")
    assert message_key(first, "+1") != message_key(other, "+1")


def test_whatever_the_person_would_read_otherwise_is_another_message() -> None:
    keys = {
        message_key(Message("1", "hola"), "+1"),
        message_key(Message("1", "hola "), "+1"),
        message_key(Message("1", "hola", variables={"a": "1"}), "+1"),
        message_key(Message("1", "hola", variables={"a": "2"}), "+1"),
        message_key(Message("1", "hola", template="t"), "+1"),
        message_key(Message("1", "hola"), "+2"),
    }
    assert len(keys) == 6
