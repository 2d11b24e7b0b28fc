"""The box itself: where it listens, whom it answers, and that it cleans up."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from shared import until

from mensasdk.sandbox import Account, Fault, Mensatek, Sandbox
from sandbox.caller import SEND, Caller


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:65535"])
async def test_loopback_hosts_are_answered(caller: Caller, host: str) -> None:
    assert (await caller.raw("GetCreditos", Host=host)).data.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:x", "", "127.0.0.1, evil", "[::1]"]
)
async def test_other_hosts_are_misdirected(caller: Caller, host: str) -> None:
    """A page that rebinds its own name to 127.0.0.1 must not reach the box."""
    answer = await caller.raw("EnviarSMS", Host=host)
    assert answer.data.startswith(b"HTTP/1.1 421")
    assert len(caller.box.ledger) == 0


async def test_it_listens_on_the_loopback_only(box: Sandbox) -> None:
    assert box._listener is not None
    assert [sock.getsockname() for sock in box._listener.sockets] == [("127.0.0.1", box.port)]
    assert box.base_url("mensatek") == f"http://127.0.0.1:{box.port}/mensatek/v7"


@pytest.mark.parametrize("path", ["/mensatek/v7/EnviarSMS", "/mensatek/v7/EnviarSMS.php", "/mensatek/v7", "/", "/x"])
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_every_answer_is_marked(caller: Caller, path: str, method: str) -> None:
    url = f"http://127.0.0.1:{caller.box.port}{path}"
    async with caller.session.request(method, url) as response:
        assert response.headers["X-Mensasdk-Sandbox"] == "1"
        assert response.status == (404 if path != "/mensatek/v7/EnviarSMS" else 200 if method == "POST" else 405)


@pytest.mark.parametrize("fault", [Fault.CUT_BODY, Fault.CUT_CHUNKED, Fault.EMPTY, Fault.NO_CONTENT, Fault.REDIRECT])
async def test_spoiled_answers_are_marked_too(caller: Caller, fault: Fault) -> None:
    caller.box.fail("mensatek", fault=fault)
    assert b"X-Mensasdk-Sandbox: 1" in (await caller.raw()).head


async def test_too_large_a_request_is_413() -> None:
    async with Sandbox(max_body=1000) as box, aiohttp.ClientSession() as session:
        caller = Caller(box, session)
        assert (await caller.post("EnviarSMS", data=b"x" * 1001)).status == 413
        assert (await caller.post("EnviarSMS", data=b"x" * 1000)).status == 200


async def test_a_request_that_did_not_arrive_in_full_is_not_in_the_ledger(caller: Caller) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", caller.box.port)
    writer.write(caller.request_bytes("EnviarSMS")[:-5])
    await writer.drain()
    writer.close()
    await caller.call("GetCreditos")
    assert caller.box.ledger.request_count("EnviarSMS") == 0
    assert caller.box.ledger.request_count() == 1
    assert caller.box.ledger.connections == 2


async def test_nothing_secret_is_logged(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for fault in (Fault.RESET, Fault.GARBAGE, Fault.CUT_BODY):
            caller.box.fail("mensatek", fault=fault)
            await caller.raw()
        await caller.raw()
    secret = caller.box.credentials("mensatek")["api_token"]
    assert secret not in caplog.text
    assert caller.authorization.split()[1] not in caplog.text
    assert "34600000000" not in caplog.text
    assert secret not in repr(caller.box)


async def test_closing_leaves_no_task_and_no_listener() -> None:
    tasks = asyncio.all_tasks()
    box = Sandbox()
    await box.start()
    port = box.port
    async with aiohttp.ClientSession() as session:
        await Caller(box, session).send("34600000000")
        await box.aclose()  # while the client keeps its connection
    await box.aclose()
    assert asyncio.all_tasks() == tasks
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(RuntimeError, match="not running"):
        box.base_url("mensatek")
    assert len(box.ledger) == 1, "the ledger outlives the box"


@pytest.mark.slow
async def test_a_client_that_does_not_read_cannot_keep_the_box_open() -> None:
    tasks = asyncio.all_tasks()
    async with Sandbox() as box:
        box.fail("mensatek", fault=Fault.TOO_LARGE)
        caller = Caller(box, None)  # type: ignore[arg-type]
        _, writer = await asyncio.open_connection("127.0.0.1", box.port, limit=1)
        writer.write(caller.request_bytes("EnviarSMS"))
        await until(lambda: len(box.ledger) == 2)
    writer.close()
    assert asyncio.all_tasks() == tasks


async def test_a_box_is_started_once_and_a_vendor_lives_in_one_box(box: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="once"):
        await box.start()
    with pytest.raises(ValueError, match="already belongs"):
        Sandbox(mensatek=box.mensatek)


async def test_a_taken_port_is_an_os_error(box: Sandbox) -> None:
    other = Sandbox(port=box.port)
    with pytest.raises(OSError, match="address"):
        await other.start()
    await other.aclose()


async def test_the_account_may_be_given() -> None:
    mensatek = Mensatek(account=Account(api_user="u", api_token="t", credits=1))
    async with Sandbox(mensatek=mensatek) as box, aiohttp.ClientSession() as session:
        assert box.credentials("mensatek") == {"api_user": "u", "api_token": "t"}
        assert (await Caller(box, session).call("EnviarSMS", **SEND))["Res"] == -2


async def test_unknown_vendors_are_named_as_such(box: Sandbox) -> None:
    with pytest.raises(ValueError, match=r"there are .*mensatek"):
        box.base_url("nobody")
