"""Check a list with the rules and the plan of a campaign, without a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from attrs import define, field

from mensasdk.campaign import Router
from mensasdk.cli.input.rows import BadRow, GoodRow
from mensasdk.cli.masking import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.work.campaign import MAX_SHOWN, Limits, ShownRow
from mensasdk.codes import Code
from mensasdk.messages import Message, Outcome
from mensasdk.phone import mask
from mensasdk.preflight.check import Preflight, character_name
from mensasdk.registry import vendors
from mensasdk.vendors.batching import BatchClient

__all__ = ["CheckedList", "check_rows", "unit_of"]

_SHOWN_OF_ONE_REASON: Final = 5
_CHARACTERS: Final = 20


@define
class CheckedList:
    """Result of a check of a list.

    Attributes:
        vendor: name of the only vendor, or ``"router"``.
        preflight: the sender's check of the rows that are messages.
        unreadable: count of the rows that are no messages, by code.
        shown: the first rows that would not be sent, by code, without duplicates.
    """

    vendor: str
    preflight: Preflight = field(factory=Preflight)
    unreadable: Counter[str] = field(factory=Counter)
    shown: dict[str, list[ShownRow]] = field(factory=dict)

    @property
    def rows(self) -> int:
        """Count of the rows of the file."""
        return self.preflight.total + self.unreadable.total()

    @property
    def messages(self) -> int:
        """Count of the rows that would be sent."""
        return self.preflight.messages

    @property
    def duplicates(self) -> int:
        """Count of the rows that repeat an earlier row, and would not be sent."""
        return self.preflight.duplicates

    @property
    def bad_rows(self) -> int:
        """Count of the rows that would not be sent for another reason."""
        return self.preflight.refused + self.unreadable.total()

    @property
    def by_code(self) -> Counter[str]:
        """Count of the rows that would not be sent, by code; `send` would report the same."""
        return self.preflight.by_code + self.unreadable

    @property
    def exit_code(self) -> int:
        """0 where every row would be sent, else 1."""
        return 0 if self.messages == self.rows else 1

    def as_json(self) -> dict[str, Any]:
        """Return the result as one JSON object. Money is text, to stay exact."""
        found = self.preflight
        return {
            "dry_run": True,
            "vendor": self.vendor,
            "total": self.rows,
            "messages": self.messages,
            "duplicates": self.duplicates,
            "opted_out": self.by_code["opted_out"],
            "bad_rows": self.bad_rows,
            "by_code": dict(self.by_code.most_common()),
            "requests": found.requests,
            "parts": found.parts,
            "by_parts": {str(parts): count for parts, count in sorted(found.by_parts.items())},
            "by_encoding": {encoding.value: count for encoding, count in found.by_encoding.items()},
            "outside_gsm": found.outside_gsm,
            "parts_in_gsm": found.parts_in_gsm,
            "characters": [
                {"character": one, "name": character_name(one) if len(one) == 1 else "", "messages": count}
                for one, count in found.forcing.most_common(_CHARACTERS)
            ],
            "scheduled": found.scheduled,
            "put_off": found.put_off,
            "first_at": None if found.first_at is None else found.first_at.isoformat(),
            "last_at": None if found.last_at is None else found.last_at.isoformat(),
            "by_vendor": {vendor: totals.messages for vendor, totals in found.by_vendor.items()},
            "vendors": {vendor: self._vendor_as_json(vendor) for vendor in found.by_vendor},
            "by_country": {
                country or "none": {
                    "messages": totals.messages,
                    "parts": totals.parts,
                    "cost": {vendor: str(cost) for vendor, cost in totals.cost.items()},
                    "unpriced": totals.unpriced,
                }
                for country, totals in found.by_country.items()
            },
            "bad": [
                {"line": row.line, "number": row.number, "code": code, "reason": row.reason}
                for code, rows in self.shown.items()
                for row in rows
            ],
            "exit_code": self.exit_code,
        }

    def bad(self, line: int, to: str, code: str, reason: str) -> None:
        """Keep a row that would not be sent, to be shown, if it is among the first with its code.

        Args:
            line: its line in the file.
            to: the cell of the number; it is masked here.
            code: the reason as a word.
            reason: the reason as a sentence.
        """
        shown = self.shown.setdefault(code if code in self.shown or len(self.shown) < MAX_SHOWN else "other", [])
        if len(shown) < _SHOWN_OF_ONE_REASON:
            shown.append(ShownRow(line, mask(to) if to else "", masked(reason)))

    def _vendor_as_json(self, vendor: str) -> Mapping[str, Any]:
        totals = self.preflight.by_vendor[vendor]
        estimate = totals.estimate
        return {
            "messages": totals.messages,
            "requests": totals.requests,
            "parts": totals.parts,
            "cost": None if estimate is None else str(estimate.total),
            "unit": unit_of(vendor),
            "unpriced": {} if estimate is None else {one or "none": count for one, count in estimate.unpriced.items()},
            "changed": totals.changed,
            "replacements": [
                {"from": before, "to": after, "messages": count}
                for (before, after), count in totals.replacements.most_common(_CHARACTERS)
            ],
        }


def unit_of(vendor: str) -> str:
    """Return the unit that a vendor counts in, such as ``"credits"``."""
    return (vendors()[vendor].unit if vendor in vendors() else "") or "credits"


async def check_rows(
    client: BatchClient | Router,
    rows: Iterator[GoodRow | BadRow],
    limits: Limits,
    output: Output | None = None,
    *,
    total: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CheckedList:
    """Check every row as the client would, and plan the requests as the sender would.

    Args:
        client: the vendor's client, or a router over several vendors; it prepares messages and sends nothing.
        rows: the rows.
        limits: rates and other limits, as for sending.
        output: file that gets the rows that would not be sent; None for none.
        total: count of the rows; see `Limits.sender`.
        on_progress: called with the count of the rows checked so far, and of those that would be sent.

    Raises:
        ConfigurationError: the list was changed while it was read.
    """
    vendors = client.vendors if isinstance(client, Router) else (client.vendor,)
    result = CheckedList(vendors[0] if len(vendors) == 1 else "router")
    numbers: dict[int | None, str] = {}

    def messages() -> Iterator[Message]:
        for row in rows:
            if isinstance(row, BadRow):
                result.unreadable[row.code] += 1
                result.bad(row.line, row.to, row.code, row.detail)
                if output is not None:
                    output.bad_row(row, result.vendor)
            else:
                yield row.message

    def see(message: Message, number: str, /) -> Message:
        numbers[message.place] = number
        return message

    def on_message(message: Message, outcome: Outcome | None) -> None:
        number = numbers.pop(message.place, None)
        if outcome is None:
            return
        code = outcome.code or Code.INVALID
        if code == Code.DUPLICATE:
            return
        result.bad(message.place or 0, message.to, code, outcome.detail)
        if output is not None:
            output.outcome(outcome, number)

    def progress(found: Preflight) -> None:
        if on_progress is not None:
            on_progress(found.total + result.unreadable.total(), found.messages)

    sender = limits.sender(client, total=total, first=None if output is None else see)
    result.preflight = await sender.check(
        messages(), prices=limits.screening.prices, on_progress=progress, on_message=on_message
    )
    for shown in result.shown.values():
        shown.sort(key=lambda row: row.line)
    return result
