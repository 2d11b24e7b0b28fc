"""The demo: all four outcomes, delivery reports, and an account that is compared with the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_support import run

from mensasdk.cli import demo
from mensasdk.cli.show import output_console


async def test_the_demo_adds_up_and_says_so(tmp_path: Path) -> None:
    ended = await run("demo", "--rows", "300", "--rate", "2000", "--output", tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.err == ""
    assert "Everything adds up." in ended.out
    assert "✗" not in ended.out
    counts = dict(re.findall(r"^(accepted|rejected|not sent|unknown|delivered) +(\d+) ", ended.out, re.MULTILINE))
    assert len(counts) == 5
    assert all(int(count) > 0 for count in counts.values()), counts
    assert (tmp_path / "results.csv").exists()
    assert "\x1b" not in ended.out  # no terminal, no colours


def test_the_same_seed_makes_the_same_people(tmp_path: Path) -> None:
    first, second, other = (
        demo.make_people(tmp_path / name, 500, seed) for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2))
    )
    assert first.path.read_bytes() == second.path.read_bytes() != other.path.read_bytes()
    assert first.unwilling == second.unwilling


@pytest.mark.parametrize(("theirs", "code", "words"), [("5", 0, "Everything adds up."), ("6", 1, "does not add up")])
def test_a_check_that_disagrees_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], theirs: str, code: int, words: str
) -> None:
    show = demo.Demo(output_console(), 100, 100, tmp_path, 1)
    assert show.conclude([demo.Check("messages", theirs, "5")]) == code
    assert words in capsys.readouterr().out
