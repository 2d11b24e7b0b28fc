"""A canary stands in the place of every secret, everything fails that can fail, and the canary sings nowhere."""

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
from types import FrameType, FunctionType, TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from servers import ALL_FAULTS, AMPLE, ANSWERS, Broken, Exchange, broken, ok, serve, until

from mensasdk.errors import MensaError
from mensasdk.transport import (
    AiohttpTransport,
    Event,
    HttpRequest,
    HttpResponse,
    Pipeline,
    RetryPolicy,
    Secret,
    Timeouts,
    cancelled_outcome,
    status_error,
)

pytestmark = pytest.mark.timeout(15)

CORE = "kanarivogel"
SECRET = f"{CORE}/+ñ=%&?"


def _needles() -> set[str]:
    """The canary in every dress: plain, percent-encoded, and in base64 wherever in a group of three it may begin."""
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
    """Whatever a crash reporter could send away of an error, as text."""
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


def _request(url: str, method: str) -> HttpRequest:
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()
    return HttpRequest(
        method,
        f"{url}?text={quote(SECRET)}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=b"" if method == "GET" else f"token={quote(SECRET)}&text={SECRET}".encode(),
        secret_headers={"Authorization": Secret(f"Basic {basic}"), "X-Api-Key": Secret(SECRET)},
        secret_query={"token": Secret(SECRET)},
    )


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
    """Everything at its most talkative: DEBUG for all loggers, asyncio in debug mode and complaining of each step."""
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


async def _run(place: Broken, method: str, cage: Cage) -> None:
    def read(response: HttpResponse) -> bytes:
        error = status_error(response)
        if error is not None:
            raise error
        return response.body

    sender = AiohttpTransport(**place.options)
    line = Pipeline(
        vendor="acme",
        transport=sender,
        timeouts=place.timeouts,
        retry=RetryPolicy(attempts=2, base=0.0),
        hooks=[cage.events.append],
    )
    try:
        await line.run(_request(place.url, method), read, function="EnviarSMS", safe=method == "GET")
    finally:
        await sender.aclose()


def test_the_canary_is_heard_where_it_does_sing() -> None:
    for song in (
        SECRET,
        quote(SECRET, safe=""),
        *(base64.b64encode(b"x" * n + SECRET.encode()).decode() for n in range(3)),
    ):
        assert sings(f"a text with {song} in it")
    assert not sings("a text without it")


def _leak_by_local(secret: str) -> None:
    copied = [secret]
    raise ValueError(len(copied))


def _leak_by_cause(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError:
        raise MensaError("no") from None


@pytest.mark.parametrize("leak", [_leak_by_local, _leak_by_cause])
def test_the_search_finds_what_hides_in_frames_and_in_hidden_contexts(leak: FunctionType) -> None:
    ours = FunctionType(
        leak.__code__, {"__name__": "mensasdk.leak", "__builtins__": __builtins__, "MensaError": MensaError}
    )
    with pytest.raises((ValueError, MensaError)) as caught:
        ours(SECRET)
    assert any(sings(text) for text in everything(caught.value))
    assert not sings(str(caught.value))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", ALL_FAULTS)
async def test_no_fault_lets_a_secret_out(fault: str, method: str, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage:
        async with broken(fault, proxy_secret=f"Basic {SECRET}") as place:
            with pytest.raises(MensaError) as caught:
                await _run(place, method, cage)
        heard = [text for text in everything(caught.value) if sings(text)]
        del caught
    assert not heard
    assert cage.records  # asyncio did talk
    assert cage.events
    assert not [text for text in cage.texts() if sings(text)]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 503])
async def test_no_status_with_a_page_that_repeats_the_request_lets_a_secret_out(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(exchange: Exchange) -> None:
        page = exchange.request.head + exchange.request.body + SECRET.encode()
        headers = {"Location": f"http://127.0.0.1:9/?token={quote(SECRET)}", "X-Token": CORE, "Set-Cookie": f"t={CORE}"}
        await exchange.answer(page, status=f"{status} {CORE}", headers=headers)

    def read(response: HttpResponse) -> bytes:
        raise ValueError(response.body)

    async with listening(caplog) as cage:
        async with serve(echo) as server:
            sender = AiohttpTransport()
            line = Pipeline(
                vendor="acme", transport=sender, timeouts=Timeouts(), retry=RetryPolicy(), hooks=[cage.events.append]
            )
            with pytest.raises(MensaError) as caught:
                await line.run(_request(server.url, "POST"), read, function="EnviarSMS", safe=False)
            await sender.aclose()
        heard = [text for text in everything(caught.value) if sings(text)]
    assert not heard
    assert not [text for text in cage.texts() if sings(text)]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", ["TLS silence past the deadline", "silence", "drip of the head", "drip of the body"])
async def test_no_cancellation_lets_a_secret_out(fault: str, method: str, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage:
        async with broken(fault) as place:
            patient = Broken(place.url, place.server, place.options, Timeouts(total=AMPLE))
            task = asyncio.ensure_future(_run(patient, method, cage))
            if fault in ANSWERS:
                server = place.server
                assert server is not None
                await until(lambda: server.requests)
            else:
                await asyncio.sleep(0.05)
            if fault == "drip of the body":
                await asyncio.sleep(0.1)  # into the reading of the body
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
        assert cancelled_outcome(caught.value)
        heard = [text for text in everything(caught.value) if sings(text)]
        del caught
    assert not heard
    assert not [text for text in cage.texts() if sings(text)]


async def test_a_transport_left_open_lets_no_secret_out(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage, serve(ok) as server:
        sender: Any = AiohttpTransport()
        await sender.send(_request(server.url, "GET"), timeouts=Timeouts())
        shown = repr(sender)
        del sender
        gc.collect()
    assert any("unclosed <AiohttpTransport" in str(warning.message) for warning in cage.warnings)
    assert not sings(shown)
    assert not [text for text in cage.texts() if sings(text)]
    with warnings.catch_warnings():  # the records of the warnings keep the session alive until here
        warnings.simplefilter("ignore")
        cage.warnings.clear()
        gc.collect()
