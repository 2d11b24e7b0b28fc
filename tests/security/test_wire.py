"""The wire, seen by a tap: where a secret stands, whom it reaches, and what carries no secret."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from received import Received
from shared import EAGER

from mensasdk import ConfigurationError, MensaError, OutcomeKind
from mensasdk.sandbox import Fault
from mensasdk.transport import AiohttpTransport

from .canary import SECRET, sings
from .parties import NUMBER, PARTIES, TEXT, Party, sandbox
from .tap import tapped

pytestmark = pytest.mark.timeout(30)

every_party = pytest.mark.parametrize("party", PARTIES.values(), ids=PARTIES)
ESCAPED = quote(SECRET, safe="")


async def said(party: Party, *, fault: Fault | None = None, **options: Any) -> list[Received]:
    """Return what one send says."""
    async with sandbox() as box, tapped(box.port) as (tap, port):
        if fault is not None:
            box.fail(party.vendor, fault=fault, times=None, **options)
        base_url = box.base_url(party.vendor).replace(str(box.port), str(port))
        async with party(base_url, retry=EAGER) as client:
            try:
                await party.send(client, NUMBER, TEXT)
            except MensaError:
                assert fault is not None
        return tap.requests()


@every_party
async def test_a_secret_stands_in_one_place_of_a_request_and_nowhere_else(party: Party) -> None:
    requests = await said(party)
    assert requests
    for one in requests:
        headers = {name: value for name, value in one.headers.items() if name != "authorization"}
        assert not sings(f"{one.path} {headers}")
        match party.vendor:
            case "mensatek":
                pair = base64.b64encode(f"user-{SECRET}:{SECRET}".encode()).decode()
                assert one.headers["authorization"] == f"Basic {pair}"
                assert "?" not in one.target
                assert not sings(one.body.decode())
            case "envia_sms":
                query = one.target.partition("?")[2]
                assert query.endswith(f"&token={ESCAPED}")
                assert not sings(query.removesuffix(ESCAPED))
                assert one.body == b""
            case "enviatusms":
                assert one.target.partition("?")[2] == f"api_key={ESCAPED}"
                assert not sings(one.body.decode())
            case _:
                assert "?" not in one.target
                form = dict(parse_qsl(one.body.decode()))
                assert {form.get("token"), form.get("pass")} & {SECRET} or "token" in form  # it is in the body
                assert "authorization" not in one.headers
        assert "cookie" not in one.headers
        assert "referer" not in one.headers


@every_party
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_server_is_not_followed(party: Party, status: int) -> None:
    connections: list[asyncio.StreamWriter] = []

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    elsewhere = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with elsewhere:
        location = f"http://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}/taken?secret={ESCAPED}"
        requests = await said(party, fault=Fault.REDIRECT, status=status, location=location)
    assert connections == []
    # A send is made once. The login only reads, and may be made again; it is the only request then.
    assert len({one.path for one in requests}) == 1
    assert len(requests) == 1 or "login" in str(next(name for name, other in PARTIES.items() if other is party))


@every_party
async def test_what_a_server_sets_as_a_cookie_never_comes_back(party: Party) -> None:
    async with sandbox() as box, tapped(box.port) as (tap, port):
        base_url = box.base_url(party.vendor).replace(str(box.port), str(port))
        headers = {"Set-Cookie": "session=mine; Path=/"}
        box.fail(party.vendor, fault=Fault.STATUS, status=403, headers=headers, body="no")
        async with party(base_url) as client:
            with pytest.raises(MensaError):
                await party.send(client, NUMBER, TEXT)
            await party.send(client, NUMBER, TEXT)
        requests = tap.requests()
    assert len(requests) >= 2
    assert not [one for one in requests if "cookie" in one.headers]


@every_party
async def test_two_clients_on_one_transport_never_share_a_secret(party: Party) -> None:
    first, second = "kanarivogel-one", "kanarivogel-two"
    transport = AiohttpTransport()
    async with sandbox(first) as box, sandbox(second) as other, tapped(box.port) as (tap, port):
        other_url = other.base_url(party.vendor)
        async with tapped(other.port) as (other_tap, other_port):
            mine = party(
                box.base_url(party.vendor).replace(str(box.port), str(port)), secret=first, transport=transport
            )
            yours = party(other_url.replace(str(other.port), str(other_port)), secret=second, transport=transport)
            await asyncio.gather(
                *(party.send(client, NUMBER, f"{TEXT} {n}") for n in range(5) for client in (mine, yours))
            )
            await transport.aclose()
            heard, heard_there = tap.requests(), other_tap.requests()
        assert len(box.ledger) == len(other.ledger) == 5  # each knows its own secret only
    for requests, own, foreign in ((heard, first, second), (heard_there, second, first)):
        for one in requests:
            text = f"{one.head.decode()} {one.body.decode()}"
            text += base64.b64decode(one.headers.get("authorization", "Basic ").split(" ")[1]).decode()
            assert own in text or "login" in one.path or "token=" in text
            assert foreign not in text


@every_party
@pytest.mark.parametrize("url", ["http://api.example.com/x", "http://192.0.2.1/x", "http://127.0.0.1.example.com/x"])
def test_no_client_takes_a_plain_address_of_another_machine(party: Party, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        party(url)
    assert caught.value.outcome is OutcomeKind.NOT_SENT
    assert not sings(f"{caught.value!r} {vars(caught.value)}")
