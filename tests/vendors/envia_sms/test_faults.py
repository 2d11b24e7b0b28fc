"""Faults on the way: one call is one request on the wire, and nothing secret comes to light."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any
from urllib.parse import quote

import pytest
from served import Answer
from servers import Handler, fin, raw, rst, silence
from shared import EAGER, until

from mensasdk import (
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    MensaError,
    OutcomeKind,
    ProtocolError,
    RateLimited,
    UnexpectedRedirect,
    UnexpectedStatus,
)
from mensasdk.transport import Event, cancelled_outcome
from mensasdk.vendors.envia_sms import EnviaSmsClient

from .served import CALLS, CHANGING, NOT_REPEATED, NOT_SENT, NUMBER, QUICK, SAFE, TOKEN, UNKNOWN, Served, envelope, sent

BODY = sent()
BREAKS: dict[str, tuple[Handler, type[MensaError]]] = {
    "hangs up": (fin, ConnectionLost),
    "resets": (rst, ConnectionLost),
    "half a head": (raw(b"HTTP/1.1 200 OK\r\nContent-Le"), ConnectionLost),
    "half a body": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + BODY), ProtocolError),
    "a cut chunk": (raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"err\r\n'), ProtocolError),
    "no HTTP": (raw(b"SMTP ready\r\n\r\n"), ProtocolError),
    "silence": (silence, DeadlineExceeded),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("function", NOT_REPEATED)
async def test_whatever_drops_one_call_is_one_request_on_the_wire(function: str, name: str) -> None:
    """It goes by GET, which HTTP libraries repeat by themselves: one call would become two SMS."""
    breakage, kind = BREAKS[name]
    options: dict[str, Any] = {"timeouts": QUICK} if name == "silence" else {}
    async with Served(breakage) as server, server.client(**options) as client:
        with pytest.raises(MensaError) as caught:
            await CALLS[function][0](client)
        await asyncio.sleep(0.02)  # a repetition would arrive by now
    assert len(server.requests) == 1
    assert server.connections == 1
    assert type(caught.value) is kind
    assert caught.value.outcome is UNKNOWN


@pytest.mark.parametrize("name", [name for name in BREAKS if name != "silence"])
@pytest.mark.parametrize("function", CHANGING)
async def test_a_kept_connection_that_breaks_brings_no_second_request_either(function: str, name: str) -> None:
    """There a library takes the break for an idle connection's end, and sends again on a fresh one."""
    call, body = CALLS[function]
    async with Served(Answer(body, keep=True), BREAKS[name][0]) as server, server.client() as client:
        await call(client)
        with pytest.raises(MensaError) as caught:
            await call(client)
        await asyncio.sleep(0.02)  # a repetition would arrive by now
    assert caught.value.outcome is UNKNOWN
    assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize("name", [name for name in BREAKS if name != "silence"])
@pytest.mark.parametrize("function", SAFE)
async def test_what_only_reads_is_asked_again_and_then_works(function: str, name: str) -> None:
    breakage, _ = BREAKS[name]
    async with Served(breakage, breakage, CALLS[function][1]) as server, server.client() as client:
        await CALLS[function][0](client)
    assert len(server.requests) == 3


@pytest.mark.parametrize("function", SAFE)
async def test_code_500_of_a_read_is_asked_again(function: str) -> None:
    failed = Answer(envelope(None, error=True, code=500), 400)
    async with Served(failed, CALLS[function][1]) as server, server.client() as client:
        await CALLS[function][0](client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("function", CALLS)
async def test_429_did_nothing_and_is_asked_again(function: str) -> None:
    async with Served(Answer(b"", 429), CALLS[function][1]) as server, server.client() as client:
        await CALLS[function][0](client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("function", NOT_REPEATED)
@pytest.mark.parametrize("status", [301, 302, 307, 408, 500, 503])
async def test_a_status_that_leaves_doubt_is_not_asked_again(function: str, status: int) -> None:
    async with Served() as elsewhere:
        answer = Answer(b"", status, headers={"Location": f"{elsewhere.url}/send"})
        async with Served(answer) as server, server.client() as client:
            with pytest.raises(MensaError) as caught:
                await CALLS[function][0](client)
        assert elsewhere.connections == 0
    assert len(server.requests) == 1
    assert caught.value.outcome is UNKNOWN
    assert type(caught.value) is (UnexpectedRedirect if status < 400 else UnexpectedStatus)


async def test_what_never_left_is_not_sent() -> None:
    async with Served(BODY) as server:
        url = server.url
    async with EnviaSmsClient(TOKEN, base_url=url, retry=EAGER) as client:
        with pytest.raises(ConnectError) as caught:
            await client.send_sms(NUMBER, "01")
    assert caught.value.outcome is NOT_SENT


async def test_a_cancelled_send_says_that_it_had_left() -> None:
    async with Served(silence) as server, server.client() as client:
        task = asyncio.ensure_future(client.send_sms(NUMBER, "01"))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert cancelled_outcome(caught.value) is OutcomeKind.UNKNOWN
    assert len(server.requests) == 1


async def test_the_gate_is_told_of_429_and_the_caller_of_the_pause() -> None:
    async with Served(Answer(b"", 429, headers={"Retry-After": "3600"})) as server, server.client() as client:
        with pytest.raises(RateLimited) as caught:
            await client.send_sms(NUMBER, "01")
    assert caught.value.retry_after == 3600
    assert caught.value.outcome is NOT_SENT


# ---------------------------------------------------------------------------------------------------------- secrets

CANARY = "c4n4r1o+de/señas=%26"
SHAPES = [
    CANARY,
    quote(CANARY, safe=""),
    quote(CANARY),
    base64.b64encode(CANARY.encode()).decode(),
    f"pruebas_{CANARY}",
]
PERSONAL = ["5589520028", "texto-secreto"]

QUOTING = (f"token pruebas_{CANARY} o {CANARY} o {quote(CANARY, safe='')} no sirve para 52,5589520028, 55 8952 0028, "
           "55-8952-0028")  # fmt: skip
ANSWERS: dict[str, Answer | Handler] = {
    **{name: breakage for name, (breakage, _) in BREAKS.items()},
    "a code": Answer(envelope(None, error=True, code="03", words=QUOTING), 400),
    "a strange code": Answer(envelope(None, error=True, code="999", words=QUOTING), 400),
    "support": Answer(envelope(None, error=True, code="107", words=QUOTING), 400),
    "no code": Answer(envelope(None, error=True, words=QUOTING)),
    "cut": Answer(sent(mensaje=QUOTING)[:-5]),
    "strange fields": Answer(envelope({"identificador": {"0": [[QUOTING, {}]]}, "mensaje": {QUOTING: 1}})),
    "a page": Answer(f"<html>{QUOTING}".encode()),
    "a redirect": Answer(b"", 302, headers={"Location": f"https://elsewhere.example/?token={quote(CANARY)}"}),
    "500": Answer(QUOTING.encode(), 500),
    "429": Answer(QUOTING.encode(), 429),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERS)
async def test_neither_token_nor_number_nor_text_comes_to_light(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    async with Served(ANSWERS[name]) as server:
        async with server.client(token=CANARY, timeouts=QUICK, hooks=[events.append]) as client:
            asyncio.get_running_loop().set_debug(True)
            with pytest.raises(MensaError) as caught:
                await client.send_sms(NUMBER, "01", variables={"a": "texto-secreto"})
            shown = [repr(client), repr(vars(client)), *map(repr, events)]
        assert server.requests[0].pairs[-1] == ("token", CANARY)
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    shown += [str(error), repr(error), repr(error.args), repr(vars(error)), *map(repr, caplog.records), caplog.text]
    frames = error.__traceback__
    while frames is not None:
        if "mensasdk" in frames.tb_frame.f_code.co_filename and "tests" not in frames.tb_frame.f_code.co_filename:
            local = dict(frames.tb_frame.f_locals)
            # The arguments of the caller's own call are the caller's.
            if frames.tb_frame.f_code.co_name != "send_sms":
                shown.append(repr(local))
        frames = frames.tb_next
    text = "\n".join(shown)
    for shape in (*SHAPES, *PERSONAL):
        assert shape not in text
    assert events
