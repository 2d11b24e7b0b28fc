"""Collect the cases of the conformance suite of journals, and the few things that they share."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import frozen

from mensasdk.journal.protocol import Journal, Row, State
from mensasdk.messages import Message, Outcome, OutcomeKind

__all__ = ["CASES", "Case", "case", "claimed", "counts", "ended", "raises", "reopened", "row"]


@frozen
class Case:
    """A duty of every journal, and a check of it.

    Attributes:
        name: the duty in a few words.
    """

    name: str
    _check: Callable[..., Awaitable[None]]
    _arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return self.name

    async def run(self, journal: Journal) -> None:
        """Check the duty on a journal that is empty, and has no campaign open.

        Raises:
            AssertionError: the journal does not do its duty.
        """
        await journal.open("c")
        try:
            await self._check(journal, *self._arguments)
        finally:
            await journal.close("c")


CASES: Final[list[Case]] = []
"""All cases, in the order in which they were made."""

Check = Callable[..., Awaitable[None]]


def case(*arguments: Any) -> Callable[[Check], Check]:
    """Return a decorator that makes a case of a function.

    Args:
        arguments: a case is made for each of them, and the function is given it, or its members if it is a tuple.
            Without any, one case is made.
    """

    def collect(check: Check) -> Check:
        name = check.__name__.strip("_").replace("_", " ")
        if not arguments:
            CASES.append(Case(name, check, ()))
        for number, argument in enumerate(arguments, 1):
            values = argument if isinstance(argument, tuple) else (argument,)
            told = f"case {number}" if callable(argument) else ", ".join(map(str, values))
            CASES.append(Case(f"{name}: {told}", check, values))
        return check

    return collect


@contextmanager
def raises(kind: type[Exception], *, match: str) -> Iterator[None]:
    """Check that a block raises an error of some kind, with a text in which a pattern is found."""
    raised: Exception | None = None
    try:
        yield
    except kind as error:
        raised = error
    assert raised is not None, f"no {kind.__name__} was raised"
    assert re.search(match, str(raised)), f"{raised} does not say {match}"


def row(seq: int, key: str | None = None) -> Row:
    """Return a row to load; its key is made of its ``seq`` by default."""
    return Row(seq, (key or f"key {seq}").encode(), Message(f"+3460000{seq:04d}", "hola"))


def ended(kind: OutcomeKind, seq: int) -> tuple[int, Outcome]:
    """Return the ``seq`` of a row, and an outcome of its message."""
    return seq, Outcome(kind, row(seq).message, vendor="test")


async def counts(journal: Journal) -> dict[State, int]:
    """Return the count of rows in each state that some row has."""
    return {state: count for state, count in (await journal.progress("c")).items() if count}


async def claimed(journal: Journal, lo: int, hi: int, **how: Any) -> list[int]:
    """Claim rows, and return their ``seq``."""
    return [one.seq for one in (await journal.claim("c", lo, hi, **how)).rows]


async def nonce_of(journal: Journal, campaign: str = "c") -> str:
    """Return the nonce of a campaign."""
    return next(one.nonce for one in await journal.campaigns() if one.name == campaign)


async def reopened(journal: Journal) -> int:
    """Close and open the campaign, and return the first free ``seq``."""
    await journal.close("c")
    return (await journal.open("c")).next_seq
