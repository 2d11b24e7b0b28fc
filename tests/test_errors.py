"""The errors, and the tree of them that the module's docstring draws."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

import mensasdk
from mensasdk import AiohttpTransport, MensatekClient, OutcomeKind, errors, outcome_of
from mensasdk.errors import (
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    JournalError,
    MensaError,
    ValidationError,
    VendorError,
)
from mensasdk.sandbox import Fault, Sandbox

_LINE = re.compile(r"^ {4}(?P<indent>[ │]*)[├└]── (?P<name>\w+) .*?(?P<outcome>NOT_SENT|REJECTED|UNKNOWN|)$")


def drawn() -> dict[str, tuple[str, str]]:
    """Return each error of the drawing, with what it stands under and its outcome."""
    above = ["MensaError"]
    found = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := _LINE.match(line):
            depth = len(match["indent"]) // 4 + 1
            del above[depth:]
            found[match["name"]] = above[-1], match["outcome"]
            above.append(match["name"])
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    kinds = {
        name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, MensaError)
    }
    del kinds["MensaError"]
    tree = drawn()
    assert {name: kind.__base__.__name__ if kind.__base__ else "" for name, kind in kinds.items()} | {
        # It is a ValueError as well.
        "ValidationError": "MensaError"
    } == {name: parent for name, (parent, _) in tree.items()}
    for name, kind in kinds.items():
        outcome = tree[name][1]
        if outcome:
            assert kind.default_outcome.name == outcome, name
    assert sum(outcome != "" for _, outcome in tree.values()) > len(tree) - 6
    assert set(kinds) | {"MensaError", "OutcomeKind", "outcome_of"} == set(errors.__all__) <= set(mensasdk.__all__)


def test_a_journal_that_fails_is_no_wrong_configuration() -> None:
    """A program that catches what was set up wrongly must not swallow a disk that is full."""
    assert JournalError.__bases__ == (MensaError,)
    assert not issubclass(JournalError, ConfigurationError)


# ---------------------------------------------------------------------------------------------------- outcome_of


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConnectError("x"), OutcomeKind.NOT_SENT),
        (ConnectionLost("x"), OutcomeKind.UNKNOWN),
        (VendorError("x"), OutcomeKind.REJECTED),
        (VendorError("x", outcome=OutcomeKind.UNKNOWN), OutcomeKind.UNKNOWN),
        (asyncio.CancelledError(), OutcomeKind.UNKNOWN),
        (TimeoutError(), OutcomeKind.UNKNOWN),
        (KeyboardInterrupt(), OutcomeKind.UNKNOWN),
        (RuntimeError("x"), OutcomeKind.UNKNOWN),
        (ExceptionGroup("x", [ConnectError("x"), ConnectError("y")]), OutcomeKind.NOT_SENT),
        (ExceptionGroup("x", [ConnectError("x"), RuntimeError("y")]), OutcomeKind.UNKNOWN),
        (BaseExceptionGroup("x", [ConnectError("x"), asyncio.CancelledError()]), OutcomeKind.UNKNOWN),
    ],
    ids=repr,
)
def test_every_exception_has_an_outcome(error: BaseException, outcome: OutcomeKind) -> None:
    assert outcome_of(error) is outcome


def test_what_was_raised_from_an_error_of_ours_says_the_same_and_what_merely_came_after_it_does_not() -> None:
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError from ConnectError("x")
    assert outcome_of(caught.value) is OutcomeKind.NOT_SENT

    def after(kind: type[Exception]) -> None:
        try:
            raise ConnectError("x")
        except ConnectError:
            raise kind  # noqa: B904 - as it happens when a handler sends again, in another way

    for kind in (RuntimeError, TimeoutError):
        with pytest.raises(kind) as other:
            after(kind)
        assert outcome_of(other.value) is OutcomeKind.UNKNOWN


def test_a_ring_of_causes_comes_to_an_end() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert outcome_of(first) is OutcomeKind.UNKNOWN


async def _timeout(call: Awaitable[object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await call


async def _cancel(call: Awaitable[object], seconds: float) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(seconds)
    task.cancel()
    await task


WAYS: dict[str, Callable[[Awaitable[object], float], Coroutine[Any, Any, object]]] = {
    "asyncio.timeout": _timeout,
    "asyncio.wait_for": asyncio.wait_for,
    "cancel": _cancel,
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
async def test_a_time_limit_around_a_call_tells_whether_the_message_had_left(way: str) -> None:
    one_connection = AiohttpTransport(pool_size=1)
    async with Sandbox() as box:
        box.fail("mensatek", fault=Fault.HANG, times=None)
        account = {**box.credentials("mensatek"), "base_url": box.base_url("mensatek")}
        async with MensatekClient(**account, transport=one_connection) as client:
            left = asyncio.create_task(WAYS[way](client.send_sms("+34600000001", "x"), 0.5))
            await asyncio.sleep(0.2)  # the second one finds no connection free
            stayed = asyncio.create_task(WAYS[way](client.send_sms("+34600000002", "x"), 0.1))
            for task, outcome in ((stayed, OutcomeKind.NOT_SENT), (left, OutcomeKind.UNKNOWN)):
                with pytest.raises((TimeoutError, asyncio.CancelledError)) as caught:
                    await task
                assert outcome_of(caught.value) is outcome
        await one_connection.aclose()


# ------------------------------------------------------------------------------------------------ the sentence


def test_the_message_is_subject_problem_and_remedy_and_each_is_kept_apart() -> None:
    whole = ValidationError("is empty", subject="text", remedy="give the message", field="text", missing="template")
    assert str(whole) == whole.message == "text is empty; give the message"
    bare = ConfigurationError("the session is closed")
    assert (bare.message, bare.problem) == ("the session is closed",) * 2
    assert (bare.field, bare.subject, bare.remedy, bare.code) == (None,) * 4
    assert ConnectError("x").field is None


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("has no column", field="column", subject="list.csv", remedy="name one", code="no_column"),
        ValidationError("is empty", subject="text", remedy="give it", field="text", missing="template", vendor="x"),
        ConnectError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_parts_of_a_sentence_pickle(error: MensaError) -> None:
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(twin) is type(error)
    assert twin.args == error.args
    assert vars(twin) == vars(error)
