"""Options that keep messages back: what they do, and that a slip of the pen is refused before anything is sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_support import invoke, run, write_people, write_rows

from mensasdk import Message, ValidationError
from mensasdk.cli.input.screens import Screening, make_screening
from mensasdk.sandbox import Sandbox

WHO = ("--vendor", "mensatek", "--text", "Hola {nombre}")
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("opt_out_column", "hours", "days", "outside_hours", "spread")),
    **dict.fromkeys(("opt_outs", "time_zones", "prices", "max_credits", "max_messages"), ()),
}
MADRID = "+34910000000"


def screening(vendors: Sequence[str] = ("mensatek",), begin: datetime | None = None, **given: Any) -> Screening:
    return make_screening(NOTHING | given, vendors, default_country=None, begin=begin)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_people(tmp_path / "people.csv", 20)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("country,price\nES,1\n", encoding="utf-8")
    return path


# -------------------------------------------------------------------------------------------------------- opt-outs


@pytest.mark.slow
async def test_who_opted_out_gets_nothing_from_send_nor_from_resume(box: Sandbox, tmp_path: Path, people: Path) -> None:
    """Whoever opted out since the campaign began is passed over as well."""
    first, second, journal = tmp_path / "first.txt", tmp_path / "second.csv", tmp_path / "journal.sqlite"
    first.write_text("34600000003\n+34 600 00 00 04\n", encoding="utf-8")
    second.write_text("nombre;baja\nEva;600000015\n", encoding="utf-8")
    options: list[str | Path] = [*WHO, "--journal", journal, "--json", "--quiet", "--opt-outs", first]
    box.mensatek.account.credits = box.mensatek.account.price * 10
    small = ("--max-recipients", "5", "--max-in-flight", "1")
    sent = await run("send", people, *options, "--campaign", "c", *small, box=box)
    assert (sent.code, json.loads(sent.out)["by_code"]["opted_out"]) == (4, 2)
    assert len(box.ledger) == 10
    box.mensatek.account.credits = Decimal(1_000)
    resumed = await run("resume", "c", people, *options, "--opt-outs", second, box=box)
    assert resumed.code == 2  # which column holds the numbers, it does not say
    columns = ("--opt-out-column", "BAJA", "--default-country", "ES")
    first.write_text("BAJA\n34600000003\n+34 600 00 00 04\n", encoding="utf-8")
    resumed = await run("resume", "c", people, *options, "--opt-outs", second, *columns, box=box)
    assert resumed.code == 1, resumed.err
    assert json.loads(resumed.out)["by_code"] == {"opted_out": 3}
    assert {f"346000000{index:02d}" for index in range(20)} - set(box.ledger.numbers()) == {
        "34600000003", "34600000004", "34600000015",
    }  # fmt: skip
    assert set(box.ledger.numbers().values()) == {1}


def test_a_number_that_cannot_be_read_names_the_option_the_place_and_the_remedy(people: Path, tmp_path: Path) -> None:
    path = tmp_path / "optouts.txt"
    path.write_text("+34600000001\n600000002\n", encoding="utf-8")
    result = invoke("send", people, *WHO, "--opt-outs", path)
    assert result.exit_code == 2
    for part in ("--opt-outs", "line 2", "--default-country", "take the line out"):
        assert part in result.stderr
    for word in ("lenient", "default_country", "column="):
        assert word not in result.stderr


def test_national_numbers_of_opt_outs_belong_to_the_country_of_the_list(tmp_path: Path) -> None:
    people = write_rows(tmp_path / "people.csv", ["4121234567,Eva", "4121234568,Ana"])
    path = tmp_path / "optouts.txt"
    path.write_text("04121234567\n", encoding="utf-8")
    for way in (("--vendor", "enviatusms"), ("--route", "*=enviatusms")):
        result = invoke("check", people, *way, "--text", "Hola", "--opt-outs", path, "--json", "--quiet")
        assert json.loads(result.stdout)["by_code"] == {"opted_out": 1}, way


# ----------------------------------------------------------------------------------------------- hours and spreading


@pytest.mark.slow
async def test_what_is_outside_the_hours_is_scheduled_for_their_opening(box: Sandbox, people: Path) -> None:
    opens = (datetime.now(UTC) + timedelta(hours=2)).replace(minute=0)
    hours = f"{opens.hour}:00-{(opens.hour + 1) % 24}:00"
    zone = ("--time-zone-of", "ES=UTC")
    ended = await run("send", people, *WHO, "--hours", hours, *zone, "--json", "--quiet", box=box)
    assert ended.code == 0, ended.err
    at = {message.scheduled_at for message in box.ledger.messages}
    assert [one and (one.astimezone(UTC).hour, one.minute) for one in at] == [(opens.hour, 0)]
    refuse = ("--outside-hours", "refuse", "--json", "--quiet")
    refused = await run("check", people, *WHO, "--hours", hours, *zone, *refuse)
    assert json.loads(refused.out)["by_code"] == {"closed": 20}
    told = await run("check", people, *WHO, "--hours", hours, *zone)
    assert "0 at once · 20 from" in told.out
    assert "20 put off" in told.out


@pytest.mark.slow
async def test_a_spread_keeps_its_pace_when_a_campaign_is_taken_up(box: Sandbox, tmp_path: Path, people: Path) -> None:
    """Ten of twenty in two hours, beginning when it was asked for: the rest takes its share of the time."""
    journal = tmp_path / "journal.sqlite"
    box.mensatek.account.credits = box.mensatek.account.price * 10
    begin = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    options: list[str | Path] = [
        *WHO,
        "--spread",
        "2h",
        "--schedule",
        begin.isoformat(),
        "--journal",
        journal,
        "--max-in-flight",
        "1",
    ]
    assert (await run("send", people, *options, "--campaign", "c", box=box)).code == 4
    minutes = [_minutes(one.scheduled_at, begin) for one in box.ledger.messages]
    assert minutes == [6 * place for place in range(10)]
    box.mensatek.account.credits = Decimal(1_000)
    assert (await run("resume", "c", *options[4:], "--vendor", "mensatek", box=box)).code == 0
    minutes = [_minutes(one.scheduled_at, begin) for one in box.ledger.messages[10:]]
    assert minutes == [6 * place for place in range(10)]


def _minutes(at: datetime | None, begin: datetime) -> float:
    assert at is not None
    return (at - begin).total_seconds() / 60


def test_not_after_is_put_onto_each_message(people: Path) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    late = (soon + timedelta(hours=2)).strftime("%H:00")
    hours = ("--hours", f"{late}-{(soon + timedelta(hours=3)).strftime('%H:00')}", "--time-zone-of", "ES=UTC")
    result = invoke("check", people, *WHO, *hours, "--not-after", soon.isoformat(), "--json", "--quiet")
    assert json.loads(result.stdout)["by_code"] == {"expired": 20}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9-14", "09:00-14:00"),
        ("9:00-14:00,16:30-20:00", "09:00-14:00, 16:30-20:00"),
        (" 22:00 - 6:00 ", "22:00-06:00"),
        ("20:00-24:00", "20:00-00:00"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, shown: str) -> None:
    assert repr(screening(hours=text).hours) == f"SendingHours({shown})"


@pytest.mark.parametrize(
    ("text", "open_days"),
    [("mon-fri", "12345"), ("Sat - Mon", "671"), ("mon,wed,sat-sun", "1367"), ("fri", "5"), ("mon-mon", "1")],
)
def test_days_are_read_as_people_write_them(text: str, open_days: str) -> None:
    hours = screening(days=text).hours
    assert hours is not None
    week = [datetime(2026, 6, day, 12, tzinfo=UTC) for day in range(1, 8)]  # from a Monday on
    assert {str(at.isoweekday()) for at in week if hours.is_open(MADRID, at)} == set(open_days)


@pytest.mark.parametrize(("text", "minutes"), [("90m", 90), ("2h", 120), ("1h30m", 90), ("1d", 1440), ("45 min", 45)])
def test_a_time_is_read_as_people_write_it(text: str, minutes: int) -> None:
    assert screening(spread=text).spread == timedelta(minutes=minutes)


def test_without_a_total_nothing_is_spread_and_the_screens_keep_their_order() -> None:
    found = screening(hours="9-20", spread="2h")
    assert [type(one).__name__ for one in found.screens(100)] == ["Spread", "SendingHours"]
    assert [type(one).__name__ for one in found.screens()] == ["SendingHours"]


def test_a_vendor_that_cannot_send_later_refuses_what_is_outside_the_hours() -> None:
    at = datetime.now(UTC) + timedelta(hours=3)
    window = f"{at.hour}:00-{(at.hour + 1) % 24}:00"
    found = screening(["enviatusms"], hours=window, time_zones=("VE=UTC",))
    [hours] = found.screens()
    with pytest.raises(ValidationError, match="outside the sending hours"):
        hours(Message("+584121234567", "hola"), "+584121234567")
    [hours] = screening(["enviatusms", "mensatek"], hours=window, time_zones=("VE=UTC",)).screens()
    assert hours(Message("+584121234567", "hola"), "+584121234567").schedule_at is not None


# ------------------------------------------------------------------------------------------------------------ money


@pytest.mark.slow
async def test_no_more_is_spent_than_allowed(box: Sandbox, people: Path, prices: Path) -> None:
    ended = await run(
        "send", people, *WHO, "--prices", prices, "--max-credits", "7", "--max-recipients", "3", "--json", box=box
    )
    found = json.loads(ended.out)
    assert (found["accepted"], found["credits"], box.ledger.charged) == (7, "7", Decimal(7))
    assert found["by_code"]["budget"] == 13
    assert "the budget is spent" in ended.err


@pytest.mark.slow
async def test_each_vendor_has_a_cap_of_its_own(box: Sandbox, tmp_path: Path) -> None:
    people = write_rows(
        tmp_path / "people.csv",
        [*(f"+346000000{index:02d},Ana" for index in range(10)), *(f"+58412123456{index},Eva" for index in range(8))],
    )
    ended = await run(
        "send", people, "--route", "ES=mensatek", "--route", "VE=enviatusms", "--text", "Hola",
        "--max-messages", "mensatek=4", "--max-messages", "enviatusms=3", "--json", "--quiet", box=box,
    )  # fmt: skip
    assert Counter(message.vendor for message in box.ledger.messages) == {"mensatek": 4, "enviatusms": 3}
    assert json.loads(ended.out)["by_code"] == {"budget": 11}


# ------------------------------------------------------------------------------------------------- slips of the pen

CARACAS = ("--vendor", "enviatusms", "--text", "Hola")
ROUTES = ("--route", "ES=mensatek", "--route", "VE=enviatusms", "--text", "Hola")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((*WHO, "--opt-out-column", "baja"), "belongs to --opt-outs"),
        ((*WHO, "--opt-outs", "none.txt"), "--opt-outs: none.txt cannot be read"),
        ((*WHO, "--hours", "9:00"), "--hours '9:00' must look like 9:00-20:00"),
        ((*WHO, "--hours", "9:00-25:00"), "must look like"),
        ((*WHO, "--hours", "9:70-20:00"), "must look like"),
        ((*WHO, "--hours", "9:00-20:00,"), "--hours '' must look like"),
        ((*WHO, "--hours", "9:00-9:00"), "--hours: "),
        ((*WHO, "--days", "lun-vie"), "--days 'lun-vie' must look like mon-fri"),
        ((*WHO, "--days", "mon-"), "must look like"),
        ((*WHO, "--days", ""), "must look like"),
        ((*WHO, "--time-zone-of", "ES=Europe/Madrid"), "belongs to --hours or --days"),
        ((*WHO, "--outside-hours", "refuse"), "belongs to --hours or --days"),
        ((*WHO, "--hours", "9-20", "--time-zone-of", "Europe/Madrid"), "must look like ES=Europe/Madrid"),
        ((*WHO, "--hours", "9-20", "--time-zone-of", "XX=Europe/Madrid"), "--time-zone-of has 'XX', which is no"),
        ((*WHO, "--hours", "9-20", "--time-zone-of", "ES=Madrid"), "--time-zone-of: there is no time zone 'Madrid'"),
        ((*WHO, "--hours", "9-20", "--outside-hours", "wait"), "--outside-hours"),
        ((*WHO, "--spread", "soon"), "--spread 'soon' must be a time above 0"),
        ((*WHO, "--spread", "0h"), "above 0"),
        ((*WHO, "--spread", "m"), "above 0"),
        ((*WHO, "--not-after", "2030-01-31T09:00"), "--not-after has no time zone"),
        ((*WHO, "--not-after", "2020-01-31T09:00Z"), "--not-after is not in the future"),
        ((*WHO, "--zone", "Europe/Madrid"), "--schedule or --not-after"),
        ((*WHO, "--prices", "none.csv"), "--prices: the file of prices (none.csv) cannot be read"),
        ((*WHO, "--prices", "a.csv", "--prices", "mensatek=b.csv"), "--prices is given twice for mensatek"),
        ((*WHO, "--prices", "envia_sms=a.csv"), "does not go through envia_sms"),
        ((*WHO, "--max-credits", "5"), "give --prices FILE as well, or cap the messages with --max-messages N"),
        ((*WHO, "--max-credits", "many"), "--max-credits ('many') is no amount"),
        ((*WHO, "--max-credits", "-1"), "--max-credits is negative (-1)"),
        ((*WHO, "--max-messages", "-1"), "--max-messages '-1' must be a whole number"),
        ((*WHO, "--max-messages", "1.5"), "must be a whole number"),
        ((*ROUTES, "--prices", "a.csv"), "give --prices mensatek=FILE, and so on"),
        ((*ROUTES, "--max-messages", "5"), "give --max-messages mensatek=N, and so on"),
        ((*ROUTES, "--max-credits", "mensatek=5"), "--prices mensatek=FILE"),
        ((*ROUTES, "--spread", "2h"), "enviatusms has no --spread"),
        ((*CARACAS, "--hours", "9-20", "--outside-hours", "schedule"), "cannot send later"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["send", "check"])
def test_wrong_usage_is_2_and_says_what_to_do(
    people: Path, monkeypatch: pytest.MonkeyPatch, command: str, arguments: tuple[str, ...], part: str
) -> None:
    monkeypatch.chdir(people.parent)
    Path("a.csv").write_text("country,price\nES,1\n", encoding="utf-8")
    Path("b.csv").write_text("country,price\nES,1\n", encoding="utf-8")
    result = invoke(command, people, *arguments)
    assert result.exit_code == 2, result.output
    assert part in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("country,price\nES,cheap\n", encoding="utf-8"),
        lambda path: path.write_text("pais,precio\nES,1\n", encoding="utf-8"),
        lambda path: path.write_bytes("country,price\nES,1 €\n".encode("cp1252")),
    ],
)
def test_a_price_list_that_is_none_is_refused_with_the_option(
    people: Path, tmp_path: Path, write: Callable[[Path], int]
) -> None:
    write(tmp_path / "bad.csv")
    result = invoke("send", people, *WHO, "--prices", tmp_path / "bad.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--prices: " in result.stderr


def test_send_resume_and_check_have_the_same_options() -> None:
    for command in ("send", "resume", "check"):
        shown = invoke(command, "--help").stdout
        for option in ("--opt-outs", "--hours", "--days", "--spread", "--not-after", "--prices", "--max-credits"):
            assert f"\n  {option} " in shown, (command, option)
