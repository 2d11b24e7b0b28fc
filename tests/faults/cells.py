"""Runs one call into one fault, and sees to what must hold in every cell."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from attrs import define, field
from servers import Exchange, Handler

from mensasdk import MensaError, OutcomeKind
from mensasdk.sandbox import Sandbox
from mensasdk.transport import AttemptFailed, AttemptStarted, Event, cancelled_outcome

from .calls import FaultCall, secrets_of
from .findings import FINDINGS, Cell, Ending

__all__ = ["GRACE", "Attempts", "Warnings", "edited", "ended", "judge", "listening", "transmitted"]

GRACE = 5.0  # seconds past the deadline until a call counts as hung; a busy machine may need some of it


@define
class Attempts:
    """Counts the attempts of a client; give it as a hook.

    Attributes:
        count: attempts that were made.
        waits: seconds between one and the next.
    """

    count: int = 0
    waits: list[float] = field(factory=list)

    def __call__(self, event: Event) -> None:
        self.count += isinstance(event, AttemptStarted)
        if isinstance(event, AttemptFailed) and event.retry_in is not None:
            self.waits.append(event.retry_in)


# Words of ours: no digit of an answer is in it, but for those in the names of charsets.
_WARNING = re.compile(
    r"(?P<call>\w+ [\w-]+): the answer was taken, and is not in order: (?:Latin-1|UTF-8|[A-Za-z ,;])+"
).fullmatch


class Warnings(logging.Handler):
    """Keeps what is said about answers that were taken and are not in order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())

    def of(self, call: FaultCall) -> bool:
        """Tell whether something was said of a call; never more than once."""
        about = []
        for text in self._said:
            found = _WARNING(text)
            assert found, text
            about.append(found["call"])
        assert about.count(call.name) <= 1, call.name
        return call.name in about


@contextlib.contextmanager
def listening() -> Iterator[Warnings]:
    """Hear warnings about answers, as long as the section lasts."""
    logger, warnings = logging.getLogger("mensasdk.answers"), Warnings()
    logger.addHandler(warnings)
    try:
        yield warnings
    finally:
        logger.removeHandler(warnings)


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
    """Check that an error leads to nothing behind it, and says who and what without saying a secret."""
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
    """Return a handler that has the sandbox answer, and gives its answer on as ``edit`` makes it of the JSON in it."""

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
