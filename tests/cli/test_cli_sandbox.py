"""The sandbox as a command: what it prints leads to it, and vendors of other packages are there like ours."""

from __future__ import annotations

import asyncio
import shlex
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from cli_support import Ended, interrupted, invoke, run, start, write_people, write_rows
from fifth_vendor.callbacks import parse_callback
from installed import FIFTH, path_with

from mensasdk.delivery import DeliveryReceiver

OURS = ["envia_sms", "enviatusms", "mensatek", "smsgateway24"]


@define
class Printed:
    """Lines that were printed: the vendors, those to export, and those to try, by vendor."""

    vendors: list[str] = field(factory=list)
    exports: dict[str, str] = field(factory=dict)
    tries: dict[str, Sequence[str]] = field(factory=dict)


async def read_lines(process: Process, vendors: int) -> Printed:
    """Read the lines of so many vendors."""
    assert process.stdout is not None
    printed = Printed()
    async with asyncio.timeout(20):
        while len(printed.tries) < vendors:
            line = (await process.stdout.readline()).decode()
            assert line, "the sandbox ended"
            line = line.strip()
            if line.endswith(": paste these lines into another terminal"):
                printed.vendors.append(line.removeprefix("# ").partition(":")[0])
            elif line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                printed.exports[name] = value
            elif line.startswith("# and try: "):
                printed.tries[printed.vendors[-1]] = shlex.split(line.removeprefix("# and try: "))
    return printed


@pytest.mark.slow
async def test_the_sandbox_command_serves_what_its_lines_say(tmp_path: Path) -> None:
    """The lines that it prints, put into an environment, lead the command to it, and what it says to try works."""
    process = await start("sandbox", "--port", "0", "--balance", "1234")
    printed = await read_lines(process, 4)
    assert printed.vendors == OURS
    for vendor, left in (("mensatek", "1,234"), ("envia_sms", "1,234"), ("enviatusms", "1,234 USD")):
        assert await run("credits", "--vendor", vendor, box=None, **printed.exports) == Ended(0, f"{left}\n", "")
    people = write_people(tmp_path / "people.csv", 1)
    for vendor in OURS:
        number = "584241000000" if vendor == "enviatusms" else "34600000000"
        people.write_text(f"telefono,nombre\n{number},Ana\n", encoding="utf-8")
        command, *words = (str(people) if word == "people.csv" else word for word in printed.tries[vendor])
        assert command == "mensasdk"
        ended = await run(*words, box=None, **printed.exports)
        assert ended.code == 0, ended.err
    last = await interrupted(process)
    assert last.code == 0, last.err
    assert "4 messages accepted" in last.out


@pytest.mark.slow
async def test_a_vendor_of_another_package_is_served_and_calls_back(tmp_path: Path) -> None:
    got: list[Any] = []
    came = asyncio.Event()

    async def store(value: Any) -> None:
        got.append(value)
        came.set()

    # Two addresses, as two vendors have: what the one posts must not reach the other's.
    fifth = DeliveryReceiver(parse_callback, store, insecure=True)
    other = DeliveryReceiver(lambda _, __: "the other's", store, insecure=True)
    people = write_rows(tmp_path / "people.csv", ["34600000000,Ana"])
    path = path_with(FIFTH)
    async with fifth.serve() as url, other.serve() as elsewhere:
        addresses = ("--callback-url", f"fifth={url}x?a=b", "--callback-url", f"mensatek={elsewhere}")
        process = await start("sandbox", "--port", "0", "--balance", "7", *addresses, PYTHONPATH=path)
        printed = await read_lines(process, 5)
        assert printed.vendors == sorted([*OURS, "fifth"])
        send = ["mensasdk", "send", "people.csv", "--vendor", "fifth", "--label", "a b", "--text", "Hola"]
        assert printed.tries["fifth"] == send
        variables = {**printed.exports, "PYTHONPATH": path}
        assert await run("credits", "--vendor", "fifth", box=None, **variables) == Ended(0, "7 EUR\n", "")
        ended = await run(*(str(people) if word == "people.csv" else word for word in send[1:]), box=None, **variables)
        assert ended.code == 0, ended.err
        assert await run("credits", "--vendor", "fifth", box=None, **variables) == Ended(0, "6.95 EUR\n", "")
        async with asyncio.timeout(10):
            await came.wait()
        last = await interrupted(process)
    assert last.code == 0, last.err
    assert "1 messages accepted" in last.out
    assert [(one.number, one.state) for one in got] == [("+34600000000", "delivered")]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("http://127.0.0.1:9/", "--callback-url must look like VENDOR=URL"),
        ("http://127.0.0.1:9/?token=x", "--callback-url must look like VENDOR=URL"),
        ("mensatek", "--callback-url must look like VENDOR=URL"),
        ("mensatek=http://192.0.2.1/", "loopback"),
        ("mensatek=", "loopback"),
        ("envia_sms=http://127.0.0.1:9/", "envia_sms calls nobody back"),
        ("nobody=http://127.0.0.1:9/", "there is no vendor 'nobody'; there are envia_sms"),
    ],
)
def test_a_callback_address_that_cannot_work_is_refused(wanted: str, words: str) -> None:
    ended = invoke("sandbox", "--port", "0", "--callback-url", wanted)
    assert ended.exit_code == 2
    assert words in ended.stderr
    assert not ended.stdout


@pytest.mark.slow
async def test_a_taken_port_is_said_so() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        ended = await run("sandbox", "--port", str(server.sockets[0].getsockname()[1]))
    assert ended.code == 2
    assert "the sandbox cannot start" in ended.err
