"""Each quirk of the emulated envia-sms.com changes what it says, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from mensasdk.sandbox.envia_sms import Quirks
from mensasdk.sandbox.envia_sms.message import Sms, Store
from sandbox.envia_sms_caller import NUMBER, SEND, Gateway, ahead

SPELLINGS = {
    "code_error": ["error", "code_error", "error_message", "response"],
    "codigo_error": ["error", "codigo_error", "mensaje_error", "response"],
    "error_code": ["error", "error_code", "error_message", "response"],
}
FUNCTIONS = ["send", "send_cancel", "status_message", "paises", "creditos_disponibles"]


async def success(envia: Gateway, function: str) -> dict[str, Any]:
    """Return the envelope of something that works."""
    quirks, envia.vendor.quirks = envia.vendor.quirks, Quirks()
    message_id = await envia.send(fecha_programar=ahead(), duplicado="1")
    envia.vendor.quirks = quirks
    params = {
        "send": {**SEND, "duplicado": "1"},
        "send_cancel": {"tipo": "send", "identificador": message_id},
        "status_message": {"numero": NUMBER, "identificador": message_id},
    }
    return await envia.call(function, **params.get(function, {}))


def test_everything_is_off_by_default_and_all_switches_on() -> None:
    """`Quirks.all` names what it leaves off."""
    off, on = attrs.asdict(Quirks()), attrs.asdict(Quirks.all())
    assert {name for name in off if off[name] == on[name]} == {
        "error_status",
        "missing_brace",
        "duplicates_by_clock",
    }
    assert "missing_brace" in (Quirks.all.__doc__ or "")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_the_envelope_can_be_any_of_the_three(envia: Gateway, function: str, spelling: Any) -> None:
    envia.vendor.quirks = Quirks(envelope=spelling)
    no_code, no_message = {"code_error": (0, None), "codigo_error": ("", ""), "error_code": ("0", "")}[spelling]
    good = await success(envia, function)
    assert list(good) == SPELLINGS[spelling]
    assert list(good.values())[:3] == [False, no_code, no_message]
    bad = await envia.call(function, token="wrong")
    assert list(bad) == SPELLINGS[spelling]
    code = 3 if spelling == "code_error" else "03"
    assert list(bad.values()) == [True, code, "El token de proyecto es inválido", None]


async def test_the_envelope_can_rotate(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(envelope="rotating")
    seen = [list(await envia.call("creditos_disponibles")) for _ in range(6)]
    assert sorted(seen[:3]) == sorted(seen[3:]) == sorted(SPELLINGS.values())


@pytest.mark.parametrize(
    ("codes", "good", "three", "refusal"),
    [
        ("int", 0, 3, 129),
        ("string", "0", "3", "129"),
        ("padded", "00", "03", "129"),
        ("empty", "", "03", "129"),
        ("null", None, "03", "129"),
    ],
)
async def test_codes_are_written_in_many_ways(envia: Gateway, codes: Any, good: Any, three: Any, refusal: Any) -> None:
    envia.vendor.quirks = Quirks(codes=codes)
    assert (await success(envia, "send"))["codigo_error"] == good
    assert (await success(envia, "status_message"))["error_code"] == good
    general = await success(envia, "creditos_disponibles")
    assert general["code_error"] == good
    assert general["error_message"] == ("" if codes == "empty" else None)
    assert (await envia.call("send", token="wrong"))["codigo_error"] == three
    assert (await envia.call("send", numero=NUMBER))["codigo_error"] == refusal


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_success_can_say_error(envia: Gateway, function: str) -> None:
    envia.vendor.quirks = Quirks(error_true="paises")
    answer = await success(envia, function)
    assert (answer["error"], bool(answer["response"])) == (function == "paises", True)
    envia.vendor.quirks = Quirks(error_true="always")
    answer = await success(envia, function)
    assert (answer["error"], bool(answer["response"])) == (True, True)


@pytest.mark.parametrize(("kind", "response"), [("null", None), ("list", []), ("object", {})])
async def test_the_response_of_a_refusal(envia: Gateway, kind: Any, response: Any) -> None:
    envia.vendor.quirks = Quirks(error_response=kind)
    assert (await envia.call("send"))["response"] == response
    assert (await success(envia, "send"))["response"]


async def test_the_response_of_a_refusal_can_be_missing(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(error_response="missing")
    assert list(await envia.call("send")) == ["error", "codigo_error", "mensaje_error"]
    assert (await success(envia, "send"))["response"]


async def test_the_http_status_of_refusals(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(error_status=200, auth_status=403)
    statuses = [(await envia.ask("send")).status, (await envia.ask("send", token="wrong")).status]
    envia.vendor.account.verified = False
    assert [*statuses, (await envia.ask("send")).status] == [200, 403, 401]


@pytest.mark.parametrize("kind", ["list", "string"])
async def test_the_id_of_a_send_is_a_list_or_a_string(envia: Gateway, kind: Any) -> None:
    envia.vendor.quirks = Quirks(identificador=kind)
    given = (await envia.done("send", **SEND))["identificador"]
    [message] = envia.box.ledger.messages
    assert given == ([message.message_id] if kind == "list" else message.message_id)


async def test_no_date_can_be_an_empty_string(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(no_date="empty")
    assert (await envia.done("send", **SEND))["fecha_programada"] == ""
    later = await envia.done("send", **SEND, duplicado="1", fecha_programar="2199-01-01 00:00:00")
    assert later["fecha_programada"] == "2199-01-01 00:00:00"


async def test_a_date_can_be_bare(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(bare_date=True)
    tricky = {**SEND, "var_mensaje": '"fecha_programada":"x"'}
    answer = await envia.ask("send", **tricky, fecha_programar="2199-01-01 00:00:00")
    assert b'"fecha_programada":2199-01-01 00:00:00,' in answer.body
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
    mended = answer.body.replace(b"2199-01-01 00:00:00", b"null")
    assert json.loads(mended)["response"]["mensaje_enviado"] == tricky["var_mensaje"]
    assert json.loads((await envia.ask("send", **SEND)).body)["response"]["fecha_programada"] is None


async def test_the_outer_brackets_of_a_send_can_be_square(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(brackets=True)
    for token in (envia.token, "wrong"):
        body = (await envia.ask("send", **SEND, token=token)).body
        assert body.startswith(b'["error":')
        assert body.endswith(b"]")
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
        assert "codigo_error" in json.loads(b"{" + body[1:-1] + b"}")
    assert isinstance(await envia.call("creditos_disponibles"), dict)


@pytest.mark.parametrize("function", ["send", "creditos_disponibles"])
async def test_the_last_brace_can_be_missing(envia: Gateway, function: str) -> None:
    envia.vendor.quirks = Quirks(missing_brace=True)
    body = (await envia.ask(function, **SEND)).body
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert json.loads(body + b"}")["error"] is False


async def test_a_description_can_be_a_string(envia: Gateway) -> None:
    numero = "52,5589520095"
    good, bad = await envia.send(), await envia.send(numero=numero)
    envia.vendor.quirks = Quirks(description_as_string=True)
    for message_id, number, shown in ((good, NUMBER, ""), (bad, numero, "Mensaje_rechazado")):
        response = await envia.done("status_message", identificador=message_id, numero=number)
        assert response["description"] == shown


async def test_credits_can_be_numbers(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(credits_as_number=True)
    assert await envia.done("creditos_disponibles") == {"creditos_disponibles": 100_000}
    envia.vendor.account.credits = Decimal("9999.5")
    assert await envia.done("creditos_disponibles") == {"creditos_disponibles": 9999.5}
    mexico = (await envia.done("paises"))[0]
    assert (mexico["precio_gratis"], mexico["prefijo"]) == (0.5, "52")


async def test_what_a_duplicate_answers(envia: Gateway) -> None:
    first = await envia.send()
    envia.vendor.quirks = Quirks(duplicate_answer="first_id")
    assert (await envia.done("send", **SEND))["identificador"] == {"0": first}
    for kind in ("object", "list", "string"):
        envia.vendor.quirks = Quirks(duplicate_answer="no_id", identificador=kind)
        assert (await envia.done("send", **SEND))["identificador"] == []
    envia.vendor.quirks = Quirks(duplicate_answer="no_data", identificador="list")
    assert await envia.done("send", **SEND) is None
    envia.vendor.quirks = Quirks(duplicate_answer="refused")
    assert await envia.refused("send", **SEND) == "138"
    assert len(envia.box.ledger) == 1


@pytest.mark.parametrize(
    ("first", "second", "sixty_minutes", "by_clock"),
    [
        ("10:00:00", "10:59:59", True, True),
        ("10:58:00", "11:02:00", True, False),
        ("10:30:00", "11:30:00", False, False),
        ("10:30:00", "10:30:00", True, True),
    ],
)
def test_the_hour_of_the_filter_can_be_one_on_the_clock(
    first: str, second: str, sixty_minutes: bool, by_clock: bool
) -> None:
    def at(clock: str) -> datetime:
        return datetime.fromisoformat(f"2030-06-03T{clock}+00:00")

    store, key = Store(), ("525589520028", "Hola")
    store.add(Sms("1", key[0], at(first), None, 0.0, Decimal(1), key=key))
    assert (store.twin(key, at(second), 3600.0) is not None) == sixty_minutes
    assert (store.twin(key, at(second), 3600.0, by_clock=True) is not None) == by_clock


async def test_the_samples_test_token(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(bare_test_token=True)
    assert await envia.done("creditos_disponibles", token="pruebas") == {"creditos_disponibles": "9999"}
    assert await envia.refused("send", **SEND, token="pruebas") == "03"


async def test_how_letters_are_written(envia: Gateway) -> None:
    text = {**SEND, "var_mensaje": "a/b ñ Я", "ucs2": "1"}
    envia.vendor.quirks = Quirks(unicode_escapes=True)
    body = (await envia.ask("send", **text)).body
    assert rb'"a\/b \u00f1 \u042f"' in body
    assert json.loads(body)["response"]["mensaje_enviado"] == text["var_mensaje"]
    envia.vendor.quirks = Quirks(plain_slashes=True)
    assert "a/b ñ Я".encode() in (await envia.ask("send", **text)).body


async def test_wrong_type_and_byte_order_mark(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks(wrong_content_type=True, bom=True)
    answer = await envia.ask("creditos_disponibles")
    assert answer.content_type.startswith("text/html")
    assert answer.body[:3] == b"\xef\xbb\xbf"
    assert json.loads(answer.body[3:])["error"] is False


async def test_all_quirks_together_leave_something_that_can_be_understood(envia: Gateway) -> None:
    envia.vendor.quirks = Quirks.all()
    body = (await envia.ask("send", **SEND, fecha_programar="2199-01-01 00:00:00")).body.decode("utf-8-sig")
    mended = re.sub(r":(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),", r':"\1",', "{" + body[1:-1] + "}")
    envelope = json.loads(mended)
    [message] = envia.box.ledger.messages
    assert envelope["response"]["identificador"] == [message.message_id]
    assert "00" in envelope.values()
