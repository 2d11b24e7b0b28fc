"""Check how campaigns of a journal are opened, closed, listed and purged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import evolve

from mensasdk.errors import ConfigurationError
from mensasdk.journal.facts import CampaignFacts, RouteFacts
from mensasdk.journal.protocol import Claim, Journal, State
from mensasdk.messages import OutcomeKind
from mensasdk.testing.case import case, claimed, counts, ended, nonce_of, raises, reopened, row

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
    assert (await journal.open("d")).next_seq == 0
    await journal.close("d")


@case()
async def _what_a_dead_owner_left_in_flight_is_unknown(journal: Journal) -> None:
    await journal.load("c", [row(0), row(1), row(2)])
    claim = await journal.claim("c", 0, 2)
    await journal.settle("c", claim, [ended(OutcomeKind.ACCEPTED, 0)])
    await reopened(journal)
    assert await counts(journal) == {State.ACCEPTED: 1, State.UNKNOWN: 1, State.PENDING: 1}
    [unknown] = await journal.read("c", states={State.UNKNOWN})
    assert (unknown.seq, unknown.outcome, unknown.request) == (1, None, f"{await nonce_of(journal)}.0")


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
    assert (await journal.open("d", create=False)).next_seq == 0
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
    assert (await journal.open("d")).next_seq == 0
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


def _facts(text: str = "Hola {nombre}", **more: Any) -> CampaignFacts:
    return CampaignFacts([RouteFacts("vendor a", ("PT", "ES"))], text=text, options={"report": True}, **more)


@case()
async def _a_campaign_is_an_instance_whatever_its_name(journal: Journal) -> None:
    first = await journal.open("d")
    assert re.fullmatch("[a-z2-7]{13}", first.nonce)
    await journal.close("d", complete=True)
    again = await journal.open("d", create=False)
    assert (again.nonce, first.complete, again.complete) == (first.nonce, False, True)
    await journal.close("d")
    await journal.purge("d")
    other = await journal.open("d")
    assert first.nonce != other.nonce != await nonce_of(journal, "c")
    await journal.close("d")


@case()
async def _a_campaign_is_what_it_was(journal: Journal) -> None:
    begun = _facts(schedule="2030-01-31T08:00:00+00:00", address="http://127.0.0.1:1")
    await journal.open("d", begun)
    await journal.close("d")
    for same in (None, _facts(schedule="2030-01-31T08:00:00+00:00")):
        await journal.open("d", same)
        await journal.close("d")
    told = r"text: it has 'Hola \{nombre\}', and was given 'Hola\.'; schedule: .*none"
    with raises(ConfigurationError, match=told):
        await journal.open("d", _facts("Hola."))
    await journal.open("d")  # whoever was refused has left it alone
    await journal.close("d")
    kept = {one.name: one.content for one in await journal.campaigns()}
    assert kept["c"] is None
    assert kept["d"] == begun


@case("", " ", "\t", "a\nb", "a\0")
async def _what_is_no_name_begins_no_campaign(journal: Journal, name: str) -> None:
    with raises(ConfigurationError, match="campaign must be a name"):
        await journal.open(name)
    assert [one.name for one in await journal.campaigns()] == ["c"]


@case(range(7, 13), [5, 3, 9, -1, 12, 13], [-1] * 6)
async def _places_in_the_list_are_kept(journal: Journal, places: Sequence[int]) -> None:
    rows = [evolve(row(seq), place=place) for seq, place in enumerate(places)]
    await journal.load("c", rows)
    assert [one.place for one in await journal.read("c")] == list(places)
    claim = await journal.claim("c", 0, 5)
    told = [OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN, OutcomeKind.REJECTED]
    await journal.settle("c", claim, [ended(kind, seq) for seq, kind in enumerate(told)])
    await reopened(journal)
    assert [one.place for one in await journal.read("c")] == list(places)
    await journal.load("c", [evolve(row(20, "key 1"), place=30)])
    assert [one.place for one in await journal.read("c", after=0, limit=1)] == [30]
