"""Compare the ledger of the emulated vendors, which is the truth, with the report of the campaign."""

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
    """A row of the file of results. ``number`` is digits only, or the cell as it is where that is no number."""

    number: str
    kind: OutcomeKind
    vendor: str
    vendor_id: str


@frozen
class Check:
    """A comparison of the vendors' ledger with the report."""

    name: str
    sandbox: str
    report: str

    @property
    def agrees(self) -> bool:
        """True where both say the same."""
        return self.sandbox == self.report


def read_results(path: Path) -> list[Line]:
    """Read the file of results."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Line(
                number_of(unguard_cell(row["number"] or row["as_written"])),
                OutcomeKind(row["outcome"]),
                row["vendor"],
                unguard_cell(row["vendor_id"]),
            )
            for row in csv.DictReader(file)
        ]


def compare(
    box: Sandbox, summary: Summary, lines: Sequence[Line], costs: Mapping[str, Decimal], *, rows: int, told: int
) -> list[Check]:
    """Compare the ledger with the report and the file of results.

    Args:
        box: the sandbox, which has the ledger.
        summary: the report.
        lines: the rows of the file of results.
        costs: how much the balance of an account went down, for vendors whose answers tell no cost.
        rows: count of the rows of the list.
        told: count of the people whose delivery is known.
    """
    ledger = box.ledger.numbers()
    by_kind: dict[OutcomeKind, set[str]] = {
        kind: {line.number for line in lines if line.kind is kind} for kind in OutcomeKind
    }
    unknown = by_kind[OutcomeKind.UNKNOWN]
    # A duplicate is not sent, but the first of the two rows is.
    others = (by_kind[OutcomeKind.REJECTED] | by_kind[OutcomeKind.NOT_SENT]) - by_kind[OutcomeKind.ACCEPTED] - unknown
    asked = _asked(box)
    # An UNKNOWN message has no id, so a vendor that does not call back cannot be asked for it.
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
        # Only the ledger knows a message that was taken though its answer was lost.
        theirs = {one.number for one in box.ledger.messages if one.vendor == vendor} - unknown
        ours = {line.number for line in lines if line.kind is OutcomeKind.ACCEPTED and line.vendor == vendor}
        shown = f"{len(ours):,}" if theirs == ours else f"{len(ours):,} (others)"
        checks.append(Check(f"accepted by {vendor}", f"{len(theirs):,}", shown))
    for vendor, share in summary.shares.items():
        unit = vendor_info(vendor).unit
        if not unit:
            continue
        # The account has paid for unknown messages too, which no answer tells.
        paid = [one for one in box.ledger.messages if one.vendor == vendor]
        if vendor in costs:
            known, name = costs[vendor], f"{unit} of {vendor}"
        else:
            paid = [one for one in paid if one.number not in unknown]
            known, name = share.credits or Decimal(0), f"{unit} of {vendor} (without the unknown)"
        checks.append(Check(name, money(sum((one.credits for one in paid), Decimal(0))), money(known)))
    return checks


def _asked(box: Sandbox) -> Counter[str]:
    """Return how often each number was sent to a vendor, without the requests that were answered with 429."""
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
