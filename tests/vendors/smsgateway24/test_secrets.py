"""Canaries as credentials, number and text: where they must not show up, whatever happens."""

from __future__ import annotations

import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from canaries import Canaries, spellings
from received import Received
from served import Answer, Given

from mensasdk import MensaError, Secret, Timeouts
from mensasdk.transport import Event, HttpRequest
from mensasdk.vendors.smsgateway24 import (
    AddALotOfSms,
    AddSms,
    BulkSms,
    GetToken,
    SaveContact,
    SavePaket,
    SmsGateway24Client,
    SmsItem,
    SmsToSend,
)

from .samples import BULK_SENT, CONTACT, DEVICE_STATUS, DEVICES, LIST, SENT, STATUS, TAG
from .served import Served, client_of

# Signs that every encoding spells in its own way.
EMAIL = "canary-user+ñ%@example.com"
PASSWORD = "canary/pass word+&=ñ%\"'"
TOKEN, OTHER_TOKEN = "canary-token/+&=ñ%\"'", "canary-second+ñ%&"
NUMBER = "+34600987654"
WORD, CODE = "canary-text", "ZZ4711ZZ"  # nothing that a port or a time could be
TEXT = f"{WORD}: your key is {CODE}"
LOGIN = {"email": EMAIL, "password": PASSWORD}


CANARIES = Canaries(spellings(EMAIL, PASSWORD, TOKEN, OTHER_TOKEN), frozenset({NUMBER[3:], WORD, CODE}))

Call = Callable[[SmsGateway24Client], Awaitable[object]]
CALLS: dict[str, tuple[Given, Call]] = {
    "addsms": (SENT, lambda client: client.send_sms(NUMBER, TEXT)),
    "smstosend": (SENT, lambda client: client.send_sms_with_login(NUMBER, TEXT)),
    "addalotofsms": (BULK_SENT, lambda client: client.send_many([BulkSms(NUMBER, TEXT)])),
    "getallsms": (LIST, lambda client: client.list_sms(number=NUMBER)),
    "savetag": (TAG, lambda client: client.create_tag(WORD)),
    "savecontact": (CONTACT, lambda client: client.save_contact(NUMBER, 1, WORD)),
    "savepaket": ({"error": 0, "paket_id": 1}, lambda client: client.create_newsletter(WORD, TEXT, tag_ids=1)),
    "getalldevices": (DEVICES, lambda client: client.list_devices()),
    "getdevicestatus": (DEVICE_STATUS, lambda client: client.get_device_status(260)),
    "getsmsstatus": (STATUS, lambda client: client.get_status(22074698)),
}


def test_the_search_finds_a_secret_in_any_spelling() -> None:
    for text in (f"x{TOKEN}x", repr(PASSWORD), quote(EMAIL), json.dumps({"a": TOKEN}), str(PASSWORD.encode())):
        with pytest.raises(AssertionError, match="the text shows"):
            CANARIES.check_absent("the text", text)


def check_urls(server: Served) -> None:
    for request in server.requests:
        assert request.method == "POST"
        assert "?" not in request.target
        CANARIES.check_absent("the address", request.target)
        headers = {name: value for name, value in request.headers.items() if name != "cookie"}
        CANARIES.check_absent("a header", str(headers))


@pytest.mark.parametrize("function", CALLS)
async def test_credentials_stand_in_no_address_header_log_or_event(
    function: str, log: pytest.LogCaptureFixture
) -> None:
    answer, call = CALLS[function]
    events: list[Event] = []
    refused = {"error": 1, "message": f"Token {TOKEN} is wrong"}
    answers: dict[str, Any] = {
        "gettoken": {"error": 0, "token": OTHER_TOKEN},
        function: answer if function == "smstosend" else (refused, answer),
    }
    settings = {**LOGIN, "token": TOKEN, "hooks": [events.append]}
    async with Served(**answers) as server, client_of(server, **settings) as client:
        result = await call(client)
    sent = b"".join(request.body for request in server.requests).decode()
    assert quote_plus(PASSWORD) in sent  # the canaries did go out
    check_urls(server)
    assert events
    CANARIES.check_absent("an event", "".join(map(repr, events)))
    CANARIES.check_log(log)
    CANARIES.check_absent("the answer", repr(result), personal=False)


def quoting(request: Received) -> dict[str, Any]:
    """Return a refusal that repeats everything that it was sent."""
    form = request.form
    if "datajson" in form:
        form = {"token": request.datajson["token"], **request.datajson["smsdata"][0]}
    return {"error": 1, "message": f"Wrong: {' / '.join(map(str, form.values()))} for {EMAIL} and {PASSWORD}"}


FAILURES: dict[str, Given] = {
    "refused": Answer(quoting),
    "refused token": Answer(lambda request: {"error": 1, "message": f"Bad token: {quoting(request)['message']}"}),
    "lost": None,
    "500": Answer(f"oops {TOKEN} {TEXT}".encode(), status=500),
    "403": Answer(f"oops {TOKEN} {TEXT}".encode(), status=403),
    "404": Answer(f"oops {TOKEN} {TEXT}".encode(), status=404),
    "redirect": Answer(b"", status=302, headers={"Location": f"/?token={quote(TOKEN)}"}),
    "page": f"<html>{TOKEN} {TEXT}</html>".encode(),
    "cut": f'{{"error":0,"message":"{WORD} {NUMBER}'.encode(),
    "unreadable": {"error": f"{TOKEN}", "message": TEXT},
    "no id": {"error": 0, "message": TEXT, "token": TOKEN},
    "ambiguous": {"error": 1, "sms_id": 5, "tag_id": 5, "contact_id": 5, "paket_id": 5, "message": TEXT},
}


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("function", ["addsms", "smstosend", "addalotofsms", "savecontact"])
async def test_no_error_log_or_event_shows_a_secret_or_what_was_sent(
    function: str, failure: str, log: pytest.LogCaptureFixture
) -> None:
    events: list[Event] = []
    answers: dict[str, Any] = {"gettoken": {"error": 0, "token": OTHER_TOKEN}, function: FAILURES[failure]}
    settings = {**LOGIN, "token": TOKEN, "hooks": [events.append], "timeouts": Timeouts(total=20)}
    async with Served(**answers) as server, client_of(server, **settings) as client:
        try:
            await CALLS[function][1](client)
        except MensaError as error:
            CANARIES.check_error(error)
        else:
            assert (failure, function) == ("no id", "addalotofsms")  # which has none to give
    check_urls(server)
    CANARIES.check_absent("an event", "".join(map(repr, events)))
    CANARIES.check_log(log)


async def test_a_failed_login_shows_no_credentials(log: pytest.LogCaptureFixture) -> None:
    refused = {"error": 1, "message": f"Login or password incorrect: {EMAIL} {PASSWORD}"}
    for answer in (refused, None, {"error": 0, "token": f"{OTHER_TOKEN}\nx"}, FAILURES["page"], FAILURES["500"]):
        async with Served(gettoken=answer, addsms=SENT) as server, client_of(server, **LOGIN) as client:
            for call in (client.get_token(), client.send_sms(NUMBER, TEXT)):
                with pytest.raises(MensaError) as caught:
                    await call
                CANARIES.check_error(caught.value)
        check_urls(server)
    CANARIES.check_log(log)


async def test_a_client_shows_no_secret() -> None:
    async with SmsGateway24Client(token=TOKEN, email=EMAIL, password=PASSWORD) as client:
        for shown in (repr(client), str(client), repr(vars(client)), repr(vars(client._session))):
            CANARIES.check_absent("the client", shown)
        assert "https://smsgateway24.com/getdata" in repr(client)
        with pytest.raises(TypeError):
            pickle.dumps(client)


def test_requests_show_no_credentials_no_number_and_no_text() -> None:
    secret = Secret(TOKEN)
    plain: dict[str, Any] = {"number": NUMBER, "text": TEXT, "device_id": "1", "sim": 0}
    item = SmsItem(**plain)
    requests = [
        GetToken(email=Secret(EMAIL), password=Secret(PASSWORD)),
        AddSms(token=secret, image=CODE.encode(), **plain),
        SmsToSend(email=Secret(EMAIL), password=Secret(PASSWORD), **plain),
        AddALotOfSms(token=secret, items=[item]),
        SaveContact(token=secret, phone=NUMBER, tag_id="1", full_name=WORD),
        SavePaket(token=secret, title=WORD, text=TEXT, device_id="1", tags="1", sim=0),
        BulkSms(NUMBER, TEXT),
    ]
    for request in requests:
        CANARIES.check_absent("a request", f"{request!r} {request}")
    CANARIES.check_absent("an item", repr(item))


def test_an_http_request_shows_no_body() -> None:
    client = SmsGateway24Client(token=TOKEN)
    request = client._encode(AddSms(token=Secret(TOKEN), number=NUMBER, text=TEXT, device_id="1", sim=0))
    assert isinstance(request, HttpRequest)
    assert quote_plus(TOKEN).encode() in request.body
    CANARIES.check_absent("the request", repr(request))
