"""What the demo compares: the ledgers of the vendors, which are the truth, with what our own report says."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import frozen

from mensasdk.campaign import unguard_cell
from mensasdk.cli.demo.data import CALLING
from mensasdk.cli.demo.people import number_of
from mensasdk.cli.show.tables import money
from mensasdk.cli.work.campaign import Summary
from mensasdk.messages import OutcomeKind
from mensasdk.registry import vendor_info
from mensasdk.sandbox import Fault, Sandbox

__all__ = ["CALLING", "Check", "Line", "compare", "read_results"]


@frozen
class Line:
    """One row of the file of results; ``number`` is digits only where it is a number."""

    number: str
    kind: OutcomeKind
    vendor: str
    vendor_id: str


@frozen
class Check:
    """One comparison of the vendors' ledger with our report."""

    name: str
    sandbox: str
    report: str

    @property
    def agrees(self) -> bool:
        return self.sandbox == self.report


def read_results(path: Path) -> list[Line]:
    """The file of results: what a person would work with."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Line(
                number_of(unguard_cell(row["to"])),
                OutcomeKind(row["outcome"]),
                row["vendor"],
                unguard_cell(row["vendor_id"]),
            )
            for row in csv.DictReader(file)
        ]


def compare(
    box: Sandbox, summary: Summary, lines: Sequence[Line], costs: Mapping[str, Decimal], *, rows: int, told: int
) -> list[Check]:
    """Compare the ledger with what the report and the file of results say.

    Args:
        box: with the ledger.
        summary: the report.
        lines: the file of results.
        costs: by how much the balances of accounts went down, for vendors whose answers tell no cost.
        rows: of the list.
        told: people of whose delivery we have heard.
    """
    ledger = box.ledger.numbers()
    by_kind: dict[OutcomeKind, set[str]] = {
        kind: {line.number for line in lines if line.kind is kind} for kind in OutcomeKind
    }
    unknown = by_kind[OutcomeKind.UNKNOWN]
    # A duplicate is not sent, and its first copy is.
    others = (by_kind[OutcomeKind.REJECTED] | by_kind[OutcomeKind.NOT_SENT]) - by_kind[OutcomeKind.ACCEPTED] - unknown
    asked = _asked(box)
    # Whoever is UNKNOWN with a vendor that calls nobody back cannot be asked for: there is no id.
    heard = {one.number for one in box.ledger.messages if one.vendor in CALLING or one.number not in unknown}
    four = summary.accepted + summary.rejected + summary.not_sent + summary.unknown
    zero = "0"
    checks = [
        Check("the campaign came to its end", "yes", "yes" if summary.stopped is None else "no"),
        Check("rows with one outcome each", f"{rows:,}", f"{four:,}"),
        Check("rows in the file of results", f"{rows:,}", f"{len(lines):,}"),
        Check("people who got it twice", f"{sum(count > 1 for count in ledger.values()):,}", zero),
        Check("got it, though rejected or not sent", f"{sum(ledger[number] for number in others):,}", zero),
        Check("unknown, and asked for again", f"{sum(asked[number] > 1 for number in unknown):,}", zero),
        Check("people whose delivery is known", f"{len(heard):,}", f"{told:,}"),
    ]
    for vendor in summary.shares:
        # What went out although its answer was lost is known to the ledger only.
        theirs = {one.number for one in box.ledger.messages if one.vendor == vendor} - unknown
        ours = {line.number for line in lines if line.kind is OutcomeKind.ACCEPTED and line.vendor == vendor}
        shown = f"{len(ours):,}" if theirs == ours else f"{len(ours):,} (others)"
        checks.append(Check(f"accepted by {vendor}", f"{len(theirs):,}", shown))
    for vendor, share in summary.shares.items():
        unit = vendor_info(vendor).unit
        if not unit:
            continue
        # The account has paid for the unknown as well; what the answers told does not include them.
        paid = [one for one in box.ledger.messages if one.vendor == vendor]
        if vendor in costs:
            known, name = costs[vendor], f"{unit} of {vendor}"
        else:
            paid = [one for one in paid if one.number not in unknown]
            known, name = share.credits or Decimal(0), f"{unit} of {vendor} (without the unknown)"
        checks.append(Check(name, money(sum((one.credits for one in paid), Decimal(0))), money(known)))
    return checks


def _asked(box: Sandbox) -> Counter[str]:
    """How often each number was put to a vendor, those requests aside that were told to come again."""
    asked: Counter[str] = Counter()
    for request in box.ledger.requests:
        if request.fault != Fault.RATE_LIMIT:
            asked.update(_numbers(request.function, request.params))
    return asked


def _numbers(function: str, params: Mapping[str, Any]) -> set[str]:
    match function:
        case "EnviarSMS":
            return {str(one["Movil"]) for one in params["Destinatarios"]}
        case "send":
            return {str(params["numero"]).replace(",", "")}
        case "sms-multi":
            return {str(number) for number in params["numeros"]}
        case "addsms":
            return {str(params["sendto"]).removeprefix("+")}
        case _:
            return set()
