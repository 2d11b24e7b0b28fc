"""The show: a list of people, a vendor that misbehaves, and an account that adds up all the same."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Final

from attrs import define, field, frozen
from rich.console import Console
from rich.text import Text

from mensasdk.batch import unguard_cell
from mensasdk.cli.campaign import Campaign, Limits, Summary
from mensasdk.cli.config import VENDORS, Settings
from mensasdk.cli.output import open_output
from mensasdk.cli.rows import open_table, plan, read
from mensasdk.cli.show import (
    checks_table,
    counts_table,
    display,
    meter,
    money,
    output_console,
    print_note,
    print_summary,
)
from mensasdk.delivery import DeliveryReceiver
from mensasdk.messages import Delivery, DeliveryState, Message, OutcomeKind
from mensasdk.phone import digits
from mensasdk.sandbox import Account, Fault, Mensatek, Sandbox
from mensasdk.transport import AttemptFailed, Event
from mensasdk.vendors.mensatek import DeliveryReport, MensatekOptions, ReceivedSms, parse_callback

__all__ = ["run_demo"]

VENDOR: Final = "mensatek"
FUNCTION: Final = "EnviarSMS"
TEXT: Final = "Hola {nombre}, tu cita es el {cita}. Código {codigo}."
NAMES: Final = (
    "Begoña", "Íñigo", "José", "María", "Núria", "Raúl", "Sofía", "Ángel", "Iñaki", "Lucía", "Martín", "Chloë",
    "Óscar", "Ainhoa", "Joaquín", "Mónica", "Andrés", "Zoe", "Víctor", "Yolanda",
)  # fmt: skip
DAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado")
# Cells that are no number that anybody could reach.
BAD_CELLS: Final = ("", "60012", "no tiene", "+34 6", "12345678901234567", "600-12-34", "699 999 99")


@frozen
class People:
    """The list that the demo writes to.

    Attributes:
        path: the CSV file.
        unwilling: numbers on the vendor's blacklist, digits only.
    """

    path: Path
    unwilling: frozenset[str]


@define
class Reports:
    """The delivery reports that came back: the last state of each number that was reached."""

    states: dict[str, Delivery] = field(factory=dict)
    final: set[str] = field(factory=set)
    calls: int = 0

    async def handle(self, report: DeliveryReport | ReceivedSms) -> None:
        """Store a report. Reports may come twice and out of order: what has ended stays ended."""
        if isinstance(report, ReceivedSms):
            return
        self.calls += 1
        delivery = report.to_delivery()
        if delivery.number not in self.final:
            self.states[delivery.number] = delivery
            if delivery.state.is_final:
                self.final.add(delivery.number)


@frozen
class Check:
    """One comparison of the vendor's ledger with our report."""

    name: str
    sandbox: str
    report: str

    @property
    def agrees(self) -> bool:
        return self.sandbox == self.report


def run_demo(*, rows: int, rate: float, folder: Path | None, seed: int) -> int:
    """Run the demo and print it.

    Returns:
        The exit code: 0 when the ledger and the report agree in everything, else 1.
    """
    console = output_console()
    folder = Path(tempfile.mkdtemp(prefix="mensasdk-demo-")) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(Demo(console, rows, rate, folder, seed).run())


class Demo:
    def __init__(self, console: Console, rows: int, rate: float, folder: Path, seed: int) -> None:
        self.console = console
        self.rows = rows
        self.rate = rate
        self.results = folder / "results.csv"
        self.people = make_people(folder / "people.csv", rows, seed)
        self.size = max(10, min(50, rows // 40))
        self.reports = Reports()
        self.slowed = 0

    async def run(self) -> int:
        say = self.say
        account = Account(credits=Decimal(10 * self.rows), blacklist=set(self.people.unwilling))
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(
                Sandbox(mensatek=Mensatek(account=account), delivery_delay=2.0, time_scale=0.5)
            )
            say("1", f"A list of {self.rows:,} people", str(self.people.path))
            say("2", "A vendor on this machine", f"{box.base_url(VENDOR)} (emulated; nothing is ever sent)")
            password = secrets.token_urlsafe(16)
            receiver = DeliveryReceiver(parse_callback, self.reports.handle, user="demo", password=password)
            url = await stack.enter_async_context(receiver.serve())
            box.callbacks(url, auth=("demo", password))
            say("3", "A receiver for delivery reports", f"{url} (with a password)")
            self.trouble(box)
            self.console.print()
            summary = await self.send(box)
            print_summary(self.console, summary, most_rows=5)
            await self.wait_for_reports(box)
            outcomes = self.outcomes()
            self.print_deliveries(outcomes)
            checks = self.checks(box, summary, outcomes)
        return self.conclude(checks)

    def say(self, number: str, what: str, detail: str) -> None:
        line = Text.assemble((f" {number} ", "bold cyan"), f"{what}  ", (detail, "dim"))
        self.console.print(line, soft_wrap=True)

    def trouble(self, box: Sandbox) -> None:
        """Place the faults: early enough that a short list meets them too."""
        requests = max(8, self.rows // self.size)
        third, half, later = requests // 3, requests // 2, requests * 2 // 3
        box.fail(VENDOR, function=FUNCTION, fault=Fault.RESET, when="after", nth=third)
        box.fail(VENDOR, function=FUNCTION, fault=Fault.RATE_LIMIT, when="before", nth=half, retry_after=1)
        box.fail(VENDOR, function=FUNCTION, fault=Fault.RESET, when="before", nth=later)
        self.say(
            "4", "Trouble", "two requests lose their connection (one after the vendor took it), one is told to wait"
        )

    async def send(self, box: Sandbox) -> Summary:
        def hook(event: Event) -> None:
            self.slowed += isinstance(event, AttemptFailed) and event.error == "RateLimited"

        options = MensatekOptions(report=True)
        table = open_table(self.people.path)
        layout = plan(table, text=TEXT)
        rows = read(
            table,
            layout,
            lambda to, text, variables, reference: Message(
                to, text, sender="Clinica", variables=variables, reference=reference, options=options
            ),
        )
        settings = Settings(box.credentials(VENDOR), box.base_url(VENDOR))
        client = VENDORS[VENDOR].connect(settings, default_country="ES", hooks=[hook])
        output = open_output(self.results, source=self.people.path)
        limits = Limits(rate=self.rate, max_recipients=self.size, max_in_flight=8)
        try:
            campaign = Campaign(client, rows, total=table.total, limits=limits, output=output, name="demo")
            with display(self.console, quiet=False) as progress:
                return await campaign.run(progress)
        finally:
            output.close()
            await client.aclose()

    async def wait_for_reports(self, box: Sandbox) -> None:
        drained = asyncio.ensure_future(box.drain())
        with meter(self.console, len(box.ledger), "delivery reports") as bar:
            while not drained.done():
                bar.update(len(self.reports.states))
                await asyncio.wait({drained}, timeout=0.1)
        drained.result()

    def outcomes(self) -> Mapping[OutcomeKind, Sequence[str]]:
        """The numbers of each outcome, from the file of results: what a person would work with."""
        numbers: dict[OutcomeKind, list[str]] = {kind: [] for kind in OutcomeKind}
        with self.results.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                numbers[OutcomeKind(row["outcome"])].append(unguard_cell(row["to"]))
        return numbers

    def print_deliveries(self, outcomes: Mapping[OutcomeKind, Sequence[str]]) -> None:
        states: Counter[str] = Counter()
        for number in outcomes[OutcomeKind.ACCEPTED]:
            delivery = self.reports.states.get(f"+{_digits(number)}")
            states[_bucket(delivery)] += 1
        self.console.print()
        self.console.print(
            counts_table(
                "delivery of the accepted",
                [
                    ("delivered", states["delivered"], "green"),
                    ("failed", states["failed"], "red"),
                    ("expired", states["expired"], "yellow"),
                    ("still trying", states["pending"], "cyan"),
                ],
            )
        )
        unknown = outcomes[OutcomeKind.UNKNOWN]
        resolved = sum(f"+{_digits(number)}" in self.reports.states for number in unknown)
        self.console.print()
        print_note(
            self.console,
            Text(
                f"{self.reports.calls:,} reports came in. Of the {len(unknown):,} unknown, the reports show that "
                f"{resolved:,} went out after all. When the vendor asked to slow down "
                f"(429, {self.slowed}x), the sender waited and sent what had been refused.",
                style="dim",
            ),
        )

    def checks(self, box: Sandbox, summary: Summary, outcomes: Mapping[OutcomeKind, Sequence[str]]) -> list[Check]:
        """Compare the ledger, which is the truth, with what the report and the file of results say."""
        ledger = box.ledger.numbers()
        accepted = {_digits(number) for number in outcomes[OutcomeKind.ACCEPTED]}
        unknown = {_digits(number) for number in outcomes[OutcomeKind.UNKNOWN]}
        others = {_digits(number) for kind in (OutcomeKind.REJECTED, OutcomeKind.NOT_SENT) for number in outcomes[kind]}
        others -= accepted | unknown  # a duplicate is not sent, and its first copy is
        asked: Counter[str] = Counter()
        for request in box.ledger.requests:
            if request.function == FUNCTION and request.fault != Fault.RATE_LIMIT:
                asked.update({str(one["Movil"]) for one in request.params["Destinatarios"]})
        gone_out = sum(ledger[number] for number in unknown)  # the connection was lost after these were taken
        charged_unknown = sum((one.credits for one in box.ledger.messages if one.number in unknown), Decimal(0))
        four = summary.accepted + summary.rejected + summary.not_sent + summary.unknown
        zero = "0"
        return [
            Check("rows with one outcome each", f"{self.rows:,}", f"{four:,}"),
            Check("rows in the file of results", f"{self.rows:,}", f"{sum(map(len, outcomes.values())):,}"),
            Check("accepted messages", f"{len(box.ledger) - gone_out:,}", f"{summary.accepted:,}"),
            Check("accepted people", f"{sum(ledger[number] for number in accepted):,}", f"{len(accepted):,}"),
            Check("people who got it twice", f"{sum(count > 1 for count in ledger.values()):,}", zero),
            Check("got it, though rejected or not sent", f"{sum(ledger[number] for number in others):,}", zero),
            Check("unknown, and asked for again", f"{sum(asked[number] > 1 for number in unknown):,}", zero),
            Check("credits (without the unknown)", money(box.ledger.charged - charged_unknown), money(summary.credits)),
            Check("people with a delivery report", f"{len(ledger):,}", f"{len(self.reports.states):,}"),
        ]

    def conclude(self, checks: Sequence[Check]) -> int:
        self.console.print()
        self.console.print(checks_table([(one.name, one.sandbox, one.report, one.agrees) for one in checks]))
        self.console.print()
        good = all(check.agrees for check in checks)
        if good:
            self.console.print(Text("  Everything adds up.", style="bold green"))
        else:
            self.console.print(Text("  Something does not add up; see the marked lines.", style="bold red"))
        self.console.print()
        for name, what in (
            ("the list", self.people.path),
            ("the results", self.results),
            ("try next", f"{_command()} send {self.people.path} \\"),
            ("", "  --vendor mensatek --default-country ES --dry-run \\"),
            ("", f"  --text '{TEXT}'"),
            ("or", f"{_command()} sandbox"),
        ):
            self.console.print(Text.assemble((f"  {name:12}", "dim"), str(what)), soft_wrap=True)
        return 0 if good else 1


def _command() -> str:
    """How to call this command again from here: by its name where it is on the path, else as it was called now."""
    if shutil.which("mensasdk"):
        return "mensasdk"
    beside = Path(sys.executable).with_name("mensasdk")
    if not beside.exists():
        return "python -m mensasdk"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)


def make_people(path: Path, rows: int, seed: int) -> People:
    """Write a list as a Spanish spreadsheet would: semicolons, a byte order mark, numbers in every spelling.

    About one row in a hundred holds no number, as many repeat an earlier row, and some people do not want messages.
    """
    pick = random.Random(seed)
    bad = max(3, rows // 100)
    doubled = max(2, rows // 100)
    good = rows - bad - doubled
    # Mobile numbers of Spain, and a few landlines.
    mobiles = pick.sample(range(600_000_000, 690_000_000), good - good // 50)
    lines = pick.sample(range(910_000_000, 919_999_999), good // 50)
    numbers = [str(number) for number in (*mobiles, *lines)]
    unwilling = frozenset(f"34{number}" for number in pick.sample(numbers, max(2, rows // 200)))
    table = [_person(pick, _spelled(pick, number)) for number in numbers]
    # Inserted behind the original, in another spelling: it is the number that counts.
    table += [[_spelled(pick, numbers[place]), *table[place][1:]] for place in pick.sample(range(good), doubled)]
    table += [_person(pick, pick.choice(BAD_CELLS)) for _ in range(bad)]
    pick.shuffle(table)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Teléfono", "Nombre", "Cita", "Código"])
        writer.writerows(table)
    return People(path, unwilling)


def _person(pick: random.Random, number: str) -> list[str]:
    time = f"{pick.choice(DAYS)} {pick.randint(1, 30)} a las {pick.randint(9, 19)}:{pick.choice(('00', '30'))}"
    return [number, pick.choice(NAMES), time, f"{pick.randrange(36**4):04d}"]


def _spelled(pick: random.Random, number: str) -> str:
    spaced = f"{number[:3]} {number[3:5]} {number[5:7]} {number[7:]}"
    return pick.choice((number, f"+34{number}", f"+34 {spaced}", f"0034{number}", spaced, spaced.replace(" ", "-")))


def _digits(cell: str) -> str:
    """The number as the ledger writes it; a cell that is no number stays what it is, and meets nobody."""
    try:
        return digits(cell, default_country="ES")
    except ValueError:
        return cell


def _bucket(delivery: Delivery | None) -> str:
    if delivery is None:
        return "pending"
    match delivery.state:
        case DeliveryState.DELIVERED:
            return "delivered"
        case DeliveryState.EXPIRED:
            return "expired"
        case DeliveryState.FAILED | DeliveryState.CANCELLED:
            return "failed"
        case _:
            return "pending"
