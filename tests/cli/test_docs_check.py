"""The page about checking: its commands print what stands there, and its example is true."""

from __future__ import annotations

import doctest
import json
import re
import shlex
from pathlib import Path

import pytest
from cli_support import invoke

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
TEXT = PAGE.read_text(encoding="utf-8")
CONSOLES = re.findall(r"^```console\n\$ mensasdk (.*?)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(r"^```csv (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        Path(name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize(("command", "shown"), CONSOLES)
def test_a_command_prints_what_stands_there(command: str, shown: str) -> None:
    printed = invoke(*shlex.split(command), COLUMNS="80").stdout
    assert [line.rstrip() for line in printed.strip("\n").splitlines()] == shown.splitlines()


def test_the_page_shows_both_commands() -> None:
    assert {command.split()[0] for command, _ in CONSOLES} == {"check", "segments"}


def test_the_keys_of_the_object_are_those_of_the_table() -> None:
    command = next(command for command, _ in CONSOLES if command.startswith("check"))
    found = json.loads(invoke(*shlex.split(command), "--json", "--quiet").stdout)
    table = TEXT[TEXT.index("| key | what |") : TEXT.index("## Keeping messages back")]
    named = {key for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for key in re.findall("`(.*?)`", row)}
    assert named == set(found)


def test_every_option_of_the_table_exists() -> None:
    shown = invoke("send", "--help").stdout
    options = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert len(options) >= 15
    everywhere = {"--vendor", "--json", "--dry-run"}
    assert all(f"{option} " in shown or option in everywhere for option in options)


def test_the_example_is_true() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted == len(re.findall(r"^>>> ", TEXT, re.MULTILINE)) >= 8
