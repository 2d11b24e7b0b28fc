"""``mensasdk results`` and every ``--output``: one set of columns, and never somebody else's file."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import stat
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_support import (
    environment,
    finish,
    invoke,
    one_line,
    run,
    run_on_a_full_disk,
    start,
    unknown_campaign,
    write_people,
    write_rows,
)
from shared import until

from mensasdk import BatchSender, Delivery, DeliveryState, MensatekClient, Message, SqliteJournal
from mensasdk.cli.show.output import COLUMNS, open_output
from mensasdk.errors import ConfigurationError
from mensasdk.journal import Row
from mensasdk.sandbox import Fault, Sandbox

ROOT = Path(__file__).parent.parent.parent
SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}", "--max-recipients", "10", "--max-in-flight", "1")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ----------------------------------------------------------------------------------------------------------- columns


def test_the_page_has_the_columns_of_the_command() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    section = page.split("## The columns", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE) == [*COLUMNS.items()]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_every_command_writes_the_same_columns_and_they_join_with_the_list(
    box: Sandbox, tmp_path: Path, journal: Path, ending: str
) -> None:
    people = tmp_path / "people.csv"
    lines = [f"600 00 00 {index:02},Persona {index},r{index}" for index in range(30)]
    people.write_text("\n".join(["telefono,nombre,reference", *lines, "12,Nadie,bad"]) + "\n", encoding="utf-8")
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    about = ("julio", "--journal", journal)
    names = {what: tmp_path / f"{what}.{ending}" for what in ("sent", "again", "now", "found", "delivered")}
    ended = await run(
        *("send", people, *SEND, "--default-country", "ES", "--campaign", *about, "--raw", "--output", names["sent"]),
        box=box,
    )
    assert ended.code == 3, ended.err
    who = ("--vendor", "mensatek", "--default-country", "ES")
    for command, output in (
        (("results", *about), names["now"]),
        (("deliveries", *about), names["delivered"]),
        (("resume", *about, *who), names["again"]),
        (("reconcile", *about, *who), names["found"]),
    ):
        ended = await run(*command, "--raw", "--output", output, box=box)
        assert ended.code in {0, 1, 3}, ended.err
    found = {what: rows_of(path) for what, path in names.items()}
    for what, rows in found.items():
        assert {tuple(row) for row in rows} == {tuple(COLUMNS)}, what
        listed = {row["as_written"]: (int(row["line"]), row["reference"], row["number"]) for row in rows}
        for index in range(30):
            if what != "found" or index in range(10, 20):
                expected = (index + 2, f"r{index}", f"+346000000{index:02}")
                assert listed[f"600 00 00 {index:02}"] == expected, what
        assert {row["campaign"] for row in rows} == {"julio"}
    assert Counter(row["outcome"] for row in found["sent"]) == {"accepted": 20, "unknown": 10, "not_sent": 1}
    assert [row["number"] or None for row in found["sent"] if row["as_written"] == "12"] == [None]
    for what in ("now", "again", "delivered"):
        assert Counter(row["outcome"] for row in found[what]) == {"accepted": 20, "unknown": 10}, what
    assert all(row["sent_at"].endswith("+00:00") and row["request"] for row in found["now"])
    assert len(box.ledger) == 30
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.slow
async def test_results_are_there_while_the_campaign_runs_and_after_it_was_killed(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people = write_people(tmp_path / "people.csv", 40)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.HANG, when="after", nth=3)
    output = tmp_path / "sent.csv"
    about = ("julio", "--journal", journal)
    process = await start("send", people, *SEND, "--campaign", *about, "--output", output, "--quiet", box=box)
    await until(lambda: box.ledger.request_count("EnviarSMS") == 3)

    async def outcomes() -> Counter[str]:
        ended = await run("results", *about, "--format", "jsonl")
        assert ended.code == 0, ended.err
        return Counter(json.loads(line)["outcome"] for line in ended.out.splitlines())

    assert await outcomes() == {"accepted": 20, "in_flight": 10}
    process.send_signal(signal.SIGKILL)
    await finish(process)
    assert await outcomes() == {"accepted": 20, "in_flight": 10}
    assert not output.exists()
    partial = tmp_path / "sent.csv.partial"
    assert [*csv.reader([partial.read_text(encoding="utf-8").splitlines()[0]])] == [[*COLUMNS]]
    assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    ended = await run("resume", *about, people, *SEND, "--output", output, box=box)
    assert ended.code == 3, ended.err
    assert not partial.exists()
    assert Counter(row["outcome"] for row in rows_of(output)) == {"accepted": 30, "unknown": 10}
    assert await outcomes() == {"accepted": 30, "unknown": 10}
    assert set(box.ledger.numbers().values()) == {1}


async def test_results_have_the_delivery_and_what_was_charged(
    box: Sandbox, mensatek: MensatekClient, tmp_path: Path, journal: Path
) -> None:
    held = SqliteJournal(journal)
    texts = ["corto", "l" * 200]
    people = [Message(f"+3460000000{at}", "{t}", variables={"t": texts[at % 2]}, place=at) for at in range(3)]
    report = await BatchSender(mensatek, journal=held).send(people, campaign="julio")
    assert report.credits["mensatek"].amount == box.ledger.charged == 4
    [first, *_] = report.outcomes()
    arrived = Delivery("mensatek", first.vendor_id, number="+34600000000", state=DeliveryState.DELIVERED, code="1")
    await held.deliver([arrived])
    output = tmp_path / "now.jsonl"
    ended = await run("results", "julio", "--journal", journal, "--output", output, "--json")
    found = json.loads(ended.out)
    assert (found["accepted"], found["total"], found["complete"]) == (3, 3, True)
    assert found["credits"] == {"mensatek": "4"}
    rows = {row["line"]: row for row in rows_of(output)}
    assert [(rows[at]["delivery"], rows[at]["delivery_code"]) for at in range(3)] == [
        ("delivered", "1"),
        *[(None,) * 2] * 2,
    ]
    assert {row["credits"] for row in rows.values()} == {None}
    assert [rows[at]["parts"] for at in range(3)] == [1, 2, 1]
    ended = await run("results", "julio", "--journal", journal)
    assert "4 credits" in one_line(ended.err)
    assert len(ended.out.splitlines()) == 4


async def test_a_vendor_that_tells_no_charge_is_not_told_and_never_zero(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people = write_rows(tmp_path / "people.csv", [f"+58424123456{index},Ana" for index in range(3)])
    about = ("julio", "--journal", journal)
    who = ("--vendor", "enviatusms", "--text", "Hola {nombre}")
    ended = await run("send", people, *who, "--campaign", *about, box=box)
    assert ended.code == 0, ended.err
    assert re.search(r"cost +not told", ended.out)
    ended = await run("resume", *about, "--vendor", "enviatusms", "--json", "--quiet", box=box)
    assert json.loads(ended.out)["credits"] is None
    ended = await run("results", *about, "--json")
    assert json.loads(ended.out)["credits"] == {"enviatusms": None}
    ended = await run("results", *about)
    assert re.search(r"enviatusms +not told", ended.err)
    assert box.ledger.charged > 0


def test_rows_without_a_place_and_odd_texts_are_written_too(tmp_path: Path, journal: Path) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))

    async def more() -> None:
        held = SqliteJournal(journal)
        await held.open("o")
        await held.load("o", [Row(0, b"key", Message("+34600000002", "Hola", reference="\ud800=1"))])
        await held.close("o")

    asyncio.run(more())
    for ending in ("csv", "jsonl"):
        output = tmp_path / f"odd.{ending}"
        assert invoke("results", "o", "--journal", journal, "--output", output).exit_code == 0
        [row] = rows_of(output)
        assert (row["number"].lstrip("'"), row["outcome"], row["line"] or None) == ("+34600000002", "pending", None)


def test_the_guard_against_formulas_can_be_left_out(tmp_path: Path, journal: Path) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    for raw, number in (((), "'+34600000001"), (("--raw",), "+34600000001")):
        output = tmp_path / "now.csv"
        assert invoke("results", "julio", "--journal", journal, "--output", output, *raw).exit_code == 0
        assert [row["number"] for row in rows_of(output)] == [number]
        printed = invoke("results", "julio", "--journal", journal, *raw).stdout
        assert [row["number"] for row in csv.DictReader(printed.splitlines())] == [number]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("agosto",), "has no campaign agosto; it has julio"),
        (("julio", "--format", "csv", "--json"), "--format is for rows on standard output"),
        (("julio", "--output", "now.txt"), ".csv or .jsonl"),
    ],
)
def test_wrong_usage_of_results_is_2(journal: Path, arguments: tuple[str, ...], part: str) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    ended = invoke("results", *arguments, "--journal", journal)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert part in ended.stderr


# ------------------------------------------------------------------------------------------------- whose file it is


def _hard_link(path: Path, target: Path) -> None:
    path.hardlink_to(target)


def _soft_link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def _beside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}*"))


async def test_what_lies_beside_a_journal_is_found_through_a_link_to_it(box: Sandbox, tmp_path: Path) -> None:
    people, real, link = write_people(tmp_path / "people.csv", 1), tmp_path / "real.csv", tmp_path / "link"
    link.symlink_to(real)
    held = SqliteJournal(link)
    await held.open("another")  # so that its files stand beside the real one
    for beside in _beside(real):
        alias = tmp_path / "alias.csv"
        alias.hardlink_to(beside)
        before = alias.read_bytes()
        ended = await run("send", people, *SEND, "--journal", link, "--output", alias, box=box)
        assert (ended.code, alias.read_bytes()) == (2, before), beside
        assert "choose another name" in ended.err
        alias.unlink()
    await held.close("another")
    assert box.ledger.request_count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("by", [None, _hard_link, _soft_link])
@pytest.mark.parametrize(
    "what", ["people", "optouts", "prices", "credentials", "variable", "journal", "partial", "wal"]
)
async def test_no_output_touches_what_the_command_reads(
    box: Sandbox, tmp_path: Path, what: str, by: Callable[[Path, Path], None] | None
) -> None:
    people = write_people(tmp_path / "people.csv", 3)
    files = {"people": people}
    for name, text in {"optouts": "34600000099\n", "prices": "country,price\nES,1\n"}.items():
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text(text, encoding="utf-8")
    for name in ("credentials", "variable"):
        files[name] = tmp_path / f"{name}.csv"
        account = box.credentials("mensatek")
        lines = ["[mensatek]", *(f'{key} = "{value}"' for key, value in account.items())]
        files[name].write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[name].chmod(0o600)
    files["journal"] = tmp_path / "journal.csv"
    made = SqliteJournal(files["journal"])
    await made.open("another")
    await made.close("another")
    files["wal"] = tmp_path / "journal.csv-wal"
    files["wal"].touch()
    files["partial"] = people.rename(tmp_path / "people.csv.partial") if what == "partial" else people
    people = files["people"] = files["partial"]
    target = files[what]
    if by is None and what == "wal":
        pytest.skip("its name cannot be that of an output")
    output = tmp_path / "people.csv" if what == "partial" else target
    if by is not None:
        output = tmp_path / ("alias.csv.partial" if what == "partial" else "alias.csv")
        by(output, target)
        output = tmp_path / "alias.csv"
    before = {
        path: (path.read_bytes(), path.stat().st_mode)
        for path in {*files.values(), tmp_path / "alias.csv"}
        if path.exists()
    }
    given = (
        *("--opt-outs", files["optouts"], "--prices", files["prices"], "--journal", files["journal"]),
        *(("--credentials", files["credentials"]) if what == "credentials" else ()),
    )
    for dry in ((), ("--dry-run",)):
        ended = await run(
            *("send", people, *SEND, *given, *dry, "--output", output),
            box=box,
            MENSASDK_CREDENTIALS=str(files["variable"]),
        )
        assert ended.code == 2, ended.out
        assert "choose another name" in ended.err or "is a link" in ended.err
        assert {path: (path.read_bytes(), path.stat().st_mode) for path in before} == before
    assert box.ledger.request_count() == 0


@pytest.mark.parametrize("kind", ["text", "database", "folder", "link", "dangling", "pipe", "device"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".csv.partial"])
def test_no_output_replaces_what_is_not_a_file_of_results(tmp_path: Path, kind: str, ending: str) -> None:
    place, victim = tmp_path / f"mine{ending}", tmp_path / "victim"
    victim.write_text("to\n34600000001\n", encoding="utf-8")
    victim.chmod(0o644)
    if kind == "text":
        place.write_text("to,name\n34600000001,Ana\n", encoding="utf-8")
    elif kind == "database":
        place.write_bytes(b"SQLite format 3\0" + bytes(100))
    elif kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to({"link": victim, "dangling": tmp_path / "nothing", "device": Path("/dev/null")}[kind])
    before = place.lstat()
    with pytest.raises(ConfigurationError, match=r"is a link|not a regular file|no file of results"):
        open_output(place.with_name(place.name.removesuffix(".partial")), in_use=[])
    after = place.lstat()
    assert (after.st_mode, after.st_ino, after.st_size) == (before.st_mode, before.st_ino, before.st_size)
    assert victim.read_text(encoding="utf-8") == "to\n34600000001\n"
    assert victim.stat().st_mode & 0o777 == 0o644
    assert not (tmp_path / "nothing").exists()


def test_older_results_are_replaced_only_at_the_end(tmp_path: Path, journal: Path) -> None:
    asyncio.run(unknown_campaign(journal, ["34600000001"]))
    output = tmp_path / "now.csv"
    assert invoke("results", "julio", "--journal", journal, "--output", output).exit_code == 0
    before = output.read_bytes()
    fresh = open_output(output, in_use=[])
    assert output.read_bytes() == before
    fresh.close()
    assert fresh.failure is None
    assert len(output.read_bytes()) < len(before)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("now")] == ["now.csv"]


def test_of_two_commands_with_one_output_the_later_one_has_it(tmp_path: Path) -> None:
    first, second = (open_output(tmp_path / "now.csv", in_use=[]) for _ in range(2))
    first.close()
    assert first.failure is not None
    assert "another command" in str(first.failure)
    second.close()
    assert second.failure is None
    assert (tmp_path / "now.csv").exists()


@pytest.mark.slow
async def test_a_campaign_that_is_refused_leaves_no_file(box: Sandbox, tmp_path: Path, journal: Path) -> None:
    people, output = write_people(tmp_path / "people.csv", 3), tmp_path / "sent.csv"
    held = SqliteJournal(journal)
    await held.open("julio")
    arguments = ("send", people, *SEND, "--campaign", "julio", "--journal", journal, "--output", output)
    ended = await run(*arguments, box=box)
    await held.close("julio")
    assert ended.code == 2
    assert not [name for name in os.listdir(tmp_path) if name.startswith("sent")]  # noqa: PTH208
    assert box.ledger.request_count() == 0


# --------------------------------------------------------------------------------------------------------- full disks


@FULL
@pytest.mark.slow
async def test_with_a_journal_a_full_disk_changes_neither_the_campaign_nor_its_code(
    box: Sandbox, tmp_path: Path, journal: Path
) -> None:
    people, output = write_people(tmp_path / "people.csv", 30), tmp_path / "sent.csv"
    about = ("julio", "--journal", journal)
    for command in (
        ("send", people, *SEND, "--campaign", *about),
        ("resume", *about, "--vendor", "mensatek"),
        ("reconcile", *about, "--vendor", "mensatek"),
    ):
        ended = await run_on_a_full_disk(*command, "--output", output, box=box)
        assert ended.code == 0, ended.err
        assert "could not be written" in one_line(ended.err)
        assert f"results: {output}" not in one_line(ended.out)
        assert len(box.ledger) == 30
        assert not output.exists()
    ended = await run("results", *about, "--output", output)
    assert ended.code == 0, ended.err
    assert Counter(row["outcome"] for row in rows_of(output)) == {"accepted": 30}


@FULL
@pytest.mark.slow
async def test_without_a_journal_a_full_disk_stops_what_is_left(box: Sandbox, tmp_path: Path) -> None:
    """Nothing would record who gets a message."""
    output = tmp_path / "sent.csv"
    few = write_people(tmp_path / "few.csv", 1)
    ended = await run_on_a_full_disk("send", few, *SEND, "--json", "--output", output, box=box)
    assert ended.code == 4  # it was known before the first one
    assert json.loads(ended.out)["not_sent"] == 1
    assert len(box.ledger) == 0
    assert "No space left on device" in ended.err


@FULL
@pytest.mark.slow
@pytest.mark.parametrize("streams", [("out",), ("out", "err")])
@pytest.mark.parametrize("as_json", [("--json",), ()])
async def test_a_full_standard_output_leaves_the_code_to_the_messages(
    box: Sandbox, tmp_path: Path, streams: tuple[str, ...], as_json: tuple[str, ...]
) -> None:
    people = write_people(tmp_path / "people.csv", 25)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mensasdk", "send", str(people), *SEND, *as_json),
            stdout=full,
            stderr=full if "err" in streams else asyncio.subprocess.PIPE,
            env=environment(box),
        )
        _, err = await process.communicate()
    finally:
        os.close(full)
    assert process.returncode == 0
    assert len(box.ledger) == 25
    if "err" not in streams:
        assert b"Traceback" not in err
        last = err.decode().strip().splitlines()[-1]
        assert "Standard output cannot be written (No space left on device)" in last
        assert "25 accepted" in last


@FULL
@pytest.mark.slow
@pytest.mark.parametrize("command", [("results", "julio"), ("results", "julio", "--json"), ("campaigns",)])
async def test_a_command_that_only_reads_says_that_its_result_is_lost(journal: Path, command: tuple[str, ...]) -> None:
    await unknown_campaign(journal, ["34600000001"])
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mensasdk", *command, "--journal", str(journal)),
            stdout=full,
            stderr=asyncio.subprocess.PIPE,
            env=environment(None),
        )
        _, err = await process.communicate()
    finally:
        os.close(full)
    assert process.returncode == 1
    assert b"standard output cannot be written: No space left on device" in err
    assert b"Traceback" not in err
