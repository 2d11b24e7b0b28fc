"""docs/unknown.md: its code runs, its commands can be typed, and what its tables name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from mensasdk.cli.app import cli
from mensasdk.cli.show.reconcile import MEANS

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "unknown.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
COMMANDS = [
    line
    for kind, block in BLOCKS
    if kind == "sh"
    for line in block.replace("\\\n", "").splitlines()
    if line.startswith("mensasdk ")
]


def test_there_are_commands_and_code() -> None:
    assert len(COMMANDS) >= 8
    assert [kind for kind, _ in BLOCKS].count("python") == 1


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_understood(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    with click.Context(cli, info_name="mensasdk") as parent:
        command = cli.get_command(parent, name)
        assert command is not None
        with command.make_context(name, arguments, parent) as context:
            assert context.params


@pytest.mark.slow
def test_the_code_of_the_page_runs_and_comes_to_what_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [block for kind, block in BLOCKS if kind == "python"]
    exec(compile(block, "unknown.md", "exec"), {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    # The first request has one message: it opens the group.
    assert lines == [
        "201 accepted, 99 unknown",
        "{'callback': 49, 'connection_lost': 50} 50 unknown",
        "{'repeated': 50} 0 unknown",
        "nobody twice: True",
        "300 with a delivery report",
        "0 left for a person to decide",
    ]


def test_every_means_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", DOCUMENT))
    assert named >= {*MEANS}
