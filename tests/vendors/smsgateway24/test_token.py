"""Tokens: fetched once and late, fetched again once when refused, and never a second send after a lost answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from served import Answer, Given
from shared import check_plain

from mensasdk import (
    AuthError,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    DecodeError,
    MensaError,
    OutcomeKind,
    Secret,
    Timeouts,
    UnexpectedStatus,
    VendorError,
)
from mensasdk.transport import cancelled_outcome
from mensasdk.vendors.smsgateway24 import BulkSms, GetAllDevices, SmsGateway24Client, Token

from .samples import BULK_SENT, CONTACT, DEVICE_STATUS, DEVICES, LIST, SENT, STATUS, TAG, TOKEN_REFUSED
from .samples import TOKEN as TOKEN_SAMPLE
from .served import EMAIL, LOGIN, NUMBER, PASSWORD, TOKEN, Served, client_of, talking

OLD, NEW = "0" * 32, "1" * 32
LOGGED_IN = {"error": 0, "message": "OK", "token": NEW}
# The words are an assumption: the vendor publishes none for this.
REFUSED = {"error": 1, "message": "Wrong token"}


def tokens(server: Any, function: str) -> list[str]:
    return [request.form["token"] for request in server.requests if request.function == function]


# ------------------------------------------------------------------------------------------------------------- fetching


async def test_get_token_logs_in_by_post_and_its_token_is_used() -> None:
    async with talking(LOGIN, gettoken=TOKEN_SAMPLE, addsms=SENT) as (client, server):
        token = await client.get_token()
        await client.send_sms(NUMBER, "Hola")
    assert token == Secret("abbde3e31e9d026c02f41119fc551111e")
    login, send = server.requests
    assert (login.method, login.target) == ("POST", "/getdata/gettoken")
    assert login.form == {"email": EMAIL, "pass": PASSWORD}
    assert send.form["token"] == token.reveal()


async def test_get_token_replaces_a_token_that_was_given() -> None:
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=SENT) as (client, server):
        await client.get_token()
        await client.send_sms(NUMBER, "Hola")
    assert tokens(server, "addsms") == [NEW]


async def test_get_token_needs_a_login() -> None:
    async with talking({"token": OLD}, gettoken=LOGGED_IN) as (client, server):
        with pytest.raises(ConfigurationError, match="email and password"):
            await client.get_token()
    assert not server.requests


async def test_a_refused_login_is_told_as_it_is() -> None:
    async with talking(LOGIN, gettoken=TOKEN_REFUSED) as (client, server):
        with pytest.raises(AuthError, match="Login or password incorrect") as caught:
            await client.get_token()
    assert caught.value.code == "1"
    assert caught.value.vendor == "smsgateway24"
    assert caught.value.outcome is OutcomeKind.REJECTED
    assert server.functions == ["gettoken"]
    check_plain(caught.value, "smsgateway24")


@pytest.mark.parametrize(
    "body",
    [
        {"error": 0, "message": "OK"},
        {"error": 0, "message": "OK", "token": ""},
        {"error": 0, "message": "OK", "token": None},
        {"error": 0, "message": "OK", "token": ["x"]},
        {"error": 0, "message": "OK", "token": "ab\ncd"},
    ],
)
async def test_a_login_without_a_usable_token_is_no_login(body: Given) -> None:
    async with talking(LOGIN, gettoken=body) as (client, _):
        with pytest.raises(DecodeError) as caught:
            await client.get_token()
    check_plain(caught.value, "smsgateway24")


async def test_no_length_is_expected_of_a_token() -> None:
    """The vendor's sample has 33 characters, its real tokens 32."""
    for text in ("x", "abbde3e31e9d026c02f41119fc551111e", "y" * 400, 12345):
        async with talking(LOGIN, gettoken={"error": 0, "token": text}) as (client, _):
            assert (await client.get_token()).reveal() == str(text)


async def test_the_first_call_that_needs_a_token_fetches_it_and_the_next_ones_use_it() -> None:
    async with talking(LOGIN, gettoken=LOGGED_IN, addsms=SENT, getalldevices=DEVICES) as (client, server):
        assert not server.requests
        await client.send_sms(NUMBER, "Hola")
        await client.send_sms(NUMBER, "Hola")
        await client.list_devices()
    assert server.functions == ["gettoken", "addsms", "addsms", "getalldevices"]
    assert tokens(server, "addsms") == [NEW, NEW]


async def test_a_token_that_is_given_is_used_without_a_login() -> None:
    async with talking({**LOGIN, "token": OLD}, addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["addsms"]
    assert tokens(server, "addsms") == [OLD]


async def test_many_first_calls_at_once_make_one_login() -> None:
    gate = asyncio.Event()
    async with talking(LOGIN, gettoken=Answer(LOGGED_IN, after=gate), addsms=SENT) as (client, server):
        sends = [asyncio.create_task(client.send_sms(NUMBER, "Hola")) for _ in range(20)]
        await server.arrived()
        gate.set()
        await asyncio.gather(*sends)
    assert server.functions == ["gettoken", *["addsms"] * 20]


async def test_a_login_that_fails_fails_for_all_who_waited_for_it_and_nothing_was_sent() -> None:
    gate = asyncio.Event()
    async with talking(LOGIN, gettoken=Answer(TOKEN_REFUSED, after=gate), addsms=SENT) as (client, server):
        sends = [asyncio.create_task(client.send_sms(NUMBER, "Hola")) for _ in range(20)]
        await server.arrived()
        gate.set()
        errors = await asyncio.gather(*sends, return_exceptions=True)
        assert server.functions == ["gettoken"]
        assert len({id(error) for error in errors}) == 20
        for error in errors:
            assert type(error) is AuthError
            assert error.outcome is OutcomeKind.NOT_SENT
            check_plain(error, "smsgateway24")
        # Whoever comes later tries again.
        server.answers["gettoken"] = [Answer(LOGGED_IN)]
        await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["gettoken", "gettoken", "addsms"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, ConnectionLost),
        (Answer(b"oops", status=500), UnexpectedStatus),
        (b"<html>maintenance</html>", MensaError),
        ({"error": 1, "message": "Server overloaded"}, VendorError),
        ({"error": "what"}, DecodeError),
    ],
)
async def test_whatever_becomes_of_the_login_the_message_was_not_sent(answer: Given, error: type[MensaError]) -> None:
    async with talking(LOGIN, gettoken=answer, addsms=SENT) as (client, server):
        with pytest.raises(error) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert set(server.functions) == {"gettoken"}
    check_plain(caught.value, "smsgateway24")


async def test_a_login_whose_answer_is_lost_is_made_again() -> None:
    """It gives another token and changes nothing else, so it may be repeated like a read."""
    async with talking(LOGIN, gettoken=(None, LOGGED_IN), addsms=SENT) as (client, server):
        await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["gettoken", "gettoken", "addsms"]


async def test_no_connection_for_the_login_means_not_sent() -> None:
    async with Served() as server:
        url = server.url
    async with SmsGateway24Client(email=EMAIL, password=PASSWORD, base_url=url, device_id=1) as client:
        with pytest.raises(ConnectError) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert caught.value.outcome is OutcomeKind.NOT_SENT


@pytest.mark.parametrize("waiting", ["in the login", "for somebody's login"])
async def test_a_call_cancelled_before_it_has_a_token_was_not_sent_and_the_others_go_on(waiting: str) -> None:
    gate = asyncio.Event()
    answers = (Answer(LOGGED_IN, after=gate), Answer(LOGGED_IN))
    async with talking(LOGIN, gettoken=answers, addsms=SENT) as (client, server):
        first = asyncio.create_task(client.send_sms(NUMBER, "Hola"))
        await server.arrived()
        second = asyncio.create_task(client.send_sms(NUMBER, "Hola"))
        await asyncio.sleep(0)
        victim, other = (first, second) if waiting == "in the login" else (second, first)
        victim.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await victim
        assert cancelled_outcome(caught.value) is OutcomeKind.NOT_SENT
        gate.set()
        assert (await other).sms_id == "62807347"
    assert server.functions.count("addsms") == 1


# ----------------------------------------------------------------------------------------------------------- refreshing


async def test_a_refused_token_is_replaced_and_the_call_made_again_once() -> None:
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=(REFUSED, SENT)) as (client, server):
        result = await client.send_sms(NUMBER, "Hola", customer_id=7)
        await client.send_sms(NUMBER, "Hola")
    assert result.sms_id == "62807347"
    assert server.functions == ["addsms", "gettoken", "addsms", "addsms"]
    assert tokens(server, "addsms") == [OLD, NEW, NEW]
    first, _, again, _ = server.requests
    assert {**first.form, "token": NEW} == again.form


async def test_a_new_token_that_is_refused_too_is_the_end() -> None:
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=REFUSED) as (client, server):
        with pytest.raises(AuthError, match="Wrong token") as caught:
            await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["addsms", "gettoken", "addsms"]
    assert caught.value.outcome is OutcomeKind.REJECTED
    check_plain(caught.value, "smsgateway24")


async def test_without_a_login_a_refused_token_is_the_end() -> None:
    async with talking({"token": OLD}, addsms=REFUSED, gettoken=LOGGED_IN) as (client, server):
        with pytest.raises(AuthError) as caught:
            await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["addsms"]
    assert caught.value.outcome is OutcomeKind.REJECTED


async def test_a_login_that_fails_after_a_refusal_leaves_the_message_unsent() -> None:
    settings = {**LOGIN, "token": OLD}
    async with talking(settings, gettoken=TOKEN_REFUSED, addsms=REFUSED) as (client, server):
        with pytest.raises(AuthError, match="Login or password incorrect") as caught:
            await client.send_sms(NUMBER, "Hola")
    assert server.functions == ["addsms", "gettoken"]
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    check_plain(caught.value, "smsgateway24")


async def test_calls_refused_together_make_one_login() -> None:
    """Also where the account has one token, so that the login gives the very same text again."""
    for given in (NEW, OLD):
        gate = asyncio.Event()
        refusals = tuple(Answer(REFUSED, after=gate) for _ in range(10))
        login = Answer({"error": 0, "token": given})
        settings = {**LOGIN, "token": OLD}
        async with talking(settings, gettoken=login, addsms=(*refusals, SENT)) as (client, server):
            sends = [asyncio.create_task(client.send_sms(NUMBER, "Hola")) for _ in range(10)]
            await server.arrived(10)
            gate.set()
            results = await asyncio.gather(*sends)
        assert server.functions.count("gettoken") == 1
        assert server.functions.count("addsms") == 20
        assert {result.sms_id for result in results} == {"62807347"}
        assert tokens(server, "addsms") == [*[OLD] * 10, *[given] * 10]


async def test_one_call_that_was_refused_late_uses_the_token_that_another_has_fetched() -> None:
    gate = asyncio.Event()
    answers = (Answer(REFUSED, after=gate), REFUSED, SENT)
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=answers) as (client, server):
        late = asyncio.create_task(client.send_sms(NUMBER, "Hola"))
        await server.arrived()
        await client.send_sms(NUMBER, "Hola")
        gate.set()
        await late
    assert server.functions == ["addsms", "addsms", "gettoken", "addsms", "addsms"]
    assert tokens(server, "addsms") == [OLD, OLD, NEW, NEW]


CALLS: dict[str, tuple[Given, Callable[[SmsGateway24Client], Awaitable[object]]]] = {
    "addsms": (SENT, lambda client: client.send_sms(NUMBER, "Hola")),
    "addalotofsms": (BULK_SENT, lambda client: client.send_many([BulkSms(NUMBER, "Hola")])),
    "getallsms": (LIST, lambda client: client.list_sms()),
    "savetag": (TAG, lambda client: client.create_tag("t")),
    "savecontact": (CONTACT, lambda client: client.save_contact(NUMBER, 1, "n")),
    "savepaket": ({"error": 0, "paket_id": 1}, lambda client: client.create_newsletter("t", "b", tag_ids=1)),
    "getalldevices": (DEVICES, lambda client: client.list_devices()),
    "getdevicestatus": (DEVICE_STATUS, lambda client: client.get_device_status(260)),
    "getsmsstatus": (STATUS, lambda client: client.get_status(22074698)),
}


@pytest.mark.parametrize("function", CALLS)
async def test_every_function_with_a_token_refreshes_it(function: str) -> None:
    answer, call = CALLS[function]
    answers: dict[str, Any] = {function: (REFUSED, answer), "gettoken": LOGGED_IN}
    async with talking({**LOGIN, "token": OLD}, **answers) as (client, server):
        await call(client)
    assert server.functions == [function, "gettoken", function]


@pytest.mark.parametrize("function", ["addsms", "addalotofsms", "savetag", "savecontact", "savepaket"])
@pytest.mark.parametrize(
    "lost",
    [
        None,
        Answer(b"", status=200),
        Answer(b"oops", status=500),
        Answer(b"oops", status=502),
        Answer({"error": 1, "message": "Wrong token"}, status=503),
        b'{"error":1,"message":"Wrong tok',
        b"<html>token expired, log in</html>",
        b"Wrong token",
        {"message": "Wrong token"},
        {"error": "Wrong token"},
        {"error": 1, "message": "Wrong token", "sms_id": 5, "tag_id": 5, "contact_id": 5, "paket_id": 5},
        Answer(b"", status=302, headers={"Location": "/login?token=expired"}),
    ],
    ids=str,
)
async def test_after_anything_but_a_refusal_nothing_is_made_again(function: str, lost: Given) -> None:
    """Whatever it says of tokens: only the vendor's own complete refusal means that it did nothing."""
    _, call = CALLS[function]
    answers: dict[str, Any] = {function: lost, "gettoken": LOGGED_IN}
    async with talking({**LOGIN, "token": OLD}, **answers) as (client, server):
        with pytest.raises(MensaError) as caught:
            await call(client)
    assert server.functions == [function]
    assert caught.value.outcome is OutcomeKind.UNKNOWN
    check_plain(caught.value, "smsgateway24")


async def test_a_send_that_takes_too_long_is_not_made_again() -> None:
    settings = {**LOGIN, "token": OLD, "timeouts": Timeouts(total=0.3)}
    never = asyncio.Event()
    async with talking(settings, addsms=Answer(SENT, after=never), gettoken=LOGGED_IN) as (client, server):
        with pytest.raises(MensaError) as caught:
            await client.send_sms(NUMBER, "Hola")
        never.set()
    assert server.functions == ["addsms"]
    assert caught.value.outcome is OutcomeKind.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "refreshed"),
    [
        (Answer(b"unauthorized", status=401, content_type="text/plain"), True),
        (Answer({"error": 1, "message": "Token not found"}, status=401), True),
        (Answer({"error": 1, "message": "Token not found"}, status=403), True),
        (Answer({"error": 1, "message": "Token not found"}, status=400), True),
        (Answer({"error": "1", "message": "The token has expired"}), True),
        (Answer({"error": True, "message": "INVALID TOKEN"}), True),
        (Answer([{"error": 1, "message": "invalid token"}]), True),
        (Answer({"ERROR": 1, "Message": "invalid token"}), True),
        (Answer({"error": 1, "message": "Login or password incorrect"}), True),
        (Answer({"error": 1, "message": "Unauthorized"}), True),
        (Answer({"error": 1, "message": "Device not found"}), False),
        (Answer({"error": 1, "message": "No device token for push"}), False),
        (Answer({"error": 1, "message": ""}), False),
        (Answer({"error": 1}), False),
        (Answer({"error": 1, "message": None}), False),
        (Answer(b"<html>Forbidden by the firewall</html>", status=403, content_type="text/html"), False),
        (Answer(b"no such page", status=404, content_type="text/plain"), False),
    ],
)
async def test_what_counts_as_a_refused_token(answer: Answer, refreshed: bool) -> None:
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=(answer, SENT)) as (client, server):
        if refreshed:
            await client.send_sms(NUMBER, "Hola")
        else:
            with pytest.raises(MensaError) as caught:
                await client.send_sms(NUMBER, "Hola")
            assert caught.value.outcome is OutcomeKind.REJECTED
    assert server.functions == (["addsms", "gettoken", "addsms"] if refreshed else ["addsms"])


async def test_a_text_of_ours_that_is_quoted_is_not_taken_for_a_refused_token() -> None:
    text = "Your password is 12345, your token 6"
    quoting = {"error": 1, "message": f"Cannot save '{text}'"}
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=quoting, addalotofsms=quoting) as (
        client,
        server,
    ):
        for call in (client.send_sms(NUMBER, text), client.send_many([BulkSms(NUMBER, text)])):
            with pytest.raises(VendorError) as caught:
                await call
            assert type(caught.value) is VendorError
            assert "12345" not in str(caught.value)
    assert server.functions == ["addsms", "addalotofsms"]


@pytest.mark.parametrize("text", ["o", "oke", "token"])
async def test_a_short_text_that_stands_in_the_refusal_does_not_hide_it(text: str) -> None:
    async with talking({**LOGIN, "token": OLD}, gettoken=LOGGED_IN, addsms=(REFUSED, SENT)) as (client, server):
        await client.send_sms(NUMBER, text)
    assert server.functions == ["addsms", "gettoken", "addsms"]


async def test_a_call_that_brings_its_own_token_is_left_alone() -> None:
    async with talking({**LOGIN, "token": OLD}, getalldevices=REFUSED, gettoken=LOGGED_IN) as (client, server):
        with pytest.raises(AuthError):
            await client.execute(GetAllDevices(token=Secret(TOKEN)))
    assert server.functions == ["getalldevices"]
    assert tokens(server, "getalldevices") == [TOKEN]


async def test_the_token_of_another_answer_is_not_kept() -> None:
    """The document lists ``token`` among the fields of the list, too."""
    answer = {"error": 0, "sms_id": 5, "token": NEW, "message": "ok"}
    async with talking({"token": OLD}, addsms=answer) as (client, server):
        result = await client.send_sms(NUMBER, "Hola")
        await client.send_sms(NUMBER, "Hola")
    assert dict(result.raw) == {"error": 0, "sms_id": 5, "message": "ok"}
    assert tokens(server, "addsms") == [OLD, OLD]


def test_an_answer_with_a_token_does_not_show_it() -> None:
    assert NEW not in repr(Token(token=Secret(NEW)))


async def test_two_clients_do_not_share_a_token() -> None:
    async with (
        Served(gettoken=LOGGED_IN, addsms=SENT) as server,
        client_of(server, **LOGIN) as one,
        client_of(server, **LOGIN) as other,
    ):
        await one.send_sms(NUMBER, "Hola")
        await other.send_sms(NUMBER, "Hola")
    assert server.functions == ["gettoken", "addsms"] * 2
