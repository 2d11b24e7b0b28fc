"""Canaries as credentials, number and text: where they must not show up, whatever happens."""

from __future__ import annotations

import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from canaries import Canaries, spellings
from shared import EAGER

from mensasdk import (
    AuthError,
    ConfigurationError,
    MensaError,
    MensatekClient,
    OutcomeKind,
    Recipient,
    Timeouts,
    ValidationError,
)
from mensasdk.sandbox import Account, Fault, Mensatek, Sandbox
from mensasdk.transport import Event
from mensasdk.vendors.mensatek import SendSms, UploadFile

from .support import FORMATS, Format

# Signs that every encoding spells in its own way.
USER = "canario-usuario/+ñ%"
TOKEN = "canario:token/+&=ñ%\"'"
NUMBER = "+34600987654"
WORD, CODE = "canario-texto", "ZZ4711ZZ"  # nothing that a port or a time could be
TEXT = f"{WORD}: tu clave es {CODE}"
PAIR = f"{USER}:{TOKEN}"


CANARIES = Canaries(spellings(USER, TOKEN, PAIR), frozenset({NUMBER[3:], WORD, CODE}))


def test_the_search_finds_a_secret_in_any_spelling() -> None:
    for text in (f"x{TOKEN}x", repr(USER), quote(PAIR), json.dumps({"a": TOKEN}), str(PAIR.encode())):
        with pytest.raises(AssertionError, match="the text shows"):
            CANARIES.check_absent("the text", text)


def sandbox() -> Sandbox:
    return Sandbox(mensatek=Mensatek(account=Account(api_user=USER, api_token=TOKEN)))


def client_of(box: Sandbox, *, token: str = TOKEN, events: list[Event] | None = None, **more: Any) -> MensatekClient:
    hooks = () if events is None else (events.append,)
    return MensatekClient(USER, token, base_url=box.base_url("mensatek"), retry=EAGER, hooks=hooks, **more)


CAUSES: dict[str, tuple[dict[str, Any], OutcomeKind]] = {
    **{
        fault.value: ({"fault": fault}, OutcomeKind.UNKNOWN)
        for fault in Fault
        if fault not in {Fault.STATUS, Fault.RATE_LIMIT, Fault.RES, Fault.DELAY, Fault.WRONG_TYPE, Fault.LATIN1}
    },
    "delay": ({"fault": Fault.DELAY, "delay": 5.0}, OutcomeKind.UNKNOWN),
    "status 500": ({"fault": Fault.STATUS, "status": 500}, OutcomeKind.UNKNOWN),
    "status 403": ({"fault": Fault.STATUS, "status": 403}, OutcomeKind.REJECTED),
    "status 400": ({"fault": Fault.STATUS, "status": 400}, OutcomeKind.REJECTED),
    "res -1": ({"fault": Fault.RES, "res": -1}, OutcomeKind.REJECTED),
    "res -2": ({"fault": Fault.RES, "res": -2}, OutcomeKind.REJECTED),
    "res -3": ({"fault": Fault.RES, "res": -3}, OutcomeKind.REJECTED),
    "res -99": ({"fault": Fault.RES, "res": -99}, OutcomeKind.REJECTED),
    "429": ({"fault": Fault.RATE_LIMIT, "retry_after": 0}, OutcomeKind.NOT_SENT),
}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "outcome"), CAUSES.values(), ids=CAUSES)
async def test_no_error_log_or_event_shows_a_secret(
    log: pytest.LogCaptureFixture, fault: dict[str, Any], outcome: OutcomeKind
) -> None:
    events: list[Event] = []
    slow = fault["fault"] in {Fault.HANG, Fault.DRIP, Fault.DELAY}
    timeouts = Timeouts(total=0.4 if slow else 20.0)
    async with sandbox() as box, client_of(box, events=events, timeouts=timeouts) as client:
        box.fail("mensatek", times=None, **fault)
        with pytest.raises(MensaError) as caught:
            await client.send_sms([Recipient(NUMBER, [CODE])], TEXT, reference=WORD)
    assert caught.value.outcome is outcome
    CANARIES.check_error(caught.value)
    assert events
    CANARIES.check_absent("an event", "".join(map(repr, events)))
    CANARIES.check_log(log)


@pytest.mark.slow
@pytest.mark.parametrize("answer_format", FORMATS)
async def test_success_logs_nothing_of_it_either(log: pytest.LogCaptureFixture, answer_format: Format) -> None:
    events: list[Event] = []
    async with sandbox() as box, client_of(box, events=events, answer_format=answer_format) as client:
        sent = await client.send_sms([NUMBER], TEXT)
        assert sent.message_id is not None
        await client.get_report(sent.message_id)
        await client.upload_file(CODE.encode(), name="a.pdf")
        await client.upload_file(CODE.encode(), name="b.pdf", method="base64")
        await client.get_credits()
        assert len(box.ledger) == 1  # so the credentials, as odd as they are, arrived
    CANARIES.check_absent("an event", "".join(map(repr, events)))
    CANARIES.check_log(log)
    CANARIES.check_absent("the answer", repr(sent), personal=False)


async def test_nothing_was_sent_shows_no_secret_either(log: pytest.LogCaptureFixture) -> None:
    async with sandbox() as box:
        client = client_of(box)
        url = box.base_url("mensatek")
        for call in (
            client.send_sms([f"{NUMBER};{NUMBER}"], TEXT),
            client.send_sms([NUMBER], TEXT + "\0"),
            client.send_sms([Recipient(NUMBER, [WORD] * 11)], TEXT),
        ):
            with pytest.raises(ValidationError) as refused:
                await call
            CANARIES.check_error(refused.value)
        assert url in repr(client)
        await client.aclose()
    for closed in (client, client_of_nobody(url)):
        with pytest.raises(MensaError) as caught:
            await closed.send_sms([NUMBER], TEXT)
        assert caught.value.outcome is OutcomeKind.NOT_SENT
        CANARIES.check_error(caught.value)
        await closed.aclose()
    CANARIES.check_log(log)


def client_of_nobody(url: str) -> MensatekClient:
    return MensatekClient(USER, TOKEN, base_url=url, retry=EAGER)


async def test_a_client_shows_no_secret() -> None:
    async with client_of_nobody("http://127.0.0.1:1/v7") as client:
        for shown in (repr(client), str(client), f"{client}", repr(vars(client)), repr(vars(client).values())):
            CANARIES.check_absent("the client", shown)
        assert "http://127.0.0.1:1/v7" in repr(client)
        with pytest.raises(TypeError):
            pickle.dumps(client)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MensatekClient(USER, ""),
        lambda: MensatekClient("", TOKEN),
        lambda: MensatekClient(USER + ":x", TOKEN),
        lambda: MensatekClient(USER, TOKEN + "\r\nX-Evil: 1"),
        lambda: MensatekClient(USER + "\n", TOKEN),
        lambda: MensatekClient(USER, TOKEN, base_url="http://api.example.com/v7"),
        lambda: MensatekClient(USER, TOKEN, base_url=f"https://u:{quote(TOKEN, safe='')}@api.example.com/v7"),
        lambda: MensatekClient(USER, TOKEN, base_url="ftp://api.example.com"),
        lambda: MensatekClient(USER, TOKEN, answer_format="ant"),  # type: ignore[arg-type]
        lambda: MensatekClient(USER, TOKEN, body_format="multipart"),  # type: ignore[arg-type]
        lambda: MensatekClient(USER, TOKEN, max_recipients=0),
    ],
)
def test_a_client_that_is_set_up_wrongly_is_refused_without_showing_why_in_full(
    make: Callable[[], MensatekClient],
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    CANARIES.check_absent("the error", f"{caught.value!r} {vars(caught.value)}", personal=False)


async def test_requests_show_no_number_and_no_text() -> None:
    request = SendSms(recipients=[{"Movil": NUMBER[1:]}], text=TEXT)
    upload = UploadFile(name="a.pdf", content=CODE.encode())
    CANARIES.check_absent("a request", f"{request!r} {request} {upload!r}")


async def test_wrong_credentials_are_not_shown(log: pytest.LogCaptureFixture) -> None:
    calls: list[Callable[[MensatekClient], Awaitable[object]]] = [
        lambda client: client.get_credits(),
        lambda client: client.send_sms([NUMBER], TEXT),
    ]
    async with sandbox() as box, client_of(box, token=TOKEN + "x") as client:
        for call in calls:
            with pytest.raises(AuthError) as caught:
                await call(client)
            CANARIES.check_error(caught.value)
    CANARIES.check_log(log)
