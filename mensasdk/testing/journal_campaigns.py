"""Check how campaigns of a journal are opened, closed, listed and purged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mensasdk.errors import ConfigurationError
from mensasdk.journal.protocol import Claim, Journal, State
from mensasdk.messages import OutcomeKind
from mensasdk.testing.case import case, claimed, counts, ended, raises, reopened, row

__all__: list[str] = []


@case()
async def _opening_tells_the_first_free_seq(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1), row(7)])
    assert await reopened(journal) == 8
    await journal.load("c", [row(8, "key 1"), row(9, "key 7")])
    assert await reopened(journal) == 8, "they stayed in their places"
    await journal.claim("c", 0, 8)
    await journal.load("c", [row(10), row(8, "key 0"), row(9, "key 7")])
    assert await reopened(journal) == 11
    assert await journal.open("d") == 0
    await journal.close("d")


@case()
async def _what_a_dead_owner_left_in_flight_is_unknown(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1), row(2)])
    claim = await journal.claim("c", 0, 2)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await reopened(journal)
    assert await counts(journal) == {State.ACCEPTED: 1, State.UNKNOWN: 1, State.PENDING: 1}
    [unknown] = await journal.read("c", states={State.UNKNOWN})
    assert (unknown.seq, unknown.outcome, unknown.request) == (1, None, "c.0")


@case()
async def _an_open_campaign_is_refused_and_stays_with_its_owner(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    with raises(ConfigurationError, match="'c' is being sent"):
        await journal.open("c")
    assert await claimed(journal, 0, 1) == [0]
    await journal.close("c")
    await journal.close("c")
    await journal.open("c")


@case()
async def _a_campaign_that_does_not_exist_is_begun_only_if_asked(journal: Journal) -> None:
    with raises(ConfigurationError, match="no campaign 'd'"):
        await journal.open("d", create=False)
    await journal.open("d")
    await journal.close("d")
    assert await journal.open("d", create=False) == 0
    await journal.close("d")


@case(
    lambda journal: journal.load("c", [row(5)]),
    lambda journal: journal.claim("c", 0, 1),
    lambda journal: journal.settle("c", Claim(1, [row(0)]), [ended(OutcomeKind.ACCEPTED, 0)]),
    lambda journal: journal.resolve("c", [ended(OutcomeKind.ACCEPTED, 0)]),
    lambda journal: journal.reroute("c", Claim(1, [row(0)]), [0], "vendor a"),
    lambda journal: journal.sweep("c"),
)
async def _only_an_open_campaign_can_be_changed(
    journal: Journal, change: Callable[[Journal], Awaitable[object]]
) -> None:
    await journal.load("c", [row(0)])
    await journal.close("c")
    with raises(ConfigurationError, match="not open"):
        await change(journal)
    assert await counts(journal) == {State.PENDING: 1}
    assert len(await journal.read("c")) == 1


@case()
async def _the_journal_lists_what_it_holds(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    await journal.open("b")
    await journal.close("b", complete=True)
    first, second = await journal.campaigns()
    assert (first.name, first.complete, second.name, second.complete) == ("c", False, "b", True)
    assert first.created.utcoffset() is not None
    assert first.created <= second.created
    assert first.counts == {**dict.fromkeys(State, 0), State.PENDING: 1, State.IN_FLIGHT: 1}
    assert second.counts == dict.fromkeys(State, 0)


@case()
async def _complete_lasts_until_the_campaign_is_begun_again(journal: Journal) -> None:
    async def complete() -> bool:
        [info] = await journal.campaigns()
        return info.complete

    await journal.close("c", complete=True)
    assert await complete()
    await journal.open("c", create=False)
    assert await complete()
    await journal.close("c")
    assert await complete()
    await journal.open("c")
    assert not await complete()


@case()
async def _what_is_purged_is_gone_and_an_open_campaign_is_not_purged(journal: Journal) -> None:
    await journal.load("c", [row(0)])
    with raises(ConfigurationError, match="is being sent"):
        await journal.purge("c")
    await journal.open("d")
    await journal.load("d", [row(0)])
    await journal.close("d")
    await journal.purge("d")
    with raises(ConfigurationError, match="no campaign 'd'"):
        await journal.purge("d")
    assert [info.name for info in await journal.campaigns()] == ["c"]
    assert await counts(journal) == {State.PENDING: 1}
    assert await journal.open("d") == 0
    assert await journal.load("d", [row(0)]) == [row(0)]
    await journal.close("d")


@case()
async def _a_cancelled_claim_claims_nothing(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1)])
    await journal.claim("c", 0, 1)
    for delay in (0, 0, 0.0001, 0.001, 0.01):
        task = asyncio.create_task(journal.claim("c", 0, 2))
        await asyncio.sleep(delay)
        done = task.done()
        task.cancel()
        await asyncio.wait({task})
        if done:
            break
        assert await counts(journal) == {State.IN_FLIGHT: 1, State.PENDING: 1}
