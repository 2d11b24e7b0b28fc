"""Process whose wall clock is set an hour on, an hour back and so on, while it talks to a vendor.

The test of the clocks starts it. Both ways to the wall clock, `time.time` and `datetime.now`, are replaced before
anything of ours or of a library is imported, so that nobody has the true one. One line of JSON comes in, with what to
do; one goes out, with what came of it.
"""

from __future__ import annotations

import asyncio
import datetime as clock
import json
import sys
import time
from itertools import cycle
from typing import Any

HOUR = 3600.0
_true_time = time.time
_offset = 0.0
_set: set[float] = set()
_reads = 0  # of the clock while it was wrong


def _now() -> float:
    global _reads
    _reads += _offset != 0.0
    return _true_time() + _offset


class JumpingDatetime(clock.datetime):
    @classmethod
    def now(cls, tz: clock.tzinfo | None = None) -> JumpingDatetime:
        return cls.fromtimestamp(_now(), tz)

    @classmethod
    def utcnow(cls) -> JumpingDatetime:
        return cls.fromtimestamp(_now(), clock.UTC).replace(tzinfo=None)


def install() -> None:
    time.time = _now
    time.time_ns = lambda: int(_now() * 1e9)
    clock.datetime = JumpingDatetime  # type: ignore[misc]


async def main(job: dict[str, Any]) -> dict[str, Any]:
    from faults.calls import CALLS, VENDORS
    from mensasdk import BatchSender, EnviaSmsOptions, MensaError, Message, RateLimit, RetryPolicy, Timeouts
    from mensasdk.journal import SqliteJournal
    from mensasdk.transport import Event

    vendor: str = job["vendor"]
    offsets = cycle([HOUR, -HOUR, 0.0] if job["jumps"] else [0.0])

    def jump() -> None:
        global _offset
        _offset = next(offsets)
        _set.add(_offset)

    def on_event(_: Event) -> None:
        # At the start of each attempt, which is then under way, and at its end, before the wait that may follow it.
        jump()

    def client(total: float) -> Any:
        return VENDORS[vendor](
            **job["options"],
            timeouts=Timeouts(total=total),
            retry=RetryPolicy(attempts=3, base=0.3),
            hooks=[on_event],
        )

    async def ended(function: str, total: float) -> str:
        call = next(one for one in CALLS if one.vendor == vendor and one.function == function)
        async with client(total) as one:
            try:
                await call.make(one, None)
            except MensaError as error:
                return f"`{type(error).__name__}`, {error.outcome.name}"
        return "the answer"

    found = {
        "repeated": await ended(job["read"], 20.0),
        "limited": await ended(job["send"], 20.0),
        "deadline": await ended(job["send"], 1.0),
    }
    options = EnviaSmsOptions(template="02", text_variable="mensaje") if vendor == "envia_sms" else None
    messages = [Message(number, "Hola otra vez", options=options) for number in job["numbers"]]
    async with client(20.0) as one:
        sender = BatchSender(
            one, rate=RateLimit(1, per=0.3), max_in_flight=1, max_recipients=1, journal=SqliteJournal(job["journal"])
        )
        report = await sender.send(messages, campaign="c")
    counts = {"ACCEPTED": report.accepted, "REJECTED": report.rejected, "UNKNOWN": report.unknown}
    counts["NOT_SENT"] = report.not_sent
    found["campaign"] = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return {"found": found, "offsets": sorted(_set), "reads": _reads}


if __name__ == "__main__":
    install()
    sys.path[:0] = sys.argv[1:]
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))))
