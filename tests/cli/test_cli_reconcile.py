"""``mensasdk reconcile``: what is unknown is asked about, or listed, and what to do next is printed as commands."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import resource
import shlex
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cli_support import (
    TOKEN_NAME,
    UNMEASURED,
    Ended,
    environment,
    fill_the_disk,
    finish,
    interrupted,
    invoke,
    one_line,
    run,
    start,
    states,
    unknown_campaign,
    write_people,
    write_rows,
)
from shared import until

from mensasdk.cli.show.output import COLUMNS
from mensasdk.journal import SqliteJournal
from mensasdk.messages import Delivery, DeliveryState
from mensasdk.sandbox import Fault, Sandbox

SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}", "--max-recipients", "10", "--max-in-flight", "1")
ASK = ("--vendor", "mensatek")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def half_lost(box: Sandbox, tmp_path: Path, journal: Path, *more: str) -> None:
    """Send to 60 in 6 requests (7 with groups), of which one loses its answer and another never arrives."""
    people = write_people(tmp_path / "people.csv", 60)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=3)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=4)
    ended = await run("send", people, *SEND, *more, "--campaign", "julio", "--journal", journal, box=box)
    assert ended.code == 3, ended.err
    assert f"mensasdk reconcile julio --journal {journal}" in ended.err
    box.clear_faults()


def commands(shown: str) -> list[list[str]]:
    """Return the commands that were printed, as they would be typed."""
    return [shlex.split(line)[1:] for line in shown.splitlines() if line.strip().startswith("mensasdk ")]


def result(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.out)
    assert found["exit_code"] == ended.code
    return found


@pytest.mark.slow
async def test_what_was_taken_is_found_and_the_rest_is_sent_again_without_a_second_sms(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    await half_lost(box, tmp_path, journal, "--group-sends")
    output = tmp_path / "results.csv"
    ended = await run("reconcile", "julio", "--journal", journal, *ASK, "--output", output, box=box)
    assert ended.code == 3, ended.err
    assert re.search(r"^report +accepted +10 +the vendor's report lists it", ended.out, re.MULTILINE)
    assert re.search(r"^mensatek +20 +10 +0 +0 +10 *$", ended.out, re.MULTILINE)
    assert "mensatek: 10 still unknown" in one_line(ended.out)
    with output.open(encoding="utf-8", newline="") as file:
        assert Counter(row["outcome"] for row in csv.DictReader(file)) == {"accepted": 10, "unknown": 10}
    again, listed, marked = commands(ended.out)
    assert again[:2] == ["reconcile", "julio"]
    assert "--repeat" in again
    assert (listed[0], marked[:2]) == ("reconcile", ["mark", "accepted"])
    ended = await run(*again, "--json", box=box)
    assert ended.code == 0, ended.err
    found = result(ended)
    assert (found["total"], found["accepted"], found["by_means"]) == (10, 10, {"repeated": 10})
    assert found["vendors"] == {"mensatek": {"accepted": 10, "rejected": 0, "not_sent": 0, "unknown": 0}}
    assert "Nothing is unknown any more" in ended.err
    assert set(box.ledger.numbers().values()) == {1}
    assert len(box.ledger) == 60
    ended = await run("reconcile", "julio", "--journal", journal, *ASK, box=box)
    assert (ended.code, ended.out.strip()) == (0, "Nothing is unknown in julio.")


@pytest.mark.slow
async def test_whoever_has_opted_out_meanwhile_is_not_sent_to_again(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    await half_lost(box, tmp_path, journal, "--group-sends")
    taken = {f"+{number}" for number in box.ledger.numbers()}
    left = [one.number for one in await SqliteJournal(journal).read("julio") if one.number not in taken]
    opted_out = tmp_path / "out.txt"
    opted_out.write_text("\n".join(left[:4]), encoding="utf-8")
    options = (*ASK, "--repeat", "--opt-outs", opted_out, "--json", "--quiet")
    ended = await run("reconcile", "julio", "--journal", journal, *options, box=box)
    assert ended.code == 3, ended.err
    assert result(ended)["by_means"] == {"report": 10, "repeated": 6}
    sent = {f"+{number}" for number in box.ledger.numbers()}
    assert sent == taken | set(left[4:])
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.slow
async def test_a_report_that_was_kept_settles_it_and_nobody_is_asked(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    await half_lost(box, tmp_path, journal)
    unknown = [one for one in await SqliteJournal(journal).read("julio") if one.state == "unknown"]
    reports = [
        Delivery(
            "mensatek",
            "17",
            number=one.number,
            state=DeliveryState.DELIVERED,
            code="11",
            at=None,
            reference=one.request,
        )
        for one in unknown
    ]
    await SqliteJournal(journal).deliver(reports)
    before = box.ledger.request_count()
    ended = await run("reconcile", "julio", "--journal", journal, *ASK, "--json", "--quiet", box=box)
    assert (ended.code, ended.err) == (0, "")
    assert result(ended)["by_means"] == {"callback": 20}
    assert box.ledger.request_count() == before


@pytest.mark.slow
async def test_the_list_asks_nobody_and_shows_no_number_in_full(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    await half_lost(box, tmp_path, journal)
    before = box.ledger.request_count()
    output = tmp_path / "unknown.csv"
    ended = await run("reconcile", "julio", "--journal", journal, "--list", "--output", output)
    assert ended.code == 3, ended.err
    rows = re.findall(
        r"^(\*\*\*\d{3}) +mensatek +([a-z2-7]{13}\.\d+) +20\d\d-.* +connection_lost *$", ended.out, re.MULTILINE
    )
    assert Counter(request.partition(".")[2] for _, request in rows) == {"20": 10, "30": 10}
    assert "20 unknown: mensatek 20" in ended.out
    assert "34600" not in ended.out + ended.err
    assert stat.S_IMODE(os.stat(output).st_mode) == 0o600  # noqa: PTH116
    with output.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["number"] for row in found] == [f"'+{34600000000 + index}" for index in range(20, 40)]
    assert [*found[0]] == [*COLUMNS]
    assert found[0]["campaign"] == "julio"
    assert [int(row["line"]) for row in found] == [*range(22, 42)]
    [info] = await SqliteJournal(journal).campaigns()
    assert Counter(row["request"] for row in found) == {f"{info.nonce}.20": 10, f"{info.nonce}.30": 10}
    assert found[0]["sent_at"].endswith("+00:00")
    ended = await run("reconcile", "julio", "--journal", journal, "--list", "--show-numbers")
    assert len(re.findall(r"^\+346000000\d\d ", ended.out, re.MULTILINE)) == 20
    told = result(await run("reconcile", "julio", "--journal", journal, "--list", "--json", "--quiet"))
    assert (told["unknown"], told["vendors"], told["by_code"]) == (20, {"mensatek": 20}, {"connection_lost": 20})
    assert {row["number"] for row in told["messages"]} == {f"***{index:03}" for index in range(20, 40)}
    assert box.ledger.request_count() == before


def test_the_list_as_json_lines_and_what_died_under_way_is_in_it(tmp_path: Path, journal: Path) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001", "34600000002"], swept=False))
    output = tmp_path / "unknown.jsonl"
    ended = invoke("reconcile", "julio", "--journal", journal, "--list", "--output", output)
    assert ended.exit_code == 3
    assert "the process ended while its request was under way" in one_line(ended.stdout)
    found = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(row["number"], row["code"]) for row in found] == [("+34600000001", "crashed"), ("+34600000002", "crashed")]


def test_a_long_list_is_cut_on_the_terminal_and_whole_in_the_file(tmp_path: Path, journal: Path) -> None:
    asyncio.run(unknown_campaign(journal, [f"346{index:08}" for index in range(1100)]))
    output = tmp_path / "unknown.csv"
    ended = invoke("reconcile", "julio", "--journal", journal, "--list", "--output", output)
    assert "1,050 more" in ended.stdout
    assert len(output.read_text(encoding="utf-8").splitlines()) == 1101


@pytest.mark.slow
async def test_nothing_unknown_is_0(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 5)
    assert (await run("send", people, *SEND, "--campaign", "julio", "--journal", journal, box=box)).code == 0
    for command in (("--list",), ASK):
        ended = await run("reconcile", "julio", "--journal", journal, *command, box=box)
        assert (ended.code, ended.out.strip()) == (0, "Nothing is unknown in julio.")


@pytest.mark.slow
async def test_of_several_vendors_each_is_asked_in_its_own_way_and_who_was_not_asked_is_named(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people = write_rows(tmp_path / "people.csv", ["+34600000001,Ana", "+584121234567,Bea", "+351910000001,Eva"])
    routes = ("--route", "ES=mensatek", "--route", "VE=enviatusms", "--route", "*=smsgateway24", "--device-id", "260")
    for vendor, function in (("mensatek", "EnviarSMS"), ("enviatusms", "sms-multi"), ("smsgateway24", "addsms")):
        box.fail(vendor, function=function, fault=Fault.RESET, when="after")
    about = ("julio", "--journal", journal)
    ended = await run("send", people, *routes, "--text", "Hola", "--campaign", *about, box=box)
    assert ended.code == 3, ended.err
    before = box.ledger.request_count()
    ended = await run("reconcile", *about, "--vendor", "mensatek", "--repeat", box=box)
    assert ended.code == 2
    assert "give all the --route options" in ended.err
    assert box.ledger.request_count() == before
    ended = await run("reconcile", *about, "--route", "*=smsgateway24", "--device-id", "260", "--json", box=box)
    found = result(ended)
    assert (found["by_means"], found["not_asked"]) == ({"customer_id": 1}, ["mensatek", "enviatusms"])
    assert "The options do not name this vendor" in one_line(ended.err)
    ended = await run("reconcile", *about, *routes, "--repeat", "--json", box=box)
    assert ended.code == 3
    assert result(ended)["vendors"]["enviatusms"]["unknown"] == 1
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--list", "--repeat"), "leave one of them out"),
        (("--show-numbers", *ASK), "belongs to --list"),
        ((), "no vendor is given"),
        (("--list", "--output", "unknown.xlsx"), ".csv or .jsonl"),
        (ASK, "no credentials for mensatek"),
    ],
)
def test_wrong_usage_is_2(journal: Path, arguments: tuple[str, ...], part: str) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    ended = invoke("reconcile", "julio", "--journal", journal, *arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert part in ended.stderr


@pytest.mark.parametrize("command", [("reconcile", "julio", "--list"), ("deliveries", "julio"),
                                     ("mark", "accepted", "julio", "--all", "--yes")])  # fmt: skip
def test_a_slip_of_the_pen_is_2_and_makes_no_file(tmp_path: Path, journal: Path, command: tuple[str, ...]) -> None:
    ended = invoke(*command, "--journal", tmp_path / "jornal.sqlite")
    assert ended.exit_code == 2
    assert "there is no journal" in ended.stderr
    assert not [*tmp_path.iterdir()]
    asyncio.run(unknown_campaign(journal, ["34600000001"], name="agosto"))
    ended = invoke(*command, "--journal", journal)
    assert ended.exit_code == 2
    assert "the journal has no campaign julio; it has agosto" in ended.stderr


def test_the_output_is_never_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.csv"
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    ended = invoke("reconcile", "julio", "--journal", journal, "--list", "--output", journal)
    assert ended.exit_code == 2
    assert "a file that this command reads" in ended.stderr
    assert len(asyncio.run(SqliteJournal(journal).campaigns())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("command", [("reconcile", "julio", "--list"), ("deliveries", "julio"), ("results", "julio")])
def test_an_output_that_cannot_be_written_is_2(
    tmp_path: Path, journal: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    output = tmp_path / "full.csv"
    fill_the_disk(monkeypatch)
    ended = invoke(*command, "--journal", journal, "--output", output)
    assert ended.exit_code == 2
    assert "cannot be written: No space left on device" in ended.stderr
    assert not output.exists()


@pytest.mark.slow
async def test_a_campaign_that_is_being_sent_is_2(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people = write_people(tmp_path / "people.csv", 20)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, times=None)
    process = await start("send", people, *SEND, "--campaign", "julio", "--journal", journal, "--quiet", box=box)
    await until(lambda: box.ledger.request_count("EnviarSMS"))
    mark = ("mark", "rejected", "julio", "--all", "--yes")
    for command in (("reconcile", "julio", "--list"), ("reconcile", "julio", *ASK), mark):
        ended = await run(*command, "--journal", journal, box=box)
        assert ended.code == 2
        assert "is being sent by another process" in ended.err
    process.kill()
    await finish(process)


@pytest.mark.slow
async def test_refused_credentials_are_4_and_no_secret_is_shown(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    await half_lost(box, tmp_path, journal, "--group-sends")
    before = box.ledger.request_count()
    wrong = {TOKEN_NAME: "canary-7f3a"}
    ended = await run(
        "reconcile", "julio", "--journal", journal, *ASK, "--repeat", "--max-in-flight", "1", box=box, **wrong
    )
    assert ended.code == 4, ended.err
    assert "Stopped early" in ended.out
    assert box.ledger.request_count() == before + 1  # vendors block addresses that keep failing
    everything = ended.out + ended.err
    token = environment(box)[TOKEN_NAME]
    for arguments in (ASK, (*ASK, "--repeat", "--json"), ("--list",)):
        ended = await run("reconcile", "julio", "--journal", journal, *arguments, box=box)
        everything += ended.out + ended.err
    assert "canary" not in everything
    assert token not in everything
    assert "34600" not in everything


@pytest.mark.slow
async def test_ctrl_c_is_130_and_keeps_what_was_found_out(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    await half_lost(box, tmp_path, journal, "--group-sends")
    box.fail("mensatek", function="GetReportSMS", fault=Fault.DELAY, delay=1.5, times=None)
    asked = box.ledger.request_count("GetReportSMS")
    arguments = ("--journal", journal, *ASK, "--max-in-flight", "1", "--json", "--quiet")
    process = await start("reconcile", "julio", *arguments, box=box)
    await until(lambda: box.ledger.request_count("GetReportSMS") > asked)
    ended = await interrupted(process)
    assert (ended.code, ended.err) == (130, "")
    found = result(ended)
    assert (found["interrupted"], found["accepted"], found["unknown"]) == (True, 10, 10)
    assert box.ledger.request_count("GetReportSMS") == asked + 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs the limits of another process")
async def test_a_journal_that_fails_meanwhile_is_5_in_one_sentence_and_keeps_what_was_found_out(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    """While the vendor is asked about the second of two requests, the disk becomes full."""
    people = write_people(tmp_path / "people.csv", 60)
    for nth in (3, 4):
        box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=nth)
    ended = await run("send", people, *SEND, "--group-sends", "--campaign", "julio", "--journal", journal, box=box)
    assert ended.code == 3, ended.err
    box.clear_faults()
    box.fail("mensatek", function="GetReportSMS", fault=Fault.DELAY, delay=1.5, nth=2)
    asked = box.ledger.request_count("GetReportSMS")
    process = await start("reconcile", "julio", "--journal", journal, *ASK, "--quiet", box=box, **UNMEASURED)
    await until(lambda: box.ledger.request_count("GetReportSMS") >= asked + 2)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
    ended = await finish(process)
    assert (ended.code, ended.out) == (5, "")
    assert re.fullmatch(r"Error: the journal journal\.sqlite cannot be used: [^\n]+\n", ended.err)
    told = one_line(invoke("reconcile", "--help").stdout)
    assert " 5 the journal failed; what was found out until then is kept" in told
    assert {state: len(numbers) for state, numbers in (await states(journal)).items()} == {
        "accepted": 50,
        "unknown": 10,
    }
    ended = await run("reconcile", "julio", "--journal", journal, *ASK, "--json", "--quiet", box=box)
    assert (ended.code, result(ended)["by_means"]) == (0, {"report": 10})
    assert set(box.ledger.numbers().values()) == {1}


def test_the_help_tells_the_exit_codes_and_where_credentials_come_from() -> None:
    shown = invoke("reconcile", "--help").stdout
    for code in ("0", "2", "3", "4", "130"):
        assert f"\n    {code} " in shown
    assert TOKEN_NAME in shown
