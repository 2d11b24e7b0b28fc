"""The demo: four vendors, all four outcomes, delivery reports, and an account that is compared with the truth."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from cli_support import one_line, run

from mensasdk import MensatekClient
from mensasdk.cli.demo import campaign as demo
from mensasdk.cli.demo.checks import Check, Line, compare, read_results
from mensasdk.cli.demo.people import make_people, number_of
from mensasdk.cli.demo.reports import Reports
from mensasdk.cli.show.tables import output_console
from mensasdk.cli.work.campaign import Share, Summary
from mensasdk.messages import Delivery, DeliveryState, OutcomeKind
from mensasdk.sandbox import Sandbox
from mensasdk.vendors.enviatusms import EnviaTuSmsClient


@pytest.mark.slow
async def test_the_demo_adds_up_and_says_so(tmp_path: Path) -> None:
    ended = await run("demo", "--rows", "300", "--rate", "2000", "--output", tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.err == ""
    assert "Everything adds up." in ended.out
    assert "✗" not in ended.out
    counts = dict(re.findall(r"^(accepted|rejected|not sent|unknown) +(\d+) ", ended.out, re.MULTILINE))
    assert len(counts) == 4
    assert all(int(count) > 0 for count in counts.values()), counts
    lines = read_results(tmp_path / "results.csv")
    assert len(lines) == 300
    accepted = Counter(line.vendor for line in lines if line.kind is OutcomeKind.ACCEPTED)
    assert {*accepted} == {"mensatek", "envia_sms", "enviatusms", "smsgateway24"}
    # Each vendor's part and each vendor's deliveries: two tables.
    for vendor, count in accepted.items():
        assert re.search(rf"^{vendor} +{count} ", ended.out, re.MULTILINE)
        assert len(re.findall(rf"^{vendor} ", ended.out, re.MULTILINE)) == 2
    # The Mexican vendor ran out of credits, and the phones took over.
    instead = [line for line in lines if line.vendor == "smsgateway24" and line.number.startswith("52")]
    assert instead
    assert f"{len(instead)} Mexican numbers went through smsgateway24" in one_line(ended.out)
    assert max(map(len, ended.out.partition("the list")[0].splitlines()[3:])) <= 100  # as wide as the terminal
    assert "\x1b" not in ended.out  # no terminal, no colours


def test_the_same_seed_makes_the_same_people(tmp_path: Path) -> None:
    first, second, other = (
        make_people(tmp_path / name, 500, seed) for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2))
    )
    assert first.path.read_bytes() == second.path.read_bytes() != other.path.read_bytes()
    assert first.unwilling == second.unwilling


@pytest.mark.parametrize(("theirs", "code", "words"), [("5", 0, "Everything adds up."), ("6", 1, "does not add up")])
def test_a_check_that_disagrees_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], theirs: str, code: int, words: str
) -> None:
    show = demo.Demo(output_console(), 100, 100, tmp_path, 1)
    assert show.conclude([Check("messages", theirs, "5")]) == code
    assert words in capsys.readouterr().out


def test_the_people_are_in_all_the_countries_and_spelled_in_many_ways(tmp_path: Path) -> None:
    people = make_people(tmp_path / "people.csv", 1000, 1)
    cells = [line.partition(";")[0] for line in people.path.read_text(encoding="utf-8-sig").splitlines()[1:]]
    assert len(cells) == 1000
    numbers = {number_of(cell) for cell in cells}
    for code, count in (("34", people.spain), ("58", people.venezuela), ("52", people.mexico)):
        assert sum(re.fullmatch(rf"{code}\d{{9,10}}", number) is not None for number in numbers) == count
    elsewhere = sum(re.fullmatch(r"(351|39|33)\d{9,10}", number) is not None for number in numbers)
    assert elsewhere == people.elsewhere > 0
    assert people.unwilling < numbers


SHARE = Share(accepted=2, rejected=0, not_sent=0, unknown=0, credits=None, balance=None)
SUMMARY = Summary(
    vendor="router",
    campaign="demo",
    total=2,
    done=2,
    accepted=2,
    rejected=0,
    not_sent=0,
    unknown=0,
    bad_rows=0,
    shown=(),
    by_code={},
    meanings={},
    parts=2,
    credits=Decimal(0),
    balance=None,
    elapsed=1.0,
    stopped=None,
    interrupted=False,
    shares={"enviatusms": SHARE},
)
COST = {"enviatusms": Decimal("0.09")}


def line(number: str, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> Line:
    return Line(number, kind, "enviatusms", "1")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, set()),
        ({"lines": [line("584141234567"), line("584141234568"), line("1")]}, {"rows in the file of results",
                                                                              "accepted by enviatusms"}),
        ({"lines": [line("584141234567"), line("584141234569")]}, {"accepted by enviatusms"}),
        (
            {"lines": [line("584141234567"), line("584141234568", OutcomeKind.NOT_SENT)]},
            {"got it, though rejected or not sent", "accepted by enviatusms"},
        ),
        ({"costs": {"enviatusms": Decimal("0.08")}}, {"USD of enviatusms"}),
        ({"told": 1}, {"people whose delivery is known"}),
        ({"rows": 3}, {"rows with one outcome each", "rows in the file of results"}),
        ({"summary": evolve(SUMMARY, stopped="no credits")}, {"the campaign came to its end"}),
    ],
)  # fmt: skip
async def test_whatever_does_not_agree_with_the_ledger_is_found(change: dict[str, Any], names: set[str]) -> None:
    async with (
        Sandbox() as box,
        EnviaTuSmsClient(**box.credentials("enviatusms"), base_url=box.base_url("enviatusms")) as client,
    ):
        await client.send_sms(["04141234567", "04141234568"], "Hola")
        given: dict[str, Any] = {
            "summary": SUMMARY,
            "lines": [line("584141234567"), line("584141234568")],
            "costs": COST,
            "rows": 2,
            "told": 2,
        } | change
        checks = compare(box, given.pop("summary"), given.pop("lines"), given.pop("costs"), **given)
    assert {check.name for check in checks if not check.agrees} == names


async def test_a_number_that_got_it_from_two_vendors_is_found() -> None:
    """Each vendor by itself would find nothing wrong."""
    async with Sandbox() as box:
        (entry,) = [one for one in await _two_ledgers(box) if one.name == "people who got it twice"]
    assert (entry.sandbox, entry.agrees) == ("1", False)


async def _two_ledgers(box: Sandbox) -> list[Check]:
    credentials, address = box.credentials("enviatusms"), box.base_url("enviatusms")
    async with EnviaTuSmsClient(**credentials, base_url=address) as client:
        await client.send_sms("04141234567", "Hola")
    async with MensatekClient(**box.credentials("mensatek"), base_url=box.base_url("mensatek")) as other:
        await other.send_sms("+584141234567", "Hola")
    return compare(box, SUMMARY, [line("584141234567")], COST, rows=1, told=1)


async def test_what_has_ended_stays_ended_whatever_comes_late() -> None:
    reports = Reports()
    for state in (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.SENT):
        reports.keep(Delivery("mensatek", "1", number="+34600000001", state=state, code=""))
    assert reports.states["+34600000001"].state is DeliveryState.DELIVERED
    counts = reports.count([line("34600000001"), line("34600000002")], ["mensatek", "enviatusms"])
    assert counts == {"mensatek": {}, "enviatusms": {"delivered": 1, "still trying": 1}}
