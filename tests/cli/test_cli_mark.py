"""``mensasdk mark``: a person's word counts for just those whom the person named, and for nobody by mistake."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli_support import invoke, run, states, unknown_campaign
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from mensasdk.journal import Row, SqliteJournal
from mensasdk.messages import Message
from mensasdk.sandbox import Sandbox

NUMBERS = [f"3460000000{index}" for index in range(6)]
E164 = [f"+{number}" for number in NUMBERS]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    asyncio.run(unknown_campaign(path, NUMBERS))
    return path


def mark(journal: Path, kind: str, *arguments: str | Path, keyboard: str | None = None) -> Result:
    return invoke("mark", kind, "julio", "--journal", journal, *arguments, keyboard=keyboard)


def now(journal: Path) -> dict[str, list[str]]:
    return asyncio.run(states(journal))


@pytest.mark.parametrize(
    ("kind", "state"), [("accepted", "accepted"), ("rejected", "rejected"), ("not-sent", "pending")]
)
def test_all_are_marked_and_say_that_a_person_did_it(journal: Path, kind: str, state: str) -> None:
    ended = mark(journal, kind, "--all", "--yes")
    assert ended.exit_code == 0, ended.stderr
    assert f"Marked as {kind}: 6. Still unknown: 0." in ended.stdout
    assert now(journal) == {state: E164}
    outcomes = [record.outcome for record in asyncio.run(SqliteJournal(journal).read("julio"))]
    if kind != "not-sent":  # what is pending has no outcome
        assert {outcome.code for outcome in outcomes if outcome is not None} == {"person"}
    ended = mark(journal, kind, "--all", "--yes")
    assert (ended.exit_code, ended.stdout) == (0, "Nothing is unknown in julio.\n")


def test_numbers_may_be_spelled_in_any_way(journal: Path) -> None:
    numbers = ("--number", "600 00 00 01", "--number", "0034-600-000-003", "--number", "+34600000005")
    ended = mark(journal, "accepted", *numbers, "--default-country", "ES", "--yes")
    assert ended.exit_code == 0, ended.stderr
    assert now(journal) == {"unknown": E164[::2], "accepted": E164[1::2]}


@pytest.mark.parametrize(
    "arguments",
    [("--number", "+34600000001", "--number", "+34611222333"), ("--number", "+34600000001", "--number", "+34999")],
)
def test_a_number_that_is_not_unknown_is_named_masked_and_nothing_is_marked(
    journal: Path, arguments: Sequence[str]
) -> None:
    ended = mark(journal, "accepted", *arguments, "--yes")
    assert ended.exit_code == 2
    assert f"***{arguments[-1][-3:]}" in ended.stderr
    assert "nothing was marked" in ended.stderr
    assert "346" not in ended.output
    assert now(journal) == {"unknown": E164}


def test_marked_once_is_not_marked_again(journal: Path) -> None:
    assert mark(journal, "accepted", "--number", E164[0], "--yes").exit_code == 0
    ended = mark(journal, "rejected", "--number", E164[0], "--yes")
    assert ended.exit_code == 2
    assert now(journal)["accepted"] == E164[:1]


@pytest.mark.slow
@settings(max_examples=20)
@given(st.sets(st.sampled_from(range(6))), st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8-sig", "cp1252"]))
def test_whoever_is_left_in_the_list_is_marked_whatever_the_spreadsheet_made_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, kept: set[int], delimiter: str, encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("mark")
    journal, listed = folder / "journal.sqlite", folder / "unknown.csv"
    asyncio.run(unknown_campaign(journal, NUMBERS))
    assert invoke("reconcile", "julio", "--journal", journal, "--list", "--output", listed).exit_code == 3
    with listed.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    with listed.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *(rows[index] for index in sorted(kept))])
    ended = mark(journal, "rejected", "--from", listed, "--yes")
    assert ended.exit_code == 0, ended.stderr
    found = now(journal)
    assert found.get("rejected", []) == [E164[index] for index in sorted(kept)]
    assert found.get("unknown", []) == [number for index, number in enumerate(E164) if index not in kept]


@pytest.mark.parametrize(
    "content", ["600000001\n600 000 003\n\n+34600000005\n", "Móvil\n600000001\n600000003\n600000005"]
)
def test_a_plain_list_of_numbers_will_do(journal: Path, tmp_path: Path, content: str) -> None:
    listed = tmp_path / "numbers.txt"
    listed.write_text(content, encoding="utf-8")
    ended = mark(journal, "accepted", "--from", listed, "--default-country", "ES", "--yes")
    assert ended.exit_code == 0, ended.stderr
    assert now(journal)["accepted"] == E164[1::2]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("campaign,number\nagosto,+34600000001\n", "line 2: it belongs to another campaign"),
        ("name,place\nAna,Madrid\n", "no column named number (there are: name, place)"),
        ("number\n+34600000001\nAna\n", "line 3"),
        ("campaign,number\njulio\n", "line 2: it has no number"),
        ("number\n+34600000001\n+34611222333\n", "***333 is not unknown"),
        ("", "is empty"),
    ],
)
def test_a_list_that_is_not_in_order_marks_nobody(journal: Path, tmp_path: Path, content: str, part: str) -> None:
    listed = tmp_path / "unknown.csv"
    listed.write_text(content, encoding="utf-8")
    ended = mark(journal, "accepted", "--from", listed, "--yes")
    assert ended.exit_code == 2
    assert part in ended.stderr
    assert now(journal) == {"unknown": E164}


def test_of_two_messages_to_a_number_one_cannot_be_marked_alone(tmp_path: Path) -> None:
    journal, listed = tmp_path / "journal.sqlite", tmp_path / "unknown.csv"
    asyncio.run(unknown_campaign(journal, [NUMBERS[0], NUMBERS[0], NUMBERS[1]]))
    assert invoke("reconcile", "julio", "--journal", journal, "--list", "--output", listed).exit_code == 3
    header, first, second, third = listed.read_text(encoding="utf-8").splitlines()
    listed.write_text("\n".join([header, first, third]), encoding="utf-8")
    ended = mark(journal, "accepted", "--from", listed, "--yes")
    assert ended.exit_code == 2
    assert "***000 is in the file with some of the unknown messages only" in ended.stderr
    assert now(journal) == {"unknown": [E164[0], E164[0], E164[1]]}
    listed.write_text("\n".join([header, first, second]), encoding="utf-8")
    assert mark(journal, "accepted", "--from", listed, "--yes").exit_code == 0
    assert now(journal) == {"accepted": [E164[0], E164[0]], "unknown": [E164[1]]}


def test_it_asks_first_and_says_what_not_sent_means(journal: Path) -> None:
    for answer in ("n\n", "\n", ""):
        ended = mark(journal, "not-sent", "--all", keyboard=answer)
        assert ended.exit_code == 1
        assert "Mark 6 messages of julio as not-sent?" in ended.stderr
        assert "Whoever did get the message gets it twice" in ended.stderr
        assert now(journal) == {"unknown": E164}
    ended = mark(journal, "not-sent", "--all", keyboard="y\n")
    assert ended.exit_code == 0
    assert f"mensasdk resume julio --journal {journal}" in ended.stdout
    assert now(journal) == {"pending": E164}
    assert "twice" not in mark(journal, "accepted", "--all", keyboard="n\n").stderr


@pytest.mark.parametrize("arguments", [(), ("--all", "--number", "+34600000001"), ("--all", "--from", "x.csv")])
def test_whose_messages_has_to_be_said_once(journal: Path, arguments: Sequence[str]) -> None:
    ended = mark(journal, "accepted", *arguments, "--yes")
    assert ended.exit_code == 2
    assert "say whose messages" in ended.stderr
    assert now(journal) == {"unknown": E164}


@pytest.mark.slow
async def test_what_is_marked_not_sent_is_sent_by_resume(box: Sandbox, tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    await unknown_campaign(journal, NUMBERS)
    about = ("julio", "--journal", journal)
    ended = await run("mark", "not-sent", *about, "--number", E164[2], "--yes")
    assert ended.code == 0, ended.err
    ended = await run("resume", *about, "--vendor", "mensatek", "--quiet", box=box)
    assert ended.code == 3  # the others are unknown as before
    assert [message.number for message in box.ledger.messages] == [NUMBERS[2]]
    assert await states(journal) == {"unknown": [*E164[:2], *E164[3:]], "accepted": [E164[2]]}


def test_what_is_not_unknown_cannot_be_marked(tmp_path: Path) -> None:
    """Neither what is pending, nor what was accepted."""
    journal = tmp_path / "journal.sqlite"

    async def record() -> None:
        held = SqliteJournal(journal)
        await held.open("julio")
        await held.load("julio", [Row(0, b"0" * 16, Message(NUMBERS[0], "Hola"), E164[0])])
        await held.close("julio")

    asyncio.run(record())
    ended = mark(journal, "accepted", "--number", E164[0], "--yes")
    assert ended.exit_code == 2
    assert "***000 is not unknown" in ended.stderr
    assert now(journal) == {"pending": [E164[0]]}
