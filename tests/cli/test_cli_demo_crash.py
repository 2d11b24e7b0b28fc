"""The demo of crashes: it really kills, it really adds up, and what would not add up is found."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cli_support import invoke, run, states

from mensasdk.cli.demo.crash_checks import compare
from mensasdk.journal import Record, State
from mensasdk.messages import Message
from mensasdk.sandbox import Ledger, LedgerMessage


@pytest.mark.slow
async def test_the_demo_adds_up_and_says_so(tmp_path: Path) -> None:
    ended = await run("demo", "--crash", "--rows", "200", "--rate", "80", "--output", tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.err == ""
    assert "Everything adds up." in ended.out
    assert "✗" not in ended.out
    assert ended.out.count("$ mensasdk send ") == 1
    assert ended.out.count("$ mensasdk resume ") == 2
    assert len(re.findall(r"kill -9 \d+|ended by force", ended.out)) == 2
    moments = re.findall(r"^(killed at \d\d%|resumed to the end) +(\d+) .* (\d+) +(\d+) *$", ended.out, re.MULTILINE)
    assert [name for name, *_ in moments] == ["killed at 40%", "killed at 70%", "resumed to the end"]
    assert [int(rest) for *_, rest in moments] == sorted((int(rest) for *_, rest in moments), reverse=True)
    assert (int(moments[0][2]) > 0, moments[-1][3]) == (True, "0")
    # Whoever is in doubt does not become fewer by resuming; and asking settles some by several means.
    assert int(moments[-1][2]) >= int(moments[0][2])
    means = set(re.findall(r"^(\w+) +accepted +\d+ ", ended.out, re.MULTILINE))
    assert means >= {"repeated"}, ended.out
    found = await states(tmp_path / "journal.sqlite", "crash")
    assert {*found} <= {"accepted", "rejected", "unknown"}
    assert max(map(len, ended.out.partition("the list")[0].splitlines()[3:])) <= 100  # as wide as the terminal
    assert "\x1b" not in ended.out  # no terminal, no colours
    assert not re.search(r"\+?34\d{9}", ended.out)


def test_a_journal_that_is_there_is_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    journal.write_text("mine", encoding="utf-8")
    ended = invoke("demo", "--crash", "--output", tmp_path)
    assert ended.exit_code == 2
    assert "choose another folder" in ended.stderr
    assert journal.read_text(encoding="utf-8") == "mine"


# ---------------------------------------------------------------------------------------- what would not add up

PEOPLE = {"34600000001": State.ACCEPTED, "34600000002": State.REJECTED, "34600000003": State.UNKNOWN}


def ledger(*numbers: str, vendor: str = "mensatek") -> Ledger:
    found = Ledger()
    for number in numbers:
        moment = datetime.now(UTC)
        one = LedgerMessage(vendor, "1", "1", number, "", "", 1, Decimal(1), moment, None, "", "sent")
        found.accept(1, Decimal(1), [one])
    return found


def records(states: dict[str, State]) -> list[Record]:
    return [
        Record(seq, bytes(16), state, Message(f"+{number}"), vendor="mensatek")
        for seq, (number, state) in enumerate(states.items())
    ]


@pytest.mark.parametrize(
    ("reached", "journal", "unknown", "names"),
    [
        (["34600000001"], PEOPLE, [], set()),
        (["34600000001", "34600000003"], PEOPLE, ["34600000003"], set()),  # unknown, and it went out: so it says
        (["34600000001", "34600000003", "34600000003"], PEOPLE, [], {"people who got it twice"}),
        (["34600000001", "34600000001"], PEOPLE, [], {"people who got it twice", "accepted by mensatek"}),
        ([], PEOPLE, [], {"got nothing, though recorded as accepted"}),
        (
            ["34600000001", "34600000002"],
            PEOPLE,
            [],
            {"got it, though recorded as rejected", "accepted by mensatek"},
        ),
        (["34600000001"], dict(list(PEOPLE.items())[:2]), [], {"people who were forgotten"}),
        (["34600000001"], PEOPLE | {"34600000003": State.PENDING}, [], {"people who are still to be sent to"}),
        (
            ["34600000001", "34600000002"],
            PEOPLE,
            ["34600000002"],
            {"got it, though recorded as rejected", "accepted by mensatek", "were unknown, and settled wrongly"},
        ),
        (
            [],
            PEOPLE,
            ["34600000001"],
            {"got nothing, though recorded as accepted", "were unknown, and settled wrongly"},
        ),
    ],
)
def test_whatever_does_not_agree_with_the_ledger_is_found(
    reached: list[str], journal: dict[str, State], unknown: list[str], names: set[str]
) -> None:
    before = records(dict.fromkeys(unknown, State.UNKNOWN))
    checks = compare(ledger(*reached), records(journal), before, people=3, killed=(2, 2), reports=0)
    assert {name for name, theirs, ours in checks if theirs != ours} == names


def test_a_process_that_was_not_killed_and_a_report_that_was_not_kept_are_found() -> None:
    checks = compare(ledger("34600000001"), records(PEOPLE), [], people=3, killed=(2, 1), reports=1)
    assert {name for name, theirs, ours in checks if theirs != ours} == {
        "processes killed in the middle",
        "delivery reports",
    }
