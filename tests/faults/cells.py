"""Runs one call into one fault, and sees to what must hold in every cell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define
from servers import Exchange, Handler

from mensasdk import MensaError, OutcomeKind, RetryPolicy
from mensasdk.sandbox import Sandbox
from mensasdk.transport import AttemptStarted, Event, cancelled_outcome

from .calls import FaultCall, secrets_of
from .findings import FINDINGS, Cell, Ending

__all__ = ["EAGER", "GRACE", "Attempts", "edited", "ended", "judge", "transmitted"]

# Repetitions are allowed and cost no time, so that a server which counts requests would see one.
EAGER = RetryPolicy(attempts=3, base=0.0)
GRACE = 5.0  # seconds past the deadline until a call counts as hung; a busy machine may need some of it


@define
class Attempts:
    """Counts the attempts of a client; give it as a hook."""

    count: int = 0

    def __call__(self, event: Event) -> None:
        self.count += isinstance(event, AttemptStarted)


async def ended(
    work: Awaitable[object], call: FaultCall, *, total: float, secrets: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Wait for a call; tell the class of its error and the outcome in it, or that an answer came.

    Anything else than an error of ours, or a cancellation, fails the test; so does a call that outlasts its deadline.
    """
    failure: MensaError | asyncio.CancelledError
    try:
        async with asyncio.timeout(total + GRACE):
            await work
    except MensaError as error:
        failure = error
    except asyncio.CancelledError as error:
        return "CancelledError", cancelled_outcome(error).value
    else:
        return "answer", ""
    check_plain(failure, call, secrets or secrets_of(call.vendor))
    return type(failure).__name__, failure.outcome.value


def check_plain(error: MensaError, call: FaultCall, secrets: tuple[str, ...]) -> None:
    """An error of ours leads to nothing behind it, and says who and what without saying a secret."""
    assert error.__context__ is None, call.name
    assert error.__cause__ is None, call.name
    assert isinstance(error.outcome, OutcomeKind)
    if type(error).__name__ != "ConfigurationError":
        assert error.vendor == call.vendor
    said = f"{error!s} {error!r} {error.__dict__!r}"
    assert not [secret for secret in secrets if secret in said], call.name
    assert call.number not in said or not call.number, call.name


def judge(row: str, call: FaultCall, ending: Ending, expected: Ending) -> str | None:
    """Note a cell down for the table; give what is wrong with it, if anything."""
    right = ending == expected
    FINDINGS.add(row, Cell(call.vendor, call.kind, call.function, ending, right))
    return None if right else f"{call.name} ({call.kind}): {ending}, and not {expected}"


# --- a sandbox whose answers are changed on their way -----------------------------------------------------------------


def edited(edit: Callable[[FaultCall, Any], bytes], call: FaultCall, box: Sandbox) -> Handler:
    """A handler that has the sandbox answer, and gives its answer on as ``edit`` makes it of the JSON in it."""

    async def handler(exchange: Exchange) -> None:
        answer = await transmitted(box.port, exchange)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].split(b" ", 1)[1].decode()
        await exchange.answer(
            edit(call, json.loads(body)), status=status, headers={"Content-Type": "application/json; charset=utf-8"}
        )

    return handler


async def transmitted(port: int, exchange: Exchange) -> bytes:
    """Give a request on to the sandbox, byte for byte; return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(exchange.request.head + b"\r\nConnection: close\r\n\r\n" + exchange.request.body)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
