"""Send the rows of a list as a campaign, and count the outcomes as they come."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any, Protocol

from attrs import field, frozen

from mensasdk.campaign import Amount, BatchReport, BatchSender, Route, Router, Screen
from mensasdk.cli.input.rows import BadRow, GoodRow
from mensasdk.cli.input.screens import NOTHING, Screening
from mensasdk.cli.masking import masked
from mensasdk.cli.show.output import Output
from mensasdk.cli.wording import of_option, say
from mensasdk.codes import Code
from mensasdk.errors import ConfigurationError, MensaError
from mensasdk.journal import CampaignFacts, Journal
from mensasdk.limits import CircuitBreaker, RateLimit
from mensasdk.messages import Message, Outcome, OutcomeKind
from mensasdk.phone import mask
from mensasdk.vendors.batching import BatchClient

__all__ = ["Campaign", "Display", "Limits", "Share", "Summary"]

MAX_SHOWN = 20
_MAX_CODES = 200


@frozen
class Limits:
    """Limits of a campaign, as in `BatchSender`. With several vendors, each has these limits for itself.

    Attributes:
        rate: most messages a second; None for no limit.
        requests_per_second: most requests a second; None for no limit.
        max_in_flight: most requests under way at once.
        max_recipients: most messages in one request; None for the vendor's own limit.
        rates: rates of single vendors, in place of ``rate``.
        breaker: whether to pause before a vendor that does not answer.
        screening: screens, prices and budgets.
    """

    rate: float | None = None
    requests_per_second: float | None = None
    max_in_flight: int = 16
    max_recipients: int | None = None
    rates: Mapping[str, float] = field(factory=dict)
    breaker: bool = True
    screening: Screening = NOTHING

    def route(self, client: BatchClient) -> Route:
        """Make a route of a client, with these limits."""
        rate = self.rates.get(client.vendor, self.rate)
        with of_option("--rate"):
            messages = None if rate is None else RateLimit(rate)
        with of_option("--requests-per-second"):
            requests = None if self.requests_per_second is None else RateLimit(self.requests_per_second)
        return Route(
            client,
            rate=messages,
            request_rate=requests,
            max_in_flight=self.max_in_flight,
            breaker=CircuitBreaker() if self.breaker else None,
            budget=self.screening.budgets.get(client.vendor),
        )

    def sender(
        self,
        client: BatchClient | Router,
        journal: Journal | None = None,
        *,
        total: int | None = None,
        first: Screen | None = None,
        content: CampaignFacts | None = None,
    ) -> BatchSender:
        """Make a sender with these limits. A router keeps the limits of its own routes: see `route`.

        Args:
            client: the client, or a router.
            journal: as in `BatchSender`.
            total: count of the messages of the campaign; see `Screening.screens`.
            first: a screen before all others; None for none.
            content: what the campaign sends; None to compare and record nothing.
        """
        router = client if isinstance(client, Router) else Router([self.route(client)])
        screens = [*([] if first is None else [first]), *self.screening.screens(total)]
        sender = _Sender(router, max_recipients=self.max_recipients, journal=journal, screens=screens)
        sender.describe(content)
        return sender


class _Sender(BatchSender):
    """A sender whose outcomes give the reasons of refusals in terms of the command's options."""

    def describe(self, content: CampaignFacts | None) -> None:
        """Set the content of the campaign, of which the command knows more than the messages tell."""
        self._content = content

    def _say(self, error: MensaError) -> str:
        return say(error)


@frozen
class ShownRow:
    """A refused row as a terminal may show it, with its number masked."""

    line: int
    number: str
    reason: str


@frozen
class Share:
    """Part of one vendor in a campaign. Credits and balance are None where the vendor does not tell them."""

    accepted: int
    rejected: int
    not_sent: int
    unknown: int
    credits: Decimal | None
    balance: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """Return the part as one JSON object. Money is text, to stay exact."""
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "not_sent": self.not_sent,
            "unknown": self.unknown,
            "credits": None if self.credits is None else str(self.credits),
            "balance": None if self.balance is None else str(self.balance),
        }


@frozen
class Summary:
    """Counts of a campaign, while it runs or at its end. The four outcomes add up to ``done``.

    Attributes:
        vendor: name of the only vendor, or ``"router"``.
        campaign: name of the campaign; empty before it has begun.
        total: count of the rows of the file, from before.
        done: count of the rows that have an outcome.
        accepted, rejected, not_sent, unknown: count of the rows with each outcome; bad rows are not sent.
        bad_rows: count of the rows that could not be sent because of what stands in them.
        shown: the first bad rows.
        by_code: count of the rows with each code.
        meanings: outcome and first detail of each code.
        parts, elapsed: as in `BatchReport`.
        credits, balance: as in `BatchReport`, of the only vendor; None where it does not tell them.
        stopped: reason why the campaign ended early; None where it did not.
        interrupted: whether a person ended it.
        shares: part of each vendor, where there are several. Their credits and balances have different units, so
            ``credits`` and ``balance`` mean nothing then. Rows that no vendor was asked about are in no part.
    """

    vendor: str
    campaign: str
    total: int
    done: int
    accepted: int
    rejected: int
    not_sent: int
    unknown: int
    bad_rows: int
    shown: Sequence[ShownRow]
    by_code: Mapping[str, int]
    meanings: Mapping[str, tuple[OutcomeKind, str]]
    parts: int
    credits: Decimal | None
    balance: Decimal | None
    elapsed: float
    stopped: str | None
    interrupted: bool
    shares: Mapping[str, Share] = field(factory=dict)

    @property
    def went_out(self) -> int:
        """Count of the rows that were sent to a vendor, whatever it answered."""
        return self.accepted + self.rejected + self.unknown

    @property
    def throughput(self) -> float:
        """Rows sent to a vendor in a second."""
        return self.went_out / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def exit_code(self) -> int:
        """Exit code of the process; the help of the command explains it."""
        if self.interrupted:
            return 130
        if self.stopped is not None:
            return 4
        if self.unknown:
            return 3
        return 0 if self.accepted == self.done else 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts as one JSON object. Money is text, to stay exact."""
        return {
            "vendor": self.vendor,
            "campaign": self.campaign,
            "total": self.done,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "not_sent": self.not_sent,
            "unknown": self.unknown,
            "bad_rows": self.bad_rows,
            "by_code": dict(self.by_code),
            "parts": self.parts,
            "credits": None if self.shares or self.credits is None else str(self.credits),
            "balance": None if self.shares or self.balance is None else str(self.balance),
            **({"vendors": {name: share.as_json() for name, share in self.shares.items()}} if self.shares else {}),
            "elapsed": round(self.elapsed, 3),
            "throughput": round(self.throughput, 1),
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
        }


class Display(Protocol):
    """Display of a campaign while it runs.

    Attributes:
        interval: seconds between two updates.
    """

    interval: float

    def update(self, summary: Summary) -> None:
        """Show the counts of this moment."""

    def note(self, text: str) -> None:
        """Show a sentence."""


class Campaign:
    """A campaign that sends each row of a list once, and counts its outcome.

    Args:
        client: the vendor's client, or a router over several vendors.
        rows: the rows, read as they are sent.
        total: count of the rows.
        limits: rates and other limits.
        output: file that gets each row's outcome, which the caller closes; None for none.
        name: name of the campaign; None for a new one.
        journal: journal that records the campaign; None to record nothing.
        content: what the campaign sends; None to record nothing of it.
    """

    def __init__(
        self,
        client: BatchClient | Router,
        rows: Iterator[GoodRow | BadRow],
        *,
        total: int,
        limits: Limits,
        output: Output | None = None,
        name: str | None = None,
        journal: Journal | None = None,
        content: CampaignFacts | None = None,
    ) -> None:
        self._vendors = client.vendors if isinstance(client, Router) else (client.vendor,)
        self._vendor = self._vendors[0] if len(self._vendors) == 1 else "router"
        first = None if output is None else self._see
        self._sender = limits.sender(client, journal, total=total, first=first, content=content)
        self._durable = journal is not None
        self._reading = False
        self._rows = rows
        self._total = total
        self._output = output
        self._name = name
        # Messages without an outcome yet, by their place, which is their line; and the numbers that were read by then.
        self._open: dict[int | None, Message] = {}
        self._numbers: dict[int | None, str] = {}
        self._skipped: Counter[str] = Counter()
        self._meanings: dict[str, tuple[OutcomeKind, str]] = {}
        self._bad_rows = 0
        self._shown: list[ShownRow] = []
        self._halted: str | None = None
        self._interrupts = 0
        self._reader: asyncio.Task[None] | None = None
        self._display: Display | None = None
        self._begun = time.monotonic()

    async def run(self, display: Display) -> Summary:
        """Send the rows, and return the counts at the end.

        Failures of the vendor, the list or the output file are not raised: ``stopped`` of the counts has the reason.

        Args:
            display: shows how the campaign goes on.

        Raises:
            ConfigurationError: the journal does not take the campaign; nothing was read or sent.
        """
        self._display = display
        self._begun = time.monotonic()
        self._reader = asyncio.create_task(self._read())
        try:
            while not self._reader.done():
                display.update(self.summary())
                await asyncio.wait({self._reader}, timeout=display.interval)
                self._flush()
        finally:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        self._reader.result()
        await self._account_for_the_rest()
        self._flush()
        summary = self.summary()
        display.update(summary)
        return summary

    def interrupt(self) -> None:
        """Stop the campaign: the first time after the requests under way, the second time by abandoning these."""
        self._interrupts += 1
        if self._interrupts == 1:
            self._halt("interrupted")
            self._note("Stopping: requests under way are being finished. Ctrl-C again gives them up.")
        elif self._interrupts == 2:
            self._sender.stop("interrupted", abandon=True)
            self._note("Giving up the requests under way.")

    def summary(self) -> Summary:
        """Return the counts of this moment."""
        report = self._sender.report
        skipped = self._skipped.total()
        return Summary(
            vendor=self._vendor,
            campaign=report.campaign if report is not None else "",
            total=self._total,
            done=skipped + (report.total if report is not None else 0),
            accepted=report.accepted if report is not None else 0,
            rejected=report.rejected if report is not None else 0,
            not_sent=skipped + (report.not_sent if report is not None else 0),
            unknown=report.unknown if report is not None else 0,
            bad_rows=self._bad_rows,
            shown=tuple(self._shown),
            by_code=self._skipped + (report.by_code if report is not None else Counter()),
            meanings=dict(self._meanings),
            parts=report.parts if report is not None else 0,
            credits=_amount(report.credits if report is not None else {}, self._vendor),
            balance=_amount(report.balance if report is not None else {}, self._vendor),
            elapsed=time.monotonic() - self._begun,
            stopped=self._halted,
            interrupted=self._interrupts > 0,
            shares=_shares(report, self._vendors) if len(self._vendors) > 1 else {},
        )

    # ------------------------------------------------------------------------------------------------------ rows

    def _messages(self) -> Iterator[Message]:
        self._reading = True
        while self._halted is None:
            row = next(self._rows, None)
            if row is None:
                return
            if isinstance(row, BadRow):
                self._bad(row.line, row.to, row.detail)
                self._skip(row)
            else:
                if not self._durable and self._output is not None and self._output.failure is not None:
                    # Nothing would record who gets a message.
                    why = f"the output file cannot be written: {self._output.failure.strerror}"
                    self._halt(why)
                    self._skip(_unsent(row, why))
                    return
                self._open[row.line] = row.message
                yield row.message
        if self._durable:  # raise: a return would tell the journal that the list was read to its end
            raise ConfigurationError(self._halted)

    async def _read(self) -> None:
        try:
            async with aclosing(self._sender.stream(self._messages(), campaign=self._name)) as outcomes:
                async for outcome in outcomes:
                    self._ended(outcome)
        except MensaError as error:  # the file changed while it was read
            if not self._reading:
                raise
            self._halt(say(error))
        report = self._sender.report
        if report is not None and report.stopped is not None and self._halted is None:
            self._halted = report.stopped

    def _ended(self, outcome: Outcome) -> None:
        message = outcome.message
        self._open.pop(message.place, None)
        if outcome.code is not None:
            self._remember(outcome.code, outcome.kind, outcome.detail)
            if outcome.kind is OutcomeKind.NOT_SENT:
                if outcome.code.startswith("invalid"):
                    self._bad(message.place or 0, message.to, outcome.detail)
                elif outcome.code == Code.STOPPED and len(self._vendors) == 1 and not self._durable:
                    # The only vendor has stopped the campaign, so the rest of the list need not be read. Several
                    # vendors may go on, and a journal takes the rest for the next time.
                    self._halt(outcome.detail)
        if self._output is not None:
            self._write(self._output, outcome)

    def _see(self, message: Message, number: str, /) -> Message:
        """Keep the number of a message in E.164, for its row; a screen that refuses nothing."""
        self._numbers[message.place] = number
        return message

    def _write(self, output: Output, outcome: Outcome) -> None:
        if output.campaign is None and self._sender.report is not None:
            output.campaign = self._sender.report.campaign
        output.outcome(outcome, self._numbers.pop(outcome.message.place, None))

    async def _account_for_the_rest(self) -> None:
        """Count as not sent the rows that the sender did not get, or had not begun when the campaign ended."""
        vendor, reason = self._vendor, self._halted or "the campaign ended before it"
        detail = "the campaign was interrupted before this message"
        for held in self._open.values():  # the sender's report has counted these already
            left = Outcome(OutcomeKind.NOT_SENT, held, vendor=vendor, code=Code.INTERRUPTED, detail=detail)
            if self._output is not None:
                self._write(self._output, left)
        self._open.clear()
        try:
            for count, row in enumerate(self._rows):
                if count % 1000 == 0:
                    await asyncio.sleep(0)
                if isinstance(row, GoodRow):
                    row = _unsent(row, reason)
                else:
                    self._bad(row.line, row.to, row.detail)
                self._skip(row)
        except MensaError as error:
            self._halt(say(error))
        unread = self._total - self.summary().done
        if unread > 0:
            self._skipped["not_read"] += unread
            self._remember("not_read", OutcomeKind.NOT_SENT, "the file could not be read that far")

    def _skip(self, row: BadRow) -> None:
        self._skipped[row.code] += 1
        self._remember(row.code, OutcomeKind.NOT_SENT, row.detail)
        if self._output is not None:
            self._output.bad_row(row, self._vendor)

    def _bad(self, line: int, to: str, reason: str) -> None:
        self._bad_rows += 1
        if len(self._shown) < MAX_SHOWN:
            self._shown.append(ShownRow(line, mask(to) if to else "", masked(reason)))

    # ------------------------------------------------------------------------------------------------- the rest

    def _remember(self, code: str, kind: OutcomeKind, detail: str) -> None:
        if code not in self._meanings and len(self._meanings) < _MAX_CODES:
            self._meanings[code] = (kind, masked(detail))

    def _halt(self, reason: str) -> None:
        if self._halted is None:
            self._halted = reason
            self._sender.stop(reason)

    def _flush(self) -> None:
        if self._output is not None:
            self._output.flush()

    def _note(self, text: str) -> None:
        if self._display is not None:
            self._display.note(text)


def _unsent(row: GoodRow, reason: str) -> BadRow:
    return BadRow(row.line, row.message.to, Code.STOPPED, reason, row.message.reference)


def _shares(report: BatchReport | None, vendors: Sequence[str]) -> dict[str, Share]:
    shares = {}
    for vendor in vendors:
        counts = Counter() if report is None else report.by_vendor.get(vendor, Counter())
        shares[vendor] = Share(
            accepted=counts[OutcomeKind.ACCEPTED],
            rejected=counts[OutcomeKind.REJECTED],
            not_sent=counts[OutcomeKind.NOT_SENT],
            unknown=counts[OutcomeKind.UNKNOWN],
            credits=None if report is None else _amount(report.credits, vendor),
            balance=None if report is None else _amount(report.balance, vendor),
        )
    return shares


def _amount(by_vendor: Mapping[str, Amount], vendor: str) -> Decimal | None:
    return by_vendor[vendor].amount if vendor in by_vendor else None
