"""Each fault with the emulated EnvíaTuSMS: the ledger's truth, bodies in this vendor's own form, and no secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiers import examples

from mensasdk.sandbox import EnviaTuSms, Fault, Sandbox
from mensasdk.sandbox.enviatusms import Quirks
from mensasdk.sandbox.faults import When
from mensasdk.sandbox.vendor import Incoming
from sandbox.caller import RawAnswer
from sandbox.enviatusms_caller import SEND, Gateway

OPTIONS: dict[Fault, dict[str, Any]] = {
    Fault.STATUS: {"status": 503},
    Fault.DELAY: {"delay": 0.01},
    Fault.DRIP: {"interval": 0.0001},
    Fault.RES: {"res": 422},
}
BOTH = pytest.mark.parametrize("when", ["before", "after"])
FUNCTIONS = sorted(EnviaTuSms.functions)
LINK = {"link": "https://a.example"}


async def spoiled(
    tusms: Gateway, fault: Fault, when: When = "after", function: str = "sms-multi", **options: Any
) -> RawAnswer:
    options = {**OPTIONS.get(fault, {}), **options}
    rule = tusms.box.fail("enviatusms", function=function, fault=fault, when=when, **options)
    answer = await tusms.raw(function, **(LINK if function == "acortar-url" else SEND))
    assert rule.fired == 1
    return answer


@BOTH
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG])
async def test_the_ledger_says_whether_the_vendor_acted(tusms: Gateway, fault: Fault, when: When) -> None:
    await spoiled(tusms, fault, when)
    acted = when == "after" or fault is Fault.DELAY
    ledger = tusms.box.ledger
    assert len(ledger) == (2 if acted else 0)
    assert len(tusms.vendor.campaigns) == (1 if acted else 0)
    assert ledger.charged == 100_000 - tusms.vendor.account.balance
    [request] = ledger.requests
    assert (request.fault, request.outcome) == (fault, "ok" if acted else None)
    assert request.n_accepted == len(ledger)
    assert request.params == SEND
    assert json.loads((await tusms.raw()).body)["status"] == "ok", "the fault is over"


async def test_a_hanging_send_was_accepted(tusms: Gateway) -> None:
    tusms.box.fail("enviatusms", fault=Fault.HANG)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tusms.raw(), 0.1)
    assert len(tusms.box.ledger) == 2


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_before_acting_the_spoiled_answer_still_looks_like_success(tusms: Gateway, function: str) -> None:
    """It has the fields of the real thing, and nothing was done for it."""
    path = "campaign/1" if function == "campaign" else function
    tusms.box.fail("enviatusms", function=function, fault=Fault.WRONG_TYPE, when="before")
    answer = await tusms.ask(path, **SEND, **LINK)
    assert answer.content_type.startswith("text/html")
    decoy = json.loads(answer.body)
    assert len(tusms.box.ledger) == tusms.box.ledger.charged == len(tusms.vendor.links) == 0
    real = await tusms.send("04121234567", texto="x")
    if function != "sms-multi":
        path = f"campaign/{real['id']}" if function == "campaign" else function
        real = await tusms.call(path, **SEND, **LINK)
    assert decoy.keys() == real.keys()
    result, success, _ = tusms.vendor.result(function)
    assert type(decoy[result]) is type(json.loads(success))
    assert decoy[result] == json.loads(success)


@pytest.mark.parametrize(
    ("function", "field", "success", "refusal"),
    [
        ("sms-multi", "status", "ok", "error"),
        ("sms-costo", "precio_usd", 0.135, None),
        ("acortar-url", "success", True, False),
    ],
)
async def test_the_bodies_that_bite_are_about_what_says_success(
    tusms: Gateway, function: str, field: str, success: Any, refusal: Any
) -> None:
    nan = (await spoiled(tusms, Fault.NAN, function=function)).body
    assert nan.startswith(f'{{"{field}":NaN,"Factor":Infinity,'.encode())
    pairs = json.loads((await spoiled(tusms, Fault.DUPLICATE_KEYS, function=function)).body, object_pairs_hook=list)
    assert [value for key, value in pairs if key == field] == [refusal, success]
    huge = (await spoiled(tusms, Fault.HUGE_INT, function=function)).body
    assert f'{{"{field}":'.encode() + b"1" * 5_000 + b"," in huge
    bomb = (await spoiled(tusms, Fault.GZIP_BOMB, function=function)).body
    inflated = zlib.decompressobj(31).decompress(bomb, 50).decode()
    assert inflated.startswith(f'{{"{field}":')
    assert '"Relleno":"xx' in inflated
    with pytest.raises(json.JSONDecodeError):
        json.loads((await spoiled(tusms, Fault.BAD_JSON, function=function)).body)
    latin = (await spoiled(tusms, Fault.LATIN1, function=function)).body
    assert "operación" in latin.decode("latin-1")


async def test_another_field_can_be_spoiled_too(tusms: Gateway) -> None:
    answer = await spoiled(tusms, Fault.HUGE_INT, field="id")
    assert b'{"id":1111' in answer.body
    assert b'"status": "ok"' in answer.body


@BOTH
@pytest.mark.parametrize(
    ("res", "status", "says"),
    [
        (200, 200, "Balance insuficiente."),
        (401, 401, "El api_key es invalido."),
        (404, 404, "La campana no existe."),
        (422, 422, "El cuerpo de la peticion no es un objeto JSON."),
        (500, 422, "Error desconocido."),
        ("Balance insuficiente.", 200, "Balance insuficiente."),
        ("Falta el parametro api_key.", 401, "Falta el parametro api_key."),
        ("Ha alcanzado el limite de enlaces diarios.", 200, "Ha alcanzado el limite de enlaces diarios."),
        ("Cuenta suspendida", 422, "Cuenta suspendida"),
    ],
)
async def test_any_refusal_can_be_had(tusms: Gateway, when: When, res: int | str, status: int, says: str) -> None:
    tusms.box.fail("enviatusms", fault=Fault.RES, res=res, when=when, times=2)
    answer = await tusms.ask("sms-multi", **SEND)
    assert answer.status == status
    assert json.loads(answer.body) == {"status": "error", "msg": says}
    answer = await tusms.ask("acortar-url", **LINK)
    assert answer.status == status
    assert json.loads(answer.body) == {"success": False, "error": says}
    assert len(tusms.box.ledger) == (2 if when == "after" else 0)


async def test_faults_go_with_quirks(tusms: Gateway) -> None:
    tusms.vendor.quirks = Quirks.all()
    for fault in (Fault.LATIN1, Fault.RES, Fault.CUT_BODY, Fault.WRONG_TYPE):
        for function in ("sms-multi", "sms-costo", "acortar-url"):
            for when in ("before", "after"):
                answer = await spoiled(tusms, fault, when, function)
                assert answer.data.startswith(b"HTTP/1.1 200")


# ---------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("api_key={key}", b"{}"),
        ("api_key=x&api_key={key}", b"{}"),
        ("api_key={key}&api_key=other", b"{}"),
        ("API_KEY={key}&Api_Key=other", b"{}"),
        ("{key}", b"{}"),
        ("x={key}", b"{}"),
        ("{key}=x", b"{}"),
        ("a[api_key]={key}", b"{}"),
        ("", b'{"api_key":"{key}"}'),
        ("api_key={key}", b'{"API_KEY":"other","texto":"a {key} b","numeros":["{key}"]}'),
        ("api_key={key}", b'{"texto":["{key}",{"{key}":"x","api_key":"other"}]}'),
        ("api_key={key}", b'{"texto":"\\u0000{key}","\\u0061pi_key":"other"}'),
        ("api_key={key}", b'{"numeros":"{key}'),
        ("api_key={key}", b"{key}"),
    ],
)
async def test_no_key_reaches_the_ledger(tusms: Gateway, query: str, body: bytes) -> None:
    for function in FUNCTIONS:
        path = "campaign/1" if function == "campaign" else function
        [method] = EnviaTuSms.functions[function]
        data = body.replace(b"{key}", tusms.key.encode())
        await tusms.request(method, path, query.format(key=tusms.key), data=data)
    seen = repr([tusms.box.ledger.requests, tusms.box.ledger.messages])
    assert len(tusms.box.ledger.requests) == 5
    assert tusms.key not in seen
    assert "other" not in seen


async def test_an_escaped_key_does_not_reach_the_ledger_either(tusms: Gateway) -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in tusms.key)
    body = f'{{"numeros":["04121234567"],"texto":"{escaped}"}}'.encode()
    await tusms.request("POST", "sms-multi", f"api_key={tusms.key}", data=body)
    assert tusms.box.ledger.messages[0].text == "***"
    assert tusms.key not in repr(tusms.box.ledger.requests)


async def test_nothing_secret_is_logged_or_shown(tusms: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """Also of requests that cannot be read as HTTP, which aiohttp quotes in its log."""
    with caplog.at_level(logging.DEBUG):
        for fault in (Fault.RESET, Fault.GARBAGE, Fault.CUT_BODY, Fault.RES):
            await spoiled(tusms, fault)
        await tusms.raw()
        for line in (f"/balance?api_key={tusms.key}&\x01", f"/bal ance?api_key={tusms.key}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", tusms.box.port)
            path = tusms.vendor.base_path + line
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert b" 400 " in await reader.read()
            writer.close()
    assert "Error handling request" in caplog.text, "the log still says that something came"
    assert tusms.key not in caplog.text
    assert "4265461179" not in caplog.text
    shown = [tusms.box, tusms.vendor, tusms.vendor.account, Incoming("GET", "/", f"api_key={tusms.key}", {}, b"")]
    assert tusms.key not in repr(shown)


# ---------------------------------------------------------------------- any input

NAMES = ["numeros", "texto", "permitir_duplicados", "link", "url", "api_key"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.sampled_from(
    ["04121234567", "584141234567", "+584161234597", "4221234591", "0412", "x", "", "04121234567", 4241234567]
)
PLAUSIBLE = st.lists(NUMBERS, max_size=4) | st.sampled_from(
    ["Hola", ["uno", "dos"], "x" * 161, ["á"], True, False, "https://a.example", "etsms.me/abc", "\x00"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | TEXT, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.binary() | st.dictionaries(st.sampled_from(NAMES), PLAUSIBLE | VALUES).map(
    lambda params: json.dumps(params).encode()
)


def ask(vendor: EnviaTuSms, function: str, body: bytes, query: str = "", tail: str = "1") -> Any:
    key = urlencode({"api_key": vendor.account.api_key})
    request = Incoming("POST", f"/{tail}", f"{query}&{key}", {}, body)
    vendor.decode(function, request)
    assert vendor.account.api_key not in repr(request.params)
    return vendor.handle(function, request)


@pytest.mark.slow
@pytest.mark.parametrize("quirks", [Quirks(), Quirks.all()])
@settings(max_examples=examples(300), deadline=None)
@given(
    function=st.sampled_from(FUNCTIONS),
    body=BODIES,
    # A surrogate is how a byte arrives that nobody escaped.
    query=st.text(st.characters(max_codepoint=127)) | st.just("a=\udcff&b=\ud800"),
    tail=st.text(),
    money=st.sampled_from(["100000", "0", "0.0225"]),
)
async def test_every_request_gets_an_answer_and_every_dollar_is_accounted_for(
    quirks: Quirks, function: str, body: bytes, query: str, tail: str, money: str
) -> None:
    vendor = EnviaTuSms(quirks=quirks)
    vendor.account.balance = Decimal(money)
    box = Sandbox(enviatusms=vendor)
    reply = ask(vendor, function, body, query, tail)
    assert reply.body
    assert reply.outcome in ("ok", "error")
    assert len(box.ledger) == len(box.ledger.messages) == reply.accepted
    assert box.ledger.charged == sum(message.credits for message in box.ledger.messages)
    assert vendor.account.balance + box.ledger.charged == Decimal(money)
    assert vendor.account.balance >= 0
    if box.ledger.messages:
        campaign_id = box.ledger.messages[0].message_id
        assert ask(vendor, "campaign", b"", tail=campaign_id).outcome == "ok"


@given(
    numbers=st.lists(NUMBERS, min_size=1, max_size=8),
    texts=st.lists(st.sampled_from(["uno", "dos", "d\u00f3s", "x" * 200]), min_size=8, max_size=8),
    twice=st.booleans(),
    one=st.booleans(),
)
async def test_sending_costs_what_the_quote_says(numbers: list[Any], texts: list[str], twice: bool, one: bool) -> None:
    vendor = EnviaTuSms(quirks=Quirks(long_texts=True))
    box = Sandbox(enviatusms=vendor)
    texto: Any = texts[0] if one else texts[: len(numbers)]
    body = json.dumps({"numeros": numbers, "texto": texto, "permitir_duplicados": twice}).encode()
    quoted = json.loads(ask(vendor, "sms-costo", body).body)
    sent = json.loads(ask(vendor, "sms-multi", body).body)
    assert quoted["precio_usd"] == float(box.ledger.charged)
    assert quoted["numeros_validos"] == len(box.ledger)
    assert quoted["numeros_invalidos"] == len(sent["ignored"])
    assert quoted["cantidad_mensajes"] == sum(message.parts for message in box.ledger.messages)
    assert max(box.ledger.numbers().values(), default=1) <= (3 if twice and not one else 1)
