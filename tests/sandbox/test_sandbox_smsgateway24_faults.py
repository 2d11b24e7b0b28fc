"""Each fault with the emulated smsgateway24: the ledger's truth, and bodies in this vendor's own form."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from mensasdk.sandbox import Fault
from mensasdk.sandbox.faults import When
from sandbox.caller import RawAnswer
from sandbox.smsgateway24_caller import SEND, Gateway

OPTIONS: dict[Fault, dict[str, Any]] = {
    Fault.STATUS: {"status": 503},
    Fault.DELAY: {"delay": 0.01},
    Fault.DRIP: {"interval": 0.0001},
    Fault.RES: {"res": 1},
}
BOTH = pytest.mark.parametrize("when", ["before", "after"])


async def spoiled(gateway: Gateway, fault: Fault, when: When = "after", **options: Any) -> RawAnswer:
    options = {**OPTIONS.get(fault, {}), **options}
    rule = gateway.box.fail("smsgateway24", function="addsms", fault=fault, when=when, **options)
    answer = await gateway.raw()
    assert rule.fired == 1
    return answer


@BOTH
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG])
async def test_the_ledger_says_whether_the_vendor_acted(gateway: Gateway, fault: Fault, when: When) -> None:
    await spoiled(gateway, fault, when)
    acted = when == "after" or fault is Fault.DELAY
    ledger = gateway.box.ledger
    assert len(ledger) == len(gateway.vendor.store) == (1 if acted else 0)
    [request] = ledger.requests
    assert (request.fault, request.outcome) == (fault, "0" if acted else None)
    assert request.n_accepted == len(ledger)
    assert request.params == SEND
    assert json.loads((await gateway.raw()).body)["error"] == 0, "the fault is over"


@pytest.mark.parametrize("function", ["addsms", "addalotofsms", "getallsms", "getalldevices", "gettoken", "savetag"])
async def test_before_acting_the_spoiled_answer_still_looks_like_success(gateway: Gateway, function: str) -> None:
    gateway.box.fail("smsgateway24", function=function, fault=Fault.WRONG_TYPE, when="before")
    answer = await gateway.ask("POST", function, data={})
    assert answer.content_type.startswith("text/html")
    assert json.loads(answer.body).get("error", 0) == 0
    assert len(gateway.box.ledger) == 0


@pytest.mark.parametrize(
    "function", sorted({"getsmsstatus", "getdevicestatus", "smstosend", "savecontact", "savepaket"})
)
async def test_every_decoy_has_the_documented_fields(gateway: Gateway, function: str) -> None:
    ids = {"savecontact": "contact_id", "savepaket": "paket_id", "getdevicestatus": "device_id"}
    gateway.box.fail("smsgateway24", function=function, fault=Fault.WRONG_TYPE, when="before")
    assert json.loads((await gateway.ask("POST", function, data={})).body)[ids.get(function, "sms_id")] == 1


@pytest.mark.parametrize(
    ("function", "res", "answer"),
    [
        ("addsms", 1, {"error": 1, "message": "Token is incorrect"}),
        ("gettoken", 1, {"error": 1, "message": "Login or password incorrect"}),
        ("smstosend", 1, {"error": 1, "message": "Login or password incorrect"}),
        ("addalotofsms", "Device not found", {"error": 1, "message": "Device not found"}),
        ("getallsms", 7, {"error": 7, "message": "Token is incorrect"}),
    ],
)
async def test_res_is_the_code_or_the_text_of_a_refusal(
    gateway: Gateway, function: str, res: int | str, answer: dict[str, Any]
) -> None:
    gateway.box.fail("smsgateway24", function=function, fault=Fault.RES, res=res, when="before")
    assert json.loads((await gateway.ask("POST", function)).body) == answer


async def test_bodies_that_bite_are_objects_that_say_error(gateway: Gateway) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads((await spoiled(gateway, Fault.BAD_JSON)).body)
    assert (await spoiled(gateway, Fault.NAN)).body.startswith(b'{"error":NaN,')
    assert (await spoiled(gateway, Fault.DUPLICATE_KEYS)).body.startswith(b'{"error":1,"error":0,')
    body = (await spoiled(gateway, Fault.DUPLICATE_KEYS, field="sms_id")).body
    assert len({value for name, value in json.loads(body, object_pairs_hook=list) if name == "sms_id"}) == 2
    assert (await spoiled(gateway, Fault.HUGE_INT, field="sms_id")).body.startswith(b'{"sms_id":' + b"1" * 5000)
    large = (await spoiled(gateway, Fault.TOO_LARGE)).body
    assert len(large) > 16 << 20
    assert json.loads(large)["error"] == 0
    accented = (await spoiled(gateway, Fault.LATIN1)).body
    assert "operación" in json.loads(accented.decode("latin-1"))["Nota"]
    gateway.box.fail("smsgateway24", function="getalldevices", fault=Fault.DUPLICATE_KEYS)
    assert (await gateway.raw("getalldevices")).body.startswith(b'{"error":1,"error":0,')


@pytest.mark.slow
async def test_the_gzip_bomb_is_an_object_too(gateway: Gateway) -> None:
    answer = await spoiled(gateway, Fault.GZIP_BOMB)
    inflate = zlib.decompressobj(31)
    start = last = inflate.decompress(answer.body, 1 << 20)
    while not inflate.eof:
        last = inflate.decompress(inflate.unconsumed_tail, 1 << 20)
    assert start.startswith(b'{"error":0,')
    assert last.endswith(b'x"}')


async def test_faults_of_one_vendor_leave_the_other_alone(gateway: Gateway) -> None:
    rule = gateway.box.fail("mensatek", fault=Fault.RESET, times=None)
    assert (await gateway.send())["error"] == 0
    assert rule.seen == 0
    with pytest.raises(ValueError, match="no function"):
        gateway.box.fail("smsgateway24", function="EnviarSMS", fault=Fault.RESET)
