"""Run the demo: one list of people, four emulated vendors, some faults, and a report that adds up all the same."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from mensasdk.campaign import Router
from mensasdk.cli.demo.checks import Check, Line, compare, read_results
from mensasdk.cli.demo.data import ACCOUNTS, CALLING, PLACES, ROUTES, TEXT, WISHES
from mensasdk.cli.demo.people import HOME, make_people
from mensasdk.cli.demo.reports import STATES, Reports
from mensasdk.cli.input.routes import Way, connect
from mensasdk.cli.input.rows import open_table, plan, read
from mensasdk.cli.show.output import written_output
from mensasdk.cli.show.tables import (
    checks_table,
    display,
    figures_table,
    meter,
    output_console,
    print_note,
    print_summary,
)
from mensasdk.cli.vendors import Settings
from mensasdk.cli.work.campaign import Campaign, Limits, Summary
from mensasdk.delivery import DeliveryReceiver
from mensasdk.messages import Message, OutcomeKind
from mensasdk.registry import vendor_info
from mensasdk.sandbox import Fault, Sandbox
from mensasdk.transport import AttemptFailed, Event
from mensasdk.vendors import mensatek, smsgateway24

__all__ = ["command_name", "run_demo"]


def run_demo(*, rows: int, rate: float, folder: Path | None, seed: int) -> int:
    """Run the demo and print it.

    Args:
        rows: count of the people in the list.
        rate: most messages a second, for each vendor.
        folder: folder for the files; None for a new temporary one.
        seed: seed of the list.

    Returns:
        The exit code: 0 when the ledger and the report agree in everything, else 1.
    """
    console = output_console()
    folder = Path(tempfile.mkdtemp(prefix="mensasdk-demo-")) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(Demo(console, rows, rate, folder, seed).run())


class Demo:
    """One run of the demo.

    Args:
        console: where to print.
        rows: count of the people in the list.
        rate: most messages a second, for each vendor.
        folder: folder for the files; it exists.
        seed: seed of the list.
    """

    def __init__(self, console: Console, rows: int, rate: float, folder: Path, seed: int) -> None:
        self.console = console
        self.rows = rows
        self.results = folder / "results.csv"
        self.people = make_people(folder / "people.csv", rows, seed)
        self.size = max(10, min(50, rows // 40))
        self.limits = Limits(rate=rate, max_recipients=self.size, max_in_flight=8)
        self.reports = Reports()
        self.slowed = 0

    async def run(self) -> int:
        """Run the demo; return its exit code."""
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(Sandbox(delivery_delay=2.0, time_scale=0.5))
            self.accounts(box)
            self.say("1", f"A list of {self.rows:,} people in six countries", str(self.people.path))
            self.say("2", "Four vendors on this machine", f"on port {box.port}, emulated; nothing is ever sent")
            for vendor, where in PLACES.items():
                self.console.print(Text.assemble(f"     {vendor:14}", (where, "dim")))
            await self.receivers(box, stack)
            self.trouble(box)
            self.console.print()
            ways = [
                Way(vendor, Settings(box.credentials(vendor), box.base_url(vendor)), countries)
                for vendor, countries in ROUTES.items()
            ]
            router, _ = await stack.enter_async_context(
                connect(ways, limits=self.limits, wishes=WISHES, default_country=HOME, hooks=[self.hook])
            )
            assert isinstance(router, Router)  # over several vendors it is one
            clients: dict[str, Any] = {route.client.vendor: route.client for route in router.routes}
            before = await self.balances(clients)
            summary = await self.send(router)
            after = await self.balances(clients)
            costs = {vendor: before[vendor] - after[vendor] for vendor in ACCOUNTS}
            print_summary(self.console, summary, most_rows=5, costs=costs)
            lines = read_results(self.results)
            await self.wait_for_reports(box, clients, lines)
            self.print_deliveries(lines)
            told = len(self.reports.states)
            checks = compare(box, summary, lines, costs, rows=self.rows, told=told)
        return self.conclude(checks)

    def say(self, number: str, what: str, detail: str) -> None:
        """Print a step of the demo."""
        line = Text.assemble((f" {number} ", "bold cyan"), f"{what}  ", (detail, "dim"))
        self.console.print(line, soft_wrap=True)

    def hook(self, event: Event) -> None:
        """Count the answers that asked to slow down."""
        self.slowed += isinstance(event, AttemptFailed) and event.error == "RateLimited"

    def accounts(self, box: Sandbox) -> None:
        """Fill the accounts; the one of envia_sms runs out in the middle."""
        box.mensatek.account.blacklist = set(self.people.unwilling)
        box.mensatek.account.credits = Decimal(10 * self.rows)
        mexico = box.envia_sms.account.countries["52"].price(box.envia_sms.account.plan)
        box.envia_sms.account.credits = mexico * (self.people.mexico * 2 // 3)

    async def receivers(self, box: Sandbox, stack: AsyncExitStack) -> None:
        """Start a receiver for each vendor that calls back: the vendors differ in what they post and in their proof."""
        password, word = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        reports = self.reports
        first = DeliveryReceiver(mensatek.parse_callback, reports.handle, user="demo", password=password)
        second = DeliveryReceiver(smsgateway24.parse_callback, reports.handle, path_secret=word)
        box.callbacks(await stack.enter_async_context(first.serve()), vendor="mensatek", auth=("demo", password))
        box.callbacks(await stack.enter_async_context(second.serve()) + word, vendor="smsgateway24")
        self.say("3", "Two receivers for delivery reports", "the other two vendors do not call back, and are asked")

    def trouble(self, box: Sandbox) -> None:
        """Place the faults, early enough for a short list."""
        requests = max(6, self.people.spain // self.size)
        third, half, later = requests // 3, requests // 2, requests * 2 // 3
        box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="after", nth=third)
        box.fail("mensatek", function="EnviarSMS", fault=Fault.RATE_LIMIT, when="before", nth=half, retry_after=1)
        box.fail("mensatek", function="EnviarSMS", fault=Fault.RESET, when="before", nth=later)
        box.fail("envia_sms", function="send", fault=Fault.RESET, when="after", nth=2)
        box.fail("enviatusms", function="sms-multi", fault=Fault.RATE_LIMIT, when="before", nth=2, retry_after=1)
        self.say("4", "Trouble", "three connections lost (two after the vendor took the messages),")
        self.console.print(Text("            two vendors say 429, and envia_sms runs out of credits", style="dim"))

    async def balances(self, clients: Mapping[str, Any]) -> dict[str, Decimal]:
        """Return the balances of the vendors whose answers tell no cost."""
        found = {}
        for vendor in ACCOUNTS:
            ask = vendor_info(vendor).balance
            assert ask is not None
            found[vendor] = await ask(clients[vendor])
        return found

    async def send(self, router: Router) -> Summary:
        """Send the list, and write the file of results."""
        table = open_table(self.people.path)
        rows = read(
            table,
            plan(table, text=TEXT),
            lambda to, text, variables, reference, line: Message(
                to, text, variables=variables, reference=reference, place=line
            ),
        )
        with written_output(self.results, in_use=[self.people.path], must=True) as output:
            campaign = Campaign(router, rows, total=table.total, limits=self.limits, output=output, name="demo")
            with display(self.console, quiet=False) as progress:
                return await campaign.run(progress)

    async def wait_for_reports(self, box: Sandbox, clients: Mapping[str, Any], lines: Sequence[Line]) -> None:
        """Wait for the last callbacks, and ask the vendors that do not call back."""
        drained = asyncio.ensure_future(box.drain())
        expected = len({one.number for one in box.ledger.messages if one.vendor in CALLING})
        with meter(self.console, expected, "delivery reports") as bar:
            while not drained.done():
                bar.update(len(self.reports.states))
                await asyncio.wait({drained}, timeout=0.1)
        drained.result()
        await self.reports.ask(clients, lines)

    def print_deliveries(self, lines: Sequence[Line]) -> None:
        """Print the delivery of each vendor's messages."""
        table = figures_table("delivery", *STATES, "told by")
        styles = ("green", "red", "yellow", "cyan")
        for vendor, counts in self.reports.count(lines, ROUTES).items():
            cells = [
                Text(f"{counts[state]:,}", style=style if counts[state] else "dim")
                for state, style in zip(STATES, styles, strict=True)
            ]
            table.add_row(Text(vendor), *cells, Text("callbacks" if vendor in CALLING else "asking", style="dim"))
        self.console.print()
        self.console.print(table)
        unknown = [line for line in lines if line.kind is OutcomeKind.UNKNOWN]
        resolved = sum(f"+{line.number}" in self.reports.states for line in unknown)
        instead = sum(
            line.kind is OutcomeKind.ACCEPTED and line.vendor == "smsgateway24" and line.number.startswith("52")
            for line in lines
        )
        self.console.print()
        print_note(
            self.console,
            Text(
                f"{self.reports.calls:,} reports came in, and {self.reports.questions:,} questions were asked. Of the "
                f"{len(unknown):,} unknown, the reports show that {resolved:,} went out after all. When a vendor asked "
                f"to slow down (429, {self.slowed}x), the sender waited and sent what had been refused. When envia_sms "
                f"had no credits left, {instead:,} Mexican numbers went through smsgateway24 instead.",
                style="dim",
            ),
        )

    def conclude(self, checks: Sequence[Check]) -> int:
        """Print the comparison and what to try next; return the exit code."""
        self.console.print()
        self.console.print(checks_table((one.name, one.sandbox, one.report) for one in checks))
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
            ("try next", f"{command_name()} send {self.people.path} \\"),
            ("", f"  --default-country {HOME} --dry-run \\"),
            ("", "  --route ES=mensatek --route MX=envia_sms --route VE=enviatusms \\"),
            ("", "  --route '*=smsgateway24' --device-id 260 \\"),
            ("", "  --template 02 --text-variable mensaje \\"),
            ("", f"  --text '{TEXT}'"),
            ("or", f"{command_name()} sandbox"),
        ):
            self.console.print(Text.assemble((f"  {name:12}", "dim"), str(what)), soft_wrap=True)
        return 0 if good else 1


def command_name() -> str:
    """Return how to call this command again: by its name where it is on the path, else by the path of its file."""
    if shutil.which("mensasdk"):
        return "mensasdk"
    beside = Path(sys.executable).with_name("mensasdk")
    if not beside.exists():
        return "python -m mensasdk"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
