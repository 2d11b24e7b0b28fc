"""Usage, configuration errors and the dry run: what needs no vendor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_support import TOKEN_NAME, UNMEASURED, invoke, write_people

import mensasdk.cli.commands
from mensasdk import __version__
from mensasdk.cli.app import COMMANDS, cli

SEND = ("--vendor", "mensatek", "--text", "Hola {nombre}")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_people(tmp_path / "people.csv", 5)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((*SEND, "--schedule", "2030-01-31T09:00"), "has no time zone"),
        ((*SEND, "--schedule", "tomorrow", "--zone", "Europe/Madrid"), "must look like"),
        ((*SEND, "--schedule", "2030-01-31T09:00Z", "--zone", "Europe/Madrid"), "leave out --zone"),
        ((*SEND, "--schedule", "2020-01-31T09:00Z"), "not in the future"),
        ((*SEND, "--schedule", "2030-01-31T09:00", "--zone", "Madrid"), "no time zone 'Madrid'"),
        ((*SEND, "--zone", "Europe/Madrid"), "belongs to --schedule"),
        ((*SEND, "--delimiter", "::"), "one character"),
        ((*SEND, "--column-number", "movil"), "no column is named 'movil'"),
        ((*SEND, "--output", "results.xlsx"), ".csv or .jsonl"),
        (("--vendor", "mensatek"), "give --text"),
        (("--vendor", "mensatek", "--text", "Hola {apellido}"), "no column has that name"),
        (("--vendor", "nobody", "--text", "Hola"), "nobody"),
        ((*SEND, "--rate", "0"), "--rate"),
        ((*SEND, "--max-in-flight", "0"), "--max-in-flight"),
        ((*SEND, "--base-url", "http://example.com/v7"), "https"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(people: Path, arguments: tuple[str, ...], part: str) -> None:
    """Nothing is sent: there is nobody to send to."""
    credentials = {"MENSASDK_MENSATEK_API_USER": "user", TOKEN_NAME: "s3cret"}
    result = invoke("send", people, *arguments, **credentials)
    assert result.exit_code == 2
    assert part in result.stderr
    assert result.stdout == ""
    assert "s3cret" not in result.stderr


def test_missing_credentials_are_2_and_name_the_variables(people: Path) -> None:
    for arguments in (("send", people, *SEND), ("credits", "--vendor", "mensatek")):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "MENSASDK_MENSATEK_API_USER and MENSASDK_MENSATEK_API_TOKEN" in result.stderr


def commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_commands_are_those_that_have_a_file_and_each_has_a_summary_that_is_not_cut() -> None:
    folder = Path(mensasdk.cli.commands.__file__ or "").parent
    assert {*commands()} == {*COMMANDS} == {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert [command.name for command in commands().values()] == [*COMMANDS]
    lines = invoke("--help").stdout.splitlines()
    for name, summary in COMMANDS.items():
        assert [line for line in lines if line.split(maxsplit=1) == [name, summary] and len(line) <= 80]
        assert (commands()[name].help or "").split()[0] == summary.split()[0]


def test_asking_for_help_loads_nothing_that_sends() -> None:
    heavy = ["aiohttp", "cattrs", "rich", "sqlite3", "phonenumbers", "mensasdk.campaign", "mensasdk.vendors"]
    code = (
        "import sys; from click.testing import CliRunner; from mensasdk.cli.app import cli;"
        f"CliRunner().invoke(cli, ['--help']); print([name for name in {heavy!r} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | UNMEASURED
    )
    assert ended.stdout == "[]\n"


def test_an_unknown_command_is_2_and_named(people: Path) -> None:
    result = invoke("sned", people)
    assert result.exit_code == 2
    assert "'sned'" in result.stderr


def test_no_secret_can_be_given_as_an_argument() -> None:
    assert len(commands()) > 10
    for command in commands().values():
        options = {option for parameter in command.params for option in parameter.opts}
        assert options
        assert not [option for option in options if "token" in option or "password" in option or "user" in option]


def test_the_help_tells_the_exit_codes_and_where_credentials_come_from() -> None:
    shown = invoke("send", "--help").stdout
    for code in ("0", "1", "2", "3", "4", "130"):
        assert f"\n    {code} " in shown
    assert TOKEN_NAME in shown
    assert "--dry-run" in shown


def test_a_dry_run_needs_no_credentials_and_counts_everything(tmp_path: Path) -> None:
    people = write_people(
        tmp_path / "people.csv", 4, extra=["34600000001,Persona 1", "12,Bea", ",Eva", "34600000008,Íñigo"]
    )
    output = tmp_path / "bad.jsonl"
    result = invoke("send", people, *SEND, "--dry-run", "--json", "--output", output)
    assert result.exit_code == 1, result.stderr
    found = json.loads(result.stdout)
    assert {name: found[name] for name in ("total", "messages", "duplicates", "bad_rows", "parts", "outside_gsm")} == {
        "total": 8,
        "messages": 5,
        "duplicates": 1,
        "bad_rows": 2,
        "parts": 5,
        "outside_gsm": 1,
    }
    assert found["requests"] == 1
    assert "Í" in result.stderr
    assert "34600" not in result.stderr
    bad = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert {(row["line"], row["code"]) for row in bad} == {(7, "invalid_to"), (8, "missing_number")}


def test_a_clean_dry_run_is_0(people: Path) -> None:
    assert invoke("send", people, *SEND, "--dry-run").exit_code == 0


def test_python_m_mensasdk_is_the_command() -> None:
    ended = subprocess.run([sys.executable, "-m", "mensasdk", "--version"], capture_output=True, text=True, check=True)
    assert __version__ in ended.stdout


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_the_command_says_how_to_get_it(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from mensasdk.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "mensasdk[cli]" in ended.stderr
