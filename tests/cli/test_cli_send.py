"""``mensasdk send`` as a process of its own, against a vendor on loopback that counts."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cli_support import TOKEN_NAME, Ended, environment, finish, run, start, write_people
from shared import until

from mensasdk.campaign import unguard_cell
from mensasdk.journal.keys import instance_of
from mensasdk.sandbox import Fault, Sandbox

SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}")


def report(ended: Ended) -> dict[str, Any]:
    """Return the object that ``--json`` printed, checked for what always holds."""
    found: dict[str, Any] = json.loads(ended.out)
    four = found["accepted"] + found["rejected"] + found["not_sent"] + found["unknown"]
    assert four == found["total"]
    assert found["exit_code"] == ended.code
    return found


def results(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_all_accepted_is_0_and_the_ledger_agrees(box: Sandbox, tmp_path: Path) -> None:
    people, output = write_people(tmp_path / "people.csv", 60), tmp_path / "results.csv"
    ended = await run("send", people, *SEND, "--json", "--output", output, box=box)
    assert ended.code == 0, ended.err
    found = report(ended)
    assert (found["accepted"], found["credits"]) == (60, "60")
    assert len(box.ledger) == 60
    assert {message.text for message in box.ledger.messages} == {f"Hola Persona {index}" for index in range(60)}
    assert box.ledger.request_count("EnviarSMS") == 1  # one text, one request
    rows = results(output)
    assert {(int(row["line"]), unguard_cell(row["as_written"])) for row in rows} == {
        (index + 2, str(34600000000 + index)) for index in range(60)
    }
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


async def test_bad_rows_are_1_and_are_listed_by_line_with_masked_numbers(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(
        tmp_path / "people.csv",
        3,
        extra=["34600987,Bea", "34600000001,Persona 1", ",Eva", "34600000777,", "34600000888"],
    )
    output = tmp_path / "results.jsonl"
    ended = await run("send", people, *SEND, "--output", output, box=box)
    assert ended.code == 1
    assert len(box.ledger) == 3
    rows = {row["line"]: row for row in map(json.loads, output.read_text(encoding="utf-8").splitlines())}
    assert {line: row["code"] for line, row in rows.items()} == {
        **dict.fromkeys((2, 3, 4)),
        5: "invalid_to",
        6: "duplicate",
        7: "missing_number",
        8: "missing_variable",
        9: "columns",
    }
    assert Counter(row["outcome"] for row in rows.values()) == {"accepted": 3, "not_sent": 5}
    assert rows[5]["as_written"] == "34600987"  # in full: the file is for whoever mends the list
    for line, number in ((5, "***987"), (8, "***777"), (9, "***888")):
        assert any(text.split()[:2] == [str(line), number] for text in ended.out.splitlines()), (line, ended.out)
    assert "34600" not in ended.out + ended.err


async def test_a_lost_connection_is_3_and_nobody_is_sent_twice(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 40)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    ended = await run("send", people, *SEND, "--max-recipients", "10", "--max-in-flight", "1", box=box)
    assert ended.code == 3
    assert "10 messages may or may not have gone out; they are not sent again automatically" in " ".join(
        ended.out.split()
    )
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == 40


async def test_refused_credentials_are_4_after_a_single_request(box: Sandbox, tmp_path: Path) -> None:
    """Vendors block addresses that keep failing."""
    people = write_people(tmp_path / "people.csv", 100)
    ended = await run(
        "send", people, *SEND, "--json", "--max-recipients", "10", "--max-in-flight", "1",
        box=box, MENSASDK_MENSATEK_API_TOKEN="wrong-token",
    )  # fmt: skip
    assert ended.code == 4
    found = report(ended)
    assert (found["rejected"], found["not_sent"]) == (10, 90)
    assert "token" in found["stopped"]
    assert box.ledger.request_count() == 1
    assert "wrong-token" not in ended.out + ended.err


async def test_too_few_credits_are_4(box: Sandbox, tmp_path: Path) -> None:
    box.mensatek.account.credits = box.mensatek.account.price * 25
    people, output = write_people(tmp_path / "people.csv", 100), tmp_path / "results.csv"
    ended = await run(
        "send", people, *SEND, "--json", "--max-recipients", "10", "--max-in-flight", "1", "--output", output, box=box
    )
    assert ended.code == 4
    assert report(ended)["accepted"] == len(box.ledger) == 20
    assert sorted(int(row["line"]) for row in results(output)) == list(range(2, 102))


@pytest.mark.slow
@pytest.mark.parametrize("presses", [1, 2])
async def test_ctrl_c_is_130_with_a_report_that_adds_up(box: Sandbox, tmp_path: Path, presses: int) -> None:
    """The first lets requests under way finish, the second gives them up."""
    people, output = write_people(tmp_path / "people.csv", 500), tmp_path / "results.csv"
    delay = 1.5 if presses == 1 else 30.0
    box.fail("mensatek", function="EnviarSMS", fault=Fault.DELAY, when="after", nth=3, times=None, delay=delay)
    process = await start(
        "send", people, *SEND, "--json", "--max-recipients", "10", "--max-in-flight", "2", "--output", output, box=box
    )
    await until(lambda: box.ledger.request_count("EnviarSMS") >= 4)
    for press in range(presses):
        if press:
            await asyncio.sleep(0.3)  # two signals in one instant are one signal
        process.send_signal(signal.SIGINT)
    async with asyncio.timeout(15):
        ended = await finish(process)
    assert ended.code == 130, ended.err
    found = report(ended)
    assert found["total"] == 500
    assert (found["accepted"], found["unknown"]) == ((40, 0) if presses == 1 else (20, 20))
    assert found["not_sent"] == 460
    assert len(box.ledger) == 40  # the vendor took the two that were given up
    rows = results(output)
    assert sorted(int(row["line"]) for row in rows) == list(range(2, 502))
    assert Counter(row["outcome"] for row in rows) == {
        kind: found[kind] for kind in ("accepted", "not_sent", "unknown") if found[kind]
    }
    assert "Traceback" not in ended.err


@pytest.mark.slow
async def test_ctrl_c_does_not_wait_for_the_rate(box: Sandbox, tmp_path: Path) -> None:
    """Requests that wait for their turn are not under way."""
    people = write_people(tmp_path / "people.csv", 300)
    process = await start("send", people, *SEND, "--json", "--rate", "0.02", box=box)
    await until(lambda: len(box.ledger) > 0)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(15):
        ended = await finish(process)
    assert ended.code == 130
    found = report(ended)
    assert (found["accepted"], found["not_sent"]) == (1, 299)


@pytest.mark.slow
async def test_no_secret_is_shown_anywhere(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 5)
    token = environment(box)[TOKEN_NAME]
    for arguments in (("send", people, *SEND), ("send", people, *SEND, "--json"), ("credits", "--vendor", "mensatek")):
        ended = await run(*arguments, box=box)
        assert ended.code in {0, 1}
        assert token not in ended.out + ended.err


@pytest.mark.slow
async def test_credentials_may_come_from_a_file(box: Sandbox, tmp_path: Path) -> None:
    people, path = write_people(tmp_path / "people.csv", 5), tmp_path / "credentials.toml"
    settings = {**box.credentials("mensatek"), "base_url": box.base_url("mensatek")}
    path.write_text("[mensatek]\n" + "".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    path.chmod(0o644)
    refused = await run("send", people, *SEND, "--credentials", path)
    assert refused.code == 2
    assert f"chmod 600 {path}" in refused.err
    path.chmod(0o600)
    ended = await run("send", people, *SEND, "--credentials", path)
    assert ended.code == 0, ended.err
    assert settings["api_token"] not in ended.out + ended.err
    assert len(box.ledger) == 5


@pytest.mark.slow
async def test_a_windows_file_is_sent_with_its_accents_and_a_warning(box: Sandbox, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_bytes("Teléfono;Nombre\r\n600 123 456;Begoña\r\n".encode("cp1252"))
    ended = await run("send", people, *SEND, "--default-country", "ES", "--sender", "Clinica", box=box)
    assert ended.code == 0, ended.err
    assert "not UTF-8" in ended.err
    (message,) = box.ledger.messages
    assert (message.number, message.text, message.sender) == ("34600123456", "Hola Begoña", "Clinica")


@pytest.mark.slow
async def test_schedule_report_and_unicode_reach_the_vendor(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 1)
    ended = await run(
        "send", people, *SEND, "--schedule", "2030-01-31T09:00", "--zone", "America/Caracas", "--report", "--unicode",
        "--campaign", "enero", box=box,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (request,) = box.ledger.requests
    assert request.params["Fecha"] == "2030-01-31 14:00"
    assert (request.params["Report"], request.params["Unicode"]) == (1, 1)
    assert instance_of(request.params["Referenciausuario"])


@pytest.mark.slow
async def test_quiet_prints_nothing_and_json_alone_goes_to_stdout(box: Sandbox, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 5)
    assert await run("send", people, *SEND, "--quiet", box=box) == Ended(0, "", "")
    ended = await run("send", people, *SEND, "--quiet", "--json", box=box)
    assert (json.loads(ended.out)["accepted"], ended.err) == (5, "")


@pytest.mark.slow
async def test_credits_prints_the_balance(box: Sandbox) -> None:
    assert await run("credits", "--vendor", "mensatek", box=box) == Ended(0, "100,000\n", "")
    ended = await run("credits", "--vendor", "mensatek", "--json", box=box)
    assert json.loads(ended.out) == {"vendor": "mensatek", "credits": "100000"}
    refused = await run("credits", "--vendor", "mensatek", box=box, MENSASDK_MENSATEK_API_TOKEN="wrong-token")
    assert refused.code == 4
    assert "wrong-token" not in refused.err
