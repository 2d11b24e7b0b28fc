"""The command takes a campaign up as it was begun, and refuses what is otherwise; counted in the sandbox's ledger."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_support import Ended, one_line, run, write_people

from mensasdk.sandbox import Sandbox

pytestmark = pytest.mark.slow

SMALL = ("--max-recipients", "10", "--max-in-flight", "1", "--json", "--quiet")
SEND = (
    "--vendor",
    "mensatek",
    "--text",
    "Buenas {nombre}",
    "--sender",
    "CLINICA",
    "--report",
    "--default-country",
    "ES",
    *SMALL,
)


def summary(ended: Ended) -> dict[str, Any]:
    assert ended.out, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


async def half_sent(box: Sandbox, folder: Path, *options: str | Path, name: str = "mayo") -> tuple[Path, Path]:
    """Send to 40, of whom 20 can be paid for."""
    people, journal = write_people(folder / "people.csv", 40), folder / "j.sqlite"
    box.mensatek.account.credits = Decimal(20)
    ended = await run("send", people, *SEND, *options, "--campaign", name, "--journal", journal, box=box)
    assert ended.code == 4, ended.err
    box.mensatek.account.credits = Decimal(1000)
    return people, journal


async def test_it_is_resumed_by_its_name_alone(box: Sandbox, tmp_path: Path) -> None:
    _, journal = await half_sent(box, tmp_path)
    ended = await run("resume", "mayo", "--journal", journal, "--json", box=box)
    assert (ended.code, summary(ended)["accepted"]) == (0, 40), ended.err
    assert set(box.ledger.numbers().values()) == {1}
    sent = [one.params for one in box.ledger.requests if one.function == "EnviarSMS"]
    assert {(one["Remitente"], one["Report"]) for one in sent} == {("CLINICA", 1)}


async def test_a_route_for_countries_is_remembered_with_what_it_adds(box: Sandbox, tmp_path: Path) -> None:
    people, journal = write_people(tmp_path / "people.csv", 40), tmp_path / "j.sqlite"
    box.mensatek.account.credits = Decimal(20)
    routes = ("--route", "PT,ES=mensatek", "--route", "*=enviatusms")
    options = (*routes, "--text", "Buenas {nombre}", "--sender", "CLINICA", *SMALL)
    await run(
        "send",
        people,
        *options,
        "--campaign",
        "mayo",
        "--journal",
        journal,
        "--max-messages",
        "mensatek=20",
        "--max-messages",
        "enviatusms=1",
        box=box,
    )
    assert len(box.ledger) < 40
    box.mensatek.account.credits = Decimal(1000)
    ended = await run("resume", "mayo", "--journal", journal, "--json", box=box)
    assert ended.code == 0, ended.err
    assert summary(ended)["accepted"] == 40
    assert set(box.ledger.numbers().values()) == {1}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--text", "Buenas {nombre}."), "--text: it has 'Buenas {nombre}', and was given 'Buenas {nombre}.'"),
        (("--sender", "OTRA"), "--sender: it has 'CLINICA', and was given 'OTRA'"),
        (("--vendor", "enviatusms"), "enviatusms"),
        (("--unicode",), "--unicode: it has none, and was given true"),
        (("--default-country", "PT"), "--default-country: it has 'ES', and was given 'PT'"),
    ],
)
@pytest.mark.parametrize("with_list", [True, False])
async def test_other_content_is_refused_and_named(
    box: Sandbox, tmp_path: Path, options: tuple[str, ...], told: str, with_list: bool
) -> None:
    people, journal = await half_sent(box, tmp_path)
    given = (people,) if with_list else ()
    ended = await run("resume", "mayo", *given, "--journal", journal, *options, box=box)
    assert ended.code == 2
    assert told in one_line(ended.err)
    assert len(box.ledger) == 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--schedule", "2040-01-31T09:00+01:00"), "--schedule would have no effect"),
        (("--column-number", "telefono"), "--column-number would have no effect"),
        (("--delimiter", ";", "--zone", "Europe/Madrid"), "--delimiter and --zone would have no effect"),
        (("--not-after", "2040-01-31T09:00+01:00"), "--not-after holds for rows of a list"),
        (("--again",), "--again is about rows of a list"),
    ],
)
async def test_what_has_no_effect_without_the_list_is_refused(
    box: Sandbox, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    _, journal = await half_sent(box, tmp_path)
    ended = await run("resume", "mayo", "--journal", journal, *options, box=box)
    assert ended.code == 2, ended.err
    assert told in one_line(ended.err) or "--zone belongs to" in one_line(ended.err)
    assert len(box.ledger) == 20


async def test_what_is_no_content_may_change(box: Sandbox, tmp_path: Path) -> None:
    people, journal = await half_sent(box, tmp_path)
    out = tmp_path / "out.txt"
    out.write_text("+34600000039\n", encoding="utf-8")
    options = ("--rate", "500", "--max-in-flight", "2", "--max-messages", "15", "--days", "mon-sun")
    ended = await run("resume", "mayo", people, *SEND, *options, "--journal", journal, "--opt-outs", out, box=box)
    assert summary(ended)["accepted"] == 35, ended.err
    assert summary(await run("resume", "mayo", "--journal", journal, "--json", box=box))["accepted"] == 40


async def test_a_time_that_has_passed_is_given_anew_with_the_list(box: Sandbox, tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    people, journal = await half_sent(box, tmp_path, "--schedule", soon)
    later = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="minutes")
    while datetime.now(UTC).isoformat() <= soon:
        pass
    ended = await run("resume", "mayo", people, "--journal", journal, box=box)
    assert (ended.code, "has passed; give a new time" in one_line(ended.err)) == (2, True), ended.err
    ended = await run("resume", "mayo", people, "--journal", journal, "--schedule", later, "--json", box=box)
    assert (ended.code, summary(ended)["accepted"]) == (0, 40), ended.err
    assert set(box.ledger.numbers().values()) == {1}


async def test_rows_that_were_changed_are_told_and_rows_that_were_added_are_sent(box: Sandbox, tmp_path: Path) -> None:
    people, journal = await half_sent(box, tmp_path)
    people = write_people(tmp_path / "people.csv", 40, extra=["+34600111222,Bea"])
    written = people.read_text(encoding="utf-8").splitlines()
    people.write_text("\n".join([written[0], *(f"{one} Gil" for one in written[1:])]), encoding="utf-8")
    ended = await run("resume", "mayo", people, "--journal", journal, "--json", box=box)
    found = summary(ended)
    assert (ended.code, found["accepted"], found["by_code"]) == (1, 41, {"changed": 40}), ended.err
    assert set(box.ledger.numbers().values()) == {1}
    ended = await run("resume", "mayo", people, "--journal", journal, "--json", "--again", box=box)
    assert (ended.code, summary(ended)["accepted"]) == (0, 81), ended.err
    assert Counter(box.ledger.numbers().values()) == {2: 40, 1: 1}


async def test_the_same_command_twice_is_refused_and_new_begins_a_second_instance(box: Sandbox, tmp_path: Path) -> None:
    people, journal = write_people(tmp_path / "people.csv", 5), tmp_path / "j.sqlite"
    for options, names in ((), "people"), (("--campaign", "mayo"), "mayo"):
        before = len(box.ledger)
        command = ("send", people, *SEND, *options, "--journal", journal)
        first = await run(*command, box=box)
        assert first.code == 0, first.err
        name = summary(first)["campaign"]
        assert name.startswith(names)
        ended = await run(*command, box=box)
        assert ended.code == 2
        assert f"campaign '{name}' exists since " in ended.err
        assert ", 5 accepted; resume it, or choose another name" in one_line(ended.err)
        assert len(box.ledger) == before + 5
        for number in (2, 3):
            ended = await run(*command, "--new", box=box)
            assert (ended.code, summary(ended)["campaign"]) == (0, f"{name}-{number}"), ended.err
    other = await run("send", people, *SEND, "--unicode", "--journal", journal, box=box)
    assert other.code == 0, "another content is another campaign"
    ended = await run("send", people, *SEND, "--new", box=box)
    assert (ended.code, "--new belongs to --journal" in ended.err) == (2, True)


@pytest.mark.parametrize("name", ["", " ", "a\tb", "a\nb"])
async def test_a_name_that_is_none_is_refused(box: Sandbox, tmp_path: Path, name: str) -> None:
    people, journal = write_people(tmp_path / "people.csv", 5), tmp_path / "j.sqlite"
    ended = await run("send", people, *SEND, "--campaign", name, "--journal", journal, box=box)
    assert (ended.code, "must be a name of printable characters" in one_line(ended.err)) == (2, True)
    assert box.ledger.request_count() == 0
