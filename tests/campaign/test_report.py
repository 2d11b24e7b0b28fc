"""The report: counts, rows, and files that open safely in a spreadsheet."""

from __future__ import annotations

import csv
import gc
import json
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensasdk import BatchReport, Message, Outcome, OutcomeKind
from mensasdk.campaign import guard_cell, unguard_cell
from mensasdk.campaign.report import COLUMNS, Amount

OUTCOMES = [
    Outcome(
        OutcomeKind.ACCEPTED,
        Message("+34600000001", "a", reference="=1+1"),
        vendor="v",
        vendor_id="77",
        parts=2,
        credits=Decimal("1.5"),
    ),
    Outcome(
        OutcomeKind.REJECTED, Message("+34600000002", "b"), vendor="v", code="-3", detail='line\nbreak; and "quotes"'
    ),
    Outcome(OutcomeKind.NOT_SENT, Message("+34600000003", "c"), vendor="v", code="duplicate"),
    Outcome(OutcomeKind.UNKNOWN, Message("+34600000004", "d"), vendor="v", code="connection_lost"),
]


@pytest.fixture
def report() -> BatchReport:
    result = BatchReport("c", "v")
    result.add(OUTCOMES)
    return result


def test_the_four_outcomes_add_up(report: BatchReport) -> None:
    assert (report.accepted, report.rejected, report.not_sent, report.unknown) == (1, 1, 1, 1)
    assert report.total == 4
    assert report.by_code == {"-3": 1, "duplicate": 1, "connection_lost": 1}
    assert report.parts == 2


def test_what_each_vendor_charged_and_has_left_is_told_in_its_own_unit(report: BatchReport) -> None:
    report.spend("mensatek", Decimal(3), Decimal(97))
    report.spend("enviatusms", Decimal("0.09"), Decimal("4.41"))
    report.spend("mensatek", Decimal(2), Decimal(95))
    report.spend("mensatek", None, None)
    assert report.credits == {"mensatek": (Decimal(5), "credits"), "enviatusms": (Decimal("0.09"), "USD")}
    assert report.balance == {"mensatek": (Decimal(95), "credits"), "enviatusms": (Decimal("4.41"), "USD")}


def test_an_amount_equals_its_number_and_another_amount_only_with_its_unit() -> None:
    ten = Amount(Decimal("10.00"), "credits")
    assert ten == Decimal(10) == ten
    assert ten == 10
    assert ten != Decimal(11)
    assert ten == (Decimal(10), "credits") == Amount(Decimal(10), "credits")
    assert ten != Amount(Decimal(10), "USD")
    assert hash(ten) == hash(Amount(Decimal(10), "credits"))


def test_rows_have_the_place_and_the_number_where_they_are_known(report: BatchReport) -> None:
    told = Outcome(OutcomeKind.ACCEPTED, Message("600 00 00 05", "e", place=6), vendor="v")
    report.add([told], ["+34600000005"])
    rows = list(report.rows())
    assert [(row["place"], row["to"], row["number"]) for row in rows[-2:]] == [
        (None, "+34600000004", None),
        (6, "600 00 00 05", "+34600000005"),
    ]
    assert [outcome.message.place for outcome in report.outcomes()][-2:] == [None, 6]


def test_json_lines_hold_every_row_exactly(report: BatchReport, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    report.write_jsonl(path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == list(report.rows())
    assert rows[0] == {
        "place": None,
        "to": "+34600000001",
        "number": None,
        "reference": "=1+1",
        "outcome": "accepted",
        "vendor": "v",
        "vendor_id": "77",
        "code": None,
        "detail": "",
        "parts": 2,
        "credits": "1.5",
    }


def test_no_cell_of_the_csv_is_a_formula_and_all_can_be_had_back(report: BatchReport, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    report.write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == COLUMNS
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in rows for cell in row)
    back = [dict(zip(header, map(unguard_cell, row), strict=True)) for row in rows]
    assert back == [{k: "" if v is None else str(v) for k, v in row.items()} for row in report.rows()]


def test_raw_csv_is_as_it_is(report: BatchReport, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    report.write_csv(path, raw=True)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["to"] == "+34600000001"
    assert rows[0]["reference"] == "=1+1"


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_only_the_owner_can_read_the_files(report: BatchReport, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch(mode=0o644)  # also where a readable file of that name was there before
    (report.write_csv if name.endswith("csv") else report.write_jsonl)(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.text())
def test_guarding_a_cell_can_be_undone(text: str) -> None:
    assert unguard_cell(guard_cell(text)) == text


@given(st.sampled_from("=+-@\t\r＝＋－＠"), st.text())
def test_a_formula_is_always_guarded(start: str, text: str) -> None:
    assert guard_cell(start + text).startswith("'")


def test_rows_can_be_read_while_more_come(report: BatchReport) -> None:
    assert len(list(report.rows())) == 4
    report.add(OUTCOMES[:2])
    assert len(list(report.rows())) == 6


@pytest.mark.slow
def test_many_rows_leave_memory_and_none_is_lost() -> None:
    report = BatchReport("c", "v")
    for index in range(300):
        report.add(
            [Outcome(OutcomeKind.ACCEPTED, Message(f"+34{index}", "x" * 10), vendor="v", vendor_id=str(index))] * 100
        )
    assert sum(1 for _ in report.rows()) == 30_000 == report.total
    del report
    gc.collect()  # a file that is left open would warn here, and warnings are errors


def test_the_report_of_a_stream_has_no_rows() -> None:
    report = BatchReport("c", "v", keep_rows=False)
    report.add(OUTCOMES)
    assert report.total == 4
    with pytest.raises(RuntimeError):
        list(report.rows())
