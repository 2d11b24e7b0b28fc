"""The emulated smsgateway24: login, tokens and the four ways to send."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from mensasdk.sandbox import Sandbox, SmsGateway24
from mensasdk.sandbox.smsgateway24 import Account
from sandbox.smsgateway24_caller import SEND, Gateway

SAVED = "Sms has been saved successfully"


def refused(answer: Any, says: str) -> None:
    assert answer.keys() == {"error", "message"}
    assert answer["error"] == 1
    assert says in answer["message"]


# ---------------------------------------------------------------------- login and tokens


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_gettoken_gives_a_token_that_works(gateway: Gateway, method: str) -> None:
    account = gateway.box.credentials("smsgateway24")
    assert account.keys() == {"email", "password"}
    where = "params" if method == "GET" else "data"
    login = {"email": account["email"], "pass": account["password"]}
    answer = json.loads((await gateway.ask(method, "gettoken", **{where: login})).body)
    assert answer == {"error": 0, "message": "OK", "token": gateway.vendor.token}
    assert len(answer["token"]) == 32
    assert (await gateway.call("getsmsstatus", token=answer["token"], sms_id=1))["message"] == "Sms not found"


@pytest.mark.parametrize("wrong", [{"pass": "x"}, {"email": "x"}, {"pass": ""}, {"email": ""}, {"email": "ñ"}])
@pytest.mark.parametrize("function", ["gettoken", "smstosend"])
async def test_a_wrong_login_gets_the_published_error(gateway: Gateway, function: str, wrong: dict[str, str]) -> None:
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password, **wrong}
    answer = await gateway.ask("POST", function, data={**SEND, **login})
    assert answer.status == 200
    assert json.loads(answer.body) == {"error": 1, "message": "Login or password incorrect"}
    assert len(gateway.box.ledger) == 0


TOKEN_FUNCTIONS = sorted(set(SmsGateway24.functions) - {"gettoken", "smstosend", "addalotofsms", "addsmstosenderid"})


@pytest.mark.parametrize("function", TOKEN_FUNCTIONS)
@pytest.mark.parametrize("token", ["", "wrong"])
async def test_every_function_wants_a_valid_token(gateway: Gateway, function: str, token: str) -> None:
    refused(await gateway.call(function, token=token, **SEND), "Token is incorrect")
    assert gateway.box.ledger.requests[-1].outcome == "1"
    assert len(gateway.box.ledger) == 0


async def test_revoked_tokens_are_refused_until_the_next_login(gateway: Gateway) -> None:
    old = gateway.vendor.token
    assert (await gateway.call("addsms", token=old, **SEND))["error"] == 0
    gateway.vendor.revoke_tokens()
    refused(await gateway.call("addsms", token=old, **SEND), "Token is incorrect")
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password}
    new = json.loads((await gateway.ask("POST", "gettoken", data=login)).body)["token"]
    assert new != old
    assert (await gateway.call("addsms", token=new, **SEND))["error"] == 0
    assert len(gateway.box.ledger) == 2


# ---------------------------------------------------------------------- addsms


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_addsms_is_accepted_and_stands_in_the_ledger(gateway: Gateway, method: str) -> None:
    text = "Año nuevo & más=1 + €"
    answer = await gateway.call("addsms", method, **{**SEND, "body": text, "customerid": 122, "sim": 1})
    assert answer == {"error": 0, "sms_id": answer["sms_id"], "message": SAVED}
    [message] = gateway.box.ledger.messages
    assert (message.vendor, message.number, message.text) == ("smsgateway24", "34600000000", text)
    assert message.message_id == message.report_id == str(answer["sms_id"])
    assert (message.parts, message.credits, message.reference) == (1, Decimal(0), "122")
    assert (message.sender, message.state, message.scheduled_at) == ("34600001260", "sent", None)
    assert gateway.box.ledger.charged == 0
    [request] = gateway.box.ledger.requests
    assert (request.function, request.outcome, request.n_accepted) == ("addsms", "0", 1)


async def test_parts_are_counted_from_the_text(gateway: Gateway) -> None:
    for text in ("a" * 160, "a" * 161, "ж" * 70, "ж" * 71):
        await gateway.send(body=text)
    assert [message.parts for message in gateway.box.ledger.messages] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("sendto", "numbers"),
    [
        ("+34600000001,+34600000002", ["34600000001", "34600000002"]),
        ("+4915752982212, +4917642111111, +1 17642031984", ["4915752982212", "4917642111111", "117642031984"]),
        (",34600000001,,", ["34600000001"]),
        ("34600000001,34600000001", ["34600000001", "34600000001"]),
    ],
)
async def test_a_comma_makes_several_paid_messages(gateway: Gateway, sendto: str, numbers: list[str]) -> None:
    """One answer with one id, and the ledger shows how many really went out."""
    answer = await gateway.send(sendto)
    ledger = gateway.box.ledger
    assert [message.number for message in ledger.messages] == numbers
    assert {message.message_id for message in ledger.messages} == {str(answer["sms_id"])}
    assert len({message.report_id for message in ledger.messages}) == len(ledger) == len(numbers)
    assert ledger.requests[0].n_accepted == len(numbers)
    assert [str(sms_id) for sms_id in await gateway.listed()] == [message.report_id for message in ledger.messages]


@pytest.mark.parametrize(
    ("sendto", "number"),
    [("+1- (928) -111-22-33", "19281112233"), ("0034600000000", "34600000000"), ("maria@example.com", None)],
)
async def test_an_address_may_be_written_in_any_way(gateway: Gateway, sendto: str, number: str | None) -> None:
    await gateway.send(sendto)
    assert gateway.box.ledger.messages[0].number == (number or sendto)
    assert gateway.sms((await gateway.listed())[0]).sendto == sendto


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"sendto": ""}, "sendto is required"),
        ({"sendto": " , "}, "sendto is required"),
        ({"body": ""}, "body is required"),
        ({"device_id": ""}, "device_id is required"),
        ({"device_id": "999"}, "Device not found"),
        ({"device_id": "NOBODY"}, "Device not found"),
        ({"sim": ""}, "sim is required"),
        ({"sim": "6"}, "sim is incorrect"),
        ({"sim": "-1"}, "sim is incorrect"),
        ({"timetosend": "29.05.2026 17:21:27"}, "timetosend is incorrect"),
        ({"timetosend": "2026-02-30"}, "timetosend is incorrect"),
        ({"timetosend": "9999-12-31"}, "timetosend is incorrect"),
        ({"customerid": "abc"}, "customerid is incorrect"),
        ({"urgent": "2"}, "urgent is incorrect"),
    ],
)
async def test_what_cannot_be_sent_is_refused(gateway: Gateway, params: dict[str, str], says: str) -> None:
    refused(await gateway.send(**params), says)
    refused(await gateway.bulk({}, params), says)
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password}
    refused(json.loads((await gateway.ask("POST", "smstosend", data={**SEND, **login, **params})).body), says)
    assert len(gateway.box.ledger) == 0
    assert len(gateway.vendor.store) == 0


async def test_a_sender_id_may_stand_for_a_device(gateway: Gateway) -> None:
    sms_id = (await gateway.send(device_id="MENSASDK"))["sms_id"]
    assert gateway.sms(sms_id).device.id == 260
    assert gateway.box.ledger.messages[0].sender == "MENSASDK"


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"])
async def test_timetosend_is_utc(gateway: Gateway, form: str) -> None:
    text = (datetime.now(UTC) + timedelta(days=9)).strftime(form)
    sms_id = (await gateway.send(timetosend=text))["sms_id"]
    [message] = gateway.box.ledger.messages
    assert message.scheduled_at == datetime.strptime(text, form).replace(tzinfo=UTC)
    assert message.state == "scheduled"
    assert (await gateway.call("getsmsstatus", sms_id=sms_id))["status"] == 1


async def test_a_date_that_has_passed_means_at_once(gateway: Gateway) -> None:
    await gateway.send(timetosend="2019-07-01 23:50:00")
    assert gateway.box.ledger.messages[0].scheduled_at is None
    assert gateway.box.ledger.messages[0].state == "sent"


async def test_names_are_read_in_their_exact_case(gateway: Gateway) -> None:
    """``customerId``, as a published client spells it, is lost."""
    await gateway.send(customerId="5")
    assert gateway.box.ledger.messages[0].reference == ""


async def test_a_json_body_is_no_form(gateway: Gateway) -> None:
    answer = await gateway.ask("POST", "addsms", json={**SEND, "token": gateway.vendor.token})
    refused(json.loads(answer.body), "Token is incorrect")


async def test_the_query_counts_in_a_post_and_the_form_wins(gateway: Gateway) -> None:
    query = {"token": gateway.vendor.token, **SEND, "body": "query"}
    assert json.loads((await gateway.ask("POST", "addsms", params=query, data={"body": "form"})).body)["error"] == 0
    assert gateway.box.ledger.messages[0].text == "form"


# ---------------------------------------------------------------------- images


def image_form(
    token: str, *, filename: str = "a.png", content_type: str = "image/png", **fields: str
) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in {**SEND, "sim": "2", "token": token, **fields}.items():
        if value:
            form.add_field(name, value)
    form.add_field("file", b"\x89PNG\r\n\x1a\n\x00\xff", filename=filename, content_type=content_type)
    return form


@pytest.mark.parametrize("body", ["", "Hola"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
async def test_an_image_becomes_a_public_address_in_the_body(gateway: Gateway, kind: str, body: str) -> None:
    form = image_form(gateway.vendor.token, content_type=f"image/{kind}", body=body)
    answer = json.loads((await gateway.ask("POST", "addsms", data=form)).body)
    assert answer["message"] == SAVED
    [(url, content)] = gateway.vendor.images.items()
    assert content == b"\x89PNG\r\n\x1a\n\x00\xff"
    assert gateway.box.ledger.messages[0].text == url == gateway.sms(answer["sms_id"]).body
    assert gateway.vendor.token not in repr(gateway.box.ledger.requests)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"content_type": "application/pdf", "filename": "a.pdf"}, "file is incorrect"),
        ({"content_type": "image/tiff"}, "file is incorrect"),
        ({"sim": "0"}, "WhatsApp"),
        ({"sim": "4"}, "WhatsApp"),
    ],
)
async def test_other_files_and_other_channels_are_refused(gateway: Gateway, wrong: dict[str, str], says: str) -> None:
    form = image_form(gateway.vendor.token, **wrong)
    refused(json.loads((await gateway.ask("POST", "addsms", data=form)).body), says)
    assert not gateway.vendor.images


async def test_a_file_that_is_text_is_no_file(gateway: Gateway) -> None:
    refused(await gateway.send(body="", file="x.png", sim=2), "body is required")


async def test_a_form_that_is_cut_is_refused(gateway: Gateway) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nx'
    refused(json.loads((await gateway.ask("POST", "addsms", data=body, headers=headers)).body), "incomplete")


# ---------------------------------------------------------------------- smstosend


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_smstosend_takes_the_login(gateway: Gateway, method: str) -> None:
    login = {"email": gateway.vendor.account.email, "pass": gateway.vendor.account.password}
    where = "params" if method == "GET" else "data"
    answer = json.loads((await gateway.ask(method, "smstosend", **{where: {**SEND, **login}})).body)
    assert answer == {"error": 0, "sms_id": answer["sms_id"], "message": SAVED}
    assert gateway.box.ledger.messages[0].message_id == str(answer["sms_id"])
    refused(await gateway.call("smstosend", **SEND), "Login or password incorrect")


# ---------------------------------------------------------------------- addalotofsms


async def test_addalotofsms_gives_no_ids_and_the_list_finds_them(gateway: Gateway) -> None:
    items: list[dict[str, Any]] = [
        {"sendto": "+34600000001", "customerid": 7, "urgent": 1, "device_id": 261, "sim": 0},
        {"sendto": "+34600000002", "customerid": 8, "urgent": "0", "device_id": "260", "sim": "1"},
        {"sendto": "+34600000003", "timetosend": None, "customerid": None, "urgent": False},
    ]
    assert await gateway.bulk(*items) == {"error": 0, "message": SAVED}
    messages = gateway.box.ledger.messages
    assert [message.number for message in messages] == ["34600000001", "34600000002", "34600000003"]
    assert [message.reference for message in messages] == ["7", "8", ""]
    assert [message.sender for message in messages] == ["34600000261", "34600001260", "34600000260"]
    assert [str(sms_id) for sms_id in await gateway.listed(customerid=8)] == [messages[1].message_id]
    assert len({message.report_id for message in messages}) == 3


async def test_addalotofsms_works_by_get(gateway: Gateway) -> None:
    data = json.dumps({"token": gateway.vendor.token, "smsdata": [SEND]})
    assert json.loads((await gateway.ask("GET", "addalotofsms", params={"datajson": data})).body)["error"] == 0
    assert gateway.box.ledger.messages[0].number == "34600000000"


@pytest.mark.parametrize("data", ["", "{", "[]", "null", '"x"', '{"smsdata":['])
async def test_datajson_that_is_no_object_is_refused_and_not_kept(gateway: Gateway, data: str) -> None:
    answer = json.loads((await gateway.ask("POST", "addalotofsms", data={"datajson": data, "x": "1"})).body)
    refused(answer, "datajson is not a JSON object")
    assert gateway.box.ledger.requests[0].params == {"x": "1"}


@pytest.mark.parametrize("items", [None, [], {}, "x", [1]])
async def test_smsdata_must_be_a_list_of_objects(gateway: Gateway, items: Any) -> None:
    data = json.dumps({"token": gateway.vendor.token, "smsdata": items})
    refused(json.loads((await gateway.ask("POST", "addalotofsms", data={"datajson": data})).body), "smsdata is")


async def test_the_token_of_a_bulk_request_stands_inside(gateway: Gateway) -> None:
    token = gateway.vendor.token
    for form in ({"token": token, "datajson": json.dumps({"smsdata": [SEND]})}, {"token": token}):
        refused(json.loads((await gateway.ask("POST", "addalotofsms", data=form)).body), "Token is incorrect")
    refused(await gateway.bulk({}, token="wrong"), "Token is incorrect")
    raw = {"token": token, "smsdata": [SEND]}
    refused(json.loads((await gateway.ask("POST", "addalotofsms", json=raw)).body), "Token is incorrect")
    assert len(gateway.box.ledger) == 0


# ---------------------------------------------------------------------- addsmstosenderid


async def test_addsmstosenderid_fills_in_a_template(gateway: Gateway) -> None:
    body: dict[str, Any] = {
        "token": gateway.vendor.token, "send_to": "+34600000001", "sender_id": 2, "template_id": "9",
        "template_data": {"var_1": "Ana", "order": 777},
    }  # fmt: skip
    assert json.loads((await gateway.ask("POST", "addsmstosenderid", json=body)).body) == {"error": 0, "message": SAVED}
    [message] = gateway.box.ledger.messages
    assert (message.text, message.sender) == ("Hello Ana, your order 777 is ready.", "MENSASDK")
    for wrong, says in (
        ({"send_to": ""}, "send_to is required"),
        ({"sender_id": 3}, "Sender ID not found"),
        ({"template_id": 1}, "Template not found"),
        ({"template_data": "x"}, "template_data is incorrect"),
        ({"token": "x"}, "Token is incorrect"),
    ):
        refused(json.loads((await gateway.ask("POST", "addsmstosenderid", json={**body, **wrong})).body), says)
    refused(json.loads((await gateway.ask("POST", "addsmstosenderid", data=body)).body), "not a JSON object")
    assert (await gateway.ask("GET", "addsmstosenderid")).status == 405
    assert len(gateway.box.ledger) == 1


# ---------------------------------------------------------------------- memory and secrets


async def test_without_messages_memory_is_flat() -> None:
    """Only the newest messages can be asked for; the totals stay exact."""
    box = Sandbox(keep_messages=False, smsgateway24=SmsGateway24(retention=10))
    async with box, aiohttp.ClientSession() as session:
        gateway = Gateway(box, session)
        for customer in range(4):
            await gateway.bulk(*[{"customerid": customer}] * 8)
        form = image_form(gateway.vendor.token)
        await gateway.ask("POST", "addsms", data=form)
        assert len(box.ledger) == 33
        assert len(await gateway.listed()) == len(box.smsgateway24.store) == 10
        assert (await gateway.call("getallsms", customerid=3, onlycount=1))["count"] == 8
        assert (await gateway.call("getallsms", customerid=2, onlycount=1))["count"] == 1
        assert set(box.smsgateway24.store._by_customer) == {2, 3}
        assert await gateway.listed(customerid=2) == (await gateway.listed())[:1], "the oldest are the ones forgotten"
        assert not box.ledger.messages
        assert not box.ledger.requests
        assert not box.smsgateway24.images


async def test_nothing_secret_reaches_ledger_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    account = Account(email="who@example.com", password="canary-password")
    box = Sandbox(smsgateway24=SmsGateway24(account=account))
    with caplog.at_level(logging.DEBUG):
        async with box, aiohttp.ClientSession() as session:
            gateway = Gateway(box, session)
            token = gateway.vendor.token
            login = {"email": account.email, "pass": account.password}
            for method, where in (("GET", "params"), ("POST", "data")):
                await gateway.ask(method, "gettoken", **{where: login})
                await gateway.ask(method, "smstosend", **{where: {**SEND, **login, "Token": token}})
                await gateway.call("addsms", method, **SEND)
                cut = json.dumps({"token": token, "smsdata": [SEND]})
                await gateway.ask(method, "addalotofsms", **{where: {"datajson": cut}})
                await gateway.ask(method, "addalotofsms", **{where: {"datajson": cut[:-1], "token": token}})
                await gateway.ask(method, "gettokens", **{where: {**login, "token": token}})
            await gateway.ask("POST", "addsmstosenderid", json={"token": token, "send_to": "1"})
            await gateway.ask("POST", "addsms", json={"token": token})
            await asyncio.sleep(0)
    assert box.ledger.request_count() == 14
    shown = repr(box.ledger.requests) + repr(box) + repr(box.smsgateway24) + repr(account) + caplog.text
    shown += repr(box.ledger.messages)
    assert account.password not in shown
    assert token not in shown
    assert {"datajson": {"smsdata": [SEND]}} in [request.params for request in box.ledger.requests]
