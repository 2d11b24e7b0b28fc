"""Every command that takes ``--journal`` takes the address of a PostgreSQL database, and never shows its password."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from cli_support import invoke, one_line, run, write_people

from mensasdk.sandbox import Fault, Sandbox

SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}", "--max-recipients", "10", "--max-in-flight", "1")
SECRET = "hunter2secret"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
async def test_a_campaign_goes_through_all_commands_in_a_database(box: Sandbox, tmp_path: Path, dsn: str) -> None:
    """The address with its password is in the environment, and the server lets everybody in."""
    known = {"MENSASDK_JOURNAL": dsn.replace("postgres@", f"postgres:{SECRET}@")}
    people, listed = write_people(tmp_path / "people.csv", 40), tmp_path / "unknown.csv"
    sent, now = tmp_path / "sent.csv", tmp_path / "now.csv"
    box.mensatek.account.credits = Decimal(30)
    box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=2)
    shown: list[str] = []

    async def done(*arguments: str | Path) -> str:
        ended = await run(*arguments, box=box, **known)
        shown.extend((ended.out, ended.err))
        return ended.out

    await done("send", people, *SEND, "--campaign", "julio", "--output", sent)
    assert f"--journal {dsn}" in one_line(shown[-1])
    assert Counter(row["outcome"] for row in rows_of(sent)) == {"accepted": 20, "unknown": 10, "rejected": 10}
    [info] = json.loads(await done("campaigns", "--json"))
    assert (info["accepted"], info["unknown"], info["pending"]) == (20, 10, 10)
    box.mensatek.account.credits = Decimal(1000)
    await done("resume", "julio", "--vendor", "mensatek")
    await done("reconcile", "julio", "--list", "--output", listed)
    assert f"mark accepted julio --journal {dsn}" in one_line(shown[-2] + shown[-1])
    await done("mark", "accepted", "julio", "--from", listed, "--yes")
    [info] = json.loads(await done("campaigns", "--json"))
    assert (info["accepted"], info["complete"]) == (40, True)
    await done("deliveries", "julio", "--json")
    told = json.loads(await done("results", "julio", "--json", "--output", now))
    assert Decimal(told["credits"]["mensatek"]) == 30, "as far as the vendor's answers arrived"
    assert box.ledger.charged == 40
    assert [(int(row["line"]), row["outcome"]) for row in rows_of(now)] == [(at, "accepted") for at in range(2, 42)]
    await done("purge", "julio", "--yes")
    assert json.loads(await done("campaigns", "--json")) == []
    assert set(box.ledger.numbers().values()) == {1}
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize(
    "address",
    [f"postgresql://u:{SECRET}@h/x", f"postgres://h/x?user=u&password={SECRET}", f"POSTGRESQL://u:{SECRET}@h:x/x"],
)
@pytest.mark.parametrize("command", ["campaigns", "purge c", "resume c", "mark accepted c --all", "send people.csv"])
def test_a_password_among_the_arguments_is_refused(address: str, command: str) -> None:
    ended = invoke(*command.split(), "--journal", address)
    assert ended.exit_code == 2
    assert "MENSASDK_JOURNAL" in one_line(ended.output) or "has a host or a port" in one_line(ended.output)
    assert SECRET not in ended.output


def test_a_database_that_is_not_there_is_an_error_of_the_journal() -> None:
    """It is told at once: the address may be mistyped."""
    ended = invoke("campaigns", MENSASDK_JOURNAL=f"postgresql://u:{SECRET}@127.0.0.1:1/x")
    assert ended.exit_code == 5
    assert "the journal's database cannot be reached" in one_line(ended.output)
    assert SECRET not in ended.output
