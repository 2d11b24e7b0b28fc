"""What a campaign would be, without a single request: the same checks, the same plan, nothing sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from mensasdk.batch import Router
from mensasdk.batch.journal import message_key
from mensasdk.cli.campaign import MAX_SHOWN, Limits, ShownRow
from mensasdk.cli.output import Output
from mensasdk.cli.rows import BadRow, GoodRow, masked
from mensasdk.messages import Message
from mensasdk.phone import mask
from mensasdk.placeholders import fill
from mensasdk.text import segments
from mensasdk.vendors.base import BatchClient

__all__ = ["DryRun", "dry_run"]


@define
class DryRun:
    """What would happen.

    Attributes:
        vendor: whose.
        rows: rows of the file.
        messages: those that would be sent.
        duplicates: those that repeat an earlier one, and would not be sent.
        bad_rows: those that cannot be sent.
        shown: the first of them.
        requests: to the vendor.
        parts: SMS parts in all, by the vendor's client; what a part costs only the vendor knows.
        by_parts: messages by their parts.
        outside_gsm: messages with characters outside GSM-7.
        characters: those characters, with the number of messages that have them.
        by_vendor: messages by the vendor that they would go through.
    """

    vendor: str
    rows: int = 0
    messages: int = 0
    duplicates: int = 0
    bad_rows: int = 0
    shown: list[ShownRow] = field(factory=list)
    requests: int = 0
    parts: int = 0
    by_parts: Counter[int] = field(factory=Counter)
    outside_gsm: int = 0
    characters: Counter[str] = field(factory=Counter)
    by_vendor: Counter[str] = field(factory=Counter)

    @property
    def exit_code(self) -> int:
        """0 when every row can be sent, else 1."""
        return 0 if self.messages == self.rows else 1

    def as_json(self) -> dict[str, Any]:
        """The account as one object."""
        return {
            "dry_run": True,
            "vendor": self.vendor,
            "total": self.rows,
            "messages": self.messages,
            "duplicates": self.duplicates,
            "bad_rows": self.bad_rows,
            "requests": self.requests,
            "parts": self.parts,
            "by_parts": {str(parts): count for parts, count in sorted(self.by_parts.items())},
            "outside_gsm": self.outside_gsm,
            "by_vendor": dict(self.by_vendor),
            "exit_code": self.exit_code,
        }

    def bad(self, line: int, to: str, reason: str) -> None:
        """Count a row that cannot be sent."""
        self.bad_rows += 1
        if len(self.shown) < MAX_SHOWN:
            self.shown.append(ShownRow(line, mask(to) if to else "", masked(reason)))


async def dry_run(
    client: BatchClient | Router, rows: Iterator[GoodRow | BadRow], limits: Limits, output: Output | None = None
) -> DryRun:
    """Check every row as the client would, and plan the requests as the sender would.

    Args:
        client: the vendor's client, or a router over several; it is asked to prepare messages, never to send.
        rows: the rows.
        limits: as for sending.
        output: where the bad rows are written.

    Raises:
        ConfigurationError: the file changed while it was read.
        OSError: the output cannot be written.
    """
    vendors = client.vendors if isinstance(client, Router) else (client.vendor,)
    result = DryRun(vendors[0] if len(vendors) == 1 else "router")
    lines: dict[int, int] = {}

    def messages() -> Iterator[Message]:
        for row in rows:
            result.rows += 1
            if isinstance(row, BadRow):
                result.bad(row.line, row.to, row.detail)
                if output is not None:
                    output.bad_row(row, result.vendor)
            else:
                lines[id(row.message)] = row.line
                yield row.message

    seen: set[int] = set()
    async for chunk in limits.sender(client).plan(messages()).chunks():
        for outcome in chunk.refused:
            line = lines.pop(id(outcome.message))
            result.bad(line, outcome.message.to, outcome.detail)
            if output is not None:
                output.outcome(line, outcome)
        new = 0
        for item in chunk.items:
            del lines[id(item.message)]
            key = hash(message_key(item.message, item.number))
            if key in seen:
                result.duplicates += 1
                continue
            seen.add(key)
            new += 1
            result.by_vendor[item.lane.client.vendor] += 1
            result.parts += item.parts
            result.by_parts[item.parts] += 1
            if outside := {character for _, character in segments(_text(item.message)).forced_by}:
                result.outside_gsm += 1
                result.characters.update(outside)
        result.messages += new
        result.requests += bool(new)
    result.shown.sort(key=lambda row: row.line)
    return result


def _text(message: Message) -> str:
    """What the person will read; of a vendor's template only the variables are known here."""
    return fill(message.text, message.variables) if message.text else " ".join(message.variables.values())
