"""Small helpers that tests of several rooms share."""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from attrs import define

from mensasdk import MensaError, Message, RetryPolicy

T = TypeVar("T")

# Repetitions are allowed and cost no time, so a test that counts requests would see one.
EAGER = RetryPolicy(attempts=3, base=0.0)


@define
class OpenGate:
    """A gate that is always open, and counts who passes."""

    passed: int = 0

    async def enter(self) -> None:
        self.passed += 1

    def penalise(self, seconds: float) -> None:
        raise AssertionError(f"nothing was asked of the vendor, and it said to wait {seconds} s")


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is true that nobody can tell: it lies in a ledger, a thread or another process."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - where there is an event, a test waits for that
            await asyncio.sleep(0.005)


def pickled(value: T) -> T:
    """Return the copy that another process would get."""
    copy: T = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes
    return copy


def check_plain(error: MensaError, vendor: str) -> None:
    """Check that a vendor's error is plain data: it pickles with all it says, and leads to no other exception."""
    copy = pickled(error)
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert error.__context__ is None
    assert error.__cause__ is None
    assert error.vendor == vendor


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def number(index: int) -> str:
    """Return the number of one of a hundred million people in Spain."""
    return f"+346{index:08d}"


def people(count: int, text: str = "hola") -> list[Message]:
    """Return a message with this text for each of so many people."""
    return [Message(number(index), text) for index in range(count)]


def greetings(count: int, start: int = 0) -> list[Message]:
    """Return a message for each of so many people, each with a variable of its own."""
    return [
        Message(number(index), "Hola {n}", variables={"n": f"Ana {index}"}) for index in range(start, start + count)
    ]


def next_year() -> int:
    """Return the year whose dates all lie ahead."""
    return datetime.now(UTC).year + 1
