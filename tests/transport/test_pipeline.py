"""One call over all its attempts: what is made again, what is waited for, and what the caller learns in the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import pytest
from servers import ANSWERS, Exchange, Handler, Server, certificate, ok, serve
from shared import pickled, until

from mensasdk.errors import (
    AuthError,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    InvalidRequest,
    MensaError,
    OutcomeKind,
    RateLimited,
    ScheduleError,
    TransportError,
    UnexpectedRedirect,
    UnexpectedResponse,
    UnexpectedStatus,
    ValidationError,
)
from mensasdk.transport import (
    AiohttpTransport,
    AttemptEnded,
    AttemptFailed,
    AttemptStarted,
    Event,
    Gate,
    Hook,
    HttpRequest,
    HttpResponse,
    Pipeline,
    RetryPolicy,
    Secret,
    Timeouts,
    cancelled_outcome,
    refusal_by_status,
    status_error,
)

pytestmark = pytest.mark.timeout(15)


class Turnstile:
    """A gate that counts, and lets through at once, unless it is shut."""

    def __init__(self, *, shut: bool = False) -> None:
        self.entered = 0
        self.waiting = 0
        self.penalties: list[float] = []
        self._shut = shut

    async def enter(self) -> None:
        self.waiting += 1
        if self._shut:
            await asyncio.Event().wait()
        self.entered += 1

    def penalise(self, seconds: float) -> None:
        self.penalties.append(seconds)


def read(response: HttpResponse) -> bytes:
    """Do what a vendor does, in short: judge the status, then the body."""
    error = status_error(response)
    if error is None and response.status >= 400:
        error = refusal_by_status(response.status)
    if error is None and response.body.startswith(b"<html"):
        error = UnexpectedResponse("a page came where data was due", status=response.status)
    if error is not None:
        raise error
    return response.body


@contextlib.asynccontextmanager
async def pipeline(
    *,
    total: float = 5.0,
    attempts: int = 3,
    base: float = 0.0,
    max_retry_after: float = 60.0,
    hooks: Sequence[Hook] = (),
) -> AsyncIterator[Pipeline]:
    sender = AiohttpTransport()
    try:
        yield Pipeline(
            vendor="acme",
            transport=sender,
            timeouts=Timeouts(total=total),
            retry=RetryPolicy(attempts=attempts, base=base, max_retry_after=max_retry_after),
            hooks=hooks,
            pick=lambda: 0.5,
        )
    finally:
        await sender.aclose()


def script(*steps: Handler) -> Handler:
    """Answer the first request by the first step, and so on; the last step answers all that follow."""

    async def handler(exchange: Exchange) -> None:
        await steps[min(len(exchange.server.requests), len(steps)) - 1](exchange)

    return handler


def says(status: str = "200 OK", body: bytes = b"data", **headers: str) -> Handler:
    async def handler(exchange: Exchange) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await exchange.answer(body, status=status, headers=named)

    return handler


async def call(
    line: Pipeline, server: Server | str, *, safe: bool, gate: Gate | None = None, method: str = "POST"
) -> bytes:
    url = server if isinstance(server, str) else server.url
    request = HttpRequest(method, f"{url}/f?to=kanari", secret_query={"token": Secret("kanari")})
    return await line.run(request, read, function="EnviarSMS", safe=safe, gate=gate)


async def failure(
    line: Pipeline, server: Server | str, *, safe: bool, gate: Gate | None = None, method: str = "POST"
) -> MensaError:
    with pytest.raises(MensaError) as caught:
        await call(line, server, safe=safe, gate=gate, method=method)
    error = caught.value
    assert error.vendor == "acme"
    assert error.__context__ is None
    assert error.__cause__ is None
    return error


DROP = ANSWERS["fin instead of an answer"]
# what may have been acted upon, and the error that it comes to
MAYBE_ACTED: dict[str, tuple[Handler, type[MensaError]]] = {
    **{
        name: (ANSWERS[name], TransportError)
        for name in (
            "rst instead of an answer",
            "fin instead of an answer",
            "half a head, fin",
            "short body",
            "cut chunked body",
            "garbage status line",
            "duplicate Content-Length",
            "20 kB header",
            "corrupt gzip",
            "truncated gzip",
        )
    },
    **{
        status: (says(status, b"<html>"), UnexpectedStatus)
        for status in (
            "408 Request Timeout",
            "425 Too Early",
            "500 Broken",
            "502 Bad Gateway",
            "503 Away",
            "504 Gateway Timeout",
        )
    },
    "503 with Retry-After": (says("503 Away", Retry_After="1"), UnexpectedStatus),
    "500, empty": (says("500 Broken", b""), UnexpectedStatus),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", MAYBE_ACTED)
async def test_what_may_have_been_acted_upon_is_repeated_for_a_read_and_never_for_a_send(
    fault: str, method: str
) -> None:
    handler, kind = MAYBE_ACTED[fault]
    async with serve(handler) as server, pipeline() as line:
        error = await failure(line, server, safe=False, method=method)
        assert isinstance(error, kind)
        assert error.outcome is OutcomeKind.UNKNOWN
        assert len(server.requests) == 1
    async with serve(handler) as server, pipeline() as line:
        error = await failure(line, server, safe=True, method=method)
        assert isinstance(error, kind)
        assert len(server.requests) == 3
    async with serve(script(handler, says())) as server, pipeline() as line:
        assert await call(line, server, safe=True, method=method) == b"data"
        assert len(server.requests) == 2


FINAL: dict[str, tuple[Handler, type[MensaError], OutcomeKind, str | None]] = {
    "301": (says("301 Moved", Location="/else"), UnexpectedRedirect, OutcomeKind.UNKNOWN, "301"),
    "302": (says("302 Found", Location="/else"), UnexpectedRedirect, OutcomeKind.UNKNOWN, "302"),
    "303": (says("303 See Other", Location="/else"), UnexpectedRedirect, OutcomeKind.UNKNOWN, "303"),
    "307": (says("307 Temporary", Location="/else"), UnexpectedRedirect, OutcomeKind.UNKNOWN, "307"),
    "308": (says("308 Permanent", Location="/else"), UnexpectedRedirect, OutcomeKind.UNKNOWN, "308"),
    "401": (says("401 Who"), AuthError, OutcomeKind.REJECTED, "401"),
    "403 of a firewall": (says("403 No", b"<html>blocked"), AuthError, OutcomeKind.REJECTED, "403"),
    "404 of a firewall": (says("404 No", b"<html>"), UnexpectedStatus, OutcomeKind.REJECTED, "404"),
    "413": (says("413 Big"), UnexpectedStatus, OutcomeKind.REJECTED, "413"),
}


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("fault", FINAL)
async def test_what_will_be_no_better_is_never_repeated(fault: str, safe: bool) -> None:
    handler, kind, outcome, code = FINAL[fault]
    async with serve(handler) as server, pipeline() as line:
        error = await failure(line, server, safe=safe)
        assert type(error) is kind
        assert (error.outcome, error.code, error.retryable) == (outcome, code, False)
        assert len(server.requests) == 1


async def test_what_did_not_leave_is_repeated_for_a_send_too() -> None:
    gate = Turnstile()
    async with pipeline() as line:
        error = await failure(line, "https://no-such-host.invalid", safe=False, gate=gate)
        assert type(error) is ConnectError
        assert error.outcome is OutcomeKind.NOT_SENT
        assert gate.entered == 3


async def test_a_bad_certificate_is_not_tried_again() -> None:
    gate = Turnstile()
    async with serve(ok, tls=certificate("good")) as server, pipeline() as line:
        error = await failure(line, server, safe=True, gate=gate)
        assert not error.retryable
        assert (gate.entered, server.bytes_in) == (1, 0)


@pytest.mark.parametrize(
    ("status", "body"), [("200 OK", b"<html>login"), ("204 No Content", b""), ("200 OK", b" \r\n")]
)
async def test_a_page_or_nothing_where_data_was_due_gets_one_more_look_for_a_read_only(
    status: str, body: bytes
) -> None:
    async with serve(says(status, body)) as server, pipeline(attempts=5) as line:
        error = await failure(line, server, safe=True)
        assert type(error) is UnexpectedResponse
        assert error.outcome is OutcomeKind.UNKNOWN
        assert len(server.requests) == 2
    async with serve(says(status, body)) as server, pipeline(attempts=5) as line:
        await failure(line, server, safe=False)
        assert len(server.requests) == 1


# --- 429 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("safe", [True, False])
async def test_429_waits_slows_the_gate_and_tries_again(safe: bool) -> None:
    gate = Turnstile()
    slow_down = says("429 Slow", Retry_After="0")
    async with serve(script(slow_down, slow_down, says())) as server, pipeline() as line:
        assert await call(line, server, safe=safe, gate=gate) == b"data"
        assert (len(server.requests), gate.entered) == (3, 3)
        assert gate.penalties == [0.0, 0.0]
        assert line.budget.tokens == line.budget.capacity  # waits that the server asks for are free


@pytest.mark.slow
async def test_429_waits_as_long_as_it_says() -> None:
    loop = asyncio.get_running_loop()
    arrived: list[float] = []

    def timed(step: Handler) -> Handler:
        async def handler(exchange: Exchange) -> None:
            arrived.append(loop.time())
            await step(exchange)

        return handler

    steps = script(timed(says("429 Slow", Retry_After="1")), timed(says()))
    async with serve(steps) as server, pipeline() as line:
        assert await call(line, server, safe=False) == b"data"
    # Not a measure of speed: a server that asked for a second must not be asked again before it is over.
    assert arrived[1] - arrived[0] >= 1.0


@pytest.mark.parametrize("asked", ["-1", "soon", "1000000000", "", None])
async def test_429_without_a_usable_figure_backs_off(asked: str | None) -> None:
    gate = Turnstile()
    slow_down = says("429 Slow") if asked is None else says("429 Slow", Retry_After=asked)
    async with serve(script(slow_down, says())) as server, pipeline(base=0.02) as line:
        assert await call(line, server, safe=False, gate=gate) == b"data"
        assert len(server.requests) == 2
        assert gate.penalties == [0.01]


async def test_429_that_asks_for_more_than_the_cap_ends_the_call_with_the_figure() -> None:
    gate = Turnstile()
    async with serve(says("429 Slow", Retry_After="3600")) as server, pipeline() as line:
        error = await failure(line, server, safe=False, gate=gate)
        assert isinstance(error, RateLimited)
        assert (error.retry_after, error.outcome, error.code) == (3600.0, OutcomeKind.NOT_SENT, "429")
        assert error.retryable
        assert len(server.requests) == 1
        assert gate.penalties == [60.0]  # nobody is held for longer than the cap


async def test_429_that_asks_for_more_than_the_deadline_ends_the_call_at_once() -> None:
    async with serve(says("429 Slow", Retry_After="30")) as server, pipeline(total=2.0) as line:
        error = await failure(line, server, safe=False)
        assert isinstance(error, RateLimited)
        assert len(server.requests) == 1


# --- the deadline ---------------------------------------------------------------------------------------------------


async def test_one_deadline_spans_all_attempts() -> None:
    async def slow_failure(exchange: Exchange) -> None:
        await asyncio.sleep(0.15)
        await exchange.answer(status="500 Broken")

    loop = asyncio.get_running_loop()
    async with serve(slow_failure) as server, pipeline(total=0.4, attempts=50) as line:
        begun = loop.time()
        error = await failure(line, server, safe=True)
        assert loop.time() - begun < 2.0  # each attempt alone had 0.4 s; fifty of them would take 7.5 s
        assert isinstance(error, DeadlineExceeded)
        assert error.outcome is OutcomeKind.UNKNOWN
        assert 2 <= len(server.requests) <= 3


async def test_waiting_at_the_gate_past_the_deadline_is_not_sent() -> None:
    gate = Turnstile(shut=True)
    async with serve(says()) as server, pipeline(total=0.2) as line:
        error = await failure(line, server, safe=False, gate=gate)
        assert type(error) is DeadlineExceeded
        assert error.outcome is OutcomeKind.NOT_SENT
        assert (server.connections, gate.waiting) == (0, 1)


async def test_a_gate_that_opens_too_late_lets_nothing_out() -> None:
    class Late(Turnstile):
        async def enter(self) -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(5)

    async with serve(says()) as server, pipeline(total=0.1) as line:
        error = await failure(line, server, safe=False, gate=Late())
        assert error.outcome is OutcomeKind.NOT_SENT
        assert server.connections == 0


# --- permits and budget ---------------------------------------------------------------------------------------------


async def test_each_attempt_takes_its_own_permit() -> None:
    gate = Turnstile()
    async with serve(script(DROP, says("503 Away"), says())) as server, pipeline() as line:
        assert await call(line, server, safe=True, gate=gate) == b"data"
        assert (gate.entered, len(server.requests)) == (3, 3)


async def test_a_client_whose_budget_is_spent_repeats_nothing_until_calls_work_again() -> None:
    async with serve(says("503 Away")) as server, pipeline(attempts=2) as line:
        line.budget.tokens = 2 * line.budget.cost
        for expected in (2, 4, 5, 6):  # two repetitions are paid for, then there are only first attempts
            await failure(line, server, safe=True)
            assert len(server.requests) == expected
    async with serve(says()) as server, pipeline() as line:
        line.budget.tokens = 0
        for _ in range(line.budget.cost):
            await call(line, server, safe=True)
        assert line.budget.tokens == line.budget.cost
    async with serve(script(DROP, says())) as server, pipeline() as line:
        before = line.budget.tokens = 20
        await call(line, server, safe=True)
        assert line.budget.tokens == before - line.budget.cost  # a call that needed help earns nothing


# --- what the vendor's reading does ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "defect",
    [
        ValueError("kanari"),
        RecursionError("kanari"),
        KeyError("kanari"),
        # These say NOT_SENT or "your input is wrong", which is untrue of an answer to what has left.
        ValidationError("kanari", field="to"),
        ScheduleError("kanari", field="at"),
        ConfigurationError("kanari"),
        ConnectError("kanari"),
    ],
    ids=repr,
)
async def test_whatever_breaks_in_reading_an_answer_is_unknown(defect: Exception) -> None:
    def broken(_response: HttpResponse) -> bytes:
        raise defect

    async with serve(says()) as server, pipeline() as line:
        with pytest.raises(MensaError) as caught:
            await line.run(HttpRequest("POST", server.url), broken, function="f", safe=True)
        error = caught.value
        assert type(error) is DecodeError
        assert not error.retryable  # a defect gets no better
        assert (error.outcome, error.vendor, error.status) == (OutcomeKind.UNKNOWN, "acme", 200)
        assert error.__context__ is None
        assert "kanari" not in str(error)
        assert len(server.requests) == 1


async def test_a_refusal_of_the_vendor_passes_as_it_is_and_leads_to_no_body() -> None:
    refusal = InvalidRequest("a parameter is wrong", code="-2")

    def refuse(response: HttpResponse) -> bytes:
        body = response.body
        try:
            int(body)
        except ValueError:
            raise refusal  # noqa: B904 - as a careless codec would do it

        return body

    async with serve(says(body=b"kanari")) as server, pipeline() as line:
        with pytest.raises(InvalidRequest) as caught:
            await line.run(HttpRequest("POST", server.url), refuse, function="f", safe=True)
        assert caught.value is refusal
        assert (caught.value.vendor, caught.value.code) == ("acme", "-2")
        assert caught.value.__context__ is None
        frames = []
        traceback = caught.value.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_globals["__name__"].startswith("mensasdk"):
                frames.append(repr(traceback.tb_frame.f_locals))
            traceback = traceback.tb_next
        assert frames
        assert "kanari" not in "".join(frames)
        assert len(server.requests) == 1


async def test_an_answer_is_not_kept_alive_by_its_error() -> None:
    kept: list[weakref.ref[HttpResponse]] = []

    def refuse(response: HttpResponse) -> bytes:
        kept.append(weakref.ref(response))
        raise InvalidRequest("no")

    async with serve(says()) as server, pipeline() as line:
        with pytest.raises(InvalidRequest) as caught:
            await line.run(HttpRequest("POST", server.url), refuse, function="f", safe=True)
        gc.collect()
        assert caught.value.__traceback__ is not None
        assert kept[0]() is None


# --- cancellation ---------------------------------------------------------------------------------------------------


async def cancel(
    line: Pipeline, server: Server, when: Any, *, safe: bool = False, gate: Gate | None = None
) -> OutcomeKind:
    task = asyncio.ensure_future(call(line, server, safe=safe, gate=gate))
    await until(when)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return cancelled_outcome(caught.value)


async def test_cancelled_at_the_gate_is_not_sent() -> None:
    gate = Turnstile(shut=True)
    async with serve(says()) as server, pipeline() as line:
        assert await cancel(line, server, lambda: gate.waiting, gate=gate) is OutcomeKind.NOT_SENT
        assert server.connections == 0


async def test_cancelled_after_it_left_is_unknown() -> None:
    async with serve(ANSWERS["silence"]) as server, pipeline() as line:
        assert await cancel(line, server, lambda: server.requests) is OutcomeKind.UNKNOWN


async def test_cancelled_between_attempts_is_what_the_last_attempt_was() -> None:
    gate = Turnstile()
    async with serve(says("429 Slow", Retry_After="3")) as server, pipeline() as line:
        assert await cancel(line, server, lambda: gate.penalties, gate=gate) is OutcomeKind.NOT_SENT
    failed: list[Event] = []
    hook = failed.append
    async with serve(says("503 Away")) as server, pipeline(base=8.0, total=30.0, hooks=[hook]) as line:
        outcome = await cancel(line, server, lambda: len(failed) == 2, safe=True)
        assert outcome is OutcomeKind.UNKNOWN


# --- hooks and log --------------------------------------------------------------------------------------------------


async def test_hooks_see_every_attempt_in_order_and_no_value_of_a_query(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Event] = []
    steps = script(DROP, says("503 Away"), says(body=b"kanari"))
    with caplog.at_level(logging.DEBUG):
        async with serve(steps) as server, pipeline(hooks=[events.append]) as line:
            await call(line, server, safe=True, method="GET")
    assert [type(event) for event in events] == [AttemptStarted, AttemptFailed] * 2 + [AttemptStarted, AttemptEnded]
    first, lost, _, away, third, ended = events
    assert isinstance(first, AttemptStarted)
    assert (first.vendor, first.function, first.method, first.attempt) == ("acme", "EnviarSMS", "GET", 1)
    assert first.url == f"{server.url}/f?to=***"
    assert isinstance(lost, AttemptFailed)
    assert (lost.started, lost.error, lost.outcome, lost.code) == (first, "ConnectionLost", OutcomeKind.UNKNOWN, None)
    assert lost.retry_in == 0.0
    assert isinstance(away, AttemptFailed)
    assert (away.error, away.code) == ("UnexpectedStatus", "503")
    assert isinstance(third, AttemptStarted)
    assert third.attempt == 3
    assert isinstance(ended, AttemptEnded)
    assert (ended.started, ended.status, ended.size) == (third, 200, 6)
    assert ended.elapsed >= 0
    assert "kanari" not in repr(events)
    assert [record.getMessage() for record in caplog.records if record.name == "mensasdk"] == [
        "acme EnviarSMS: attempt 1 ended in ConnectionLost, next in 0.00 s",
        "acme EnviarSMS: attempt 2 ended in UnexpectedStatus, next in 0.00 s",
    ]


async def test_the_last_failure_is_told_as_the_last() -> None:
    events: list[Event] = []
    async with serve(DROP) as server, pipeline(hooks=[events.append]) as line:
        await failure(line, server, safe=False)
    assert isinstance(events[-1], AttemptFailed)
    assert events[-1].retry_in is None
    assert len(events) == 2


async def test_a_cancelled_attempt_ends_for_the_hooks_too() -> None:
    events: list[Event] = []
    async with serve(ANSWERS["silence"]) as server, pipeline(hooks=[events.append]) as line:
        await cancel(line, server, lambda: server.requests)
    assert isinstance(events[-1], AttemptFailed)
    assert (events[-1].error, events[-1].outcome) == ("CancelledError", OutcomeKind.UNKNOWN)
    assert events[-1].retry_in is None


async def test_a_hook_that_raises_breaks_nothing_and_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("kanari")

    async with serve(script(DROP, says())) as server, pipeline(hooks=[broken, seen.append]) as line:
        assert await call(line, server, safe=True) == b"data"
    assert len(seen) == 4
    assert "a hook raised RuntimeError on AttemptEnded" in caplog.text
    assert "kanari" not in caplog.text


async def test_errors_of_a_call_pickle_with_all_they_say() -> None:
    async with serve(says("429 Slow", Retry_After="3600")) as server, pipeline() as line:
        error = await failure(line, server, safe=False)
    again = pickled(error)
    assert type(again) is RateLimited
    assert vars(again) == vars(error)


# --- the status table -----------------------------------------------------------------------------------------------


def test_every_status_has_its_meaning() -> None:
    for status in range(100, 600):
        error = status_error(HttpResponse(status, {}, b"data"))
        if status == 429:
            assert isinstance(error, RateLimited), status
        elif 200 <= status < 300 or (400 <= status < 500 and status not in {408, 425}):
            assert error is None, status
        else:
            assert isinstance(error, UnexpectedRedirect if 300 <= status < 400 else UnexpectedStatus), status
            assert error.outcome is OutcomeKind.UNKNOWN, status
            assert (error.code, error.retryable) == (str(status), not 300 <= status < 400)
        if 400 <= status < 500:
            refusal = refusal_by_status(status)
            assert refusal.outcome is OutcomeKind.REJECTED, status
            assert isinstance(refusal, AuthError) == (status in {401, 403})


async def test_the_last_error_wins_where_attempts_fail_differently() -> None:
    async with serve(script(says("500 Broken"), DROP, says("301 Moved"))) as server, pipeline() as line:
        assert type(await failure(line, server, safe=True)) is UnexpectedRedirect
    async with serve(script(says("429 Slow", Retry_After="0"), DROP, says())) as server, pipeline() as line:
        error = await failure(line, server, safe=False)
        assert type(error) is ConnectionLost  # the first did nothing; the second may have, and ends the call
        assert error.outcome is OutcomeKind.UNKNOWN
        assert len(server.requests) == 2


async def test_async_hooks_are_awaited_in_order_among_those_that_are_not() -> None:
    seen: list[tuple[str, str]] = []

    async def slow(event: Event) -> None:
        await asyncio.sleep(0.01)
        seen.append(("slow", type(event).__name__))

    class Called:
        def __call__(self, event: Event) -> Awaitable[object]:
            return slow(event)

    def quick(event: Event) -> None:
        seen.append(("quick", type(event).__name__))

    async with serve(script(DROP, says())) as server, pipeline(hooks=[quick, slow, Called(), quick]) as line:
        assert await call(line, server, safe=True) == b"data"
    kinds = ["AttemptStarted", "AttemptFailed", "AttemptStarted", "AttemptEnded"]
    assert seen == [(who, kind) for kind in kinds for who in ("quick", "slow", "slow", "quick")]


async def test_an_async_hook_that_raises_breaks_nothing_and_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(event: Event) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("600000001")

    async def cancels_itself(event: Event) -> None:
        raise asyncio.CancelledError

    seen: list[Event] = []
    async with serve(says()) as server, pipeline(hooks=[broken, cancels_itself, seen.append]) as line:
        assert await call(line, server, safe=False) == b"data"
    assert [type(event) for event in seen] == [AttemptStarted, AttemptEnded]
    assert "a hook raised RuntimeError on AttemptEnded" in caplog.text
    assert "a hook raised CancelledError on AttemptEnded" in caplog.text
    assert "600000001" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(AttemptStarted, OutcomeKind.NOT_SENT), (AttemptFailed, OutcomeKind.UNKNOWN), (AttemptEnded, OutcomeKind.UNKNOWN)],
)
async def test_a_call_that_is_cancelled_while_a_hook_waits_says_what_became_of_it(
    kind: type[Event], outcome: OutcomeKind
) -> None:
    waiting = asyncio.Event()

    async def hook(event: Event) -> None:
        if isinstance(event, kind):
            waiting.set()
            await asyncio.Event().wait()

    async with serve(DROP if kind is AttemptFailed else says()) as server, pipeline(hooks=[hook]) as line:
        task = asyncio.create_task(call(line, server, safe=False))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert cancelled_outcome(caught.value) is outcome
