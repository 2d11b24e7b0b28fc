"""The harness in `benchmarks`: what it says of figures, not the figures. Nothing is measured here."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import calls, campaigns, counting, imports, instructions, report
from benchmarks.bytecode import caching
from benchmarks.contenders import CONTENDERS
from benchmarks.goals import GOALS, Goal, Verdict, verdicts
from benchmarks.limits import busiest
from benchmarks.machine import versions
from benchmarks.measure import LeftOut, ratio, spread
from benchmarks.report import CAPTIONS
from benchmarks.server import ANSWERS, serving
from benchmarks.worker import ROOT, Worker

PUBLISHED = ROOT / "docs" / "benchmarks" / "latest.json"


@pytest.fixture
def results() -> dict[str, Any]:
    """Return a whole run, as it was published last."""
    found: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Return where the command reads and writes, in place of the repository."""
    at = SimpleNamespace(results=tmp_path / "results", docs=tmp_path / "docs")
    at.docs.mkdir()
    monkeypatch.setattr(command, "RESULTS", at.results)
    monkeypatch.setattr(command, "DOCS", at.docs)
    return at


# ----------------------------------------------------------------------------------------------------- figures

_figures = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=15)


@given(_figures, st.floats(0.01, 100))
def test_a_spread_is_in_order_and_grows_with_what_was_measured(values: list[float], factor: float) -> None:
    found = spread(values)
    assert found["min"] <= found["median"] <= found["max"]
    assert 0 <= found["mad"] <= found["max"] - found["min"]
    assert found["rounds"] == len(values)
    grown = spread([value * factor for value in values])
    assert all(math.isclose(grown[name], found[name] * factor, abs_tol=1e-6) for name in ("median", "mad", "max"))


def test_one_slow_round_moves_neither_the_median_nor_the_mad() -> None:
    assert spread([10, 12, 11, 9, 1000]) == {"median": 11, "mad": 1, "min": 9, "max": 1000, "rounds": 5}


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 10)), min_size=1, max_size=15), st.floats(0.1, 10))
def test_what_slows_both_of_a_round_is_not_in_the_ratio(rounds: list[tuple[float, float]], times: float) -> None:
    theirs = [value * noise for value, noise in rounds]
    ours = [times * value for value in theirs]
    found = ratio(ours, theirs)
    assert math.isclose(found["median"], times)
    assert math.isclose(found["mad"], 0, abs_tol=1e-9)


def test_a_ratio_of_unequal_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        ratio([1.0], [1.0, 2.0])


@given(st.lists(st.integers(0, 50), max_size=40).map(sorted), st.integers(1, 20))
def test_the_busiest_window_is_that_of_the_definition(ticks: list[int], length: int) -> None:
    assert busiest(ticks, length) == max((sum(0 <= one - t < length for one in ticks) for t in ticks), default=0)


# ------------------------------------------------------------------------------------------------------- goals


@pytest.mark.parametrize(
    ("at_most", "value", "reached"),
    [(True, 9.9, True), (True, 10.0, True), (True, 10.1, False), (False, 9.9, False), (False, 10.0, True)],
)
def test_a_goal_is_reached_at_its_limit_and_missed_beyond_it(at_most: bool, value: float, reached: bool) -> None:
    verdict = Verdict(Goal(1, "made up", 10.0, lambda _: value, at_most=at_most), value)
    assert verdict.reached is reached
    assert (verdict.share <= 1) is reached


def test_a_goal_that_was_not_measured_has_no_verdict() -> None:
    assert verdicts({}) == []
    found = verdicts({"imports": {"min_ratio": {"import mensasdk": 0.5}}})
    assert [(one.goal.name, one.value) for one in found] == [("import mensasdk, CPU beside import aiohttp", 0.5)]


@pytest.mark.parametrize(("recipients", "count"), [(999_999, 0), (1_000_000, 1)])
def test_memory_counts_only_at_a_million(recipients: int, count: int) -> None:
    found = verdicts({"memory": {"recipients": recipients, "above_small_mb": {"median": 9.0}}})
    assert len(found) == count


def test_a_whole_run_has_a_verdict_on_every_goal(results: dict[str, Any]) -> None:
    assert [one.goal for one in verdicts(results)] == list(GOALS)


# -------------------------------------------------------------------------------------------------- publishing


def _cells(document: str, first: str) -> list[str]:
    """Return the first row of a table that begins so."""
    row = next(line for line in document.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_stored_run_is_published_as_a_document_that_says_what_it_found(
    results: dict[str, Any], folders: SimpleNamespace
) -> None:
    results["limiter"]["asyncio"].update(worst_second=1000, worst_100_ms=133)
    results["imports"]["min_ratio"]["import mensasdk"] = 0.25
    del results["texts"]
    results["failed"] = {"texts": "ValueError: of a kind"}
    folders.results.mkdir()
    (folders.results / "latest.json").write_text(json.dumps(results), encoding="utf-8")
    assert command.main(["--publish"]) == 0
    document = (folders.docs / "benchmarks.md").read_text(encoding="utf-8")
    for verdict in verdicts(results):
        goal = verdict.goal
        word = "reached" if verdict.reached else "**not reached**"
        assert _cells(document, f"{goal.number}. {goal.name}")[1:] == [goal.bound(), goal.show(verdict.value), word]
    assert _cells(document, "4. limiter at 1,000/s: most permits in a sliding second")[2:] == ["1,000", "reached"]
    assert _cells(document, "4. limiter: most permits in 100 ms")[2:] == ["133", "**not reached**"]
    call = results["calls"]["64"]["contenders"]["mensasdk"]["cpu_us"]
    assert _cells(document, "mensasdk")[1] == f"{call['median']:,.0f} ± {call['mad']:,.0f}"
    assert "Not measured in this run." in document, "the texts"
    assert "**texts failed**: ValueError: of a kind" in document
    assert "{{" not in document
    stored = json.loads((folders.docs / "benchmarks" / "latest.json").read_text(encoding="utf-8"))
    assert stored["limiter"]["asyncio"]["worst_100_ms"] == 133


def test_what_is_published_has_svg_plots_and_each_says_in_words_what_it_shows(
    results: dict[str, Any], folders: SimpleNamespace
) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("NO PLOTS WERE DRAWN: matplotlib is not installed; the extra 'bench' has it")
    folders.results.mkdir()
    (folders.results / "latest.json").write_text(json.dumps(results), encoding="utf-8")
    assert command.main(["--publish"]) == 0
    document = (folders.docs / "benchmarks.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", document)
    assert sorted(pictures) == sorted((caption, f"benchmarks/{name}.svg") for name, caption in CAPTIONS.items())
    for _, name in pictures:
        assert ET.parse(folders.docs / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - ours


def test_without_plots_the_document_has_no_pictures_that_are_missing(results: dict[str, Any]) -> None:
    assert "![" in report.document(results, ["goals"])
    assert "![" not in report.document(results, [])


def test_the_json_of_a_run_loses_nothing_but_digits(results: dict[str, Any]) -> None:
    def same(one: Any, other: Any) -> bool:
        if isinstance(one, Mapping):
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        if isinstance(one, list):
            return len(one) == len(other) and all(map(same, one, other))
        return bool(math.isclose(one, other, rel_tol=1e-5) if isinstance(one, float) else one == other)

    results["made_up"] = {"list": [1, 2.5, -3e-9, 1 / 3], "text": "[1, 2]", "none": None, "yes": True}
    assert same(results, json.loads(report.as_json(results)))


# -------------------------------------------------------------------------------------------------- a run


@contextmanager
def _no_server(_: int | None) -> Iterator[SimpleNamespace]:
    yield SimpleNamespace(kind="none", urls={one.answer: "nowhere" for one in CONTENDERS.values()})


def test_a_part_that_fails_is_left_out_with_the_reason_and_the_run_fails(
    monkeypatch: pytest.MonkeyPatch, folders: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: command.Bench) -> dict[str, Any]:
        raise ValueError("of a kind")

    monkeypatch.setattr(command, "serving", _no_server)
    monkeypatch.setitem(command.PARTS, "texts", broken)
    monkeypatch.setitem(command.PARTS, "imports", lambda _: {"min_ratio": {"import mensasdk": 0.5}})
    assert command.main(["--only", "texts,imports"]) == 1
    found = json.loads((folders.results / "latest.json").read_text(encoding="utf-8"))
    assert found["failed"] == {"texts": "ValueError: of a kind"}
    assert found["imports"] == {"min_ratio": {"import mensasdk": 0.5}}, "the others go on"
    assert "**texts failed**: ValueError: of a kind" in capsys.readouterr().out
    assert command.main(["--only", "imports"]) == 0


def test_a_part_of_an_unknown_name_is_refused(folders: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--only", "calls,everything"])
    assert ended.value.code == 2
    assert "no such part: everything" in capsys.readouterr().err
    assert not folders.results.exists()


def test_the_report_of_times_never_fails_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, folders: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: command.Bench) -> dict[str, Any]:
        raise ValueError("of a kind")

    monkeypatch.setattr(command, "serving", _no_server)
    for name in command.PARTS:
        monkeypatch.setitem(command.PARTS, name, broken)
    assert command.main(["--quick"]) == 0
    assert "**decoding failed**: ValueError: of a kind" in capsys.readouterr().out
    assert not folders.results.exists()


def test_a_contender_that_is_not_installed_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others take their turns as always; the one that crashes is none of our business either."""

    class Child:
        def __init__(self, factory: str, *, core: int | None, contender: str, url: str, in_flight: int) -> None:
            self.contender = contender
            if contender == "twilio":
                raise LeftOut("not installed: No module named 'twilio'")
            if contender == "telnyx (httpx)":
                raise RuntimeError("Traceback ...\nImportError: cannot import name 'Telnyx'\n")

        def __enter__(self) -> Child:
            return self

        def __exit__(self, *_: object) -> None: ...

        def round(self, *, seconds: float = 0, count: int = 0) -> dict[str, Any]:
            return {"count": 100, "cpu": 2.0 if self.contender == calls.USUAL else 3.0, "wall": 5.0, "peak_mb": 40}

    monkeypatch.setattr(calls, "Worker", Child)
    notes: list[str] = []
    with _no_server(None) as server:
        found = calls.contest(server, None, in_flight=64, rounds=3, seconds=0.1, note=notes.append)  # type: ignore[arg-type]
    assert found["left_out"] == {
        "twilio": "not installed: No module named 'twilio'",
        "telnyx (httpx)": "ImportError: cannot import name 'Telnyx'",
    }
    assert found["contenders"].keys() == CONTENDERS.keys() - {"twilio", "telnyx (httpx)"}
    assert found["contenders"][calls.USUAL]["ours_to_it"]["median"] == 1.5
    assert len(notes) == 3
    left_out = report.left_out({"calls": {"64": found}, "failed": {}})
    assert "* twilio: not installed: No module named 'twilio'" in left_out


@pytest.mark.slow
def test_a_child_process_tells_its_parent_what_it_lacks_and_why_it_failed() -> None:
    with pytest.raises(LeftOut, match="no_such_module"):
        Worker("benchmarks.contenders:library", core=None, name="no_such_module")
    with pytest.raises(RuntimeError, match=r"nothing_here"):
        Worker("benchmarks.measure:nothing_here", core=None)


# ----------------------------------------------------------------------------------------------------- imports


@pytest.mark.slow
def test_an_interpreter_that_is_measured_finds_its_bytecode_from_the_second_start_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither what the environment says nor what lies in the checkout has a part in it."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    log = tmp_path / "log"
    statement = f"""
import importlib.util, os
cached = importlib.util.find_spec("benchmarks.measure").cached
with open({str(log)!r}, "a") as log:
    print(os.path.exists(cached), cached, file=log)
import benchmarks.measure
"""
    monkeypatch.setattr(imports, "STATEMENTS", dict.fromkeys(imports.STATEMENTS, statement))
    imports.contest(rounds=1, core=None, note=lambda _: None)
    found, paths = zip(*(line.split(maxsplit=1) for line in log.read_text(encoding="utf-8").splitlines()), strict=True)
    assert found == ("False", *["True"] * (2 * len(imports.STATEMENTS) - 1))
    assert not any(Path(one).exists() for one in paths), "it is gone afterwards"


# ------------------------------------------------------------------------------------------------ instructions

_COUNTED = {
    "call": 750,
    "aiohttp call": 500,
    "one a request": 900,
    "bare pool": 600,
    "full request": 500,
    "messages made": 100,
    "json": 40,
    "xml": 80,
    "txt": 60,
    "orjson": 10,
    "plain Python": 7,
    "bare start": 100,
    "import aiohttp": 1100,
    "import": 1600,
    "import click": 300,
    "help": 2500,
}


def _counts(objects: float = 6.0, **changed: float) -> counting.Counts:
    counted = {**_COUNTED, **{name.replace("_", " "): value for name, value in changed.items()}}
    return counting.Counts(counted, {"full request": objects})


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return ``make bench-check`` for made-up counts, against a baseline of `_COUNTED`."""
    baseline = tmp_path / "baseline.json"
    stored = instructions.figures(_counts())
    baseline.write_text(json.dumps({instructions.key(): stored}), encoding="utf-8")
    monkeypatch.setattr(instructions, "BASELINE", baseline)

    def run(**changed: float) -> int:
        monkeypatch.setattr(instructions, "count", lambda: _counts(**changed))
        return instructions.main(["--check"])

    return run


def test_the_check_fails_on_a_loss_of_eleven_percent_and_passes_nine(
    check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check() == 0
    assert check(json=40 * 1.09) == 0
    assert "FAILED" not in capsys.readouterr().out
    assert check(json=40 * 1.11) == 1
    out = capsys.readouterr().out
    assert "FAILED: more than 10% lost: json" in out
    assert re.search(r"json +4\.440 × orjson, baseline 4\.000: \+11\.0% LOST", out)
    assert check(call=900, txt=70) == 1
    assert "FAILED: more than 10% lost: call, txt" in capsys.readouterr().out


def test_a_start_is_compared_without_that_of_the_interpreter_and_a_campaign_without_the_callers_part(
    check: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(**{"import": 1749, "help": 2739, "full_request": 539}) == 0
    assert check(**{"import": 1751}) == 1
    assert "import          1.651 × import aiohttp, both less bare start, baseline 1.500" in capsys.readouterr().out
    assert check(help=2741) == 1
    assert check(full_request=541) == 1
    assert "full request    4.410 × messages made, less messages made, baseline 4.000" in capsys.readouterr().out


@pytest.mark.parametrize(("objects", "status", "said"), [(6.5, 0, "ok"), (6.7, 1, "LOST"), (5.0, 0, "gained")])
def test_more_tracked_objects_fail_the_check(
    check: Any, capsys: pytest.CaptureFixture[str], objects: float, status: int, said: str
) -> None:
    """Also where plain Python takes other instructions: nothing but our own code decides how many there are."""
    assert check(objects=objects, plain_Python=8) == status
    out = capsys.readouterr().out
    assert re.search(rf"full request +{objects:.3f} tracked objects a recipient, baseline 6\.000: \S+ {said}", out)
    assert ("FAILED: more than 10% lost: objects of a full request" in out) is bool(status)


@pytest.mark.parametrize(("count", "said"), [(600, "reached"), (602, "not reached"), (2500, "not reached")])
def test_a_goal_stands_beside_its_figure_and_fails_nothing(
    check: Any, capsys: pytest.CaptureFixture[str], count: int, said: str
) -> None:
    assert check(help=count) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("help ") and "×" in line]
    assert line.endswith(f"; goal 2.50, {said}")


def test_a_gain_passes_and_asks_to_be_kept(check: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(call=600) == 0
    assert "-20.0% gained; keep it with --save" in capsys.readouterr().out


@pytest.mark.parametrize("other", [{"orjson": 9}, {"plain_Python": 8}, {"plain_Python": 6}])
def test_a_loss_where_what_is_none_of_ours_changed_too_is_reported_and_does_not_fail(
    check: Any, capsys: pytest.CaptureFixture[str], other: dict[str, float]
) -> None:
    """Another processor, release or build of Python: the ratio of two versions of the world says little of ours."""
    assert check(json=60, **other) == 0
    out = capsys.readouterr().out
    [name] = other
    assert f"REPORTED, not failed: {name.replace('_', ' ')} changed as well" in out
    assert f"note: {name.replace('_', ' ')} took {next(iter(other.values()))} instructions, in the baseline" in out


def test_another_reference_excuses_only_what_is_compared_with_it(check: Any) -> None:
    assert check(call=900, orjson=9) == 1
    assert check(json=60, aiohttp_call=400) == 1


def test_what_is_ours_excuses_no_loss_of_what_is_compared_with_it(check: Any) -> None:
    assert check(messages_made=107, full_request=107 * 5) == 0
    assert check(messages_made=107, full_request=107 * 5.5) == 1
    assert check(messages_made=111, full_request=111 * 5) == 1


def test_a_document_says_what_was_counted_and_what_it_is_a_multiple_of() -> None:
    found = report.section("instructions", {"instructions": instructions.figures(_counts())})
    assert _cells(found, "help") == ["help", "2,500", "12.00 × import click, both less bare start"]
    assert _cells(found, "orjson") == ["orjson", "10", ""]
    assert found.endswith("\n\nTracked objects a recipient, full request: 6.0.")


def test_other_versions_are_named_and_excuse_nothing(
    check: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = versions()
    monkeypatch.setattr(instructions, "versions", lambda: {**installed, "aiohttp": "99.0"})
    assert check(json=60) == 1
    out = capsys.readouterr().out
    assert f"note: aiohttp is 99.0, the baseline was taken with {installed['aiohttp']}" in out
    assert "note: orjson" not in out


def test_without_a_baseline_for_this_python_nothing_is_counted_or_failed(
    check: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = instructions.key()
    monkeypatch.setattr(instructions, "key", lambda: "9.9-abacus")
    assert check(json=4000) == 0
    assert f"SKIPPED: no baseline for 9.9-abacus in baseline.json (it has: {key})" in capsys.readouterr().out


def test_without_valgrind_the_check_says_that_it_is_skipped(
    check: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert instructions.main(["--check"]) == 0
    assert "SKIPPED: valgrind is not installed" in capsys.readouterr().out


def test_a_start_is_counted_with_its_bytecode_and_what_it_prints_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A script stands in for valgrind: it runs what it is told to, and has counted the same whatever that is."""
    program, log = tmp_path / "valgrind", tmp_path / "log"
    program.write_text(
        """#!/bin/sh
while [ "${1#--}" != "$1" ]; do
    case $1 in --log-file=*) log=${1#--log-file=};; esac
    shift
done
echo "==$$== I   refs:      1,234,567" > "${log%\\%p}$$"
exec "$@"
""",
        encoding="utf-8",
    )
    program.chmod(0o700)
    statement = f"""
import importlib.util, os
with open({str(log)!r}, "a") as log:
    print(os.path.exists(importlib.util.find_spec("benchmarks.measure").cached), file=log)
import benchmarks.measure
print("something")
"""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(counting, "STARTS", {"one": ("-c", statement)})
    with caching() as environment:
        assert counting.starts(counting.Valgrind(str(program), environment)) == {"one": 1_234_567}
    assert log.read_text(encoding="utf-8").split() == ["False", "True"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_tracked_objects_are_those_of_one_request_by_its_recipients() -> None:
    """Each message and its outcome are among them, and far from a dozen."""
    with serving(None, {"full": ANSWERS["mensatek_1000"]}, raw=True) as server:
        tracked = campaigns.Tracked(server.urls["full"])
        try:
            found = [tracked.round(count=1000)["objects"] for _ in range(2)]
        finally:
            tracked.close()
    assert abs(found[0] - found[1]) < 0.01, "a few objects of the loop and the server may come and go"
    assert 2 < found[0] < 12


def test_saving_makes_this_run_the_baseline_and_keeps_those_of_others(
    check: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = json.loads(instructions.BASELINE.read_text(encoding="utf-8"))
    instructions.BASELINE.write_text(json.dumps({**stored, "9.9-abacus": {"ratios": {}}}), encoding="utf-8")
    monkeypatch.setattr(instructions, "count", lambda: _counts(json=60))
    assert instructions.main(["--save"]) == 0
    assert check(json=61) == 0
    assert "9.9-abacus" in json.loads(instructions.BASELINE.read_text(encoding="utf-8"))


def test_the_baseline_of_the_repository_has_a_ratio_for_each_case() -> None:
    stored = json.loads(instructions.BASELINE.read_text(encoding="utf-8"))
    assert stored
    assert all(one["ratios"].keys() == instructions.RATIOS.keys() for one in stored.values())
    assert all(one["objects"].keys() == instructions.OBJECTS.keys() for one in stored.values())
