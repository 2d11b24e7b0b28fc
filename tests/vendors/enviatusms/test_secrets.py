"""Canaries as key, number and text: where they must not show up, whatever happens."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from canaries import Canaries, spellings
from served import Answer, Given
from shared import EAGER, check_plain

import mensasdk
from mensasdk import MensaError, Timeouts
from mensasdk.transport import Event
from mensasdk.vendors.enviatusms import EnviaTuSmsClient

from .served import Served

CANARY = "canario-clave/+ñ%&"
NUMBER = "+584240987654"
TEXT = "canario-texto: tu clave es ZZ4711ZZ"
CANARIES = Canaries(spellings(CANARY), frozenset({NUMBER[3:], TEXT, "ZZ4711ZZ"}))

TROUBLE: dict[str, Given] = {
    "no connection": Answer(b"unused"),
    "broken connection": None,
    "refused": {"status": "error", "msg": f"La clave {CANARY} no puede enviar '{TEXT}' a {NUMBER}"},
    "refused, escaped": {"status": "error", "msg": quote(CANARY, safe="")},
    "text at fault": {"status": "error", "msg": TEXT, "sms_contenido": TEXT},
    "refused by status": Answer({"status": "error", "msg": CANARY}, 401),
    "a page": Answer(f"<html>{CANARY} {NUMBER} {TEXT}</html>".encode(), 200),
    "a firewall's page": Answer(f"<html>{CANARY} {NUMBER} {TEXT}</html>".encode(), 403),
    "server error": Answer(f"{CANARY} {NUMBER} {TEXT}".encode(), 500),
    "a redirect": Answer(b"", 302, headers={"Location": f"https://example.com/?api_key={quote(CANARY)}"}),
    "no data": f"{CANARY} {NUMBER} {TEXT}".encode(),
    "no verdict": {"status": CANARY, "msg": TEXT},
    "no id": {"status": "ok", "msg": f"{CANARY} {NUMBER} {TEXT}"},
    "a wrong type": {"status": "ok", "id": 1, "ignored": [[CANARY, NUMBER, TEXT]]},
    "all ignored": {"status": "ok", "id": 1, "ignored": [NUMBER]},
    "a stranger ignored": {"status": "ok", "id": 1, "ignored": [f"{CANARY} {NUMBER}"]},
}


@pytest.mark.parametrize(("name", "answer"), TROUBLE.items(), ids=TROUBLE)
async def test_no_error_log_event_or_variable_shows_the_key_and_no_error_a_person(
    log: pytest.LogCaptureFixture, name: str, answer: Given
) -> None:
    events: list[Event] = []
    async with Served(answer if answer is not None else Answer(None)) as server:
        url = "http://127.0.0.1:9/api" if name == "no connection" else server.url
        async with EnviaTuSmsClient(
            CANARY, base_url=url, retry=EAGER, timeouts=Timeouts(total=10), hooks=[events.append]
        ) as client:
            with pytest.raises(MensaError) as caught:
                await client.send_sms(NUMBER, TEXT)
            CANARIES.check_absent("the client", repr(client))
        if name != "no connection":
            assert dict(server.requests[0].pairs) == {"api_key": CANARY}
    error = caught.value
    check_plain(error, "enviatusms")
    CANARIES.check_error(error)
    CANARIES.check_absent("the events", repr(events))
    assert events
    CANARIES.check_log(log)


async def test_the_key_is_in_no_request_value() -> None:
    """It joins the URL in the transport, at the last moment."""
    sent: list[Any] = []

    class Spy:
        async def send(self, request: Any, *, timeouts: Timeouts) -> Any:
            sent.append(request)
            raise mensasdk.ConnectError("no")

        async def aclose(self) -> None:
            pass

    async with EnviaTuSmsClient(CANARY, transport=Spy(), retry=EAGER) as client:
        with pytest.raises(MensaError):
            await client.send_sms(NUMBER, TEXT)
        with pytest.raises(MensaError):
            await client.get_campaign(1)
    CANARIES.check_absent("the request", repr(sent))
    assert {request.url for request in sent} == {
        "https://www.enviatusms.com/api/sms-multi",
        "https://www.enviatusms.com/api/campaign/1",
    }
