"""The README's code runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TITLES, BLOCKS = zip(*EXAMPLE.findall(README.read_text(encoding="utf-8")), strict=True)


def test_the_readme_has_code() -> None:
    assert len(BLOCKS) == README.read_text(encoding="utf-8").count("```python")
    assert len(BLOCKS) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_of_the_readme_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip()


@pytest.mark.slow
def test_the_examples_run_one_after_the_other_in_one_folder_and_keep_what_they_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a person pastes them into one session."""
    monkeypatch.chdir(tmp_path)
    session = {"__name__": "__main__"}
    said: dict[str, str] = {}
    for title, block in zip(TITLES, BLOCKS, strict=True):
        exec(compile(block, "README.md", "exec"), session)
        said[title] = capsys.readouterr().out
        assert said[title].strip(), title
    assert said["A bulk send"].splitlines()[-2:] == ["2500 0 0 0", "2500 credits"]
    stopped, resumed = said["A campaign that survives a crash"].splitlines()
    assert re.match(r"200 sent, stopped: .*credits", stopped)
    assert resumed == "300 sent in all, nobody twice: True"
    unknown, settled = said["What became of the unknown ones"].splitlines()
    count = int(unknown.removesuffix(" unknown"))
    assert count > 0
    assert re.fullmatch(rf"{count} settled by \{{'report': {count}\}} - nobody twice: True", settled)


@pytest.mark.parametrize(("block", "lines"), [(0, 10), (1, 15)])
def test_the_first_examples_are_short(block: int, lines: int) -> None:
    code = [line for line in BLOCKS[block].splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(code) <= lines
