"""``mensasdk send --journal``, ``resume``, ``campaigns`` and ``purge``, as processes of their own."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_support import Ended, finish, one_line, run, start, write_people
from shared import until

from mensasdk.sandbox import Fault, Sandbox

SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}", "--max-recipients", "10", "--max-in-flight", "1")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def report(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.out)
    assert found["accepted"] + found["rejected"] + found["not_sent"] + found["unknown"] == found["total"]
    assert found["exit_code"] == ended.code
    return found


async def campaigns(journal: Path) -> list[dict[str, Any]]:
    ended = await run("campaigns", "--journal", journal, "--json")
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


@pytest.mark.slow
async def test_without_credits_it_stops_and_goes_on_without_the_list(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people, output = write_people(tmp_path / "people.csv", 60), tmp_path / "results.csv"
    box.mensatek.account.credits = Decimal(20)
    ended = await run("send", people, *SEND, "--campaign", "julio", "--journal", journal, box=box)
    assert ended.code == 4
    assert "mensasdk resume julio" in one_line(ended.err)
    assert stat.S_IMODE(os.stat(journal).st_mode) == 0o600  # noqa: PTH116
    [info] = await campaigns(journal)
    assert (info["campaign"], info["complete"], info["total"]) == ("julio", True, 60)
    assert (info["accepted"], info["pending"]) == (20, 40)
    box.mensatek.account.credits = Decimal(1000)
    arguments = ("resume", "julio", "--journal", journal, "--vendor", "mensatek", "--json", "--output", output)
    ended = await run(*arguments, box=box)
    assert ended.code == 0, ended.err
    assert "in part" not in ended.err
    assert report(ended)["accepted"] == 60
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == 60
    with output.open(encoding="utf-8", newline="") as file:
        assert Counter(row["outcome"] for row in csv.DictReader(file)) == {"accepted": 60}


@pytest.mark.slow
async def test_killed_and_taken_up_with_the_same_list(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 100, extra=["34600987,Bea", ",Eva"])
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, when="after", nth=4)
    process = await start("send", people, *SEND, "--campaign", "julio", "--journal", journal, "--quiet", box=box)
    await until(lambda: box.ledger.request_count("EnviarSMS") == 4)
    process.kill()
    await finish(process)
    [info] = await campaigns(journal)
    assert (info["accepted"], info["in_flight"], info["complete"]) == (30, 10, False)

    ended = await run("resume", "julio", "--journal", journal, "--vendor", "mensatek", box=box)
    assert ended.code == 3
    assert "list may not have been read to its end" in one_line(ended.err)

    ended = await run("resume", "julio", people, "--journal", journal, *SEND, "--json", box=box)
    assert ended.code == 3, ended.err
    found = report(ended)
    assert (found["accepted"], found["unknown"], found["not_sent"], found["bad_rows"]) == (90, 10, 2, 2)
    assert found["by_code"] == {"crashed": 10, "invalid_to": 1, "missing_number": 1}
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == 100
    assert [one["complete"] for one in await campaigns(journal)] == [True]


@pytest.mark.slow
async def test_interrupted_the_list_counts_as_read_in_part(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 100)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.DELAY, delay=0.2, times=None)
    process = await start("send", people, *SEND, "--campaign", "julio", "--journal", journal, "--quiet", box=box)
    await until(lambda: box.ledger.request_count("EnviarSMS") == 2)
    process.terminate()
    ended = await finish(process)
    assert ended.code == 130
    [info] = await campaigns(journal)
    assert (info["complete"], info["in_flight"]) == (False, 0)
    box.clear_faults()
    ended = await run("resume", "julio", people, "--journal", journal, *SEND, "--json", box=box)
    assert report(ended)["accepted"] == 100
    assert len(box.ledger) == 100


@pytest.mark.slow
async def test_a_campaign_that_is_being_sent_is_2_and_sends_nothing(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people = write_people(tmp_path / "people.csv", 20)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, times=None)
    process = await start("send", people, *SEND, "--campaign", "julio", "--journal", journal, "--quiet", box=box)
    await until(lambda: box.ledger.request_count("EnviarSMS") == 1)
    for command in (("send", people), ("resume", "julio"), ("resume", "julio", people)):
        name = ("--campaign", "julio") if command[0] == "send" else ()
        ended = await run(*command, *SEND, *name, "--journal", journal, box=box)
        assert ended.code == 2, ended.err
        told = "'julio' exists since" if command[0] == "send" else "'julio' is being sent by another process"
        assert told in ended.err
    ended = await run("purge", "julio", "--journal", journal, "--yes")
    assert ended.code == 2
    process.kill()
    await finish(process)
    assert box.ledger.request_count("EnviarSMS") == 1


@pytest.mark.slow
async def test_what_is_purged_is_gone(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 20)
    for name in ("julio", "agosto"):
        assert (await run("send", people, *SEND, "--campaign", name, "--journal", journal, box=box)).code == 0
    ended = await run("campaigns", "--journal", journal)
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines() if line.strip()][-2:] == ["julio", "agosto"]
    ended = await run("purge", "julio", "--journal", journal)
    assert ended.code == 1  # nobody said yes
    ended = await run("purge", "julio", "--journal", journal, "--yes")
    assert ended.code == 0, ended.err
    assert [info["campaign"] for info in await campaigns(journal)] == ["agosto"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [("campaigns",), ("purge", "julio", "--yes"), ("resume", "julio", "--vendor", "mensatek")]
)
async def test_a_slip_of_the_pen_is_2_and_makes_no_file(
    box: Sandbox, tmp_path: Path, journal: Path, command: tuple[str, ...]
) -> None:
    ended = await run(*command, "--journal", tmp_path / "jornal.sqlite", box=box)
    assert ended.code == 2
    assert "there is no journal" in ended.err
    assert not os.listdir(tmp_path)  # noqa: PTH208
    if command[0] != "campaigns":
        people = write_people(tmp_path / "people.csv", 1)
        await run("send", people, *SEND, "--campaign", "agosto", "--journal", journal, box=box)
        ended = await run(*command, "--journal", journal, box=box)
        assert ended.code == 2
        assert "no campaign" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["send", "resume", "reconcile", "mark", "purge"])
async def test_a_journal_that_cannot_be_used_is_5_and_sends_nothing(box: Sandbox, tmp_path: Path, command: str) -> None:
    people = write_people(tmp_path / "people.csv", 2)
    more: dict[str, tuple[str | Path, ...]] = {
        "send": (people, *SEND, "--campaign", "julio"),
        "resume": ("julio", *SEND),
        "reconcile": ("julio", "--vendor", "mensatek"),
        "mark": ("rejected", "julio", "--all", "--yes"),
        "purge": ("julio", "--yes"),
    }
    ended = await run(command, *more[command], "--journal", people, box=box)
    assert ended.code == 5, ended.err
    assert "not a database" in ended.err
    assert "Traceback" not in ended.err
    assert box.ledger.request_count("EnviarSMS") == 0
