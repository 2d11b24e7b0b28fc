"""The canary: a word in the place of every secret, and the search for it in whatever a run leaves behind."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import logging
import pickle
import traceback
import warnings
from collections.abc import AsyncIterator, Iterator
from types import FrameType, TracebackType
from urllib.parse import quote, quote_plus

import pytest

from mensasdk.errors import MensaError
from mensasdk.transport import Event

CORE = "kanarivogel"
SECRET = f"{CORE}/+ñ=%&?"


def _needles() -> set[str]:
    """Return the canary plain, percent-encoded, and in base64 wherever in a group of three it may begin."""
    found = {CORE, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), SECRET}
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + CORE.encode()).decode()
        found.add(encoded[4:-4])  # without the ends, which the neighbours colour
    return found


NEEDLES = _needles()


def sings(text: str) -> bool:
    return any(needle in text for needle in NEEDLES)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__]


def _frames(start: TracebackType | None) -> Iterator[FrameType]:
    while start is not None:
        if start.tb_frame.f_globals["__name__"].startswith("mensasdk"):
            yield start.tb_frame
        start = start.tb_next


def everything(error: BaseException) -> Iterator[str]:
    """Yield whatever a crash reporter could send away of an error, as text."""
    for one in _chain(error):
        yield from (repr(one), str(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", None)))
        frames = list(_frames(one.__traceback__))
        assert frames or one is not error
        for frame in frames:
            for name, value in frame.f_locals.items():
                yield f"{frame.f_code.co_qualname}: {name} = {value!r}"
    yield "".join(traceback.format_exception(error))
    if isinstance(error, MensaError):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert type(again) is type(error)
        assert vars(again) == vars(error)
        yield repr(pickle.dumps(error))


class Cage:
    """Collects what a run says: log records, warnings, events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.warnings: list[warnings.WarningMessage] = []
        self.records: list[logging.LogRecord] = []

    def texts(self) -> Iterator[str]:
        yield repr(self.events)
        for warning in self.warnings:
            yield f"{warning.message} {warning.message!r} {warning.line}"
        for record in self.records:
            yield f"{record.name}: {record.getMessage()} {record.args!r} {record.exc_text} {vars(record)!r}"
            if record.exc_info:
                yield "".join(traceback.format_exception(*record.exc_info))


@contextlib.asynccontextmanager
async def listening(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Cage]:
    """Hear all that is said: DEBUG for all loggers, and asyncio in debug mode, which complains of each step."""
    cage = Cage()
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield cage
        await asyncio.sleep(0)
        gc.collect(1)  # what this run left open is young
        cage.warnings = list(caught)
        caught.clear()
    loop.set_debug(False)
    cage.records = list(caplog.records)
