"""Each fault: what a plain socket sees, and what the ledger holds."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest
from shared import until

from mensasdk.sandbox import Fault, Sandbox
from mensasdk.sandbox.faults import When
from sandbox.caller import SEND, Caller, RawAnswer

OPTIONS: dict[Fault, dict[str, Any]] = {
    Fault.STATUS: {"status": 503},
    Fault.DELAY: {"delay": 0.01},
    Fault.DRIP: {"interval": 0.0001},
    Fault.RES: {"res": -2},
}
ANSWERING = [fault for fault in Fault if fault is not Fault.HANG]
BOTH = pytest.mark.parametrize("when", ["before", "after"])


async def spoiled(caller: Caller, fault: Fault, when: When = "after", **options: Any) -> RawAnswer:
    rule = caller.box.fail(
        "mensatek", function="EnviarSMS", fault=fault, when=when, **{**OPTIONS.get(fault, {}), **options}
    )
    answer = await caller.raw()
    assert rule.fired == 1
    return answer


def length_of(answer: RawAnswer) -> int:
    [line] = [line for line in answer.head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(line.split(b":")[1])


def object_in(body: bytes) -> Any:
    [item] = json.loads(body)
    return item


@BOTH
@pytest.mark.parametrize("fault", ANSWERING)
async def test_the_ledger_says_whether_the_vendor_acted(caller: Caller, fault: Fault, when: When) -> None:
    """After: two messages accepted and charged, whatever the client sees. Before: none, and the next call works."""
    await spoiled(caller, fault, when)
    acted = when == "after" or fault is Fault.DELAY
    ledger = caller.box.ledger
    assert len(ledger) == ledger.charged == (2 if acted else 0)
    [request] = ledger.requests
    assert request.fault == fault
    assert (request.outcome, request.n_accepted) == (("2", 2) if acted else (None, 0))
    assert request.params == SEND
    assert object_in((await caller.raw()).body)["Res"] == 2, "the fault is over"


@BOTH
async def test_reset_is_an_rst_without_a_byte(caller: Caller, when: When) -> None:
    assert await spoiled(caller, Fault.RESET, when) == RawAnswer(b"", reset=True)


@BOTH
async def test_close_is_a_fin_without_a_byte(caller: Caller, when: When) -> None:
    assert await spoiled(caller, Fault.CLOSE, when) == RawAnswer(b"", reset=False)


async def test_close_on_a_kept_connection_is_seen_by_the_next_request(caller: Caller) -> None:
    """The stale keep-alive case: the first request is answered, the second on the same connection is not."""
    caller.box.fail("mensatek", fault=Fault.CLOSE, nth=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", caller.box.port)
    writer.write(caller.request_bytes("GetCreditos"))
    assert b" 200 OK" in await reader.readuntil(b"]")
    writer.write(caller.request_bytes("GetCreditos"))
    assert await reader.read() == b""
    writer.close()
    assert caller.box.ledger.connections == 1
    assert caller.box.ledger.request_count("GetCreditos") == 2


@BOTH
async def test_hang_gives_nothing_until_the_client_goes(caller: Caller, when: When) -> None:
    caller.box.fail("mensatek", fault=Fault.HANG, when=when)
    reader, writer = await asyncio.open_connection("127.0.0.1", caller.box.port)
    writer.write(caller.request_bytes("EnviarSMS"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    assert len(caller.box.ledger) == (2 if when == "after" else 0)
    before = asyncio.all_tasks()
    writer.close()
    await until(lambda: len(asyncio.all_tasks()) < len(before))


async def test_a_hanging_answer_is_released_when_the_box_closes() -> None:
    tasks = asyncio.all_tasks()
    box = Sandbox()
    await box.start()
    box.fail("mensatek", fault=Fault.HANG)
    caller = Caller(box, None)  # type: ignore[arg-type]
    hanging = asyncio.create_task(caller.raw())
    await until(lambda: box.ledger.request_count() == 1)
    await box.aclose()
    assert (await hanging).data == b""
    assert asyncio.all_tasks() == tasks


async def test_drip_comes_byte_by_byte_and_is_complete(caller: Caller) -> None:
    caller.box.fail("mensatek", fault=Fault.DRIP, interval=0.002)
    reader, writer = await asyncio.open_connection("127.0.0.1", caller.box.port)
    writer.write(caller.request_bytes("EnviarSMS"))
    pieces = []
    while piece := await reader.read(1 << 16):
        pieces.append(piece)
    writer.close()
    answer = RawAnswer(b"".join(pieces), reset=False)
    assert len(pieces) > len(answer.data) / 4
    assert length_of(answer) == len(answer.body)
    assert object_in(answer.body)["Res"] == 2


@BOTH
async def test_cut_body_is_shorter_than_its_length(caller: Caller, when: When) -> None:
    answer = await spoiled(caller, Fault.CUT_BODY, when)
    assert len(answer.body) == length_of(answer) // 2
    assert b'"Res":2' in answer.body


@BOTH
async def test_cut_chunked_ends_inside_a_chunk(caller: Caller, when: When) -> None:
    answer = await spoiled(caller, Fault.CUT_CHUNKED, when)
    assert b"Transfer-Encoding: chunked" in answer.head
    size, _, chunk = answer.body.partition(b"\r\n")
    assert len(chunk) == int(size, 16) // 2


@BOTH
async def test_cut_close_delimited_has_no_length_to_tell(caller: Caller, when: When) -> None:
    answer = await spoiled(caller, Fault.CUT_CLOSE_DELIMITED, when)
    assert b"content-length" not in answer.head.lower()
    assert b"chunked" not in answer.head.lower()
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


async def test_a_cut_may_be_placed_to_the_byte(caller: Caller) -> None:
    """In TXT, ``Res:12;`` cut after six bytes reads as one message sent."""
    caller.box.fail("mensatek", fault=Fault.CUT_CLOSE_DELIMITED, cut_at=5)
    numbers = ";".join(str(34600000000 + n) for n in range(12))
    answer = await caller.raw(params={**SEND, "Destinatarios": numbers, "Resp": "TXT"})
    assert answer.body == b"Res:1"


async def test_garbage_is_not_http(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.GARBAGE)
    assert answer.data
    assert not answer.data.startswith(b"HTTP/")


async def test_duplicate_lengths_disagree(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.DUPLICATE_LENGTH)
    lengths = [line for line in answer.head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    assert len(set(lengths)) == 2


async def test_huge_header_has_twenty_kilobytes(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.HUGE_HEADER)
    assert max(map(len, answer.head.split(b"\r\n"))) > 20_000
    assert object_in(answer.body)["Res"] == 2


async def test_empty_and_no_content(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.EMPTY)
    assert (answer.data[:15], length_of(answer), answer.body) == (b"HTTP/1.1 200 OK", 0, b"")
    answer = await spoiled(caller, Fault.NO_CONTENT)
    assert (answer.data[:12], answer.body) == (b"HTTP/1.1 204", b"")


async def test_html_page_is_a_login_page_with_status_200(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.HTML_PAGE)
    assert answer.data.startswith(b"HTTP/1.1 200")
    assert b'type="password"' in answer.body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 425, 500, 502, 503, 504, 599])
async def test_status_with_headers_and_body(caller: Caller, status: int) -> None:
    answer = await spoiled(caller, Fault.STATUS, status=status, headers={"Retry-After": "7"}, body="vuelva luego")
    assert answer.data.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Retry-After: 7" in answer.head
    assert answer.body == b"vuelva luego"
    assert (await spoiled(caller, Fault.STATUS, status=status)).body.startswith(b"<html>")


@pytest.mark.parametrize("retry_after", [None, 3, -1, "Wed, 21 Oct 2015 07:28:00 GMT", "pronto"])
async def test_rate_limit_with_and_without_retry_after(caller: Caller, retry_after: str | int | None) -> None:
    answer = await spoiled(caller, Fault.RATE_LIMIT, "before", retry_after=retry_after)
    assert answer.data.startswith(b"HTTP/1.1 429 ")
    assert (f"Retry-After: {retry_after}".encode() in answer.head) == (retry_after is not None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect(caller: Caller, status: int) -> None:
    answer = await spoiled(caller, Fault.REDIRECT, status=status, location="http://127.0.0.1:1/")
    assert answer.data.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Location: http://127.0.0.1:1/" in answer.head


async def test_a_followed_redirect_would_be_in_the_ledger(caller: Caller) -> None:
    caller.box.fail("mensatek", fault=Fault.REDIRECT)
    async with caller.session.post(caller.url("EnviarSMS"), json=SEND) as response:
        assert response.status == 404
    assert [request.path for request in caller.box.ledger.requests] == ["/mensatek/v7/EnviarSMS", "/redirected"]


async def test_bad_json_has_its_full_length_and_does_not_parse(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.BAD_JSON)
    assert length_of(answer) == len(answer.body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


async def test_nan_stands_in_the_field_that_says_success_or_in_another(caller: Caller) -> None:
    assert b'"Res":NaN' in (await spoiled(caller, Fault.NAN)).body
    body = (await spoiled(caller, Fault.NAN, field="Cred")).body
    assert b'"Cred":NaN' in body
    assert object_in(body)["Res"] == 2


async def test_duplicate_keys_disagree(caller: Caller) -> None:
    body = (await spoiled(caller, Fault.DUPLICATE_KEYS)).body
    assert body.startswith(b'[{"Res":-2,"Res":2,')
    assert object_in(body)["Res"] == 2


async def test_deep_json_is_200_000_deep(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.DEEP_JSON)
    assert answer.body == b"[" * 200_000 + b"]" * 200_000


async def test_huge_int_has_5000_digits(caller: Caller) -> None:
    body = (await spoiled(caller, Fault.HUGE_INT)).body
    assert body.startswith(b'[{"Res":' + b"1" * 5000 + b",")
    with pytest.raises(ValueError, match="4300"):
        json.loads(body)


async def test_doctype_xml_multiplies_entities(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.DOCTYPE_XML)
    assert b"<!DOCTYPE" in answer.body
    assert b"<Res>2</Res>" in answer.body


async def test_gzip_corrupt_does_not_inflate(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.GZIP_CORRUPT)
    assert b"Content-Encoding: gzip" in answer.head
    with pytest.raises(zlib.error):
        zlib.decompress(answer.body, 31)


@pytest.mark.slow
async def test_gzip_bomb_is_small_valid_and_inflates_to_256_mebibytes(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.GZIP_BOMB)
    assert len(answer.body) < 1 << 19
    inflate = zlib.decompressobj(31)
    start = inflate.decompress(answer.body, 1 << 20)
    size, last = len(start), start
    while not inflate.eof:
        last = inflate.decompress(inflate.unconsumed_tail, 1 << 20)
        size += len(last)
    assert size > 256 << 20
    assert start.startswith(b'[{"Res":1,')
    assert last.endswith(b'"}]')


async def test_too_large_is_16_mebibytes_of_valid_json(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.TOO_LARGE)
    assert len(answer.body) > 16 << 20
    assert object_in(answer.body)["Res"] == 2


@pytest.mark.parametrize("resp", ["JSON", "XML", "TXT"])
async def test_latin1_comes_under_a_header_that_says_utf8(caller: Caller, resp: str) -> None:
    caller.box.fail("mensatek", fault=Fault.LATIN1)
    answer = await caller.raw(params={**SEND, "Resp": resp})
    assert b"charset=utf-8" in answer.head
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()
    assert "operación de España" in answer.body.decode("latin-1")


async def test_wrong_type_is_the_right_answer_under_html(caller: Caller) -> None:
    answer = await spoiled(caller, Fault.WRONG_TYPE)
    assert b"Content-Type: text/html" in answer.head
    assert object_in(answer.body)["Res"] == 2


@BOTH
async def test_delay_answers_rightly_in_the_end(caller: Caller, when: When) -> None:
    assert object_in((await spoiled(caller, Fault.DELAY, when)).body)["Res"] == 2


async def test_a_delayed_request_is_carried_out_although_its_client_has_gone(caller: Caller) -> None:
    caller.box.fail("mensatek", fault=Fault.DELAY, when="before", delay=0.05)
    _, writer = await asyncio.open_connection("127.0.0.1", caller.box.port)
    writer.write(caller.request_bytes("EnviarSMS"))
    await until(lambda: caller.box.ledger.request_count() == 1)
    assert len(caller.box.ledger) == 0
    writer.close()
    await until(lambda: len(caller.box.ledger) == 2)
    assert caller.box.ledger.requests[0].outcome == "2"


async def test_a_delay_does_not_outlive_the_box() -> None:
    tasks = asyncio.all_tasks()
    async with Sandbox() as box:
        box.fail("mensatek", fault=Fault.DELAY, when="before", delay=3600)
        pending = asyncio.create_task(Caller(box, None).raw())  # type: ignore[arg-type]
        await until(lambda: box.ledger.request_count() == 1)
    assert len(box.ledger) == 0
    await pending
    assert asyncio.all_tasks() == tasks


@pytest.mark.parametrize(
    ("function", "res", "keys"),
    [
        ("EnviarSMS", -1, {"Res"}),
        ("EnviarSMS", -2, {"Res", "Cred", "CreditosNecesarios"}),
        ("EnviarSMS", -3, {"Res", "Error"}),
        ("CancelarSMS", -5, {"Res", "CRED"}),
        ("ReprogramarSMS", -7, {"Res", "Cred"}),
        ("CargarFichero", -16, {"Res", "Cred"}),
        ("GetCreditos", -99, {"Res", "Cred"}),
    ],
)
async def test_res_is_the_vendors_code_with_its_documented_body(
    caller: Caller, function: str, res: int, keys: set[str]
) -> None:
    caller.box.fail("mensatek", function=function, fault=Fault.RES, res=res, when="before")
    answer = await caller.call(function)
    assert answer["Res"] == res
    assert answer.keys() == keys


@pytest.mark.parametrize("function", ["CancelarSMS", "GetReportSMS", "GetPlantillasSMS", "ListarFicheros", "EnviarSMS"])
async def test_before_acting_the_spoiled_answer_still_looks_like_success(caller: Caller, function: str) -> None:
    caller.box.fail("mensatek", function=function, fault=Fault.WRONG_TYPE, when="before")
    answer = await caller.post(function, json={"Resp": "JSON"})
    assert object_in(answer.body)["Res"] == 1
    assert len(caller.box.ledger) == 0


async def test_nth_and_times_choose_the_calls(caller: Caller) -> None:
    rule = caller.box.fail("mensatek", function="GetCreditos", fault=Fault.RES, res=-3, nth=2, times=2)
    await caller.send("34600000000")
    assert [(await caller.call("GetCreditos"))["Res"] for _ in range(4)] == [1, -3, -3, 1]
    assert (rule.seen, rule.fired) == (4, 2)


async def test_times_none_lasts_until_the_faults_are_cleared(caller: Caller) -> None:
    caller.box.fail("mensatek", fault=Fault.RES, res=-3, times=None)
    assert [(await caller.call("GetCreditos"))["Res"] for _ in range(3)] == [-3, -3, -3]
    caller.box.clear_faults()
    assert (await caller.call("GetCreditos"))["Res"] == 1


async def test_rules_made_one_after_the_other_spoil_calls_one_after_the_other(caller: Caller) -> None:
    caller.box.fail("mensatek", fault=Fault.RES, res=-3)
    caller.box.fail("mensatek", fault=Fault.RES, res=-2)
    assert [(await caller.call("GetCreditos"))["Res"] for _ in range(3)] == [-3, -2, 1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"vendor": "nobody"}, "no vendor"),
        ({"function": "EnviarSms"}, "no function"),
        ({"fault": "explode"}, "explode"),
        ({"when": "during"}, "when"),
        ({"nth": 0}, "nth"),
        ({"times": 0}, "times"),
        ({"status": 500}, "takes no status"),
        ({"fault": Fault.STATUS}, "needs status"),
        ({"fault": Fault.DELAY}, "needs delay"),
        ({"fault": Fault.RES}, "needs res"),
    ],
)
async def test_a_rule_that_could_never_work_is_refused(caller: Caller, wrong: dict[str, Any], says: str) -> None:
    rule: dict[str, Any] = {"vendor": "mensatek", "fault": Fault.RESET, **wrong}
    with pytest.raises(ValueError, match=says):
        caller.box.fail(rule.pop("vendor"), **rule)
