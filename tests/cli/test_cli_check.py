"""``mensasdk check``, and ``send --dry-run``, which is the same: what is told, and that it comes true."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_support import fill_the_disk, invoke, one_line, run, write_people, write_rows
from rich.console import Console

from mensasdk import MensatekClient, Message
from mensasdk.cli.input.rows import BadRow, GoodRow
from mensasdk.cli.show.check import check_progress, print_check
from mensasdk.cli.work.campaign import Limits
from mensasdk.cli.work.check import check_rows
from mensasdk.sandbox import Sandbox

WHO = ("--vendor", "mensatek", "--text", "Hola {nombre}, su cita está confirmada")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_rows(
        tmp_path / "people.csv",
        [
            *(f"+346000000{index:02d},Persona {index}" for index in range(12)),
            "+525512345678,María",
            "+34600000001,Persona 1",
            "12,Bea",
            ",Eva",
            "+34600000077,Opt",
        ],
    )


@pytest.fixture
def optouts(tmp_path: Path) -> Path:
    path = tmp_path / "optouts.txt"
    path.write_text("# de marzo\n600 00 00 77\n", encoding="utf-8")
    return path


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("country;price\nES;0,9\n*;2\n", encoding="utf-8")
    return path


@pytest.mark.slow
async def test_what_is_told_comes_true(box: Sandbox, tmp_path: Path, people: Path, optouts: Path, prices: Path) -> None:
    """The same options, first with `check` and then with `send`."""
    box.mensatek.account.price = box.mensatek.account.price * 2
    box.mensatek.account.prices = {"34": box.mensatek.account.price * 9 / 20}
    options: list[str | Path] = [*WHO, "--default-country", "ES", "--opt-outs", optouts, "--prices", prices]
    options += ["--max-credits", "50", "--max-recipients", "5", "--json", "--quiet"]
    told = await run("check", people, *options)
    assert told.code == 1, told.err
    assert box.ledger.request_count() == 0
    sent = await run("send", people, *options, box=box)
    before, after = json.loads(told.out), json.loads(sent.out)
    assert (before["total"], before["messages"], before["parts"]) == (17, after["accepted"], after["parts"])
    assert (
        before["by_code"]
        == after["by_code"]
        == dict.fromkeys(("opted_out", "duplicate", "invalid_to", "missing_number"), 1)
    )
    assert before["requests"] == box.ledger.request_count("EnviarSMS") == 3
    assert before["vendors"]["mensatek"]["cost"] == "12.8" == after["credits"]  # 12 of 0.9, and one of 2
    assert {country: one["cost"] for country, one in before["by_country"].items()} == {
        "ES": {"mensatek": "10.8"},
        "MX": {"mensatek": "2"},
    }
    assert (before["opted_out"], before["duplicates"], before["bad_rows"]) == (1, 1, 3)


@pytest.mark.slow
async def test_nothing_is_sent_and_no_account_is_needed_even_where_there_is_one(box: Sandbox, people: Path) -> None:
    for environment in (box, None):
        assert (await run("check", people, *WHO, box=environment)).code == 1
    assert (box.ledger.connections, box.ledger.request_count()) == (0, 0)


def test_a_check_and_a_dry_run_are_the_same(people: Path, prices: Path) -> None:
    options = (*WHO, "--prices", prices)
    checked, dry = invoke("check", people, *options), invoke("send", people, *options, "--dry-run")
    assert (checked.exit_code, checked.stdout) == (dry.exit_code, dry.stdout)
    assert "17 rows · 14 would be sent · 1 duplicate · 2 refused" in checked.stdout


def test_the_tables_tell_it_at_a_glance(people: Path, optouts: Path, prices: Path) -> None:
    result = invoke(
        "check", people, *WHO, "--prices", prices, "--opt-outs", optouts, "--default-country", "ES", COLUMNS="80"
    )
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["mensatek", "13", "1", "13", "12.8", "credits"] in rows
    assert ["ES", "12", "12", "10.8", "credits"] in rows
    assert ["MX", "1", "1", "2", "credits"] in rows
    assert ["opted_out", "1", "has", "opted", "out"] in rows
    assert ["17", "has", "no", "number"] in rows
    assert ["18", "***077", "the", "recipient", "(***077)", "has", "opted", "out"] in rows
    assert "á → a (13) · í → i (1)" in one_line(result.stdout)
    assert "60000" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_what_forces_unicode_is_named_with_what_it_costs(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 6)
    text = "Hola {nombre} 😀, le esperamos mañana a las diez en nuestra tienda de la calle Mayor"
    result = invoke("check", people, "--vendor", "smsgateway24", "--device-id", "1", "--text", text)
    assert result.exit_code == 0
    assert "U+1F600 GRINNING FACE 6" in one_line(result.stdout)
    assert "6 messages travel in UCS-2" in one_line(result.stdout)
    assert "the 12 parts would be 6: 6 fewer" in one_line(result.stdout)
    found = json.loads(
        invoke("check", people, "--vendor", "smsgateway24", "--device-id", "1", "--text", text, "--json").stdout
    )
    assert (found["parts"], found["parts_in_gsm"], found["by_encoding"]) == (12, 6, {"UCS-2": 6})
    assert found["characters"] == [{"character": "😀", "name": "U+1F600 GRINNING FACE", "messages": 6}]


def test_the_refused_rows_are_written_in_full_for_their_owner_only(people: Path, tmp_path: Path) -> None:
    output = tmp_path / "refused.jsonl"
    result = invoke("check", people, *WHO, "--output", output)
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert {(row["line"], row["code"], row["as_written"]) for row in rows} == {
        (16, "invalid_to", "12"),
        (17, "missing_number", ""),
    }
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert str(output) in result.stdout.replace("\n", "")


def test_json_goes_to_standard_output_alone_and_the_tables_beside_it(people: Path) -> None:
    result = invoke("check", people, *WHO, "--json")
    assert json.loads(result.stdout)["dry_run"] is True
    assert "would be sent" in result.stderr
    quiet = invoke("check", people, *WHO, "--json", "--quiet")
    assert (quiet.stderr, quiet.stdout) == ("", result.stdout)


def test_a_clean_list_is_0_and_wrong_usage_2(tmp_path: Path, people: Path) -> None:
    clean = write_people(tmp_path / "clean.csv", 5)
    assert invoke("check", clean, *WHO).exit_code == 0
    for arguments in ((tmp_path / "none.csv", *WHO), (clean, "--vendor", "mensatek"), (clean, *WHO, "--campaign", "c")):
        assert invoke("check", *arguments).exit_code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_full_disk_is_said_in_a_sentence(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = people.with_name("refused.csv")
    fill_the_disk(monkeypatch)
    result = invoke("check", people, *WHO, "--output", path)
    assert result.exit_code == 2
    assert f"Error: {path} cannot be written: No space left on device" in result.stderr
    assert not path.exists()


def test_a_list_of_which_nothing_can_be_sent_is_told_in_the_same_form(tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", [f"{index},Nadie" for index in range(1, 31)])
    result = invoke("check", people, *WHO)
    assert result.exit_code == 1
    assert "30 rows · 0 would be sent" in result.stdout
    assert "… and 25 more; --output lists them all" in result.stdout
    assert json.loads(invoke("check", people, *WHO, "--json", "--quiet").stdout)["by_code"] == {"invalid_to": 30}


def test_samples_of_a_common_reason_leave_room_for_the_rare_one(tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", [*(f"{index},Nadie" for index in range(1, 31)), ",Eva"])
    found = json.loads(invoke("check", people, *WHO, "--json", "--quiet").stdout)
    assert [row["line"] for row in found["bad"]] == [32, 2, 3, 4, 5, 6]


def test_a_text_that_a_terminal_would_obey_is_not_shown_to_it(tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["+34600000001,\x1b[31mAna", "+34600000002,\u202eAna"])
    for vendor in (("mensatek",), ("smsgateway24", "--device-id", "1")):
        result = invoke("check", people, "--vendor", *vendor, "--text", "Hola {nombre}")
        assert "U+001B control character" in one_line(result.stdout)
        assert "\x1b" not in result.stdout
        assert "\u202e" not in result.stdout


def rows(count: int) -> Iterator[GoodRow | BadRow]:
    for line in range(2, count + 2):
        if line % 10 == 0:
            yield BadRow(line, "", "missing_number", "has no number")
        else:
            yield GoodRow(line, Message(f"+346{line:08d}", "hola"))


async def test_progress_comes_to_all_rows_also_to_those_that_are_no_messages() -> None:
    seen: list[tuple[int, int]] = []
    async with MensatekClient("user", "token") as client:
        result = await check_rows(
            client, rows(1_000), Limits(max_recipients=50), on_progress=lambda *now: seen.append(now)
        )
    assert seen == sorted(seen)
    assert len(seen) >= 18
    assert seen[-1][0] >= 990
    assert seen[-1][1] == result.messages == 900


def test_progress_is_a_bar_on_a_terminal_lines_elsewhere_and_nothing_when_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def shown(terminal: bool, quiet: bool) -> str:
        nonlocal now
        console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
        with check_progress(console, 300, quiet=quiet) as progress:
            for done in (100, 200, 300):
                now += 4
                progress(done, done - 1)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    assert "300/300" in shown(terminal=True, quiet=False)
    assert shown(terminal=False, quiet=False).splitlines() == ["200/300 (66 %), 25/s: 199 would be sent"]
    assert shown(terminal=False, quiet=True) == ""


def test_many_countries_and_codes_are_cut_to_a_glance_and_counted() -> None:
    async def report() -> str:
        codes = ("49", "33", "39", "44", "351", "352", "353", "354", "355", "356", "357", "358", "359", "36", "370")
        numbers = {"49": "15123456789", "33": "612345678", "39": "3123456789", "44": "7400123456"}
        messages = [
            GoodRow(index, Message(f"+{code}{numbers.get(code, '')}", "hola")) for index, code in enumerate(codes, 2)
        ]
        bad = [BadRow(index, "", f"code_{index}", "no") for index in range(20, 40)]
        async with MensatekClient("user", "token") as client:
            result = await check_rows(client, iter([*messages, *bad]), Limits())
        console = Console(file=io.StringIO(), width=80)
        print_check(console, result)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    shown = asyncio.run(report())
    assert "more" in shown
    assert len(shown.splitlines()) < 90


def json_of(people: Path, *options: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(invoke("check", people, *options, "--json", "--quiet").stdout)
    return found


def test_several_vendors_each_have_their_costs(tmp_path: Path, prices: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["+34600000001,Ana", "+584121234567,Eva", "+584141234567,Luz"])
    routes = ("--route", "ES=mensatek", "--route", "VE=enviatusms", "--text", "Hola {nombre}")
    found = json_of(people, *routes, "--prices", f"mensatek={prices}")
    assert {name: (one["cost"], one["unit"]) for name, one in found["vendors"].items()} == {
        "mensatek": ("0.9", "credits"),
        "enviatusms": (None, "USD"),
    }
    assert found["by_country"]["VE"]["cost"] == {}
    shown = invoke("check", people, *routes, "--prices", f"mensatek={prices}").stdout
    assert "cost (mensatek)" in shown
    assert "no --prices" in shown
