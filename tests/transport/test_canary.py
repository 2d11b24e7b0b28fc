"""A canary stands in the place of every secret, everything fails that can fail, and the canary sings nowhere."""

from __future__ import annotations

import asyncio
import base64
import gc
import re
import warnings
from types import FunctionType
from typing import Any
from urllib.parse import quote

import pytest
from chosen import make_transport
from security.canary import CORE, SECRET, Cage, everything, listening, sings
from servers import ALL_FAULTS, AMPLE, ANSWERS, Broken, Exchange, broken, ok, serve
from shared import until

from mensasdk.errors import MensaError
from mensasdk.transport import (
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


async def _run(place: Broken, method: str, cage: Cage) -> None:
    def read(response: HttpResponse) -> bytes:
        error = status_error(response)
        if error is not None:
            raise error
        return response.body

    sender = make_transport(**place.options)
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


@pytest.mark.slow
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
            sender = make_transport()
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


@pytest.mark.slow
async def test_a_transport_left_open_lets_no_secret_out(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(caplog) as cage, serve(ok) as server:
        sender: Any = make_transport()
        await sender.send(_request(server.url, "GET"), timeouts=Timeouts())
        shown = repr(sender)
        del sender
        gc.collect()
    assert any(re.match(r"unclosed <\w*Transport ", str(warning.message)) for warning in cage.warnings)
    assert not sings(shown)
    assert not [text for text in cage.texts() if sings(text)]
    with warnings.catch_warnings():  # the records of the warnings keep the session alive until here
        warnings.simplefilter("ignore")
        cage.warnings.clear()
        gc.collect()
