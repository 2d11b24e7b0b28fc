"""A body that only the end of the connection delimits, cut at any of its bytes: HTTP itself does not show it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define
from chosen import make_transport
from servers import Exchange, Server, serve
from shared import EAGER

from mensasdk import Timeouts
from mensasdk.sandbox import Sandbox
from mensasdk.transport import Transport

from .calls import CALLS, FaultCall, connect
from .cells import Attempts, ended, judge, transmitted
from .findings import Ending
from .rows import SPECIAL

TITLE = "body without a length, cut at any byte"
ROW = SPECIAL[TITLE]
# With as many cuts as this, spread evenly, and at each of the last bytes, where a cut hides best.
CUTS = 60
LAST = 30


@define
class Scissors:
    """Gives the right answer, and keeps it; once ``at`` is set, gives the same one cut there."""

    box: Sandbox
    body: bytes = b""
    head: bytes = b""
    at: int | None = None

    async def __call__(self, exchange: Exchange) -> None:
        if self.at is None:
            answer = await transmitted(self.box.port, exchange)
            head, _, self.body = answer.partition(b"\r\n\r\n")
            kept = [
                line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-length", b"connection"))
            ]
            self.head = b"\r\n".join([*kept, b"Connection: close", b"", b""])
        await exchange.write(self.head + self.body[: self.at])
        exchange.fin()

    def places(self) -> list[int]:
        """Return the places at which something is missing: behind the last of them, there are only blanks."""
        whole = len(self.body.rstrip())
        return sorted({*range(0, whole, max(1, whole // CUTS)), *range(max(0, whole - LAST), whole)})


@asynccontextmanager
async def cutting(call: FaultCall, box: Sandbox) -> AsyncIterator[tuple[Scissors, Server, str]]:
    scissors = Scissors(box)
    async with serve(scissors) as server:
        yield scissors, server, box.base_url(call.vendor).replace(f":{box.port}", f":{server.port}")


@define
class Cut:
    """The end of a call whose answer was cut, and the value that came of it, if any."""

    ending: Ending
    value: Any = None


async def cut(call: FaultCall, box: Sandbox, transport: Transport, **options: Any) -> tuple[Any, list[Cut]]:
    """Return the value of a call's whole answer, and what comes of the answer when it is cut, at each place."""
    found: list[Any] = []
    cuts: list[Cut] = []
    async with cutting(call, box) as (scissors, server, base):
        attempts = Attempts()
        client = connect(
            call.vendor,
            box=box,
            base_url=base,
            transport=transport,
            timeouts=Timeouts(total=20.0),
            retry=EAGER,
            hooks=[attempts],
            **options,
        )
        given = None if call.before is None else await call.before(connect(call.vendor, box=box, transport=transport))

        async def work() -> None:
            found.append(await call.make(client, given))

        assert await ended(work(), call, total=20.0) == ("answer", ""), call.name
        places = scissors.places()
        assert len(places) > LAST
        for place in places:
            scissors.at = place
            before = attempts.count, len(server.requests)
            kind, outcome = await ended(work(), call, total=20.0)
            ending = Ending(kind, outcome, attempts.count - before[0], len(server.requests) - before[1])
            cuts.append(Cut(ending, found[-1] if kind == "answer" else None))
    return found[0], cuts


def summed_up(cuts: Sequence[Cut]) -> Ending:
    """Tell how most of them ended, or the first one that ended in another way than UNKNOWN."""
    endings = [one.ending for one in cuts]
    unknown = {"DecodeError", "UnexpectedResponse", "AmbiguousResponse"}
    wrong = [one for one in endings if one.kind not in unknown or one.outcome != "unknown" or one.requests != 1]
    return wrong[0] if wrong else Counter(endings).most_common(1)[0][0]


@pytest.mark.slow
async def test_no_cut_of_an_answer_reads_as_an_answer() -> None:
    plain = [call for call in CALLS if ROW.meets(call)]
    work: list[tuple[FaultCall, dict[str, str]]] = [(call, {}) for call in plain]
    work += [(call, {"answer_format": "xml"}) for call in plain if call.vendor == "mensatek"]
    async with Sandbox() as box:
        transport = make_transport()
        try:
            results = await asyncio.gather(*(cut(call, box, transport, **options) for call, options in work))
        finally:
            await transport.aclose()
    pairs = [(call, summed_up(cuts)) for (call, _), (_, cuts) in zip(work, results, strict=True)]
    wrong = [error for call, ending in pairs if (error := judge(TITLE, call, ending, ROW.expected(call)))]
    assert not wrong, "\n".join(wrong)


async def test_a_cut_text_answer_has_no_value_that_is_not_whole_and_accepts_nothing_without_its_id() -> None:
    """TXT has no sign of its end. Cut within a value it is refused, so that no ``Res:100`` reads as ``Res:1``."""
    calls = [call for call in CALLS if ROW.meets(call) and call.vendor == "mensatek"]
    async with Sandbox() as box:
        transport = make_transport()
        try:
            results = await asyncio.gather(*(cut(call, box, transport, answer_format="txt") for call in calls))
        finally:
            await transport.aclose()
    for call, (whole, cuts) in zip(calls, results, strict=True):
        read = [one.value for one in cuts if one.value is not None]
        assert len(read) < len(cuts) / 3, call.name
        for value in read:
            assert value.raw.items() < whole.raw.items(), call.name
            assert value.raw["Res"] == whole.raw["Res"], call.name
            if call.kind == "send":
                assert (value.accepted, value.message_id) == (whole.accepted, whole.message_id)
        unknown = [one for one in cuts if one.value is None]
        assert summed_up(unknown) == Ending("DecodeError", "unknown", 1, 1), call.name
