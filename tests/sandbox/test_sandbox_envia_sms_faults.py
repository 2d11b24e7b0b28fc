"""Each fault with the emulated envia-sms.com: the ledger's truth, bodies in this vendor's own form, and no secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.sandbox import EnviaSms, Fault, Sandbox
from mensasdk.sandbox.envia_sms import Quirks
from mensasdk.sandbox.faults import When
from mensasdk.sandbox.vendor import Incoming
from sandbox.caller import RawAnswer
from sandbox.envia_sms_caller import SEND, Gateway, ahead

OPTIONS: dict[Fault, dict[str, Any]] = {
    Fault.STATUS: {"status": 503},
    Fault.DELAY: {"delay": 0.01},
    Fault.DRIP: {"interval": 0.0001},
    Fault.RES: {"res": 117},
}
BOTH = pytest.mark.parametrize("when", ["before", "after"])
FUNCTIONS = sorted(EnviaSms.functions)


async def spoiled(envia: Gateway, fault: Fault, when: When = "after", **options: Any) -> RawAnswer:
    options = {**OPTIONS.get(fault, {}), **options}
    rule = envia.box.fail("envia_sms", function="send", fault=fault, when=when, **options)
    answer = await envia.raw()
    assert rule.fired == 1
    return answer


@BOTH
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG])
async def test_the_ledger_says_whether_the_vendor_acted(envia: Gateway, fault: Fault, when: When) -> None:
    await spoiled(envia, fault, when)
    acted = when == "after" or fault is Fault.DELAY
    ledger = envia.box.ledger
    assert len(ledger) == len(envia.vendor.store) == (1 if acted else 0)
    [request] = ledger.requests
    assert (request.fault, request.outcome) == (fault, "0" if acted else None)
    assert request.n_accepted == len(ledger)
    assert request.params == SEND
    assert json.loads((await envia.raw()).body)["error"] is False, "the fault is over"
    assert len(ledger) == 1, "sent again, the message is a duplicate"


async def test_a_hanging_send_was_accepted(envia: Gateway) -> None:
    envia.box.fail("envia_sms", fault=Fault.HANG)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(envia.raw(), 0.1)
    assert len(envia.box.ledger) == 1


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_before_acting_the_spoiled_answer_still_looks_like_success(envia: Gateway, function: str) -> None:
    envia.box.fail("envia_sms", function=function, fault=Fault.WRONG_TYPE, when="before")
    answer = await envia.ask(function, **SEND, identificador="60si864mv8o3b")
    assert answer.content_type.startswith("text/html")
    decoy = json.loads(answer.body)
    assert decoy["error"] is False
    assert decoy["response"]
    assert envia.box.ledger.charged == 0


@pytest.mark.slow
async def test_a_decoy_has_the_shape_of_the_real_thing(envia: Gateway) -> None:
    envia.box.fail("envia_sms", fault=Fault.DRIP, interval=0.0001, when="before", times=2)
    decoy = (await envia.done("send", **SEND)).keys()
    decoy_status = (await envia.done("status_message", numero="52,1")).keys()
    real = await envia.done("send", **SEND)
    assert decoy == real.keys()
    status = await envia.done("status_message", numero=SEND["numero"], identificador=real["identificador"]["0"])
    assert decoy_status == status.keys()


async def test_the_bodies_that_bite_are_about_error(envia: Gateway) -> None:
    assert b'{"error":NaN,"Factor":Infinity,"codigo_error": ""' in (await spoiled(envia, Fault.NAN)).body
    pairs = json.loads((await spoiled(envia, Fault.DUPLICATE_KEYS)).body, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "error"] == [True, False]
    assert b'{"error":' + b"1" * 5_000 + b"," in (await spoiled(envia, Fault.HUGE_INT)).body
    inflated = zlib.decompressobj(31).decompress((await spoiled(envia, Fault.GZIP_BOMB)).body, 30)
    assert inflated.startswith(b'{"error":false,"Relleno":"xx')
    with pytest.raises(json.JSONDecodeError):
        json.loads((await spoiled(envia, Fault.BAD_JSON)).body)
    with pytest.raises(UnicodeDecodeError):
        (await spoiled(envia, Fault.LATIN1)).body.decode()
    assert "operación" in (await spoiled(envia, Fault.LATIN1)).body.decode("latin-1")


async def test_the_code_can_be_spoiled_too(envia: Gateway) -> None:
    answer = await spoiled(envia, Fault.DUPLICATE_KEYS, field="codigo_error")
    pairs = json.loads(answer.body, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "codigo_error"] == [True, ""]


async def test_faults_go_with_quirks(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks.all()
    for fault in (Fault.LATIN1, Fault.RES, Fault.CUT_BODY, Fault.WRONG_TYPE):
        assert (await spoiled(envia, fault)).data.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize(
    "query",
    [
        "token={token}",
        "token=pruebas_{token}",
        "token=x&token={token}",
        "token={token}&token=x",
        "Token={token}",
        "TOKEN=other",
        "{token}",
        "pruebas_{token}",
        "var_mensaje={token}",
        "numero=%ff&token={token}",
        "token[]={token}",
    ],
)
async def test_no_token_reaches_the_ledger(envia: Gateway, query: str) -> None:
    """Wherever it stands: the document's own address form puts it there without a name."""
    for function in FUNCTIONS:
        await envia.get(function, query.format(token=envia.token) + "&plantilla=02")
    seen = repr(envia.box.ledger.requests)
    assert len(envia.box.ledger.requests) == 5
    assert envia.token not in seen
    assert "token" not in seen.lower()
    assert "other" not in seen


async def test_nothing_secret_is_logged_or_shown(envia: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """Also of requests that cannot be read as HTTP, which aiohttp quotes in its log."""
    with caplog.at_level(logging.DEBUG):
        for fault in (Fault.RESET, Fault.GARBAGE, Fault.CUT_BODY, Fault.RES):
            await spoiled(envia, fault)
        await envia.raw()
        long = f"token={envia.token}&{'x' * 20_000}"
        for line in (f"/send?token={envia.token}&\x01", f"/send?{long}", f"/se nd?token={envia.token}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", envia.box.port)
            path = envia.vendor.base_path + line
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert b" 400 " in await reader.read()
            writer.close()
    assert "Error handling request" in caplog.text, "the log still says that something came"
    assert envia.token not in caplog.text
    assert "5589520028" not in caplog.text
    shown = [envia.box, envia.vendor, envia.vendor.account, Incoming("GET", "/", f"token={envia.token}", {}, b"")]
    assert envia.token not in repr(shown)


# ---------------------------------------------------------------- any input

NAMES = [
    "numero", "plantilla", "var_mensaje", "var_url", "var_usuario", "fecha_programar", "ucs2", "duplicado",
    "short_link", "tipo", "identificador", "nivel", "proyecto", "remitente", "token",
]  # fmt: skip
PLAUSIBLE = st.sampled_from(
    ["52,5589520028", "33,612345678", "52,", "1,2125551234", "02", "0000", "1", "0", "Hola", "http://a.example/b",
     "2199-01-01 10:00:00", "cancel", "send", "*", "", "52,558952002८"]
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def ask(vendor: EnviaSms, function: str, query: str) -> Any:
    request = Incoming("GET", "/", query, {}, b"")
    vendor.decode(function, request)
    return vendor.handle(function, request)


@pytest.mark.slow
@pytest.mark.parametrize("quirks", [Quirks(), Quirks.all()])
@settings(max_examples=examples(300), deadline=None)
@given(
    function=st.sampled_from(FUNCTIONS),
    params=st.dictionaries(st.sampled_from(NAMES) | TEXT, PLAUSIBLE | TEXT),
    junk=st.text(st.characters(max_codepoint=127)),
    test=st.booleans(),
)
async def test_every_request_gets_an_answer_and_every_credit_is_accounted_for(
    quirks: Quirks, function: str, params: dict[str, str], junk: str, test: bool
) -> None:
    vendor = EnviaSms(quirks=quirks)
    box = Sandbox(envia_sms=vendor)
    token = f"{'pruebas_' if test else ''}{vendor.account.token}"
    good = urlencode({**SEND, **params, "token": token}, quote_via=quote)
    for query in (good, good, urlencode(params), f"{good}&{junk}"):
        ask(vendor, "send", f"{good}&fecha_programar={quote(ahead())}")
        reply = ask(vendor, function, query)
        assert reply.body
        assert (reply.status == 200) == (reply.outcome == "0")
    assert len(box.ledger) == len(box.ledger.messages)
    assert box.ledger.charged - box.ledger.refunded == 100_000 - vendor.account.credits
    if test:
        assert len(box.ledger) == 0


@given(text=TEXT.filter(str.strip))
async def test_what_goes_in_is_what_the_ledger_holds(text: str) -> None:
    """Nothing in a text changes another parameter."""
    vendor = EnviaSms()
    box = Sandbox(envia_sms=vendor)
    query = urlencode({**SEND, "var_mensaje": text[:500], "ucs2": "1", "token": vendor.account.token})
    reply = ask(vendor, "send", query)
    assert reply.outcome in ("0", "119", "125", "133")
    if reply.outcome == "0":
        [message] = box.ledger.messages
        assert (message.text, message.number) == (text[:500], "525589520028")
        assert json.loads(reply.body)["response"]["mensaje_enviado"] == message.text
